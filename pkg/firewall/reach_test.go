package firewall_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// thing has an address and security groups: a client or another end on one side, a database or something else that listens on the other.
type thing struct {
	name    string
	subnet  string
	address string
	groups  []string
	port    int32 // on which a database answers; 0: on all
	serves  bool  // it is a client, or an opened database
}

// reaches says, as AWS does for one packet, whether security groups let a connection from an end through to a port: no model, no merging of ranges.
func reaches(here, there *account, end, to thing, port int32) bool {
	return lets(here, true, end.groups, port, to) && lets(there, false, to.groups, port, end)
}

func lets(f *account, egress bool, groups []string, port int32, peer thing) bool {
	return slices.ContainsFunc(f.rules, func(r types.SecurityGroupRule) bool {
		if *r.IsEgress != egress || !slices.Contains(groups, *r.GroupId) || r.FromPort != nil && (port < *r.FromPort || port > *r.ToPort) {
			return false
		}
		if r.ReferencedGroupInfo != nil {
			return slices.Contains(peer.groups, *r.ReferencedGroupInfo.GroupId)
		}
		return netip.MustParsePrefix(*r.CidrIpv4).Contains(netip.MustParseAddr(peer.address))
	})
}

// realm is a consumer's and a producer's account, with all that has groups there.
type realm struct {
	here, there *account
	ends, dbs   []thing // dbs are all that listens
	refers      bool
}

func drawRealm(t *rapid.T) realm {
	w := realm{here: newAccount("sg-a", "sg-b", "sg-c", "sg-z"), there: newAccount("sg-1", "sg-2", "sg-3", "sg-0"), refers: rapid.Bool().Draw(t, "refers")}
	w.here.names, w.there.names = map[string]string{"sg-a": "default"}, map[string]string{"sg-0": "default"}
	some := func(label string, of []string) []string {
		out := rapid.SliceOfNDistinct(rapid.SampledFrom(of), 1, 2, rapid.ID).Draw(t, label)
		slices.Sort(out)
		return out
	}
	for n := range rapid.IntRange(1, 4).Draw(t, "ends") {
		subnet := rapid.IntRange(0, 1).Draw(t, "subnet")
		w.ends = append(w.ends, thing{name: fmt.Sprint("end", n), subnet: fmt.Sprintf("10.1.%d.0/24", subnet), address: fmt.Sprintf("10.1.%d.%d", subnet, 10+n),
			groups: some("groups", w.here.groups), serves: rapid.Bool().Draw(t, "client")})
	}
	for n := range rapid.IntRange(1, 4).Draw(t, "databases") {
		subnet := rapid.IntRange(0, 1).Draw(t, "subnet")
		d := thing{name: fmt.Sprint("db", n), subnet: fmt.Sprintf("10.2.%d.0/24", subnet), address: fmt.Sprintf("10.2.%d.%d", subnet, 10+n), groups: some("groups", w.there.groups)}
		if rapid.IntRange(0, 3).Draw(t, "kind") > 0 {
			d.port, d.serves = rapid.SampledFrom([]int32{3306, 5432}).Draw(t, "port"), rapid.Bool().Draw(t, "opened")
			w.there.use("RDSNetworkInterface", true, "", d.groups...)
		} else {
			w.there.use("", false, "i-"+d.name, d.groups...)
		}
		w.dbs = append(w.dbs, d)
	}
	rules := func(f *account, egress bool, peers []string) {
		for range rapid.IntRange(0, 4).Draw(t, "rules") {
			group, port, peer := rapid.SampledFrom(f.groups).Draw(t, "group"), rapid.SampledFrom([]int32{0, 3306, 5432}).Draw(t, "port"), rapid.SampledFrom(peers).Draw(t, "peer")
			if !strings.Contains(f.String(), told(types.SecurityGroupRule{GroupId: &group, IsEgress: &egress, IpProtocol: aws.String(map[bool]string{true: "-1", false: "tcp"}[port == 0]), FromPort: &port, CidrIpv4: &peer})) {
				f.put(group, egress, port, peer)
			}
		}
	}
	from, to := []string{"10.1.0.0/16", "10.1.0.0/24", "10.1.1.0/25"}, []string{"0.0.0.0/0", "10.2.0.0/24", "10.2.0.0/16"}
	if w.refers {
		from, to = append(from, "sg-a", "sg-z"), append(to, "sg-1", "sg-0")
	}
	rules(w.here, true, to)
	rules(w.there, false, from)
	return w
}

// sides are what an inspection of the realm says.
func (w realm) sides() (consumer, producer workflow.Side) {
	one, other := workflow.VPC{Account: "111111111111", Region: "r", ID: "vpc-1", CIDRs: []netip.Prefix{cidr("10.1.0.0/16")}}, workflow.VPC{Account: "222222222222", Region: "r", ID: "vpc-2", CIDRs: []netip.Prefix{cidr("10.2.0.0/16")}}
	consumer = workflow.Side{Role: "requester", VPC: one, Peer: other, Refers: w.refers}
	producer = workflow.Side{Role: "accepter", VPC: other, Peer: one, Refers: w.refers}
	for _, e := range w.ends {
		if e.serves {
			consumer.Clients = append(consumer.Clients, workflow.Client{Account: one.Account, Count: 1, Names: []string{e.name}, CIDRs: []netip.Prefix{cidr(e.subnet)}, Groups: e.groups})
		}
	}
	producer.Callers = workflow.CallersOf(consumer.Clients, one.CIDRs)
	for _, d := range w.dbs {
		if !d.serves {
			continue
		}
		o := workflow.AllowedDatabase{Database: d.name, Engine: "mysql", Port: int(d.port), Groups: d.groups, CIDRs: []netip.Prefix{cidr(d.subnet)}, Shared: map[string][]string{}}
		for _, other := range w.dbs {
			for _, g := range other.groups {
				if !other.serves && other.port == d.port && slices.Contains(d.groups, g) {
					o.Shared[g] = append(o.Shared[g], other.name)
				}
			}
		}
		producer.AllowedDatabases = append(producer.AllowedDatabases, o)
		n := slices.IndexFunc(consumer.Services, func(s workflow.Service) bool { return s.Port == int(d.port) })
		if n < 0 {
			n, consumer.Services = len(consumer.Services), append(consumer.Services, workflow.Service{Port: int(d.port)})
		}
		s := &consumer.Services[n]
		s.CIDRs, s.Groups = network.Merge(append(s.CIDRs, o.CIDRs...)), append(s.Groups, d.groups)
	}
	return consumer, producer
}

// reach is who reaches what.
func (w realm) reach() map[string]bool {
	out := map[string]bool{}
	for _, e := range w.ends {
		for _, d := range w.dbs {
			for _, port := range []int32{3306, 5432, 22} {
				if d.port == 0 || d.port == port {
					out[fmt.Sprintf("%s %s %d", e.name, d.name, port)] = reaches(w.here, w.there, e, d, port)
				}
			}
		}
	}
	return out
}

// Whatever has which groups, and whatever they admitted before: every client reaches every opened database, unless its line says ✗; nothing that was
// reached is lost; what nobody opened is reached by nobody more; who is no client gains only what a client's groups or subnets bring. Once more
// nothing changes, and after the end all is as it was.
func TestReachableIsWhatWasAndWhatIsAllowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawRealm(t)
		consumer, producer := w.sides()
		before, admitted, rules := w.reach(), map[string]bool{}, w.here.String()+w.there.String()
		for _, e := range w.ends {
			for _, d := range w.dbs {
				for _, port := range []int32{3306, 5432, 22} {
					admitted[fmt.Sprintf("%s %s %d", e.name, d.name, port)] = lets(w.there, false, d.groups, port, e)
				}
			}
		}
		shut := map[string]bool{}
		open := func() {
			if _, err := w.here.open("pcx-1", consumer, consumer.Clients...); err != nil {
				t.Fatal(err)
			}
			out, err := w.there.open("pcx-1", producer)
			if err != nil {
				t.Fatal(err)
			}
			for _, hop := range out.Hops {
				if name, ok := strings.CutPrefix(hop.Hop, "security group of "); ok && !hop.OK {
					shut[name] = true
				}
			}
		}
		open()
		after := w.reach()
		for _, e := range w.ends {
			for _, d := range w.dbs {
				for _, port := range []int32{3306, 5432, 22} {
					path := fmt.Sprintf("%s %s %d", e.name, d.name, port)
					was, is := before[path], after[path]
					allowed := e.serves && d.serves && d.port == port
					kin := slices.ContainsFunc(w.ends, func(c thing) bool {
						return c.serves && (c.subnet == e.subnet || slices.ContainsFunc(c.groups, func(g string) bool { return slices.Contains(e.groups, g) }))
					})
					switch {
					case was && !is:
						t.Fatalf("%s is lost", path)
					case allowed && !is && !shut[d.name]:
						t.Fatalf("%s is allowed, and not reached:\n%s\n%s", path, w.here, w.there)
					case is && !was && !d.serves && !admitted[path]:
						t.Fatalf("%s was opened by nobody", path)
					case is && !was && d.serves && !kin:
						t.Fatalf("%s: it is no client, and has nothing of one", path)
					}
				}
			}
		}
		for _, d := range w.dbs { // what lets in to what nobody opened is what did
			if d.serves {
				continue
			}
			for _, r := range w.there.rules {
				if len(r.Tags) > 0 && slices.Contains(d.groups, *r.GroupId) && (d.port == 0 || d.port == *r.FromPort) {
					t.Fatalf("%s has %s, to which %s was added:\n%s", d.name, *r.GroupId, told(r), w.there)
				}
			}
		}
		for _, r := range slices.Concat(w.here.rules, w.there.rules) {
			only := slices.ContainsFunc(w.ends, func(e thing) bool { return e.serves && slices.Equal(e.groups, []string{*r.GroupId}) })
			if len(r.Tags) > 0 && (*r.GroupId == "sg-0" || *r.GroupId == "sg-a" && !only) {
				t.Fatalf("the group named default got %s", told(r))
			}
		}
		opened := w.here.String() + w.there.String()
		if open(); w.here.String()+w.there.String() != opened {
			t.Fatalf("the second time changes it:\n%s\n%s", w.here, w.there)
		}
		for n, f := range []*account{w.here, w.there} {
			if _, err := f.close("pcx-1", []workflow.Side{consumer, producer}[n]); err != nil {
				t.Fatal(err)
			}
		}
		if left := w.here.String() + w.there.String(); left != rules {
			t.Fatalf("left is\n%s\nbefore was\n%s", left, rules)
		}
	})
}

// An earlier release let in the whole VPC, through whichever group came first. What is wanted comes beside it, is noted in the ledger, and then the next
// look finds that the old rule has no use: never before.
func TestAWiderRuleGoesOnceOthersServe(t *testing.T) {
	f, side := newAccount("sg-db", "sg-default"), producer()
	f.names = map[string]string{"sg-default": "default"}
	side.AllowedDatabases[0].Groups = []string{"sg-db", "sg-default"}
	old := side
	old.Callers = workflow.Callers{CIDRs: []netip.Prefix{cidr("10.1.0.0/16")}}
	if _, err := f.open("pcx-1", old); err != nil || len(f.rules) != 1 {
		t.Fatal(f, err)
	}
	side.Refers = true
	if going := f.surplus(t, "pcx-1", side); len(going) != 0 {
		t.Fatalf("%v goes, and nothing serves in its place", going)
	}
	if _, err := f.open("pcx-1", side); err != nil || len(f.rules) != 2 || !strings.Contains(f.String(), "sg-db false tcp 3306 sg-nb") {
		t.Fatalf("%s, %v", f, err)
	}
	if going := f.surplus(t, "pcx-1", side); fmt.Sprint(going) != "[sgr-1]" {
		t.Fatalf("%v goes, want the rule for the whole VPC", going)
	}
	if _, err := f.open("pcx-1", old); err != nil || len(f.surplus(t, "pcx-1", old)) != 1 {
		t.Fatalf("its owner wants the whole VPC again: %v; goes %v", err, f.surplus(t, "pcx-1", old))
	}
	side.Trim = &workflow.Trim{Rules: []string{"sgr-1"}}
	if _, err := f.close("pcx-1", side); err != nil || len(f.rules) != 1 {
		t.Fatalf("%s, %v", f, err)
	}
}

// What stands is said of the group in which it stands, whichever comes first by its id.
func TestASecondLookNamesTheSameGroup(t *testing.T) {
	f, side := newAccount("sg-a", "sg-db"), producer()
	side.AllowedDatabases[0].Groups = []string{"sg-a", "sg-db"}
	side.AllowedDatabases[0].Shared = map[string][]string{"sg-a": {"payroll"}}
	for _, says := range []string{"sg-db opened", "sg-db was open"} {
		out, err := f.open("pcx-1", side)
		if err != nil || !strings.Contains(out.Hops[0].Detail, says) {
			t.Fatalf("%+v, %v, want %s", out.Hops, err, says)
		}
	}
}

func TestAGroupThatWouldOpenMore(t *testing.T) {
	for name, c := range map[string]struct {
		make func(f *account, o *workflow.AllowedDatabase)
		ok   bool
		says string
	}{
		"only default": {func(f *account, o *workflow.AllowedDatabase) { f.names = map[string]string{"sg-db": "default"} }, false, "named default"},
		"default, and its own": {func(f *account, o *workflow.AllowedDatabase) {
			f.names = map[string]string{"sg-a": "default"}
			o.Groups = []string{"sg-a", "sg-db"}
		}, true, "sg-db opened"},
		"an unshared database": {func(f *account, o *workflow.AllowedDatabase) { o.Shared = map[string][]string{"sg-db": {"payroll"}} }, false, "payroll"},
		"the same, and its own": {func(f *account, o *workflow.AllowedDatabase) {
			o.Shared, o.Groups = map[string][]string{"sg-a": {"payroll"}}, []string{"sg-a", "sg-db"}
		}, true, "sg-db opened"},
		"the same, and asked for": {func(f *account, o *workflow.AllowedDatabase) {
			o.Shared, f.asked = map[string][]string{"sg-db": {"payroll"}}, map[string]bool{"sg-db": true}
		}, true, "sg-db opened"},
		"an instance": {func(f *account, o *workflow.AllowedDatabase) { f.use("", false, "i-1", "sg-db") }, false, "instance i-1"},
		"a cache": {func(f *account, o *workflow.AllowedDatabase) {
			f.use("ElastiCache sessions-0001-001", true, "", "sg-db")
		}, false, "ElastiCache"},
		"a database's own": {func(f *account, o *workflow.AllowedDatabase) { f.use("RDSNetworkInterface", true, "", "sg-db") }, true, "opened"},
		"a proxy's own": {func(f *account, o *workflow.AllowedDatabase) {
			f.use("Network interface for DBProxy orders", true, "", "sg-db")
		}, true, "opened"},
		"another proxy": {func(f *account, o *workflow.AllowedDatabase) {
			f.use("Network interface for DBProxy payroll", true, "", "sg-db")
		}, false, "payroll"},
		"a function": {func(f *account, o *workflow.AllowedDatabase) {
			f.use("AWS Lambda VPC ENI-x", true, "", "sg-db")
			f.uses[0].InterfaceType = "lambda"
		}, true, "opened"},
		"an instance with another":    {func(f *account, o *workflow.AllowedDatabase) { f.use("", false, "i-1", "sg-a") }, true, "opened"},
		"nothing, but it has no room": {func(f *account, o *workflow.AllowedDatabase) { o.Groups = []string{"sg-gone"} }, false, "not in the VPC"},
		"an instance, and its owner lets them in": {func(f *account, o *workflow.AllowedDatabase) {
			f.use("", false, "i-1", "sg-db")
			f.put("sg-db", false, 0, "10.0.0.0/8")
		}, true, "was open"},
	} {
		t.Run(name, func(t *testing.T) {
			f, side := newAccount("sg-a", "sg-db"), producer()
			c.make(f, &side.AllowedDatabases[0])
			before := len(f.rules)
			out, err := f.open("pcx-1", side)
			if err != nil || out.Hops[0].OK != c.ok || !strings.Contains(out.Hops[0].Detail, c.says) {
				t.Errorf("%+v, %v", out.Hops, err)
			}
			if added := len(f.rules) - before; (added > 0) != (c.ok && c.says != "was open") {
				t.Errorf("%d rules were added", added)
			}
			if !c.ok && c.says != "not in the VPC" && !strings.Contains(out.Hops[0].Detail, "a security group of its own") {
				t.Errorf("no remedy: %s", out.Hops[0].Detail)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	set := func(account string, groups ...string) workflow.GroupSet {
		return workflow.GroupSet{Account: account, Groups: groups}
	}
	const own, other = "111111111111", "333333333333"
	var many []workflow.GroupSet
	for n := range 21 {
		many = append(many, set(own, fmt.Sprintf("sg-%02d", n)))
	}
	for name, c := range map[string]struct {
		refers bool
		calls  workflow.Callers
		want   string
	}{
		"each by the group that fewest have": {true, workflow.Callers{Groups: []workflow.GroupSet{set(own, "sg-all", "sg-b"), set(own, "sg-all", "sg-c")}}, "[sg-b sg-c]"},
		"one has no other":                   {true, workflow.Callers{Groups: []workflow.GroupSet{set(own, "sg-all", "sg-b"), set(own, "sg-all", "sg-c"), set(own, "sg-all")}}, "[sg-all]"},
		"two with the same":                  {true, workflow.Callers{Groups: []workflow.GroupSet{set(own, "sg-b"), set(own, "sg-b", "sg-c")}}, "[sg-b]"},
		"one of them is kept out":            {true, workflow.Callers{Apart: []string{"sg-b"}, Groups: []workflow.GroupSet{set(own, "sg-all", "sg-b"), set(own, "sg-b", "sg-c")}}, "[sg-all sg-c]"},
		"AWS cannot":                         {false, workflow.Callers{Groups: []workflow.GroupSet{set(own, "sg-b")}}, "10.1.0.0/24"},
		"a participant of the peer VPC":      {true, workflow.Callers{Groups: []workflow.GroupSet{set(own, "sg-b"), set(other, "sg-c")}}, "10.1.0.0/24"},
		"some are not known":                 {true, workflow.Callers{More: true, Groups: []workflow.GroupSet{set(own, "sg-b")}}, "10.1.0.0/24"},
		"too many":                           {true, workflow.Callers{Groups: many}, "10.1.0.0/24"},
	} {
		side := producer()
		side.Refers, side.Callers = c.refers, c.calls
		side.Callers.CIDRs = []netip.Prefix{cidr("10.1.0.0/24")}
		var got []string
		for _, w := range firewall.WantedIngress(side.AllowedDatabases[0], "sg-db", side) {
			_, peer, _ := strings.Cut(firewall.Key(w.Rule, false), "3306 ")
			if got = append(got, peer); strings.HasPrefix(peer, "sg-") != (w.Account == own) {
				t.Errorf("%s: %s of %q", name, peer, w.Account)
			}
		}
		if told := fmt.Sprint(got); told != c.want && strings.Trim(told, "[]") != c.want {
			t.Errorf("%s: %s, want %s", name, told, c.want)
		}
	}
}
