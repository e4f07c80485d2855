package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// check makes synthesis hold all the stacks to cdk-nag's AwsSolutions: a finding that is not answered here fails
// `cdk synth`. https://github.com/cdklabs/cdk-nag/blob/main/RULES.md
func check(app awscdk.App, hub, member awscdk.Stack) {
	cdknag.NagSuppressions_AddStackSuppressions(member, &[]*cdknag.NagPackSuppression{
		suppress("IAM5", "These actions only read, and IAM knows no resource for them.",
			`^Resource::\*$`),
		suppress("IAM5", "Drawbridge serves every peering, route table, security group, database and notebook of the account, "+
			"in every Region; which of them it may touch is decided by the policy, request by request.",
			`^Resource::arn:<AWS::Partition>:(ec2|rds|redshift|redshift-serverless|sagemaker):\*:<AWS::AccountId>:`),
		suppress("IAM5", "Which of the policies that AWS manages an account uses is its own affair; they are only read.",
			`^Resource::arn:<AWS::Partition>:iam::aws:policy/\*$`),
		suppress("IAM5", "Any role may be opened to Drawbridge by its owner; conditions on the role's tags let nothing be written to others.",
			`^Resource::arn:<AWS::Partition>:iam::<AWS::AccountId>:role/\*$`),
		suppress("IAM5", "The roles that Drawbridge makes itself, under its own path and always with a permissions boundary.",
			`^Resource::arn:<AWS::Partition>:iam::<AWS::AccountId>:role/(drawbridge\/)?drawbridge-[a-z-]+-\*$`),
		suppress("IAM5", "An invitation to a share belongs to the account that shares, and so does a gateway; whose are accepted and used is decided by the policy.",
			`^Resource::arn:<AWS::Partition>:ram:\*:\*:resource-share-invitation/\*$`, `^Resource::arn:<AWS::Partition>:ec2:\*:\*:transit-gateway/\*$`),
		suppress("IAM5", "A prefix list that a route table leads to may be another account's, or AWS's own; its entries are only read.",
			`^Resource::arn:<AWS::Partition>:ec2:\*:\*:prefix-list/\*$`),
		suppress("IAM5", "The zone with the private DNS names of an endpoint is AWS's own, and has a name only when it is there.",
			`^Resource::arn:<AWS::Partition>:route53:::hostedzone/\*$`),
		suppress("IAM5", "Which secret and key a cluster needs is said by its owner's tags; a policy of theirs is merged, never "+
			"replaced, under the checks of KMS and Secrets Manager.",
			`^Resource::arn:<AWS::Partition>:(kms|secretsmanager):\*:<AWS::AccountId>:(key\/|secret:)\*$`),
	}, nil)
	cdknag.NagSuppressions_AddStackSuppressions(hub, &[]*cdknag.NagPackSuppression{
		suppress("IAM5", "A function enters every account of the organization, by exactly one role name.",
			`^Resource::arn:<AWS::Partition>:iam::\*:role/drawbridge-member-[a-z-]+$`),
		suppress("IAM5", "A function writes all the streams of its own log group.",
			`^Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws/lambda/drawbridge-[a-z-]+:\*$`),
		suppress("IAM5", "Every account of the organization may ask to be connected, so each may have to be looked up.",
			`^Resource::arn:<AWS::Partition>:organizations::\*:account/<OrganizationId>/\*$`),
		suppress("IAM5", "Whoever is asked about an account reads in which of the organization's units it is, by name.",
			`^Resource::arn:<AWS::Partition>:organizations::\*:ou/<OrganizationId>/\*$`),
		suppress("IAM5", "Which execution failed is known only when it did; only those of Drawbridge's machines can be read.",
			`^Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:drawbridge-\*:\*$`),
		suppress("IAM5", "Which execution has the lease of a connection stands in the ledger; only those of the own machine can be read.",
			`^Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:drawbridge-(peering|transit|attachment|notebook|data-api|data-api-endpoint|private-notebooks|studio):\*$`),
		suppress("IAM5", "A Map Run's children are executions of the machine itself, with names that AWS makes.",
			`^Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:drawbridge-(sweep|rebuild)(/accounts)?:\*$`),
		suppress("IAM5", "The machine invokes its own functions, in any version.",
			`^Resource::<[A-Za-z]+Function[0-9A-F]{8}\.Arn>:\*$`),
		suppress("IAM5", "IAM knows no resource for log delivery and for X-Ray; these are all the actions that the machine has on *.",
			`^Resource::\*$`),
		suppress("SNS2", "CloudWatch cannot publish to a topic encrypted with the key that AWS manages, and a notification "+
			"holds names of resources and reasons, never a secret."),
		suppress("SQS3", "It is a dead-letter queue itself: that of the bus's rules, which the check does not see."),
	}, nil)
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)}), nil)
}

// suppress answers one rule of AwsSolutions with a reason, for the findings that match the patterns, or for all.
func suppress(rule, reason string, patterns ...string) *cdknag.NagPackSuppression {
	s := &cdknag.NagPackSuppression{Id: jsii.String("AwsSolutions-" + rule), Reason: jsii.String(reason)}
	if len(patterns) > 0 {
		var all []any
		for _, p := range patterns {
			all = append(all, &cdknag.RegexAppliesTo{Regex: jsii.String("/" + p + "/")})
		}
		s.AppliesTo = &all
	}
	return s
}
