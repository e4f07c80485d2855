package policy_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// scopes and conditions are what random policies are made of.
var (
	scopes = []string{
		`principal, action in Drawbridge::Action::"Network", resource`,
		`principal, action in [Drawbridge::Action::"Accept", Drawbridge::Action::"Route", Drawbridge::Action::"Open"], resource`,
		`principal in Drawbridge::OU::"ou-ab12-work", action in Drawbridge::Action::"Network", resource`,
		`principal, action == Drawbridge::Action::"Route", resource in Drawbridge::Account::"222222222222"`,
	}
	conditions = []string{
		`principal.cidr.isInRange(ip("10.1.0.0/16"))`,
		`resource.cidr.isInRange(ip("10.0.0.0/12"))`,
		`principal.organization == resource.organization`,
		`resource.hasTag("drawbridge:accept") && resource.getTag("drawbridge:accept") == "auto"`,
		`context.approval == "approved"`,
		`principal.cidrs.contains(ip("10.5.0.0/16"))`,
		`9223372036854775807 + 1 == 0`,
	}
)

func drawPolicy(t *rapid.T, effect, id string) string {
	return fmt.Sprintf("@id(%q) %s (%s) %s { %s };\n", id, effect,
		rapid.SampledFrom(scopes).Draw(t, "scope"),
		rapid.SampledFrom([]string{"when", "unless"}).Draw(t, "keyword"),
		rapid.SampledFrom(conditions).Draw(t, "condition"))
}

func drawPolicies(t *rapid.T) []string {
	var policies []string
	for i := range rapid.IntRange(1, 4).Draw(t, "policies") {
		policies = append(policies, drawPolicy(t, rapid.SampledFrom([]string{"permit", "permit", "forbid"}).Draw(t, "effect"), fmt.Sprint("p", i)))
	}
	return policies
}

func drawVPC(t *rapid.T, v policy.VPC) policy.VPC {
	v.CIDRs = cidrs(rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"10.1.0.0/16", "10.1.2.0/24", "10.5.0.0/16", "10.77.0.0/16", "172.31.0.0/16", "2600:1f18:1234:5600::/56",
	}), 1, 3, rapid.ID[string]).Draw(t, "cidrs")...)
	v.Tags = tagged("drawbridge:accept=" + rapid.SampledFrom([]string{"auto", "never", ""}).Draw(t, "accept"))
	if rapid.Bool().Draw(t, "stranger") {
		v.Account.Organization = ""
	}
	return v
}

func drawContext(t *rapid.T) policy.Context {
	return policy.Context{Approval: rapid.SampledFrom([]string{"", "approved", "rejected"}).Draw(t, "approval")}
}

func drawSet(t *rapid.T, policies []string) *policy.Set {
	set, err := policy.Parse("random.cedar", []byte(strings.Join(policies, "")))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestAForbidNeverAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policies := drawPolicies(t)
		more := slices.Insert(slices.Clone(policies), rapid.IntRange(0, len(policies)).Draw(t, "at"), drawPolicy(t, "forbid", "more"))
		action := rapid.SampledFrom(policy.Actions()[:4]).Draw(t, "action") // VPC to VPC
		from, to, c := drawVPC(t, analytics()), drawVPC(t, data()), drawContext(t)
		before, after := drawSet(t, policies).Decide(action, from, to, c), drawSet(t, more).Decide(action, from, to, c)
		if after.Allowed && !before.Allowed {
			t.Fatalf("one more forbid turned %+v into %+v:\n%s", before, after, more)
		}
		if before.Allowed && !after.Allowed && after.Policy != "more" && after.Policy != policy.MissingFacts {
			t.Fatalf("the new forbid denied, but %+v", after)
		}
	})
}

func TestAPermitNeverDenies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policies := drawPolicies(t)
		more := append(slices.Clone(policies), drawPolicy(t, "permit", "more"))
		from, to, c := drawVPC(t, analytics()), drawVPC(t, data()), drawContext(t)
		before, after := drawSet(t, policies).Route(from, to, c), drawSet(t, more).Route(from, to, c)
		if before.Allowed && !after.Allowed {
			t.Fatalf("one more permit turned %+v into %+v:\n%s", before, after, more)
		}
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policies := drawPolicies(t)
		from, to, c := drawVPC(t, analytics()), drawVPC(t, data()), drawContext(t)
		want := drawSet(t, policies).Route(from, to, c)

		again := drawSet(t, policies).Route(from, to, c)
		if again != want {
			t.Fatalf("asked twice: %+v, then %+v", want, again)
		}
		from.CIDRs, to.CIDRs = reversed(from.CIDRs), reversed(to.CIDRs)
		policies = slices.Clone(policies)
		slices.Reverse(policies)
		if got := drawSet(t, policies).Route(from, to, c); got.Allowed != want.Allowed {
			t.Fatalf("in another order: %+v, before %+v", got, want)
		}
	})
}

func reversed(all []netip.Prefix) []netip.Prefix {
	all = slices.Clone(all)
	slices.Reverse(all)
	return all
}

func TestAnotherCIDRNeverAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := policy.Default()
		if rapid.Bool().Draw(t, "random policy") {
			policies := slices.DeleteFunc(drawPolicies(t), func(p string) bool { return strings.Contains(p, "cidrs") })
			if len(policies) > 0 {
				set = drawSet(t, policies)
			}
		}
		from, to, c := drawVPC(t, analytics()), drawVPC(t, data()), drawContext(t)
		before := set.Route(from, to, c)
		from.CIDRs = append(slices.Clone(from.CIDRs), netip.MustParsePrefix("10.66.0.0/16"))
		if after := set.Route(from, to, c); after.Allowed && !before.Allowed {
			t.Fatalf("one more CIDR turned %+v into %+v", before, after)
		}
	})
}

func TestDefaultNeverLetsAStrangerIn(t *testing.T) {
	set := policy.Default()
	rapid.Check(t, func(t *rapid.T) {
		from, to, c := drawVPC(t, analytics()), drawVPC(t, data()), drawContext(t)
		from.Account.Organization = rapid.SampledFrom([]string{"", "o-other", "unknown:222222222222"}).Draw(t, "organization")
		db := database("drawbridge:share=true 111111111111")
		db.VPC = to
		for _, d := range []policy.Decision{set.Answer(from, to, c), set.Route(from, to, c), set.Route(to, from, c), set.Open(from, db, c), set.Inject(from, notebook(), c)} {
			if d.Allowed {
				t.Fatalf("a stranger got in: %+v", d)
			}
		}
	})
}

func ExampleSet_Answer() {
	consumer := policy.VPC{
		ID: "vpc-consumer", Region: "us-east-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
		Account: policy.Account{ID: "111111111111", Organization: "o-drawbridge0"},
	}
	producer := policy.VPC{
		ID: "vpc-producer", Region: "us-east-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")},
		Account: policy.Account{ID: "222222222222", Organization: "o-drawbridge0"},
		Tags:    map[string]string{"drawbridge:accept": "auto"},
	}
	d := policy.Default().Answer(consumer, producer, policy.Context{})
	fmt.Println(d.Action, d.Allowed, "by", d.Policy)

	producer.Tags = nil
	d = policy.Default().Answer(consumer, producer, policy.Context{})
	fmt.Println(d.Action, d.Allowed, "by", d.Policy)
	// Output:
	// Accept true by accept-auto
	// Ask true by ask-owner
}

func ExampleSet_Open() {
	consumer := policy.VPC{
		ID: "vpc-consumer", Region: "us-east-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
		Account: policy.Account{ID: "111111111111", Organization: "o-drawbridge0"},
	}
	orders := policy.Database{
		ARN: "arn:aws:rds:us-east-1:222222222222:db:orders", ID: "orders", Engine: "mysql", Port: 3306,
		Tags: map[string]string{"drawbridge:share": "333333333333 111111111111"},
		VPC: policy.VPC{
			ID: "vpc-producer", Region: "us-east-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")},
			Account: policy.Account{ID: "222222222222", Organization: "o-drawbridge0"},
		},
	}
	d := policy.Default().Open(consumer, orders, policy.Context{})
	fmt.Println(d.Allowed, d.Policy)
	// Output: true open-shared
}

func BenchmarkDecide(b *testing.B) {
	set := policy.Default()
	for _, n := range []int{1, 5, 50} {
		b.Run(fmt.Sprint(n, " CIDRs a side"), func(b *testing.B) {
			from, to := analytics(), data("drawbridge:accept=auto")
			from.CIDRs, to.CIDRs = nil, nil
			for i := range n {
				from.CIDRs = append(from.CIDRs, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16))
				to.CIDRs = append(to.CIDRs, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i + 100), 0, 0}), 16))
			}
			b.ReportAllocs()
			for b.Loop() {
				if !set.Accept(from, to, policy.Context{}).Allowed {
					b.Fatal("denied")
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		policy.Default()
	}
}
