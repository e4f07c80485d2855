package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	tasks "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctionstasks"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

const (
	modeParameter = "/drawbridge/mode"
	modeForm      = `full|add|observe|paused`
)

// mode makes the parameter that says how far Drawbridge goes. AWS takes no other value than a mode for it.
func (h *hub) mode(value string) {
	awsssm.NewCfnParameter(h.stack, jsii.String("Mode"), &awsssm.CfnParameterProps{
		Name: jsii.String(modeParameter),
		Description: jsii.String("How far Drawbridge goes: full; add, which takes nothing away; observe, which changes nothing; paused. " +
			"A change counts for the next state of every execution, and starts a sweep."),
		Type:           jsii.String("String"),
		AllowedPattern: jsii.String(whole(modeForm)),
		Value: parameter(h.stack, "InitialMode", value, whole(modeForm),
			"What the parameter "+modeParameter+" says when the stack is made, or when this is changed.").ValueAsString(),
	})
}

// late are the errors of a call that was not answered in time.
var late = []string{string(fault.Transient), "Sandbox.Timedout", "States.Timeout"}

// hold gives every Task, Map and Parallel of a machine the one way out for what is held back, and nothing else a second:
//
//	… ─ Held → HoldExecution → ChooseHeldEnd ─ Paused, Planned, Kept, Braked or Unreadable
//
// An inspection whose calls got no answer in time, after all its retries, takes it as well: what cannot be read is not gone, and nothing was
// changed yet.
//
// What fails inside of a Map fails the Map, by the same name. HoldExecution gets the execution's own input, which it keeps: it needs
// nothing of what the machine knows by then.
func (h *hub) hold(scope constructs.Construct, definition sfn.IChainable) {
	hold := h.task(scope, "HoldExecution",
		data{"machine": at("$$.StateMachine.Name"), "input": at("$$.Execution.Input"), "held": at("$.held")},
		result{output: "$.Payload"})
	hold.Next(choose(scope, "ChooseHeldEnd", "$.answer", []answer{
		{"Paused", succeed(scope, "Paused", "Drawbridge is paused; what the execution was about is looked at when it is not any more.")},
		{"Planned", succeed(scope, "Planned", "Drawbridge only observes here; the output says what it would change.")},
		{"Kept", succeed(scope, "Kept", "Drawbridge takes nothing away; the output says what it would.")},
		{"Braked", succeed(scope, "Braked", "Too much was taken away for such a cause; a person decides about the rest.")},
		{"Unreadable", succeed(scope, "Unreadable", "Something cannot be read now, so nothing is taken away; the next sweep looks again.")},
	}))
	for _, s := range *sfn.State_FindReachableStates(definition.StartState(), nil) {
		caught := &sfn.CatchProps{Errors: jsii.Strings(string(fault.Held)), ResultPath: jsii.String("$.held")}
		switch s := s.(type) {
		case tasks.LambdaInvoke:
			s.AddCatch(hold, caught)
			if strings.HasPrefix(*s.Node().Id(), "Inspect") {
				s.AddCatch(hold, &sfn.CatchProps{Errors: jsii.Strings(late...), ResultPath: jsii.String("$.held")})
			}
		case sfn.Map:
			s.AddCatch(hold, caught)
		case sfn.Parallel:
			s.AddCatch(hold, caught)
		}
	}
}

// heldSteps are what the state may do that every machine has.
var heldSteps = map[string]step{
	"HoldExecution": {readsMode: true, keepsLedger: true, announces: true, notifies: true},
}
