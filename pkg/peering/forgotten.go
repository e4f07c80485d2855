package peering

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
)

// forgotten looks for what is left of a peering that AWS shows no more, where its event happened and at the other ends that the
// event mentions: rules of Drawbridge's that name it. They tell the peering's other end, so that the rest is found there. If
// there is none, the answer is v, as [Inspector.find] gave it.
func (i Inspector) forgotten(ctx context.Context, execution string, e event.Event, v Verdict) (Peering, event.Place, Verdict, error) {
	for _, at := range append([]event.Place{e.Place}, e.Others...) {
		facts, err := i.Account(ctx, at.Account)
		if err != nil {
			return Peering{}, at, v, err
		}
		if facts.Organization == "" {
			continue
		}
		rules, err := firewall.ReadTagged(ctx, i.Enter(execution, at).EC2, e.PeeringID)
		if err != nil {
			return Peering{}, at, v, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
		}
		if len(rules) > 0 {
			return i.remembered(ctx, execution, e.PeeringID, at, rules, v)
		}
	}
	return Peering{}, e.Place, v, nil
}

// remembered is a peering as its rules in one place tell of it: the accepter is there.
//
// What a tag says may be anybody's word. So the peering is looked for once more, at the end that the rules name; only what
// neither account sees is over.
func (i Inspector) remembered(ctx context.Context, execution, id string, at event.Place, rules []firewall.Tagged, v Verdict) (Peering, event.Place, Verdict, error) {
	vpcs, err := firewall.VPCs(ctx, i.Enter(execution, at).EC2, rules)
	if err != nil {
		return Peering{}, at, v, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
	}
	p := Peering{ID: id, Status: "deleted", Accepter: End{Place: at}, Tags: map[string]string{},
		Message: fmt.Sprintf("AWS does not show it any more, but %d of its rules are left in %s, %s", len(rules), at.Account, at.Region)}
	for _, r := range rules {
		if vpcs[r.Group] == "" || p.Accepter.VPC != "" && p.Accepter.VPC != vpcs[r.Group] {
			continue // the connection is between two VPCs; whoever tagged a rule in a third one, it is closed with the others
		}
		p.Accepter.VPC = vpcs[r.Group]
		if r.Peer.VPC != "" {
			p.Requester = End{Place: r.Peer.Place(), VPC: r.Peer.VPC, CIDRs: append(p.Requester.CIDRs, cidr(r)...)}
		}
	}
	if p.Accepter.VPC == "" { // all groups went meanwhile, and the rules with them
		return p, at, v, nil
	}
	if p.Requester.Account == "" { // leftovers says so
		return p, at, Verdict{}, nil
	}
	there, err := i.Account(ctx, p.Requester.Account)
	if err != nil || there.Organization == "" {
		return p, at, Verdict{}, err
	}
	shown, found, err := read(ctx, i.Enter(execution, p.Requester.Place).EC2, id)
	switch {
	case errors.Is(err, fault.ErrClosed):
		return p, at, Verdict{}, nil // leftovers says so
	case err != nil:
		return p, at, v, fmt.Errorf("in %s, %s: %w", p.Requester.Account, p.Requester.Region, err)
	case found && shown.Requester.Place != at && shown.Accepter.Place != at:
		v.Reason = fmt.Sprintf("%s is between others than %s, %s, where %d rules name it", id, at.Account, at.Region, len(rules))
		return p, at, v, nil
	case found:
		return shown, p.Requester.Place, Verdict{}, nil
	}
	return p, at, Verdict{}, nil
}

func cidr(r firewall.Tagged) []netip.Prefix {
	if !r.Rule.CIDR.IsValid() {
		return nil
	}
	return []netip.Prefix{r.Rule.CIDR}
}
