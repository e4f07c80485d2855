package policy_test

import (
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

func TestDefaultPolicyAboutStudio(t *testing.T) {
	role := func(from policy.VPC, tags ...string) policy.Role {
		return policy.Role{ARN: "arn:aws:iam::" + from.Account.ID + ":role/studio", Name: "studio", Region: "eu-central-1", Tags: tagged(tags...), Account: from.Account}
	}
	warehouse := func(tags ...string) policy.Warehouse {
		return policy.Warehouse{ARN: "arn:aws:redshift:eu-central-1:222222222222:cluster:sales", ID: "sales", Region: "eu-central-1", Tags: tagged(tags...), Account: data().Account}
	}
	shared := "drawbridge:studio=111111111111 999999999999"
	for name, c := range map[string]struct {
		role      policy.Role
		warehouse policy.Warehouse
		want      string
	}{
		"both owners agree":                  {role(analytics(), "drawbridge:studio=true"), warehouse(shared), "true identify-shared"},
		"the role's owner did not opt in":    {role(analytics()), warehouse(shared), "false default-deny"},
		"the role's owner opted out":         {role(analytics(), "drawbridge:studio=false"), warehouse(shared), "false default-deny"},
		"the cluster is not shared":          {role(analytics(), "drawbridge:studio=true"), warehouse(), "false default-deny"},
		"the cluster is shared with others":  {role(analytics(), "drawbridge:studio=true"), warehouse("drawbridge:studio=333333333333"), "false default-deny"},
		"true names nobody":                  {role(analytics(), "drawbridge:studio=true"), warehouse("drawbridge:studio=true"), "false default-deny"},
		"a stranger, though the tag says so": {role(stranger(), "drawbridge:studio=true"), warehouse(shared), "false within-organization"},
		"a role without a Region":            {policy.Role{ARN: "arn", Account: analytics().Account}, warehouse(shared), "false missing-facts"},
	} {
		d := policy.Default().Identify(c.role, c.warehouse, policy.Context{})
		if got := fmt.Sprint(d.Allowed, " ", d.Policy); got != c.want {
			t.Errorf("%s: got %s (%s), want %s", name, got, d.Reason, c.want)
		}
	}
}
