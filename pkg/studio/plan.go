package studio

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/statement"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// RoleName returns the name of the role that the readers of a cluster assume. A role's name has at most 64 characters; of
// a longer one the end becomes a hash.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func RoleName(region, cluster string) string {
	name := RolePrefix + region + "-" + cluster
	if len(name) <= 64 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:55] + "-" + hex.EncodeToString(sum[:4])
}

// document is an IAM policy.
type document struct {
	Version   string
	Statement []statement.Statement
}

func (d document) text() string {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and lists always encode
	}
	return string(text)
}

// Trust returns the trust policy of the readers' role: exactly the admitted execution roles, and only with a source
// identity. Those that leave are denied by name: so it is known who they are until what they were given is taken back, also
// to another execution. "" if there are neither.
func Trust(roles []workflow.ExecutionRole) string {
	of := map[bool][]string{}
	for _, r := range roles {
		of[r.Admit] = append(of[r.Admit], r.ARN)
	}
	var all []statement.Statement
	say := func(one statement.Statement, roles []string) {
		slices.Sort(roles)
		if one.Principal = map[string][]string{"AWS": slices.Compact(roles)}; len(roles) > 0 {
			all = append(all, one)
		}
	}
	actions := []string{"sts:AssumeRole", "sts:SetSourceIdentity"}
	say(statement.Statement{Sid: "DrawbridgeReaders", Effect: "Allow", Action: actions,
		// Without it somebody could assume the role as nobody.
		Condition: map[string]map[string][]string{"StringLike": {"sts:SourceIdentity": {"*"}}}}, of[true])
	say(statement.Statement{Sid: "DrawbridgeLeaving", Effect: "Deny", Action: actions}, of[false])
	if len(all) == 0 {
		return ""
	}
	return document{statement.Version, all}.text()
}

// Staying returns the roles without those that leave.
func Staying(roles []workflow.ExecutionRole) []workflow.ExecutionRole {
	return slices.DeleteFunc(slices.Clone(roles), func(r workflow.ExecutionRole) bool { return !r.Admit })
}

// Permissions returns what the readers' role may do: on exactly this cluster, as exactly the user of the session's source
// identity, in exactly the groups.
// https://docs.aws.amazon.com/redshift/latest/mgmt/generating-iam-credentials-role-permissions.html
func Permissions(w workflow.Warehouse) string {
	partition := arn.PartitionOf(w.ARN)
	of := func(kind, thing string) string {
		return arn.New(partition, "redshift", w.Region, w.Account, kind+":"+thing)
	}
	const self = "${aws:SourceIdentity}"
	asSelf := map[string]map[string][]string{"StringEquals": {"redshift:DbUser": {self}}}
	all := []statement.Statement{
		{Sid: "DrawbridgeCredentials", Effect: "Allow", Action: []string{"redshift:GetClusterCredentials"},
			Resource: []string{of("dbname", w.ID+"/*"), of("dbuser", w.ID+"/"+self)}, Condition: asSelf},
		{Sid: "DrawbridgeCreateUser", Effect: "Allow", Action: []string{"redshift:CreateClusterUser"},
			Resource: []string{of("dbuser", w.ID+"/"+self)}, Condition: asSelf},
		{Sid: "DrawbridgeQuery", Effect: "Allow",
			Action:   []string{"redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement"},
			Resource: []string{of("cluster", w.ID)}},
		// These know a statement, not a cluster; each session sees its own.
		// https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-iam.html
		{Sid: "DrawbridgeResults", Effect: "Allow",
			Action:   []string{"redshift-data:CancelStatement", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult"},
			Resource: []string{"*"}, Condition: map[string]map[string][]string{"StringEquals": {"redshift-data:statement-owner-iam-userid": {"${aws:userid}"}}}},
		{Sid: "DrawbridgeDescribe", Effect: "Allow", Action: []string{"redshift:DescribeClusters"}, Resource: []string{"*"}},
	}
	if len(w.Groups) > 0 {
		var groups []string
		for _, g := range w.Groups {
			groups = append(groups, of("dbgroup", w.ID+"/"+g))
		}
		all = append(all, statement.Statement{Sid: "DrawbridgeJoinGroups", Effect: "Allow", Action: []string{"redshift:JoinGroup"}, Resource: groups})
	}
	return document{statement.Version, all}.text()
}

// Cluster returns the ARN of the cluster that [Permissions] were written for; "" if the policy is not of that form.
func Cluster(policy string) string {
	var d document
	if json.Unmarshal([]byte(policy), &d) != nil {
		return ""
	}
	for _, s := range d.Statement {
		if s.Sid == "DrawbridgeQuery" && len(s.Resource) == 1 {
			return s.Resource[0]
		}
	}
	return ""
}

// Readers returns the execution roles that the trust policy of a readers' role names, sorted: those that it admits, and those
// that leave.
func Readers(trust string) ([]string, error) {
	var d struct {
		Statement []struct {
			Sid       string
			Principal struct{ AWS any }
		}
	}
	if err := json.Unmarshal([]byte(trust), &d); err != nil {
		return nil, fmt.Errorf("reading the trust policy of the readers' role: %w", err)
	}
	var out []string
	for _, s := range d.Statement {
		switch v := s.Principal.AWS.(type) {
		case string:
			out = append(out, v)
		case []any:
			for _, one := range v {
				if text, ok := one.(string); ok {
					out = append(out, text)
				}
			}
		}
	}
	// IAM writes the id of a principal that was deleted instead of its ARN.
	out = slices.DeleteFunc(out, func(p string) bool { return !strings.Contains(p, ":role/") })
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Assume returns the inline policy of an execution role that may assume these readers' roles, and is one session with
// them by its source identity; "" if there is none.
func Assume(roles []string) string {
	if len(roles) == 0 {
		return ""
	}
	return document{statement.Version, []statement.Statement{{Sid: "DrawbridgeAssumeReaders", Effect: "Allow",
		Action: []string{"sts:AssumeRole", "sts:SetSourceIdentity"}, Resource: roles}}}.text()
}

// Assumed returns the readers' roles that an inline policy of ours lets an execution role assume, sorted. The empty
// policy lets it assume none. Somebody's edit of it is a [fault.Conflict].
func Assumed(policy string) ([]string, error) {
	if policy == "" {
		return nil, nil
	}
	var d document
	err := json.Unmarshal([]byte(policy), &d)
	if err != nil || len(d.Statement) != 1 || !slices.Equal(d.Statement[0].Action, []string{"sts:AssumeRole", "sts:SetSourceIdentity"}) {
		return nil, fault.NewConflict("the inline policy "+PolicyName+" is not as Drawbridge wrote it",
			"delete the inline policy "+PolicyName+" from the role, then redrive the execution: it is written anew")
	}
	roles := slices.Clone(d.Statement[0].Resource)
	slices.Sort(roles)
	return slices.Compact(roles), nil
}

// With returns the readers' roles with role among them, or without it; sorted.
func With(roles []string, role string, admit bool) []string {
	out := slices.DeleteFunc(slices.Clone(roles), func(r string) bool { return r == role })
	if admit {
		out = append(out, role)
	}
	slices.Sort(out)
	return out
}

// service is what assumes execution roles.
var service = arn.ServicePrincipal("sagemaker")

// setSourceIdentity is our statement in the trust policy of an execution role: SageMaker sets the source identity when it
// assumes the role for an app.
// https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
var setSourceIdentity = statement.Statement{
	Sid: Sid, Effect: "Allow", Principal: map[string][]string{"Service": {service}},
	Action: []string{"sts:SetSourceIdentity"},
}

// TrustOf returns the trust policy of an execution role with our statement if it reads any warehouse, without it
// otherwise. What others wrote stays byte for byte.
func TrustOf(trust string, reads bool) (string, error) {
	var out []byte
	var err error
	if reads {
		out, err = statement.Merge([]byte(trust), setSourceIdentity)
	} else {
		out, err = statement.Remove([]byte(trust), Sid)
	}
	if err == nil && out == nil {
		err = fault.NewConflict("nothing but Drawbridge's statement is left in the trust policy", "let "+service+" assume the role, then redrive the execution")
	}
	return string(out), err
}

// Ready reports whether a trust policy lets SageMaker set the source identity, by our statement or its owner's.
func Ready(trust string) bool {
	var d struct {
		Statement json.RawMessage
	}
	type one struct {
		Effect    string
		Principal struct{ Service any }
		Action    any
	}
	var statements []one
	if json.Unmarshal([]byte(trust), &d) != nil {
		return false
	}
	if json.Unmarshal(d.Statement, &statements) != nil {
		var single one
		if json.Unmarshal(d.Statement, &single) != nil {
			return false
		}
		statements = []one{single}
	}
	has := func(value any, wanted ...string) bool {
		list, _ := value.([]any)
		if text, ok := value.(string); ok {
			list = []any{text}
		}
		return slices.ContainsFunc(list, func(v any) bool {
			text, _ := v.(string)
			return slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, text) })
		})
	}
	return slices.ContainsFunc(statements, func(s one) bool {
		return s.Effect == "Allow" && has(s.Principal.Service, service) && has(s.Action, "sts:SetSourceIdentity", "sts:*", "*")
	})
}

// A Move is what is to be done with a domain's setting.
type Move string

// The moves.
const (
	Leave   Move = "leave"   // it is as it should be
	Set     Move = "set"     // people become identified
	Restore Move = "restore" // what it was before Drawbridge changed it
	Wait    Move = "wait"    // it would change, but apps are there
	Block   Move = "block"   // some apps could not start with it
)

// Identity decides about a domain's setting ExecutionRoleIdentityConfig. setting is what it is, was what [IdentityTag]
// says it was before Drawbridge changed it ("" if it did not), apps is how many apps are neither deleted nor failed.
//
//	wanted, already set                        → leave
//	wanted, a role is not ready for it         → block
//	wanted, not set                            → set, or wait while there are apps
//	not wanted, not ours                       → leave
//	not wanted, ours, still as we set it       → restore, or wait while there are apps
//	not wanted, ours, changed by its owner     → leave
func Identity(d workflow.Domain, setting, was string, apps int) Move {
	change := func(m Move) Move {
		if apps > 0 {
			return Wait
		}
		return m
	}
	switch {
	case d.Identify && setting == ByProfile:
		return Leave
	case d.Identify && len(d.Unready) > 0:
		return Block
	case d.Identify:
		return change(Set)
	case was == "" || setting != ByProfile:
		return Leave
	}
	return change(Restore)
}

// userForm is what the name of a database user may look like that GetClusterCredentials creates.
// https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentials.html
var userForm = regexp.MustCompile(`^[a-z][a-z0-9_+.@-]{0,63}$`)

// CanBeUser reports whether a user profile's name can be the name of a database user.
func CanBeUser(profile string) bool { return userForm.MatchString(profile) }

// End names the end of an execution about a warehouse, or, if that is none, about a domain alone.
//
//	a warehouse that nobody may read → Removed
//	a domain waits for its apps      → AwaitingApps
//	else                             → Identified
func End(w workflow.Warehouse, roles []workflow.ExecutionRole, domains []workflow.IdentifyUsersOutput) workflow.Result {
	switch {
	case w.ARN != "" && len(Staying(roles)) == 0:
		return workflow.Removed
	case slices.ContainsFunc(domains, func(d workflow.IdentifyUsersOutput) bool { return d.Waiting }):
		return workflow.AwaitingApps
	}
	return workflow.Identified
}
