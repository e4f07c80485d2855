package dataapiendpoint

import (
	"context"
	"errors"
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest/report"
	"github.com/drawbridge-cloud/drawbridge/pkg/endpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Reader is what [Verify] needs of EC2.
type Reader interface {
	endpoint.Reader
	discover.ACLReader
}

// Verify reads back whether everybody in the VPC reaches the Data API through an endpoint, ours or the owner's: private
// DNS, security groups, network ACLs. What keeps somebody from it is a Conflict, because it is somebody else's. A VPC that
// shall have none, or that is let go of, is not read. Then it announces the result. What is left to who took it away makes it Contested instead, and is told to its owner, once.
func Verify(ctx context.Context, client Reader, book ledger.Ledger, bus notice.Bus, in workflow.VerifyDataAPIEndpointInput) (workflow.VerifyDataAPIEndpointOutput, error) {
	out := workflow.VerifyDataAPIEndpointOutput{Result: in.Result, Reason: in.Reason, Decision: in.Decision, Verdict: []workflow.Hop{}}
	thing := notice.Thing{Execution: in.Execution, Machine: "drawbridge-data-api-endpoint", Result: in.Result, Reason: in.Reason,
		Resource: notice.Resource{Account: in.Want.Account, Region: in.Want.Region, ID: in.Want.VPC}}
	if in.Result != workflow.Available {
		if err := bus.Put(ctx, notice.Access(thing, in.Decision, nil)); err != nil || in.Result != workflow.Released {
			return out, err
		}
		return out, book.LetGo(ctx, in.Want.Owner)
	}
	thing.For = []string{in.Want.VPC}
	want := endpoint.Want{Owner: in.Want.Owner, VPC: in.Want.VPC, Services: in.Want.Services, Callers: in.Want.Callers}
	have, err := endpoint.Read(ctx, client, want)
	if err != nil {
		return out, err
	}
	acls, err := discover.ACLs(ctx, client, want.VPC)
	if err != nil {
		return out, err
	}
	taken, err := report.Ask(ctx, book, bus, ledger.Connection{ID: want.Owner})
	if err != nil {
		return out, err
	}
	hops := endpoint.Judge(want, have, acls)
	if taken != "" {
		out.Result, out.Reason, out.Verdict = workflow.Contested, taken, hops
		thing.Result, thing.Reason = out.Result, out.Reason
		if err := note(ctx, book, in, out.Result, out.Reason, hops); err != nil {
			return out, err
		}
		return out, bus.Put(ctx, notice.Access(thing, in.Decision, out.Verdict))
	}
	if err := check(want.VPC, hops); err != nil {
		return out, errors.Join(note(ctx, book, in, conflict, err.Error(), hops), err)
	}
	if err := note(ctx, book, in, out.Result, out.Reason, hops); err != nil {
		return out, err
	}
	out.Verdict = append(hops, workflow.Hop{Hop: "Region", OK: true,
		Detail: fmt.Sprintf("the endpoint leads to clusters in %s and in no other Region", in.Want.Region)})
	return out, bus.Put(ctx, notice.Access(thing, in.Decision, out.Verdict))
}

// conflict is the status of an entry whose endpoint does not serve the VPC, for what is its owner's; see [check].
const conflict = workflow.Result(fault.Conflict)

// note writes into the ledger's entry of the VPC how its endpoint stands, and who reaches what through it. What did not change keeps its time. A VPC of
// which the ledger has nothing, since its owner made the endpoint, gets no entry.
func note(ctx context.Context, book ledger.Ledger, in workflow.VerifyDataAPIEndpointInput, result workflow.Result, reason string, hops []workflow.Hop) error {
	_, err := book.Change(ctx, in.Want.Owner, func(e *ledger.Connection) {
		e.Paths = Paths(in.Want, hops)
		e.Stand(ledger.Status(result), reason, in.Decision.Policy, book.Now().UTC())
	})
	return err
}
