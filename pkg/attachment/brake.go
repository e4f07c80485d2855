package attachment

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Removal returns what a verdict about a VPC on a gateway takes away, for the brake: an attachment of Drawbridge's that is in use is deleted. says is whether
// the VPC's tag says clearly which gateway it asks for.
//
//	it asks for the gateway, which is not shown to its account any more → outside
//	it asks for another one                                             → ended
//	its tag is not there, or means nothing                              → lost
func Removal(q Question, v Verdict, says bool) brake.Removal {
	r := brake.Removal{ID: q.Attachment.ID, Why: brake.Lost, Cause: v.Reason, Stands: v.Answer == workflow.AnswerDetach && q.Attachment.State == "available"}
	switch {
	case q.Asked:
		r.Why = brake.Outside
	case says:
		r.Why = brake.Ended
	}
	return r
}

// unread is [brake.Unread] for a VPC on a gateway: it is held if the ledger has its attachment.
func (i Inspector) unread(ctx context.Context, u unit, err error) error {
	if _, unreadable := fault.Unreadable(err); !unreadable {
		return nil
	}
	entries, failed := i.Ledger.Connections(ctx, u.Account, u.Region)
	if failed != nil {
		return failed
	}
	for _, c := range entries {
		of := func(id string) bool {
			return slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.ID == id })
		}
		if c.Kind == road.Attachment && of(u.vpc) && of(u.gateway) {
			return brake.Unread(ctx, i.Ledger, c.ID, err)
		}
	}
	return nil
}
