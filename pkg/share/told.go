package share

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Shown is what both accounts show of an invitation that was accepted.
type Shown struct {
	Invitation workflow.Invitation
	Share      Share // as its owner's account has it; the zero value if it cannot be read
	Asks       bool  // a VPC of the account that was invited asks, by its tag, for a gateway of the share
	Unreadable string
}

// Lost returns what a ledger that was lost gets of an accepted invitation: the entry and its item, or else, in words, why nobody can tell. The first of
// these that holds:
//
//	its owner's account cannot be read                        → untold: a later rebuild finds it
//	the share is over, or not for that account                → nothing
//	it holds no gateway, or anything else besides             → nothing: Drawbridge accepts no such share
//	no VPC of the account asks for a gateway of it            → untold: Drawbridge, or somebody of the account
//	else                                                      → as Drawbridge accepts it
//
// RAM has no word of who accepted. That costs nobody anything: of an accepted share nothing is ever taken back.
func Lost(s Shown) (entry *ledger.Connection, items []ledger.Item, untold string) {
	to := s.Invitation
	switch {
	case s.Unreadable != "":
		return nil, nil, to.Share + ": " + s.Unreadable
	case over(s.Share, Receiver{Association: s.Share.Principals[to.Account]}), s.Share.Principals[to.Account] != string(ramtypes.ResourceShareAssociationStatusAssociated):
		return nil, nil, ""
	case len(s.Share.Gateways) == 0 || len(s.Share.Others) > 0:
		return nil, nil, ""
	case !s.Asks:
		return nil, nil, fmt.Sprintf("%s: no VPC of account %s asks for a gateway of it", to.Share, to.Account)
	}
	c := entryOf(to)
	c.Status = Accepted
	item := accepted(to)
	item.Needed = []string{c.ID}
	return &c, []ledger.Item{item}, ""
}

// ReadShown reads the invitations that an account accepted in a Region, each with its share in the account of its owner. enter returns the clients for a place.
func ReadShown(ctx context.Context, enter func(event.Place) Clients, at event.Place) ([]Shown, error) {
	i := Inspector{Enter: func(_ string, place event.Place) Clients { return enter(place) }}
	all, err := invitations(ctx, enter(at).RAM, nil)
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
	}
	var out []Shown
	for _, one := range all {
		arn := aws.ToString(one.ResourceShareArn)
		owner, ok := event.ShareOwner(arn)
		if !ok || one.Status != ramtypes.ResourceShareInvitationStatusAccepted || aws.ToString(one.ReceiverAccountId) != at.Account {
			continue
		}
		s := Shown{Invitation: workflow.Invitation{ARN: aws.ToString(one.ResourceShareInvitationArn), Share: arn, Account: at.Account, Region: at.Region}}
		s.Share, s.Asks, err = i.shown(ctx, arn, owner, at)
		if why, unreadable := fault.Unreadable(err); unreadable {
			s.Unreadable, err = why, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// shown reads a share in its owner's account, and whether a VPC in another place asks for a gateway of it.
func (i Inspector) shown(ctx context.Context, arn string, owner, at event.Place) (Share, bool, error) {
	s, err := i.read(ctx, "", arn, owner)
	if err != nil || len(s.Gateways) == 0 || len(s.Others) > 0 {
		return s, false, err
	}
	names, err := i.names(ctx, "", owner, s.Gateways)
	if err != nil {
		return s, false, err
	}
	asking := map[event.AttachmentInspection]bool{}
	err = i.asking(ctx, "", at, names, "", asking)
	return s, len(asking) > 0, err
}
