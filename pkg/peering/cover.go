package peering

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// shows returns what the accepter's owner is asked about, as lines of package cover: the ranges of the requester's VPC, and the databases of
// their own that become reachable from there. A database of the requester's is the requester's to share.
func shows(c workflow.Connection, sides []workflow.Side) []string {
	var databases []workflow.AllowedDatabase
	for _, s := range sides {
		if s.Role == Accepter {
			databases = append(databases, s.AllowedDatabases...)
		}
	}
	return lines(c.Requester.CIDRs, databases)
}

func lines(ranges []netip.Prefix, databases []workflow.AllowedDatabase) []string {
	var out []string
	for _, r := range ranges {
		out = append(out, cover.Range(r))
	}
	for _, o := range databases {
		out = append(out, cover.Database(o))
	}
	return cover.Lines(out...)
}

// free reports whether the policy accepts without asking anybody: then an approval limits nothing.
func free(d policy.Decision) bool { return d.Allowed && d.Action == policy.Accept }

// rest is what of a connection does not wait for approval.
type rest struct {
	sides   []workflow.Side
	batches []workflow.Batch // of notebooks
	shut    []workflow.Hop   // databases that no range may reach yet
	nothing string           // if all waits, that it does
}

// limited returns the rest of a connection without what waits for approval: the accepter's databases that wait are not opened, and nothing of
// the accepter's leads to the requester's ranges that wait.
func limited(sides []workflow.Side, batches []workflow.Batch, late []string) rest {
	out := slices.Clone(sides)
	var all []*workflow.Side
	for n := range out {
		all = append(all, &out[n])
	}
	before := cover.Ranges(all)
	for n := range out {
		if out[n].Role != Accepter {
			continue
		}
		out[n].AllowedDatabases = slices.DeleteFunc(slices.Clone(out[n].AllowedDatabases), func(o workflow.AllowedDatabase) bool { return slices.Contains(late, cover.Database(o)) })
		out[n].Peer.CIDRs = slices.DeleteFunc(slices.Clone(out[n].Peer.CIDRs), func(p netip.Prefix) bool { return slices.Contains(late, cover.Range(p)) })
	}
	left := rest{sides: out, shut: cover.Shut(all, before), nothing: cover.Nothing(all, before)}
	survey.Appoint(all...)
	left.batches = slices.DeleteFunc(slices.Clone(batches), func(n workflow.Batch) bool {
		return !slices.ContainsFunc(out, func(s workflow.Side) bool {
			return s.Consumer && s.VPC.ID == n.VPC && s.VPC.Account == n.Account && s.VPC.Region == n.Region
		})
	})
	return left
}

// waiting returns what of a peering's ranges and databases is among late.
func waiting(c workflow.Connection, sides []workflow.Side, late []string) workflow.Waiting {
	w := workflow.Waiting{Thing: c.ID, Account: c.Accepter.Account, Region: c.Accepter.Region}
	var ranges []netip.Prefix
	var databases []workflow.AllowedDatabase
	for _, r := range c.Requester.CIDRs {
		if slices.Contains(late, cover.Range(r)) {
			ranges, w.Ranges = append(ranges, r), append(w.Ranges, workflow.Ranged{CIDR: r, VPC: named(c.Requester)})
		}
	}
	for _, s := range sides {
		for _, o := range s.AllowedDatabases {
			if s.Role == Accepter && slices.Contains(late, cover.Database(o)) {
				databases, w.Reachable = append(databases, o), append(w.Reachable, workflow.Reachable{Database: o, VPC: named(s.VPC), From: named(c.Requester)})
			}
		}
	}
	w.Shown = lines(ranges, databases)
	return w
}

// named is a VPC without its addresses.
func named(v workflow.VPC) workflow.VPC {
	return workflow.VPC{Account: v.Account, Region: v.Region, ID: v.ID}
}

// Slim returns what people are told of a VPC and its account.
func Slim(f *workflow.Facts) *workflow.Facts {
	if f == nil {
		return nil
	}
	return &workflow.Facts{VPC: f.VPC, Name: f.Name, Account: f.Account}
}

// waits says to each side that something waits. The accepter reads what it is, the requester of theirs which range, and of the other's that there is
// something. answer is what the accepter's tag says, and shown is what the question shows that they are to answer.
func waits(c workflow.Connection, w workflow.Waiting, answer string, shown []string, a ledger.Approval) workflow.Said {
	var ranges, names []string
	for _, r := range w.Ranges {
		ranges = append(ranges, r.CIDR.String())
	}
	for _, r := range w.Reachable {
		names = append(names, fmt.Sprintf("%s on TCP port %d", r.Database.Database, r.Database.Port))
	}
	some := func(all []string) string {
		const few = 3
		if len(all) > few {
			return fmt.Sprintf("%s and %d more", strings.Join(all[:few], ", "), len(all)-few)
		}
		return strings.Join(all, ", ")
	}
	var own, theirs []string
	if len(ranges) > 0 {
		own, theirs = append(own, some(ranges)), append(theirs, some(ranges))
	}
	if n := len(names); n > 0 {
		own, theirs = append(own, some(names)), append(theirs, fmt.Sprintf("%d of their databases", n))
	}
	stale := ""
	if cover.Yes(answer) && !cover.Answered(answer, a) {
		stale = "; " + old(answer)
	}
	return workflow.Said{
		Requester: fmt.Sprintf("%s came after the approval and waits for the owner of account %s", strings.Join(theirs, " and "), c.Accepter.Account),
		Accepter: fmt.Sprintf("came after the approval and waits for yours: %s; to approve, tag %s %s=%s%s", strings.Join(own, " and "), c.ID, tag.Approval,
			tag.ApprovedPrefix+cover.Digest(shown), stale),
	}
}

// old says that an answer is to a question that is not asked any more.
func old(answer string) string {
	return fmt.Sprintf("%s=%s answers an earlier question", tag.Approval, answer)
}
