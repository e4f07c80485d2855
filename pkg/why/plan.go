package why

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Judge answers the question. Where several things connect the two ends, the one counts by which fewest hops fail, and of those the first.
//
//	nothing connects the two          one hop, connection, is no, and a command requests a peering
//	every hop holds over one of them  yes
//	else                              the best of them, with what mends each hop
func Judge(q Question) Answer {
	out := Answer{Head: answer.HeadOf("Why"), From: q.From, To: q.To, Hops: []Hop{}}
	carriers := q.Carriers
	if q.Client.VPC == q.Database.VPC {
		carriers = []Carrier{{ID: "local", Status: "active"}}
	}
	if len(carriers) == 0 {
		for _, w := range q.Words {
			if w.Key == tag.Accept { // nobody is let in by a request either
				out.Hops = append(out.Hops, w.hop())
			}
		}
		out.Hops = append(out.Hops, q.unconnected())
		return q.said(out)
	}
	q, wrong := q.atItsPort()
	var best []network.Hop
	var over Carrier
	for _, c := range q.likely(carriers) {
		hops := q.judge(c)
		if best == nil || badness(hops) < badness(best) {
			best, over = hops, c
		}
	}
	q.over = over
	out.Over, out.Managed = over.ID, over.Said
	var others []string
	for _, c := range carriers {
		if c.ID != over.ID {
			others = append(others, c.ID)
		}
	}
	out.Alternates = strings.Join(others, ", ")
	out.Hops, out.After = q.mended(best, over)
	if wrong != nil {
		out.Hops = slices.Insert(out.Hops, 0, *wrong)
	}
	if h := q.running(); h != nil {
		out = h.first(out)
	}
	return q.said(out)
}

// likely puts those carriers first to which a table of the client's leads, and then those that stand.
func (q Question) likely(carriers []Carrier) []Carrier {
	out := slices.Clone(carriers)
	weight := func(c Carrier) int {
		v, _ := vpcOf(q.World, q.Client.VPC)
		leads := slices.ContainsFunc(v.Tables, func(t network.Table) bool {
			return slices.ContainsFunc(t.Routes, func(r network.Route) bool { return r.Target == c.ID && !r.Blackhole })
		})
		n := 0
		if !leads {
			n += 2
		}
		if c.Status != "active" && c.Status != "available" {
			n++
		}
		return n
	}
	slices.SortStableFunc(out, func(a, b Carrier) int { return weight(a) - weight(b) })
	return out
}

// mended says of each hop what it is and what mends it. What mends one hop is made in the model before the next is looked at, so that no two commands
// want the same, and what an earlier one mends is not mended twice. Of what nobody knows only that is named which makes it hold. after is the
// answer once all is done; empty if there is nothing to do.
func (q Question) mended(hops []network.Hop, over Carrier) (out []Hop, after string) {
	now := q
	out = q.kept(hops, over, q.closed(hops))
	if h, ok := q.unshared(hops, over); ok {
		out = append(out, h)
	}
	for _, h := range out {
		now, after = now.with(h.Mends), "unknown"
	}
	for _, h := range hops {
		one := Hop{Code: Code(h.Hop), Answer: words(h.Answer), Detail: h.Detail, Whose: cmp.Or(h.Owner, q.whose(Code(h.Hop), over))}
		if h.Answer != network.Yes {
			one.Remedy = h.Remedy
			if now.holds(h.Hop, over) {
				one.Remedy = "it holds once what is before it is mended"
			} else if h.Hop == "host route" && now.unwritten(out) {
				one.Remedy, after = "once the rest holds Drawbridge writes the host route into the on-start script; then stop the notebook and start it", "unknown"
				now = now.with([]Change{{make: routed(nil, later)}})
			} else if mends := now.needed(h, over); len(mends) > 0 {
				one.Mends, after = mends, "unknown"
				if q.itself(one.Code, over) {
					one.Itself, one.Remedy = true, "Drawbridge mends it at its next look, at the latest with the next sweep, unless it is paused"
				}
				now = now.with(mends)
			}
		}
		out = append(out, one)
	}
	if after != "" {
		after = words(network.All(now.judge(over)))
	}
	return out, after
}

// itself reports whether a look of Drawbridge's mends a hop: it is of what Drawbridge keeps for a connection that it connected, and nobody keeps it from that.
func (q Question) itself(code string, over Carrier) bool {
	return over.handled() && over.Said.State == string(workflow.Connected) && q.Share.shared(q.From.Account) && q.Share.Thing.ID != "" && len(q.Words) == 0 &&
		slices.Contains([]string{"client-group", "route-there", "database-group", "route-back"}, code)
}

// with is the question after changes.
func (q Question) with(changes []Change) Question {
	s := state{q.World, q.Client, q.Script}
	for _, c := range changes {
		s = c.make(s)
	}
	q.World, q.Client, q.Script = s.world, s.client, s.script
	return q
}

// holds reports whether a hop holds. One that is there no more was not in the way.
func (q Question) holds(hop string, over Carrier) bool {
	for _, h := range q.judge(over) {
		if h.Hop == hop {
			return h.Answer == network.Yes
		}
	}
	return true
}

// needed is what mends a hop, without what is not needed for it. Where it does not make the hop hold, it is named only if the hop fails for sure, or if
// Drawbridge does the rest.
func (q Question) needed(h network.Hop, over Carrier) []Change {
	mends := q.mends(Code(h.Hop), over)
	if then := q.with(mends); !then.holds(h.Hop, over) {
		if h.Answer == network.Unknown && (then.Client.Host == nil || then.Client.Host.Unread != later) {
			return nil
		}
		return mends
	}
	for n := len(mends) - 1; n >= 0; n-- {
		if less := slices.Delete(slices.Clone(mends), n, n+1); q.with(less).holds(h.Hop, over) {
			mends = less
		}
	}
	return mends
}

// judge is package network's judgement over one carrier, with what the on-start script explains.
func (q Question) judge(over Carrier) []network.Hop {
	hops := network.Judge(q.World, q.Client, q.Database, q.Port, over.ID)
	for n, h := range hops {
		if h.Hop == "host route" {
			hops[n] = q.Script.judged(h, len(q.Client.Host.Routes) > 0)
		}
	}
	return hops
}

// badness orders paths: by how many hops fail, then by how many nobody knows. A path of which nothing is known is worse than any.
func badness(hops []network.Hop) int {
	n := 0
	for _, h := range hops {
		switch {
		case h.Hop == "path":
			return 1 << 16
		case h.Answer == network.No:
			n += 1 << 8
		case h.Answer == network.Unknown:
			n++
		}
	}
	return n
}

// Code is the stable name of a hop.
func Code(hop string) string { return strings.ReplaceAll(strings.ToLower(hop), " ", "-") }

// whose is the account whose thing a hop is about, where the judge does not name one.
func (q Question) whose(code string, over Carrier) string {
	switch code {
	case "client-group", "client-acl", "route-there", "name-resolution", "host-route", "port":
		return q.From.Account
	case "database-acl", "database-group", "route-back", "acl-back", "share":
		return q.To.Account
	case "gateway-route", "gateway-route-back":
		if g := q.gateway(over.ID); g != nil {
			return g.Owner
		}
	}
	return ""
}

func (q Question) gateway(id string) *network.Gateway {
	if n := slices.IndexFunc(q.World.Gateways, func(g network.Gateway) bool { return g.ID == id }); n >= 0 {
		return &q.World.Gateways[n]
	}
	return nil
}

// unconnected is the hop of two VPCs that nothing connects.
func (q Question) unconnected() Hop {
	h := Hop{Code: "connection", Answer: "no", Whose: q.From.Account, Detail: fmt.Sprintf("no peering is between %s and %s, and no transit gateway has both", q.From.VPC, q.To.VPC)}
	from, _ := vpcOf(q.World, q.From.VPC)
	to, _ := vpcOf(q.World, q.To.VPC)
	if a, b, ok := overlap(from.CIDRs, to.CIDRs); ok {
		h.Remedy = fmt.Sprintf("%s of %s and %s of %s overlap, so no peering can be made; connect them by a transit gateway, or move one to other addresses", a, from.ID, b, to.ID)
		return h
	}
	words := []string{"aws", "ec2", "create-vpc-peering-connection", "--region", q.From.Region, "--vpc-id", q.From.VPC, "--peer-vpc-id", q.To.VPC, "--peer-owner-id", q.To.Account}
	if q.To.Region != q.From.Region {
		words = append(words, "--peer-region", q.To.Region)
	}
	h.Remedy = "request a peering; where Drawbridge is deployed it does the rest, if the policy allows it"
	h.Mends = []Change{{Account: q.From.Account, What: "request a peering", Command: words}}
	return h
}

func overlap(a, b []netip.Prefix) (netip.Prefix, netip.Prefix, bool) {
	for _, p := range a {
		for _, o := range b {
			if p.Overlaps(o) {
				return p, o, true
			}
		}
	}
	return netip.Prefix{}, netip.Prefix{}, false
}

func vpcOf(w network.World, id string) (network.VPC, bool) {
	n := slices.IndexFunc(w.VPCs, func(v network.VPC) bool { return v.ID == id })
	if n < 0 {
		return network.VPC{}, false
	}
	return w.VPCs[n], true
}

// said fills in the answer and its line.
func (q Question) said(a Answer) Answer {
	var no, unknown []Hop
	for _, h := range a.Hops {
		switch h.Answer {
		case "no":
			no = append(no, h)
		case "unknown":
			unknown = append(unknown, h)
		}
	}
	way := fmt.Sprintf("%s → %s:%d", q.From.Name, q.To.Name, q.To.Port)
	over := ""
	if a.Over != "" && a.Over != "local" {
		over = " over " + a.Over
	}
	switch {
	case len(no) > 0:
		a.Answer, a.Line = "no", fmt.Sprintf("%s does not connect%s: %s", way, over, no[0].Detail)
		if more := len(no) - 1; more > 0 {
			a.Line += fmt.Sprintf("; and %d more", more)
		}
	case len(unknown) > 0 || len(a.Hops) == 0:
		a.Answer, a.Line = "unknown", fmt.Sprintf("whether %s connects%s cannot be said", way, over)
		if len(unknown) > 0 {
			a.Line += ": " + unknown[0].Detail
		}
	default:
		a.Answer, a.Line = "yes", fmt.Sprintf("%s connects%s: every hop holds", way, over)
	}
	return a
}

// Heeding returns the question without the tags that do not hold for a connection, as a policy forbids their owners to keep things out.
func (q Question) Heeding(e board.Entry) Question {
	q.Words = slices.DeleteFunc(slices.Clone(q.Words), func(w Word) bool { return w.Key == tag.Reach && e.Line.Overruled[w.Thing.Account] != "" })
	return q
}

// With returns the answer with what the ledger says of the connection. A peering that waits for its owner's word is not accepted past it: the word
// takes the place of the command that accepts.
func (a Answer) With(e board.Entry) Answer {
	l := e.Line
	a.Managed = &Managed{ID: l.ID, State: l.State, Reason: l.Reason, Waits: l.Waits, By: l.By, Command: l.Command, Keeps: l.Keeps()}
	if len(l.Command) == 0 {
		return a
	}
	a.Hops = slices.Clone(a.Hops)
	for n, h := range a.Hops {
		if h.Code == "carrier" && len(h.Mends) > 0 {
			a.Hops[n].Mends = []Change{{Account: l.By, What: "approve what Drawbridge asked; it does the rest", Command: l.Command}}
		}
	}
	return a
}
