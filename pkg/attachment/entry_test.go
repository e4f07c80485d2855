package attachment

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// One that is over is known by its entry once another lives in its place, and not before.
func TestReplaced(t *testing.T) {
	u := unit{event.Place{Account: "1", Region: "r"}, "vpc-1", "tgw-1"}
	one := func(id string, kind road.Kind, vpc, gateway string) ledger.Connection {
		return ledger.Connection{ID: id, Kind: kind, Sides: []ledger.Side{{ID: vpc}, {ID: gateway}}}
	}
	entries := []ledger.Connection{one("tgw-attach-b", road.Attachment, "vpc-2", "tgw-1"), one("tgw-attach-c", road.Attachment, "vpc-1", "tgw-2"), one("tgw-1:vpc-1:vpc-2", road.Transit, "vpc-1", "tgw-1"),
		one("tgw-attach-old", road.Attachment, "vpc-1", "tgw-1"), one("tgw-attach-new", road.Attachment, "vpc-1", "tgw-1")}
	for _, c := range []struct {
		now, state string
		entries    []ledger.Connection
		want       string
	}{
		{"tgw-attach-new", "available", entries, "tgw-attach-old"},
		{"tgw-attach-new", "pendingAcceptance", entries[:4], "tgw-attach-old"},
		{"tgw-attach-new", "available", entries[:3], ""},
		{"tgw-attach-old", "available", entries[:4], ""},
		{"tgw-attach-new", "deleted", entries, ""},
		{"", "", entries, ""},
	} {
		got, is := replaced(c.entries, workflow.Attachment{ID: c.now, State: c.state}, u)
		if got.ID != c.want || is != (c.want != "") {
			t.Errorf("%s, %s: %s", c.now, c.state, got.ID)
		}
	}
}
