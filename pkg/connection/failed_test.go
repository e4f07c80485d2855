package connection_test

import (
	"context"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// blind is a reader of worlds that AWS answers nothing.
type blind struct{ why error }

func (b blind) Read(context.Context, discover.Carrier, [2]discover.VPC) (network.World, error) {
	return network.World{}, b.why
}

func (b blind) Anew(context.Context, network.World, [2]discover.VPC) (network.World, error) {
	return network.World{}, b.why
}

// However an execution fails at its end, both sides have that in their tags, and the entry has why: what a step before could not do, or that nothing could be judged.
func TestWhatFailsAtTheEndIsSaid(t *testing.T) {
	const left, right = "111111111111", "222222222222"
	throttled := fault.New(fault.Transient, "throttled")
	for name, c := range map[string]struct {
		failed      []workflow.Refusal
		world       error
		tried       int
		kind        fault.Kind
		left, right string // what their tags say; empty: nothing is written
		remedy      string
	}{
		"a right is lacking": {failed: []workflow.Refusal{{State: "AddRoutes", Account: left, Kind: fault.Refused, Why: "denied"}}, kind: fault.Refused,
			left: "AddRoutes could not do its work: denied", right: "AddRoutes lacked a right in the other account"},
		"of an earlier release": {failed: []workflow.Refusal{{State: "AddRoutes", Account: left, Why: "denied"}}, kind: fault.Refused,
			left: "AddRoutes could not do its work: denied", right: "AddRoutes lacked a right in the other account"},
		"throttled": {failed: []workflow.Refusal{{State: "AddRoutes", Account: left, Kind: fault.Transient, Why: "throttled"}}, kind: fault.Conflict,
			left: "AddRoutes could not do its work: throttled", right: "AddRoutes could not do its work in the other account", remedy: "redrive the execution"},
		"in the way, and denied": {failed: []workflow.Refusal{{State: "AddRoutes", Account: left, Kind: fault.Conflict, Why: "in the way; remedy: clear it"}, {State: "OpenFirewall", Account: right, Kind: fault.Refused, Why: "denied"}},
			kind: fault.Refused, left: "AddRoutes could not do its work: in the way", right: "OpenFirewall could not do its work: denied", remedy: "clear it"},
		"not judged, and tried again":           {world: throttled, tried: fault.TransientTries - 1, kind: fault.Transient},
		"not judged at the last try":            {world: throttled, tried: fault.TransientTries, kind: fault.Transient, left: "could not be read", right: "could not be read"},
		"not judged, as a right is lacking":     {world: fault.New(fault.Refused, "denied"), kind: fault.Refused, left: "could not be read", right: "could not be read"},
		"not judged, as the connection is over": {world: fault.New(fault.Over, "it is gone"), tried: fault.TransientTries, kind: fault.Over},
	} {
		t.Run(name, func(t *testing.T) {
			in := booked(workflow.Client{Names: []string{"notebook a"}, Count: 1})
			for n := range in.Sides {
				in.Sides[n].StatusResource = "pcx-1"
			}
			in.Refused, in.Tried = c.failed, c.tried
			if c.failed != nil { // and nothing to judge
				in.Sides[0].Clients = nil
			}
			l, _ := ledgertest.New()
			if _, err := l.Begin(t.Context(), ledger.Connection{ID: "pcx-1", Kind: "peering", Status: "Connected"}); err != nil {
				t.Fatal(err)
			}
			events, tags := []string{}, map[string][]string{}
			enter := func(v workflow.VPC) connection.Tagger { return world{account: v.Account, tags: tags, events: &events} }
			_, err := connection.Verifier{Ledger: l, Enter: enter, World: blind{c.world}, Still: func(context.Context) error { return nil }}.Verify(t.Context(), in)
			if fault.Of(err) != c.kind || !strings.Contains(err.Error(), c.remedy) {
				t.Errorf("%v, want %s", err, c.kind)
			}
			for account, want := range map[string]string{left: c.left, right: c.right} {
				if got := strings.Join(tags[account], " "); (got == "") != (want == "") || !strings.Contains(got, want) || want != "" && !strings.Contains(got, "Conflict") {
					t.Errorf("%s reads %q, want %q", account, got, want)
				}
			}
			entry, _, err := l.Connection(t.Context(), "pcx-1")
			if err != nil || (entry.Status == "Conflict") != (c.left != "") {
				t.Errorf("the entry has %s (%s), %v", entry.Status, entry.Reason, err)
			}
		})
	}
}
