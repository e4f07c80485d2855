package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Share is with whom a database is shared, by its tag drawbridge:share. The zero value is that of a database whose tags were not read.
type Share struct {
	Thing deed.Thing // the database
	With  string     // as [tag.Clean] gives it: accounts, true for all, nothing for nobody
}

// shared reports whether an account is among those that a database is shared with, as far as that is known.
func (s Share) shared(account string) bool {
	return s.Thing.ID == "" || s.With == "true" || slices.Contains(strings.Fields(s.With), account)
}

// done are the hops that Drawbridge mends by itself for a database that is shared, in the order in which a packet meets them. Network ACLs, and DNS of a
// VPC, are their owners'.
var done = []string{"client-group", "route-there", "gateway-route", "database-group", "route-back", "gateway-route-back"}

// unshared is the hop of a database that is closed to the client, and whose owner does not share it with the client's account: where Drawbridge has the
// connection, that is why it opened nothing. Its mend is the tag; in the model it makes what Drawbridge does then.
func (q Question) unshared(hops []network.Hop, over Carrier) (Hop, bool) {
	if !q.over.handled() && len(q.kept(hops, over, true)) == 0 || !q.closed(hops) {
		return Hop{}, false
	}
	detail := fmt.Sprintf("%s has no tag %s, so Drawbridge opens nothing to it", q.To.Name, tag.Share)
	if q.Share.With != "" {
		detail = fmt.Sprintf("%s is shared with %s, not with account %s, so Drawbridge does not open it", q.To.Name, strings.Join(strings.Fields(q.Share.With), ", "), q.From.Account)
	}
	call := deed.Tag(q.Share.Thing, tag.Share, strings.TrimSpace(q.Share.With+" "+q.From.Account))
	return Hop{Code: "share", Answer: "no", Detail: detail, Whose: q.To.Account, Remedy: "ask its owner to share it with your account",
		Mends: []Change{{Account: cmp.Or(call.Account, q.To.Account), What: fmt.Sprintf("share it with account %s; Drawbridge does the rest, if the policy allows it", q.From.Account), Command: call.Command,
			make: q.follows(over)}}}, true
}

// closed reports whether a database is closed to the client by its groups, and not shared with it.
func (q Question) closed(hops []network.Hop) bool {
	return !q.Share.shared(q.From.Account) && slices.ContainsFunc(hops, func(h network.Hop) bool { return h.Hop == "database group" && h.Answer == network.No })
}

// atItsPort is the question at a port at which the database answers, and the hop that says that it was asked at another.
func (q Question) atItsPort() (Question, *Hop) {
	if len(q.Serves) == 0 || slices.Contains(q.Serves, q.Port) {
		return q, nil
	}
	var ports []string
	for _, p := range q.Serves {
		ports = append(ports, fmt.Sprint(p))
	}
	h := Hop{Code: "port", Answer: "no", Detail: fmt.Sprintf("%s answers at port %s, not at %d", q.To.Name, strings.Join(ports, ", "), q.Port), Whose: q.From.Account,
		Remedy: fmt.Sprintf("connect to port %d; what follows is of that", q.Serves[0])}
	q.Port = q.Serves[0]
	return q, &h
}
