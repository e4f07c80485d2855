package network_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

func cidrs(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range texts {
		out = append(out, cidr(s))
	}
	return out
}

func to(destination, target string) network.Route {
	return network.Route{Destination: cidr(destination), Target: target}
}

var anything = []network.Entry{entry(100, true, "0.0.0.0/0", 0, 65535), entry(101, true, "::/0", 0, 65535)}

// one is a VPC with two subnets, each with a table of its own, in zones a and b.
func one(id, base, account string) network.VPC {
	other := map[string]string{"1": "2", "2": "1"}[base]
	v := network.VPC{ID: id, Account: account, Region: "us-east-1", CIDRs: cidrs("10." + base + ".0.0/16"),
		Names: network.Names{Support: network.Yes, Hostnames: network.Yes},
		ACLs:  []network.ACL{{ID: "acl-" + base, Subnets: []string{id + "-a", id + "-b"}, Ingress: anything, Egress: anything}}}
	for n, zone := range []string{"a", "b"} {
		s := network.Subnet{ID: id + "-" + zone, Zone: "us-east-1" + zone, CIDRs: cidrs("10." + base + "." + string(rune('0'+n)) + ".0/24")}
		v.Subnets = append(v.Subnets, s)
		v.Tables = append(v.Tables, network.Table{ID: "rtb-" + base + zone, Subnets: []string{s.ID}, Routes: []network.Route{to("10."+base+".0.0/16", "local"), to("10."+other+".0.0/16", "pcx-1")}})
	}
	out := network.Group{ID: "sg-" + base, Egress: []network.Rule{{Ports: network.AllPorts, CIDR: cidr("0.0.0.0/0")}},
		Ingress: []network.Rule{{Ports: network.Ports{From: 3306, To: 3306}, CIDR: cidr("10." + other + ".0.0/16")}}}
	v.Groups = []network.Group{out}
	return v
}

type world struct {
	network.World
	client   network.Client
	database network.Database
	carrier  string
}

// peered is a notebook and a database in peered VPCs where everything holds.
func peered() *world {
	return &world{World: network.World{VPCs: []network.VPC{one("vpc-c", "1", "111111111111"), one("vpc-d", "2", "222222222222")},
		Peerings: []network.Peering{{ID: "pcx-1", Active: network.Yes, VPCs: [2]string{"vpc-c", "vpc-d"}, Resolves: [2]network.Answer{network.Yes, network.Yes}}}},
		client:   network.Client{Name: "research", VPC: "vpc-c", Subnets: []string{"vpc-c-a"}, Groups: []string{"sg-1"}, Host: &network.Host{Routes: cidrs("10.2.0.0/16")}},
		database: network.Database{Name: "sales", VPC: "vpc-d", Subnets: []string{"vpc-d-a", "vpc-d-b"}, Groups: []string{"sg-2"}, Public: network.No}, carrier: "pcx-1"}
}

// gated is the same over a transit gateway, whose attachments have subnets of their own.
func gated() *world {
	w := peered()
	w.Peerings, w.carrier = nil, "tgw-1"
	g := network.Gateway{ID: "tgw-1", Owner: "333333333333", DNS: network.Yes, References: network.Yes}
	for n := range w.VPCs {
		v := &w.VPCs[n]
		base := strings.Split(v.CIDRs[0].String(), ".")[1]
		a := network.Attachment{ID: "tgw-attach-" + base, VPC: v.ID, Available: network.Yes, Table: "tgw-rtb-1", DNS: network.Yes, References: network.Yes}
		acl := network.ACL{ID: "acl-t" + base, Ingress: anything, Egress: anything}
		table := network.Table{ID: "rtb-t" + base, Routes: []network.Route{to(v.CIDRs[0].String(), "local")}}
		for m, zone := range []string{"a", "b"} {
			s := network.Subnet{ID: v.ID + "-t" + zone, Zone: "us-east-1" + zone, CIDRs: cidrs("10." + base + ".20" + string(rune('0'+m)) + ".0/28")}
			v.Subnets = append(v.Subnets, s)
			a.Subnets, acl.Subnets, table.Subnets = append(a.Subnets, s.ID), append(acl.Subnets, s.ID), append(table.Subnets, s.ID)
			v.Tables[m].Routes[1].Target = "tgw-1"
		}
		v.ACLs, v.Tables = append(v.ACLs, acl), append(v.Tables, table)
		g.Attachments = append(g.Attachments, a)
	}
	g.Tables = []network.Table{{ID: "tgw-rtb-1", Routes: []network.Route{to("10.1.0.0/16", "tgw-attach-1"), to("10.2.0.0/16", "tgw-attach-2")}}}
	w.Gateways = []network.Gateway{g}
	return w
}

func (w *world) judge() []network.Hop {
	return network.Judge(w.World, w.client, w.database, 3306, w.carrier)
}

// route adds a route to the table of the client's first subnet.
func (w *world) route(r network.Route) {
	w.VPCs[0].Tables[0].Routes = append(w.VPCs[0].Tables[0].Routes, r)
}

// zoned says which zones are the same in both accounts.
func zoned(w *world) {
	for _, v := range w.VPCs {
		for n := range v.Subnets {
			v.Subnets[n].ZoneID = "use1-az-" + v.Subnets[n].Zone
		}
	}
}

// answers gives the database's subnets an ACL that lets answers out to some ports alone.
func answers(w *world, ports network.Ports) {
	w.VPCs[1].ACLs[0].Egress = []network.Entry{entry(100, true, "10.1.0.0/16", ports.From, ports.To)}
}

func TestAWholePathHolds(t *testing.T) {
	for name, w := range map[string]*world{"peering": peered(), "gateway": gated()} {
		hops := w.judge()
		if len(hops) < 9 || network.All(hops) != network.Yes {
			t.Errorf("%s: %+v", name, hops)
		}
	}
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		gate   bool
		change func(*world)
		hop    string
		want   network.Answer
		says   string // in detail or remedy
		owner  string
	}{
		"no route": {change: func(w *world) { w.VPCs[0].Tables[0].Routes = w.VPCs[0].Tables[0].Routes[:1] },
			hop: "route there", want: network.No, says: "rtb-1a has no route to 10.2.0.0/23", owner: "111111111111"},
		"the internet only": {change: func(w *world) {
			for n := range w.VPCs[0].Tables {
				w.VPCs[0].Tables[n].Routes[1] = to("0.0.0.0/0", "nat-1")
			}
		}, hop: "route there", want: network.No, says: "internet"},
		"a NAT gateway whose own subnet may lead on": {change: func(w *world) { w.VPCs[0].Tables[0].Routes[1] = to("0.0.0.0/0", "nat-1") },
			hop: "route there", want: network.Unknown, says: "nat-1"},
		"a more specific route to another peering": {change: func(w *world) { w.route(to("10.2.1.0/24", "pcx-2")) },
			hop: "route there", want: network.No, says: "pcx-2, which does not lead to vpc-d"},
		"a route to just that for another network of the same range": {change: func(w *world) { w.route(to("10.2.1.0/24", "pcx-2")) },
			hop: "route there", want: network.No, says: "; do not replace route 10.2.1.0/24 in rtb-1a: it would cut whoever is behind pcx-2; give one of the two networks a range of its own"},
		"a wider route to another peering": {change: func(w *world) { w.VPCs[0].Tables[0].Routes[1] = to("10.2.0.0/16", "pcx-2") },
			hop: "route there", want: network.No, says: "it would cut whoever is behind pcx-2 with these addresses"},
		"a more specific blackhole": {change: func(w *world) {
			w.route(network.Route{Destination: cidr("10.2.1.0/25"), Target: "eni-1", Blackhole: true})
		},
			hop: "route there", want: network.No, says: "is a blackhole"},
		"a more specific route to a firewall": {change: func(w *world) { w.route(to("10.2.1.0/24", "eni-1")) },
			hop: "route there", want: network.Unknown, says: "eni-1, a network interface"},
		"a wider route to a firewall":       {change: func(w *world) { w.route(to("10.0.0.0/8", "vpce-1")) }, hop: "route there", want: network.Yes},
		"a firewall's route to no database": {change: func(w *world) { w.route(to("10.2.9.0/24", "eni-1")) }, hop: "route there", want: network.Yes},
		"a prefix list of the same length": {change: func(w *world) {
			w.route(network.Route{Destination: cidr("10.2.0.0/16"), Target: "eni-1", List: "pl-1"})
		}, hop: "route there", want: network.Yes},
		"a propagated route of the same length": {change: func(w *world) {
			w.route(network.Route{Destination: cidr("10.2.0.0/16"), Target: "vgw-1", Propagated: true})
		}, hop: "route there", want: network.Yes},
		"a propagated route that is more specific": {change: func(w *world) {
			w.route(network.Route{Destination: cidr("10.2.0.0/24"), Target: "vgw-1", Propagated: true})
		}, hop: "route there", want: network.Unknown, says: "a virtual private gateway"},
		"a list that cannot be read": {change: func(w *world) { w.VPCs[0].Tables[0].Unread = []network.List{{ID: "pl-9", Target: "eni-1"}} },
			hop: "route there", want: network.Unknown, says: "prefix list pl-9"},
		"a list that cannot be read, to the same target": {change: func(w *world) { w.VPCs[0].Tables[0].Unread = []network.List{{ID: "pl-9", Target: "pcx-1"}} },
			hop: "route there", want: network.Yes},
		"another subnet of a function has no route": {change: func(w *world) {
			w.client.Subnets = []string{"vpc-c-a", "vpc-c-b"}
			w.VPCs[0].Tables[1].Routes = w.VPCs[0].Tables[1].Routes[:1]
		}, hop: "route there", want: network.No, says: "rtb-1b"},
		"a table that no end uses": {change: func(w *world) { w.VPCs[0].Tables[1].Routes = w.VPCs[0].Tables[1].Routes[:1] }, hop: "route there", want: network.Yes},
		"no route back for a failover": {change: func(w *world) { w.VPCs[1].Tables[1].Routes = w.VPCs[1].Tables[1].Routes[:1] },
			hop: "route back", want: network.No, says: "rtb-2b", owner: "222222222222"},
		"a table that cannot be seen":  {change: func(w *world) { w.VPCs[1].Tables = nil }, hop: "route back", want: network.Unknown, says: "cannot be seen"},
		"a peering that is not active": {change: func(w *world) { w.Peerings[0].Active = network.No }, hop: "carrier", want: network.No},
		"egress to other ports only": {change: func(w *world) {
			w.VPCs[0].Groups[0].Egress = []network.Rule{{Ports: network.Ports{From: 443, To: 443}, CIDR: cidr("0.0.0.0/0")}}
		}, hop: "client group", want: network.No, says: "let TCP 3306 out to 10.2.0.0/23 in sg-1"},
		"a group that admits by reference": {change: func(w *world) {
			w.VPCs[1].Groups[0].Ingress = []network.Rule{{Ports: network.AllPorts, Group: "sg-1"}}
		}, hop: "database group", want: network.Yes},
		"a reference in another Region": {change: func(w *world) {
			w.VPCs[1].Region = "eu-west-1"
			w.VPCs[1].Groups[0].Ingress = []network.Rule{{Ports: network.AllPorts, Group: "sg-1"}}
		}, hop: "database group", want: network.No, says: "let TCP 3306 in from 10.1.0.0/24 in sg-2"},
		"a reference to a group that the client does not have": {change: func(w *world) {
			w.VPCs[1].Groups[0].Ingress = []network.Rule{{Ports: network.AllPorts, Group: "sg-7"}}
		}, hop: "database group", want: network.No},
		"a group that admits half of the client's subnet": {change: func(w *world) {
			w.VPCs[1].Groups[0].Ingress[0].CIDR = cidr("10.1.0.0/25")
		}, hop: "database group", want: network.No, says: "10.1.0.128/25"},
		"half of the subnet, and the client's address is in it": {change: func(w *world) {
			w.client.Addresses = cidrs("10.1.0.7/32")
			w.VPCs[1].Groups[0].Ingress[0].CIDR = cidr("10.1.0.0/25")
		}, hop: "database group", want: network.Yes},
		"two rules for a half each": {change: func(w *world) {
			p := network.Ports{From: 3000, To: 4000}
			w.VPCs[1].Groups[0].Ingress = []network.Rule{{Ports: p, CIDR: cidr("10.1.0.0/25")}, {Ports: p, CIDR: cidr("10.1.0.128/25"), List: "pl-1"}}
		}, hop: "database group", want: network.Yes},
		"a rule with a list that cannot be read": {change: func(w *world) {
			w.VPCs[1].Groups[0].Ingress = []network.Rule{{Ports: network.AllPorts, List: "pl-2"}}
		}, hop: "database group", want: network.Unknown, says: "pl-2"},
		"a group that cannot be seen": {change: func(w *world) { w.database.Groups = []string{"sg-9"} }, hop: "database group", want: network.Unknown, says: "sg-9"},
		"an ACL of the client's lets no answer in": {change: func(w *world) { w.VPCs[0].ACLs[0].Ingress = []network.Entry{entry(100, true, "10.1.0.0/16", 0, 65535)} },
			hop: "ACL back", want: network.No, says: "inbound entry: allow TCP 32768-60999 from 10.2.0.0/24", owner: "111111111111"},
		"the ports of Linux, and a function": {change: func(w *world) {
			answers(w, network.Ephemeral)
			w.client.Replies = []network.Ports{network.EphemeralLambda}
		}, hop: "ACL back", want: network.No, says: "allow TCP 1024-32767 to 10.1.0.0/24", owner: "222222222222"},
		"the ports of a function, and a function": {change: func(w *world) {
			answers(w, network.EphemeralLambda)
			w.client.Replies = []network.Ports{network.EphemeralLambda}
		}, hop: "ACL back", want: network.Yes},
		"the ports of Linux, and who may run Windows": {change: func(w *world) {
			answers(w, network.Ephemeral)
			w.client.Replies = []network.Ports{network.Ephemeral, network.EphemeralWindows}
		}, hop: "ACL back", want: network.Unknown, says: "at which ports the client receives the answers is not known, and not all get through: network ACL acl-2 lacks an outbound entry: allow TCP 61000-65535"},
		"the ports of both, and who may run Windows": {change: func(w *world) {
			answers(w, network.Ports{From: 32768, To: 65535})
			w.client.Replies = []network.Ports{network.Ephemeral, network.EphemeralWindows}
		}, hop: "ACL back", want: network.Yes},
		"the ports of neither": {change: func(w *world) {
			answers(w, network.Ports{From: 40000, To: 50000})
			w.client.Replies = []network.Ports{network.Ephemeral, network.EphemeralWindows}
		}, hop: "ACL back", want: network.No, says: "allow TCP 32768-39999"},
		"an ACL of the database's":   {change: func(w *world) { w.VPCs[1].ACLs[0].Ingress = nil }, hop: "database ACL", want: network.No, says: "allow TCP 3306 from 10.1.0.0/24"},
		"an ACL that cannot be seen": {change: func(w *world) { w.VPCs[1].ACLs = nil }, hop: "database ACL", want: network.Unknown},
		"no host route":              {change: func(w *world) { w.client.Host.Routes = cidrs("10.2.0.0/24") }, hop: "host route", want: network.No, says: "10.2.1.0/24"},
		"a DNS server of one's own":  {change: func(w *world) { w.VPCs[0].Names.Server = "10.1.0.53" }, hop: "name resolution", want: network.Unknown, says: "10.1.0.53"},
		"a public name": {change: func(w *world) { w.database.Public, w.Peerings[0].Resolves[1] = network.Yes, network.No },
			hop: "name resolution", want: network.No, says: "public address"},
		"a name of one that has no public address": {change: func(w *world) { w.Peerings[0].Resolves[1] = network.No }, hop: "name resolution", want: network.Yes},
		"DNS support is off":                       {change: func(w *world) { w.VPCs[0].Names.Support = network.No }, hop: "name resolution", want: network.No, says: "turn on DNS support of vpc-c", owner: "111111111111"},
		"DNS support was not read":                 {change: func(w *world) { w.VPCs[0].Names.Support = network.Unknown }, hop: "name resolution", want: network.Unknown, says: "vpc-c"},
		"whether it is public is not":              {change: func(w *world) { w.database.Public = network.Unknown }, hop: "name resolution", want: network.Unknown, says: "sales has a public address"},
		"a public name, and no hostnames where it is": {change: func(w *world) { w.database.Public, w.VPCs[1].Names.Hostnames = network.Yes, network.No },
			hop: "name resolution", want: network.No, says: "turn on DNS hostnames of vpc-d", owner: "222222222222"},
		"a public name, and all is on": {change: func(w *world) { w.database.Public = network.Yes }, hop: "name resolution", want: network.Yes, says: "its private address"},
		"a public name, and an option that was not read": {change: func(w *world) { w.database.Public, w.Peerings[0].Resolves[1] = network.Yes, network.Unknown },
			hop: "name resolution", want: network.Unknown, says: "the option of pcx-1"},
		"an ACL of subnets that nobody uses": {change: func(w *world) {
			w.database.Subnets = w.database.Subnets[:1]
			for n := range w.VPCs { // the second subnet of each
				v := &w.VPCs[n]
				v.ACLs[0].Subnets = v.ACLs[0].Subnets[:1]
				v.ACLs = append(v.ACLs, network.ACL{ID: "acl-dmz", Subnets: []string{v.ID + "-b"}})
			}
		}, hop: "database ACL", want: network.Yes},
		"a client with IPv6 alone":               {change: func(w *world) { w.VPCs[0].Subnets[0].CIDRs = cidrs("2600:1::/64") }, hop: "client group", want: network.No, says: "IPv6 addresses only"},
		"a subnet that is not seen":              {change: func(w *world) { w.client.Subnets = []string{"subnet-x"} }, hop: "path", want: network.Unknown, says: "subnet-x cannot be seen"},
		"a Local Zone":                           {change: func(w *world) { w.VPCs[1].Subnets[0].Zone = "us-east-1-bos-1a" }, hop: "route there", want: network.Unknown, says: "a Local Zone"},
		"a Wavelength Zone":                      {change: func(w *world) { w.VPCs[1].Subnets[0].Zone = "us-east-1-wl1-bos-wlz-1" }, hop: "route there", want: network.Unknown, says: "a Wavelength Zone"},
		"an Outpost":                             {change: func(w *world) { w.VPCs[1].Subnets[0].Outpost = "arn:aws:outposts:us-east-1:222222222222:outpost/op-1" }, hop: "route there", want: network.Unknown, says: "an Outpost"},
		"a zone of the European Sovereign Cloud": {change: func(w *world) { w.VPCs[1].Subnets[0].Zone = "eusc-de-east-1a" }, hop: "route there", want: network.Yes},
		"a zone of an isolated Region":           {change: func(w *world) { w.VPCs[1].Subnets[0].Zone = "eu-isoe-west-1a" }, hop: "route there", want: network.Yes},
		"a zone of GovCloud":                     {change: func(w *world) { w.VPCs[1].Subnets[0].Zone = "us-gov-west-1a" }, hop: "route there", want: network.Yes},

		"gateway: no association": {gate: true, change: func(w *world) { w.Gateways[0].Attachments[0].Table = "" },
			hop: "gateway route", want: network.No, says: "associated with no route table", owner: "333333333333"},
		"gateway: not propagated": {gate: true, change: func(w *world) { w.Gateways[0].Tables[0].Routes = w.Gateways[0].Tables[0].Routes[:1] },
			hop: "gateway route", want: network.No, says: "nothing propagates it", owner: "333333333333"},
		"gateway: not propagated back": {gate: true, change: func(w *world) { w.Gateways[0].Tables[0].Routes = w.Gateways[0].Tables[0].Routes[1:] },
			hop: "gateway route back", want: network.No},
		"gateway: an inspection VPC": {gate: true, change: func(w *world) {
			w.Gateways[0].Attachments = append(w.Gateways[0].Attachments, network.Attachment{ID: "tgw-attach-3", VPC: "vpc-i"})
			w.Gateways[0].Tables[0].Routes = []network.Route{to("10.0.0.0/8", "tgw-attach-3")}
		}, hop: "gateway route", want: network.Unknown, says: "vpc-i"},
		"gateway: another VPC that has the addresses itself": {gate: true, change: func(w *world) {
			w.Gateways[0].Attachments = append(w.Gateways[0].Attachments, network.Attachment{ID: "tgw-attach-3", VPC: "vpc-x"})
			w.Gateways[0].Tables[0].Routes = []network.Route{{Destination: cidr("10.2.0.0/16"), Target: "tgw-attach-3", Propagated: true}}
		}, hop: "gateway route", want: network.No, says: "vpc-x, which has these addresses itself"},
		"gateway: a static route before a propagated one": {gate: true, change: func(w *world) {
			w.Gateways[0].Tables[0].Routes = append(w.Gateways[0].Tables[0].Routes, network.Route{Destination: cidr("10.2.0.0/16"), Target: "tgw-attach-9", Propagated: true})
		}, hop: "gateway route", want: network.Yes},
		"gateway: an attachment that is not available": {gate: true, change: func(w *world) { w.Gateways[0].Attachments[1].Available = network.No },
			hop: "carrier", want: network.No, says: "vpc-d is not attached to tgw-1", owner: "222222222222"},
		"gateway: whether it is available was not read": {gate: true, change: func(w *world) { w.Gateways[0].Attachments[0].Available = network.Unknown },
			hop: "carrier", want: network.Unknown, says: "tgw-attach-1"},
		"gateway: a blackhole in its table": {gate: true, change: func(w *world) { w.Gateways[0].Tables[0].Routes[1].Blackhole = true },
			hop: "gateway route", want: network.No, says: "is a blackhole", owner: "333333333333"},
		"gateway: a table of its own that cannot be seen": {gate: true, change: func(w *world) { w.Gateways[0].Tables = nil },
			hop: "gateway route", want: network.Unknown, says: "cannot be seen"},
		"gateway: a public name, and its DNS support is off": {gate: true, change: func(w *world) { w.database.Public, w.Gateways[0].DNS = network.Yes, network.No },
			hop: "name resolution", want: network.No, says: "turn on DNS support of tgw-1", owner: "333333333333"},
		"gateway: a public name, and that of an attachment is": {gate: true, change: func(w *world) { w.database.Public, w.Gateways[0].Attachments[1].DNS = network.Yes, network.No },
			hop: "name resolution", want: network.No, says: "the attachment of vpc-d", owner: "222222222222"},
		"gateway: a reference in use1-az3": {gate: true, change: func(w *world) {
			w.VPCs[1].Subnets[3].ZoneID = network.Unreferable
			w.VPCs[1].Groups[0].Ingress = []network.Rule{{Ports: network.AllPorts, Group: "sg-1"}}
		}, hop: "database group", want: network.Unknown, says: "whether rules of sg-2 can refer to groups of vpc-c is not known"},
		"gateway: a reference without an attachment's support": {gate: true, change: func(w *world) {
			w.Gateways[0].Attachments[0].References = network.No
			w.VPCs[1].Groups[0].Ingress = []network.Rule{{Ports: network.AllPorts, Group: "sg-1"}}
		}, hop: "database group", want: network.No},
		"gateway: a zone without a subnet": {gate: true, change: func(w *world) { w.Gateways[0].Attachments[0].Subnets = []string{"vpc-c-tb"} },
			hop: "carrier", want: network.No, says: "no subnet in us-east-1a", owner: "111111111111"},
		"gateway: no inbound rule in the attachment's subnet": {gate: true, change: func(w *world) { w.VPCs[0].ACLs[1].Ingress = nil },
			hop: "client ACL", want: network.No, says: "acl-t1 lacks an inbound entry: allow TCP 3306 from 10.1.0.0/24"},
		"gateway: no outbound rule there, which nothing meets that is on its way out": {gate: true, change: func(w *world) {
			w.VPCs[0].ACLs[1].Egress = []network.Entry{entry(100, true, "10.1.0.0/16", 1024, 65535)} // the answers
		}, hop: "client ACL", want: network.Yes},
		"gateway: no outbound rule in the attachment's subnet of the database": {gate: true, change: func(w *world) { w.VPCs[1].ACLs[1].Egress = nil },
			hop: "database ACL", want: network.No, says: "acl-t2 lacks an outbound entry: allow TCP 3306 to 10.2."},
		"gateway: one of two zones shut": {gate: true, change: func(w *world) {
			w.VPCs[1].ACLs[1].Subnets = []string{"vpc-d-ta"}
			w.VPCs[1].ACLs = append(w.VPCs[1].ACLs, network.ACL{ID: "acl-tb", Subnets: []string{"vpc-d-tb"}})
		}, hop: "database ACL", want: network.Unknown, says: "acl-tb"},
		"gateway: the other zone shut": {gate: true, change: func(w *world) {
			zoned(w)
			w.VPCs[1].ACLs[1].Subnets = []string{"vpc-d-ta"}
			w.VPCs[1].ACLs = append(w.VPCs[1].ACLs, network.ACL{ID: "acl-tb", Subnets: []string{"vpc-d-tb"}, Ingress: anything})
		}, hop: "database ACL", want: network.Yes},
		"gateway: the client's own zone shut": {gate: true, change: func(w *world) {
			zoned(w)
			w.VPCs[1].ACLs[1].Subnets = []string{"vpc-d-tb"}
			w.VPCs[1].ACLs = append(w.VPCs[1].ACLs, network.ACL{ID: "acl-ta", Subnets: []string{"vpc-d-ta"}})
		}, hop: "database ACL", want: network.No, says: "acl-ta"},
		"gateway: the other zone shut, in appliance mode": {gate: true, change: func(w *world) {
			zoned(w)
			w.Gateways[0].Attachments[1].Appliance = true
			w.VPCs[1].ACLs[1].Subnets = []string{"vpc-d-ta"}
			w.VPCs[1].ACLs = append(w.VPCs[1].ACLs, network.ACL{ID: "acl-tb", Subnets: []string{"vpc-d-tb"}})
		}, hop: "database ACL", want: network.Unknown, says: "acl-tb"},
		"gateway: not attached in the client's zone": {gate: true, change: func(w *world) {
			zoned(w)
			w.Gateways[0].Attachments[1].Subnets = []string{"vpc-d-tb"}
			w.VPCs[1].ACLs[1].Subnets = []string{"vpc-d-ta"}
			w.VPCs[1].ACLs = append(w.VPCs[1].ACLs, network.ACL{ID: "acl-tb", Subnets: []string{"vpc-d-tb"}})
		}, hop: "database ACL", want: network.No, says: "acl-tb"},
		"gateway: the database shares the attachment's subnet, and its ACL lets nothing in": {gate: true, change: func(w *world) {
			w.Gateways[0].Attachments[1].Subnets, w.database.Subnets = []string{"vpc-d-a"}, []string{"vpc-d-a"}
			w.VPCs[1].ACLs[0].Ingress = []network.Entry{entry(100, true, "10.2.0.0/16", 0, 65535)}
		}, hop: "database ACL", want: network.Yes},
		"gateway: the client shares the attachment's subnet, and its own requests may not come in": {gate: true, change: func(w *world) {
			w.Gateways[0].Attachments[0].Subnets = []string{"vpc-c-a"}
			w.VPCs[0].ACLs[0].Ingress = []network.Entry{entry(100, true, "10.2.0.0/16", 0, 65535)}
		}, hop: "client ACL", want: network.No, says: "inbound entry: allow TCP 3306 from 10.1.0.0/24"},
		"gateway: a firewall behind the attachment": {gate: true, change: func(w *world) {
			w.VPCs[1].Tables[2].Routes = append(w.VPCs[1].Tables[2].Routes, to("10.2.0.0/23", "vpce-1"))
		}, hop: "database ACL", want: network.Unknown, says: "vpce-1, an endpoint"},
		"gateway: a reference to the client's group": {gate: true, change: func(w *world) {
			w.VPCs[1].Groups[0].Ingress = []network.Rule{{Ports: network.AllPorts, Group: "sg-1"}}
		}, hop: "database group", want: network.Yes},
		"gateway: a reference without the gateway's support": {gate: true, change: func(w *world) {
			w.Gateways[0].References = network.No
			w.VPCs[1].Groups[0].Ingress = []network.Rule{{Ports: network.AllPorts, Group: "sg-1"}}
		}, hop: "database group", want: network.No},
		"gateway: a reference in an outbound rule": {gate: true, change: func(w *world) {
			w.VPCs[0].Groups[0].Egress = []network.Rule{{Ports: network.AllPorts, Group: "sg-2"}}
		}, hop: "client group", want: network.No},
	} {
		t.Run(name, func(t *testing.T) {
			w := peered()
			if c.gate {
				w = gated()
			}
			c.change(w)
			hops := w.judge()
			n := slices.IndexFunc(hops, func(h network.Hop) bool { return h.Hop == c.hop })
			if n < 0 {
				t.Fatalf("no hop %q in %+v", c.hop, hops)
			}
			h := hops[n]
			if h.Answer != c.want || !strings.Contains(h.Detail+"; "+h.Remedy, c.says) || c.owner != "" && h.Owner != c.owner {
				t.Errorf("%s %s: %s (%s, %s)", h.Answer.Mark(), h.Hop, h.Detail, h.Remedy, h.Owner)
			}
			if h.Answer == network.No && (h.Owner == "" || h.Remedy == "") {
				t.Errorf("nobody knows what to do about %+v", h)
			}
			if c.want == network.Yes && network.All(hops) != network.Yes {
				t.Errorf("the path does not hold: %+v", hops)
			}
		})
	}
}

// A client and a database in one VPC need no carrier: the table keeps the packets within, and within one subnet they meet no ACL.
func TestWithinOneVPC(t *testing.T) {
	w := peered()
	w.Peerings = nil
	w.database.VPC, w.database.Subnets, w.database.Groups = "vpc-c", []string{"vpc-c-b"}, []string{"sg-1"}
	w.VPCs[0].Groups[0].Ingress = []network.Rule{{Ports: network.AllPorts, Group: "sg-1"}}
	if hops := w.judge(); network.All(hops) != network.Yes {
		t.Errorf("two subnets: %s", lines(hops))
	}
	shut := w.VPCs[0].ACLs[0]
	shut.Ingress = []network.Entry{entry(100, true, "192.168.0.0/16", 0, 65535)}
	w.VPCs[0].ACLs = []network.ACL{shut}
	if hops := w.judge(); network.All(hops) != network.No {
		t.Errorf("two subnets whose ACL is shut: %s", lines(hops))
	}
	w.database.Subnets = []string{"vpc-c-a"}
	if hops := w.judge(); network.All(hops) != network.Yes {
		t.Errorf("one subnet whose ACL is shut: %s", lines(hops))
	}
}

// A client that has IPv6 alone reaches a database that has both, and is judged by IPv6 on the whole way.
func TestIPv6(t *testing.T) {
	over := func(w *world) *world {
		w.database.Dual = true
		for n, own := range []string{"2600:1::/56", "2600:2::/56"} {
			other := []string{"2600:2::/56", "2600:1::/56"}[n]
			v := &w.VPCs[n]
			v.CIDRs = append(v.CIDRs, cidr(own))
			for m := range v.Subnets[:2] { // those of an attachment have IPv4 alone
				v.Subnets[m].CIDRs = append(v.Subnets[m].CIDRs, cidr([][]string{{"2600:1::/64", "2600:1:0:1::/64"}, {"2600:2::/64", "2600:2:0:1::/64"}}[n][m]))
				v.Tables[m].Routes = append(v.Tables[m].Routes, to(own, "local"), to(other, w.carrier))
			}
			v.Groups[0].Egress = append(v.Groups[0].Egress, network.Rule{Ports: network.AllPorts, CIDR: cidr("::/0")})
			v.Groups[0].Ingress = append(v.Groups[0].Ingress, network.Rule{Ports: network.AllPorts, CIDR: cidr("::/0")})
		}
		w.VPCs[0].Subnets[0].CIDRs = cidrs("2600:1::/64")
		w.client.Host = nil
		return w
	}
	six := func() *world { return over(peered()) }
	if hops := six().judge(); network.All(hops) != network.Yes {
		t.Errorf("does not hold: %s", lines(hops))
	}
	w := six()
	w.VPCs[1].Groups[0].Ingress = w.VPCs[1].Groups[0].Ingress[:1] // IPv4 alone
	if hops := w.judge(); network.All(hops) != network.No {
		t.Errorf("without a rule for IPv6: %s", lines(hops))
	}
	w = six()
	w.VPCs[0].Subnets[0].CIDRs = cidrs("10.1.0.0/24", "2600:1::/64") // by IPv4 then, which is whole
	w.VPCs[0].Tables[0].Routes = w.VPCs[0].Tables[0].Routes[:2]
	if hops := w.judge(); network.All(hops) != network.Yes {
		t.Errorf("a client with both, and no route for IPv6: %s", lines(hops))
	}
	w = six() // the database has IPv4 alone, and so has the ACL of each VPC
	w.VPCs[0].Subnets[0].CIDRs, w.database.Dual = cidrs("10.1.0.0/24", "2600:1::/64"), false
	for n := range w.VPCs {
		w.VPCs[n].ACLs[0].Ingress, w.VPCs[n].ACLs[0].Egress = anything[:1], anything[:1]
	}
	if hops := w.judge(); network.All(hops) != network.Yes {
		t.Errorf("nothing speaks IPv6: %s", lines(hops))
	}
	for answer, want := range map[network.Answer]network.Answer{network.Yes: network.Yes, network.No: network.No, network.Unknown: network.Unknown} {
		w := over(gated())
		g := &w.Gateways[0]
		g.Tables[0].Routes = append(g.Tables[0].Routes, to("2600:1::/56", "tgw-attach-1"), to("2600:2::/56", "tgw-attach-2"))
		for n := range w.VPCs {
			v := &w.VPCs[n]
			v.Tables[2].Routes = append(v.Tables[2].Routes, to([]string{"2600:1::/56", "2600:2::/56"}[n], "local"))
			g.Attachments[n].IPv6 = network.Yes
		}
		g.Attachments[1].IPv6 = answer
		if hops := w.judge(); network.All(hops) != want {
			t.Errorf("an attachment that carries IPv6 %s: %s", answer.Mark(), lines(hops))
		}
	}
}
