package endpoint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Judge returns one hop for each service, saying whether its endpoint serves everybody who may call it, and whose it is.
// Somebody else's endpoint is judged like ours; what it lacks is said and not mended. acls may be empty: AWS's default
// lets everything through.
func Judge(want Want, have Network, acls []network.ACL) []workflow.Hop {
	sources := Sources(have.CIDRs, want.Callers)
	var out []workflow.Hop
	for _, service := range slices.Sorted(slices.Values(want.Services)) {
		hop := workflow.Hop{Hop: "endpoint " + service}
		e, ok := have.Of(service)
		if !ok {
			hop.Detail = have.VPC + " has none"
			out = append(out, hop)
			continue
		}
		whose := "made by Drawbridge"
		if e.Owner != want.Owner {
			whose = "the owner's own"
		}
		if lacks := lacking(want, have, e, sources, acls); len(lacks) > 0 {
			hop.Detail = fmt.Sprintf("%s, %s: %s", e.ID, whose, strings.Join(lacks, "; "))
		} else if doubt := doubted(e, sources, acls); doubt != "" {
			hop.Unknown, hop.Detail = true, fmt.Sprintf("%s, %s: %s", e.ID, whose, doubt)
		} else {
			hop.OK, hop.Detail = true, fmt.Sprintf("%s, %s, with private DNS, admits HTTPS from %s", e.ID, whose, join(sources))
		}
		out = append(out, hop)
	}
	return out
}

func lacking(want Want, have Network, e Endpoint, sources []netip.Prefix, acls []network.ACL) []string {
	var out []string
	if e.State != "available" {
		out = append(out, "it is "+e.State)
	}
	if !e.PrivateDNS {
		out = append(out, "its private DNS is off, so that the service's own name leads to the internet: turn it on")
	}
	var shut, wide []netip.Prefix
	for _, source := range sources {
		if !slices.ContainsFunc(have.Rules, func(r Rule) bool { return slices.Contains(e.Groups, r.Group) && r.admits(source) }) {
			shut = append(shut, source)
		}
	}
	if len(shut) > 0 {
		out = append(out, fmt.Sprintf("none of its security groups (%s) admits HTTPS from %s: add the rule", strings.Join(e.Groups, ", "), join(shut)))
	}
	for _, r := range have.Rules {
		covered := slices.ContainsFunc(sources, func(s netip.Prefix) bool {
			return r.CIDR.IsValid() && s.Bits() <= r.CIDR.Bits() && s.Contains(r.CIDR.Addr())
		})
		if slices.Contains(e.Groups, r.Group) && r.CIDR.IsValid() && r.From <= HTTPS && r.To >= HTTPS && !covered {
			wide = append(wide, r.CIDR)
		}
	}
	slices.SortFunc(wide, netip.Prefix.Compare)
	if wide = slices.Compact(wide); len(wide) > 0 {
		out = append(out, fmt.Sprintf("its security groups also admit HTTPS from %s, which nobody named: take the rule away or name the range", join(wide)))
	}
	if len(acls) > 0 && len(e.Subnets) > 0 {
		out = append(out, network.Lacking(acls, e.Subnets, sources, HTTPS, network.Ephemeral)...)
	}
	return out
}

// doubted says which answers may not get back: what calls is whatever is in the VPC, and of it Lambda functions, and what does not run Linux, take answers at
// ports that an ACL for Linux alone does not let out to.
func doubted(e Endpoint, sources []netip.Prefix, acls []network.ACL) string {
	if lacks := network.Lacking(acls, e.Subnets, sources, HTTPS, network.EphemeralLambda); len(lacks) > 0 {
		return "Linux is answered; Lambda functions and what does not run Linux may not be: " + strings.Join(lacks, "; ")
	}
	return ""
}

func join(prefixes []netip.Prefix) string {
	var out []string
	for _, p := range prefixes {
		out = append(out, p.String())
	}
	return strings.Join(out, ", ")
}
