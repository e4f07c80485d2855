package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
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
	of := h.about(scope, "InspectTransit", data{"looks": 0, "trimmed": false})
	wait := of.wait("WaitForTransit", 5, "AWS says nothing when an attachment becomes available or its routes arrive, so it is looked at again.")
	connect := of.connect()
	extend := h.task(scope, "AskAgain", pick("connection"), result{path: "-"})
	extend.Next(connect)
	refuse := of.last("RefuseTransit", pick("connection", "reason", "said", "decision", "tagged"),
		end{workflow.RefusedByPolicy, "The policy or the networks do not allow it; the output says which and why."})
	disconnect := of.disconnect(of.anew(data{"looks": at("$.looks"), "trimmed": true}), nil,
		end{workflow.Removed, "The pair is over; what Drawbridge added for it is gone."},
		end{workflow.Released, "An owner took the pair out of Drawbridge's hands, as it stands."})
	return of.answered(
		answer{workflow.AnswerWait, wait}, answer{workflow.AnswerConnect, connect}, answer{workflow.AnswerExtend, extend},
		answer{workflow.AnswerRefuse, refuse}, answer{workflow.AnswerTrim, disconnect}, answer{workflow.AnswerDisconnect, disconnect},
		answer{workflow.AnswerUnreadable, of.unreadable()})
}
