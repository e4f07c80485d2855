package share

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Sort tells the transit gateways among the ARNs of a share's resources from everything else. Both are sorted.
func Sort(arns []string) (gateways, others []string) {
	for _, a := range arns {
		if _, id, ok := arn.Match(a, "ec2", "transit-gateway/"); ok && event.IsGateway(id) {
			gateways = append(gateways, id)
		} else {
			others = append(others, a)
		}
	}
	slices.Sort(gateways)
	slices.Sort(others)
	return slices.Compact(gateways), slices.Compact(others)
}

// Accounts returns the accounts that a share is meant for: those that it names, and at, an account that an event said
// the share concerns, for a share may name a unit or the whole organization. Its owner is none of them.
func Accounts(s Share, at string) []string {
	var out []string
	for principal := range s.Principals {
		if event.IsAccount(principal) {
			out = append(out, principal)
		}
	}
	out = append(out, at)
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(a string) bool { return a == s.Owner.Account || a == "" })
}

// Told says why RAM's own event in an account needs no look at a share, or "" if it does. RAM tells both sides of everything,
// and CloudTrail tells of each call that has to do with it:
//
//	the account owns the share                 → its calls tell of it
//	the share names the account, and reaches
//	it, or waits for it to answer              → the owner's calls do, and the account's own
//	it names the account, and that ended       → a look: an invitation that expires is nobody's call
//	it names a unit or the organization        → a look: only this event says whom that means
//	the share is not to be read any more       → a look
func Told(s Share, at string) string {
	switch {
	case at == s.Owner.Account:
		return fmt.Sprintf("account %s shares %s: its calls tell of it", at, s.ARN)
	case s.Principals[at] == "ASSOCIATED" || s.Principals[at] == "ASSOCIATING":
		return fmt.Sprintf("%s names account %s: the owner's calls tell of it, and the account's own", title(s), at)
	}
	return ""
}

// over reports whether a share ended, for a receiver or altogether.
func over(s Share, r Receiver) bool {
	return slices.Contains([]string{"", "DELETED", "DELETING"}, s.Status) ||
		slices.Contains([]string{"DISASSOCIATED", "DISASSOCIATING"}, r.Association)
}

// Over returns the accounts for which a share ended, sorted: nil for all, if it is no more, and empty for none. An account that cannot be
// read says nothing of itself, but the share's owner does of it.
func Over(s Share, receivers []Receiver) []string {
	if over(s, Receiver{}) {
		return nil
	}
	out := []string{}
	for _, r := range receivers {
		if over(s, r) {
			out = append(out, r.ID)
		}
	}
	slices.Sort(out)
	return out
}

// Judge decides what a share needs next. The first of these that holds:
//
//	the share holds no gateway, and held none                → nothing
//	a receiver is invited, the policy: AcceptShare, and a
//	VPC of it asks for a gateway of the share                → accept that invitation
//	a receiver's association is on its way, or a gateway
//	is not to be seen yet where it is accepted               → wait
//	a receiver sees the gateways, or the share ended, or
//	holds none of its gateways any more                      → announce: each VPC that asks for one, or is attached, gets a look
//	a receiver is invited, and the policy does not allow it,
//	or the share holds more than gateways                    → refuse
//	an invitation expired                                    → expired
//	an invitation was rejected                               → rejected
//	a receiver is invited, and no VPC of it asks             → nothing: its owner may ask by a tag, or accept by hand
//	else                                                     → nothing
//
// Receivers outside the organization, and such that let nobody in, are named in the reason and hold up nobody.
func Judge(s Share, receivers []Receiver) Verdict {
	if len(s.Gateways)+len(s.Ended) == 0 && s.Status != "" {
		return Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf("%s holds no transit gateway", title(s))}
	}
	var asides []string
	verdicts := map[workflow.Answer]Verdict{}
	for n, r := range receivers {
		switch {
		case r.Organization == "":
			asides = append(asides, fmt.Sprintf("account %s is outside the organization", r.ID))
			continue
		case r.Closed != "":
			asides = append(asides, r.Closed)
			continue
		}
		v := one(s, r)
		v.Receiver = n
		if _, taken := verdicts[v.Answer]; !taken {
			verdicts[v.Answer] = v
		} else if before := verdicts[v.Answer]; v.Answer == workflow.AnswerAnnounce || v.Answer == workflow.AnswerRefuse {
			before.Reason += "; " + v.Reason
			verdicts[v.Answer] = before
		}
	}
	for _, answer := range []workflow.Answer{workflow.AnswerAccept, workflow.AnswerWait, workflow.AnswerAnnounce, workflow.AnswerRefuse, workflow.AnswerExpired, workflow.AnswerRejected, workflow.AnswerNothing} {
		if v, ok := verdicts[answer]; ok {
			v.Reason = strings.Join(append([]string{v.Reason}, asides...), "; ")
			return v
		}
	}
	if len(asides) > 0 {
		return Verdict{Answer: workflow.AnswerNothing, Reason: strings.Join(asides, "; ")}
	}
	if s.Status == "" || s.Status == "DELETED" || s.Status == "DELETING" {
		return Verdict{Answer: workflow.AnswerAnnounce, Reason: title(s) + " is no more"}
	}
	return Verdict{Answer: workflow.AnswerNothing, Reason: title(s) + " names no other account"}
}

// one decides about one receiver, which is a member and open.
func one(s Share, r Receiver) Verdict {
	pending := r.Invitation.Status == "PENDING"
	switch {
	case over(s, r) && r.Invitation.Status == "EXPIRED" && !r.Sees:
		return Verdict{Answer: workflow.AnswerExpired, Reason: expired(s, r)}
	case over(s, r):
		return Verdict{Answer: workflow.AnswerAnnounce, Reason: fmt.Sprintf("%s is not shared with account %s any more", title(s), r.ID)}
	case len(s.Gateways) == 0 && len(s.Ended) > 0:
		return Verdict{Answer: workflow.AnswerAnnounce, Reason: fmt.Sprintf("%s holds %s no more", title(s), strings.Join(s.Ended, ", "))}
	case pending && len(s.Others) > 0:
		return Verdict{Answer: workflow.AnswerRefuse,
			Reason: fmt.Sprintf("%s holds more than transit gateways (%s): account %s may accept %s by hand", title(s), s.Others[0], r.ID, r.Invitation.ARN)}
	case pending && r.Accept.Allowed && !r.Asks:
		return Verdict{Answer: workflow.AnswerNothing, Decision: r.Accept,
			Reason: fmt.Sprintf("account %s is invited to %s, and none of its VPCs asks for %s: one that is tagged %s with the id or name of a gateway does",
				r.ID, title(s), strings.Join(s.Gateways, ", "), tag.Attach)}
	case pending && r.Accept.Allowed:
		return Verdict{Answer: workflow.AnswerAccept, Reason: "accepted by policy " + r.Accept.Policy, Decision: r.Accept}
	case pending:
		return Verdict{Answer: workflow.AnswerRefuse, Reason: fmt.Sprintf("accepting %s for account %s is refused by policy %s", title(s), r.ID, r.Accept.Policy), Decision: r.Accept}
	case r.Sees:
		return Verdict{Answer: workflow.AnswerAnnounce, Reason: fmt.Sprintf("account %s has %s", r.ID, strings.Join(s.Gateways, ", "))}
	case r.Invitation.Status == "EXPIRED":
		return Verdict{Answer: workflow.AnswerExpired, Reason: expired(s, r)}
	case r.Invitation.Status == "REJECTED":
		return Verdict{Answer: workflow.AnswerRejected, Reason: fmt.Sprintf("account %s rejected %s", r.ID, title(s))}
	case r.Association == "FAILED":
		return Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf("RAM could not share %s with account %s", title(s), r.ID)}
	case r.Association == "" && r.Invitation.Status == "":
		return Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf("%s does not reach account %s", title(s), r.ID)}
	}
	return Verdict{Answer: workflow.AnswerWait, Reason: fmt.Sprintf("account %s does not see %s yet", r.ID, strings.Join(s.Gateways, ", "))}
}

func expired(s Share, r Receiver) string {
	return fmt.Sprintf("the invitation of account %s to %s expired: its owner, account %s, can take the account out of the share and add it again", r.ID, title(s), s.Owner.Account)
}

// title names a share for people.
func title(s Share) string {
	if s.Name == "" {
		return s.ARN
	}
	return s.Name + " (" + s.ARN + ")"
}

// Asks reports whether a VPC's tag drawbridge:attach asks for a gateway: by its id, or by its name.
func Asks(asked, gateway, name string) bool {
	return asked != "" && (asked == gateway || asked == name)
}
