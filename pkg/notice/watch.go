package notice

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// StepFunctions is what [Watch] needs of it.
type StepFunctions interface {
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
	GetExecutionHistory(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error)
}

// Watch tells people and programs when something failed.
type Watch struct {
	Executions StepFunctions
	Ledger     ledger.Ledger
	Bus        Bus
	Topic      Topic
}

// Tell takes what EventBridge says: that an execution did not succeed, that an alarm went off, or what became of access, of which see [Watch.access]. Nothing
// else reaches it. The event names the execution; what became of it is read from Step Functions. An alarm tells people by itself, so
// only programs are told of it here.
//
// People hear of the same trouble of the same thing once: a sweep looks at it each day, and fails each day, until somebody mends it.
// https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
func (w Watch) Tell(ctx context.Context, raw json.RawMessage) (Attention, error) {
	var e struct {
		DetailType string `json:"detail-type"`
		Account    string `json:"account"`
		Region     string `json:"region"`
		Detail     struct {
			Heard
			ExecutionARN string `json:"executionArn"`
			AlarmName    string `json:"alarmName"`
			State        struct {
				Reason string `json:"reason"`
			} `json:"state"`
			Configuration struct {
				Description string `json:"description"`
			} `json:"configuration"`
		} `json:"detail"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return Attention{}, fault.New(fault.Invalid, "reading the event: %v", err)
	}
	switch {
	case e.Detail.Machine != "" && slices.Contains(Accesses(), Kind(e.DetailType)):
		return Attention{}, w.access(ctx, Kind(e.DetailType), e.Detail.Heard)
	case e.DetailType == "Step Functions Execution Status Change" && e.Detail.ExecutionARN != "":
		ended, err := Look(ctx, w.Executions, e.Detail.ExecutionARN)
		if err != nil {
			return Attention{}, err
		}
		if !ended.Over() {
			slog.InfoContext(ctx, "it was redriven since", "execution", ended.ARN, "status", ended.Status)
			return Attention{}, nil
		}
		a := Explain(ended)
		slog.InfoContext(ctx, "telling", "what", a.What, "kind", a.Kind)
		if err := w.Bus.Put(ctx, a); err != nil {
			return a, err
		}
		if err := w.report(ctx, ended, a); err != nil {
			return a, err
		}
		return a, w.once(ctx, ended, a)
	case e.DetailType == "CloudWatch Alarm State Change" && e.Detail.AlarmName != "":
		a := Attention{What: "the alarm " + e.Detail.AlarmName + " went off", Where: Where{Account: e.Account, Region: e.Region},
			Kind: "Alarm", Why: e.Detail.State.Reason, Remedy: e.Detail.Configuration.Description, Runbook: runbook + "alarms",
			Console: fmt.Sprintf("https://%s.console.aws.amazon.com/cloudwatch/home?region=%s#alarmsV2:alarm/%s", e.Region, e.Region, e.Detail.AlarmName)}
		return a, w.Bus.Put(ctx, a)
	}
	return Attention{}, fault.New(fault.Invalid, "the event %q is of no execution, no alarm and no access", e.DetailType)
}

// once tells people what became of an execution, unless they heard the same of the thing that it is about, and nothing has changed since: neither did its entry in
// the ledger, nor did the execution of which they heard succeed when somebody redrove it. Who redrives one waits for what becomes of it, and is told in any case.
func (w Watch) once(ctx context.Context, x Ended, a Attention) error {
	of := subject(x)
	if of == "" {
		return w.Topic.Publish(ctx, Message(a))
	}
	over := x.Redriven
	if !over {
		before, err := w.Ledger.News(ctx, of)
		if err != nil {
			return err
		}
		if over, err = w.mended(ctx, before.By); err != nil {
			return err
		}
	}
	if over {
		if err := w.Ledger.Unsaid(ctx, of); err != nil {
			return err
		}
	}
	trouble := a.Trouble()
	if id := cmp.Or(a.Where.Connection, a.Where.Resource); id != "" {
		entry, managed, err := w.Ledger.Connection(ctx, id)
		if err != nil {
			return err
		}
		if managed {
			trouble += " " + entry.Stood()
		}
	}
	told, err := w.Topic.Once(ctx, w.Ledger, of, trouble, x.ARN, Message(a))
	if err == nil && !told {
		slog.InfoContext(ctx, "people were told before", "of", of, "execution", x.Name)
	}
	return err
}

// mended reports whether an execution of which people heard that it failed has succeeded since, as it was redriven. What Step Functions forgot has not.
func (w Watch) mended(ctx context.Context, arn string) (bool, error) {
	if arn == "" {
		return false, nil
	}
	got, err := w.Executions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if fault.HasCode(err, "ExecutionDoesNotExist") {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the execution %s: %w", arn, err)
	}
	return got.Status == sfntypes.ExecutionStatusSucceeded, nil
}

// stand finds the state in which an execution stands, in its history from the last event backwards. If it failed, that is
// the state whose task failed with the execution's own cause: the branches of a Map stand side by side in a history, and
// only the way back over the previous events stays in one of them. Else it is the state that was entered last.
func stand(events []sfntypes.HistoryEvent, cause string) (state, input string) {
	byID := map[int64]sfntypes.HistoryEvent{}
	for _, e := range events {
		byID[e.Id] = e
	}
	for _, e := range events {
		if d := e.TaskFailedEventDetails; d != nil && aws.ToString(d.Cause) == cause {
			for more := true; more && e.StateEnteredEventDetails == nil; {
				id := e.PreviousEventId
				e, more = byID[id]
				delete(byID, id) // a history that leads in a circle ends too
			}
			if d := e.StateEnteredEventDetails; d != nil {
				return aws.ToString(d.Name), aws.ToString(d.Input)
			}
		}
	}
	for _, e := range events {
		if d := e.StateEnteredEventDetails; d != nil {
			return aws.ToString(d.Name), aws.ToString(d.Input)
		}
	}
	return "", ""
}
