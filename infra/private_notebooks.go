package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// callersParameter lists the ranges outside the VPCs from which people call: on premises, of a VPN.
const callersParameter = "/drawbridge/private-access-cidrs"

// endpointCalls may change what an account's private notebooks need.
var endpointCalls = []string{"CreateVpcEndpoint", "DeleteVpcEndpoints"}

// How long one waits for endpoints before one looks again, and why.
const (
	endpointSeconds = 15
	endpointWait    = "An endpoint takes a minute or two to come and to go, and AWS sends no event then."
)

// vpcsAtOnce is how many VPCs of an account get their endpoints at once. Each looks again every 15 seconds, and all of them
// together must not fill the execution's history, as a test of infra/template computes.
const vpcsAtOnce = 5

// privateNotebooks returns the definition of the machine drawbridge-private-notebooks:
//
//	ReceiveEvent → InspectPrivateNotebooks ─ arrange → PlaceEachEndpoints → GrantNotebookAccess ─ done ─→ RemoveEachEndpoints
//	                        ↑              ├ refuse ──→ Refused                   │ again                        │
//	                        │              └ nothing ─→ Nothing                   ↓                              ↓
//	                        └──────────────────────────────────────────── WaitForAccount        VerifyPrivateNotebooks
//	                                                                                              → Private, Incomplete, Contested, Removed or Released
//
// One execution looks at one account in all Regions, because the account has one policy for all its VPCs.
func (h *hub) privateNotebooks(scope constructs.Construct) sfn.IChainable {
	of := h.about(scope, "InspectPrivateNotebooks", data{})
	// every does a step for each VPC of a list, until its endpoints are as they shall be.
	every := func(id, items, state, name string) sfn.Map {
		return each(scope, id, mapped{items: items, answers: "$." + name, item: data{"want": at("$$.Map.Item.Value")}, atOnce: vpcsAtOnce}, h.untilReady(scope, state, name))
	}
	place := every("PlaceEachEndpoints", "$.wants", "PlaceEndpoints", "placed")
	remove := every("RemoveEachEndpoints", "$.leaving", "RemoveEndpoints", "removed")
	grant := h.task(scope, "GrantNotebookAccess", pick("account", "region", "vpcs", "refused", "released"),
		result{path: "$.granted", selector: data{
			"answer": at("$.Payload.answer"), "hops": at("$.Payload.hops"), "endpoints": at("$.Payload.endpoints"), "roles": at("$.Payload.roles")}})
	wait := of.wait("WaitForAccount", 60, "The account's tagged VPCs changed meanwhile, so all is looked at again.")
	verify := of.last("VerifyPrivateNotebooks", pick("result", "reason", "account", "region", "vpcs", "refused", "released", "placed", "granted", "removed"),
		end{workflow.Private, "Notebooks are reached through the endpoints; the output says by which paths, and who is not restricted."},
		end{workflow.Removed, "No VPC of the account is tagged any more; what was added is gone."},
		end{workflow.Released, releasedEnd},
		end{workflow.Incomplete, incompleteEnd},
		end{workflow.Contested, contestedEnd})
	place.Next(grant).Next(choose(scope, "ChooseGranted", "$.granted.answer", []answer{{workflow.AnswerDone, remove}, {workflow.AnswerAgain, wait}}))
	remove.Next(verify)
	return of.answered(
		answer{workflow.AnswerArrange, place},
		answer{workflow.AnswerRefuse, of.ends(workflow.RefusedByPolicy, "The policy does not allow it; the output says which.")})
}

// untilReady returns the Task of a state about one VPC's endpoints and asks it again until it answers ready:
//
//	STATE ─ ready → STATE Done
//	  ↑   └ wait ─→ WaitAfter STATE ─┐
//	  └─────────────────────────────┘
func (h *hub) untilReady(scope constructs.Construct, state, name string) sfn.IChainable {
	done := sfn.NewSucceed(scope, jsii.String(state+"Done"), &sfn.SucceedProps{
		Comment:    jsii.String("What was just read is as it shall be."),
		OutputPath: jsii.String("$." + name),
	})
	task := h.task(scope, state, pick("want"), result{path: "$." + name, selector: data{
		"answer": at("$.Payload.answer"), "want": at("$.Payload.want"), "hops": at("$.Payload.hops"), "endpoints": at("$.Payload.endpoints")}})
	wait := pause(scope, "WaitAfter"+state, endpointSeconds, endpointWait)
	wait.Next(task)
	return task.Next(choose(scope, "ChooseAfter"+state, "$."+name+".answer", []answer{{workflow.AnswerReady, done}, {workflow.AnswerWait, wait}}))
}

// privatePatterns are what starts the machine: endpoints that come and go. Tags, and a VPC that gets another subnet or other addresses, are
// asked about by drawbridge-change.
func privatePatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{
		"inspect-private-notebooks": internal(event.PrivateNotebooksToInspect),
		"private-endpoint":          callsOf(endpointCalls),
	}
}
