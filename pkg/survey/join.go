package survey

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/participant"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// join returns the sides of the owners of both VPCs, and one for each participant, with what offer finds there. Who takes part, their sides
// say; if none of them opens anything, nothing that comes later would look, so it is read.
//
// A participant that cannot be read is no side: it is left out, and named.
func (s Surveyor) join(ctx context.Context, offer func(context.Context, *SideFacts) error, owners ...*SideFacts) ([]*SideFacts, error) {
	out := slices.Clone(owners)
	opened := slices.ContainsFunc(owners, func(g *SideFacts) bool { return len(g.Side.AllowedDatabases) > 0 })
	for _, g := range owners {
		v := g.Side.VPC
		if !opened && len(g.Side.Participants) == 0 {
			var err error
			if g.Side.Participants, err = participant.Read(ctx, s.Enter(v.Place()).EC2, v); err != nil {
				return nil, fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
			}
		}
		for _, account := range g.Side.Participants {
			joined, err := s.joined(ctx, g, account, offer)
			if why, unreadable := closed(err); unreadable {
				g.Unclear = append(g.Unclear, workflow.Hop{Hop: "participant " + account, Detail: fmt.Sprintf("takes part in %s and is left out, with its clients and databases: %s", v.ID, why)})
				continue
			}
			if err != nil {
				return nil, err
			}
			out = append(out, joined)
		}
	}
	return out, nil
}

// joined is the side of one participant of an owner's VPC.
func (s Surveyor) joined(ctx context.Context, owner *SideFacts, account string, offer func(context.Context, *SideFacts) error) (*SideFacts, error) {
	facts, err := s.Account(ctx, account)
	if err == nil {
		err = cmp.Or(facts.Unreadable(), outside(facts))
	}
	if err != nil {
		return nil, err
	}
	side := participant.Of(*owner.Side, account)
	here := *owner.Here
	here.VPC.Account, here.Account, here.Tables = account, facts, nil
	side.Noted = firewall.NotedIn(owner.Entry, side.VPC, side.Owner)
	out := &SideFacts{Side: &side, Here: &here, There: owner.There, Subnets: owner.Subnets}
	side.Overruled = s.overruled(ctx, out)
	return out, offer(ctx, out)
}

// participant returns the account of a side that is a participant's.
func (g *SideFacts) participant() string {
	if g.Side.Owner == "" {
		return ""
	}
	return g.Side.VPC.Account
}

// closed says why an account cannot be read now, if so: without what was to be read first.
func closed(err error) (why string, ok bool) {
	if why, ok = fault.Unreadable(err); !ok {
		return "", false
	}
	if told := (*fault.Error)(nil); errors.As(err, &told) {
		why = told.Message
	}
	return why, true
}

// outside is the error with which nothing of an account outside the organization is read.
func outside(facts workflow.AccountFacts) error {
	if facts.Organization != "" {
		return nil
	}
	return &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed, Message: "it is outside the organization"}
}

// Left is what participants may still have of a connection that is over.
type Left struct {
	Sides     []workflow.Side
	Notebooks []workflow.Batch
	// Absent are those that let nobody in, with what that means, and Stays says that the ledger has something of one of them.
	Absent []workflow.Hop
	Stays  bool
}

// Left looks what the participants of two VPCs, the requester's first, may still have of a connection, as its entry says who they are: the
// notebooks, if some may have host routes, and a side where the ledger has an item or there is a notebook. Items in the places of the owners
// are the owners'.
func (s Surveyor) Left(ctx context.Context, entry ledger.Connection, vpcs [2]workflow.VPC, notebooks bool, items []ledger.Item) (Left, error) {
	var out Left
	var seen []event.Place
	for n, v := range vpcs {
		for _, account := range participant.In(entry, v) {
			owner := workflow.Side{Role: [2]string{"requester", "accepter"}[n], VPC: bare(v), Peer: bare(vpcs[1-n])}
			side := participant.Of(owner, account)
			at := side.VPC.Place()
			some := slices.ContainsFunc(items, func(i ledger.Item) bool { return i.Account == at.Account && i.Region == at.Region }) &&
				at != vpcs[0].Place() && at != vpcs[1].Place() && !slices.Contains(seen, at)
			seen = append(seen, at)
			books, err := s.booksOf(ctx, side, notebooks)
			if why, unreadable := closed(err); unreadable {
				hop := workflow.Hop{Hop: "participant " + account + " of " + v.ID, OK: !some, Detail: "left out, and nothing is known to be there: " + why}
				if some {
					out.Stays, hop.Detail = true, "whatever was added there stays for now: "+why
				}
				out.Absent = append(out.Absent, hop)
				continue
			}
			if err != nil {
				return out, err
			}
			if some || len(books) > 0 {
				out.Sides, out.Notebooks = append(out.Sides, side), append(out.Notebooks, books...)
			}
		}
	}
	return out, nil
}

// Standing returns, in batches, the notebook instances that may have a host route of a connection which is let go of as it stands, of the owners and of who takes
// part in their VPCs; and which sides nobody can read now.
func (s Surveyor) Standing(ctx context.Context, entry ledger.Connection, vpcs [2]workflow.VPC) ([]workflow.Batch, []workflow.Hop, error) {
	left, err := s.Left(ctx, entry, vpcs, true, nil)
	if err != nil {
		return nil, nil, err
	}
	out, absent := left.Notebooks, left.Absent
	for _, v := range vpcs {
		facts, err := s.Account(ctx, v.Account)
		if err == nil {
			err = cmp.Or(facts.Unreadable(), outside(facts))
		}
		var there bool
		if err == nil {
			there, err = s.There(ctx, v)
		}
		var books []workflow.Batch
		if there {
			books, err = s.Instances(ctx, v, "")
		}
		if why, unreadable := closed(err); unreadable {
			absent = append(absent, workflow.Hop{Hop: v.ID, Detail: "nobody looked for host routes there: " + why})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		out = append(out, books...)
	}
	for n := range out {
		out[n].Stands = true
	}
	return out, absent, nil
}

// booksOf returns the notebooks on a participant's side that may have a host route, if they matter, and an error if nobody is let in.
func (s Surveyor) booksOf(ctx context.Context, side workflow.Side, matter bool) ([]workflow.Batch, error) {
	facts, err := s.Account(ctx, side.VPC.Account)
	if err == nil {
		err = cmp.Or(facts.Unreadable(), outside(facts))
	}
	if err != nil || !matter {
		return nil, err
	}
	return s.Instances(ctx, side.VPC, side.Owner)
}

// bare is a VPC without its addresses.
func bare(v workflow.VPC) workflow.VPC {
	return workflow.VPC{Account: v.Account, Region: v.Region, ID: v.ID}
}
