package firewall

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// TagConnection marks what Drawbridge added, with the id of the connection it was added for.
const TagConnection = "drawbridge:connection"

// TagPeer says on a rule which VPC the connection is with: its account, Region and id, with slashes between. AWS forgets a
// peering or an attachment with its tags some time after its end; the rules stay.
const TagPeer = "drawbridge:peer"

type client interface {
	DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
	AuthorizeSecurityGroupIngress(context.Context, *ec2.AuthorizeSecurityGroupIngressInput, ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error)
	AuthorizeSecurityGroupEgress(context.Context, *ec2.AuthorizeSecurityGroupEgressInput, ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupEgressOutput, error)
}

// RuleReader is what [ReadTagged] needs of EC2.
type RuleReader interface {
	DescribeSecurityGroupRules(context.Context, *ec2.DescribeSecurityGroupRulesInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error)
}

type revoker interface {
	RuleReader
	RevokeSecurityGroupIngress(context.Context, *ec2.RevokeSecurityGroupIngressInput, ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error)
	RevokeSecurityGroupEgress(context.Context, *ec2.RevokeSecurityGroupEgressInput, ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupEgressOutput, error)
}

// ACLReader is what [CheckACLs] needs of EC2.
type ACLReader interface {
	DescribeNetworkAcls(context.Context, *ec2.DescribeNetworkAclsInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkAclsOutput, error)
}

// Open makes one side's security groups let the connection's traffic through: its databases admit the peer, its
// clients reach the peer's databases. clients is asked only when some group lacks the egress, because only then does
// it matter who uses which group.
func Open(ctx context.Context, ec2api client, clients func(context.Context) ([]notebook.Client, error), connection string, side workflow.Side) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	if len(side.Openings) == 0 && len(side.Ports) == 0 {
		return out, nil
	}
	groups, err := readGroups(ctx, ec2api, side.VPC.ID)
	if err != nil {
		return out, err
	}
	description := fit.Description(fmt.Sprintf("Drawbridge: %s from %s in %s", connection, side.Peer.ID, side.Peer.Account))
	for _, o := range side.Openings {
		wanted := WantedIngress([]workflow.Opening{o}, side.Peer.CIDRs)
		lacking := MissingIngress(wanted, groups, together([]notebook.Client{{Groups: o.Groups}}))
		if err := authorize(ctx, lacking, groups, func(group string, permissions []types.IpPermission) error {
			_, err := ec2api.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: permissions, TagSpecifications: ruleTags(connection, side.Peer)})
			return err
		}, description); err != nil {
			return out, fmt.Errorf("opening %s to %s: %w", o.Database, side.Peer.ID, err)
		}
		for _, w := range lacking { // two databases may share a group
			groups = with(groups, w)
		}
		out.Hops = append(out.Hops, ingressHop(o, side.Peer, wanted, lacking))
	}
	egress, err := openEgress(ctx, ec2api, clients, groups, connection, side)
	out.Hops = append(out.Hops, egress...)
	return out, err
}

func openEgress(ctx context.Context, ec2api client, clients func(context.Context) ([]notebook.Client, error), groups []Group, connection string, side workflow.Side) ([]workflow.Hop, error) {
	if len(side.Ports) == 0 {
		return nil, nil
	}
	if OpenEverywhere(groups, side.Ports, side.Peer.CIDRs) {
		return []workflow.Hop{{Hop: "egress " + side.VPC.ID, OK: true, Detail: "every security group lets TCP " + join(side.Ports) + " out already"}}, nil
	}
	using, err := clients(ctx)
	if err != nil {
		return nil, fmt.Errorf("finding what in %s of account %s may call databases: %w", side.VPC.ID, side.VPC.Account, err)
	}
	lacking := MissingEgress(WantedEgress(using, side.Ports, side.Peer.CIDRs), groups, together(using))
	description := fit.Description(fmt.Sprintf("Drawbridge: %s to %s in %s", connection, side.Peer.ID, side.Peer.Account))
	if err := authorize(ctx, lacking, groups, func(group string, permissions []types.IpPermission) error {
		_, err := ec2api.AuthorizeSecurityGroupEgress(ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &group, IpPermissions: permissions, TagSpecifications: ruleTags(connection, side.Peer)})
		return err
	}, description); err != nil {
		return nil, fmt.Errorf("letting clients of %s out to %s: %w", side.VPC.ID, side.Peer.ID, err)
	}
	detail := fmt.Sprintf("%d clients, TCP %s, %d rules added", len(using), join(side.Ports), len(lacking))
	return []workflow.Hop{{Hop: "egress " + side.VPC.ID, OK: true, Detail: detail}}, nil
}

func ingressHop(o workflow.Opening, peer workflow.VPC, wanted, added []Wanted) workflow.Hop {
	if len(wanted) == 0 {
		return workflow.Hop{Hop: "security group of " + o.Database, OK: false, Detail: "the database has no VPC security group"}
	}
	state := "was open"
	if len(added) > 0 {
		state = "opened"
	}
	var cidrs []string
	for _, c := range peer.CIDRs {
		cidrs = append(cidrs, c.String())
	}
	return workflow.Hop{Hop: "security group of " + o.Database, OK: true,
		Detail: fmt.Sprintf("%s %s: TCP %d from %s", wanted[0].Group, state, o.Port, strings.Join(cidrs, ", "))}
}

// authorize adds the lacking rules, one call per group.
func authorize(ctx context.Context, lacking []Wanted, groups []Group, call func(group string, permissions []types.IpPermission) error, description string) error {
	byGroup := map[string][]types.IpPermission{}
	var order []string
	for _, w := range lacking {
		if !slices.ContainsFunc(groups, func(g Group) bool { return g.ID == w.Group }) {
			return fault.NewConflict(fmt.Sprintf("security group %s is not in the VPC", w.Group), "give the database or client a security group of its own VPC, then redrive the execution")
		}
		if byGroup[w.Group] == nil {
			order = append(order, w.Group)
		}
		byGroup[w.Group] = append(byGroup[w.Group], permission(w.Rule, description))
	}
	for _, group := range order {
		slog.InfoContext(ctx, "authorizing", "group", group, "count", len(byGroup[group]))
		err := call(group, byGroup[group])
		// "InvalidPermission.Duplicate": another execution added the very same rule. With several rules in one call
		// AWS adds none of them, so each is then asked for by itself.
		if fault.HasCode(err, "InvalidPermission.Duplicate") {
			err = nil
			if len(byGroup[group]) > 1 {
				err = oneByOne(byGroup[group], func(p []types.IpPermission) error { return call(group, p) })
			}
		}
		if fault.HasCode(err, "RulesPerSecurityGroupLimitExceeded") {
			return fault.NewConflict(fmt.Sprintf("security group %s is full: %v", group, err), "raise the quota \"Inbound or outbound rules per security group\" or remove rules nobody needs, then redrive the execution")
		}
		if err != nil {
			return fmt.Errorf("authorizing in %s: %w", group, err)
		}
	}
	return nil
}

func oneByOne(permissions []types.IpPermission, call func([]types.IpPermission) error) error {
	for i := range permissions {
		if err := call(permissions[i : i+1]); err != nil && !fault.HasCode(err, "InvalidPermission.Duplicate") {
			return err
		}
	}
	return nil
}

// rounds bounds how often Close reads, plans and applies. Two are enough unless somebody else does the same meanwhile.
const rounds = 4

// Close revokes every rule of one side's account and Region that carries the connection's tag, and no other. While the
// connection stays, it revokes only those that side.Trim names. It ends when a look finds none: that look is the proof.
func Close(ctx context.Context, ec2api revoker, connection string, side workflow.Side) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	for range rounds {
		rules, err := ReadTagged(ctx, ec2api, connection)
		if err != nil {
			return out, err
		}
		plan := PlanRemoval(trimmed(rules, side.Trim), connection)
		if len(plan) == 0 {
			if len(out.Hops) == 0 {
				detail := "no rule of " + connection
				if side.Trim != nil {
					detail += " has to go"
				}
				out.Hops = append(out.Hops, workflow.Hop{Hop: "security groups of " + side.VPC.ID, OK: true, Detail: detail})
			}
			return out, nil
		}
		for _, r := range plan {
			revoked, err := revoke(ctx, ec2api, r)
			if err != nil {
				return out, fmt.Errorf("revoking in %s: %w", r.Group, err)
			}
			if revoked {
				for _, rule := range r.Rules {
					out.Hops = append(out.Hops, workflow.Hop{Hop: "security group " + r.Group, OK: true, Detail: rule.Allows + " revoked"})
				}
			}
		}
	}
	return out, fault.New(fault.Transient, "closing the security groups of %s: rules of %s kept appearing under %d attempts", side.VPC.ID, connection, rounds)
}

// revoke makes one call. Rules are named by their ids, so nothing else that admits the same traffic can be meant.
func revoke(ctx context.Context, ec2api revoker, r Revocation) (revoked bool, err error) {
	var ids []string
	for _, rule := range r.Rules {
		ids = append(ids, rule.ID)
	}
	slog.InfoContext(ctx, "revoking", "group", r.Group, "egress", r.Egress, "count", len(ids))
	if r.Egress {
		_, err = ec2api.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &r.Group, SecurityGroupRuleIds: ids})
	} else {
		_, err = ec2api.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &r.Group, SecurityGroupRuleIds: ids})
	}
	// "an InvalidPermission.NotFound client error is returned, and no rules are revoked": one of them, or the whole
	// group, went meanwhile; the next look tells what is left.
	if fault.HasCode(err, "InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound") {
		return false, nil
	}
	return err == nil, err
}

// ReadTagged returns the rules of an account and Region whose tag drawbridge:connection names connection.
func ReadTagged(ctx context.Context, ec2api RuleReader, connection string) ([]Tagged, error) {
	var out []Tagged
	err := eachTagged(ctx, ec2api, types.Filter{Name: aws.String("tag:" + TagConnection), Values: []string{connection}}, func(page []Tagged) error {
		out = append(out, page...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the security group rules of %s: %w", connection, err)
	}
	return out, nil
}

// EachTagged calls f for the rules of an account and Region whose tag drawbridge:connection names a peering, or a pair on a
// transit gateway, page by page, until it returns an error. EC2 finds rules by the value of a tag, not by its key.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html
func EachTagged(ctx context.Context, ec2api RuleReader, f func([]Tagged) error) error {
	return eachTagged(ctx, ec2api, types.Filter{Name: aws.String("tag:" + TagConnection), Values: []string{"pcx-*", "tgw-*"}}, f)
}

// pageSize is how many rules are held at a time.
const pageSize = 100

func eachTagged(ctx context.Context, ec2api RuleReader, filter types.Filter, f func([]Tagged) error) error {
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(ec2api, &ec2.DescribeSecurityGroupRulesInput{MaxResults: aws.Int32(pageSize), Filters: []types.Filter{filter}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var out []Tagged
		for _, r := range page.SecurityGroupRules {
			one := Tagged{ID: aws.ToString(r.SecurityGroupRuleId), Group: aws.ToString(r.GroupId), Egress: aws.ToBool(r.IsEgress), Allows: allows(r), Rule: admitted(r)}
			for _, t := range r.Tags {
				switch aws.ToString(t.Key) {
				case TagConnection:
					one.Connection = aws.ToString(t.Value)
				case TagPeer:
					one.Peer = peer(aws.ToString(t.Value))
				}
			}
			out = append(out, one)
		}
		if err := f(out); err != nil {
			return err
		}
	}
	return nil
}

// GroupReader is what [VPCs] needs of EC2.
type GroupReader interface {
	DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
}

// VPCs returns the ids of the VPCs that the groups of rules are in, by the groups' ids. A group that is gone has none.
func VPCs(ctx context.Context, ec2api GroupReader, rules []Tagged) (map[string]string, error) {
	groups := make([]string, 0, len(rules))
	for _, r := range rules {
		groups = append(groups, r.Group)
	}
	slices.Sort(groups)
	out := map[string]string{}
	for ids := range slices.Chunk(slices.Compact(groups), pageSize) {
		got, err := ec2api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("group-id"), Values: ids}}})
		if err != nil {
			return nil, fmt.Errorf("reading the security groups %s: %w", strings.Join(ids, ", "), err)
		}
		for _, g := range got.SecurityGroups {
			out[aws.ToString(g.GroupId)] = aws.ToString(g.VpcId)
		}
	}
	return out, nil
}

// admitted returns what a rule lets through, if it is for TCP.
func admitted(r types.SecurityGroupRule) Rule {
	if p := aws.ToString(r.IpProtocol); p != "tcp" && p != "6" {
		return Rule{}
	}
	out := Rule{From: int(aws.ToInt32(r.FromPort)), To: int(aws.ToInt32(r.ToPort)), Other: aws.ToString(r.PrefixListId)}
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
		cmp.Or(aws.ToString(r.CidrIpv4), aws.ToString(r.CidrIpv6), aws.ToString(r.PrefixListId), "a group"))
}

func permission(r Rule, description string) types.IpPermission {
	out := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(int32(r.From)), ToPort: aws.Int32(int32(r.To))}
	if r.CIDR.Addr().Is4() {
		out.IpRanges = []types.IpRange{{CidrIp: aws.String(r.CIDR.String()), Description: &description}}
	} else {
		out.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: aws.String(r.CIDR.String()), Description: &description}}
	}
	return out
}

func ruleTags(connection string, with workflow.VPC) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroupRule, Tags: []types.Tag{
		{Key: aws.String(TagConnection), Value: &connection},
		{Key: aws.String(TagPeer), Value: aws.String(with.Account + "/" + with.Region + "/" + with.ID)}}}}
}

// peer reads the tag of a peer, tolerantly: a tag is for everybody to write.
func peer(tag string) event.VPCPlace {
	account, rest, _ := strings.Cut(tag, "/")
	region, vpc, _ := strings.Cut(rest, "/")
	if v := (event.VPCPlace{Account: account, Region: region, VPC: vpc}); v.IsVPC() {
		return v
	}
	return event.VPCPlace{}
}

func readGroups(ctx context.Context, ec2api client, vpc string) ([]Group, error) {
	var groups []Group
	pages := ec2.NewDescribeSecurityGroupsPaginator(ec2api, &ec2.DescribeSecurityGroupsInput{
		Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the security groups of %s: %w", vpc, err)
		}
		for _, g := range page.SecurityGroups {
			groups = append(groups, Group{ID: aws.ToString(g.GroupId), Name: aws.ToString(g.GroupName), Ingress: rules(g.IpPermissions), Egress: rules(g.IpPermissionsEgress)})
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

func with(groups []Group, w Wanted) []Group {
	out := slices.Clone(groups)
	for i := range out {
		if out[i].ID == w.Group {
			out[i].Ingress = append(slices.Clip(out[i].Ingress), w.Rule)
		}
	}
	return out
}

// together maps each client's first group to all groups on the same interface.
func together(clients []notebook.Client) map[string][]string {
	out := map[string][]string{}
	for _, c := range clients {
		if len(c.Groups) == 0 {
			continue
		}
		first := slices.Min(c.Groups)
		if _, shared := out[first]; shared {
			// Another client has the same first group but perhaps not the same others: only the first serves both.
			out[first] = slices.DeleteFunc(slices.Clone(out[first]), func(g string) bool { return !slices.Contains(c.Groups, g) })
			continue
		}
		out[first] = c.Groups
	}
	return out
}

// CheckACLs reads the network ACLs of one side's VPC and returns a hop for its subnets: what they lack, or that
// nothing is in the way.
func CheckACLs(ctx context.Context, ec2api ACLReader, side workflow.Side, notebookSubnets []string) ([]workflow.Hop, []string, error) {
	if len(side.Openings) == 0 && len(side.Ports) == 0 {
		return nil, nil, nil
	}
	acls, err := ReadACLs(ctx, ec2api, side.VPC.ID)
	if err != nil {
		return nil, nil, err
	}
	var lacks []string
	for _, o := range side.Openings {
		subnets := o.Subnets
		if len(subnets) == 0 {
			subnets = nil // unknown: any of the VPC's
		}
		lacks = append(lacks, Judge(acls, subnets, side.Peer.CIDRs, []int{o.Port}, true)...)
	}
	if len(side.Ports) > 0 && len(notebookSubnets) > 0 {
		lacks = append(lacks, Judge(acls, notebookSubnets, side.Peer.CIDRs, side.Ports, false)...)
	}
	slices.Sort(lacks)
	lacks = slices.Compact(lacks)
	hop := workflow.Hop{Hop: "network ACL " + side.VPC.ID, OK: len(lacks) == 0, Detail: "nothing in the way"}
	if len(lacks) > 0 {
		hop.Detail = strings.Join(lacks, "; ")
	}
	return []workflow.Hop{hop}, lacks, nil
}

func convertACL(a types.NetworkAcl) ACL {
	out := ACL{ID: aws.ToString(a.NetworkAclId)}
	for _, s := range a.Associations {
		out.Subnets = append(out.Subnets, aws.ToString(s.SubnetId))
	}
	for _, e := range a.Entries {
		entry := Entry{Number: int(aws.ToInt32(e.RuleNumber)), Allow: e.RuleAction == types.RuleActionAllow, From: 0, To: 65535}
		cidr, err := netip.ParsePrefix(cmp.Or(aws.ToString(e.CidrBlock), aws.ToString(e.Ipv6CidrBlock)))
		protocol := aws.ToString(e.Protocol)
		if err != nil || protocol != "-1" && protocol != "6" && protocol != "tcp" {
			continue
		}
		entry.CIDR = cidr.Masked()
		if protocol != "-1" && e.PortRange != nil {
			entry.From, entry.To = int(aws.ToInt32(e.PortRange.From)), int(aws.ToInt32(e.PortRange.To))
		}
		if aws.ToBool(e.Egress) {
			out.Egress = append(out.Egress, entry)
		} else {
			out.Ingress = append(out.Ingress, entry)
		}
	}
	byNumber := func(a, b Entry) int { return a.Number - b.Number }
	slices.SortFunc(out.Ingress, byNumber)
	slices.SortFunc(out.Egress, byNumber)
	return out
}

func join(ports []int) string {
	var out []string
	for _, p := range ports {
		out = append(out, fmt.Sprint(p))
	}
	return strings.Join(out, ", ")
}
