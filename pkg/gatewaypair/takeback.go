package gatewaypair

import (
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Wishes answers what the owners of the attachments and of the gateway say about a pair by their tags, and by what the gateway's owner took
// out of its route tables; settled reports whether it decides. The first that holds, of either attachment:
//
//	drawbridge:manage=false, by either of its owners   → disconnect, as it stands: released
//	drawbridge:manage=undo, by either of its owners    → disconnect
//	an owner takes it back: see [attachment.TakenBack] → disconnect
//
// disconnect is nothing where the pair is not managed: then there is nothing of Drawbridge's. released says that nothing is taken back.
func Wishes(q Question) (v Verdict, released, settled bool) {
	say := func(why string, said workflow.Said) Verdict {
		if !q.Managed {
			return Verdict{Answer: workflow.AnswerNothing, Reason: why}
		}
		return Verdict{Answer: workflow.AnswerDisconnect, Reason: why, Said: said}
	}
	for _, e := range q.Ends {
		if says := tag.Letting(e.Attachment.Tags, e.Owner); says != "" {
			return say(fmt.Sprintf("%s is tagged %s=%s", e.Attachment.ID, tag.Manage, says), workflow.Said{}), says == tag.Leave && q.Managed, true
		}
	}
	gateway := workflow.Gateway{ID: q.Gateway.ID, Account: q.Gateway.Owner}
	for n, e := range q.Ends {
		owners := attachment.Owners{Gateway: q.Gateway.Tags, Owner: e.Owner, VPC: e.Attachment.Tags}
		if taken, ok := attachment.TakenBack(e.Attachment.ID, e.VPC.Account, gateway, owners, q.out(n)); ok {
			return say(taken.Why(), workflow.Said{Requester: taken.To(q.Ends[0].VPC.Account), Accepter: taken.To(q.Ends[1].VPC.Account)}), false, true
		}
	}
	return Verdict{}, false, false
}

// out reports whether one end's attachment was taken out of its route table of the gateway: it is in none, and the ledger says that it was, or
// the pair was connected and it is looked at for long enough.
func (q Question) out(n int) bool {
	e := q.Ends[n]
	return q.Viewed && e.Association == "" && (attachment.Out(e.Entry) || q.Before && q.Looks >= settling)
}

// Kept answers about a pair that was not connected of which one end's attachment is in no route table of the gateway, if nobody is about to put it
// into one: it is not managed, was refused, or was taken back. It is looked at again once that attachment is in order.
func Kept(q Question) (Verdict, bool) {
	for _, e := range q.Ends {
		waits := e.Entry.ID != "" && e.Entry.Status != ledger.Status(workflow.RefusedByPolicy) && e.Entry.Status != ledger.Status(workflow.Removed)
		if e.Association == "" && !waits && !q.Before {
			return Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf("%s of %s is in no route table of %s: its owner decides about that", e.Attachment.ID, e.VPC.ID, q.Gateway.ID)}, true
		}
	}
	return Verdict{}, false
}
