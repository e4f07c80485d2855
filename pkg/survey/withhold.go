package survey

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// withhold says which databases, and which clients, nothing may lead to. Routes lead to subnets, and in one of theirs is a database that nobody opens, whose own
// groups let in whom the routes bring. The first of these that holds:
//
//	the owner of its VPC wants all of it to be reached     → nothing is withheld
//	route tables lead there and back already               → nothing: what would be reached is
//	its groups let in no client that comes to be led there → nothing
//	the owner of such a group asks for it, drawbridge:open → nothing
//	databases that are open are in its subnets, or behind
//	the table that comes to lead back                      → these are withheld
//	clients are, to which answers lead                     → these are
//
// Paths to what is withheld fail, each with the remedy. Security groups are read only where routes lead to such a database.
func (s Surveyor) withhold(ctx context.Context, sides []*SideFacts) error {
	groups, callers := map[*SideFacts][]firewall.Group{}, map[*SideFacts][]workflow.Client{}
	for found := true; found; {
		Appoint(Sides(sides)...)
		found = false
		for _, g := range sides {
			if slices.ContainsFunc(sides, func(o *SideFacts) bool { return o.Side.Role == g.Side.Role && o.Side.Whole }) {
				continue
			}
			for _, d := range g.shut {
				led := s.led(d, g, sides)
				if len(led.subnets) == 0 {
					continue
				}
				if groups[g] == nil {
					v := g.Side.VPC
					read, err := firewall.ReadGroups(ctx, s.Enter(v.Place()).EC2, v.ID)
					if err != nil {
						return fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
					}
					groups[g] = read
				}
				group, err := s.admits(ctx, groups[g], d, led.subnets, callers)
				if err != nil {
					return err
				}
				if group != "" && withheld(sides, g, d, group, s.tables(g, sides).beside(d, led.tables)) {
					found = true
					break // what is left leads elsewhere
				}
			}
		}
	}
	return nil
}

// tables are the route tables of the owner of a side's VPC, with the routes that they lack.
func (s Surveyor) tables(g *SideFacts, sides []*SideFacts) layout {
	owner := sides[slices.IndexFunc(sides, func(o *SideFacts) bool { return o.Side.Role == g.Side.Role && o.Side.Owner == "" })]
	out := layout{tables: owner.Here.Tables, target: workflow.TargetOf(s.About.Connection)}
	out.wanted, _ = route.Wanted(out.tables, *owner.Side, out.target)
	return out
}

type layout struct {
	tables []route.Table
	wanted []route.Desired
	target string
}

// leads says whether the table of a subnet leads to some of cidrs: for sure as it is, by a peering or through the connection; perhaps as it is, since nobody knows
// what an appliance lets pass, or another gateway, nor the entries of a prefix list; and as it will be.
func (l layout) leads(subnet string, cidrs []netip.Prefix) (sure, perhaps, then bool) {
	t, ok := route.Of(l.tables, subnet)
	if !ok {
		return false, false, false
	}
	perhaps = slices.ContainsFunc(t.Lists, func(list route.List) bool { return !list.Blackhole })
	for _, to := range cidrs {
		for _, r := range t.Routes {
			if route.Blocks(r, to, "") {
				sure, perhaps = sure || r.Target == l.target || arrives(r.Target), true
			}
		}
		then = then || slices.ContainsFunc(l.wanted, func(d route.Desired) bool { return d.Table == t.ID && d.Destination.Overlaps(to) })
	}
	return sure, perhaps, then || perhaps
}

// arrives reports whether what a route leads to is the other VPC for sure: a gateway may lead it anywhere.
func arrives(target string) bool {
	switch road.CarrierOf(target) {
	case road.ByPeering:
		return true
	case road.ByGateway, road.ByNothing:
	}
	return false
}

// led is what comes to be led to a database that is shut, and back.
type led struct {
	subnets map[*SideFacts][]string // of the other VPC
	tables  []string                // of the database's VPC, that come to lead back to where something leads there already
}

// led returns which subnets of the other VPC packets come to go from to a database that is shut, and back.
func (s Surveyor) led(d workflow.AllowedDatabase, g *SideFacts, sides []*SideFacts) led {
	here, out := s.tables(g, sides), led{subnets: map[*SideFacts][]string{}}
	for _, p := range sides {
		if p.Side.Role == g.Side.Role {
			continue
		}
		there := s.tables(p, sides)
		for _, from := range p.Subnets {
			for _, in := range d.Subnets {
				to, back := d.Family(route.Ranges(g.Subnets, []string{in})), route.Ranges(p.Subnets, []string{from.ID})
				was, led, is := there.leads(from.ID, to)
				answered, _, answers := here.leads(in, back)
				if !is || !answers || was && answered {
					continue
				}
				if t, ok := route.Of(here.tables, in); ok && led {
					out.tables = append(out.tables, t.ID)
				}
				if !slices.Contains(out.subnets[p], from.ID) {
					out.subnets[p] = append(out.subnets[p], from.ID)
				}
			}
		}
	}
	return out
}

// admits returns the group by which a database that is shut lets in a client in one of the subnets that come to be led there; "" if none does.
func (s Surveyor) admits(ctx context.Context, groups []firewall.Group, d workflow.AllowedDatabase, led map[*SideFacts][]string, callers map[*SideFacts][]workflow.Client) (string, error) {
	for _, g := range groups {
		if !slices.Contains(d.Groups, g.ID) || g.Open {
			continue
		}
		for _, r := range g.Ingress {
			if d.Port < r.From || r.To < d.Port {
				continue
			}
			for p, subnets := range led {
				ranges := d.Family(route.Ranges(p.Subnets, subnets))
				if r.Other == "" && !slices.ContainsFunc(ranges, r.CIDR.Overlaps) {
					continue
				}
				if p.Side.Whole { // anything there may call
					return g.ID, nil
				}
				if _, known := callers[p]; !known {
					read, all, err := s.clients(ctx, p)
					if err != nil {
						return "", err
					}
					if !all { // who is not known yet may be let in
						return g.ID, nil
					}
					callers[p] = read
				}
				for _, c := range callers[p] {
					in := slices.DeleteFunc(slices.Clone(c.Subnets), func(id string) bool { return !slices.Contains(subnets, id) })
					byRange := slices.ContainsFunc(d.Family(route.Ranges(p.Subnets, in)), func(a netip.Prefix) bool { return r.CIDR.IsValid() && r.CIDR.Overlaps(a) })
					// A marked subnet's groups are not known, nor what a list has.
					byGroup := r.Other != "" && (len(c.Groups) == 0 || slices.Contains(c.Groups, r.Other) || slices.Contains(c.OtherGroups, r.Other) || strings.HasPrefix(r.Other, "pl-"))
					if len(in) > 0 && (byRange || byGroup) {
						return g.ID, nil
					}
				}
			}
		}
	}
	return "", nil
}

// clients are those on a side: of one that does not consume they were not read yet. all says that there are no more.
func (s Surveyor) clients(ctx context.Context, g *SideFacts) (found []workflow.Client, all bool, err error) {
	if g.Side.Consumer {
		return g.Side.Clients, g.Side.Unread == 0, nil
	}
	from, err := s.calling(ctx, g)
	return alike(g.Side.VPC.Account, from.clients, g.Subnets, g.kept(from.groups)), from.unread == 0, err
}

// beside returns what says of something in some subnets, with some ranges, whether routes to it, or from it, lead to a database that is shut, or from it:
// by its subnets or, where only the way back is new, by the tables that those use.
func (l layout) beside(d workflow.AllowedDatabase, tables []string) func([]string, []netip.Prefix) bool {
	return func(subnets []string, cidrs []netip.Prefix) bool {
		return len(cidrs) == 0 || len(network.Common(cidrs, d.CIDRs)) > 0 || slices.ContainsFunc(subnets, func(id string) bool {
			t, ok := route.Of(l.tables, id)
			return ok && slices.Contains(tables, t.ID)
		})
	}
}

// withheld withholds the databases beside one that is shut, else the clients there. It reports whether there are any.
func withheld(sides []*SideFacts, g *SideFacts, d workflow.AllowedDatabase, group string, beside func([]string, []netip.Prefix) bool) bool {
	why := workflow.Withheld{Owner: g.Side.VPC.Account,
		Detail: fmt.Sprintf("what leads there would lead to %s as well, which nobody shares and whose security group %s lets in who calls", d.Database, group),
		Remedy: fmt.Sprintf("narrow %s, or tag it %s=true if that may be, or move one of the two to subnets with a route table of their own", group, tag.Open)}
	found := false
	for _, o := range sides {
		for n := range o.Side.AllowedDatabases {
			if one := &o.Side.AllowedDatabases[n]; o.Side.Role == g.Side.Role && one.Withheld == nil && beside(one.Subnets, one.CIDRs) {
				one.Withheld, found = &why, true
			}
		}
	}
	for _, o := range sides {
		for n := range o.Side.Clients {
			if one := &o.Side.Clients[n]; !found && o.Side.Role == g.Side.Role && one.Withheld == nil && len(one.CIDRs) > 0 && beside(one.Subnets, one.CIDRs) {
				one.Withheld = &why
			}
		}
		found = found || slices.ContainsFunc(o.Side.Clients, func(c workflow.Client) bool { return c.Withheld == &why })
	}
	return found
}
