package endpoint

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Changes is what makes a VPC have the endpoints that are wanted. Its zero value changes nothing.
type Changes struct {
	MakeGroup bool
	Admit     []netip.Prefix // rules for our group: HTTPS from here
	Revoke    []Rule         // rules of ours in our group that nobody wants any more
	Create    []Creation
	Extend    []Extension
	Delete    []Endpoint // ours and dead
	Wait      []string   // what is on its way and must arrive before more can be done, in words
}

// Creation is an endpoint to be made, with private DNS.
type Creation struct {
	Service string
	Subnets []string
}

// Extension gives an endpoint of ours subnets in further Availability Zones, and the group that somebody took off it.
type Extension struct {
	Endpoint string
	Service  string
	Subnets  []string
	Group    string // sg-…; empty: it has it
}

// Done reports whether nothing is to be changed and nothing to be waited for.
func (c Changes) Done() bool {
	return !c.MakeGroup && len(c.Admit)+len(c.Revoke)+len(c.Create)+len(c.Extend)+len(c.Delete)+len(c.Wait) == 0
}

// Plan returns what gives the VPC the endpoints that are wanted:
//
//	the VPC resolves no private names               → Conflict: its owner turns that on
//	AWS does not offer the service here             → Conflict
//	somebody else's endpoint, live                  → use it as it is
//	ours, available, in every Availability Zone     → nothing
//	ours, available, a zone has no subnet of it, or
//	it has not our group                            → extend it, unless that is left to who took it away
//	ours, pending                                   → wait
//	ours, failed, rejected or expired               → delete it, then make it anew
//	ours, being deleted                             → wait: its DNS name is still taken
//	none                                            → create
//
// The group of ours is made only when an endpoint of ours needs it, and then admits exactly the [Sources]. A rule in it
// that carries no tag of ours stays: somebody else added it, and [Judge] tells.
func Plan(want Want, have Network) (Changes, error) {
	var out Changes
	if !have.DNSSupport || !have.DNSHostnames {
		return out, fault.NewConflict(
			fmt.Sprintf("%s does not resolve private DNS names: enableDnsSupport is %t and enableDnsHostnames is %t", have.VPC, have.DNSSupport, have.DNSHostnames),
			"turn both attributes of the VPC on, then set the tag of the VPC by which it asks anew")
	}
	ours := false
	for _, service := range slices.Sorted(slices.Values(want.Services)) {
		if e, ok := have.Of(service); ok {
			if e.Owner != want.Owner {
				continue // somebody else's, used as it is
			}
			ours = true
			if e.State != "available" {
				out.Wait = append(out.Wait, fmt.Sprintf("%s of %s is %s", e.ID, service, e.State))
				continue
			}
			x := Extension{Endpoint: e.ID, Service: service, Subnets: lackingZones(want, have, e, place(have, service))}
			if have.Group != "" && !slices.Contains(e.Groups, have.Group) && !slices.Contains(want.Left, partKey(service, groupPart)) {
				x.Group = have.Group
			}
			if len(x.Subnets) > 0 || x.Group != "" {
				out.Extend = append(out.Extend, x)
			}
			continue
		}
		ours = true
		left := leftovers(have, service, want.Owner)
		for _, e := range left {
			if e.State == "deleting" {
				out.Wait = append(out.Wait, fmt.Sprintf("%s of %s is deleting", e.ID, service))
			} else {
				out.Delete = append(out.Delete, e)
			}
		}
		if len(left) > 0 {
			continue
		}
		if !slices.ContainsFunc(have.Offers, func(o Offer) bool { return o.Service == service }) {
			return Changes{}, fault.NewConflict(fmt.Sprintf("AWS offers no interface endpoint %s here", service),
				"use a Region where the service has one, or take the tag away")
		}
		subnets := place(have, service)
		if len(subnets) == 0 {
			return Changes{}, fault.NewConflict(
				fmt.Sprintf("no subnet of %s has a free address in an Availability Zone of %s", have.VPC, service),
				"give the VPC a subnet with free addresses, then set the tag of the VPC by which it asks anew")
		}
		out.Create = append(out.Create, Creation{Service: service, Subnets: ids(subnets)})
	}
	if !ours {
		return out, nil
	}
	if out.MakeGroup = have.Group == "" && !want.NoGroup; have.Group == "" && want.NoGroup {
		return out, nil
	}
	sources := Sources(have.CIDRs, want.Callers)
	for _, source := range sources {
		if slices.Contains(want.Left, ruleKey(source)) {
			continue
		}
		if !slices.ContainsFunc(have.Rules, func(r Rule) bool { return r.Group == have.Group && have.Group != "" && r.admits(source) }) {
			out.Admit = append(out.Admit, source)
		}
	}
	for _, r := range have.Rules {
		if have.Group != "" && r.Group == have.Group && r.Owner == want.Owner && !slices.Contains(sources, r.CIDR) {
			out.Revoke = append(out.Revoke, r)
		}
	}
	slices.SortFunc(out.Revoke, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// leftovers returns what is left of earlier endpoints of ours for a service, sorted.
func leftovers(have Network, service, owner string) []Endpoint {
	var out []Endpoint
	for _, e := range have.Endpoints {
		if e.Service == service && e.Owner == owner && !e.live() && !e.gone() {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Endpoint) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// place returns one subnet in every Availability Zone of the VPC in which the service is offered, sorted by zone: an
// endpoint takes one subnet in a zone, and every other subnet of the VPC reaches it over the local route. The first
// subnet by CIDR that has a free address is chosen, so that every execution chooses the same.
// https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html#prerequisites-interface-endpoints
func place(have Network, service string) []Subnet {
	var zones []string
	for _, o := range have.Offers {
		if o.Service == service {
			zones = o.Zones
		}
	}
	sorted := slices.Clone(have.Subnets)
	slices.SortFunc(sorted, func(a, b Subnet) int {
		return cmp.Or(strings.Compare(a.Zone, b.Zone), a.CIDR.Compare(b.CIDR), strings.Compare(a.ID, b.ID))
	})
	var out []Subnet
	for _, s := range sorted {
		taken := len(out) > 0 && out[len(out)-1].Zone == s.Zone
		if !taken && s.Free > 0 && slices.Contains(zones, s.Zone) {
			out = append(out, s)
		}
	}
	return out
}

// lackingZones returns the subnets of wanted in whose zones the endpoint has none, and which are not left to who took them away.
func lackingZones(want Want, have Network, e Endpoint, wanted []Subnet) []string {
	var zones []string
	for _, s := range have.Subnets {
		if slices.Contains(e.Subnets, s.ID) {
			zones = append(zones, s.Zone)
		}
	}
	var out []string
	for _, s := range wanted {
		if !slices.Contains(zones, s.Zone) && !slices.Contains(want.Left, partKey(e.Service, s.Zone)) {
			out = append(out, s.ID)
		}
	}
	return out
}

func ids(subnets []Subnet) []string {
	var out []string
	for _, s := range subnets {
		out = append(out, s.ID)
	}
	return out
}
