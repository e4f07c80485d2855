package cover

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Shut takes off the sides of a connection the databases that nobody reaches as long as ranges wait for approval: all ranges that would come to
// them, or all by which they would be found, wait. before are the peer's ranges of each side as they were with those that wait. It returns a line
// of the verdict for each of these databases: what the steps say of one that is open would not be true of it.
func Shut(sides []*workflow.Side, before [][]netip.Prefix) []workflow.Hop {
	type way struct{ was, is []netip.Prefix }
	var out []workflow.Hop
	for n, s := range sides {
		there := slices.IndexFunc(sides, func(o *workflow.Side) bool { return o.Role != s.Role })
		if there < 0 {
			continue
		}
		in, back := way{before[n], s.Peer.CIDRs}, way{before[there], sides[there].Peer.CIDRs}
		waits := func(o workflow.AllowedDatabase, w way) bool {
			return len(o.Family(w.was)) > 0 && len(o.Family(w.is)) == 0
		}
		s.AllowedDatabases = slices.DeleteFunc(slices.Clone(s.AllowedDatabases), func(o workflow.AllowedDatabase) bool {
			whose := s.Peer.ID
			if !waits(o, in) {
				if whose = s.VPC.ID; !waits(o, back) {
					return false
				}
			}
			out = append(out, workflow.Hop{Hop: "database " + o.Database, Detail: fmt.Sprintf(
				"not open to %s: all ranges of %s by which it would be reached wait for approval", s.Peer.ID, whose)})
			return true
		})
	}
	return out
}

// Nothing says of a connection in place of its reason that all ranges of a VPC wait, which leaves nothing of it; "" if something is left. sides and
// before are as in [Shut].
func Nothing(sides []*workflow.Side, before [][]netip.Prefix) string {
	for n, s := range sides {
		if len(before[n]) > 0 && len(s.Peer.CIDRs) == 0 {
			return fmt.Sprintf("nothing is connected: all ranges of %s wait for approval", s.Peer.ID)
		}
	}
	return ""
}

// Ranges returns the peer's ranges of each side, for [Shut].
func Ranges(sides []*workflow.Side) [][]netip.Prefix {
	var out [][]netip.Prefix
	for _, s := range sides {
		out = append(out, slices.Clone(s.Peer.CIDRs))
	}
	return out
}
