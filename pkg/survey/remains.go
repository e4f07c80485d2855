package survey

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Remains reads one side's VPC, and whether routes or rules of a connection are left there. v needs no CIDRs.
func (s Surveyor) Remains(ctx context.Context, v workflow.VPC, c workflow.Connection) (Remains, error) {
	api := s.Enter(v.Place()).EC2
	where := func(err error) (Remains, error) {
		return Remains{}, fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
	}
	got, err := api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{v.ID}})
	if fault.HasCode(err, "InvalidVpcID.NotFound") || err == nil && len(got.Vpcs) == 0 {
		return Remains{Gone: true}, nil
	}
	if err != nil {
		return where(fmt.Errorf("reading %s: %w", v.ID, err))
	}
	out := Remains{CIDRs: route.CIDRs(got.Vpcs[0])}
	tables, err := route.Read(ctx, api, v.ID)
	if err != nil {
		return where(err)
	}
	out.Through = route.Through(tables, c.Target)
	rules, err := firewall.ReadTagged(ctx, api, c.ID)
	if err != nil {
		return where(err)
	}
	out.Rules = len(rules) > 0
	return out, nil
}

// Instances returns the notebook instances of a VPC that may have a host route or a status of Drawbridge's.
func (s Surveyor) Instances(ctx context.Context, v workflow.VPC) ([]workflow.Notebook, error) {
	clients := s.Enter(v.Place())
	subnets, err := route.ReadSubnets(ctx, clients.EC2, v.ID)
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
	}
	found, err := notebook.Read(ctx, clients.SageMaker, route.SubnetIDs(subnets))
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
	}
	var out []workflow.Notebook
	for _, n := range found {
		status := n.Tags[lifecycle.TagStatus]
		if !n.DirectInternet || n.LifecycleConfig == "" && status == "" {
			continue
		}
		out = append(out, instance(v, n, subnets))
	}
	return out, nil
}
