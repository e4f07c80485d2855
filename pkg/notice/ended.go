package notice

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// Ended is what Step Functions says about an execution that did not succeed.
type Ended struct {
	ARN, Name, Machine string
	Status             string // FAILED, TIMED_OUT or ABORTED
	Error, Cause       string
	Input              string // of the execution: the event that started it
	State, StateInput  string // the state in which it stands, if known
	Redriven           bool   // by a person
	At                 time.Time
}

// verbs say in words how an execution ended that did not succeed.
var verbs = map[string]string{"FAILED": "failed", "TIMED_OUT": "took too long", "ABORTED": "was stopped"}

// Over reports whether the execution ended without success. One that was redriven since goes on, or has succeeded by now.
func (x Ended) Over() bool { return verbs[x.Status] != "" }

// What says in words what became of it.
func (x Ended) What() string {
	what := x.Machine + " " + verbs[x.Status]
	if x.State != "" {
		what += " at " + x.State
	}
	return what
}

// Look reads what became of an execution, and where it stands.
func Look(ctx context.Context, api StepFunctions, arn string) (Ended, error) {
	got, err := api.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return Ended{}, fmt.Errorf("reading the execution %s: %w", arn, err)
	}
	machine := aws.ToString(got.StateMachineArn)
	x := Ended{ARN: arn, Name: aws.ToString(got.Name), Machine: machine[strings.LastIndexByte(machine, ':')+1:], Status: string(got.Status), At: aws.ToTime(got.StopDate),
		Error: aws.ToString(got.Error), Cause: aws.ToString(got.Cause), Input: aws.ToString(got.Input), Redriven: aws.ToInt32(got.RedriveCount) > 0}
	history, err := api.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, ReverseOrder: true, MaxResults: 100})
	if err != nil {
		return Ended{}, fmt.Errorf("reading the history of the execution %s: %w", arn, err)
	}
	x.State, x.StateInput = stand(history.Events, x.Cause)
	return x, nil
}

// says reports whether a machine is about a thing that says how it stands.
func says(machine string) bool {
	switch road.Looks(machine) {
	case road.Peering, road.Transit, road.Attachment, road.DataAPI, road.DataAPIEndpoint, road.Studio, road.PrivateNotebooks:
		return true
	case road.Share: // nobody tags what is shared
	}
	return machine == "drawbridge-notebook"
}

// report asks drawbridge-change to say what became of an execution on what it was about, unless that says so already, or it is about nothing that could.
func (w Watch) report(ctx context.Context, x Ended, a Attention) error {
	if !says(x.Machine) || x.State == "AttachRoutes" && slices.Contains(fault.Kinds(), fault.Kind(x.Error)) { // it told the notebook
		return nil
	}
	e, err := event.Parse([]byte(x.Input))
	if err != nil || e.Workgroup != "" { // it names nothing that could say so
		return nil
	}
	var in struct {
		Attachment struct{ ID string }
		Want       struct{ Owner string }
	}
	_ = json.Unmarshal([]byte(x.StateInput), &in) // zero if it has neither
	if id := cmp.Or(in.Attachment.ID, in.Want.Owner, a.Where.Connection, a.Where.Resource); id != "" {
		entry, _, err := w.Ledger.Connection(ctx, id)
		if err != nil || x.SaidBy(entry) {
			return err
		}
	}
	return look.Asker{API: w.Bus.API, Bus: w.Bus.Name}.Ask(ctx, event.FailureReport{Execution: x.ARN, Reason: a.What})
}

// firstWords is how many bytes of a reason are compared: further on, more may be said.
const firstWords = 200

// SaidBy reports whether the entry of what an execution was about says already why it failed: the step that failed wrote it there, and on the thing.
func (x Ended) SaidBy(entry ledger.Connection) bool {
	_, why, _ := reason(x)
	return x.Status == "FAILED" && entry.Reason != "" && strings.HasPrefix(entry.Reason, why[:min(len(why), firstWords)])
}

// Why returns the name of the error, what was wrong, and what to do, as far as that is known.
func (x Ended) Why() (kind, why, remedy string) { return reason(x) }
