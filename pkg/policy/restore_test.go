package policy_test

import (
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

func TestDefaultPolicyAboutPuttingBack(t *testing.T) {
	set, none := policy.Default(), policy.Context{}
	pipelines := mustParse(t, policy.DefaultText()+`@id("terraform-is-right") forbid (principal, action == Drawbridge::Action::"Restore", resource)
		when { resource.hasTag("managed-by") && resource.getTag("managed-by") == "terraform" };`)
	cluster := func(tags ...string) policy.Cluster {
		return policy.Cluster{ARN: "arn:aws:rds:eu-central-1:222222222222:cluster:orders", ID: "orders", Region: "eu-central-1", Tags: tagged(tags...), Account: data().Account}
	}
	warehouse := policy.Warehouse{ARN: "arn:aws:redshift:eu-central-1:222222222222:cluster:sales", ID: "sales", Region: "eu-central-1", Account: data().Account}
	role := func(tags ...string) policy.Role {
		return policy.Role{ARN: "arn:aws:iam::111111111111:role/studio", Name: "studio", Region: "eu-central-1", Tags: tagged(tags...), Account: analytics().Account}
	}
	consumer := policy.Consumer{Region: "eu-central-1", Account: analytics().Account}
	for name, c := range map[string]struct {
		got  policy.Decision
		want string
	}{
		"put back once":                     {set.Restore(data(), analytics(), none), "true restore-once"},
		"not for a stranger":                {set.Restore(data(), stranger(), none), "false within-organization"},
		"left where the thing's owner says": {pipelines.Restore(data("managed-by=terraform"), analytics(), none), "false terraform-is-right"},
		"a cluster's owner says so":         {pipelines.Restore(cluster("managed-by=terraform"), consumer, none), "false terraform-is-right"},
		"a cluster":                         {pipelines.Restore(cluster(), consumer, none), "true restore-once"},
		"an execution role's owner says so": {pipelines.Restore(role("managed-by=terraform"), warehouse, none), "false terraform-is-right"},
		"for an execution role":             {pipelines.Restore(warehouse, role("managed-by=terraform"), none), "true restore-once"},
		"an endpoint of a VPC":              {pipelines.Restore(data(), data(), none), "true restore-once"},
		"not on the other side":             {pipelines.Restore(analytics(), data("managed-by=terraform"), none), "true restore-once"},
	} {
		if got := fmt.Sprint(c.got.Allowed, " ", c.got.Policy); got != c.want {
			t.Errorf("%s: got %s (%s), want %s", name, got, c.got.Reason, c.want)
		}
	}
}
