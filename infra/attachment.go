package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// attachment returns the definition of the machine drawbridge-attachment, for one VPC on one transit gateway:
//
//	ReceiveEvent → InspectAttachment ─ attach ───→ AttachVpc ───────────┐
//	                    ↑             ├ accept ───→ AcceptAttachment ────┤
//	                    │             ├ associate → AssociateAttachment ─┤
//	                    │             ├ disassociate → DisassociateAttachment ─┤
//	                    │             ├ detach ───→ DetachVpc ───────────┤
//	                    │             ├ wait ────────────────────────────┴→ WaitForAttachment ─┐
//	                    └─────────────│──────────────────────────────────────────────────────┘
//	                                  ├ verify ───→ VerifyAttachment → Attached
//	                                  ├ removed ──→ ConcludeDetachment → ChooseEnd → Removed
//	                                  ├ released ─→ ConcludeDetachment → ChooseEnd → Released
//	                                  ├ ask ──────→ AskAttachment → AwaitingApproval
//	                                  ├ refuse ───→ RefuseAttachment → Refused
//	                                  ├ rejected ─→ ConcludeDetachment → ChooseEnd → Rejected
//	                                  ├ announce ─→ Announced
//	                                  └ nothing ──→ Nothing
func (h *hub) attachment(scope constructs.Construct) sfn.IChainable {
	of := h.about(scope, "InspectAttachment", data{"gateway": map[string]any{}, "vpc": map[string]any{}})
	wait := of.wait("WaitForAttachment", 15, "AWS says nothing when an attachment changes its state, so it is looked at again.")
	// again looks at the attachment again after a step that changed it.
	again := func(state string, payload data) sfn.IChainable {
		task := h.task(scope, state, payload, result{path: "-"})
		task.Next(wait)
		return task
	}
	one := func(more ...string) data {
		return pick(append([]string{"reason", "gateway", "vpc", "attachment"}, more...)...)
	}
	told := func() data {
		return one("known", "said", "decision", "reject", "told", "request")
	}
	conclude := of.last("ConcludeDetachment", one("result", "said"),
		end{workflow.Removed, "The VPC is detached, or an owner took the attachment back; what was added for it is gone, or goes by executions of their own."},
		end{workflow.Rejected, "The gateway's owner rejected the attachment; its status is gone, and its pairs are looked at by executions of their own."},
		end{workflow.Released, "An owner took the attachment out of Drawbridge's hands; its pairs go out of them by executions of their own."})
	return of.answered(
		answer{workflow.AnswerAttach, again("AttachVpc", pick("gateway", "vpc", "attachment", "subnets"))},
		answer{workflow.AnswerAccept, again("AcceptAttachment", one())},
		answer{workflow.AnswerAssociate, again("AssociateAttachment", pick("gateway", "vpc", "attachment", "associate", "propagate"))},
		answer{workflow.AnswerDisassociate, again("DisassociateAttachment", one())},
		answer{workflow.AnswerDetach, again("DetachVpc", one())},
		answer{workflow.AnswerWait, wait},
		answer{workflow.AnswerVerify, of.last("VerifyAttachment", one("lacking"), end{workflow.Attached, "The VPC is attached, associated and propagated; each pair with another VPC is looked at by an execution of its own."})},
		answer{workflow.AnswerRemoved, conclude},
		answer{workflow.AnswerReleased, conclude},
		answer{workflow.AnswerAsk, of.last("AskAttachment", told(), end{workflow.AwaitingApproval, "The gateway's owner decides by the tag drawbridge:approval."})},
		answer{workflow.AnswerRefuse, of.last("RefuseAttachment", told(), end{workflow.RefusedByPolicy, "The policy does not allow it; the output says which and why."})},
		answer{workflow.AnswerRejected, conclude},
		answer{workflow.AnswerAnnounce, of.ends(workflow.Announced, "Each attachment that the event concerns is looked at by an execution of its own.")})
}

// attachmentPatterns are the patterns that start drawbridge-attachment. Tags are told by drawbridge-change.
func attachmentPatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{
		"attachment":         callsOf(gatewayCalls),
		"inspect-attachment": internal(event.AttachmentToInspect),
	}
}
