package dryrun

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/road"
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
			switch road.CarrierOf(id) {
			case road.ByPeering:
				if w.peering(id).now() == "" {
					return refused("InvalidVpcPeeringConnectionID.NotFound", "it does not exist")
				}
			case road.ByGateway, road.ByNothing:
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
		changes = append(changes, Change{Sign: Changes, What: fmt.Sprintf("DNS option of the %s %s", role, word), Thing: id})
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

func showTables(w *World, c call, out any) {
	got := out.(*ec2.DescribeRouteTablesOutput)
	for n := range got.RouteTables {
		t := &got.RouteTables[n]
		t.Tags = w.tagsOf(c.account, aws.ToString(t.RouteTableId), t.Tags)
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

// refused is how AWS refuses a call.
func refused(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}
