package who

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Of makes the answer, of what was read of the ledger and of the database.
func Of(r board.Rows, f Facts, at time.Time) Who {
	d := f.Database
	w := Who{Head: answer.HeadOf("Who"), At: at.UTC(), Roads: []Road{}, Unread: f.Unread,
		Database: Database{Name: d.ID, Engine: d.Engine, ARN: d.ARN, Account: f.At.Account, Region: f.At.Region, VPC: f.VPC, Port: d.Port, Groups: append([]string{}, d.Groups...), Endpoints: f.Endpoints, Shared: d.Tags[tag.Share]}}
	if word, ok := last(r.Words(d.ARN), tag.Share); ok {
		w.Database.SharedBy, w.Database.SharedAt = word.By.Who, word.At
	}
	ours := added(r, f)
	for _, c := range r.Entries() {
		if sweep.Standing(c) && c.Kind.Connects() {
			for _, end := range f.ends() {
				if one, ok := over(r, c, f, end, ours); ok {
					w.Roads = append(w.Roads, one)
				}
			}
		}
	}
	for _, i := range f.Rules {
		if !ours[i.Group+" "+source(i)] {
			w.Roads = append(w.Roads, ruled(i, f.At))
		}
	}
	w.Roads = append(w.Roads, asked(r, f, DataAPI, tag.DataAPI)...)
	w.Roads = append(w.Roads, asked(r, f, Studio, tag.Studio)...)
	slices.SortStableFunc(w.Roads, func(a, b Road) int {
		return cmp.Or(slices.Index(order, a.Road)-slices.Index(order, b.Road), strings.Compare(a.Account, b.Account), strings.Compare(a.Over, b.Over), slices.Compare(a.From, b.From))
	})
	return w
}

var order = []string{Peering, Gateway, DataAPI, Studio, Rule}

// ends are all places where a database answers, itself first.
func (f Facts) ends() []Endpoint {
	return append([]Endpoint{{VPC: f.VPC, Port: f.Database.Port, Groups: f.Database.Groups}}, f.Endpoints...)
}

// groups are those of all ends.
func (f Facts) groups() []string {
	var out []string
	for _, e := range f.ends() {
		out = append(out, e.Groups...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// last returns the last word of a tag.
func last(words []ledger.Word, key string) (ledger.Word, bool) {
	for _, w := range slices.Backward(words) {
		if w.Said == key {
			return w, true
		}
	}
	return ledger.Word{}, false
}

// added are the group and source of each rule that Drawbridge added for a connection that stands. A rule that it left behind is its owner's to judge.
func added(r board.Rows, f Facts) map[string]bool {
	out := map[string]bool{}
	for _, group := range f.groups() {
		for _, i := range r.Rules(f.At.Account, f.At.Region, group) {
			source, _ := parts(i.Key)
			if slices.ContainsFunc(i.Needed, func(id string) bool {
				c, ok := r.Entry(id)
				return ok && sweep.Standing(c)
			}) {
				out[group+" "+source] = true
			}
		}
	}
	return out
}

// over is the road over a connection that stands to one end, and whether it is one: it ends in that VPC, and a rule of the end's groups lets the other side in.
func over(r board.Rows, c ledger.Connection, f Facts, end Endpoint, added map[string]bool) (Road, bool) {
	n := slices.IndexFunc(c.Sides, func(s ledger.Side) bool { return s.ID == end.VPC })
	m := slices.IndexFunc(c.Sides, func(s ledger.Side) bool { return s.ID != end.VPC })
	if n < 0 || m < 0 {
		return Road{}, false
	}
	here, there := c.Sides[n], c.Sides[m]
	out := Road{Account: there.Account, VPC: there.ID, To: end.Name, From: []string{}, Ends: []End{}}
	out.decided(r, c)
	for _, group := range end.Groups {
		for _, i := range r.Rules(f.At.Account, f.At.Region, group) {
			if source, port := parts(i.Key); i.NeededBy(c.ID) && port == fmt.Sprint(end.Port) && (i.State == ledger.Confirmed || i.State == ledger.Intended) {
				out.From = append(out.From, source)
			}
		}
	}
	ours := len(out.From) > 0
	var own []Ingress
	for _, i := range f.Rules {
		if slices.Contains(end.Groups, i.Group) && !added[i.Group+" "+source(i)] && lets(i, there) {
			own, out.From = append(own, i), append(out.From, source(i))
		}
	}
	if len(out.From) == 0 {
		return out, false
	}
	slices.Sort(out.From)
	out.From = slices.Compact(out.From)
	if ours {
		if call, ok := without(f, tag.Share, there.Account); ok {
			out.Ends = append(out.Ends, End{"account " + there.Account + " loses this database, over every connection", call})
		}
	}
	if len(own) > 0 {
		out.Detail = "a rule of its owner's lets them in, beside what Drawbridge added"
		if !ours {
			out.Detail = "a rule of its owner's lets them in"
		}
		for _, i := range own {
			out.Ends = append(out.Ends, End{"whoever is let in by " + source(i), deed.Revoke(f.At, i.Group, i.ID)})
		}
	}
	switch c.Kind.Carrier() {
	case road.ByPeering:
		out.Road = Peering
		t := deed.Thing{Kind: tag.Peering, ID: c.ID, Account: here.Account, Region: here.Region}
		out.Ends = append(out.Ends, End{"all that Drawbridge added for " + c.ID + ", on both sides", deed.Tag(t, tag.Approval, "rejected")})
	case road.ByGateway:
		out.Road = Gateway
		if a, ok := attachment(r, c.ID, here); ok {
			t := deed.Thing{Kind: tag.Attachment, ID: a.ID, Account: here.Account, Region: here.Region}
			out.Ends = append(out.Ends, End{"all pairs of " + here.ID + " on the gateway", deed.Tag(t, tag.Approval, "rejected")})
		}
	case road.ByNothing:
	}
	return out, true
}

// decided fills in who decided, and when.
func (road *Road) decided(r board.Rows, c ledger.Connection) {
	road.Over, road.State, road.Policy, road.Asked, road.Since = c.ID, string(c.Status), c.Policy, c.Asked, c.Since.UTC()
	if w, ok := board.Approver(c, r.Words(c.ID)); ok {
		road.ApprovedBy, road.ApprovedAt = w.By.Who, w.At.UTC()
	}
}

// attachment is the entry of a VPC's attachment to the gateway of a pair.
func attachment(r board.Rows, pair string, of ledger.Side) (ledger.Connection, bool) {
	gateway, _, ok := strings.Cut(pair, ":")
	if !ok {
		return ledger.Connection{}, false
	}
	all := r.Entries()
	n := slices.IndexFunc(all, func(c ledger.Connection) bool {
		return c.Kind == road.Attachment && slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.ID == of.ID }) &&
			slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.ID == gateway })
	})
	if n < 0 {
		return ledger.Connection{}, false
	}
	return all[n], true
}

// parts are the source and the port in the key of a rule that lets something in; see [firewall.Key].
func parts(key string) (source, port string) {
	f := strings.Fields(key)
	if len(f) != 4 || f[0] != "ingress" {
		return "", ""
	}
	return f[3], f[2]
}

// lets reports whether a rule lets in something of a VPC.
func lets(i Ingress, side ledger.Side) bool {
	if i.CIDR.IsValid() {
		return slices.ContainsFunc(side.CIDRs, func(text string) bool {
			p, err := netip.ParsePrefix(text)
			return err == nil && p.Overlaps(i.CIDR)
		})
	}
	return i.Account != "" && (i.Account == side.Account || slices.Contains(side.Participants, i.Account)) && strings.HasPrefix(i.Other, "sg-")
}

func source(i Ingress) string {
	if i.CIDR.IsValid() {
		return i.CIDR.String()
	}
	return i.Other
}

// ruled is the road by a rule of the owner's.
func ruled(i Ingress, at event.Place) Road {
	ports := fmt.Sprintf("port %d", i.From)
	if i.To != i.From {
		ports = fmt.Sprintf("ports %d to %d", i.From, i.To)
	}
	detail := fmt.Sprintf("%s of %s, %s", i.ID, i.Group, ports)
	if i.Says != "" {
		detail += ": " + i.Says
	}
	return Road{Road: Rule, Account: i.Account, From: []string{source(i)}, Detail: detail, Ends: []End{{"whoever is let in by it", deed.Revoke(at, i.Group, i.ID)}}}
}

// asked are the roads that a tag of the database's owner asks for: whom the role of the road trusts, or, if that could not be read, whom the tag names.
func asked(r board.Rows, f Facts, name, key string) []Road {
	c, managed := r.Entry(f.Database.ARN)
	if !managed && tag.Letting(f.Database.Tags) == tag.Leave {
		return f.released(name)
	}
	if !managed || string(c.Kind) != name || !sweep.Standing(c) {
		return nil
	}
	admitted, read := f.Admitted[name]
	detail := ""
	if !read {
		admitted, detail = strings.Fields(f.Database.Tags[key]), "going by its tag: whom the policy admitted could not be read"
	}
	by := map[string][]string{}
	for _, principal := range admitted {
		account := cmp.Or(arn.AccountOf(principal), principal)
		by[account] = append(by[account], principal)
	}
	word, said := last(r.Words(f.Database.ARN), key)
	var out []Road
	for account, principals := range by {
		one := Road{Road: name, Account: account, From: principals, Detail: detail, Ends: []End{}}
		one.decided(r, c)
		if said {
			one.ApprovedBy, one.ApprovedAt = word.By.Who, word.At.UTC()
		}
		if call, ok := without(f, key, account); ok {
			one.Ends = append(one.Ends, End{"account " + account + " loses it over this road", call})
		} else if f.Kind != "" {
			one.Ends = append(one.Ends, End{"everybody loses it over this road", deed.Tag(f.thing(), key, "none")})
		}
		out = append(out, one)
	}
	return out
}

// released are the roads by a role that Drawbridge made and let go of: it is its owner's, and lets in whom it trusts.
func (f Facts) released(road string) []Road {
	role, policy := dataapi.RoleName(f.Database.ID), dataapi.PolicyName
	if road == Studio {
		role, policy = studio.RoleName(f.At.Region, f.Database.ID), studio.PolicyName
	}
	by := map[string][]string{}
	for _, principal := range f.Admitted[road] {
		by[arn.AccountOf(principal)] = append(by[arn.AccountOf(principal)], principal)
	}
	var out []Road
	for account, principals := range by {
		out = append(out, Road{Road: road, Account: account, From: principals, Detail: "by the role " + role + ", which is its owner's: Drawbridge let go of it",
			Ends: []End{{"everybody loses it over this road", deed.Disarm(f.At, role, policy)}}})
	}
	return out
}

// without is the call by which the database's owner takes one account out of a tag, and whether the tag names it.
func without(f Facts, key, account string) (deed.Call, bool) {
	value, ok := deed.Without(f.Database.Tags[key], account)
	if !ok || f.Kind == "" {
		return deed.Call{}, false
	}
	return deed.Tag(f.thing(), key, value), true
}

func (f Facts) thing() deed.Thing {
	return deed.Thing{Kind: f.Kind, ID: f.Database.ARN, Account: f.At.Account, Region: f.At.Region}
}
