package dryrun

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
)

// shares are what was noted of invitations to resource shares, and what was read of them and is needed for that.
type shares struct {
	of       map[string]string   // the share of an invitation that was read
	gateways map[string][]string // the transit gateways of a share that were read
	accepted map[string][]string // shares that an account accepted, by account and invitation
}

func (s *shares) begin() *shares {
	if s.of == nil {
		*s = shares{of: map[string]string{}, gateways: map[string][]string{}, accepted: map[string][]string{}}
	}
	return s
}

// sharing are the writes to invitations.
var sharing = map[string]func(*World, call) (any, []Change){
	"ram:AcceptResourceShareInvitation": plainly[ram.AcceptResourceShareInvitationInput, ram.AcceptResourceShareInvitationOutput](func(w *World, c call, in *ram.AcceptResourceShareInvitationInput) []Change {
		id := aws.ToString(in.ResourceShareInvitationArn)
		w.shares.begin().accepted[c.account] = append(w.shares.accepted[c.account], id)
		return one(Changes, id, "accept the invitation to %s", w.shares.of[id])
	}),
}

func init() {
	shown["ram:GetResourceShareInvitations"] = func(w *World, c call, out any) {
		got, s := out.(*ram.GetResourceShareInvitationsOutput), w.shares.begin()
		for n := range got.ResourceShareInvitations {
			i := &got.ResourceShareInvitations[n]
			s.of[aws.ToString(i.ResourceShareInvitationArn)] = aws.ToString(i.ResourceShareArn)
			if slices.Contains(s.accepted[c.account], aws.ToString(i.ResourceShareInvitationArn)) {
				i.Status = ramtypes.ResourceShareInvitationStatusAccepted
			}
		}
	}
	shown["ram:GetResourceShareAssociations"] = func(w *World, _ call, out any) {
		got, s := out.(*ram.GetResourceShareAssociationsOutput), w.shares.begin()
		for n := range got.ResourceShareAssociations {
			a := &got.ResourceShareAssociations[n]
			share, what := aws.ToString(a.ResourceShareArn), aws.ToString(a.AssociatedEntity)
			if _, id, ok := strings.Cut(what, ":transit-gateway/"); ok {
				s.gateways[share] = append(s.gateways[share], id)
			}
			for _, invitation := range s.accepted[what] { // a principal is an account here
				if s.of[invitation] == share {
					a.Status = ramtypes.ResourceShareAssociationStatusAssociated
				}
			}
		}
	}
	shown["ec2:DescribeTransitGateways"] = func(w *World, c call, out any) {
		in, got, g, s := c.in.(*ec2.DescribeTransitGatewaysInput), out.(*ec2.DescribeTransitGatewaysOutput), w.gateways.begin(), w.shares.begin()
		for _, t := range got.TransitGateways {
			g.owners[aws.ToString(t.TransitGatewayId)] = t
		}
		for _, invitation := range s.accepted[c.account] {
			for _, id := range s.gateways[s.of[invitation]] {
				t, known := g.owners[id]
				there := slices.ContainsFunc(got.TransitGateways, func(t types.TransitGateway) bool { return aws.ToString(t.TransitGatewayId) == id })
				if known && !there && matches(in.Filters, map[string]string{"transit-gateway-id": id, "state": string(t.State), "owner-id": aws.ToString(t.OwnerId)}, nil) {
					t.Tags = nil // each account has tags of its own
					got.TransitGateways = append(got.TransitGateways, t)
				}
			}
		}
		for n := range got.TransitGateways {
			got.TransitGateways[n].Tags = w.tagsOf(c.account, aws.ToString(got.TransitGateways[n].TransitGatewayId), got.TransitGateways[n].Tags)
		}
	}
}
