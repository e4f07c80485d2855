package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// transitMachine is about one pair of VPCs on a transit gateway. Members forward nothing for it: what concerns a pair is told by the machines of
// its attachments, of tags and of the sweep.
var transitMachine = machine{
	name: "transit", define: (*hub).transit,
	starts: func() map[string]*awsevents.EventPattern {
		return map[string]*awsevents.EventPattern{"transit": internal(event.TransitToInspect)}
	},
	steps: all(transitSteps, connectSteps, disconnectSteps),
}

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
	of := h.about(scope, "InspectTransit", data{"looks": 0, "waited": 0, "trimmed": false})
	wait := of.wait("WaitForTransit", asSaid(), "AWS says nothing when an attachment becomes available or its routes arrive, so it is looked at again.")
	connect := of.connect()
	refuse := of.last("RefuseTransit", pick("connection", "reason", "said", "decision", "tagged"),
		end{workflow.RefusedByPolicy, "The policy or the networks do not allow it; the output says which and why."})
	disconnect := of.disconnect(of.anew(data{"looks": at("$.looks"), "waited": at("$.waited"), "trimmed": true}), nil,
		end{workflow.Removed, "The pair is over; what Drawbridge added for it is gone."},
		end{workflow.Released, "An owner took the pair out of Drawbridge's hands, as it stands."})
	return of.answered(
		answer{workflow.AnswerWait, wait}, answer{workflow.AnswerConnect, connect}, answer{workflow.AnswerExtend, of.extend(connect)},
		answer{workflow.AnswerRefuse, refuse}, answer{workflow.AnswerTrim, disconnect}, answer{workflow.AnswerDisconnect, disconnect},
		answer{workflow.AnswerUnreadable, of.unreadable()})
}

// transitSteps are what its own states may do.
var transitSteps = map[string]step{
	"InspectTransit": {
		brakes:      true,
		readsParam:  true,
		asksOrg:     true,
		namesUnits:  true,
		keeps:       true,
		keepsLedger: true,
		leases:      "transit",
		member: append(databases(append([]string{
			"ec2:DescribeTransitGatewayVpcAttachments", "ec2:DescribeTransitGateways", "ec2:DescribeTransitGatewayAttachments",
			"ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs", "ec2:DescribeRouteTables", "ec2:DescribeSubnets",
		}, listClients...)...),
			grant{actions: []string{"ec2:SearchTransitGatewayRoutes"}, resources: []string{arn("ec2", "transit-gateway-route-table/*")}},
			clients, grant{actions: []string{"sagemaker:ListTags"}, resources: []string{notebooks}},
		),
	},
	"RefuseTransit": {
		announces:   true,
		readsLedger: true,
		member: []grant{
			{actions: []string{"ec2:CreateTags", "ec2:DeleteTags"}, resources: []string{attachments}, when: only(tag.Pairs)},
		},
	},
}
