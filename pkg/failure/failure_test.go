package failure

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const execution = "arn:aws:states:us-east-1:123456789012:execution:drawbridge-peering:run-1"

// world is one execution, one peering, and everybody who is told of it.
type world struct {
	*testing.T
	book   ledger.Ledger
	status sfntypes.ExecutionStatus
	error  string // the execution's, with its cause
	cause  string
	state  string
	ended  time.Time
	tags   map[string]map[string]string // by account
	writes func()                       // happens with each write of tags
	mail   []string                     // accounts that were told
	looks  int
}

func (w *world) DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	return &sfn.DescribeExecutionOutput{Name: aws.String("run-1"), Status: w.status, StopDate: &w.ended, Error: &w.error, Cause: &w.cause,
		StateMachineArn: aws.String("arn:aws:states:us-east-1:123456789012:stateMachine:drawbridge-peering"),
		Input:           aws.String(asked(event.Inspection{Account: "111111111111", Region: "eu-west-1", PeeringID: "pcx-0123456789abcdef0"}))}, nil
}

func (w *world) GetExecutionHistory(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	return &sfn.GetExecutionHistoryOutput{Events: []sfntypes.HistoryEvent{{Id: 1, StateEnteredEventDetails: &sfntypes.StateEnteredEventDetails{Name: &w.state,
		Input: aws.String(`{"connection":{"id":"pcx-0123456789abcdef0"},"answer":"disconnect","row":1}`)}}}}, nil
}

func (w *world) PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	w.looks++
	return &eventbridge.PutEventsOutput{}, nil
}

func (w *world) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	w.mail = append(w.mail, aws.ToString(in.MessageAttributes["account"].StringValue))
	return &sns.PublishOutput{}, nil
}

type tagger struct {
	*world
	account string
}

func (t tagger) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	t.tags[t.account] = map[string]string{}
	for _, tag := range in.Tags {
		t.tags[t.account][*tag.Key] = *tag.Value
	}
	if t.writes != nil {
		t.writes()
	}
	return &ec2.CreateTagsOutput{}, nil
}

func begin(t *testing.T) *world {
	w := &world{T: t, status: sfntypes.ExecutionStatusFailed, error: "Runtime.ExitError", cause: "signal: killed", state: "RemoveRoutes", tags: map[string]map[string]string{}}
	w.book, _ = ledgertest.New()
	w.ended = w.book.Now()
	if _, err := w.book.Begin(t.Context(), ledger.Connection{ID: "pcx-0123456789abcdef0", Kind: road.Peering, Status: "Connected", At: w.ended.Add(-time.Hour), Sides: []ledger.Side{
		{Role: "requester", Account: "111111111111", Region: "eu-west-1", ID: "vpc-1"}, {Role: "accepter", Account: "222222222222", Region: "eu-west-1", ID: "vpc-2"}}}); err != nil {
		t.Fatal(err)
	}
	facts := []ledger.Fact{{Sort: "about", Body: map[string]string{"answer": "disconnect"}},
		{Sort: "side#0001#side", Body: map[string]any{"answer": "disconnect", "side": workflow.Side{Role: "requester"}}}}
	if err := w.book.Replace(t.Context(), "pcx-0123456789abcdef0", "", facts); err != nil {
		t.Fatal(err)
	}
	return w
}

// holds gives the lease of the peering to somebody.
func (w *world) holds(who string) {
	w.Helper()
	over := func(context.Context, ledger.Turn) (bool, error) { return true, nil }
	if _, _, err := w.book.Acquire(w.Context(), "pcx-0123456789abcdef0", ledger.Turn{Holder: who}, over); err != nil {
		w.Fatal(err)
	}
}

func (w *world) report() workflow.Result {
	w.Helper()
	topic := notice.Topic{API: w, ARN: "topic"}
	r := Reporter{Executions: w, Ledger: w.book, Looks: look.Asker{API: w, Bus: "bus"}, Owners: owner.Teller{Ledger: w.book, Topic: topic},
		Enter: func(_ string, p event.Place) Clients { return Clients{EC2: tagger{w, p.Account}} }}
	out, err := r.Report(w.Context(), workflow.ReportFailureInput{Execution: "change-1", Failed: execution})
	if err != nil {
		w.Fatal(err)
	}
	return out.Result
}

func TestAnEndIsSaidInTheLedgerOnBothSidesAndToBothOwnersOnce(t *testing.T) {
	w := begin(t)
	w.holds("run-1")
	for range 2 {
		if got := w.report(); got != workflow.Reported {
			t.Fatalf("ended as %s", got)
		}
	}
	entry, _, _ := w.book.Connection(t.Context(), "pcx-0123456789abcdef0")
	if entry.Status != "Failed" || !strings.Contains(entry.Reason, "signal: killed; then drawbridge redrive peering/run-1") || !strings.HasPrefix(entry.Before, "Connected since ") {
		t.Errorf("the ledger says %s: %s; before %q", entry.Status, entry.Reason, entry.Before)
	}
	for account, why := range map[string]bool{"111111111111": true, "222222222222": false} {
		said := w.tags[account]
		if said["drawbridge:status"] != "Failed" || said["drawbridge:since"] == "" || !strings.Contains(said["drawbridge:reason"], "failed at RemoveRoutes: Runtime.ExitError. Once that is mended: ") ||
			!strings.Contains(said["drawbridge:reason"], "drawbridge redrive peering/run-1.") || strings.Contains(said["drawbridge:reason"], "killed") != why {
			t.Errorf("account %s reads %v", account, said)
		}
	}
	if fmt.Sprint(w.mail) != "[111111111111 222222222222]" || w.looks != 0 {
		t.Errorf("told %v, asked for %d looks", w.mail, w.looks)
	}
}

// Whoever came since the execution ended says how the thing stands, however late the older word comes.
// An execution that takes more than its hour is said like one that fails, with AWS's error, and how it goes on.
func TestAnExecutionThatTookTooLong(t *testing.T) {
	w := begin(t)
	w.status, w.error, w.cause, w.state = sfntypes.ExecutionStatusTimedOut, "States.Timeout", "", "WaitForPeering"
	w.holds("run-1")
	if got := w.report(); got != workflow.Reported {
		t.Fatalf("ended as %s", got)
	}
	entry, _, _ := w.book.Connection(t.Context(), "pcx-0123456789abcdef0")
	if entry.Status != "Failed" || !strings.Contains(entry.Reason, "took too long") || !strings.Contains(entry.Reason, "drawbridge redrive peering/run-1") {
		t.Errorf("the ledger says %s: %s", entry.Status, entry.Reason)
	}
	for _, account := range []string{"111111111111", "222222222222"} {
		if said := w.tags[account]; said["drawbridge:status"] != "Failed" || !strings.Contains(said["drawbridge:reason"], "took too long at WaitForPeering") {
			t.Errorf("account %s reads %v", account, said)
		}
	}
	if len(w.mail) != 2 || w.looks != 0 {
		t.Errorf("told %v, asked for %d looks", w.mail, w.looks)
	}
}

func TestAnOlderWordDoesNotOvertake(t *testing.T) {
	for name, c := range map[string]struct {
		holder, state string
		status        sfntypes.ExecutionStatus
		late          time.Duration
		want          workflow.Result
	}{
		"it has the lease":                             {"run-1", "RemoveRoutes", sfntypes.ExecutionStatusFailed, 0, workflow.Reported},
		"it has the lease, for long":                   {"run-1", "RemoveRoutes", sfntypes.ExecutionStatusTimedOut, time.Hour, workflow.Reported},
		"another is at it":                             {"run-2", "RemoveRoutes", sfntypes.ExecutionStatusAborted, 0, workflow.Nothing},
		"another came and went":                        {"", "RemoveRoutes", sfntypes.ExecutionStatusFailed, 0, workflow.Nothing},
		"it never came to have the lease":              {"", "InspectPeering", sfntypes.ExecutionStatusFailed, 0, workflow.Reported},
		"it never came to have the lease, and is late": {"", "InspectPeering", sfntypes.ExecutionStatusFailed, time.Hour, workflow.Nothing},
		"somebody redrove it":                          {"run-1", "RemoveRoutes", sfntypes.ExecutionStatusRunning, 0, workflow.Nothing},
		"somebody redrove it, and it came to its end":  {"", "RemoveRoutes", sfntypes.ExecutionStatusSucceeded, 0, workflow.Nothing},
	} {
		w := begin(t)
		w.state, w.status, w.ended = c.state, c.status, w.ended.Add(-c.late)
		if c.holder != "" {
			w.holds(c.holder)
		}
		got := w.report()
		if entry, _, _ := w.book.Connection(t.Context(), "pcx-0123456789abcdef0"); got != c.want || (entry.Status == "Failed") != (c.want == workflow.Reported) || len(w.tags) > 0 != (c.want == workflow.Reported) {
			t.Errorf("%s: ended as %s, want %s; the ledger says %s, the tags %v", name, got, c.want, entry.Status, w.tags)
		}
	}
}

// Who begins while it is being said looks again after that.
func TestALookIsAskedForIfSomebodyComesMeanwhile(t *testing.T) {
	for name, meanwhile := range map[string]func(*world){
		"another comes":  func(w *world) { w.holds("run-2") },
		"it is redriven": func(w *world) { w.status = sfntypes.ExecutionStatusRunning },
	} {
		w := begin(t)
		w.holds("run-1")
		w.writes = func() { meanwhile(w) }
		if w.report(); w.looks != 1 {
			t.Errorf("%s: %d looks were asked for", name, w.looks)
		}
	}
}

func TestWhatIsNobodysIsLeftAlone(t *testing.T) {
	w := begin(t)
	w.book, _ = ledgertest.New()
	if got := w.report(); got != workflow.Nothing || len(w.tags)+len(w.mail) > 0 {
		t.Errorf("ended as %s, and wrote %v", got, w.tags)
	}
}

func TestEveryMachineAboutAThingIsFound(t *testing.T) {
	for machine, c := range map[string]struct {
		look look.Look
		id   string
	}{
		"peering":           {event.Inspection{Account: "111111111111", Region: "eu-west-1", PeeringID: "pcx-0123456789abcdef0"}, "pcx-0123456789abcdef0"},
		"data-api":          {event.DataAPIInspection{Account: "111111111111", Region: "eu-west-1", Cluster: "arn:aws:rds:eu-west-1:111111111111:cluster:sales"}, "arn:aws:rds:eu-west-1:111111111111:cluster:sales"},
		"studio":            {event.StudioInspection{Account: "111111111111", Region: "eu-west-1", Cluster: "sales-warehouse"}, "arn:aws:redshift:eu-west-1:111111111111:cluster:sales-warehouse"},
		"data-api-endpoint": {event.DataAPIEndpointInspection{Account: "111111111111", Region: "eu-west-1", VPC: "vpc-0123456789abcdef0"}, "data-api-endpoint-vpc-0123456789abcdef0"},
		"attachment":        {event.AttachmentInspection{Account: "111111111111", Region: "eu-west-1", AttachmentID: "tgw-attach-0123456789abcdef0"}, "tgw-attach-0123456789abcdef0"},
		"transit": {event.TransitInspection{TransitGatewayID: "tgw-0123456789abcdef0", VPCs: []event.VPCPlace{{Account: "111111111111", Region: "eu-west-1", VPC: "vpc-0123456789abcdef1"},
			{Account: "222222222222", Region: "eu-west-1", VPC: "vpc-0123456789abcdef0"}}}, "tgw-0123456789abcdef0:vpc-0123456789abcdef0:vpc-0123456789abcdef1"},
	} {
		if got := find(notice.Ended{Machine: "drawbridge-" + machine, ARN: execution, Input: asked(c.look)}); got.id != c.id || string(got.kind) != machine {
			t.Errorf("%s is about %q, want %q: %s", machine, got.id, c.id, asked(c.look))
		}
	}
}

// asked is the event by which Drawbridge asks itself for a look.
func asked(l look.Look) string {
	body, _ := json.Marshal(map[string]any{"source": event.Source, "detail-type": l.DetailType(), "account": "123456789012", "region": "us-east-1", "detail": l})
	return string(body)
}
