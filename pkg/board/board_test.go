package board

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func peering(id, status, reason string, ago time.Duration) ledger.Connection {
	return ledger.Connection{ID: id, Kind: "peering", Status: ledger.Status(status), Reason: reason, Origin: ledger.Requested, Policy: "accept-auto",
		Asked: "arn:aws:sts::111111111111:assumed-role/scientist/ada", Since: now.Add(-ago), At: now.Add(-ago),
		Sides: []ledger.Side{{Role: "requester", Account: "111111111111", Region: "us-east-1", ID: "vpc-0a1a1a1a1a1a1a1a1", CIDRs: []string{"10.1.0.0/16"}},
			{Role: "accepter", Account: "222222222222", Region: "us-east-1", ID: "vpc-0b2b2b2b2b2b2b2b2", CIDRs: []string{"10.2.0.0/16"}}}}
}

// judged is a connection with so many whole paths, of all.
func judged(c ledger.Connection, whole, all int) ledger.Connection {
	c.Paths = ledger.Paths{All: all, Whole: whole}
	return c
}

// overruled is a connection of which the second owner keeps nothing out.
func overruled(c ledger.Connection) ledger.Connection {
	c.Overruled = map[string]string{c.Sides[1].Account: "no-islands"}
	return c
}

const (
	stands    = "pcx-0aaaaaaaaaaaaaaa1"
	waits     = "pcx-0aaaaaaaaaaaaaaa2"
	contested = "pcx-0aaaaaaaaaaaaaaa3"
	refused   = "pcx-0aaaaaaaaaaaaaaa4"
	conflict  = "pcx-0aaaaaaaaaaaaaaa5"
	cluster   = "arn:aws:rds:us-east-1:222222222222:cluster:orders"
)

func full(t *testing.T) Rows {
	t.Helper()
	route := ledger.Item{Account: "111111111111", Region: "us-east-1", Resource: "rtb-0a1", Kind: ledger.Route, Key: "10.2.0.0/16", State: ledger.Confirmed, Left: stands,
		Needed: []string{stands}, At: now}
	taken := route
	taken.Resource, taken.State, taken.Needed, taken.Before = "rtb-0a3", ledger.Contested, []string{contested}, "blackhole"
	rows := []ledger.Row{
		ledgertest.Row(t, "connection#"+stands, "item#111111111111/us-east-1/rtb-0a1#route#10.2.0.0/16", map[string]any{}),
		ledgertest.Row(t, "place#111111111111/us-east-1", stands, map[string]any{}),
		ledgertest.Row(t, "resource#111111111111/us-east-1/rtb-0a1", "route#10.2.0.0/16", route),
		ledgertest.Row(t, "resource#111111111111/us-east-1/rtb-0a3", "route#10.2.0.0/16", taken),
		ledgertest.Row(t, "lease#"+stands, "lease", ledger.Lease{Turn: ledger.Turn{Holder: "exec-1", Since: now.Add(-20 * time.Second), Event: "CreateRoute"}}),
		ledgertest.Row(t, "lease#lifecycle research", "lease", ledger.Lease{Turn: ledger.Turn{Holder: "exec-2", Since: now}}),
		ledgertest.Row(t, "held#drawbridge-peering", "peering 111111111111 us-east-1 "+refused, map[string]any{"machine": "drawbridge-peering", "input": map[string]any{}, "mode": "observe",
			"end": "Planned", "reason": "the mode is observe", "changes": []string{"accept " + refused + " in 222222222222 us-east-1", "add route 10.2.0.0/16 to rtb-0a1 in 111111111111 us-east-1"},
			"since": now.Add(-time.Hour), "at": now, "count": 2}),
		ledgertest.Row(t, "connection#"+stands, "word#2026-11-26T11:00:00Z#drawbridge:approval#c1", ledger.Word{Thing: stands, Said: "drawbridge:approval", Value: " Approved", Account: "222222222222",
			By: ledger.Hand{Who: "arn:aws:sts::222222222222:assumed-role/owner/ben"}, At: now.Add(-73 * time.Hour)}),
		ledgertest.Row(t, "connection#"+stands, "word#2026-11-26T11:30:00Z#drawbridge:approval#c2", ledger.Word{Thing: stands, Said: "drawbridge:approval", Value: "approved", Account: "111111111111",
			By: ledger.Hand{Who: "arn:aws:sts::111111111111:assumed-role/scientist/ada"}, At: now.Add(-72 * time.Hour)}), // in their own account: it answers nothing
		ledgertest.Row(t, "brake", "state", map[string]any{"on": true, "managed": 4}),
		ledgertest.Row(t, "brake", "waiting#"+cluster, map[string]any{"cause": "the policy does not allow it any more", "at": now.Add(-2 * time.Hour)}),
		ledgertest.Row(t, "brake", "waiting#pcx-let", map[string]any{"cause": "a person let it through", "at": now, "let": true}),
	}
	for _, c := range []ledger.Connection{
		overruled(judged(peering(stands, "Connected", "every hop holds", 72*time.Hour), 2, 2)),
		peering(waits, "AwaitingApproval", "the owner is asked: accept-ask", 5*time.Hour),
		judged(peering(contested, "Connected", "somebody took away a route", 30*time.Minute), 1, 12),
		peering(refused, "Refused", "no policy allows it", 40*24*time.Hour),
		judged(peering(conflict, "Conflict", "0 of 1 path is whole: route back: route 10.1.0.0/24 in rtb-0b1 already goes to pcx-0old; remedy: account 222222222222: remove or narrow what is there if nobody needs it", 2*time.Hour), 0, 1),
		{ID: cluster, Kind: "data-api", Status: "Exposed", Origin: ledger.Requested, Since: now.Add(-time.Hour), Sides: []ledger.Side{{Role: "producer", Account: "222222222222", Region: "us-east-1", ID: cluster}},
			Paths: ledger.Paths{All: 1, Whole: 1, Lines: []ledger.Path{{Client: ledger.End{Name: "account 111111111111", Account: "111111111111", Network: "111111111111"}, Database: ledger.End{Name: "sales", Account: "222222222222", Network: cluster}, Port: 443, Answer: "yes"}}}},
		{ID: "private-notebooks-vpc-0c", Kind: "private-notebooks", Origin: ledger.Requested, Since: now.Add(-time.Minute),
			Sides: []ledger.Side{{Role: "consumer", Account: "111111111111", Region: "us-east-1", ID: "vpc-0c"}}},
		{ID: "tgw-0d:vpc-0a1a1a1a1a1a1a1a1:vpc-0b2b2b2b2b2b2b2b2", Kind: "transit", Status: "Connected", Origin: ledger.Adopted, Since: now.Add(-48 * time.Hour)},
	} {
		rows = append(rows, ledgertest.Row(t, "connection#"+c.ID, "connection", c))
	}
	var r Rows
	for _, one := range rows {
		if err := r.Add(one); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

var hub = Hub{Account: "123456789012", Region: "us-east-1", Table: "drawbridge-ledger", Stack: "drawbridge-hub"}

const swept = `{"answer":"PartlySwept","sweep":{},"page":"","tally":{"accounts":42,"managed":4,
	"found":[{"kind":"peerings","seen":12,"announced":1,"unmanaged":9,"names":["pcx-0old1","pcx-0old2"]},{"kind":"clusters","seen":3,"announced":0}],
	"closed":[{"account":"333333333333","why":"no member stack"}],"barred":[],"failed":[],"deaf":[{"account":"444444444444","regions":["eu-west-1"],"why":"1 of 19 rules are off: drawbridge-forward-peering"}],"more":{"closed":1,"barred":0,"failed":0}}}`

func boardOf(t *testing.T) Board {
	t.Helper()
	b := Of(full(t), now)
	b.Hub, b.Mode, b.Sweep = hub, Mode{Mode: "observe"}, sweepOf("sweep-1", now.Add(-9*time.Hour), swept)
	b.Health = []Check{{"trail", "An organization trail logs in every Region", "yes", "trail/all"}, {"bus", "The bus takes events from the organization", "unknown", "AccessDenied"},
		{"members", "The StackSet's instances are current", "no", "1 of 42 are not: 333333333333 us-east-1 is INOPERABLE"}}
	return b
}

func TestTheBoard(t *testing.T) {
	b := boardOf(t)
	answertest.Text(t, "board", b, true)
	if b.Standing != 6 {
		t.Errorf("%d stand", b.Standing)
	}
	empty := Of(Rows{}, now)
	empty.Hub = hub
	answertest.Text(t, "empty", empty, false)
	answertest.Schema[Board](t, "../..", "status.v1", "drawbridge status -o json", b, empty)
}

func TestAnEntry(t *testing.T) {
	var all []Entry
	for _, one := range []struct {
		id   string
		fine bool
	}{{stands, true}, {waits, false}, {contested, false}, {refused, false}, {cluster, false}, {conflict, false}} {
		e, ok := EntryOf(full(t), one.id, now)
		if !ok || e.Line.Fine() != one.fine {
			t.Errorf("%s is there: %v, fine: %v", one.id, ok, e.Line.Fine())
		}
		e.Hub = hub
		all = append(all, e)
	}
	answertest.Text(t, "entry", all[0], false)
	answertest.Text(t, "entry-waits", all[1], false)
	answertest.Text(t, "entry-contested", all[2], false)
	answertest.Text(t, "entry-conflict", all[5], false)
	answertest.Schema[Entry](t, "../..", "status-entry.v1", "drawbridge status ID -o json", all[0], all[1], all[2], all[3], all[4])
	if len(all[3].Held) != 1 || all[3].Held[0].End != "Planned" {
		t.Errorf("what is held back about %s: %+v", refused, all[3].Held)
	}
	if _, ok := EntryOf(full(t), "pcx-0aaaaaaaaaaaaaaa", now); ok {
		t.Error("the beginning of an id is an entry")
	}
}

func TestTheOrderOfRowsDoesNotMatter(t *testing.T) {
	r := full(t)
	want, _ := json.Marshal(Of(r, now))
	slices.Reverse(r.entries)
	slices.Reverse(r.items)
	slices.Reverse(r.held)
	if got, _ := json.Marshal(Of(r, now)); string(got) != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestARowThatCannotBeReadIsAnError(t *testing.T) {
	for _, key := range []ledger.Key{{Part: "connection#pcx-1", Sort: "connection"}, {Part: "resource#1/r/rtb-1", Sort: "route#x"}, {Part: "lease#pcx-1", Sort: "lease"},
		{Part: "held#drawbridge-peering", Sort: "x"}, {Part: "brake", Sort: "waiting#pcx-1"}} {
		var r Rows
		if err := r.Add(ledger.Row{Key: key, Body: []byte(`["no object"]`)}); err == nil {
			t.Errorf("%v was taken", key)
		}
	}
}

func TestASweepOfSomeAccountsIsNotTheLastOne(t *testing.T) {
	for _, output := range []string{"", "{}", strings.Replace(swept, `"sweep":{}`, `"sweep":{"accounts":["111111111111"]}`, 1)} {
		if s := sweepOf("x", now, output); s != nil {
			t.Errorf("%s is %+v", output, s)
		}
	}
}

type stacks struct {
	out *cloudformation.DescribeStacksOutput
	err error
}

func (s stacks) DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	return s.out, s.err
}

func TestTheTableIsTheStacks(t *testing.T) {
	restored := &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{{StackName: aws.String(Stack),
		Parameters: []types.Parameter{{ParameterKey: aws.String("LedgerTable"), ParameterValue: aws.String("drawbridge-ledger-restored")}}}}}
	for name, one := range map[string]struct {
		api         stacks
		named, want string
		err         bool
	}{
		"as the stack says":             {stacks{out: restored}, "", "drawbridge-ledger-restored", false},
		"as it is named":                {stacks{err: errors.New("not asked")}, "mine", "mine", false},
		"who may not read the stack":    {stacks{err: &smithy.GenericAPIError{Code: "AccessDenied"}}, "", "drawbridge-ledger", false},
		"an account without a hub":      {stacks{err: &smithy.GenericAPIError{Code: "ValidationError"}}, "", "", true},
		"a call that came to no answer": {stacks{err: errors.New("no answer")}, "", "", true},
	} {
		h, err := Find(context.Background(), one.api, "123456789012", "us-east-1", one.named)
		if err != nil != one.err || err == nil && h.Table != one.want {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
		var f *fault.Error
		if name == "an account without a hub" && (!errors.As(err, &f) || f.Remedy == "") {
			t.Errorf("%s: %v names no remedy", name, err)
		}
	}
}

type executions []string

func (e executions) ListExecutions(context.Context, *sfn.ListExecutionsInput, ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error) {
	out := &sfn.ListExecutionsOutput{}
	for n := range e {
		out.Executions = append(out.Executions, sfntypes.ExecutionListItem{ExecutionArn: aws.String(string(rune('0' + n))), Name: aws.String("sweep-" + string(rune('0'+n))), StopDate: &now})
	}
	return out, nil
}

func (e executions) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	return &sfn.DescribeExecutionOutput{Output: aws.String(e[(*in.ExecutionArn)[0]-'0'])}, nil
}

func TestTheLastSweepOfAllAccounts(t *testing.T) {
	s, err := ReadSweep(context.Background(), executions{`{"tally":{}}`, swept, swept}, hub)
	if err != nil || s == nil || s.Execution != "sweep-1" || s.NotSwept != 2 || s.Found[0].Unmanaged != 9 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := ReadSweep(context.Background(), executions{}, hub); s != nil || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
}

// ends are the states of executions by their names; of one that is not among them Step Functions knows nothing, or nobody may ask.
type ends struct {
	executions
	of  map[string]sfntypes.ExecutionStatus
	err error
}

func (e ends) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	machine, name, _ := strings.Cut(strings.TrimPrefix(*in.ExecutionArn, "arn:aws:states:us-east-1:123456789012:execution:"), ":")
	if status, ok := e.of[name]; ok && machine == "drawbridge-peering" {
		return &sfn.DescribeExecutionOutput{Status: status}, nil
	}
	return nil, e.err
}

// An execution that failed has its lease for a redrive, and is not at work.
func TestWhoFailedIsNotAtWork(t *testing.T) {
	none := &smithy.GenericAPIError{Code: "ExecutionDoesNotExist"}
	for name, one := range map[string]struct {
		api     ends
		working bool
		err     bool
	}{
		"running":        {ends{of: map[string]sfntypes.ExecutionStatus{"exec-1": sfntypes.ExecutionStatusRunning}}, true, false},
		"failed":         {ends{of: map[string]sfntypes.ExecutionStatus{"exec-1": sfntypes.ExecutionStatusFailed}}, false, false},
		"forgotten":      {ends{err: none}, false, false},
		"nobody may ask": {ends{err: &smithy.GenericAPIError{Code: "AccessDeniedException"}}, true, true},
	} {
		r := full(t)
		err := r.AtWork(context.Background(), one.api, hub, "")
		e, _ := EntryOf(r, stands, now)
		if e.Line.Working != nil != one.working || err != nil != one.err {
			t.Errorf("%s: %+v, %v", name, e.Line.Working, err)
		}
	}
}
