package dryrun

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
)

// peering is what was noted of a peering.
type peering struct {
	status types.VpcPeeringConnectionStateReasonCode
	dns    map[string]bool // by role

	was types.VpcPeeringConnectionStateReasonCode // as it was read last; empty if it was not shown
}

// now is the state that a peering would have.
func (p *peering) now() types.VpcPeeringConnectionStateReasonCode { return cmp.Or(p.status, p.was) }

func (w *World) peering(id string) *peering {
	if w.peerings == nil {
		w.peerings = map[string]*peering{}
	}
	if w.peerings[id] == nil {
		w.peerings[id] = &peering{dns: map[string]bool{}}
	}
	return w.peerings[id]
}

// Request adds a peering that nobody requested: as its requester and its accepter would see it, pending.
func (w *World) Request(p types.VpcPeeringConnection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.requested == nil {
		w.requested = map[string]types.VpcPeeringConnection{}
	}
	w.requested[aws.ToString(p.VpcPeeringConnectionId)] = p
}

// network are the writes to peerings, route tables, security groups and tags.
var network = map[string]func(*World, call) (any, []Change){
	"ec2:AcceptVpcPeeringConnection": answer(func(w *World, _ call, in *ec2.AcceptVpcPeeringConnectionInput) (*ec2.AcceptVpcPeeringConnectionOutput, []Change) {
		id := aws.ToString(in.VpcPeeringConnectionId)
		w.peering(id).status = types.VpcPeeringConnectionStateReasonCodeActive
		return &ec2.AcceptVpcPeeringConnectionOutput{VpcPeeringConnection: &types.VpcPeeringConnection{VpcPeeringConnectionId: &id,
			Status: &types.VpcPeeringConnectionStateReason{Code: types.VpcPeeringConnectionStateReasonCodeProvisioning}}}, one(Changes, id, "accept the peering request")
	}),
	"ec2:RejectVpcPeeringConnection": plainly[ec2.RejectVpcPeeringConnectionInput, ec2.RejectVpcPeeringConnectionOutput](func(w *World, _ call, in *ec2.RejectVpcPeeringConnectionInput) []Change {
		id := aws.ToString(in.VpcPeeringConnectionId)
		w.peering(id).status = types.VpcPeeringConnectionStateReasonCodeRejected
		return one(Takes, id, "reject the peering request")
	}),
	"ec2:ModifyVpcPeeringConnectionOptions": refusing(func(w *World, in *ec2.ModifyVpcPeeringConnectionOptionsInput) error {
		switch w.peering(aws.ToString(in.VpcPeeringConnectionId)).now() {
		case types.VpcPeeringConnectionStateReasonCodeActive:
			return nil
		case "":
			return refused("InvalidVpcPeeringConnectionID.NotFound", "it does not exist")
		}
		return refused("OperationNotPermitted", "the peering is not active")
	}, answer(modifyOptions)),
	"ec2:CreateRoute": plainly[ec2.CreateRouteInput, ec2.CreateRouteOutput](func(w *World, _ call, in *ec2.CreateRouteInput) []Change {
		table, r := aws.ToString(in.RouteTableId), types.Route{DestinationCidrBlock: in.DestinationCidrBlock, DestinationIpv6CidrBlock: in.DestinationIpv6CidrBlock,
			DestinationPrefixListId: in.DestinationPrefixListId, VpcPeeringConnectionId: in.VpcPeeringConnectionId, TransitGatewayId: in.TransitGatewayId,
			NatGatewayId: in.NatGatewayId, GatewayId: in.GatewayId, NetworkInterfaceId: in.NetworkInterfaceId, EgressOnlyInternetGatewayId: in.EgressOnlyInternetGatewayId}
		w.route(table, r)
		return one(Adds, table, "route %s to %s", destination(r), target(r))
	}),
	"ec2:ReplaceRoute": plainly[ec2.ReplaceRouteInput, ec2.ReplaceRouteOutput](func(w *World, _ call, in *ec2.ReplaceRouteInput) []Change {
		table, r := aws.ToString(in.RouteTableId), types.Route{DestinationCidrBlock: in.DestinationCidrBlock, DestinationIpv6CidrBlock: in.DestinationIpv6CidrBlock,
			DestinationPrefixListId: in.DestinationPrefixListId, VpcPeeringConnectionId: in.VpcPeeringConnectionId, TransitGatewayId: in.TransitGatewayId,
			NatGatewayId: in.NatGatewayId, GatewayId: in.GatewayId, NetworkInterfaceId: in.NetworkInterfaceId, EgressOnlyInternetGatewayId: in.EgressOnlyInternetGatewayId}
		w.route(table, r)
		return one(Changes, table, "route %s, now to %s", destination(r), target(r))
	}),
	"ec2:DeleteRoute": plainly[ec2.DeleteRouteInput, ec2.DeleteRouteOutput](func(w *World, _ call, in *ec2.DeleteRouteInput) []Change {
		table, to := aws.ToString(in.RouteTableId), cmp.Or(aws.ToString(in.DestinationCidrBlock), aws.ToString(in.DestinationIpv6CidrBlock), aws.ToString(in.DestinationPrefixListId))
		w.table(table)[to] = nil
		return one(Takes, table, "route %s", to)
	}),
	"ec2:AuthorizeSecurityGroupIngress": answer(func(w *World, c call, in *ec2.AuthorizeSecurityGroupIngressInput) (*ec2.AuthorizeSecurityGroupIngressOutput, []Change) {
		added, changes := w.authorize(c, in.GroupId, in.IpPermissions, in.TagSpecifications, false)
		return &ec2.AuthorizeSecurityGroupIngressOutput{Return: aws.Bool(true), SecurityGroupRules: added}, changes
	}),
	"ec2:AuthorizeSecurityGroupEgress": answer(func(w *World, c call, in *ec2.AuthorizeSecurityGroupEgressInput) (*ec2.AuthorizeSecurityGroupEgressOutput, []Change) {
		added, changes := w.authorize(c, in.GroupId, in.IpPermissions, in.TagSpecifications, true)
		return &ec2.AuthorizeSecurityGroupEgressOutput{Return: aws.Bool(true), SecurityGroupRules: added}, changes
	}),
	"ec2:RevokeSecurityGroupIngress": plainly[ec2.RevokeSecurityGroupIngressInput, ec2.RevokeSecurityGroupIngressOutput](func(w *World, _ call, in *ec2.RevokeSecurityGroupIngressInput) []Change {
		return w.revoke(in.GroupId, in.SecurityGroupRuleIds)
	}),
	"ec2:RevokeSecurityGroupEgress": plainly[ec2.RevokeSecurityGroupEgressInput, ec2.RevokeSecurityGroupEgressOutput](func(w *World, _ call, in *ec2.RevokeSecurityGroupEgressInput) []Change {
		return w.revoke(in.GroupId, in.SecurityGroupRuleIds)
	}),
	"ec2:CreateTags": refusing(func(w *World, in *ec2.CreateTagsInput) error {
		for _, id := range in.Resources {
			if strings.HasPrefix(id, "pcx-") && w.peering(id).now() == "" {
				return refused("InvalidVpcPeeringConnectionID.NotFound", "it does not exist")
			}
		}
		return nil
	}, plainly[ec2.CreateTagsInput, ec2.CreateTagsOutput](func(w *World, c call, in *ec2.CreateTagsInput) (all []Change) {
		for _, id := range in.Resources {
			tags := map[string]string{}
			for _, t := range in.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			all = append(all, w.retag(c.account, id, tags)...)
		}
		return append([]Change{}, all...)
	})),
	"ec2:DeleteTags": plainly[ec2.DeleteTagsInput, ec2.DeleteTagsOutput](func(w *World, c call, in *ec2.DeleteTagsInput) (all []Change) {
		for _, id := range in.Resources {
			for _, t := range in.Tags {
				w.tag(c.account, id, aws.ToString(t.Key), nil)
				all = append(all, untagged(id, aws.ToString(t.Key)))
			}
		}
		return all
	}),
}

// since is the tag that says when a status was said last.
const since = "drawbridge:since"

// retag tags a thing, and returns what that changes: a tag that has the value already is no change, nor is the time at which the same is said again.
func (w *World) retag(account, id string, tags map[string]string) []Change {
	out, news := []Change{}, false
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		at := account + " " + id
		was, said := w.said[at][key]
		if now, noted := w.tags[at][key]; noted {
			was, said = aws.ToString(now), now != nil
		}
		if value := tags[key]; !said || was != value {
			out, news = append(out, tagged(id, key, value)), news || key != since
		}
		w.tag(account, id, key, aws.String(tags[key]))
	}
	if !news {
		return []Change{}
	}
	return out
}

// saw keeps tags as they were read.
func (w *World) saw(account, id string, tags map[string]string) {
	if w.said == nil {
		w.said = map[string]map[string]string{}
	}
	w.said[account+" "+id] = tags
}

func tagged(thing, key, value string) Change {
	return Change{Changes, "tag " + key + "=" + value, thing}
}

func untagged(thing, key string) Change { return Change{Changes, "no tag " + key + " any more", thing} }

func init() {
	noted["ec2:DescribeVpcPeeringConnections"] = func(w *World, c call) func() (any, error) {
		in := c.in.(*ec2.DescribeVpcPeeringConnectionsInput)
		if len(in.VpcPeeringConnectionIds) != 1 {
			return nil
		}
		p, ok := w.requested[in.VpcPeeringConnectionIds[0]]
		if !ok {
			return nil
		}
		out := &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: []types.VpcPeeringConnection{p}}
		showPeerings(w, c, out)
		return func() (any, error) { return out, nil }
	}
	shown["ec2:DescribeVpcPeeringConnections"] = showPeerings
	shown["ec2:DescribeRouteTables"] = showTables
	shown["ec2:DescribeSecurityGroups"] = showGroups
	shown["ec2:DescribeSecurityGroupRules"] = showRules
}

func modifyOptions(w *World, _ call, in *ec2.ModifyVpcPeeringConnectionOptionsInput) (*ec2.ModifyVpcPeeringConnectionOptionsOutput, []Change) {
	id, out, changes := aws.ToString(in.VpcPeeringConnectionId), &ec2.ModifyVpcPeeringConnectionOptionsOutput{}, []Change(nil)
	set := func(role string, asked *types.PeeringConnectionOptionsRequest) *types.PeeringConnectionOptions {
		if asked == nil {
			return nil
		}
		on := aws.ToBool(asked.AllowDnsResolutionFromRemoteVpc)
		w.peering(id).dns[role] = on
		word := "off"
		if on {
			word = "on"
		}
		changes = append(changes, Change{Changes, fmt.Sprintf("DNS option of the %s %s", role, word), id})
		return &types.PeeringConnectionOptions{AllowDnsResolutionFromRemoteVpc: &on}
	}
	out.RequesterPeeringConnectionOptions = set("requester", in.RequesterPeeringConnectionOptions)
	out.AccepterPeeringConnectionOptions = set("accepter", in.AccepterPeeringConnectionOptions)
	return out, changes
}

func showPeerings(w *World, c call, out any) {
	got := out.(*ec2.DescribeVpcPeeringConnectionsOutput)
	for n := range got.VpcPeeringConnections {
		p := &got.VpcPeeringConnections[n]
		id := aws.ToString(p.VpcPeeringConnectionId)
		p.Tags = w.tagsOf(c.account, id, p.Tags)
		known := w.peering(id)
		if p.Status != nil {
			known.was = p.Status.Code
		}
		if known.status != "" {
			p.Status = &types.VpcPeeringConnectionStateReason{Code: known.status}
		}
		for role, on := range known.dns {
			side := &p.RequesterVpcInfo
			if role == "accepter" {
				side = &p.AccepterVpcInfo
			}
			if *side != nil {
				info := **side
				info.PeeringOptions = &types.VpcPeeringConnectionOptionsDescription{AllowDnsResolutionFromRemoteVpc: aws.Bool(on)}
				*side = &info
			}
		}
	}
}

// Tag makes a thing look tagged in an account.
func (w *World) Tag(account, id, key, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tag(account, id, key, &value)
}

func (w *World) tag(account, id, key string, value *string) {
	if w.tags == nil {
		w.tags = map[string]map[string]*string{}
	}
	at := account + " " + id
	if w.tags[at] == nil {
		w.tags[at] = map[string]*string{}
	}
	w.tags[at][key] = value
}

// tagsOf returns tags that were read with what was noted.
func (w *World) tagsOf(account, id string, tags []types.Tag) []types.Tag {
	read := map[string]string{}
	for _, t := range tags {
		read[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	w.saw(account, id, read)
	own := w.tags[account+" "+id]
	out := slices.DeleteFunc(slices.Clone(tags), func(t types.Tag) bool { _, noted := own[aws.ToString(t.Key)]; return noted })
	for key, value := range own {
		if value != nil {
			out = append(out, types.Tag{Key: &key, Value: value})
		}
	}
	return out
}

func (w *World) table(id string) map[string]*types.Route {
	if w.routes == nil {
		w.routes = map[string]map[string]*types.Route{}
	}
	if w.routes[id] == nil {
		w.routes[id] = map[string]*types.Route{}
	}
	return w.routes[id]
}

func (w *World) route(table string, r types.Route) {
	r.State, r.Origin = types.RouteStateActive, types.RouteOriginCreateRoute
	w.table(table)[destination(r)] = &r
}

func destination(r types.Route) string {
	return cmp.Or(aws.ToString(r.DestinationCidrBlock), aws.ToString(r.DestinationIpv6CidrBlock), aws.ToString(r.DestinationPrefixListId))
}

func target(r types.Route) string {
	return cmp.Or(aws.ToString(r.VpcPeeringConnectionId), aws.ToString(r.TransitGatewayId), aws.ToString(r.NatGatewayId), aws.ToString(r.GatewayId),
		aws.ToString(r.NetworkInterfaceId), aws.ToString(r.EgressOnlyInternetGatewayId))
}

func showTables(w *World, _ call, out any) {
	got := out.(*ec2.DescribeRouteTablesOutput)
	for n := range got.RouteTables {
		t := &got.RouteTables[n]
		own := w.routes[aws.ToString(t.RouteTableId)]
		if own == nil {
			continue
		}
		t.Routes = slices.DeleteFunc(slices.Clone(t.Routes), func(r types.Route) bool { _, noted := own[destination(r)]; return noted })
		for _, r := range own {
			if r != nil {
				t.Routes = append(t.Routes, *r)
			}
		}
	}
}

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
		changes = append(changes, Change{Adds, "rule " + allows(r), aws.ToString(group)})
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
		changes = append(changes, Change{Takes, "rule " + what, aws.ToString(group)})
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

func showGroups(w *World, _ call, out any) {
	got := out.(*ec2.DescribeSecurityGroupsOutput)
	for n := range got.SecurityGroups {
		g := &got.SecurityGroups[n]
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

// refused is how AWS refuses a call.
func refused(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}
