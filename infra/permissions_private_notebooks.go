package main

import "github.com/drawbridge-cloud/drawbridge/pkg/tag"

// What is made for a VPC carries the tag drawbridge:connection=private-notebooks-<VPC>, or data-api-endpoint-<VPC>, from its first moment, and only what
// carries it can be changed or deleted. In IAM, only the one policy under the path /drawbridge/ can be written, only that one
// can be attached, and only to a role whose owner opted in. It can be detached from any role: a role that has lost the tag
// must lose the policy too.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
var privateSteps = map[string]step{
	"InspectPrivateNotebooks": {
		leases:       "private-notebooks",
		brakes:       true,
		announces:    true,
		readsParam:   true,
		readsCallers: true,
		knowsRegions: true,
		asksOrg:      true,
		keepsLedger:  true,
		member: []grant{
			{actions: []string{"ec2:DescribeVpcs"}},
		},
	},
	"PlaceEndpoints": {
		keepsLedger: true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeNetworkAcls", "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
				"ec2:DescribeVpcEndpointServices", "ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs",
			}},
			{actions: []string{"ec2:DescribeVpcAttribute"}, resources: []string{vpcs}},
			{actions: []string{"ec2:CreateSecurityGroup", "ec2:CreateVpcEndpoint"}, resources: []string{vpcs}},
			{actions: []string{"ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint"}, resources: []string{arn("ec2", "subnet/*")}},
			{actions: []string{"ec2:CreateVpcEndpoint"}, resources: []string{endpoints},
				when: and(and(only("drawbridge:connection"), "StringLike", "aws:RequestTag/drawbridge:connection", placed...),
					"ForAllValues:StringLike", "ec2:VpceServiceName", placedServices...)},
			// Of the zone with the private DNS names, which is AWS's own, nobody knows more before.
			{actions: []string{"route53:AssociateVPCWithHostedZone"}, resources: []string{anyZone}},
			{actions: []string{"ec2:CreateSecurityGroup"}, resources: []string{groups}, when: and(only("drawbridge:connection"), "StringLike", "aws:RequestTag/drawbridge:connection", placed...)},
			{actions: []string{"ec2:CreateTags"}, resources: []string{endpoints, groups, rules},
				when: and(and(only("drawbridge:connection"), "StringLike", "aws:RequestTag/drawbridge:connection", placed...),
					"StringEquals", "ec2:CreateAction", "AuthorizeSecurityGroupIngress", "CreateSecurityGroup", "CreateVpcEndpoint")},
			{actions: []string{"ec2:AuthorizeSecurityGroupIngress"}, resources: []string{rules},
				when: and(only("drawbridge:connection"), "StringLike", "aws:RequestTag/drawbridge:connection", placed...)},
			// The group goes back on an endpoint that somebody took it off.
			{actions: []string{"ec2:AuthorizeSecurityGroupIngress", "ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint", "ec2:RevokeSecurityGroupIngress"}, resources: []string{groups}, when: ownPlaced()},
			{actions: []string{"ec2:DeleteVpcEndpoints", "ec2:ModifyVpcEndpoint"}, resources: []string{endpoints}, when: ownPlaced()},
		},
	},
	"GrantNotebookAccess": {
		brakes:       true,
		knowsRegions: true,
		keepsLedger:  true,
		member: []grant{
			{actions: []string{"ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs", "iam:GetAccountAuthorizationDetails"}},
			{actions: []string{"iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion"}, resources: []string{privatePolicy}},
			{actions: []string{"iam:CreatePolicy", "iam:TagPolicy"}, resources: []string{privatePolicy}, when: only("drawbridge:connection")},
			{actions: []string{"iam:AttachRolePolicy"}, resources: []string{anyRole},
				when: optedIn(map[string]map[string]any{"ArnEquals": {"iam:PolicyARN": sub(privatePolicy)}}, tag.PrivateNotebooks)},
			{actions: []string{"iam:DetachRolePolicy"}, resources: []string{anyRole},
				when: map[string]map[string]any{"ArnEquals": {"iam:PolicyARN": sub(privatePolicy)}}},
		},
	},
	"RemoveEndpoints": {
		takes:       true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{"ec2:DescribeSecurityGroups", "ec2:DescribeVpcEndpoints"}},
			{actions: []string{"ec2:DeleteVpcEndpoints"}, resources: []string{endpoints}, when: ownPlaced()},
			{actions: []string{"ec2:DeleteSecurityGroup"}, resources: []string{groups}, when: ownPlaced()},
		},
	},
	"VerifyPrivateNotebooks": {
		announces:   true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeClientVpnEndpoints", "ec2:DescribeSubnets", "iam:GetAccountAuthorizationDetails",
				"route53resolver:ListResolverEndpoints", "sagemaker:ListNotebookInstances",
			}},
			{actions: []string{"sagemaker:DescribeNotebookInstance"}, resources: []string{notebooks}},
			// Those that AWS manages have no account.
			{actions: []string{"iam:GetPolicy", "iam:GetPolicyVersion"}, resources: []string{"arn:${AWS::Partition}:iam::aws:policy/*"}},
		},
	},
}

var (
	vpcs          = arn("ec2", "vpc/*")
	endpoints     = arn("ec2", "vpc-endpoint/*")
	anyZone       = "arn:${AWS::Partition}:route53:::hostedzone/*"
	groups        = arn("ec2", "security-group/*")
	privatePolicy = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/drawbridge/drawbridge-private-notebooks"
	// placed is what the tag drawbridge:connection may say on what is placed in a VPC.
	placed = []string{"private-notebooks-vpc-*", "data-api-endpoint-vpc-*"}
	// placedServices are the services of which endpoints are placed, as package arn names them. What is before the Region
	// differs between partitions; names that end so are AWS's own everywhere.
	placedServices = []string{"*.sagemaker.api", "aws.sagemaker.*.notebook", "*.rds-data"}
)

// ownPlaced lets through what carries the tag of something that was placed.
func ownPlaced() map[string]map[string]any {
	return map[string]map[string]any{"StringLike": {"aws:ResourceTag/drawbridge:connection": placed}}
}
