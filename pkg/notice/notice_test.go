package notice_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
)

func sample(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// details are the Go types of the details, by kind.
var details = map[notice.Kind]notice.Event{
	notice.ConnectionConnected: &notice.Connected{}, notice.ApprovalNeeded: &notice.Approval{}, notice.ConnectionRefused: &notice.Refused{},
	notice.ConnectionRemoved: &notice.Removed{},
	notice.AccessGranted:     &notice.Granted{}, notice.AccessPending: &notice.Pending{}, notice.AccessRefused: &notice.Barred{}, notice.AccessRemoved: &notice.Withdrawn{},
	notice.AttentionNeeded: &notice.Attention{}, notice.TagUnclear: &notice.Unclear{}, notice.ConnectionContested: &notice.Contested{}, notice.ChangeHeld: &notice.Held{},
}

func TestEveryKindHasASampleThatIsExactlyIt(t *testing.T) {
	for _, kind := range notice.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			var e struct {
				Source     string
				DetailType notice.Kind `json:"detail-type"`
				Detail     json.RawMessage
			}
			if err := json.Unmarshal(sample(t, strings.ReplaceAll(strings.ToLower(string(kind)), " ", "-")), &e); err != nil {
				t.Fatal(err)
			}
			if e.Source != notice.Source || e.DetailType != kind {
				t.Errorf("the sample is a %q of %q", e.DetailType, e.Source)
			}
			decoder := json.NewDecoder(bytes.NewReader(e.Detail))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(details[kind]); err != nil {
				t.Fatal(err)
			}
			again, err := json.Marshal(details[kind])
			if err != nil {
				t.Fatal(err)
			}
			var is, must any
			_ = json.Unmarshal(again, &is)
			_ = json.Unmarshal(e.Detail, &must)
			if !reflect.DeepEqual(is, must) {
				t.Errorf("the sample says\n%s\nDrawbridge would say\n%s", e.Detail, again)
			}
		})
	}
}

// hub is what Tell needs of the hub account.
type hub struct {
	execution sfn.DescribeExecutionOutput
	history   []sfntypes.HistoryEvent // newest first
	failed    bool                    // EventBridge does not take the entry
	broken    error                   // the topic
	did       []string
	detail    notice.Attention
	raw       string // the detail as it came
	published sns.PublishInput
	all       []sns.PublishInput                  // what was published since the first
	book      ledger.Ledger                       // empty at first
	others    map[string]sfntypes.ExecutionStatus // by ARN
}

func (h *hub) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	if status, there := h.others[*in.ExecutionArn]; there {
		return &sfn.DescribeExecutionOutput{Status: status}, nil
	}
	return &h.execution, nil
}

func (h *hub) GetExecutionHistory(_ context.Context, in *sfn.GetExecutionHistoryInput, _ ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	if !in.ReverseOrder {
		return nil, errors.New("a long history is read from its end")
	}
	return &sfn.GetExecutionHistoryOutput{Events: h.history}, nil
}

func (h *hub) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	if h.failed {
		return &eventbridge.PutEventsOutput{FailedEntryCount: 1, Entries: []ebtypes.PutEventsResultEntry{{ErrorCode: aws.String("ThrottlingException")}}}, nil
	}
	h.did = append(h.did, *in.Entries[0].Source+"/"+*in.Entries[0].DetailType+" on "+*in.Entries[0].EventBusName)
	if *in.Entries[0].Source == event.Source {
		return &eventbridge.PutEventsOutput{}, nil
	}
	h.raw, h.detail = *in.Entries[0].Detail, notice.Attention{}
	_ = json.Unmarshal([]byte(h.raw), &h.detail) // of another kind it is nothing
	return &eventbridge.PutEventsOutput{}, nil
}

func (h *hub) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	if h.broken != nil {
		return nil, h.broken
	}
	h.did, h.published, h.all = append(h.did, "publish to "+*in.TopicArn), *in, append(h.all, *in)
	return &sns.PublishOutput{}, nil
}

// watch returns what is tested, with a ledger that is empty at first.
func (h *hub) watch() notice.Watch {
	if h.book.Store == nil {
		h.book, _ = ledgertest.New()
	}
	return notice.Watch{Executions: h, Ledger: h.book, Bus: notice.Bus{API: h, Name: "drawbridge"}, Topic: notice.Topic{API: h, ARN: "topic"}}
}

func (h *hub) tell(t *testing.T, name string) (notice.Attention, error) {
	t.Helper()
	return h.watch().Tell(context.Background(), sample(t, name))
}

const cause = `{"errorMessage":"adding routes in vpc-2: route 10.1.0.0/16 in rtb-2 already goes to vgw-1; remedy: remove it, then redrive","errorType":"Conflict"}`

// inspect is an event that asks for a look at a peering.
const inspect = `{"source":"drawbridge.internal","detail-type":"Peering To Inspect","account":"123456789012","region":"us-east-1","detail":{"account":"222222222222","region":"eu-west-1","vpcPeeringConnectionId":"pcx-0123456789abcdef0","reason":"x"}}`

// failed is an execution with two branches of a Map; the one that was entered first failed.
func failed() *hub {
	entered := func(id, before int64, account string) sfntypes.HistoryEvent {
		return sfntypes.HistoryEvent{Id: id, PreviousEventId: before, StateEnteredEventDetails: &sfntypes.StateEnteredEventDetails{Name: aws.String("AddRoutes"),
			Input: aws.String(fmt.Sprintf(`{"connection":{"id":"pcx-0123456789abcdef0"},"side":{"role":"accepter","vpc":{"account":%q,"region":"eu-west-1"}}}`, account))}}
	}
	return &hub{
		execution: sfn.DescribeExecutionOutput{Name: aws.String("run-1"), Status: sfntypes.ExecutionStatusFailed, Error: aws.String("Conflict"), Cause: aws.String(cause),
			StateMachineArn: aws.String("arn:aws:states:us-east-1:123456789012:stateMachine:drawbridge-peering"), Input: aws.String(inspect)},
		history: []sfntypes.HistoryEvent{{Id: 9}, {Id: 8, PreviousEventId: 6, TaskFailedEventDetails: &sfntypes.TaskFailedEventDetails{Cause: aws.String(cause)}},
			{Id: 7, PreviousEventId: 5}, {Id: 6, PreviousEventId: 4}, entered(5, 3, "111111111111"), entered(4, 2, "222222222222")},
	}
}

func TestAFailureIsToldWithWhereWhyAndRemedy(t *testing.T) {
	h := failed()
	if _, err := h.tell(t, "execution-status-change"); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(h.did) != "[drawbridge/Attention Needed on drawbridge drawbridge.internal/Failure To Report on drawbridge publish to topic]" {
		t.Errorf("did %v", h.did)
	}
	a := h.detail
	if w := a.Where; w.Account != "222222222222" || w.Region != "eu-west-1" || w.Connection != "pcx-0123456789abcdef0" || w.State != "AddRoutes" || w.Status != "FAILED" || w.Execution != "run-1" {
		t.Errorf("where = %+v", w)
	}
	if a.Kind != "Conflict" || !strings.HasSuffix(a.Why, "already goes to vgw-1") || a.Remedy != "remove it, then redrive" || a.Runbook != "docs/runbook.md#conflict" {
		t.Errorf("%+v", a)
	}
	for _, must := range []string{a.What, a.Why, a.Remedy, a.Command, a.Runbook, a.Console} {
		if must == "" || !strings.Contains(*h.published.Message, must) {
			t.Errorf("the notification lacks %q:\n%s", must, *h.published.Message)
		}
	}
	if *h.published.MessageAttributes["account"].StringValue != "222222222222" || len(*h.published.Subject) >= 100 {
		t.Errorf("for %v, subject %q", h.published.MessageAttributes, *h.published.Subject)
	}
}

func TestNothingIsLostOnTheWay(t *testing.T) {
	h := failed()
	h.failed = true
	if _, err := h.tell(t, "execution-status-change"); fault.Of(err) != fault.Transient || len(h.did) != 0 {
		t.Errorf("an entry that was not taken: %v after %v", err, h.did)
	}
	h = failed()
	h.broken = errors.New("throttled")
	if _, err := h.tell(t, "execution-status-change"); err == nil {
		t.Error("a notification that was not sent is no error")
	}
}

func TestAnAlarmTellsPeopleByItself(t *testing.T) {
	h := &hub{}
	a, err := h.tell(t, "alarm-state-change")
	if err != nil || fmt.Sprint(h.did) != "[drawbridge/Attention Needed on drawbridge]" || !strings.Contains(a.Remedy, "docs/runbook.md#dead-letters") {
		t.Errorf("%+v, %v after %v", a, err, h.did)
	}
}

func TestAnyOtherEventIsInvalid(t *testing.T) {
	h := &hub{}
	if _, err := h.tell(t, "create-route"); fault.Of(err) != fault.Invalid || len(h.did) != 0 {
		t.Errorf("%v after %v", err, h.did)
	}
}

func TestExplain(t *testing.T) {
	create, notebook := string(sample(t, "create-vpc-peering-connection")), string(sample(t, "notebook-instance-state-change"))
	arn := "arn:aws-cn:states:cn-north-1:123456789012:execution:drawbridge-notebook:run-1"
	for name, c := range map[string]struct {
		in   notice.Ended
		what string
		says []string
	}{
		"the first state stands for the event": {notice.Ended{ARN: arn, Machine: "drawbridge-peering", Status: "FAILED", State: "InspectPeering", Error: "Refused", Cause: `{"errorMessage":"denied"}`, Input: create},
			"drawbridge-peering failed at InspectPeering, about pcx-0123456789abcdef0 in account 111111111111 eu-west-1", []string{"denied", "#refused-error", "redrive-execution"}},
		"a notebook": {notice.Ended{ARN: arn, Machine: "drawbridge-notebook", Status: "FAILED", State: "StopNotebook", Error: "Transient", Cause: "x", Input: notebook,
			StateInput: `{"connection":{"id":""},"notebook":{"account":"333333333333","region":"eu-west-1","name":"Other"}}`},
			"drawbridge-notebook failed at StopNotebook, about notebook Other in account 333333333333 eu-west-1", []string{"#transient", "ask AWS Support"}},
		"a broken event is not redriven": {notice.Ended{ARN: arn, Machine: "drawbridge-peering", Status: "FAILED", Error: "Invalid", Cause: "y", Input: "nonsense"},
			"drawbridge-peering failed", []string{"#invalid", "do not redrive"}},
		"a time-out":            {notice.Ended{ARN: arn, Machine: "drawbridge-peering", Status: "TIMED_OUT", Error: "States.Timeout"}, "drawbridge-peering took too long", []string{"#timed-out", "no cause"}},
		"somebody stopped it":   {notice.Ended{ARN: arn, Machine: "drawbridge-peering", Status: "ABORTED", Cause: "by Eve"}, "drawbridge-peering was stopped", []string{"#aborted", "by Eve", "ABORTED"}},
		"an error without name": {notice.Ended{ARN: arn, Machine: "drawbridge-peering", Status: "FAILED", Error: "States.Runtime", Cause: "z"}, "drawbridge-peering failed", []string{"#failed-executions", "States.Runtime"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := notice.Explain(c.in)
			text := notice.Message(a).Body
			if a.What != c.what {
				t.Errorf("what = %q, want %q", a.What, c.what)
			}
			for _, must := range append(c.says, "https://cn-north-1.console.amazonaws.cn/states/home?region=cn-north-1#/v2/executions/details/"+arn) {
				if !strings.Contains(text, must) {
					t.Errorf("the notification lacks %q:\n%s", must, text)
				}
			}
			if c.in.Error == "Invalid" && a.Command != "" {
				t.Errorf("it says to run %s", a.Command)
			}
		})
	}
}

func TestEveryKindOfErrorHasAnEntryInTheRunbook(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	var anchors []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		anchors = append(anchors, strings.ReplaceAll(strings.NewReplacer("(", "", ")", "").Replace(strings.ToLower(m[1])), " ", "-"))
	}
	cases := []notice.Ended{{Status: "TIMED_OUT"}, {Status: "ABORTED"}, {Status: "FAILED", Error: "States.Runtime"}}
	for _, kind := range fault.Kinds() {
		cases = append(cases, notice.Ended{Status: "FAILED", Error: string(kind)})
	}
	for _, c := range cases {
		a := notice.Explain(c)
		if _, anchor, _ := strings.Cut(a.Runbook, "#"); !slices.Contains(anchors, anchor) || a.Remedy == "" {
			t.Errorf("%+v: the runbook has no entry %s (remedy %q)", c, a.Runbook, a.Remedy)
		}
	}
	if !slices.Contains(anchors, "alarms") {
		t.Error("the runbook has no entry for alarms")
	}
}

// However long what Step Functions and AWS say, what people are told of it has room in the answer of a function.
func TestWhatPeopleAreToldIsBounded(t *testing.T) {
	a := notice.Explain(notice.Ended{ARN: "arn:aws:states:us-east-1:123456789012:execution:drawbridge-peering:x", Machine: "drawbridge-peering", Status: "FAILED", Error: "States.Runtime",
		Cause: strings.Repeat("c", 32<<10), Input: `{"detail":"` + strings.Repeat("i", 200<<10) + `"}`, State: "InspectPeering", StateInput: strings.Repeat("s", 32<<10)})
	if text, err := json.Marshal(a); err != nil || len(text) > 16<<10 || a.Why == "" {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}
