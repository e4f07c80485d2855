package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// peeringMachine is about one peering.
var peeringMachine = machine{
	name: "peering", define: (*hub).peering, forwards: peeringKinds,
	starts: func() map[string]*awsevents.EventPattern {
		return map[string]*awsevents.EventPattern{"peering": callsOf(peeringCalls), "inspect": internal(event.ToInspect)}
	},
	steps: all(peeringSteps, connectSteps, disconnectSteps),
}

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
	wait := of.wait("WaitForPeering", asSaid(), "AWS says nothing when a peering becomes active, so it is looked at again.")
	accept := h.task(scope, "AcceptPeering", pick("connection"), result{path: "-"})
	accept.Next(of.inspect) // within one Region it is often active by the time it is looked at

	conclusion := func() data {
		return pick("connection", "members", "reason", "said", "request", "decision", "reject", "told", "reminded", "expires")
	}
	ask := of.last("AskApproval", conclusion(), end{workflow.AwaitingApproval, "The accepter's owner decides by the tag drawbridge:approval."})
	refuse := of.last("RefusePeering", conclusion(), end{workflow.RefusedByPolicy, "The policy or the networks do not allow it; the output says which and why."})

	dns := h.task(scope, "AllowDnsResolution", tried(pick("connection", "answer")), result{path: "-"})
	dns.Next(of.connect())
	// Not active after all the retries: deleted meanwhile, and what was known of it is no more.
	dns.AddCatch(of.inspect, &sfn.CatchProps{Errors: jsii.Strings(string(fault.NotYet)), ResultPath: sfn.JsonPath_DISCARD()})

	anew := of.anew(data{"looked": map[string]any{"trimmed": true}})
	report := h.task(scope, "ReportConflict", pick("connection", "members"), result{path: "-"})
	report.Next(anew)
	restore := h.task(scope, "RestoreDnsResolution", tried(pick("connection", "answer")), result{path: "-"})
	disconnect := of.disconnect(anew, restore,
		end{workflow.Removed, "The peering was deleted, or is not allowed any more; what Drawbridge added for it is gone."},
		end{workflow.Rejected, "The accepter rejected the request."},
		end{workflow.Expired, "Nobody answered the request in time."},
		end{workflow.Withdrawn, "The requester deleted the request before it was accepted."},
		end{workflow.Released, "An owner took the peering out of Drawbridge's hands, as it stands."})

	return of.answered(
		answer{workflow.AnswerAccept, accept}, answer{workflow.AnswerWait, wait},
		answer{workflow.AnswerConnect, dns}, answer{workflow.AnswerExtend, of.extend(dns)},
		answer{workflow.AnswerTrim, disconnect}, answer{workflow.AnswerConflict, report}, answer{workflow.AnswerUnreadable, of.unreadable()},
		answer{workflow.AnswerAsk, ask}, answer{workflow.AnswerRefuse, refuse}, answer{workflow.AnswerDisconnect, disconnect})
}

// peeringKinds are what members forward for it.
var peeringKinds = []kind{
	{
		name:    "peering",
		about:   "Somebody requested, answered, changed or deleted a VPC peering.",
		pattern: callPattern(ec2, map[string]any{"eventName": peeringCalls}),
	},
}

// peeringSteps are what its own states may do.
var peeringSteps = map[string]step{
	"InspectPeering": {
		readsParam:  true,
		asksOrg:     true,
		namesUnits:  true,
		keeps:       true,
		keepsLedger: true,
		leases:      "peering",
		brakes:      true,
		member: append(databases(append([]string{"ec2:DescribeRouteTables", "ec2:DescribeSubnets", "ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs"}, listClients...)...),
			clients, grant{actions: []string{"sagemaker:ListTags"}, resources: []string{notebooks}}),
	},
	"AcceptPeering": {
		member: []grant{{actions: []string{"ec2:AcceptVpcPeeringConnection"},
			resources: []string{arn("ec2", "vpc/*"), peerings}}},
	},
	"AskApproval": {
		notifies:    true,
		announces:   true,
		patient:     true,
		keepsLedger: true,
		member:      []grant{status},
	},
	"RefusePeering": {
		notifies:    true,
		announces:   true,
		keepsLedger: true,
		member: []grant{status,
			{actions: []string{"ec2:RejectVpcPeeringConnection"}, resources: []string{peerings}}},
	},
	"ReportConflict": {
		keepsLedger: true,
		member:      []grant{status, {actions: []string{"ec2:DescribeVpcs"}}},
	},
	"AllowDnsResolution": {
		keepsLedger: true,
		member:      []grant{{actions: []string{"ec2:ModifyVpcPeeringConnectionOptions"}, resources: []string{peerings}}},
	},
	"RestoreDnsResolution": {
		keepsLedger: true,
		member:      []grant{{actions: []string{"ec2:ModifyVpcPeeringConnectionOptions"}, resources: []string{peerings}}},
	},
}
