package attachment

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// meanwhile is the state that a step reports when somebody else was faster. The machine looks again anyway, and goes on
// from what it finds.
const meanwhile = "changed meanwhile"

// Attacher is what [Attach] needs of EC2.
type Attacher interface {
	CreateTransitGatewayVpcAttachment(context.Context, *ec2.CreateTransitGatewayVpcAttachmentInput, ...func(*ec2.Options)) (*ec2.CreateTransitGatewayVpcAttachmentOutput, error)
	ModifyTransitGatewayVpcAttachment(context.Context, *ec2.ModifyTransitGatewayVpcAttachmentInput, ...func(*ec2.Options)) (*ec2.ModifyTransitGatewayVpcAttachmentOutput, error)
}

// Attach attaches a VPC to a gateway with the given subnets, or adds them to its attachment, as the VPC's account. That Drawbridge makes it
// is in the ledger before. After an attachment that AWS failed it sees first to the role that AWS attaches with.
func Attach(ctx context.Context, l ledger.Ledger, api Attacher, roles RoleMaker, in workflow.AttachVpcInput) (workflow.AttachmentOutput, error) {
	if Live(in.Attachment) {
		slog.InfoContext(ctx, "adding subnets", "attachment", in.Attachment.ID, "subnets", in.Subnets)
		got, err := api.ModifyTransitGatewayVpcAttachment(ctx, &ec2.ModifyTransitGatewayVpcAttachmentInput{
			TransitGatewayAttachmentId: &in.Attachment.ID, AddSubnetIds: in.Subnets})
		if fault.HasCode(err, "DuplicateSubnetsInSameZone", "IncorrectState") {
			return workflow.AttachmentOutput{Attachment: in.Attachment.ID, State: meanwhile}, nil
		}
		if err != nil {
			return workflow.AttachmentOutput{}, fmt.Errorf("adding %s to %s in %s: %w", strings.Join(in.Subnets, ", "), in.Attachment.ID, in.VPC.Account, err)
		}
		return answer(got.TransitGatewayVpcAttachment), nil
	}
	after := in.Attachment.State == "failed"
	if after {
		if err := ensureRole(ctx, roles, in); err != nil {
			return workflow.AttachmentOutput{}, err
		}
	}
	unit := Unit(in.Gateway.ID, in.VPC.ID)
	recorded, err := l.Record(ctx, unit, Made(in.VPC, in.Gateway, ""))
	if err != nil {
		return workflow.AttachmentOutput{}, err
	}
	if recorded[0].State == ledger.Confirmed { // of one that is over
		if _, err := l.Mark(ctx, recorded[0], func(i *ledger.Item) { i.State, i.Left = ledger.Intended, "" }); err != nil {
			return workflow.AttachmentOutput{}, err
		}
	}
	slog.InfoContext(ctx, "attaching", "vpc", in.VPC.ID, "gateway", in.Gateway.ID, "subnets", in.Subnets)
	got, err := api.CreateTransitGatewayVpcAttachment(ctx, &ec2.CreateTransitGatewayVpcAttachmentInput{
		TransitGatewayId: &in.Gateway.ID, VpcId: &in.VPC.ID, SubnetIds: in.Subnets,
		Options: &types.CreateTransitGatewayVpcAttachmentRequestOptions{DnsSupport: types.DnsSupportValueEnable},
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeTransitGatewayAttachment,
			Tags: []types.Tag{{Key: aws.String(TagConnection), Value: aws.String(Unit(in.Gateway.ID, in.VPC.ID))}}}},
	})
	// A VPC has one attachment to a gateway at most.
	if fault.HasCode(err, "DuplicateTransitGatewayAttachment") {
		if after { // the next look would find the failed one again
			return workflow.AttachmentOutput{}, fault.NewConflict(
				fmt.Sprintf("attaching %s to %s in %s: AWS takes no second attachment beside %s, which it failed", in.VPC.ID, in.Gateway.ID, in.VPC.Account, in.Attachment.ID),
				"redrive the execution when AWS shows "+in.Attachment.ID+" no more, two hours after it failed")
		}
		return workflow.AttachmentOutput{State: meanwhile}, nil
	}
	if err != nil {
		return workflow.AttachmentOutput{}, fmt.Errorf("attaching %s to %s in %s: %w", in.VPC.ID, in.Gateway.ID, in.VPC.Account, err)
	}
	out := answer(got.TransitGatewayVpcAttachment)
	_, err = l.Confirm(ctx, Made(in.VPC, in.Gateway, out.Attachment))
	return out, err
}

func answer(a *types.TransitGatewayVpcAttachment) workflow.AttachmentOutput {
	if a == nil {
		return workflow.AttachmentOutput{}
	}
	return workflow.AttachmentOutput{Attachment: aws.ToString(a.TransitGatewayAttachmentId), State: string(a.State)}
}

type accepter interface {
	AcceptTransitGatewayVpcAttachment(context.Context, *ec2.AcceptTransitGatewayVpcAttachmentInput, ...func(*ec2.Options)) (*ec2.AcceptTransitGatewayVpcAttachmentOutput, error)
}

// Accept accepts an attachment, as the gateway's owner.
func Accept(ctx context.Context, api accepter, in workflow.AttachmentInput) (workflow.AttachmentOutput, error) {
	slog.InfoContext(ctx, "accepting", "attachment", in.Attachment.ID, "vpc", in.VPC.ID, "gateway", in.Gateway.ID)
	got, err := api.AcceptTransitGatewayVpcAttachment(ctx, &ec2.AcceptTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: &in.Attachment.ID})
	if fault.HasCode(err, "IncorrectState", "InvalidStateTransition") {
		return workflow.AttachmentOutput{Attachment: in.Attachment.ID, State: meanwhile}, nil
	}
	if err != nil {
		return workflow.AttachmentOutput{}, fmt.Errorf("accepting %s in %s: %w", in.Attachment.ID, in.Gateway.Account, err)
	}
	return answer(got.TransitGatewayVpcAttachment), nil
}

type associater interface {
	AssociateTransitGatewayRouteTable(context.Context, *ec2.AssociateTransitGatewayRouteTableInput, ...func(*ec2.Options)) (*ec2.AssociateTransitGatewayRouteTableOutput, error)
	EnableTransitGatewayRouteTablePropagation(context.Context, *ec2.EnableTransitGatewayRouteTablePropagationInput, ...func(*ec2.Options)) (*ec2.EnableTransitGatewayRouteTablePropagationOutput, error)
}

// Associate associates an attachment with a route table of the gateway and propagates its VPC's addresses, as the gateway's
// owner. What is so already is left alone. The ledger has each before it is made.
func Associate(ctx context.Context, l ledger.Ledger, api associater, in workflow.AssociateAttachmentInput) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	items := belongs(in)
	if _, err := l.Record(ctx, in.Attachment.ID, items...); err != nil {
		return out, err
	}
	if in.Associate != "" {
		slog.InfoContext(ctx, "associating", "attachment", in.Attachment.ID, "table", in.Associate)
		_, err := api.AssociateTransitGatewayRouteTable(ctx, &ec2.AssociateTransitGatewayRouteTableInput{TransitGatewayAttachmentId: &in.Attachment.ID, TransitGatewayRouteTableId: &in.Associate})
		// "Resource.AlreadyAssociated": an attachment belongs to one route table at most, and the next look sees to which.
		if err != nil && !fault.HasCode(err, "Resource.AlreadyAssociated") {
			return out, fmt.Errorf("associating %s with %s in %s: %w", in.Attachment.ID, in.Associate, in.Gateway.Account, err)
		}
		out.Hops = append(out.Hops, workflow.Hop{Hop: "association", OK: true, Detail: in.Attachment.ID + " with " + in.Associate})
	}
	for _, table := range in.Propagate {
		slog.InfoContext(ctx, "propagating", "attachment", in.Attachment.ID, "table", table)
		_, err := api.EnableTransitGatewayRouteTablePropagation(ctx, &ec2.EnableTransitGatewayRouteTablePropagationInput{TransitGatewayAttachmentId: &in.Attachment.ID, TransitGatewayRouteTableId: &table})
		if err != nil && !fault.HasCode(err, "TransitGatewayRouteTablePropagation.Duplicate") {
			return out, fmt.Errorf("propagating %s to %s in %s: %w", in.Attachment.ID, table, in.Gateway.Account, err)
		}
		out.Hops = append(out.Hops, workflow.Hop{Hop: "propagation", OK: true, Detail: in.Attachment.ID + " to " + table})
	}
	_, err := l.Confirm(ctx, items...)
	return out, err
}

// belongs are the items of an association and of propagations. Nothing was there before any of them.
func belongs(in workflow.AssociateAttachmentInput) []ledger.Item {
	item := func(kind ledger.Kind, table string) ledger.Item {
		return ledger.Item{Account: in.Gateway.Account, Region: in.Gateway.Region, Resource: in.Attachment.ID, Kind: kind, Key: table, Left: table}
	}
	var out []ledger.Item
	if in.Associate != "" {
		out = append(out, item(ledger.Association, in.Associate))
	}
	for _, table := range in.Propagate {
		out = append(out, item(ledger.Propagation, table))
	}
	return out
}

type detacher interface {
	DeleteTransitGatewayVpcAttachment(context.Context, *ec2.DeleteTransitGatewayVpcAttachmentInput, ...func(*ec2.Options)) (*ec2.DeleteTransitGatewayVpcAttachmentOutput, error)
}

// Detach deletes Drawbridge's own attachment, as the VPC's account. One that somebody else made it never deletes, whatever
// the machine thinks.
func Detach(ctx context.Context, api detacher, in workflow.AttachmentInput) (workflow.AttachmentOutput, error) {
	if !in.Attachment.Own {
		return workflow.AttachmentOutput{}, fault.New(fault.Refused, "detaching %s from %s: somebody else made %s", in.VPC.ID, in.Gateway.ID, in.Attachment.ID)
	}
	slog.InfoContext(ctx, "detaching", "attachment", in.Attachment.ID, "vpc", in.VPC.ID, "gateway", in.Gateway.ID)
	got, err := api.DeleteTransitGatewayVpcAttachment(ctx, &ec2.DeleteTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: &in.Attachment.ID})
	if fault.HasCode(err, "IncorrectState", "InvalidStateTransition", "InvalidTransitGatewayAttachmentID.NotFound") {
		return workflow.AttachmentOutput{Attachment: in.Attachment.ID, State: meanwhile}, nil
	}
	if err != nil {
		return workflow.AttachmentOutput{}, fmt.Errorf("detaching %s from %s in %s: %w", in.VPC.ID, in.Gateway.ID, in.VPC.Account, err)
	}
	return answer(got.TransitGatewayVpcAttachment), nil
}

// OwnerReader is what [Conclude] needs of EC2 in the gateway owner's account.
type OwnerReader interface {
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
}

// Verifier is what [Verify] needs of EC2 in both accounts.
type Verifier interface {
	OwnerReader
	connection.Tagger
	GetTransitGatewayAttachmentPropagations(context.Context, *ec2.GetTransitGatewayAttachmentPropagationsInput, ...func(*ec2.Options)) (*ec2.GetTransitGatewayAttachmentPropagationsOutput, error)
	SearchTransitGatewayRoutes(context.Context, *ec2.SearchTransitGatewayRoutesInput, ...func(*ec2.Options)) (*ec2.SearchTransitGatewayRoutesOutput, error)
}

// Verify reads back, as the gateway's owner, whether the VPC is associated and propagated, gives the attachment its status
// in both accounts, and asks for a look at each pair of the VPC with another that is attached. What AWS does not say by
// itself, it says: an association that is missing, and addresses that are not propagated because they overlap, are a
// conflict for the gateway's owner.
func Verify(ctx context.Context, l ledger.Ledger, enter func(event.Place) Verifier, looks look.Asker, in workflow.VerifyAttachmentInput) (workflow.VerifyAttachmentOutput, error) {
	out := workflow.VerifyAttachmentOutput{Result: workflow.Attached, Reason: in.Reason}
	owner := enter(event.Place{Account: in.Gateway.Account, Region: in.Gateway.Region})
	seen, err := attachments(ctx, owner, filter("transit-gateway-id", in.Gateway.ID), filter("resource-type", "vpc"))
	if err != nil {
		return out, fmt.Errorf("in %s, %s: %w", in.Gateway.Account, in.Gateway.Region, err)
	}
	table, found := "", false
	for _, a := range seen {
		if aws.ToString(a.TransitGatewayAttachmentId) == in.Attachment.ID {
			found = true
			if a.Association != nil && a.Association.State == types.TransitGatewayAssociationStateAssociated {
				table = aws.ToString(a.Association.TransitGatewayRouteTableId)
			}
		}
	}
	if !found {
		return out, fault.New(fault.NotYet, "verifying %s: EC2 in %s does not show it", in.Attachment.ID, in.Gateway.Account)
	}
	reached, err := propagated(ctx, owner, in.Attachment.ID)
	if err != nil {
		return out, err
	}
	held, err := hold(ctx, owner, in, reached)
	if err != nil {
		return out, err
	}
	hops, lacks, remedies, settled := Order(in.Gateway, in.Attachment, table, reached, held)
	out.Verdict = append(hops, in.Lacking...)
	if len(lacks) > 0 {
		lacking := fault.NewConflict(strings.Join(lacks, "; "), strings.Join(remedies, "; or ")+"; then redrive the execution")
		if err := tell(ctx, l, enter, in, connection.Conflict, lacking.Error(), ""); err != nil {
			return out, err
		}
		return out, lacking
	}
	if !settled {
		return out, fault.New(fault.NotYet, "verifying %s: %s", in.Attachment.ID, details(missing(hops)))
	}
	for _, h := range missing(out.Verdict) {
		out.Reason += "; but " + h.Detail
	}
	if err := tell(ctx, l, enter, in, out.Result, out.Reason, table); err != nil {
		return out, err
	}
	out.Announced, err = announce(ctx, looks, in.Gateway, in.VPC, in.Attachment.Peers, seen, in.Reason)
	return out, err
}

// hold asks each route table that the attachment is propagated to, for each of the VPC's CIDRs, where it leads, or if
// nowhere, who propagates what overlaps it. A gateway propagates IPv6 only of attachments that have IPv6 support on, which
// Drawbridge leaves as it is.
func hold(ctx context.Context, api Verifier, in workflow.VerifyAttachmentInput, tables []string) ([]Held, error) {
	var out []Held
	for _, table := range tables {
		for _, cidr := range in.VPC.CIDRs {
			if !cidr.Addr().Is4() {
				continue
			}
			h := Held{CIDR: cidr.String(), Table: table}
			// What another attachment propagates may overlap without being the same. A static route to more, such as a default
			// route, keeps nobody from being propagated.
			for _, match := range []string{"exact-match", "supernet-of-match", "subnet-of-match"} {
				if len(h.By) > 0 {
					break
				}
				filters := []types.Filter{filter("route-search."+match, cidr.String())}
				if match != "exact-match" {
					filters = append(filters, filter("type", "propagated"))
				}
				got, err := api.SearchTransitGatewayRoutes(ctx, &ec2.SearchTransitGatewayRoutesInput{TransitGatewayRouteTableId: &table, Filters: filters})
				if err != nil {
					return nil, fmt.Errorf("searching %s in %s: %w", cidr, table, err)
				}
				for _, r := range got.Routes {
					for _, a := range r.TransitGatewayAttachments {
						id := aws.ToString(a.TransitGatewayAttachmentId)
						own := match != "exact-match" && id == in.Attachment.ID // another block of the same VPC
						if r.State != types.TransitGatewayRouteStateDeleted && r.State != types.TransitGatewayRouteStateDeleting && !own {
							h.By = append(h.By, id)
						}
					}
				}
			}
			out = append(out, h)
		}
	}
	return out, nil
}

func missing(hops []workflow.Hop) []workflow.Hop {
	return slices.DeleteFunc(slices.Clone(hops), func(h workflow.Hop) bool { return h.OK })
}

// tell writes in the ledger what an attachment came to and, if it is in order, with which route table; and leaves a status on it, in
// the VPC's account and, if it is another, the gateway owner's.
func tell(ctx context.Context, l ledger.Ledger, enter func(event.Place) Verifier, in workflow.VerifyAttachmentInput, result workflow.Result, reason, table string) error {
	_, err := l.Change(ctx, in.Attachment.ID, func(c *ledger.Connection) {
		if c.Status != ledger.Status(result) || c.Reason != reason {
			c.At = l.Now().UTC().Truncate(time.Second)
		}
		c.Status, c.Reason = ledger.Status(result), reason
		if table != "" {
			c.Facts = map[string]string{factTable: table}
		}
	})
	if err != nil {
		return err
	}
	vpc := in.VPC
	for n, account := range []string{in.VPC.Account, in.Gateway.Account} {
		if n == 1 && account == in.VPC.Account {
			continue
		}
		tags := []connection.Tag{{Key: connection.TagStatus, Value: string(result)}, {Key: connection.TagReason, Value: fit.Tag(reason)}}
		vpc.Account = account
		if err := connection.Tell(ctx, enter(event.Place{Account: account, Region: vpc.Region}), vpc, in.Attachment.ID, tags); err != nil {
			return err
		}
	}
	return nil
}

// announce asks for a look at each pair of a VPC with another that is attached to the gateway, and with each peer of which
// nothing is seen there: its attachment is over too, or AWS has forgotten it, so that this VPC's tags alone tell of the pair.
func announce(ctx context.Context, looks look.Asker, g workflow.Gateway, vpc workflow.VPC, peers map[string]string, seen []types.TransitGatewayAttachment, why string) (int, error) {
	here := event.VPCPlace{Account: vpc.Account, Region: vpc.Region, VPC: vpc.ID}
	var pairs []event.TransitInspection
	with := func(account, id string) {
		pairs = append(pairs, event.TransitInspection{TransitGatewayID: g.ID, VPCs: []event.VPCPlace{here, {Account: account, Region: g.Region, VPC: id}}, Reason: why})
	}
	known := map[string]bool{vpc.ID: true}
	for _, a := range seen {
		if id := aws.ToString(a.ResourceId); !known[id] && a.State == types.TransitGatewayAttachmentStateAvailable {
			with(aws.ToString(a.ResourceOwnerId), id)
		}
	}
	for _, a := range seen {
		known[aws.ToString(a.ResourceId)] = true
	}
	for id, account := range peers {
		if !known[id] {
			with(account, id)
		}
	}
	slices.SortFunc(pairs, func(a, b event.TransitInspection) int {
		return strings.Compare(a.VPCs[1].Account+a.VPCs[1].VPC, b.VPCs[1].Account+b.VPCs[1].VPC)
	})
	return len(pairs), look.Ask(ctx, looks, pairs...)
}

// Conclude takes an attachment that is over out of the ledger, and asks for a look at each pair of its VPC with another that is attached
// still, so that what was added for them goes.
func Conclude(ctx context.Context, l ledger.Ledger, owner OwnerReader, looks look.Asker, in workflow.AttachmentInput) (workflow.VerifyAttachmentOutput, error) {
	out := workflow.VerifyAttachmentOutput{Result: workflow.Removed, Reason: in.Reason, Verdict: []workflow.Hop{}}
	seen, err := attachments(ctx, owner, filter("transit-gateway-id", in.Gateway.ID), filter("resource-type", "vpc"), filter("state", "available"))
	if err != nil {
		return out, fmt.Errorf("in %s, %s: %w", in.Gateway.Account, in.Gateway.Region, err)
	}
	if out.Announced, err = announce(ctx, looks, in.Gateway, in.VPC, in.Attachment.Peers, seen, in.Reason); err != nil {
		return out, err
	}
	return out, Forget(ctx, l, in.VPC, in.Gateway, in.Attachment.ID) // last: until then another execution knows that something may be left
}
