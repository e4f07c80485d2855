package privatenotebooks

import (
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/verdict"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Paths are who reaches which notebooks through the endpoints of a VPC, as the ledger keeps them for people: from each role that has the policy to each
// notebook of the VPC, or to any notebook, if the VPC has none: the endpoints serve those of other VPCs, too. One is whole if the endpoints serve the VPC and
// nothing denies the role the URL; else it ends at what does.
func Paths(in workflow.VerifyPrivateNotebooksInput, p workflow.PlaceEndpointsOutput, facts Facts) ledger.Paths {
	var out ledger.Paths
	account, vpc := in.Account, p.Want.VPC
	var notebooks []string
	for _, n := range facts.Notebooks {
		if n.VPC == vpc {
			notebooks = append(notebooks, n.Name)
		}
	}
	if len(notebooks) == 0 {
		notebooks = []string{anyOther}
	}
	broken := workflow.Hop{OK: true}
	for _, h := range p.Hops {
		if !h.OK && (broken.OK || broken.Unknown && !h.Unknown) {
			broken = h
		}
	}
	denied := deniedThrough(in, p, vpc, facts.Identities)
	for _, role := range in.Granted.Roles {
		for _, notebook := range sorted(notebooks) {
			one := ledger.Path{Client: ledger.End{Name: "role " + role, Account: account, Network: account}, Database: ledger.End{Name: notebook, Account: account, Network: vpc}, Port: https, Answer: "yes"}
			switch {
			case !broken.OK && !broken.Unknown:
				one.Answer, one.Hop, one.Owner, one.Detail = "no", broken.Hop, account, broken.Detail
			case slices.Contains(denied, "role "+role):
				one.Answer, one.Hop, one.Owner, one.Detail = "no", "policy "+PolicyName, account, "something denies the role the URL, although the policy allows it"
			case broken.Unknown:
				one.Answer, one.Hop, one.Detail = "unknown", broken.Hop, broken.Detail
				out.Unknown++
			default:
				out.Whole++
			}
			if out.All++; len(out.Lines) < verdict.Shown {
				out.Lines = append(out.Lines, one)
			}
		}
	}
	return out
}

// anyOther is what a role reaches through the endpoints of a VPC without a notebook.
const anyOther = "any notebook"

// https is the port at which SageMaker's API and notebooks answer.
const https = 443

// stands is how the endpoints of one VPC stand: an execution looks at all VPCs of an account, and one that is not served leaves the others as they are.
func stands(p workflow.PlaceEndpointsOutput, granted workflow.GrantNotebookAccessOutput, taken string) (workflow.Result, string) {
	if taken != "" {
		return workflow.Contested, taken
	}
	for _, h := range slices.Concat(p.Hops, granted.Hops) {
		if !h.OK && (h.Hop == unserved(p.Want.VPC) || slices.Contains(granted.Hops, h)) {
			return workflow.Incomplete, h.Hop + ": " + h.Detail
		}
	}
	return workflow.Private, "its notebooks are reached through its endpoints"
}
