package connection

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Conflict is the status of a connection whose last hop somebody's network ACL blocks.
const Conflict workflow.Result = "Conflict"

// A Tag is one tag of a carrier.
type Tag struct{ Key, Value string }

// Status returns the tags by which a side's carrier says what became of a connection, and which destinations it reaches.
func Status(c workflow.Connection, s workflow.Side, result workflow.Result, reason string) []Tag {
	if s.Carrier != c.ID {
		return []Tag{{TagPeer + s.Peer.ID, fit(append([]string{string(result)}, texts(s.Peer.CIDRs)...))}}
	}
	tags := []Tag{{TagStatus, string(result)}, {TagReason, Value(reason)}}
	if len(s.Peer.CIDRs) > 0 {
		tags = append(tags, Tag{TagDestinations, fit(texts(s.Peer.CIDRs))})
	}
	return tags
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

// room is how many characters the value of a tag has room for.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
const room = 256

// Value makes text fit into a tag: EC2 takes most characters, but at most [room] of them.
func Value(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > room {
		runes = append(runes[:room-1], '…')
	}
	return string(runes)
}

// fit joins words to the value of a tag. Words that have no room are left out whole.
func fit(words []string) string {
	var b strings.Builder
	for _, w := range words {
		if b.Len()+1+len(w) > room {
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
