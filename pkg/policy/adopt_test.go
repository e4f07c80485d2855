package policy_test

import (
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

func TestDefaultPolicyAboutTakingOver(t *testing.T) {
	set := policy.Default()
	closed := mustParse(t, policy.DefaultText()+`@id("hands-off") forbid (principal, action == Drawbridge::Action::"Adopt", resource);`)
	for name, c := range map[string]struct {
		got  policy.Decision
		want string
	}{
		"either owner asks":                {set.Adopt(data(), analytics(), policy.Context{}), "true adopt-asked"},
		"a stranger asks":                  {set.Adopt(stranger(), data(), policy.Context{}), "false within-organization"},
		"the other side never connects":    {set.Adopt(analytics(), data("drawbridge:accept=never"), policy.Context{Approval: "approved"}), "false accept-never"},
		"the other side wants to be asked": {set.Adopt(analytics(), data("drawbridge:accept=ask"), policy.Context{}), "false accept-ask"},
		"the other side was asked":         {set.Adopt(analytics(), data("drawbridge:accept=ask"), policy.Context{Approval: "approved"}), "true adopt-asked"},
		"the other side rejected":          {set.Adopt(analytics(), data(), policy.Context{Approval: "rejected"}), "false rejected-by-owner"},
		"the operators want nothing of it": {closed.Adopt(analytics(), data(), policy.Context{}), "false hands-off"},
	} {
		if got := fmt.Sprint(c.got.Allowed, " ", c.got.Policy); got != c.want {
			t.Errorf("%s: got %s (%s), want %s", name, got, c.got.Reason, c.want)
		}
	}
}
