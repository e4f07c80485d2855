package discover

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// values is how many values EC2 takes in one filter.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
const values = 200

func inVPC(id string) []types.Filter {
	return []types.Filter{{Name: aws.String("vpc-id"), Values: []string{id}}}
}

// vpc reads a VPC.
func (r Reader) vpc(ctx context.Context, v VPC) (network.VPC, error) {
	out := network.VPC{ID: v.ID, Account: v.Account, Region: v.Region, CIDRs: v.CIDRs}
	api := r.Enter(v.Place())
	var tables []workflow.Table
	err := together(
		func() (err error) { out.Subnets, err = subnets(ctx, api, v); return },
		func() (err error) { tables, err = route.Read(ctx, api, v.ID); return },
		func() (err error) { out.ACLs, err = ACLs(ctx, api, v.ID); return },
		func() (err error) { out.Groups, err = groups(ctx, api, v.unseen()); return },
		func() (err error) { out.Names, err = names(ctx, api, v); return },
	)
	if err != nil {
		return out, fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
	}
	out.Groups = append(out.Groups, v.Seen...)
	lists := lists{api: api}
	if tables, err = lists.expand(ctx, tables, v.Subnets); err == nil {
		err = lists.admit(ctx, out.Groups)
	}
	if err != nil {
		return out, fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
	}
	out.Tables = route.Model(tables)
	return out, nil
}

// unseen are the groups that are to be read.
func (v VPC) unseen() []string {
	return slices.DeleteFunc(slices.Clone(v.Groups), func(id string) bool {
		return slices.ContainsFunc(v.Seen, func(g network.Group) bool { return g.ID == id })
	})
}

func subnets(ctx context.Context, api EC2, v VPC) ([]network.Subnet, error) {
	out := []network.Subnet{}
	unknown := func(id string) bool {
		return !slices.ContainsFunc(v.Known, func(s workflow.EndSubnet) bool { return s.ID == id })
	}
	if len(v.Known) > 0 && !slices.ContainsFunc(v.Subnets, unknown) {
		for _, s := range v.Known {
			out = append(out, network.Subnet{ID: s.ID, Zone: s.Zone, ZoneID: s.ZoneID, Outpost: s.Outpost, CIDRs: s.CIDRs})
		}
		return out, nil
	}
	found, err := route.ReadSubnets(ctx, api, v.ID)
	for _, s := range found {
		one := network.Subnet{ID: s.ID, Zone: s.Zone, ZoneID: s.ZoneID, Outpost: s.Outpost}
		if s.V4.IsValid() {
			one.CIDRs = append(one.CIDRs, s.V4)
		}
		if s.V6.IsValid() {
			one.CIDRs = append(one.CIDRs, s.V6)
		}
		out = append(out, one)
	}
	return out, err
}

// ACLReader is what [ACLs] needs of EC2.
type ACLReader interface {
	DescribeNetworkAcls(context.Context, *ec2.DescribeNetworkAclsInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkAclsOutput, error)
}

// ACLs returns the network ACLs of a VPC.
func ACLs(ctx context.Context, api ACLReader, vpc string) ([]network.ACL, error) {
	out := []network.ACL{}
	pages := ec2.NewDescribeNetworkAclsPaginator(api, &ec2.DescribeNetworkAclsInput{Filters: inVPC(vpc)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the network ACLs of %s: %w", vpc, err)
		}
		for _, a := range page.NetworkAcls {
			out = append(out, convertACL(a))
		}
	}
	return out, nil
}

// groups reads security groups by their ids. The owner of a VPC sees those of its participants as well.
func groups(ctx context.Context, api EC2, ids []string) ([]network.Group, error) {
	out := []network.Group{}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), values) {
		pages := ec2.NewDescribeSecurityGroupsPaginator(api, &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("group-id"), Values: some}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading the security groups %s: %w", strings.Join(some, ", "), err)
			}
			for _, g := range page.SecurityGroups {
				out = append(out, convertGroup(g))
			}
		}
	}
	return out, nil
}

// amazon is what DHCP options name Amazon's resolver.
// https://docs.aws.amazon.com/vpc/latest/userguide/VPC_DHCP_Options.html
const amazon = "AmazonProvidedDNS"

// names reads how names are resolved, as far as it matters.
func names(ctx context.Context, api EC2, v VPC) (network.Names, error) {
	var out network.Names
	attribute := func(name types.VpcAttributeName) (network.Answer, error) {
		got, err := api.DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{VpcId: &v.ID, Attribute: name})
		if err != nil {
			return network.Unknown, fmt.Errorf("reading %s of %s: %w", name, v.ID, err)
		}
		of := got.EnableDnsSupport
		if name == types.VpcAttributeNameEnableDnsHostnames {
			of = got.EnableDnsHostnames
		}
		if of == nil || of.Value == nil {
			return network.Unknown, nil
		}
		return network.Is(*of.Value), nil
	}
	var jobs []func() error
	if v.Names || v.Public {
		jobs = append(jobs, func() (err error) { out.Support, err = attribute(types.VpcAttributeNameEnableDnsSupport); return })
	}
	if v.Public {
		jobs = append(jobs, func() (err error) {
			out.Hostnames, err = attribute(types.VpcAttributeNameEnableDnsHostnames)
			return
		})
	}
	if v.Names {
		jobs = append(jobs, func() (err error) { out.Server, err = server(ctx, api, v); return })
	}
	return out, together(jobs...)
}

// server returns the DNS servers of the owner's own that the DHCP options of a VPC name; "" if they name Amazon's.
func server(ctx context.Context, api EC2, v VPC) (string, error) {
	id := v.DHCP
	if id == "" {
		got, err := api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{v.ID}})
		if err == nil && len(got.Vpcs) == 0 {
			err = fault.New(fault.NotYet, "EC2 does not show it")
		}
		if err != nil {
			return "", fmt.Errorf("reading %s: %w", v.ID, err)
		}
		id = aws.ToString(got.Vpcs[0].DhcpOptionsId)
	}
	if id == "" || id == "default" { // none: Amazon's resolver answers all the same to who asks it, and nobody is told to
		return "", nil
	}
	options, err := api.DescribeDhcpOptions(ctx, &ec2.DescribeDhcpOptionsInput{DhcpOptionsIds: []string{id}})
	if err != nil {
		return "", fmt.Errorf("reading the DHCP options %s of %s: %w", id, v.ID, err)
	}
	var servers []string
	for _, o := range options.DhcpOptions {
		for _, c := range o.DhcpConfigurations {
			for _, value := range c.Values {
				if aws.ToString(c.Key) == "domain-name-servers" && aws.ToString(value.Value) != amazon {
					servers = append(servers, aws.ToString(value.Value))
				}
			}
		}
	}
	return strings.Join(servers, ", "), nil
}

// peerings reads peerings as the first of the VPCs' accounts sees them.
func (r Reader) peerings(ctx context.Context, ids []string, vpcs [2]VPC) ([]network.Peering, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	at := vpcs[0].Place()
	got, err := r.Enter(at).DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: ids})
	if fault.HasCode(err, "InvalidVpcPeeringConnectionID.NotFound") { // over: who verifies finds that out by itself
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s in %s, %s: %w", strings.Join(ids, ", "), at.Account, at.Region, err)
	}
	var out []network.Peering
	for _, c := range got.VpcPeeringConnections {
		out = append(out, convertPeering(c))
	}
	slices.SortFunc(out, func(a, b network.Peering) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}
