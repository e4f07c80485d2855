package peering

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// misfit is why two networks cannot be peered: the whole of it for the hub, and what each side may know.
type misfit struct {
	whole string
	said  workflow.Said
}

// unfit says why the networks of a peering do not fit, the first of
//
//	the VPCs overlap
//	a peer in 172.17/16 or 172.18/16 of a VPC with notebook instances, or that VPC itself
//
// or nil. It is asked after the policy: what it finds are facts of one side that matter to the other. Each side is told of its own
// addresses, tables and notebooks, and of the other that it is in the way.
func unfit(q Question) *misfit {
	if a, b, ok := survey.Overlap(q.Requester.VPC.CIDRs, q.Accepter.VPC.CIDRs); ok {
		return &misfit{fmt.Sprintf("%s of %s overlaps %s of %s", a, q.Requester.VPC.ID, b, q.Accepter.VPC.ID), overlapping(q, a, b)}
	}
	for _, side := range []struct {
		here, there *workflow.Facts
		owner       string // of here
		swap        bool   // here is the accepter
	}{{q.Accepter, q.Requester, q.Peering.Accepter.Account, true}, {q.Requester, q.Accepter, q.Peering.Requester.Account, false}} {
		here, there := side.here.VPC.ID, side.there.VPC.ID
		said := func(toHere, toThere string) workflow.Said {
			if side.swap {
				return workflow.Said{Requester: toThere, Accepter: toHere}
			}
			return workflow.Said{Requester: toHere, Accepter: toThere}
		}
		if !q.Notebooks[here] {
			continue
		}
		for _, own := range []bool{false, true} {
			vpc := side.there.VPC
			if own {
				vpc = side.here.VPC
			}
			cidr, bridge, ok := survey.Overlap(vpc.CIDRs, Containers)
			if !ok {
				continue
			}
			toHere := fmt.Sprintf("addresses of %s overlap %s, the container network on the notebook instances of %s", vpc.ID, bridge, here)
			toThere := fmt.Sprintf("%s cannot reach %s; ask the owner of account %s", here, there, side.owner)
			if own {
				toHere = fmt.Sprintf("%s of %s overlaps %s, the container network on its notebook instances", cidr, here, bridge)
			} else {
				toThere = fmt.Sprintf("%s of %s is of no use in %s; ask the owner of account %s", cidr, there, here, side.owner)
			}
			return &misfit{fmt.Sprintf("%s of %s overlaps %s, the container network on the notebook instances of %s", cidr, vpc.ID, bridge, here), said(toHere, toThere)}
		}
	}
	return nil
}

// Blocked refuses a request whose paths would need a route in a table that leads elsewhere by now, as [route.Plan] judges: it is better known before
// the peering is accepted. What is in a table that no path needs is nobody's hindrance. sides are both VPCs as they were explored. For an active
// peering that is left to the step that adds routes: somebody accepted it and expects it to work.
func Blocked(q Question, sides []workflow.Side) (Verdict, bool) {
	for _, s := range sides {
		if s.Owner != "" || q.Peering.Status != "pending-acceptance" {
			continue
		}
		desired, _ := route.Wanted(s.Tables, s, q.Peering.ID)
		var to []netip.Prefix
		for _, d := range desired {
			to = append(to, d.Destination)
		}
		changes := route.Plan(q.Peering.ID, desired, route.Concerned(s.Tables, to, s.Aims), nil, s)
		conflicts := changes.Obstacles()
		if asks := changes.Asks(); len(asks) > 0 {
			conflicts = slices.Concat(conflicts, asks, []string{route.DivertRemedy})
		}
		if len(conflicts) == 0 {
			continue
		}
		known := fmt.Sprintf("%s already reaches addresses of %s elsewhere", s.VPC.ID, s.Peer.ID)
		own := known + ": " + strings.Join(conflicts, "; ")
		other := fmt.Sprintf("%s; ask the owner of account %s", known, s.VPC.Account)
		said := workflow.Said{Requester: own, Accepter: other}
		if s.Role == Accepter {
			said = workflow.Said{Requester: other, Accepter: own}
		}
		if q.Accept.Allowed && q.Accept.Action == policy.Ask {
			said.Requester = unasked(q.Peering)
		}
		return Verdict{Answer: workflow.AnswerRefuse, Reason: own, Said: said}, true
	}
	return Verdict{}, false
}

// overlapping says to each side which of its own addresses the other has as well.
func overlapping(q Question, requester, accepter netip.Prefix) workflow.Said {
	text := func(own netip.Prefix, vpc, other, account string) string {
		return fmt.Sprintf("%s of %s overlaps addresses of %s in account %s", own, vpc, other, account)
	}
	return workflow.Said{
		Requester: text(requester, q.Requester.VPC.ID, q.Accepter.VPC.ID, q.Peering.Accepter.Account),
		Accepter:  text(accepter, q.Accepter.VPC.ID, q.Requester.VPC.ID, q.Peering.Requester.Account),
	}
}

// unasked is what the requester is told of networks that do not fit while the accepter's owner has not approved: not why.
func unasked(p Peering) string {
	return fmt.Sprintf("%s and %s do not fit as they are; ask the owner of account %s, whose approval the policy wants before more is said", p.Requester.VPC, p.Accepter.VPC, p.Accepter.Account)
}

// forbidden is what the two sides are told of a decision that forbids: the requester which policy and whom to ask, the accepter, whose
// thing the policy speaks of, its reason too.
func forbidden(p Peering, what string, d policy.Decision, unclear string) workflow.Said {
	said := workflow.Said{
		Requester: fmt.Sprintf("%s by policy %s; ask the owner of account %s, or who writes the policy", what, d.Policy, p.Accepter.Account),
		Accepter:  fmt.Sprintf("%s by policy %s", what, d.Policy),
	}
	if d.Reason != "" {
		said.Accepter += ": " + d.Reason
	}
	said.Accepter += unclear
	return said
}
