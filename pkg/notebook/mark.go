package notebook

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Marks is what [Clients] needs of EC2: to find the interfaces at what owners mark as clients.
type Marks interface {
	DescribeNetworkInterfaces(context.Context, *ec2.DescribeNetworkInterfacesInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error)
}

// marked returns what owners mark as clients in a VPC, by the tag drawbridge:client on a subnet or on a security group. What works there, such as EC2,
// Glue, EMR or training jobs, comes and goes; so:
//
//	a subnet  itself, without groups, as whatever is put into it calls; and for each set of groups that an interface in it has now, those:
//	          without the interfaces that AWS keeps for services, as databases, endpoints, gateways
//	a group   the subnets of the interfaces that have it; none: the marked subnets, or none
func marked(ctx context.Context, api Marks, subnets, groups []string) ([]Client, error) {
	var out []Client
	seen := map[string][]Client{} // by subnet
	if err := interfaces(ctx, api, "subnet-id", subnets, func(i types.NetworkInterface) {
		var groups []string
		for _, g := range i.Groups {
			groups = append(groups, aws.ToString(g.GroupId))
		}
		id, groups := aws.ToString(i.SubnetId), unique(groups)
		if len(groups) > 0 && !slices.ContainsFunc(seen[id], func(c Client) bool { return slices.Equal(c.Groups, groups) }) {
			seen[id] = append(seen[id], Client{Name: "interfaces in subnet " + id, Subnets: []string{id}, Groups: groups, Replies: OfAny})
		}
	}); err != nil {
		return nil, err
	}
	for _, id := range subnets {
		out = append(append(out, Client{Name: "subnet " + id, Subnets: []string{id}, Replies: OfAny}), seen[id]...)
	}
	has, beside := map[string][]string{}, map[string][]string{} // the subnets of the interfaces that have a group, and the groups that those have
	if err := interfaces(ctx, api, "group-id", groups, func(i types.NetworkInterface) {
		for _, g := range i.Groups {
			id := aws.ToString(g.GroupId)
			has[id] = append(has[id], aws.ToString(i.SubnetId))
			for _, other := range i.Groups {
				if other := aws.ToString(other.GroupId); other != id {
					beside[id] = append(beside[id], other)
				}
			}
		}
	}); err != nil {
		return nil, err
	}
	for _, id := range groups {
		c := Client{Name: "security group " + id, Groups: []string{id}, OtherGroups: unique(beside[id]), Replies: OfAny}
		if c.Subnets = unique(has[id]); len(c.Subnets) == 0 {
			c.Subnets = subnets
		}
		out = append(out, c)
	}
	return out, nil
}

// values is how many values EC2 takes in one filter.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
const values = 200

// interfaces shows the network interfaces at some places, and no others, without those that AWS keeps for services.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html
func interfaces(ctx context.Context, api Marks, by string, ids []string, show func(types.NetworkInterface)) error {
	for some := range slices.Chunk(ids, values) {
		pages := ec2.NewDescribeNetworkInterfacesPaginator(api, &ec2.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(1000), Filters: []types.Filter{{Name: &by, Values: some}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("reading the network interfaces of %s: %w", strings.Join(some, ", "), err)
			}
			for _, i := range page.NetworkInterfaces {
				if by == "group-id" || !aws.ToBool(i.RequesterManaged) {
					show(i)
				}
			}
		}
	}
	return nil
}

func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}
