package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// change returns the definition of the machine drawbridge-change:
//
//	FindPeerings ─ Announced
//	             └ Nothing
//
// It starts nothing itself: FindPeerings puts one event "Peering To Inspect" for each peering on the hub's bus, whose
// rule starts drawbridge-peering.
func (h *hub) change(scope constructs.Construct) sfn.IChainable {
	find := h.task(scope, "FindPeerings", data{"event": at("$")}, result{output: "$.Payload"})
	return find.Next(choose(scope, "ChooseFound", "$.result", []answer{
		{"Announced", succeed(scope, "Announced", "Each peering of what changed is looked at by an execution of its own.")},
		{"Nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	}))
}

// sweep returns the definition of the machine drawbridge-sweep:
//
//	StartSweep → ListAccounts → SweepEachAccount { SweepAccount } → ChoosePage ─ last ─→ Swept
//	                  ↑                                                        └ more ─┐
//	                  └────────────────────────────────────────────────────────────────┘
//
// A page of accounts is all that it ever holds. docs/decisions says up to how many accounts that goes.
func (h *hub) sweep(scope constructs.Construct) sfn.IChainable {
	list := h.task(scope, "ListAccounts",
		data{"sweep": at("$.sweep"), "page": at("$.page")},
		result{output: "$.Payload"})
	// The answers of one page are forgotten with the next; the history has them all.
	each := each(scope, "SweepEachAccount", "$.accounts", "$.swept",
		data{"territory": at("$$.Map.Item.Value")},
		&sfn.MapProps{MaxConcurrency: jsii.Number(10)},
		h.task(scope, "SweepAccount", data{"territory": at("$.territory")}, result{output: "$.Payload"}))
	swept := succeed(scope, "Swept", "Every account was looked at; the answers of SweepAccount say what was found.")
	list.Next(each).Next(choose(scope, "ChoosePage", "$.answer", []answer{{"more", list}, {"last", swept}}))
	return sfn.NewPass(scope, jsii.String("StartSweep"), &sfn.PassProps{
		Comment:    jsii.String("The input may name accounts and Regions; an empty one means all."),
		Parameters: &map[string]any{"sweep": at("$"), "page": ""},
	}).Next(list)
}

// sweeps makes the machine drawbridge-sweep and the rule that starts it by the clock.
func (h *hub) sweeps(schedule awscdk.CfnParameter) {
	machine := h.machine("sweep", h.sweep, nil)
	rule := awsevents.NewRule(h.stack, jsii.String("SweepRule"), &awsevents.RuleProps{
		RuleName:    jsii.String("drawbridge-sweep"),
		Description: jsii.String("Starts drawbridge-sweep by the clock."),
		Schedule:    awsevents.Schedule_Expression(schedule.ValueAsString()),
	})
	rule.AddTarget(awseventstargets.NewSfnStateMachine(machine, &awseventstargets.SfnStateMachineProps{
		DeadLetterQueue: h.dead,
		Input:           awsevents.RuleTargetInput_FromObject(map[string]any{}),
	}))
}
