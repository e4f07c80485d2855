package fact

import (
	"net/netip"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Each line of follow's table, from a look that served four notebooks of one subnet and left others, one way at a time.
func TestWhatIsNotServedAgain(t *testing.T) {
	vpc := workflow.VPC{Account: "1", Region: "r", ID: "vpc-1"}
	peer := []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")}
	table := workflow.Table{ID: "rtb-1", Main: true, Routes: []workflow.Route{{Destination: peer[0], Target: "pcx-1"}}}
	look := func() (before, now workflow.Findings) {
		side := workflow.Side{Role: "requester", VPC: vpc, Peer: workflow.VPC{ID: "vpc-2", CIDRs: peer}, Ways: []workflow.Way{{Subnets: []string{"s"}, To: peer}}, Tables: []workflow.Table{table}, Unread: 1}
		one := workflow.Batch{Account: "1", Region: "r", VPC: "vpc-1", Subnet: "s"}
		before = workflow.Findings{Answer: workflow.AnswerConnect, Execution: "x", Sides: []workflow.Side{side}, Batches: workflow.Batches(one, []string{"a", "b"}),
			Routed: []workflow.AddRoutesOutput{{Tables: []workflow.Table{table}}}, Injected: []workflow.NotebooksOutput{{Notebooks: 2, Served: 2, Hosts: "ss"}}}
		one.Fresh = []string{"c", "d"}
		now = workflow.Findings{Answer: workflow.AnswerExtend, Follows: "x", Sides: []workflow.Side{side}, Batches: workflow.Batches(one, []string{"a", "b", "c", "d"})}
		return before, now
	}
	for name, c := range map[string]struct {
		change func(before, now *workflow.Findings)
		kept   bool
	}{
		"what was served":               {func(_, _ *workflow.Findings) {}, true},
		"another's look":                {func(before, _ *workflow.Findings) { before.Execution = "y" }, false},
		"a look that came to all":       {func(before, _ *workflow.Findings) { before.Execution = "" }, false},
		"it was a removal":              {func(before, _ *workflow.Findings) { before.Answer = workflow.AnswerDisconnect }, false},
		"this is a removal":             {func(_, now *workflow.Findings) { now.Answer = workflow.AnswerTrim }, false},
		"it told nothing":               {func(before, _ *workflow.Findings) { before.Injected[0] = workflow.NotebooksOutput{} }, false},
		"one is gone":                   {func(_, now *workflow.Findings) { now.Batches[0].Names = []string{"b", "c", "d"} }, false},
		"one was made anew":             {func(_, now *workflow.Findings) { now.Batches[0].Fresh = []string{"a", "c", "d"} }, false},
		"the policy is asked otherwise": {func(_, now *workflow.Findings) { now.Batches[0].Here = &workflow.Facts{Name: "new"} }, false},
		"the subnet is to lead elsewhere": {func(_, now *workflow.Findings) {
			now.Sides[0].Ways = []workflow.Way{{To: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/24")}}}
		}, false},
		"its table leads elsewhere":              {func(_, now *workflow.Findings) { now.Sides[0].Tables = []workflow.Table{{ID: "rtb-1", Main: true}} }, false},
		"a route was not made":                   {func(before, _ *workflow.Findings) { before.Routed[0].Hops = []workflow.Hop{{Hop: "route"}} }, false},
		"one failed, and there are more to come": {func(before, _ *workflow.Findings) { before.Injected[0].Served = 1 }, true},
		"one failed, and this comes to all": {func(before, now *workflow.Findings) {
			before.Injected[0].Served = 1
			now.Sides[0].Unread = 0
		}, false},
		"none failed, and this comes to all": {func(_, now *workflow.Findings) { now.Sides[0].Unread = 0 }, true},
	} {
		before, now := look()
		c.change(&before, &now)
		kept, served := 0, 0
		for _, b := range follow(before, now) {
			if b.Kept == nil {
				served += len(b.Names)
			} else if kept += len(b.Names); b.Kept.Hosts != "ss" {
				t.Errorf("%s: kept as %+v", name, *b.Kept)
			}
		}
		all := workflow.Instances(now.Batches)
		if want := map[bool]int{true: 2}[c.kept]; kept != want || served != all-want {
			t.Errorf("%s: %d are kept and %d served, of %d", name, kept, served, all)
		}
	}
}
