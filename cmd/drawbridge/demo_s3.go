package main

import (
	"context"
	"errors"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// runS3 plays the scenario of the Data API, and tries who gets through by real call chains, before and after.
func (p *performance) runS3(ctx context.Context) error {
	spec := scenario.S3()
	spec.Network = true
	say("Account %s (beta) has the Aurora cluster sales and a secret that opens it, encrypted with a key of its own. In account %s (alpha) an analyst may assume roles, in account %s (gamma) too. No network connects them; alpha has a VPC to call from. The database itself is simulated by SQLite.",
		spec.Producer, spec.Consumer, spec.Third)
	world, err := spec.Build(ctx, p.engine.Config)
	if err != nil {
		return err
	}
	if _, err := world.Query(ctx, scenario.Ask{Account: spec.Consumer, Cluster: world.ClusterARN(), Secret: world.SecretARN, SQL: "SELECT 6 * 7"}); err == nil {
		return errors.New("the analyst gets through before anything was shared")
	}
	say("Now beta makes one call: rds AddTagsToResource, drawbridge:data-api=%s. The rest is Drawbridge.\n", spec.Consumer)
	if err := p.watch(ctx, p.tell()); err != nil {
		return err
	}
	end, err := p.play(ctx, func(ctx context.Context) error { return world.Share(ctx, spec.Consumer) }, "drawbridge-data-api")
	if err != nil {
		return err
	}
	if err := ended(end, "Exposed"); err != nil {
		return err
	}
	asked := p.asked
	say("\nNow alpha makes one call too: ec2 CreateTags, drawbridge:data-api=true, on its VPC.\n")
	placed, err := p.play(ctx, func(ctx context.Context) error { return world.TagNetwork(ctx, true) }, "drawbridge-data-api-endpoint")
	if err != nil {
		return err
	}
	if err := ended(placed, "Available"); err != nil {
		return err
	}
	p.asked = asked
	verdict, err := world.Verdict(ctx)
	if err != nil {
		return err
	}
	network, err := world.NetworkVerdict(ctx)
	if err != nil {
		return err
	}
	return p.conclude(end, "Exposed", append(verdict, network...))
}
