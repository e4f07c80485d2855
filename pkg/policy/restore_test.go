package policy_test

import (
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

func TestDefaultPolicyAboutPuttingBack(t *testing.T) {
	set, none := policy.Default(), policy.Context{}
	tagged := mustParse(t, policy.DefaultText()+`@id("terraform-is-right") forbid (principal, action == Drawbridge::Action::"Restore", resource)
		when { resource.hasTag("managed-by") && resource.getTag("managed-by") == "terraform" };`)
	for name, c := range map[string]struct {
		got  policy.Decision
		want string
	}{
		"put back once":                     {set.Restore(data(), analytics(), none), "true restore-once"},
		"not for a stranger":                {set.Restore(data(), stranger(), none), "false within-organization"},
		"left where the thing's owner says": {tagged.Restore(data("managed-by=terraform"), analytics(), none), "false terraform-is-right"},
		"not on the other side":             {tagged.Restore(analytics(), data("managed-by=terraform"), none), "true restore-once"},
	} {
		if got := fmt.Sprint(c.got.Allowed, " ", c.got.Policy); got != c.want {
			t.Errorf("%s: got %s (%s), want %s", name, got, c.got.Reason, c.want)
		}
	}
}
