package peering

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
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

// Ending names the end of a managed peering that is over, or that [Judge] ends. status is what its entry says, traces reports that
// something was added for it.
//
//	active, but not allowed any more, or to be undone  → Removed
//	rejected                                           → Rejected
//	expired                                            → Expired
//	deleted, deleting:
//	  traces, or a status from after the acceptance    → Removed
//	  the status AwaitingApproval, or still expiring   → Withdrawn: nobody had accepted it
//	  else                                             → Removed
//
// Rejected, Expired and Withdrawn requests were never active: nothing was added for them but the status.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle
func Ending(p Peering, status ledger.Status, traces bool) workflow.Result {
	is := func(r workflow.Result) bool { return status == ledger.Status(r) }
	switch {
	case p.Status == "rejected":
		return workflow.Rejected
	case p.Status == "expired":
		return workflow.Expired
	case p.Status == "active" || traces || is(workflow.Connected) || is(workflow.PartlyConnected) || is(workflow.PendingApproval) || is(connection.Conflict):
		return workflow.Removed
	case is(workflow.AwaitingApproval) || p.Expires != "":
		return workflow.Withdrawn
	}
	return workflow.Removed
}

// Asked reports whether a peering shows itself as a request that somebody makes now: so it is managed from now on. asked is whether
// the event is the record of the request, by whoever may make it.
//
//	the record of its request, by its requester   → yes
//	pending-acceptance, initiating-request        → yes: whatever the reason of the look, nobody has accepted it yet
//	else                                          → no: it was there before it was seen, or others are at it
func Asked(p Peering, asked bool) bool {
	return asked || p.Status == "pending-acceptance" || p.Status == "initiating-request"
}

// Found says of a peering that is not managed why nothing is done about it, and how its owners give it to Drawbridge.
func Found(p Peering) Verdict {
	return Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf(
		"%s is %s and was not given to Drawbridge, so it stays as it is; to give it, its owner in %s or %s tags it %s=%s",
		p.ID, p.Status, p.Requester.Account, p.Accepter.Account, tag.Manage, tag.Take)}
}

// Asking returns the roles whose owners ask by a tag of the peering to take it over. own are the tags as the requester's and the
// accepter's account have them.
func Asking(own [2]map[string]string) []string {
	var out []string
	for n, role := range []string{Requester, Accepter} {
		if own[n][tag.Manage] == tag.Take {
			out = append(out, role)
		}
	}
	return out
}

// approval is what an owner says, by tags of the peering, to another who asks to take it over.
func approval(own map[string]string) string {
	if own[tag.Manage] == tag.Take || cover.Yes(own[tag.Approval]) {
		return tag.Approved
	}
	return own[tag.Approval]
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
// be: what was added for it goes, if it is not allowed any more. The peering itself is its owners', and stays.
//
// Live routes that are in the way of the paths' are found once it is known who calls and what answers: see [Blocked].
func Judge(q Question) Verdict {
	p := q.Peering
	pending := p.Status == "pending-acceptance"
	stood, forbid := p.Status == "active" && q.Stood, workflow.AnswerRefuse
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

// crossed reports whether some table of a side leads addresses of the other elsewhere: only then it matters which tables the paths need.
func crossed(q Question) bool {
	return slices.ContainsFunc([][2]*workflow.Facts{{q.Requester, q.Accepter}, {q.Accepter, q.Requester}}, func(f [2]*workflow.Facts) bool {
		return slices.ContainsFunc(f[0].Tables, func(t workflow.Table) bool {
			return slices.ContainsFunc(t.Routes, func(r workflow.Route) bool {
				return r.Target != route.Local && slices.ContainsFunc(f[1].VPC.CIDRs, func(c netip.Prefix) bool { return route.Blocks(r, c, q.Peering.ID) })
			})
		})
	})
}

// routed reports whether the policy allows routes both ways.
func routed(q Question) bool {
	return !slices.ContainsFunc(q.Routes, func(d policy.Decision) bool { return !d.Allowed })
}
