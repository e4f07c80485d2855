package attachment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// attempts is how many attachments of its own Drawbridge makes for one VPC on one gateway while AWS shows those that it
// failed.
const attempts = 2

// over are the states of an attachment that is no more. It is shown for about two hours.
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html#vpc-attachment-lifecycle
var over = []string{"", "deleted", "deleting", "failed", "failing", "rejected", "rejecting"}

// Live reports whether an attachment is there, or on its way.
func Live(a workflow.Attachment) bool { return !slices.Contains(over, a.State) }

// Passing answers what the state of an attachment alone decides, and reports whether it does: one that is on its way is
// waited for, whatever comes then. Anything else is for [Judge].
func Passing(a workflow.Attachment) (Verdict, bool) {
	if !slices.Contains([]string{"initiating", "initiatingRequest", "pending", "modifying", "rollingBack"}, a.State) {
		return Verdict{}, false
	}
	return Verdict{Answer: workflow.AnswerWait, Reason: fmt.Sprintf("%s is %s", a.ID, a.State)}, true
}

// Peers returns the VPCs that a VPC is connected to over a gateway, by their ids, each with its account. entries are what the ledger has of
// the VPC's account and Region.
func Peers(entries []ledger.Connection, gateway, vpc string) map[string]string {
	out := map[string]string{}
	for _, pair := range connection.PairsOf(entries, gateway, vpc) {
		for _, s := range pair.Sides {
			if s.ID != vpc {
				out[s.ID] = s.Account
			}
		}
	}
	return out
}

// Manages says whether the attachment of a VPC is managed from now on, how that came about, and if not, why not. The first that holds:
//
//	the ledger has an entry of it                     → managed
//	there is none, or it is over                      → not yet: it is made first
//	Drawbridge made it                                → requested
//	it waits for the gateway's owner                  → requested: a request that waits is seen as a request
//	the event is the request                          → requested
//	the VPC's tag drawbridge:attach names the gateway,
//	or an owner's drawbridge:manage is true           → adopted, if the policy allows AdoptAttachment
//	else                                              → found: it was there before, and stays as it is
func Manages(q Question) (managed bool, origin ledger.Origin, why string) {
	a := q.Attachment
	switch {
	case q.Managed:
		return true, "", ""
	case !Live(a):
		return false, "", ""
	case a.Own || q.Requested || slices.Contains([]string{"pendingAcceptance", "initiating", "initiatingRequest"}, a.State):
		return true, ledger.Requested, ""
	case (q.Asked && q.Visible || q.Says == tag.Take) && q.Adopt.Allowed:
		return true, ledger.Adopted, ""
	case q.Asked && q.Visible || q.Says == tag.Take:
		return false, "", fmt.Sprintf("%s was there before Drawbridge, and taking it over is refused by policy %s", a.ID, q.Adopt.Policy)
	}
	return false, "", fmt.Sprintf("%s was there before Drawbridge and is left as it is; to give it to Drawbridge, one of its owners tags it %s=%s", a.ID, tag.Manage, tag.Take)
}

// Judge decides what one VPC on one gateway needs next. A VPC wants a gateway if its tag asks for it and its account sees
// it. The first of these that holds:
//
//	the gateway's owner is outside the organization      → refuse
//	Drawbridge's own attachment, available or pending
//	acceptance, that the VPC does not want any more      → detach
//	deleting, rejecting, failing                         → wait, if the VPC wants it; else removed
//	rejected                                             → rejected
//	failed, and [attempts] of Drawbridge's own are       → conflict: AWS would fail it again
//	none, deleted or failed, wanted, policy: Attach      → attach, with one subnet in each zone that needs one
//	                         wanted, policy: not         → refuse
//	                         not wanted                  → removed after one was there, else nothing
//	on its way to somewhere                              → wait
//	available, found                                     → nothing: see [Manages]
//	pendingAcceptance, policy: AcceptAttachment          → accept
//	                   policy: AskAttachment             → ask
//	                   policy: neither                   → refuse
//	available, association or propagation on its way     → wait
//	           without them, and never had them          → associate, with the tables that the gateway's owner tagged
//	           its own, and a zone without a subnet      → attach, with the subnets that are missing
//	           else                                      → verify
//
// An attachment that somebody else made has the subnets that its maker gave it: zones without one are Lacking.
func Judge(q Question) (Verdict, error) {
	a, unit := q.Attachment, fmt.Sprintf("%s on %s", q.VPC.ID, q.Gateway.ID)
	wanted := q.Asked && q.Visible
	say := func(answer workflow.Answer, format string, args ...any) (Verdict, error) {
		return Verdict{Answer: answer, Reason: fmt.Sprintf(format, args...)}, nil
	}
	switch {
	case a.Own && !wanted && (a.State == "available" || a.State == "pendingAcceptance"):
		if q.Asked {
			return say(workflow.AnswerDetach, "%s is not shared with account %s any more", q.Gateway.ID, q.VPC.Account)
		}
		return say(workflow.AnswerDetach, "%s does not ask for %s any more%s", q.VPC.ID, q.Gateway.ID, q.Unclear)
	case a.State == "deleting" && !wanted:
		return say(workflow.AnswerRemoved, "%s is %s", a.ID, a.State)
	case !q.OwnerMember:
		return say(workflow.AnswerRefuse, "account %s, which owns %s, is outside the organization", q.Gateway.Account, q.Gateway.ID)
	case a.State == "rejected":
		return say(workflow.AnswerRejected, "the owner of %s rejected %s", q.Gateway.ID, a.ID)
	case a.State == "" || a.State == "deleted" || a.State == "failed":
		switch {
		case !wanted && a.State == "":
			return say(workflow.AnswerNothing, "%s", unasked(q))
		case !wanted:
			return say(workflow.AnswerRemoved, "%s is %s", a.ID, a.State)
		case !q.Attach.Allowed:
			return Verdict{Answer: workflow.AnswerRefuse, Reason: fmt.Sprintf("attaching %s is refused by policy %s", unit, q.Attach.Policy), Decision: q.Attach}, nil
		case a.State == "failed" && len(q.Failed) >= attempts:
			return Verdict{}, fault.NewConflict(
				fmt.Sprintf("attaching %s: AWS failed %s, and does not say why", unit, strings.Join(q.Failed, " and ")),
				fmt.Sprintf("read in CloudTrail of account %s why the network interfaces of the attachment could not be made, mend it, and redrive the execution when AWS shows one of them no more, two hours after it failed", q.VPC.Account))
		}
		add, lacking := Cover(q.Subnets, q.Used, nil)
		if len(add) == 0 {
			return Verdict{Answer: workflow.AnswerRefuse, Reason: fmt.Sprintf("attaching %s needs a subnet: %s", unit, details(lacking)), Lacking: lacking}, nil
		}
		reason := "attached by policy " + q.Attach.Policy
		if a.State == "failed" {
			reason += ", once more after AWS failed " + a.ID
		}
		return Verdict{Answer: workflow.AnswerAttach, Reason: reason, Decision: q.Attach, Subnets: add, Lacking: lacking}, nil
	case a.State == "pendingAcceptance":
		switch {
		case q.Answer.Allowed && q.Answer.Action == policy.AcceptAttachment:
			return Verdict{Answer: workflow.AnswerAccept, Reason: "accepted by policy " + q.Answer.Policy + q.Unclear, Decision: q.Answer}, nil
		case q.Answer.Allowed && q.Answer.Action == policy.AskAttachment:
			return Verdict{Answer: workflow.AnswerAsk, Reason: "approval needed by policy " + q.Answer.Policy + q.Unclear, Decision: q.Answer}, nil
		}
		return Verdict{Answer: workflow.AnswerRefuse, Reason: "refused by policy " + q.Answer.Policy + q.Unclear, Decision: q.Answer}, nil
	case a.State != "available":
		return say(workflow.AnswerWait, "%s is %s", a.ID, a.State)
	case !q.Managed:
		_, _, why := Manages(q)
		return say(workflow.AnswerNothing, "%s", why)
	case q.Association == "associating" || q.Association == "disassociating":
		return say(workflow.AnswerWait, "%s is %s", a.ID, q.Association)
	}
	if v, ok := associate(q); ok {
		return v, nil
	}
	add, lacking := Cover(q.Subnets, q.Used, a.Subnets)
	if a.Own && len(add) > 0 {
		return Verdict{Answer: workflow.AnswerAttach, Reason: fmt.Sprintf("%s needs a subnet in more Availability Zones", a.ID), Subnets: add, Lacking: lacking}, nil
	}
	for _, id := range add {
		zone := zoneOf(q.Subnets, id)
		lacking = append(lacking, workflow.Hop{Hop: "attachment in " + zone,
			Detail: fmt.Sprintf("%s has no subnet in %s, where %s is used: nothing there reaches %s; remedy: add %s to it, or another subnet of the zone", a.ID, zone, q.VPC.ID, q.Gateway.ID, id)})
	}
	return Verdict{Answer: workflow.AnswerVerify, Reason: fmt.Sprintf("%s is attached to %s", q.VPC.ID, q.Gateway.ID), Lacking: lacking}, nil
}

// unasked says why a VPC that is not attached does not want a gateway.
func unasked(q Question) string {
	if q.Asked {
		return fmt.Sprintf("%s asks for %s, which account %s neither owns nor is given", q.VPC.ID, q.Gateway.ID, q.VPC.Account)
	}
	return fmt.Sprintf("%s does not ask for %s%s", q.VPC.ID, q.Gateway.ID, q.Unclear)
}

// associate decides about the association and the propagation of an available attachment that is managed; ok reports whether something is
// to be done. One that was in order before is left as somebody made it since. Where the gateway has a default table, AWS associates
// with it by itself, so that an attachment without it was taken out: it is left in its quarantine.
func associate(q Question) (Verdict, bool) {
	v := Verdict{Answer: workflow.AnswerAssociate, Decision: q.Associate,
		Reason: q.Attachment.ID + " is not associated, or not propagated, as the gateway's owner tagged its route tables"}
	if q.Attachment.Table != "" || !q.Associate.Allowed {
		return v, false
	}
	if q.Association != "associated" && q.Gateway.Association == "" {
		v.Associate = chosen(q.Tables, TagAssociation)
	}
	if len(q.Propagated) == 0 && q.Gateway.Propagation == "" {
		if table := chosen(q.Tables, TagPropagation); table != "" {
			v.Propagate = []string{table}
		}
	}
	return v, v.Associate != "" || len(v.Propagate) > 0
}

// chosen returns the route table of a gateway that its owner chose by a tag.
func chosen(tables []Table, key string) string {
	for _, t := range tables {
		if strings.EqualFold(strings.TrimSpace(t.Tags[key]), "default") {
			return t.ID
		}
	}
	return ""
}

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
