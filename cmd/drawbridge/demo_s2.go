package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/private"
)

// runS2 plays the scenario of private notebooks: one tag, then who gets the URL of a notebook from where.
func (c demoCommand) runS2(ctx context.Context, engine *local.Engine, root string) error {
	spec := scenario.S1()
	spec.Consumer.CIDR = netip.MustParsePrefix("10.60.0.0/16")
	spec.Consumer.Subnets = []netip.Prefix{netip.MustParsePrefix("10.60.0.0/24"), netip.MustParsePrefix("10.60.1.0/24")}
	world, err := spec.Build(ctx, engine.Config)
	if err != nil {
		return err
	}
	alpha := engine.Config(world.Consumer.Account, world.Consumer.Region)
	network := ec2.NewFromConfig(alpha)
	if err := preparePrivate(ctx, network, iam.NewFromConfig(alpha), world); err != nil {
		return err
	}
	say("Account %s (%s) has the VPC %s with a notebook, a role scientist that is tagged %s=true, and a role admin with AdministratorAccess.",
		world.Consumer.Account, world.Consumer.Name, spec.Consumer.CIDR, private.Tag)
	say("Now the VPC gets one tag: %s=true. The rest is Drawbridge.\n", private.Tag)
	if _, err := engine.Settle(ctx, 0); err != nil {
		return err
	}
	engine.Story().Begin()
	engine.Story().Watch(story.NewLive(os.Stdout, terminal(os.Stdout), c.WaitScale).Tell)
	asked := time.Now()
	if _, err := network.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{world.ConsumerNetwork.VPC},
		Tags: []types.Tag{{Key: aws.String(private.Tag), Value: aws.String("true")}}}); err != nil {
		return err
	}
	limit, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the execution has not ended after %v", patience))
	defer cancel()
	end, err := engine.Story().First(limit, func(e story.End) bool { return e.Machine == "drawbridge-private-notebooks" })
	if err != nil {
		return fmt.Errorf("waiting for the end: %w", err)
	}
	out := c.Out
	if out == "" {
		out = filepath.Join(root, "out", "demo")
	}
	report := engine.Story().Report(end, nil, time.Since(asked))
	if err := report.Write(filepath.Join(out, "report.json")); err != nil {
		return err
	}
	if end.Status != "SUCCEEDED" || report.Result != "Private" {
		return fmt.Errorf("the execution ended with %s", report.Result)
	}
	fmt.Println("\nAsked of the engine, which evaluates the real policies:")
	return whoGetsIn(ctx, engine, network, world)
}

// preparePrivate makes the roles, and lets the VPC resolve private names.
func preparePrivate(ctx context.Context, network *ec2.Client, roles *iam.Client, world *scenario.World) error {
	on := &types.AttributeBooleanValue{Value: aws.Bool(true)}
	for _, in := range []*ec2.ModifyVpcAttributeInput{{EnableDnsSupport: on}, {EnableDnsHostnames: on}} {
		in.VpcId = &world.ConsumerNetwork.VPC
		if _, err := network.ModifyVpcAttribute(ctx, in); err != nil {
			return err
		}
	}
	trust := aws.String(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}`)
	if _, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("scientist"), AssumeRolePolicyDocument: trust,
		Tags: []iamtypes.Tag{{Key: aws.String(private.Tag), Value: aws.String("true")}}}); err != nil {
		return err
	}
	if _, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("admin"), AssumeRolePolicyDocument: trust}); err != nil {
		return err
	}
	_, err := roles.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("admin"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	return err
}

// whoGetsIn asks for the notebook's URL as each role, from here and there, and fails if somebody is let in who should not
// be, or the other way round.
func whoGetsIn(ctx context.Context, engine *local.Engine, network *ec2.Client, world *scenario.World) error {
	endpoint, err := private.FindEndpoint(ctx, network, world.Consumer.Region, "")
	if err != nil {
		return err
	}
	wrong := false
	for _, c := range []struct {
		role, from, through string
		want                bool
	}{
		{"scientist", "in the VPC", endpoint, true},
		{"scientist", "on the internet", "", false},
		{"admin", "in the VPC", endpoint, true},
		{"admin", "on the internet", "", true},
	} {
		inside, err := engine.AsService(ctx, "ec2.amazonaws.com", engine.Config(world.Consumer.Account, world.Consumer.Region), "arn:aws:iam::"+world.Consumer.Account+":role/"+c.role, "")
		if err != nil {
			return err
		}
		client := sagemaker.NewFromConfig(inside, func(o *sagemaker.Options) {
			if c.through != "" {
				o.APIOptions = append(o.APIOptions, smithyhttp.AddHeaderValue("X-Drawbridge-Vpce", c.through))
			}
		})
		_, err = private.Issue(ctx, client, world.Notebook.Name, c.through)
		if err != nil && fault.Of(err) != fault.Refused {
			return err
		}
		answer := "gets a URL"
		if err != nil {
			answer = "is denied"
		}
		fmt.Printf("  %s %-9s %-15s %s\n", story.Mark((err == nil) == c.want), c.role, c.from, answer)
		wrong = wrong || (err == nil) != c.want
	}
	if wrong {
		return errors.New("the policies do not do what they are for")
	}
	fmt.Println()
	say("The admin is not restricted by it, as the verdict says: its rights do not come from the policy.")
	return nil
}
