package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// step is what one function, that is one Task state, may do and gets to know. Least privilege lives in the machines' files
// alone: both the member account's role of a function and its own role in the hub are made from it.
type step struct {
	member     []grant // what the role drawbridge-member-<state> allows in the member account; none: it enters no account
	readsParam bool    // it reads the policy parameter: ssm:GetParameter on it, and POLICY_PARAMETER
	asksOrg    bool    // it asks where an account stands: organizations:DescribeAccount on the organization's accounts
	namesUnits bool    // it asks what units are called: organizations:DescribeOrganizationalUnit
	keeps      bool    // it keeps malformed events: sqs:SendMessage on the dead-letter queue, and DEAD_LETTER_QUEUE
	listsOrg   bool    // it enters no member account but lists them: organizations:ListAccounts, and REGIONS
	notifies   bool    // it tells people: sns:Publish on the topic, and TOPIC_ARN
	patient    bool    // it knows when a request is stuck: APPROVAL_PATIENCE, in days
	announces  bool    // it tells programs: events:PutEvents on the hub's bus, and BUS_NAME
	looksBack  bool    // it reads what became of an execution of the machines
	// it reads the ranges from which people call: ssm:GetParameter on their parameter, and CALLERS_PARAMETER
	readsCallers bool
	knowsRegions bool // it looks into all Regions: REGIONS
	readsLedger  bool // it reads what is Drawbridge's: items of the ledger, and LEDGER_TABLE
	keepsLedger  bool // it writes the ledger as well
	readsMode    bool // it enters no member and reads the mode all the same: ssm:GetParameter on it, and MODE_PARAMETER
	brakes       bool // it asks whether so much may be taken away: the ledger, BRAKE_CONNECTIONS and BRAKE_PERCENT
	takes        bool // whatever it changes in a member, it takes away: TAKES_AWAY
	resumes      bool // it starts executions of the machines that were held back
	// leases is the machine whose executions work on a thing one at a time: states:DescribeExecution on them, and EXECUTIONS
	leases string
}

// grant is one statement of a member role. What AWS does on behalf of who makes a call is in [onBehalf].
type grant struct {
	actions   []string
	resources []string                  // kinds of ARN as arn() writes them; nil: the actions know no resource
	when      map[string]map[string]any // IAM conditions
}

// functionNames are the names of all functions, of states and of listeners.
func functionNames() []string {
	return slices.Sorted(maps.Keys(all(steps, listeners)))
}

// all returns the entries of all maps.
func all(of ...map[string]step) map[string]step {
	out := map[string]step{}
	for _, m := range of {
		maps.Copy(out, m)
	}
	return out
}

// The kinds of things that several steps touch. All are in the member account itself, in any Region.
var (
	peerings    = arn("ec2", "vpc-peering-connection/*")
	attachments = arn("ec2", "transit-gateway-attachment/*")
	notebooks   = arn("sagemaker", "notebook-instance/*")
	rules       = arn("ec2", "security-group-rule/*")
	lifecycles  = arn("sagemaker", "notebook-instance-lifecycle-config/*")
	// A list that a table has a route to may be another account's, or AWS's own.
	prefixLists = "arn:${AWS::Partition}:ec2:*:*:prefix-list/*"
	// Those that Drawbridge makes, one for a subnet.
	ownLifecycles = arn("sagemaker", "notebook-instance-lifecycle-config/drawbridge-*")
)

// clients are the things of SageMaker that are looked at one by one, for the security groups of what calls databases.
var clients = grant{actions: []string{"sagemaker:DescribeDomain", "sagemaker:DescribeNotebookInstance", "sagemaker:DescribeUserProfile"},
	resources: []string{arn("sagemaker", "domain/*"), notebooks, arn("sagemaker", "user-profile/*")}}

// listClients are the lists of what calls databases; they know no resource.
var listClients = []string{
	"ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "lambda:ListFunctions", "sagemaker:ListDomains", "sagemaker:ListNotebookInstances", "sagemaker:ListUserProfiles",
}

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

// optedIn adds the condition that the owner of the resource set its tag key to true. IAM can ignore the case, but not blanks:
// one on either side is let through. What package tag reads as true beside that, IAM denies.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String
func optedIn(when map[string]map[string]any, key string) map[string]map[string]any {
	return and(when, "StringEqualsIgnoreCase", "aws:ResourceTag/"+key, "true", " true", "true ", " true ")
}

// authorize adds rules to security groups.
var authorize = []string{"ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress"}

// statusKeys are the tags of a peering, an attachment or a cluster by which people see how it stands, and since when.
var statusKeys = tag.StatusKeys()

// status lets a step write the status tags of a peering connection.
var status = grant{actions: []string{"ec2:CreateTags"}, resources: []string{peerings}, when: only(statusKeys...)}

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
