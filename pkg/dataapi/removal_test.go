package dataapi

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestRemovals(t *testing.T) {
	const cluster = "arn:aws:rds:us-east-1:222222222222:cluster:sales"
	yes, no := policy.Decision{Allowed: true}, policy.Decision{Policy: "no", Reason: "not allowed"}
	alpha := func(d policy.Decision) []workflow.Consumer {
		return []workflow.Consumer{{Account: "111111111111", Decision: d}}
	}
	tagged := func(value string) map[string]string {
		return tag.Clean(tag.StoredSecret, map[string]string{tag.DataAPI: value})
	}
	for name, c := range map[string]struct {
		facts Facts
		want  brake.Why
	}{
		"the cluster is gone":            {Facts{Cluster: workflow.Cluster{Gone: true}}, brake.Ended},
		"its owner says none":            {Facts{Tags: tag.Clean(tag.DBCluster, map[string]string{tag.DataAPI: "none"})}, brake.Ended},
		"its owner says undo":            {Facts{Consumers: alpha(yes), Secret: Secret{ARN: "s"}, Tags: map[string]string{tag.Manage: tag.Undo}}, brake.Ended},
		"its tag is gone":                {Facts{Tags: tag.Clean(tag.DBCluster, map[string]string{"Name": "x"})}, brake.Lost},
		"its tag means nothing":          {Facts{Tags: tag.Clean(tag.DBCluster, map[string]string{tag.DataAPI: "alpha"})}, brake.Lost},
		"the policy":                     {Facts{Consumers: alpha(no)}, brake.Forbidden},
		"the secret is for another":      {Facts{Consumers: alpha(yes), Secret: Secret{ARN: "s", Tags: tagged("payroll")}}, brake.Ended},
		"the secret's tag is gone":       {Facts{Consumers: alpha(yes), Secret: Secret{ARN: "s"}}, brake.Lost},
		"the key is for another":         {Facts{Consumers: alpha(yes), Secret: Secret{ARN: "s", Tags: tagged("sales"), Key: Key{Tags: tagged("payroll")}}}, brake.Ended},
		"the key's tag is gone":          {Facts{Consumers: alpha(yes), Secret: Secret{ARN: "s", Tags: tagged("sales")}}, brake.Lost},
		"the secret's tag means nothing": {Facts{Consumers: alpha(yes), Secret: Secret{ARN: "s", Tags: tagged("SALES!")}}, brake.Lost},
	} {
		c.facts.Cluster.ID, c.facts.Cluster.ARN, c.facts.Managed = "sales", cluster, true
		got := Removals(c.facts, workflow.InspectDataAPIOutput{Answer: workflow.AnswerRetract, Reason: "so"})
		if len(got) != 1 || got[0].Why != c.want || got[0].ID != cluster || !got[0].Stands {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
}

func TestOneOfSeveralConsumersIsAskedAbout(t *testing.T) {
	c := workflow.Cluster{ID: "sales", ARN: "arn:aws:rds:us-east-1:222222222222:cluster:sales", Account: "222222222222", Organization: "o-abc1234567"}
	before := workflow.DataAPI{Cluster: c, Consumers: []workflow.Consumer{{Account: "111111111111", Decision: policy.Decision{Allowed: true}}, {Account: "333333333333", Decision: policy.Decision{Allowed: true}}}}
	trust, err := Trust(before)
	if err != nil {
		t.Fatal(err)
	}
	f := Facts{Cluster: c, Managed: true, Role: &Role{Trust: string(trust)}, Consumers: []workflow.Consumer{
		{Account: "111111111111", Decision: policy.Decision{Allowed: true}}, {Account: "333333333333", Decision: policy.Decision{Policy: "no"}}, {Account: "444444444444", Decision: policy.Decision{Policy: "no"}}}}
	got := Removals(f, workflow.InspectDataAPIOutput{Answer: workflow.AnswerExpose})
	if len(got) != 1 || got[0].ID != c.ARN+" 333333333333" || !brake.Counts(got[0]) {
		t.Errorf("%+v, want the one that is let in now and not allowed any more", got)
	}
	// A suspended account stays as it is.
	for id, want := range map[string]bool{"333333333333": true, "444444444444": false} {
		if d := asItIs(workflow.AccountFacts{ID: id, Suspended: "SUSPENDED"}, f.Role); d.Allowed != want {
			t.Errorf("%s suspended: %+v, want %v", id, d, want)
		}
	}
}
