package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// disconnect returns the states that take away what Drawbridge added for a connection that is over. On each side the
// firewall closes before the routes go, so that an interrupted run leaves no opening without a path for it; host routes
// follow, since what a notebook still needs is told by the routes that are left; then what restore puts back, if there is one; the
// status goes last. With nothing left
// to remove, both Maps are empty, and only the end is named: one of ends.
//
// The same states take away a part of a connection that stays: after the answer trim they take what the sides name, and
// trimmed follows.
func (f flow) disconnect(trimmed sfn.IChainable, restore sfn.TaskStateBase, ends ...end) sfn.IChainable {
	closing := f.task(f.scope, "CloseFirewall", tried(pick("connection", "answer", "row")), result{path: "-"})
	sides := each(f.scope, "DisconnectBothSides", numbered("$.sides", 0), closing.Next(f.row(f.scope, "RemoveRoutes")))
	// One after the other, as notebooks may share a lifecycle configuration.
	notebooks := each(f.scope, "WithdrawFromNotebooks", numbered("$.notebooks", 1),
		f.task(f.scope, "WithdrawRoutes", pick("connection", "answer", "row"), result{output: "$.Payload"}))
	conclude := f.last("ConcludeRemoval", pick("result", "reason", "said", "connection", "tagged", "ended"), ends...)
	var over sfn.IChainable = conclude
	if restore != nil {
		restore.Next(conclude)
		over = restore
	}
	sides.Next(notebooks)
	notebooks.Next(choose(f.scope, "ChooseRest", "$.answer", []answer{{workflow.AnswerDisconnect, over}, {workflow.AnswerTrim, trimmed}}))
	return sides
}

// disconnectSteps are what the states may do that take a connection away.
var disconnectSteps = map[string]step{
	"CloseFirewall": {
		keepsLedger: true,
		takes:       true,
		member: []grant{
			{actions: []string{"ec2:DescribeSecurityGroupRules"}},
			// IAM knows no rule here, only its group.
			{actions: []string{"ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"},
				resources: []string{arn("ec2", "security-group/*")}},
		},
	},
	"RemoveRoutes": {
		keepsLedger: true,
		takes:       true,
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables"}},
			// What another connection needs is led to its gateway, and a blackhole put back.
			{actions: []string{"ec2:CreateRoute", "ec2:DeleteRoute", "ec2:ReplaceRoute"}, resources: []string{arn("ec2", "route-table/*")}},
		},
	},
	"WithdrawRoutes": {
		keepsLedger: true,
		takes:       true,
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables", "sagemaker:ListNotebookInstances"}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:ListTags", "sagemaker:UpdateNotebookInstance"},
				resources: []string{notebooks}},
			{actions: []string{
				"sagemaker:DescribeNotebookInstanceLifecycleConfig", "sagemaker:UpdateNotebookInstanceLifecycleConfig",
			}, resources: []string{lifecycles}},
			{actions: []string{"sagemaker:DeleteNotebookInstanceLifecycleConfig"}, resources: []string{ownLifecycles}},
			{actions: []string{"sagemaker:DeleteTags"}, resources: []string{notebooks}, when: only(tag.Reason, tag.Since, tag.Status)},
		},
	},
	"ConcludeRemoval": {
		notifies:    true,
		announces:   true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{"ec2:DeleteTags"}, resources: []string{peerings}, when: only(statusKeys...)},
			{actions: []string{"ec2:CreateTags", "ec2:DeleteTags"}, resources: []string{attachments}, when: only(tag.Pairs)},
		},
	},
}
