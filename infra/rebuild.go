package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// rebuildMachine is about every account, too. No rule starts it.
var rebuildMachine = machine{
	name: "rebuild", define: (*hub).rebuild, steps: all(rebuildSteps, visitSteps),
	more: func(h *hub, machine sfn.StateMachine) { h.mapped("rebuild", machine) },
}

// rebuild returns the definition of the machine drawbridge-rebuild, which only people start:
//
//	StartRebuild → ListAccounts → RebuildEachAccount { RebuildAccount ─ error → RebuildMissed } → TallyRebuild → ChooseRebuilt
//	                    ↑                                                                        ├ Rebuilt
//	                    │                                                                        ├ PartlyRebuilt
//	                    └────────────────────────────────────────────────────────────────────────┴ more
//
// It visits accounts as a sweep does, but starts nothing, resumes nothing and asks for no look: what is looked at before the ledger is whole is
// taken for somebody else's.
func (h *hub) rebuild(scope constructs.Construct) sfn.IChainable {
	list := h.task(scope, "ListAccounts",
		data{"sweep": at("$.sweep"), "page": at("$.page"), "tally": at("$.tally")},
		result{output: "$.Payload"})
	each := h.eachAccount(scope, "RebuildEachAccount", h.task(scope, "RebuildAccount", pick("territory", "regions"), result{output: "$.Payload"}),
		"RebuildMissed", "This account was not read, or not wholly; TallyRebuild tells people.")
	tally := h.task(scope, "TallyRebuild",
		data{"executionId": at("$$.Execution.Id"), "sweep": at("$.sweep"), "page": at("$.page"), "tally": at("$.tally"),
			"accounts": at("$.accounts"), "visits": at("$.visits")},
		result{output: "$.Payload"})
	list.Next(each).Next(tally).Next(choose(scope, "ChooseRebuilt", "$.answer", []answer{
		{workflow.AnswerMore, list},
		{"Rebuilt", succeed(scope, "Rebuilt", "The ledger has what carries Drawbridge's marks; the output says what could not be told.")},
		{"PartlyRebuilt", succeed(scope, "PartlyRebuilt", "Some accounts could not be read; the output names them.")},
	}))
	return sfn.NewPass(scope, jsii.String("StartRebuild"), &sfn.PassProps{
		Comment:    jsii.String("The input may name accounts and Regions; an empty one means all."),
		Parameters: tallied(),
	}).Next(list)
}

// rebuildSteps are what its own states may do.
var rebuildSteps = map[string]step{
	"TallyRebuild": {announces: true, notifies: true, readsLedger: true},
	"RebuildAccount": {
		keepsLedger: true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeVpcPeeringConnections", "ec2:DescribeTransitGatewayAttachments", "ec2:DescribeSecurityGroupRules", // what carries marks
				"ec2:DescribeVpcEndpoints", "ec2:DescribeSecurityGroups", // the same
				"iam:GetAccountAuthorizationDetails",                                                           // who may open notebooks
				"ram:GetResourceShareInvitations", "ram:GetResourceShares", "ram:GetResourceShareAssociations", // shares that were accepted
				"ec2:DescribeTransitGateways",
				"ec2:DescribeRouteTables", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:GetTransitGatewayAttachmentPropagations",
				"redshift:DescribeClusters", "sagemaker:ListDomains", "sagemaker:ListNotebookInstances", "sagemaker:ListUserProfiles",
			}},
			{actions: []string{"sagemaker:DescribeNotebookInstance"}, resources: []string{notebooks}},
			{actions: []string{"sagemaker:DescribeNotebookInstanceLifecycleConfig"}, resources: []string{lifecycles}},
			{actions: []string{"rds:DescribeDBClusters"}, resources: []string{clusters}},
			{actions: []string{"sagemaker:DescribeDomain", "sagemaker:ListTags"}, resources: []string{domains}},
			{actions: []string{"sagemaker:DescribeUserProfile"}, resources: []string{arn("sagemaker", "user-profile/*")}},
			// The roles that Drawbridge made, and the execution roles of Studio, whatever their path: who let it in is told by the mark on each.
			{actions: []string{"iam:GetRole", "iam:GetRolePolicy"}, resources: []string{anyRole}},
		},
	},
}
