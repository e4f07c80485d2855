package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// dataAPI plays the third scenario and tries who gets through by real call chains, before and after.
func (c demoCommand) dataAPI(ctx context.Context, env environment, engine *local.Engine, began time.Time) error {
	spec := scenario.S3()
	spec.Network = true
	say("Account %s (beta) has the Aurora cluster sales and a secret that opens it, encrypted with a key of its own. In account %s (alpha) an analyst may assume roles, in account %s (gamma) too. No network connects them; alpha has a VPC to call from. The database itself is simulated by SQLite.",
		spec.Producer, spec.Consumer, spec.Third)
	world, err := spec.Build(ctx, engine.Config)
	if err != nil {
		return err
	}
	if _, err := world.Query(ctx, scenario.Ask{Account: spec.Consumer, Cluster: world.ClusterARN(), Secret: world.SecretARN, SQL: "SELECT 6 * 7"}); err == nil {
		return errors.New("the analyst gets through before anything was shared")
	}
	say("Now beta makes one call: rds AddTagsToResource, drawbridge:data-api=%s. The rest is Drawbridge.\n", spec.Consumer)
	if _, err := engine.Settle(ctx, 0); err != nil {
		return err
	}
	engine.Story().Begin()
	engine.Story().Watch(story.NewLive(os.Stdout, terminal(os.Stdout), c.WaitScale).Tell)
	asked := time.Now()
	if err := world.Share(ctx, spec.Consumer); err != nil {
		return err
	}
	limit, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the execution has not ended after %v", patience))
	defer cancel()
	end, err := engine.Story().First(limit, func(e story.End) bool { return e.Machine == "drawbridge-data-api" })
	wall := time.Since(asked)
	if err != nil {
		return fmt.Errorf("waiting for the end: %w", err)
	}
	if end.Status != "SUCCEEDED" || end.State != "Exposed" {
		return fmt.Errorf("the execution ended with %s", end.State)
	}
	say("\nNow alpha makes one call too: ec2 CreateTags, drawbridge:data-api=true, on its VPC.\n")
	if err := world.TagNetwork(ctx, true); err != nil {
		return err
	}
	placed, err := engine.Story().First(limit, func(e story.End) bool { return e.Machine == "drawbridge-data-api-endpoint" })
	wall = time.Since(asked)
	if err != nil {
		return fmt.Errorf("waiting for the endpoint: %w", err)
	}
	if placed.Status != "SUCCEEDED" || placed.State != "Available" {
		return fmt.Errorf("the execution about the VPC ended with %s", placed.State)
	}
	verdict, err := world.Verdict(ctx)
	if err != nil {
		return err
	}
	network, err := world.NetworkVerdict(ctx)
	if err != nil {
		return err
	}
	verdict = append(verdict, network...)
	if !scenario.Holds(network) {
		return fmt.Errorf("the consumer's VPC does not have its endpoint: %+v", network)
	}
	report := engine.Story().Report(end, verdict, wall)
	out := c.Out
	if out == "" {
		out = filepath.Join(env.root, "out", "demo")
	}
	path := filepath.Join(out, "report.json")
	if err := report.Write(path); err != nil {
		return err
	}
	conclude(report, path, time.Since(began))
	if end.Status != "SUCCEEDED" || report.Result != "Exposed" {
		return fmt.Errorf("the execution ended with %s", report.Result)
	}
	if !scenario.Holds(verdict) {
		return errors.New("not everybody who should gets through, or somebody does who should not")
	}
	return nil
}
