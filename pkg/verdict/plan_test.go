package verdict_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/verdict"
)

const there, here = "222222222222", "111111111111"

func cidr(text string) netip.Prefix { return netip.MustParsePrefix(text) }

// world is two peered VPCs in which everything is open.
func world() network.World {
	vpc := func(id, account, own, other string) network.VPC {
		all := []network.Entry{{Number: 100, Allow: true, CIDR: cidr("0.0.0.0/0"), Ports: network.AllPorts}}
		rule := []network.Rule{{Ports: network.AllPorts, CIDR: cidr("0.0.0.0/0")}}
		return network.VPC{ID: id, Account: account, Region: "us-east-1", CIDRs: []netip.Prefix{cidr(own)},
			Subnets: []network.Subnet{{ID: id + "-a", Zone: "us-east-1a", CIDRs: []netip.Prefix{cidr(own)}}},
			Tables:  []network.Table{{ID: "rtb-" + id, Main: true, Routes: []network.Route{{Destination: cidr(own), Target: "local"}, {Destination: cidr(other), Target: "pcx-1"}}}},
			ACLs:    []network.ACL{{ID: "acl-" + id, Subnets: []string{id + "-a"}, Ingress: all, Egress: all}},
			Groups:  []network.Group{{ID: "sg-" + id, Ingress: rule, Egress: rule}, {ID: "sg-shut-" + id}},
			Names:   network.Names{Support: network.Yes, Hostnames: network.Yes}}
	}
	return network.World{VPCs: []network.VPC{vpc("vpc-c", here, "10.1.0.0/24", "10.2.0.0/24"), vpc("vpc-d", there, "10.2.0.0/24", "10.1.0.0/24")},
		Peerings: []network.Peering{{ID: "pcx-1", Active: network.Yes, VPCs: [2]string{"vpc-c", "vpc-d"}}}}
}

func clients(group string, count int, names ...string) verdict.Client {
	return verdict.Client{Client: network.Client{VPC: "vpc-c", Subnets: []string{"vpc-c-a"}, Groups: []string{group}}, Names: names, Count: count, Account: here}
}

func database(name, group string) verdict.Database {
	return verdict.Database{Database: network.Database{Name: name, VPC: "vpc-d", Subnets: []string{"vpc-d-a"}, Groups: []string{group}, Public: network.No}, Port: 3306, Account: there}
}

func said(p verdict.Paths) string {
	var out []string
	for _, l := range p.Lines {
		out = append(out, l.Mark()+" "+l.Hop.Hop)
	}
	return strings.Join(out, "; ")
}

func judge(ends verdict.Ends, reasons ...verdict.Reason) verdict.Paths {
	return verdict.Judge(world(), "pcx-1", []verdict.Ends{ends}, reasons)
}

func TestOnePathOfMany(t *testing.T) {
	got := judge(verdict.Ends{Clients: []verdict.Client{clients("sg-vpc-c", 1, "notebook research"), clients("sg-shut-vpc-c", 1, "function jobs")},
		Databases: []verdict.Database{database("sales", "sg-vpc-d")}})
	if said(got) != "✗ function jobs → sales:3306; ✓ research → sales:3306" || got.Whole != 1 || got.Failed != 1 || got.Counted() != "1 of 2 paths are whole" || !got.Answers() {
		t.Errorf("%s, %+v", said(got), got)
	}
	if own, other := got.Told(here), got.Told(there); !strings.Contains(own, "sg-shut-vpc-c") || strings.Contains(other, "sg-") || !strings.Contains(other, here) {
		t.Errorf("the two sides are told %q and %q", own, other)
	}
	if what, remedy := got.InTheWay(); !strings.Contains(what, "client group: ") || !strings.Contains(remedy, "account "+here+": let TCP 3306 out") {
		t.Errorf("in the way: %q, %q", what, remedy)
	}
}

// Nothing answers where the database is stopped, whatever the network does: no ✓, and no ✗ that anybody has to mend in it. Its neighbour is judged as it is.
func TestADatabaseThatIsStopped(t *testing.T) {
	sales := database("sales", "sg-vpc-d")
	sales.Silent = "stopped"
	got := judge(verdict.Ends{Clients: []verdict.Client{clients("sg-vpc-c", 1, "notebook research")}, Databases: []verdict.Database{sales, database("orders", "sg-vpc-d")}})
	if said(got) != "? research → sales:3306; ✓ research → orders:3306" || got.Unknown != 1 || got.Failed != 0 || !strings.Contains(got.Lines[0].Detail, "sales is stopped, so nothing answers") {
		t.Errorf("%s, %+v", said(got), got)
	}
	got = judge(verdict.Ends{Clients: []verdict.Client{clients("sg-shut-vpc-c", 1, "notebook research")}, Databases: []verdict.Database{sales}})
	if said(got) != "✗ research → sales:3306" || !strings.Contains(got.Lines[0].Detail, "client group") {
		t.Errorf("%s, %+v", said(got), got)
	}
}

func TestManyPathsAreCounted(t *testing.T) {
	var names []string
	for n := range 25 {
		names = append(names, fmt.Sprintf("notebook n-%02d", n))
	}
	got := judge(verdict.Ends{Clients: []verdict.Client{clients("sg-vpc-c", 250, names...), clients("sg-shut-vpc-c", 1, "function jobs")},
		Databases: []verdict.Database{database("orders", "sg-vpc-d"), database("sales", "sg-vpc-d")}})
	last := got.Lines[len(got.Lines)-1]
	if len(got.Lines) != verdict.Shown+1 || got.Lines[0].OK || last.Hop.Hop != "and 482 more" || last.Detail != "482 whole" || got.All() != 502 {
		t.Errorf("%d lines, the last %+v, of %d", len(got.Lines), last, got.All())
	}
	many := judge(verdict.Ends{Clients: []verdict.Client{clients("sg-vpc-c", 3, names...), clients("sg-shut-vpc-c", 30, names...)}, Databases: []verdict.Database{database("sales", "sg-vpc-d")}})
	if last := many.Lines[len(many.Lines)-1]; last.OK || last.Detail != "3 whole, 10 fail at client group" {
		t.Errorf("%+v", last)
	}
}

// Whatever nobody knows is neither whole nor broken.
func TestWhatIsNotKnown(t *testing.T) {
	strange := clients("sg-vpc-c", 1, "subnet subnet-1")
	strange.Groups = nil
	anywhere := clients("sg-shut-vpc-c", 1, "security group sg-shut-vpc-c")
	anywhere.Anywhere = true
	hidden := clients("sg-vpc-c", 1, "notebook mine")
	hidden.Host = &network.Host{Unread: "left out by policy p"}
	bare := clients("sg-vpc-c", 1, "notebook bare")
	bare.Host = &network.Host{}
	got := judge(verdict.Ends{Clients: []verdict.Client{strange, anywhere, hidden, bare}, Databases: []verdict.Database{database("sales", "sg-vpc-d")}},
		verdict.Reason{Hop: verdict.HostRoute, About: "bare", Detail: "its script cannot be edited"}, verdict.Reason{Hop: verdict.HostRoute, About: "mine", Detail: "nothing to see"})
	if got.Unknown != 3 || got.Failed != 1 || got.Hosts != 1 || !got.Answers() || !strings.HasPrefix(said(got), "✗ bare → sales:3306; ? ") {
		t.Errorf("%s: %+v", said(got), got)
	}
	if d := got.Lines[0].Detail; !strings.HasSuffix(d, ": its script cannot be edited") || strings.Contains(fmt.Sprint(got.Lines), "nothing to see") {
		t.Errorf("the reasons: %s", d)
	}
}

// The ledger keeps who calls, who answers, and where a path ends.
func TestWhatTheLedgerKeeps(t *testing.T) {
	got := judge(verdict.Ends{Clients: []verdict.Client{clients("sg-vpc-c", 1, "notebook research"), clients("sg-shut-vpc-c", 1, "function jobs")},
		Databases: []verdict.Database{database("sales", "sg-vpc-d")}})
	if len(got.Ends) != 2 {
		t.Fatalf("%+v", got.Ends)
	}
	broken, whole := got.Ends[0], got.Ends[1]
	if broken.Client.Name != "function jobs" || broken.Client.Account != here || broken.Client.Network != "vpc-c" || broken.Answer != "no" || broken.Hop != verdict.ClientGroup || broken.Owner != here ||
		broken.Detail == "" || broken.Remedy == "" || len(broken.Detail) > 200 {
		t.Errorf("broken: %+v", broken)
	}
	if whole.Client.Name != "research" || whole.Database.Name != "sales" || whole.Database.Account != there || whole.Database.Network != "vpc-d" || whole.Port != 3306 || whole.Answer != "yes" || whole.Hop != "" {
		t.Errorf("whole: %+v", whole)
	}
}

// Where a step asks the owner of a table for leave, the path waits for that at the table's hop, whether it is judged where the table leads or not; a path that
// does not pass there, or holds, does not.
func TestAPathWaitsForWhoIsAsked(t *testing.T) {
	ask := verdict.Reason{Hop: verdict.RouteThere, About: "rtb-vpc-c", Detail: "10.2.0.0/24 would leave vgw-1", Owner: here, Remedy: "if that may be, tag it"}
	other := ask
	other.About = "rtb-other"
	ends := []verdict.Ends{{Clients: []verdict.Client{clients("sg-vpc-c", 1, "notebook research")}, Databases: []verdict.Database{database("sales", "sg-vpc-d")}}}
	for target, says := range map[string]string{"vgw-1": "?", "nat-1": "✗", "pcx-1": "✓"} {
		w := world()
		w.VPCs[0].Tables[0].Routes[1] = network.Route{Destination: cidr("10.0.0.0/8"), Target: target}
		if got := verdict.Judge(w, "pcx-1", ends, []verdict.Reason{other}); !strings.HasPrefix(said(got), says) || strings.Contains(fmt.Sprint(got.Lines), "would leave") {
			t.Errorf("%s, nobody asked: %s", target, said(got))
		}
		got := verdict.Judge(w, "pcx-1", ends, []verdict.Reason{ask})
		if says == "✓" {
			if got.Whole != 1 {
				t.Errorf("%s: %+v", target, got)
			}
			continue
		}
		if got.Failed != 1 || got.Told(here) != "route there: 10.2.0.0/24 would leave vgw-1; if that may be, tag it" || strings.Contains(got.Told(there), "vgw") || !strings.Contains(got.Told(there), here) {
			t.Errorf("%s: %q, %q, %+v", target, got.Told(here), got.Told(there), got)
		}
	}
}
