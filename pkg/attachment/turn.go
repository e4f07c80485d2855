package attachment

import (
	"context"
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// requests is the call that requests an attachment. Its record says what no later look can read: who asks.
const requests = "CreateTransitGatewayVpcAttachment"

// Found is an inspection's input, and what its event was found to be about.
type Found struct {
	In    workflow.InspectAttachmentInput
	event event.Event
	units []unit
	why   string // it is about none
}

// Find finds what an event is about. Of an attachment, the event may name the id alone.
func (i Inspector) Find(ctx context.Context, in workflow.InspectAttachmentInput) (Found, error) {
	out := Found{In: in}
	var err error
	if out.event, err = event.Parse(in.Event); err != nil {
		return out, err
	}
	e := out.event
	if e.Kind != event.Attachment {
		out.why = e.Stray()
		return out, nil
	}
	facts, err := i.Account(ctx, e.Account)
	switch {
	case err != nil:
		return out, err
	case facts.Organization == "":
		out.why = fmt.Sprintf("account %s is outside the organization", e.Account)
	case in.VPC.ID != "" && in.Gateway.ID != "":
		out.units = []unit{{in.VPC.Place(), in.VPC.ID, in.Gateway.ID}}
	default:
		out.units, out.why, err = i.units(ctx, in.Execution, e)
	}
	return out, err
}

// Turn is what package lease has to know of an inspection.
func (i Inspector) Turn() lease.Look[Found, workflow.InspectAttachmentOutput] {
	return lease.Look[Found, workflow.InspectAttachmentOutput]{
		Claim: func(f Found) lease.Claim {
			if len(f.units) != 1 {
				return lease.Claim{}
			}
			return lease.Claim{Of: LeaseOf(f.units[0].gateway, f.units[0].vpc), Execution: f.In.Execution, Event: f.event.Name}
		},
		Fresh: func(f Found) Found { return f }, // each look reads all of it
		Busy:  i.busy,
		Ends:  func(out workflow.InspectAttachmentOutput) bool { return out.Result != "" && !concluded[out.Answer] },
	}
}

// concluded are the answers that have a result and a step of their own before the end.
var concluded = map[workflow.Answer]bool{workflow.AnswerRemoved: true, workflow.AnswerReleased: true, workflow.AnswerRejected: true}

// LeaseOf names what one execution at a time works on: there may be no attachment yet.
func LeaseOf(gateway, vpc string) string { return gateway + ":" + vpc }

// busy is the answer while another execution is at the VPC on the gateway. The record of a request is not lost with it: see [peering.Noted].
func (i Inspector) busy(ctx context.Context, f Found, now ledger.Lease) (workflow.InspectAttachmentOutput, error) {
	out := begun(f.In)
	out.Answer, out.Result, out.Reason = workflow.AnswerNothing, workflow.Nothing, lease.Said(LeaseOf(f.units[0].gateway, f.units[0].vpc), now)
	if f.event.Name == requests {
		return out, peering.Noted(ctx, i.Ledger, f.event.AttachmentID, peering.Asker(f.In.Event), now.By(requests))
	}
	return out, nil
}

// begun is an answer before anything is known.
func begun(in workflow.InspectAttachmentInput) workflow.InspectAttachmentOutput {
	return workflow.InspectAttachmentOutput{Event: in.Event, Subnets: []string{}, Propagate: []string{}, Lacking: []workflow.Hop{}}
}

// One returns the inspection, done by one execution at a time: what the input is about is found first. gate is what each inspection passes.
func (i Inspector) One(k lease.Keeper, gate func(workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput]) workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput]) workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput] {
	one := i.Turn().One(k, func(ctx context.Context, found Found) (workflow.InspectAttachmentOutput, error) {
		return gate(func(ctx context.Context, _ workflow.InspectAttachmentInput) (workflow.InspectAttachmentOutput, error) {
			return i.Inspect(ctx, found)
		})(ctx, found.In)
	})
	return func(ctx context.Context, in workflow.InspectAttachmentInput) (workflow.InspectAttachmentOutput, error) {
		found, err := i.Find(ctx, in)
		if err != nil {
			return workflow.InspectAttachmentOutput{}, err
		}
		return one(ctx, found)
	}
}

// LastAnswer is what package lease has to know of the steps that answer a request.
func LastAnswer(in workflow.AnswerAttachmentInput) (lease.Claim, look.Look) {
	return last(in.Execution, in.Gateway, in.VPC)
}

// LastVerdict is what package lease has to know of the step that verifies an attachment.
func LastVerdict(in workflow.VerifyAttachmentInput) (lease.Claim, look.Look) {
	return last(in.Execution, in.Gateway, in.VPC)
}

// LastDetachment is what package lease has to know of the step that concludes a detachment.
func LastDetachment(in workflow.ConcludeDetachmentInput) (lease.Claim, look.Look) {
	return last(in.Execution, in.Gateway, in.VPC)
}

// last says what the last step of an execution is about, and how one asks for another look at it.
func last(execution string, g workflow.Gateway, v workflow.VPC) (lease.Claim, look.Look) {
	return lease.Claim{Of: LeaseOf(g.ID, v.ID), Execution: execution},
		event.AttachmentInspection{Account: v.Account, Region: v.Region, TransitGatewayID: g.ID, VPC: v.ID, Reason: lease.Came}
}
