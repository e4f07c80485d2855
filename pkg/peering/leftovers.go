package peering

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// remembered is a managed peering that AWS shows nowhere any more, as its entry tells of it.
func remembered(entry ledger.Connection) Peering {
	p := Peering{ID: entry.ID, Status: "deleted", Message: "AWS does not show it any more", Tags: map[string]string{}}
	for _, s := range entry.Sides {
		e := End{Place: event.Place{Account: s.Account, Region: s.Region}, VPC: s.ID}
		if s.Role == Requester {
			p.Requester = e
		} else {
			p.Accepter = e
		}
	}
	return p
}

// remains is what one side of a peering that is over still has of it.
type remains struct {
	role   string
	here   workflow.VPC
	items  []ledger.Item // of this account and Region
	absent *workflow.Hop // why there is nothing to remove here, or nobody to remove it
	closed bool          // it lets nobody in
	books  []workflow.Batch
}

// leftovers fills in what is to be taken back of a peering that is over, or not allowed any more: what the ledger has, and nothing
// else. A side that is gone or closed to us is named, and keeps nobody from cleaning the other; what the ledger has of a closed
// one stays there, and the entry with it, for another look.
func (l *inspection) leftovers(ctx context.Context) error {
	p, entry, items, out := l.p, l.entry, l.items, &l.out
	out.Result = Ending(p, entry.Status, len(items) > 0)
	sides := [2]*remains{{role: Requester, here: out.Connection.Requester}, {role: Accepter, here: out.Connection.Accepter}}
	look := func(n int) error {
		s := sides[n]
		for _, item := range items {
			if connection.At(item, s.here) {
				s.items = append(s.items, item)
			}
		}
		err := l.accounts[n].Unreadable()
		if err == nil {
			err = l.remains(ctx, l.in.Execution, s, slices.Contains(out.Members, s.role), out.Result, entry.Status != "")
		}
		if why, unreadable := fault.Unreadable(err); unreadable {
			s.closed, s.absent = true, s.missing(false, "whatever was added there stays for now: %s", why)
			return nil
		}
		return err
	}
	if err := survey.Both(func() error { return look(0) }, func() error { return look(1) }); err != nil {
		return err
	}
	for n, s := range sides {
		member := slices.Contains(out.Members, s.role)
		if s.absent != nil {
			out.Absent = append(out.Absent, *s.absent)
		}
		if s.closed {
			out.Ended = out.Ended && len(s.items) == 0
			continue
		}
		if !member {
			if err := l.Ledger.Cancel(ctx, p.ID, s.items); err != nil { // nobody can take it back any more
				return err
			}
			continue
		}
		if l.shown && entry.Status != "" && entry.Status != ledger.Status(workflow.Removed) {
			out.Tagged = append(out.Tagged, workflow.StatusResource{Account: s.here.Account, Region: s.here.Region, ID: p.ID, Tags: tag.StatusKeys()})
		}
		if len(s.items) == 0 && len(s.books) == 0 {
			continue
		}
		peer := sides[1-n].here
		out.Sides = append(out.Sides, workflow.Side{Role: s.role, VPC: workflow.VPC{Account: s.here.Account, Region: s.here.Region, ID: s.here.ID},
			Peer: workflow.VPC{Account: peer.Account, Region: peer.Region, ID: peer.ID}, StatusResource: p.ID})
		out.Batches = append(out.Batches, s.books...)
	}
	left, err := l.surveyor(l.in.Execution, nil, policy.Context{}).Left(ctx, entry, [2]workflow.VPC{sides[0].here, sides[1].here}, out.Result == workflow.Removed, items)
	out.Sides, out.Batches, out.Absent = append(out.Sides, left.Sides...), append(out.Batches, left.Notebooks...), append(out.Absent, left.Absent...)
	out.Ended = out.Ended && !left.Stays
	return err
}

func (s *remains) missing(ok bool, format string, args ...any) *workflow.Hop {
	return &workflow.Hop{Hop: strings.TrimSpace(s.role + " " + s.here.ID), OK: ok, Detail: fmt.Sprintf(format, args...)}
}

// remains looks whether one side is still there, and which notebooks may have a host route. Where the ledger has nothing of the side and
// no status is to be taken off, nobody looks.
func (i Inspector) remains(ctx context.Context, execution string, s *remains, member bool, result workflow.Result, told bool) error {
	switch {
	case !member && len(s.items) > 0:
		s.absent = s.missing(false, "account %s is outside the organization, so whatever was added there stays", s.here.Account)
		return nil
	case !member || len(s.items) == 0 && !told:
		return nil
	}
	surveyor := i.surveyor(execution, nil, policy.Context{})
	there, err := surveyor.There(ctx, s.here)
	if err != nil {
		return err
	}
	if !there {
		s.absent = s.missing(true, "the VPC is gone, and with it all that was added there")
		return nil
	}
	if result == workflow.Removed {
		s.books, err = surveyor.Instances(ctx, s.here, "")
	}
	return err
}
