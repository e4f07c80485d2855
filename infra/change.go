package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
)

// change returns the definition of the machine drawbridge-change:
//
//	FindConnections ─ Announced
//	                └ Nothing
//
// It starts nothing itself: FindConnections puts one event "Peering To Inspect" for each peering, and one "Attachment To
// Inspect" for each attachment to a transit gateway, on the hub's bus, whose rules start drawbridge-peering and
// drawbridge-attachment.
func (h *hub) change(scope constructs.Construct) sfn.IChainable {
	find := h.task(scope, "FindConnections", data{"event": at("$")}, result{output: "$.Payload"})
	return find.Next(choose(scope, "ChooseFound", "$.result", []answer{
		{"Announced", succeed(scope, "Announced", "Each peering and attachment of what changed is looked at by an execution of its own.")},
		{"Nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	}))
}
