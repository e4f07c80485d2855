package attachment

import (
	"cmp"
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
//	or an owner's drawbridge:manage is true           → adopted, if the policy allows AdoptAttachment, and the gateway's owner
//	                                                    does not keep it out of all route tables
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
	case asked(q) && !q.Adopt.Allowed:
		return false, "", fmt.Sprintf("%s was there before Drawbridge, and taking it over is refused by policy %s", a.ID, q.Adopt.Policy)
	case asked(q) && keptOut(q):
		return false, "", quarantined(q)
	case asked(q):
		return true, ledger.Adopted, ""
	}
	return false, "", fmt.Sprintf("%s was there before Drawbridge and is left as it is; to give it to Drawbridge, one of its owners tags it %s=%s", a.ID, tag.Manage, tag.Take)
}

// asked reports whether an owner asks for an attachment that was there before Drawbridge.
func asked(q Question) bool { return q.Asked && q.Visible || q.Says() == tag.Take }

// keptOut reports whether an attachment is one that the gateway's owner may keep out on purpose: somebody else made it, it is associated with
// no route table of the gateway, and its owner did not give it to Drawbridge in the own account. What the VPC's owner says opens no
// quarantine.
func keptOut(q Question) bool {
	return !q.Attachment.Own && q.Attachment.State == "available" && q.Association == "" && !q.given()
}

// quarantined says for the hub why nothing is done about an attachment that is kept out.
func quarantined(q Question) string {
	return fmt.Sprintf("%s is associated with no route table of %s, and Drawbridge did not make it: it stays so until the owner of account %s tags it %s=%s",
		q.Attachment.ID, q.Gateway.ID, q.Gateway.Account, tag.Manage, tag.Take)
}

// keep is the verdict about an attachment that is kept out. The requester hears who decides, and nothing of tables.
func keep(q Question) Verdict {
	return Verdict{Answer: workflow.AnswerRefuse, Reason: quarantined(q), Said: workflow.Said{
		Requester: fmt.Sprintf("%s was not made by Drawbridge, so what it may do on %s is for the gateway's owner to decide; ask the owner of account %s", q.Attachment.ID, q.Gateway.ID, q.Gateway.Account),
		Accepter: fmt.Sprintf("%s in account %s asks for %s; %s is associated with no route table and is left so; to let Drawbridge associate it with the table that you tagged, tag it %s=%s in your account",
			q.VPC.ID, q.VPC.Account, q.Gateway.ID, q.Attachment.ID, tag.Manage, tag.Take)}}
}

// Judge decides what one VPC on one gateway needs next. A VPC wants a gateway if its tag asks for it and its account sees
// it. The first of these that holds:
//
//	the gateway's owner is outside the organization      → refuse
//	Drawbridge's own attachment, available or pending
//	acceptance, that the VPC does not want any more      → detach
//	deleting, rejecting, failing                         → wait, if the VPC wants it; else removed
//	rejected                                             → rejected, as long as something is left of it; else nothing
//	failed, and [attempts] of Drawbridge's own are       → conflict: AWS would fail it again
//	none, deleted or failed, wanted, policy: Attach      → attach, with one subnet in each zone that needs one
//	                         wanted, policy: not         → refuse
//	                         not wanted                  → removed after one was there, else nothing
//	                         wanted, but an owner had it
//	                         undone, and asks not anew   → nothing, once what was there is removed
//	on its way to somewhere                              → wait
//	pendingAcceptance, policy: AcceptAttachment          → accept
//	                   policy: AskAttachment             → ask
//	                   policy: neither                   → refuse
//	available, managed, and an owner takes it back       → disassociate, removed or nothing: see [TakenBack]
//	           managed or asked for, in no route table,
//	           somebody else's, the gateway's owner does
//	           not give it to Drawbridge                 → refuse: it may be in quarantine
//	           found, and still said to be refused       → released: nobody asks for it any more, or the policy lets nobody have it
//	           found                                     → nothing: see [Manages]
//	           association or propagation on its way     → wait
//	           without them, and never had them          → associate, with the tables that the gateway's owner tagged
//	           its own, and a zone without a subnet      → attach, with the subnets that are missing
//	           else                                      → verify
//
// An attachment that somebody else made has the subnets that its maker gave it: zones without one are Lacking.
func Judge(q Question) (Verdict, error) {
	a := q.Attachment
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
		outside := fmt.Sprintf("account %s, which owns %s, is outside the organization", q.Gateway.Account, q.Gateway.ID)
		return Verdict{Answer: workflow.AnswerRefuse, Reason: outside, Said: workflow.Said{Requester: outside}}, nil
	case a.State == "rejected" && !q.Managed && !q.Paired && q.Owners.VPC[tag.Status] == "" && q.Owners.Owner[tag.Status] == "":
		return say(workflow.AnswerNothing, "the owner of %s rejected %s; Drawbridge has nothing of it", q.Gateway.ID, a.ID)
	case a.State == "rejected":
		return say(workflow.AnswerRejected, "the owner of %s rejected %s", q.Gateway.ID, a.ID)
	case a.State == "" || a.State == "deleted" || a.State == "failed":
		return detached(q, wanted)
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
	}
	if v, taken := takenBack(q); taken {
		return v, nil
	}
	switch {
	case keptOut(q) && (q.Managed || asked(q) && q.Adopt.Allowed):
		return keep(q), nil
	case !q.Managed:
		_, _, why := Manages(q)
		if q.refused() {
			return Verdict{Answer: workflow.AnswerReleased, Reason: why + "; that it was refused is said on it no more", Undone: true}, nil
		}
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

// detached is the verdict of a VPC without an attachment, or with one that is over.
func detached(q Question, wanted bool) (Verdict, error) {
	a, unit := q.Attachment, fmt.Sprintf("%s on %s", q.VPC.ID, q.Gateway.ID)
	switch {
	case !wanted && a.State == "":
		return Verdict{Answer: workflow.AnswerNothing, Reason: unasked(q)}, nil
	case !wanted:
		return Verdict{Answer: workflow.AnswerRemoved, Reason: fmt.Sprintf("%s is %s", a.ID, a.State)}, nil
	case q.Undone && q.Managed:
		return Verdict{Answer: workflow.AnswerRemoved, Reason: fmt.Sprintf("%s is %s", a.ID, cmp.Or(a.State, "gone"))}, nil
	case q.Undone:
		return Verdict{Answer: workflow.AnswerNothing, Reason: undone(q)}, nil
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
}

// undone says why a VPC is not attached to a gateway that it asks for.
func undone(q Question) string {
	return fmt.Sprintf("%s was detached from %s by its owner's %s=%s; to have it attached again, set the tag %s anew", q.VPC.ID, q.Gateway.ID, tag.Manage, tag.Undo, tag.Attach)
}

// unasked says why a VPC that is not attached does not want a gateway.
func unasked(q Question) string {
	if q.Asked {
		return fmt.Sprintf("%s asks for %s, which account %s neither owns nor is given", q.VPC.ID, q.Gateway.ID, q.VPC.Account)
	}
	return fmt.Sprintf("%s does not ask for %s%s", q.VPC.ID, q.Gateway.ID, q.Unclear)
}

// associate decides about the association and the propagation of an available attachment that is managed; ok reports whether something is
// to be done: only for one that Drawbridge made, or that the gateway's owner gave to it. One that was in order before is left as somebody
// made it since. Where the gateway has a default table, AWS associates with it by itself, so that an attachment without it was taken out: it
// is left in its quarantine.
func associate(q Question) (Verdict, bool) {
	v := Verdict{Answer: workflow.AnswerAssociate, Decision: q.Associate,
		Reason: q.Attachment.ID + " is not associated, or not propagated, as the gateway's owner tagged its route tables"}
	if q.Attachment.Table != "" || !q.Associate.Allowed || !q.Attachment.Own && !q.given() {
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
