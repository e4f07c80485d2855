package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Task does what a Task state asks of a function: it gets the state's name and payload, and returns the answer.
type Task func(ctx context.Context, state string, payload []byte) ([]byte, error)

// Failure is an error of a Task, or of a state, as a Catch knows it.
type Failure struct {
	State string // that failed
	Name  string // of the error: "Conflict", "States.Runtime"
	Cause string // JSON, as Lambda writes it, or text
}

// Error implements [error].
func (f *Failure) Error() string { return fmt.Sprintf("%s: %s: %s", f.State, f.Name, f.Cause) }

// Execution is one run of a machine.
type Execution struct {
	Machine string // its name
	Name    string // of the execution
	Task    Task
	// Turn is asked at each Wait state that leads back to what was done, and waits for nothing: whether anything can be otherwise when it is over. If not, the
	// execution ends there. A Wait that leads on is passed.
	Turn func() bool
}

// End is how an execution ended.
type End struct {
	State  string // the last one; a Wait that nothing can be otherwise after
	Waits  bool   // it is that
	Output any
	States int // how many were entered, those of each item of a Map among them
}

// most is how many states an execution may enter: no Drawbridge execution comes near.
const most = 10_000

// Run goes through a machine. It waits nowhere, and tries no Task again: an error goes where its Catch leads, or ends the execution as a [*Failure].
func (x *Execution) Run(ctx context.Context, m *Machine, input any) (End, error) {
	about := map[string]any{
		"State":        map[string]any{"RetryCount": 0},
		"Execution":    map[string]any{"Name": x.Name, "Id": x.Name, "Input": input},
		"StateMachine": map[string]any{"Name": x.Machine, "Id": x.Machine},
	}
	r := run{Execution: x}
	end, err := r.through(ctx, m, input, about)
	end.States = r.states
	return end, err
}

type run struct {
	*Execution
	states int
}

// errTurn ends the execution at a Wait.
type errTurn struct{ state string }

func (e errTurn) Error() string { return e.state + ": it waits" }

func (r *run) through(ctx context.Context, m *Machine, in any, about map[string]any) (End, error) {
	entered := map[string]bool{}
	for name := m.StartAt; ; {
		if r.states++; r.states > most {
			return End{State: name}, fmt.Errorf("more than %d states are entered", most)
		}
		if err := ctx.Err(); err != nil {
			return End{State: name}, err
		}
		s := m.States[name]
		entered[name] = true
		out, next, err := r.enter(ctx, name, s, in, about)
		if err == nil && s.Type == "Wait" && entered[next] && (r.Turn == nil || !r.Turn()) {
			err = errTurn{name}
		}
		var waits errTurn
		var failed *Failure
		switch {
		case errors.As(err, &waits):
			return End{State: waits.state, Waits: true, Output: in}, nil
		case errors.As(err, &failed):
			n := slices.IndexFunc(s.Catch, func(c Catcher) bool {
				return slices.Contains(c.ErrorEquals, failed.Name) || slices.Contains(c.ErrorEquals, "States.ALL")
			})
			if n < 0 {
				return End{State: name, Output: in}, err
			}
			out, next = in, s.Catch[n].Next
			if to := s.Catch[n].ResultPath; !to.none {
				out = put(in, to.names, map[string]any{"Error": failed.Name, "Cause": failed.Cause})
			}
		case err != nil:
			return End{State: name, Output: in}, err
		}
		if next == "" {
			return End{State: name, Output: out}, nil
		}
		in, name = out, next
	}
}

// enter does one state, and returns what comes next; "" after the last.
func (r *run) enter(ctx context.Context, name string, s *State, in any, about map[string]any) (out any, next string, err error) {
	fail := func(err error) error { return &Failure{State: name, Name: "States.Runtime", Cause: err.Error()} }
	leave := func(all any, to string) (any, string, error) {
		out, ok := get(all, s.OutputPath.names)
		if !ok {
			return in, "", fail(fmt.Errorf("nothing is at its OutputPath"))
		}
		return out, to, nil
	}
	next = s.Next
	var result any
	switch s.Type {
	case "Succeed":
		return leave(in, "")
	case "Fail":
		return in, "", &Failure{State: name, Name: s.Error, Cause: s.Cause}
	case "Wait":
		return leave(in, next)
	case "Choice":
		for _, c := range s.Choices {
			if holds(c, in) {
				return leave(in, c.Next)
			}
		}
		if s.Default == "" {
			return in, "", &Failure{State: name, Name: "States.NoChoiceMatched", Cause: "no choice is for this"}
		}
		return leave(in, s.Default)
	case "Pass":
		if result = in; s.Parameters != nil {
			result, err = fill(s.Parameters, in, about)
		}
	case "Task":
		result, err = r.task(ctx, name, s, in, about)
	case "Map":
		result, err = r.each(ctx, s, in, about)
	}
	if err == nil && s.ResultSelector != nil {
		result, err = fill(s.ResultSelector, result, about)
	}
	var failed *Failure
	var waits errTurn
	if err != nil {
		if errors.As(err, &failed) || errors.As(err, &waits) || ctx.Err() != nil {
			return in, "", err
		}
		return in, "", fail(err)
	}
	if out = in; !s.ResultPath.none {
		out = put(in, s.ResultPath.names, result)
	}
	return leave(out, next)
}

// task calls a function. Its answer stands under Payload, as the integration with Lambda has it.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
func (r *run) task(ctx context.Context, name string, s *State, in any, about map[string]any) (any, error) {
	filled, err := fill(s.Parameters, in, about)
	if err != nil {
		return nil, err
	}
	payload, ok := get(filled, []string{"Payload"})
	if !ok {
		return nil, fmt.Errorf("it gives no Payload")
	}
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	answer, err := r.Task(ctx, name, text)
	if err != nil {
		return nil, err
	}
	var out any
	if err := json.Unmarshal(answer, &out); err != nil {
		return nil, err
	}
	return map[string]any{"Payload": out}, nil
}

// each does a Map, one item after the other. With a tolerated percentage, an item that fails leaves nothing.
func (r *run) each(ctx context.Context, s *State, in any, about map[string]any) (any, error) {
	found, _ := get(in, s.ItemsPath.names)
	items, ok := found.([]any)
	if !ok {
		return nil, fmt.Errorf("its ItemsPath is no list")
	}
	results := []any{}
	for n, item := range items {
		mine := maps.Clone(about)
		mine["Map"] = map[string]any{"Item": map[string]any{"Value": item, "Index": n}}
		given := item
		if s.ItemSelector != nil {
			var err error
			if given, err = fill(s.ItemSelector, in, mine); err != nil {
				return nil, err
			}
		}
		end, err := r.through(ctx, s.ItemProcessor, given, mine)
		if end.Waits {
			return nil, errTurn{end.State}
		}
		var failed *Failure
		if err != nil && (s.ToleratedFailurePercentage == 0 || !errors.As(err, &failed)) {
			return nil, err
		}
		if err == nil {
			results = append(results, end.Output)
		}
	}
	return results, nil
}

// holds reports whether a rule of a Choice is for a payload.
func holds(c Choice, in any) bool {
	value, found := get(in, c.Variable.names)
	text, isText := value.(string)
	switch {
	case c.Not != nil:
		return !holds(*c.Not, in)
	case c.And != nil:
		return !slices.ContainsFunc(c.And, func(c Choice) bool { return !holds(c, in) })
	case c.Or != nil:
		return slices.ContainsFunc(c.Or, func(c Choice) bool { return holds(c, in) })
	case c.IsPresent != nil:
		return found == *c.IsPresent
	case c.StringEquals != nil:
		return isText && text == *c.StringEquals
	}
	return false
}
