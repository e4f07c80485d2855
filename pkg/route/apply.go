package route

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Reader is what [Read] needs of EC2.
type Reader interface {
	DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error)
}

type client interface {
	Reader
	CreateRoute(context.Context, *ec2.CreateRouteInput, ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error)
	ReplaceRoute(context.Context, *ec2.ReplaceRouteInput, ...func(*ec2.Options)) (*ec2.ReplaceRouteOutput, error)
}

type remover interface {
	Reader
	DeleteRoute(context.Context, *ec2.DeleteRouteInput, ...func(*ec2.Options)) (*ec2.DeleteRouteOutput, error)
}

// Read returns all route tables of a VPC, sorted by id. Routes to prefix lists have no prefix of their own and are
// left out.
func Read(ctx context.Context, ec2api Reader, vpc string) ([]Table, error) {
	tables, err := read(ctx, ec2api, types.Filter{Name: aws.String("vpc-id"), Values: []string{vpc}})
	if err != nil {
		return nil, fmt.Errorf("reading the route tables of %s: %w", vpc, err)
	}
	return tables, nil
}

func read(ctx context.Context, ec2api Reader, filter types.Filter) ([]Table, error) {
	var tables []Table
	pages := ec2.NewDescribeRouteTablesPaginator(ec2api, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{filter}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range page.RouteTables {
			tables = append(tables, convert(t))
		}
	}
	slices.SortFunc(tables, func(a, b Table) int { return strings.Compare(a.ID, b.ID) })
	return tables, nil
}

func convert(t types.RouteTable) Table {
	out := Table{ID: aws.ToString(t.RouteTableId)}
	for _, a := range t.Associations {
		if aws.ToBool(a.Main) {
			out.Main = true
		}
		if id := aws.ToString(a.SubnetId); id != "" {
			out.Subnets = append(out.Subnets, id)
		}
	}
	slices.Sort(out.Subnets)
	for _, r := range t.Routes {
		destination, err := netip.ParsePrefix(first(r.DestinationCidrBlock, r.DestinationIpv6CidrBlock))
		if err != nil {
			continue
		}
		out.Routes = append(out.Routes, Route{Destination: destination.Masked(), Target: target(r), Blackhole: r.State == types.RouteStateBlackhole})
	}
	slices.SortFunc(out.Routes, func(a, b Route) int { return a.Destination.Compare(b.Destination) })
	return out
}

// target returns the one thing that a route points to.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
func target(r types.Route) string {
	return first(r.VpcPeeringConnectionId, r.TransitGatewayId, r.NatGatewayId, r.GatewayId, r.EgressOnlyInternetGatewayId,
		r.NetworkInterfaceId, r.InstanceId, r.LocalGatewayId, r.CarrierGatewayId, r.CoreNetworkArn, r.OdbNetworkArn)
}

func first(values ...*string) string {
	for _, v := range values {
		if aws.ToString(v) != "" {
			return *v
		}
	}
	return ""
}

// rounds bounds how often Add reads, plans and applies. Two are enough unless somebody else edits the tables meanwhile.
const rounds = 4

// Add makes every table in use on one side send the peer's CIDRs through the connection.
//
// The first plan rests on what InspectPeering read in this execution. Creating a route can never overwrite one, so
// that is safe; anything else, and any surprise, is planned again from a fresh look. It ends when a fresh look needs
// no change: that look is the proof, and the result.
func Add(ctx context.Context, ec2api client, connection workflow.Connection, side workflow.Side) (workflow.AddRoutesOutput, error) {
	tables, fresh := side.Tables, false
	for range rounds {
		if tables == nil {
			var err error
			if tables, err = Read(ctx, ec2api, side.VPC.ID); err != nil {
				return workflow.AddRoutesOutput{}, err
			}
			fresh = true
		}
		used := InUse(tables, side.Subnets)
		desired, reached := Beside(Wanted(used, side.Peer.CIDRs, connection.Target), used, side.Beside)
		changes, err := Plan(desired, used)
		if !fresh && (err != nil || len(changes.Replace) > 0) {
			tables = nil // what InspectPeering saw may be old: look before judging or replacing
			continue
		}
		if err != nil {
			return workflow.AddRoutesOutput{}, fmt.Errorf("adding routes in %s: %w", side.VPC.ID, err)
		}
		if fresh && changes.Empty() {
			return result(connection.Target, side, tables, used, reached), nil
		}
		if err := apply(ctx, ec2api, changes); err != nil {
			return workflow.AddRoutesOutput{}, err
		}
		tables = nil
	}
	return workflow.AddRoutesOutput{}, fault.New(fault.Transient, "adding routes in %s: the tables kept changing under %d attempts", side.VPC.ID, rounds)
}

func apply(ctx context.Context, ec2api client, changes Changes) error {
	for _, d := range changes.Create {
		slog.InfoContext(ctx, "creating route", "table", d.Table, "destination", d.Destination, "target", d.Target)
		in := &ec2.CreateRouteInput{RouteTableId: &d.Table}
		in.VpcPeeringConnectionId, in.TransitGatewayId = through(d.Target)
		in.DestinationCidrBlock, in.DestinationIpv6CidrBlock = destination(d.Destination)
		_, err := ec2api.CreateRoute(ctx, in)
		// "RouteAlreadyExists": somebody, perhaps another execution of ours, was faster; the next look tells who.
		if err != nil && !fault.HasCode(err, "RouteAlreadyExists") {
			return fmt.Errorf("adding route %s to %s: %w", d.Destination, d.Table, remedied(err))
		}
	}
	for _, d := range changes.Replace {
		slog.InfoContext(ctx, "replacing blackhole route", "table", d.Table, "destination", d.Destination, "target", d.Target)
		in := &ec2.ReplaceRouteInput{RouteTableId: &d.Table}
		in.VpcPeeringConnectionId, in.TransitGatewayId = through(d.Target)
		in.DestinationCidrBlock, in.DestinationIpv6CidrBlock = destination(d.Destination)
		// "InvalidParameterValue: There is no route defined for '…' in the route table" (documented as
		// InvalidRoute.NotFound): the dead route was removed meanwhile; the next look creates ours.
		_, err := ec2api.ReplaceRoute(ctx, in)
		absent := fault.HasCode(err, "InvalidRoute.NotFound") || fault.HasCode(err, "InvalidParameterValue") && strings.Contains(err.Error(), "no route")
		if err != nil && !absent {
			return fmt.Errorf("replacing route %s in %s: %w", d.Destination, d.Table, remedied(err))
		}
	}
	return nil
}

// remedied adds what to do to the errors that only a person can mend.
func remedied(err error) error {
	if fault.HasCode(err, "RouteLimitExceeded") {
		return fault.NewConflict(err.Error(), "raise the quota \"Routes per route table\" or summarise routes, then redrive the execution")
	}
	return err
}

// through names a target in the one field that EC2 takes it in.
func through(target string) (peering, gateway *string) {
	if strings.HasPrefix(target, "tgw-") {
		return nil, &target
	}
	return &target, nil
}

func destination(p netip.Prefix) (v4, v6 *string) {
	text := p.String()
	if p.Addr().Is4() {
		return &text, nil
	}
	return nil, &text
}

func result(target string, side workflow.Side, tables, used []Table, reached map[Desired]Route) workflow.AddRoutesOutput {
	direction := "route back"
	if side.Consumer {
		direction = "route there"
	}
	out := workflow.AddRoutesOutput{Account: side.VPC.Account, VPC: side.VPC.ID, Hops: []workflow.Hop{}}
	for _, t := range used {
		for _, cidr := range side.Peer.CIDRs {
			detail := cidr.String() + " through " + target
			if r, ok := reached[Desired{Table: t.ID, Destination: cidr.Masked(), Target: target}]; ok {
				detail = cidr.String() + ": already connected, " + r.Destination.String() + " through " + r.Target
			}
			out.Hops = append(out.Hops, workflow.Hop{Hop: direction + " " + t.ID, OK: true, Detail: detail})
		}
	}
	out.Tables = Carried(tables)
	return out
}

// Remove takes the routes of a connection that is no more out of every table of one side's VPC, in use or not. The
// CIDRs of the side's peer are the destinations that Drawbridge may have added.
//
// EC2 deletes a route by its destination, wherever it leads by then, and knows no condition. So what InspectPeering saw
// is not used, and each table is looked at once more right before its routes go. It ends when a look finds nothing to
// remove: that look is the proof, and the result.
//
// While the connection stays, only routes to the destinations that side.Trim names go.
//
// Other connections may go over the same gateway, and their routes are none of this one's business.
func Remove(ctx context.Context, ec2api remover, connection workflow.Connection, side workflow.Side) (workflow.RemoveRoutesOutput, error) {
	leaving := side.Leaving()
	destinations := slices.Clone(leaving)
	var removed []Desired
	for range rounds {
		tables, err := Read(ctx, ec2api, side.VPC.ID)
		if err != nil {
			return workflow.RemoveRoutesOutput{}, err
		}
		if connection.OwnsTarget() && side.Trim == nil {
			destinations = append(destinations, Through(tables, connection.Target)...)
		}
		plan := without(PlanRemoval(tables, leaving, connection.Target), side.Kept)
		if len(plan) == 0 {
			return removal(connection, side, tables, destinations, removed), nil
		}
		gone, err := remove(ctx, ec2api, connection.Target, side, plan)
		if removed = append(removed, gone...); err != nil {
			return workflow.RemoveRoutesOutput{}, err
		}
	}
	return workflow.RemoveRoutesOutput{}, fault.New(fault.Transient, "removing routes from %s: the tables kept changing under %d attempts", side.VPC.ID, rounds)
}

// remove deletes what is planned for each table and still planned at a second look. It returns what it deleted.
func remove(ctx context.Context, ec2api remover, target string, side workflow.Side, plan []Desired) (gone []Desired, err error) {
	var tables []string
	for _, d := range plan {
		tables = append(tables, d.Table)
	}
	for _, table := range slices.Compact(tables) {
		now, err := read(ctx, ec2api, types.Filter{Name: aws.String("route-table-id"), Values: []string{table}})
		if err != nil {
			return gone, fmt.Errorf("reading %s: %w", table, err)
		}
		for _, d := range without(PlanRemoval(now, side.Leaving(), target), side.Kept) {
			slog.InfoContext(ctx, "deleting route", "table", d.Table, "destination", d.Destination, "target", d.Target)
			in := &ec2.DeleteRouteInput{RouteTableId: &d.Table}
			in.DestinationCidrBlock, in.DestinationIpv6CidrBlock = destination(d.Destination)
			_, err := ec2api.DeleteRoute(ctx, in)
			// "InvalidRoute.NotFound", "InvalidRouteTableID.NotFound": gone already; the next look tells.
			if fault.HasCode(err, "InvalidRoute.NotFound", "InvalidRouteTableID.NotFound") {
				continue
			}
			if err != nil {
				return gone, fmt.Errorf("removing route %s from %s: %w", d.Destination, d.Table, err)
			}
			gone = append(gone, d)
		}
	}
	return gone, nil
}

// without returns the planned removals that are not of a route of somebody else.
func without(plan []Desired, kept []workflow.Kept) []Desired {
	return slices.DeleteFunc(plan, func(d Desired) bool {
		return slices.Contains(kept, workflow.Kept{Table: d.Table, Destination: d.Destination})
	})
}

func removal(connection workflow.Connection, side workflow.Side, tables []Table, destinations []netip.Prefix, removed []Desired) workflow.RemoveRoutesOutput {
	slices.SortFunc(destinations, netip.Prefix.Compare)
	out := workflow.RemoveRoutesOutput{Account: side.VPC.Account, VPC: side.VPC.ID, Hops: []workflow.Hop{},
		Destinations: slices.Compact(destinations)}
	slices.SortFunc(removed, compare)
	for _, d := range removed {
		out.Hops = append(out.Hops, workflow.Hop{Hop: "route " + d.Table, OK: true, Detail: d.Destination.String() + " through " + connection.Target + " removed"})
	}
	for _, k := range side.Kept {
		out.Hops = append(out.Hops, workflow.Hop{Hop: "route " + k.Table, OK: true, Detail: k.Destination.String() + " through " + connection.Target + " stays: it was there before"})
	}
	for _, t := range tables {
		if !connection.OwnsTarget() || side.Trim != nil { // other connections use it, and their owners
			break
		}
		for _, left := range Through([]Table{t}, connection.Target) {
			hop := workflow.Hop{Hop: "route " + t.ID, OK: true, Detail: left.String() + " through " + connection.Target + " stays: Drawbridge adds no such route"}
			if len(side.Peer.CIDRs) == 0 {
				hop.OK, hop.Detail = false, left.String()+" through "+connection.Target+" stays: nothing tells any more whether Drawbridge added it"
			}
			out.Hops = append(out.Hops, hop)
		}
	}
	if len(out.Hops) == 0 {
		none := "none through " + connection.Target
		if side.Trim != nil {
			none += " has to go"
		}
		out.Hops = append(out.Hops, workflow.Hop{Hop: "routes of " + side.VPC.ID, OK: true, Detail: none})
	}
	return out
}
