package peering

import (
	"context"
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// asking marks an entry whose question is written and not sent yet.
const asking = "asking"

// AskAgain asks an owner about what came to a connection after they approved it, by an event and by topic, once for each question. The
// question is written before it is sent, so that the answer finds it; of an attachment also on it, as the gateway's owner sees it, because the status of a pair stands on
// no side of theirs. What was approved is not touched.
func AskAgain(ctx context.Context, l ledger.Ledger, enter func(workflow.VPC) connection.Tagger, bus notice.Bus, topic notice.Topic, in workflow.AskAgainInput) (workflow.AskAgainOutput, error) {
	w := in.Waits
	question := cover.Digest(w.Shown)
	entry, err := l.Change(ctx, w.Thing, func(e *ledger.Connection) {
		if cover.Digest(e.Approval.Shown) != question {
			e.Approval = cover.Ask(e.Approval, w.Shown)
			e.Approval.Told = asking
		}
	})
	if err != nil {
		return workflow.AskAgainOutput{}, err
	}
	if text := cover.Question(entry.Approval); text != "" && w.Thing != in.Connection.ID {
		owner := workflow.VPC{Account: w.Account, Region: w.Region}
		if err := connection.Tell(ctx, enter(owner), owner, w.Thing, []tag.Pair{{Key: tag.Reason, Value: fit.Tag(text)}}); err != nil {
			return workflow.AskAgainOutput{}, err
		}
	}
	told, err := l.Once(ctx, w.Thing, func(e *ledger.Connection) *string { return &e.Approval.Told }, question, in.Execution, func() error {
		if err := bus.Put(ctx, extensionNeeded(in)); err != nil {
			return err
		}
		subject, body := Extension(in)
		return topic.Publish(ctx, notice.Notification{Kind: notice.ApprovalNeeded, Account: w.Account, Subject: subject, Body: body})
	})
	if told {
		workflow.Measure(ctx, workflow.ApprovalsNeeded, 1)
	}
	return workflow.AskAgainOutput{Asked: told}, err
}

// answering returns the command by which the owner of what was approved answers.
func answering(w workflow.Waiting, value string) string {
	return notice.Answering(w.Region, w.Thing, tag.Approval, value)
}

// extensionNeeded is the event about what came after an approval.
func extensionNeeded(in workflow.AskAgainInput) notice.Approval {
	c, w := in.Connection, in.Waits
	e := notice.Approval{
		Head:     notice.Head{Execution: in.Execution, Connection: c, Result: workflow.PendingApproval, Reason: w.Said.Accepter},
		Decision: w.Decision, Request: w.Request, Console: notice.ThingConsole(w.Region, w.Thing), Reachable: []notice.Reachable{},
		Approve: answering(w, w.Request.Approve), ApproveAll: answering(w, tag.ApprovedAll), Reject: answering(w, "rejected"),
	}
	for _, r := range w.Ranges {
		e.Ranges = append(e.Ranges, r.CIDR)
	}
	for _, r := range w.Reachable {
		o := r.Database
		e.Reachable = append(e.Reachable, notice.Reachable{Account: r.VPC.Account, Region: r.VPC.Region, VPC: r.VPC.ID,
			Database: o.Database, Engine: o.Engine, Port: o.Port, From: r.From.ID, Also: o.Also, Decision: o.Decision})
	}
	return e
}

// Extension is the notification about what came after an approval: all that the approver must know, and the commands.
func Extension(in workflow.AskAgainInput) (subject, body string) {
	c, w := in.Connection, in.Waits
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Something came to %s after the owner of account %s approved it. What was approved works on; what came is not opened.", w.Thing, w.Account)
	if w.Thing == c.ID {
		people(line, c, w.Known, w.Request)
	} else {
		sides(line, "One VPC", "The other", c, w.Known)
	}
	if len(w.Ranges) > 0 {
		line("\nWhich addresses would reach what is open")
		for _, r := range w.Ranges {
			line("  %s  of %s of account %s", r.CIDR, r.VPC.ID, r.VPC.Account)
		}
	}
	if len(w.Reachable) > 0 {
		line("\nWhat would become reachable, too")
		for _, r := range w.Reachable {
			allowed(line, r.Database, r.VPC, r.From)
		}
	}
	line("\nWhy you are asked")
	if w.Decision.Policy == "" {
		line("  your approval of %s does not cover it", w.Thing)
	} else {
		line("  policy %s", notice.Because(w.Decision))
	}
	line("\nTo answer, with credentials of account %s", w.Account)
	line("  approve  %s", answering(w, w.Request.Approve))
	line("           for what is listed here")
	line("  all      %s", answering(w, tag.ApprovedAll))
	line("           for what comes later, too")
	line("  leave    do nothing: all stays as it was approved")
	if w.Thing == c.ID {
		line("  end      %s", answering(w, "rejected"))
		line("           takes the whole connection back")
	}
	if link := notice.ThingConsole(w.Region, w.Thing); link != "" {
		line("  or look  %s", link)
	}
	line("\nExecution %s", in.Execution)
	return fmt.Sprintf("Drawbridge: approval needed for more of %s", w.Thing), b.String()
}
