package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// transit returns the definition of the machine drawbridge-transit, which connects a pair of VPCs that are attached to one
// transit gateway:
//
//	ReceiveEvent → InspectTransit ─ wait ───→ WaitForTransit ─┐
//	                    ↑          │                          │
//	                    └──────────│──────────────────────────┘
//	                               ├ connect → RouteBothSides → OpenBothSides
//	                               │             → InjectIntoNotebooks → VerifyConnection → Connected
//	                               ├ trim ───→ DisconnectBothSides → WithdrawFromNotebooks → LookAgain
//	                               │             → InspectTransit
//	                               ├ unreadable → ReportUnreadable → (held) Unreadable
//	                               ├ refuse ─→ RefuseTransit → Refused
//	                               ├ disconnect → DisconnectBothSides { CloseFirewall → RemoveRoutes }
//	                               │             → WithdrawFromNotebooks → ConcludeRemoval → ChooseEnd → Removed or Released
//	                               └ nothing → Nothing
func (h *hub) transit(scope constructs.Construct) sfn.IChainable {
	inspect := h.task(scope, "InspectTransit",
		data{"event": at("$.event"), "looks": at("$.looks"), "trimmed": at("$.trimmed")},
		result{output: "$.Payload"})

	wait := sfn.NewWait(scope, jsii.String("WaitForTransit"), &sfn.WaitProps{
		Comment: jsii.String("AWS says nothing when an attachment becomes available or its routes arrive, so it is looked at again."),
		Time:    sfn.WaitTime_Duration(awscdk.Duration_Seconds(jsii.Number(5))),
	})
	wait.Next(inspect)

	connect := h.connect(scope, inspect)

	extend := h.task(scope, "AskAgain",
		data{"connection": at("$.connection")},
		result{path: "-"})
	extend.Next(connect)

	refuse := h.task(scope, "RefuseTransit",
		data{"connection": at("$.connection"), "reason": at("$.reason"), "said": at("$.said"), "decision": at("$.decision"), "tagged": at("$.tagged")},
		result{output: "$.Payload"})
	refuse.Next(succeed(scope, "Refused", "The policy or the networks do not allow it; the output says which and why."))

	again := sfn.NewPass(scope, jsii.String("LookAgain"), &sfn.PassProps{
		Comment:    jsii.String("What was read of the networks may be old by now."),
		Parameters: &map[string]any{"event": at("$.event"), "looks": at("$.looks"), "trimmed": true},
	})
	again.Next(inspect)

	disconnect := h.disconnect(scope, again, nil,
		end{"Removed", "The pair is over; what Drawbridge added for it is gone."},
		end{"Released", "An owner took the pair out of Drawbridge's hands, as it stands."})

	choice := choose(scope, "ChooseAnswer", "$.answer", []answer{
		{"wait", wait}, {"connect", connect}, {"extend", extend}, {"refuse", refuse}, {"trim", disconnect}, {"disconnect", disconnect}, {"unreadable", h.unreadable(scope)},
		{"nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	})

	receive := sfn.NewPass(scope, jsii.String("ReceiveEvent"), &sfn.PassProps{
		Comment:    jsii.String("The event is kept as it came; nobody has looked yet."),
		Parameters: &map[string]any{"event": at("$"), "looks": 0, "trimmed": false},
	})
	return receive.Next(inspect).Next(choice)
}
