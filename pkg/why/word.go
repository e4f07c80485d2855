package why

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Word is a tag of an owner's that keeps Drawbridge from what it would do else.
type Word struct {
	Thing deed.Thing
	Key   string // drawbridge:routes, …
	Value string // as [tag.Clean] gives it
	// Name is what people call the thing, if that is not its id.
	Name string
}

// exclusion is a tag that keeps Drawbridge out.
type exclusion struct {
	key, code string
	values    []string
	says      string // what follows from it
	mends, to string // what its owner does, and the value that says so; without one, the tag goes
}

// excludes are the tags that keep Drawbridge out, the values by which they do, and the code of their hop. What else they may say says nothing here.
var excludes = []exclusion{
	{tag.Accept, "accept", []string{"never"}, "so Drawbridge connects nobody to it", "let who asks for it be asked about again; Drawbridge asks you, and does the rest", "ask"},
	{tag.Approval, "approval", []string{"rejected"}, "so Drawbridge adds nothing for it", "approve it; Drawbridge does the rest, if the policy allows it", tag.Approved},
	{tag.Manage, "manage", []string{tag.Leave, tag.Undo}, "so Drawbridge let go of it, and changes nothing", "give it to Drawbridge again, which does the rest, if the policy allows it", tag.Take},
	{tag.Reach, "reach", []string{tag.NoReach}, "so Drawbridge leads nothing to what is in it, or from it, unless a policy forbids to keep it out", "take the tag away; Drawbridge does the rest", ""},
	{tag.Routes, "routes", []string{"off"}, "so Drawbridge writes no host routes into its script", "let it have host routes; Drawbridge writes them, and they count from its next start", "on"},
}

// WordsOf are those of a thing's tags that keep Drawbridge out.
func WordsOf(t deed.Thing, name string, tags map[string]string) []Word {
	tags = tag.Clean(t.Kind, tags)
	var out []Word
	for _, e := range excludes {
		if value := tags[e.key]; slices.Contains(e.values, value) {
			out = append(out, Word{Thing: t, Key: e.key, Value: value, Name: name})
		}
	}
	return out
}

// hop is the hop of a tag, with what takes it back.
func (w Word) hop() Hop {
	e := excludes[slices.IndexFunc(excludes, func(e exclusion) bool { return e.key == w.Key })]
	if w.Key == tag.Reach && w.Thing.Kind == tag.Group {
		e.says = "so Drawbridge opens nothing in it, and no rule of Drawbridge's refers to it, unless a policy forbids to keep it out"
	}
	call := deed.Untag(w.Thing, w.Key)
	if e.to != "" {
		call = deed.Tag(w.Thing, w.Key, e.to)
	}
	h := Hop{Code: e.code, Answer: "no", Whose: w.Thing.Account, Detail: fmt.Sprintf("%s has the tag %s=%s, %s", cmp.Or(w.Name, w.Thing.ID), w.Key, w.Value, e.says), Remedy: "ask its owner, who set the tag"}
	h.Mends = []Change{{Account: call.Account, What: e.mends, Command: call.Command, make: func(s state) state { return s }}}
	return h
}

// explains reports whether a tag keeps Drawbridge from what makes a hop hold.
func (w Word) explains(h network.Hop) bool {
	if w.Key == tag.Routes {
		return h.Hop == "host route"
	}
	return h.Hop == "carrier" || h.Hop == "host route" || slices.Contains(done, Code(h.Hop))
}

// kept are the hops of the tags that keep Drawbridge from a path of which something does not hold; the last of them makes in the model what Drawbridge does
// once they are gone. closed says that it would not open the database all the same.
func (q Question) kept(hops []network.Hop, over Carrier, closed bool) []Hop {
	var out []Hop
	routes := false
	for _, w := range q.Words {
		fails := slices.ContainsFunc(hops, func(h network.Hop) bool { return h.Answer != network.Yes && w.explains(h) })
		if !fails || w.Key == tag.Routes && !over.handled() {
			continue
		}
		if w.Key == tag.Routes {
			routes = true
		}
		out = append(out, w.hop())
	}
	if len(out) == 0 {
		return nil
	}
	last := &out[len(out)-1].Mends[0]
	last.make = func(s state) state {
		if len(out) > 1 || !routes { // not of host routes alone
			if !closed {
				s = q.follows(over)(s)
			}
		}
		if q.Client.Host != nil && !slices.ContainsFunc(hops, func(h network.Hop) bool { return h.Hop == "host route" && h.Answer == network.Yes }) {
			s = routed(nil, later)(s)
		}
		return s
	}
	return out
}

// follows makes in the model what Drawbridge does by itself for a path that it may connect.
func (q Question) follows(over Carrier) func(state) state {
	return func(s state) state {
		now := q
		now.World, now.Client, now.Script = s.world, s.client, s.script
		for _, code := range append([]string{"carrier"}, done...) {
			now = now.with(now.mends(code, over))
		}
		return state{now.World, now.Client, now.Script}
	}
}
