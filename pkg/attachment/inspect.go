package attachment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what [Inspector] needs of EC2.
type EC2 interface {
	notebook.Marks
	ec2.DescribeSecurityGroupsAPIClient
	route.SubnetReader
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error)
	DescribeTransitGatewayVpcAttachments(context.Context, *ec2.DescribeTransitGatewayVpcAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error)
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
	DescribeTransitGatewayRouteTables(context.Context, *ec2.DescribeTransitGatewayRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayRouteTablesOutput, error)
	GetTransitGatewayAttachmentPropagations(context.Context, *ec2.GetTransitGatewayAttachmentPropagationsInput, ...func(*ec2.Options)) (*ec2.GetTransitGatewayAttachmentPropagationsOutput, error)
}

// SageMaker is what [Inspector] needs of SageMaker.
type SageMaker interface {
	notebook.Placer
	notebook.ClientAPI
}

// Clients are the member-account clients that an inspection uses, for one account and Region.
type Clients struct {
	EC2       EC2
	Databases database.APIs
	SageMaker SageMaker
	Lambda    notebook.LambdaAPI
}

// Inspector answers what a VPC on a gateway needs next.
type Inspector struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Clients
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Units says what the units of an account's path are called.
	Units func(ctx context.Context, path string) (string, error)
	// Policy returns the policy in force.
	Policy func(context.Context) (*policy.Set, error)
	// Ledger says which pairs of a VPC with others are managed.
	Ledger ledger.Ledger
	// Looks asks for looks.
	Looks look.Asker
	// Brake is asked before something is taken away.
	Brake brake.Asker
	// Now is the clock.
	Now func() time.Time
}

// results are the ends that an answer alone decides.
var results = map[workflow.Answer]workflow.Result{workflow.AnswerAnnounce: workflow.Announced, workflow.AnswerRejected: workflow.Rejected, workflow.AnswerNothing: workflow.Nothing,
	workflow.AnswerRemoved: workflow.Removed, workflow.AnswerReleased: workflow.Released}

// fresh is how long after a call EC2 may not yet show the attachment that its own event speaks of.
const fresh = time.Minute

// unit is one VPC, with what was read of it, on one gateway.
type unit struct {
	event.Place
	vpc     string
	gateway string
}

// Inspect reads the event, the VPC in its own account, the gateway and the attachment in its owner's, asks the policy, and
// answers. An event that concerns several gateways or VPCs becomes a look at each. It changes nothing. What the event is about, [Inspector.Find]
// found before.
func (i Inspector) Inspect(ctx context.Context, found Found) (workflow.InspectAttachmentOutput, error) {
	in, e, units := found.In, found.event, found.units
	out := begun(in)
	end := func(v Verdict) (workflow.InspectAttachmentOutput, error) {
		out.Answer, out.Reason, out.Said, out.Decision, out.Associate = v.Answer, v.Reason, v.Said, v.Decision, v.Associate
		out.Subnets, out.Propagate, out.Lacking = append(out.Subnets, v.Subnets...), append(out.Propagate, v.Propagate...), append(out.Lacking, v.Lacking...)
		out.Result = results[v.Answer]
		if out.Attachment.LetGo = v.Answer == workflow.AnswerReleased; v.Undone {
			out.Result = workflow.Removed // as of a peering: what was added is taken back
		}
		slog.InfoContext(ctx, "inspected", "vpc", out.VPC.ID, "gateway", out.Gateway.ID, "attachment", out.Attachment.ID, "answer", v.Answer, "reason", v.Reason, "policy", v.Decision.Policy)
		return out, nil
	}
	if len(units) == 0 {
		return end(Verdict{Answer: workflow.AnswerNothing, Reason: found.why})
	}
	if len(units) > 1 {
		var looks []event.AttachmentInspection
		for _, u := range units {
			looks = append(looks, event.AttachmentInspection{Account: u.Account, Region: u.Region, TransitGatewayID: u.gateway, VPC: u.vpc, Reason: e.Name})
		}
		if err := look.Ask(ctx, i.Looks, looks...); err != nil {
			return out, err
		}
		out.Announced = len(looks)
		return end(Verdict{Answer: workflow.AnswerAnnounce, Reason: fmt.Sprintf("%s concerns %d attachments", e.Name, len(looks))})
	}
	v, err := i.judge(ctx, in.Execution, units[0], e.Name == requests, &out)
	if held := i.unread(ctx, units[0], err); held != nil {
		return out, held
	}
	if errors.Is(err, notebook.ErrUnread) { // the next look knows more of them
		return end(Verdict{Answer: workflow.AnswerWait, Reason: err.Error()})
	}
	if err != nil {
		return out, err
	}
	return end(v)
}

// judge reads what there is to know about one VPC on one gateway, and decides. What is managed from now on it writes in the ledger.
// requested says that the execution's event is the request of an attachment.
// Long, because it reads in the order in which what was read so far says whether more has to be read.
func (i Inspector) judge(ctx context.Context, execution string, u unit, requested bool, out *workflow.InspectAttachmentOutput) (Verdict, error) {
	nothing := func(format string, args ...any) (Verdict, error) {
		return Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf(format, args...)}, nil
	}
	here := i.Enter(execution, u.Place)
	account, err := i.Account(ctx, u.Account)
	if err != nil {
		return Verdict{}, err
	}
	if held := i.unread(ctx, u, account.Unreadable()); held != nil {
		return Verdict{}, held
	}
	if account.Organization == "" {
		return nothing("account %s, which owns %s, is outside the organization", u.Account, u.vpc)
	}
	vpc, tags, found, err := readVPC(ctx, here.EC2, u.Place, u.vpc)
	if err != nil {
		return Verdict{}, err
	}
	if !found {
		return nothing("%s does not exist in %s, %s", u.vpc, u.Account, u.Region)
	}
	out.VPC, out.Gateway = vpc, workflow.Gateway{ID: u.gateway, Region: u.Region}
	q := Question{VPC: vpc, Requested: requested}
	made, err := i.made(ctx, u)
	if err != nil {
		return Verdict{}, err
	}
	if q.Attachment, q.Owners.VPC, q.Failed, err = readAttachment(ctx, here.EC2, u, made); err != nil {
		return Verdict{}, err
	}
	entries, err := i.Ledger.Connections(ctx, u.Account, u.Region)
	if err != nil {
		return Verdict{}, err
	}
	if before, is := replaced(entries, q.Attachment, u); is {
		out.Attachment = workflow.Attachment{ID: before.ID, State: "deleted"}
		for _, s := range before.Sides {
			if s.ID == u.gateway {
				out.Gateway.Account = s.Account
			}
		}
		return Verdict{Answer: workflow.AnswerRemoved, Reason: fmt.Sprintf("%s is over, and %s took its place", before.ID, q.Attachment.ID)}, nil
	}
	entry := entryOf(entries, q.Attachment.ID)
	q.Managed, q.Status, q.Because = entry.ID != "", entry.Status, entry.Reason
	if q.Attachment.ID == "" && made != nil && made.State == ledger.Confirmed {
		// AWS shows an attachment for two hours after its end. This one was Drawbridge's, and the ledger has not been told.
		q.Attachment = workflow.Attachment{ID: made.Left, State: "deleted"}
	}
	q.Attachment.Table, q.Paired = entry.Facts[factTable], len(Peers(entries, u.gateway, u.vpc)) > 0
	if v, passing := Passing(q.Attachment); passing {
		out.Attachment = q.Attachment
		return v, nil
	}
	visible, err := gatewaysOf(ctx, here.EC2, filter("transit-gateway-id", u.gateway))
	if err != nil {
		return Verdict{}, fmt.Errorf("in %s, %s: %w", u.Account, u.Region, err)
	}
	owner := ""
	if q.Visible = len(visible) > 0; q.Visible {
		owner = aws.ToString(visible[0].OwnerId)
	} else if q.Attachment.ID != "" {
		// A gateway that is not shared any more is not shown, but the attachment to it stays and tells whose it is.
		// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-transit-gateways.html#tgw-unsharing
		seen, err := attachments(ctx, here.EC2, filter("transit-gateway-attachment-id", q.Attachment.ID))
		if err != nil {
			return Verdict{}, fmt.Errorf("in %s, %s: %w", u.Account, u.Region, err)
		}
		if len(seen) > 0 {
			owner = aws.ToString(seen[0].TransitGatewayOwnerId)
		}
	}
	if owner == "" {
		return nothing("%s", unasked(Question{VPC: vpc, Gateway: out.Gateway, Asked: tags[tag.Attach] == u.gateway, Unclear: tag.Why(tags, tag.Attach)}))
	}
	theirs, err := i.Account(ctx, owner)
	if err != nil {
		return Verdict{}, err
	}
	if err := theirs.Unreadable(); err != nil && q.Managed && Live(q.Attachment) {
		return Verdict{}, err
	}
	out.Gateway.Account, q.OwnerMember = owner, theirs.Organization != ""
	there := i.Enter(execution, event.Place{Account: owner, Region: u.Region})
	if q.OwnerMember {
		if err = i.theirs(ctx, there.EC2, u, &q, &out.Gateway); err != nil {
			return Verdict{}, fmt.Errorf("in %s, %s: %w", owner, u.Region, err)
		}
	}
	gatewayTags, ownerTags := q.Owners.Gateway, q.Owners.Owner
	q.Gateway, out.Attachment = out.Gateway, q.Attachment
	q.Unclear = tag.Why(tags, tag.Attach) + tag.Why(gatewayTags, tag.Accept) + tag.Why(ownerTags, tag.Approval)
	q.Asked = share.Asks(tags[tag.Attach], u.gateway, out.Gateway.Name)

	set, err := i.Policy(ctx)
	if err != nil {
		return Verdict{}, err
	}
	principal := policy.VPC{ID: vpc.ID, Region: vpc.Region, CIDRs: vpc.CIDRs, Tags: tags, Account: account.Entity()}
	gateway := policy.Gateway{ID: u.gateway, Region: u.Region, Tags: gatewayTags, Account: theirs.Entity()}
	occasion := policy.Context{Connection: q.Attachment.ID}
	free := set.AnswerAttachment(principal, gateway, occasion)
	means, stale := word(ownerTags[tag.Approval], entry.Approval)
	if q.Attachment.State == "available" {
		if err := i.cover(ctx, entry, ownerTags[tag.Approval], free); err != nil {
			return Verdict{}, err
		}
	} else {
		q.Unclear += stale
	}
	occasion.Approval = means
	q.Attach, q.Answer, q.Reject = set.Attach(principal, gateway, occasion), set.AnswerAttachment(principal, gateway, occasion), set.RejectAttachment(principal, gateway, occasion)
	q.Adopt, q.Associate = set.AdoptAttachment(principal, gateway, occasion), set.Associate(principal, gateway, occasion)
	out.Reject = q.Reject
	_, taken := takenBack(q)
	if taken || q.Managed && q.Says() == tag.Undo {
		if q.Added, err = i.added(ctx, q.Attachment.ID); err != nil {
			return Verdict{}, err
		}
	}
	if !Live(q.Attachment) {
		if q.Undone, err = i.Ledger.IsUndone(ctx, u.vpc, u.gateway); err != nil {
			return Verdict{}, err
		}
	}
	if v, let := LetGo(q); let {
		if v.Answer == workflow.AnswerDetach { // the tag goes with the attachment
			err = i.Ledger.Undo(ctx, u.vpc, u.gateway)
		}
		return v, err
	}
	if err := i.manage(ctx, &q); err != nil {
		return Verdict{}, err
	}
	wanted := q.Asked && q.Visible
	if !Live(q.Attachment) && wanted && q.Attach.Allowed || q.Attachment.State == "available" && q.Managed && (wanted || !q.Attachment.Own) && !taken {
		if q.Subnets, q.Used, err = survey(ctx, here, i.Ledger, u); err != nil {
			return Verdict{}, fmt.Errorf("in %s, %s: %w", u.Account, u.Region, err)
		}
	}
	v, err := Judge(q)
	if err == nil {
		err = i.Brake.Ask(ctx, Removal(q, v, tag.Says(tags, tag.Attach)))
	}
	if err != nil {
		return Verdict{}, err
	}
	if _, tagged := TakenBack(q.Attachment.ID, vpc.Account, q.Gateway, q.Owners, false); tagged {
		out.Attachment.Table = "" // once its owner takes the tag back, it may be associated anew
	}
	if v.Answer == workflow.AnswerAccept && free.Action != policy.AcceptAttachment && len(entry.Approval.First) == 0 { // approved before anybody asked
		reachable, err := i.prospect(ctx, execution, set, u, principal, owner)
		if err != nil {
			return Verdict{}, err
		}
		if err := show(ctx, i.Ledger, q.Attachment.ID, Shows(vpc, reachable)); err != nil {
			return Verdict{}, err
		}
	}
	if v.Answer == workflow.AnswerAsk {
		out.Request = workflow.Request{By: entry.Asked, Why: peering.Reason(q.Owners.VPC), Approve: cover.Answer(entry.Approval, entry.Approval.First)}
		if requested && out.Request.By == "" && !q.Attachment.Own {
			out.Request.By = peering.Asker(out.Event)
		}
		out.Told = entry.Question != "" && entry.Question == v.Reason
		out.Known = workflow.Known{Requester: &workflow.Facts{Name: tags["Name"], Account: account}, Accepter: &workflow.Facts{Account: theirs}}
		if !out.Told {
			for _, f := range []*workflow.Facts{out.Known.Requester, out.Known.Accepter} {
				if f.Account.Units, err = i.Units(ctx, f.Account.OUPath); err != nil {
					return Verdict{}, err
				}
			}
			reachable, err := i.prospect(ctx, execution, set, u, principal, owner)
			if err == nil {
				err = fact.KeepReachable(ctx, i.Ledger, q.Attachment.ID, reachable)
			}
			if err != nil {
				return Verdict{}, err
			}
		}
	}
	return v, nil
}

// made returns what the ledger says of the attachments of a VPC to a gateway that Drawbridge made: nil if it made none.
func (i Inspector) made(ctx context.Context, u unit) (*ledger.Item, error) {
	items, err := i.Ledger.Of(ctx, u.Account, u.Region, u.vpc)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		if item.Kind == ledger.Attachment && item.Key == u.gateway {
			return &item, nil
		}
	}
	return nil, nil
}

// added reports whether the ledger has associations or propagations that Drawbridge added for an attachment, be it that they are about to be
// taken back.
func (i Inspector) added(ctx context.Context, attachment string) (bool, error) {
	items, err := i.Ledger.Items(ctx, attachment)
	return len(belonging(items)) > 0, err
}

// manage begins the entry of an attachment that is managed from now on.
func (i Inspector) manage(ctx context.Context, q *Question) error {
	managed, origin, _ := Manages(*q)
	if !managed || q.Managed {
		return nil
	}
	_, err := i.Ledger.Begin(ctx, ledger.Connection{ID: q.Attachment.ID, Kind: road.Attachment, Origin: origin, Policy: q.Adopt.Policy, Sides: []ledger.Side{
		{Role: "requester", Account: q.VPC.Account, Region: q.VPC.Region, ID: q.VPC.ID},
		{Role: "accepter", Account: q.Gateway.Account, Region: q.Gateway.Region, ID: q.Gateway.ID}}})
	q.Managed = err == nil
	return err
}
