package board

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The names of what a hub has.
const (
	Stack        = "drawbridge-hub"
	table        = "drawbridge-ledger"
	sweepMachine = "drawbridge-sweep"
)

// Stacks is what [Find] needs of CloudFormation.
type Stacks interface {
	DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
}

// Find says which ledger the hub in an account and Region has: the table that its stack names, or named, if that is not empty. Where nobody may read
// the stack, it is the table of the name that every hub's has at first.
func Find(ctx context.Context, api Stacks, account, region, named string) (Hub, error) {
	h := Hub{Account: account, Region: region, Table: named}
	if named != "" {
		return h, nil
	}
	got, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(Stack)})
	if fault.HasCode(err, "AccessDenied", "AccessDeniedException") {
		h.Table = table
		return h, nil
	}
	// CloudFormation says ValidationError of a stack that does not exist.
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
	if fault.HasCode(err, "ValidationError") {
		return h, &fault.Error{Kind: fault.Refused, Message: fmt.Sprintf("finding the hub: account %s has no stack %s in %s", account, Stack, region),
			Remedy: "use credentials of the hub's account with --profile, and its Region with --region; a hub under another name needs --table", Cause: err}
	}
	if err != nil {
		return h, fmt.Errorf("finding the hub's stack %s in %s %s: %w", Stack, account, region, err)
	}
	h.Table = table
	for _, s := range got.Stacks {
		h.Stack = aws.ToString(s.StackName)
		for _, p := range s.Parameters {
			if aws.ToString(p.ParameterKey) == "LedgerTable" {
				h.Table = aws.ToString(p.ParameterValue)
			}
		}
	}
	return h, nil
}

// Read reads the whole ledger.
func Read(ctx context.Context, api ledger.Scanner, hub Hub) (Rows, error) {
	var r Rows
	err := ledger.Scan(ctx, api, hub.Table, r.Add)
	if fault.HasCode(err, "ResourceNotFoundException") {
		err = &fault.Error{Kind: fault.Refused, Message: fmt.Sprintf("reading the ledger: account %s has no table %s in %s", hub.Account, hub.Table, hub.Region),
			Remedy: "name the ledger's table with --table", Cause: err}
	}
	return r, err
}

// ReadMode returns how far the hub goes.
func ReadMode(ctx context.Context, api mode.Parameters) (Mode, error) {
	s, err := mode.New(api, deed.ModeParameter).Now(ctx)
	if err != nil {
		return Mode{}, err
	}
	return Mode{Mode: string(s.Mode), Why: s.Why}, nil
}

// Executions is what [ReadSweep] and [Rows.AtWork] need of Step Functions.
type Executions interface {
	ListExecutions(context.Context, *sfn.ListExecutionsInput, ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error)
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
}

// looksBack is how many sweeps are looked at for one of all accounts.
const looksBack = 10

// ReadSweep returns what the last sweep of all accounts counted that ended well; nil if there is none among the last few. Step Functions has the
// list, newest first, and keeps each for 90 days. https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
func ReadSweep(ctx context.Context, api Executions, hub Hub) (*Sweep, error) {
	machine := arn.New(arn.Partition(hub.Region), "states", hub.Region, hub.Account, "stateMachine:"+sweepMachine)
	list, err := api.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &machine, StatusFilter: types.ExecutionStatusSucceeded, MaxResults: looksBack})
	if err != nil {
		return nil, fmt.Errorf("listing the executions of %s: %w", sweepMachine, err)
	}
	for _, e := range list.Executions {
		got, err := api.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: e.ExecutionArn})
		if err != nil {
			return nil, fmt.Errorf("reading the execution %s: %w", aws.ToString(e.ExecutionArn), err)
		}
		if s := sweepOf(aws.ToString(e.Name), aws.ToTime(e.StopDate), aws.ToString(got.Output)); s != nil {
			return s, nil
		}
	}
	return nil, nil
}

// sweepOf reads the output of a sweep; nil if it was not one of all accounts.
func sweepOf(name string, at time.Time, output string) *Sweep {
	var out workflow.TallySweepOutput
	if json.Unmarshal([]byte(output), &out) != nil || out.Tally.Accounts == 0 || len(out.Sweep.Accounts)+len(out.Sweep.Regions) > 0 {
		return nil
	}
	t := out.Tally
	return &Sweep{Execution: name, At: at.UTC(), Accounts: t.Accounts, Found: append([]workflow.Found{}, t.Found...),
		Missed:   slices.Concat([]workflow.Missed{}, t.Closed, t.Failed, t.Barred),
		NotSwept: len(t.Closed) + len(t.Barred) + len(t.Failed) + t.More.Closed + t.More.Barred + t.More.Failed,
		Deaf:     append([]workflow.Missed{}, t.Deaf...), NotHeard: len(t.Deaf) + t.More.Deaf}
}

// AtWork lets go of the leases whose executions are over: one that failed keeps its lease until somebody redrives it or another takes it, and is at work no
// more. Of an id alone, if one is given. What cannot be read stays.
func (r *Rows) AtWork(ctx context.Context, api Executions, hub Hub, id string) error {
	for _, c := range r.entries {
		lease, ok := r.Lease(c.ID)
		if !ok || id != "" && c.ID != id {
			continue
		}
		execution := arn.New(arn.Partition(hub.Region), "states", hub.Region, hub.Account, "execution:"+c.Kind.Machine()+":"+lease.Holder)
		got, err := api.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &execution})
		if err != nil && !fault.HasCode(err, "ExecutionDoesNotExist") {
			return fmt.Errorf("reading whether %s works on %s: %w", lease.Holder, c.ID, err)
		}
		if err != nil || got.Status != types.ExecutionStatusRunning && got.Status != types.ExecutionStatusPendingRedrive {
			delete(r.leases, c.ID)
		}
	}
	return nil
}

// Between returns the entry of what connects two VPCs: of a peering by its id, of a gateway that of the pair. There is none of what is not managed. It
// reads the connections of one place, and the entry's things, by their keys.
func Between(ctx context.Context, l ledger.Ledger, at event.Place, over string, vpcs ...string) (Entry, bool, error) {
	all, err := l.Connections(ctx, at.Account, at.Region)
	if err != nil {
		return Entry{}, false, err
	}
	for _, c := range all {
		id, pair, _ := strings.Cut(c.ID, ":")
		if id != over || pair != "" && !pairs(pair, vpcs) {
			continue
		}
		items, err := l.Items(ctx, c.ID)
		if err != nil {
			return Entry{}, false, err
		}
		e, ok := EntryOf(Rows{entries: []ledger.Connection{c}, items: items}, c.ID, time.Now())
		return e, ok, nil
	}
	return Entry{}, false, nil
}

// pairs reports whether a pair, as it stands in an id, is of these VPCs.
func pairs(pair string, vpcs []string) bool {
	a, b, _ := strings.Cut(pair, ":")
	return slices.Equal(slices.Sorted(slices.Values([]string{a, b})), slices.Sorted(slices.Values(vpcs)))
}
