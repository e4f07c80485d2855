package connection_test

import (
	"fmt"
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
