package firewall_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// An owner who lets through by a prefix list what is wanted lacks nothing: no rule is added. A list that has only a part of it, or that cannot be read, is
// not enough.
func TestPrefixListsOfOwners(t *testing.T) {
	for _, c := range []struct {
		name    string
		entries []string
		added   int
	}{
		{"all of it", []string{"192.168.0.0/16", "10.0.0.0/8"}, 0},
		{"in parts", []string{"10.2.0.0/17", "10.2.128.0/17", "10.1.0.0/16", "10.11.0.0/16"}, 0},
		{"a part", []string{"10.2.0.0/17", "10.1.0.0/16"}, 1},
		{"nobody can read it", nil, 1},
	} {
		t.Run("egress, "+c.name, func(t *testing.T) {
			f := newAccount("sg-nb", "sg-db")
			f.lists = map[string][]string{"pl-1": c.entries}
			f.put("sg-nb", true, 3306, "pl-1")
			out, err := f.open("pcx-1", consumer(), workflow.Client{Groups: []string{"sg-nb"}, Count: 1})
			if err != nil || len(f.rules) != 1+c.added {
				t.Fatalf("%+v, %v:\n%s", out, err, f)
			}
			if n := slices.IndexFunc(out.Groups[0].Egress, func(r network.Rule) bool { return r.List == "pl-1" && !r.CIDR.IsValid() }); n < 0 {
				t.Error("the list's entries are handed over in its place: ", out.Groups)
			}
			if reads := count(f.calls, "Entries"); reads != 1 {
				t.Error("the list was read", reads, "times")
			}
		})
		t.Run("ingress, "+c.name, func(t *testing.T) {
			f, added := newAccount("sg-nb", "sg-db"), c.added
			f.lists = map[string][]string{"pl-1": c.entries}
			f.put("sg-db", false, 3306, "pl-1")
			if c.entries == nil { // each of the callers' two ranges lacks a rule
				added = 2
			}
			if out, err := f.open("pcx-1", producer()); err != nil || len(f.rules) != 1+added {
				t.Fatalf("%+v, %v:\n%s", out, err, f)
			}
		})
	}
}

// A list is not read for nothing: not where another rule serves, nor one for another port.
func TestPrefixListsThatNobodyNeeds(t *testing.T) {
	f := newAccount("sg-nb", "sg-db")
	f.put("sg-nb", true, 443, "pl-1")
	f.put("sg-nb", true, 0, "0.0.0.0/0")
	if _, err := f.open("pcx-1", consumer(), workflow.Client{Groups: []string{"sg-nb"}, Count: 1}); err != nil || len(f.rules) != 2 || count(f.calls, "Entries") != 0 {
		t.Error(f.calls, err)
	}
	f = newAccount("sg-nb", "sg-db")
	f.put("sg-nb", true, 443, "pl-1")
	if _, err := f.open("pcx-1", consumer(), workflow.Client{Groups: []string{"sg-nb"}, Count: 1}); err != nil || len(f.rules) != 2 || count(f.calls, "Entries") != 0 {
		t.Error(f.calls, err)
	}
}

func count(calls []string, prefix string) (n int) {
	for _, c := range calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}
