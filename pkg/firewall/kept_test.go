package firewall_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// keeping is an account that keeps groups out, with a connection that its ledger knows.
func keeping(t *testing.T, id string, side workflow.Side, groups []string, kept ...string) *account {
	t.Helper()
	f := newAccount(groups...)
	f.kept = map[string]bool{}
	for _, g := range kept {
		f.kept[g] = true
	}
	f.begin(t, id, side)
	return f
}

func (f *account) begin(t *testing.T, id string, side workflow.Side) {
	t.Helper()
	if _, err := f.ledger.Begin(t.Context(), ledger.Connection{ID: id, Kind: "peering", Sides: []ledger.Side{{Role: side.Role, Account: side.VPC.Account, Region: side.VPC.Region, ID: side.VPC.ID}}}); err != nil {
		t.Fatal(err)
	}
}

// noted is what the entry of a connection notes, and whether an inspection that knew what side says has to look again.
func (f *account) noted(t *testing.T, side workflow.Side) (string, bool) {
	t.Helper()
	entry, _, err := f.ledger.Connection(t.Context(), "pcx-1")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(firewall.NotedIn(entry, side.VPC, side.Owner)), fault.Of(firewall.Known(entry, []workflow.Side{side})) == fault.Over
}

// A database is opened through a group that is not kept out, and not at all if there is none. What is kept out is noted, so that the machine looks again if its inspection
// did not know it; and it is noted no more once the tag is gone.
func TestAGroupThatIsKeptOut(t *testing.T) {
	for name, c := range map[string]struct {
		groups, kept []string
		opens        string // in which group
	}{
		"none is":              {[]string{"sg-a", "sg-b"}, nil, "sg-a"},
		"another is there":     {[]string{"sg-a", "sg-b"}, []string{"sg-a"}, "sg-b"},
		"all are":              {[]string{"sg-a", "sg-b"}, []string{"sg-a", "sg-b"}, ""},
		"one that nothing has": {[]string{"sg-a"}, []string{"sg-c"}, "sg-a"},
	} {
		side := producer()
		side.AllowedDatabases[0].Groups = c.groups
		f := keeping(t, "pcx-1", side, []string{"sg-a", "sg-b", "sg-c"}, c.kept...)
		out, err := f.open("pcx-1", side)
		if err != nil || len(out.Hops) != 1 || out.Hops[0].OK != (c.opens != "") {
			t.Fatalf("%s: %+v, %v", name, out.Hops, err)
		}
		if c.opens == "" && (len(f.rules) > 0 || !strings.Contains(out.Hops[0].Detail, "sg-a, sg-b out by the tag drawbridge:reach=none")) {
			t.Errorf("%s: %s, %s", name, f, out.Hops[0].Detail)
		}
		for _, r := range f.rules {
			if *r.GroupId != c.opens {
				t.Errorf("%s: %s", name, told(r))
			}
		}
		had := slices.DeleteFunc(slices.Clone(c.kept), func(g string) bool { return !slices.Contains(c.groups, g) })
		noted, again := f.noted(t, side)
		if noted != fmt.Sprint(had) || again != (len(had) > 0) {
			t.Errorf("%s: noted is %s, and the machine looks again: %v", name, noted, again)
		}
		side.Noted, side.Apart = had, had
		if _, again = f.noted(t, side); again {
			t.Errorf("%s: the machine looks again though its inspection knew it", name)
		}
		f.kept, side.Apart = nil, nil // the next inspection reads that
		if out, err = f.open("pcx-1", side); err != nil || !out.Hops[0].OK || len(f.rules) != 2 {
			t.Errorf("%s: the tag is gone: %+v, %s, %v", name, out.Hops, f, err)
		}
		if noted, again = f.noted(t, side); noted != "[]" || again {
			t.Errorf("%s: the tag is gone: noted is %s, and the machine looks again: %v", name, noted, again)
		}
	}
}

// What another connection has in a group that is kept out is going: nobody rests on it.
func TestARuleInAGroupThatIsKeptOutIsNotShared(t *testing.T) {
	side := producer()
	side.AllowedDatabases[0].Groups = []string{"sg-a", "sg-b"}
	f := keeping(t, "pcx-1", side, []string{"sg-a", "sg-b"})
	f.begin(t, "pcx-2", side)
	if _, err := f.open("pcx-2", side); err != nil || !strings.Contains(f.String(), "sg-a") {
		t.Fatal(f, err)
	}
	f.kept = map[string]bool{"sg-a": true}
	if _, err := f.open("pcx-1", side); err != nil || !strings.Contains(f.String(), "sg-b") {
		t.Errorf("%s, %v", f, err)
	}
	items, err := f.ledger.Items(t.Context(), "pcx-1")
	for _, i := range items {
		if i.Resource == "sg-a" {
			t.Errorf("pcx-1 needs %s of sg-a", i.Key)
		}
	}
	if err != nil || len(items) == 0 {
		t.Error(items, err)
	}
}

// A client is let out through a group that is not kept out, and what its owner's rules in one that is let out counts.
func TestEgressBesideAGroupThatIsKeptOut(t *testing.T) {
	for name, c := range map[string]struct {
		open, want string
	}{"another is there": {"", "Describe, Egress sg-b"}, "its owner lets it out": {"sg-a", "Describe"}} {
		side := consumer()
		f := keeping(t, "pcx-1", side, []string{"sg-a", "sg-b"}, "sg-a")
		if c.open != "" {
			f.put(c.open, true, 0, "0.0.0.0/0")
		}
		side.Apart = []string{"sg-a"}
		if _, err := f.open("pcx-1", side, workflow.Client{Groups: []string{"sg-a", "sg-b"}}); err != nil || strings.Join(f.calls, ", ") != c.want {
			t.Errorf("%s: calls are %v, %v", name, f.calls, err)
		}
		if noted, again := f.noted(t, side); noted != "[sg-a]" || again {
			t.Errorf("%s: noted is %s, and the machine looks again: %v", name, noted, again)
		}
	}
}

// Where a policy forbids to keep things out the database is opened as if there were no tag, and its owner is told; nothing is noted, and what was is so no more.
func TestAGroupThatMayNotBeKeptOut(t *testing.T) {
	for name, c := range map[string]struct {
		kept []string
		want string // what is said
	}{
		"the database's":         {[]string{"sg-a"}, "sg-a: not kept out by the tag drawbridge:reach=none, which policy no-islands forbids"},
		"all of the database's":  {[]string{"sg-a", "sg-b"}, "sg-a, sg-b: not kept out by the tag drawbridge:reach=none, which policy no-islands forbids"},
		"one that no database's": {[]string{"sg-c"}, ""}, // the inspection says it, if a client has it
		"none":                   {nil, ""},
	} {
		side := producer()
		side.AllowedDatabases[0].Groups, side.Overruled, side.Noted = []string{"sg-a", "sg-b"}, "no-islands", []string{"sg-a"}
		f := keeping(t, "pcx-1", side, []string{"sg-a", "sg-b", "sg-c"}, c.kept...)
		if _, err := f.ledger.Change(t.Context(), "pcx-1", func(e *ledger.Connection) {
			e.Sides[0].Apart = map[string][]string{side.VPC.Account: {"sg-a"}}
		}); err != nil {
			t.Fatal(err)
		}
		out, err := f.open("pcx-1", side)
		if err != nil || len(out.Hops) == 0 || !out.Hops[0].OK || !strings.HasPrefix(out.Hops[0].Detail, "sg-a opened") {
			t.Fatalf("%s: %+v, %v", name, out.Hops, err)
		}
		said := ""
		for _, h := range out.Hops[1:] {
			if said = h.Detail; !h.OK || h.Hop != workflow.ReachHop+side.VPC.ID {
				t.Errorf("%s: %+v", name, h)
			}
		}
		if said != c.want {
			t.Errorf("%s: said is %q, want %q", name, said, c.want)
		}
		if noted, again := f.noted(t, side); noted != "[]" || again {
			t.Errorf("%s: noted is %s, and the machine looks again: %v", name, noted, again)
		}
	}
}
