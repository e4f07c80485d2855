package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Holder keeps what was held back.
type Holder struct {
	Ledger ledger.Ledger
	Mode   func(context.Context) (mode.Setting, error)
	Brake  brake.Brake
	Bus    notice.Bus
	Topic  notice.Topic
}

// tries is how often a row is written anew that others changed meanwhile.
const tries = 8

// Hold keeps an execution and says how it ends. What would be changed is announced once for a thing, until it is something else.
func (h Holder) Hold(ctx context.Context, in workflow.HoldExecutionInput) (workflow.HoldExecutionOutput, error) {
	held, err := why(in)
	if err != nil {
		return workflow.HoldExecutionOutput{}, err
	}
	now, err := h.Mode(ctx)
	if err != nil {
		return workflow.HoldExecutionOutput{}, err
	}
	out := workflow.HoldExecutionOutput{Answer: string(held.End), Result: workflow.Result(held.End), Reason: held.Reason,
		Changes: append([]string{}, held.Changes...), Mode: string(now.Mode), Kept: keeps(in.Machine, held.End, now.Mode)}
	news := false
	if out.Kept {
		if news, err = h.keep(ctx, in, held, now.Mode); err != nil {
			return out, err
		}
	}
	if held.End == mode.Unreadable {
		// The row is gone with each sweep, and what is told must not be told again by the next.
		if news, err = h.first(ctx, in.Machine+" "+thing(in.Input), held.Reason); err != nil {
			return out, err
		}
	}
	if held.End != mode.Paused && (news || !out.Kept) {
		if err := h.Bus.Put(ctx, notice.Held{Execution: in.Execution, Machine: in.Machine, Result: out.Result, Mode: out.Mode, Reason: out.Reason, Changes: out.Changes}); err != nil {
			return out, err
		}
	}
	switch {
	case held.End == mode.Braked:
		return out, h.tell(ctx)
	case held.End == mode.Unreadable && news:
		return out, h.tellUnread(ctx, in, held.Reason)
	}
	return out, nil
}

// why returns what a step said that held its execution back. An inspection whose calls took too long, or got no answer, after all its retries
// could not read something.
func why(in workflow.HoldExecutionInput) (mode.Held, error) {
	if in.Held.Error == string(fault.Held) || in.Held.Error == "" {
		return mode.Parse(messageOf(in.Held.Cause))
	}
	text := in.Held.Error + ": " + messageOf(in.Held.Cause)
	return mode.Parse(mode.Hold(mode.Unreadable, text, "nothing is taken away; it is looked at again").Error())
}

// messageOf returns the message of a function's error: Lambda writes it into the cause as JSON.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
func messageOf(cause string) string {
	var function struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &function) == nil && function.Message != "" {
		return function.Message
	}
	return cause
}

// keep writes the row of what an execution is about, and reports whether it says something new.
func (h Holder) keep(ctx context.Context, in workflow.HoldExecutionInput, held mode.Held, at mode.Mode) (news bool, err error) {
	key := ledger.Key{Part: part(in.Machine), Sort: thing(in.Input)}
	for range tries {
		rows, err := h.Ledger.Store.Read(ctx, []ledger.Key{key})
		if err != nil {
			return false, err
		}
		now := h.Ledger.Now().UTC()
		next, version := row{Machine: in.Machine, Input: in.Input, Since: now}, int64(0)
		news = true
		if len(rows) > 0 {
			if err := json.Unmarshal(rows[0].Body, &next); err != nil {
				return false, fmt.Errorf("reading what is held back about %s: %w", key.Sort, err)
			}
			version = rows[0].Version
			news = next.End != held.End || next.Reason != held.Reason || !slices.Equal(next.Changes, held.Changes)
		}
		next.Mode, next.End, next.Reason, next.Changes, next.At = at, held.End, held.Reason, held.Changes, now
		next.Count++
		body, err := json.Marshal(next)
		if err != nil {
			return false, err
		}
		if err := h.Ledger.Store.Write(ctx, []ledger.Change{{Key: key, Version: version, Body: body}}); !errors.Is(err, ledger.ErrChanged) {
			return news, err
		}
	}
	return false, fault.New(fault.Transient, "keeping what is held back about %s: the row kept changing under %d attempts", key.Sort, tries)
}

// tell tells people that the brake is on, once.
func (h Holder) tell(ctx context.Context) error {
	first, err := h.Brake.Tell(ctx)
	if err != nil || !first {
		return err
	}
	waiting, err := h.Brake.Waiting(ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "More connections would be taken away within a day than the limit says, because of a policy, a tag or a unit that changed. Those that are over it stay as they are, until a person decides:\n\n")
	for i, w := range waiting {
		if i == 20 {
			fmt.Fprintf(&b, "and %d more\n", len(waiting)-i)
			break
		}
		fmt.Fprintf(&b, "  %s: %s\n", w.ID, w.Cause)
	}
	b.WriteString("\nWhat to do: docs/runbook.md#braked. To let them through, start drawbridge-sweep with {\"braked\": \"let through\"}; to leave them, mend the cause and start it with {\"braked\": \"dismiss\"}.\n")
	return h.Topic.Publish(ctx, notice.Notification{Kind: notice.ChangeHeld, Subject: "Drawbridge stopped taking connections away", Body: b.String()})
}

// StepFunctions is what [Resumer] needs of it.
type StepFunctions interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
}

// Resumer starts again what was held back.
type Resumer struct {
	Ledger ledger.Ledger
	Mode   func(context.Context) (mode.Setting, error)
	Brake  brake.Brake
	API    StepFunctions
}

// page is how many executions one invocation starts.
const page = 150

// machines are those whose executions are kept. A test of infra holds them to the stack.
var machines = []string{"attachment", "change", "data-api", "data-api-endpoint", "notebook", "peering", "private-notebooks", "share", "studio", "transit"}

// Machines returns the names of the machines whose executions are kept, without "drawbridge-".
func Machines() []string { return slices.Clone(machines) }

// Resume starts the first of what may go on, and says whether there is more. A row goes once its execution is started; what is held
// back again has a new one.
func (r Resumer) Resume(ctx context.Context, in workflow.ResumeExecutionsInput) (workflow.ResumeExecutionsOutput, error) {
	out := workflow.ResumeExecutionsOutput{Answer: workflow.AnswerDone}
	now, err := r.Mode(ctx)
	if err != nil {
		return out, err
	}
	if now.Mode == mode.Stopped {
		return out, now.Paused()
	}
	letThrough := in.Sweep.Braked == "let through"
	switch in.Sweep.Braked {
	case "":
	case "let through", "dismiss":
		if err := r.Brake.Release(ctx, letThrough); err != nil {
			return out, err
		}
	default:
		return out, fault.New(fault.Invalid, "reading the input of the sweep: braked is %q; it is \"let through\" or \"dismiss\"", in.Sweep.Braked)
	}
	decided := in.Sweep.Braked != ""
	for _, m := range machines {
		machine := "drawbridge-" + m
		rows, err := r.Ledger.Store.List(ctx, part(machine), "")
		if err != nil {
			return out, err
		}
		for _, kept := range rows {
			var one row
			if err := json.Unmarshal(kept.Body, &one); err != nil {
				return out, fmt.Errorf("reading what is held back about %s: %w", kept.Sort, err)
			}
			if !one.resumes(now.Mode, decided) {
				continue
			}
			if out.Resumed == page {
				out.Answer = workflow.AnswerMore
				return out, nil
			}
			if err := r.start(ctx, strings.TrimSuffix(in.Machine, sweep)+machine, machine, kept, one.Input); err != nil {
				return out, err
			}
			out.Resumed++
		}
	}
	return out, nil
}

// start starts an execution with what was kept, and removes the row.
func (r Resumer) start(ctx context.Context, arn, machine string, kept ledger.Row, input json.RawMessage) error {
	called := name(machine, kept.Sort, kept.Version)
	slog.InfoContext(ctx, "resuming", "machine", machine, "thing", kept.Sort, "execution", called)
	_, err := r.API.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &arn, Name: &called, Input: aws.String(string(input))})
	if err != nil && !fault.HasCode(err, "ExecutionAlreadyExists") {
		return fmt.Errorf("starting %s again for %s: %w", machine, kept.Sort, err)
	}
	err = r.Ledger.Store.Write(ctx, []ledger.Change{{Key: kept.Key, Version: kept.Version}})
	if errors.Is(err, ledger.ErrChanged) {
		return nil // held back again already; that row is looked at when the mode changes
	}
	return err
}
