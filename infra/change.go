package main

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// changeMachine is about what may name several things, of whatever kinds.
var changeMachine = machine{
	name: "change", define: (*hub).change, starts: changePatterns, forwards: changeKinds, steps: changeSteps,
}

// change returns the definition of the machine drawbridge-change:
//
//	FindConnections ┬ WaitForOthers → ReportContest → Contested, Reported or Nothing
//	                ├ ReportFailure → Reported or Nothing
//	                ├ AnswerTags ┐
//	                └────────────┴ Announced or Nothing
//
// It starts nothing itself: for each thing that the event concerns, FindConnections puts one of Drawbridge's own events on the hub's bus,
// whose rules start the machine of that thing. Only where a tag was set or removed there is something to answer: whether its value means
// anything.
func (h *hub) change(scope constructs.Construct) sfn.IChainable {
	find := h.task(scope, "FindConnections", data{"event": at("$")}, result{output: "$.Payload"})
	ends := []answer{
		{"Announced", succeed(scope, "Announced", "Each thing that the event concerns is looked at by an execution of its own.")},
		{"Nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	}
	answerTags := h.task(scope, "AnswerTags", data{"things": at("$.tagged")}, result{path: "$.answered", selector: data{
		"told": at("$.Payload.told"), "cleared": at("$.Payload.cleared"), "reason": at("$.Payload.reason")}})
	answerTags.Next(choose(scope, "ChooseAnswered", "$.result", ends))
	// A run that takes one thing away takes others in the same minutes. Who is told of all of them is told once.
	wait := pause(scope, "WaitForOthers", seconds(5*60), "Whoever takes one thing away takes more of them in the same minutes, and their records come late.")
	report := h.task(scope, "ReportContest", data{"connection": at("$.contested")}, result{output: "$.Payload"})
	reported := succeed(scope, "Reported", "What an execution was about that did not come to its end says so now, and how it goes on; or the owner of what they made again themselves knows that it is theirs.")
	wait.Next(report).Next(choose(scope, "ChooseReported", "$.result", []answer{
		{"Contested", succeed(scope, "Contested", "Somebody took away again what was put back. It is left to them, and both owners were told how to end it.")},
		{"Reported", reported},
		{"Nothing", ends[1].next},
	}))
	failure := h.task(scope, "ReportFailure", data{"failed": at("$.failed")}, result{output: "$.Payload"})
	failure.Next(choose(scope, "ChooseSaid", "$.result", []answer{
		{"Reported", reported},
		{"Nothing", ends[1].next},
	}))
	// Most events tag nothing, and then the way is no longer.
	found := sfn.NewChoice(scope, jsii.String("ChooseFound"), &sfn.ChoiceProps{})
	found.When(sfn.Condition_Not(sfn.Condition_StringEquals(jsii.String("$.contested"), jsii.String(""))), wait, nil)
	found.When(sfn.Condition_Not(sfn.Condition_StringEquals(jsii.String("$.failed"), jsii.String(""))), failure, nil)
	found.When(sfn.Condition_IsPresent(jsii.String("$.tagged[0]")), answerTags, nil)
	for _, e := range ends {
		found.When(sfn.Condition_StringEquals(jsii.String("$.result"), jsii.String(string(e.is))), e.next, nil)
	}
	return find.Next(found)
}

// handCalls are all touches but those that start the machine by another rule.
func handCalls() []string {
	return slices.DeleteFunc(event.TouchCalls(touched...), func(call string) bool { return slices.Contains(named(touched, tag.Deletes), call) })
}

// changePatterns are what starts the machine: everything that may name several things, and what the services say of databases.
func changePatterns() map[string]*awsevents.EventPattern {
	network := slices.Concat(named(ec2, tag.Creates, tag.Deletes, tag.Changes), tableCalls, listCalls)
	return map[string]*awsevents.EventPattern{
		"ec2-tags":       callsOf(named(ec2, tag.Sets, tag.Removes)),
		"network":        callsOf(network),
		"service-tags":   recordedBy(ownTags, named(ownTags, tag.Sets, tag.Removes)...),
		"database":       recordedBy(databaseKeep, named(databaseKeep, tag.Creates, tag.Changes, tag.Deletes)...),
		"hands":          recordedBy(touched, handCalls()...),
		"contest":        internal(event.ContestToReport),
		"failure":        internal(event.FailureToReport),
		"roles":          recorded("iam", named([]string{"iam"}, tag.Creates, tag.Deletes)...),
		"secrets":        recordedBy([]string{"kms", "secretsmanager"}, named([]string{"kms", "secretsmanager"}, tag.Creates)...),
		"tagging":        recorded("tagging", named([]string{"tagging"}, tag.Sets, tag.Removes)...),
		"tag":            {Source: jsii.Strings("aws.tag"), DetailType: jsii.Strings("Tag Change on Resource")},
		"database-state": {Source: jsii.Strings("aws.rds"), DetailType: jsii.Strings("RDS DB Instance Event", "RDS DB Cluster Event")},
	}
}

// changeKinds are what members forward for it.
var changeKinds = []kind{
	{
		name:  "ec2-tags",
		about: "Somebody set or removed a tag of Drawbridge's, or all tags, on a VPC, a subnet, a route table, a security group, a peering, a transit gateway or an attachment.",
		pattern: callPattern(ec2, map[string]any{
			"eventName": named(ec2, tag.Sets, tag.Removes),
			"requestParameters": map[string]any{
				"resourcesSet": map[string]any{"items": map[string]any{"resourceId": []any{
					map[string]any{"prefix": "pcx-"}, map[string]any{"prefix": "tgw-"}, map[string]any{"prefix": "vpc-"}, map[string]any{"prefix": "subnet-"}, map[string]any{"prefix": "rtb-"}, map[string]any{"prefix": "sg-"}}}},
				// Whoever removes all tags names none.
				"tagSet": map[string]any{"items": map[string]any{"key": slices.Concat(wishes(ec2...), spoken, []any{map[string]any{"exists": false}})}},
			},
		}),
	},
	{
		name:    "network",
		about:   "Somebody made or deleted a VPC or a transit gateway, changed the addresses of a VPC or the entries of a prefix list, or made a subnet.",
		pattern: callPattern(ec2, map[string]any{"eventName": slices.Concat(named(ec2, tag.Creates, tag.Deletes, tag.Changes), listCalls)}),
	},
	{
		name:  "service-tags",
		about: "Somebody set or removed a tag of Drawbridge's on a database, a role, a notebook, a secret or a key.",
		pattern: callPattern(ownTags, map[string]any{
			"eventName": named(ownTags, tag.Sets, tag.Removes),
			"requestParameters": map[string]any{"$or": []any{
				map[string]any{"tags": map[string]any{"key": wishes(ownTags...)}},
				map[string]any{"tags": map[string]any{"tagKey": wishes("kms")}},
				map[string]any{"tagKeys": wishes(ownTags...)},
				map[string]any{"tags": wishes(ownTags...)},
			}},
		}),
	},
	{
		name:    "database",
		about:   "Somebody made, restored, changed or deleted a database.",
		pattern: callPattern(databaseKeep, map[string]any{"eventName": named(databaseKeep, tag.Creates, tag.Changes, tag.Deletes)}),
	},
	{
		name:  "roles",
		about: "Somebody made a role with a tag of Drawbridge's, or deleted a role, which may have had one.",
		pattern: callPattern([]string{"iam"}, map[string]any{"$or": []any{
			map[string]any{"eventName": named([]string{"iam"}, tag.Creates), "requestParameters": map[string]any{"tags": map[string]any{"key": wishes("iam")}}},
			map[string]any{"eventName": named([]string{"iam"}, tag.Deletes)},
		}}),
	},
	{
		name:  "secrets",
		about: "Somebody made a secret or a key with a tag of Drawbridge's.",
		pattern: callPattern([]string{"kms", "secretsmanager"}, map[string]any{
			"eventName": named([]string{"kms", "secretsmanager"}, tag.Creates),
			"requestParameters": map[string]any{"$or": []any{
				map[string]any{"tags": map[string]any{"key": wishes("secretsmanager")}},
				map[string]any{"tags": map[string]any{"tagKey": wishes("kms")}},
			}},
		}),
	},
	{
		name:  "tagging",
		about: "Somebody set or removed tags with the tagging API.",
		pattern: callPattern([]string{"tagging"}, map[string]any{
			"eventName":         named([]string{"tagging"}, tag.Sets, tag.Removes),
			"requestParameters": map[string]any{"resourceARNList": taggedARNs()},
		}),
	},
	{
		name:  "tag",
		about: "A tag that an owner sets for Drawbridge changed, where the service tells EventBridge so itself.",
		pattern: map[string]any{
			"source":      []string{"aws.tag"},
			"detail-type": []string{"Tag Change on Resource"},
			"detail":      map[string]any{"changed-tag-keys": tag.Keys()},
		},
	},
	{
		name:    "hands",
		about:   "Somebody changed, made or took away a rule, a security group, an endpoint, a lifecycle configuration or what a role may do: perhaps something of Drawbridge's.",
		pattern: callPattern(touched, map[string]any{"eventName": touchCalls()}),
	},
	{
		name:    "grants",
		about:   "Somebody, who is no service of AWS, retired a grant of a key.",
		pattern: grantPattern(),
	},
	{
		name:    "database-state",
		about:   "A database was created or deleted, or restarted.",
		pattern: databaseStates,
	},
}

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
	// The status tags and no others, of the things that have one.
	"ReportFailure": {
		notifies: true, announces: true, keepsLedger: true, looksBack: true, knowsRegions: true,
		member: []grant{
			status,
			{actions: []string{"ec2:CreateTags"}, resources: []string{attachments}, when: only(append([]string{tag.Pairs}, statusKeys...)...)},
			{actions: []string{"rds:DescribeDBClusters"}, resources: []string{clusters}},
			{actions: []string{"rds:AddTagsToResource"}, resources: []string{clusters}, when: only(statusKeys...)},
			{actions: []string{"redshift:DescribeClusters"}},
			{actions: []string{"redshift:CreateTags"}, resources: []string{arn("redshift", "cluster:*")},
				when: has(only(tag.StudioStatus, tag.StudioReason, tag.StudioSince), tag.Studio)},
			{actions: []string{"redshift:CreateTags"}, resources: []string{arn("redshift", "cluster:*")},
				when: has(only(tag.StudioStatus, tag.StudioReason, tag.StudioSince), tag.StudioStatus)},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:ListTags"}, resources: []string{notebooks}},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{notebooks}, when: only(tag.Reason, tag.Since, tag.Status)},
		},
	},
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
