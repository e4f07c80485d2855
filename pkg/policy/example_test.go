package policy_test

import (
	"fmt"
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// Who may do what, as a table: a beginning for the test of a policy of one's own.
func Example() {
	set, err := policy.Parse("default.cedar", []byte(policy.DefaultText()))
	if err != nil {
		fmt.Println(err)
		return
	}
	vpc := func(account, unit, cidr string, tags map[string]string) policy.VPC {
		return policy.VPC{
			ID: "vpc-of-" + account, Region: "us-east-1", CIDRs: []netip.Prefix{netip.MustParsePrefix(cidr)}, Tags: tags,
			Account: policy.Account{ID: account, Organization: "o-drawbridge0", OUPath: "o-drawbridge0/r-ab12/" + unit + "/"},
		}
	}
	science := vpc("111111111111", "ou-ab12-sciences", "10.1.0.0/16", nil)
	data := vpc("222222222222", "ou-ab12-datadata", "10.2.0.0/16", map[string]string{"drawbridge:accept": "auto"})
	closed := vpc("333333333333", "ou-ab12-datadata", "10.3.0.0/16", map[string]string{"drawbridge:accept": "never"})
	orders := policy.Database{
		ARN: "arn:aws:rds:us-east-1:222222222222:db:orders", ID: "orders", Engine: "mysql", Port: 3306, VPC: data,
		Tags: map[string]string{"drawbridge:share": "111111111111"},
	}
	context := policy.Context{}
	for _, line := range []struct {
		who, what string
		decision  policy.Decision
	}{
		{"science", "closed", set.Answer(science, closed, context)},
		{"closed", "orders", set.Open(closed, orders, context)},
		{"science", "data", set.Answer(science, data, context)},
		{"data", "science", set.Answer(data, science, context)},
		{"science", "orders", set.Open(science, orders, context)},
	} {
		answer := "no "
		if line.decision.Allowed {
			answer = "yes"
		}
		fmt.Printf("%s  %-6s  %-7s → %-7s  %s\n", answer, line.decision.Action, line.who, line.what, line.decision.Policy)
	}
	// Output:
	// no   Ask     science → closed   accept-never
	// no   Open    closed  → orders   default-deny
	// yes  Accept  science → data     accept-auto
	// yes  Ask     data    → science  ask-owner
	// yes  Open    science → orders   open-shared
}
