package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// shareMachine is about one resource share of RAM.
var shareMachine = machine{
	name: "share", define: (*hub).share, starts: sharePatterns, forwards: shareKinds, steps: shareSteps,
}

// share returns the definition of the machine drawbridge-share:
//
//	ReceiveEvent → InspectShare ─ accept ──→ AcceptShare ──┐
//	                    ↑        ├ wait ───────────────────┴→ WaitForShare ─┐
//	                    └────────│─────────────────────────────────────────┘
//	                             ├ announce → Announced
//	                             ├ refuse ──→ Refused
//	                             ├ expired ─→ Expired
//	                             ├ rejected → Rejected
//	                             └ nothing ─→ Nothing
//
// InspectShare itself asks for a look at each VPC that the share concerns: an event on the hub's bus, which starts
// drawbridge-attachment.
func (h *hub) share(scope constructs.Construct) sfn.IChainable {
	of := h.about(scope, "InspectShare", data{})
	wait := of.wait("WaitForShare", seconds(15), "RAM takes some seconds until a gateway is to be seen where it is shared.")
	accept := h.task(scope, "AcceptShare", pick("invitation", "decision"), result{path: "-"})
	accept.Next(wait)
	return of.answered(
		answer{workflow.AnswerAccept, accept}, answer{workflow.AnswerWait, wait},
		answer{workflow.AnswerAnnounce, of.ends(workflow.Announced, "Each VPC that the share concerns is looked at by an execution of its own.")},
		answer{workflow.AnswerRefuse, of.ends(workflow.RefusedByPolicy, "The policy does not allow to accept the invitation; the output says which and why.")},
		answer{workflow.AnswerExpired, of.ends(workflow.Expired, "Nobody accepted the invitation in time.")},
		answer{workflow.AnswerRejected, of.ends(workflow.Rejected, "Somebody rejected the invitation.")})
}

// sharePatterns are the patterns that start drawbridge-share.
func sharePatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{
		"share":         {Source: jsii.Strings("aws.ram"), DetailType: jsii.Strings("Resource Sharing State Change", "AWS API Call via CloudTrail")},
		"inspect-share": internal(event.ShareToInspect),
	}
}

// shareKinds are what members forward for it.
var shareKinds = []kind{
	{
		name:    "share",
		about:   "RAM shared something of this account, or with it, or does so no more.",
		pattern: map[string]any{"source": []string{"aws.ram"}, "detail-type": []string{"Resource Sharing State Change"}},
	},
	{
		name:    "share-call",
		about:   "Somebody changed what is shared with whom, or answered an invitation.",
		pattern: callPattern([]string{"ram"}, map[string]any{"eventName": shareCalls}),
	},
}

// shareSteps are the states of the Share machine.
var shareSteps = map[string]step{
	"InspectShare": {
		readsParam:  true,
		asksOrg:     true,
		keeps:       true,
		announces:   true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{"ec2:DescribeTransitGateways", "ec2:DescribeTransitGatewayAttachments", "ec2:DescribeVpcs"}},
			// IAM knows no resource for these reads.
			{actions: []string{"ram:GetResourceShares", "ram:GetResourceShareAssociations", "ram:GetResourceShareInvitations"}},
		},
	},
	"AcceptShare": {
		keepsLedger: true,
		// An invitation belongs to the account that shares.
		member: []grant{{actions: []string{"ram:AcceptResourceShareInvitation"},
			resources: []string{"arn:${AWS::Partition}:ram:*:*:resource-share-invitation/*"}}},
	},
}
