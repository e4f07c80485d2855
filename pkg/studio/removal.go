package studio

import (
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// sharing is what a cluster's owner says about who reads it.
type sharing struct {
	gone  bool     // the cluster is deleted, or about to be
	clear bool     // its tag says clearly who
	named []string // the accounts that it names
	ended bool     // its owner wants nobody to read it any more, whatever the policy allows
}

// why says who wants an execution role of an account to read the cluster no more. lets is what the role's own tags say, in says clearly; outside says that the
// account is not of the organization; in that the role is one of a domain's.
//
//	the cluster is gone                                   → ended
//	its tag names others                                  → ended
//	its tag is not there, or means nothing                → lost
//	the account is outside the organization               → outside
//	the role is deleted, or nobody's of a domain any more → ended
//	the role's own tag says clearly that it is not open   → ended
//	the role has no tag, or one that means nothing        → lost
//	else                                                  → forbidden: the policy
func (s sharing) why(account string, r *role, d policy.Decision, outside, in bool) brake.Why {
	switch {
	case s.gone, s.clear && !slices.Contains(s.named, account):
		return brake.Ended
	case !s.clear:
		return brake.Lost
	case outside:
		return brake.Outside
	case r == nil, d.Allowed && !in:
		return brake.Ended
	case r.tags[tag.Studio] == "true":
		return brake.Forbidden
	case tag.Says(r.tags, tag.Studio):
		return brake.Ended
	}
	return brake.Lost
}

// closing returns what a domain loses because it is not open to Drawbridge any more though people in it read a cluster, for the brake. says is that its
// tag says so clearly.
//
//	nobody in it reads, it is open, or the setting is its owner's → nothing
//	its tag says clearly that it is not open                      → ended
//	it has no tag, or one that means nothing                      → lost
func closing(arn string, s Setting, says bool) brake.Removal {
	out := brake.Removal{ID: arn, Why: brake.Lost, Stands: s.Wanted && !wanted(s), Cause: "the domain is not tagged " + tag.Studio + "=true any more"}
	if says {
		out.Why = brake.Ended
	}
	return out
}

// removal returns what leaving takes from a cluster's readers, for the brake: one removal, by the cause that counts, if one does.
func removal(id, reason string, all []brake.Why) brake.Removal {
	out := brake.Removal{ID: id, Why: brake.Ended, Cause: reason, Stands: len(all) > 0}
	for _, why := range all {
		if why != brake.Ended {
			out.Why = why
			break
		}
	}
	return out
}
