package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// SweepSample is one sweep of so many accounts, in one Region.
//
// Simulated is everything but Drawbridge's functions: AWS is the emulation, a child of the Distributed Map runs when there
// is a place for it as in AWS but shares its parent's history, and an account has the VPC that each begins with and nothing
// else. So the calls are those that AWS would see; the time is the emulation's, and only its growth says something.
type SweepSample struct {
	Accounts int
	// Calls are all AWS calls of Drawbridge, by their service and name; Total is their sum.
	Calls map[string]int
	Total int
	// Transitions and Invocations are those of the whole sweep.
	Transitions, Invocations int
	// Prepare is the time it took to make those accounts members that were not, Wall that of the sweep.
	Prepare, Wall time.Duration
}

// PerAccount is what one account more costs of something.
func (s SweepSample) PerAccount(of int) float64 { return float64(of) / float64(s.Accounts) }

// sweepLimit is how long a sweep may take before the measurement gives up.
const sweepLimit = 30 * time.Minute

// Sweeps measures one sweep for each number of accounts, in ascending order. It tells of each when it is done.
func Sweeps(ctx context.Context, o Options, accounts []int, tell func(SweepSample)) error {
	engine, err := local.Start(ctx, local.Options{Root: o.Root, WaitScale: o.WaitScale})
	if err != nil {
		return err
	}
	defer engine.Close()
	var members []string
	for _, n := range accounts {
		began := time.Now()
		for len(members) < n {
			one := fmt.Sprintf("5%011d", len(members)+1)
			// The first use of an account makes it a member.
			if _, err := ec2.NewFromConfig(engine.Config(one, engine.Region())).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{}); err != nil {
				return fmt.Errorf("making %s a member: %w", one, err)
			}
			members = append(members, one)
		}
		if len(members) != n {
			return errors.New("the numbers of accounts do not ascend")
		}
		if _, err := engine.Settle(ctx, 0); err != nil {
			return err
		}
		prepared := time.Since(began)
		sample, err := sweep(ctx, engine, members)
		if err != nil {
			return fmt.Errorf("sweeping %d accounts: %w", n, err)
		}
		sample.Prepare = prepared
		tell(sample)
	}
	return nil
}

// sweep sweeps accounts once, with functions that were not used before.
func sweep(ctx context.Context, engine *local.Engine, accounts []string) (SweepSample, error) {
	input, err := json.Marshal(workflow.Sweep{Accounts: accounts, Regions: []string{engine.Region()}})
	if err != nil {
		return SweepSample{}, err
	}
	engine.Cool()
	engine.Story().Begin()
	began := time.Now()
	if _, err := sfn.NewFromConfig(engine.Config(local.HubAccount, engine.Region())).StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: aws.String(arn.New(arn.Partition(engine.Region()), "states", engine.Region(), local.HubAccount, "stateMachine:drawbridge-sweep")),
		Input:           aws.String(string(input))}); err != nil {
		return SweepSample{}, err
	}
	limit, cancel := context.WithTimeoutCause(ctx, sweepLimit, fmt.Errorf("it has not ended after %v", sweepLimit))
	defer cancel()
	end, err := engine.Story().First(limit, func(e story.End) bool { return e.Machine == "drawbridge-sweep" })
	wall := time.Since(began)
	if err != nil {
		return SweepSample{}, err
	}
	if end.Status != "SUCCEEDED" || end.State != string(workflow.Swept) {
		return SweepSample{}, fmt.Errorf("it ended with %s in %s: %s", end.Status, end.State, end.Cause)
	}
	out := SweepSample{Accounts: len(accounts), Calls: map[string]int{}, Wall: wall}
	for _, c := range engine.Story().Calls() {
		out.Calls[c.Name()]++
		out.Total++
	}
	counts := engine.Story().Counts()
	out.Transitions, out.Invocations = counts.Transitions, counts.Invocations
	return out, nil
}
