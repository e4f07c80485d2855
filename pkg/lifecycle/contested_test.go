package lifecycle_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	. "github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// A line that somebody takes away is put back once, and then left, whichever machine looks; the connection that it is for names the subnet, so that its
// owners are told. The policy of that connection may leave it at once. A line that its owner puts there is the owner's.
func TestALineThatIsTakenAwayAgainIsLeft(t *testing.T) {
	for name, leave := range map[string][]string{"as the policy allows": nil, "by policy": {"111111111111"}, "by a policy for the other side": {"222222222222"}} {
		t.Run(name, func(t *testing.T) {
			ctx, now := context.Background(), time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
			f := newFake().notebook("n", "c", types.NotebookInstanceStatusInService)
			f.ledger.Now = func() time.Time { return now }
			f.scripts["c"] = owner
			if _, err := f.ledger.Begin(ctx, ledger.Connection{ID: "pcx-1", Kind: "peering", Leave: leave, Sides: []ledger.Side{
				{Account: "111111111111", Region: "us-east-1", ID: "vpc-1", CIDRs: []string{"10.1.0.0/16"}},
				{Account: "222222222222", Region: "us-east-1", ID: "vpc-2", CIDRs: []string{"10.2.0.0/16"}}}}); err != nil {
				t.Fatal(err)
			}
			look := func(exact bool) workflow.Hop {
				t.Helper()
				in := input("c", types.NotebookInstanceStatusInService)
				if exact { // as the Notebook machine looks
					in.Connection = workflow.Connection{}
				}
				out, err := Attach(ctx, f, tables{"10.2.0.0/16"}, f.ledger, f.debts(), in)
				if err != nil || len(out.Hops) != 1 {
					t.Fatal(out, err)
				}
				now = now.Add(time.Hour)
				return out.Hops[0]
			}
			there := func() bool { return strings.Contains(f.scripts["c"], "line 10.1.0.0/24 10.2.0.0/16") }
			if look(false); !there() {
				t.Fatal("no line")
			}
			if len(leave) == 0 || leave[0] != "111111111111" {
				f.scripts["c"] = owner
				if hop := look(true); !there() || !hop.OK {
					t.Fatalf("the first time it is not put back: %+v", hop)
				}
			}
			f.scripts["c"] = owner
			for _, exact := range []bool{true, false, true} {
				if hop := look(exact); there() || hop.OK || !strings.Contains(hop.Detail, "left to them") {
					t.Fatalf("%+v", hop)
				}
			}
			entry, _, err := f.ledger.Connection(ctx, "pcx-1")
			if err != nil || len(entry.Subnets) != 1 || entry.Subnets[0] != "subnet-a" {
				t.Errorf("%+v, %v", entry, err)
			}
			if items, err := (contest.Contest{Ledger: f.ledger}).Contested(ctx, entry); err != nil || len(items) != 1 {
				t.Errorf("%+v, %v", items, err)
			}
			f.scripts["c"] = string(planned(t, &Configuration{Name: "c", OnStart: []byte(owner)}, Edit{Subnet: p("10.1.0.0/24"), Destinations: ps("10.2.0.0/16")}).OnStart)
			if hop := look(false); !there() || !hop.OK {
				t.Errorf("its owner put it there: %+v", hop)
			}
			if items, err := f.ledger.Items(ctx, "subnet-a"); err != nil || len(items) != 0 {
				t.Errorf("the owner's line is in the ledger: %+v, %v", items, err)
			}
		})
	}
}
