package board

import (
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Entries returns all entries that were read, in no order.
func (r Rows) Entries() []ledger.Connection { return r.entries }

// Entry returns one entry, and whether there is one.
func (r Rows) Entry(id string) (ledger.Connection, bool) {
	n := slices.IndexFunc(r.entries, func(c ledger.Connection) bool { return c.ID == id })
	if n < 0 {
		return ledger.Connection{}, false
	}
	return r.entries[n], true
}

// Items returns what an entry needs, with what is leaving for it, sorted by place, resource, kind and key.
func (r Rows) Items(id string) []ledger.Item { return r.itemsOf(id) }

// HostRoutes returns the lines of lifecycle configurations that are host routes for an entry: subnets need them, not the entry. In no order.
func (r Rows) HostRoutes(c ledger.Connection) []ledger.Item {
	var out []ledger.Item
	for _, i := range r.items {
		if contest.Serves(i, c) {
			out = append(out, i)
		}
	}
	return out
}

// With returns the ids of the entries that have a thing as a side, such as a VPC: by its id, or the end of its ARN.
func (r Rows) With(thing string) []string {
	var out []string
	for _, c := range r.entries {
		if thing != "" && slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.ID == thing || strings.HasSuffix(s.ID, ":"+thing) }) {
			out = append(out, c.ID)
		}
	}
	slices.Sort(out)
	return out
}

// Rules returns the rules of a security group that the ledger has, in no order.
func (r Rows) Rules(account, region, group string) []ledger.Item {
	var out []ledger.Item
	for _, i := range r.items {
		if i.Kind == ledger.Rule && i.Account == account && i.Region == region && i.Resource == group {
			out = append(out, i)
		}
	}
	return out
}

// Words returns what owners said about a thing, the oldest first.
func (r Rows) Words(thing string) []ledger.Word {
	out := slices.Clone(r.words[thing])
	ledger.SortWords(out)
	return out
}

// Lease returns the lease of an entry, and whether an execution has it.
func (r Rows) Lease(id string) (ledger.Lease, bool) {
	l, ok := r.leases[id]
	return l, ok && l.Holder != ""
}

// HeldBack returns what is held back about an entry.
func (r Rows) HeldBack(id string) []Held {
	out := []Held{}
	for _, h := range r.heldAll() {
		if about(h.Thing, id) {
			out = append(out, h)
		}
	}
	return out
}

// Approver returns the last word by which an owner who may answer approved a peering or an attachment: by a tag in the account that is asked, or by
// accepting there by hand. There is none if nobody approved, or if it was before the ledger kept words.
func Approver(c ledger.Connection, words []ledger.Word) (ledger.Word, bool) {
	n := slices.IndexFunc(c.Sides, func(s ledger.Side) bool { return s.Role == "accepter" })
	if n < 0 {
		return ledger.Word{}, false
	}
	for _, w := range slices.Backward(words) {
		answers := w.Said == tag.Approval && approves(w.Value) || w.Said == "AcceptVpcPeeringConnection"
		if answers && w.Account == c.Sides[n].Account {
			return w, true
		}
	}
	return ledger.Word{}, false
}

// Waiting returns what waits at the brake, each with its cause, sorted.
func (r Rows) Waiting() []string {
	out := []string{}
	for _, w := range r.braked {
		out = append(out, w.ID+": "+w.Cause)
	}
	slices.Sort(out)
	return out
}
