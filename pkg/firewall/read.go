package firewall

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

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// RuleReader is what it takes to read rules.
type RuleReader interface {
	DescribeSecurityGroupRules(context.Context, *ec2.DescribeSecurityGroupRulesInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error)
}

// held converts rules as EC2 holds them.
func held(rules []types.SecurityGroupRule) []Held {
	var out []Held
	for _, r := range rules {
		h := Held{ID: aws.ToString(r.SecurityGroupRuleId), Group: aws.ToString(r.GroupId), Egress: aws.ToBool(r.IsEgress), Allows: allows(r)}
		if rule := admitted(r); rule.CIDR.IsValid() || strings.HasPrefix(rule.Other, "sg-") {
			h.Key = Key(rule, h.Egress)
		}
		out = append(out, h)
	}
	return out
}

// readHeld returns all rules of groups.
func readHeld(ctx context.Context, ec2api RuleReader, groups []string) ([]Held, error) {
	groups = slices.Clone(groups)
	slices.Sort(groups)
	var out []Held
	for ids := range slices.Chunk(slices.Compact(groups), pageSize) {
		pages := ec2.NewDescribeSecurityGroupRulesPaginator(ec2api, &ec2.DescribeSecurityGroupRulesInput{MaxResults: aws.Int32(1000),
			Filters: []types.Filter{{Name: aws.String("group-id"), Values: ids}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading the rules of %s: %w", strings.Join(ids, ", "), err)
			}
			out = append(out, held(page.SecurityGroupRules)...)
		}
	}
	return out, nil
}

// pageSize is how many groups are asked for at a time.
const pageSize = 100

// admitted returns what a rule lets through, if it is for TCP.
func admitted(r types.SecurityGroupRule) Rule {
	if p := aws.ToString(r.IpProtocol); p != "tcp" && p != "6" {
		return Rule{}
	}
	out := Rule{From: int(aws.ToInt32(r.FromPort)), To: int(aws.ToInt32(r.ToPort)), Other: aws.ToString(r.PrefixListId)}
	if g := r.ReferencedGroupInfo; g != nil {
		out.Other = aws.ToString(g.GroupId)
	}
	if cidr, err := netip.ParsePrefix(cmp.Or(aws.ToString(r.CidrIpv4), aws.ToString(r.CidrIpv6))); err == nil {
		out.CIDR = cidr.Masked()
	}
	return out
}

// allows says what a rule lets through.
func allows(r types.SecurityGroupRule) string {
	ports := fmt.Sprint(aws.ToInt32(r.FromPort))
	if aws.ToInt32(r.ToPort) != aws.ToInt32(r.FromPort) {
		ports += "-" + fmt.Sprint(aws.ToInt32(r.ToPort))
	}
	direction := "from"
	if aws.ToBool(r.IsEgress) {
		direction = "to"
	}
	return fmt.Sprintf("%s %s %s %s", strings.ToUpper(aws.ToString(r.IpProtocol)), ports, direction,
		cmp.Or(aws.ToString(r.CidrIpv4), aws.ToString(r.CidrIpv6), admitted(r).Other, "a group"))
}

// readInterfaces returns what has one of groups: it is asked for these alone. What is attached to nothing listens to nothing.
func readInterfaces(ctx context.Context, ec2api client, groups []string) ([]Interface, error) {
	groups = slices.Clone(groups)
	slices.Sort(groups)
	var out []Interface
	for ids := range slices.Chunk(slices.Compact(groups), pageSize) {
		pages := ec2.NewDescribeNetworkInterfacesPaginator(ec2api, &ec2.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(1000),
			Filters: []types.Filter{{Name: aws.String("group-id"), Values: ids}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading what has the security groups %s: %w", strings.Join(ids, ", "), err)
			}
			for _, i := range page.NetworkInterfaces {
				if i.Status == types.NetworkInterfaceStatusAvailable {
					continue
				}
				one := Interface{ID: aws.ToString(i.NetworkInterfaceId), Type: string(i.InterfaceType), Description: aws.ToString(i.Description), Managed: aws.ToBool(i.RequesterManaged)}
				if i.Attachment != nil {
					one.Instance = aws.ToString(i.Attachment.InstanceId)
				}
				for _, g := range i.Groups {
					one.Groups = append(one.Groups, aws.ToString(g.GroupId))
				}
				out = append(out, one)
			}
		}
	}
	return out, nil
}

// ReadGroups returns the security groups in a VPC that an account sees, sorted by id.
func ReadGroups(ctx context.Context, ec2api ec2.DescribeSecurityGroupsAPIClient, vpc string) ([]Group, error) {
	var groups []Group
	pages := ec2.NewDescribeSecurityGroupsPaginator(ec2api, &ec2.DescribeSecurityGroupsInput{
		Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the security groups of %s: %w", vpc, err)
		}
		for _, g := range page.SecurityGroups {
			tags := tag.Clean(tag.Group, tag.OfEC2(g.Tags))
			groups = append(groups, Group{ID: aws.ToString(g.GroupId), Owner: aws.ToString(g.OwnerId), Name: aws.ToString(g.GroupName),
				Open: tags[tag.Open] == "true", Client: tags[tag.Client] == "true", Apart: tags[tag.Reach] == tag.NoReach, Ingress: rules(g.IpPermissions), Egress: rules(g.IpPermissionsEgress)})
		}
	}
	slices.SortFunc(groups, func(a, b Group) int { return strings.Compare(a.ID, b.ID) })
	return groups, nil
}

// rules expands permissions to one source each and keeps those for TCP. Protocol -1 is all protocols and ports.
func rules(permissions []types.IpPermission) []Rule {
	var out []Rule
	for _, p := range permissions {
		from, to := 0, 65535
		switch aws.ToString(p.IpProtocol) {
		case "-1":
		case "tcp", "6":
			if p.FromPort != nil && p.ToPort != nil && *p.FromPort >= 0 {
				from, to = int(*p.FromPort), int(*p.ToPort)
			}
		default:
			continue
		}
		for _, r := range p.IpRanges {
			if cidr, err := netip.ParsePrefix(aws.ToString(r.CidrIp)); err == nil {
				out = append(out, Rule{From: from, To: to, CIDR: cidr.Masked()})
			}
		}
		for _, r := range p.Ipv6Ranges {
			if cidr, err := netip.ParsePrefix(aws.ToString(r.CidrIpv6)); err == nil {
				out = append(out, Rule{From: from, To: to, CIDR: cidr.Masked()})
			}
		}
		for _, g := range p.UserIdGroupPairs {
			out = append(out, Rule{From: from, To: to, Other: aws.ToString(g.GroupId)})
		}
		for _, l := range p.PrefixListIds {
			out = append(out, Rule{From: from, To: to, Other: aws.ToString(l.PrefixListId)})
		}
	}
	return out
}
