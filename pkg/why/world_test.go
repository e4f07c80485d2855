package why

import (
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// The world of the first scenario: a notebook in one account, a MySQL database in another.
const (
	alpha, beta    = "111111111111", "222222222222"
	alphaVPC       = "vpc-0a11a11a11a11a11a"
	betaVPC        = "vpc-0b22b22b22b22b22b"
	peeringID      = "pcx-0c33c33c33c33c33c"
	gatewayID      = "tgw-0d44d44d44d44d44d"
	alphaTable     = "rtb-0a01a01a01a01a01a"
	betaTables     = "rtb-0b0"
	notebookGroup  = "sg-0a0aa0aa0aa0aa0aa"
	databaseGroup  = "sg-0b0bb0bb0bb0bb0bb"
	alphaACL       = "acl-0a0aa0aa0aa0aa0aa"
	betaACL        = "acl-0b0bb0bb0bb0bb0bb"
	alphaAttached  = "tgw-attach-0aaa"
	betaAttached   = "tgw-attach-0bbb"
	gatewayTable   = "tgw-rtb-0eee"
	gatewaysOwner  = "333333333333"
	everywhereText = "0.0.0.0/0"
)

func cidr(text string) netip.Prefix { return netip.MustParsePrefix(text) }

func cidrs(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, cidr(t))
	}
	return out
}

// open is an ACL as a VPC has it at first.
func open(id string, subnets ...string) network.ACL {
	all := []network.Entry{{Number: 100, Allow: true, CIDR: cidr(everywhereText), Ports: network.AllPorts}}
	return network.ACL{ID: id, Subnets: subnets, Ingress: all, Egress: all}
}

// s1 is that world as it is once everything holds.
func s1() Question {
	table := func(id, subnet, own, to, target string) network.Table {
		return network.Table{ID: id, Subnets: []string{subnet}, Routes: []network.Route{{Destination: cidr(own), Target: "local"}, {Destination: cidr(everywhereText), Target: "nat-0f0f"},
			{Destination: cidr(to), Target: target}}}
	}
	names := network.Names{Support: network.Yes, Hostnames: network.Yes}
	w := network.World{VPCs: []network.VPC{
		{ID: alphaVPC, Account: alpha, Region: "us-east-1", CIDRs: cidrs("10.1.0.0/16"), Names: names,
			Subnets: []network.Subnet{{ID: "subnet-0a1", Zone: "us-east-1a", CIDRs: cidrs("10.1.0.0/24")}},
			Tables:  []network.Table{table(alphaTable, "subnet-0a1", "10.1.0.0/16", "10.2.0.0/16", peeringID)},
			ACLs:    []network.ACL{open(alphaACL, "subnet-0a1")},
			Groups:  []network.Group{{ID: notebookGroup, Egress: []network.Rule{{Ports: network.AllPorts, CIDR: cidr(everywhereText)}}}}},
		{ID: betaVPC, Account: beta, Region: "us-east-1", CIDRs: cidrs("10.2.0.0/16"), Names: names,
			Subnets: []network.Subnet{{ID: "subnet-0b1", Zone: "us-east-1a", CIDRs: cidrs("10.2.0.0/24")}, {ID: "subnet-0b2", Zone: "us-east-1b", CIDRs: cidrs("10.2.1.0/24")}},
			Tables: []network.Table{table(betaTables+"1", "subnet-0b1", "10.2.0.0/16", "10.1.0.0/16", peeringID),
				table(betaTables+"2", "subnet-0b2", "10.2.0.0/16", "10.1.0.0/16", peeringID)},
			ACLs:   []network.ACL{open(betaACL, "subnet-0b1", "subnet-0b2")},
			Groups: []network.Group{{ID: databaseGroup, Ingress: []network.Rule{{Ports: network.Ports{From: 3306, To: 3306}, CIDR: cidr("10.1.0.0/16")}}}}},
	}, Peerings: []network.Peering{{ID: peeringID, Active: network.Yes, VPCs: [2]string{alphaVPC, betaVPC}, Resolves: [2]network.Answer{network.Yes, network.Yes}}}}
	return Question{World: w, Port: 3306,
		Client:   network.Client{Name: "research", VPC: alphaVPC, Subnets: []string{"subnet-0a1"}, Groups: []string{notebookGroup}, Host: &network.Host{Routes: cidrs("10.2.0.0/16")}},
		Database: network.Database{Name: "sales", VPC: betaVPC, Subnets: []string{"subnet-0b1", "subnet-0b2"}, Groups: []string{databaseGroup}, Public: network.Yes},
		Carriers: []Carrier{{ID: peeringID, Status: "active", Accepter: beta, AcceptRegion: "us-east-1"}},
		From:     End{Name: "research", Kind: "notebook", Account: alpha, Region: "us-east-1", VPC: alphaVPC, Subnets: []string{"subnet-0a1"}, Groups: []string{notebookGroup}},
		To:       End{Name: "sales", Kind: "mysql", Account: beta, Region: "us-east-1", VPC: betaVPC, Subnets: []string{"subnet-0b1", "subnet-0b2"}, Groups: []string{databaseGroup}, Port: 3306}}
}

// s5 is the same over a transit gateway.
func s5() Question {
	q := s1()
	for v := range q.World.VPCs {
		for t := range q.World.VPCs[v].Tables {
			for r := range q.World.VPCs[v].Tables[t].Routes {
				if route := &q.World.VPCs[v].Tables[t].Routes[r]; route.Target == peeringID {
					route.Target = gatewayID
				}
			}
		}
	}
	q.World.Peerings = nil
	attached := func(id, vpc string, subnets ...string) network.Attachment {
		return network.Attachment{ID: id, VPC: vpc, Available: network.Yes, Subnets: subnets, Table: gatewayTable, DNS: network.Yes, References: network.Yes}
	}
	q.World.Gateways = []network.Gateway{{ID: gatewayID, Owner: gatewaysOwner, DNS: network.Yes, References: network.Yes,
		Attachments: []network.Attachment{attached(alphaAttached, alphaVPC, "subnet-0a1"), attached(betaAttached, betaVPC, "subnet-0b1", "subnet-0b2")},
		Tables: []network.Table{{ID: gatewayTable, Routes: []network.Route{{Destination: cidr("10.1.0.0/16"), Target: alphaAttached, Propagated: true},
			{Destination: cidr("10.2.0.0/16"), Target: betaAttached, Propagated: true}}}}}}
	q.Carriers = []Carrier{{ID: gatewayID, Status: "available"}}
	return q
}

// breakage is one thing that somebody forgot, or did.
type breakage struct {
	name string
	hop  string // whose code fails
	do   func(*Question)
	// gateway is whose code fails over a gateway, where that is another: packets pass the attachment's subnets as well.
	gateway string
}

func without(routes []network.Route, target string) []network.Route {
	var out []network.Route
	for _, r := range routes {
		if r.Target != target {
			out = append(out, r)
		}
	}
	return out
}

// through is what the routes of a world lead through.
func through(q *Question) string { return q.Carriers[0].ID }

// common are breakages of either world; each is mended by commands.
var common = []breakage{
	{"the client's group lets nothing out", "client-group", func(q *Question) { q.World.VPCs[0].Groups[0].Egress = nil }, ""},
	{"the client's table has no route", "route-there", func(q *Question) {
		t := &q.World.VPCs[0].Tables[0]
		t.Routes = without(t.Routes, through(q))
	}, ""},
	{"the client's route is a blackhole", "route-there", func(q *Question) {
		t := &q.World.VPCs[0].Tables[0]
		t.Routes = append(without(t.Routes, through(q)), network.Route{Destination: cidr("10.2.0.0/16"), Target: "pcx-0old", Blackhole: true})
	}, ""},
	{"a narrow blackhole of an older peering is in the client's table", "route-there", func(q *Question) {
		t := &q.World.VPCs[0].Tables[0]
		t.Routes = append(t.Routes, network.Route{Destination: cidr("10.2.1.0/24"), Target: "pcx-0old", Blackhole: true})
	}, ""},
	{"an ACL of the client denies the port", "client-acl", func(q *Question) {
		a := &q.World.VPCs[0].ACLs[0]
		a.Egress = append([]network.Entry{{Number: 50, CIDR: cidr("10.2.0.0/15"), Ports: network.Ports{From: 3000, To: 4000}}}, a.Egress...)
	}, ""},
	{"the database's group admits nobody", "database-group", func(q *Question) { q.World.VPCs[1].Groups[0].Ingress = nil }, ""},
	{"the database's ACL admits web traffic only", "database-acl", func(q *Question) {
		q.World.VPCs[1].ACLs[0].Ingress = []network.Entry{{Number: 10, Allow: true, CIDR: cidr(everywhereText), Ports: network.Ports{From: 443, To: 443}}}
	}, ""},
	{"the database's ACL keeps the answers", "acl-back", func(q *Question) { q.World.VPCs[1].ACLs[0].Egress = nil }, ""},
	{"the client's ACL keeps the answers out", "acl-back", func(q *Question) { q.World.VPCs[0].ACLs[0].Ingress = nil }, "client-acl"},
	{"one of the database's tables has no route back", "route-back", func(q *Question) {
		t := &q.World.VPCs[1].Tables[1]
		t.Routes = without(t.Routes, through(q))
	}, ""},
	{"no host route", "host-route", func(q *Question) { q.Client.Host = &network.Host{} }, ""},
	{"a script that no shell runs", "host-route", func(q *Question) {
		q.Client.Host = &network.Host{}
		q.Script = Script{Config: "setup", Unfit: "the on-start script has CRLF line ends", Remedy: "save it with LF line ends", Mended: "IyEvYmluL2Jhc2gK"}
	}, ""},
	{"no DNS support where the client is", "name-resolution", func(q *Question) { q.World.VPCs[0].Names.Support = network.No }, ""},
	{"no DNS hostnames where the database is", "name-resolution", func(q *Question) { q.World.VPCs[1].Names.Hostnames = network.No }, ""},
	{"the client is a function, and an ACL lets answers out at the ports of Linux alone", "acl-back", func(q *Question) {
		q.Client.Replies = []network.Ports{network.EphemeralLambda}
		q.World.VPCs[1].ACLs[0].Egress = []network.Entry{{Number: 100, Allow: true, CIDR: cidr(everywhereText), Ports: network.Ephemeral}}
	}, ""},
}

// ofPeerings and ofGateways are those of one of the worlds.
var (
	ofPeerings = []breakage{
		{"the peering waits", "carrier", func(q *Question) { q.World.Peerings[0].Active, q.Carriers[0].Status = network.No, "pending-acceptance" }, ""},
		{"the DNS option is off", "name-resolution", func(q *Question) { q.World.Peerings[0].Resolves[1] = network.No }, ""},
	}
	ofGateways = []breakage{
		{"the database's VPC is not propagated", "gateway-route", func(q *Question) {
			t := &q.World.Gateways[0].Tables[0]
			t.Routes = without(t.Routes, betaAttached)
		}, ""},
		{"a blackhole in the gateway's table", "gateway-route-back", func(q *Question) {
			t := &q.World.Gateways[0].Tables[0]
			t.Routes = append(t.Routes, network.Route{Destination: cidr("10.1.0.0/24"), Target: "", Blackhole: true})
		}, ""},
	}
)
