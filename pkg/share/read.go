package share

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// find returns the ARNs of the shares that an event concerns: the one that it names, else all of the account and Region,
// its own and those that it is given. Sorted.
func (i Inspector) find(ctx context.Context, execution string, e event.Event) ([]string, error) {
	if e.ShareARN != "" {
		return []string{e.ShareARN}, nil
	}
	clients, found := i.Enter(execution, e.Place), []string{}
	for _, whose := range []ramtypes.ResourceOwner{ramtypes.ResourceOwnerSelf, ramtypes.ResourceOwnerOtherAccounts} {
		pages := ram.NewGetResourceSharesPaginator(clients.RAM, &ram.GetResourceSharesInput{ResourceOwner: whose})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("listing the resource shares of %s, %s: %w", e.Account, e.Region, err)
			}
			for _, s := range page.ResourceShares {
				found = append(found, aws.ToString(s.ResourceShareArn))
			}
		}
	}
	invitations, err := invitations(ctx, clients.RAM, nil)
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", e.Account, e.Region, err)
	}
	for _, one := range invitations {
		found = append(found, aws.ToString(one.ResourceShareArn))
	}
	slices.Sort(found)
	return slices.DeleteFunc(slices.Compact(found), func(arn string) bool {
		_, ok := event.ShareOwner(arn)
		return !ok
	}), nil
}

// read reads a share in its owner's account.
func (i Inspector) read(ctx context.Context, execution, arn string, owner event.Place) (Share, error) {
	s := Share{ARN: arn, Owner: owner, Principals: map[string]string{}}
	api := i.Enter(execution, owner).RAM
	got, err := api.GetResourceShares(ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf, ResourceShareArns: []string{arn}})
	if fault.HasCode(err, "UnknownResourceException") || err == nil && len(got.ResourceShares) == 0 {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading %s: %w", arn, err)
	}
	s.Name, s.Status = aws.ToString(got.ResourceShares[0].Name), string(got.ResourceShares[0].Status)
	for _, kind := range []ramtypes.ResourceShareAssociationType{ramtypes.ResourceShareAssociationTypeResource, ramtypes.ResourceShareAssociationTypePrincipal} {
		found, err := associations(ctx, api, &ram.GetResourceShareAssociationsInput{AssociationType: kind, ResourceShareArns: []string{arn}})
		if err != nil {
			return s, err
		}
		var arns, ended []string
		for _, a := range found {
			switch {
			case kind == ramtypes.ResourceShareAssociationTypePrincipal:
				s.Principals[aws.ToString(a.AssociatedEntity)] = string(a.Status)
			case a.Status == ramtypes.ResourceShareAssociationStatusAssociated || a.Status == "": // those that ended stay for a while
				arns = append(arns, aws.ToString(a.AssociatedEntity))
			case a.Status == ramtypes.ResourceShareAssociationStatusDisassociated || a.Status == ramtypes.ResourceShareAssociationStatusDisassociating:
				ended = append(ended, aws.ToString(a.AssociatedEntity))
			}
		}
		if kind == ramtypes.ResourceShareAssociationTypeResource {
			s.Gateways, s.Others = Sort(arns)
			s.Ended, _ = Sort(ended)
		}
	}
	return s, nil
}

func associations(ctx context.Context, api RAM, in *ram.GetResourceShareAssociationsInput) ([]ramtypes.ResourceShareAssociation, error) {
	var out []ramtypes.ResourceShareAssociation
	pages := ram.NewGetResourceShareAssociationsPaginator(api, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if fault.HasCode(err, "UnknownResourceException") {
			return nil, nil // ended meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("reading who shares what: %w", err)
		}
		out = append(out, page.ResourceShareAssociations...)
	}
	return out, nil
}

func invitations(ctx context.Context, api RAM, shares []string) ([]ramtypes.ResourceShareInvitation, error) {
	var out []ramtypes.ResourceShareInvitation
	pages := ram.NewGetResourceShareInvitationsPaginator(api, &ram.GetResourceShareInvitationsInput{ResourceShareArns: shares})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if fault.HasCode(err, "UnknownResourceException") {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading invitations to resource shares: %w", err)
		}
		out = append(out, page.ResourceShareInvitations...)
	}
	return out, nil
}

// names returns gateways of a share by id, with their names, as their owner has them; all of the owner's, if nothing tells which they are.
func (i Inspector) names(ctx context.Context, execution string, owner event.Place, gateways []string) (map[string]string, error) {
	in := &ec2.DescribeTransitGatewaysInput{Filters: []types.Filter{{Name: aws.String("transit-gateway-id"), Values: gateways}}}
	if len(gateways) == 0 {
		in.Filters = []types.Filter{{Name: aws.String("owner-id"), Values: []string{owner.Account}}}
	}
	names, pages := map[string]string{}, ec2.NewDescribeTransitGatewaysPaginator(i.Enter(execution, owner).EC2, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the transit gateways of %s, %s: %w", owner.Account, owner.Region, err)
		}
		for _, g := range page.TransitGateways {
			names[aws.ToString(g.TransitGatewayId)] = name(g.Tags)
		}
	}
	return names, nil
}

func name(tags []types.Tag) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == "Name" {
			return strings.TrimSpace(aws.ToString(t.Value))
		}
	}
	return ""
}
