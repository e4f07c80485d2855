package peering

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// stands reports whether something was set up for the peering that could be taken away.
func (l *inspection) stands() bool {
	return l.managed && (len(l.items) > 0 || connection.Stands(l.entry))
}

// unread is the verdict about a peering that stands and of which something cannot be read now: nothing goes for it. Which account that is,
// both sides may know; what is said of it beyond that is for the hub.
func (l *inspection) unread(why string) Verdict {
	if l.out.Connection.ID == "" { // nobody could show it
		p := remembered(l.entry)
		l.out.Connection = workflow.Connection{ID: p.ID, Target: p.ID,
			Requester: workflow.VPC{Account: p.Requester.Account, Region: p.Requester.Region, ID: p.Requester.VPC},
			Accepter:  workflow.VPC{Account: p.Accepter.Account, Region: p.Accepter.Region, ID: p.Accepter.VPC}}
	}
	c := l.out.Connection
	l.out.Sides = []workflow.Side{}
	for _, s := range []struct {
		role string
		vpc  workflow.VPC
	}{{Requester, c.Requester}, {Accepter, c.Accepter}} {
		l.out.Sides = append(l.out.Sides, workflow.Side{Role: s.role, VPC: workflow.VPC{Account: s.vpc.Account, Region: s.vpc.Region, ID: s.vpc.ID}, StatusResource: c.ID})
	}
	return Verdict{Answer: workflow.AnswerUnreadable, Reason: why, Said: workflow.Alike(connection.Unread)}
}

// why says who wants what was added for a peering to go.
//
//	it is over, an owner takes it back or lets go of it   → ended
//	an account is outside the organization                → outside
//	else                                                  → forbidden
func (l *inspection) why(v Verdict) brake.Why {
	switch {
	case l.p.Status != "active" || l.out.Ended:
		return brake.Ended
	case len(l.out.Members) < 2:
		return brake.Outside
	case v.Decision.Policy == "":
		return brake.Ended
	}
	return brake.Forbidden
}
