package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// dataAPIEndpoint returns the definition of the machine drawbridge-data-api-endpoint:
//
//	ReceiveEvent → InspectDataApiEndpoint ─ place ───→ PlaceEndpoints ── ready ─→ VerifyDataApiEndpoint
//	                    ↑                 ├ remove ──→ RemoveEndpoints ─ ready ──↗  ↑  → Available, Contested, Removed, Refused or Released
//	                    │                 ├ refuse, released ───────────────────────┘
//	                    │                 │                      │ wait
//	                    │                 └ nothing ─→ Nothing   ↓
//	                    └───────────────────────────── WaitForEndpoint
//
// One execution is about one VPC. After each wait it looks anew, so that of two executions, one of which knows an older
// wish, both end with what the owner wants now.
func (h *hub) dataAPIEndpoint(scope constructs.Construct) sfn.IChainable {
	of := h.about(scope, "InspectDataApiEndpoint", data{})
	verify := of.last("VerifyDataApiEndpoint", pick("result", "reason", "decision", "want"),
		end{workflow.Available, "The Data API is reached from the VPC through an endpoint; the verdict says which."},
		end{workflow.Removed, "The VPC is not tagged any more; what was added is gone."},
		end{workflow.RefusedByPolicy, "The policy does not allow the endpoint; the output names the policy."},
		end{workflow.Released, releasedEnd},
		end{workflow.Contested, contestedEnd})
	wait := of.wait("WaitForEndpoint", endpointSeconds, endpointWait)
	step := func(state, path, choice string) sfn.IChainable {
		task := h.task(scope, state, pick("want"), result{path: "$." + path, selector: data{
			"answer": at("$.Payload.answer"), "hops": at("$.Payload.hops"), "endpoints": at("$.Payload.endpoints")}})
		task.Next(choose(scope, choice, "$."+path+".answer", []answer{{workflow.AnswerReady, verify}, {workflow.AnswerWait, wait}}))
		return task
	}
	return of.answered(
		answer{workflow.AnswerPlace, step("PlaceEndpoints", "placed", "ChoosePlaced")},
		answer{workflow.AnswerRemove, step("RemoveEndpoints", "removed", "ChooseRemoved")},
		answer{workflow.AnswerRefuse, verify}, answer{workflow.AnswerReleased, verify})
}

// dataAPIEndpointPatterns are what starts the machine. A tag on a VPC, its addresses and subnets are told by drawbridge-change.
func dataAPIEndpointPatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{"inspect-data-api-endpoint": internal(event.DataAPIEndpointToInspect)}
}
