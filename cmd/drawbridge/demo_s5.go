package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// runS5 plays the scenario of a shared transit gateway: one call connects, one tag taken off disconnects.
// Long, because a demo is one tale, told from its beginning to its end.
func (p *performance) runS5(ctx context.Context) error {
	engine := p.engine
	spec := scenario.S5()
	say("Account %s (%s) owns a transit gateway and has the VPC %s with the Lambda function %s in %s and a notebook in %s. Account %s (%s) has the VPC %s with a %s database. Both VPCs ask for the gateway by the tag drawbridge:attach=%s. Nothing is attached.",
		spec.Consumer.Account, spec.Consumer.Name, spec.Consumer.CIDR, spec.Function, spec.Consumer.Subnets[1], spec.Consumer.Subnets[0],
		spec.Producer.Account, spec.Producer.Name, spec.Producer.CIDR, spec.Database.Engine, scenario.GatewayName)
	world, err := spec.Build(ctx, engine.Config)
	if err != nil {
		return err
	}
	if err := world.Ask(ctx); err != nil {
		return err
	}
	if _, err := engine.Settle(ctx, 0); err != nil {
		return err
	}
	if err := world.Offer(ctx); err != nil {
		return err
	}
	if _, err := engine.Settle(ctx, 0); err != nil {
		return err
	}
	before, err := world.Reach(ctx)
	if err != nil {
		return err
	}
	say("Now %s makes one call: ram CreateResourceShare, with %s. The rest is Drawbridge.\n", spec.Consumer.Name, spec.Producer.Name)
	if !p.Verbose {
		say("Several events tell of one share, so executions meet on it; shown is what they change and how they end. --verbose shows everything.\n")
	}
	tell := p.tell()
	if !p.Verbose {
		tell = changes(tell)
	}
	if err := p.watch(ctx, tell); err != nil {
		return err
	}
	p.asked = time.Now()
	if err := world.Lend(ctx); err != nil {
		return err
	}
	end, err := pairEnded(ctx, engine, "Connected")
	if err != nil {
		return err
	}
	if err := world.Find(ctx); err != nil {
		return err
	}
	verdict, err := world.Verdict(ctx)
	if err != nil {
		return err
	}
	if err := p.conclude(end, "Connected", verdict); err != nil {
		return err
	}
	fmt.Println()
	paths(end.Output)
	if err := p.prove(ctx, world, "on-start-gateway.sh"); err != nil {
		return err
	}
	fmt.Println()
	say("Now %s takes the tag drawbridge:attach off its VPC.\n", spec.Producer.Name)
	engine.Story().Begin()
	p.asked = time.Now()
	if err := world.Leave(ctx); err != nil {
		return err
	}
	if _, err = pairEnded(ctx, engine, "Removed"); err != nil {
		return err
	}
	wall := time.Since(p.asked)
	gone, err := world.Gone(ctx, before)
	if err != nil {
		return err
	}
	fmt.Println("\nRead back from the accounts:")
	hops(gone)
	if !scenario.Holds(gone) {
		return errors.New("not everything that was added is gone")
	}
	fmt.Println()
	say("Connected by one call, and removed by one tag after %d ms: every route, rule and script is as it was.", wall.Milliseconds())
	return nil
}

// changes tells only what changes something, and how executions end: of a step the calls that wrote, and nothing of one
// that only looked.
func changes(tell func(story.Fact)) func(story.Fact) {
	return func(f story.Fact) {
		switch f := f.(type) {
		case story.End:
			tell(f)
		case story.Step:
			f.Calls = slices.DeleteFunc(slices.Clone(f.Calls), func(c awscall.Call) bool {
				return c.Reads() || c.Action == "AssumeRole" || c.Status >= http.StatusBadRequest
			})
			if len(f.Calls) > 0 {
				tell(f)
			}
		}
	}
}

// pairEnded waits until the pair of VPCs was brought to a result and nothing goes on any more, and returns the first
// execution that did it.
func pairEnded(ctx context.Context, engine *local.Engine, result string) (story.End, error) {
	limit, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no pair of VPCs is %s after %v", result, patience))
	defer cancel()
	end, err := engine.Story().First(limit, func(e story.End) bool {
		return e.Machine == "drawbridge-transit" && (e.State == result || e.Status != "SUCCEEDED")
	})
	if err == nil {
		err = ended(end, result)
	}
	if err == nil {
		_, err = engine.Settle(limit, 0)
	}
	if err != nil {
		return end, fmt.Errorf("waiting for the end: %w", err)
	}
	return end, nil
}
