package attachment

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// inspection is one look at one VPC on one gateway. Its parts read in the order in which what was read so far says whether more has to be
// read. Each reports whether the look is over, with the verdict then.
type inspection struct {
	Inspector
	unit
	execution string
	out       *workflow.InspectAttachmentOutput
	verdict   Verdict

	q     Question
	here  Clients           // in the VPC's account
	vpc   workflow.VPC      // with what is asked of it
	tags  map[string]string // the VPC's
	entry ledger.Connection // of the attachment; empty if it is not managed
	taken bool              // an owner takes the attachment back
	// account is that of the VPC, theirs the gateway's.
	account, theirs workflow.AccountFacts

	set *policy.Set
	// principal, gateway and occasion are what the policy is asked about; free is what it answers whatever the gateway's owner has approved.
	principal policy.VPC
	gateway   policy.Gateway
	occasion  policy.Context
	free      policy.Decision
}

// one reads what there is to know about one VPC on one gateway, and decides. What is managed from now on it writes in the ledger.
// requested says that the execution's event is the request of an attachment.
func (i Inspector) one(ctx context.Context, execution string, u unit, requested bool, out *workflow.InspectAttachmentOutput) (Verdict, error) {
	l := inspection{Inspector: i, unit: u, execution: execution, out: out, here: i.Enter(execution, u.Place), q: Question{Requested: requested}}
	for _, part := range []func(context.Context) (over bool, err error){l.readVPC, l.readAttachment, l.readGateway, l.ask, l.letGo, l.judge} {
		if over, err := part(ctx); over || err != nil {
			return l.verdict, err
		}
	}
	return l.verdict, nil
}

// nothing ends the look: there is nothing to do.
func (l *inspection) nothing(format string, args ...any) (over bool, err error) {
	l.verdict = Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf(format, args...)}
	return true, nil
}

// readVPC reads the VPC in its own account.
func (l *inspection) readVPC(ctx context.Context) (over bool, err error) {
	u := l.unit
	if l.account, err = l.Account(ctx, u.Account); err != nil {
		return true, err
	}
	if held := l.unread(ctx, u, l.account.Unreadable()); held != nil {
		return true, held
	}
	if l.account.Organization == "" {
		return l.nothing("account %s, which owns %s, is outside the organization", u.Account, u.vpc)
	}
	var found bool
	if l.vpc, l.tags, found, err = readVPC(ctx, l.here.EC2, u.Place, u.vpc); err != nil {
		return true, err
	}
	if !found {
		return l.nothing("%s does not exist in %s, %s", u.vpc, u.Account, u.Region)
	}
	l.q.VPC, l.out.VPC, l.out.Gateway = l.vpc, l.vpc, workflow.Gateway{ID: u.gateway, Region: u.Region}
	return false, nil
}

// readAttachment reads the attachment, as the VPC's account sees it, and what the ledger has of it. Of one that another took the place of,
// and of one that is between two states, nothing more is read.
func (l *inspection) readAttachment(ctx context.Context) (over bool, err error) {
	u, q, out := l.unit, &l.q, l.out
	made, err := l.made(ctx)
	if err != nil {
		return true, err
	}
	if q.Attachment, q.Owners.VPC, q.Failed, err = readAttachment(ctx, l.here.EC2, u, made); err != nil {
		return true, err
	}
	entries, err := l.Ledger.Connections(ctx, u.Account, u.Region)
	if err != nil {
		return true, err
	}
	if before, is := replaced(entries, q.Attachment, u); is {
		out.Attachment = workflow.Attachment{ID: before.ID, State: "deleted"}
		for _, s := range before.Sides {
			if s.ID == u.gateway {
				out.Gateway.Account = s.Account
			}
		}
		l.verdict = Verdict{Answer: workflow.AnswerRemoved, Reason: fmt.Sprintf("%s is over, and %s took its place", before.ID, q.Attachment.ID)}
		return true, nil
	}
	l.entry = entryOf(entries, q.Attachment.ID)
	q.Managed, q.Status, q.Because = l.entry.ID != "", l.entry.Status, l.entry.Reason
	if q.Attachment.ID == "" && made != nil && made.State == ledger.Confirmed {
		// AWS shows an attachment for two hours after its end. This one was Drawbridge's, and the ledger has not been told.
		q.Attachment = workflow.Attachment{ID: made.Left, State: "deleted"}
	}
	q.Attachment.Table, q.Paired = l.entry.Facts[factTable], len(Peers(entries, u.gateway, u.vpc)) > 0
	if v, passing := Passing(q.Attachment); passing {
		out.Attachment, l.verdict = q.Attachment, v
		return true, nil
	}
	return false, nil
}

// readGateway reads the gateway, and what its owner's account says of the attachment. The owner of a gateway that is not shared with the VPC's
// account, and to which nothing is attached, nobody here can tell.
func (l *inspection) readGateway(ctx context.Context) (over bool, err error) {
	u, q, out := l.unit, &l.q, l.out
	owner, err := l.owner(ctx)
	if err != nil {
		return true, err
	}
	if owner == "" {
		return l.nothing("%s", unasked(Question{VPC: l.vpc, Gateway: out.Gateway, Asked: l.tags[tag.Attach] == u.gateway, Unclear: tag.Why(l.tags, tag.Attach)}))
	}
	if l.theirs, err = l.Account(ctx, owner); err != nil {
		return true, err
	}
	if err := l.theirs.Unreadable(); err != nil && q.Managed && Live(q.Attachment) {
		return true, err
	}
	out.Gateway.Account, q.OwnerMember = owner, l.theirs.Organization != ""
	if q.OwnerMember {
		there := l.Enter(l.execution, event.Place{Account: owner, Region: u.Region})
		if err = readOwners(ctx, there.EC2, u, q, &out.Gateway); err != nil {
			return true, fmt.Errorf("in %s, %s: %w", owner, u.Region, err)
		}
	}
	q.Gateway, out.Attachment = out.Gateway, q.Attachment
	q.Unclear = tag.Why(l.tags, tag.Attach) + tag.Why(q.Owners.Gateway, tag.Accept) + tag.Why(q.Owners.Owner, tag.Approval)
	q.Asked = share.Asks(l.tags[tag.Attach], u.gateway, out.Gateway.Name)
	return false, nil
}

// owner returns the account that owns the gateway, as the VPC's account sees it; "" if it does not see it.
func (l *inspection) owner(ctx context.Context) (string, error) {
	u := l.unit
	visible, err := gatewaysOf(ctx, l.here.EC2, filter("transit-gateway-id", u.gateway))
	if err != nil {
		return "", fmt.Errorf("in %s, %s: %w", u.Account, u.Region, err)
	}
	if l.q.Visible = len(visible) > 0; l.q.Visible {
		return aws.ToString(visible[0].OwnerId), nil
	}
	if l.q.Attachment.ID == "" {
		return "", nil
	}
	// A gateway that is not shared any more is not shown, but the attachment to it stays and tells whose it is.
	// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-transit-gateways.html#tgw-unsharing
	seen, err := attachments(ctx, l.here.EC2, filter("transit-gateway-attachment-id", l.q.Attachment.ID))
	if err != nil {
		return "", fmt.Errorf("in %s, %s: %w", u.Account, u.Region, err)
	}
	if len(seen) == 0 {
		return "", nil
	}
	return aws.ToString(seen[0].TransitGatewayOwnerId), nil
}

// ask asks the policy. What the gateway's owner approved counts as far as it covers what there is.
func (l *inspection) ask(ctx context.Context) (over bool, err error) {
	q, answer := &l.q, l.q.Owners.Owner[tag.Approval]
	if l.set, err = l.Policy(ctx); err != nil {
		return true, err
	}
	l.principal = policy.VPC{ID: l.vpc.ID, Region: l.vpc.Region, CIDRs: l.vpc.CIDRs, Tags: l.tags, Account: l.account.Entity()}
	l.gateway = policy.Gateway{ID: l.unit.gateway, Region: l.Region, Tags: q.Owners.Gateway, Account: l.theirs.Entity()}
	l.occasion = policy.Context{Connection: q.Attachment.ID}
	l.free = l.set.AnswerAttachment(l.principal, l.gateway, l.occasion)
	means, stale := word(answer, l.entry.Approval)
	if q.Attachment.State == "available" {
		if err := l.cover(ctx, l.entry, answer, l.free); err != nil {
			return true, err
		}
	} else {
		q.Unclear += stale
	}
	l.occasion.Approval = means
	p, g, o := l.principal, l.gateway, l.occasion
	q.Attach, q.Answer, q.Reject = l.set.Attach(p, g, o), l.set.AnswerAttachment(p, g, o), l.set.RejectAttachment(p, g, o)
	q.Adopt, q.Associate = l.set.AdoptAttachment(p, g, o), l.set.Associate(p, g, o)
	l.out.Reject = q.Reject
	return false, nil
}

// letGo ends the look at an attachment of which an owner wants Drawbridge to let go.
func (l *inspection) letGo(ctx context.Context) (over bool, err error) {
	u, q := l.unit, &l.q
	if _, l.taken = takenBack(*q); l.taken || q.Managed && q.Says() == tag.Undo {
		if q.Added, err = l.added(ctx); err != nil {
			return true, err
		}
	}
	if !Live(q.Attachment) {
		if q.Undone, err = l.Ledger.IsUndone(ctx, u.vpc, u.gateway); err != nil {
			return true, err
		}
	}
	v, let := LetGo(*q)
	if !let {
		return false, nil
	}
	if l.verdict = v; v.Answer == workflow.AnswerDetach { // the tag goes with the attachment
		err = l.Ledger.Undo(ctx, u.vpc, u.gateway)
	}
	return true, err
}

// judge answers what the attachment needs next. It is managed from now on, if that is how it came about.
func (l *inspection) judge(ctx context.Context) (over bool, err error) {
	q := &l.q
	if err := l.manage(ctx); err != nil {
		return true, err
	}
	wanted := q.Asked && q.Visible
	if !Live(q.Attachment) && wanted && q.Attach.Allowed || q.Attachment.State == "available" && q.Managed && (wanted || !q.Attachment.Own) && !l.taken {
		if q.Subnets, q.Used, err = survey(ctx, l.here, l.Ledger, l.unit); err != nil {
			return true, fmt.Errorf("in %s, %s: %w", l.unit.Account, l.Region, err)
		}
	}
	v, err := Judge(*q)
	if err == nil {
		err = l.Brake.Ask(ctx, Removal(*q, v, tag.Says(l.tags, tag.Attach)))
	}
	if err != nil {
		return true, err
	}
	l.verdict = v
	if _, tagged := TakenBack(q.Attachment.ID, l.vpc.Account, q.Gateway, q.Owners, false); tagged {
		l.out.Attachment.Table = "" // once its owner takes the tag back, it may be associated anew
	}
	switch approved := l.entry.Approval; {
	case v.Answer == workflow.AnswerAccept && l.free.Action != policy.AcceptAttachment && len(approved.First) == 0: // approved before anybody asked
		reachable, err := l.prospect(ctx)
		if err != nil {
			return true, err
		}
		return true, show(ctx, l.Ledger, q.Attachment.ID, Shows(l.vpc, reachable))
	case v.Answer == workflow.AnswerAsk:
		return true, l.request(ctx)
	}
	return true, nil
}

// request fills in what the gateway's owner is asked, and by whom.
func (l *inspection) request(ctx context.Context) (err error) {
	q, out := l.q, l.out
	out.Request = workflow.Request{By: l.entry.Asked, Why: peering.Reason(q.Owners.VPC), Approve: cover.Answer(l.entry.Approval, l.entry.Approval.First)}
	if q.Requested && out.Request.By == "" && !q.Attachment.Own {
		out.Request.By = peering.Asker(out.Event)
	}
	out.Told = l.entry.Question != "" && l.entry.Question == l.verdict.Reason
	out.Known = workflow.Known{Requester: &workflow.Facts{Name: l.tags["Name"], Account: l.account}, Accepter: &workflow.Facts{Account: l.theirs}}
	if out.Told {
		return nil
	}
	for _, f := range []*workflow.Facts{out.Known.Requester, out.Known.Accepter} {
		if f.Account.Units, err = l.Units(ctx, f.Account.OUPath); err != nil {
			return err
		}
	}
	reachable, err := l.prospect(ctx)
	if err != nil {
		return err
	}
	return fact.KeepReachable(ctx, l.Ledger, q.Attachment.ID, reachable)
}

// made returns what the ledger says of the attachments of the VPC to the gateway that Drawbridge made: nil if it made none.
func (l *inspection) made(ctx context.Context) (*ledger.Item, error) {
	items, err := l.Ledger.Of(ctx, l.unit.Account, l.Region, l.unit.vpc)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		if item.Kind == ledger.Attachment && item.Key == l.unit.gateway {
			return &item, nil
		}
	}
	return nil, nil
}

// added reports whether the ledger has associations or propagations that Drawbridge added for the attachment, be it that they are about to be
// taken back.
func (l *inspection) added(ctx context.Context) (bool, error) {
	items, err := l.Ledger.Items(ctx, l.q.Attachment.ID)
	return len(belonging(items)) > 0, err
}

// manage begins the entry of the attachment if it is managed from now on.
func (l *inspection) manage(ctx context.Context) error {
	q := &l.q
	managed, origin, _ := Manages(*q)
	if !managed || q.Managed {
		return nil
	}
	_, err := l.Ledger.Begin(ctx, ledger.Connection{ID: q.Attachment.ID, Kind: road.Attachment, Origin: origin, Policy: q.Adopt.Policy, Sides: []ledger.Side{
		{Role: "requester", Account: q.VPC.Account, Region: q.VPC.Region, ID: q.VPC.ID},
		{Role: "accepter", Account: q.Gateway.Account, Region: q.Gateway.Region, ID: q.Gateway.ID}}})
	q.Managed = err == nil
	return err
}
