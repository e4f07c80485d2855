package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// peering returns the definition of the machine drawbridge-peering:
//
//	ReceiveEvent → InspectPeering ─ accept ──→ AcceptPeering ──┐
//	                    ↑          ├ wait ────→ WaitForPeering ─┤
//	                    └──────────│────────────────────────────┘
//	                               ├ connect → AllowDnsResolution → RouteBothSides → OpenBothSides
//	                               │             → InjectIntoNotebooks → VerifyConnection → Connected
//	                               │               (not active any more: back to InspectPeering)
//	                               ├ extend ─→ AskAgain → AllowDnsResolution → … → PendingApproval
//	                               ├ trim ───→ DisconnectBothSides → WithdrawFromNotebooks → LookAgain
//	                               │             → InspectPeering
//	                               ├ conflict → ReportConflict → LookAgain → InspectPeering
//	                               ├ unreadable → ReportUnreadable → (held) Unreadable
//	                               ├ ask ────→ AskApproval → AwaitingApproval
//	                               ├ refuse ─→ RefusePeering → Refused
//	                               ├ disconnect → DisconnectBothSides { CloseFirewall → RemoveRoutes }
//	                               │             → WithdrawFromNotebooks → RestoreDnsResolution
//	                               │             → ConcludeRemoval → ChooseEnd
//	                               │             → Removed, Rejected, Expired, Withdrawn or Released
//	                               └ nothing → Nothing
func (h *hub) peering(scope constructs.Construct) sfn.IChainable {
	of := h.about(scope, "InspectPeering", data{"looked": map[string]any{}})
	wait := of.wait("WaitForPeering", 5, "AWS says nothing when a peering becomes active, so it is looked at again.")
	accept := h.task(scope, "AcceptPeering", pick("connection"), result{path: "-"})
	accept.Next(of.inspect) // within one Region it is often active by the time it is looked at

	conclusion := func() data {
		return pick("connection", "members", "reason", "said", "request", "decision", "reject", "told", "reminded", "expires")
	}
	ask := of.last("AskApproval", conclusion(), end{workflow.AwaitingApproval, "The accepter's owner decides by the tag drawbridge:approval."})
	refuse := of.last("RefusePeering", conclusion(), end{workflow.RefusedByPolicy, "The policy or the networks do not allow it; the output says which and why."})

	dns := h.task(scope, "AllowDnsResolution", pick("connection", "answer"), result{path: "-"})
	dns.Next(of.connect())
	// Not active after all the retries: deleted meanwhile, and what was known of it is no more.
	dns.AddCatch(of.inspect, &sfn.CatchProps{Errors: jsii.Strings(string(fault.NotYet)), ResultPath: sfn.JsonPath_DISCARD()})
	extend := h.task(scope, "AskAgain", pick("connection"), result{path: "-"})
	extend.Next(dns)

	anew := of.anew(data{"looked": map[string]any{"trimmed": true}})
	report := h.task(scope, "ReportConflict", pick("connection", "members"), result{path: "-"})
	report.Next(anew)
	restore := h.task(scope, "RestoreDnsResolution", pick("connection", "answer"), result{path: "-"})
	disconnect := of.disconnect(anew, restore,
		end{workflow.Removed, "The peering was deleted, or is not allowed any more; what Drawbridge added for it is gone."},
		end{workflow.Rejected, "The accepter rejected the request."},
		end{workflow.Expired, "Nobody answered the request in time."},
		end{workflow.Withdrawn, "The requester deleted the request before it was accepted."},
		end{workflow.Released, "An owner took the peering out of Drawbridge's hands, as it stands."})

	return of.answered(
		answer{workflow.AnswerAccept, accept}, answer{workflow.AnswerWait, wait},
		answer{workflow.AnswerConnect, dns}, answer{workflow.AnswerExtend, extend},
		answer{workflow.AnswerTrim, disconnect}, answer{workflow.AnswerConflict, report}, answer{workflow.AnswerUnreadable, of.unreadable()},
		answer{workflow.AnswerAsk, ask}, answer{workflow.AnswerRefuse, refuse}, answer{workflow.AnswerDisconnect, disconnect})
}
