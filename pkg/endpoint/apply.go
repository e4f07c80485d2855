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
	s := step{api: api, book: book, want: want, have: have, plan: plan, group: have.Group, waiting: slices.Clone(plan.Wait)}
	for _, part := range []func(context.Context) error{s.intend, s.makeGroup, s.admit, s.revoke, s.create, s.extend, s.replace} {
		if err := part(ctx); err != nil {
			return State{}, err
		}
	}
	if len(s.waiting) == 0 {
		s.waiting = append(s.waiting, "the security group was brought in line")
	}
	return State{Waiting: s.waiting, Hops: []workflow.Hop{}}, nil
}

// step is one step of a VPC towards what is wanted, by a plan.
type step struct {
	api     Client
	book    ledger.Ledger
	want    Want
	have    Network
	plan    Changes
	group   string   // our security group, once there is one
	waiting []string // what the next step waits for, in words
}

// intend writes down what is about to be made.
func (s *step) intend(ctx context.Context) error {
	var intended []ledger.Item
	if s.plan.MakeGroup {
		intended = append(intended, s.want.group())
	}
	for _, c := range s.plan.Create {
		intended = append(intended, s.want.item(ledger.Endpoint, c.Service))
	}
	if len(intended) == 0 {
		return nil
	}
	_, err := s.book.Record(ctx, s.want.Owner, intended...)
	return err
}

// makeGroup makes our security group.
func (s *step) makeGroup(ctx context.Context) error {
	if !s.plan.MakeGroup {
		return nil
	}
	want, name := s.want, GroupName(s.want.Owner)
	slog.InfoContext(ctx, "creating security group", "group", name, "vpc", want.VPC)
	out, err := s.api.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: &name, VpcId: &want.VPC,
		Description:       aws.String(fit.Description("Drawbridge: HTTPS to the interface endpoints of " + want.Owner)),
		TagSpecifications: tags(types.ResourceTypeSecurityGroup, want.Owner)})
	// "InvalidGroup.Duplicate": another execution made it in this moment. The next look finds it, unless it is a
	// stranger's of the same name, which that look does not count as ours.
	if fault.HasCode(err, "InvalidGroup.Duplicate") {
		return fault.New(fault.NotYet, "creating security group %s in %s: it is there already; if it does not carry the tag %s=%s, somebody else made it and must give it another name", name, want.VPC, TagConnection, want.Owner)
	}
	if err != nil {
		return fmt.Errorf("creating security group %s in %s: %w", name, want.VPC, err)
	}
	s.group = aws.ToString(out.GroupId)
	made := want.group()
	made.Left = s.group
	_, err = s.book.Confirm(ctx, made)
	return err
}

// admit makes our security group let in whom the plan says.
func (s *step) admit(ctx context.Context) error {
	for _, source := range s.plan.Admit {
		slog.InfoContext(ctx, "authorizing", "group", s.group, "source", source)
		rule := s.want.rule(s.group, source)
		if _, err := s.book.Record(ctx, s.want.Owner, rule); err != nil {
			return err
		}
		got, err := s.api.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &s.group,
			IpPermissions: []types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(HTTPS), ToPort: aws.Int32(HTTPS),
				IpRanges: []types.IpRange{{CidrIp: aws.String(source.String()), Description: aws.String(fit.Description("Drawbridge: " + s.want.Owner))}}}},
			TagSpecifications: tags(types.ResourceTypeSecurityGroupRule, s.want.Owner)})
		if fault.HasCode(err, "RulesPerSecurityGroupLimitExceeded") {
			return fault.NewConflict(fmt.Sprintf("security group %s is full: %v", s.group, err), "name fewer ranges or raise the quota \"Inbound or outbound rules per security group\", then set the tag of the VPC by which it asks anew")
		}
		if err != nil && !fault.HasCode(err, "InvalidPermission.Duplicate") {
			return fmt.Errorf("admitting %s in %s: %w", source, s.group, err)
		}
		if err == nil && got != nil && len(got.SecurityGroupRules) == 1 {
			rule.Left = aws.ToString(got.SecurityGroupRules[0].SecurityGroupRuleId)
			if _, err := s.book.Confirm(ctx, rule); err != nil {
				return err
			}
		}
	}
	return nil
}

// revoke makes our security group no longer let in whom the plan says.
func (s *step) revoke(ctx context.Context) error {
	if len(s.plan.Revoke) == 0 {
		return nil
	}
	var rules []string
	for _, r := range s.plan.Revoke {
		rules = append(rules, r.ID)
	}
	slog.InfoContext(ctx, "revoking", "group", s.group, "rules", rules)
	_, err := s.api.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &s.group, SecurityGroupRuleIds: rules})
	if err != nil && !fault.HasCode(err, "InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound") {
		return fmt.Errorf("revoking in %s: %w", s.group, err)
	}
	return s.book.Cancel(ctx, s.want.Owner, s.want.gone(s.plan.Revoke))
}

// create asks for the endpoints that are missing.
func (s *step) create(ctx context.Context) (err error) {
	for _, c := range s.plan.Create {
		made := s.want.item(ledger.Endpoint, c.Service)
		if made.Left, err = create(ctx, s.api, s.want, c, s.group); err != nil {
			return err
		}
		if made.Left != "" {
			if _, err := s.book.Confirm(ctx, made); err != nil {
				return err
			}
		}
		s.waiting = append(s.waiting, c.Service+" was asked for")
	}
	return nil
}

// extend gives endpoints the subnets and the security group that they lack.
func (s *step) extend(ctx context.Context) error {
	for _, e := range s.plan.Extend {
		slog.InfoContext(ctx, "extending endpoint", "endpoint", e.Endpoint, "subnets", e.Subnets, "group", e.Group)
		parts := made(s.want, s.have, e.Service, e.Endpoint, e.Subnets, e.Group != "")
		if _, err := s.book.Record(ctx, s.want.Owner, parts...); err != nil {
			return err
		}
		in := &ec2.ModifyVpcEndpointInput{VpcEndpointId: &e.Endpoint, AddSubnetIds: e.Subnets}
		if e.Group != "" {
			in.AddSecurityGroupIds = []string{e.Group}
		}
		if _, err := s.api.ModifyVpcEndpoint(ctx, in); err != nil {
			return fmt.Errorf("extending %s to %s: %w", e.Endpoint, strings.Join(append(slices.Clone(e.Subnets), in.AddSecurityGroupIds...), ", "), err)
		}
		if _, err := s.book.Confirm(ctx, parts...); err != nil {
			return err
		}
		s.waiting = append(s.waiting, e.Endpoint+" was extended")
	}
	return nil
}

// replace deletes the endpoints of ours that failed: the next step makes them anew.
func (s *step) replace(ctx context.Context) error {
	for _, e := range s.plan.Delete { // it is Drawbridge's own hand that takes it
		if _, err := s.book.Mark(ctx, s.want.item(ledger.Endpoint, e.Service), func(i *ledger.Item) { i.State, i.Left = ledger.Intended, "" }); err != nil {
			return err
		}
	}
	if err := remove(ctx, s.api, s.plan.Delete); err != nil {
		return err
	}
	for _, e := range s.plan.Delete {
		s.waiting = append(s.waiting, fmt.Sprintf("%s was %s and is deleted", e.ID, e.State))
	}
	return nil
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

func tags(kind types.ResourceType, owner string) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: kind, Tags: []types.Tag{{Key: aws.String(TagConnection), Value: &owner}}}}
}
