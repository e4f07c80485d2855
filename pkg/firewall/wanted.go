package firewall

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Default is the name of the group that each VPC has from the beginning, and that whatever names none has.
// https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
const Default = "default"

// mostReferences is by how many groups callers are let in: each is a rule for every port, and a group has room for 60 rules. Who would need more is let
// in by subnets, which can be merged. https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
const mostReferences = 20

// WantedIngress returns the rules that a group of a database must have to let its callers in on its port, sorted: from their security groups where
// AWS lets a rule of this side refer to all of them, else from the ranges of their subnets.
func WantedIngress(o workflow.AllowedDatabase, group string, side workflow.Side) []Wanted {
	calls, rule := calling(o, side), Rule{From: o.Port, To: o.Port}
	var out []Wanted
	if refer := References(side); len(refer) > 0 {
		for _, one := range refer {
			w := Wanted{Group: group, Rule: rule, Account: side.Peer.Account}
			w.Rule.Other = one.group
			for _, set := range one.sets {
				calls.Groups = set.Groups
				w.Ends = append(w.Ends, calls)
			}
			out = append(out, w)
		}
		return sorted(out)
	}
	for _, cidr := range o.Family(side.Callers.CIDRs) {
		rule.CIDR, calls.Peers = cidr, []netip.Prefix{cidr}
		out = append(out, Wanted{Group: group, Rule: rule, Ends: []network.Traffic{calls}})
	}
	return sorted(out)
}

// calling is what a database is called by: from the subnets of its callers or, if nothing is in one now, from anywhere.
func calling(o workflow.AllowedDatabase, side workflow.Side) network.Traffic {
	out := network.Traffic{Peers: o.Family(side.Callers.CIDRs), Ports: network.Ports{From: o.Port, To: o.Port}}
	if len(out.Peers) == 0 {
		out.Peers = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	}
	return out
}

// reference is a group of callers, and the sets of which it is one.
type reference struct {
	group string
	sets  []workflow.GroupSet
}

// References returns the groups by which all callers of a side are let in, sorted: those that callers have alone, then of each caller that has none of
// them the one that the fewest others have. None, if AWS does not
// let a rule refer to one of them, if the groups of some caller are not known, or if they are too many. Only groups of the account that owns the
// peer VPC are referred to: of a participant's, AWS documents it within its VPC alone. Nor is one that its owner keeps out.
func References(side workflow.Side) []reference {
	c := side.Callers
	if !side.Refers || c.More {
		return nil
	}
	having := map[string]int{}
	for _, set := range c.Groups {
		if set.Account != side.Peer.Account {
			return nil
		}
		for _, g := range set.Groups {
			having[g]++
		}
	}
	chosen := map[string]*reference{}
	sets := slices.Clone(c.Groups)
	slices.SortStableFunc(sets, func(a, b workflow.GroupSet) int {
		return len(without(a.Groups, c.Apart)) - len(without(b.Groups, c.Apart))
	})
	for _, set := range sets {
		groups := without(set.Groups, c.Apart)
		if len(groups) == 0 { // nothing lets it in
			continue
		}
		if n := slices.IndexFunc(groups, func(g string) bool { return chosen[g] != nil }); n >= 0 {
			one := chosen[groups[n]]
			one.sets = append(one.sets, set)
			continue
		}
		g := slices.MinFunc(groups, func(a, b string) int { return cmp.Or(having[a]-having[b], strings.Compare(a, b)) })
		chosen[g] = &reference{group: g, sets: []workflow.GroupSet{set}}
	}
	if len(chosen) > mostReferences {
		return nil
	}
	var out []reference
	for _, one := range chosen {
		out = append(out, *one)
	}
	slices.SortFunc(out, func(a, b reference) int { return strings.Compare(a.group, b.group) })
	return out
}

// WantedEgress returns the rules that the groups of a side's clients must have to reach the peer's databases, sorted, and the groups on the interfaces
// of who has the first. Security groups of an interface add up, so a client is served when any one of its groups has the rule: the first by id is
// chosen that is not named default, if there is one, and that its owner does not keep out.
func WantedEgress(side workflow.Side, groups []Group) (out []Wanted, together map[string][]string) {
	together = map[string][]string{}
	for _, c := range side.Clients {
		may := without(c.Groups, kept(groups))
		if len(may) == 0 {
			continue
		}
		group := slices.MinFunc(may, func(a, b string) int {
			return cmp.Or(cmp.Compare(isDefault(groups, a), isDefault(groups, b)), strings.Compare(a, b))
		})
		if shared, ok := together[group]; ok {
			// Another client has the same group but perhaps not the same others: only what both have serves both.
			together[group] = slices.DeleteFunc(slices.Clone(shared), func(g string) bool { return !slices.Contains(c.Groups, g) })
		} else {
			together[group] = c.Groups
		}
		for _, s := range side.Services {
			for _, cidr := range s.CIDRs {
				out = append(out, Wanted{Group: group, Rule: Rule{From: s.Port, To: s.Port, CIDR: cidr}, Ends: destinations(side, s, cidr)})
			}
		}
	}
	return sorted(out), together
}

// destinations are what has to be reached of a service in a range. That a rule of an owner refers to groups of the databases counts where AWS lets it: over a
// transit gateway only ingress does. https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html#vpc-attachment-security
func destinations(side workflow.Side, s workflow.Service, cidr netip.Prefix) []network.Traffic {
	one := network.Traffic{Peers: []netip.Prefix{cidr}, Ports: network.Ports{From: s.Port, To: s.Port}}
	if !side.Refers || len(side.Attached) > 0 || len(s.Groups) == 0 {
		return []network.Traffic{one}
	}
	var out []network.Traffic
	for _, set := range s.Groups {
		one.Groups = set
		out = append(out, one)
	}
	return out
}

// isDefault is 1 for a group that is named default, else 0.
func isDefault(groups []Group, id string) int {
	if slices.ContainsFunc(groups, func(g Group) bool { return g.ID == id && g.Name == Default }) {
		return 1
	}
	return 0
}

// Left returns those of groups that the clients and the databases of a side have, as a path is judged by them: the first that have room in
// [workflow.GroupsSize].
func Left(groups []Group, side workflow.Side) []network.Group {
	var out []network.Group
	size := 0
	for _, g := range groups {
		of := func(ids []string) bool { return slices.Contains(ids, g.ID) }
		if !slices.ContainsFunc(side.Clients, func(c workflow.Client) bool { return of(c.Groups) }) &&
			!slices.ContainsFunc(side.AllowedDatabases, func(o workflow.AllowedDatabase) bool { return of(o.Groups) }) {
			continue
		}
		one := network.Group{ID: g.ID, Name: g.Name, Ingress: model(g.Ingress), Egress: model(g.Egress)}
		text, _ := json.Marshal(one)
		if size += len(text) + 1; size > workflow.GroupsSize {
			break
		}
		out = append(out, one)
	}
	return out
}

// fromJudged returns groups of a side's account that [Left] returned before.
func fromJudged(groups []network.Group, side workflow.Side) []Group {
	convert := func(rules []network.Rule) (out []Rule) {
		for _, r := range rules {
			out = append(out, Rule{From: r.Ports.From, To: r.Ports.To, CIDR: r.CIDR, Other: cmp.Or(r.Group, r.List)})
		}
		return out
	}
	var out []Group
	for _, g := range groups {
		out = append(out, Group{ID: g.ID, Owner: side.VPC.Account, Name: g.Name, Apart: slices.Contains(side.Apart, g.ID), Ingress: convert(g.Ingress), Egress: convert(g.Egress)})
	}
	return out
}

// Handed returns what an inspection hands over of the groups of a side on which nothing is opened: those of its clients, if all are its account's and
// have room, and the accounts whose groups there are.
func Handed(groups []Group, side workflow.Side) (left []network.Group, owners []string) {
	for _, g := range groups {
		owners = append(owners, g.Owner)
	}
	slices.Sort(owners)
	owners = slices.Compact(owners)
	own, _ := apart(groups, side.VPC.Account)
	left = Left(own, side)
	for _, c := range side.Clients {
		for _, id := range c.Groups {
			if !slices.ContainsFunc(left, func(g network.Group) bool { return g.ID == id }) {
				return nil, owners
			}
		}
	}
	return left, owners
}

// OfClients returns the ids of those of groups that their owner marks as clients'.
func OfClients(groups []Group) []string {
	var out []string
	for _, g := range groups {
		if g.Client {
			out = append(out, g.ID)
		}
	}
	return out
}
