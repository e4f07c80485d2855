package survey_test

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestBesideAreThoseWithTheGroupAndThePort(t *testing.T) {
	database := func(name string, port int, groups ...string) workflow.AllowedDatabase {
		return workflow.AllowedDatabase{Database: name, Port: port, Groups: groups}
	}
	openings := []workflow.AllowedDatabase{database("sales", 3306, "sg-1", "sg-2"), database("orders", 5432, "sg-3")}
	survey.AlsoReached(openings, []workflow.AllowedDatabase{
		database("archive", 3306, "sg-9", "sg-2"), database("another-port", 5432, "sg-1"), database("another-group", 3306, "sg-3"), database("ledger", 5432, "sg-3"),
	})
	// Sales has a group that is nobody else's, and is opened through that.
	if len(openings[0].Also) != 0 || !reflect.DeepEqual(openings[1].Also, []string{"ledger"}) {
		t.Errorf("beside sales are %v, beside orders %v", openings[0].Also, openings[1].Also)
	}
	if !reflect.DeepEqual(openings[0].Shared, map[string][]string{"sg-2": {"archive"}}) || !reflect.DeepEqual(openings[1].Shared, map[string][]string{"sg-3": {"ledger"}}) {
		t.Errorf("shared are %v and %v", openings[0].Shared, openings[1].Shared)
	}
}

// A port is reached where the databases are that answer on it, and not where others are.
func TestServices(t *testing.T) {
	p := netip.MustParsePrefix
	opening := func(port int, group string, cidrs ...netip.Prefix) workflow.AllowedDatabase {
		return workflow.AllowedDatabase{Port: port, Groups: []string{group}, CIDRs: cidrs, Network: "IPV4"}
	}
	one := &workflow.Side{Role: "requester", Peer: workflow.VPC{CIDRs: []netip.Prefix{p("10.2.0.0/16"), p("2600:2::/56")}}, Clients: []workflow.Client{{CIDRs: []netip.Prefix{p("10.1.4.0/24")}, Groups: []string{"sg-nb"}}}}
	other := &workflow.Side{Role: "accepter", Peer: workflow.VPC{CIDRs: []netip.Prefix{p("10.1.0.0/16")}}, AllowedDatabases: []workflow.AllowedDatabase{
		opening(3306, "sg-1", p("10.2.0.0/24")), opening(3306, "sg-1", p("10.2.1.0/24"), p("10.77.0.0/24")), opening(5439, "sg-2", p("10.2.9.0/24")), opening(1433, "sg-3")}}
	survey.Appoint(one, other)
	want := []workflow.Service{{Port: 1433, CIDRs: []netip.Prefix{p("10.2.0.0/16")}, Groups: [][]string{{"sg-3"}}}, {Port: 3306, CIDRs: []netip.Prefix{p("10.2.0.0/23")}, Groups: [][]string{{"sg-1"}}},
		{Port: 5439, CIDRs: []netip.Prefix{p("10.2.9.0/24")}, Groups: [][]string{{"sg-2"}}}}
	if !reflect.DeepEqual(one.Services, want) || other.Services != nil {
		t.Errorf("%v, want %v", one.Services, want)
	}
	if other.Callers.More || len(other.Callers.Groups) != 1 {
		t.Errorf("%+v", other.Callers)
	}
	one.VPC.CIDRs, other.Refers = []netip.Prefix{p("10.1.0.0/16"), p("2600:1::/56")}, true
	if survey.Appoint(one, other); !other.Refers {
		t.Error("all that comes there may be referred to")
	}
	one.VPC.CIDRs = append(one.VPC.CIDRs, p("10.62.0.0/16"))
	if survey.Appoint(one, other); other.Refers {
		t.Error("a group lets in from a range that waits for approval, too")
	}
	one.Overlooked = "; 3 more"
	if survey.Appoint(one, other); !other.Callers.More {
		t.Error("those that were not looked at may have other groups")
	}
}
