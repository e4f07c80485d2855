package studio

import (
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/verdict"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Paths are who is let in, as the ledger keeps them for people: from each execution role to the cluster. One is whole if the role is served and its people are
// identified; else it ends at the first thing that is not so.
func Paths(in workflow.ConcludeStudioInput, result workflow.Result) ledger.Paths {
	var out ledger.Paths
	fails := func(hops []workflow.Hop) *workflow.Hop {
		if n := slices.IndexFunc(hops, func(h workflow.Hop) bool { return !h.OK }); n >= 0 {
			return &hops[n]
		}
		return nil
	}
	common := fails(in.Written.Hops)
	for _, d := range in.Identified {
		if common == nil && result != workflow.Identified {
			common = fails(d.Hops)
		}
	}
	w := in.Warehouse
	for _, r := range in.Roles {
		one := ledger.Path{Client: ledger.End{Name: "role " + nameOf(r.ARN), Account: r.Account, Network: r.Account}, Database: ledger.End{Name: w.ID, Account: w.Account, Network: w.ARN}, Port: https, Answer: "yes"}
		broken := common
		for _, a := range in.Admitted {
			if hop := fails(a.Hops); a.Role == r.ARN && hop != nil {
				broken = hop
			}
		}
		if out.All++; broken == nil {
			out.Whole++
		} else {
			one.Answer, one.Hop, one.Detail = "no", broken.Hop, broken.Detail
		}
		if len(out.Lines) < verdict.Shown {
			out.Lines = append(out.Lines, one)
		}
	}
	return out
}

// https is the port at which credentials of the cluster are asked for.
const https = 443
