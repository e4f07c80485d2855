package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// runS4 plays the scenario of SageMaker Studio and Redshift: one call connects the networks, one tag lets the people in,
// each as themselves.
func (p *performance) runS4(ctx context.Context) error {
	spec := scenario.S4()
	say("Account %s (%s) has a SageMaker Studio domain in VPC only mode in %s; its owner opened the execution role %s by the tag drawbridge:studio=true. Account %s (%s) has the Redshift cluster %s in %s. Nothing connects them.",
		spec.Consumer.Account, spec.Consumer.Name, spec.Consumer.CIDR, scenario.ExecutionRole,
		spec.Producer.Account, spec.Producer.Name, scenario.Warehouse, spec.Producer.CIDR)
	world, err := spec.Build(ctx, p.engine.Config)
	if err != nil {
		return err
	}
	app := func(ctx context.Context, role, user string) (aws.Config, error) {
		return p.engine.AsService(ctx, arn.ServicePrincipal("sagemaker"), p.engine.Config(world.Consumer.Account, world.Consumer.Region), role, user)
	}
	if _, err := world.Reader(ctx, app); err == nil {
		return errors.New("ana gets through before anything was shared")
	}
	say("First the network, as in s1: %s makes one call, ec2 CreateVpcPeeringConnection. Shown is what Drawbridge changes.\n", spec.Consumer.Name)
	tell := p.tell()
	network, people := follow("drawbridge-peering", changes(tell)), follow("drawbridge-studio", tell)
	if p.Verbose {
		network, people = tell, func(story.Fact) {} // who watches goes on watching
	}
	if err := p.watch(ctx, network); err != nil {
		return err
	}
	end, err := p.play(ctx, world.Request, "drawbridge-peering")
	if err != nil {
		return err
	}
	if err := ended(end, "Connected"); err != nil {
		return err
	}
	fmt.Println()
	say("Then the people: %s makes one call, redshift CreateTags, drawbridge:studio=%s, on its cluster. The rest is Drawbridge.\n",
		spec.Producer.Name, spec.Consumer.Account)
	if err := p.watch(ctx, people); err != nil {
		return err
	}
	if end, err = p.play(ctx, world.ShareWarehouse, "drawbridge-studio"); err != nil {
		return err
	}
	if err := ended(end, "Identified"); err != nil {
		return err
	}
	verdict, err := world.Verdict(ctx)
	if err != nil {
		return err
	}
	identities, err := world.Identities(ctx, app)
	if err != nil {
		return err
	}
	if err := p.conclude(end, "Identified", append(verdict, identities...)); err != nil {
		return err
	}
	fmt.Println()
	say("Ana queries %s of another account as the database user ana, and as nobody else: the network by one call, the people by one tag.", scenario.Warehouse)
	return nil
}

// follow tells of the events that come before the first execution of a machine, and then of that execution alone: the tag of
// a cluster concerns its peering as well, which is looked at beside.
func follow(machine string, tell func(story.Fact)) func(story.Fact) {
	followed := ""
	return func(f story.Fact) {
		execution := ""
		switch f := f.(type) {
		case story.Start:
			if followed == "" && f.Machine == machine {
				followed = f.Execution
			}
			execution = f.Execution
		case story.Delivery:
			if strings.Contains(f.Target, ":stateMachine:") && !strings.HasSuffix(f.Target, ":"+machine) {
				return
			}
		case story.Step:
			execution = f.Execution
		case story.Entered:
			execution = f.Execution
		case story.End:
			execution = f.Execution
		}
		if execution == followed {
			tell(f)
		}
	}
}
