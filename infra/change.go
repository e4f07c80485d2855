package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// change returns the definition of the machine drawbridge-change:
//
//	FindConnections ┬ AnswerTags ┐
//	                └────────────┴ Announced or Nothing
//
// Only where a tag was set or removed there is something to answer: whether its value means anything.
// It starts nothing itself: FindConnections puts one event "Peering To Inspect" for each peering, and one "Attachment To
// Inspect" for each attachment to a transit gateway, on the hub's bus, whose rules start drawbridge-peering and
// drawbridge-attachment.
func (h *hub) change(scope constructs.Construct) sfn.IChainable {
	find := h.task(scope, "FindConnections", data{"event": at("$")}, result{output: "$.Payload"})
	ends := []answer{
		{"Announced", succeed(scope, "Announced", "Each peering and attachment of what changed is looked at by an execution of its own.")},
		{"Nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	}
	answerTags := h.task(scope, "AnswerTags", data{"things": at("$.tagged")}, result{path: "$.answered", selector: data{
		"told": at("$.Payload.told"), "cleared": at("$.Payload.cleared"), "reason": at("$.Payload.reason")}})
	answerTags.Next(choose(scope, "ChooseAnswered", "$.result", ends))
	// Most events tag nothing, and then the way is no longer.
	found := sfn.NewChoice(scope, jsii.String("ChooseFound"), &sfn.ChoiceProps{})
	found.When(sfn.Condition_IsPresent(jsii.String("$.tagged[0]")), answerTags, nil)
	for _, e := range ends {
		found.When(sfn.Condition_StringEquals(jsii.String("$.result"), jsii.String(e.is)), e.next, nil)
	}
	return find.Next(found)
}
