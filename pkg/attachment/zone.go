package attachment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Cover finds the subnets that an attachment needs in addition to those that it has: one in each Availability Zone that
// holds a used subnet, or in each zone of a VPC in which nothing is used yet. AWS takes one subnet for each zone, and what
// is in a zone without one does not reach the gateway. The subnet with the most free addresses is taken, of equal ones
// the first by id. Zones in which no subnet will do are lacking. Sorted by zone.
// https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html#tgw-az-overview
func Cover(subnets []Subnet, used, attached []string) (add []string, lacking []workflow.Hop) {
	zones, covered := map[string]bool{}, map[string]bool{}
	for _, s := range subnets {
		if slices.Contains(used, s.ID) {
			zones[s.Zone] = true
		}
		if slices.Contains(attached, s.ID) {
			covered[s.Zone] = true
		}
	}
	if len(zones) == 0 && len(covered) == 0 {
		for _, s := range subnets {
			zones[s.Zone] = true
		}
	}
	var names []string
	for zone := range zones {
		if !covered[zone] {
			names = append(names, zone)
		}
	}
	slices.Sort(names)
	for _, zone := range names {
		best := Subnet{}
		for _, s := range subnets {
			if s.Zone == zone && s.V4 && s.Free > 0 && (s.Free > best.Free || s.Free == best.Free && s.ID < best.ID) {
				best = s
			}
		}
		if best.ID != "" {
			add = append(add, best.ID)
			continue
		}
		lacking = append(lacking, workflow.Hop{Hop: "attachment in " + zone,
			Detail: fmt.Sprintf("no subnet in %s has a free IPv4 address for the attachment: nothing there reaches the gateway; remedy: add a subnet in %s", zone, zone)})
	}
	return add, lacking
}

func zoneOf(subnets []Subnet, id string) string {
	for _, s := range subnets {
		if s.ID == id {
			return s.Zone
		}
	}
	return ""
}

func details(hops []workflow.Hop) string {
	var out []string
	for _, h := range hops {
		out = append(out, h.Detail)
	}
	if len(out) == 0 {
		return "the VPC has none"
	}
	return strings.Join(out, "; ")
}
