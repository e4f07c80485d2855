package policy_test

import (
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// What its owner keeps out stays out unless a forbid says otherwise: not for want of a permit or of facts, nor by a forbid that speaks of other actions or
// cannot be evaluated.
func TestWhatIsKeptOutIsForbiddenByAForbidAlone(t *testing.T) {
	none := policy.Context{}
	forbids := func(head, condition string) *policy.Set {
		return mustParse(t, policy.DefaultText()+fmt.Sprintf(`@id("no-islands") forbid (%s) when { %s };`, head, condition))
	}
	named := `principal, action == Drawbridge::Action::"Exclude", resource`
	of := func(account string) *policy.Set {
		return forbids(named, fmt.Sprintf("resource.account == %q", account))
	}
	nameless := analytics()
	nameless.CIDRs = nil
	var nothing *policy.Set
	for name, c := range map[string]struct {
		got  policy.Decision
		want string
	}{
		"the default policy":               {policy.Default().Exclude(analytics(), data(), none), "true default-permit"},
		"a stranger":                       {policy.Default().Exclude(stranger(), data(), none), "true default-permit"},
		"no policy":                        {nothing.Exclude(analytics(), data(), none), "true default-permit"},
		"forbidden to all":                 {forbids(named, "true").Exclude(analytics(), data(), none), "false no-islands"},
		"to the owner":                     {of(data().Account.ID).Exclude(analytics(), data(), none), "false no-islands"},
		"to another owner":                 {of(analytics().Account.ID).Exclude(analytics(), data(), none), "true default-permit"},
		"for who is at the other end":      {forbids(named, `principal.account == "111111111111"`).Exclude(analytics(), data(), none), "false no-islands"},
		"for others":                       {forbids(named, `principal.account == "111111111111"`).Exclude(data(), analytics(), none), "true default-permit"},
		"by the VPC's tag":                 {forbids(named, `resource.hasTag("stage") && resource.getTag("stage") == "prod"`).Exclude(analytics(), data("stage=prod"), none), "false no-islands"},
		"in one of its ranges":             {forbids(named, `resource.cidr.isInRange(ip("10.77.0.0/16"))`).Exclude(analytics(), withCIDRs(data(), "10.2.0.0/16", "10.77.0.0/16"), none), "false no-islands"},
		"every action":                     {forbids("principal, action, resource", "true").Exclude(analytics(), data(), none), "false no-islands"},
		"all that gives something":         {forbids(`principal, action in Drawbridge::Action::"Grant", resource`, "true").Exclude(analytics(), data(), none), "true default-permit"},
		"all about networks":               {forbids(`principal, action in Drawbridge::Action::"Network", resource`, "true").Exclude(analytics(), data(), none), "true default-permit"},
		"all that takes back":              {forbids(`principal, action in Drawbridge::Action::"Withdraw", resource`, "true").Exclude(analytics(), data(), none), "true default-permit"},
		"a forbid that fails":              {forbids(named, "9223372036854775807 + 1 == 0").Exclude(analytics(), data(), none), "true default-permit"},
		"facts are missing":                {forbids(named, "true").Exclude(nameless, data(), none), "true default-permit"},
		"a permit that names it":           {mustParse(t, `@id("islands") permit (`+named+`);`).Exclude(analytics(), data(), none), "true islands"},
		"a permit, and a forbid beats it":  {mustParse(t, `@id("islands") permit (`+named+`); @id("no-islands") forbid (`+named+`);`).Exclude(analytics(), data(), none), "false no-islands"},
		"and no other action is permitted": {mustParse(t, `@id("islands") permit (`+named+`);`).Widen(analytics(), data(), none), "false default-deny"},
	} {
		if got := fmt.Sprint(c.got.Allowed, " ", c.got.Policy); got != c.want || c.got.Action == policy.Exclude && c.got.Reason == "" {
			t.Errorf("%s: got %s (%s), want %s", name, got, c.got.Reason, c.want)
		}
	}
}
