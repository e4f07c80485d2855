package ledger

import (
	"slices"
	"time"
)

// Lifetime is longer than any function lives: who was about to take an item back two minutes ago is not about to any more.
const Lifetime = 2 * time.Minute

// need returns the item as it is once id needs it, and whether it may be needed at all. old is the entry that is there, nil if
// none; wanted is what id intends.
//
//	none                                   → as wanted, intended
//	intended, by an execution that failed  → as wanted, but with what was there before it
//	confirmed                              → as it is, needed by one more
//	wanted by others                       → as wanted, intended, needed by all
//	contested                              → as it is, needed by one more
//	leaving, for less than two minutes     → not now: somebody is taking it away
//	leaving, for longer                    → as wanted, but with what was there before it
//
// An item that is only wanted changes nothing but who needs it.
func need(old *Item, wanted Item, id string, now time.Time) (Item, bool) {
	out := wanted
	if out.State == "" {
		out.State = Intended
	}
	if old == nil {
		out.Needed, out.At = []string{id}, now
		return out, true
	}
	if old.State == Leaving && now.Sub(old.At) < Lifetime {
		return *old, false
	}
	needed := slices.Clone(old.Needed)
	if !slices.Contains(needed, id) {
		needed = append(needed, id)
		slices.Sort(needed)
	}
	out.version, out.Taken, out.TakenBy, out.Seen, out.SeenAt, out.Missed, out.Made = old.version, old.Taken, old.TakenBy, old.Seen, old.SeenAt, old.Missed, old.Made
	keeps := old.State == Confirmed || old.State == Contested || old.State == out.State && old.Left == out.Left || wanted.State == Wanted && old.State == Intended
	if keeps {
		out = *old
	} else {
		out.At = now
		if old.State == Intended || old.State == Leaving {
			out.Before = old.Before
		}
	}
	out.Needed, out.For = needed, ""
	return out, true
}

// release returns the item as it is once id does not need it, and whether nobody does then.
//
//	others need it                  → stays, needed by one less
//	nobody else, it was only wanted → goes from the ledger with the need
//	nobody else, it is contested    → goes from the ledger with the need
//	nobody else                     → leaving
//	leaving already, for id         → leaving
//	id did not need it              → as it is
func release(old Item, id string, now time.Time) (out Item, last bool) {
	out = old
	if old.State == Leaving && old.For == id && len(old.Needed) == 0 {
		return out, true
	}
	if !old.NeededBy(id) {
		return out, false
	}
	out.Needed = slices.DeleteFunc(slices.Clone(old.Needed), func(n string) bool { return n == id })
	out.Spare = slices.DeleteFunc(slices.Clone(old.Spare), func(n string) bool { return n == id })
	if len(out.Needed) > 0 {
		return out, false
	}
	out.Needed, out.Spare, out.State, out.For, out.At = nil, nil, Leaving, id, now
	return out, true
}

// Busy reports whether another execution than by intends the item and may be making its call at this moment.
func (i Item) Busy(by string, now time.Time) bool {
	return i.State == Intended && i.By != by && now.Sub(i.At) < Lifetime
}

// Stands says what an item that is leaving, or that an event is about, has come to. there is how the thing is now in the words of [Item.Left],
// and ok whether it is there at all.
//
//	not there                          → Gone: there is nothing to take back
//	as it was left                     → AsLeft: take it back
//	intended, and as was intended      → AsLeft: the call was made, and its answer lost
//	anything else                      → Others: somebody changed it since; it is theirs
func Stands(i Item, there string, ok bool) Standing {
	switch {
	case !ok:
		return Gone
	case there == i.Left:
		return AsLeft
	}
	return Others
}

// Standing is what an item has come to in the member.
type Standing string

// What an item may have come to.
const (
	Gone   Standing = "gone"
	AsLeft Standing = "as left"
	Others Standing = "others"
)
