package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// incompleteEnd is what Incomplete says of access.
const incompleteEnd = "Some are not served, or something could not be taken back; the output names each, and why."

// contestedEnd is what Contested says of access.
const contestedEnd = "Somebody takes away again what Drawbridge adds. It is left to them; its owners are told how to end it."

// dataAPI returns the definition of the machine drawbridge-data-api:
//
//	InspectDataApi ─ expose ───→ EnableHttpEndpoint → AdmitConsumers ─┐
//	               ├ retract ─────────────────────────────────────────┴→ RetractDataApi ─┐
//	               ├ conclude ───────────────────────────────────────────────────────────┴→ ConcludeDataApi ─ Exposed
//	               └ nothing ──→ Nothing                                                                    ├ Retracted
//	                                                                                                        ├ Refused
//	                                                                                                        └ Contested
//
// One execution is about one Aurora cluster. What it does not need any more is taken back after what it needs is there: all of it, or
// the grant for a secret that it had before.
func (h *hub) dataAPI(scope constructs.Construct) sfn.IChainable {
	// What the inspection answers has an empty list of hops for each step, so that those on the other way have one too.
	step := func(state, path string) sfn.TaskStateBase {
		return h.task(scope, state, data{"dataApi": at("$.dataApi")}, result{selector: data{"hops": at("$.Payload.hops")}, path: path})
	}
	inspect := h.task(scope, "InspectDataApi", data{"event": at("$")}, result{output: "$.Payload"})
	enable, admit, retract := step("EnableHttpEndpoint", "$.enabled"), step("AdmitConsumers", "$.admitted"), step("RetractDataApi", "$.retracted")
	conclude := h.task(scope, "ConcludeDataApi",
		data{
			"result": at("$.result"), "reason": at("$.reason"), "decision": at("$.decision"), "dataApi": at("$.dataApi"),
			"enabled": at("$.enabled"), "admitted": at("$.admitted"), "retracted": at("$.retracted"),
		},
		result{output: "$.Payload"})
	conclude.Next(choose(scope, "ChooseDataApiEnd", "$.result", []answer{
		{"Exposed", succeed(scope, "Exposed", "The admitted accounts may query the cluster; the verdict says who may not, and why.")},
		{"Retracted", succeed(scope, "Retracted", "What Drawbridge added for the cluster's consumers is gone.")},
		{"Refused", succeed(scope, "Refused", "The policy admits none of the accounts; the output names the policy.")},
		{"Contested", succeed(scope, "Contested", contestedEnd)},
	}))
	enable.Next(admit)
	admit.Next(retract)
	retract.Next(conclude)
	return inspect.Next(choose(scope, "ChooseDataApi", "$.answer", []answer{
		{"expose", enable}, {"retract", retract}, {"conclude", conclude},
		{"nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	}))
}

// dataAPIPatterns are the events that start the machine. All that concerns a cluster is told by drawbridge-change.
func dataAPIPatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{"inspect-data-api": internal(event.DataAPIToInspect)}
}
