package policy_test

import (
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

func TestDefaultPolicyAboutEndpoints(t *testing.T) {
	service := func(of policy.Account) policy.Service {
		return policy.Service{Name: "com.amazonaws.eu-central-1.sagemaker.api", Region: "eu-central-1", Account: of}
	}
	homeless := analytics()
	homeless.CIDRs = nil
	for name, c := range map[string]struct {
		vpc     policy.VPC
		service policy.Service
		want    string
	}{
		"a stranger gets nothing":                  {stranger(), service(stranger().Account), "false within-organization"},
		"a stranger gets nothing of ours":          {stranger(), service(analytics().Account), "false within-organization"},
		"a VPC that tells no addresses":            {homeless, service(analytics().Account), "false missing-facts"},
		"a service without a name":                 {analytics(), policy.Service{Region: "eu-central-1", Account: analytics().Account}, "false missing-facts"},
		"a VPC of the organization, its own":       {analytics(), service(analytics().Account), "true expose-as-tagged"},
		"a VPC of the organization, another one's": {analytics(), service(data().Account), "true expose-as-tagged"},
	} {
		d := policy.Default().Expose(c.vpc, c.service, policy.Context{})
		if got := fmt.Sprint(d.Allowed, " ", d.Policy); got != c.want {
			t.Errorf("%s: got %s (%s), want %s", name, got, d.Reason, c.want)
		}
	}
}

func TestAPolicyCanKeepAServiceOut(t *testing.T) {
	set, err := policy.Parse("test", []byte(`@id("all") permit (principal, action, resource);
@id("no-data-api") forbid (principal, action == Drawbridge::Action::"Expose", resource) when { resource.name like "*.rds-data" };`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"com.amazonaws.eu-central-1.rds-data": false, "com.amazonaws.eu-central-1.sagemaker.api": true} {
		if d := set.Expose(analytics(), policy.Service{Name: name, Region: "eu-central-1", Account: analytics().Account}, policy.Context{}); d.Allowed != want {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
