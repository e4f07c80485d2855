package privatenotebooks

import (
	"context"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/endpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Place takes one VPC one step towards its endpoints. Of private notebooks an execution serves all VPCs of an account: one that cannot be served holds up
// no other, and is named in a line of the verdict.
func Place(ctx context.Context, client endpoint.Client, book ledger.Ledger, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
	state, err := endpoint.Ensure(ctx, client, book, wanted(in))
	return oneOfMany(in.Want, state, err)
}

// Remove takes one VPC one step towards being rid of what was made for the owner's word and nobody else needs. It holds up no other, as [Place].
func Remove(ctx context.Context, client endpoint.Remover, book ledger.Ledger, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
	state, err := endpoint.Withdraw(ctx, client, book, wanted(in))
	return oneOfMany(in.Want, state, err)
}

// oneOfMany returns the answer about a VPC, done with if a person has to act first: what is in the way is its owner's, or EC2 does not let Drawbridge, such as by
// a service control policy. That the hub's own ledger lets nobody in is no such thing, and has another code.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
func oneOfMany(want workflow.EndpointWant, s endpoint.State, err error) (workflow.PlaceEndpointsOutput, error) {
	_, unreadable := fault.Unreadable(err)
	if want.Owner == Owner(want.VPC) && !unreadable && (fault.Of(err) == fault.Conflict || fault.HasCode(err, "UnauthorizedOperation")) {
		s = endpoint.State{Ready: true, Hops: []workflow.Hop{{Hop: unserved(want.VPC), Detail: err.Error()}}}
		err = nil
	}
	return placed(want, s), err
}

// unserved names the line of a verdict about a VPC that cannot be served.
func unserved(vpc string) string { return "VPC " + vpc }

// wanted is what an execution of one of the machines that place endpoints wants for a VPC. The word begins with what it is for.
func wanted(in workflow.PlaceEndpointsInput) endpoint.Want {
	w := in.Want
	return endpoint.Want{Owner: w.Owner, Account: w.Account, Region: w.Region, VPC: w.VPC, Services: w.Services, Callers: w.Callers,
		Kind: road.Kind(strings.TrimSuffix(w.Owner, "-"+w.VPC)), By: in.Execution, Leave: w.Leave}
}

// LeaseOfWant names the lease of the execution that a want is of: the account's for private notebooks, else the VPC's.
func LeaseOfWant(w workflow.EndpointWant) string {
	if w.Owner == Owner(w.VPC) {
		return LeaseOf(w.Account)
	}
	return strings.TrimSuffix(w.Owner, "-"+w.VPC) + " " + w.VPC
}

func placed(want workflow.EndpointWant, s endpoint.State) workflow.PlaceEndpointsOutput {
	out := workflow.PlaceEndpointsOutput{Answer: workflow.AnswerWait, Want: want, Waiting: s.Waiting, Hops: s.Hops, Endpoints: []workflow.PlacedEndpoint{}}
	if s.Ready {
		out.Answer = workflow.AnswerReady
	}
	for _, e := range s.Endpoints {
		out.Endpoints = append(out.Endpoints, workflow.PlacedEndpoint{ID: e.ID, Service: e.Service, Ours: e.Owner == want.Owner})
	}
	return out
}
