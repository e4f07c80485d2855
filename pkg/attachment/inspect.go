package attachment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	surveyed "github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what [Inspector] needs of EC2.
type EC2 interface {
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error)
	DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error)
	DescribeTransitGatewayVpcAttachments(context.Context, *ec2.DescribeTransitGatewayVpcAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error)
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
	DescribeTransitGatewayRouteTables(context.Context, *ec2.DescribeTransitGatewayRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayRouteTablesOutput, error)
	GetTransitGatewayAttachmentPropagations(context.Context, *ec2.GetTransitGatewayAttachmentPropagationsInput, ...func(*ec2.Options)) (*ec2.GetTransitGatewayAttachmentPropagationsOutput, error)
}

// Clients are the member-account clients that an inspection uses, for one account and Region.
type Clients struct {
	EC2       EC2
	RDS       database.RDS
	Redshift  database.Redshift
	SageMaker notebook.ClientAPI
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
	// Policy returns the policy whose text the execution carries or, if known is empty, the one in force; and its text.
	Policy func(ctx context.Context, known string) (*policy.Set, string, error)
	// Ledger says which pairs of a VPC with others are managed.
	Ledger ledger.Ledger
	// Looks asks for looks.
	Looks look.Asker
	// Now is the clock.
	Now func() time.Time
}

// Door is the way into member accounts.
type Door interface {
	Enter(execution, account, region string) aws.Config
}

// NewInspector returns an Inspector that enters accounts by door.
func NewInspector(door Door, account func(context.Context, string) (workflow.AccountFacts, error), units func(context.Context, string) (string, error), text func(context.Context, string) (*policy.Set, string, error), l ledger.Ledger, looks look.Asker) Inspector {
	enter := func(execution string, p event.Place) Clients {
		c := door.Enter(execution, p.Account, p.Region)
		return Clients{EC2: ec2.NewFromConfig(c), RDS: rds.NewFromConfig(c), Redshift: redshift.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c), Lambda: lambda.NewFromConfig(c)}
	}
	return Inspector{Enter: enter, Account: account, Units: units, Policy: text, Ledger: l, Looks: looks, Now: time.Now}
}

// fresh is how long after a call EC2 may not yet show the attachment that its own event speaks of.
const fresh = time.Minute

// unit is one VPC, with what was read of it, on one gateway.
type unit struct {
	event.Place
	vpc     string
	gateway string
}

// Inspect reads the event, the VPC in its own account, the gateway and the attachment in its owner's, asks the policy, and
// answers. An event that concerns several gateways or VPCs becomes a look at each. It changes nothing.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectAttachmentInput) (workflow.InspectAttachmentOutput, error) {
	out := workflow.InspectAttachmentOutput{Event: in.Event, Policy: in.Policy, Subnets: []string{}, Propagate: []string{}, Lacking: []workflow.Hop{}, Reachable: []workflow.Reachable{}}
	end := func(v Verdict) (workflow.InspectAttachmentOutput, error) {
		out.Answer, out.Reason, out.Decision, out.Associate = v.Answer, v.Reason, v.Decision, v.Associate
		out.Subnets, out.Propagate, out.Lacking = append(out.Subnets, v.Subnets...), append(out.Propagate, v.Propagate...), append(out.Lacking, v.Lacking...)
		out.Result = map[workflow.Answer]workflow.Result{workflow.AnswerAnnounce: workflow.Announced, workflow.AnswerRejected: workflow.Rejected, workflow.AnswerNothing: workflow.Nothing}[v.Answer]
		slog.InfoContext(ctx, "inspected", "vpc", out.VPC.ID, "gateway", out.Gateway.ID, "attachment", out.Attachment.ID, "answer", v.Answer, "reason", v.Reason, "policy", v.Decision.Policy)
		return out, nil
	}
	nothing := func(format string, args ...any) (workflow.InspectAttachmentOutput, error) {
		return end(Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf(format, args...)})
	}
	e, err := event.Parse(in.Event)
	if err != nil {
		return out, err
	}
	if e.Kind != event.Attachment {
		if e.Why == "" {
			e.Why = fmt.Sprintf("an event about a %s is not for this machine", e.Kind)
		}
		return nothing("%s", e.Why)
	}
	facts, err := i.Account(ctx, e.Account)
	if err != nil {
		return out, err
	}
	if facts.Organization == "" {
		return nothing("account %s is outside the organization", e.Account)
	}
	units, why := []unit{{in.VPC.Place(), in.VPC.ID, in.Gateway.ID}}, ""
	if in.VPC.ID == "" || in.Gateway.ID == "" {
		if units, why, err = i.units(ctx, in.Execution, e); err != nil {
			return out, err
		}
	}
	if len(units) == 0 {
		return nothing("%s", why)
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
	v, err := i.judge(ctx, in.Execution, units[0], e.Name == "CreateTransitGatewayVpcAttachment", &out)
	if err != nil {
		return out, err
	}
	return end(v)
}

// units finds which VPCs on which gateways an event concerns; why says why there is none.
func (i Inspector) units(ctx context.Context, execution string, e event.Event) (units []unit, why string, err error) {
	api := i.Enter(execution, e.Place).EC2
	switch {
	case e.VPC != "" && e.GatewayID != "":
		return []unit{{e.Place, e.VPC, e.GatewayID}}, "", nil
	case e.VPC != "":
		units, unclear, err := i.ofVPC(ctx, execution, e.Place, e.VPC)
		return units, fmt.Sprintf("%s asks for no gateway that account %s owns or is given, and is attached to none%s", e.VPC, e.Account, unclear), err
	case e.GatewayID != "":
		// What its owner says about a gateway concerns the attachments that wait for it.
		found, err := attachments(ctx, api, filter("transit-gateway-id", e.GatewayID), filter("resource-type", "vpc"), filter("state", "pendingAcceptance"))
		if err != nil {
			return nil, "", fmt.Errorf("in %s, %s: %w", e.Account, e.Region, err)
		}
		for _, a := range found {
			if aws.ToString(a.TransitGatewayOwnerId) == e.Account {
				units = append(units, unit{event.Place{Account: aws.ToString(a.ResourceOwnerId), Region: e.Region}, aws.ToString(a.ResourceId), e.GatewayID})
			}
		}
		return units, "no attachment waits for the owner of " + e.GatewayID, nil
	}
	why = fmt.Sprintf("account %s is outside the organization", e.Account)
	var closed error
	for _, place := range append([]event.Place{e.Place}, e.Others...) {
		facts, err := i.Account(ctx, place.Account)
		if err != nil {
			return nil, "", err
		}
		if facts.Organization == "" {
			continue
		}
		found, err := attachments(ctx, i.Enter(execution, place).EC2, filter("transit-gateway-attachment-id", e.AttachmentID))
		switch {
		case errors.Is(err, fault.ErrClosed):
			closed = err // perhaps the other side lets us in
			continue
		case err != nil:
			return nil, "", fmt.Errorf("in %s, %s: %w", place.Account, place.Region, err)
		case len(found) > 0 && found[0].ResourceType != types.TransitGatewayAttachmentResourceTypeVpc:
			return nil, fmt.Sprintf("%s attaches a %s, not a VPC", e.AttachmentID, found[0].ResourceType), nil
		case len(found) > 0:
			return []unit{{event.Place{Account: aws.ToString(found[0].ResourceOwnerId), Region: place.Region}, aws.ToString(found[0].ResourceId), aws.ToString(found[0].TransitGatewayId)}}, "", nil
		case strings.HasPrefix(e.Name, "Create") && i.Now().Sub(e.Time).Abs() < fresh && place == e.Place:
			return nil, "", fault.New(fault.NotYet, "reading %s: EC2 in %s, %s does not show it yet", e.AttachmentID, place.Account, place.Region)
		}
		why = fmt.Sprintf("%s does not exist in %s, %s", e.AttachmentID, place.Account, place.Region)
	}
	return nil, why, closed
}

// ofVPC finds the gateways that a VPC asks for by its tag, or is attached to, or was by Drawbridge, as long as AWS shows it;
// unclear says of the tag that it means nothing.
func (i Inspector) ofVPC(ctx context.Context, execution string, at event.Place, vpc string) (units []unit, unclear string, err error) {
	api := i.Enter(execution, at).EC2
	_, tags, found, err := readVPC(ctx, api, at, vpc)
	if err != nil || !found {
		return nil, "", err
	}
	gateways := map[string]bool{}
	pages := ec2.NewDescribeTransitGatewayVpcAttachmentsPaginator(api, &ec2.DescribeTransitGatewayVpcAttachmentsInput{Filters: []types.Filter{filter("vpc-id", vpc)}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, "", fmt.Errorf("reading the attachments of %s in %s, %s: %w", vpc, at.Account, at.Region, err)
		}
		for _, a := range page.TransitGatewayVpcAttachments {
			gone := a.State == types.TransitGatewayAttachmentStateDeleting || a.State == types.TransitGatewayAttachmentStateDeleted
			ours := tagsOf(a.Tags)[TagConnection] == Unit(aws.ToString(a.TransitGatewayId), vpc)
			// One of ours that is gone: perhaps an execution failed before it said so to the pairs.
			if Live(workflow.Attachment{State: string(a.State)}) || gone && ours {
				gateways[aws.ToString(a.TransitGatewayId)] = true
			}
		}
	}
	if asked := tags[tag.Attach]; asked != "" {
		visible, err := gatewaysOf(ctx, api)
		if err != nil {
			return nil, "", fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
		}
		named, err := i.named(ctx, execution, at, visible, asked)
		if err != nil {
			return nil, "", err
		}
		for _, id := range named {
			gateways[id] = true
		}
	}
	var out []unit
	for id := range gateways {
		out = append(out, unit{at, vpc, id})
	}
	slices.SortFunc(out, func(a, b unit) int { return strings.Compare(a.gateway, b.gateway) })
	return out, tag.Why(tags, tag.Attach), nil
}

// named returns which of the visible gateways a tag asks for. A name is a tag of the gateway's owner, so it is read there.
// Two gateways of that name are a conflict: which one is meant, only a person can say. If none has it, an owner that lets
// nobody in is the error: its gateway may be the one.
func (i Inspector) named(ctx context.Context, execution string, at event.Place, visible []types.TransitGateway, asked string) ([]string, error) {
	var out, owners []string
	var closed error
	for _, g := range visible {
		if aws.ToString(g.TransitGatewayId) == asked {
			return []string{asked}, nil
		}
		owners = append(owners, aws.ToString(g.OwnerId))
	}
	slices.Sort(owners)
	for _, owner := range slices.Compact(owners) {
		facts, err := i.Account(ctx, owner)
		if err != nil {
			return nil, err
		}
		if facts.Organization == "" {
			continue
		}
		theirs, err := gatewaysOf(ctx, i.Enter(execution, event.Place{Account: owner, Region: at.Region}).EC2, filter("owner-id", owner))
		if errors.Is(err, fault.ErrClosed) {
			closed = fmt.Errorf("finding the gateway %q, which may be one of account %s: %w", asked, owner, err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("in %s, %s: %w", owner, at.Region, err)
		}
		for _, g := range theirs {
			seen := slices.ContainsFunc(visible, func(v types.TransitGateway) bool {
				return aws.ToString(v.TransitGatewayId) == aws.ToString(g.TransitGatewayId)
			})
			if seen && strings.TrimSpace(tagsOf(g.Tags)["Name"]) == asked {
				out = append(out, aws.ToString(g.TransitGatewayId))
			}
		}
	}
	if len(out) == 0 {
		return nil, closed
	}
	slices.Sort(out)
	if len(out) > 1 {
		return nil, fault.NewConflict(fmt.Sprintf("finding the gateway %q: %s have that name", asked, strings.Join(out, " and ")),
			"name the gateway by its id in the tag "+tag.Attach+", then redrive the execution")
	}
	return out, nil
}

// judge reads what there is to know about one VPC on one gateway, and decides. What is managed from now on it writes in the ledger.
// requested says that the execution's event is the request of an attachment.
func (i Inspector) judge(ctx context.Context, execution string, u unit, requested bool, out *workflow.InspectAttachmentOutput) (Verdict, error) {
	nothing := func(format string, args ...any) (Verdict, error) {
		return Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf(format, args...)}, nil
	}
	here := i.Enter(execution, u.Place)
	account, err := i.Account(ctx, u.Account)
	if err != nil {
		return Verdict{}, err
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
	var attachmentTags map[string]string
	if q.Attachment, attachmentTags, q.Failed, err = readAttachment(ctx, here.EC2, u, made); err != nil {
		return Verdict{}, err
	}
	entries, err := i.Ledger.Connections(ctx, u.Account, u.Region)
	if err != nil {
		return Verdict{}, err
	}
	entry := entryOf(entries, q.Attachment.ID)
	q.Managed = entry.ID != ""
	if q.Attachment.ID == "" && made != nil && made.State == ledger.Confirmed {
		// AWS shows an attachment for two hours after its end. This one was Drawbridge's, and the ledger has not been told.
		q.Attachment = workflow.Attachment{ID: made.Left, State: "deleted"}
	}
	q.Attachment.Table, q.Attachment.Peers = entry.Facts[factTable], Peers(entries, u.gateway, u.vpc)
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
	out.Gateway.Account, q.OwnerMember = owner, theirs.Organization != ""
	gatewayTags, ownerTags := map[string]string{}, map[string]string{}
	there := i.Enter(execution, event.Place{Account: owner, Region: u.Region})
	if q.OwnerMember {
		if gatewayTags, ownerTags, err = i.theirs(ctx, there.EC2, u, &q, &out.Gateway); err != nil {
			return Verdict{}, fmt.Errorf("in %s, %s: %w", owner, u.Region, err)
		}
	}
	q.Gateway, out.Attachment = out.Gateway, q.Attachment
	q.Unclear = tag.Why(tags, tag.Attach) + tag.Why(gatewayTags, tag.Accept) + tag.Why(ownerTags, tag.Approval)
	q.Asked = share.Asks(tags[tag.Attach], u.gateway, out.Gateway.Name)
	q.Says = Says(attachmentTags, ownerTags)

	set, text, err := i.Policy(ctx, out.Policy)
	if err != nil {
		return Verdict{}, err
	}
	out.Policy = text
	principal := policy.VPC{ID: vpc.ID, Region: vpc.Region, CIDRs: vpc.CIDRs, Tags: tags, Account: account.Entity()}
	gateway := policy.Gateway{ID: u.gateway, Region: u.Region, Tags: gatewayTags, Account: theirs.Entity()}
	occasion := policy.Context{Connection: q.Attachment.ID}
	free := set.AnswerAttachment(principal, gateway, occasion)
	word, stale := said(ownerTags[tag.Approval], entry.Approval)
	if q.Attachment.State == "available" {
		if err := i.cover(ctx, entry, ownerTags[tag.Approval], free); err != nil {
			return Verdict{}, err
		}
	} else {
		q.Unclear += stale
	}
	occasion.Approval = word
	q.Attach, q.Answer, q.Reject = set.Attach(principal, gateway, occasion), set.AnswerAttachment(principal, gateway, occasion), set.RejectAttachment(principal, gateway, occasion)
	q.Adopt, q.Associate = set.AdoptAttachment(principal, gateway, occasion), set.Associate(principal, gateway, occasion)
	out.Reject = q.Reject
	if v, settled, err := i.manage(ctx, &q); settled || err != nil {
		return v, err
	}
	wanted := q.Asked && q.Visible
	if !Live(q.Attachment) && wanted && q.Attach.Allowed || q.Attachment.State == "available" && q.Managed && (wanted || !q.Attachment.Own) {
		if q.Subnets, q.Used, err = survey(ctx, here, u); err != nil {
			return Verdict{}, fmt.Errorf("in %s, %s: %w", u.Account, u.Region, err)
		}
	}
	v, err := Judge(q)
	if err != nil {
		return Verdict{}, err
	}
	if v.Answer == workflow.AnswerAccept && free.Action != policy.AcceptAttachment && len(entry.Approval.First) == 0 { // approved before anybody asked
		reachable, err := i.prospect(ctx, execution, set, u, principal, owner)
		if err != nil {
			return Verdict{}, err
		}
		if err := asked(ctx, i.Ledger, q.Attachment.ID, Shows(vpc, reachable)); err != nil {
			return Verdict{}, err
		}
	}
	if v.Answer == workflow.AnswerAsk {
		out.Request = workflow.Request{By: entry.Asked, Why: peering.Reason(attachmentTags), Approve: cover.Answer(entry.Approval, entry.Approval.First)}
		if requested && out.Request.By == "" && !q.Attachment.Own {
			out.Request.By = peering.Asker(out.Event)
		}
		out.Told = ownerTags[connection.TagStatus] == string(workflow.AwaitingApproval) && fit.Tag(ownerTags[connection.TagReason]) == fit.Tag(v.Reason)
		out.Known = workflow.Known{Requester: &workflow.Facts{VPC: vpc, Name: tags["Name"], Tags: tags, Account: account, Tables: []workflow.Table{}},
			Accepter: &workflow.Facts{Account: theirs, Name: out.Gateway.Name, Tables: []workflow.Table{}}}
		if !out.Told {
			for _, f := range []*workflow.Facts{out.Known.Requester, out.Known.Accepter} {
				if f.Account.Units, err = i.Units(ctx, f.Account.OUPath); err != nil {
					return Verdict{}, err
				}
			}
			if out.Reachable, err = i.prospect(ctx, execution, set, u, principal, owner); err != nil {
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

// manage begins the entry of an attachment that is managed from now on, and ends that of one whose owner wants Drawbridge to let go.
func (i Inspector) manage(ctx context.Context, q *Question) (v Verdict, settled bool, err error) {
	a := q.Attachment
	switch q.Says {
	case tag.Undo:
		if a.Own && (a.State == "available" || a.State == "pendingAcceptance") {
			return Verdict{Answer: workflow.AnswerDetach, Reason: fmt.Sprintf("%s is tagged %s=%s, and Drawbridge made it", a.ID, tag.Manage, tag.Undo)}, true, nil
		}
		fallthrough
	case tag.Leave:
		if a.Own || q.Managed {
			if err := i.forget(ctx, *q); err != nil {
				return v, true, err
			}
		}
		return Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf("%s is tagged %s=%s: it stays as it is, and is its owners'", a.ID, tag.Manage, q.Says)}, true, nil
	}
	managed, origin, _ := Manages(*q)
	if !managed || q.Managed {
		return v, false, nil
	}
	_, err = i.Ledger.Begin(ctx, ledger.Connection{ID: a.ID, Kind: KindAttachment, Origin: origin, Policy: q.Adopt.Policy, Sides: []ledger.Side{
		{Role: "requester", Account: q.VPC.Account, Region: q.VPC.Region, ID: q.VPC.ID},
		{Role: "accepter", Account: q.Gateway.Account, Region: q.Gateway.Region, ID: q.Gateway.ID}}})
	q.Managed = err == nil
	return v, err != nil, err
}

// forget takes an attachment out of the ledger; in the members everything stays.
func (i Inspector) forget(ctx context.Context, q Question) error {
	return Forget(ctx, i.Ledger, q.VPC, q.Gateway, q.Attachment.ID)
}

// theirs reads what the gateway's owner sees: its options, and the attachment's association, propagation and tags.
func (i Inspector) theirs(ctx context.Context, api EC2, u unit, q *Question, g *workflow.Gateway) (gatewayTags, ownerTags map[string]string, err error) {
	own, err := gatewaysOf(ctx, api, filter("transit-gateway-id", u.gateway))
	if err != nil {
		return nil, nil, err
	}
	gatewayTags, ownerTags = map[string]string{}, map[string]string{}
	if len(own) > 0 {
		gatewayTags = tag.Clean(tag.Gateway, tagsOf(own[0].Tags))
		g.Name = strings.TrimSpace(gatewayTags["Name"])
		if o := own[0].Options; o != nil {
			g.DNS = o.DnsSupport == types.DnsSupportValueEnable
			if o.DefaultRouteTableAssociation == types.DefaultRouteTableAssociationValueEnable {
				g.Association = aws.ToString(o.AssociationDefaultRouteTableId)
			}
			if o.DefaultRouteTablePropagation == types.DefaultRouteTablePropagationValueEnable {
				g.Propagation = aws.ToString(o.PropagationDefaultRouteTableId)
			}
		}
	}
	if q.Attachment.ID == "" {
		return gatewayTags, ownerTags, nil
	}
	seen, err := attachments(ctx, api, filter("transit-gateway-attachment-id", q.Attachment.ID))
	if err != nil {
		return nil, nil, err
	}
	if len(seen) > 0 {
		ownerTags = tag.Clean(tag.Attachment, tagsOf(seen[0].Tags))
		if a := seen[0].Association; a != nil && a.State != types.TransitGatewayAssociationStateDisassociated {
			q.Association, q.Associated = string(a.State), aws.ToString(a.TransitGatewayRouteTableId)
		}
	}
	if q.Attachment.State != "available" || q.Attachment.Table != "" {
		return gatewayTags, ownerTags, nil
	}
	if q.Propagated, err = propagated(ctx, api, q.Attachment.ID); err != nil {
		return nil, nil, err
	}
	if q.Association == "" && g.Association == "" || len(q.Propagated) == 0 && g.Propagation == "" {
		q.Tables, err = tables(ctx, api, u.gateway)
	}
	return gatewayTags, ownerTags, err
}

// survey finds the subnets of a VPC and which of them hold a consumer or a producer.
func survey(ctx context.Context, here Clients, u unit) (subnets []Subnet, used []string, err error) {
	pages := ec2.NewDescribeSubnetsPaginator(here.EC2, &ec2.DescribeSubnetsInput{Filters: []types.Filter{filter("vpc-id", u.vpc)}})
	var ids []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the subnets of %s: %w", u.vpc, err)
		}
		for _, s := range page.Subnets {
			subnets = append(subnets, Subnet{ID: aws.ToString(s.SubnetId), Zone: aws.ToString(s.AvailabilityZone), Free: aws.ToInt32(s.AvailableIpAddressCount),
				V4: aws.ToString(s.CidrBlock) != "" && !aws.ToBool(s.Ipv6Native)})
			ids = append(ids, aws.ToString(s.SubnetId))
		}
	}
	slices.SortFunc(subnets, func(a, b Subnet) int { return strings.Compare(a.ID, b.ID) })
	clients, err := notebook.Clients(ctx, here.SageMaker, here.Lambda, u.vpc, ids)
	if err != nil {
		return nil, nil, fmt.Errorf("finding what in %s of account %s may call databases: %w", u.vpc, u.Account, err)
	}
	databases, err := database.Read(ctx, here.RDS, here.Redshift, u.vpc, true)
	if err != nil && !fault.Absent(err) {
		return nil, nil, fmt.Errorf("finding the databases of %s of account %s: %w", u.vpc, u.Account, err)
	}
	for _, c := range clients {
		used = append(used, c.Subnets...)
	}
	for _, d := range databases {
		used = append(used, d.Subnets...)
		for _, s := range subnets {
			if len(d.Subnets) == 0 && s.Zone == d.Zone {
				used = append(used, s.ID)
			}
		}
	}
	slices.Sort(used)
	return subnets, slices.Compact(used), nil
}

// prospected bounds how many other VPCs of a gateway an approver is told the databases of.
const prospected = 20

// prospect finds what would become reachable if an attachment were accepted: the databases of the VPC that the policy
// would open to those that are attached, and theirs that it would open to the VPC.
func (i Inspector) prospect(ctx context.Context, execution string, set *policy.Set, u unit, asking policy.VPC, owner string) ([]workflow.Reachable, error) {
	out := []workflow.Reachable{}
	found, err := attachments(ctx, i.Enter(execution, event.Place{Account: owner, Region: u.Region}).EC2,
		filter("state", "available"), filter("resource-type", "vpc"), filter("transit-gateway-id", u.gateway))
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", owner, u.Region, err)
	}
	var others []policy.VPC
	for _, a := range found[:min(len(found), prospected)] {
		at := event.Place{Account: aws.ToString(a.ResourceOwnerId), Region: u.Region}
		facts, err := i.Account(ctx, at.Account)
		if err != nil {
			return nil, err
		}
		if facts.Organization == "" || aws.ToString(a.ResourceId) == u.vpc {
			continue
		}
		vpc, tags, there, err := readVPC(ctx, i.Enter(execution, at).EC2, at, aws.ToString(a.ResourceId))
		if errors.Is(err, fault.ErrClosed) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if there {
			others = append(others, policy.VPC{ID: vpc.ID, Region: vpc.Region, CIDRs: vpc.CIDRs, Tags: tags, Account: facts.Entity()})
		}
	}
	if len(others) == 0 {
		return out, nil
	}
	for n, producer := range append([]policy.VPC{asking}, others...) {
		at := i.Enter(execution, event.Place{Account: producer.Account.ID, Region: producer.Region})
		databases, err := database.Read(ctx, at.RDS, at.Redshift, producer.ID, true)
		if err != nil && !fault.Absent(err) {
			return nil, fmt.Errorf("in %s, %s: %w", producer.Account.ID, producer.Region, err)
		}
		consumers := []policy.VPC{asking}
		if n == 0 {
			consumers = others
		}
		for _, consumer := range consumers {
			var open, shut []workflow.Opening
			for _, d := range databases {
				o := workflow.Opening{Database: d.ID, Engine: d.Engine, Port: d.Port, Groups: d.Groups,
					Decision: set.Open(consumer, policy.Database{ARN: d.ARN, ID: d.ID, Engine: d.Engine, Port: d.Port, Tags: d.Tags, VPC: producer}, policy.Context{})}
				if o.Decision.Allowed {
					open = append(open, o)
				} else {
					shut = append(shut, o)
				}
			}
			surveyed.Beside(open, shut)
			for _, o := range open {
				out = append(out, workflow.Reachable{VPC: place(producer), From: place(consumer), Opening: o})
			}
		}
	}
	return out, nil
}

func place(v policy.VPC) workflow.VPC {
	return workflow.VPC{Account: v.Account.ID, Region: v.Region, ID: v.ID, CIDRs: v.CIDRs}
}

func readVPC(ctx context.Context, api EC2, at event.Place, id string) (vpc workflow.VPC, tags map[string]string, found bool, err error) {
	vpc = workflow.VPC{Account: at.Account, Region: at.Region, ID: id}
	got, err := api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []types.Filter{filter("vpc-id", id)}})
	if err != nil {
		return vpc, nil, false, fmt.Errorf("reading %s in %s, %s: %w", id, at.Account, at.Region, err)
	}
	if len(got.Vpcs) == 0 {
		return vpc, nil, false, nil
	}
	vpc.CIDRs = route.CIDRs(got.Vpcs[0])
	return vpc, tag.Clean(tag.VPC, tagsOf(got.Vpcs[0].Tags)), true, nil
}

// readAttachment returns the attachment of a VPC to a gateway, as the VPC's account has it: a live one if there is one,
// else the newest of those that are shown still; its tags there; and the ids of those that Drawbridge made and AWS failed. made is what the
// ledger says of those that Drawbridge made: the tag alone makes none its own.
func readAttachment(ctx context.Context, api EC2, u unit, made *ledger.Item) (one workflow.Attachment, tags map[string]string, failed []string, err error) {
	var best *types.TransitGatewayVpcAttachment
	pages := ec2.NewDescribeTransitGatewayVpcAttachmentsPaginator(api, &ec2.DescribeTransitGatewayVpcAttachmentsInput{
		Filters: []types.Filter{filter("vpc-id", u.vpc), filter("transit-gateway-id", u.gateway)}})
	live := func(a types.TransitGatewayVpcAttachment) bool {
		return Live(workflow.Attachment{State: string(a.State)})
	}
	own := func(a types.TransitGatewayVpcAttachment) bool {
		tagged := tagsOf(a.Tags)[TagConnection] == Unit(u.gateway, u.vpc)
		return tagged && made != nil && (made.State == ledger.Intended || made.Left == aws.ToString(a.TransitGatewayAttachmentId))
	}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return one, nil, nil, fmt.Errorf("reading the attachment of %s to %s in %s, %s: %w", u.vpc, u.gateway, u.Account, u.Region, err)
		}
		for _, a := range page.TransitGatewayVpcAttachments {
			newer := best != nil && aws.ToTime(a.CreationTime).After(aws.ToTime(best.CreationTime))
			if best == nil || live(a) && !live(*best) || live(a) == live(*best) && newer {
				best = &a
			}
			if a.State == types.TransitGatewayAttachmentStateFailed && own(a) {
				failed = append(failed, aws.ToString(a.TransitGatewayAttachmentId))
			}
		}
	}
	if best == nil {
		return one, nil, nil, nil
	}
	slices.Sort(failed)
	return workflow.Attachment{ID: aws.ToString(best.TransitGatewayAttachmentId), State: string(best.State), Subnets: slices.Sorted(slices.Values(best.SubnetIds)),
		DNS: best.Options == nil || best.Options.DnsSupport != types.DnsSupportValueDisable, Own: own(*best)}, tag.Clean(tag.Attachment, tagsOf(best.Tags)), failed, nil
}

func gatewaysOf(ctx context.Context, api interface {
	DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error)
}, filters ...types.Filter) ([]types.TransitGateway, error) {
	var out []types.TransitGateway
	pages := ec2.NewDescribeTransitGatewaysPaginator(api, &ec2.DescribeTransitGatewaysInput{Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading transit gateways: %w", err)
		}
		for _, g := range page.TransitGateways {
			if g.State != types.TransitGatewayStateDeleted && g.State != types.TransitGatewayStateDeleting {
				out = append(out, g)
			}
		}
	}
	return out, nil
}

func attachments(ctx context.Context, api interface {
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
}, filters ...types.Filter) ([]types.TransitGatewayAttachment, error) {
	var out []types.TransitGatewayAttachment
	pages := ec2.NewDescribeTransitGatewayAttachmentsPaginator(api, &ec2.DescribeTransitGatewayAttachmentsInput{Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading transit gateway attachments: %w", err)
		}
		out = append(out, page.TransitGatewayAttachments...)
	}
	return out, nil
}

func propagated(ctx context.Context, api interface {
	GetTransitGatewayAttachmentPropagations(context.Context, *ec2.GetTransitGatewayAttachmentPropagationsInput, ...func(*ec2.Options)) (*ec2.GetTransitGatewayAttachmentPropagationsOutput, error)
}, attachment string) ([]string, error) {
	var out []string
	pages := ec2.NewGetTransitGatewayAttachmentPropagationsPaginator(api, &ec2.GetTransitGatewayAttachmentPropagationsInput{TransitGatewayAttachmentId: &attachment})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the propagations of %s: %w", attachment, err)
		}
		for _, p := range page.TransitGatewayAttachmentPropagations {
			if p.State == types.TransitGatewayPropagationStateEnabled || p.State == types.TransitGatewayPropagationStateEnabling {
				out = append(out, aws.ToString(p.TransitGatewayRouteTableId))
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

func tables(ctx context.Context, api EC2, gateway string) ([]Table, error) {
	var out []Table
	pages := ec2.NewDescribeTransitGatewayRouteTablesPaginator(api, &ec2.DescribeTransitGatewayRouteTablesInput{Filters: []types.Filter{filter("transit-gateway-id", gateway)}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the route tables of %s: %w", gateway, err)
		}
		for _, t := range page.TransitGatewayRouteTables {
			if t.State == types.TransitGatewayRouteTableStateAvailable {
				out = append(out, Table{ID: aws.ToString(t.TransitGatewayRouteTableId), Tags: tagsOf(t.Tags)})
			}
		}
	}
	slices.SortFunc(out, func(a, b Table) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

func tagsOf(list []types.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range list {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}
