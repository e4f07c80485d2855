package attachment

import (
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Owners are the tags by which the owners of an attachment speak. AWS keeps those of each account apart.
type Owners struct {
	Gateway map[string]string // of the gateway, as its owner has it
	Owner   map[string]string // of the attachment, as the gateway's owner has it
	VPC     map[string]string // of the attachment, as the VPC's owner has it
}

// Taken says who took an attachment back, and how.
type Taken struct {
	By   string // the account of the owner
	What string // they did
}

// Why says it to the hub, and to who did it.
func (t Taken) Why() string {
	return fmt.Sprintf("the owner of account %s takes it back: %s", t.By, t.What)
}

// To says it to the owner of an account. Another than who did it hears who did, and nothing of what stands on the other side.
func (t Taken) To(account string) string {
	if account == t.By {
		return t.Why()
	}
	return fmt.Sprintf("the owner of account %s takes it back; ask them", t.By)
}

// TakenBack says who of the owners of an attachment that stands, and is managed, took it back, if one did. Whatever the policy would allow:
// the wish of a thing's owner ends what was done to it.
//
//	drawbridge:accept=never on the gateway                            → its owner
//	drawbridge:approval=rejected on the attachment, in either account → that owner
//	it was in order with a route table, and is in none now            → the gateway's owner: nobody else can take it out
//
// out says that the attachment is in no route table now, though it was in order.
func TakenBack(attachment, vpcAccount string, g workflow.Gateway, o Owners, out bool) (Taken, bool) {
	switch rejected := fmt.Sprintf("%s is tagged %s=rejected", attachment, tag.Approval); {
	case o.Gateway[tag.Accept] == "never":
		return Taken{g.Account, fmt.Sprintf("%s is tagged %s=never", g.ID, tag.Accept)}, true
	case o.Owner[tag.Approval] == "rejected":
		return Taken{g.Account, rejected}, true
	case o.VPC[tag.Approval] == "rejected":
		return Taken{vpcAccount, rejected}, true
	case out:
		return Taken{g.Account, attachment + " was taken out of its route table"}, true
	}
	return Taken{}, false
}

// Out reports whether the entry of an attachment says that it was in order with a route table, or that it was taken back: then one that is
// in no route table now was taken out.
func Out(entry ledger.Connection) bool {
	return entry.Facts[factTable] != "" || entry.Status == ledger.Status(workflow.Removed)
}

// takenBack decides about an available attachment that one of its owners takes back, if one does. What Drawbridge added for it goes first; the
// attachment stays, and so does its entry: without the tag, or with another value, it is served again.
//
//	the ledger has associations or propagations of it → disassociate
//	pairs of its VPC are there still, or nobody was
//	told of it yet                                    → removed
//	else                                              → nothing
func takenBack(q Question) (Verdict, bool) {
	a := q.Attachment
	if !q.Managed {
		return Verdict{}, false
	}
	taken, ok := TakenBack(a.ID, q.VPC.Account, q.Gateway, q.Owners, a.Table != "" && q.Association == "")
	if !ok {
		return Verdict{}, false
	}
	v := Verdict{Answer: workflow.AnswerRemoved, Reason: taken.Why(), Said: workflow.Said{Requester: taken.To(q.VPC.Account), Accepter: taken.To(q.Gateway.Account)}}
	switch {
	case q.Added:
		v.Answer = workflow.AnswerDisassociate
	case q.Status == ledger.Status(workflow.Removed) && q.Because == v.Reason && !q.Paired:
		v.Answer = workflow.AnswerNothing
	}
	return v, true
}

// LetGo decides about an attachment whose owners' tags drawbridge:manage say that Drawbridge lets go of it; it reports whether one does. The
// first that holds:
//
//	undo, it is over, the ledger has forgotten it, and
//	the VPC asks for the gateway                       → not decided here
//	the ledger has neither an entry of it nor a pair,
//	and it is not said to be refused                   → nothing
//	it is over                                         → removed
//	undo, Drawbridge made it, and it stands            → detach: AWS takes its association and propagation with it
//	undo, the ledger has associations or propagations  → disassociate
//	else                                               → released: it stays, and each of its pairs is looked at
func LetGo(q Question) (Verdict, bool) {
	a, says := q.Attachment, q.Says()
	if says != tag.Leave && says != tag.Undo {
		return Verdict{}, false
	}
	tagged := fmt.Sprintf("%s is tagged %s=%s", a.ID, tag.Manage, says)
	say := func(answer workflow.Answer, reason string) (Verdict, bool) {
		return Verdict{Answer: answer, Reason: reason, Said: workflow.Alike(reason)}, true
	}
	stays := tagged + ": it stays as it is, and is its owners'"
	switch {
	case says == tag.Undo && !Live(a) && !q.Managed && !q.Paired && q.Asked && q.Visible:
		return Verdict{}, false
	case !a.Own && !q.Managed && !q.Paired && !(Live(a) && q.refused()):
		return say(workflow.AnswerNothing, stays)
	case !Live(a):
		return say(workflow.AnswerRemoved, fmt.Sprintf("%s is %s", a.ID, a.State))
	case says == tag.Undo && a.Own && (a.State == "available" || a.State == "pendingAcceptance"):
		return say(workflow.AnswerDetach, tagged+", and Drawbridge made it")
	case says == tag.Undo && q.Added:
		return say(workflow.AnswerDisassociate, tagged+", and Drawbridge associated it")
	case says == tag.Undo:
		v, let := say(workflow.AnswerReleased, tagged+": what Drawbridge added for it is taken back, and it is its owners'")
		v.Undone = true
		return v, let
	}
	return say(workflow.AnswerReleased, stays)
}
