package why

import (
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

var worlds = []struct {
	name  string
	world func() Question
	also  []breakage
}{{"over a peering", s1, ofPeerings}, {"over a gateway", s5, ofGateways}}

func code(a Answer, code string) Hop {
	n := slices.IndexFunc(a.Hops, func(h Hop) bool { return h.Code == code })
	if n < 0 {
		return Hop{}
	}
	return a.Hops[n]
}

func TestWhatHoldsIsYes(t *testing.T) {
	for _, w := range worlds {
		if a := Judge(w.world()); a.Answer != "yes" || a.After != "" || len(a.Hops) < 9 {
			t.Errorf("%s: %+v", w.name, a)
		}
	}
}

func TestEachBreakageIsFoundAndMended(t *testing.T) {
	for _, w := range worlds {
		for _, b := range slices.Concat(common, w.also) {
			t.Run(w.name+", "+b.name, func(t *testing.T) {
				q := w.world()
				b.do(&q)
				a := Judge(q)
				if q.World.Gateways != nil && b.gateway != "" {
					b.hop = b.gateway
				}
				h := code(a, b.hop)
				if a.Answer == "yes" || h.Answer == "yes" || h.Code == "" || h.Whose == "" {
					t.Fatalf("%s: %+v", a.Line, h)
				}
				if len(h.Mends) == 0 || a.After != "yes" {
					t.Errorf("after %+v it is %q", h.Mends, a.After)
				}
			})
		}
	}
}

// Whatever is broken at once: what mends it was made in the model and judged, and everything holds.
func TestBreakagesAtOnceAreMendedAtOnce(t *testing.T) {
	for _, w := range worlds {
		t.Run(w.name, rapid.MakeCheck(func(t *rapid.T) {
			q := w.world()
			all := slices.Concat(common, w.also)
			broken := rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 1, 6, rapid.ID[int]).Draw(t, "broken")
			for _, n := range broken {
				all[n].do(&q)
			}
			if a := Judge(q); a.Answer == "yes" || a.After != "yes" {
				t.Fatalf("it is %s, and then %q: %+v", a.Answer, a.After, a.Hops)
			}
		}))
	}
}

// Whatever is broken at once: what mends it leads, opens and sets nothing beside the packets between the two ends.
func TestMendsAreNarrow(t *testing.T) {
	outside := cidrs("10.1.1.0/24", "10.1.2.0/23", "10.1.128.0/17", "10.2.2.0/23", "10.2.128.0/17", "10.3.0.0/16", "192.0.2.0/24", "198.51.100.0/24")
	for _, w := range worlds {
		t.Run(w.name, rapid.MakeCheck(func(t *rapid.T) {
			before := w.world()
			all := slices.Concat(common, w.also)
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 1, 6, rapid.ID[int]).Draw(t, "broken") {
				all[n].do(&before)
			}
			after, mends := before, 0
			for _, h := range Judge(before).Hops {
				after, mends = after.with(h.Mends), mends+len(h.Mends)
			}
			if was, is := reaches(before, outside), reaches(after, outside); mends == 0 || !slices.Equal(was, is) {
				t.Fatalf("after %d mends it is\n%s\nand was\n%s", mends, strings.Join(is, "\n"), strings.Join(was, "\n"))
			}
		}))
	}
}

// reaches says what becomes, at each thing of a world, of packets to and from addresses that neither end has.
func reaches(q Question, outside []netip.Prefix) []string {
	var out []string
	tables := func(all []network.Table) {
		for _, table := range all {
			for _, p := range table.Split(outside) {
				out = append(out, fmt.Sprintf("%s leads %v: %+v", table.ID, p.CIDRs, p.Lead))
			}
		}
	}
	for _, v := range q.World.VPCs {
		tables(v.Tables)
		for _, g := range v.Groups {
			for _, rules := range [][]network.Rule{g.Egress, g.Ingress} {
				shut, _ := network.Shut(rules, network.Traffic{Peers: outside, Ports: network.AllPorts})
				out = append(out, fmt.Sprintf("%s denies %+v", g.ID, shut))
			}
		}
		for _, a := range v.ACLs {
			for _, entries := range [][]network.Entry{a.Egress, a.Ingress} {
				for _, d := range network.Deny(entries, outside, network.AllPorts) {
					out = append(out, fmt.Sprintf("%s denies %s %s", a.ID, d.CIDR, d.Ports))
				}
			}
		}
	}
	for _, g := range q.World.Gateways {
		tables(g.Tables)
	}
	return append(out, fmt.Sprintf("the host leads %v", network.Common(q.Client.Host.Routes, outside)))
}

func TestWhatNoCommandMendsIsSaidInWords(t *testing.T) {
	for name, do := range map[string]func(*Question){
		"an appliance is in the way": func(q *Question) {
			t := &q.World.VPCs[0].Tables[0]
			t.Routes = append(without(t.Routes, peeringID), network.Route{Destination: cidr("10.2.0.0/16"), Target: "pcx-0other"})
		},
		"a route of its owner's to a NAT gateway is in the way": func(q *Question) {
			t := &q.World.VPCs[0].Tables[0]
			t.Routes = append(without(t.Routes, peeringID), network.Route{Destination: cidr("10.0.0.0/8"), Target: "nat-0f0f"})
		},
		"its own range has these addresses": func(q *Question) {
			t := &q.World.VPCs[0].Tables[0]
			t.Routes = append(without(t.Routes, peeringID), network.Route{Destination: cidr("10.2.0.0/16"), Target: "local"})
		},
		"no number is free before the entry that denies": func(q *Question) {
			q.World.VPCs[1].ACLs[0].Ingress = []network.Entry{{Number: 1, CIDR: cidr(everywhereText), Ports: network.AllPorts}}
		},
		"the peering is over": func(q *Question) { q.World.Peerings[0].Active, q.Carriers[0].Status = network.No, "expired" },
	} {
		q := s1()
		do(&q)
		a := Judge(q)
		n := slices.IndexFunc(a.Hops, func(h Hop) bool { return h.Answer == "no" })
		if a.Answer != "no" || n < 0 || len(a.Hops[n].Mends) > 0 || a.Hops[n].Remedy == "" || a.After != "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestTheBestOfSeveralCounts(t *testing.T) {
	q := s1()
	q.World.Peerings = append(q.World.Peerings, network.Peering{ID: "pcx-0dead", Active: network.No, VPCs: [2]string{alphaVPC, betaVPC}})
	q.Carriers = append([]Carrier{{ID: "pcx-0dead", Status: "expired"}}, q.Carriers...)
	if a := Judge(q); a.Answer != "yes" || a.Over != peeringID || a.Alternates != "pcx-0dead" {
		t.Errorf("%+v", a)
	}
}

func TestTheOwnersScriptIsNotJudged(t *testing.T) {
	q := s1()
	q.Client.Host = &network.Host{Unread: "its owner's own lines set routes"}
	if a := Judge(q); a.Answer != "unknown" || code(a, "host-route").Answer != "unknown" || len(code(a, "host-route").Mends) > 0 {
		t.Errorf("%+v", a)
	}
}

func TestAScriptThatDidNotRunYetIsNotKnown(t *testing.T) {
	q := s1()
	q.Client.Host, q.Script = &network.Host{}, Script{Config: "setup", Running: true, Stale: true, Routes: cidrs("10.2.0.0/23")}
	if a := Judge(q); a.Answer != "unknown" || len(code(a, "host-route").Mends) != 1 || len(code(a, "host-route").Mends[0].Then) != 2 || a.After != "yes" {
		t.Errorf("%+v", a)
	}
}

// unshared is a world in which Drawbridge connects two VPCs, and the database's owner shares it with others alone.
func unshared(q Question) Question {
	q.Carriers[0].Said = &Managed{ID: q.Carriers[0].ID, State: "Connected", Reason: "nothing is shared"}
	q.Share = Share{Thing: deed.Thing{Kind: tag.DBInstance, ID: "arn:aws:rds:us-east-1:222222222222:db:sales", Account: beta, Region: "us-east-1"}, With: "444444444444"}
	q.World.VPCs[1].Groups[0].Ingress = nil
	for v := range q.World.VPCs {
		for t := range q.World.VPCs[v].Tables {
			table := &q.World.VPCs[v].Tables[t]
			table.Routes = without(table.Routes, q.Carriers[0].ID)
		}
	}
	q.Client.Host = &network.Host{}
	return q
}

// What Drawbridge does once its owner shares the database nobody is told to do by hand.
func TestWhatIsNotSharedIsSharedByItsOwner(t *testing.T) {
	for _, w := range worlds {
		a := Judge(unshared(w.world()))
		if a.Hops[0].Code != "share" || a.Hops[0].Whose != beta || !strings.Contains(a.Line, "is shared with 444444444444, not with account 111111111111") {
			t.Errorf("%s: %+v", w.name, a)
		}
		if m := a.Hops[0].Mends; len(m) != 1 || m[0].Account != beta || m[0].Command[len(m[0].Command)-1] != "Key=drawbridge:share,Value=444444444444 111111111111" {
			t.Errorf("%s: %+v", w.name, m)
		}
		for _, h := range a.Hops[1:] {
			if len(h.Mends) > 0 {
				t.Errorf("%s: %s is to be mended by %+v", w.name, h.Code, h.Mends)
			}
		}
		if a.After != "unknown" || a.Managed == nil { // its script has to be written first
			t.Errorf("%s: after it is %q", w.name, a.After)
		}
	}
	open := unshared(s1())
	open.World = s1().World // its policy does not go by the tag
	if a := Judge(open); a.Hops[0].Code == "share" {
		t.Errorf("a database that is open is said to be closed: %+v", a.Hops[0])
	}
	byHand := unshared(s1())
	byHand.Carriers[0].Said = nil
	if a := Judge(byHand); a.Hops[0].Code == "share" || len(code(a, "database-group").Mends) != 1 {
		t.Errorf("without Drawbridge: %+v", a)
	}
}

// Who asks for a port at which nothing answers is told which does, and nothing is opened for the wrong one.
// A tag by which an owner keeps Drawbridge out is the first hop, of its owner, and what takes it back makes everything hold, or lets Drawbridge do it.
func TestTagsThatKeepDrawbridgeOutAreHops(t *testing.T) {
	at := func(kind tag.Kind, id, account string) deed.Thing {
		return deed.Thing{Kind: kind, ID: id, Account: account, Region: "us-east-1"}
	}
	research := at(tag.Notebook, "arn:aws:sagemaker:us-east-1:"+alpha+":notebook-instance/research", alpha)
	closed := func(q *Question) { q.World.VPCs[1].Groups[0].Ingress = nil }
	for name, c := range map[string]struct {
		word    Word
		breaks  func(*Question)
		whose   string
		command string
	}{
		"accept":   {Word{Thing: at(tag.VPC, betaVPC, beta), Key: tag.Accept, Value: "never"}, closed, beta, "Key=drawbridge:accept,Value=ask"},
		"approval": {Word{Thing: at(tag.Peering, peeringID, beta), Key: tag.Approval, Value: "rejected"}, closed, beta, "Key=drawbridge:approval,Value=approved"},
		"manage":   {Word{Thing: at(tag.Peering, peeringID, alpha), Key: tag.Manage, Value: tag.Leave}, closed, alpha, "Key=drawbridge:manage,Value=true"},
		"reach": {Word{Thing: at(tag.Subnet, "subnet-0b1", beta), Key: tag.Reach, Value: tag.NoReach}, func(q *Question) {
			q.World.VPCs[1].Tables[0].Routes = without(q.World.VPCs[1].Tables[0].Routes, peeringID)
		}, beta, "delete-tags --region us-east-1 --resources subnet-0b1 --tags Key=drawbridge:reach"},
		"routes": {Word{Thing: research, Key: tag.Routes, Value: "off", Name: "research"}, func(q *Question) { q.Client.Host = &network.Host{} }, alpha, "Key=drawbridge:routes,Value=on"},
	} {
		q := s1()
		q.Carriers[0].Said = &Managed{ID: peeringID, State: "Connected"}
		q.Words = []Word{c.word}
		if a := Judge(q); a.Answer != "yes" || len(a.Hops) == 0 || a.Hops[0].Code == name {
			t.Errorf("%s, and all holds: %+v", name, a)
		}
		c.breaks(&q)
		a := Judge(q)
		h := a.Hops[0]
		if a.Answer != "no" || h.Code != name || h.Whose != c.whose || len(h.Mends) != 1 || !strings.HasSuffix(strings.Join(h.Mends[0].Command, " "), c.command) || !strings.Contains(h.Detail, c.word.Key+"="+c.word.Value) {
			t.Errorf("%s: %+v", name, h)
		}
		for _, h := range a.Hops[1:] {
			if len(h.Mends) > 0 {
				t.Errorf("%s: somebody is asked to mend %s, too: %+v", name, h.Code, h.Mends)
			}
		}
		if want := map[bool]string{true: "unknown", false: "yes"}[name == "routes"]; a.After != want {
			t.Errorf("%s: after it is %s, want %s: %+v", name, a.After, want, a.Hops)
		}
		// A notebook's tag says nothing where Drawbridge sets no host routes.
		if q.Carriers[0].Said = nil; name == "routes" && Judge(q).Hops[0].Code == name {
			t.Error("routes: of a connection that is not Drawbridge's")
		}
	}
	lone := s1()
	lone.Carriers, lone.Words = nil, []Word{{Thing: at(tag.VPC, betaVPC, beta), Key: tag.Accept, Value: "never"}}
	if a := Judge(lone); len(a.Hops) != 2 || a.Hops[0].Code != "accept" || a.Hops[1].Code != "connection" {
		t.Errorf("a request would be refused: %+v", a.Hops)
	}
	q := unshared(s1())
	q.Share.With = alpha
	q.Words = []Word{{Thing: at(tag.Group, "sg-0d1", beta), Key: tag.Reach, Value: tag.NoReach}}
	if h := Judge(q).Hops[0]; h.Code != "reach" || !strings.Contains(h.Detail, "opens nothing in it") || !strings.HasSuffix(strings.Join(h.Mends[0].Command, " "), "--resources sg-0d1 --tags Key=drawbridge:reach") {
		t.Errorf("a group: %+v", h)
	}
	// What a policy forbids to keep out is not in the way, and what is said of the connection names the policy.
	overruled := board.Entry{Line: board.Line{ID: peeringID, State: "Connected", Overruled: map[string]string{beta: "no-islands"}}}
	a := Judge(q.Heeding(overruled)).With(overruled)
	if len(q.Words) != 1 || slices.ContainsFunc(a.Hops, func(h Hop) bool { return h.Code == "reach" }) || fmt.Sprint(a.Managed.Keeps) != "[nothing of account "+beta+", as policy no-islands forbids it]" {
		t.Errorf("a group that may not be kept out: %+v, %+v", a.Hops, a.Managed)
	}
	overruled.Line.Overruled = map[string]string{alpha: "no-islands"}
	if h := Judge(q.Heeding(overruled)).Hops[0]; h.Code != "reach" {
		t.Errorf("a group of another account's may not: %+v", h)
	}
	for _, tags := range []map[string]string{{tag.Routes: " OFF "}, {tag.Routes: "on"}, {tag.Restart: "never"}, {}} {
		if got := WordsOf(research, "research", tags); (len(got) == 1) != (tags[tag.Routes] == " OFF ") {
			t.Errorf("%v: %+v", tags, got)
		}
	}
}

// What Drawbridge puts back at its next look, nobody is asked to mend; what is contested, not shared or no business of its, somebody is.
func TestWhatMendsItself(t *testing.T) {
	for name, c := range map[string]struct {
		state string
		with  string
		want  bool
	}{"connected": {"Connected", alpha, true}, "contested": {"Contested", alpha, false}, "partly": {"PartlyConnected", alpha, false}, "nobody says": {"", alpha, false}} {
		q := s1()
		q.Share = Share{Thing: deed.Thing{Kind: tag.DBInstance, ID: "arn:aws:rds:us-east-1:" + beta + ":db:sales", Account: beta, Region: "us-east-1"}, With: c.with}
		if c.state != "" {
			q.Carriers[0].Said = &Managed{ID: peeringID, State: c.state}
		}
		q.World.VPCs[0].Tables[0].Routes = without(q.World.VPCs[0].Tables[0].Routes, peeringID)
		q.World.VPCs[0].Names.Support = network.No
		a := Judge(q)
		if h := code(a, "route-there"); h.Itself != c.want || len(h.Mends) == 0 || strings.Contains(h.Remedy, "Drawbridge mends it") != c.want {
			t.Errorf("%s: %+v", name, h)
		}
		if h := code(a, "name-resolution"); h.Itself || len(h.Mends) == 0 {
			t.Errorf("%s: DNS is its owner's: %+v", name, h)
		}
	}
}

func TestAPortAtWhichNothingAnswers(t *testing.T) {
	q := s1()
	q.Serves, q.Port, q.To.Port = []int{3306}, 3307, 3307
	a := Judge(q)
	if h := a.Hops[0]; a.Answer != "no" || h.Code != "port" || h.Remedy == "" || a.Line != "research → sales:3307 does not connect over "+peeringID+": sales answers at port 3306, not at 3307" || a.After != "" {
		t.Errorf("%+v", a)
	}
	for _, h := range a.Hops[1:] {
		if h.Answer != "yes" {
			t.Errorf("%+v", h)
		}
	}
}

func TestWhatServesAPort(t *testing.T) {
	one := func(name string, port int) located {
		return located{share: Share{Thing: deed.Thing{ID: name}}, serves: []int{port}}
	}
	all := []located{one("a", 1521), one("a", 2484)}
	if got := atPort(all, 2484); len(got) != 1 || got[0].serves[0] != 2484 {
		t.Errorf("at its port: %+v", got)
	}
	if got := atPort(all, 3306); len(got) != 1 || !slices.Equal(got[0].serves, []int{1521, 2484}) {
		t.Errorf("at none of its ports: %+v", got)
	}
	if got := atPort(all, 0); len(got) != 2 {
		t.Errorf("at whatever port: %+v", got)
	}
}

func TestWithinOneVPC(t *testing.T) {
	q := s1()
	q.World.VPCs[1].Subnets = append(q.World.VPCs[1].Subnets, network.Subnet{ID: "subnet-0b3", Zone: "us-east-1a", CIDRs: cidrs("10.2.3.0/24")})
	q.World.VPCs[1].Groups = append(q.World.VPCs[1].Groups, network.Group{ID: "sg-client", Egress: []network.Rule{{Ports: network.AllPorts, CIDR: cidr(everywhereText)}}})
	q.World.VPCs[1].Tables[0].Main = true
	q.World.VPCs[1].ACLs[0].Subnets = append(q.World.VPCs[1].ACLs[0].Subnets, "subnet-0b3")
	q.Client = network.Client{Name: "near", VPC: betaVPC, Subnets: []string{"subnet-0b3"}, Groups: []string{"sg-client"}}
	q.From, q.Carriers = End{Name: "near", Kind: "function", Account: beta, Region: "us-east-1", VPC: betaVPC}, nil
	a := Judge(q)
	if h := code(a, "database-group"); a.Answer != "no" || len(h.Mends) != 1 || a.After != "yes" {
		t.Errorf("%+v", a)
	}
}

func TestPages(t *testing.T) {
	broken := s1()
	for _, b := range slices.Concat(common[:2], common[5:7], common[10:11]) {
		b.do(&broken)
	}
	gateway := s5()
	ofGateways[0].do(&gateway)
	apart, overlapping := s1(), s1()
	apart.Carriers, overlapping.Carriers = nil, nil
	overlapping.World.VPCs[1].CIDRs = cidrs("10.1.0.0/20")
	blind := s1()
	blind.World.VPCs = blind.World.VPCs[:1]
	waits := s1()
	ofPeerings[0].do(&waits)
	waiting := Judge(waits).With(board.Entry{Line: board.Line{ID: peeringID, State: "AwaitingApproval", Reason: "the owner is asked", Waits: "its owner has to approve it", By: beta,
		Command: []string{"aws", "ec2", "create-tags", "--region", "us-east-1", "--resources", peeringID, "--tags", "Key=drawbridge:approval,Value=approved"}}})
	closed, elsewhere := unshared(s1()), s1()
	elsewhere.Serves, elsewhere.Port, elsewhere.To.Port = []int{3306}, 3307, 3307
	stale, crlf := s1(), s1()
	stale.Client.Host, stale.Script = &network.Host{}, Script{Config: "setup", Running: true, Stale: true, Routes: cidrs("10.2.0.0/23")}
	common[slices.IndexFunc(common, func(b breakage) bool { return strings.Contains(b.name, "no shell") })].do(&crlf)
	kept, drifted := s1(), s1()
	kept.Words = []Word{{Thing: deed.Thing{Kind: tag.Peering, ID: peeringID, Account: alpha, Region: "us-east-1"}, Key: tag.Manage, Value: tag.Leave}}
	kept.World.VPCs[1].Groups[0].Ingress = nil
	drifted.Carriers[0].Said = &Managed{ID: peeringID, State: "Connected"}
	drifted.Share = Share{Thing: deed.Thing{Kind: tag.DBInstance, ID: "arn:aws:rds:us-east-1:" + beta + ":db:sales", Account: beta, Region: "us-east-1"}, With: alpha}
	drifted.World.VPCs[1].Tables[0].Routes = without(drifted.World.VPCs[1].Tables[0].Routes, peeringID)
	unseen := Judge(blind)
	unseen.Unread = []string{"account 222222222222: no credentials"}
	var all []answer.Document
	for name, a := range map[string]Answer{"holds": Judge(s1()), "broken": Judge(broken), "gateway": Judge(gateway), "apart": Judge(apart), "overlapping": Judge(overlapping),
		"waits": waiting, "unseen": unseen, "unshared": Judge(closed), "port": Judge(elsewhere), "stale": Judge(stale), "crlf": Judge(crlf), "kept": Judge(kept), "drifted": Judge(drifted)} {
		answertest.Text(t, name, a, false)
		all = append(all, a)
	}
	answertest.Schema[Answer](t, "../..", "why.v1", "drawbridge why -o json", all...)
}

// Every hop that the judge can name has a code, and every code a hop; docs holds them to their pages.
func TestCodesAreThoseOfTheJudge(t *testing.T) {
	source, err := os.ReadFile("../network/judge.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?:gather\(|Hop: )"([a-zA-Z ]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(named) < 10 {
		t.Fatalf("only %d hops are named", len(named))
	}
	seen := []string{"connection", "database-state", "port", "share"}
	for _, e := range excludes {
		seen = append(seen, e.code)
	}
	for _, m := range named {
		seen = append(seen, Code(m[1]))
		if !slices.Contains(Codes, Code(m[1])) {
			t.Errorf("the hop %q has no code", m[1])
		}
	}
	for _, c := range Codes {
		if !slices.Contains(seen, c) {
			t.Errorf("nothing names the hop %s", c)
		}
	}
}
