package gatewaypair

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	attached "github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// limit leaves out of a pair what came after the gateway's owner approved its attachments. What one of the two approvals covers is covered, and
// so is what the pair was connected with before. What waits is asked about as something of the first attachment that had to be approved. A pair
// neither of whose attachments had to be is not limited.
func (l *inspection) limit(ctx context.Context, surveyed []*survey.SideFacts) error {
	var limiting *ledger.Connection
	covered, limits := slices.Clone(l.entry.Approval.Covered), [2]bool{}
	for n, e := range l.q.Ends {
		entry, _, err := l.Ledger.Connection(ctx, e.Attachment.ID)
		if err != nil {
			return err
		}
		if len(entry.Approval.Covered) > 0 {
			covered, limits[n] = append(covered, entry.Approval.Covered...), true
			if limiting == nil {
				limiting = &entry
			}
		}
	}
	l.approval = ledger.Approval{}
	if limiting == nil {
		return nil
	}
	w := workflow.Waiting{Thing: limiting.ID, Account: l.q.Gateway.Owner, Region: l.place[0].Region}
	sides := survey.Sides(surveyed)
	before := cover.Ranges(sides)
	lines := split(sides, limits, covered, &w)
	l.approval.Covered = cover.Kept(l.entry.Approval.Covered, lines)
	if len(w.Shown) == 0 {
		return nil
	}
	l.shut, l.nothing = cover.Shut(sides, before), cover.Nothing(sides, before)
	survey.Appoint(sides...)
	what := fmt.Sprintf("%s and %s came after the approval and wait for the owner of %s in account %s", fit.Count(len(w.Ranges), "range"), fit.Count(len(w.Reachable), "database"), l.q.Gateway.ID, w.Account)
	l.out.Waits.Said = workflow.Alike(what)
	if cover.Told(limiting.Approval, w.Shown) {
		return nil
	}
	w.Said, w.Request = l.out.Waits.Said, workflow.Request{By: limiting.Asked, Approve: cover.Answer(limiting.Approval, w.Shown)}
	w.Known = workflow.Known{Requester: peering.Slim(surveyed[0].Here), Accepter: peering.Slim(surveyed[1].Here)}
	for _, facts := range []*workflow.Facts{w.Known.Requester, w.Known.Accepter} {
		var err error
		if facts.Account.Units, err = l.Units(ctx, facts.Account.OUPath); err != nil {
			return err
		}
	}
	l.out.Waits, l.asks = w, true
	return nil
}

// split takes off the sides of a pair what is not covered, says of it in w that it waits, and returns the lines of what stays. Databases of
// both are asked about, and the ranges of those whose attachment had to be approved, as limits says.
func split(sides []*workflow.Side, limits [2]bool, covered []string, w *workflow.Waiting) []string {
	all := slices.Contains(covered, cover.All)
	var stays []string
	waits := func(line string) bool {
		if all || slices.Contains(covered, line) {
			stays = append(stays, line)
			return false
		}
		w.Shown = append(w.Shown, line)
		return true
	}
	named := func(v workflow.VPC) workflow.VPC {
		return workflow.VPC{Account: v.Account, Region: v.Region, ID: v.ID}
	}
	for _, s := range sides {
		n := end(s)
		s.Peer.CIDRs = slices.DeleteFunc(slices.Clone(s.Peer.CIDRs), func(p netip.Prefix) bool {
			r := workflow.Ranged{CIDR: p, VPC: named(s.Peer)}
			if s.Owner != "" { // as its owner's side, which is before it
				return !slices.Contains(sides[n].Peer.CIDRs, p)
			}
			if !limits[1-n] || !waits(attached.Range(r)) {
				return false
			}
			w.Ranges = append(w.Ranges, r)
			return true
		})
		s.AllowedDatabases = slices.DeleteFunc(slices.Clone(s.AllowedDatabases), func(o workflow.AllowedDatabase) bool {
			r := workflow.Reachable{Database: o, VPC: named(s.VPC), From: named(s.Peer)}
			if !waits(attached.Database(r)) {
				return false
			}
			w.Reachable = append(w.Reachable, r)
			return true
		})
	}
	w.Shown = cover.Lines(w.Shown...)
	return cover.Lines(stays...)
}

// keep writes into the entry of the pair what it is connected with by approvals.
func (l *inspection) keep(ctx context.Context) error {
	if !l.weighed || slices.Equal(l.approval.Covered, l.entry.Approval.Covered) {
		return nil
	}
	_, err := l.Ledger.Change(ctx, l.out.Connection.ID, func(e *ledger.Connection) { e.Approval = l.approval })
	return err
}
