package main

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// runS2 plays the scenario of private notebooks: one tag, then who gets the URL of a notebook from where.
func (p *performance) runS2(ctx context.Context) error {
	spec := scenario.S1()
	spec.Consumer.CIDR = netip.MustParsePrefix("10.60.0.0/16")
	spec.Consumer.Subnets = []netip.Prefix{netip.MustParsePrefix("10.60.0.0/24"), netip.MustParsePrefix("10.60.1.0/24")}
	world, err := spec.Build(ctx, p.engine.Config)
	if err != nil {
		return err
	}
	alpha := p.engine.Config(world.Consumer.Account, world.Consumer.Region)
	network := ec2.NewFromConfig(alpha)
	if err := preparePrivate(ctx, network, iam.NewFromConfig(alpha), world); err != nil {
		return err
	}
	say("Account %s (%s) has the VPC %s with a notebook, a role scientist that is tagged %s=true, and a role admin with AdministratorAccess.",
		world.Consumer.Account, world.Consumer.Name, spec.Consumer.CIDR, tag.PrivateNotebooks)
	say("Now the VPC gets one tag: %s=true. The rest is Drawbridge.\n", tag.PrivateNotebooks)
	if err := p.watch(ctx, p.tell()); err != nil {
		return err
	}
	end, err := p.play(ctx, func(ctx context.Context) error {
		_, err := network.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{world.ConsumerNetwork.VPC},
			Tags: []types.Tag{{Key: aws.String(tag.PrivateNotebooks), Value: aws.String("true")}}})
		return err
	}, "drawbridge-private-notebooks")
	if err != nil {
		return err
	}
	if err := ended(end, "Private"); err != nil {
		return err
	}
	verdict, err := whoGetsIn(ctx, p.engine, network, world)
	if err != nil {
		return err
	}
	if err := p.conclude(end, "Private", verdict); err != nil {
		return err
	}
	fmt.Println()
	say("The scientist gets in through the VPC alone. The admin is not restricted by it, as the verdict says: its rights do not come from the policy.")
	return nil
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
	trust := aws.String(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "` + arn.ServicePrincipal("ec2") + `"}, "Action": "sts:AssumeRole"}}`)
	if _, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("scientist"), AssumeRolePolicyDocument: trust,
		Tags: []iamtypes.Tag{{Key: aws.String(tag.PrivateNotebooks), Value: aws.String("true")}}}); err != nil {
		return err
	}
	if _, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("admin"), AssumeRolePolicyDocument: trust}); err != nil {
		return err
	}
	region := roles.Options().Region
	_, err := roles.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("admin"), PolicyArn: aws.String(arn.IAM(arn.Partition(region), "aws", "policy/AdministratorAccess"))})
	return err
}

// whoGetsIn asks for the notebook's URL as each role, from here and there. Each line is a call that was really made; it holds
// if who should get in does, and who should not does not.
func whoGetsIn(ctx context.Context, engine *local.Engine, network *ec2.Client, world *scenario.World) ([]story.Hop, error) {
	endpoint, err := privatenotebooks.FindEndpoint(ctx, network, world.Consumer.Region, "")
	if err != nil {
		return nil, err
	}
	var hops []story.Hop
	for _, c := range []struct {
		role, from, through string
		want                bool
	}{
		{"scientist", "in the VPC", endpoint, true},
		{"scientist", "on the internet", "", false},
		{"admin", "in the VPC", endpoint, true},
		{"admin", "on the internet", "", true},
	} {
		inside, err := engine.AsService(ctx, arn.ServicePrincipal("ec2"), engine.Config(world.Consumer.Account, world.Consumer.Region), arn.IAM(arn.Partition(world.Consumer.Region), world.Consumer.Account, "role/"+c.role), "")
		if err != nil {
			return nil, err
		}
		client := sagemaker.NewFromConfig(inside, func(o *sagemaker.Options) {
			if c.through != "" {
				o.APIOptions = append(o.APIOptions, smithyhttp.AddHeaderValue("X-Drawbridge-Vpce", c.through))
			}
		})
		_, err = privatenotebooks.Issue(ctx, client, world.Notebook.Name, c.through)
		if err != nil && fault.Of(err) != fault.Refused {
			return nil, err
		}
		answer := "gets a URL"
		if err != nil {
			answer = "is denied"
		}
		hops = append(hops, story.Hop{Hop: c.role, OK: (err == nil) == c.want, Detail: c.from + " " + answer})
	}
	return hops, nil
}
