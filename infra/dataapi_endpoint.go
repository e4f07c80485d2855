package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// dataAPIEndpointMachine is about one VPC from which the Data API is called. Members forward nothing for it: a tag on a VPC, its addresses and
// subnets are told by drawbridge-change.
var dataAPIEndpointMachine = machine{
	name: "data-api-endpoint", define: (*hub).dataAPIEndpoint, starts: dataAPIEndpointPatterns,
	steps: all(dataAPIEndpointSteps, endpointSteps),
}

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
	wait := of.wait("WaitForEndpoint", seconds(15), endpointWait)
	step := func(state, path, choice string) sfn.IChainable {
		task := h.task(scope, state, pick("want"), result{path: "$." + path, selector: data{
			"answer": at("$.Payload.answer"), "hops": at("$.Payload.hops"), "endpoints": at("$.Payload.endpoints")}})
		task.Next(choose(scope, choice, "$."+path+".answer", []answer{{workflow.AnswerReady, verify}, {workflow.AnswerWait, wait}}))
		return task
	}
	return of.answered(
		answer{workflow.AnswerPlace, step(placeEndpoints, "placed", "ChoosePlaced")},
		answer{workflow.AnswerRemove, step(removeEndpoints, "removed", "ChooseRemoved")},
		answer{workflow.AnswerRefuse, verify}, answer{workflow.AnswerReleased, verify})
}

// dataAPIEndpointPatterns are what starts the machine. A tag on a VPC, its addresses and subnets are told by drawbridge-change.
func dataAPIEndpointPatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{"inspect-data-api-endpoint": internal(event.DataAPIEndpointToInspect)}
}

// The machine for the callers of the Data API shares PlaceEndpoints and RemoveEndpoints with the one for private notebooks.
// Its own steps only read.
var dataAPIEndpointSteps = map[string]step{
	"InspectDataApiEndpoint": {
		leases:      "data-api-endpoint",
		brakes:      true,
		readsParam:  true,
		asksOrg:     true,
		keepsLedger: true,
		member:      []grant{{actions: []string{"ec2:DescribeVpcs"}}},
	},
	"VerifyDataApiEndpoint": {
		announces:   true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeNetworkAcls", "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
				"ec2:DescribeVpcEndpointServices", "ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs",
			}},
			{actions: []string{"ec2:DescribeVpcAttribute"}, resources: []string{vpcs}},
		},
	},
}
