package peering

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Settled answers what the state of a peering alone decides, and reports whether it does.
//
//	initiating-request, provisioning          → wait
//	rejected, expired, deleted, deleting      → disconnect: see [Ending]
//	failed                                    → refuse, in AWS's words: it was never active, so nothing was added
//	pending-acceptance, active                → not settled: the facts and the policy decide
//	anything else                             → nothing, by name
func Settled(p Peering) (Verdict, bool) {
	switch p.Status {
	case "pending-acceptance", "active":
		return Verdict{}, false
	case "initiating-request", "provisioning":
		return Verdict{Answer: workflow.AnswerWait, Reason: p.ID + " is " + p.Status}, true
	case "failed":
		reason := fmt.Sprintf("AWS failed %s: %s", p.ID, p.Message)
		return Verdict{Answer: workflow.AnswerRefuse, Reason: reason, Said: workflow.Alike(reason)}, true
	case "rejected", "expired", "deleted", "deleting":
		return Verdict{Answer: workflow.AnswerDisconnect, Reason: fmt.Sprintf("%s is %s: %s", p.ID, p.Status, p.Message)}, true
	}
	return Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf("%s is in the state %q, which nobody here knows", p.ID, p.Status)}, true
}

// Over reports whether a peering in this state is at its end: [Settled] answers disconnect, or nobody shows it any more.
func Over(p Peering, found bool) bool {
	v, _ := Settled(p)
	return !found || v.Answer == workflow.AnswerDisconnect
}

// Ending names the end of a peering that is over, or that [Judge] ends. statuses are the values of the tag
// drawbridge:status on both sides; traces reports that routes or rules of the connection are still there.
//
//	active, but not allowed any more                   → Removed
//	rejected                                           → Rejected
//	expired                                            → Expired
//	deleted, deleting:
//	  traces, or a status from after the acceptance    → Removed
//	  the status AwaitingApproval, or still expiring   → Withdrawn: nobody had accepted it
//	  else                                             → Removed
//
// Rejected, Expired and Withdrawn requests were never active: nothing was added for them but the status.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle
func Ending(p Peering, statuses []string, traces bool) workflow.Result {
	has := func(r workflow.Result) bool { return slices.Contains(statuses, string(r)) }
	switch {
	case p.Status == "active":
		return workflow.Removed
	case p.Status == "rejected":
		return workflow.Rejected
	case p.Status == "expired":
		return workflow.Expired
	case traces || has(workflow.Connected) || has(connection.Conflict):
		return workflow.Removed
	case has(workflow.AwaitingApproval) || p.Expires != "":
		return workflow.Withdrawn
	}
	return workflow.Removed
}

// Judge decides what a peering that is not [Settled] needs next. The first of these that holds:
//
//	a side outside the organization           → refuse
//	active, an owner takes it back            → refuse, see [TakenBack]
//	pending, policy: neither Accept nor Ask   → refuse
//	active, policy: not Route both ways       → refuse
//	the VPCs overlap, and it was connected    → conflict: somebody changed the addresses of a VPC
//	the networks do not fit, see [unfit]      → refuse
//	pending, policy: Accept                   → accept
//	pending, policy: Ask                      → ask
//	active                                    → connect
//
// The policy comes before all that is known of the networks: what one side is told of the other's it is told because the two may meet.
// And then each side has a text of its own, [Verdict.Said].
//
// For the first, second and fourth, refuse becomes disconnect where the peering is active and was connected before, or was about to
// be: what was allowed once and is not any more goes. The peering itself is its owners', and stays.
//
// For an active peering live routes are left to the steps that add routes: there they are a conflict, because
// somebody accepted the peering and expects it to work.
func Judge(q Question) Verdict {
	p := q.Peering
	pending := p.Status == "pending-acceptance"
	stood, forbid := p.Status == "active" && (Connected(p) || q.Begun), workflow.AnswerRefuse
	if stood {
		forbid = workflow.AnswerDisconnect
	}
	say := func(answer workflow.Answer, d policy.Decision, text string) Verdict {
		return Verdict{Answer: answer, Reason: text, Said: workflow.Alike(text), Decision: d}
	}
	if !q.RequesterMember {
		return say(forbid, policy.Decision{}, fmt.Sprintf("requester account %s is outside the organization", p.Requester.Account))
	}
	if !q.AccepterMember {
		return say(forbid, policy.Decision{}, fmt.Sprintf("accepter account %s is outside the organization", p.Accepter.Account))
	}
	if wish := TakenBack(q); wish != "" && !pending {
		return say(forbid, policy.Decision{}, wish)
	}
	decision, refused := q.Accept, "refused"
	if !pending {
		decision, refused = policy.Decision{Action: policy.Route, Policy: policy.DefaultDeny}, "routes refused"
		for _, d := range q.Routes {
			if decision = d; !d.Allowed {
				break
			}
		}
	}
	asks := decision.Allowed && decision.Action == policy.Ask
	if !decision.Allowed || pending && !asks && decision.Action != policy.Accept {
		unclear := ""
		if pending {
			unclear = q.Unclear
		}
		return Verdict{forbid, refused + " by policy " + decision.Policy + unclear, forbidden(p, refused, decision, unclear), decision}
	}
	if stood {
		if conflict := survey.Overlapping(q.Requester.VPC, q.Accepter.VPC, p.ID); conflict != nil {
			return say(workflow.AnswerConflict, policy.Decision{}, conflict.Error())
		}
	}
	if m := unfit(q); m != nil {
		if asks {
			m.said.Requester = unasked(p)
		}
		return Verdict{Answer: workflow.AnswerRefuse, Reason: m.whole, Said: m.said}
	}
	if !pending {
		return say(workflow.AnswerConnect, decision, "connected by policy "+decision.Policy)
	}
	answer, text := workflow.AnswerAccept, "accepted by policy "+decision.Policy
	if asks {
		answer, text = workflow.AnswerAsk, "approval needed by policy "+decision.Policy
	}
	return Verdict{answer, text + q.Unclear, workflow.Said{Requester: text, Accepter: text + q.Unclear}, decision}
}

// Connected reports whether Drawbridge connected this peering once: the account in which it was read has the tag that says
// which destinations the routes of that connection reach.
func Connected(p Peering) bool { return p.Tags[connection.TagDestinations] != "" }

// Surplus returns what of the connection has no use any more on one side, as it was surveyed, or nil if nothing. recorded
// is the side's tag drawbridge:destinations, rules what carries the connection's tag there, trimmed whether this execution
// has trimmed the connection before:
//
//	a route to the target, to a CIDR of the peer               → keep
//	a route to the target, recorded, to no CIDR of the peer    → goes, and the host routes with it
//	no route to the target, recorded, to no CIDR of the peer   → the host routes go, if this was not tried: an execution
//	                                                             that failed may have left them
//	a route to the target that is not recorded                 → keep: its owner put it there
//	a route elsewhere, wherever to                             → keep
//	a rule                                                     → see [firewall.Surplus]
func Surplus(target string, s workflow.Side, recorded string, rules []firewall.Tagged, trimmed bool) *workflow.Trim {
	trim := workflow.Trim{Rules: firewall.Surplus(rules, target, s.Openings, s.Ports, s.Peer.CIDRs, s.Unseen)}
	through := route.Through(s.Tables, target)
	for _, d := range connection.Destinations(recorded) {
		if !slices.Contains(s.Peer.CIDRs, d) && (!trimmed || slices.Contains(through, d)) {
			trim.Destinations = append(trim.Destinations, d)
		}
	}
	if len(trim.Rules) == 0 && len(trim.Destinations) == 0 {
		return nil
	}
	return &trim
}

// NotebooksMatter reports whether it makes a difference which of the VPCs have notebook instances: only when one of
// them uses the notebooks' container networks.
func NotebooksMatter(requester, accepter workflow.VPC) bool {
	for _, vpc := range []workflow.VPC{requester, accepter} {
		if _, _, ok := survey.Overlap(vpc.CIDRs, Containers); ok {
			return true
		}
	}
	return false
}

// reached finds a live route in tables by which some of cidrs is already reached, elsewhere than through target.
func reached(tables []workflow.Table, cidrs []netip.Prefix, target string) (table string, r workflow.Route, cidr netip.Prefix, ok bool) {
	for _, t := range tables {
		for _, r := range t.Routes {
			for _, c := range cidrs {
				if r.Target != route.Local && route.Blocks(r, c, target) {
					return t.ID, r, c, true
				}
			}
		}
	}
	return "", workflow.Route{}, netip.Prefix{}, false
}
