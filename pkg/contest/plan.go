package contest

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Judge says what to do about a thing that is wanted, and how its entry reads then:
//
//	found                                                        → keep
//	not found, leaving                                           → keep: somebody takes it back
//	not found, intended or wanted                                → put back: it was not made yet, or its loss is counted already
//	not found, contested                                         → leave
//	not found, confirmed a moment ago, nobody's hand seen        → put back if it was never taken before, counted from the second time; else
//	                                                               leave until a record or a later look tells: the answer may have been old
//	not found, confirmed, and the policy wants it to be left     → leave: contested
//	not found, confirmed, never taken before                     → put back, counted
//	not found, confirmed, taken before by the same hand          → leave: contested
//	not found, confirmed, taken before, one of the hands unknown → leave: contested
//	not found, confirmed, taken before by another hand           → put back, counted; but leave: contested, after it was put back twice
//
// What is put back is intended until it is confirmed, so that looks that come at the same time count it once.
func Judge(i ledger.Item, f Facts) (ledger.Item, Verdict) {
	switch {
	case f.Found || i.State == ledger.Leaving:
		return i, Keep
	case i.State == ledger.Contested:
		return i, Leave
	case i.State != ledger.Confirmed:
		return i, PutBack
	case f.Fresh && f.By.Who == "":
		return missed(i, f)
	}
	i, contested := taken(i, f.By, f.Leave)
	i.By, i.At = f.Execution, f.At
	if contested {
		i.State = ledger.Contested
		return i, Leave
	}
	i.State = ledger.Intended
	return i, PutBack
}

// missed is what becomes of an item that is not there a moment after it was made. Missed once more, it counts; but by that alone it never becomes contested.
func missed(i ledger.Item, f Facts) (ledger.Item, Verdict) {
	switch {
	case i.Taken > 0:
		i.Missed = f.At
		return i, Leave
	case !i.Missed.IsZero():
		i, _ = taken(i, ledger.Hand{}, false)
		i.State, i.By, i.At = ledger.Intended, f.Execution, f.At
		return i, PutBack
	}
	i.Missed = f.At
	return i, PutBack
}

// taken counts that a hand took an item away, and reports whether it is contested by that.
func taken(i ledger.Item, by ledger.Hand, leave bool) (ledger.Item, bool) {
	contested := leave || i.Taken >= Most || i.Taken > 0 && (by.Who == "" || i.TakenBy.Who == "" || Same(by, i.TakenBy))
	i.Taken, i.TakenBy, i.Missed = i.Taken+1, by, Facts{}.At
	return i, contested
}

// Taker returns whose hand it was that took an item away: the last that was seen at its resource, unless that was before the item was made
// or put back. CloudTrail's clock and the hub's are compared in whole seconds.
func Taker(i ledger.Item) ledger.Hand {
	if i.SeenAt.Before(i.At) {
		return ledger.Hand{}
	}
	return i.Seen
}

// Noted returns an item as it is once a record said whose hand was at its resource, and when. A record may come after a look found
// the thing missing, and put it back: then it tells whose hand that was.
//
//	the record is older than the last that was noted                   → as it is
//	taken, nobody knew by whom, and not before the hand was seen        → noted, and taken by that hand
//	missed and put back, not counted, and not before the hand was seen → noted, and counted as taken by that hand
//	else                                                               → noted
func Noted(i ledger.Item, s Sight) ledger.Item {
	if s.At.Before(i.SeenAt) {
		return i
	}
	i.Seen, i.SeenAt = s.By, s.At
	switch {
	case i.Taken == 0 && !s.At.After(i.Missed) && !s.At.Before(i.At):
		put := i.Missed
		i, _ = taken(i, s.By, false)
		i.At = put
	case i.Taken > 0 && i.TakenBy.Who == "" && !s.At.After(i.At):
		i.TakenBy = s.By
	}
	return i
}

// Claim is something that somebody made, as a record of AWS's has it, in the words by which the ledger has such a thing.
type Claim struct{ Key, Left string }

// Theirs reports whether something that the ledger has is its owner's by now, since they made just the same themselves:
//
//	another key; contested, wanted or leaving                     → no: nothing of Drawbridge's is there, or not any more
//	a rule, under the very id that the ledger has                 → yes: Drawbridge's own call found it there
//	anything but a rule, made otherwise than it was left          → no
//	made before Drawbridge's own call that made it last           → no: it had gone again
//	else                                                          → yes: AWS makes nothing twice, so Drawbridge's was not there any more; or it was, and they want it
func Theirs(i ledger.Item, claim Claim, s Sight) bool {
	switch {
	case i.Key != claim.Key || i.State != ledger.Confirmed && i.State != ledger.Intended:
		return false
	case i.Kind == ledger.Rule && claim.Left != "" && i.Left == claim.Left:
		return true
	case i.Kind != ledger.Rule && i.Left != claim.Left:
		return false
	}
	made := i.Made
	if made.IsZero() {
		made = i.At
	}
	return !s.At.Before(made)
}

// Settled returns an item as it is once its owner asked for it anew: nothing that was before counts.
func Settled(i ledger.Item) ledger.Item {
	nothing := ledger.Item{}
	i.Taken, i.TakenBy, i.Missed, i.Seen, i.SeenAt = 0, nothing.TakenBy, nothing.Missed, nothing.Seen, nothing.SeenAt
	if i.State == ledger.Contested { // and nobody is about to make it
		i.State, i.By, i.At = ledger.Intended, "", i.At.Add(-ledger.Lifetime)
	}
	return i
}

// Same reports whether two hands are the same: of one identity. Sessions of a role are one: a pipeline names each as it likes.
func Same(a, b ledger.Hand) bool { return a.Who != "" && principal(a.Who) == principal(b.Who) }

// principal is the ARN of an identity without the name of its session.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
func principal(who string) string {
	if head, rest, ok := strings.Cut(who, ":assumed-role/"); ok {
		role, _, _ := strings.Cut(rest, "/")
		return head + ":assumed-role/" + role
	}
	return who
}

// Narrow returns those of the items of a resource that a call may have changed. keys are the destinations, or other keys, that its record
// names; none: it may be any.
func Narrow(items []ledger.Item, keys []string) []ledger.Item {
	if len(keys) == 0 {
		return items
	}
	var out []ledger.Item
	for _, i := range items {
		// A key of several words is of several parts; the record names one.
		if slices.ContainsFunc(keys, func(k string) bool { return i.Key == k || slices.Contains(strings.Fields(i.Key), k) }) {
			out = append(out, i)
		}
	}
	return out
}

// Serves reports whether a line of a lifecycle configuration is a host route for a connection: from a subnet of one of its VPCs to addresses of the other.
// Its key says both.
func Serves(i ledger.Item, c ledger.Connection) bool {
	from, to, _ := strings.Cut(i.Key, " ")
	subnet, err := netip.ParsePrefix(from)
	destination, other := netip.ParsePrefix(to)
	if i.Kind != ledger.HostRoute || err != nil || other != nil {
		return false
	}
	has := func(s ledger.Side, p netip.Prefix) bool {
		return slices.ContainsFunc(s.CIDRs, func(text string) bool {
			cidr, err := netip.ParsePrefix(text)
			return err == nil && cidr.Overlaps(p)
		})
	}
	for n, s := range c.Sides {
		if s.Account == i.Account && s.Region == i.Region && has(s, subnet) {
			return slices.ContainsFunc(slices.Concat(c.Sides[:n], c.Sides[n+1:]), func(peer ledger.Side) bool { return has(peer, destination) })
		}
	}
	return false
}

// How says of an item that is left to who took it away how that came to be, and who it was, in words that follow its name.
func How(i ledger.Item) string {
	who := cmp.Or(i.TakenBy.Who, "somebody")
	if i.Taken > 1 {
		return "was taken away again after it was put back, by " + who + ", and is left to them"
	}
	return "was taken away by " + who + ", and is left to them"
}

// Of returns the contested ones of items, sorted by place, resource and key.
func Of(items []ledger.Item) []ledger.Item {
	var out []ledger.Item
	for _, i := range items {
		if i.State == ledger.Contested {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b ledger.Item) int {
		return cmp.Or(strings.Compare(a.Place(), b.Place()), strings.Compare(a.Resource, b.Resource), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Key, b.Key))
	})
	return out
}

// Hands returns whose hands took contested items away, by account, sorted: what people are told of once. More of the same hand's is no news.
func Hands(items []ledger.Item) []string {
	var out []string
	for _, i := range Of(items) {
		out = append(out, i.Account+" "+principal(i.TakenBy.Who))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TagsKind is what the tags by which Drawbridge speaks are called where things are contested. They are no item of the ledger.
const TagsKind ledger.Kind = "tags"

// Tags are the status tags of a connection that somebody took away once too often, as items.
func Tags(c ledger.Connection) []ledger.Item {
	var out []ledger.Item
	for _, account := range slices.Sorted(maps.Keys(c.Untagged)) {
		u := c.Untagged[account]
		if u.Times < 2 {
			continue
		}
		region := ""
		for _, s := range c.Sides {
			if s.Account == account {
				region = s.Region
			}
		}
		out = append(out, ledger.Item{Account: account, Region: region, Resource: c.ID, Kind: TagsKind, Key: tag.Status, State: ledger.Contested, Taken: u.Times, TakenBy: u.By})
	}
	return out
}

// Digest stands for what people are told of contested items: whose hands it is, in which accounts.
func Digest(contested []ledger.Item) string {
	return ledger.Digest(Hands(contested))
}

// told returns what the entry says that people were told, once an account asked anew. Whoever is left heard all of what is still contested, if told is
// the digest of what was before; then that is no news to them.
func told(told, account string, before []ledger.Item) string {
	left := slices.DeleteFunc(Of(before), func(i ledger.Item) bool { return i.Account == account })
	if len(left) == 0 || told != Digest(before) {
		return ""
	}
	return Digest(left)
}

// Reason says in one sentence what of contested items is taken away; of one side's nothing that only that side knows.
func Reason(contested []ledger.Item) string {
	type kind struct{ name, account string }
	kinds := map[kind]int{}
	for _, i := range contested {
		kinds[kind{strings.ReplaceAll(string(i.Kind), "-", " "), i.Account}]++
	}
	var parts []string
	for _, k := range slices.SortedFunc(maps.Keys(kinds), func(a, b kind) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.account, b.account))
	}) {
		parts = append(parts, fit.Count(kinds[k], k.name)+" in account "+k.account)
	}
	return "somebody takes away what Drawbridge adds, and it is left to them: " + strings.Join(parts, ", ")
}
