package gatewaypair

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// What came to a pair after its attachments were approved is not opened, and asked about as something of the one that limits it.
func TestAPairIsWhatItsAttachmentsApprovalsCover(t *testing.T) {
	const (
		a, b    = "range 10.1.0.0/16 of vpc-a", "range 10.2.0.0/16 of vpc-b"
		sales   = "database sales, mysql, TCP port 3306 of vpc-b from vpc-a"
		returns = "database returns, mysql, TCP port 3309 of vpc-b from vpc-a"
	)
	approved := func(lines ...string) ledger.Approval {
		return ledger.Approval{Covered: cover.Lines(lines...), First: cover.Lines(lines...), Shown: cover.Lines(lines...), Told: cover.Digest(cover.Lines(lines...))}
	}
	asked := func(a ledger.Approval, lines ...string) ledger.Approval {
		a.Shown = cover.Lines(lines...)
		a.Told = cover.Digest(a.Shown)
		return a
	}
	for name, c := range map[string]struct {
		ends          [2]ledger.Approval
		pair          ledger.Approval
		opened        []string
		ranges, waits int // how many CIDRs are led to, and how many lines wait
		thing         string
	}{
		"nobody was asked":                     {opened: []string{"sales", "returns"}, ranges: 2},
		"all was shown":                        {ends: [2]ledger.Approval{1: approved(b, sales, returns)}, opened: []string{"sales", "returns"}, ranges: 2},
		"a database came":                      {ends: [2]ledger.Approval{1: approved(a, b, sales)}, opened: []string{"sales"}, ranges: 2, waits: 1, thing: "tgw-attach-1"},
		"a range came, and it is all there is": {ends: [2]ledger.Approval{approved(sales, returns)}, ranges: 1, waits: 1, thing: "tgw-attach-0"},
		"a range came":                         {ends: [2]ledger.Approval{1: approved(sales, returns)}, ranges: 1, waits: 1, thing: "tgw-attach-1"},
		"ranges of who was not asked about":    {ends: [2]ledger.Approval{1: approved(b, sales, returns)}, opened: []string{"sales", "returns"}, ranges: 2},
		"each approval covers some":            {ends: [2]ledger.Approval{approved(a), approved(b, sales)}, opened: []string{"sales"}, ranges: 2, waits: 1, thing: "tgw-attach-0"},
		"it was connected so before":           {ends: [2]ledger.Approval{1: approved(a, b, sales)}, pair: ledger.Approval{Covered: []string{returns}}, opened: []string{"sales", "returns"}, ranges: 2},
		"all is approved":                      {ends: [2]ledger.Approval{1: approved(a, cover.All)}, opened: []string{"sales", "returns"}, ranges: 2},
		"a database came, and its owner was":   {ends: [2]ledger.Approval{1: asked(approved(a, b, sales), returns)}, opened: []string{"sales"}, ranges: 2},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := ledgertest.New()
			q := Question{Gateway: Gateway{ID: "tgw-1", Owner: "333333333333"}}
			for n, id := range []string{"tgw-attach-0", "tgw-attach-1"} {
				q.Ends[n].Attachment = &Attachment{ID: id}
				if _, err := l.Begin(t.Context(), ledger.Connection{ID: id, Kind: "attachment", Approval: c.ends[n]}); err != nil {
					t.Fatal(err)
				}
			}
			va := workflow.VPC{Account: "111111111111", Region: "eu-west-1", ID: "vpc-a", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
			vb := workflow.VPC{Account: "222222222222", Region: "eu-west-1", ID: "vpc-b", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")}}
			first := &survey.SideFacts{Here: &workflow.Facts{VPC: va}, Side: &workflow.Side{Role: Requester, VPC: va, Peer: vb}}
			second := &survey.SideFacts{Here: &workflow.Facts{VPC: vb}, Side: &workflow.Side{Role: Accepter, VPC: vb, Peer: va, AllowedDatabases: []workflow.AllowedDatabase{
				{Database: "sales", Engine: "mysql", Port: 3306}, {Database: "returns", Engine: "mysql", Port: 3309}}}}
			i := inspection{Inspector: Inspector{Ledger: l, Units: func(context.Context, string) (string, error) { return "Data", nil }}, pair: &pair{q: q}, entry: ledger.Connection{Approval: c.pair}}
			if err := i.limit(t.Context(), []*survey.SideFacts{first, second}); err != nil {
				t.Fatal(err)
			}
			if all := strings.HasPrefix(i.nothing, "nothing is connected: all ranges of vpc-"); all != (c.ranges == 1) || all != (len(i.shut) == 2) {
				t.Errorf("says %q, and of what is shut %v", i.nothing, i.shut)
			}
			var opened []string
			for _, o := range second.Side.AllowedDatabases {
				opened = append(opened, o.Database)
			}
			w := i.out.Waits
			if ranges := len(first.Side.Peer.CIDRs) + len(second.Side.Peer.CIDRs); !slices.Equal(opened, c.opened) || ranges != c.ranges || len(w.Shown) != c.waits || w.Thing != c.thing || i.asks != (c.waits > 0) {
				t.Errorf("opened %v to %d ranges, waits %+v; want %v, %d, %d of %q", opened, ranges, w, c.opened, c.ranges, c.waits, c.thing)
			}
			if wants := len(opened) < 2 || c.ranges < 2; wants != (w.Said.Requester != "") || strings.Contains(w.Said.Requester, "returns") {
				t.Errorf("said %q", w.Said.Requester)
			}
			if c.waits > 0 && (w.Request.Approve != "approved-"+cover.Digest(w.Shown) || w.Account != "333333333333" || w.Known.Accepter.Account.Units != "Data") {
				t.Errorf("asks %+v", w)
			}
			for _, line := range i.approval.Covered {
				if slices.Contains(w.Shown, line) {
					t.Errorf("%s waits and is covered", line)
				}
			}
		})
	}
}
