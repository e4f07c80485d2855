package route

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Subnet is a subnet with its addresses.
type Subnet struct {
	ID string
	V4 netip.Prefix
	V6 netip.Prefix // the zero value if it has none
	// Zone is the Availability Zone that it is in, and ZoneID what that is called in every account; Outpost the ARN of an Outpost, if it is on one.
	Zone, ZoneID, Outpost string
	// Owner is the account that owns its VPC, where several are read of which some may be another account's.
	Owner string
	// Client says that its owner marks it as a client's, and Apart that its owner keeps it out of every connection.
	Client, Apart bool
}

// SubnetReader is what [ReadSubnets] needs of EC2.
type SubnetReader interface {
	DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error)
}

// ReadSubnets returns all subnets of a VPC, sorted by id.
func ReadSubnets(ctx context.Context, ec2api SubnetReader, vpc string) ([]Subnet, error) {
	var out []Subnet
	pages := ec2.NewDescribeSubnetsPaginator(ec2api, &ec2.DescribeSubnetsInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the subnets of %s: %w", vpc, err)
		}
		for _, s := range page.Subnets {
			one := Subnet{ID: aws.ToString(s.SubnetId), Zone: aws.ToString(s.AvailabilityZone), ZoneID: aws.ToString(s.AvailabilityZoneId), Outpost: aws.ToString(s.OutpostArn)}
			one.V4, _ = netip.ParsePrefix(aws.ToString(s.CidrBlock))
			tags := tag.Clean(tag.Subnet, tag.OfEC2(s.Tags))
			one.Client, one.Apart = tags[tag.Client] == "true", tags[tag.Reach] == tag.NoReach
			for _, a := range s.Ipv6CidrBlockAssociationSet {
				if p, err := netip.ParsePrefix(aws.ToString(a.Ipv6CidrBlock)); err == nil {
					one.V6 = p.Masked()
				}
			}
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b Subnet) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// SubnetIDs returns the ids of subnets, in their order.
func SubnetIDs(subnets []Subnet) []string {
	var out []string
	for _, s := range subnets {
		out = append(out, s.ID)
	}
	return out
}

// Ranges returns the CIDRs of those of subnets that have one of ids, sorted; nothing if one of ids is not among them.
func Ranges(subnets []Subnet, ids []string) []netip.Prefix {
	var out []netip.Prefix
	for _, id := range ids {
		at := slices.IndexFunc(subnets, func(s Subnet) bool { return s.ID == id })
		if at < 0 {
			return nil
		}
		for _, p := range []netip.Prefix{subnets[at].V4, subnets[at].V6} {
			if p.IsValid() {
				out = append(out, p)
			}
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return out
}

// CIDRs returns all CIDRs that are associated with a VPC, or about to be: primary and secondary, IPv4 and IPv6, sorted.
func CIDRs(v types.Vpc) []netip.Prefix {
	var out []netip.Prefix
	add := func(text *string) {
		if p, err := netip.ParsePrefix(aws.ToString(text)); err == nil {
			out = append(out, p.Masked())
		}
	}
	add(v.CidrBlock)
	for _, a := range v.CidrBlockAssociationSet {
		if a.CidrBlockState == nil || current(a.CidrBlockState.State) {
			add(a.CidrBlock)
		}
	}
	for _, a := range v.Ipv6CidrBlockAssociationSet {
		if a.Ipv6CidrBlockState == nil || current(a.Ipv6CidrBlockState.State) {
			add(a.Ipv6CidrBlock)
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}

func current(s types.VpcCidrBlockStateCode) bool {
	return s == types.VpcCidrBlockStateCodeAssociated || s == types.VpcCidrBlockStateCodeAssociating
}
