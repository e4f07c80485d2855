package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// share returns the definition of the machine drawbridge-share:
//
//	ReceiveShareEvent → InspectShare ─ accept ──→ AcceptShare ──┐
//	                         ↑        ├ wait ───────────────────┴→ WaitForShare ─┐
//	                         └────────│─────────────────────────────────────────┘
//	                                  ├ announce → Announced
//	                                  ├ refuse ──→ Refused
//	                                  ├ expired ─→ Expired
//	                                  ├ rejected → Rejected
//	                                  └ nothing ─→ Nothing
//
// InspectShare itself asks for a look at each VPC that the share concerns: an event on the hub's bus, which starts
// drawbridge-attachment.
func (h *hub) share(scope constructs.Construct) sfn.IChainable {
	inspect := h.task(scope, "InspectShare",
		data{"event": at("$.event")},
		result{output: "$.Payload"})
	wait := sfn.NewWait(scope, jsii.String("WaitForShare"), &sfn.WaitProps{
		Comment: jsii.String("RAM takes some seconds until a gateway is to be seen where it is shared."),
		Time:    sfn.WaitTime_Duration(awscdk.Duration_Seconds(jsii.Number(10))),
	})
	wait.Next(inspect)
	accept := h.task(scope, "AcceptShare",
		data{"invitation": at("$.invitation"), "decision": at("$.decision")},
		result{path: "-"})
	accept.Next(wait)
	choice := choose(scope, "ChooseShareAnswer", "$.answer", []answer{
		{"accept", accept}, {"wait", wait},
		{"announce", succeed(scope, "Announced", "Each VPC that the share concerns is looked at by an execution of its own.")},
		{"refuse", succeed(scope, "Refused", "The policy does not allow to accept the invitation; the output says which and why.")},
		{"expired", succeed(scope, "Expired", "Nobody accepted the invitation in time.")},
		{"rejected", succeed(scope, "Rejected", "Somebody rejected the invitation.")},
		{"nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	})
	return sfn.NewPass(scope, jsii.String("ReceiveShareEvent"), &sfn.PassProps{
		Comment:    jsii.String("The event is kept as it came; nothing is known yet."),
		Parameters: &map[string]any{"event": at("$")},
	}).Next(inspect).Next(choice)
}

// shares are the patterns that start drawbridge-share.
func shares() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{
		"share":         {Source: jsii.Strings("aws.ram"), DetailType: jsii.Strings("Resource Sharing State Change", "AWS API Call via CloudTrail")},
		"inspect-share": internal(event.ShareToInspect),
	}
}
