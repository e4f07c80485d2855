package endpoint

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// groupPart is the part of an endpoint that is its security group; the others are Availability Zones.
const groupPart = "group"

// partKey is the key, in the ledger and in [Want.Left], of a part of an endpoint: that it has an interface in a zone, or Drawbridge's group.
func partKey(service, part string) string { return service + " " + part }

// ruleKey is the key of a rule of our group.
func ruleKey(source netip.Prefix) string {
	return fmt.Sprintf("ingress tcp %d %s", HTTPS, source)
}

// part is the item of a part, filed under the VPC like the endpoint itself.
func (w Want) part(service, part string) ledger.Item {
	return w.item(ledger.Interface, partKey(service, part))
}

// rule is the item of a rule, filed under the group: records name it.
func (w Want) rule(group string, source netip.Prefix) ledger.Item {
	i := w.item(ledger.Rule, ruleKey(source))
	i.Resource = group
	return i
}

// parts returns the parts that an endpoint has, sorted.
func (n Network) parts(e Endpoint) []string {
	var out []string
	for _, s := range n.Subnets {
		if slices.Contains(e.Subnets, s.ID) {
			out = append(out, s.Zone)
		}
	}
	if n.Group != "" && slices.Contains(e.Groups, n.Group) {
		out = append(out, groupPart)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Parts compares what Drawbridge's endpoints and group are made of with the items of the ledger, those of the VPC and those of the group:
//
//	there, and the ledger has it otherwise, or not   → found: it is ours from now on, as it was made by who lost the answer, or by an earlier version
//	there, and contested                             → returned: its owner put it there; it is found at the next look
//	not there, and the ledger has it as made         → missing: somebody took it away
//
// Of an endpoint that is not available nothing is said, and a rule that somebody else wrote is theirs.
func Parts(want Want, have Network, items []ledger.Item) (found, returned, missing []ledger.Item) {
	compare := func(i ledger.Item, there bool) {
		n := slices.IndexFunc(items, i.Same)
		switch {
		case there && n < 0:
			found = append(found, i)
		case there && items[n].State == ledger.Contested:
			returned = append(returned, items[n])
		case there && (items[n].State != ledger.Confirmed || items[n].Left != i.Left):
			found = append(found, i)
		case !there && n >= 0 && (items[n].State == ledger.Contested || items[n].State == ledger.Confirmed && items[n].Left == i.Left):
			missing = append(missing, items[n])
		}
	}
	ours := false
	for _, service := range want.Services {
		e, ok := have.Of(service)
		if !ok || e.Owner != want.Owner {
			continue
		}
		ours = true
		if e.State != "available" {
			continue
		}
		parts, known := have.parts(e), []string{groupPart}
		for _, s := range have.Subnets {
			known = append(known, s.Zone)
		}
		slices.Sort(known)
		for _, part := range slices.Compact(known) {
			i := want.part(service, part)
			i.Left = e.ID
			compare(i, slices.Contains(parts, part))
		}
	}
	if !ours || have.Group == "" {
		return found, returned, missing
	}
	for _, source := range Sources(have.CIDRs, want.Callers) {
		i := want.rule(have.Group, source)
		n := slices.IndexFunc(have.Rules, func(r Rule) bool { return r.Group == have.Group && r.admits(source) })
		switch known := slices.IndexFunc(items, i.Same); {
		case n < 0 && known >= 0:
			i.Left = items[known].Left
			compare(i, false)
		case n >= 0 && have.Rules[n].Owner == want.Owner:
			i.Left = have.Rules[n].ID
			compare(i, true)
		case n >= 0 && known >= 0: // by a rule of somebody else's
			returned = append(returned, items[known])
		}
	}
	return found, returned, missing
}

// compose brings the ledger in line with what the endpoints are made of, and says what of it is left to who took it away.
func compose(ctx context.Context, book ledger.Ledger, want Want, have Network, items []ledger.Item) (Want, []workflow.Hop, error) {
	if have.Group != "" {
		rules, err := book.Of(ctx, want.Account, want.Region, have.Group)
		if err != nil {
			return want, nil, err
		}
		items = append(slices.Clone(items), rules...)
	}
	found, returned, missing := Parts(want, have, items)
	if err := book.Cancel(ctx, want.Owner, returned); err != nil {
		return want, nil, err
	}
	if len(found) > 0 {
		if _, err := book.Record(ctx, want.Owner, found...); err != nil {
			return want, nil, err
		}
		if _, err := book.Confirm(ctx, found...); err != nil {
			return want, nil, err
		}
	}
	_, left, err := contest.Contest{Ledger: book}.Missing(ctx, want.Owner, want.By, missing)
	if err != nil {
		return want, nil, err
	}
	var hops []workflow.Hop
	for _, i := range left {
		want.Left = append(want.Left, i.Key)
		hops = append(hops, workflow.Hop{Hop: "endpoints of " + want.VPC, Detail: fmt.Sprintf("%s of %s %s; %s", i.Key, i.Resource, contest.How(i), again(want.VPC))})
	}
	return want, hops, nil
}

// again is how the owner of a VPC ends a quarrel.
func again(vpc string) string {
	return "to have it again, set the tag of " + vpc + " by which you asked anew, with the value that it has"
}

// gone returns the items of rules that nobody wants any more.
func (w Want) gone(revoked []Rule) []ledger.Item {
	var out []ledger.Item
	for _, r := range revoked {
		if r.CIDR.IsValid() {
			out = append(out, w.rule(r.Group, r.CIDR))
		}
	}
	return out
}

// made returns the items of the parts that an endpoint gets, as they are once they are there.
// Many parameters, because each is one part of an endpoint.
func made(want Want, have Network, service, id string, subnets []string, group bool) []ledger.Item {
	var out []ledger.Item
	add := func(part string) {
		i := want.part(service, part)
		i.Left = id
		if !slices.ContainsFunc(out, i.Same) {
			out = append(out, i)
		}
	}
	for _, s := range have.Subnets {
		if slices.Contains(subnets, s.ID) {
			add(s.Zone)
		}
	}
	if group {
		add(groupPart)
	}
	slices.SortFunc(out, func(a, b ledger.Item) int { return strings.Compare(a.Key, b.Key) })
	return out
}
