package dryrun

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// rule is a rule that is only noted.
type rule struct {
	place
	types.SecurityGroupRule
}

func (w *World) authorize(c call, group *string, permissions []types.IpPermission, tags []types.TagSpecification, egress bool) (added []types.SecurityGroupRule, changes []Change) {
	add := func(p types.IpPermission, r types.SecurityGroupRule) {
		r.GroupId, r.GroupOwnerId, r.IsEgress, r.IpProtocol, r.FromPort, r.ToPort = group, aws.String(c.account), &egress, p.IpProtocol, p.FromPort, p.ToPort
		r.SecurityGroupRuleId = aws.String(w.newID("sgr"))
		for _, t := range tags {
			r.Tags = append(r.Tags, t.Tags...)
		}
		added, w.rules = append(added, r), append(w.rules, rule{c.place, r})
		changes = append(changes, Change{Sign: Adds, What: "rule " + allows(r), Thing: aws.ToString(group)})
	}
	for _, p := range permissions {
		for _, r := range p.IpRanges {
			add(p, types.SecurityGroupRule{CidrIpv4: r.CidrIp, Description: r.Description})
		}
		for _, r := range p.Ipv6Ranges {
			add(p, types.SecurityGroupRule{CidrIpv6: r.CidrIpv6, Description: r.Description})
		}
		for _, r := range p.UserIdGroupPairs {
			add(p, types.SecurityGroupRule{ReferencedGroupInfo: &types.ReferencedSecurityGroup{GroupId: r.GroupId, UserId: r.UserId}, Description: r.Description})
		}
		for _, r := range p.PrefixListIds {
			add(p, types.SecurityGroupRule{PrefixListId: r.PrefixListId, Description: r.Description})
		}
	}
	return added, changes
}

// allows says what a rule lets through.
func allows(r types.SecurityGroupRule) string {
	way, peer := "in from", cmp.Or(aws.ToString(r.CidrIpv4), aws.ToString(r.CidrIpv6), aws.ToString(r.PrefixListId))
	if aws.ToBool(r.IsEgress) {
		way = "out to"
	}
	if r.ReferencedGroupInfo != nil {
		peer = aws.ToString(r.ReferencedGroupInfo.GroupId)
	}
	ports := fmt.Sprint(aws.ToInt32(r.FromPort))
	if aws.ToInt32(r.ToPort) != aws.ToInt32(r.FromPort) {
		ports += "-" + fmt.Sprint(aws.ToInt32(r.ToPort))
	}
	return fmt.Sprintf("%s %s %s %s", strings.ToUpper(aws.ToString(r.IpProtocol)), ports, way, peer)
}

func (w *World) revoke(group *string, ids []string) (changes []Change) {
	if w.gone == nil {
		w.gone = map[string]bool{}
	}
	for _, id := range ids {
		what := id
		if r, ok := w.seen[id]; ok {
			what = allows(r)
		}
		n := slices.IndexFunc(w.rules, func(r rule) bool { return aws.ToString(r.SecurityGroupRuleId) == id })
		if n >= 0 {
			what = allows(w.rules[n].SecurityGroupRule)
			w.rules = slices.Delete(w.rules, n, n+1)
		}
		w.gone[id] = true
		changes = append(changes, Change{Sign: Takes, What: "rule " + what, Thing: aws.ToString(group)})
	}
	return changes
}

func showRules(w *World, c call, out any) {
	in, got := c.in.(*ec2.DescribeSecurityGroupRulesInput), out.(*ec2.DescribeSecurityGroupRulesOutput)
	if w.seen == nil {
		w.seen = map[string]types.SecurityGroupRule{}
	}
	for _, r := range got.SecurityGroupRules {
		w.seen[aws.ToString(r.SecurityGroupRuleId)] = r
	}
	got.SecurityGroupRules = slices.DeleteFunc(slices.Clone(got.SecurityGroupRules), func(r types.SecurityGroupRule) bool { return w.gone[aws.ToString(r.SecurityGroupRuleId)] })
	if aws.ToString(got.NextToken) != "" {
		return
	}
	for _, r := range w.rules {
		if r.place == c.place && matches(in.Filters, map[string]string{"group-id": aws.ToString(r.GroupId)}, r.Tags) {
			got.SecurityGroupRules = append(got.SecurityGroupRules, r.SecurityGroupRule)
		}
	}
}

// matches reports whether a thing with these fields and tags is what filters ask for. Values have no wildcards, but "*" alone.
func matches(filters []types.Filter, fields map[string]string, tags []types.Tag) bool {
	return !slices.ContainsFunc(filters, func(f types.Filter) bool {
		name := aws.ToString(f.Name)
		if key, ok := strings.CutPrefix(name, "tag:"); ok {
			return !slices.ContainsFunc(tags, func(t types.Tag) bool {
				return aws.ToString(t.Key) == key && (slices.Contains(f.Values, "*") || slices.Contains(f.Values, aws.ToString(t.Value)))
			})
		}
		if name == "tag-key" {
			return !slices.ContainsFunc(tags, func(t types.Tag) bool { return slices.Contains(f.Values, aws.ToString(t.Key)) })
		}
		return !slices.Contains(f.Values, fields[name])
	})
}

func showGroups(w *World, c call, out any) {
	got := out.(*ec2.DescribeSecurityGroupsOutput)
	w.endpoints.begin().showOwnGroups(c, c.in.(*ec2.DescribeSecurityGroupsInput), got)
	for n := range got.SecurityGroups {
		g := &got.SecurityGroups[n]
		g.Tags = w.tagsOf(c.account, aws.ToString(g.GroupId), g.Tags)
		for id := range w.gone {
			if r, ok := w.seen[id]; ok && aws.ToString(r.GroupId) == aws.ToString(g.GroupId) {
				list := &g.IpPermissions
				if aws.ToBool(r.IsEgress) {
					list = &g.IpPermissionsEgress
				}
				*list = without(*list, r)
			}
		}
		for _, r := range w.rules {
			if aws.ToString(r.GroupId) != aws.ToString(g.GroupId) {
				continue
			}
			list := &g.IpPermissions
			if aws.ToBool(r.IsEgress) {
				list = &g.IpPermissionsEgress
			}
			*list = append(slices.Clip(*list), permission(r.SecurityGroupRule))
		}
	}
}

// permission is a rule as a group lists it.
func permission(r types.SecurityGroupRule) types.IpPermission {
	p := types.IpPermission{IpProtocol: r.IpProtocol, FromPort: r.FromPort, ToPort: r.ToPort}
	switch {
	case r.ReferencedGroupInfo != nil:
		p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: r.ReferencedGroupInfo.GroupId, UserId: r.ReferencedGroupInfo.UserId}}
	case r.CidrIpv4 != nil:
		p.IpRanges = []types.IpRange{{CidrIp: r.CidrIpv4, Description: r.Description}}
	case r.CidrIpv6 != nil:
		p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: r.CidrIpv6, Description: r.Description}}
	default:
		p.PrefixListIds = []types.PrefixListId{{PrefixListId: r.PrefixListId}}
	}
	return p
}

// without returns permissions without what one rule lets through.
func without(permissions []types.IpPermission, r types.SecurityGroupRule) []types.IpPermission {
	var out []types.IpPermission
	for _, p := range permissions {
		if aws.ToString(p.IpProtocol) == aws.ToString(r.IpProtocol) && aws.ToInt32(p.FromPort) == aws.ToInt32(r.FromPort) && aws.ToInt32(p.ToPort) == aws.ToInt32(r.ToPort) {
			p.IpRanges = slices.DeleteFunc(slices.Clone(p.IpRanges), func(o types.IpRange) bool { return r.CidrIpv4 != nil && aws.ToString(o.CidrIp) == *r.CidrIpv4 })
			p.Ipv6Ranges = slices.DeleteFunc(slices.Clone(p.Ipv6Ranges), func(o types.Ipv6Range) bool { return r.CidrIpv6 != nil && aws.ToString(o.CidrIpv6) == *r.CidrIpv6 })
			p.UserIdGroupPairs = slices.DeleteFunc(slices.Clone(p.UserIdGroupPairs), func(o types.UserIdGroupPair) bool {
				return r.ReferencedGroupInfo != nil && aws.ToString(o.GroupId) == aws.ToString(r.ReferencedGroupInfo.GroupId)
			})
			if len(p.IpRanges)+len(p.Ipv6Ranges)+len(p.UserIdGroupPairs)+len(p.PrefixListIds) == 0 {
				continue
			}
		}
		out = append(out, p)
	}
	return out
}
