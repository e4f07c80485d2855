package dataapiendpoint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/endpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Facts are what is known of one VPC.
type Facts struct {
	VPC       string
	Gone      bool            // there is no such VPC any more
	Tagged    bool            // its owner wants the endpoint
	Said      bool            // its owner's tag says clearly whether
	Letting   string          // whether its owner has Drawbridge let go of it; see [tag.Letting]
	Standing  bool            // the ledger has an entry of it
	Available bool            // and that says that it stands
	Decision  policy.Decision // only of a tagged VPC
	Leave     bool            // the policy wants what somebody takes away to be left; only of a tagged VPC
	Unclear   string          // that the tag means nothing; see [tag.Why]
}

// Plan returns what is to be done for a VPC, and why:
//
//	let go of, in the ledger           → released, or, with undo, remove it
//	let go of                          → nothing
//	tagged, allowed                    → place
//	tagged, refused, in the ledger     → remove it, then Refused
//	tagged, refused                    → refuse
//	not tagged or gone, in the ledger  → remove it
//	not tagged or gone                 → nothing
func Plan(f Facts) (result workflow.Result, answer workflow.Answer, reason string) {
	switch {
	case f.Letting != "" && !f.Gone:
		reason = fmt.Sprintf("%s is tagged %s=%s", f.VPC, tag.Manage, f.Letting)
		switch {
		case !f.Standing:
			return workflow.Nothing, workflow.AnswerNothing, reason
		case f.Letting == tag.Leave:
			return workflow.Released, workflow.AnswerReleased, reason
		}
		return workflow.Removed, workflow.AnswerRemove, reason
	case f.Tagged && f.Decision.Allowed:
		return workflow.Available, workflow.AnswerPlace, fmt.Sprintf("%s is tagged %s=true", f.VPC, tag.DataAPI)
	case f.Tagged:
		result, answer = workflow.RefusedByPolicy, workflow.AnswerRefuse
		reason = fmt.Sprintf("%s is refused by policy %s: %s", f.VPC, f.Decision.Policy, f.Decision.Reason)
		if f.Standing {
			answer = workflow.AnswerRemove
		}
		return result, answer, reason
	case f.Standing && f.Gone:
		return workflow.Removed, workflow.AnswerRemove, f.VPC + " does not exist any more"
	case f.Standing:
		return workflow.Removed, workflow.AnswerRemove, fmt.Sprintf("%s is not tagged %s=true any more%s", f.VPC, tag.DataAPI, f.Unclear)
	case f.Gone:
		return workflow.Nothing, workflow.AnswerNothing, f.VPC + " does not exist any more"
	}
	return workflow.Nothing, workflow.AnswerNothing, fmt.Sprintf("%s is not tagged %s=true%s", f.VPC, tag.DataAPI, f.Unclear)
}

// Why says who wants what was placed for a VPC to go: the policy, its owner, who deleted the VPC or says false, or whoever took the tag.
func Why(f Facts) brake.Why {
	switch {
	case f.Gone || f.Letting != "":
		return brake.Ended
	case f.Tagged:
		return brake.Forbidden
	case f.Said:
		return brake.Ended
	}
	return brake.Lost
}

// check fails if a VPC's endpoint does not serve it. Drawbridge's own serves; one that the owner made, or a network ACL,
// may not, and is theirs to change.
func check(vpc string, hops []workflow.Hop) error {
	var broken []string
	for _, h := range hops {
		if !h.OK && !h.Unknown {
			broken = append(broken, h.Hop+": "+h.Detail)
		}
	}
	if len(broken) == 0 {
		return nil
	}
	return fault.NewConflict(fmt.Sprintf("the Data API is not reached from all of %s: %s", vpc, strings.Join(slices.Compact(broken), "; ")),
		"change what is named, which is not Drawbridge's, then redrive the execution")
}

// Paths are who reaches what through the endpoint of a VPC, as the ledger keeps them for people: from whatever is in the VPC to the Data API of its Region.
// That is whole if the endpoint serves the VPC; else it ends at what it lacks. Whose clusters are queried there, the entries of these clusters say.
func Paths(want workflow.EndpointWant, hops []workflow.Hop) ledger.Paths {
	one := ledger.Path{Client: ledger.End{Name: anyClient, Account: want.Account, Network: want.VPC},
		Database: ledger.End{Name: "Data API of " + want.Region, Account: want.Account, Network: want.VPC}, Port: endpoint.HTTPS, Answer: "yes"}
	out := ledger.Paths{All: 1, Whole: 1}
	fails := slices.IndexFunc(hops, func(h workflow.Hop) bool { return !h.OK && !h.Unknown })
	doubts := slices.IndexFunc(hops, func(h workflow.Hop) bool { return h.Unknown })
	switch {
	case fails >= 0:
		out.Whole, one.Answer, one.Hop, one.Owner, one.Detail = 0, "no", hops[fails].Hop, want.Account, hops[fails].Detail
	case doubts >= 0:
		out.Whole, out.Unknown, one.Answer, one.Hop, one.Detail = 0, 1, "unknown", hops[doubts].Hop, hops[doubts].Detail
	}
	out.Lines = []ledger.Path{one}
	return out
}

// anyClient is who calls the Data API from a VPC: the endpoint serves all that is in it.
const anyClient = "any client"
