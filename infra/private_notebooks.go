package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// callersParameter lists the ranges outside the VPCs from which people call: on premises, of a VPN.
const callersParameter = "/drawbridge/private-access-cidrs"

// endpointCalls may change what an account's private notebooks need.
var endpointCalls = []string{"CreateVpcEndpoint", "DeleteVpcEndpoints"}

// vpcsAtOnce is how many VPCs of an account get their endpoints at once. Each looks again every 15 seconds, and all of them
// together must not fill the execution's history, as a test of infra/template computes.
const vpcsAtOnce = 5

// privateNotebooks returns the definition of the machine drawbridge-private-notebooks:
//
//	ReceiveEvent → InspectPrivateNotebooks ─ arrange → PlaceEachEndpoints → GrantNotebookAccess ─ done ─→ RemoveEachEndpoints
//	                        ↑              ├ refuse ──→ Refused                   │ again                        │
//	                        │              └ nothing ─→ Nothing                   ↓                              ↓
//	                        └──────────────────────────────────────────── WaitForAccount        VerifyPrivateNotebooks
//	                                                                                              → Private, Incomplete, Contested or Removed
//
// One execution looks at one account in all Regions, because the account has one policy for all its VPCs.
func (h *hub) privateNotebooks(scope constructs.Construct) sfn.IChainable {
	inspect := h.task(scope, "InspectPrivateNotebooks", data{"event": at("$.event")}, result{output: "$.Payload"})
	place := each(scope, "PlaceEachEndpoints", "$.wants", "$.placed", data{"want": at("$$.Map.Item.Value")}, &sfn.MapProps{MaxConcurrency: jsii.Number(vpcsAtOnce)},
		h.untilReady(scope, "PlaceEndpoints", "placed"))
	grant := h.task(scope, "GrantNotebookAccess",
		data{"account": at("$.account"), "region": at("$.region"), "vpcs": at("$.vpcs"), "refused": at("$.refused")},
		result{path: "$.granted", selector: data{
			"answer": at("$.Payload.answer"), "hops": at("$.Payload.hops"), "endpoints": at("$.Payload.endpoints"), "roles": at("$.Payload.roles")}})
	wait := sfn.NewWait(scope, jsii.String("WaitForAccount"), &sfn.WaitProps{
		Comment: jsii.String("The account's tagged VPCs changed meanwhile, so all is looked at again."),
		Time:    sfn.WaitTime_Duration(awscdk.Duration_Seconds(jsii.Number(60))),
	})
	wait.Next(inspect)
	remove := each(scope, "RemoveEachEndpoints", "$.leaving", "$.removed", data{"want": at("$$.Map.Item.Value")}, &sfn.MapProps{MaxConcurrency: jsii.Number(vpcsAtOnce)},
		h.untilReady(scope, "RemoveEndpoints", "removed"))
	verify := h.task(scope, "VerifyPrivateNotebooks",
		data{
			"result": at("$.result"), "reason": at("$.reason"), "account": at("$.account"), "region": at("$.region"), "vpcs": at("$.vpcs"),
			"refused": at("$.refused"), "placed": at("$.placed"), "granted": at("$.granted"), "removed": at("$.removed"),
		},
		result{output: "$.Payload"})
	place.Next(grant).Next(choose(scope, "ChooseGranted", "$.granted.answer", []answer{{"done", remove}, {"again", wait}}))
	remove.Next(verify).Next(choose(scope, "ChoosePrivateEnd", "$.result", []answer{
		{"Private", succeed(scope, "Private", "Notebooks are reached through the endpoints; the output says by which paths, and who is not restricted.")},
		{"Removed", succeed(scope, "Removed", "No VPC of the account is tagged any more; what was added is gone.")},
		{"Incomplete", succeed(scope, "Incomplete", incompleteEnd)},
		{"Contested", succeed(scope, "Contested", contestedEnd)},
	}))
	inspect.Next(choose(scope, "ChoosePrivate", "$.answer", []answer{
		{"arrange", place},
		{"refuse", succeed(scope, "Refused", "The policy does not allow it; the output says which.")},
		{"nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	}))
	return sfn.NewPass(scope, jsii.String("ReceiveEvent"), &sfn.PassProps{
		Comment:    jsii.String("The event is kept as it came."),
		Parameters: &map[string]any{"event": at("$")},
	}).Next(inspect)
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
	task := h.task(scope, state, data{"want": at("$.want")}, result{path: "$." + name, selector: data{
		"answer": at("$.Payload.answer"), "want": at("$.Payload.want"), "hops": at("$.Payload.hops"), "endpoints": at("$.Payload.endpoints")}})
	wait := sfn.NewWait(scope, jsii.String("WaitAfter"+state), &sfn.WaitProps{
		Comment: jsii.String("An endpoint takes a minute or two to come and to go, and AWS sends no event then."),
		Time:    sfn.WaitTime_Duration(awscdk.Duration_Seconds(jsii.Number(15))),
	})
	wait.Next(task)
	return task.Next(choose(scope, "ChooseAfter"+state, "$."+name+".answer", []answer{{"ready", done}, {"wait", wait}}))
}

// privatePatterns are what starts the machine: endpoints that come and go. Tags, and a VPC that gets another subnet or other addresses, are
// asked about by drawbridge-change.
func privatePatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{
		"inspect-private-notebooks": internal(event.PrivateNotebooksToInspect),
		"private-endpoint":          callsOf(endpointCalls),
	}
}
