package private

import (
	"context"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/endpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Place takes one VPC one step towards its endpoints.
func Place(ctx context.Context, client endpoint.Client, book ledger.Ledger, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
	state, err := endpoint.Ensure(ctx, client, book, wanted(in))
	return placed(in.Want, state), err
}

// Remove takes one VPC one step towards being rid of what was made for the owner's word and nobody else needs.
func Remove(ctx context.Context, client endpoint.Remover, book ledger.Ledger, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
	state, err := endpoint.Withdraw(ctx, client, book, wanted(in))
	return placed(in.Want, state), err
}

// wanted is what an execution of one of the machines that place endpoints wants for a VPC. The word begins with what it is for.
func wanted(in workflow.PlaceEndpointsInput) endpoint.Want {
	w := in.Want
	return endpoint.Want{Owner: w.Owner, Account: w.Account, Region: w.Region, VPC: w.VPC, Services: w.Services, Callers: w.Callers,
		Kind: strings.TrimSuffix(w.Owner, "-"+w.VPC), By: in.Execution, Leave: w.Leave}
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
