package endpoint

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Remover is what [Withdraw] needs of EC2.
type Remover interface {
	DescribeVpcEndpoints(context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error)
	DeleteVpcEndpoints(context.Context, *ec2.DeleteVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DeleteVpcEndpointsOutput, error)
	DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
	DeleteSecurityGroup(context.Context, *ec2.DeleteSecurityGroupInput, ...func(*ec2.Options)) (*ec2.DeleteSecurityGroupOutput, error)
}

// Withdraw takes one VPC one step further towards having nothing that the ledger has for the owner's word and nobody else needs: first the
// endpoints go, then their security group, which AWS keeps while they use it. It touches nothing else and, like [Ensure], is asked
// again until it is Ready. Then the VPC is not managed any more for that word.
func Withdraw(ctx context.Context, api Remover, book ledger.Ledger, want Want) (State, error) {
	out := State{Hops: []workflow.Hop{}, Endpoints: []Endpoint{}}
	items, err := book.Items(ctx, want.Owner)
	if err != nil {
		return out, err
	}
	leaving, err := book.Release(ctx, want.Owner, items)
	if err != nil {
		return out, err
	}
	all, err := readEndpoints(ctx, api, want.VPC)
	if err != nil {
		return out, err
	}
	var doomed []Endpoint
	for _, e := range all {
		// By its id, whichever machine made it; by our tag, if the answer with the id was lost.
		if e.gone() || !slices.ContainsFunc(leaving, func(i ledger.Item) bool {
			return i.Same(want.item(ledger.Endpoint, e.Service)) && (i.Left == e.ID || i.Left == "" && e.Owner == want.Owner)
		}) {
			continue
		}
		out.Waiting = append(out.Waiting, fmt.Sprintf("%s of %s is being deleted", e.ID, e.Service))
		if e.State != "deleting" {
			doomed = append(doomed, e)
		}
	}
	slices.SortFunc(doomed, func(a, b Endpoint) int { return strings.Compare(a.Service, b.Service) })
	if err := remove(ctx, api, doomed); err != nil || len(out.Waiting) > 0 {
		return out, err
	}
	for _, i := range leaving {
		if i.Kind != ledger.Group {
			continue
		}
		group := i.Left
		if group == "" && i.Same(want.group()) { // the answer was lost
			if group, err = ownGroup(ctx, api, want.Owner, want.VPC); err != nil {
				return out, err
			}
		}
		if group == "" {
			continue
		}
		slog.InfoContext(ctx, "deleting security group", "group", group, "vpc", want.VPC)
		_, err := api.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &group})
		// The network interfaces of an endpoint outlive it by a moment.
		if fault.HasCode(err, "DependencyViolation") {
			return out, fault.New(fault.NotYet, "deleting security group %s of %s: something still uses it; if its endpoints are long gone, take it off whatever else was given it", group, want.VPC)
		}
		if err != nil && !fault.HasCode(err, "InvalidGroup.NotFound", "InvalidGroupId.NotFound") {
			return out, fmt.Errorf("deleting security group %s: %w", group, err)
		}
	}
	if err := book.Forget(ctx, want.Owner, leaving); err != nil {
		return out, err
	}
	if err := book.End(ctx, want.Owner); err != nil {
		return out, err
	}
	out.Ready = true
	out.Hops = append(out.Hops, workflow.Hop{Hop: "endpoints of " + want.VPC, OK: true, Detail: "nothing of " + want.Owner + " is left"})
	return out, nil
}

// remove deletes endpoints. DeleteVpcEndpoints answers with 200 even for those it could not delete.
func remove(ctx context.Context, api interface {
	DeleteVpcEndpoints(context.Context, *ec2.DeleteVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DeleteVpcEndpointsOutput, error)
}, doomed []Endpoint) error {
	if len(doomed) == 0 {
		return nil
	}
	var names []string
	for _, e := range doomed {
		names = append(names, e.ID)
	}
	slog.InfoContext(ctx, "deleting endpoints", "endpoints", names)
	out, err := api.DeleteVpcEndpoints(ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: names})
	if err != nil {
		if fault.HasCode(err, "InvalidVpcEndpointId.NotFound") {
			return nil // gone meanwhile; the next look tells what is left
		}
		return fmt.Errorf("deleting %s: %w", strings.Join(names, ", "), err)
	}
	for _, u := range out.Unsuccessful {
		if u.Error == nil || strings.HasSuffix(aws.ToString(u.Error.Code), ".NotFound") {
			continue
		}
		return fault.NewConflict(fmt.Sprintf("%s could not be deleted: %s", aws.ToString(u.ResourceId), aws.ToString(u.Error.Message)),
			"remove what AWS names, then set the tag of the VPC by which it asks anew")
	}
	return nil
}
