package peering

import (
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// TakenBack says by which tag an owner takes back an active peering, or "" if nobody does. Whatever the policy would allow: the wish of a
// thing's owner ends what was done to it.
//
//	drawbridge:approval=rejected on the peering, in either account   → that owner's
//	drawbridge:accept=never on the accepter's VPC                    → the accepter's
//	the same on the requester's VPC                                  → nothing: it speaks of requests that come, not of its own
func TakenBack(q Question) string {
	p := q.Peering
	for _, n := range []int{1, 0} {
		account := []string{p.Requester.Account, p.Accepter.Account}[n]
		if q.Own[n][tag.Approval] == "rejected" {
			return fmt.Sprintf("the owner of account %s takes it back: %s is tagged %s=rejected", account, p.ID, tag.Approval)
		}
	}
	if q.Accepter != nil && q.Accepter.Tags[tag.Accept] == "never" {
		return fmt.Sprintf("the owner of account %s takes it back: %s is tagged %s=never", p.Accepter.Account, p.Accepter.VPC, tag.Accept)
	}
	return ""
}
