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
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type remover interface {
	Reader
	CreateRoute(context.Context, *ec2.CreateRouteInput, ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error)
	ReplaceRoute(context.Context, *ec2.ReplaceRouteInput, ...func(*ec2.Options)) (*ec2.ReplaceRouteOutput, error)
	DeleteRoute(context.Context, *ec2.DeleteRouteInput, ...func(*ec2.Options)) (*ec2.DeleteRouteOutput, error)
}

// Remove takes back what the ledger says was added to the route tables of one side's VPC for a connection that is over, and for
// nobody else. What another connection needs is led to its target first, so that no table is ever without. While the connection
// stays, only routes to the destinations that side.Trim names go, from tables that have no use for them; see [Spare]. by is the execution that it is
// done for.
//
// EC2 deletes and replaces a route by its destination, wherever it leads by then, and knows no condition. So what was read before is not
// used: each table is looked at right before its routes go. It ends when the ledger has none left: that is the proof.
//
// On a participant's side there is nothing to do: the tables are the owner's.
func Remove(ctx context.Context, ec2api remover, l ledger.Ledger, by string, connection workflow.Connection, side workflow.Side) (workflow.RemoveRoutesOutput, error) {
	if side.Owner != "" {
		return workflow.RemoveRoutesOutput{Account: side.VPC.Account, VPC: side.VPC.ID, Hops: []workflow.Hop{}}, nil
	}
	r := removing{Ledger: l, ec2api: ec2api, by: by, connection: connection, side: side}
	for range rounds {
		tables, err := r.tables(ctx)
		if err != nil {
			return workflow.RemoveRoutesOutput{}, fmt.Errorf("removing routes from %s: %w", side.VPC.ID, err)
		}
		found, unfit := false, []error(nil)
		for _, table := range tables {
			some, err := r.clear(ctx, table)
			if found = found || some; err != nil {
				unfit = append(unfit, fmt.Errorf("removing routes from %s: %w", table, err))
			}
		}
		if err := fault.Join(unfit...); err != nil {
			return workflow.RemoveRoutesOutput{}, err
		}
		if !found {
			return r.result(), nil
		}
	}
	return workflow.RemoveRoutesOutput{}, fault.New(fault.Transient, "removing routes from %s: the tables kept changing under %d attempts", side.VPC.ID, rounds)
}

type removing struct {
	ledger.Ledger
	ec2api     remover
	by         string
	connection workflow.Connection
	side       workflow.Side
	hops       []workflow.Hop
	desired    []Desired // what the tables are needed for while the connection stays
}

// only are the destinations of what goes from a table; nil: all go.
func (r *removing) only(table Table) []netip.Prefix {
	if r.side.Trim == nil {
		return nil
	}
	return append([]netip.Prefix{}, Spare(table, r.connection.Target, r.side.Trim.Destinations, r.desired)...)
}

// tables returns the ids of the tables in which something may have to be done: those of the VPC with items of the connection, or
// with a route to what goes with it; and those with items that are gone from EC2.
func (r *removing) tables(ctx context.Context) ([]string, error) {
	items, err := r.Items(ctx, r.connection.ID)
	if err != nil {
		return nil, err
	}
	var with []string
	for _, i := range items {
		destination, err := netip.ParsePrefix(i.Key)
		if i.Kind == ledger.Route && i.Account == r.side.VPC.Account && i.Region == r.side.VPC.Region && err == nil &&
			(r.side.Trim == nil || slices.Contains(r.side.Trim.Destinations, destination)) {
			with = append(with, i.Resource)
		}
	}
	ends := r.connection.OwnsTarget() && r.side.Trim == nil
	if len(with) == 0 && !ends {
		return nil, nil
	}
	here, err := Read(ctx, r.ec2api, r.side.VPC.ID)
	if err != nil {
		return nil, err
	}
	wanted, _ := Wanted(here, r.side, r.connection.Target)
	r.desired = Standing(wanted, here, items, r.side)
	var out, others []string
	for _, t := range here {
		if slices.Contains(with, t.ID) || ends && len(Through([]Table{t}, r.connection.Target)) > 0 {
			out = append(out, t.ID)
		}
	}
	for _, id := range with {
		if !slices.ContainsFunc(here, func(t Table) bool { return t.ID == id }) && !slices.Contains(others, id) {
			others = append(others, id)
		}
	}
	// Of the same account and Region, the other side's, or tables that are gone.
	for ids := range slices.Chunk(others, filterValues) {
		there, err := read(ctx, r.ec2api, types.Filter{Name: aws.String("route-table-id"), Values: ids})
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if !slices.ContainsFunc(there, func(t Table) bool { return t.ID == id }) {
				out = append(out, id)
			}
		}
	}
	return out, nil
}

// filterValues is how many values one filter of EC2's takes: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
const filterValues = 200

// clear does what is to be done in one table, and reports whether there was anything.
func (r *removing) clear(ctx context.Context, id string) (found bool, err error) {
	items, err := r.Of(ctx, r.side.VPC.Account, r.side.VPC.Region, id)
	if err != nil {
		return false, err
	}
	table := Table{ID: id}
	now, err := read(ctx, r.ec2api, types.Filter{Name: aws.String("route-table-id"), Values: []string{id}})
	if err != nil {
		return false, err
	}
	if len(now) > 0 {
		table = now[0]
	}
	plan := PlanRemoval(table, items, r.connection, r.only(table), func(i ledger.Item) bool { return i.Busy(r.by, r.Now()) })
	if len(plan.Busy) > 0 {
		return true, fault.New(fault.NotYet, "another execution is adding route %s", plan.Busy[0].Key)
	}
	for _, h := range plan.Handover {
		if err := r.handOver(ctx, h); err != nil {
			return true, err
		}
	}
	if _, err := r.Confirm(ctx, plan.Confirm...); err != nil {
		return true, err
	}
	if err := r.Cancel(ctx, r.connection.ID, plan.Forget); err != nil {
		return true, err
	}
	leaving, err := r.Release(ctx, r.connection.ID, plan.Release)
	if err != nil {
		return true, err
	}
	for _, i := range leaving {
		if err := r.takeBack(ctx, i, table); err != nil {
			return true, err
		}
		if err := r.Forget(ctx, r.connection.ID, []ledger.Item{i}); err != nil {
			return true, err
		}
	}
	return !plan.Empty(), nil
}

// handOver leads a route to the target of those who need it still.
func (r *removing) handOver(ctx context.Context, h Handover) error {
	to := h.Item
	intended, err := r.Mark(ctx, to, func(i *ledger.Item) {
		i.State, i.Left, i.Before, i.By, i.At = ledger.Intended, to.Left, to.Before, r.by, r.Now().UTC()
	})
	if err != nil {
		return err
	}
	slog.InfoContext(ctx, "handing route over", "table", to.Resource, "destination", to.Key, "target", to.Left, "needed", intended.Needed)
	destination, err := netip.ParsePrefix(to.Key)
	if err != nil {
		return err
	}
	if h.Create {
		in := &ec2.CreateRouteInput{RouteTableId: &to.Resource}
		in.VpcPeeringConnectionId, in.TransitGatewayId = through(to.Left)
		in.DestinationCidrBlock, in.DestinationIpv6CidrBlock = destinationOf(destination)
		_, err = r.ec2api.CreateRoute(ctx, in, func(o *ec2.Options) { o.Retryer = fault.Once() })
		if fault.HasCode(err, "RouteAlreadyExists") {
			return fault.New(fault.Transient, "route %s: somebody else added it at this moment", to.Key)
		}
	} else {
		in := &ec2.ReplaceRouteInput{RouteTableId: &to.Resource}
		in.VpcPeeringConnectionId, in.TransitGatewayId = through(to.Left)
		in.DestinationCidrBlock, in.DestinationIpv6CidrBlock = destinationOf(destination)
		_, err = r.ec2api.ReplaceRoute(ctx, in)
	}
	if err != nil {
		return fmt.Errorf("leading route %s to %s: %w", to.Key, to.Left, remedied(err))
	}
	if _, err := r.Confirm(ctx, intended); err != nil {
		return err
	}
	r.say(to.Resource, true, "%s leads through %s now, for %s", to.Key, to.Left, strings.Join(others(to.Needed, r.connection.ID), ", "))
	return nil
}

func others(needed []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(needed), func(n string) bool { return n == id })
}

// takeBack takes a route back that nobody needs, or puts back what was there before it.
func (r *removing) takeBack(ctx context.Context, i ledger.Item, table Table) error {
	how, at := TakeBack(i, table)
	switch how {
	case Leave:
		if at.Target != "" {
			r.say(table.ID, true, "%s leads through %s by now, not through %s: somebody changed it, and it stays", i.Key, at.Target, i.Left)
		}
		return nil
	case PutBack:
		slog.InfoContext(ctx, "putting blackhole route back", "table", table.ID, "destination", i.Key, "target", i.Before)
		in := &ec2.ReplaceRouteInput{RouteTableId: &table.ID}
		toward(in, i.Before)
		in.DestinationCidrBlock, in.DestinationIpv6CidrBlock = destinationOf(at.Destination)
		_, err := r.ec2api.ReplaceRoute(ctx, in)
		switch {
		case err == nil:
			r.say(table.ID, true, "%s leads to %s again, as it did before Drawbridge", i.Key, i.Before)
			return nil
		case fault.Of(err) == fault.Transient || fault.HasCode(err, "UnauthorizedOperation", "AccessDenied", "AuthFailure"):
			return fmt.Errorf("putting back route %s to %s: %w", i.Key, i.Before, err)
		}
		// EC2 takes no route to what does not exist any more.
		r.say(table.ID, true, "%s led to %s before Drawbridge, where nothing arrived; EC2 does not take that any more: %v", i.Key, i.Before, err)
	}
	slog.InfoContext(ctx, "deleting route", "table", table.ID, "destination", i.Key, "target", i.Left)
	in := &ec2.DeleteRouteInput{RouteTableId: &table.ID}
	in.DestinationCidrBlock, in.DestinationIpv6CidrBlock = destinationOf(at.Destination)
	_, err := r.ec2api.DeleteRoute(ctx, in)
	if err != nil && !absent(err) {
		return fmt.Errorf("removing route %s: %w", i.Key, err)
	}
	r.say(table.ID, true, "%s through %s removed", i.Key, i.Left)
	return nil
}

func (r *removing) say(table string, ok bool, detail string, args ...any) {
	r.hops = append(r.hops, workflow.Hop{Hop: "route " + table, OK: ok, Detail: fmt.Sprintf(detail, args...)})
}

func (r *removing) result() workflow.RemoveRoutesOutput {
	out := workflow.RemoveRoutesOutput{Account: r.side.VPC.Account, VPC: r.side.VPC.ID, Hops: r.hops}
	if len(out.Hops) == 0 {
		none := "none of " + r.connection.ID
		if r.side.Trim != nil {
			none += " has to go"
		}
		out.Hops = []workflow.Hop{{Hop: "routes of " + r.side.VPC.ID, OK: true, Detail: none}}
	}
	return out
}

// toward names any target of a route in the one field that EC2 takes it in.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRoute.html
func toward(in *ec2.ReplaceRouteInput, target string) {
	kind, _, _ := strings.Cut(target, "-")
	if strings.HasPrefix(target, "arn:") {
		kind = "arn"
	}
	switch kind {
	case "pcx":
		in.VpcPeeringConnectionId = &target
	case "tgw":
		in.TransitGatewayId = &target
	case "nat":
		in.NatGatewayId = &target
	case "eigw":
		in.EgressOnlyInternetGatewayId = &target
	case "eni":
		in.NetworkInterfaceId = &target
	case "i":
		in.InstanceId = &target
	case "lgw":
		in.LocalGatewayId = &target
	case "cagw":
		in.CarrierGatewayId = &target
	case "arn":
		if strings.Contains(target, ":odb:") {
			in.OdbNetworkArn = &target
		} else {
			in.CoreNetworkArn = &target
		}
	case "vpce":
		in.VpcEndpointId = &target
	default: // igw-…, vgw-…
		in.GatewayId = &target
	}
}
