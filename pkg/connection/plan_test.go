package connection_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestEveryStatusSaysItsTime(t *testing.T) {
	if got := fmt.Sprint(connection.Status(workflow.Connected, "because", noon)); got != "[{drawbridge:status Connected} {drawbridge:reason because} {drawbridge:since 2026-03-01T12:00:00Z}]" {
		t.Error(got)
	}
	var keys []string
	for _, tag := range connection.Status(workflow.Connected, "because", noon) {
		keys = append(keys, tag.Key)
	}
	if got := connection.StatusKeys(); strings.Join(got, " ") != strings.Join(keys, " ") {
		t.Errorf("the keys are %q, those that are written %q", got, keys)
	}
}

// However many pairs an attachment carries, its tag is one, and has room.
func TestTheTagOfAnAttachmentCountsItsPairs(t *testing.T) {
	var entries []ledger.Connection
	for n := range 300 {
		c := ledger.Connection{ID: fmt.Sprintf("tgw-1:vpc-a:vpc-%03d", n), Kind: connection.Transit, Status: "Connected", Sides: []ledger.Side{{ID: "vpc-a"}, {ID: fmt.Sprintf("vpc-%03d", n)}}}
		if n%3 == 0 {
			c.Status = "Refused"
		}
		entries = append(entries, c)
	}
	entries = append(entries, ledger.Connection{ID: "tgw-2:vpc-a:vpc-b", Kind: connection.Transit, Status: "Connected", Sides: []ledger.Side{{ID: "vpc-a"}, {ID: "vpc-b"}}},
		ledger.Connection{ID: "tgw-1:vpc-b:vpc-c", Kind: connection.Transit, Status: "Connected", Sides: []ledger.Side{{ID: "vpc-b"}, {ID: "vpc-c"}}},
		ledger.Connection{ID: "pcx-1", Kind: connection.Peering, Status: "Connected", Sides: []ledger.Side{{ID: "vpc-a"}}})
	if got := connection.Summary(connection.PairsOf(entries, "tgw-1", "vpc-a"), noon); got != "200 Connected 100 Refused at 2026-03-01T12:00:00Z" {
		t.Error(got)
	}
}

func TestLetting(t *testing.T) {
	says := func(word string) map[string]string { return map[string]string{"drawbridge:manage": word} }
	for want, tags := range map[string][]map[string]string{"": {nil, says("true")}, "false": {says("false"), says("true")}, "undo": {says("false"), says("undo")}} {
		if got := connection.Letting(tags...); got != want {
			t.Errorf("%v: %q, want %q", tags, got, want)
		}
	}
}

// What a connection that stays has no use for any more is what the ledger has of it, and nothing else.
func TestSurplus(t *testing.T) {
	p := netip.MustParsePrefix
	c := workflow.Connection{ID: "pcx-1", Target: "pcx-1"}
	here := workflow.Side{VPC: workflow.VPC{Account: "111111111111", Region: "us-east-1", ID: "vpc-a"}, Peer: workflow.VPC{CIDRs: []netip.Prefix{p("10.2.0.0/16")}},
		Tables: []workflow.Table{{ID: "rtb-1", Routes: []workflow.Route{{Destination: p("10.77.0.0/16"), Target: "pcx-1"}}}}}
	there := workflow.Side{VPC: workflow.VPC{Account: "222222222222", Region: "us-east-1", ID: "vpc-b"}}
	route := func(table, destination string, state ledger.State) ledger.Item {
		return ledger.Item{Account: "111111111111", Region: "us-east-1", Resource: table, Kind: ledger.Route, Key: destination, Left: "pcx-1", State: state, Needed: []string{"pcx-1"}}
	}
	for name, c2 := range map[string]struct {
		items []ledger.Item
		want  string
	}{
		"an owner's route to what the peer has no more": {nil, "[]"},
		"ours to what the peer has":                     {[]ledger.Item{route("rtb-1", "10.2.0.0/16", ledger.Confirmed)}, "[]"},
		"ours to what it has no more":                   {[]ledger.Item{route("rtb-1", "10.77.0.0/16", ledger.Confirmed)}, "[10.77.0.0/16]"},
		"ours that is leaving already":                  {[]ledger.Item{route("rtb-1", "10.77.0.0/16", ledger.Leaving)}, "[]"},
		"ours in a table that is of another VPC":        {[]ledger.Item{route("rtb-9", "10.77.0.0/16", ledger.Confirmed)}, "[]"},
	} {
		trims := connection.Surplus(c, [2]workflow.Side{here, there}, c2.items)
		got := "[]"
		if trims[0] != nil {
			got = fmt.Sprint(trims[0].Destinations)
		}
		if got != c2.want || trims[1] != nil {
			t.Errorf("%s: %s goes, want %s; there %v", name, got, c2.want, trims[1])
		}
	}
}
