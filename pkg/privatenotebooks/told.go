package privatenotebooks

import (
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Told returns what a ledger that was lost gets of an account's policy: its items, as each of the given VPCs needs them, the ids of the endpoints that it
// names, and, in words, what nobody can tell. home is the Region under which IAM's things are filed.
//
//	there is no policy of that name and path               → nothing
//	it says anything but what Drawbridge writes            → untold: somebody changed it, or it was theirs
//	else                                                   → the item of the policy
//	a role that is tagged, and has it                      → the item of the role
//	a role that is not tagged, and has it                  → untold: it may have lost its tag, or somebody gave it the policy
func Told(g Grant, account, region, home string) (items []ledger.Item, endpoints, untold []string) {
	if g.Document == "" {
		return nil, nil, nil
	}
	endpoints, ok := Written(g.Document, account, region)
	if !ok {
		return nil, nil, []string{fmt.Sprintf("%s: it does not say what Drawbridge writes", g.ARN)}
	}
	b := book{home: home, account: account, region: region}
	items = []ledger.Item{b.document(g.Document)}
	for _, role := range sorted(g.Attached) {
		if slices.Contains(g.Tagged, role) {
			items = append(items, b.attached(role))
		} else {
			untold = append(untold, fmt.Sprintf("%s with role %s, which is not tagged %s=true", PolicyName, role, tag.PrivateNotebooks))
		}
	}
	return items, endpoints, untold
}
