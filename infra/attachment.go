package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"

	arns "github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// attachmentMachine is about one VPC on one transit gateway.
var attachmentMachine = machine{
	name: "attachment", define: (*hub).attachment, starts: attachmentPatterns, forwards: attachmentKinds, steps: attachmentSteps,
}

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
	wait := of.wait("WaitForAttachment", seconds(15), "AWS says nothing when an attachment changes its state, so it is looked at again.")
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

// attachmentKinds are what members forward for it.
var attachmentKinds = []kind{
	{
		name:    "attachment",
		about:   "Somebody attached a VPC to a transit gateway, answered, changed, associated or detached it.",
		pattern: callPattern(ec2, map[string]any{"eventName": gatewayCalls}),
	},
}

// The things of transit gateways. A gateway that is shared belongs to another account than the attachment to it.
var (
	gateways      = "arn:${AWS::Partition}:ec2:*:*:transit-gateway/*"
	gatewayTables = arn("ec2", "transit-gateway-route-table/*")
)

// The service-linked role that AWS attaches VPCs with. It is made by AWS when a VPC is attached, or by the step,
// which has to read it; the name of a role that does not exist has no path, and IAM asks about it before it says so.
// https://docs.aws.amazon.com/vpc/latest/tgw/service-linked-roles.html
var (
	linkedService  = arns.ServicePrincipal("transitgateway")
	linkedRole     = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/" + linkedService + "/AWSServiceRoleForVPCTransitGateway"
	linkedRoleName = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/AWSServiceRoleForVPCTransitGateway"
)

// own lets through what Drawbridge made itself, for a gateway.
func own() map[string]map[string]any {
	return map[string]map[string]any{"StringLike": {"aws:ResourceTag/drawbridge:connection": []string{"tgw-*"}}}
}

// chosenTable lets through the route tables of a gateway that its owner chose by a tag for what Drawbridge manages.
func chosenTable(key string) map[string]map[string]any {
	return map[string]map[string]any{"StringEqualsIgnoreCase": {"aws:ResourceTag/" + key: []string{"default", " default", "default ", " default "}}}
}

// attachmentStatus lets a step write the status tags of an attachment.
var attachmentStatus = grant{actions: []string{"ec2:CreateTags"}, resources: []string{attachments},
	when: only(statusKeys...)}

// attachmentSteps are the states of the Attachment machine.
var attachmentSteps = map[string]step{
	"InspectAttachment": {
		brakes:      true,
		readsParam:  true,
		asksOrg:     true,
		namesUnits:  true,
		keeps:       true,
		announces:   true,
		keepsLedger: true,
		leases:      "attachment",
		member: append(databases(
			"ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeTransitGateways", "ec2:DescribeTransitGatewayAttachments",
			"ec2:DescribeTransitGatewayRouteTables", "ec2:DescribeTransitGatewayVpcAttachments", "ec2:GetTransitGatewayAttachmentPropagations",
			"lambda:ListFunctions", "sagemaker:ListDomains", "sagemaker:ListNotebookInstances", "sagemaker:ListUserProfiles",
		),
			clients,
		),
	},
	"AttachVpc": {
		keepsLedger: true,
		member: []grant{
			{actions: []string{"ec2:CreateTransitGatewayVpcAttachment"},
				resources: []string{gateways, arn("ec2", "vpc/*"), arn("ec2", "subnet/*")}},
			// An attachment without the tag that says whose it is cannot be made.
			{actions: []string{"ec2:CreateTransitGatewayVpcAttachment"}, resources: []string{attachments},
				when: and(only("drawbridge:connection"), "StringLike", "aws:RequestTag/drawbridge:connection", "tgw-*")},
			{actions: []string{"ec2:CreateTags"}, resources: []string{attachments},
				when: and(only("drawbridge:connection"), "StringEquals", "ec2:CreateAction", "CreateTransitGatewayVpcAttachment")},
			{actions: []string{"iam:GetRole"}, resources: []string{linkedRole, linkedRoleName}},
			{actions: []string{"iam:CreateServiceLinkedRole"}, resources: []string{linkedRole},
				when: map[string]map[string]any{"StringEquals": {"iam:AWSServiceName": linkedService}}},
			{actions: []string{"ec2:ModifyTransitGatewayVpcAttachment"}, resources: []string{attachments}, when: own()},
			{actions: []string{"ec2:ModifyTransitGatewayVpcAttachment"}, resources: []string{arn("ec2", "subnet/*")}},
		},
	},
	"AcceptAttachment": {
		member: []grant{{actions: []string{"ec2:AcceptTransitGatewayVpcAttachment"}, resources: []string{attachments}}},
	},
	"AssociateAttachment": {
		keepsLedger: true,
		// IAM asks about the attachment and about the table. Only the tables that their owner tagged for it are let through.
		member: []grant{
			{actions: []string{"ec2:AssociateTransitGatewayRouteTable", "ec2:EnableTransitGatewayRouteTablePropagation"}, resources: []string{attachments}},
			{actions: []string{"ec2:AssociateTransitGatewayRouteTable"}, resources: []string{gatewayTables}, when: chosenTable("drawbridge:association")},
			{actions: []string{"ec2:EnableTransitGatewayRouteTablePropagation"}, resources: []string{gatewayTables}, when: chosenTable("drawbridge:propagation")},
		},
	},
	"DisassociateAttachment": {
		keepsLedger: true,
		announces:   true,
		takes:       true,
		// Only the tables that their owner offers by the tag are let through, for taking out as for putting in.
		member: []grant{
			{actions: []string{"ec2:DescribeTransitGatewayAttachments", "ec2:GetTransitGatewayAttachmentPropagations"}},
			{actions: []string{"ec2:DisassociateTransitGatewayRouteTable", "ec2:DisableTransitGatewayRouteTablePropagation"}, resources: []string{attachments}},
			{actions: []string{"ec2:DisassociateTransitGatewayRouteTable"}, resources: []string{gatewayTables}, when: chosenTable("drawbridge:association")},
			{actions: []string{"ec2:DisableTransitGatewayRouteTablePropagation"}, resources: []string{gatewayTables}, when: chosenTable("drawbridge:propagation")},
		},
	},
	"DetachVpc": {
		takes:  true,
		member: []grant{{actions: []string{"ec2:DeleteTransitGatewayVpcAttachment"}, resources: []string{attachments}, when: own()}},
	},
	"VerifyAttachment": {
		keepsLedger: true,
		announces:   true,
		member: []grant{
			{actions: []string{"ec2:DescribeTransitGatewayAttachments", "ec2:GetTransitGatewayAttachmentPropagations"}},
			{actions: []string{"ec2:SearchTransitGatewayRoutes"}, resources: []string{gatewayTables}},
			attachmentStatus,
		},
	},
	"ConcludeDetachment": {
		keepsLedger: true,
		notifies:    true,
		announces:   true,
		member: []grant{{actions: []string{"ec2:DescribeTransitGatewayAttachments"}}, attachmentStatus,
			{actions: []string{"ec2:DeleteTags"}, resources: []string{attachments}, when: only(append([]string{tag.Pairs}, statusKeys...)...)}},
	},
	"AskAttachment": {
		notifies:    true,
		announces:   true,
		keepsLedger: true,
		member:      []grant{attachmentStatus},
	},
	"RefuseAttachment": {
		keepsLedger: true,
		notifies:    true,
		announces:   true,
		member: []grant{attachmentStatus,
			// A VPC that may not be attached carries the reason itself.
			{actions: []string{"ec2:CreateTags"}, resources: []string{arn("ec2", "vpc/*")}, when: only(statusKeys...)},
			{actions: []string{"ec2:RejectTransitGatewayVpcAttachment"}, resources: []string{attachments}}},
	},
}
