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
			{actions: []string{"ec2:CreateTags", "ec2:DeleteTags"}, resources: taggable("ec2"), when: only(tag.Unclear)},
			{actions: []string{"rds:DescribeDBClusters", "rds:DescribeDBInstances"}, resources: []string{clusters, arn("rds", "db:*")}},
			{actions: []string{"rds:ListTagsForResource"}, resources: taggable("rds")},
			{actions: []string{"rds:AddTagsToResource", "rds:RemoveTagsFromResource"}, resources: taggable("rds"), when: only(tag.Unclear)},
			{actions: []string{"redshift-serverless:GetWorkgroup", "redshift-serverless:ListTagsForResource"}, resources: taggable("redshift-serverless")},
			{actions: []string{"redshift-serverless:TagResource", "redshift-serverless:UntagResource"}, resources: taggable("redshift-serverless"), when: only(tag.Unclear)},
			{actions: []string{"redshift:DescribeTags"}, resources: taggable("redshift")},
			{actions: []string{"redshift:CreateTags", "redshift:DeleteTags"}, resources: taggable("redshift"), when: only(tag.Unclear)},
			{actions: []string{"iam:ListRoleTags"}, resources: []string{anyRole}},
			{actions: []string{"iam:TagRole", "iam:UntagRole"}, resources: []string{anyRole}, when: only(tag.Unclear)},
			{actions: []string{"sagemaker:DescribeNotebookInstance"}, resources: []string{notebooks}},
			{actions: []string{"sagemaker:ListTags"}, resources: taggable("sagemaker")},
			{actions: []string{"sagemaker:AddTags", "sagemaker:DeleteTags"}, resources: taggable("sagemaker"), when: only(tag.Unclear)},
		},
	},
}

// taggable are the things of a service that owners tag. Those of Secrets Manager and KMS are none: nothing is ever written to a secret or a key.
func taggable(service string) []string {
	var out []string
	for _, k := range tag.KindsOf(service) {
		if len(tag.Keys(k)) > 0 {
			out = append(out, arn(service, k.Resource()+"*"))
		}
	}
	return out
}
