package peering

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// told reports whether a request's entry says that exactly this was asked for before, and showed all that there is to show. Events come twice;
// a notification should not, nor if an execution about the request failed since.
func told(entry ledger.Connection, v Verdict, shown []string) bool {
	return entry.Question != "" && entry.Question == v.Reason && cover.Told(entry.Approval, shown)
}

// Ask tells the accepter's owner that a request waits for their approval, by an event and by topic, and leaves that
// status on the peering. Nobody waits: the approval is a tag, and its event starts the machine again.
//
// Who was told of exactly this before is not told again, but for one reminder, to everybody who listens, when the request
// is stuck. The entry comes after that, because it says that they were told: an
// interrupted Ask rather tells twice than not at all.
// Many parameters, because they are the ways in which people hear of it.
func Ask(ctx context.Context, l ledger.Ledger, enter func(workflow.VPC) connection.Tagger, bus notice.Bus, topic notice.Topic, stuck func(expires string) bool, in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
	out := workflow.ConcludeOutput{Result: workflow.AwaitingApproval, Reason: in.Reason, Decision: in.Decision}
	said := in.Said
	remind := in.Told && !in.Reminded && stuck(in.Expires)
	if in.Reminded || remind {
		said = workflow.Said{Requester: reminder(said.Requester), Accepter: reminder(said.Accepter)}
	}
	if remind {
		if err := tell(ctx, bus, topic, notice.StuckApproval(in, Approving(in.Connection, in.Request.Approve), Approving(in.Connection, "rejected"))); err != nil {
			return out, err
		}
	} else if in.Told {
		slog.InfoContext(ctx, "the approver was told before", "peering", in.Connection.ID)
	} else {
		if err := bus.Put(ctx, approvalNeeded(in)); err != nil {
			return out, err
		}
		subject, body := Message(in)
		if err := topic.Publish(ctx, notice.Notification{Kind: notice.ApprovalNeeded, Account: in.Connection.Accepter.Account, Subject: subject, Body: body}); err != nil {
			return out, fmt.Errorf("asking for approval of %s: %w", in.Connection.ID, err)
		}
	}
	if err := SetStatus(ctx, l, enter, Status{Connection: in.Connection, Members: in.Members, Result: out.Result, Reason: in.Reason, Said: said, Also: func(e *ledger.Connection) {
		e.Told, e.Question = in.Reason, in.Reason
		if !in.Told {
			e.Approval = cover.Ask(e.Approval, shows(in.Connection, in.Sides))
			e.Approval.Told = cover.Digest(e.Approval.Shown)
		}
		remember(e, in.Request)
		if remind {
			putFact(e, remindedOf, in.Reason)
		}
	}}); err != nil {
		return out, err
	}
	if remind {
		workflow.Measure(ctx, workflow.StuckApprovals, 1)
	}
	if !in.Told {
		workflow.Measure(ctx, workflow.ApprovalsNeeded, 1)
	}
	return out, nil
}

// approvalNeeded is the event about a request that needs approval.
func approvalNeeded(in workflow.ConcludeInput) notice.Approval {
	e := notice.Approval{
		Head:     notice.Head{Execution: in.Execution, Connection: in.Connection, Result: workflow.AwaitingApproval, Reason: in.Reason},
		Decision: in.Decision, Expires: in.Expires, Request: in.Request, Console: notice.PeeringConsole(in.Connection), Reachable: []notice.Reachable{},
		Approve: Approving(in.Connection, in.Request.Approve), ApproveAll: Approving(in.Connection, tag.ApprovedAll), Reject: Approving(in.Connection, "rejected"),
	}
	for _, s := range in.Sides {
		for _, o := range s.AllowedDatabases {
			e.Reachable = append(e.Reachable, notice.Reachable{Account: s.VPC.Account, Region: s.VPC.Region, VPC: s.VPC.ID,
				Database: o.Database, Engine: o.Engine, Port: o.Port, From: s.Peer.ID, Also: o.Also, Decision: o.Decision})
		}
	}
	return e
}

// Approving returns the command by which the accepter's owner answers a request; answer is the value of the tag.
func Approving(c workflow.Connection, answer string) string {
	return notice.Answering(c.Accepter.Region, c.ID, tag.Approval, answer)
}

// Message is the notification about a request that needs approval: all that the approver must know, and the commands.
func Message(in workflow.ConcludeInput) (subject, body string) {
	c := in.Connection
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("A VPC peering request waits for the owner of %s in account %s.", c.Accepter.ID, c.Accepter.Account)
	if in.Expires != "" {
		line("Unanswered, it expires at %s.", in.Expires)
	}
	people(line, c, in.Known, in.Request)
	line("\nWhat would become reachable")
	reachable := 0
	for _, s := range in.Sides {
		for _, o := range s.AllowedDatabases {
			reachable++
			allowed(line, o, s.VPC, s.Peer)
		}
	}
	if reachable == 0 {
		line("  no database: the policy opens none at present")
	}
	line("\nWhy you are asked")
	line("  policy %s", notice.Because(in.Decision))
	line("\nTo answer, with credentials of account %s", c.Accepter.Account)
	line("  approve  %s", Approving(c, in.Request.Approve))
	line("           for what is listed here; you are asked again about ranges of theirs and databases of yours that come later")
	line("  all      %s", Approving(c, tag.ApprovedAll))
	line("           for those, too")
	line("  reject   %s", Approving(c, "rejected"))
	if link := notice.PeeringConsole(c); link != "" {
		line("  or look  %s", link)
	}
	line("\nExecution %s", in.Execution)
	return fmt.Sprintf("Drawbridge: approval needed for %s", c.ID), b.String()
}

// people says who the two sides are, who asks, and why.
func people(line func(string, ...any), c workflow.Connection, known workflow.Known, request workflow.Request) {
	sides(line, "Requester (asks)", "Accepter (is asked)", c, known)
	line("\nWho asks, and why")
	line("  %s", cmp.Or(request.By, "the record of the request does not say who"))
	line("  %s", cmp.Or(request.Why, "no reason is given: the requester may tag the peering drawbridge:reason before it is asked about"))
}

// sides says who the two sides are, under a title each.
func sides(line func(string, ...any), first, second string, c workflow.Connection, known workflow.Known) {
	for _, s := range []struct {
		role  string
		vpc   workflow.VPC
		facts *workflow.Facts
	}{{first, c.Requester, known.Requester}, {second, c.Accepter, known.Accepter}} {
		facts := workflow.Facts{}
		if s.facts != nil {
			facts = *s.facts
		}
		line("\n%s", s.role)
		line("  account  %s  %s", s.vpc.Account, notice.OrNone(facts.Account.Name))
		line("  unit     %s", notice.OrNone(facts.Account.Unit()))
		line("  VPC      %s  %s", s.vpc.ID, notice.OrNone(facts.Name))
		line("  Region   %s", s.vpc.Region)
		for _, cidr := range s.vpc.CIDRs {
			line("  CIDR     %s", cidr)
		}
	}
}

// allowed says what becomes reachable with a database of one VPC from another.
func allowed(line func(string, ...any), o workflow.AllowedDatabase, in, from workflow.VPC) {
	line("  %s  %s, TCP port %d, in %s of account %s, from %s of account %s", o.Database, o.Engine, o.Port, in.ID, in.Account, from.ID, from.Account)
	line("    by policy %s", notice.Because(o.Decision))
	for _, also := range o.Also {
		line("    and with it %s, which nobody shared: it has the same security group and port", also)
	}
}
