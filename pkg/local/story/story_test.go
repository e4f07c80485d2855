package story

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/lambdahost"
)

const (
	eventID    = "05a9e035-0269-41b9-b7ae-7938df57f18c"
	arn        = "arn:aws:states:us-east-1:123456789012:execution:drawbridge-peering:" + eventID + "_1"
	machineARN = "arn:aws:states:us-east-1:123456789012:stateMachine:drawbridge-peering"
)

// record plays a small story in which the two branches of a map come in the given
// order, with ids that differ from run to run.
func record(t *testing.T, pcx, one, two string, swap bool) *Recorder {
	t.Helper()
	r := NewRecorder()
	if err := r.Machine("drawbridge-peering", []byte(`{"States":{"M":{"Type":"Map","ItemProcessor":{"States":{"Rest":{"Type":"Wait","Seconds":5}}}}}}`)); err != nil {
		t.Fatal(err)
	}
	notice := func(format string, args ...any) {
		if err := r.Notice(fmt.Appendf(nil, format, args...)); err != nil {
			t.Fatal(err)
		}
	}
	history := func(event string) {
		notice(`{"kind":"history","executionArn":%q,"stateMachine":%q,"event":%s}`, arn, machineARN, event)
	}
	run := func(account, table string) {
		inv := lambdahost.Invocation{TraceID: table, Function: "drawbridge-add-routes", Payload: fmt.Appendf(nil,
			`{"execution":%q,"row":1}`, last(arn))}
		r.Started(inv)
		r.Called(awscall.Call{TraceID: table, Account: "123456789012", Service: "sts", Action: "AssumeRole", Status: 200})
		r.Called(awscall.Call{TraceID: table, Account: account, Region: "us-east-1", Service: "ec2", Action: "CreateRoute", Resource: table, Status: 200})
		r.Called(awscall.Call{TraceID: table, Account: account, Region: "us-east-1", Service: "ec2", Action: "DescribeRouteTables", Resource: table, Status: 200,
			Told: fmt.Sprintf(`[{"hop":"route %s","ok":true,"detail":"through %s"}]`, table, pcx)})
		inv.Result = fmt.Appendf(nil, `{"account":%q,"region":"us-east-1","hops":1,"ok":1}`, account)
		r.Finished(inv)
	}
	notice(`{"kind":"event","account":"1","region":"us-east-1","bus":"default","event":{"id":%q,"account":"111111111111","region":"us-east-1","detail-type":"AWS API Call via CloudTrail","detail":{"eventName":"CreateVpcPeeringConnection","responseElements":{"id":%q}}}}`, eventID, pcx)
	notice(`{"kind":"rule","account":"111111111111","region":"us-east-1","bus":"default","rule":"forward","eventId":%q,"target":"arn:aws:events:us-east-1:123456789012:event-bus/drawbridge"}`, eventID)
	history(`{"type":"ExecutionStarted"}`)
	history(`{"type":"WaitStateEntered","stateEnteredEventDetails":{"name":"Rest"}}`)
	for range 2 {
		history(`{"type":"TaskStateEntered","stateEnteredEventDetails":{"name":"AddRoutes"}}`)
		history(`{"type":"TaskScheduled"}`)
	}
	if swap {
		run("222222222222", two)
		run("111111111111", one)
	} else {
		run("111111111111", one)
		run("222222222222", two)
	}
	history(`{"type":"TaskScheduled"}`) // a retry
	history(`{"type":"SucceedStateEntered","stateEnteredEventDetails":{"name":"Connected"}}`)
	history(`{"type":"ExecutionSucceeded","executionSucceededEventDetails":{"output":"{}"}}`)
	history(`{"type":"TaskStateEntered","stateEnteredEventDetails":{"name":"AddRoutes"}}`) // too late to count
	return r
}

func TestGoldenIsTheSameInEveryRun(t *testing.T) {
	names := map[string]string{"rtb-00000000000000001": "rtb-alpha", "rtb-0000000000000000f": "rtb-alpha"}
	a := Golden(record(t, "pcx-00000000000000001", "rtb-00000000000000001", "rtb-00000000000000002", false).Facts(), names)
	b := Golden(record(t, "pcx-0000000000000000e", "rtb-0000000000000000f", "rtb-0000000000000000a", true).Facts(), names)
	if a != b {
		t.Errorf("two runs differ:\n%s\n%s", a, b)
	}
	const want = `event CreateVpcPeeringConnection pcx-1 in 111111111111 us-east-1
  rule forward in 111111111111 → bus drawbridge

machine drawbridge-peering
  Rest: 5 s
  AddRoutes for 111111111111
    111111111111 us-east-1
      ec2:DescribeRouteTables rtb-alpha
      ec2:CreateRoute rtb-alpha
    ✓ route rtb-alpha: through pcx-1
  AddRoutes for 222222222222
    222222222222 us-east-1
      ec2:DescribeRouteTables rtb-1
      ec2:CreateRoute rtb-1
    ✓ route rtb-1: through pcx-1
  end Connected
`
	if a != want {
		t.Errorf("got\n%s", a)
	}
}

// The judge names the tables of a VPC by the order of their ids, and what comes after another kind stays after it.
func TestPartsOfADetailAreTheSameInEveryRun(t *testing.T) {
	text := func(first, second string, names map[string]string) string {
		return named(inParts(first+" sends there; "+second+" sends there; nothing else; "+first+" sends there", names), names)
	}
	a := text("rtb-00000000000000001", "rtb-00000000000000002", map[string]string{"rtb-00000000000000001": "rtb-a", "rtb-00000000000000002": "rtb-b"})
	b := text("rtb-00000000000000001", "rtb-00000000000000002", map[string]string{"rtb-00000000000000001": "rtb-b", "rtb-00000000000000002": "rtb-a"})
	if want := "rtb-a sends there; rtb-b sends there; nothing else; rtb-"; !strings.HasPrefix(a, want) || !strings.HasPrefix(b, want) {
		t.Errorf("%q and %q", a, b)
	}
}

// A text that lists security groups has them in the order of their ids.
func TestListsAreTheSameInEveryRun(t *testing.T) {
	names := map[string]string{"sg-00000000000000001": "sg-b", "sg-00000000000000002": "sg-a"}
	const one, two = "sg-00000000000000001 of 111111111111", "sg-00000000000000002 of 111111111111"
	for _, list := range []string{one + ", " + two, two + ", " + one} {
		if got, want := named(inLists("opened: TCP 3306 from "+list+"; more", names), names), "opened: TCP 3306 from sg-a of 111111111111, sg-b of 111111111111; more"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A call about several things is named after the one that comes first by its name, whichever is first in the call.
func TestACallAboutSeveralThingsIsTheSameInEveryRun(t *testing.T) {
	names := map[string]string{"sg-00000000000000001": "sg-b", "sg-00000000000000002": "sg-a"}
	for _, ids := range [][]string{{"sg-00000000000000001", "sg-00000000000000003", "sg-00000000000000002"}, {"sg-00000000000000003", "sg-00000000000000002", "sg-00000000000000001"}} {
		c := awscall.Call{Service: "ec2", Action: "DescribeSecurityGroups", Resource: ids[0], Others: strings.Join(ids[1:], " ")}
		if got := inOrder([]awscall.Call{c}, names); got[0] != "ec2:DescribeSecurityGroups sg-a" {
			t.Errorf("%v: %q", ids, got)
		}
	}
}

func TestCounts(t *testing.T) {
	r := record(t, "pcx-00000000000000001", "rtb-00000000000000001", "rtb-00000000000000002", false)
	got := r.Counts()
	if got.Transitions != 5 || got.Invocations != 2 {
		t.Errorf("got %+v, want four states entered, one retry and two invocations", got)
	}
	if n := Work(r.Calls()); n != 4 {
		t.Errorf("counted %d calls, want 4 without AssumeRole", n)
	}
	end, err := r.First(t.Context(), func(e End) bool { return e.Machine == "drawbridge-peering" })
	if err != nil || end.State != "Connected" || end.Status != "SUCCEEDED" {
		t.Errorf("got %+v, %v", end, err)
	}
	report := r.Report(end, nil, 1500*time.Millisecond)
	if report.Result != "Connected" || report.WallMS != 1500 || len(report.Calls) != 6 {
		t.Errorf("got %+v", report)
	}
	r.Begin()
	if len(r.Facts()) != 0 || len(r.Calls()) != 0 || r.Counts() != (Counts{}) {
		t.Error("a new story begins with the old one")
	}
}

func TestPollsAreNoWork(t *testing.T) {
	look := awscall.Call{Account: "1", Action: "DescribeVpcPeeringConnections", Resource: "pcx-1"}
	other := look
	other.Account = "2"
	if n := Work([]awscall.Call{look, look, other, look}); n != 2 {
		t.Errorf("got %d, want the first look of each account", n)
	}
}

func TestLiveFitsTheTerminal(t *testing.T) {
	var out bytes.Buffer
	live := NewLive(&out, false, 0.01)
	for _, f := range record(t, "pcx-00000000000000001", "rtb-00000000000000001", "rtb-00000000000000002", false).Facts() {
		live.Tell(f)
	}
	live.Tell(Step{State: "InspectPeering", Failed: true, Result: json.RawMessage(`{"errorType":"Conflict","errorMessage":"` + strings.Repeat("a live route elsewhere ", 20) + `"}`)})
	if !strings.Contains(out.String(), "Rest waits 5 s, played in 50 ms") || !strings.Contains(out.String(), "end Connected") {
		t.Errorf("got\n%s", out.String())
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > Width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestLiveTellsTheLedgerAndWholePathsBriefly(t *testing.T) {
	row := awscall.Call{Account: "1", Region: "eu-west-1", Role: "drawbridge-add-routes", Service: "dynamodb", Action: "Query", Status: 200, Resource: "connection#pcx-1"}
	write, refused, other := row, row, row
	write.Action, refused.Status, refused.Error = "TransactWriteItems", 400, "TransactionCanceledException"
	other.Service, other.Action, other.Resource = "sns", "Publish", "drawbridge-notifications"
	var out bytes.Buffer
	NewLive(&out, false, 1).Tell(Step{State: "VerifyConnection", Calls: []awscall.Call{row, write, row, refused, other}, Result: json.RawMessage(
		`{"verdict":[{"hop":"a → b:1","ok":true,"detail":"whole","hops":[{"hop":"carrier","ok":true}]},{"hop":"a → c:1","detail":"broken","hops":[{"hop":"route there"}]}]}`)})
	want := []string{"1 eu-west-1 as drawbridge-add-routes", "dynamodb:Query connection#pcx-1 → 400 TransactionCanceledException", "sns:Publish drawbridge-notifications",
		"dynamodb: the ledger, 2 reads, 1 write", "✓ a → b:1: whole", "✗ a → c:1: broken", "✗ route there:"}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.TrimSpace(line))
	}
	if !slices.Equal(got[1:], want) { // the first is when, and the state
		t.Errorf("got %q, want %q", got[1:], want)
	}
}

func TestNoticesThatAreNone(t *testing.T) {
	for _, s := range []string{`{`, `{"kind":"gossip"}`, `{"kind":"event","event":7}`, `{"kind":"history","event":[]}`} {
		if err := NewRecorder().Notice([]byte(s)); err == nil {
			t.Errorf("%s was taken", s)
		}
	}
}

func TestWaitGivesUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := NewRecorder().Wait(ctx, 1, 0); err == nil {
		t.Error("an end came from nowhere")
	}
}

func TestStateOf(t *testing.T) {
	if got := StateOf("drawbridge-allow-dns-resolution"); got != "AllowDnsResolution" {
		t.Errorf("got %q", got)
	}
}

func FuzzNotice(f *testing.F) {
	f.Add([]byte(`{"kind":"history","executionArn":"a:b","event":{"type":"TaskStateEntered","stateEnteredEventDetails":{"name":"x"}}}`))
	f.Add([]byte(`{"kind":"event","event":{"detail":{"responseElements":{"a":"pcx-1"}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewRecorder()
		if r.Notice(b) == nil {
			Golden(r.Facts(), nil)
		}
	})
}

// A Wait that its input says is as long as that.
func TestAWaitIsAsLongAsItsInputSays(t *testing.T) {
	r := NewRecorder()
	if err := r.Machine("drawbridge-peering", []byte(`{"States":{"Rest":{"Type":"Wait","SecondsPath":"$.pause"}}}`)); err != nil {
		t.Fatal(err)
	}
	for _, pause := range []float64{5, 30} {
		event := fmt.Sprintf(`{"type":"WaitStateEntered","stateEnteredEventDetails":{"name":"Rest","input":"{\"pause\":%v}"}}`, pause)
		if err := r.Notice(fmt.Appendf(nil, `{"kind":"history","executionArn":%q,"stateMachine":%q,"event":%s}`, arn, machineARN, event)); err != nil {
			t.Fatal(err)
		}
		facts := r.Facts()
		if got, ok := facts[len(facts)-1].(Entered); !ok || got.Seconds != pause {
			t.Errorf("%+v, want %v s", facts, pause)
		}
	}
}
