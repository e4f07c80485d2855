package gatewaypair

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Patience is how many looks an execution has at what is on its way: states that pass by themselves, and routes of the
// gateway, which follow an association by up to a minute. That is five minutes, see [workflow.Pause].
const Patience = settling + 4*60/workflow.LongPause

// settling is how many looks routes of the gateway get until something is wrong with them.
const settling = workflow.ShortPauses

// over are the states of an attachment that is no more. It is shown for two hours.
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html#vpc-attachment-lifecycle
var over = []string{"deleting", "deleted", "rejecting", "rejected", "failing", "failed"}

// Standing answers what the state of the attachments alone decides, and reports whether it does. The first that holds:
//
//	an account outside the organization             → disconnect
//	an attachment that is not there, deleted,
//	deleting, rejected, rejecting, failed, failing  → disconnect
//	pendingAcceptance, initiatingRequest, and the
//	pair was connected                              → disconnect: it was over another attachment, which is over
//	the same, and it was not                        → nothing: its owner is asked elsewhere, and a look follows
//	initiating, pending, modifying, rollingBack     → wait
//	both available                                  → not settled: the facts and the policy decide
//	anything else                                   → nothing, by name
//
// disconnect becomes nothing where nothing of Drawbridge's is left. An account that is closed to us, or suspended, keeps nobody from
// cleaning the other side of an attachment that is over, but that it cannot be read takes nothing away.
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html#vpc-attachment-lifecycle
func Standing(q Question) (Verdict, bool) {
	for _, e := range q.Ends {
		if !e.Member && !e.Closed {
			return Verdict{Answer: workflow.AnswerDisconnect, Reason: fmt.Sprintf("account %s is outside the organization", e.VPC.Account)}, true
		}
	}
	var later *Verdict
	put := func(a workflow.Answer, format string, args ...any) {
		if later == nil || later.Answer == workflow.AnswerWait && a == workflow.AnswerNothing {
			later = &Verdict{Answer: a, Reason: fmt.Sprintf(format, args...)}
		}
	}
	for _, e := range q.Ends {
		if e.Closed {
			continue
		}
		if e.Attachment == nil {
			return Verdict{Answer: workflow.AnswerDisconnect, Reason: fmt.Sprintf("%s is not attached to %s", e.VPC.ID, q.Gateway.ID)}, true
		}
		a := e.Attachment
		if slices.Contains(over, a.State) {
			return Verdict{Answer: workflow.AnswerDisconnect, Reason: fmt.Sprintf("%s of %s is %s", a.ID, e.VPC.ID, a.State)}, true
		}
		switch a.State {
		case "available":
		case "pendingAcceptance", "initiatingRequest":
			if q.Before {
				return Verdict{Answer: workflow.AnswerDisconnect, Reason: fmt.Sprintf("%s of %s is %s, and the attachment that the pair was connected over is over", a.ID, e.VPC.ID, a.State)}, true
			}
			put(workflow.AnswerNothing, "%s of %s is %s: the pair is looked at again once it is accepted", a.ID, e.VPC.ID, a.State)
		case "initiating", "pending", "modifying", "rollingBack":
			put(workflow.AnswerWait, "%s of %s is %s", a.ID, e.VPC.ID, a.State)
		default:
			put(workflow.AnswerNothing, "%s of %s is in the state %q, which nobody here knows", a.ID, e.VPC.ID, a.State)
		}
	}
	if later == nil {
		return Verdict{}, false
	}
	return *later, true
}

// Judge decides what a pair that [Standing] leaves open needs next. The first of these that holds:
//
//	policy: Route not both ways                       → refuse
//	policy: Connect in neither direction              → refuse
//	the VPCs overlap, so that nothing is left that
//	could cross, and the pair was connected           → Conflict: somebody changed the addresses of a VPC
//	the same, and it was not                          → refuse
//	the gateway does not lead both ways, not yet
//	looked at a dozen times                           → wait
//	the gateway does not lead both ways               → Conflict
//	it leads by something that may or may not pass
//	it on, not connected before, and not yet looked
//	at a dozen times                                  → wait
//	else                                              → connect
//
// refuse becomes disconnect where the pair was connected before: what was allowed once and is not any more goes. The
// table is asked from above as the facts come in, so that what is refused costs no more reads: [Routed], [Consent]. The policy comes before
// the addresses: what one side is told of the other's it is told because the two may meet.
func Judge(q Question) (Verdict, error) {
	if v, settled := Routed(q); settled {
		return v, nil
	}
	if v, settled := Consent(q); settled {
		return v, nil
	}
	if v, settled, err := Networks(q); settled || err != nil {
		return v, err
	}
	decision := connects(q)
	wrong, unclear := Wrong(q), Unclear(q)
	if len(unclear) > 0 && !q.Before && q.Looks < settling { // what AWS propagates comes later, and counts before
		return Verdict{Answer: workflow.AnswerWait, Reason: strings.Join(unclear, "; "), Decision: decision}, nil
	}
	if len(wrong) > 0 {
		reason := strings.Join(wrong, "; ")
		if q.Looks < settling {
			return Verdict{Answer: workflow.AnswerWait, Reason: reason, Decision: decision}, nil
		}
		return Verdict{}, fault.NewConflict(reason, "mend the route tables of "+q.Gateway.ID+" in account "+q.Gateway.Owner+
			" (Drawbridge does not take over its routes), then redrive the execution")
	}
	connected := "connected by policy " + decision.Policy
	return Verdict{workflow.AnswerConnect, connected, workflow.Alike(connected), decision}, nil
}

// refusal is the answer about a pair that is not allowed.
func refusal(q Question) workflow.Answer {
	if q.Before {
		return workflow.AnswerDisconnect
	}
	return workflow.AnswerRefuse
}

// Routed is what [Judge] says before it is known what the VPCs hold, if that settles it: the policy about routes.
func Routed(q Question) (Verdict, bool) {
	for _, d := range q.Routes {
		if !d.Allowed {
			return forbidden(q, "routes refused by policy "+d.Policy, "", d), true
		}
	}
	return Verdict{}, false
}

// Consent is what [Judge] says before it is known what the gateway does, if that settles it: the policy about the two
// VPCs, with the databases that are in them.
func Consent(q Question) (Verdict, bool) {
	decision := connects(q)
	if !decision.Allowed && decision.Policy == "" {
		return Verdict{Answer: refusal(q), Reason: decision.Reason, Said: workflow.Alike(decision.Reason)}, true
	}
	if !decision.Allowed {
		unclear := ""
		if len(q.Closed) > 0 { // a database that is opened may have changed it
			unclear = "; " + q.Closed[0].Hop + ": " + q.Closed[0].Detail
		}
		return forbidden(q, "refused by policy "+decision.Policy, unclear, decision), true
	}
	return Verdict{}, false
}

// forbidden is the verdict about a pair that the policy forbids. Both are told which policy and whom to ask; unclear, what is known
// of one's databases, is for the hub alone.
func forbidden(q Question, what, unclear string, d policy.Decision) Verdict {
	text := func(other End) string {
		return fmt.Sprintf("%s; ask the owner of account %s, or who writes the policy", what, other.VPC.Account)
	}
	return Verdict{refusal(q), what + unclear, workflow.Said{Requester: text(q.Ends[1]), Accepter: text(q.Ends[0])}, d}
}

// Networks is what [Judge] says of overlapping addresses, once the policy allows the two to meet. Each side is told of its own. A range that both
// have, such as one for containers that every VPC of an organization uses, keeps only itself from crossing: see [Crossing].
func Networks(q Question) (Verdict, bool, error) {
	a, b := q.Ends[0].VPC, q.Ends[1].VPC
	one, other, ok := survey.Overlap(a.CIDRs, b.CIDRs)
	if !ok || len(Crossing(q, 0)) > 0 && len(Crossing(q, 1)) > 0 {
		return Verdict{}, false, nil
	}
	if q.Before {
		return Verdict{}, false, survey.Overlapping(a, b, q.Gateway.ID)
	}
	text := func(own netip.Prefix, here, there workflow.VPC) string {
		return fmt.Sprintf("%s of %s overlaps addresses of %s in account %s", own, here.ID, there.ID, there.Account)
	}
	return Verdict{Answer: refusal(q), Reason: fmt.Sprintf("%s of %s overlaps %s of %s", one, a.ID, other, b.ID),
		Said: workflow.Said{Requester: text(one, a, b), Accepter: text(other, b, a)}}, true, nil
}

// connects returns the decision that counts of the two about connecting: one that allows, or else a forbid, which says
// more. One that would be allowed, if the producer took connections, is no policy's: its owner takes it back.
func connects(q Question) policy.Decision {
	if first, second := direction(q, 0), direction(q, 1); first.Allowed || !second.Allowed && (first.Policy == "" || second.Policy == policy.DefaultDeny) {
		return first
	} else {
		return second
	}
}

// direction is the decision about one end as the consumer.
func direction(q Question, consumer int) policy.Decision {
	d, producer := q.Connects[consumer], 1-consumer
	if d.Allowed && q.Never[producer] {
		end := q.Ends[producer].VPC
		return policy.Decision{Action: d.Action, Reason: fmt.Sprintf("the owner of account %s takes it back: %s is tagged %s=never", end.Account, end.ID, tag.Accept)}
	}
	return d
}

// Crossing returns the CIDRs of the other VPC that one end can reach over the gateway: those of an address family that
// both have, and IPv6 only where both attachments carry it. What overlaps a range of its own stays within it.
func Crossing(q Question, end int) []netip.Prefix {
	here, there := q.Ends[end], q.Ends[1-end]
	return slices.DeleteFunc(survey.Reachable(here.VPC.CIDRs, there.VPC.CIDRs), func(p netip.Prefix) bool {
		return p.Addr().Is6() && !(here.Attachment.IPv6 && there.Attachment.IPv6) || slices.ContainsFunc(here.VPC.CIDRs, p.Overlaps)
	})
}

// Refers reports whether a rule of one VPC may refer to groups of the other: gateway and attachments allow it, all that crosses goes straight from the one
// to the other, and nothing is in the zone that AWS leaves out. zones are the ids of all zones of both VPCs.
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html#vpc-attachment-security
func Refers(q Question, zones []string) bool {
	if !q.Gateway.References || slices.Contains(zones, network.Unreferable) {
		return false
	}
	for n, e := range q.Ends {
		if !e.Attachment.References {
			return false
		}
		for _, cidr := range Crossing(q, n) {
			if in, unclear := leads(e, q.Ends[1-n], cidr); len(in)+len(unclear) > 0 {
				return false
			}
		}
	}
	return true
}

// Both returns the ranges of a VPC that overlap some of the other's: nothing in them is connected.
func Both(q Question, end int) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(q.Ends[end].VPC.CIDRs), func(p netip.Prefix) bool {
		return !slices.ContainsFunc(q.Ends[1-end].VPC.CIDRs, p.Overlaps)
	})
}

// Apart is the line about the ranges that both VPCs have, nothing if there are none: whoever is in them has no path to the other VPC.
func Apart(q Question) []workflow.Hop {
	var ranges []string
	for n := range q.Ends {
		for _, p := range Both(q, n) {
			ranges = append(ranges, p.String())
		}
	}
	if len(ranges) == 0 {
		return nil
	}
	slices.Sort(ranges)
	return []workflow.Hop{{Hop: "ranges of both", OK: true, Detail: strings.Join(slices.Compact(ranges), ", ") + ": stay within each VPC, and are not connected"}}
}

// Found says of a pair that is not managed why nothing is done about it, and how its owners give it to Drawbridge.
func Found(q Question) Verdict {
	return Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf(
		"neither %s nor %s was given to Drawbridge, so nothing is done between their VPCs; to give one, its VPC's owner tags it %s=%s",
		q.Ends[0].Attachment.ID, q.Ends[1].Attachment.ID, tag.Manage, tag.Take)}
}
