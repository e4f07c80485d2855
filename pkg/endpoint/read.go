package endpoint

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Reader is what [Read] needs of EC2.
type Reader interface {
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeVpcAttribute(context.Context, *ec2.DescribeVpcAttributeInput, ...func(*ec2.Options)) (*ec2.DescribeVpcAttributeOutput, error)
	DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error)
	DescribeVpcEndpointServices(context.Context, *ec2.DescribeVpcEndpointServicesInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointServicesOutput, error)
	lister
}

// lister reads what there is of endpoints and their groups.
type lister interface {
	DescribeVpcEndpoints(context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error)
	DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
	DescribeSecurityGroupRules(context.Context, *ec2.DescribeSecurityGroupRulesInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error)
}

// Read returns what one VPC has, as far as what is wanted is concerned.
func Read(ctx context.Context, api Reader, want Want) (Network, error) {
	have := Network{VPC: want.VPC}
	vpcs, err := api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{want.VPC}})
	if err != nil {
		return have, fmt.Errorf("reading %s: %w", want.VPC, err)
	}
	for _, v := range vpcs.Vpcs {
		for _, b := range v.CidrBlockAssociationSet {
			if b.CidrBlockState == nil || b.CidrBlockState.State == types.VpcCidrBlockStateCodeAssociated {
				if cidr, err := netip.ParsePrefix(aws.ToString(b.CidrBlock)); err == nil {
					have.CIDRs = append(have.CIDRs, cidr.Masked())
				}
			}
		}
	}
	slices.SortFunc(have.CIDRs, netip.Prefix.Compare)
	for _, name := range []types.VpcAttributeName{types.VpcAttributeNameEnableDnsSupport, types.VpcAttributeNameEnableDnsHostnames} {
		out, err := api.DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{VpcId: &want.VPC, Attribute: name})
		if err != nil {
			return have, fmt.Errorf("reading %s of %s: %w", name, want.VPC, err)
		}
		if out.EnableDnsSupport != nil {
			have.DNSSupport = aws.ToBool(out.EnableDnsSupport.Value)
		}
		if out.EnableDnsHostnames != nil {
			have.DNSHostnames = aws.ToBool(out.EnableDnsHostnames.Value)
		}
	}
	if have.Subnets, err = readSubnets(ctx, api, want.VPC); err != nil {
		return have, err
	}
	if have.Offers, err = readOffers(ctx, api, want); err != nil {
		return have, err
	}
	all, err := readEndpoints(ctx, api, want.VPC)
	if err != nil {
		return have, err
	}
	var groups []string
	for _, e := range all {
		if slices.Contains(want.Services, e.Service) {
			have.Endpoints = append(have.Endpoints, e)
			groups = append(groups, e.Groups...)
		}
	}
	if have.Group, err = ownGroup(ctx, api, want.Owner, want.VPC); err != nil {
		return have, err
	}
	if have.Group != "" {
		groups = append(groups, have.Group)
	}
	slices.Sort(groups)
	have.Rules, err = readRules(ctx, api, slices.Compact(groups))
	return have, err
}

func readSubnets(ctx context.Context, api Reader, vpc string) ([]Subnet, error) {
	var out []Subnet
	pages := ec2.NewDescribeSubnetsPaginator(api, &ec2.DescribeSubnetsInput{Filters: of("vpc-id", vpc)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the subnets of %s: %w", vpc, err)
		}
		for _, s := range page.Subnets {
			one := Subnet{ID: aws.ToString(s.SubnetId), Zone: aws.ToString(s.AvailabilityZone), Free: int(aws.ToInt32(s.AvailableIpAddressCount))}
			if cidr, err := netip.ParsePrefix(aws.ToString(s.CidrBlock)); err == nil {
				one.CIDR = cidr.Masked()
			}
			out = append(out, one)
		}
	}
	return out, nil
}

func readOffers(ctx context.Context, api Reader, want Want) ([]Offer, error) {
	var out []Offer
	// A filter, not ServiceNames: a name that AWS does not know here is then an empty answer, not an error.
	page, err := api.DescribeVpcEndpointServices(ctx, &ec2.DescribeVpcEndpointServicesInput{Filters: of("service-name", want.Services...)})
	if err != nil {
		return nil, fmt.Errorf("reading which endpoints AWS offers for %s: %s: %w", want.VPC, strings.Join(want.Services, ", "), err)
	}
	for _, s := range page.ServiceDetails {
		if !slices.ContainsFunc(s.ServiceType, func(t types.ServiceTypeDetail) bool { return t.ServiceType == types.ServiceTypeInterface }) {
			continue
		}
		one := Offer{Service: aws.ToString(s.ServiceName), Zones: s.AvailabilityZones}
		for _, n := range s.PrivateDnsNames {
			one.Names = append(one.Names, aws.ToString(n.PrivateDnsName))
		}
		out = append(out, one)
	}
	return out, nil
}

// readEndpoints returns the interface endpoints of a VPC, sorted by id.
func readEndpoints(ctx context.Context, api interface {
	DescribeVpcEndpoints(context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error)
}, vpc string) ([]Endpoint, error) {
	var out []Endpoint
	pages := ec2.NewDescribeVpcEndpointsPaginator(api, &ec2.DescribeVpcEndpointsInput{Filters: of("vpc-id", vpc)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the endpoints of %s: %w", vpc, err)
		}
		for _, e := range page.VpcEndpoints {
			if e.VpcEndpointType == types.VpcEndpointTypeInterface {
				out = append(out, convert(e))
			}
		}
	}
	slices.SortFunc(out, func(a, b Endpoint) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// convert spells the state in lower case, as EC2 answers; the SDK's constants have a capital.
func convert(e types.VpcEndpoint) Endpoint {
	out := Endpoint{ID: aws.ToString(e.VpcEndpointId), Service: aws.ToString(e.ServiceName), State: strings.ToLower(string(e.State)),
		PrivateDNS: aws.ToBool(e.PrivateDnsEnabled), Subnets: slices.Sorted(slices.Values(e.SubnetIds))}
	for _, g := range e.Groups {
		out.Groups = append(out.Groups, aws.ToString(g.GroupId))
	}
	slices.Sort(out.Groups)
	out.Owner = tag(e.Tags)
	return out
}

// ownGroup returns the id of the security group that carries the owner's word, or nothing.
func ownGroup(ctx context.Context, api interface {
	DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
}, owner, vpc string) (string, error) {
	out, err := api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{
		Filters: append(of("vpc-id", vpc), append(of("tag:"+TagConnection, owner), of("group-name", GroupName(owner))...)...)})
	if err != nil {
		return "", fmt.Errorf("reading security group %s of %s: %w", GroupName(owner), vpc, err)
	}
	for _, g := range out.SecurityGroups {
		return aws.ToString(g.GroupId), nil // a name is unique in a VPC
	}
	return "", nil
}

func readRules(ctx context.Context, api lister, groups []string) ([]Rule, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	var out []Rule
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(api, &ec2.DescribeSecurityGroupRulesInput{Filters: of("group-id", groups...)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the rules of %s: %w", strings.Join(groups, ", "), err)
		}
		for _, r := range page.SecurityGroupRules {
			protocol := aws.ToString(r.IpProtocol)
			if aws.ToBool(r.IsEgress) || protocol != "tcp" && protocol != "6" && protocol != "-1" {
				continue
			}
			one := Rule{ID: aws.ToString(r.SecurityGroupRuleId), Group: aws.ToString(r.GroupId), From: 0, To: 65535, Owner: tag(r.Tags)}
			if protocol != "-1" {
				one.From, one.To = int(aws.ToInt32(r.FromPort)), int(aws.ToInt32(r.ToPort))
			}
			if cidr, err := netip.ParsePrefix(cmp.Or(aws.ToString(r.CidrIpv4), aws.ToString(r.CidrIpv6))); err == nil {
				one.CIDR = cidr.Masked()
			}
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func of(name string, values ...string) []types.Filter {
	return []types.Filter{{Name: &name, Values: values}}
}

func tag(all []types.Tag) string {
	for _, t := range all {
		if aws.ToString(t.Key) == TagConnection {
			return aws.ToString(t.Value)
		}
	}
	return ""
}
