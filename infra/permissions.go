package main

import (
	"maps"
	"slices"
	"strings"
)

// step is what one function, that is one Task state, may do and gets to know. Least privilege lives in this file alone:
// both the member account's role of a function and its own role in the hub are made from it.
type step struct {
	member     []grant // what the role drawbridge-member-<state> allows in the member account
	readsParam bool    // it reads the policy parameter: ssm:GetParameter on it, and POLICY_PARAMETER
	asksOrg    bool    // it asks where an account stands: organizations:DescribeAccount on the organization's accounts
	keeps      bool    // it keeps malformed events: sqs:SendMessage on the dead-letter queue, and DEAD_LETTER_QUEUE
	listsOrg   bool    // it enters no member account but lists them: organizations:ListAccounts, and REGIONS
	notifies   bool    // it tells people: sns:Publish on the topic, and TOPIC_ARN
	announces  bool    // it tells programs: events:PutEvents on the hub's bus, and BUS_NAME
	looksBack  bool    // it reads what became of an execution of the machines
}

// grant is one statement of a member role.
type grant struct {
	actions   []string
	resources []string                  // kinds of ARN as arn() writes them; nil: the actions know no resource
	when      map[string]map[string]any // IAM conditions
}

// steps has one entry for each Task state of each machine. The narrowest resource and condition that IAM knows for an
// action is in the Service Authorization Reference:
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
//
// Reads that know no resource ("Describe", "List") stand alone, so that no write ever shares a statement with "*".
var steps = map[string]step{
	"InspectPeering": {
		readsParam: true,
		asksOrg:    true,
		keeps:      true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs", "ec2:DescribeRouteTables", "ec2:DescribeSubnets",
				"ec2:DescribeSecurityGroupRules",
				"redshift:DescribeClusters", "sagemaker:ListNotebookInstances",
			}},
			{actions: []string{"rds:DescribeDBInstances", "rds:DescribeDBClusters", "rds:DescribeDBSubnetGroups"},
				resources: []string{arn("rds", "db:*"), arn("rds", "cluster:*"), arn("rds", "subgrp:*")}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:ListTags"},
				resources: []string{notebooks}},
		},
	},
	"AcceptPeering": {
		member: []grant{{actions: []string{"ec2:AcceptVpcPeeringConnection"},
			resources: []string{arn("ec2", "vpc/*"), peerings}}},
	},
	"AskApproval": {
		notifies:  true,
		announces: true,
		member:    []grant{status},
	},
	"RefusePeering": {
		announces: true,
		member: []grant{status,
			{actions: []string{"ec2:RejectVpcPeeringConnection"}, resources: []string{peerings}}},
	},
	"AllowDnsResolution": {
		member: []grant{{actions: []string{"ec2:ModifyVpcPeeringConnectionOptions"}, resources: []string{peerings}}},
	},
	"AddRoutes": {
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables"}},
			{actions: []string{"ec2:CreateRoute", "ec2:ReplaceRoute"}, resources: []string{arn("ec2", "route-table/*")}},
		},
	},
	"OpenFirewall": {
		member: []grant{
			{actions: []string{
				"ec2:DescribeSecurityGroups", "lambda:ListFunctions",
				"sagemaker:ListDomains", "sagemaker:ListNotebookInstances",
			}},
			{actions: []string{"sagemaker:DescribeDomain", "sagemaker:DescribeNotebookInstance"},
				resources: []string{arn("sagemaker", "domain/*"), notebooks}},
			{actions: authorize, resources: []string{arn("ec2", "security-group/*")}},
			// A rule without the tag that says for which connection it is cannot be added.
			{actions: authorize, resources: []string{rules},
				when: and(only("drawbridge:connection"), "StringLike", "aws:RequestTag/drawbridge:connection", "pcx-*")},
			{actions: []string{"ec2:CreateTags"}, resources: []string{rules},
				when: and(only("drawbridge:connection"), "StringEquals", "ec2:CreateAction",
					"AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")},
		},
	},
	"InjectRoutes": {
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables", "sagemaker:ListNotebookInstances"}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:UpdateNotebookInstance"},
				resources: []string{notebooks}},
			{actions: []string{
				"sagemaker:DescribeNotebookInstanceLifecycleConfig", "sagemaker:UpdateNotebookInstanceLifecycleConfig",
			}, resources: []string{lifecycles}},
			{actions: []string{"sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:DeleteNotebookInstanceLifecycleConfig"},
				resources: []string{ownLifecycles}},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{notebooks}, when: only("drawbridge:status")},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{ownLifecycles}, when: only("drawbridge:subnet")},
		},
	},
	"InspectNotebooks": {
		readsParam: true,
		asksOrg:    true,
		keeps:      true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs", "ec2:DescribeRouteTables", "ec2:DescribeSubnets",
				"sagemaker:ListNotebookInstances",
			}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:ListTags"},
				resources: []string{notebooks}},
		},
	},
	"StopNotebook": {
		member: []grant{{actions: []string{"sagemaker:StopNotebookInstance"}, resources: []string{notebooks}}},
	},
	"StartNotebook": {
		member: []grant{{actions: []string{"sagemaker:StartNotebookInstance"}, resources: []string{notebooks}}},
	},
	"CloseFirewall": {
		member: []grant{
			{actions: []string{"ec2:DescribeSecurityGroupRules"}},
			// IAM knows no rule here, only its group.
			{actions: []string{"ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"},
				resources: []string{arn("ec2", "security-group/*")}},
		},
	},
	"RemoveRoutes": {
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables"}},
			{actions: []string{"ec2:DeleteRoute"}, resources: []string{arn("ec2", "route-table/*")}},
		},
	},
	"WithdrawRoutes": {
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables", "sagemaker:ListNotebookInstances"}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:UpdateNotebookInstance"},
				resources: []string{notebooks}},
			{actions: []string{
				"sagemaker:DescribeNotebookInstanceLifecycleConfig", "sagemaker:UpdateNotebookInstanceLifecycleConfig",
			}, resources: []string{lifecycles}},
			{actions: []string{"sagemaker:DeleteNotebookInstanceLifecycleConfig"}, resources: []string{ownLifecycles}},
			{actions: []string{"sagemaker:DeleteTags"}, resources: []string{notebooks}, when: only("drawbridge:status")},
		},
	},
	"ConcludeRemoval": {
		announces: true,
		member: []grant{{actions: []string{"ec2:DeleteTags"}, resources: []string{peerings},
			when: only("drawbridge:status", "drawbridge:reason", "drawbridge:destinations")}},
	},
	"FindPeerings": {
		announces: true,
		keeps:     true,
		member:    []grant{{actions: []string{"ec2:DescribeVpcPeeringConnections", "ec2:DescribeRouteTables"}}},
	},
	"ListAccounts": {listsOrg: true},
	"SweepAccount": {
		announces: true,
		member:    []grant{{actions: []string{"ec2:DescribeVpcPeeringConnections"}}},
	},
	"VerifyConnection": {
		announces: true,
		member: []grant{
			{actions: []string{"ec2:DescribeNetworkAcls"}},
			{actions: []string{"ec2:CreateTags"}, resources: []string{peerings},
				when: only("drawbridge:status", "drawbridge:reason", "drawbridge:destinations")},
		},
	},
}

// listeners are the functions that no machine has a state for: a rule starts them (notice.go). They enter no member
// account.
var listeners = map[string]step{
	"TellPeople": {notifies: true, announces: true, looksBack: true},
}

// functionNames are the names of all functions, of states and of listeners.
func functionNames() []string {
	return slices.Sorted(maps.Keys(both(steps, listeners)))
}

// both returns the entries of two maps.
func both(a, b map[string]step) map[string]step {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// The kinds of things that several steps touch. All are in the member account itself, in any Region.
var (
	peerings   = arn("ec2", "vpc-peering-connection/*")
	notebooks  = arn("sagemaker", "notebook-instance/*")
	rules      = arn("ec2", "security-group-rule/*")
	lifecycles = arn("sagemaker", "notebook-instance-lifecycle-config/*")
	// Those that Drawbridge makes, one for a subnet.
	ownLifecycles = arn("sagemaker", "notebook-instance-lifecycle-config/drawbridge-*")
)

// only lets through tags with these keys and no others. drawbridge:approval must never be one of them: that tag is how
// people decide, so Drawbridge must not be able to decide for them. ForAllValues holds for no keys at all, and EC2's
// DeleteTags without keys deletes every tag, so there must be some: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func only(keys ...string) map[string]map[string]any {
	return map[string]map[string]any{
		"ForAllValues:StringEquals": {"aws:TagKeys": keys},
		"Null":                      {"aws:TagKeys": "false"},
	}
}

// and adds one condition more.
func and(when map[string]map[string]any, operator, key string, values ...string) map[string]map[string]any {
	when[operator] = map[string]any{key: values}
	return when
}

// authorize adds rules to security groups.
var authorize = []string{"ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress"}

// status lets a step write the status tags of a peering connection.
var status = grant{actions: []string{"ec2:CreateTags"}, resources: []string{peerings},
	when: only("drawbridge:status", "drawbridge:reason")}

// arn returns the ARN, for Fn::Sub, of things of a service in the account of the stack and in any Region.
func arn(service, things string) string {
	return "arn:${AWS::Partition}:" + service + ":*:${AWS::AccountId}:" + things
}

// kebab returns the name of a state as its folder, function and role spell it: AcceptPeering is accept-peering.
func kebab(state string) string {
	var b strings.Builder
	for i, r := range state {
		if i > 0 && 'A' <= r && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
