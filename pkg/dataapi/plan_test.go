package dataapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const (
	clusterARN = "arn:aws:rds:us-east-1:222222222222:cluster:sales"
	keyARN     = "arn:aws:kms:us-east-1:222222222222:key/1"
	secretARN  = "arn:aws:secretsmanager:us-east-1:222222222222:secret:sales/reader-AbCdEf"
)

func sales() workflow.Cluster {
	return workflow.Cluster{Account: "222222222222", Region: "us-east-1", ID: "sales", ARN: clusterARN, Organization: "o-1"}
}

func consumer(account string, allowed bool) workflow.Consumer {
	return workflow.Consumer{Account: account, Decision: policy.Decision{Action: policy.Admit, Allowed: allowed, Policy: "p", Reason: "because"}}
}

// world is a cluster whose owner did everything right.
func world(change func(*Facts)) Facts {
	f := Facts{Cluster: sales(), Engine: "aurora-postgresql", Mode: "provisioned", Status: "available",
		Secret:    Secret{Name: "sales/reader", ARN: secretARN, Key: keyARN, Enabled: true},
		Consumers: []workflow.Consumer{consumer("111111111111", true)}}
	change(&f)
	return f
}

func ours() *Role {
	return &Role{Path: rolePath, Boundary: Boundary(sales()), Tags: map[string]string{TagConnection: clusterARN, TagSecret: "old", TagKey: "older"}}
}

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Facts)
		answer workflow.Answer
		result workflow.Result
		says   string // of an error
	}{
		"everything is right":             {func(*Facts) {}, workflow.AnswerExpose, workflow.Exposed, ""},
		"one of two is admitted":          {func(f *Facts) { f.Consumers = append(f.Consumers, consumer("9", false)) }, workflow.AnswerExpose, workflow.Exposed, ""},
		"our role is there":               {func(f *Facts) { f.Role = ours() }, workflow.AnswerExpose, workflow.Exposed, ""},
		"nobody is named":                 {func(f *Facts) { f.Consumers = nil }, workflow.AnswerNothing, workflow.Nothing, ""},
		"nobody is named any more":        {func(f *Facts) { f.Consumers, f.Role = nil, ours() }, workflow.AnswerRetract, workflow.Retracted, ""},
		"only the endpoint is left":       {func(f *Facts) { f.Consumers, f.Cluster.EndpointOurs = nil, true }, workflow.AnswerRetract, workflow.Retracted, ""},
		"only the status is left":         {func(f *Facts) { f.Consumers, f.Cluster.Tagged = nil, true }, workflow.AnswerRetract, workflow.Retracted, ""},
		"the cluster is gone":             {func(f *Facts) { f.Cluster.Gone = true }, workflow.AnswerNothing, workflow.Nothing, ""},
		"the cluster is gone, ours stays": {func(f *Facts) { f.Cluster.Gone, f.Role = true, ours() }, workflow.AnswerRetract, workflow.Retracted, ""},
		"nobody is admitted":              {func(f *Facts) { f.Consumers[0] = consumer("9", false) }, workflow.AnswerConclude, workflow.RefusedByPolicy, ""},
		"nobody is admitted any more": {func(f *Facts) { f.Consumers[0] = consumer("9", false); f.Role = ours() },
			workflow.AnswerRetract, workflow.RefusedByPolicy, ""},
		"a broken secret does not keep anybody in": {func(f *Facts) { f.Consumers, f.Role, f.Secret = nil, ours(), Secret{} },
			workflow.AnswerRetract, workflow.Retracted, ""},
		"an endpoint that the owner turned on, on Serverless v1": {func(f *Facts) { f.Mode, f.Cluster.Endpoint = "serverless", true },
			workflow.AnswerExpose, workflow.Exposed, ""},

		"a role of somebody's own":  {func(f *Facts) { f.Role = &Role{Path: "/", Boundary: Boundary(sales())} }, "", "", "is not Drawbridge's"},
		"our name in another path":  {func(f *Facts) { f.Role = ours(); f.Role.Path = "/" }, "", "", "is for " + clusterARN},
		"a role of another cluster": {func(f *Facts) { f.Role = ours(); f.Role.Tags[TagConnection] = "arn:other" }, "", "", "is for arn:other"},
		"a role without a boundary": {func(f *Facts) { f.Role = ours(); f.Role.Boundary = "" }, "", "", "lost its permissions boundary"},
		"not Aurora":                {func(f *Facts) { f.Engine = "mysql" }, "", "", "only Aurora"},
		"Serverless v1":             {func(f *Facts) { f.Mode = "serverless" }, "", "", "aws rds modify-db-cluster --db-cluster-identifier sales --enable-http-endpoint"},
		"no secret is named":        {func(f *Facts) { f.Secret = Secret{} }, "", "", "aws rds add-tags-to-resource"},
		"the tag names no secret": {func(f *Facts) {
			f.Secret = Secret{}
			f.Tags = tag.Clean(tag.DBCluster, map[string]string{tag.Secret: " "})
		}, "", "", "drawbridge:secret= means nothing"},
		"there is no such secret":     {func(f *Facts) { f.Secret.ARN = "" }, "", "", "does not exist"},
		"the secret is being deleted": {func(f *Facts) { f.Secret.Deleted = true }, "", "", "is being deleted"},
		"the key that AWS manages":    {func(f *Facts) { f.Secret.Key, f.Secret.Managed = "", true }, "", "", "aws secretsmanager update-secret --secret-id sales/reader --kms-key-id"},
		"a key of another account":    {func(f *Facts) { f.Secret.Key = strings.Replace(keyARN, "222222222222", "111111111111", 1) }, "", "", "a key of another account"},
		"a name too long for a tag":   {func(f *Facts) { f.Secret.ARN += strings.Repeat("x", 257-len(f.Secret.ARN)) }, "", "", "more than the 256 characters"},
		"a disabled key":              {func(f *Facts) { f.Secret.Enabled = false }, "", "", "enable the key"},
	} {
		out, err := Plan(world(c.change))
		if c.says != "" {
			if fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want a Conflict that says %q", name, err, c.says)
			}
			continue
		}
		if err != nil || out.Answer != c.answer || out.Result != c.result {
			t.Errorf("%s: %s, %s, %v, want %s, %s", name, out.Answer, out.Result, err, c.answer, c.result)
		}
		if out.Answer == workflow.AnswerExpose && out.DataAPI.Secret != (workflow.Secret{ARN: secretARN, Key: keyARN}) {
			t.Errorf("%s: the secret is %+v", name, out.DataAPI.Secret)
		}
	}
}

// What the role may do is written out, so that a change of it is seen.
func TestTheRole(t *testing.T) {
	api := workflow.DataAPI{Cluster: sales(), Secret: workflow.Secret{ARN: secretARN, Key: keyARN},
		Consumers: []workflow.Consumer{consumer("333333333333", true), consumer("999999999999", false), consumer("111111111111", true)}}
	trust, err := Trust(api)
	if err != nil {
		t.Fatal(err)
	}
	const wantTrust = `{"Version":"2012-10-17","Statement":[{"Sid":"DrawbridgeConsumers","Effect":"Allow",` +
		`"Principal":{"AWS":["arn:aws:iam::111111111111:root","arn:aws:iam::333333333333:root"]},"Action":["sts:AssumeRole"],` +
		`"Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-1"]}}}]}`
	if string(trust) != wantTrust {
		t.Errorf("the role trusts\n%s, want\n%s", trust, wantTrust)
	}
	rights, err := RolePolicy(api)
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Statement []struct {
			Action, Resource []string
		}
	}
	if err := json.Unmarshal(rights, &policy); err != nil {
		t.Fatal(err)
	}
	on := map[string][]string{}
	for _, s := range policy.Statement {
		for _, r := range s.Resource {
			on[r] = append(on[r], s.Action...)
		}
	}
	if got := slices.Sorted(maps.Keys(on)); !slices.Equal(got, []string{keyARN, clusterARN, secretARN}) {
		t.Errorf("the role has rights on %v", got)
	}
	if !slices.Equal(on[secretARN], []string{"secretsmanager:GetSecretValue"}) || !slices.Equal(on[keyARN], []string{"kms:Decrypt", "kms:DescribeKey"}) {
		t.Errorf("the role may %v", on)
	}
	for _, s := range append(KeyStatements(api), SecretStatements(api)...) {
		if s.Effect != "Allow" || !slices.Equal(s.Principal["AWS"], []string{RoleARN(api.Cluster)}) {
			t.Errorf("%s says more than to let the role in: %+v", s.Sid, s)
		}
	}
}

// Clusters with different names have different roles and statements, all of a form that AWS takes.
func TestNamesAreUnique(t *testing.T) {
	id := rapid.StringMatching(`[a-z](-?[a-z0-9]){0,31}`)
	rapid.Check(t, func(t *rapid.T) {
		one, other := id.Draw(t, "one"), id.Draw(t, "other")
		a, b := workflow.Cluster{ID: one}, workflow.Cluster{ID: other}
		for _, c := range []workflow.Cluster{a, b} {
			if len(RoleName(c.ID)) > 64 {
				t.Fatalf("%s has %d characters", RoleName(c.ID), len(RoleName(c.ID)))
			}
			if strings.ContainsFunc(sid(c, "Read"), func(r rune) bool {
				return !strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", r)
			}) {
				t.Fatalf("%s is no Sid", sid(c, "Read"))
			}
		}
		if (one == other) != (RoleName(one) == RoleName(other)) || (one == other) != (sid(a, "Read") == sid(b, "Read")) {
			t.Fatalf("%s and %s: roles %s and %s, statements %s and %s", one, other, RoleName(one), RoleName(other), sid(a, "Read"), sid(b, "Read"))
		}
	})
}
