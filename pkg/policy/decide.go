package policy

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

// A Set is a parsed policy. It does not change and may be asked concurrently. A nil Set allows nothing.
type Set struct {
	policies  []named
	needsPath bool // it speaks of organizational units
}

// named is one policy with what its annotations say.
type named struct {
	id     string
	reason string
	atOnce int // @at_once; 0 if it says nothing
	policy *cedar.Policy
}

// inOrder gives Cedar's authorizer the policies of a Set. Cedar's own set has no order, so it could name this permit
// today and that one tomorrow.
type inOrder struct{ *Set }

// All yields the policies in the order of the text.
func (s inOrder) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, p := range s.policies {
			if !yield(cedar.PolicyID(p.id), p.policy) {
				return
			}
		}
	}
}

// Accept asks whether the peering request of requester may be accepted for accepter.
func (s *Set) Accept(requester, accepter VPC, c Context) Decision {
	return s.Decide(Accept, requester, accepter, c)
}

// Ask asks whether the owner of accepter may be asked to approve the peering request of requester.
func (s *Set) Ask(requester, accepter VPC, c Context) Decision {
	return s.Decide(Ask, requester, accepter, c)
}

// Adopt asks whether a peering of asking and other, which was there before Drawbridge, may be taken over because the owner of asking
// wants it. What the owner of other said goes into c.
func (s *Set) Adopt(asking, other VPC, c Context) Decision { return s.Decide(Adopt, asking, other, c) }

// Reject asks whether a request that is refused may also be rejected at AWS.
func (s *Set) Reject(requester, accepter VPC, c Context) Decision {
	return s.Decide(Reject, requester, accepter, c)
}

// Route asks whether the route tables of from may get routes to the CIDRs of to. A connection asks it both ways.
func (s *Set) Route(from, to VPC, c Context) Decision { return s.Decide(Route, from, to, c) }

// Connect asks whether consumer may be connected to producer over a transit gateway that both are attached to. What is
// known of the databases of producer goes into c.
func (s *Set) Connect(consumer, producer VPC, c Context) Decision {
	return s.Decide(Connect, consumer, producer, c)
}

// Restore asks whether what somebody takes away of what was added for other, in the account of from, is put back once; else it is left at once. The
// two are the VPCs of a connection, a VPC with endpoints and itself, a [Cluster] and a [Consumer], or a [Warehouse] and a [Role], whichever way.
func (s *Set) Restore(from, other Entity, c Context) Decision {
	return s.Decide(Restore, other, from, c)
}

// Widen asks whether a connection may reach all of a VPC, whose owner wants that, from other: all its ranges and all its tables, instead of those of
// what calls and answers there.
func (s *Set) Widen(other, whole VPC, c Context) Decision { return s.Decide(Widen, other, whole, c) }

// Exclude asks whether the owner of things in a VPC may keep them out of a connection with other. This is a right over what is their own, so it is
// theirs unless a policy forbids it. The account of within is the things' owner's.
func (s *Set) Exclude(other, within VPC, c Context) Decision {
	return s.Decide(Exclude, other, within, c)
}

// Divert asks whether a connection with other may have a route in a table that leads the same addresses elsewhere by a live wider one. To where goes
// into c.
func (s *Set) Divert(other VPC, table Table, c Context) Decision {
	return s.Decide(Divert, other, table, c)
}

// Open asks whether the security groups of database may admit the CIDRs of consumer.
func (s *Set) Open(consumer VPC, database Database, c Context) Decision {
	return s.Decide(Open, consumer, database, c)
}

// Inject asks whether notebook may get host routes to the CIDRs of peer.
func (s *Set) Inject(peer VPC, notebook Notebook, c Context) Decision {
	return s.Decide(Inject, peer, notebook, c)
}

// Restart asks whether notebook may be stopped and started again, so that host routes to peer begin to work.
func (s *Set) Restart(peer VPC, notebook Notebook, c Context) Decision {
	return s.Decide(Restart, peer, notebook, c)
}

// Answer decides a peering request. The answer is in the decision:
//
//	Allowed, Action Accept   accept
//	Allowed, Action Ask      ask the accepter's owner
//	not Allowed              refuse; Policy is the forbid that did it, or [DefaultDeny]
func (s *Set) Answer(requester, accepter VPC, c Context) Decision {
	accept := s.Accept(requester, accepter, c)
	if accept.Allowed {
		return accept
	}
	ask := s.Ask(requester, accepter, c)
	if !ask.Allowed && ask.Policy == DefaultDeny {
		return accept // if that was a forbid, it says more
	}
	return ask
}

// Decide asks whether principal may do action to resource, once for each pair of their CIDRs (a thing without addresses
// counts as one). It is allowed if every
// pair is; then Policy is the first permit in the text that allowed the first pair. Otherwise Policy is the first
// forbid in the text that denied a pair, [DefaultDeny] if there is none, [MissingFacts] if the question was incomplete.
// Exclude is allowed where no forbid denies it: by [DefaultPermit] where no permit speaks of it.
func (s *Set) Decide(action Action, principal, resource Entity, c Context) Decision {
	if s == nil {
		s = &Set{}
	}
	who, what := principal.entity(), resource.entity()
	for _, e := range []entity{who, what} {
		if missing := e.missing(s.needsPath); missing != "" {
			if action == Exclude {
				return unforbidden(fmt.Sprintf("nothing can forbid %s without %s", action, missing))
			}
			return Decision{Action: action, Policy: MissingFacts, Reason: fmt.Sprintf("deciding %s needs %s", action, missing)}
		}
	}
	entities, request := question(action, who, what, c)
	var allowed, denied *Decision
	for _, from := range who.cidrs() {
		entities[who.uid] = who.in(from)
		for _, to := range what.cidrs() {
			entities[what.uid] = what.in(to)
			d := s.decideOne(entities, request, action, from, to)
			switch {
			case !d.Allowed && d.Policy != DefaultDeny:
				return d
			case !d.Allowed && denied == nil:
				denied = &d
			case d.Allowed && allowed == nil:
				allowed = &d
			}
		}
	}
	if denied != nil {
		return *denied
	}
	return *allowed
}

// question puts it in Cedar's terms, all but the principal's and the resource's own entity.
func question(action Action, who, what entity, c Context) (types.EntityMap, cedar.Request) {
	entities := types.EntityMap{}
	who.addAncestors(entities)
	what.addAncestors(entities)
	if of := what.has; of != nil {
		of.addAncestors(entities)
		entities[of.uid] = of.in(netip.Prefix{})
	}
	uid := types.NewEntityUID("Drawbridge::Action", types.String(action))
	entities[uid] = types.Entity{UID: uid, Parents: groups(action)}
	return entities, cedar.Request{
		Principal: who.uid,
		Action:    uid,
		Resource:  what.uid,
		Context: types.NewRecord(types.RecordMap{
			"approval":   types.String(c.Approval),
			"connection": types.String(c.Connection),
			"databases":  types.Long(c.Databases),
			"leaves":     types.String(c.Leaves),
		}),
	}
}

// decideOne asks about one pair of CIDRs.
func (s *Set) decideOne(entities types.EntityMap, request cedar.Request, action Action, from, to netip.Prefix) Decision {
	answer, diagnostic := cedar.Authorize(inOrder{s}, entities, request)
	d := Decision{Action: action}
	// A forbid that cannot be evaluated denies. (Cedar skips it: "a policy that errors is ignored".
	// https://docs.cedarpolicy.com/auth/authorization.html)
	for _, e := range diagnostic.Errors {
		if p := s.find(string(e.PolicyID)); p.policy.Effect() == cedar.Forbid && action != Exclude {
			d.Policy, d.Reason = p.id, fmt.Sprintf("policy %s cannot be evaluated: %s", p.id, e.Message)
			return d
		}
	}
	d.Allowed = answer == cedar.Allow
	if len(diagnostic.Reasons) == 0 {
		if action == Exclude {
			return unforbidden(fmt.Sprintf("no policy forbids %s for %s on %s", action, about(request.Principal, from), about(request.Resource, to)))
		}
		d.Policy = DefaultDeny
		d.Reason = fmt.Sprintf("no policy permits %s for %s on %s", action, about(request.Principal, from), about(request.Resource, to))
		return d
	}
	p := s.find(string(diagnostic.Reasons[0].PolicyID))
	d.Policy, d.Reason, d.AtOnce = p.id, p.reason, p.atOnce
	if d.Reason == "" {
		verb := "forbids"
		if d.Allowed {
			verb = "permits"
		}
		d.Reason = fmt.Sprintf("policy %s %s %s for %s on %s", p.id, verb, action, about(request.Principal, from), about(request.Resource, to))
	}
	return d
}

// unforbidden is the decision about what is allowed as no policy forbids it.
func unforbidden(reason string) Decision {
	return Decision{Action: Exclude, Allowed: true, Policy: DefaultPermit, Reason: reason}
}

// about names a thing and the one of its CIDRs that a question was about.
func about(thing cedar.EntityUID, cidr netip.Prefix) string {
	if !cidr.IsValid() {
		return string(thing.ID)
	}
	return fmt.Sprintf("%s (%s)", thing.ID, cidr)
}

// groups returns the groups that schema.cedarschema puts action in. Exclude is in none: what forbids a group of them shall not forbid it in passing.
func groups(action Action) types.EntityUIDSet {
	if action == Exclude {
		return types.NewEntityUIDSet()
	}
	names := []types.String{"Grant"}
	if action == Reject || action == RejectAttachment {
		names[0] = "Withdraw"
	}
	if slices.Contains(network, action) {
		names = append(names, "Network")
	}
	var all []types.EntityUID
	for _, name := range names {
		all = append(all, types.NewEntityUID("Drawbridge::Action", name))
	}
	return types.NewEntityUIDSet(all...)
}

// network are the actions about networks: principal and resource have addresses.
var network = []Action{Accept, Ask, Adopt, Reject, Route, Connect, Open, Inject, Restart, Widen, Divert}

// find returns the policy with this id, which must be one of the set.
func (s *Set) find(id string) named {
	for _, p := range s.policies {
		if p.id == id {
			return p
		}
	}
	return named{}
}

// IDs returns the ids of the policies, in the order of the text.
func (s *Set) IDs() []string {
	var ids []string
	for _, p := range s.policies {
		ids = append(ids, p.id)
	}
	return ids
}
