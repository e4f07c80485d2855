package main

import "github.com/drawbridge-cloud/drawbridge/pkg/tag"

// changeSteps are the states of the Change machine.
var changeSteps = map[string]step{
	"FindConnections": {
		announces:   true,
		keeps:       true,
		keepsLedger: true,
		member: []grant{{actions: []string{
			"ec2:DescribeVpcPeeringConnections", "ec2:DescribeTransitGatewayVpcAttachments", "ec2:DescribeRouteTables", "ec2:DescribeVpcs",
			"ram:GetResourceShareInvitations", "sagemaker:ListNotebookInstances"}},
			{actions: []string{"rds:DescribeDBClusters"}, resources: []string{clusters}}},
	},
	// It enters no member: what it tells people stands in the ledger.
	"ReportContest": {notifies: true, announces: true, keepsLedger: true},
	// The tag of the answer and no other: those of owners, which it reads, it can neither set nor take away.
	"AnswerTags": {
		notifies:  true,
		announces: true,
		member: []grant{
			{actions: []string{"ec2:DescribeTags"}},
			{actions: []string{"ec2:CreateTags", "ec2:DeleteTags"}, resources: []string{arn("ec2", "transit-gateway/*"), attachments, arn("ec2", "vpc/*"), arn("ec2", "subnet/*"), arn("ec2", "security-group/*"), peerings}, when: only(tag.Unclear)},
			{actions: []string{"rds:DescribeDBClusters", "rds:DescribeDBInstances"}, resources: []string{clusters, arn("rds", "db:*")}},
			{actions: []string{"rds:ListTagsForResource"}, resources: []string{clusters, arn("rds", "db:*"), arn("rds", "db-proxy:*")}},
			{actions: []string{"rds:AddTagsToResource", "rds:RemoveTagsFromResource"}, resources: []string{clusters, arn("rds", "db:*"), arn("rds", "db-proxy:*")}, when: only(tag.Unclear)},
			{actions: []string{"redshift-serverless:GetWorkgroup", "redshift-serverless:ListTagsForResource"}, resources: []string{arn("redshift-serverless", "workgroup/*")}},
			{actions: []string{"redshift-serverless:TagResource", "redshift-serverless:UntagResource"}, resources: []string{arn("redshift-serverless", "workgroup/*")}, when: only(tag.Unclear)},
			{actions: []string{"redshift:DescribeTags"}, resources: []string{arn("redshift", "cluster:*")}},
			{actions: []string{"redshift:CreateTags", "redshift:DeleteTags"}, resources: []string{arn("redshift", "cluster:*")}, when: only(tag.Unclear)},
			{actions: []string{"iam:ListRoleTags"}, resources: []string{anyRole}},
			{actions: []string{"iam:TagRole", "iam:UntagRole"}, resources: []string{anyRole}, when: only(tag.Unclear)},
			{actions: []string{"sagemaker:DescribeNotebookInstance"}, resources: []string{notebooks}},
			{actions: []string{"sagemaker:ListTags"}, resources: []string{notebooks, domains}},
			{actions: []string{"sagemaker:AddTags", "sagemaker:DeleteTags"}, resources: []string{notebooks, domains}, when: only(tag.Unclear)},
		},
	},
}
