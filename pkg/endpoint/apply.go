package endpoint

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Client is what [Ensure] needs of EC2.
type Client interface {
	Reader
	discover.ACLReader
	CreateSecurityGroup(context.Context, *ec2.CreateSecurityGroupInput, ...func(*ec2.Options)) (*ec2.CreateSecurityGroupOutput, error)
	AuthorizeSecurityGroupIngress(context.Context, *ec2.AuthorizeSecurityGroupIngressInput, ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error)
	RevokeSecurityGroupIngress(context.Context, *ec2.RevokeSecurityGroupIngressInput, ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error)
	CreateVpcEndpoint(context.Context, *ec2.CreateVpcEndpointInput, ...func(*ec2.Options)) (*ec2.CreateVpcEndpointOutput, error)
	ModifyVpcEndpoint(context.Context, *ec2.ModifyVpcEndpointInput, ...func(*ec2.Options)) (*ec2.ModifyVpcEndpointOutput, error)
	DeleteVpcEndpoints(context.Context, *ec2.DeleteVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DeleteVpcEndpointsOutput, error)
}

// Remover is what [Withdraw] needs of EC2.
type Remover interface {
	DescribeVpcEndpoints(context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error)
	DeleteVpcEndpoints(context.Context, *ec2.DeleteVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DeleteVpcEndpointsOutput, error)
	DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
	DeleteSecurityGroup(context.Context, *ec2.DeleteSecurityGroupInput, ...func(*ec2.Options)) (*ec2.DeleteSecurityGroupOutput, error)
}

// State is how far a VPC is with the endpoints it shall have, or with being rid of them.
type State struct {
	Ready     bool
	Waiting   []string // what is not there, or not gone yet, in words; empty when Ready
	Hops      []workflow.Hop
	Endpoints []Endpoint // those that serve the wanted services, ours and others', by service
}

// Ensure takes one VPC one step further towards what is wanted and says how far it is. It waits for nothing: while the
// answer is not Ready it is asked again, and Ready is said only of what was just read. A call
// whose answer was lost needs no client token: the private DNS name can be taken only once in a VPC, and a token would
// answer with an endpoint that has failed since.
//
// What is made is written into the ledger before the call, and its id after. An endpoint that was there before is never an item.
// Long, because each part of an endpoint is one step of the same order, which the next reads on.
func Ensure(ctx context.Context, api Client, book ledger.Ledger, want Want) (State, error) {
	have, err := Read(ctx, api, want)
	if err != nil {
		return State{}, err
	}
	want, have, left, err := known(ctx, book, want, have)
	if err != nil {
		return State{}, err
	}
	plan, err := Plan(want, have)
	if err != nil {
		return State{}, err
	}
	if plan.Done() {
		acls, err := discover.ACLs(ctx, api, want.VPC)
		if err != nil {
			return State{}, err
		}
		return State{Ready: true, Hops: append(Judge(want, have, acls), left...), Endpoints: Serving(want, have)}, nil
	}
	var intended []ledger.Item
	if plan.MakeGroup {
		intended = append(intended, want.group())
	}
	for _, c := range plan.Create {
		intended = append(intended, want.item(ledger.Endpoint, c.Service))
	}
	if len(intended) > 0 {
		if _, err := book.Record(ctx, want.Owner, intended...); err != nil {
			return State{}, err
		}
	}
	group, err := admit(ctx, api, book, want, have, plan)
	if err != nil {
		return State{}, err
	}
	if plan.MakeGroup {
		made := want.group()
		made.Left = group
		if _, err := book.Confirm(ctx, made); err != nil {
			return State{}, err
		}
	}
	waiting := slices.Clone(plan.Wait)
	for _, c := range plan.Create {
		made := want.item(ledger.Endpoint, c.Service)
		if made.Left, err = create(ctx, api, want, c, group); err != nil {
			return State{}, err
		}
		if made.Left != "" {
			if _, err := book.Confirm(ctx, made); err != nil {
				return State{}, err
			}
		}
		waiting = append(waiting, c.Service+" was asked for")
	}
	for _, e := range plan.Extend {
		slog.InfoContext(ctx, "extending endpoint", "endpoint", e.Endpoint, "subnets", e.Subnets, "group", e.Group)
		parts := made(want, have, e.Service, e.Endpoint, e.Subnets, e.Group != "")
		if _, err := book.Record(ctx, want.Owner, parts...); err != nil {
			return State{}, err
		}
		in := &ec2.ModifyVpcEndpointInput{VpcEndpointId: &e.Endpoint, AddSubnetIds: e.Subnets}
		if e.Group != "" {
			in.AddSecurityGroupIds = []string{e.Group}
		}
		if _, err := api.ModifyVpcEndpoint(ctx, in); err != nil {
			return State{}, fmt.Errorf("extending %s to %s: %w", e.Endpoint, strings.Join(append(slices.Clone(e.Subnets), in.AddSecurityGroupIds...), ", "), err)
		}
		if _, err := book.Confirm(ctx, parts...); err != nil {
			return State{}, err
		}
		waiting = append(waiting, e.Endpoint+" was extended")
	}
	for _, e := range plan.Delete { // it is Drawbridge's own hand that takes it
		if _, err := book.Mark(ctx, want.item(ledger.Endpoint, e.Service), func(i *ledger.Item) { i.State, i.Left = ledger.Intended, "" }); err != nil {
			return State{}, err
		}
	}
	if err := remove(ctx, api, plan.Delete); err != nil {
		return State{}, err
	}
	for _, e := range plan.Delete {
		waiting = append(waiting, fmt.Sprintf("%s was %s and is deleted", e.ID, e.State))
	}
	if len(waiting) == 0 {
		waiting = append(waiting, "the security group was brought in line")
	}
	return State{Waiting: waiting, Hops: []workflow.Hop{}}, nil
}

// admit makes our security group let in whom the plan says, and returns its id.
func admit(ctx context.Context, api Client, book ledger.Ledger, want Want, have Network, plan Changes) (string, error) {
	group := have.Group
	if plan.MakeGroup {
		name := GroupName(want.Owner)
		slog.InfoContext(ctx, "creating security group", "group", name, "vpc", want.VPC)
		out, err := api.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: &name, VpcId: &want.VPC,
			Description:       aws.String(fit.Description("Drawbridge: HTTPS to the interface endpoints of " + want.Owner)),
			TagSpecifications: tags(types.ResourceTypeSecurityGroup, want.Owner)})
		// "InvalidGroup.Duplicate": another execution made it in this moment. The next look finds it, unless it is a
		// stranger's of the same name, which that look does not count as ours.
		if fault.HasCode(err, "InvalidGroup.Duplicate") {
			return "", fault.New(fault.NotYet, "creating security group %s in %s: it is there already; if it does not carry the tag %s=%s, somebody else made it and must give it another name", name, want.VPC, TagConnection, want.Owner)
		}
		if err != nil {
			return "", fmt.Errorf("creating security group %s in %s: %w", name, want.VPC, err)
		}
		group = aws.ToString(out.GroupId)
	}
	for _, source := range plan.Admit {
		slog.InfoContext(ctx, "authorizing", "group", group, "source", source)
		rule := want.rule(group, source)
		if _, err := book.Record(ctx, want.Owner, rule); err != nil {
			return "", err
		}
		got, err := api.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group,
			IpPermissions: []types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(HTTPS), ToPort: aws.Int32(HTTPS),
				IpRanges: []types.IpRange{{CidrIp: aws.String(source.String()), Description: aws.String(fit.Description("Drawbridge: " + want.Owner))}}}},
			TagSpecifications: tags(types.ResourceTypeSecurityGroupRule, want.Owner)})
		if fault.HasCode(err, "RulesPerSecurityGroupLimitExceeded") {
			return "", fault.NewConflict(fmt.Sprintf("security group %s is full: %v", group, err), "name fewer ranges or raise the quota \"Inbound or outbound rules per security group\", then set the tag of the VPC by which it asks anew")
		}
		if err != nil && !fault.HasCode(err, "InvalidPermission.Duplicate") {
			return "", fmt.Errorf("admitting %s in %s: %w", source, group, err)
		}
		if err == nil && got != nil && len(got.SecurityGroupRules) == 1 {
			rule.Left = aws.ToString(got.SecurityGroupRules[0].SecurityGroupRuleId)
			if _, err := book.Confirm(ctx, rule); err != nil {
				return "", err
			}
		}
	}
	if len(plan.Revoke) > 0 {
		var rules []string
		for _, r := range plan.Revoke {
			rules = append(rules, r.ID)
		}
		slog.InfoContext(ctx, "revoking", "group", group, "rules", rules)
		_, err := api.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, SecurityGroupRuleIds: rules})
		if err != nil && !fault.HasCode(err, "InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound") {
			return "", fmt.Errorf("revoking in %s: %w", group, err)
		}
		if err := book.Cancel(ctx, want.Owner, want.gone(plan.Revoke)); err != nil {
			return "", err
		}
	}
	return group, nil
}

// create asks for one endpoint, and returns its id; none if somebody else made one in this moment.
func create(ctx context.Context, api Client, want Want, c Creation, group string) (string, error) {
	slog.InfoContext(ctx, "creating endpoint", "service", c.Service, "vpc", want.VPC, "subnets", c.Subnets)
	made, err := api.CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{
		VpcEndpointType: types.VpcEndpointTypeInterface, VpcId: &want.VPC, ServiceName: &c.Service, SubnetIds: c.Subnets,
		SecurityGroupIds: []string{group}, PrivateDnsEnabled: aws.Bool(true),
		TagSpecifications: tags(types.ResourceTypeVpcEndpoint, want.Owner)})
	// "private-dns-enabled cannot be set because there is already a conflicting DNS domain for … in the VPC": another
	// execution or the owner made one in this moment, or a private hosted zone has the name.
	if fault.HasCode(err, "InvalidParameter") && strings.Contains(err.Error(), "conflicting DNS domain") {
		endpoints, readErr := readEndpoints(ctx, api, want.VPC)
		if readErr != nil {
			return "", readErr
		}
		if slices.ContainsFunc(endpoints, func(e Endpoint) bool { return e.Service == c.Service && !e.gone() }) {
			return "", nil
		}
		return "", fault.NewConflict(fmt.Sprintf("%s resolves the private DNS name of %s already, by no endpoint of its own", want.VPC, c.Service),
			"take the VPC's association with the private hosted zone of that name away, or make the endpoint yourself without private DNS, then set the tag of the VPC by which it asks anew")
	}
	if fault.HasCode(err, "VpcEndpointLimitExceeded") {
		return "", fault.NewConflict(fmt.Sprintf("%s has no room for an endpoint of %s: %v", want.VPC, c.Service, err),
			"raise the quota \"Interface and Gateway Load Balancer endpoints per VPC\", then set the tag of the VPC by which it asks anew")
	}
	if err != nil {
		return "", fmt.Errorf("creating an endpoint of %s in %s: %w", c.Service, want.VPC, err)
	}
	if made.VpcEndpoint == nil {
		return "", nil
	}
	return aws.ToString(made.VpcEndpoint.VpcEndpointId), nil
}

// Serving returns the endpoints that serve the wanted services, by service.
func Serving(want Want, have Network) []Endpoint {
	out := []Endpoint{}
	for _, service := range slices.Sorted(slices.Values(want.Services)) {
		if e, ok := have.Of(service); ok {
			out = append(out, e)
		}
	}
	return out
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

func tags(kind types.ResourceType, owner string) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: kind, Tags: []types.Tag{{Key: aws.String(TagConnection), Value: &owner}}}}
}
