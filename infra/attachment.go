package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// attachment returns the definition of the machine drawbridge-attachment, for one VPC on one transit gateway:
//
//	ReceiveAttachmentEvent → InspectAttachment ─ attach ───→ AttachVpc ───────────┐
//	                              ↑             ├ accept ───→ AcceptAttachment ────┤
//	                              │             ├ associate → AssociateAttachment ─┤
//	                              │             ├ disassociate → DisassociateAttachment ─┤
//	                              │             ├ detach ───→ DetachVpc ───────────┤
//	                              │             ├ wait ────────────────────────────┴→ WaitForAttachment ─┐
//	                              └─────────────│──────────────────────────────────────────────────────┘
//	                                            ├ verify ───→ VerifyAttachment → Attached
//	                                            ├ removed ──→ ConcludeDetachment → ChooseAttachmentEnd → Removed
//	                                            ├ released ─→ ConcludeDetachment → ChooseAttachmentEnd → Released
//	                                            ├ ask ──────→ AskAttachment → AwaitingApproval
//	                                            ├ refuse ───→ RefuseAttachment → Refused
//	                                            ├ rejected ─→ ConcludeDetachment → ChooseAttachmentEnd → Rejected
//	                                            ├ announce ─→ Announced
//	                                            └ nothing ──→ Nothing
func (h *hub) attachment(scope constructs.Construct) sfn.IChainable {
	inspect := h.task(scope, "InspectAttachment",
		data{"event": at("$.event"), "gateway": at("$.gateway"), "vpc": at("$.vpc")},
		result{output: "$.Payload"})
	wait := sfn.NewWait(scope, jsii.String("WaitForAttachment"), &sfn.WaitProps{
		Comment: jsii.String("AWS says nothing when an attachment changes its state, so it is looked at again."),
		Time:    sfn.WaitTime_Duration(awscdk.Duration_Seconds(jsii.Number(15))),
	})
	wait.Next(inspect)
	// again looks at the attachment again after a step that changed it.
	again := func(state string, payload data) sfn.IChainable {
		task := h.task(scope, state, payload, result{path: "-"})
		task.Next(wait)
		return task
	}
	one := func() data {
		return data{"reason": at("$.reason"), "gateway": at("$.gateway"), "vpc": at("$.vpc"), "attachment": at("$.attachment")}
	}
	last := func(state string, payload data, end, meaning string) sfn.IChainable {
		task := h.task(scope, state, payload, result{output: "$.Payload"})
		task.Next(succeed(scope, end, meaning))
		return task
	}
	told := func() data {
		return data{
			"gateway": at("$.gateway"), "vpc": at("$.vpc"), "attachment": at("$.attachment"), "known": at("$.known"),
			"reason": at("$.reason"), "said": at("$.said"), "decision": at("$.decision"), "reject": at("$.reject"), "told": at("$.told"), "reachable": at("$.reachable"), "request": at("$.request"),
		}
	}
	verify := one()
	verify["lacking"] = at("$.lacking")
	ended := one()
	ended["result"], ended["said"] = at("$.result"), at("$.said")
	conclude := h.task(scope, "ConcludeDetachment", ended, result{output: "$.Payload"})
	conclude.Next(choose(scope, "ChooseAttachmentEnd", "$.result", []answer{
		{"Removed", succeed(scope, "Removed", "The VPC is detached, or an owner took the attachment back; what was added for it is gone, or goes by executions of their own.")},
		{"Rejected", succeed(scope, "Rejected", "The gateway's owner rejected the attachment; its status is gone, and its pairs are looked at by executions of their own.")},
		{"Released", succeed(scope, "Released", "An owner took the attachment out of Drawbridge's hands; its pairs go out of them by executions of their own.")},
	}))
	choice := choose(scope, "ChooseAttachmentAnswer", "$.answer", []answer{
		{"attach", again("AttachVpc", data{"gateway": at("$.gateway"), "vpc": at("$.vpc"), "attachment": at("$.attachment"), "subnets": at("$.subnets")})},
		{"accept", again("AcceptAttachment", one())},
		{"associate", again("AssociateAttachment", data{"gateway": at("$.gateway"), "vpc": at("$.vpc"), "attachment": at("$.attachment"), "associate": at("$.associate"), "propagate": at("$.propagate")})},
		{"disassociate", again("DisassociateAttachment", one())},
		{"detach", again("DetachVpc", one())},
		{"wait", wait},
		{"verify", last("VerifyAttachment", verify, "Attached", "The VPC is attached, associated and propagated; each pair with another VPC is looked at by an execution of its own.")},
		{"removed", conclude},
		{"released", conclude},
		{"ask", last("AskAttachment", told(), "AwaitingApproval", "The gateway's owner decides by the tag drawbridge:approval.")},
		{"refuse", last("RefuseAttachment", told(), "Refused", "The policy does not allow it; the output says which and why.")},
		{"rejected", conclude},
		{"announce", succeed(scope, "Announced", "Each attachment that the event concerns is looked at by an execution of its own.")},
		{"nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	})
	return sfn.NewPass(scope, jsii.String("ReceiveAttachmentEvent"), &sfn.PassProps{
		Comment:    jsii.String("The event is kept as it came; nothing is known yet."),
		Parameters: &map[string]any{"event": at("$"), "gateway": map[string]any{}, "vpc": map[string]any{}},
	}).Next(inspect).Next(choice)
}

// attachmentPatterns are the patterns that start drawbridge-attachment. Tags are told by drawbridge-change.
func attachmentPatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{
		"attachment":         callsOf(gatewayCalls),
		"inspect-attachment": internal(event.AttachmentToInspect),
	}
}
