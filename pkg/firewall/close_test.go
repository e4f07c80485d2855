package firewall_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestPlanRemoval(t *testing.T) {
	item := func(left, group, key string) ledger.Item {
		return ledger.Item{Resource: group, Kind: ledger.Rule, Key: key, Left: left}
	}
	held := func(id, group, key string) firewall.Held {
		return firewall.Held{ID: id, Group: group, Key: key, Egress: strings.HasPrefix(key, "egress")}
	}
	const in, out = "ingress tcp 3306 10.1.0.0/16", "egress tcp 3306 10.1.0.0/16"
	for name, c := range map[string]struct {
		items []ledger.Item
		rules []firewall.Held
		want  string
	}{
		"as it was left":                        {[]ledger.Item{item("sgr-1", "sg-1", in)}, []firewall.Held{held("sgr-1", "sg-1", in)}, "[sg-1 false [sgr-1]] [] []"},
		"gone":                                  {[]ledger.Item{item("sgr-1", "sg-1", in)}, nil, "[] [sgr-1] []"},
		"gone, and there is one of the owner's": {[]ledger.Item{item("sgr-1", "sg-1", in)}, []firewall.Held{held("sgr-2", "sg-1", in)}, "[] [sgr-1] []"},
		"changed by its owner":                  {[]ledger.Item{item("sgr-1", "sg-1", in)}, []firewall.Held{held("sgr-1", "sg-1", "ingress tcp 1-9 10.1.0.0/16")}, "[] [] [sgr-1]"},
		"the answer was lost":                   {[]ledger.Item{item("", "sg-1", in)}, []firewall.Held{held("sgr-7", "sg-1", in)}, "[sg-1 false [sgr-7]] [] []"},
		"one call for each group and direction": {
			[]ledger.Item{item("sgr-4", "sg-2", in), item("sgr-3", "sg-1", out), item("sgr-2", "sg-1", "ingress tcp 3306 10.2.0.0/16"), item("sgr-1", "sg-1", in)},
			[]firewall.Held{held("sgr-1", "sg-1", in), held("sgr-2", "sg-1", "ingress tcp 3306 10.2.0.0/16"), held("sgr-3", "sg-1", out), held("sgr-4", "sg-2", in)},
			"[sg-1 false [sgr-1 sgr-2] sg-1 true [sgr-3] sg-2 false [sgr-4]] [] []"},
	} {
		t.Run(name, func(t *testing.T) {
			plan := firewall.PlanRemoval(c.items, c.rules)
			var got []string
			for _, r := range plan.Revoke {
				var ids []string
				for _, rule := range r.Rules {
					ids = append(ids, rule.ID)
				}
				got = append(got, fmt.Sprint(r.Group, " ", r.Egress, " ", ids))
			}
			ids := func(items []ledger.Item) (out []string) {
				for _, i := range items {
					out = append(out, i.Left)
				}
				return out
			}
			if told := fmt.Sprint(got, ids(plan.Gone), ids(plan.Others)); told != c.want {
				t.Errorf("plans %s, want %s", told, c.want)
			}
		})
	}
}

func TestCloseRevokesTheConnectionsRulesAndNoOthers(t *testing.T) {
	f, side := newAccount("sg-db"), producer()
	f.put("sg-db", false, 3306, "10.9.0.0/16") // the owner's
	side.Callers.CIDRs = side.Callers.CIDRs[:1]
	if _, err := f.open("pcx-1", side); err != nil {
		t.Fatal(err)
	}
	side.Callers.CIDRs = []netip.Prefix{cidr("10.3.0.0/16")}
	if _, err := f.open("pcx-2", side); err != nil {
		t.Fatal(err)
	}
	out, err := f.close("pcx-1", side)
	if err != nil || len(f.rules) != 2 || strings.Contains(f.String(), "10.1.0.0/16") {
		t.Fatalf("left %s, %v", f, err)
	}
	if len(out.Hops) != 1 || out.Hops[0].Detail != "TCP 3306 from 10.1.0.0/16 revoked" {
		t.Errorf("hops %+v", out.Hops)
	}
	f.calls = nil
	if _, err := f.close("pcx-1", side); err != nil || len(f.calls) != 0 {
		t.Errorf("the second time: %v, %v, want no call", f.calls, err)
	}
}

func TestCloseRevokesOnlyWhatIsTrimmed(t *testing.T) {
	for name, c := range map[string]struct {
		trim *workflow.Trim
		left string
	}{
		"one of two":               {&workflow.Trim{Rules: []string{"sgr-2", "sgr-gone"}}, "sgr-1 sgr-3 sgr-4"},
		"none":                     {&workflow.Trim{}, "sgr-1 sgr-2 sgr-3 sgr-4"},
		"some that are not ours":   {&workflow.Trim{Rules: []string{"sgr-3", "sgr-4"}}, "sgr-1 sgr-2 sgr-3 sgr-4"},
		"all, with the connection": {nil, "sgr-3 sgr-4"},
	} {
		t.Run(name, func(t *testing.T) {
			f, side := newAccount("sg-db"), producer()
			if _, err := f.open("pcx-1", side); err != nil {
				t.Fatal(err)
			}
			side.Callers.CIDRs = []netip.Prefix{cidr("10.3.0.0/16")}
			if _, err := f.open("pcx-2", side); err != nil {
				t.Fatal(err)
			}
			f.put("sg-db", false, 3306, "10.9.0.0/16")
			side.Trim = c.trim
			if out, err := f.close("pcx-1", side); err != nil || len(out.Hops) == 0 {
				t.Fatal(out, err)
			}
			var left []string
			for _, r := range f.rules {
				left = append(left, *r.SecurityGroupRuleId)
			}
			if got := strings.Join(left, " "); got != c.left {
				t.Errorf("left are %s, want %s", got, c.left)
			}
		})
	}
}

func TestCloseBesideAnotherExecution(t *testing.T) {
	f, side := newAccount("sg-db"), producer()
	if _, err := f.open("pcx-1", side); err != nil {
		t.Fatal(err)
	}
	f.before = func(call string) error { // it revokes one of the two just before, so that AWS revokes none
		if strings.HasPrefix(call, "Revoke") {
			f.take("sgr-1")
		}
		return nil
	}
	if _, err := f.close("pcx-1", side); err != nil || len(f.rules) != 0 {
		t.Errorf("left %s, %v", f, err)
	}
}

func TestARevocationThatFailsIsOfItsKind(t *testing.T) {
	for code, want := range map[string]fault.Kind{"RequestLimitExceeded": fault.Transient, "UnauthorizedOperation": fault.Refused} {
		f, side := newAccount("sg-db"), producer()
		if _, err := f.open("pcx-1", side); err != nil {
			t.Fatal(err)
		}
		f.before = func(call string) error {
			if strings.HasPrefix(call, "Revoke") {
				return &smithy.GenericAPIError{Code: code}
			}
			return nil
		}
		if _, err := f.close("pcx-1", side); fault.Of(err) != want || !strings.Contains(err.Error(), "sg-db") {
			t.Errorf("%s: %v, want %s that names sg-db", code, err, want)
		}
	}
}
