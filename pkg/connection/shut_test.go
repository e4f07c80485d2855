package connection_test

import (
	"net/netip"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestShuttingIsAskedAboutForEachDatabase(t *testing.T) {
	at := func(account, vpc, cidr string) workflow.VPC {
		return workflow.VPC{Account: account, Region: "eu-west-1", ID: vpc, CIDRs: []netip.Prefix{netip.MustParsePrefix(cidr)}}
	}
	alpha, beta := at("111111111111", "vpc-1", "10.1.0.0/16"), at("222222222222", "vpc-2", "10.2.0.0/16")
	rule := func(id, group, port string) ledger.Item {
		return ledger.Item{Account: beta.Account, Region: beta.Region, Resource: group, Kind: ledger.Rule, Key: "ingress tcp " + port + " 10.1.0.0/16", Left: id, State: ledger.Confirmed, Needed: []string{"pcx-1"}}
	}
	items := []ledger.Item{rule("sgr-1", "sg-sales", "3306"), rule("sgr-2", "sg-gone", "5432"), rule("sgr-3", "sg-waits", "3306")}
	sides := []workflow.Side{{VPC: alpha, Peer: beta}, {VPC: beta, Peer: alpha, Unseen: workflow.Unseen{Waiting: []string{"sg-waits"},
		Shut: []workflow.AllowedDatabase{{Database: "sales", Port: 3306, Groups: []string{"sg-sales"}}, {Database: "never-opened", Port: 3306, Groups: []string{"sg-other"}}}}}}
	trims := connection.Surplus(workflow.Connection{ID: "pcx-1", Requester: alpha, Accepter: beta}, sides, items)
	if trims[0] != nil || trims[1] == nil || len(trims[1].Rules) != 2 || trims[1].Rules[0] != "sgr-1" || trims[1].Rules[1] != "sgr-2" {
		t.Fatalf("what goes is %+v: the rule of a database without an endpoint stays", trims[1])
	}
	got := connection.Shutting("pcx-1", sides, trims, items)
	if len(got) != 1 || got[0].ID != "pcx-1 sales" || !brake.Counts(got[0]) {
		t.Errorf("%+v, want the database that is there and loses its rule", got)
	}
	// That of a database that was deleted goes because its owner ended that.
	sides[1].Unseen.Shut = nil
	if got := connection.Shutting("pcx-1", sides, trims, items); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// What is in a group that is kept out, of which an execution heard after it had taken away, goes with the next look: it is asked for.
func TestTheNextLookTakesAwayWhatIsInAGroupThatIsKeptOut(t *testing.T) {
	side := workflow.Side{VPC: workflow.VPC{Account: "222222222222", Region: "eu-west-1", ID: "vpc-2"}, Apart: []string{"sg-kept"}}
	rule := func(id, group string) ledger.Item {
		return ledger.Item{Account: side.VPC.Account, Region: side.VPC.Region, Resource: group, Kind: ledger.Rule, Key: "ingress tcp 3306 10.1.0.0/16", Left: id, State: ledger.Confirmed, Needed: []string{"pcx-1"}}
	}
	for name, c := range map[string]struct {
		item ledger.Item
		want bool
	}{
		"a rule in it":     {rule("sgr-1", "sg-kept"), true},
		"one in another":   {rule("sgr-1", "sg-other"), false},
		"one that is made": {rule("", "sg-kept"), false},
		"of no such kind":  {ledger.Item{Resource: "sg-kept", Kind: ledger.Route, Key: "10.1.0.0/16", Needed: []string{"pcx-1"}}, false},
	} {
		l, _ := ledgertest.New()
		if _, _, err := l.Acquire(t.Context(), "pcx-1", ledger.Turn{Holder: "run"}, nil); err != nil {
			t.Fatal(err)
		}
		trimmer := connection.Trimmer{Ledger: l, Execution: "run", Trimmed: true}
		if _, _, err := trimmer.Trim(t.Context(), workflow.Connection{ID: "pcx-1"}, []workflow.Side{side}, []ledger.Item{c.item}); err != nil {
			t.Fatal(err)
		}
		if again, err := l.Yield(t.Context(), "pcx-1", "run"); err != nil || (again != "") != c.want {
			t.Errorf("%s: the next look is asked for: %q, %v", name, again, err)
		}
	}
}
