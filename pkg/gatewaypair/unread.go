package gatewaypair

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// stands reports whether something was set up for the pair that could be taken away.
func (l *inspection) stands() bool {
	return l.managed && (len(l.items) > 0 || connection.Stands(l.entry))
}

// unread is the verdict about a pair that stands and of which something cannot be read now: nothing goes for it.
func (l *inspection) unread(why string) Verdict {
	for n, e := range l.q.Ends {
		side := workflow.Side{Role: [2]string{Requester, Accepter}[n], VPC: workflow.VPC{Account: e.VPC.Account, Region: e.VPC.Region, ID: e.VPC.ID}}
		if e.Attachment != nil {
			side.StatusResource = e.Attachment.ID
		}
		l.out.Sides = append(l.out.Sides, side)
	}
	return Verdict{Answer: workflow.AnswerUnreadable, Reason: why, Said: workflow.Alike(connection.Unread)}
}

// why says who wants what was added for a pair to go. Who deletes an attachment, lets go of it, or takes back what they gave by the value of a tag, ends
// it; else an account is outside the organization, or the policy does not allow it any more.
func (l *inspection) why(v Verdict) brake.Why {
	for _, e := range l.q.Ends {
		if !e.Member && !e.Closed {
			return brake.Outside
		}
	}
	if v.Decision.Policy == "" {
		return brake.Ended
	}
	return brake.Forbidden
}
