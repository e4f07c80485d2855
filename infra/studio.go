package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// studioMachine is about the readers of one Redshift cluster or workgroup.
var studioMachine = machine{
	name: "studio", define: (*hub).studio, starts: studioPatterns, forwards: studioKinds, steps: studioSteps,
}

// studio returns the definition of the machine drawbridge-studio:
//
//	InspectStudio ─ admit, retract ─→ WriteStudioRole → AdmitEachRole → IdentifyEachDomain → ReleaseEachRole → ConcludeStudio
//	              │                                               → Identified, AwaitingApps, Incomplete, Contested, Removed or Released
//	              ├ released ──────→ ConcludeStudio
//	              ├ announce → Announced
//	              ├ refuse ──→ Refused
//	              └ nothing ─→ Nothing
//
// What is granted and what is taken back goes the same way: the steps are given what shall be. Who leaves is out of the readers' role first;
// what an execution role needs for the setting of its domain goes after that setting.
func (h *hub) studio(scope constructs.Construct) sfn.IChainable {
	of := h.about(scope, "InspectStudio", nil)
	write := h.task(scope, "WriteStudioRole", pick("warehouse"), result{path: "-"})
	// The items are the numbers of the ledger's rows; what a step finds and does stands there, too. One execution writes to one execution role at a time; two
	// executions take turns by its lease.
	step := func(id, state, items string, atOnce float64) sfn.Map {
		item := data{"warehouse": at("$.warehouse"), "row": at("$$.Map.Item.Value")}
		return each(scope, id, mapped{items: items, answers: "-", item: item, atOnce: atOnce}, h.task(scope, state, pick("warehouse", "row"), result{output: "$.Payload"}))
	}
	admit := step("AdmitEachRole", "AdmitExecutionRole", "$.roles", 1)
	identify := step("IdentifyEachDomain", "IdentifyUsers", "$.domains", 0)
	release := step("ReleaseEachRole", "ReleaseExecutionRole", "$.leaving", 1)
	conclude := of.last("ConcludeStudio", pick("reason", "decision", "warehouse"),
		end{workflow.Identified, "Each person queries the cluster as the database user of their own name."},
		end{workflow.AwaitingApps, "A domain's setting follows by itself as soon as its apps are deleted."},
		end{workflow.Incomplete, incompleteEnd},
		end{workflow.Contested, contestedEnd},
		end{workflow.Removed, "Nobody reads the cluster any more; what was added for it is gone."},
		end{workflow.Released, releasedEnd})
	write.Next(admit).Next(identify).Next(release).Next(conclude)
	return of.answered(
		answer{workflow.AnswerAdmit, write}, answer{workflow.AnswerRetract, write}, answer{workflow.AnswerReleased, conclude},
		answer{workflow.AnswerAnnounce, of.ends(workflow.Announced, "A look was asked for at each cluster that the roles of the account, or the people of the domain, may read.")},
		answer{workflow.AnswerRefuse, of.ends(workflow.RefusedByPolicy, "The policy does not allow it; the output says which.")})
}

// peopleCalls change which execution roles the people of a Studio domain have.
var peopleCalls = []string{"CreateDomain", "UpdateDomain", "CreateUserProfile", "UpdateUserProfile"}

// studioPatterns are what starts the machine: an app that is deleted, and who works in a domain with which role. Clusters, workgroups and
// roles are told by drawbridge-change.
func studioPatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{
		"studio-apps":    recorded("sagemaker", "DeleteApp"),
		"studio-people":  recorded("sagemaker", peopleCalls...),
		"studio-inspect": internal(event.StudioToInspect),
	}
}

// studioKinds are what members forward for it.
var studioKinds = []kind{
	{
		name:    "studio",
		about:   "Somebody deleted an app of SageMaker Studio, or changed who works in it with which role.",
		pattern: callPattern([]string{"sagemaker"}, map[string]any{"eventName": append([]string{"DeleteApp"}, peopleCalls...)}),
	},
}

// IAM is the most dangerous thing that Drawbridge touches. So a role is made only under the path /drawbridge/ and only
// with the permissions boundary, and only one with Drawbridge's mark is changed there. What is somebody's own is written to only if its owner opted
// in on that very thing, by the tag drawbridge:studio=true on an execution role and on a domain, by drawbridge:studio on a cluster. What was
// added can be taken away also after the opt-in is gone: the mark is then on the thing, and only where the opt-in was could Drawbridge put it.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
var studioSteps = map[string]step{
	"InspectStudio": {
		leases:      "studio",
		brakes:      true,
		readsParam:  true,
		asksOrg:     true,
		keeps:       true,
		keepsLedger: true,
		announces:   true,
		member: []grant{
			{actions: []string{"redshift:DescribeClusters", "sagemaker:ListDomains", "sagemaker:ListUserProfiles"}},
			{actions: []string{"sagemaker:DescribeDomain", "sagemaker:DescribeUserProfile"},
				resources: []string{domains, arn("sagemaker", "user-profile/*")}},
			{actions: []string{"iam:GetRole"}, resources: []string{anyRole}},
		},
	},
	"WriteStudioRole": {
		keepsLedger: true,
		member: []grant{
			// A role that does not exist has no path: IAM is asked for the name alone.
			{actions: []string{"iam:GetRole", "iam:GetRolePolicy"}, resources: []string{studioRoles, studioNames}},
			{actions: []string{"iam:UpdateAssumeRolePolicy", "iam:DeleteRole", "iam:DeleteRolePolicy"}, resources: []string{studioRoles}, when: markedFor(nothingElse())},
			{actions: []string{"iam:TagRole"}, resources: []string{studioRoles}, when: only("drawbridge:connection")},
			{actions: []string{"iam:CreateRole", "iam:PutRolePolicy"}, resources: []string{studioRoles}, when: studioBounded(nothingElse())},
		},
	},
	"AdmitExecutionRole": {
		keepsLedger: true,
		member: []grant{
			{actions: []string{"iam:GetRole", "iam:GetRolePolicy"}, resources: []string{anyRole}},
			{actions: []string{"iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"}, resources: []string{anyRole},
				when: optedIn(nothingElse(), tag.Studio)},
			{actions: []string{"iam:TagRole", "iam:UntagRole"}, resources: []string{anyRole},
				when: optedIn(only("drawbridge:connection"), tag.Studio)},
		},
	},
	"IdentifyUsers": {
		brakes:      true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{"sagemaker:ListApps"}},
			{actions: []string{"sagemaker:DescribeDomain", "sagemaker:ListTags"}, resources: []string{domains}},
			{actions: []string{"sagemaker:UpdateDomain"}, resources: []string{domains}, when: optedIn(nothingElse(), tag.Studio)},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{domains}, when: optedIn(only("drawbridge:connection"), tag.Studio)},
			{actions: []string{"sagemaker:UpdateDomain"}, resources: []string{domains}, when: markedFor(nothingElse())},
			{actions: []string{"sagemaker:DeleteTags"}, resources: []string{domains}, when: markedFor(only("drawbridge:connection"))},
		},
	},
	"ReleaseExecutionRole": {
		keepsLedger: true,
		member: []grant{
			{actions: []string{"iam:GetRole", "iam:GetRolePolicy"}, resources: []string{anyRole}},
			{actions: []string{"iam:DeleteRolePolicy", "iam:UpdateAssumeRolePolicy"}, resources: []string{anyRole}, when: markedFor(nothingElse())},
			{actions: []string{"iam:UntagRole"}, resources: []string{anyRole}, when: markedFor(only("drawbridge:connection"))},
		},
	},
	"ConcludeStudio": {
		announces:   true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{"redshift:DescribeClusters"}},
			{actions: []string{"redshift:CreateTags"}, resources: []string{arn("redshift", "cluster:*")},
				when: has(only(tag.StudioStatus, tag.StudioReason, tag.StudioSince), tag.Studio)},
			{actions: []string{"redshift:CreateTags", "redshift:DeleteTags"}, resources: []string{arn("redshift", "cluster:*")},
				when: has(only(tag.StudioStatus, tag.StudioReason, tag.StudioSince), tag.StudioStatus)},
		},
	},
}

// nothingElse are conditions to which others are added.
func nothingElse() map[string]map[string]any { return map[string]map[string]any{} }

// markedFor adds the condition that the thing has the mark that Drawbridge can put only where the owner opted in, or on what it made.
func markedFor(when map[string]map[string]any) map[string]map[string]any {
	return and(when, "StringEquals", "aws:ResourceTag/drawbridge:connection", "studio")
}

// studioBounded adds the condition that the role has the permissions boundary of the readers' roles.
func studioBounded(when map[string]map[string]any) map[string]map[string]any {
	when["ArnEquals"] = map[string]any{"iam:PermissionsBoundary": sub(studioBoundaryARN)}
	return when
}

// has adds the condition that the thing has a tag, whatever it says.
func has(when map[string]map[string]any, key string) map[string]map[string]any {
	return and(when, "StringLike", "aws:ResourceTag/"+key, "?*")
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
