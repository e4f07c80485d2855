package gatewaypair

import (
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// remains is what one side of a pair that is over still has of it.
type remains struct {
	items  []ledger.Item // of this account and Region
	absent *workflow.Hop // why there is nothing to remove here, or nobody to remove it
	closed bool          // it lets nobody in
	books  []workflow.Batch
}

// leftovers fills in what is to be taken back of a pair that is over, or not allowed any more: what the ledger has, and nothing else. A
// side that is gone or closed to us is named, and keeps nobody from cleaning the other; what the ledger has of a closed one stays there,
// and the entry with it, for another look. Of a pair that is let go of as it stands, nothing is taken back.
func (l *inspection) leftovers(ctx context.Context) error {
	out := &l.out
	var sides [2]remains
	if out.Result != workflow.Released {
		out.Result = workflow.Removed
		if err := survey.Both(func() error { return l.remains(ctx, 0, &sides[0]) }, func() error { return l.remains(ctx, 1, &sides[1]) }); err != nil {
			return err
		}
	}
	out.Ended = true
	for n, s := range sides {
		end, peer := l.q.Ends[n], l.q.Ends[1-n].VPC
		if s.absent != nil {
			out.Absent = append(out.Absent, *s.absent)
		}
		if s.closed || end.Closed {
			out.Ended = out.Ended && len(s.items) == 0
			continue
		}
		if !end.Member {
			if err := l.Ledger.Cancel(ctx, out.Connection.ID, s.items); err != nil { // nobody can take it back any more
				return err
			}
			continue
		}
		carrier := ""
		if end.Attachment != nil {
			carrier = end.Attachment.ID
		}
		if carrier != "" {
			tagged := workflow.StatusResource{Account: end.VPC.Account, Region: end.VPC.Region, ID: carrier, VPC: end.VPC.ID, Tags: []string{}}
			if slices.Contains(over, end.Attachment.State) { // it has no pairs any more
				tagged.VPC, tagged.Tags = "", []string{tag.Pairs}
			}
			out.Tagged = append(out.Tagged, tagged)
		}
		if len(s.items) == 0 && len(s.books) == 0 {
			continue
		}
		out.Sides = append(out.Sides, workflow.Side{Role: [2]string{Requester, Accepter}[n], VPC: workflow.VPC{Account: end.VPC.Account, Region: end.VPC.Region, ID: end.VPC.ID},
			Peer: workflow.VPC{Account: peer.Account, Region: peer.Region, ID: peer.ID}, StatusResource: carrier})
		out.Batches = append(out.Batches, s.books...)
	}
	vpcs := [2]workflow.VPC{l.q.Ends[0].VPC, l.q.Ends[1].VPC}
	if out.Result == workflow.Released {
		var err error
		out.Batches, out.Absent, err = l.surveyor(l.in.Execution, nil, policy.Context{}).Standing(ctx, l.entry, vpcs)
		return err
	}
	left, err := l.surveyor(l.in.Execution, nil, policy.Context{}).Left(ctx, l.entry, vpcs, l.q.Before, l.items)
	out.Sides, out.Batches, out.Absent = append(out.Sides, left.Sides...), append(out.Batches, left.Notebooks...), append(out.Absent, left.Absent...)
	out.Ended = out.Ended && !left.Stays
	return err
}

// remains looks whether one side is still there, and which notebooks may have a host route.
func (l *inspection) remains(ctx context.Context, n int, s *remains) error {
	end := l.q.Ends[n]
	for _, item := range l.items {
		if connection.At(item, end.VPC) {
			s.items = append(s.items, item)
		}
	}
	missing := func(ok bool, format string, args ...any) {
		s.absent = &workflow.Hop{Hop: end.VPC.ID, OK: ok, Detail: fmt.Sprintf(format, args...)}
	}
	switch {
	case !end.Member && !end.Closed:
		missing(false, "account %s is outside the organization, so whatever was added there stays", end.VPC.Account)
		return nil
	case l.closed[n] != nil:
		s.closed = true
		missing(false, "whatever was added there stays for now: %v", l.closed[n])
		return nil
	}
	surveyor := l.surveyor(l.in.Execution, nil, policy.Context{})
	there, err := surveyor.There(ctx, end.VPC)
	if why, unreadable := fault.Unreadable(err); unreadable {
		s.closed = true
		missing(false, "whatever was added there stays for now: %s", why)
		return nil
	}
	if err != nil {
		return err
	}
	if !there {
		missing(true, "the VPC is gone, and with it all that was added there")
		return nil
	}
	if l.q.Before {
		s.books, err = surveyor.Instances(ctx, end.VPC, "")
	}
	return err
}
