package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// The things that the Data API machine touches in the account of an Aurora cluster. The roles are Drawbridge's own: their
// path says so, and the boundary keeps each of them to the Data API of its own account whatever its policy says.
const dataAPIBoundary = "drawbridge-data-api-boundary"

var (
	clusters     = arn("rds", "cluster:*")
	secrets      = arn("secretsmanager", "secret:*")
	keys         = arn("kms", "key/*")
	dataAPIRoles = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/drawbridge/drawbridge-data-api-*"
	// The name of a role that does not exist has no path, and IAM asks about it before it says so.
	dataAPIRolesToRead = []string{dataAPIRoles, "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/drawbridge-data-api-*"}
	bounded            = map[string]map[string]any{"ArnEquals": {
		"iam:PermissionsBoundary": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/drawbridge/" + dataAPIBoundary)}}
)

// mergesPolicies lets a step change the policies of keys and secrets. KMS must check that the policy can still be changed
// afterwards, and Secrets Manager that it lets no stranger in.
var mergesPolicies = []grant{
	{actions: []string{"kms:GetKeyPolicy"}, resources: []string{keys}},
	{actions: []string{"kms:PutKeyPolicy"}, resources: []string{keys},
		when: map[string]map[string]any{"BoolIfExists": {"kms:BypassPolicyLockoutSafetyCheck": "false"}}},
	{actions: []string{"secretsmanager:GetResourcePolicy", "secretsmanager:DeleteResourcePolicy"}, resources: []string{secrets}},
	{actions: []string{"secretsmanager:PutResourcePolicy"}, resources: []string{secrets},
		when: map[string]map[string]any{"Bool": {"secretsmanager:BlockPublicPolicy": "true"}}},
}

// dataAPISteps are the states of the Data API machine.
var dataAPISteps = map[string]step{
	"InspectDataApi": {
		readsParam: true,
		asksOrg:    true,
		member: []grant{
			{actions: []string{"rds:DescribeDBClusters"}, resources: []string{clusters}},
			{actions: []string{"secretsmanager:DescribeSecret"}, resources: []string{secrets}},
			{actions: []string{"kms:DescribeKey"}, resources: []string{keys}},
			{actions: []string{"iam:GetRole"}, resources: dataAPIRolesToRead},
		},
	},
	"EnableHttpEndpoint": {
		member: []grant{
			{actions: []string{"rds:EnableHttpEndpoint"}, resources: []string{clusters}},
			{actions: []string{"rds:AddTagsToResource"}, resources: []string{clusters}, when: only("drawbridge:http-endpoint")},
		},
	},
	"AdmitConsumers": {
		member: append([]grant{
			{actions: []string{"iam:GetRole"}, resources: dataAPIRolesToRead},
			{actions: []string{"iam:GetRolePolicy", "iam:UpdateAssumeRolePolicy"}, resources: []string{dataAPIRoles}},
			// A role without the boundary cannot be made, nor can one be given a policy.
			{actions: []string{"iam:CreateRole", "iam:PutRolePolicy"}, resources: []string{dataAPIRoles}, when: bounded},
			{actions: []string{"iam:TagRole"}, resources: []string{dataAPIRoles},
				when: only("drawbridge:connection", "drawbridge:secret", "drawbridge:key")},
		}, mergesPolicies...),
	},
	"RetractDataApi": {
		takes: true,
		member: append([]grant{
			{actions: []string{"iam:GetRole"}, resources: dataAPIRolesToRead},
			{actions: []string{"iam:DeleteRole"}, resources: []string{dataAPIRoles}},
			{actions: []string{"iam:DeleteRolePolicy"}, resources: []string{dataAPIRoles}, when: bounded},
			{actions: []string{"rds:DisableHttpEndpoint"}, resources: []string{clusters}},
			{actions: []string{"rds:RemoveTagsFromResource"}, resources: []string{clusters}, when: only("drawbridge:http-endpoint")},
		}, mergesPolicies...),
	},
	"ConcludeDataApi": {
		announces: true,
		member: []grant{{actions: []string{"rds:AddTagsToResource", "rds:RemoveTagsFromResource"}, resources: []string{clusters},
			when: only("drawbridge:status", "drawbridge:reason")}},
	},
}

// boundDataAPI makes the permissions boundary of the roles for the Data API. It has to be there before a role can be made,
// so it belongs to the member stack, where no step can change it.
func boundDataAPI(stack awscdk.Stack, atHome awscdk.CfnCondition) {
	boundary := awsiam.NewCfnManagedPolicy(stack, jsii.String("DataApiBoundary"), &awsiam.CfnManagedPolicyProps{
		ManagedPolicyName: jsii.String(dataAPIBoundary),
		Path:              jsii.String("/drawbridge/"),
		Description:       jsii.String("The most that a role of Drawbridge's for the Data API can do."),
		PolicyDocument: document(
			statement{"Effect": "Allow", "Resource": sub(clusters), "Action": []string{
				"rds-data:BatchExecuteStatement", "rds-data:BeginTransaction", "rds-data:CommitTransaction",
				"rds-data:ExecuteStatement", "rds-data:RollbackTransaction"}},
			statement{"Effect": "Allow", "Resource": sub(secrets), "Action": "secretsmanager:GetSecretValue"},
			statement{"Effect": "Allow", "Resource": sub(keys), "Action": []string{"kms:Decrypt", "kms:DescribeKey"}},
		),
	})
	boundary.CfnOptions().SetCondition(atHome)
}
