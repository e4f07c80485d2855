package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	tasks "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctionstasks"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// connect returns the states that set up a connection, whatever its routes lead through. In each machine that connects,
// they are the same and share their functions:
//
//	RouteBothSides { AddRoutes } → OpenBothSides { OpenFirewall } → InjectIntoNotebooks → VerifyConnection → Connected, PartlyConnected, PendingApproval or Contested
//
// The items of the Maps are the numbers of the ledger's rows about the sides and the notebooks; what a step finds and does stands there, too. A connection that
// was deleted while it was being set up, or looked at by another execution, goes back to the
// state inspect: what came too late for the deletion's own execution goes then.
func (f flow) connect() sfn.IChainable {
	scope, inspect := f.scope, f.inspect
	route := each(scope, "RouteBothSides", numbered("$.sides", 0), f.row(scope, "AddRoutes"))
	open := each(scope, "OpenBothSides", numbered("$.sides", 0), f.row(scope, "OpenFirewall"))
	// Not yet after all the retries: a group of the peer cannot be named once the peering was deleted, or it was. The look after that knows either.
	open.AddCatch(inspect, &sfn.CatchProps{Errors: jsii.Strings(string(fault.NotYet)), ResultPath: sfn.JsonPath_DISCARD()})
	// One after the other, as notebooks may share a lifecycle configuration.
	inject := each(scope, "InjectIntoNotebooks", numbered("$.notebooks", 1), f.row(scope, "InjectRoutes"))

	verify := f.task(scope, "VerifyConnection", tried(pick("connection", "since", "reason", "answer")), result{output: "$.Payload"})
	verify.AddCatch(inspect, &sfn.CatchProps{Errors: jsii.Strings(string(fault.Over)), ResultPath: sfn.JsonPath_DISCARD()})

	route.Next(open).Next(inject).Next(verify).Next(chooseEnd(scope, "ChooseVerified", []end{
		{workflow.Connected, "Every allowed path is whole, or cannot be judged to its end; the output has a line for each."},
		{workflow.PartlyConnected, "Some of the allowed paths fail; the output says which, where, and whose that is."},
		{workflow.PendingApproval, "Connected as it was approved. What came later waits for the owner who was asked."},
		{workflow.Contested, "Somebody takes away again what Drawbridge adds. It is left to them; both owners are told how to end it."},
	}))
	return route
}

// extend returns the state that asks the owner who approved about what came later, before what was approved is connected.
func (f flow) extend(connect sfn.IChainable) sfn.IChainable {
	return f.task(f.scope, "AskAgain", pick("connection"), result{path: "-"}).Next(connect)
}

// numbered is a Map over the numbers of rows.
func numbered(items string, atOnce float64) mapped {
	item := pick("connection", "answer")
	item["row"] = at("$$.Map.Item.Value")
	return mapped{items: items, answers: "-", item: item, atOnce: atOnce}
}

// row returns the Task of a state that works on one row, which it names by its number, and says how much it told.
func (h *hub) row(scope constructs.Construct, state string) tasks.LambdaInvoke {
	return h.task(scope, state, tried(pick("connection", "answer", "row")), result{output: "$.Payload"})
}

// unreadable returns the step that says that something of a connection cannot be read now. It always fails: see [hub.hold].
func (f flow) unreadable() sfn.IChainable {
	return f.task(f.scope, "ReportUnreadable", pick("connection", "reason", "said"), result{path: "-"})
}

// connectSteps are what the states may do that set up a connection, or say that it cannot be read.
var connectSteps = map[string]step{
	"AskAgain": {
		notifies:    true,
		announces:   true,
		keepsLedger: true,
		member:      []grant{{actions: []string{"ec2:CreateTags"}, resources: []string{attachments}, when: only(tag.Reason)}},
	},
	"AddRoutes": {
		keepsLedger: true,
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables"}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"ec2:CreateRoute", "ec2:ReplaceRoute"}, resources: []string{arn("ec2", "route-table/*")}},
		},
	},
	"OpenFirewall": {
		keepsLedger: true,
		member: []grant{
			// Interfaces say what else has the group that would be opened.
			{actions: []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: authorize, resources: []string{arn("ec2", "security-group/*")}},
			// A rule without the tag that says for which connection it is cannot be added.
			{actions: authorize, resources: []string{rules},
				when: and(only("drawbridge:connection", "drawbridge:peer"), "StringLike", "aws:RequestTag/drawbridge:connection", road.Patterns()...)},
			{actions: []string{"ec2:CreateTags"}, resources: []string{rules},
				when: and(only("drawbridge:connection", "drawbridge:peer"), "StringEquals", "ec2:CreateAction",
					"AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")},
		},
	},
	"InjectRoutes": {
		readsParam:  true,
		keepsLedger: true,
		announces:   true,
		member: []grant{
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:ListTags", "sagemaker:UpdateNotebookInstance"},
				resources: []string{notebooks}},
			{actions: []string{
				"sagemaker:DescribeNotebookInstanceLifecycleConfig", "sagemaker:UpdateNotebookInstanceLifecycleConfig",
			}, resources: []string{lifecycles}},
			{actions: []string{"sagemaker:CreateNotebookInstanceLifecycleConfig"}, resources: []string{ownLifecycles}},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{notebooks}, when: only(tag.Reason, tag.Since, tag.Status)},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{ownLifecycles}, when: only("drawbridge:subnet")},
		},
	},
	"VerifyConnection": {
		notifies:    true,
		announces:   true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{ // both VPCs and what carries the connection, into the model
				"ec2:DescribeDhcpOptions", "ec2:DescribeNetworkAcls", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
				"ec2:DescribeTransitGatewayAttachments", "ec2:DescribeTransitGateways", "ec2:DescribeTransitGatewayVpcAttachments",
				"ec2:DescribeVpcPeeringConnections",
			}},
			{actions: []string{"ec2:DescribeVpcAttribute"}, resources: []string{vpcs}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"ec2:SearchTransitGatewayRoutes"}, resources: []string{arn("ec2", "transit-gateway-route-table/*")}},
			status,
			{actions: []string{"ec2:CreateTags"}, resources: []string{attachments}, when: only(tag.Pairs)},
		},
	},
	"ReportUnreadable": {
		notifies:    true,
		keepsLedger: true,
		member:      []grant{status, {actions: []string{"ec2:CreateTags"}, resources: []string{attachments}, when: only(tag.Pairs)}},
	},
}
