package attachment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

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
		units, err = i.ofGateway(ctx, api, e)
		return units, "no attachment waits for the owner of " + e.GatewayID + ", and none that stands is concerned", err
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

// ofGateway finds the attachments that what its owner says about a gateway concerns: those that wait for the owner, and of those that stand
// and are managed, the ones that drawbridge:accept=never takes back, or that were taken back and are not any more.
func (i Inspector) ofGateway(ctx context.Context, api EC2, e event.Event) (units []unit, err error) {
	found, err := attachments(ctx, api, filter("transit-gateway-id", e.GatewayID), filter("resource-type", "vpc"), filter("state", "pendingAcceptance", "available"))
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", e.Account, e.Region, err)
	}
	own, err := gatewaysOf(ctx, api, filter("transit-gateway-id", e.GatewayID), filter("owner-id", e.Account))
	if err != nil || len(own) == 0 {
		return nil, err
	}
	entries, err := i.Ledger.Connections(ctx, e.Account, e.Region)
	if err != nil {
		return nil, err
	}
	never := tag.Clean(tag.Gateway, tag.OfEC2(own[0].Tags))[tag.Accept] == "never"
	for _, a := range found {
		entry := entryOf(entries, aws.ToString(a.TransitGatewayAttachmentId))
		taken := entry.Status == ledger.Status(workflow.Removed)
		if a.State == types.TransitGatewayAttachmentStatePendingAcceptance || entry.ID != "" && taken != never {
			units = append(units, unit{event.Place{Account: aws.ToString(a.ResourceOwnerId), Region: e.Region}, aws.ToString(a.ResourceId), e.GatewayID})
		}
	}
	return units, nil
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
			ours := tag.OfEC2(a.Tags)[TagConnection] == Unit(aws.ToString(a.TransitGatewayId), vpc)
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
			if seen && strings.TrimSpace(tag.OfEC2(g.Tags)["Name"]) == asked {
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
