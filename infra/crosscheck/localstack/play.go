package localstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// play is a run under way.
type play struct {
	options  Options
	report   *Report
	engine   *local.Engine
	judge    *server
	bridge   *bridge
	sabotage *sabotage
	known    map[string]bool // executions that ended in an act before
}

// sabotage makes calls of the engine fail while a test wants it.
type sabotage struct {
	now atomic.Pointer[local.Injector]
}

func (s *sabotage) strike(c awscall.Call, when local.Moment) *local.Fault {
	if f := s.now.Load(); f != nil {
		return (*f)(c, when)
	}
	return nil
}

// quiet is how long nothing may happen in LocalStack before an act counts as over.
const quiet = 2 * time.Second

// patience is how long an act may take.
const patience = 2 * time.Minute

// end is how an execution ended: in which state, or with which error.
type end struct {
	execution, machine, at string
	states                 int
	started                time.Time
	cause                  string
}

// hush switches the rules of the engine's own hub off: from now on LocalStack's rules start the machines.
func (p *play) hush(ctx context.Context) error {
	client := eventbridge.NewFromConfig(p.engine.Config(local.HubAccount, p.engine.Region()))
	buses, err := client.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{})
	if err != nil {
		return fmt.Errorf("listing the buses of the hub: %w", err)
	}
	off := 0
	for _, bus := range buses.EventBuses {
		in := &eventbridge.ListRulesInput{EventBusName: bus.Name}
		for more := true; more; more = in.NextToken != nil {
			rules, err := client.ListRules(ctx, in)
			if err != nil {
				return fmt.Errorf("listing the rules of the hub: %w", err)
			}
			for _, rule := range rules.Rules {
				if _, err := client.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: rule.Name, EventBusName: bus.Name}); err != nil {
					return fmt.Errorf("switching %s off: %w", aws.ToString(rule.Name), err)
				}
				off++
			}
			in.NextToken = rules.NextToken
		}
	}
	if off == 0 {
		return fmt.Errorf("listing the rules of the hub: it has none")
	}
	return nil
}

// settle waits until at least n executions ended since the last act, none runs, and no event is under way. It returns them
// in the order in which they started. A wait that is too long is an error with the ends so far.
func (p *play) settle(ctx context.Context, n int) (_ []end, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not over after %s", patience))
	defer cancel()
	defer func() {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) { // and not the call that it met
			err = cause
		}
	}()
	var since time.Time
	before := ""
	for {
		running, over, err := p.executions(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := p.engine.Settle(ctx, 0); err != nil {
			return nil, err
		}
		copied, underway, err := p.bridge.state()
		if err != nil {
			return nil, err
		}
		now := fmt.Sprint(copied, len(over))
		if now != before || underway || len(running) > 0 {
			before, since = now, time.Now()
		}
		if len(over) >= n && time.Since(since) >= quiet {
			return p.ends(ctx, over)
		}
		select {
		case <-ctx.Done():
			got, _ := p.ends(context.WithoutCancel(ctx), over)
			return got, fmt.Errorf("%w: %d executions run", context.Cause(ctx), len(running))
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// executions lists those of all machines of the hub that were not known when the act began.
func (p *play) executions(ctx context.Context) (running, over []types.ExecutionListItem, err error) {
	client := sfn.NewFromConfig(p.judge.config(local.HubAccount, p.engine.Region()))
	machines := sfn.NewListStateMachinesPaginator(client, &sfn.ListStateMachinesInput{})
	for machines.HasMorePages() {
		page, err := machines.NextPage(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("listing the machines: %w", err)
		}
		for _, m := range page.StateMachines {
			executions := sfn.NewListExecutionsPaginator(client, &sfn.ListExecutionsInput{StateMachineArn: m.StateMachineArn})
			for executions.HasMorePages() {
				list, err := executions.NextPage(ctx)
				if err != nil {
					return nil, nil, fmt.Errorf("listing the executions of %s: %w", aws.ToString(m.Name), err)
				}
				for _, e := range list.Executions {
					switch {
					case p.known[aws.ToString(e.ExecutionArn)]:
					case e.Status == types.ExecutionStatusRunning:
						running = append(running, e)
					default:
						over = append(over, e)
					}
				}
			}
		}
	}
	return running, over, nil
}

// ends reads how executions ended, and knows them from now on.
func (p *play) ends(ctx context.Context, over []types.ExecutionListItem) ([]end, error) {
	client := sfn.NewFromConfig(p.judge.config(local.HubAccount, p.engine.Region()))
	var out []end
	for _, e := range over {
		one := end{execution: aws.ToString(e.ExecutionArn), started: aws.ToTime(e.StartDate)}
		machine := aws.ToString(e.StateMachineArn)
		one.machine = machine[strings.LastIndexByte(machine, ':')+1:]
		history := sfn.NewGetExecutionHistoryPaginator(client, &sfn.GetExecutionHistoryInput{ExecutionArn: e.ExecutionArn, MaxResults: 1000})
		for history.HasMorePages() {
			page, err := history.NextPage(ctx)
			if err != nil {
				return out, fmt.Errorf("reading the history of %s: %w", one.execution, err)
			}
			for _, h := range page.Events {
				if h.StateEnteredEventDetails != nil {
					one.states++
					one.at = aws.ToString(h.StateEnteredEventDetails.Name)
				}
			}
		}
		if e.Status != types.ExecutionStatusSucceeded {
			d, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: e.ExecutionArn})
			if err != nil {
				return out, fmt.Errorf("reading %s: %w", one.execution, err)
			}
			one.at, one.cause = fmt.Sprintf("%s %s", e.Status, aws.ToString(d.Error)), aws.ToString(d.Cause)
		}
		p.known[one.execution] = true
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b end) int { return a.started.Compare(b.started) })
	return out, nil
}

// act lets somebody do something, waits for the executions that follow, and judges how they end: as wanted, in any order. May
// are ends that there may be besides, where executions meet; then each may come more than once.
func (p *play) act(ctx context.Context, what string, do func(context.Context) error, want, may []string) []end {
	began := time.Now()
	p.engine.Story().Begin()
	if err := do(ctx); err != nil {
		p.report.Add(p.options.Out, what, false, "it could not be done: %v", err)
		return nil
	}
	ends, err := p.settle(ctx, len(want))
	var got, how []string
	for _, e := range ends {
		got = append(got, e.at)
		how = append(how, fmt.Sprintf("%s %s after %d states", e.machine, e.at, e.states))
	}
	if len(how) == 0 {
		how = append(how, "no machine started")
	}
	if held := err == nil && as(got, want, may); held {
		p.report.Add(p.options.Out, what, true, "%s; %.0f s", strings.Join(how, "; "), time.Since(began).Seconds())
		return ends
	}
	for _, e := range ends {
		if e.cause != "" && !slices.Contains(want, e.at) {
			how = append(how, e.at+" because "+e.cause)
		}
	}
	if err != nil {
		how = append(how, err.Error())
	}
	p.report.Add(p.options.Out, what, false, "want %q; %s", want, strings.Join(how, "; "))
	return ends
}

// as reports whether executions ended as wanted; see [play.act].
func as(got, want, may []string) bool {
	if may == nil {
		return slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
	}
	for _, g := range got {
		if !slices.Contains(want, g) && !slices.Contains(may, g) {
			return false
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			return false
		}
	}
	return true
}

// start starts an execution of a machine, as an operator does.
func (p *play) start(ctx context.Context, machine string, input any) error {
	text, err := json.Marshal(input)
	if err != nil {
		return err
	}
	client := sfn.NewFromConfig(p.judge.config(local.HubAccount, p.engine.Region()))
	list, err := client.ListStateMachines(ctx, &sfn.ListStateMachinesInput{})
	if err != nil {
		return err
	}
	for _, m := range list.StateMachines {
		if aws.ToString(m.Name) == machine {
			_, err := client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: m.StateMachineArn, Input: aws.String(string(text))})
			return err
		}
	}
	return fmt.Errorf("the hub has no machine %s", machine)
}
