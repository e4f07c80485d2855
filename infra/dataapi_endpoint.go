package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// dataAPIEndpoint returns the definition of the machine drawbridge-data-api-endpoint:
//
//	ReceiveEvent → InspectDataApiEndpoint ─ place ───→ PlaceEndpoints ── ready ─→ VerifyDataApiEndpoint
//	                    ↑                 ├ remove ──→ RemoveEndpoints ─ ready ──↗  ↑  → Available, Contested, Removed or Refused
//	                    │                 ├ refuse ─────────────────────────────────┘
//	                    │                 │                      │ wait
//	                    │                 └ nothing ─→ Nothing   ↓
//	                    └───────────────────────────── WaitForEndpoint
//
// One execution is about one VPC. After each wait it looks anew, so that of two executions, one of which knows an older
// wish, both end with what the owner wants now.
func (h *hub) dataAPIEndpoint(scope constructs.Construct) sfn.IChainable {
	step := func(state, path string) sfn.TaskStateBase {
		return h.task(scope, state, data{"want": at("$.want")}, result{path: path, selector: data{
			"answer": at("$.Payload.answer"), "hops": at("$.Payload.hops"), "endpoints": at("$.Payload.endpoints")}})
	}
	inspect := h.task(scope, "InspectDataApiEndpoint", data{"event": at("$.event")}, result{output: "$.Payload"})
	place, remove := step("PlaceEndpoints", "$.placed"), step("RemoveEndpoints", "$.removed")
	verify := h.task(scope, "VerifyDataApiEndpoint",
		data{"result": at("$.result"), "reason": at("$.reason"), "decision": at("$.decision"), "want": at("$.want")},
		result{output: "$.Payload"})
	wait := sfn.NewWait(scope, jsii.String("WaitForEndpoint"), &sfn.WaitProps{
		Comment: jsii.String("An endpoint takes a minute or two to come and to go, and AWS sends no event then."),
		Time:    sfn.WaitTime_Duration(awscdk.Duration_Seconds(jsii.Number(15))),
	})
	wait.Next(inspect)
	place.Next(choose(scope, "ChoosePlaced", "$.placed.answer", []answer{{"ready", verify}, {"wait", wait}}))
	remove.Next(choose(scope, "ChooseRemoved", "$.removed.answer", []answer{{"ready", verify}, {"wait", wait}}))
	verify.Next(choose(scope, "ChooseEndpointEnd", "$.result", []answer{
		{"Available", succeed(scope, "Available", "The Data API is reached from the VPC through an endpoint; the verdict says which.")},
		{"Removed", succeed(scope, "Removed", "The VPC is not tagged any more; what was added is gone.")},
		{"Refused", succeed(scope, "Refused", "The policy does not allow the endpoint; the output names the policy.")},
		{"Contested", succeed(scope, "Contested", contestedEnd)},
	}))
	inspect.Next(choose(scope, "ChooseEndpoint", "$.answer", []answer{
		{"place", place}, {"remove", remove}, {"refuse", verify},
		{"nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	}))
	return sfn.NewPass(scope, jsii.String("ReceiveEvent"), &sfn.PassProps{
		Comment:    jsii.String("The event is kept as it came."),
		Parameters: &map[string]any{"event": at("$")},
	}).Next(inspect)
}

// dataAPIEndpointPatterns are what starts the machine. A tag on a VPC, its addresses and subnets are told by drawbridge-change.
func dataAPIEndpointPatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{"inspect-data-api-endpoint": internal(event.DataAPIEndpointToInspect)}
}
