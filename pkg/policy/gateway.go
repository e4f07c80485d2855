package policy

import (
	"strings"

	"github.com/cedar-policy/cedar-go/types"
)

// A Gateway is a transit gateway, as its owner's account has it.
type Gateway struct {
	ID      string // tgw-…
	Region  string
	Tags    map[string]string
	Account Account // its owner
}

// A Participant is an account that shares something by RAM, or that something is shared with, in the Region of the share.
type Participant struct {
	Region  string
	Account Account
}

func (g Gateway) entity() entity {
	attributes := g.Account.whereabouts(g.Region)
	attributes["id"] = types.String(g.ID)
	attributes["name"] = types.String(strings.TrimSpace(g.Tags["Name"]))
	return entity{
		uid:        types.NewEntityUID("Drawbridge::Gateway", types.String(g.ID)),
		parent:     g.Account.uid(),
		attributes: attributes, tags: g.Tags, account: g.Account, region: g.Region,
	}
}

func (p Participant) entity() entity {
	return entity{
		uid:        types.NewEntityUID("Drawbridge::Participant", types.String(p.Account.ID)),
		parent:     p.Account.uid(),
		attributes: p.Account.whereabouts(p.Region), account: p.Account, region: p.Region,
	}
}

// AcceptShare asks whether receiver may accept what owner shares with it.
func (s *Set) AcceptShare(owner, receiver Participant, c Context) Decision {
	return s.Decide(AcceptShare, owner, receiver, c)
}

// Attach asks whether vpc may be attached to gateway.
func (s *Set) Attach(vpc VPC, gateway Gateway, c Context) Decision {
	return s.Decide(Attach, vpc, gateway, c)
}

// AdoptAttachment asks whether an attachment of vpc to gateway, which was there before Drawbridge, may be taken over because one of its
// owners asks for it.
func (s *Set) AdoptAttachment(vpc VPC, gateway Gateway, c Context) Decision {
	return s.Decide(AdoptAttachment, vpc, gateway, c)
}

// Associate asks whether an attachment of vpc may be associated with, and propagated to, the route tables of gateway that its owner
// chose by a tag.
func (s *Set) Associate(vpc VPC, gateway Gateway, c Context) Decision {
	return s.Decide(Associate, vpc, gateway, c)
}

// RejectAttachment asks whether an attachment that is refused may also be rejected at AWS.
func (s *Set) RejectAttachment(vpc VPC, gateway Gateway, c Context) Decision {
	return s.Decide(RejectAttachment, vpc, gateway, c)
}

// AnswerAttachment decides an attachment that waits for the gateway's owner. The answer is in the decision, as that of
// [Set.Answer]: allowed with the action AcceptAttachment or AskAttachment, or refused.
func (s *Set) AnswerAttachment(vpc VPC, gateway Gateway, c Context) Decision {
	accept := s.Decide(AcceptAttachment, vpc, gateway, c)
	if accept.Allowed {
		return accept
	}
	ask := s.Decide(AskAttachment, vpc, gateway, c)
	if !ask.Allowed && ask.Policy == DefaultDeny {
		return accept // if that was a forbid, it says more
	}
	return ask
}
