package template

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// stack is the part of a CloudFormation template that the tests speak of.
type stack struct {
	Resources map[string]struct {
		Type, Condition                     string
		DeletionPolicy, UpdateReplacePolicy string
		Properties                          map[string]any
	}
}

// statement is one statement of an IAM policy in a template; ARNs are as Fn::Sub has them.
type statement struct {
	role               string
	actions, resources []string
	condition, trusts  any
}

func read(t *testing.T, text string) stack {
	t.Helper()
	var s stack
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Resources) == 0 {
		t.Fatal("the template has no resources")
	}
	return s
}

// texts returns a text, a list of texts, or what Fn::Sub is given, as texts; other intrinsic functions as JSON.
func texts(value any) []string {
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, each := range v {
			all = append(all, texts(each)...)
		}
		return all
	case map[string]any:
		if sub, ok := v["Fn::Sub"].(string); ok {
			return []string{sub}
		}
	}
	text, _ := json.Marshal(value)
	return []string{string(text)}
}

func statements(role string, document any) []statement {
	var all []statement
	for _, s := range document.(map[string]any)["Statement"].([]any) {
		s := s.(map[string]any)
		if s["Effect"] != "Allow" {
			continue
		}
		all = append(all, statement{role, texts(s["Action"]), texts(s["Resource"]), s["Condition"], s["Principal"]})
	}
	return all
}

// grants returns what the roles with a name of their own allow, and whom each trusts.
func grants(t *testing.T, s stack) (allowed []statement, trusts map[string]statement) {
	t.Helper()
	trusts = map[string]statement{}
	for id, r := range s.Resources {
		switch r.Type {
		case "AWS::IAM::Role":
			role, named := r.Properties["RoleName"].(string)
			if !named {
				role = id
			}
			trusts[role] = statements(role, r.Properties["AssumeRolePolicyDocument"])[0]
			policies, _ := r.Properties["Policies"].([]any)
			for _, p := range policies {
				policy := p.(map[string]any)
				if whether, _ := policy["Fn::If"].([]any); len(whether) == 3 {
					policy = whether[1].(map[string]any) // a member that may be changed
				}
				allowed = append(allowed, statements(role, policy["PolicyDocument"])...)
			}
		case "AWS::IAM::Policy":
			allowed = append(allowed, statements(id, r.Properties["PolicyDocument"])...)
		}
	}
	if len(allowed) == 0 || len(trusts) == 0 {
		t.Fatal("the template has no roles")
	}
	return allowed, trusts
}

// A member that lets itself be observed only: whatever changes something stands in a policy of its own, which its roles then have not.
func TestAnObservedMembersRolesChangeNothing(t *testing.T) {
	reads, changes := 0, 0
	for id, r := range read(t, Member).Resources {
		if r.Type != "AWS::IAM::Role" || id == "ForwardRole" {
			continue
		}
		policies, _ := r.Properties["Policies"].([]any)
		for _, p := range policies {
			policy := p.(map[string]any)
			whether, _ := policy["Fn::If"].([]any)
			if len(whether) == 3 {
				if none, _ := json.Marshal(whether[2]); whether[0] != "MayChange" || string(none) != `{"Ref":"AWS::NoValue"}` {
					t.Errorf("%s has a policy under another condition: %v, else %s", id, whether[0], none)
				}
				changes++
				continue
			}
			for _, s := range statements(id, policy["PolicyDocument"]) {
				for _, action := range s.actions {
					reads++
					if !mode.Reads(action) {
						t.Errorf("%s may call %s although the account lets itself be observed only", id, action)
					}
				}
			}
		}
	}
	if reads < 100 || changes < 20 {
		t.Fatalf("%d actions that read, %d policies that change", reads, changes)
	}
}

func TestNoRoleAllowsEveryAction(t *testing.T) {
	for name, text := range map[string]string{"hub": Hub, "member": Member} {
		allowed, _ := grants(t, read(t, text))
		for _, s := range allowed {
			if len(s.actions) == 0 {
				t.Errorf("%s: a statement of %s has no action", name, s.role)
			}
			for _, a := range s.actions {
				if strings.Contains(a, "*") {
					t.Errorf("%s: %s allows %s", name, s.role, a)
				}
			}
		}
	}
}

// Whatever changes something names the kind of thing that it changes, in its own account. Only reads, and what AWS
// itself needs for the machine's logs and traces, stand on every resource. RAM's reads, and some of EC2's, are called Get, and an invitation
// belongs to the account that shares, as a gateway does; what carries a tag is asked for with no resource; the hosted zone of an endpoint is AWS's.
func TestOnlyReadsStandOnEveryResource(t *testing.T) {
	allowed, _ := grants(t, read(t, Member))
	for _, s := range allowed {
		for _, resource := range s.resources {
			if resource == "*" {
				for _, a := range s.actions {
					_, verb, _ := strings.Cut(a, ":")
					if !strings.HasPrefix(verb, "Describe") && !strings.HasPrefix(verb, "List") && !strings.HasPrefix(verb, "GetAccountAuthorization") &&
						!strings.HasPrefix(a, "ram:GetResourceShare") && !strings.HasPrefix(a, "ec2:GetTransitGateway") && a != "tag:GetResources" {
						t.Errorf("%s allows %s on *", s.role, a)
					}
				}
			} else if resource == "arn:${AWS::Partition}:iam::aws:policy/*" { // those that AWS manages
				for _, a := range s.actions {
					if _, verb, _ := strings.Cut(a, ":"); !strings.HasPrefix(verb, "Get") {
						t.Errorf("%s allows %s on %s", s.role, a, resource)
					}
				}
			} else if s.role != "drawbridge-forward" && !strings.Contains(resource, ":resource-share-invitation/") &&
				!strings.HasSuffix(resource, ":ec2:*:*:transit-gateway/*") && !slices.Equal(s.actions, []string{"ec2:GetManagedPrefixListEntries"}) && !slices.Equal(s.actions, []string{"route53:AssociateVPCWithHostedZone"}) && !strings.Contains(resource, ":${AWS::AccountId}:") {
				t.Errorf("%s reaches out of its account: %s", s.role, resource)
			}
		}
	}
	allowed, _ = grants(t, read(t, Hub))
	machine := []string{
		"logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
		"logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
		"organizations:ListAccounts",
		"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
	}
	for _, s := range allowed {
		for _, a := range s.actions {
			if slices.Contains(s.resources, "*") && !slices.Contains(machine, a) {
				t.Errorf("%s allows %s on *", s.role, a)
			}
		}
	}
}

// Nobody but people may set drawbridge:approval: every permission to set or delete tags lists the keys it is for.
func TestNoRoleMayApprove(t *testing.T) {
	tagging := 0
	for name, text := range map[string]string{"hub": Hub, "member": Member} {
		allowed, _ := grants(t, read(t, text))
		for _, s := range allowed {
			for _, a := range s.actions {
				_, verb, _ := strings.Cut(a, ":")
				if strings.HasPrefix(verb, "List") || strings.HasPrefix(verb, "Describe") || !strings.Contains(verb, "Tag") {
					continue
				}
				tagging++
				condition, _ := json.Marshal(s.condition)
				var when struct {
					ForAll map[string][]string `json:"ForAllValues:StringEquals"`
					Like   map[string][]string `json:"ForAllValues:StringLike"`
					Null   map[string]string
				}
				if err := json.Unmarshal(condition, &when); err != nil || len(when.ForAll["aws:TagKeys"])+len(when.Like["aws:TagKeys"]) == 0 || when.Null["aws:TagKeys"] != "false" {
					t.Errorf("%s: %s may change any tag: %s", name, s.role, condition)
				}
				for _, key := range when.ForAll["aws:TagKeys"] {
					if !strings.HasPrefix(key, "drawbridge:") || strings.ContainsAny(key, "*?") || key == "drawbridge:approval" {
						t.Errorf("%s: %s may change the tag %s", name, s.role, key)
					}
				}
				for _, key := range when.Like["aws:TagKeys"] {
					if key != "drawbridge:peer:*" { // one for each VPC at the other end of a gateway
						t.Errorf("%s: %s may change the tags %s", name, s.role, key)
					}
				}
			}
		}
	}
	if tagging == 0 {
		t.Fatal("no role sets tags")
	}
}

// hubOnly are the states that enter no member account.
var hubOnly = []string{"HoldExecution", "ListAccounts", "ReportContest", "ResumeExecutions", "TallyRebuild", "TallySweep"}

func TestAFunctionAssumesItsOwnMemberRoleAndNoOther(t *testing.T) {
	hub, _ := grants(t, read(t, Hub))
	assumes := map[string]string{}
	for _, s := range hub {
		if !slices.Contains(s.actions, "sts:AssumeRole") {
			continue
		}
		if len(s.resources) != 1 || len(s.actions) != 1 {
			t.Fatalf("%s assumes more than one role: %v", s.role, s.resources)
		}
		if condition, _ := json.Marshal(s.condition); string(condition) != `{"StringEquals":{"aws:ResourceOrgID":{"Ref":"OrganizationId"}}}` {
			t.Errorf("%s assumes roles outside the organization: %s", s.role, condition)
		}
		assumes[s.role] = s.resources[0]
	}
	_, trusts := grants(t, read(t, Member))
	for id := range tasks(t) {
		if slices.Contains(hubOnly, id) {
			continue
		}
		name := folder(id)
		if want := "arn:${AWS::Partition}:iam::*:role/drawbridge-member-" + name; assumes["drawbridge-"+name] != want {
			t.Errorf("drawbridge-%s assumes %q, not %q", name, assumes["drawbridge-"+name], want)
		}
		trust, exists := trusts["drawbridge-member-"+name]
		if !exists {
			t.Errorf("there is no role drawbridge-member-%s", name)
			continue
		}
		got, _ := json.Marshal([]any{trust.trusts, trust.condition})
		want := `[{"AWS":{"Fn::Sub":"arn:${AWS::Partition}:iam::${HubAccount}:root"}},` +
			`{"ArnEquals":{"aws:PrincipalArn":{"Fn::Sub":"arn:${AWS::Partition}:iam::${HubAccount}:role/drawbridge-` + name + `"}},` +
			`"StringEquals":{"aws:PrincipalOrgID":{"Ref":"OrganizationId"},"sts:ExternalId":{"Fn::If":["MayChange",{"Ref":"ExternalId"},{"Fn::Sub":"${ExternalId}-observe"}]}}}]`
		if string(got) != want {
			t.Errorf("drawbridge-member-%s trusts\n%s, not\n%s", name, got, want)
		}
	}
	if len(assumes) != len(tasks(t))-len(hubOnly) {
		t.Errorf("%d roles of the hub assume roles, for %d states", len(assumes), len(tasks(t)))
	}
}

// The bus is open to the organization and to nobody else, and what Drawbridge says to itself counts from the hub's account alone: a member may put
// events of that source on the bus, too.
func TestTheBusHearsTheOrganizationAndItselfFromTheHubAlone(t *testing.T) {
	buses, own := 0, 0
	for id, r := range read(t, Hub).Resources {
		switch r.Type {
		case "AWS::Events::EventBus":
			buses++
			policy, _ := json.Marshal(r.Properties["Policy"].(map[string]any)["Statement"])
			want := `[{"Action":"events:PutEvents","Condition":{"StringEquals":{"aws:PrincipalOrgID":{"Ref":"OrganizationId"}}},"Effect":"Allow","Principal":"*",` +
				`"Resource":{"Fn::Sub":"arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/drawbridge"},"Sid":"organization"}]`
			if string(policy) != want {
				t.Errorf("the bus lets in\n%s, not\n%s", policy, want)
			}
		case "AWS::Events::Rule":
			pattern, _ := r.Properties["EventPattern"].(map[string]any)
			if !slices.Contains(texts(pattern["source"]), event.Source) {
				continue
			}
			own++
			if account, _ := json.Marshal(pattern["account"]); string(account) != `[{"Ref":"AWS::AccountId"}]` {
				t.Errorf("the rule %s takes Drawbridge's own events from the account %s", id, account)
			}
		}
	}
	if buses != 1 || own < 10 {
		t.Fatalf("the hub has %d buses, and %d rules for its own events", buses, own)
	}
}

// Passwords are for those who use databases. What a role that Drawbridge makes may read, its boundary says, is not a function's.
func TestNoFunctionReadsASecret(t *testing.T) {
	seen := 0
	for _, text := range []string{Hub, Member} {
		all, _ := grants(t, read(t, text))
		for _, s := range all {
			for _, action := range s.actions {
				seen++
				for _, value := range []string{"secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "ssm:GetParameters", "kms:Decrypt"} {
					if action == value {
						t.Errorf("%s may call %s", s.role, action)
					}
				}
			}
		}
	}
	if seen < 200 {
		t.Fatalf("the roles have %d actions", seen)
	}
}

func TestAMemberHasRulesEverywhereAndRolesAtHome(t *testing.T) {
	rules, roles := 0, 0
	for id, r := range read(t, Member).Resources {
		switch r.Type {
		case "AWS::Events::Rule":
			rules++
			if r.Condition != "" {
				t.Errorf("the rule %s is made only under the condition %s", id, r.Condition)
			}
			account, _ := json.Marshal(r.Properties["EventPattern"].(map[string]any)["account"])
			if string(account) != `[{"Ref":"AWS::AccountId"}]` {
				t.Errorf("the rule %s would forward events of the account %s", id, account)
			}
		case "AWS::IAM::Role":
			roles++
			if r.Condition != "IsHomeRegion" {
				t.Errorf("the role %s is made in every Region", id)
			}
		case "AWS::IAM::ManagedPolicy":
			if name, _ := r.Properties["ManagedPolicyName"].(string); r.Condition != "IsHomeRegion" || !strings.HasSuffix(name, "-boundary") {
				t.Errorf("the managed policy %s is made in every Region, or is no permissions boundary", id)
			}
		default:
			t.Errorf("%s is a %s: a member has rules and roles, nothing that costs or runs", id, r.Type)
		}
	}
	if rules == 0 || roles != len(tasks(t))-len(hubOnly)+1 {
		t.Errorf("%d rules and %d roles for %d states", rules, roles, len(tasks(t)))
	}
}

func TestTheTemplatesNameNoAccount(t *testing.T) {
	for name, text := range map[string]string{"hub": Hub, "member": Member} {
		var whole map[string]any
		if err := json.Unmarshal([]byte(text), &whole); err != nil {
			t.Fatal(err)
		}
		delete(whole, "Parameters")
		rest, _ := json.Marshal(whole)
		for _, word := range []string{"123456789012", "us-east-1", "o-drawbridge0"} {
			if strings.Contains(string(rest), word) {
				t.Errorf("the %s template has %s outside its parameters", name, word)
			}
		}
	}
}

// Who may use a secret or a key is written by its owner: no state changes a secret, nor the policy of a key.
func TestNoFunctionRewritesThePolicyOfASecretOrAKey(t *testing.T) {
	seen := map[string]bool{}
	for _, text := range []string{Hub, Member} {
		all, _ := grants(t, read(t, text))
		for _, s := range all {
			for _, action := range s.actions {
				service, call, _ := strings.Cut(action, ":")
				if seen[service] = true; service == "secretsmanager" && !mode.Reads(action) || service == "kms" && strings.Contains(call, "Policy") && !mode.Reads(action) {
					t.Errorf("%s may call %s", s.role, action)
				}
			}
		}
	}
	if !seen["kms"] || !seen["secretsmanager"] {
		t.Fatalf("the roles call %v", seen)
	}
}
