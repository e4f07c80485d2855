package connection_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestStatus(t *testing.T) {
	pcx := workflow.Connection{ID: "pcx-1", Target: "pcx-1"}
	pair := workflow.Connection{ID: "tgw-1:vpc-a:vpc-b", Target: "tgw-1"}
	side := workflow.Side{Carrier: "pcx-1", Peer: workflow.VPC{ID: "vpc-b", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}}
	if got := fmt.Sprint(connection.Status(pcx, side, workflow.Connected, "because")); got != "[{drawbridge:status Connected} {drawbridge:reason because} {drawbridge:destinations 10.1.0.0/16}]" {
		t.Errorf("its own carrier: %s", got)
	}
	side.Carrier, side.Peer.Account, side.Kept = "tgw-attach-a", "222222222222", []workflow.Kept{{Table: "rtb-1", Destination: netip.MustParsePrefix("10.1.0.0/16")}}
	if got := fmt.Sprint(connection.Status(pair, side, workflow.Connected, "because")); got != "[{drawbridge:peer:vpc-b Connected 222222222222 rtb-1=10.1.0.0/16 10.1.0.0/16}]" {
		t.Errorf("a shared carrier: %s", got)
	}
}

// What a tag had room for is read as it was written, and it says if there was no room.
func TestTheTagOfAPeerIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := workflow.Connection{ID: "tgw-1:vpc-a:vpc-b", Target: "tgw-1"}
		side := workflow.Side{Carrier: "tgw-attach-a", Peer: workflow.VPC{Account: "222222222222", ID: "vpc-b"}}
		for n := range rapid.IntRange(0, 30).Draw(t, "cidrs") {
			side.Peer.CIDRs = append(side.Peer.CIDRs, netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/16", n)))
		}
		for n := range rapid.IntRange(0, 4).Draw(t, "kept") {
			side.Kept = append(side.Kept, workflow.Kept{Table: fmt.Sprintf("rtb-%017d", n), Destination: netip.MustParsePrefix("10.1.0.0/16")})
		}
		tag := connection.Status(c, side, workflow.Connected, "")[0]
		if len(tag.Value) > 256 || tag.Key != connection.TagPeer+"vpc-b" {
			t.Fatalf("%s=%s", tag.Key, tag.Value)
		}
		got := connection.Read(tag.Value)
		if got.Result != workflow.Connected || got.Account != side.Peer.Account || !slices.Equal(got.Kept, side.Kept) {
			t.Fatalf("read %+v of %q", got, tag.Value)
		}
		if n := len(got.Destinations); !slices.Equal(got.Destinations, side.Peer.CIDRs[:n]) || got.More != (n < len(side.Peer.CIDRs)) {
			t.Fatalf("read %+v of %q", got, tag.Value)
		}
	})
}

func TestForeign(t *testing.T) {
	p := netip.MustParsePrefix
	tables := []workflow.Table{
		{ID: "rtb-1", Routes: []workflow.Route{{Destination: p("10.1.0.0/16"), Target: "tgw-1"}, {Destination: p("10.5.0.0/16"), Target: "tgw-1"}}},
		{ID: "rtb-2", Routes: []workflow.Route{{Destination: p("10.1.0.0/16"), Target: "nat-1"}}},
	}
	for tag, want := range map[string]string{
		"":                         "[{rtb-1 10.1.0.0/16}]",
		"Connected 10.1.0.0/16":    "[]",
		"Connecting 10.9.0.0/16 +": "[]",
		"Connected rtb-2=10.1.0.0/16 10.1.0.0/16": "[{rtb-2 10.1.0.0/16}]",
	} {
		got := connection.Foreign(tables, []netip.Prefix{p("10.1.0.0/16")}, "tgw-1", connection.Read(tag))
		if fmt.Sprint(got) != want {
			t.Errorf("%q: %v, want %s", tag, got, want)
		}
	}
	if got := connection.Foreign(tables, []netip.Prefix{p("10.1.0.0/16")}, "tgw-1", connection.Read(""), connection.Read("Connected 10.1.0.0/16")); len(got) > 0 {
		t.Errorf("claimed by another pair: %v is kept", got)
	}
	if got := connection.Foreign(tables, []netip.Prefix{p("10.9.0.0/16")}, "tgw-1", connection.Read("Connected rtb-1=10.1.0.0/16 10.1.0.0/16")); len(got) > 0 {
		t.Errorf("the peer has it no more: %v is kept", got)
	}
}
