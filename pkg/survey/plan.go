package survey

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Reachable returns the peer's CIDRs that are of an address family which this side has too: nothing here could send to
// the others.
func Reachable(own, peer []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range peer {
		if slices.ContainsFunc(own, func(o netip.Prefix) bool { return o.Addr().Is4() == p.Addr().Is4() }) {
			out = append(out, p)
		}
	}
	return out
}

// Overlap returns the first two of a and b that have an address in common.
func Overlap(a, b []netip.Prefix) (netip.Prefix, netip.Prefix, bool) {
	for _, p := range a {
		for _, q := range b {
			if p.Overlaps(q) {
				return p, q, true
			}
		}
	}
	return netip.Prefix{}, netip.Prefix{}, false
}

// Appoint says which sides consume: whoever gets a database of the other role's. If nobody does (yet), the first is taken to be the one that
// asks, with the participants of its VPC. It tells each side what it has to know of the other, and forgets who calls where nothing is open to them.
func Appoint(sides ...*workflow.Side) {
	consumed := false
	for _, s := range sides {
		var openings []workflow.AllowedDatabase
		var clients []workflow.Client
		overlooked := false
		s.Unseen.There = false
		for _, other := range sides {
			if other.Role == s.Role {
				continue
			}
			openings, clients = append(openings, other.AllowedDatabases...), append(clients, other.Clients...)
			s.Unseen.There = s.Unseen.There || other.Unseen.Here || len(other.Unseen.Waiting) > 0
			overlooked = overlooked || other.Overlooked != ""
		}
		opened := len(openings) > 0
		openings = slices.DeleteFunc(openings, func(o workflow.AllowedDatabase) bool { return o.Withheld != nil })
		s.Ports, s.Goals, s.Services = ports(openings), goals(openings), services(openings, s.Peer.CIDRs, wide(s, sides))
		s.Refers = s.Refers && entire(s, sides)
		s.Callers = workflow.Callers{}
		switch {
		case len(s.AllowedDatabases) == 0:
		case wide(s, sides): // anything there may call
			s.Callers = workflow.Callers{CIDRs: slices.Clone(s.Peer.CIDRs), More: true}
		default:
			s.Callers = workflow.CallersOf(clients, s.Peer.CIDRs)
			s.Callers.More = s.Callers.More || overlooked
			s.Callers.Apart = keptOf(s, sides)
		}
		s.Consumer = opened
		consumed = consumed || s.Consumer
	}
	for _, s := range sides {
		if !s.Consumer && (consumed || s.Role != sides[0].Role) {
			s.Clients, s.Unread, s.Overlooked = nil, 0, ""
		}
		s.Consumer = s.Consumer || !consumed && s.Role == sides[0].Role
	}
	for _, s := range sides {
		lead(s, sides)
	}
}

// Sides returns the sides that were surveyed, for [Appoint].
func Sides(sides []*SideFacts) []*workflow.Side {
	var out []*workflow.Side
	for _, g := range sides {
		out = append(out, g.Side)
	}
	return out
}

// Values returns the sides that were surveyed, as they are now.
func Values(sides []*SideFacts) []workflow.Side {
	out := []workflow.Side{}
	for _, g := range sides {
		out = append(out, *g.Side)
	}
	return out
}

func ports(openings []workflow.AllowedDatabase) []int {
	var out []int
	for _, o := range openings {
		out = append(out, o.Port)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// goals are the addresses that databases may have, as few prefixes as possible; nothing if those of one are not known.
func goals(openings []workflow.AllowedDatabase) []netip.Prefix {
	var all []netip.Prefix
	for _, o := range openings {
		if len(o.CIDRs) == 0 {
			return nil
		}
		all = append(all, o.CIDRs...)
	}
	return network.Merge(all)
}

// keptOf are those groups of a side's callers that their owners keep out, sorted.
func keptOf(s *workflow.Side, sides []*workflow.Side) []string {
	var out []string
	for _, set := range s.Callers.Groups {
		for _, g := range set.Groups {
			if slices.ContainsFunc(sides, func(other *workflow.Side) bool { return other.Role != s.Role && slices.Contains(other.Apart, g) }) {
				out = append(out, g)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// wide reports whether the owner of a side's peer wants all of that VPC to be reached.
func wide(s *workflow.Side, sides []*workflow.Side) bool {
	return slices.ContainsFunc(sides, func(other *workflow.Side) bool { return other.Role != s.Role && other.Whole })
}

// entire reports whether all ranges of the peer VPC come to a side, in the families that do: a rule that refers to a group lets in what has it in any of
// them, also in one that waits for approval.
func entire(s *workflow.Side, sides []*workflow.Side) bool {
	return !slices.ContainsFunc(sides, func(other *workflow.Side) bool {
		return other.Role != s.Role && slices.ContainsFunc(other.VPC.CIDRs, func(p netip.Prefix) bool {
			return !slices.Contains(s.Peer.CIDRs, p) && slices.ContainsFunc(s.Peer.CIDRs, func(q netip.Prefix) bool { return q.Addr().Is4() == p.Addr().Is4() })
		})
	})
}

// services are the ports of databases, each with where those are, as far as it can be reached from here: reached. Of a VPC that is wanted whole, that is all of it.
func services(openings []workflow.AllowedDatabase, reached []netip.Prefix, whole bool) []workflow.Service {
	var out []workflow.Service
	for _, port := range ports(openings) {
		s := workflow.Service{Port: port}
		for _, o := range openings {
			if o.Port != port {
				continue
			}
			in := o.CIDRs
			if whole || len(in) == 0 {
				in = o.Family(reached)
			}
			s.CIDRs = append(s.CIDRs, in...)
			if !slices.ContainsFunc(s.Groups, func(set []string) bool { return slices.Equal(set, o.Groups) }) {
				s.Groups = append(s.Groups, o.Groups)
			}
		}
		if whole { // its ranges stay as they are
			s.CIDRs = slices.DeleteFunc(slices.Clone(reached), func(p netip.Prefix) bool { return !slices.Contains(s.CIDRs, p) })
		} else {
			s.CIDRs = network.Common(s.CIDRs, reached)
		}
		if len(s.CIDRs) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// Overlapping returns the conflict of two VPCs that are connected by something and have come to share addresses, or nil.
// What leads through the connection stays as it is: it still serves all other addresses.
func Overlapping(one, other workflow.VPC, by string) error {
	a, b, ok := Overlap(one.CIDRs, other.CIDRs)
	if !ok {
		return nil
	}
	return fault.NewConflict(fmt.Sprintf("%s of %s overlaps %s of %s, and %s connects them", a, one.ID, b, other.ID, by),
		"disassociate whichever of the two is new from its VPC, then redrive the execution; nothing of the connection was changed")
}

// Trimmed says what a trim is about.
func Trimmed(sides []workflow.Side) string {
	var what []string
	for _, s := range sides {
		if n := len(s.Trim.Rules); n > 0 {
			what = append(what, fmt.Sprintf("%d security group rules in %s", n, s.VPC.ID))
		}
		for _, d := range s.Trim.Destinations {
			what = append(what, fmt.Sprintf("routes of %s to %s", s.VPC.ID, d))
		}
	}
	return "no use any more for " + strings.Join(what, ", ")
}

// Closed returns the lines of the verdict about databases that are not opened because nobody can say to whom they shall be;
// of many, the first of each side.
func Closed(sides ...*SideFacts) []workflow.Hop {
	const few = 5
	var out []workflow.Hop
	for _, g := range sides {
		out = append(out, g.Unclear[:min(few, len(g.Unclear))]...)
		if more := len(g.Unclear) - few; more > 0 {
			out = append(out, workflow.Hop{Hop: "databases of " + g.Side.VPC.ID, Detail: fmt.Sprintf("%d more are not opened for such a reason", more)})
		}
	}
	return out
}

// AlsoReached says of each allowed database which of the databases that are shut could be reached all the same: what lets somebody in to a security group
// lets them in to all that has it, on the same port. A database that has a group which is shared with none of them is opened through that.
func AlsoReached(openings, shut []workflow.AllowedDatabase) {
	for n, o := range openings {
		openings[n].Shared = shared(o, shut)
		if len(openings[n].Shared) < len(o.Groups) {
			continue
		}
		for _, d := range shut {
			if d.Port == o.Port && slices.ContainsFunc(d.Groups, func(g string) bool { return slices.Contains(o.Groups, g) }) {
				openings[n].Also = append(openings[n].Also, d.Database)
			}
		}
	}
}

// shared returns the groups of an allowed database that databases which are shut have, too, on its port, with their names.
func shared(o workflow.AllowedDatabase, shut []workflow.AllowedDatabase) map[string][]string {
	out := map[string][]string{}
	for _, d := range shut {
		for _, g := range d.Groups {
			if d.Port == o.Port && slices.Contains(o.Groups, g) {
				out[g] = append(out[g], d.Database)
			}
		}
	}
	return out
}
