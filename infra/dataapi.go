package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// dataAPIMachine is about one Aurora cluster. Members forward nothing for it: all that concerns a cluster is told by drawbridge-change.
var dataAPIMachine = machine{
	name: "data-api", define: (*hub).dataAPI, starts: dataAPIPatterns, steps: dataAPISteps,
}

// incompleteEnd is what Incomplete says of access.
const incompleteEnd = "Some are not served, or something could not be taken back; the output names each, and why."

// contestedEnd is what Contested says of access.
const contestedEnd = "Somebody takes away again what Drawbridge adds. It is left to them; its owners are told how to end it."

// releasedEnd is what Released says of access.
const releasedEnd = "Its owner took it out of Drawbridge's hands, as it stands."

// dataAPI returns the definition of the machine drawbridge-data-api:
//
//	InspectDataApi ─ expose ───→ EnableHttpEndpoint → AdmitConsumers ─┐
//	               ├ retract ─────────────────────────────────────────┴→ RetractDataApi ─┐
//	               ├ conclude ───────────────────────────────────────────────────────────┴→ ConcludeDataApi ─ Exposed
//	               └ nothing ──→ Nothing                                                                    ├ Retracted
//	                                                                                                        ├ Refused
//	                                                                                                        ├ Released
//	                                                                                                        └ Contested
//
// One execution is about one Aurora cluster. What it does not need any more is taken back after what it needs is there: all of it, or
// the grant for a secret that it had before.
func (h *hub) dataAPI(scope constructs.Construct) sfn.IChainable {
	of := h.about(scope, "InspectDataApi", nil)
	// What the inspection answers has an empty list of hops for each step, so that those on the other way have one too.
	step := func(state, path string) sfn.TaskStateBase {
		return h.task(scope, state, pick("dataApi"), result{selector: data{"hops": at("$.Payload.hops")}, path: path})
	}
	enable, admit, retract := step("EnableHttpEndpoint", "$.enabled"), step("AdmitConsumers", "$.admitted"), step("RetractDataApi", "$.retracted")
	conclude := of.last("ConcludeDataApi", pick("result", "reason", "decision", "dataApi", "enabled", "admitted", "retracted"),
		end{workflow.Exposed, "The admitted accounts may query the cluster; the verdict says who may not, and why."},
		end{workflow.Retracted, "What Drawbridge added for the cluster's consumers is gone."},
		end{workflow.RefusedByPolicy, "The policy admits none of the accounts; the output names the policy."},
		end{workflow.Released, releasedEnd},
		end{workflow.Contested, contestedEnd})
	enable.Next(admit)
	admit.Next(retract)
	retract.Next(conclude)
	return of.answered(
		answer{workflow.AnswerExpose, enable}, answer{workflow.AnswerRetract, retract}, answer{workflow.AnswerConclude, conclude})
}

// dataAPIPatterns are the events that start the machine. All that concerns a cluster is told by drawbridge-change.
func dataAPIPatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{"inspect-data-api": internal(event.DataAPIToInspect)}
}

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

// consents lets through only what its owner tagged for some cluster. Which cluster, the value says: the step compares it, and the role
// that it makes may only do what the value names. IAM does not know the cluster when this is written.
func consents(when map[string]map[string]any) map[string]map[string]any {
	return and(when, "StringLike", "aws:ResourceTag/"+tag.DataAPI, "?*")
}

// granting lets a step grant a key to a cluster's role: to decrypt, for what the grant's own constraint says, and retired by one role alone.
// RetireGrant is no permission: the grant itself says who may.
// https://docs.aws.amazon.com/kms/latest/developerguide/grant-authorization.html
func granting() map[string]map[string]any {
	when := consents(map[string]map[string]any{
		"ForAllValues:StringEquals": {"kms:GrantOperations": []string{"Decrypt", "DescribeKey"}},
		"StringEquals": {"kms:GrantConstraintType": "EncryptionContextSubset",
			"kms:RetiringPrincipal": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/" + memberRole("RetractDataApi"))},
	})
	when["StringLike"]["kms:GranteePrincipal"] = sub(dataAPIRoles) // a text to IAM, although it is an ARN
	return when
}

// dataAPISteps are the states of the Data API machine.
var dataAPISteps = map[string]step{
	"InspectDataApi": {
		leases:      "data-api",
		brakes:      true,
		readsParam:  true,
		asksOrg:     true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{"rds:DescribeDBClusters"}, resources: []string{clusters}},
			{actions: []string{"secretsmanager:DescribeSecret"}, resources: []string{secrets}},
			{actions: []string{"kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListResourceTags"}, resources: []string{keys}},
			{actions: []string{"iam:GetRole"}, resources: dataAPIRolesToRead},
		},
	},
	"EnableHttpEndpoint": {
		keepsLedger: true,
		member: []grant{
			{actions: []string{"rds:DescribeDBClusters"}, resources: []string{clusters}},
			{actions: []string{"rds:EnableHttpEndpoint"}, resources: []string{clusters}, when: consents(map[string]map[string]any{})},
		},
	},
	"AdmitConsumers": {
		keepsLedger: true,
		member: []grant{
			{actions: []string{"iam:GetRole"}, resources: dataAPIRolesToRead},
			{actions: []string{"iam:GetRolePolicy", "iam:UpdateAssumeRolePolicy"}, resources: []string{dataAPIRoles}},
			// A role without the boundary cannot be made, nor can one be given a policy.
			{actions: []string{"iam:CreateRole", "iam:PutRolePolicy"}, resources: []string{dataAPIRoles}, when: bounded},
			{actions: []string{"kms:ListGrants"}, resources: []string{keys}},
			{actions: []string{"kms:CreateGrant"}, resources: []string{keys}, when: granting()},
		},
	},
	"RetractDataApi": {
		keepsLedger: true,
		takes:       true,
		member: []grant{
			{actions: []string{"iam:GetRole"}, resources: dataAPIRolesToRead},
			{actions: []string{"iam:DeleteRole"}, resources: []string{dataAPIRoles}},
			{actions: []string{"iam:DeleteRolePolicy"}, resources: []string{dataAPIRoles}, when: bounded},
			{actions: []string{"kms:ListGrants"}, resources: []string{keys}},
			{actions: []string{"rds:DescribeDBClusters", "rds:DisableHttpEndpoint"}, resources: []string{clusters}},
		},
	},
	"ConcludeDataApi": {
		announces:   true,
		keepsLedger: true,
		member: []grant{{actions: []string{"rds:AddTagsToResource", "rds:RemoveTagsFromResource"}, resources: []string{clusters},
			when: only(statusKeys...)}},
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
			// Not even a role whose policy somebody else wrote reads a secret that its owner did not tag.
			statement{"Effect": "Allow", "Resource": sub(secrets), "Action": "secretsmanager:GetSecretValue", "Condition": consents(map[string]map[string]any{})},
			statement{"Effect": "Allow", "Resource": sub(keys), "Action": []string{"kms:Decrypt", "kms:DescribeKey"}, "Condition": consents(map[string]map[string]any{})},
		),
	})
	boundary.CfnOptions().SetCondition(atHome)
}
