package dataapi

import (
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Removals returns what the answer to these facts takes away, for the brake:
//
//	retract, the cluster is gone, or its tag names nobody        → ended
//	retract, its owner says undo                                 → ended
//	retract, the cluster has no tag, or one that means nothing   → lost
//	retract, the secret or the key says for which clusters it is → ended
//	retract, the secret or the key has no such tag               → lost
//	retract, it cannot be served, and its owner put somebody out
//	or names another secret that is there                        → ended
//	retract, it cannot be served, and its secret is not there    → lost
//	retract, the policy admits nobody                            → forbidden
//	expose, an account that the role trusts is named and is not
//	admitted any more                                            → forbidden, for that account
//
// An account that the cluster's tag does not name any more was taken out by the cluster's owner.
func Removals(f Facts, out workflow.InspectDataAPIOutput) []brake.Removal {
	all := brake.Removal{ID: f.Cluster.ARN, Why: brake.Forbidden, Cause: out.Reason, Stands: f.Managed}
	switch out.Answer {
	case workflow.AnswerRetract:
		switch secret := f.Secret; {
		case f.Cluster.Gone, tag.Letting(f.Tags) != "", len(f.Consumers) == 0 && tag.Says(f.Tags, tag.DataAPI):
			all.Why = brake.Ended
		case len(f.Consumers) == 0:
			all.Why = brake.Lost
		case len(Admitted(f.Consumers)) == 0:
		case lacks(f) == "":
			if ownersDoing(f) {
				all.Why = brake.Ended
			} else if f.Secret.ARN == "" {
				all.Why = brake.Lost
			}
		case !For(secret.Tags, f.Cluster.ID) && tag.Says(secret.Tags, tag.DataAPI), For(secret.Tags, f.Cluster.ID) && tag.Says(secret.Key.Tags, tag.DataAPI):
			all.Why = brake.Ended
		default:
			all.Why = brake.Lost
		}
		return []brake.Removal{all}
	case workflow.AnswerExpose:
		var some []brake.Removal
		for _, c := range f.Consumers {
			if !c.Decision.Allowed && trusts(f.Role, c.Account) {
				some = append(some, brake.Removal{ID: f.Cluster.ARN + " " + c.Account, Why: brake.Forbidden, Stands: true,
					Cause: fmt.Sprintf("account %s may not query %s any more: %s", c.Account, f.Cluster.ID, c.Decision.Reason)})
			}
		}
		return some
	}
	return nil
}

// asItIs is the decision about an account that is suspended, so that nothing is known of it: who was let in stays, and nobody comes.
func asItIs(facts workflow.AccountFacts, role *Role) policy.Decision {
	return policy.Decision{Action: policy.Admit, Allowed: trusts(role, facts.ID), Reason: facts.Unreadable().Error() + "; it stays as it was"}
}
