package main

import "github.com/drawbridge-cloud/drawbridge/pkg/tag"

// IAM is the most dangerous thing that Drawbridge touches. So a role is made only under the path /drawbridge/ and only
// with the permissions boundary; and a role of somebody's own is changed only if its owner opted in by the tag
// drawbridge:studio=true. What was added can be taken away also after the opt-in is gone: our mark is then on the role, and
// only where the opt-in was could Drawbridge put it.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
var studioSteps = map[string]step{
	"InspectStudio": {
		readsParam: true,
		asksOrg:    true,
		keeps:      true,
		indexes:    true,
		announces:  true,
		member: []grant{
			{actions: []string{"redshift:DescribeClusters", "sagemaker:ListDomains", "sagemaker:ListUserProfiles"}},
			{actions: []string{"sagemaker:DescribeDomain", "sagemaker:DescribeUserProfile"},
				resources: []string{domains, arn("sagemaker", "user-profile/*")}},
			{actions: []string{"iam:GetRole", "iam:GetRolePolicy"}, resources: []string{anyRole}},
		},
	},
	"WriteStudioRole": {
		member: []grant{
			// A role that does not exist has no path: IAM is asked for the name alone.
			{actions: []string{"iam:GetRole", "iam:GetRolePolicy"}, resources: []string{studioRoles, studioNames}},
			{actions: []string{"iam:UpdateAssumeRolePolicy"}, resources: []string{studioRoles}},
			{actions: []string{"iam:TagRole"}, resources: []string{studioRoles}, when: only("drawbridge:connection")},
			{actions: []string{"iam:CreateRole", "iam:PutRolePolicy"}, resources: []string{studioRoles},
				when: map[string]map[string]any{"ArnEquals": {"iam:PermissionsBoundary": sub(studioBoundaryARN)}}},
		},
	},
	"ForgetReaders": {
		takes: true,
		member: []grant{
			{actions: []string{"iam:GetRole"}, resources: []string{studioRoles, studioNames}},
			{actions: []string{"iam:UpdateAssumeRolePolicy", "iam:DeleteRole"}, resources: []string{studioRoles}},
			{actions: []string{"iam:DeleteRolePolicy"}, resources: []string{studioRoles},
				when: map[string]map[string]any{"ArnEquals": {"iam:PermissionsBoundary": sub(studioBoundaryARN)}}},
		},
	},
	"AdmitExecutionRole": {
		member: []grant{
			{actions: []string{"iam:GetRole", "iam:GetRolePolicy"}, resources: []string{anyRole}},
			{actions: []string{"iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"}, resources: []string{anyRole},
				when: optedIn(map[string]map[string]any{}, tag.Studio)},
			{actions: []string{"iam:TagRole"}, resources: []string{anyRole},
				when: optedIn(only("drawbridge:connection"), tag.Studio)},
			{actions: []string{"iam:DeleteRolePolicy", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"}, resources: []string{anyRole},
				when: map[string]map[string]any{"StringEquals": {"aws:ResourceTag/drawbridge:connection": "studio"}}},
			{actions: []string{"iam:UntagRole"}, resources: []string{anyRole},
				when: and(only("drawbridge:connection"), "StringEquals", "aws:ResourceTag/drawbridge:connection", "studio")},
		},
	},
	"IdentifyUsers": {
		member: []grant{
			{actions: []string{"sagemaker:ListApps"}},
			{actions: []string{"sagemaker:DescribeDomain", "sagemaker:ListTags", "sagemaker:UpdateDomain"}, resources: []string{domains}},
			{actions: []string{"sagemaker:AddTags", "sagemaker:DeleteTags"}, resources: []string{domains}, when: only("drawbridge:identity-was")},
		},
	},
	"ConcludeStudio": {
		announces: true,
		member: []grant{{actions: []string{"redshift:CreateTags", "redshift:DeleteTags"}, resources: []string{arn("redshift", "cluster:*")},
			when: only("drawbridge:studio-status", "drawbridge:studio-reason")}},
	},
}

var (
	domains           = arn("sagemaker", "domain/*")
	anyRole           = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*"
	studioRoles       = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/drawbridge/drawbridge-studio-*"
	studioNames       = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/drawbridge-studio-*"
	studioBoundaryARN = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/drawbridge/" + studioBoundary
)

// studioBoundary is the permissions boundary of every readers' role: whatever their policies come to say, they read
// warehouses.
const studioBoundary = "drawbridge-studio-boundary"

// studioBoundaryStatements is what it says.
var studioBoundaryStatements = []statement{
	{
		"Effect": "Allow",
		"Action": []string{"redshift:CreateClusterUser", "redshift:GetClusterCredentials", "redshift:JoinGroup"},
		"Resource": []any{sub(arn("redshift", "dbuser:*")), sub(arn("redshift", "dbname:*")),
			sub(arn("redshift", "dbgroup:*"))},
	},
	{
		"Effect":   "Allow",
		"Action":   []string{"redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement"},
		"Resource": sub(arn("redshift", "cluster:*")),
	},
	{
		"Effect": "Allow",
		"Action": []string{
			"redshift-data:CancelStatement", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult", "redshift:DescribeClusters",
		},
		"Resource": "*",
	},
}
