package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The states that both machines have which place endpoints: drawbridge-private-notebooks and drawbridge-data-api-endpoint.
const (
	placeEndpoints  = "PlaceEndpoints"
	removeEndpoints = "RemoveEndpoints"
)

// endpointWait is why one waits for endpoints before one looks again.
const endpointWait = "An endpoint takes a minute or two to come and to go, and AWS sends no event then."

// untilReady returns the Task of a state about one VPC's endpoints and asks it again until it answers ready:
//
//	STATE ─ ready → STATE Done
//	  ↑   └ wait ─→ WaitAfter STATE ─┐
//	  └─────────────────────────────┘
func (h *hub) untilReady(scope constructs.Construct, state, name string) sfn.IChainable {
	done := sfn.NewSucceed(scope, jsii.String(state+"Done"), &sfn.SucceedProps{
		Comment:    jsii.String("What was just read is as it shall be."),
		OutputPath: jsii.String("$." + name),
	})
	task := h.task(scope, state, pick("want"), result{path: "$." + name, selector: data{"answer": at("$.Payload.answer")}})
	wait := pause(scope, "WaitAfter"+state, seconds(30), endpointWait)
	wait.Next(task)
	return task.Next(choose(scope, "ChooseAfter"+state, "$."+name+".answer", []answer{{workflow.AnswerReady, done}, {workflow.AnswerWait, wait}}))
}

// endpointSteps are what the states may do that place endpoints in a VPC and remove them. What is made carries the tag
// drawbridge:connection=private-notebooks-<VPC>, or data-api-endpoint-<VPC>, from its first moment, and only what carries it can be changed or deleted.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
var endpointSteps = map[string]step{
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
	"RemoveEndpoints": {
		takes:       true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{"ec2:DescribeSecurityGroups", "ec2:DescribeVpcEndpoints"}},
			{actions: []string{"ec2:DeleteVpcEndpoints"}, resources: []string{endpoints}, when: ownPlaced()},
			{actions: []string{"ec2:DeleteSecurityGroup"}, resources: []string{groups}, when: ownPlaced()},
		},
	},
}

var (
	vpcs      = arn("ec2", "vpc/*")
	endpoints = arn("ec2", "vpc-endpoint/*")
	anyZone   = "arn:${AWS::Partition}:route53:::hostedzone/*"
	groups    = arn("ec2", "security-group/*")
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
