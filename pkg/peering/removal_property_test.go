package peering_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/database/databasetest"
	"github.com/drawbridge-cloud/drawbridge/pkg/dnsoption"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func (w *realm) ec2(v workflow.VPC) *land { return w.lands[v.Account] }

// forbidding is the policy that comes with Drawbridge, without routes.
var forbidding = func() *policy.Set {
	set, err := policy.Parse("policy", []byte(policy.DefaultText()+"\n@id(\"no-routes\") forbid (principal, action == Drawbridge::Action::\"Route\", resource);"))
	if err != nil {
		panic(err)
	}
	return set
}()

// policy is the one in force.
func (w *realm) policy(context.Context) (*policy.Set, error) {
	if w.forbidden {
		return forbidding, nil
	}
	return policy.Default(), nil
}

// inspect asks what a peering needs next.
func (w *realm) inspect(id, from string, trimmed bool) (workflow.InspectPeeringOutput, error) {
	inspector := peering.Inspector{
		Brake: func(context.Context, brake.Removal) error { return nil },
		Enter: func(_ string, p event.Place) peering.Clients {
			l := w.lands[p.Account]
			return peering.Clients{EC2: l, Databases: database.APIs{RDS: l, Redshift: l, Serverless: databasetest.Nothing{}, Tagged: databasetest.Nothing{}}, SageMaker: studio{l}, Lambda: l}
		},
		Account: func(_ context.Context, id string) (workflow.AccountFacts, error) {
			return workflow.AccountFacts{ID: id, Organization: "o-abc1234567", OUPath: "o-abc1234567/r-ab12/"}, nil
		},
		Units:  func(context.Context, string) (string, error) { return "Research", nil },
		Policy: w.policy,
		Ledger: w.ledger,
		Now:    w.ledger.Now,
	}
	w.clock = w.clock.Add(3 * time.Minute) // whoever failed before is over by now
	name := "DeleteVpcPeeringConnection"
	if w.asked == id { // the record of its request
		name, from = "CreateVpcPeeringConnection", alpha
	}
	raw := fmt.Sprintf(`{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":%q,"region":"eu-west-1","detail":{"eventName":%q,"requestParameters":{"vpcPeeringConnectionId":%q},"responseElements":{"vpcPeeringConnection":{"vpcPeeringConnectionId":%q}}}}`, from, name, id, id)
	if w.follows {
		raw = fmt.Sprintf(`{"source":%q,"detail-type":%q,"account":"123456789012","region":"eu-west-1","detail":{"account":%q,"region":"eu-west-1","vpcPeeringConnectionId":%q,"reason":"r","follows":"x"}}`, event.Source, event.ToInspect, from, id)
	}
	out, err := inspector.Inspect(context.Background(), workflow.InspectPeeringInput{Execution: "x", Event: json.RawMessage(raw), Looked: workflow.Looked{Trimmed: trimmed}})
	w.unread = 0
	for _, s := range out.Sides {
		w.unread += s.Unread
	}
	return out, err
}

// fatal is a test, of rapid's or not.
type fatal interface{ Fatalf(string, ...any) }

// run does what the machine does about a peering, step by step, and stops before the step number cut as if it had
// failed there. It reports whether it came to the end.
func (w *realm) run(t fatal, id, from string, cut int) bool {
	return w.look(t, id, from, cut, false)
}

func (w *realm) look(t fatal, id, from string, cut int, trimmed bool) bool {
	ctx := context.Background()
	in, err := w.inspect(id, from, trimmed)
	for fault.Of(err) == fault.NotYet { // the machine tries again
		in, err = w.inspect(id, from, trimmed)
	}
	if err != nil {
		t.Fatalf("inspecting %s: %v", id, err)
	}
	told, _ := json.Marshal(in)
	w.carried = max(w.carried, len(told))
	go1 := func(err error) bool { w.steps++; cut--; return err == nil && cut > 0 }
	switch in.Answer {
	case workflow.AnswerConnect, workflow.AnswerExtend:
		if in.Answer == workflow.AnswerExtend {
			d := &desk{}
			again := fact.With(w.ledger, func(ctx context.Context, in workflow.AskAgainInput) (workflow.AskAgainOutput, error) {
				return peering.AskAgain(ctx, w.ledger, d.nobody, d.bus(), notice.Topic{API: d, ARN: "topic"}, in)
			})
			if _, err := again(ctx, workflow.AskAgainInput{Execution: "x", Connection: in.Connection}); !go1(err) {
				return false
			}
			w.asks++
		}
		dns := fact.Connection(w.ledger, "AllowDnsResolution", func(ctx context.Context, in workflow.AllowDNSResolutionInput) (workflow.HopsOutput, error) {
			return dnsoption.Allow(ctx, func(v workflow.VPC) dnsoption.EC2 { return w.ec2(v) }, w.ledger, "x", in.Connection, in.Sides)
		})
		if _, err := dns(ctx, workflow.AllowDNSResolutionInput{Connection: in.Connection, Answer: in.Answer}); !go1(err) {
			return false
		}
		add := fact.Side(w.ledger, "AddRoutes", func(ctx context.Context, in workflow.SideInput) (workflow.AddRoutesOutput, error) {
			return route.Add(ctx, w.ec2(in.Side.VPC), w.ledger, "x", in.Connection, in.Side)
		})
		open := fact.Side(w.ledger, "OpenFirewall", func(ctx context.Context, in workflow.SideInput) (workflow.HopsOutput, error) {
			return firewall.Open(ctx, w.ec2(in.Side.VPC), w.ledger, "x", id, in.Side)
		})
		for _, step := range []workflow.Step[workflow.SideInput, workflow.Told]{add, open} {
			for _, row := range in.Rows {
				if _, err := step(ctx, workflow.SideInput{Connection: in.Connection, Answer: in.Answer, Rows: row}); !go1(err) {
					return false
				}
			}
		}
		inject := fact.Inject(w.ledger, notebook.Injector{SageMaker: func(_ string, b workflow.Batch) notebook.InjectionAPI { return studio{w.lands[b.Account]} },
			Ledger: w.ledger, Restarts: w.debts(), Policy: w.policy}.Inject)
		for _, row := range in.Notebooks {
			if _, err := inject(ctx, workflow.InjectRoutesInput{Execution: "x", Connection: in.Connection, Answer: in.Answer, Rows: row}); !go1(err) {
				return false
			}
		}
		still := func(ctx context.Context) error {
			return peering.StillThere(ctx, func(v workflow.VPC) peering.Describer { return w.ec2(v) }, in.Connection)
		}
		verifier := connection.Verifier{Ledger: w.ledger, Bus: (&desk{}).bus(), Enter: func(v workflow.VPC) connection.Tagger { return w.ec2(v) }, World: unseen{}, Still: still}
		_, err := fact.With(w.ledger, verifier.Verify)(ctx, workflow.VerifyConnectionInput{Connection: in.Connection, Answer: in.Answer})
		return err == nil
	case workflow.AnswerDisconnect, workflow.AnswerTrim:
		closing := fact.Side(w.ledger, "CloseFirewall", func(ctx context.Context, in workflow.SideInput) (workflow.HopsOutput, error) {
			return firewall.Close(ctx, w.ec2(in.Side.VPC), w.ledger, "x", id, in.Side)
		})
		removing := fact.Side(w.ledger, "RemoveRoutes", func(ctx context.Context, in workflow.SideInput) (workflow.RemoveRoutesOutput, error) {
			return route.Remove(ctx, w.ec2(in.Side.VPC), w.ledger, "x", in.Connection, in.Side)
		})
		for _, row := range in.Rows {
			for _, step := range []workflow.Step[workflow.SideInput, workflow.Told]{closing, removing} {
				if _, err := step(ctx, workflow.SideInput{Connection: in.Connection, Answer: in.Answer, Rows: row}); !go1(err) {
					return false
				}
			}
		}
		withdraw := fact.Withdraw(w.ledger, notebook.Withdrawer{SageMaker: func(_ string, b workflow.Batch) notebook.WithdrawalAPI { return studio{w.lands[b.Account]} },
			EC2: func(_ string, b workflow.Batch) route.NetworkReader { return w.lands[b.Network()] }, Ledger: w.ledger}.Withdraw)
		for _, row := range in.Notebooks {
			if _, err := withdraw(ctx, workflow.WithdrawRoutesInput{Execution: "x", Connection: in.Connection, Answer: in.Answer, Rows: row}); !go1(err) {
				return false
			}
		}
		if in.Answer == workflow.AnswerTrim {
			w.trims++
			return w.look(t, id, from, cut, true)
		}
		if _, err := dnsoption.Restore(ctx, func(v workflow.VPC) dnsoption.EC2 { return w.ec2(v) }, w.ledger, in.Connection, in.Sides); !go1(err) {
			return false
		}
		conclude := fact.With(w.ledger, func(ctx context.Context, in workflow.ConcludeRemovalInput) (workflow.ConcludeRemovalOutput, error) {
			return connection.Conclude(ctx, w.ledger, func(c workflow.StatusResource) connection.Untagger {
				return w.ec2(workflow.VPC{Account: c.Account, Region: c.Region})
			}, (&desk{}).bus(), in)
		})
		_, err := conclude(ctx, workflow.ConcludeRemovalInput{Result: in.Result, Ended: in.Ended, Connection: in.Connection, Tagged: in.Tagged})
		return err == nil
	case workflow.AnswerNothing, workflow.AnswerRefuse:
		return true
	}
	return false
}

// debts are the restarts that are owed, of which the events are lost.
func (w *realm) debts() restart.Book {
	return restart.Book{Ledger: w.ledger, Ask: func(context.Context, ...look.Look) error { return nil }}
}

// inLine does what the Notebook machine does after a notebook stopped.
func (w *realm) inLine(t *rapid.T, l *land, name string) {
	b := l.books[name]
	tables, err := route.Read(context.Background(), l, l.vpc)
	if err != nil {
		t.Fatal(err)
	}
	subnets, _ := route.ReadSubnets(context.Background(), l, l.vpc)
	at := slices.IndexFunc(subnets, func(s route.Subnet) bool { return s.ID == b.subnet })
	table, _ := route.Of(tables, b.subnet)
	table.Routes = slices.DeleteFunc(table.Routes, func(r route.Route) bool { return !slices.Contains(route.HostRoutes(table), r.Destination) })
	table.Subnets = []string{b.subnet}
	_, err = lifecycle.Attach(context.Background(), studio{l}, l, w.ledger, w.debts(), workflow.AttachRoutesInput{Execution: "x", Phase: workflow.PhaseUntouched,
		Routed: []workflow.AddRoutesOutput{{Account: l.account, VPC: l.vpc, Tables: []workflow.Table{table}}},
		Notebook: workflow.Notebook{Account: l.account, Region: "eu-west-1", VPC: l.vpc, Name: name, ARN: name, Subnet: b.subnet, SubnetCIDR: subnets[at].V4,
			Status: b.status, DirectInternet: b.direct, LifecycleConfig: b.config, Asks: b.tags["drawbridge:routes"] == "on", Inject: policy.Decision{Allowed: b.tags["drawbridge:routes"] != "off" || len(table.Routes) == 0}}})
	if err != nil && (fault.Of(err) != fault.Conflict || b.config != "python") {
		t.Fatalf("bringing %s in line: %v", name, err)
	}
}

// drawRealm makes a starting world. gateway is where the owners' routes lead.
func drawRealm(t *rapid.T, gateway string) *realm {
	w := &realm{lands: map[string]*land{}, peerings: map[string]string{}}
	w.keeps()
	for n, account := range []string{alpha, beta} {
		own, other := fmt.Sprintf("10.%d.", n+1), fmt.Sprintf("10.%d.", 2-n)
		l := &land{realm: w, account: account, vpc: fmt.Sprintf("vpc-%d", n+1), cidrs: []netip.Prefix{netip.MustParsePrefix(own + "0.0/16")},
			subnets: []string{"subnet-a", "subnet-b"}, groups: []string{"sg-1", "sg-2"}, tags: map[string]map[string]string{}, dns: map[string]bool{}, books: map[string]*book{}, configs: map[string]*config{}, port: 3306}
		if rapid.Bool().Draw(t, "second CIDR") {
			l.cidrs = append(l.cidrs, netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/16", n+11)))
		}
		l.tables = []*heldTable{{id: "rtb-main", main: true}, {id: "rtb-a", subnets: []string{"subnet-a"}}, {id: "rtb-unused"}}
		for _, table := range l.tables {
			table.routes = []*heldRoute{{destination: own + "0.0/16", target: "local"}}
			for _, r := range rapid.SliceOfNDistinct(rapid.SampledFrom([]heldRoute{
				{destination: "0.0.0.0/0", target: "igw-1"}, {destination: "10.50.0.0/16", target: gateway}, {destination: "pl-1", target: gateway},
				{destination: other + "0.0/16", target: "pcx-dead", dead: true}, {destination: "10.60.0.0/16", target: "pcx-dead", dead: true},
			}), 0, 4, func(r heldRoute) string { return r.destination }).Draw(t, "routes") {
				table.routes = append(table.routes, &r)
			}
			if rapid.IntRange(0, 29).Draw(t, "foreign") == 7 { // connecting then ends in a conflict
				table.routes = append(table.routes, &heldRoute{destination: other + "7.0/24", target: "vgw-1"})
			}
		}
		for _, r := range rapid.SliceOfNDistinct(rapid.SampledFrom([]heldTag{
			{group: "sg-1", cidr: "0.0.0.0/0", egress: true}, {group: "sg-2", cidr: "0.0.0.0/0", egress: true},
			{group: "sg-1", cidr: other + "0.0/16", port: 3306}, {group: "sg-2", cidr: other + "0.0/16", port: 22}, {group: "sg-1", cidr: other + "0.0/16", port: 3306, egress: true},
		}), 0, 5, func(r heldTag) string { return fmt.Sprint(r) }).Draw(t, "rules") {
			l.rule++
			r.id, r.tags = fmt.Sprintf("sgr-%d", l.rule), map[string]string{"team": "x"}
			l.rules = append(l.rules, &r)
		}
		for i := range rapid.IntRange(0, 2).Draw(t, "notebooks") {
			b := &book{subnet: rapid.SampledFrom(l.subnets).Draw(t, "subnet"), direct: rapid.IntRange(0, 3).Draw(t, "direct") > 0,
				status: rapid.SampledFrom([]string{"InService", "Stopped"}).Draw(t, "status"), tags: map[string]string{"team": "y"}}
			if rapid.IntRange(0, 4).Draw(t, "off") == 0 && gateway != transit {
				b.tags["drawbridge:routes"] = "off"
			}
			switch rapid.IntRange(0, 4).Draw(t, "configuration") {
			case 0:
				b.config, l.configs["shared"] = "shared", &config{onStart: "#!/bin/bash\nset -e\necho mine"}
			case 1:
				b.config, l.configs["create"] = "create", &config{onCreate: "#!/bin/bash\npip install x\n"}
			case 2:
				b.config, l.configs["python"] = "python", &config{onStart: "#!/usr/bin/python3\nprint()\n"}
			}
			l.books[fmt.Sprintf("n%d", i)] = b
		}
		w.lands[account] = l
	}
	return w
}

// keeps gives a realm an empty ledger.
func (w *realm) keeps() {
	w.ledger, _ = ledgertest.New()
	w.clock = w.ledger.Now()
	w.ledger.Now = func() time.Time { return w.clock }
}

// clone copies everything that text tells.
func (w *realm) clone() *realm {
	out := &realm{lands: map[string]*land{}, peerings: maps.Clone(w.peerings)}
	out.keeps()
	for account, l := range w.lands {
		c := *l
		c.dns = maps.Clone(l.dns)
		c.realm, c.tables, c.rules, c.tags, c.books, c.configs = out, nil, nil, map[string]map[string]string{}, map[string]*book{}, map[string]*config{}
		for _, t := range l.tables {
			table := *t
			table.routes = nil
			for _, r := range t.routes {
				one := *r
				table.routes = append(table.routes, &one)
			}
			c.tables = append(c.tables, &table)
		}
		for id, tags := range l.tags {
			c.tags[id] = maps.Clone(tags)
		}
		for _, r := range l.rules {
			one := *r
			one.tags = maps.Clone(r.tags)
			c.rules = append(c.rules, &one)
		}
		for name, b := range l.books {
			one := *b
			one.tags = maps.Clone(b.tags)
			c.books[name] = &one
		}
		for name, k := range l.configs {
			one := *k
			c.configs[name] = &one
		}
		out.lands[account] = &c
	}
	return out
}

// own does the same to the world and to the one that has no Drawbridge, as an owner would.
func own(w, without *realm, account string, do func(l *land)) {
	for _, r := range []*realm{w, without} {
		do(r.lands[account])
	}
}

// byHand is a peering that nobody gave to Drawbridge.
const byHand = "pcx-0badcafe"

// transit is a gateway to which notebooks get host routes with or without a connection, unless their owner says no. Where
// it is there, no owner changes that in between: what is there in the end would depend on when.
const transit = "tgw-1"

// waits reports whether another connection needs the route too: one whose removal was interrupted, and not taken up again yet.
func waits(w *realm, account, table, destination, id string) bool {
	items, err := w.ledger.Of(context.Background(), account, "eu-west-1", table)
	return err == nil && slices.ContainsFunc(items, func(i ledger.Item) bool {
		return i.Kind == ledger.Route && i.Key == destination && slices.ContainsFunc(i.Needed, func(by string) bool { return by != id })
	})
}

// gone holds an active peering that is not allowed any more to what Drawbridge leaves of it: nothing.
func gone(t *rapid.T, w *realm, id string) {
	for account, l := range w.lands {
		for _, r := range l.rules {
			if r.tags["drawbridge:connection"] == id {
				t.Fatalf("%s keeps %+v", account, *r)
			}
		}
		for _, table := range l.tables {
			for _, r := range table.routes {
				if r.ours && r.target == id && !waits(w, account, table.id, r.destination, id) {
					t.Fatalf("%s keeps %+v in %s", account, *r, table.id)
				}
			}
		}
	}
}

// follows holds a connection that was just brought to its end to what is there now: Drawbridge has no rule and no route
// that the connection has no use for. Which of the peer's addresses it leads to is held to elsewhere: a wider route goes once the narrower are there.
func follows(t *rapid.T, w *realm, id string) {
	for account, l := range w.lands {
		peer, port := w.lands[map[string]string{alpha: beta, beta: alpha}[account]], w.lands[beta].port
		for _, r := range l.rules {
			if r.tags["drawbridge:connection"] != id {
				continue
			}
			there := slices.Contains(peer.groups, r.cidr)
			if !r.refers() {
				p := netip.MustParsePrefix(r.cidr)
				there = slices.ContainsFunc(peer.cidrs, func(c netip.Prefix) bool { return c.Overlaps(p) && c.Bits() <= p.Bits() })
			}
			if !there || r.port != port || w.lands[beta].hidden || r.egress != (account == alpha) {
				t.Fatalf("%s keeps %+v for %d %v", account, *r, port, peer.cidrs)
			}
		}
		for _, table := range l.tables {
			for _, r := range table.routes {
				within := !r.ours || slices.ContainsFunc(peer.cidrs, func(c netip.Prefix) bool { return c.Overlaps(netip.MustParsePrefix(r.destination)) })
				if r.ours && r.target == id && !within && !waits(w, account, table.id, r.destination, id) {
					t.Fatalf("%s keeps %+v in %s", account, *r, table.id)
				}
			}
		}
	}
}

// For any starting world and any run of connecting, changing and disconnecting, interrupted anywhere and with owners at work in
// between, both accounts are in the end, byte for byte, what they would be without Drawbridge; and nothing of an owner's
// was touched on the way, a dead route that a connection replaced included.
func TestTheWorldAfterwardsIsTheWorldBefore(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	connected, trims, withdrawn, asks := 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		gateway := rapid.SampledFrom([]string{transit, "vgw-1"}).Draw(t, "gateway")
		w := drawRealm(t, gateway)
		w.peerings[byHand] = "active" // somebody made it before Drawbridge, and whoever, with whatever tags
		for _, l := range w.lands {
			l.tags[byHand], l.dns[byHand] = map[string]string{"drawbridge:status": "Connected", "drawbridge:connection": byHand}, false
			l.tables[1].routes = append(l.tables[1].routes, &heldRoute{destination: "10.80.0.0/16", target: byHand})
		}
		without := w.clone()
		active := ""
		connect := func(from string, cut int) {
			if w.forbidden {
				if w.run(t, active, from, cut) {
					withdrawn++
					gone(t, w, active)
				}
				return
			}
			if w.run(t, active, from, cut) {
				connected++
				follows(t, w, active)
			}
		}
		look := func(from string) {
			in, err := w.inspect(byHand, from, false)
			if err != nil || in.Answer != workflow.AnswerNothing {
				t.Fatalf("what was made by hand: %s (%s), %v", in.Answer, in.Reason, err)
			}
		}
		account := rapid.SampledFrom([]string{alpha, beta})
		begin := func() {
			active = fmt.Sprintf("pcx-%08d", len(w.peerings)+1)
			for _, l := range w.lands {
				l.tags[active] = map[string]string{"team": "z"}
				without.lands[l.account].tags[active] = map[string]string{"team": "z"}
			}
			w.peerings[active], w.asked = "active", active
			for _, r := range []*realm{w, without} {
				r.peerings[active] = "active"
				for _, l := range r.lands {
					l.dns[active] = false
				}
			}
		}
		if rapid.Bool().Draw(t, "connected at first") {
			begin()
			connect(alpha, 1000)
		}
		for range rapid.IntRange(1, 20).Draw(t, "actions") {
			who := account.Draw(t, "who")
			cut := rapid.SampledFrom([]int{1, 2, 3, 4, 5, 6, 7, 8, 100, 100, 100, 100, 100}).Draw(t, "cut")
			switch rapid.SampledFrom([]string{"connect", "connect", "connect", "change", "change", "policy", "disconnect", "narrower", "replace", "rule", "edit", "stop", "start", "tag", "stranger"}).Draw(t, "action") {
			case "stranger": // a sweep, or an event about the peering that was made by hand
				look(who)
			case "connect":
				if active == "" {
					begin()
				}
				connect(who, cut)
			case "change":
				switch rapid.SampledFrom([]string{"CIDR", "share", "port"}).Draw(t, "what") {
				case "CIDR": // a VPC gets other addresses or loses them, after what it had before was connected
					other := netip.MustParsePrefix(map[string]string{alpha: "10.11.0.0/16", beta: "10.12.0.0/16"}[who])
					own(w, without, who, func(l *land) {
						if at := slices.Index(l.cidrs, other); at > 0 {
							l.cidrs = slices.Delete(slices.Clone(l.cidrs), at, at+1)
						} else {
							l.cidrs = append(slices.Clip(l.cidrs), other)
						}
					})
				case "share": // the database is shared, or no more
					own(w, without, beta, func(l *land) { l.hidden = !l.hidden })
				case "port": // the database moves to another port
					own(w, without, beta, func(l *land) { l.port = 6612 - l.port })
				}
				if active != "" {
					connect(who, cut)
				}
			case "policy": // its operators forbid routes, or no more
				w.forbidden = !w.forbidden
				if active != "" {
					connect(who, cut)
				}
			case "disconnect":
				if active != "" {
					w.peerings[active], without.peerings[active] = "deleted", "deleted"
					w.run(t, active, who, cut)
					active = ""
				}
			case "narrower": // a route of the owner's through the peering
				if active != "" {
					destination := map[string]string{alpha: "10.2.5.0/24", beta: "10.1.5.0/24"}[who]
					own(w, without, who, func(l *land) {
						if table, at := l.route("rtb-a", destination); at < 0 {
							table.routes = append(table.routes, &heldRoute{destination: destination, target: active})
						}
					})
				}
			case "replace": // whatever leads to the peer, the owner sends it elsewhere
				destination := map[string]string{alpha: "10.2.0.0/16", beta: "10.1.0.0/16"}[who]
				own(w, without, who, func(l *land) {
					table, at := l.route("rtb-main", destination)
					if at >= 0 {
						table.routes = slices.Delete(table.routes, at, at+1)
					}
					table.routes = append(table.routes, &heldRoute{destination: destination, target: gateway})
				})
			case "rule": // for traffic that a rule of ours may admit too
				own(w, without, who, func(l *land) {
					l.rules = append(l.rules, &heldTag{id: fmt.Sprintf("sgr-own-%d", len(l.rules)), group: "sg-1", cidr: "10.0.0.0/8", port: 3306, tags: map[string]string{"drawbridge:connection": ""}})
				})
			case "edit": // the owner's script, around our block
				own(w, without, who, func(l *land) {
					if c := l.configs["shared"]; c != nil {
						s, err := lifecycle.Parse("shared", []byte(c.onStart))
						if err != nil {
							t.Fatal(err)
						}
						s.Owner = append(slices.Clip(s.Owner), "\necho more"...)
						c.onStart = string(s.Bytes())
					}
				})
			case "tag":
				routes := rapid.SampledFrom([]string{"off", "on"}).Draw(t, "routes")
				own(w, without, who, func(l *land) {
					for _, b := range l.books {
						if gateway != transit {
							b.tags["drawbridge:routes"] = routes
						}
					}
				})
			case "stop", "start":
				for _, b := range w.lands[who].books {
					b.status = map[bool]string{true: "Stopped", false: "InService"}[cut%2 == 0]
				}
			}
		}
		if active != "" {
			w.peerings[active], without.peerings[active] = "deleted", "deleted"
		}
		look(alpha)
		for id := range w.peerings { // every removal comes to its end, in any order; the second time changes nothing
			for range 2 {
				if !w.run(t, id, alpha, 1000) {
					t.Fatalf("removing %s did not end", id)
				}
			}
		}
		for _, r := range []*realm{w, without} {
			for _, l := range r.lands {
				for name, b := range l.books {
					b.status = "Stopped"
					for range 2 { // stopping, and detaching, are reported
						r.inLine(t, l, name)
					}
				}
			}
		}
		trims, asks = trims+w.trims, asks+w.asks
		if len(w.violations) > 0 {
			t.Fatalf("violations: %q", w.violations)
		}
		for id, l := range w.lands {
			if got, want := l.text(), without.lands[id].text(); got != want {
				t.Fatalf("account %s is\n%s\nand without Drawbridge it would be\n%s", id, got, want)
			}
		}
	})
	if testing.Short() {
		return // too few were drawn
	}
	if connected == 0 || trims == 0 || withdrawn == 0 || asks == 0 {
		t.Fatalf("nothing was ever connected (%d), trimmed (%d), withdrawn (%d) or asked about again (%d)", connected, trims, withdrawn, asks)
	}
	t.Logf("%d connections came to their end, %d lost something first, %d were not allowed any more", connected, trims, withdrawn)
}
