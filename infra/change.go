package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
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
