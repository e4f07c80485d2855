package peering

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// remains is what one side of a peering that is over still has of it.
type remains struct {
	role   string
	here   End
	absent *workflow.Hop     // why there is nothing to remove here, or nobody to remove it
	closed bool              // it lets nobody in
	tags   map[string]string // of the peering, as this side shows them
	cidrs  []netip.Prefix    // of this side's VPC, which is the other side's destination
	routes bool              // some table has a route through the peering
	size   int               // bytes that the destinations of those routes take in a payload
	rules  bool              // some rule carries the connection's tag
	books  []workflow.Notebook
}

// leftovers looks on both sides for what Drawbridge may have left of a peering that is over, or not allowed any more, and
// fills in what the following states need. A side that is gone or closed to us is named, and keeps nobody from cleaning
// the other. seen is where p was read; untold reports whether there is something that nothing but the rules tells of: AWS has
// forgotten the peering with its tags, or an execution failed before it set them.
func (i Inspector) leftovers(ctx context.Context, in workflow.InspectPeeringInput, p Peering, seen event.Place, out *workflow.InspectPeeringOutput) (untold bool, err error) {
	sides := [2]*remains{{role: Requester, here: p.Requester}, {role: Accepter, here: p.Accepter}}
	look := func(s *remains) error {
		if s.here.Account == "" {
			s.absent = s.missing(false, "nothing that is left tells which VPC it was with, so whatever was added there stays")
			return nil
		}
		if !slices.Contains(out.Members, s.role) {
			s.absent = s.missing(false, "account %s is outside the organization, so whatever was added there stays", s.here.Account)
			return nil
		}
		err := i.remains(ctx, in.Execution, p, seen, s)
		if errors.Is(err, fault.ErrClosed) {
			s.absent, s.closed = s.missing(false, "whatever was added there stays: %v", err), true
			return nil
		}
		return err
	}
	if err := survey.Both(func() error { return look(sides[0]) }, func() error { return look(sides[1]) }); err != nil {
		return false, err
	}
	var statuses []string
	traces, told, rules, more := false, false, false, false
	for _, s := range sides {
		statuses, traces = append(statuses, s.tags[connection.TagStatus]), traces || s.routes || s.rules
		told, rules = told || s.tags[connection.TagDestinations] != "", rules || s.rules
	}
	// A peering that was refused, accepted by somebody else and never connected: its routes are their owners'.
	foreign := slices.Contains(statuses, string(workflow.RefusedByPolicy)) && !told && !rules
	out.Result = Ending(p, statuses, traces)
	known := [2][]netip.Prefix{p.Requester.CIDRs, p.Accepter.CIDRs}
	if in.Known.Requester != nil && in.Known.Accepter != nil {
		known[0], known[1] = append(known[0], in.Known.Requester.VPC.CIDRs...), append(known[1], in.Known.Accepter.VPC.CIDRs...)
	}
	for n, s := range sides {
		if _, tagged := s.tags[connection.TagStatus]; tagged {
			out.Tagged = append(out.Tagged, workflow.Carrier{Account: s.here.Account, Region: s.here.Region, ID: p.ID,
				Tags: []string{connection.TagStatus, connection.TagReason, connection.TagDestinations}})
		}
		if s.absent != nil && (out.Result == workflow.Removed || s.closed) {
			out.Absent = append(out.Absent, *s.absent)
			continue
		}
		if out.Result != workflow.Removed {
			continue // nothing but the status was ever added
		}
		if s.books, err = i.surveyor(in.Execution, nil, policy.Context{}).Instances(ctx, place(s.here, nil)); err != nil {
			return false, err
		}
		more = more || s.routes && !foreign || len(s.books) > 0
		if (!s.routes || foreign) && !s.rules && len(s.books) == 0 {
			continue
		}
		here, there := place(s.here, s.cidrs), place(sides[1-n].here, nil)
		if !foreign {
			there.CIDRs = connection.Destinations(s.tags[connection.TagDestinations], sides[1-n].cidrs, known[1-n])
		}
		out.Sides = append(out.Sides, workflow.Side{Role: s.role, VPC: here, Peer: there, Carrier: p.ID, Carried: s.size})
		out.Notebooks = append(out.Notebooks, s.books...)
	}
	return more && rules && !told, nil
}

func place(e End, cidrs []netip.Prefix) workflow.VPC {
	return workflow.VPC{Account: e.Account, Region: e.Region, ID: e.VPC, CIDRs: cidrs}
}

func (s *remains) missing(ok bool, format string, args ...any) *workflow.Hop {
	return &workflow.Hop{Hop: strings.TrimSpace(s.role + " " + s.here.VPC), OK: ok, Detail: fmt.Sprintf(format, args...)}
}

// remains reads the tags of the peering as one side shows them, its VPC, and whether routes or rules are left there.
func (i Inspector) remains(ctx context.Context, execution string, p Peering, seen event.Place, s *remains) error {
	api := i.Enter(execution, s.here.Place).EC2
	own := p
	if s.here.Place != seen {
		var err error
		if own, _, err = read(ctx, api, p.ID); err != nil { // one that is shown here no longer has no tags to remove
			return fmt.Errorf("in %s, %s: %w", s.here.Account, s.here.Region, err)
		}
	}
	s.tags = own.Tags
	if p.Status == "rejected" || p.Status == "expired" {
		return nil // never active
	}
	left, err := i.surveyor(execution, nil, policy.Context{}).Remains(ctx, place(s.here, nil), workflow.Connection{ID: p.ID, Target: p.ID})
	if err != nil {
		return err
	}
	if left.Gone {
		s.absent = s.missing(true, "the VPC is gone, and with it all that was added there")
		return nil
	}
	s.cidrs, s.routes, s.rules = left.CIDRs, len(left.Through) > 0, left.Rules
	for _, d := range left.Through {
		s.size += len(d.String()) + len(`"",`)
	}
	return nil
}
