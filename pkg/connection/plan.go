package connection

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Conflict is the status of a connection whose last hop somebody's network ACL blocks.
const Conflict workflow.Result = "Conflict"

// A Tag is one tag of a carrier.
type Tag struct{ Key, Value string }

// Status returns the tags by which a side's carrier says what became of a connection, and which destinations it reaches.
func Status(c workflow.Connection, s workflow.Side, result workflow.Result, reason string) []Tag {
	if s.Carrier != c.ID {
		words := []string{string(result), s.Peer.Account}
		for _, k := range s.Kept {
			words = append(words, k.Table+"="+k.Destination.String())
		}
		return []Tag{{TagPeer + s.Peer.ID, join(append(words, texts(s.Peer.CIDRs)...), More)}}
	}
	tags := []Tag{{TagStatus, string(result)}, {TagReason, fit.Tag(reason)}}
	if len(s.Peer.CIDRs) > 0 {
		tags = append(tags, Tag{TagDestinations, join(texts(s.Peer.CIDRs), "")})
	}
	return tags
}

// Lacking is what a side is told of network ACLs that are in the way: of its own which entries lack, of the other's whom to ask.
func Lacking(s workflow.Side, own string) string {
	if own == "" {
		return fmt.Sprintf("a network ACL of %s lets the traffic not through; ask the owner of account %s", s.Peer.ID, s.Peer.Account)
	}
	return own + "; add the entries: Drawbridge reads network ACLs and does not change them"
}

// Connecting is the status of a connection whose routes are about to be added.
const Connecting workflow.Result = "Connecting"

// More is the last word of the tag of a peer that had no room for every destination.
const More = "+"

// A Record is what the tag of a peer says.
type Record struct {
	Result       workflow.Result
	Account      string // of the peer; empty if the tag does not say
	Destinations []netip.Prefix
	Kept         []workflow.Kept
	More         bool // there are destinations that the tag had no room for
}

// Read reads the tag of a peer, tolerantly: a tag is for everybody to write.
func Read(tag string) Record {
	var out Record
	for n, word := range strings.Fields(tag) {
		table, destination, kept := strings.Cut(word, "=")
		switch {
		case n == 0:
			out.Result = workflow.Result(word)
		case word == More:
			out.More = true
		case event.IsAccount(word):
			out.Account = word
		case kept:
			if p, err := netip.ParsePrefix(destination); err == nil {
				out.Kept = append(out.Kept, workflow.Kept{Table: table, Destination: p.Masked()})
			}
		default:
			if p, err := netip.ParsePrefix(word); err == nil {
				out.Destinations = append(out.Destinations, p.Masked())
			}
		}
	}
	return out
}

// Foreign returns the routes of tables to one of destinations through target that Drawbridge did not add, going by what
// the tag of the peer says, and what those of the carrier's other peers say:
//
//	recorded as kept                                    → foreign
//	its destination is recorded                         → Drawbridge's
//	another peer's tag claims it, not as kept           → Drawbridge's
//	the tag had no room for all destinations            → Drawbridge's
//	else: it was there before this connection           → foreign
func Foreign(tables []workflow.Table, destinations []netip.Prefix, target string, r Record, others ...Record) []workflow.Kept {
	out := slices.DeleteFunc(slices.Clone(r.Kept), func(k workflow.Kept) bool { return !slices.Contains(destinations, k.Destination) })
	for _, t := range tables {
		for _, route := range t.Routes {
			if route.Target != target || !slices.Contains(destinations, route.Destination) || slices.Contains(r.Destinations, route.Destination) || r.More {
				continue
			}
			kept := workflow.Kept{Table: t.ID, Destination: route.Destination}
			claimed := slices.ContainsFunc(others, func(o Record) bool {
				return slices.Contains(o.Destinations, route.Destination) && !slices.Contains(o.Kept, kept)
			})
			if !claimed {
				out = append(out, kept)
			}
		}
	}
	slices.SortFunc(out, func(a, b workflow.Kept) int {
		return cmp.Or(strings.Compare(a.Table, b.Table), a.Destination.Compare(b.Destination))
	})
	return slices.Compact(out)
}

// Claimed reports whether one of records claims the routes to d as Drawbridge's.
func Claimed(records []Record, d netip.Prefix) bool {
	return slices.ContainsFunc(records, func(r Record) bool { return slices.Contains(r.Destinations, d) })
}

// Destinations returns what Drawbridge may have routed to through a connection from one side: what the tag of the side's
// carrier says and what is known of the peer's CIDRs otherwise. Sorted, without doubles.
func Destinations(tag string, peer ...[]netip.Prefix) []netip.Prefix {
	out := slices.Concat(peer...)
	for _, text := range strings.Fields(tag) {
		if p, err := netip.ParsePrefix(text); err == nil { // a tag is for everybody to write
			out = append(out, p.Masked())
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}

// join joins words to the value of a tag. Words that have no room are left out whole; more, if it is not empty, says so.
func join(words []string, more string) string {
	var b strings.Builder
	for n, w := range words {
		left := fit.TagRoom - b.Len() - 1
		if n < len(words)-1 && more != "" {
			left -= 1 + len(more)
		}
		if len(w) > left {
			if more != "" {
				b.WriteString(" " + more)
			}
			break
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String()
}

func texts(cidrs []netip.Prefix) []string {
	var out []string
	for _, c := range cidrs {
		out = append(out, c.String())
	}
	return out
}
