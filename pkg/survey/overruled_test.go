package survey

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// A subnet is kept out by its own tag or by that of its table, unless a policy forbids that: then its owner is told of all that is tagged.
func TestWhichSubnetsAreKeptOut(t *testing.T) {
	for forbids, want := range map[string]string{
		"":           "[true true false] []",
		"no-islands": "[false false false] [rtb-a, subnet-b: not kept out by the tag drawbridge:reach=none, which policy no-islands forbids]",
	} {
		g := &SideFacts{Side: &workflow.Side{Overruled: forbids, VPC: workflow.VPC{ID: "vpc-1"}},
			Here:    &workflow.Facts{Tables: []workflow.Table{{ID: "rtb-a", Subnets: []string{"subnet-a"}, Apart: true}, {ID: "rtb-m", Main: true}}},
			Subnets: []route.Subnet{{ID: "subnet-a"}, {ID: "subnet-b", Apart: true}, {ID: "subnet-c"}}}
		g.part()
		var apart []bool
		for _, s := range g.Subnets {
			apart = append(apart, s.Apart)
		}
		if got := fmt.Sprint(apart, g.Side.Unheeded); got != want {
			t.Errorf("policy %q: %s, want %s", forbids, got, want)
		}
		if len(g.Unclear) != len(g.Side.Unheeded) || len(g.Unclear) > 0 && (!g.Unclear[0].OK || g.Unclear[0].Hop != "reach vpc-1") {
			t.Errorf("policy %q: the verdict says %+v", forbids, g.Unclear)
		}
	}
}

// Whether an owner may keep things out is asked about their own account, also where they only take part in the VPC, and about who is at the other end.
func TestAboutWhomItIsAskedWhetherThingsMayBeKeptOut(t *testing.T) {
	facts := func(account, id, cidr string) *workflow.Facts {
		return &workflow.Facts{VPC: workflow.VPC{Account: account, Region: "us-east-1", ID: id, CIDRs: []netip.Prefix{netip.MustParsePrefix(cidr)}}, Account: workflow.AccountFacts{ID: account, Organization: "o-1", OUPath: "o-1/r-1/"}}
	}
	for condition, want := range map[string]string{
		`resource.account == "222222222222"`:                                    "no-islands",
		`resource.account == "333333333333"`:                                    "",
		`principal.account == "111111111111"`:                                   "no-islands",
		`principal.account == "222222222222"`:                                   "",
		`resource.id == "vpc-2" && principal.cidr.isInRange(ip("10.1.0.0/16"))`: "no-islands",
		`context.connection == "pcx-1"`:                                         "no-islands",
	} {
		set, err := policy.Parse("test", []byte(policy.DefaultText()+fmt.Sprintf(`@id("no-islands") forbid (principal, action == Drawbridge::Action::"Exclude", resource) when { %s };`, condition)))
		if err != nil {
			t.Fatal(err)
		}
		s := Surveyor{Set: set, About: policy.Context{Connection: "pcx-1"}}
		g := &SideFacts{Here: facts("222222222222", "vpc-2", "10.2.0.0/16"), There: facts("111111111111", "vpc-1", "10.1.0.0/16")}
		if got := s.overruled(t.Context(), g); got != want {
			t.Errorf("%s: %q, want %q", condition, got, want)
		}
		// A participant's side has its account.
		g.Here = facts("333333333333", "vpc-2", "10.2.0.0/16")
		if got := s.overruled(t.Context(), g); strings.Contains(condition, "resource.account") && (got == "") == (want == "") {
			t.Errorf("%s: of a participant it is %q", condition, got)
		}
	}
}

// What takes away goes by the same answer: in a table that is not kept out it finds what is needed there.
func TestATrimKnowsThatNothingIsKeptOut(t *testing.T) {
	surveyed := []workflow.Side{{Role: "requester", Overruled: "no-islands"}, {Role: "accepter"}}
	rules := &workflow.Trim{Rules: []string{"sgr-1"}}
	got, _, err := Surveyor{}.Trims(t.Context(), surveyed, []*workflow.Trim{rules, rules})
	if err != nil || len(got) != 2 || got[0].Overruled != "no-islands" || got[1].Overruled != "" {
		t.Errorf("%+v, %v", got, err)
	}
}
