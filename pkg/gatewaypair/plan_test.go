package gatewaypair_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/gatewaypair"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func cidrs(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

func entry(destination, attachment string, blackhole bool) gatewaypair.Entry {
	return gatewaypair.Entry{Destination: netip.MustParsePrefix(destination), Attachment: attachment, Blackhole: blackhole}
}

var (
	yes = policy.Decision{Allowed: true, Policy: "p"}
	no  = policy.Decision{Policy: policy.DefaultDeny}
)

// both is a pair that has all it needs.
func both() gatewaypair.Question {
	routes := []gatewaypair.Entry{entry("10.0.0.0/16", "tgw-attach-a", false), entry("10.1.0.0/16", "tgw-attach-b", false)}
	end := func(letter, account, cidr string) gatewaypair.End {
		return gatewaypair.End{Member: true, VPC: workflow.VPC{Account: account, Region: "us-east-1", ID: "vpc-" + letter, CIDRs: cidrs(cidr)},
			Attachment: &gatewaypair.Attachment{ID: "tgw-attach-" + letter, State: "available"}, Table: "tgw-rtb-1", Entries: routes}
	}
	return gatewaypair.Question{Gateway: gatewaypair.Gateway{ID: "tgw-1", Owner: "111111111111"},
		Ends:     [2]gatewaypair.End{end("a", "111111111111", "10.0.0.0/16"), end("b", "222222222222", "10.1.0.0/16")},
		Connects: [2]policy.Decision{yes, no}, Routes: [2]policy.Decision{yes, yes}}
}

// AWS lets rules refer to groups across a gateway only where everything on the way allows it, and where nothing is between.
func TestRefers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*gatewaypair.Question)
		zones  []string
		want   bool
	}{
		"all allow it":                    {func(*gatewaypair.Question) {}, []string{"use1-az1", "use1-az2"}, true},
		"the gateway does not":            {func(q *gatewaypair.Question) { q.Gateway.References = false }, nil, false},
		"one attachment does not":         {func(q *gatewaypair.Question) { q.Ends[1].Attachment.References = false }, nil, false},
		"a subnet in the zone without it": {func(*gatewaypair.Question) {}, []string{"use1-az1", "use1-az3"}, false},
		"another VPC inspects what crosses": {func(q *gatewaypair.Question) {
			q.Ends[0].Entries = []gatewaypair.Entry{{Destination: cidrs("10.1.0.0/16")[0], Attachment: "tgw-attach-x", Static: true}}
		}, nil, false},
	} {
		q := both()
		q.Gateway.References, q.Ends[0].Attachment.References, q.Ends[1].Attachment.References = true, true, true
		if c.change(&q); gatewaypair.Refers(q, c.zones) != c.want {
			t.Errorf("%s: want %v", name, c.want)
		}
	}
}

// A pair that was connected and whose attachment waits to be accepted was connected over another one.
func TestAnAttachmentThatTookThePlaceOfAnother(t *testing.T) {
	for _, state := range []string{"pendingAcceptance", "initiatingRequest"} {
		for n := range 2 {
			q := both()
			q.Ends[n].Attachment.State, q.Before = state, true
			if v, settled := gatewaypair.Standing(q); !settled || v.Answer != workflow.AnswerDisconnect {
				t.Errorf("%s: %+v", state, v)
			}
		}
	}
}

func TestStanding(t *testing.T) {
	for state, want := range map[string]workflow.Answer{
		"available": "", "": workflow.AnswerDisconnect, "deleted": workflow.AnswerDisconnect, "deleting": workflow.AnswerDisconnect,
		"rejected": workflow.AnswerDisconnect, "rejecting": workflow.AnswerDisconnect, "failed": workflow.AnswerDisconnect, "failing": workflow.AnswerDisconnect,
		"pendingAcceptance": workflow.AnswerNothing, "initiatingRequest": workflow.AnswerNothing,
		"initiating": workflow.AnswerWait, "pending": workflow.AnswerWait, "modifying": workflow.AnswerWait, "rollingBack": workflow.AnswerWait,
		"levitating": workflow.AnswerNothing,
	} {
		for n := range 2 {
			q := both()
			if q.Ends[n].Attachment.State = state; state == "" {
				q.Ends[n].Attachment = nil
			}
			v, settled := gatewaypair.Standing(q)
			if v.Answer != want || settled != (want != "") {
				t.Errorf("end %d %s: %+v, %v, want %q", n, state, v, settled, want)
			}
			if settled && !strings.Contains(v.Reason, q.Ends[n].VPC.ID) {
				t.Errorf("%s: %q does not name the VPC", state, v.Reason)
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*gatewaypair.Question)
		want   workflow.Answer
	}{
		"outside the organization": {func(q *gatewaypair.Question) { q.Ends[1].Member = false }, workflow.AnswerDisconnect},
		"a closed door alone":      {func(q *gatewaypair.Question) { q.Ends[1].Closed, q.Ends[1].Attachment = true, nil }, ""},
		"a closed door, and the other side is over": {func(q *gatewaypair.Question) {
			q.Ends[1].Closed, q.Ends[1].Attachment = true, nil
			q.Ends[0].Attachment.State = "deleting"
		}, workflow.AnswerDisconnect},
		"over beats pending": {func(q *gatewaypair.Question) {
			q.Ends[0].Attachment.State, q.Ends[1].Attachment.State = "pending", "deleted"
		}, workflow.AnswerDisconnect},
		"a person's acceptance is not waited for": {func(q *gatewaypair.Question) {
			q.Ends[0].Attachment.State, q.Ends[1].Attachment.State = "pending", "pendingAcceptance"
		}, workflow.AnswerNothing},
	} {
		q := both()
		c.change(&q)
		if v, _ := gatewaypair.Standing(q); v.Answer != c.want {
			t.Errorf("%s: %+v, want %q", name, v, c.want)
		}
	}
}

func TestJudge(t *testing.T) {
	late := func(q *gatewaypair.Question) { q.Looks = gatewaypair.Patience }
	for name, c := range map[string]struct {
		change []func(*gatewaypair.Question)
		want   workflow.Answer // empty: a Conflict
		says   string
	}{
		"all is well": {nil, workflow.AnswerConnect, "connected by policy p"},
		"the other one consumes": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Connects = [2]policy.Decision{no, yes} }},
			workflow.AnswerConnect, "connected by policy p"},
		"nobody may consume": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Connects[0] = no }},
			workflow.AnswerRefuse, "refused by policy default-deny"},
		"a forbid says more": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Connects = [2]policy.Decision{no, {Policy: "never"}} }},
			workflow.AnswerRefuse, "refused by policy never"},
		"the producer's owner takes it back": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Never[1], q.Before = true, true }},
			workflow.AnswerDisconnect, "the owner of account 222222222222 takes it back: vpc-b is tagged drawbridge:accept=never"},
		"the consumer takes none itself": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Never[0], q.Before = true, true }},
			workflow.AnswerConnect, "connected by policy p"},
		"both produce, one takes none": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Never[1], q.Connects = true, [2]policy.Decision{yes, yes} }},
			workflow.AnswerConnect, "connected by policy p"},
		"not allowed any more": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Connects[0], q.Before = no, true }},
			workflow.AnswerDisconnect, "refused by policy"},
		"routes only one way": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Routes[1] = no }},
			workflow.AnswerRefuse, "routes refused"},
		"the VPCs overlap": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Ends[1].VPC.CIDRs = cidrs("10.0.128.0/17") }},
			workflow.AnswerRefuse, "10.0.0.0/16 of vpc-a overlaps 10.0.128.0/17 of vpc-b"},
		"both have a range for containers beside their own": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) {
			q.Ends[0].VPC.CIDRs, q.Ends[1].VPC.CIDRs = cidrs("10.0.0.0/16", "100.64.0.0/16"), cidrs("10.1.0.0/16", "100.64.0.0/16")
		}}, workflow.AnswerConnect, "p"},
		"such a range of a pair that was connected": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) {
			q.Ends[0].VPC.CIDRs, q.Ends[1].VPC.CIDRs, q.Before = cidrs("10.0.0.0/16", "100.64.0.0/16"), cidrs("10.1.0.0/16", "100.64.128.0/17"), true
		}}, workflow.AnswerConnect, "p"},
		"one has nothing but what both have": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) {
			q.Ends[0].VPC.CIDRs, q.Ends[1].VPC.CIDRs = cidrs("10.0.0.0/16", "100.64.0.0/16"), cidrs("100.64.0.0/16")
		}}, workflow.AnswerRefuse, "overlaps"},
		"they overlap since a CIDR was added": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Ends[1].VPC.CIDRs, q.Before = cidrs("10.0.128.0/17"), true }},
			"", "10.0.0.0/16 of vpc-a overlaps 10.0.128.0/17 of vpc-b, and tgw-1 connects them"},
		"not associated yet": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Ends[0].Table, q.Ends[0].Entries = "", nil }},
			workflow.AnswerWait, "tgw-attach-a of vpc-a is associated with no route table"},
		"never associated": {[]func(*gatewaypair.Question){late, func(q *gatewaypair.Question) { q.Ends[0].Table, q.Ends[0].Entries = "", nil }},
			"", "tgw-attach-a of vpc-a is associated with no route table"},
		"not propagated yet": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) { q.Ends[0].Entries = q.Ends[0].Entries[:1] }},
			workflow.AnswerWait, "10.1.0.0/16 of vpc-b is not in tgw-rtb-1"},
		"a CIDR that another attachment has": {[]func(*gatewaypair.Question){late, func(q *gatewaypair.Question) {
			q.Ends[0].Entries = []gatewaypair.Entry{entry("10.1.0.0/16", "tgw-attach-x", false)}
		}}, "", "10.1.0.0/16 of vpc-b is not in tgw-rtb-1: route 10.1.0.0/16 leads to tgw-attach-x"},
		"a part of it leads elsewhere": {[]func(*gatewaypair.Question){late, func(q *gatewaypair.Question) {
			q.Ends[0].Entries = append([]gatewaypair.Entry{entry("10.1.5.0/24", "tgw-attach-x", false)}, q.Ends[0].Entries...)
		}}, "", "not all of 10.1.0.0/16 of vpc-b is in tgw-rtb-1: route 10.1.5.0/24 leads to tgw-attach-x"},
		"inspected, by the usual default route": {[]func(*gatewaypair.Question){late, func(q *gatewaypair.Question) {
			q.Ends[0].Entries = []gatewaypair.Entry{{Destination: netip.MustParsePrefix("0.0.0.0/0"), Attachment: "tgw-attach-x", Static: true}}
		}}, workflow.AnswerConnect, "p"},
		"the same, and what is propagated may come": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) {
			q.Ends[0].Entries = []gatewaypair.Entry{{Destination: netip.MustParsePrefix("0.0.0.0/0"), Attachment: "tgw-attach-x", Static: true}}
		}}, workflow.AnswerWait, "leads to tgw-attach-x, and what becomes of it there nobody here knows"},
		"the same, of a pair that was connected": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) {
			q.Ends[0].Entries, q.Before = []gatewaypair.Entry{{Destination: netip.MustParsePrefix("0.0.0.0/0"), Attachment: "tgw-attach-x", Static: true}}, true
		}}, workflow.AnswerConnect, "p"},
		"two halves that both lead there": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) {
			q.Ends[0].Entries = []gatewaypair.Entry{entry("10.1.0.0/17", "tgw-attach-b", false), entry("10.1.128.0/17", "tgw-attach-b", false)}
		}}, workflow.AnswerConnect, "p"},
		"a static route there beside one that another attachment propagates": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) {
			q.Ends[0].Entries = []gatewaypair.Entry{entry("10.1.0.0/16", "tgw-attach-x", false), {Destination: netip.MustParsePrefix("10.1.0.0/16"), Attachment: "tgw-attach-b", Static: true}}
		}}, workflow.AnswerConnect, "p"},
		"a static route back to where it comes from": {[]func(*gatewaypair.Question){late, func(q *gatewaypair.Question) {
			q.Ends[0].Entries = []gatewaypair.Entry{{Destination: netip.MustParsePrefix("10.1.0.0/16"), Attachment: "tgw-attach-a", Static: true}}
		}}, "", "leads to tgw-attach-a"},
		"a blackhole": {[]func(*gatewaypair.Question){late, func(q *gatewaypair.Question) {
			q.Ends[1].Entries = []gatewaypair.Entry{entry("10.0.0.0/16", "tgw-attach-a", true)}
		}}, "", "is a blackhole"},
		"a wider route to it is enough": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) {
			q.Ends[0].Entries = []gatewaypair.Entry{entry("10.0.0.0/8", "tgw-attach-b", false)}
		}}, workflow.AnswerConnect, ""},
		"a wider route elsewhere is no hindrance": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) {
			q.Ends[0].Entries = append([]gatewaypair.Entry{entry("0.0.0.0/0", "tgw-attach-x", false)}, q.Ends[0].Entries...)
		}}, workflow.AnswerConnect, ""},
		"IPv6 that the attachments do not carry": {[]func(*gatewaypair.Question){func(q *gatewaypair.Question) {
			q.Ends[0].VPC.CIDRs, q.Ends[1].VPC.CIDRs = cidrs("10.0.0.0/16", "2001:db8::/56"), cidrs("10.1.0.0/16", "2001:db8:1::/56")
		}}, workflow.AnswerConnect, ""},
		"IPv6 that they carry, and nothing propagates": {[]func(*gatewaypair.Question){late, func(q *gatewaypair.Question) {
			q.Ends[0].VPC.CIDRs, q.Ends[1].VPC.CIDRs = cidrs("10.0.0.0/16", "2001:db8::/56"), cidrs("10.1.0.0/16", "2001:db8:1::/56")
			q.Ends[0].Attachment.IPv6, q.Ends[1].Attachment.IPv6 = true, true
		}}, "", "2001:db8:1::/56 of vpc-b is not in tgw-rtb-1"},
	} {
		t.Run(name, func(t *testing.T) {
			q := both()
			for _, change := range c.change {
				change(&q)
			}
			v, err := gatewaypair.Judge(q)
			if v.Answer != c.want || (c.want == "") != (fault.Of(err) == fault.Conflict) {
				t.Fatalf("%+v, %v, want %q", v, err, c.want)
			}
			if told := v.Reason + fmt.Sprint(err); !strings.Contains(told, c.says) {
				t.Errorf("says %q, want %q", told, c.says)
			}
		})
	}
}

// Whatever the gateway's table holds: if nothing is wrong, the most specific route for every address of the peer leads to
// the peer; and if something is wrong, for some address it does not.
func TestNothingIsWrongIfAndOnlyIfEveryAddressArrives(t *testing.T) {
	prefixes := cidrs("0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/17", "10.1.128.0/17", "10.1.5.0/24", "10.2.0.0/16")
	addresses := []string{"10.1.0.1", "10.1.5.1", "10.1.100.1", "10.1.200.1"}
	rapid.Check(t, func(t *rapid.T) {
		q := both()
		q.Ends[0].Entries = []gatewaypair.Entry{}
		for _, p := range rapid.SliceOfDistinct(rapid.SampledFrom(prefixes), func(p netip.Prefix) netip.Prefix { return p }).Draw(t, "prefixes") {
			q.Ends[0].Entries = append(q.Ends[0].Entries, gatewaypair.Entry{Destination: p, Attachment: rapid.SampledFrom([]string{"tgw-attach-b", "tgw-attach-x"}).Draw(t, "to"), Blackhole: rapid.Bool().Draw(t, "dead")})
		}
		arrives, covered := true, false
		for _, text := range addresses {
			address, best := netip.MustParseAddr(text), -1
			ok := false
			for _, e := range q.Ends[0].Entries {
				if e.Destination.Contains(address) && e.Destination.Bits() > best {
					best, ok = e.Destination.Bits(), e.Attachment == "tgw-attach-b" && !e.Blackhole
				}
			}
			arrives = arrives && ok
		}
		for _, e := range q.Ends[0].Entries {
			covered = covered || e.Destination.Bits() <= 16 && e.Destination.Overlaps(netip.MustParsePrefix("10.1.0.0/16"))
		}
		wrong := gatewaypair.Wrong(q)
		if len(wrong) == 0 && !arrives {
			t.Fatalf("nothing is wrong with %v, but some address does not arrive", q.Ends[0].Entries)
		}
		// Two halves that both lead there would do; AWS propagates a VPC's CIDRs whole, so that is told as wrong.
		if len(wrong) > 0 && arrives && covered {
			best := gatewaypair.Entry{Destination: netip.MustParsePrefix("0.0.0.0/0")}
			for _, e := range q.Ends[0].Entries {
				if e.Destination.Bits() <= 16 && e.Destination.Bits() >= best.Destination.Bits() && e.Destination.Overlaps(netip.MustParsePrefix("10.1.0.0/16")) {
					best = e
				}
			}
			if best.Attachment == "tgw-attach-b" && !best.Blackhole {
				t.Fatalf("wrong with %v: %q, but every address arrives", q.Ends[0].Entries, wrong)
			}
		}
	})
}

func TestTheIDDoesNotDependOnTheOrder(t *testing.T) {
	a, b := workflow.VPC{ID: "vpc-a"}, workflow.VPC{ID: "vpc-b"}
	if gatewaypair.ID("tgw-1", a, b) != "tgw-1:vpc-a:vpc-b" || gatewaypair.ID("tgw-1", b, a) != "tgw-1:vpc-a:vpc-b" {
		t.Errorf("%s, %s", gatewaypair.ID("tgw-1", a, b), gatewaypair.ID("tgw-1", b, a))
	}
}

// Neither VPC's owner is told what only the other's knows: its addresses, its attachment, its table, its databases. And before the policy
// allows the pair, nothing that is said depends on them.
func TestNeitherOwnerIsToldWhatTheOtherKnows(t *testing.T) {
	said := map[string]bool{}
	for _, c := range []struct {
		name    string
		change  func(*gatewaypair.Question)
		allowed bool
	}{
		{"routes refused", func(q *gatewaypair.Question) { q.Routes[1] = no }, false},
		{"nobody consumes", func(q *gatewaypair.Question) {
			q.Connects[0] = no
			q.Closed = []workflow.Hop{{Hop: "database secret-orders", Detail: "drawbridge:share=secret means nothing"}}
		}, false},
		{"overlap", func(*gatewaypair.Question) {}, true},
	} {
		q := both()
		q.Ends[1].VPC.CIDRs = cidrs("10.0.128.0/17")
		q.Ends[1].Table = "tgw-rtb-secret"
		c.change(&q)
		v, err := gatewaypair.Judge(q)
		if err != nil || v.Answer != workflow.AnswerRefuse {
			t.Fatalf("%s: %+v, %v", c.name, v, err)
		}
		for n, text := range []string{v.Said.Requester, v.Said.Accepter} {
			other := q.Ends[1-n]
			for _, secret := range []string{other.VPC.CIDRs[0].String(), other.Attachment.ID, "secret"} {
				if strings.Contains(text, secret) {
					t.Errorf("%s: the owner of %s is told %q: %s", c.name, q.Ends[n].VPC.ID, secret, text)
				}
			}
			if !strings.Contains(text, other.VPC.Account) {
				t.Errorf("%s: the owner of %s is not told whom to ask: %s", c.name, q.Ends[n].VPC.ID, text)
			}
			if !c.allowed && (strings.Contains(text, "overlap") || !strings.Contains(text, v.Decision.Policy)) {
				t.Errorf("%s: %s", c.name, text)
			}
			said[text] = true
		}
	}
	if len(said) != 6 {
		t.Errorf("%d texts of 6 differ", len(said))
	}
}

// What both VPCs have is left out of what crosses, and the verdict says so.
func TestRangesOfBoth(t *testing.T) {
	q := both()
	q.Ends[0].VPC.CIDRs, q.Ends[1].VPC.CIDRs = cidrs("10.0.0.0/16", "100.64.0.0/16"), cidrs("10.1.0.0/16", "100.64.128.0/17")
	for n, want := range []string{"10.1.0.0/16", "10.0.0.0/16"} {
		if got := gatewaypair.Crossing(q, n); len(got) != 1 || got[0].String() != want {
			t.Errorf("end %d reaches %v, want %s alone", n, got, want)
		}
	}
	if lines := gatewaypair.Apart(q); len(lines) != 1 || !lines[0].OK || !strings.Contains(lines[0].Detail, "100.64.0.0/16, 100.64.128.0/17") {
		t.Errorf("%+v", lines)
	}
}
