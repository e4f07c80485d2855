package peering

import (
	"context"
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// asking marks an entry whose question is written and not sent yet.
const asking = "asking"

// AskAgain asks the accepter's owner about what came to a peering after they approved it, by an event and by topic, once for each question. The
// question is written before it is sent, so that the answer finds it. What was approved is not touched.
func AskAgain(ctx context.Context, l ledger.Ledger, bus notice.Bus, topic notice.Topic, in workflow.AskAgainInput) (workflow.AskAgainOutput, error) {
	shown := lines(in.Waits.Ranges, in.Waits.Openings)
	question := cover.Digest(shown)
	if _, err := l.Change(ctx, in.Connection.ID, func(e *ledger.Connection) {
		if cover.Digest(e.Approval.Shown) != question {
			e.Approval = cover.Ask(e.Approval, shown)
			e.Approval.Told = asking
		}
	}); err != nil {
		return workflow.AskAgainOutput{}, err
	}
	told, err := l.Once(ctx, in.Connection.ID, func(e *ledger.Connection) *string { return &e.Approval.Told }, question, in.Execution, func() error {
		if err := bus.Put(ctx, extensionNeeded(in)); err != nil {
			return err
		}
		subject, body := Extension(in)
		return topic.Publish(ctx, notice.Notification{Kind: notice.ApprovalNeeded, Account: in.Connection.Accepter.Account, Subject: subject, Body: body})
	})
	if told {
		workflow.Measure(ctx, workflow.ApprovalsNeeded, 1)
	}
	return workflow.AskAgainOutput{Asked: told}, err
}

// extensionNeeded is the event about what came after an approval.
func extensionNeeded(in workflow.AskAgainInput) notice.Approval {
	c := in.Connection
	e := notice.Approval{
		Head:     notice.Head{Execution: in.Execution, Connection: c, Result: workflow.PendingApproval, Reason: in.Waits.Said.Accepter},
		Decision: in.Waits.Decision, Request: in.Request, Console: notice.PeeringConsole(c), Reachable: []notice.Reachable{}, Ranges: in.Waits.Ranges,
		Approve: Approving(c, in.Request.Approve), ApproveAll: Approving(c, tag.ApprovedAll), Reject: Approving(c, "rejected"),
	}
	for _, o := range in.Waits.Openings {
		e.Reachable = append(e.Reachable, notice.Reachable{Account: c.Accepter.Account, Region: c.Accepter.Region, VPC: c.Accepter.ID,
			Database: o.Database, Engine: o.Engine, Port: o.Port, From: c.Requester.ID, Also: o.Also, Decision: o.Decision})
	}
	return e
}

// Extension is the notification about what came after an approval: all that the approver must know, and the commands.
func Extension(in workflow.AskAgainInput) (subject, body string) {
	c := in.Connection
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Something came to %s after the owner of %s in account %s approved it. What was approved works on; what came is not opened.", c.ID, c.Accepter.ID, c.Accepter.Account)
	people(line, c, in.Known, in.Request)
	if len(in.Waits.Ranges) > 0 {
		line("\nWhich addresses would reach what is open")
		for _, r := range in.Waits.Ranges {
			line("  %s  of %s of account %s", r, c.Requester.ID, c.Requester.Account)
		}
	}
	if len(in.Waits.Openings) > 0 {
		line("\nWhat would become reachable, too")
		for _, o := range in.Waits.Openings {
			opening(line, o, c.Accepter, c.Requester)
		}
	}
	line("\nWhy you are asked")
	line("  policy %s", notice.Because(in.Waits.Decision))
	line("\nTo answer, with credentials of account %s", c.Accepter.Account)
	line("  approve  %s", Approving(c, in.Request.Approve))
	line("           for what is listed here")
	line("  all      %s", Approving(c, tag.ApprovedAll))
	line("           for what comes later, too")
	line("  leave    do nothing: all stays as it was approved")
	line("  end      %s", Approving(c, "rejected"))
	line("           takes the whole connection back")
	if link := notice.PeeringConsole(c); link != "" {
		line("  or look  %s", link)
	}
	line("\nExecution %s", in.Execution)
	return fmt.Sprintf("Drawbridge: approval needed for more of %s", c.ID), b.String()
}
