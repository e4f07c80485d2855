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
	say("Account %s (beta) has the Aurora cluster sales and a secret that opens it, encrypted with a key of its own. In account %s (alpha) an analyst may assume roles, in account %s (gamma) too. No network connects them. The database itself is simulated by SQLite.",
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
	verdict, err := world.Verdict(ctx)
	if err != nil {
		return err
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
