package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

var now0 = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

const (
	id       = "pcx-0aaaaaaaaaaaaaaa1"
	consumer = "111111111111"
	producer = "222222222222"
)

var (
	hub = board.Hub{Account: "123456789012", Region: "us-east-1", Table: "drawbridge-ledger", Stack: "drawbridge-hub"}
	ci  = ledger.Hand{Who: "arn:aws:sts::111111111111:assumed-role/ci/run-1", Tool: "terraform"}
)

// rows is the ledger of a peering that was asked for, approved, connected, and is contested.
func rows(t *testing.T) board.Rows {
	t.Helper()
	var r board.Rows
	add := func(part, sort string, body any) {
		t.Helper()
		if err := r.Add(ledgertest.Row(t, part, sort, body)); err != nil {
			t.Fatal(err)
		}
	}
	began := now0.Add(-50 * time.Hour)
	add("connection#"+id, "connection", ledger.Connection{ID: id, Kind: "peering", Origin: ledger.Requested, Policy: "accept-ask", Status: "Connected", Reason: "somebody took away a route",
		Asked: "arn:aws:sts::111111111111:assumed-role/scientist/ada", Since: began, At: now0.Add(-time.Hour), Approval: ledger.Approval{Covered: []string{"range 10.1.0.0/16"}},
		Untagged: map[string]ledger.Untagged{consumer: {Times: 1, By: ci, Call: "u-1"}},
		Sides: []ledger.Side{{Role: "requester", Account: consumer, Region: "us-east-1", ID: "vpc-0a1", CIDRs: []string{"10.1.0.0/16"}},
			{Role: "accepter", Account: producer, Region: "us-east-1", ID: "vpc-0b2", CIDRs: []string{"10.2.0.0/16"}}}})
	word := func(said, value, account, who string, ago time.Duration) {
		w := ledger.Word{Thing: id, Said: said, Value: value, Account: account, Region: "us-east-1", By: ledger.Hand{Who: who}, At: now0.Add(-ago), Call: fmt.Sprint(ago)}
		add("connection#"+id, "word#"+w.At.Format(time.RFC3339)+"#"+said, w)
	}
	word("drawbridge:approval", "approved", producer, "arn:aws:sts::222222222222:assumed-role/owner/ben", 49*time.Hour)
	word("drawbridge:manage", "", producer, "arn:aws:sts::222222222222:assumed-role/owner/eve", 48*time.Hour)
	item := func(i ledger.Item) {
		i.Region, i.Needed = "us-east-1", []string{id}
		add("resource#"+i.Place()+"/"+i.Resource, string(i.Kind)+"#"+i.Key, i)
	}
	for n := range 5 {
		item(ledger.Item{Account: producer, Resource: fmt.Sprintf("rtb-0b%d", n), Kind: ledger.Route, Key: "10.1.0.0/16", State: ledger.Confirmed, Left: id, By: "exec-1", At: now0.Add(-48*time.Hour - time.Duration(n)*time.Second)})
	}
	item(ledger.Item{Account: consumer, Resource: "rtb-0a1", Kind: ledger.Route, Key: "10.2.0.0/16", State: ledger.Contested, Before: "blackhole", By: "exec-1", At: now0.Add(-2 * time.Hour),
		Taken: 2, TakenBy: ci, Seen: ci, SeenAt: now0.Add(-3 * time.Hour)})
	item(ledger.Item{Account: producer, Resource: "sg-0b1", Kind: ledger.Rule, Key: "ingress tcp 3306 10.1.0.0/24", State: ledger.Confirmed, By: "exec-1", At: now0.Add(-48 * time.Hour),
		Seen: ledger.Hand{Who: "arn:aws:iam::222222222222:user/root-ish", Tool: "console"}, SeenAt: now0.Add(-20 * time.Minute)})
	add("lease#"+id, "lease", ledger.Lease{Turn: ledger.Turn{Holder: "exec-9", Since: now0.Add(-time.Minute), Event: "CreateRoute"}})
	add("held#drawbridge-peering", "peering 111111111111 us-east-1 "+id, map[string]any{"machine": "drawbridge-peering", "input": map[string]any{}, "mode": "add", "end": "Kept", "reason": "the mode is add",
		"changes": []string{"take away one rule"}, "since": now0.Add(-10 * time.Minute), "at": now0, "count": 1})
	return r
}

var executions = []Execution{{Name: "5bab44dc-3328-4a8e-a0e4-7dff0f990f27_12a02d23-1d35-5b1f-a013-960d5f5385cd", Machine: "drawbridge-peering", Status: "SUCCEEDED", Began: now0.Add(-49 * time.Hour), Event: "CreateVpcPeeringConnection", Result: "AwaitingApproval", Reason: "policy accept-ask asks its owner"},
	{Name: "exec-2", Machine: "drawbridge-peering", Status: "FAILED", Began: now0.Add(-47 * time.Hour), Result: "Conflict", Reason: "no path holds; remedy: remove the route"},
	{Name: "exec-2a", Machine: "drawbridge-peering", Status: "FAILED", Began: now0.Add(-46 * time.Hour), Result: "Conflict", Reason: "no path holds; remedy: remove the route"},
	{Name: "exec-3", Machine: "drawbridge-peering", Status: "SUCCEEDED", Began: now0.Add(-time.Hour - 9*time.Second), Ended: now0.Add(-time.Hour), Event: "DeleteRoute", Result: "Connected", Reason: "somebody took away a route"}}

func TestAHistory(t *testing.T) {
	h := Of(rows(t), id, executions, Looked{Machine: "drawbridge-peering", Count: 100, More: true}, now0)
	h.Hub = hub
	answertest.Text(t, "history", h, true)
	gone := Of(rows(t), "pcx-0bbbbbbbbbbbbbbb1", nil, Looked{Machine: "drawbridge-peering", Err: errors.New("not allowed")}, now0)
	gone.Hub = hub
	answertest.Text(t, "gone", gone, false)
	answertest.Schema[History](t, "../..", "history.v1", "drawbridge history ID -o json", h, gone)

	if !slices.IsSortedFunc(h.Events, compare) || gone.Managed || len(gone.Events) > 0 || !h.Managed {
		t.Errorf("managed %v, %v; %d events of what is gone", h.Managed, gone.Managed, len(gone.Events))
	}
	for _, want := range []struct{ hand, what, who string }{{Owner, "asked", "/ada"}, {Owner, "said", "/ben"}, {Foreign, "taken", "/run-1"}, {Foreign, "touched", "/root-ish"}, {Foreign, "untagged", "/run-1"}} {
		if !slices.ContainsFunc(h.Events, func(e Event) bool {
			return e.Hand == want.hand && e.What == want.what && strings.HasSuffix(e.Who, want.who)
		}) {
			t.Errorf("no event %v", want)
		}
	}
}

// What was approved by nobody that is known is said so.
func TestWhatIsNotKnownIsSaid(t *testing.T) {
	c := ledger.Connection{ID: id, Approval: ledger.Approval{Covered: []string{"x"}}}
	says := func(lines []string, words string) bool {
		return slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, words) })
	}
	if !says(unrecorded(c, true, false, Looked{}), "Who approved it") || says(unrecorded(c, true, true, Looked{}), "Who approved it") || !says(unrecorded(c, false, false, Looked{}), "no entry") {
		t.Error("who approved")
	}
	if all := unrecorded(c, true, true, Looked{Machine: "m", Count: 3}); !says(all, "3 executions of m, all") {
		t.Errorf("%v", all)
	}
}

// machine has as many executions as it says, a page at a time; every third is about the peering.
type machine struct {
	count, described int
	barred           bool
}

func (m *machine) ListExecutions(_ context.Context, in *sfn.ListExecutionsInput, _ ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error) {
	if m.barred {
		return nil, errors.New("not allowed")
	}
	from := 0
	if in.NextToken != nil {
		fmt.Sscan(*in.NextToken, &from)
	}
	out := &sfn.ListExecutionsOutput{}
	for n := from; n < min(m.count, from+int(in.MaxResults)); n++ {
		out.Executions = append(out.Executions, types.ExecutionListItem{ExecutionArn: aws.String(fmt.Sprint(n)), Name: aws.String(fmt.Sprint(n))})
	}
	if next := from + int(in.MaxResults); next < m.count {
		out.NextToken = aws.String(fmt.Sprint(next))
	}
	return out, nil
}

func (m *machine) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	m.described++
	n := 0
	fmt.Sscan(*in.ExecutionArn, &n)
	out := &sfn.DescribeExecutionOutput{Name: in.ExecutionArn, Status: types.ExecutionStatusSucceeded, StartDate: &now0}
	switch n % 3 {
	case 0:
		out.Input = aws.String(`{"detail-type":"AWS API Call via CloudTrail","detail":{"eventName":"CreateTags","requestParameters":{"id":"` + id + `"}}}`)
		out.Output = aws.String(`{"result":"Connected","reason":"every hop holds"}`)
	case 1:
		out.Input = aws.String(`{"detail":{"vpcPeeringConnectionId":"` + id + `0"}}`) // another, longer id
	}
	return out, nil
}

func TestExecutionsAreLookedThrough(t *testing.T) {
	for _, c := range []struct {
		count, most, looked, found int
		more                       bool
	}{{0, 10, 0, 0, false}, {9, 100, 9, 3, false}, {250, 100, 100, 34, true}, {250, 240, 240, 80, true}, {250, 1000, 250, 84, false}, {100, 100, 100, 34, false}} {
		m := &machine{count: c.count}
		got, looked := Read(t.Context(), m, hub, "peering", id, c.most)
		if len(got) != c.found || looked.Count != c.looked || looked.More != c.more || looked.Err != nil || m.described != c.looked {
			t.Errorf("%+v: found %d, %+v, described %d", c, len(got), looked, m.described)
		}
		if len(got) > 0 && (got[0].Event != "CreateTags" || got[0].Result != "Connected" || got[0].Reason != "every hop holds") {
			t.Errorf("%+v", got[0])
		}
	}
	if got, looked := Read(t.Context(), &machine{barred: true}, hub, "peering", id, 10); len(got) > 0 || looked.Err == nil {
		t.Errorf("%+v, %+v", got, looked)
	}
}

func TestWhatAnExecutionBeganBy(t *testing.T) {
	for input, want := range map[string]string{
		`{"detail-type":"Peering To Inspect","detail":{"reason":"sweep"}}`: "Peering To Inspect (sweep)",
		`{"detail-type":"x","detail":{}}`:                                  "x",
		`no JSON`:                                                          "",
	} {
		if got := began(input); got != want {
			t.Errorf("%s began by %q", input, got)
		}
	}
	if got := message(`{"errorMessage":"no","errorType":"Conflict"}`) + message("plain"); got != "noplain" {
		t.Errorf("got %q", got)
	}
}
