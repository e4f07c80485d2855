package peering

import (
	"cmp"
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// requests is the call that requests a peering. Its record says what no later look can read: that somebody asks Drawbridge, and who.
const requests = "CreateVpcPeeringConnection"

// Turn is what package lease has to know of an inspection. The record of a request is not lost with an execution that leaves the peering to another: see [Noted].
func (i Inspector) Turn() lease.Look[workflow.InspectPeeringInput, workflow.InspectPeeringOutput] {
	turn := lease.ByEvent(
		func(e event.Event) lease.Named {
			if e.Kind != event.Peering {
				return lease.Named{}
			}
			return lease.Named{Lease: e.PeeringID, Called: e.PeeringID}
		},
		func(in workflow.InspectPeeringInput, why string) workflow.InspectPeeringOutput {
			out := begun(in)
			out.Answer, out.Result, out.Reason = workflow.AnswerNothing, workflow.Nothing, why
			return out
		},
		func(out workflow.InspectPeeringOutput) bool {
			return out.Answer == workflow.AnswerNothing || out.Answer == workflow.AnswerUnreadable
		})
	turn.Fresh = func(in workflow.InspectPeeringInput) workflow.InspectPeeringInput {
		in.Known, in.Looked.Accepted = workflow.Known{}, false
		return in
	}
	left := turn.Busy
	turn.Busy = func(ctx context.Context, in workflow.InspectPeeringInput, now ledger.Lease) (workflow.InspectPeeringOutput, error) {
		out, err := left(ctx, in, now)
		e, failed := event.Parse(in.Event)
		if err = cmp.Or(err, failed); err == nil && e.Name == requests {
			err = Noted(ctx, i.Ledger, e.PeeringID, Asker(in.Event), now.By(requests))
		}
		if err == nil {
			err = i.hear(ctx, in, e.PeeringID)
		}
		return out, err
	}
	return turn
}

// Noted sees to it that the record of a request counts, though another execution is at what it asks for: the entry of the thing says who
// asked, unless it says so. Without an entry it fails with [fault.NotYet]: it waits for its own turn, in which it begins one. same says that
// the other came by the record of the same request.
func Noted(ctx context.Context, l ledger.Ledger, id, who string, same bool) error {
	if same {
		return nil
	}
	entry, err := l.Change(ctx, id, func(e *ledger.Connection) {
		if e.Asked == "" {
			e.Asked = who
		}
	})
	if err == nil && entry.ID == "" {
		err = fault.New(fault.NotYet, "looking at the request of %s: another execution is at it, by another event", id)
	}
	return err
}

// Again is how one asks for another look at a connection over a peering or a gateway: a peering is read where shown says.
func Again(c workflow.Connection, shown workflow.VPC) look.Look {
	if c.OwnsTarget() {
		return event.Inspection{Account: shown.Account, Region: shown.Region, PeeringID: c.ID, Reason: lease.Came}
	}
	return event.TransitInspection{TransitGatewayID: c.Target, VPCs: []event.VPCPlace{placed(c.Requester), placed(c.Accepter)}, Reason: lease.Came}
}

// Shown returns the VPC in whose account a peering that is answered can be read: the requester's, if that is a member.
func Shown(in workflow.ConcludeInput) workflow.VPC {
	if slices.Contains(in.Members, Requester) {
		return in.Connection.Requester
	}
	return in.Connection.Accepter
}

// LastAnswer is what package lease has to know of the steps that answer a request.
func LastAnswer(in workflow.ConcludeInput) (lease.Claim, look.Look) {
	return lease.Claim{Of: in.Connection.ID, Execution: in.Execution}, Again(in.Connection, Shown(in))
}

// LastVerdict is what package lease has to know of the step that verifies a connection.
func LastVerdict(in workflow.VerifyConnectionInput) (lease.Claim, look.Look) {
	return lease.Claim{Of: in.Connection.ID, Execution: in.Execution}, Again(in.Connection, in.Connection.Requester)
}

// LastRemoval is what package lease has to know of the step that concludes a removal.
func LastRemoval(in workflow.ConcludeRemovalInput) (lease.Claim, look.Look) {
	return lease.Claim{Of: in.Connection.ID, Execution: in.Execution}, Again(in.Connection, in.Connection.Requester)
}

func placed(v workflow.VPC) event.VPCPlace {
	return event.VPCPlace{Account: v.Account, Region: v.Region, VPC: v.ID}
}
