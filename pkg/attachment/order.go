package attachment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Held is what a route table of a gateway says about one CIDR of a VPC.
type Held struct {
	CIDR  string
	Table string
	By    []string // the attachments that it leads to; none if there is no route
}

// Order judges what the gateway's owner sees of an attachment, and returns the hops of the verdict, and for each thing
// that is in the way what to do about it; settled is false while propagation is still on its way.
//
//	no association                                → in the way: nothing from the VPC is routed
//	a CIDR that leads to another attachment       → in the way: AWS does not propagate what overlaps, and says nothing
//	a CIDR that leads nowhere, but is propagated  → on its way
//	propagated nowhere                            → a hop that is missing: the owner may use static routes
//	DNS support off, on the attachment or gateway → a hop that is missing
//
// https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html#tgw-route-propagation-overview
func Order(g workflow.Gateway, a workflow.Attachment, table string, propagated []string, held []Held) (hops []workflow.Hop, lacks, remedies []string, settled bool) {
	settled = true
	add := func(name string, ok bool, format string, args ...any) {
		hops = append(hops, workflow.Hop{Hop: name, OK: ok, Detail: fmt.Sprintf(format, args...)})
	}
	add("attachment available", true, "%s", a.ID)
	switch {
	case table != "":
		add("association", true, "%s belongs to %s", a.ID, table)
	case a.Table != "":
		add("association", false, "%s belonged to %s, and somebody took it out", a.ID, a.Table)
		lacks, remedies = append(lacks, fmt.Sprintf("%s has no association with a route table any more: somebody took it out of %s", a.ID, a.Table)),
			append(remedies, "associate "+a.ID+" with a route table of "+g.ID+", or take the tag drawbridge:attach off the VPC")
	case g.Association != "":
		add("association", false, "%s belongs to no route table of %s: its owner keeps it out of %s", a.ID, g.ID, g.Association)
		lacks, remedies = append(lacks, fmt.Sprintf("%s has no association with a route table: it was taken out of %s, where AWS puts every attachment", a.ID, g.Association)),
			append(remedies, "associate "+a.ID+" with a route table of "+g.ID+", or take the tag drawbridge:attach off the VPC")
	default:
		add("association", false, "%s belongs to no route table of %s", a.ID, g.ID)
		lacks, remedies = append(lacks, fmt.Sprintf("%s has no association with a route table, and %s has no default one", a.ID, g.ID)),
			append(remedies, fmt.Sprintf("tag one of the route tables of %s with %s=default and %s=default, or associate %s with one", g.ID, TagAssociation, TagPropagation, a.ID))
	}
	if len(propagated) == 0 {
		add("propagation", false, "%s is propagated to no route table of %s: only static routes lead to it", a.ID, g.ID)
	}
	for _, h := range held {
		switch {
		case slices.Contains(h.By, a.ID):
			add("propagation", true, "%s leads %s to %s", h.Table, h.CIDR, a.ID)
		case len(h.By) > 0:
			add("propagation", false, "%s leads %s to %s", h.Table, h.CIDR, strings.Join(h.By, ", "))
			lacks, remedies = append(lacks, fmt.Sprintf("%s of the VPC is not propagated to %s, which leads it to %s: they overlap", h.CIDR, h.Table, strings.Join(h.By, ", "))),
				append(remedies, fmt.Sprintf("detach one of the VPCs from %s, or give it other addresses", g.ID))
		default:
			settled = false
			add("propagation", false, "%s does not lead %s anywhere yet", h.Table, h.CIDR)
		}
	}
	if a.DNS && g.DNS {
		add("DNS support", true, "is on")
	} else {
		where := g.ID
		if !a.DNS {
			where = a.ID
		}
		add("DNS support", false, "is off on %s: names that are public do not resolve to private addresses; remedy: its owner turns DnsSupport on", where)
	}
	slices.Sort(remedies)
	return hops, lacks, slices.Compact(remedies), settled
}
