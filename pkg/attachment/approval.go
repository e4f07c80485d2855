package attachment

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// between is the connection as which an attachment is announced: the VPC asks, the gateway's owner is asked.
func between(vpc workflow.VPC, gateway workflow.Gateway, attachment string) workflow.Connection {
	return workflow.Connection{ID: cmp.Or(attachment, Unit(gateway.ID, vpc.ID)), Target: gateway.ID, Requester: vpc,
		Accepter: workflow.VPC{Account: gateway.Account, Region: gateway.Region, ID: gateway.ID}}
}

func request(in workflow.AnswerAttachmentInput) workflow.Connection {
	return between(in.VPC, in.Gateway, in.Attachment.ID)
}

// Ask tells the gateway's owner that an attachment waits for their approval, by an event and by topic, and leaves that
// status on the attachment in both accounts. Nobody waits: the approval is a tag, and its event starts the machine again.
//
// Who was told of exactly this before is not told again. That they were told is written last: an interrupted Ask rather tells twice than not at all.
func Ask(ctx context.Context, l ledger.Ledger, enter func(event.Place) connection.Tagger, bus notice.Bus, topic notice.Topic, in workflow.AnswerAttachmentInput) (workflow.ConcludeOutput, error) {
	out := workflow.ConcludeOutput{Result: workflow.AwaitingApproval, Reason: in.Reason, Decision: in.Decision}
	if in.Told {
		slog.InfoContext(ctx, "the approver was told before", "attachment", in.Attachment.ID)
		return out, stillWaits(ctx, l, enter, in, out)
	}
	reachable, err := fact.Reachable(ctx, l, in.Attachment.ID)
	if err != nil {
		return out, err
	}
	needed := notice.Approval{Head: notice.Head{Execution: in.Execution, Connection: request(in), Result: out.Result, Reason: in.Reason},
		Decision: in.Decision, Request: in.Request, Console: notice.ThingConsole(in.Gateway.Region, in.Attachment.ID), Reachable: []notice.Reachable{},
		Approve: Approving(in, tag.Approved), ApproveAll: Approving(in, tag.ApprovedAll), Reject: Approving(in, "rejected")}
	for _, r := range reachable {
		needed.Reachable = append(needed.Reachable, notice.Reachable{Account: r.VPC.Account, Region: r.VPC.Region, VPC: r.VPC.ID,
			Database: r.Database.Database, Engine: r.Database.Engine, Port: r.Database.Port, From: r.From.ID, Also: r.Database.Also, Decision: r.Database.Decision})
	}
	if err := bus.Put(ctx, needed); err != nil {
		return out, err
	}
	subject, body := Message(in, reachable)
	if err := topic.Publish(ctx, notice.Notification{Kind: notice.ApprovalNeeded, Account: in.Gateway.Account, Subject: subject, Body: body}); err != nil {
		return out, err
	}
	entry, err := connection.Note(ctx, l, in.Attachment.ID, out.Result, out.Reason, showing(Shows(in.VPC, reachable)))
	if err != nil {
		return out, err
	}
	if err := leave(ctx, enter, in.VPC, in.Gateway, in.Attachment.ID, entry, said(in.Said, out.Reason)); err != nil {
		return out, err
	}
	if _, err := l.Change(ctx, in.Attachment.ID, func(e *ledger.Connection) { e.Told, e.Question = out.Reason, out.Reason }); err != nil {
		return out, err
	}
	workflow.Measure(ctx, workflow.ApprovalsNeeded, 1)
	return out, nil
}

// stillWaits writes that an attachment waits for an answer, where the last that was said of it is that an execution failed.
func stillWaits(ctx context.Context, l ledger.Ledger, enter func(event.Place) connection.Tagger, in workflow.AnswerAttachmentInput, out workflow.ConcludeOutput) error {
	entry, _, err := l.Connection(ctx, in.Attachment.ID)
	if err != nil || entry.Status == ledger.Status(out.Result) {
		return err
	}
	if entry, err = connection.Note(ctx, l, in.Attachment.ID, out.Result, out.Reason); err != nil {
		return err
	}
	return leave(ctx, enter, in.VPC, in.Gateway, in.Attachment.ID, entry, said(in.Said, out.Reason))
}

// Refuser is what [Refuse] needs of EC2.
type Refuser interface {
	connection.Tagger
	RejectTransitGatewayVpcAttachment(context.Context, *ec2.RejectTransitGatewayVpcAttachmentInput, ...func(*ec2.Options)) (*ec2.RejectTransitGatewayVpcAttachmentOutput, error)
}

// Refuse writes in the ledger that an attachment is refused, if that has an entry, leaves the reason on it, or on a VPC that has none yet, in the words for each
// side, and rejects a pending attachment at AWS if the policy allows that too.
func Refuse(ctx context.Context, l ledger.Ledger, enter func(event.Place) Refuser, bus notice.Bus, looks look.Asker, in workflow.AnswerAttachmentInput) (workflow.ConcludeOutput, error) {
	out, said := workflow.ConcludeOutput{Result: workflow.RefusedByPolicy, Reason: in.Reason, Decision: in.Decision}, said(in.Said, in.Reason)
	entry, err := stands(l, out.Result), error(nil)
	if in.Attachment.ID != "" {
		if entry, err = connection.Note(ctx, l, in.Attachment.ID, out.Result, out.Reason); err != nil {
			return out, err
		}
	}
	if err := leave(ctx, func(p event.Place) connection.Tagger { return enter(p) }, in.VPC, in.Gateway, in.Attachment.ID, entry, said); err != nil {
		return out, err
	}
	rejects := in.Rejects()
	refused := notice.Refuse(in.Execution, request(in), said, in.Decision)
	refused.Rejected = rejects
	if err := bus.Put(ctx, refused); err != nil {
		return out, err
	}
	if rejects { // last, because an attachment that is rejected already is none to refuse
		slog.InfoContext(ctx, "rejecting", "attachment", in.Attachment.ID)
		owner := enter(event.Place{Account: in.Gateway.Account, Region: in.Gateway.Region})
		_, err := owner.RejectTransitGatewayVpcAttachment(ctx, &ec2.RejectTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: &in.Attachment.ID})
		if err != nil && !fault.HasCode(err, "IncorrectState", "InvalidStateTransition") {
			return out, fmt.Errorf("rejecting %s in %s: %w", in.Attachment.ID, in.Gateway.Account, err)
		}
		// Drawbridge's own call starts nothing. What follows is what follows the owner's own.
		if err := look.Ask(ctx, looks, event.AttachmentInspection{Account: in.VPC.Account, Region: in.VPC.Region, TransitGatewayID: in.Gateway.ID, VPC: in.VPC.ID, Reason: out.Reason}); err != nil {
			return out, err
		}
	}
	workflow.Measure(ctx, workflow.Refusals, 1)
	return out, nil
}

// Refused is the news of an attachment that is refused. One that is rejected at AWS, too, is over: see [owner.Refused].
func Refused(in workflow.AnswerAttachmentInput, out workflow.ConcludeOutput) owner.News {
	n := owner.News{Execution: in.Execution, Connection: request(in), Kind: notice.ConnectionRefused, Result: out.Result, Said: said(in.Said, in.Reason)}
	if in.Rejects() {
		n.Result = workflow.Rejected
	}
	return n
}

// Approving returns the command by which the gateway's owner answers; value is that of the tag.
func Approving(in workflow.AnswerAttachmentInput, value string) string {
	return notice.Answering(in.Gateway.Region, in.Attachment.ID, tag.Approval, value)
}

// Message is the notification about an attachment that needs approval: all that the approver must know, and the commands.
func Message(in workflow.AnswerAttachmentInput, reachable []workflow.Reachable) (subject, body string) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	vpc, owner := workflow.Facts{}, workflow.Facts{}
	if in.Known.Requester != nil {
		vpc = *in.Known.Requester
	}
	if in.Known.Accepter != nil {
		owner = *in.Known.Accepter
	}
	line("A VPC waits for the owner of the transit gateway %s in account %s.", in.Gateway.ID, in.Gateway.Account)
	line("\nVPC (asks)")
	line("  account     %s  %s", in.VPC.Account, notice.OrNone(vpc.Account.Name))
	line("  unit        %s", notice.OrNone(vpc.Account.Unit()))
	line("  VPC         %s  %s", in.VPC.ID, notice.OrNone(vpc.Name))
	for _, cidr := range in.VPC.CIDRs {
		line("  CIDR        %s", cidr)
	}
	line("\nTransit gateway (is asked)")
	line("  account     %s  %s", in.Gateway.Account, notice.OrNone(owner.Account.Name))
	line("  unit        %s", notice.OrNone(owner.Account.Unit()))
	line("  gateway     %s  %s", in.Gateway.ID, notice.OrNone(in.Gateway.Name))
	line("  Region      %s", in.Gateway.Region)
	line("  attachment  %s", in.Attachment.ID)
	line("\nWho asks, and why")
	if in.Attachment.Own {
		line("  the VPC's owner, by its tag %s", tag.Attach)
	} else {
		line("  %s", cmp.Or(in.Request.By, "the record of the request does not say who"))
	}
	line("  %s", cmp.Or(in.Request.Why, "no reason is given: the VPC's owner may tag the attachment drawbridge:reason before it is asked about"))
	line("\nWhat would become reachable")
	for _, r := range reachable {
		line("  %s  %s, TCP port %d, in %s of account %s, from %s of account %s", r.Database.Database, r.Database.Engine, r.Database.Port, r.VPC.ID, r.VPC.Account, r.From.ID, r.From.Account)
		line("    by policy %s", notice.Because(r.Database.Decision))
		for _, also := range r.Database.Also {
			line("    and with it %s, which nobody shared: it has the same security group and port", also)
		}
	}
	if len(reachable) == 0 {
		line("  no database: the policy opens none at present, between this VPC and those that are attached")
	}
	line("\nWhy you are asked")
	line("  policy %s", notice.Because(in.Decision))
	line("\nTo answer, with credentials of account %s", in.Gateway.Account)
	line("  approve  %s", Approving(in, tag.Approved))
	line("           for what is listed here; you are asked again about ranges of the VPC, and databases, that come later")
	line("  all      %s", Approving(in, tag.ApprovedAll))
	line("           for those, too")
	line("  reject   %s", Approving(in, "rejected"))
	if link := notice.ThingConsole(in.Gateway.Region, in.Attachment.ID); link != "" {
		line("  or look  %s", link)
	}
	line("\nExecution %s", in.Execution)
	return fmt.Sprintf("Drawbridge: approval needed for %s", in.Attachment.ID), b.String()
}
