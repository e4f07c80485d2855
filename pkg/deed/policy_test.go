package deed

import (
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

func TestAPolicyIsTestedBeforeItIsInForce(t *testing.T) {
	entries := []ledger.Connection{{ID: "pcx-0b", Status: "Connected", Policy: "accept-auto"}, {ID: "pcx-0a", Policy: "accept-auto"}, {ID: "pcx-0c", Policy: "other"}}
	const nothing = `@id("nothing") forbid (principal, action, resource);`
	swap := TestPolicy("new.cedar", nothing, policy.Default(), entries)
	broken := TestPolicy("broken.cedar", "permit (principal, action, resource);\nforbid (", policy.Default(), entries)
	same := TestPolicy("same.cedar", "// as it is\n"+policy.DefaultText(), policy.Default(), entries)
	alone := TestPolicy("alone.cedar", nothing, nil, nil)
	answertest.Text(t, "policy", swap, false)
	answertest.Text(t, "policy-broken", broken, false)
	answertest.Schema[PolicyTest](t, "../..", "policy-test.v1", "drawbridge policy test FILE -o json", swap, broken, same, alone)
	if !swap.Valid || !slices.Contains(swap.Gone, "accept-auto") || len(swap.Decided) != 2 || swap.Decided[0].ID != "pcx-0a" {
		t.Errorf("%+v", swap)
	}
	for name, c := range map[string]struct {
		test  PolicyTest
		calls int
		says  string
	}{"another": {swap, 1, "pcx-0b, Connected, was decided by accept-auto"}, "broken": {broken, 0, "broken.cedar:"}, "the same": {same, 0, "in force says"}, "not compared": {alone, 1, "counts for every"}} {
		d := ApplyPolicy(hub, c.test, nothing)
		if len(d.Calls) != c.calls || !strings.Contains(strings.Join(d.Says, " "), c.says) {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if got := strings.Join(ApplyPolicy(hub, swap, nothing).Calls[0].Command, " "); !strings.HasSuffix(got, "--tier Intelligent-Tiering --value file://new.cedar") {
		t.Errorf("it is put by %s", got)
	}
}
