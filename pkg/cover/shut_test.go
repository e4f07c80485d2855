package cover

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Where no range may pass yet, in either direction, a database is not open, and the verdict says so instead of what steps say of one that is.
func TestShut(t *testing.T) {
	const four, six = "10.1.0.0/16", "fd00:1::/56"
	ranges := func(all ...string) (out []netip.Prefix) {
		for _, r := range all {
			out = append(out, netip.MustParsePrefix(r))
		}
		return out
	}
	for name, c := range map[string]struct {
		was, is  []string // the requester's ranges
		open     [2][]string
		detail   string
		nothing  string
		networks string
	}{
		"all are approved":               {was: []string{four, six}, is: []string{four, six}, open: [2][]string{{"mine"}, {"sales"}}},
		"some are":                       {was: []string{four, six}, is: []string{six}, open: [2][]string{{"mine"}, {"sales"}}},
		"none of a database's family is": {was: []string{four, six}, is: []string{six}, networks: "IPV4", detail: "not open to vpc-a: all ranges of vpc-a by which it would be reached wait for approval"},
		"none of its family is there":    {was: []string{six}, is: []string{six}, networks: "IPV4", open: [2][]string{{"mine"}, {"sales"}}},
		"none is": {was: []string{four}, detail: "not open to vpc-a: all ranges of vpc-a by which it would be reached wait for approval",
			nothing: "nothing is connected: all ranges of vpc-a wait for approval"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := workflow.VPC{ID: "vpc-a", CIDRs: ranges(c.was...)}, workflow.VPC{ID: "vpc-b", CIDRs: ranges("10.2.0.0/16")}
			one := &workflow.Side{Role: "requester", VPC: a, Peer: b, AllowedDatabases: []workflow.AllowedDatabase{{Database: "mine", Network: c.networks}}}
			other := &workflow.Side{Role: "accepter", VPC: b, Peer: a, AllowedDatabases: []workflow.AllowedDatabase{{Database: "sales", Network: c.networks}}}
			sides := []*workflow.Side{one, other}
			before := Ranges(sides)
			other.Peer.CIDRs = ranges(c.is...)
			hops := Shut(sides, before)
			var said string
			for n, s := range sides {
				var open []string
				for _, o := range s.AllowedDatabases {
					open = append(open, o.Database)
				}
				if !slices.Equal(open, c.open[n]) {
					t.Errorf("%s opens %v, want %v", s.VPC.ID, open, c.open[n])
				}
			}
			for _, h := range hops {
				if h.OK {
					t.Errorf("%+v is said to hold", h)
				}
				if h.Hop == "database sales" {
					said = h.Detail
				} else if want := "not open to vpc-b: all ranges of vpc-a by which it would be reached wait for approval"; h.Detail != want {
					t.Errorf("%s: %q, want %q", h.Hop, h.Detail, want)
				}
			}
			if got := Nothing(sides, before); said != c.detail || got != c.nothing {
				t.Errorf("says %q and %q, want %q and %q", said, got, c.detail, c.nothing)
			}
		})
	}
}
