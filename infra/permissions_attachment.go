package main

import arns "github.com/drawbridge-cloud/drawbridge/pkg/arn"

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
	when: only("drawbridge:status", "drawbridge:reason")}

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
			{actions: []string{"ec2:CreateTags"}, resources: []string{attachments},
				when: only("drawbridge:status", "drawbridge:reason")},
		},
	},
	"ConcludeDetachment": {
		keepsLedger: true,
		notifies:    true,
		announces:   true,
		member: []grant{{actions: []string{"ec2:DescribeTransitGatewayAttachments"}}, attachmentStatus,
			{actions: []string{"ec2:DeleteTags"}, resources: []string{attachments}, when: only("drawbridge:pairs", "drawbridge:reason", "drawbridge:status")}},
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
			{actions: []string{"ec2:CreateTags"}, resources: []string{arn("ec2", "vpc/*")}, when: only("drawbridge:status", "drawbridge:reason")},
			{actions: []string{"ec2:RejectTransitGatewayVpcAttachment"}, resources: []string{attachments}}},
	},
}
