package connection_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/gatewaypair"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/verdict"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// settler draws lands.
type settler struct {
	*rapid.T
	calm bool // nothing of AWS's or of an owner's is in the way of any path that the policy allows
}

// one in so many.
func (s settler) one(in int, label string) bool { return rapid.IntRange(1, in).Draw(s.T, label) == in }

// rough is one in so many where something may be in the way.
func (s settler) rough(in int, label string) bool { return !s.calm && s.one(in, label) }

func (s settler) of(label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(s.T, label)
}

func (s settler) some(label string, least, most int, from []string) []string {
	out := rapid.SliceOfNDistinct(rapid.SampledFrom(from), least, min(most, len(from)), rapid.ID).Draw(s.T, label)
	slices.Sort(out)
	return out
}

func (s settler) land() *land {
	answer := func(in int, label string) network.Answer { return network.Is(!s.rough(in, label)) }
	l := &land{carrier: s.of("carrier", "pcx-1", "tgw-1")}
	l.peering = network.Peering{ID: "pcx-1", Active: network.Yes, Resolves: [2]network.Answer{answer(4, "resolves"), answer(4, "resolves")}}
	if l.carrier != "pcx-1" && s.one(2, "no peering") {
		l.peering.Active = network.No
	}
	l.gateway = network.Gateway{ID: "tgw-1", Owner: "333333333333", DNS: answer(5, "DNS"), References: answer(3, "references"), Tables: []network.Table{{ID: "tgw-rtb-1"}}}
	apart, six := l.carrier == "pcx-1" && s.one(3, "another Region"), s.one(3, "IPv6")
	for n := range l.vpcs {
		l.vpcs[n] = s.estate(n, l, six)
		if apart && n == 1 {
			l.vpcs[n].Region = "eu-west-1"
		}
		l.peering.VPCs[n] = l.vpcs[n].ID
		at := network.Attachment{ID: "tgw-attach-" + l.vpcs[n].ID, VPC: l.vpcs[n].ID, Available: network.Yes, Table: "tgw-rtb-1", IPv6: network.Is(six), DNS: network.Yes, References: answer(4, "references")}
		for _, p := range l.vpcs[n].subnets {
			if !slices.ContainsFunc(at.Subnets, func(id string) bool { return l.vpcs[n].subnet(id).Zone == p.Zone }) {
				at.Subnets = append(at.Subnets, p.ID)
			}
		}
		l.gateway.Attachments = append(l.gateway.Attachments, at)
		for _, p := range l.vpcs[n].CIDRs {
			l.gateway.Tables[0].Routes = append(l.gateway.Tables[0].Routes, network.Route{Destination: p, Target: at.ID, Propagated: true})
		}
	}
	return l
}

func (s settler) estate(n int, l *land, six bool) *estate {
	own, other := n+1, 2-n
	e := &estate{VPC: workflow.VPC{Account: strings.Repeat(fmt.Sprint(own), 12), Region: "us-east-1", ID: fmt.Sprintf("vpc-%d", own), CIDRs: []netip.Prefix{prefixed(fmt.Sprintf("10.%d.0.0/16", own))}},
		names: network.Names{Support: network.Is(!s.rough(8, "DNS support")), Hostnames: network.Yes}, tags: map[string]string{},
		lists: map[string][]netip.Prefix{"pl-1": {prefixed(fmt.Sprintf("10.%d.1.0/24", other)), prefixed("192.168.0.0/16")}, "pl-9": nil}}
	if s.one(3, "second range") {
		e.CIDRs = append(e.CIDRs, prefixed(fmt.Sprintf("10.1%d.0.0/16", own)))
	}
	if six {
		e.CIDRs = append(e.CIDRs, prefixed(fmt.Sprintf("fd00:%d::/56", own)))
	}
	if s.one(10, "all of it") {
		e.tags["drawbridge:reach"] = "vpc"
	}
	for m := range rapid.IntRange(2, 4).Draw(s.T, "subnets") {
		range4 := fmt.Sprintf("10.%d.%d.0/24", own, m)
		if len(e.CIDRs) > 1 && e.CIDRs[1].Addr().Is4() && s.one(3, "in the second range") {
			range4 = fmt.Sprintf("10.1%d.%d.0/24", own, m)
		}
		p := parcel{Subnet: network.Subnet{ID: fmt.Sprintf("subnet-%d%d", own, m), Zone: []string{"us-east-1a", "us-east-1b"}[m%2], CIDRs: []netip.Prefix{prefixed(range4)}},
			client: s.one(6, "marked"), apart: s.rough(10, "kept out")}
		if six && s.one(2, "both families") {
			p.CIDRs = append(p.CIDRs, prefixed(fmt.Sprintf("fd00:%d:0:%d::/64", own, m)))
		}
		e.subnets = append(e.subnets, p)
	}
	s.routes(e, l, other)
	s.acls(e, other)
	s.things(e, own, other)
	s.rules(e, own, other)
	return e
}

func (s settler) routes(e *estate, l *land, other int) {
	for m := range rapid.IntRange(1, 3).Draw(s.T, "tables") {
		t := &board{Table: network.Table{ID: fmt.Sprintf("rtb-%s-%d", e.ID, m), Main: m == 0}, apart: s.rough(12, "kept out"), divert: s.of("divert", "", "", "true", "tgw-1")}
		for _, p := range e.CIDRs {
			t.Routes = append(t.Routes, network.Route{Destination: p, Target: "local"})
		}
		put := func(to, target string, more func(*network.Route)) {
			r := network.Route{Destination: prefixed(to), Target: target, Blackhole: strings.HasSuffix(target, "-dead")}
			if more != nil {
				more(&r)
			}
			if !slices.ContainsFunc(t.Routes, func(o network.Route) bool { return o.Destination == r.Destination }) {
				t.Routes = append(t.Routes, r)
			}
		}
		if s.one(2, "internet") {
			put("0.0.0.0/0", "nat-1", nil)
		}
		their := []string{fmt.Sprintf("10.%d.0.0/16", other), fmt.Sprintf("10.%d.%d.0/24", other, 1), fmt.Sprintf("10.%d.0.0/23", other), fmt.Sprintf("10.1%d.0.0/16", other)}
		for range rapid.IntRange(0, 2).Draw(s.T, "routes") {
			if s.calm {
				if to := s.of("to", their...); s.one(2, "dead") { // a wider one: what is narrower and dead is its owner's to mend
					put(their[0], "pcx-dead", nil)
				} else {
					put(to, l.carrier, nil)
				}
				continue
			}
			put(s.of("to", append(their, "10.0.0.0/8", "0.0.0.0/0")...), s.of("target", "pcx-1", "tgw-1", "tgw-1", "pcx-dead", "eni-wall", "vgw-1", "tgw-9"), func(r *network.Route) {
				if r.Target == "pcx-1" && l.peering.Active != network.Yes {
					r.Target = "tgw-1"
				}
				r.Propagated = r.Target == "vgw-1"
			})
		}
		for n, list := range []string{"pl-1", "pl-9"} {
			if s.rough([]int{8, 40}[n], "list") {
				t.lists = append(t.lists, network.List{ID: list, Target: s.of("target", "tgw-1", "tgw-9", l.carrier)})
			}
		}
		e.tables = append(e.tables, t)
	}
	for _, p := range e.subnets {
		if n := rapid.IntRange(0, len(e.tables)-1).Draw(s.T, "table"); n > 0 || s.one(2, "explicitly") {
			e.tables[n].Subnets = append(e.tables[n].Subnets, p.ID)
		}
	}
}

func (s settler) acls(e *estate, other int) {
	for _, p := range e.subnets {
		entries := func() []network.Entry {
			var out []network.Entry
			if s.rough(9, "an entry") {
				out = append(out, network.Entry{Number: 90, CIDR: prefixed(fmt.Sprintf("10.%d.%d.0/24", other, rapid.IntRange(0, 2).Draw(s.T, "from"))), Ports: network.Ports{From: 1024, To: 65535}})
			}
			return append(out, network.Entry{Number: 100, Allow: true, CIDR: prefixed("0.0.0.0/0"), Ports: network.AllPorts}, network.Entry{Number: 101, Allow: true, CIDR: prefixed("::/0"), Ports: network.AllPorts})
		}
		e.acls = append(e.acls, network.ACL{ID: "acl-" + p.ID, Subnets: []string{p.ID}, Ingress: entries(), Egress: entries()})
	}
}

func (s settler) things(e *estate, own, other int) {
	subnets, groups := []string{}, []string{fmt.Sprintf("sg-%d-a", own), fmt.Sprintf("sg-%d-b", own), fmt.Sprintf("sg-%d-c", own)}
	for _, p := range e.subnets {
		subnets = append(subnets, p.ID)
	}
	for n, id := range append([]string{fmt.Sprintf("sg-%d-0", own)}, groups...) {
		e.groups = append(e.groups, &guard{Group: network.Group{ID: id, Name: map[bool]string{true: "default", false: id}[n == 0]}, client: n > 0 && s.one(8, "marked"), open: s.rough(10, "asked for"), apart: n > 0 && s.one(5, "kept out")})
	}
	for n := range rapid.IntRange(0, 3).Draw(s.T, "clients") {
		k := rapid.SampledFrom([]kind{book, plain, function, machine}).Draw(s.T, "kind")
		t := thing{kind: k, name: fmt.Sprintf("%c%d%d", k[0], own, n), groups: s.some("groups", 1, 2, append(slices.Clone(groups), e.groups[0].ID)), set: !s.rough(4, "not set")}
		if t.subnets = s.some("in", 1, 1, subnets); k == function {
			t.subnets = s.some("in", 1, 2, subnets)
		}
		t.at = t.subnets
		e.things = append(e.things, t)
	}
	for n := range rapid.IntRange(0, 3).Draw(s.T, "databases") {
		t := thing{kind: stock, name: fmt.Sprintf("db%d%d", own, n), groups: s.some("groups", 1, 2, append(slices.Clone(groups), e.groups[0].ID)), subnets: s.some("in", 1, 2, subnets),
			network: s.of("network", "IPV4", "IPV4", "DUAL"), public: s.one(3, "public"), ports: rapid.SampledFrom([][]int{{1433}, {1433}, {1433, 5022}, {5022}}).Draw(s.T, "ports"),
			shared: s.of("shared", "", strings.Repeat(fmt.Sprint(other), 12), "true", "999999999999")}
		if s.calm || s.one(2, "a group of its own") {
			g := &guard{Group: network.Group{ID: fmt.Sprintf("sg-%d-db%d", own, n), Name: "db"}, apart: s.rough(8, "kept out")}
			e.groups, t.groups = append(e.groups, g), append(t.groups, g.ID)
		}
		t.at = []string{rapid.SampledFrom(t.subnets).Draw(s.T, "at")}
		e.things = append(e.things, t)
	}
}

func (s settler) rules(e *estate, own, other int) {
	all := []network.Rule{{Ports: network.AllPorts, CIDR: prefixed("0.0.0.0/0")}, {Ports: network.AllPorts, CIDR: prefixed("::/0")}}
	drawn := func() network.Rule {
		r := network.Rule{Ports: rapid.SampledFrom([]network.Ports{{From: 1433, To: 1433}, {From: 5022, To: 5022}, network.AllPorts, {From: 443, To: 443}}).Draw(s.T, "ports")}
		switch from := s.of("peer", "10.0.0.0/8", fmt.Sprintf("10.%d.0.0/16", other), fmt.Sprintf("10.%d.1.0/24", other), fmt.Sprintf("10.%d.0.0/16", own), fmt.Sprintf("sg-%d-a", other), fmt.Sprintf("sg-%d-b", own)); {
		case strings.HasPrefix(from, "sg-"):
			r.Group = from
		default:
			r.CIDR = prefixed(from)
		}
		return r
	}
	for _, g := range e.groups {
		for range rapid.IntRange(0, 1).Draw(s.T, "ingress") {
			g.Ingress = append(g.Ingress, drawn())
		}
		if g.Egress = all; s.one(3, "egress") {
			g.Egress = nil
			for range rapid.IntRange(0, 2).Draw(s.T, "egress") {
				if r := drawn(); !slices.Contains(g.Egress, r) {
					g.Egress = append(g.Egress, r)
				}
			}
		}
		g.Egress = slices.Clone(g.Egress)
	}
}

// law is the policy: the default one, and what is forbidden beside.
type law struct {
	forbidden map[string]bool // databases
	port      int             // at which none may be reached
}

func (s settler) law() law {
	out := law{forbidden: map[string]bool{}}
	for _, name := range s.some("forbidden", 0, 2, []string{"db10", "db11", "db20", "db21"}) {
		out.forbidden[name] = true
	}
	if s.one(5, "a port") {
		out.port = 5022
	}
	return out
}

func (l law) set() (*policy.Set, error) {
	text := policy.DefaultText()
	for name := range l.forbidden {
		text += fmt.Sprintf("\n@id(%q) forbid (principal, action == Drawbridge::Action::\"Open\", resource) when { resource.id == %q };", "never-"+name, name)
	}
	if l.port > 0 {
		text += fmt.Sprintf("\n@id(\"port\") forbid (principal, action == Drawbridge::Action::\"Open\", resource) when { resource.port == %d };", l.port)
	}
	return policy.Parse("policy", []byte(text))
}

// opens says whether the owner of a database and the policy want it to be reached from an account.
func (l law) opens(d thing, port int, from string) bool {
	return (d.shared == from || d.shared == "true") && !l.forbidden[d.name] && port != l.port
}

// connect does what the machines do of a connection that is decided. What a look added before it knew of a group that is kept out is taken back by the next.
func (l *land) connect(ctx context.Context, set *policy.Set) (out workflow.VerifyConnectionOutput, err error) {
	entry := connection.Entry(l.connection(), road.Peering, ledger.Requested)
	for range 3 {
		back := l.as()
		if out, entry, err = l.look(ctx, set, entry); fault.Of(err) != fault.Over {
			return out, err
		}
		back()
	}
	return out, err
}

// as returns what makes the land what it is now.
func (l *land) as() (back func()) {
	var undo []func()
	for _, e := range l.vpcs {
		for _, t := range e.tables {
			routes := slices.Clone(t.Routes)
			undo = append(undo, func() { t.Routes = routes })
		}
		for _, g := range e.groups {
			in, out := slices.Clone(g.Ingress), slices.Clone(g.Egress)
			undo = append(undo, func() { g.Ingress, g.Egress = in, out })
		}
	}
	return func() {
		for _, f := range undo {
			f()
		}
	}
}

// look does one look, and what follows it: the same steps, in the same order, on the land. It returns the entry of the connection as it is then.
func (l *land) look(ctx context.Context, set *policy.Set, entry ledger.Connection) (out workflow.VerifyConnectionOutput, now ledger.Connection, err error) {
	s, c := l.surveyor(set), l.connection()
	read := func(e *estate) func(context.Context) (*workflow.Facts, error) {
		return func(ctx context.Context) (*workflow.Facts, error) {
			return s.VPC(ctx, e.Place(), e.ID, member(e.Account))
		}
	}
	one, other, err := s.Pair(ctx, l.carrier, read(l.vpcs[0]), read(l.vpcs[1]))
	if err != nil {
		return out, entry, err
	}
	first := &survey.SideFacts{Here: one, There: other, Side: &workflow.Side{Role: "requester", VPC: one.VPC, Peer: other.VPC, StatusResource: l.carrier, Tables: one.Tables}, Entry: entry}
	second := &survey.SideFacts{Here: other, There: one, Side: &workflow.Side{Role: "accepter", VPC: other.VPC, Peer: one.VPC, StatusResource: l.carrier, Tables: other.Tables}, Entry: entry}
	refers := one.VPC.Region == other.VPC.Region
	first.Side.Peer.CIDRs, second.Side.Peer.CIDRs = survey.Reachable(one.VPC.CIDRs, other.VPC.CIDRs), survey.Reachable(other.VPC.CIDRs, one.VPC.CIDRs)
	if !c.OwnsTarget() {
		q := gatewaypair.Question{Gateway: gatewaypair.Gateway{References: l.gateway.References == network.Yes}}
		for n, a := range l.gateway.Attachments {
			q.Ends[n] = gatewaypair.End{VPC: []workflow.VPC{one.VPC, other.VPC}[n], Attachment: &gatewaypair.Attachment{ID: a.ID, IPv6: a.IPv6 == network.Yes, References: a.References == network.Yes}}
			for _, r := range l.gateway.Tables[0].Routes {
				q.Ends[n].Entries = append(q.Ends[n].Entries, gatewaypair.Entry{Destination: r.Destination, Attachment: r.Target})
			}
		}
		first.Side.Peer.CIDRs, second.Side.Peer.CIDRs, refers = gatewaypair.Crossing(q, 0), gatewaypair.Crossing(q, 1), gatewaypair.Refers(q, nil)
		first.Side.Attached, second.Side.Attached = l.gateway.Attachments[0].Subnets, l.gateway.Attachments[1].Subnets
		if l.peering.Active == network.Yes {
			first.Side.Alternates, second.Side.Alternates = []string{"pcx-1"}, []string{"pcx-1"}
		}
	}
	first.Side.Refers, second.Side.Refers = refers, refers
	sides, err := s.Produce(ctx, first, second)
	if err != nil {
		return out, entry, err
	}
	survey.Appoint(survey.Sides(sides)...)
	batches, err := s.Consume(ctx, sides...)
	if err != nil {
		return out, entry, err
	}
	in := workflow.VerifyConnectionInput{Execution: "run", Connection: c, Sides: survey.Values(sides), Found: survey.Closed(sides...), Batches: batches}
	book, _ := ledgertest.New()
	if _, err := book.Begin(ctx, entry); err != nil {
		return out, entry, err
	}
	var failed []error
	for n, side := range in.Sides {
		routed, err := route.Add(ctx, l.vpcs[n], book, "run", c, side)
		in.Routed, failed = append(in.Routed, routed), append(failed, err)
	}
	if err := errors.Join(failed...); err != nil {
		return out, entry, err
	}
	for n, side := range in.Sides {
		opened, err := firewall.Open(ctx, l.vpcs[n], book, "run", c.ID, side)
		in.Opened, failed = append(in.Opened, opened), append(failed, err)
	}
	if err := errors.Join(failed...); err != nil {
		return out, entry, err
	}
	for _, b := range batches {
		in.Injected = append(in.Injected, l.injected(b))
	}
	events := []string{}
	v := connection.Verifier{Ledger: book, Bus: notice.Bus{API: world{events: &events}, Name: "drawbridge"}, Still: func(context.Context) error { return nil },
		Enter: func(v workflow.VPC) connection.Tagger { return world{account: v.Account, tags: map[string][]string{}} },
		World: seen{l}}
	out, err = v.Verify(ctx, in)
	now, _, failure := book.Connection(ctx, c.ID)
	return out, now, cmp.Or(err, failure)
}

// seen is what is read of a land: all of it is read now.
type seen struct{ *land }

func (s seen) Read(_ context.Context, _ discover.Carrier, of [2]discover.VPC) (network.World, error) {
	return s.read(of), nil
}

func (s seen) Anew(_ context.Context, _ network.World, of [2]discover.VPC) (network.World, error) {
	return s.read(of), nil
}

// read is as much of the land as is asked for; over a gateway all subnets are read.
func (l *land) read(of [2]discover.VPC) network.World {
	w := l.model()
	for n := range w.VPCs {
		v := &w.VPCs[n]
		v.Groups = slices.DeleteFunc(v.Groups, func(g network.Group) bool { return !slices.Contains(of[n].Groups, g.ID) })
		v.Subnets = slices.DeleteFunc(v.Subnets, func(s network.Subnet) bool {
			return l.carrier == "pcx-1" && !slices.Contains(of[n].Subnets, s.ID)
		})
	}
	return w
}

func (l *land) injected(b workflow.Batch) workflow.NotebooksOutput {
	var out workflow.NotebooksOutput
	for _, e := range l.vpcs {
		for _, name := range b.Names {
			if n := slices.IndexFunc(e.things, func(t thing) bool { return t.name == name && e.ID == b.VPC }); n >= 0 {
				became := workflow.HostNone
				switch t := e.things[n]; {
				case t.kind == plain:
					became = workflow.HostNeedless
				case t.set:
					became = workflow.HostSet
				}
				out.Hosts += string(became)
			}
		}
	}
	return out
}

// host is what a notebook's script sends into its VPC, nil for what needs none.
func (e *estate) host(t thing) *network.Host {
	if t.kind != book {
		return nil
	}
	out := &network.Host{}
	table := e.tableOf(t.subnets[0])
	routes := slices.Clone(table.Routes)
	for _, list := range table.lists {
		for _, p := range e.lists[list.ID] {
			routes = append(routes, network.Route{Destination: p, Target: list.Target})
		}
	}
	for _, r := range routes {
		through := strings.HasPrefix(r.Target, "pcx-") || strings.HasPrefix(r.Target, "tgw-")
		if t.set && through && !r.Blackhole && r.Destination.Bits() > 0 && lifecycle.Unroutable(e.subnet(t.subnets[0]).CIDRs[0], r.Destination) == "" {
			out.Routes = append(out.Routes, r.Destination)
		}
	}
	return out
}

// walk is one interface of what may call, one of a database, and a port.
type walk struct {
	from, to    *estate
	client, db  int // among their things
	at, in      string
	port        int
	packets     network.Answer // whether packets pass
	whole       network.Answer // and names are resolved, and the notebook sends them
	admitted    bool           // the groups of the database let it in
	alone       bool           // nothing is in the way but the client's own groups: they let it out to subnets, and so to what else is there
	description string
}

func (w walk) String() string {
	return fmt.Sprintf("%s in %s → %s in %s, port %d", w.from.things[w.client].name, w.at, w.to.things[w.db].name, w.in, w.port)
}

// walks judges every interface of what is in one VPC with every one of the databases in the other.
func (l *land) walks() []walk {
	var out []walk
	world := l.model()
	for n, e := range l.vpcs {
		other := l.vpcs[1-n]
		for c, caller := range e.things {
			for d, db := range other.things {
				if caller.kind == stock || db.kind != stock {
					continue
				}
				for _, at := range caller.at {
					for _, in := range db.at {
						for _, port := range db.ports {
							hops := network.Judge(world, network.Client{Name: caller.name, VPC: e.ID, Subnets: []string{at}, Groups: caller.groups, Addresses: e.addresses(c, at), Host: e.host(caller)},
								network.Database{Name: db.name, VPC: other.ID, Subnets: []string{in}, Groups: db.groups, Addresses: other.addresses(d, in), Dual: db.network == "DUAL", Public: network.Is(db.public)}, port, l.carrier)
							packets := slices.DeleteFunc(slices.Clone(hops), func(h network.Hop) bool { return h.Hop == "name resolution" || h.Hop == "host route" })
							out = append(out, walk{e, other, c, d, at, in, port, network.All(packets), network.All(hops),
								slices.ContainsFunc(hops, func(h network.Hop) bool { return h.Hop == "database group" && h.Answer == network.Yes }),
								!slices.ContainsFunc(packets, func(h network.Hop) bool { return (h.Answer == network.Yes) == (h.Hop == "client group") }), told(hops)})
						}
					}
				}
			}
		}
	}
	return out
}

func told(hops []network.Hop) string {
	out := ""
	for _, h := range hops {
		out += fmt.Sprintf("\n  %s %s: %s", h.Answer.Mark(), h.Hop, h.Detail)
	}
	return out
}

func (e *estate) kept(subnet string) bool { return e.subnet(subnet).apart || e.tableOf(subnet).apart }

// marks reports whether an owner marks an interface as a client's.
func (e *estate) marks(t thing, at string) bool {
	return e.subnet(at).client || slices.ContainsFunc(e.groups, func(g *guard) bool { return g.client && !g.apart && slices.Contains(t.groups, g.ID) })
}

// barred reports whether a thing has none but groups that their owner keeps out.
func (e *estate) barred(t thing) bool {
	return !slices.ContainsFunc(e.groups, func(g *guard) bool { return !g.apart && slices.Contains(t.groups, g.ID) })
}

// client reports whether an interface of a thing is a client's: one whose owner keeps it out is none's.
func (e *estate) client(t thing, at string) bool {
	return (t.kind != stock && t.kind != machine || e.marks(t, at)) && !e.kept(at) && !e.barred(t)
}

// calls reports whether the interface is a client's.
func (w walk) calls() bool { return w.from.client(w.from.things[w.client], w.at) }

// allowed reports whether owners and policy want the walk.
func (w walk) allowed(l law) bool {
	return w.calls() && !w.to.barred(w.to.things[w.db]) && w.shared(l)
}

// shared reports whether owner and policy want the database to be reached, be it by what its owner lets in alone.
func (w walk) shared(l law) bool { return l.opens(w.to.things[w.db], w.port, w.from.Account) }

// wide reports whether an owner asks for more than is shared: one of a VPC for all of it, or one of a group of the database for all that has the group.
func (w walk) wide() bool {
	open := slices.ContainsFunc(w.to.groups, func(g *guard) bool { return g.open && slices.Contains(w.to.things[w.db].groups, g.ID) })
	return open || w.from.tags["drawbridge:reach"] == "vpc" || w.to.tags["drawbridge:reach"] == "vpc"
}

// kin reports whether who is no client has the subnet, or a group, of one: what lets that one in lets in all of it, but no rule refers to a group that is kept
// out. A marked subnet calls by itself.
func (w walk) kin() bool {
	t := w.from.things[w.client]
	marked := func(at string) bool { return w.from.subnet(at).client && !w.from.kept(at) }
	return slices.ContainsFunc(t.at, marked) || slices.ContainsFunc(w.from.things, func(c thing) bool {
		return slices.ContainsFunc(c.at, func(at string) bool {
			return w.from.client(c, at) && (slices.Contains(t.at, at) || slices.ContainsFunc(w.from.groups, func(g *guard) bool {
				return !g.apart && slices.Contains(c.groups, g.ID) && slices.Contains(t.groups, g.ID)
			}))
		})
	})
}

// said is what the verdict says of a walk: its lines, and whether all are ✓.
func (w walk) said(out workflow.VerifyConnectionOutput) (lines []workflow.Path, ok bool) {
	t := w.from.things[w.client]
	var names []string
	switch t.kind {
	case book, plain:
		names = []string{t.name}
	case function:
		names = []string{"function " + t.name}
	default:
		names = []string{"subnet " + w.at, "interfaces in subnet " + w.at}
		for _, g := range t.groups {
			names = append(names, "security group "+g)
		}
	}
	for _, p := range out.Verdict {
		for _, name := range names {
			if p.Hop.Hop == fmt.Sprintf("%s → %s:%d", name, w.to.things[w.db].name, w.port) {
				lines = append(lines, p)
			}
		}
	}
	return lines, len(lines) > 0 && !slices.ContainsFunc(lines, func(p workflow.Path) bool { return !p.OK })
}

// keptOut are the rules of the groups that their owners keep out, and those that refer to them.
func (l *land) keptOut() string {
	var out string
	for n, e := range l.vpcs {
		for _, g := range e.groups {
			if g.apart {
				out += fmt.Sprintf("\n  %s: %v %v", g.ID, g.Ingress, g.Egress)
			}
			for _, r := range g.Ingress {
				if r.Group != "" && slices.ContainsFunc(slices.Concat(e.groups, l.vpcs[1-n].groups), func(o *guard) bool { return o.apart && o.ID == r.Group }) {
					out += fmt.Sprintf("\n  %s: %v", g.ID, r)
				}
			}
		}
	}
	return out
}

// withheld reports whether lines say that the path would open more than is shared.
func withheld(lines []workflow.Path) bool {
	return slices.ContainsFunc(lines, func(p workflow.Path) bool { return strings.Contains(p.Detail, "which nobody shares") })
}

// For any two VPCs, over a peering or a gateway, and any policy: what is reached after connecting is what was reached before, and what owners and policy
// allow. Nothing that was reached is lost, and nothing else is gained. Where AWS or an owner is in the way of what is allowed, it is not reached, and the
// verdict does not say that it is; where nothing is, it is reached. What is no client gains nothing but by what lets a client in, or what its owners let in before.
func TestReachableIsWhatWasAndWhatIsAllowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := settler{T: t, calm: rapid.Bool().Draw(t, "calm")}
		l, law := s.land(), s.law()
		set, err := law.set()
		if err != nil {
			t.Fatal(err)
		}
		before, kept := l.walks(), l.keptOut()
		out, err := l.connect(t.Context(), set)
		t.Logf("%s, %v", l.carrier, err)
		for _, p := range out.Verdict {
			t.Logf("%s %s: %s", p.Mark(), p.Hop.Hop, p.Detail)
		}
		if now := l.keptOut(); now != kept {
			t.Fatalf("groups that are kept out had%s\nand have%s", kept, now)
		}
		for n, w := range l.walks() {
			was, allowed := before[n], w.allowed(law)
			lines, ok := w.said(out)
			switch {
			case was.packets == network.Yes && w.packets != network.Yes:
				t.Fatalf("%s is lost: it was%s\nand is%s", w, was.description, w.description)
			case !allowed && was.packets != network.Yes && w.packets == network.Yes && (w.calls() && !was.alone || !w.kin() && !was.admitted) && !w.wide() && !(was.admitted && w.calls() && w.shared(law)):
				t.Fatalf("%s is allowed by nobody: it was%s\nand is%s", w, was.description, w.description)
			case allowed && w.to.kept(w.in): // a failover leads there, and the verdict has a line of it
			case ok && w.whole != network.Yes && allowed:
				t.Fatalf("%s: the verdict says ✓, and it is%s", w, w.description)
			case allowed && s.calm && !withheld(lines) && (w.packets != network.Yes || err != nil):
				t.Fatalf("%s: nothing is in the way, and it is%s\n%v", w, w.description, err)
			case allowed && err == nil && len(lines) == 0 && len(out.Verdict) <= verdict.Shown:
				t.Fatalf("%s: the verdict has no line of it", w)
			}
		}
	})
}
