package firewall_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestOpenIsOneCallPerGroupAndIdempotent(t *testing.T) {
	f := newAccount("sg-db")
	for range 2 {
		if _, err := f.open("pcx-1", producer()); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(f.calls, ", "); got != "Describe, Interfaces, Ingress sg-db, Describe" {
		t.Errorf("calls = %s", got)
	}
	if n := len(f.rules); n != 2 {
		t.Errorf("%d rules, want one for each CIDR of the consumer", n)
	}
}

func TestTwoDatabasesInOneGroupGetOneRule(t *testing.T) {
	f, side := newAccount("sg-db"), producer()
	side.AllowedDatabases = append(side.AllowedDatabases, workflow.AllowedDatabase{Database: "orders-replica", Engine: "mysql", Port: 3306, Groups: []string{"sg-db"}})
	out, err := f.open("pcx-1", side)
	if err != nil || len(f.rules) != 2 || len(out.Hops) != 2 {
		t.Errorf("rules %s, hops %v, %v", f, out.Hops, err)
	}
}

func TestARuleAddedMeanwhileIsItsOwners(t *testing.T) {
	f := newAccount("sg-db")
	f.before = func(call string) error { // the first CIDR's rule is added at this moment; AWS then adds none of a batch
		if strings.HasPrefix(call, "Ingress") && len(f.rules) == 0 {
			f.put("sg-db", false, 3306, "10.1.0.0/16")
		}
		return nil
	}
	if _, err := f.open("pcx-1", producer()); err != nil {
		t.Fatal(err)
	}
	if n := len(f.rules); n != 2 {
		t.Errorf("%d rules, want theirs and the one that was really missing", n)
	}
	if _, err := f.close("pcx-1", producer()); err != nil || len(f.rules) != 1 || *f.rules[0].SecurityGroupRuleId != "sgr-1" {
		t.Errorf("%v; left %s, want theirs", err, f)
	}
}

func TestEgressForClientsWithoutIt(t *testing.T) {
	f := newAccount("sg-open", "sg-shut")
	f.put("sg-open", true, 0, "0.0.0.0/0")
	side := consumer()
	clients := []workflow.Client{{Groups: []string{"sg-shut"}}, {Groups: []string{"sg-open"}}, {Groups: []string{"sg-open", "sg-shut"}}}
	if _, err := f.open("pcx-1", side, clients...); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.calls, ", "); got != "Describe, Egress sg-shut" {
		t.Errorf("calls = %s", got)
	}
}

func TestEgressThatDrawbridgeAddedForAnotherIsShared(t *testing.T) {
	f := newAccount("sg-shut")
	side := consumer()
	for _, c := range []string{"pcx-1", "pcx-2"} {
		if _, err := f.open(c, side, workflow.Client{Groups: []string{"sg-shut"}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.close("pcx-1", side); err != nil || len(f.rules) != 1 {
		t.Errorf("%v; left %s, want what pcx-2 needs", err, f)
	}
}

func TestNothingToOpenNeedsNoCall(t *testing.T) {
	f := newAccount()
	if _, err := f.open("pcx-1", workflow.Side{}); err != nil || len(f.calls) != 0 {
		t.Errorf("calls = %v, %v", f.calls, err)
	}
}

func TestThrottlingOfTheFirstGroupEndsTheAttempt(t *testing.T) {
	f := newAccount("sg-db")
	f.before = func(call string) error {
		if strings.HasPrefix(call, "Ingress") {
			return &smithy.GenericAPIError{Code: "RequestLimitExceeded"}
		}
		return nil
	}
	if _, err := f.open("pcx-1", producer()); err == nil {
		t.Error("no error")
	}
	f.before = nil
	if _, err := f.open("pcx-1", producer()); err != nil || len(f.rules) != 2 {
		t.Errorf("the next attempt: %v; %s", err, f)
	}
}

func TestARuleOfAnAnswerThatWasLostIsFound(t *testing.T) {
	f := newAccount("sg-db")
	f.fault = func() ledgertest.Fault {
		if len(f.rules) == 0 && strings.HasPrefix(f.calls[len(f.calls)-1], "Ingress") {
			return ledgertest.Lost
		}
		return ledgertest.None
	}
	if _, err := f.open("pcx-1", producer()); err == nil {
		t.Fatal("the lost answer is no error")
	}
	if _, err := f.open("pcx-1", producer()); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(f.calls, "Rules") {
		t.Errorf("nobody asked under which id the rule is held: %v", f.calls)
	}
	if _, err := f.close("pcx-1", producer()); err != nil || len(f.rules) != 0 {
		t.Errorf("%v; left %s", err, f)
	}
}

// What the inspection handed over of the clients' groups is enough where nothing is to be added; else they are read, as they are now.
func TestGroupsThatTheInspectionRead(t *testing.T) {
	for group, want := range map[string]string{"sg-open": "", "sg-shut": "Describe, Egress sg-shut", "sg-elsewhere": "Describe", "sg-shut withheld": ""} {
		group, withheld := strings.CutSuffix(group, " withheld") // a client that gets nothing lacks nothing
		f := newAccount("sg-open", "sg-shut")
		f.put("sg-open", true, 0, "0.0.0.0/0")
		side := consumer()
		side.Clients = []workflow.Client{{Groups: []string{group}, Count: 1}}
		groups, err := firewall.ReadGroups(t.Context(), f, side.VPC.ID)
		if err != nil {
			t.Fatal(err)
		}
		side.GroupsAt = f.ledger.Now().Add(-time.Hour)
		side.Groups, side.Owners = firewall.Handed(groups, side)
		if f.calls = nil; (len(side.Groups) == 0) != (group == "sg-elsewhere") {
			t.Fatalf("%s: %v are handed over", group, side.Groups)
		}
		if withheld {
			side.Clients[0].Withheld = &workflow.Withheld{Detail: "would open more"}
		}
		out, err := f.open("pcx-1", side, side.Clients...)
		if got := strings.Join(f.calls, ", "); got != want || out.At.Equal(side.GroupsAt) != (want == "") || want == "" && (err != nil || len(out.Groups) != 1 || len(out.Hops) != 1 || !out.Hops[0].OK) {
			t.Errorf("%s: calls %q, want %q; %+v, %v", group, got, want, out, err)
		}
	}
}
