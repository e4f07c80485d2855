package private

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/endpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Place takes one VPC one step towards its endpoints.
func Place(ctx context.Context, client endpoint.Client, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
	state, err := endpoint.Ensure(ctx, client, endpoint.Want{Owner: in.Want.Owner, VPC: in.Want.VPC, Services: in.Want.Services, Callers: in.Want.Callers})
	return placed(in.Want, state), err
}

// Remove takes one VPC one step towards being rid of what carries the owner's word.
func Remove(ctx context.Context, client endpoint.Remover, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
	state, err := endpoint.Withdraw(ctx, client, in.Want.Owner, in.Want.VPC)
	return placed(in.Want, state), err
}

// The answers of [Place] and [Remove].
const (
	AnswerReady = "ready"
	AnswerWait  = "wait"
)

func placed(want workflow.EndpointWant, s endpoint.State) workflow.PlaceEndpointsOutput {
	out := workflow.PlaceEndpointsOutput{Answer: AnswerWait, Want: want, Waiting: s.Waiting, Hops: s.Hops, Endpoints: []workflow.PlacedEndpoint{}}
	if s.Ready {
		out.Answer = AnswerReady
	}
	for _, e := range s.Endpoints {
		out.Endpoints = append(out.Endpoints, workflow.PlacedEndpoint{ID: e.ID, Service: e.Service, Ours: e.Owner == want.Owner})
	}
	return out
}
