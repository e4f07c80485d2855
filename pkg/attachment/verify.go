package attachment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

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
		said := workflow.Said{Accepter: lacking.Error(),
			Requester: fmt.Sprintf("%s does not lead the traffic of %s as it has to; ask the owner of account %s", in.Gateway.ID, in.VPC.ID, in.Gateway.Account)}
		if err := tell(ctx, l, enter, in, connection.Conflict, lacking.Error(), said, ""); err != nil {
			return out, err
		}
		return out, lacking
	}
	if !settled {
		return out, fault.New(fault.NotYet, "verifying %s: %s", in.Attachment.ID, details(missing(hops)))
	}
	said := workflow.Alike(in.Reason)
	for _, h := range missing(out.Verdict) {
		out.Reason += "; but " + h.Detail
		if said.Accepter += "; but " + h.Detail; h.Hop != "propagation" { // of the gateway's tables the VPC's owner is told nothing
			said.Requester += "; but " + h.Detail
		}
	}
	if err := tell(ctx, l, enter, in, out.Result, out.Reason, said, table); err != nil {
		return out, err
	}
	out.Announced, err = announce(ctx, l, looks, in.Gateway, in.VPC, seen, in.Reason)
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
// Many parameters, because they are the two sides and what is said to each.
func tell(ctx context.Context, l ledger.Ledger, enter func(event.Place) Verifier, in workflow.VerifyAttachmentInput, result workflow.Result, reason string, said workflow.Said, table string) error {
	entry, err := l.Change(ctx, in.Attachment.ID, func(c *ledger.Connection) {
		if c.Status == ledger.Status(workflow.Removed) {
			c.Told = "" // it came back: if it is taken back again, that is news
		}
		c.Stand(ledger.Status(result), reason, c.Policy, l.Now().UTC().Truncate(time.Second))
		if table != "" {
			c.Facts = map[string]string{factTable: table}
		}
	})
	if err != nil {
		return err
	}
	if question := cover.Question(entry.Approval); question != "" { // first, since a tag has little room
		said.Accepter = question + "; " + said.Accepter
	}
	if entry.ID == "" {
		entry = stands(l, result)
	}
	return leave(ctx, func(p event.Place) connection.Tagger { return enter(p) }, in.VPC, in.Gateway, in.Attachment.ID, entry, said)
}

// stands is how something stands from now on.
func stands(l ledger.Ledger, result workflow.Result) ledger.Connection {
	return ledger.Connection{Status: ledger.Status(result), At: l.Now()}
}

// leave leaves the status of an entry on an attachment, with since when it is so, or on the VPC of one that is not there yet, in the account of each side to whom
// something is said: the VPC's first, the gateway owner's last. Where one account owns both, it reads what the gateway's owner does.
// Many parameters, because they are the two sides and what is said to each.
func leave(ctx context.Context, enter func(event.Place) connection.Tagger, vpc workflow.VPC, gateway workflow.Gateway, carrier string, entry ledger.Connection, said workflow.Said) error {
	sides := []struct{ account, text string }{{vpc.Account, said.Requester}, {gateway.Account, said.Accepter}}
	if gateway.Account == vpc.Account {
		sides = sides[1:]
	}
	if carrier == "" {
		carrier, sides = vpc.ID, sides[:1]
	}
	for _, s := range sides {
		if s.text == "" {
			continue
		}
		vpc.Account = s.account
		if err := connection.Tell(ctx, enter(event.Place{Account: s.account, Region: vpc.Region}), vpc, carrier, connection.Tags(entry, s.text)); err != nil {
			return err
		}
	}
	return nil
}

// announce asks for a look at each pair of a VPC with another that is attached to the gateway, and with each peer of which
// nothing is seen there: its attachment is over too, or AWS has forgotten it, so that the ledger alone tells of the pair.
// Many parameters, because they are the two sides and who asks.
func announce(ctx context.Context, l ledger.Ledger, looks look.Asker, g workflow.Gateway, vpc workflow.VPC, seen []types.TransitGatewayAttachment, why string) (int, error) {
	entries, err := l.Connections(ctx, vpc.Account, vpc.Region)
	if err != nil {
		return 0, err
	}
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
	for id, account := range Peers(entries, g.ID, vpc.ID) {
		if !known[id] {
			with(account, id)
		}
	}
	slices.SortFunc(pairs, func(a, b event.TransitInspection) int {
		return strings.Compare(a.VPCs[1].Account+a.VPCs[1].VPC, b.VPCs[1].Account+b.VPCs[1].VPC)
	})
	return len(pairs), look.Ask(ctx, looks, pairs...)
}
