package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Reader is what [Read] needs of EC2.
type Reader interface {
	DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error)
}

type client interface {
	Reader
	ListReader
	CreateRoute(context.Context, *ec2.CreateRouteInput, ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error)
	ReplaceRoute(context.Context, *ec2.ReplaceRouteInput, ...func(*ec2.Options)) (*ec2.ReplaceRouteOutput, error)
}

// Read returns all route tables of a VPC, sorted by id. Routes to prefix lists have no prefix of their own: they are named beside the
// routes, see [Expand].
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
	tags := tag.Clean(tag.RouteTable, tag.OfEC2(t.Tags))
	out := Table{ID: aws.ToString(t.RouteTableId), Apart: tags[tag.Reach] == tag.NoReach, Divert: tags[tag.Divert]}
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
		list := aws.ToString(r.DestinationPrefixListId)
		if list != "" && !strings.HasPrefix(target(r), "vpce-") {
			out.Lists = append(out.Lists, List{ID: list, Target: target(r), Blackhole: r.State == types.RouteStateBlackhole})
		}
		destination, err := netip.ParsePrefix(first(r.DestinationCidrBlock, r.DestinationIpv6CidrBlock))
		if err != nil || list != "" {
			continue
		}
		out.Routes = append(out.Routes, Route{Destination: destination.Masked(), Target: target(r), Blackhole: r.State == types.RouteStateBlackhole,
			Propagated: r.Origin == types.RouteOriginEnableVgwRoutePropagation})
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

// rounds bounds how often Add and Remove read, plan and apply. Two are enough unless somebody else edits the tables meanwhile.
const rounds = 4

// Add makes the tables of one side lead through the connection what its ways say. by is the execution that it is done for.
//
// The first plan rests on what InspectPeering read in this execution. Creating a route can never overwrite one, so
// that is safe; anything else, and any surprise, is planned again from a fresh look. It ends when no change is needed, or each route that was
// lacking was created. What the tables hold once everything is done, VerifyConnection reads: that is the proof.
//
// A table that is full, or in which somebody's live route leads elsewhere, keeps nobody else from being served: a hop says so, and the paths through it
// fail. On a participant's side there is nothing to do: the tables are the owner's.
func Add(ctx context.Context, ec2api client, l ledger.Ledger, by string, connection workflow.Connection, side workflow.Side) (workflow.AddRoutesOutput, error) {
	if side.Owner != "" {
		return workflow.AddRoutesOutput{Account: side.VPC.Account, VPC: side.VPC.ID, Hops: []workflow.Hop{}, Tables: []workflow.Table{}}, nil
	}
	a := adding{ec2api: ec2api, Ledger: l, by: by, connection: connection.ID, vpc: side.VPC, unfit: map[string]error{}, left: map[Desired]ledger.Item{}}
	tables, fresh := side.Tables, false
	for range rounds {
		if tables == nil {
			var err error
			if tables, err = Read(ctx, ec2api, side.VPC.ID); err != nil {
				return workflow.AddRoutesOutput{}, err
			}
			fresh = true
		}
		used, err := Expand(ctx, ec2api, InUse(tables, side.Subnets))
		if err != nil {
			return workflow.AddRoutesOutput{}, fmt.Errorf("adding routes in %s: %w", side.VPC.ID, err)
		}
		wanted, apart := Wanted(tables, side, connection.Target)
		items, err := a.known(ctx, wanted)
		if err != nil {
			return workflow.AddRoutesOutput{}, err
		}
		plan := func() Changes {
			return Plan(connection.ID, slices.DeleteFunc(slices.Clone(wanted), a.givenUp), Concerned(used, destinations(wanted), side.Aims), items, side)
		}
		changes := plan()
		lost := Lost(changes, items)
		if !fresh && len(changes.Past)+len(changes.Conflicts)+len(changes.Replace)+len(changes.Want)+len(changes.Drop)+len(changes.Contested)+len(lost)+len(takenOver(changes, items)) > 0 {
			tables = nil // what InspectPeering saw may be old: look before judging, replacing or taking over
			continue
		}
		_, left, err := contest.Contest{Ledger: l}.Missing(ctx, connection.ID, by, lost)
		if err != nil {
			return workflow.AddRoutesOutput{}, err
		}
		for _, i := range left {
			a.left[routeOf(i)] = i
		}
		changes = plan()
		if changes.Empty() {
			full, failed := a.unfitTables()
			if err := fault.Join(append([]error{changes.InFront()}, failed...)...); err != nil {
				return workflow.AddRoutesOutput{}, fmt.Errorf("adding routes in %s: %w", side.VPC.ID, err)
			}
			changes.Conflicts = append(changes.Conflicts, full...)
			maps.Copy(changes.Contested, a.left)
			return Result(side, used, apart, changes), nil
		}
		created, err := a.apply(ctx, changes, items)
		if err != nil {
			return workflow.AddRoutesOutput{}, fmt.Errorf("adding routes in %s: %w", side.VPC.ID, err)
		}
		if created && len(changes.Conflicts)+len(changes.Replace)+len(changes.Want)+len(changes.Drop)+len(changes.Contested)+len(a.left)+len(a.unfit) == 0 {
			return Result(side, with(used, changes.Create), apart, changes), nil
		}
		tables = nil
	}
	return workflow.AddRoutesOutput{}, fault.New(fault.Transient, "adding routes in %s: the tables kept changing under %d attempts", side.VPC.ID, rounds)
}

// adding adds the routes of one side.
type adding struct {
	ledger.Ledger
	ec2api     client
	by         string
	connection string
	vpc        workflow.VPC
	unfit      map[string]error        // of tables that take no route, or none any more
	left       map[Desired]ledger.Item // what somebody took away, and is left to them
}

// known returns what the ledger has of the tables of desired routes.
func (a adding) known(ctx context.Context, desired []Desired) ([]ledger.Item, error) {
	var out []ledger.Item
	var seen []string
	for _, d := range desired {
		if slices.Contains(seen, d.Table) {
			continue
		}
		seen = append(seen, d.Table)
		of, err := a.Of(ctx, a.vpc.Account, a.vpc.Region, d.Table)
		if err != nil {
			return nil, err
		}
		out = append(out, of...)
	}
	return out, nil
}

// givenUp reports whether a route is given up in this execution.
func (a adding) givenUp(d Desired) bool {
	_, left := a.left[d]
	return left || a.unfit[d.Table] != nil
}

// unfitTables returns why tables were given up: what a person mends, and what fails the step.
func (a adding) unfitTables() (full []Obstacle, failed []error) {
	for _, table := range slices.Sorted(maps.Keys(a.unfit)) {
		var conflict *fault.Error
		if err := a.unfit[table]; errors.As(err, &conflict) && conflict.Kind == fault.Conflict {
			full = append(full, Obstacle{Table: table, Says: conflict.Message, Remedy: conflict.Remedy})
		} else {
			failed = append(failed, err)
		}
	}
	return full, failed
}

// item is what the ledger is told of a route.
func (a adding) item(d Desired) ledger.Item {
	return ledger.Item{Account: a.vpc.Account, Region: a.vpc.Region, Resource: d.Table, Kind: ledger.Route, Key: d.Destination.String(), Left: d.Target, By: a.by}
}

func (a adding) items(desired []Desired) []ledger.Item {
	var out []ledger.Item
	for _, d := range desired {
		out = append(out, a.item(d))
	}
	return out
}

// apply does what is planned, and reports whether it created every route that was to be created. Of a table that does not take a route, it notes why,
// and goes on. known are the items of before.
func (a adding) apply(ctx context.Context, changes Changes, known []ledger.Item) (created bool, err error) {
	recorded, made, err := a.intend(ctx, changes, known)
	if err == nil {
		var here []ledger.Item
		here, err = a.makeAll(ctx, recorded, len(changes.Create), known)
		made, created = append(made, here...), len(here) == len(recorded)
	}
	_, confirming := a.Confirm(ctx, made...)
	if fault.Of(confirming) == fault.Invalid { // another execution took them for another's meanwhile; they were made here
		if _, confirming = a.Record(ctx, a.connection, made...); confirming == nil {
			_, confirming = a.Confirm(ctx, made...)
		}
	}
	return created, cmp.Or(err, confirming)
}

// intend writes into the ledger what is planned, before anything is made; known are the items of before. It returns the items of the routes to be made, those to be created before those
// to be replaced, and those of routes that an earlier attempt made without confirming them, also beside an error.
func (a adding) intend(ctx context.Context, changes Changes, known []ledger.Item) (recorded, made []ledger.Item, err error) {
	if err := a.Cancel(ctx, a.connection, a.items(changes.Drop)); err != nil {
		return nil, nil, err
	}
	wanted := a.items(changes.Want)
	for n := range wanted {
		wanted[n].State = ledger.Wanted
	}
	if _, err := a.Record(ctx, a.connection, wanted...); err != nil {
		return nil, nil, err
	}
	shared, err := a.record(ctx, a.items(changes.Share), known)
	for _, i := range shared {
		if i.State == ledger.Intended {
			made = append(made, i)
		}
	}
	if err != nil {
		return nil, made, err
	}
	intended := a.items(changes.Create)
	for _, d := range changes.Replace {
		i := a.item(d.Desired)
		i.Before = d.Was
		intended = append(intended, i)
	}
	for n, i := range intended {
		intended[n].Past = changes.Past[routeOf(i)].Route.Target
	}
	recorded, err = a.record(ctx, intended, known)
	return recorded, made, err
}

// makeAll makes the routes of items, and returns the items of those that it made. The first of them, so many as creates says, are created, the others
// replaced. Those that were not made are taken back from the ledger.
func (a adding) makeAll(ctx context.Context, items []ledger.Item, creates int, known []ledger.Item) (made []ledger.Item, err error) {
	for n, i := range items {
		d := routeOf(i)
		if a.unfit[d.Table] == nil {
			done, err := a.make(ctx, d, n >= creates)
			switch {
			case done:
				i.Made = a.Now().UTC().Truncate(time.Second)
				made = append(made, i)
				continue
			case err != nil && fault.Passing(err):
				return made, err
			case err != nil:
				a.unfit[d.Table] = err
			}
		}
		if err := a.giveUp(ctx, i, known); err != nil { // whatever is there is not ours
			return made, err
		}
	}
	return made, nil
}

// routeOf is the route that an item is about.
func routeOf(i ledger.Item) Desired {
	d := Desired{Table: i.Resource, Target: i.Left}
	d.Destination, _ = netip.ParsePrefix(i.Key)
	return d
}

// record writes that the connection needs items, and returns those that this execution has to see to. What another is about to make is
// not to be made twice, and what another connection has just added stays its own. known are the items of before.
func (a adding) record(ctx context.Context, items, known []ledger.Item) ([]ledger.Item, error) {
	recorded, err := a.Record(ctx, a.connection, items...)
	if err != nil {
		return nil, err
	}
	for n, i := range recorded {
		if i.Busy(a.by, a.Now()) {
			return nil, fault.New(fault.NotYet, "route %s of %s: another execution is adding it", i.Key, i.Resource)
		}
		if was := itemOf(known, i.Resource, i.Key); i.State == ledger.Confirmed && i.Left != items[n].Left && (was == nil || was.State != i.State || was.Left != i.Left) {
			if err := a.Cancel(ctx, a.connection, []ledger.Item{i}); err != nil {
				return nil, err
			}
			return nil, fault.New(fault.NotYet, "route %s of %s: another connection has just added it, to %s", i.Key, i.Resource, i.Left)
		}
		past := cmp.Or(items[n].Past, i.Past)
		if i.Past == past && i.Left == items[n].Left && (i.State == ledger.Intended && i.By == a.by || i.State == ledger.Confirmed) {
			continue
		}
		// It leads elsewhere, for a connection whose target is dead, or an execution that is over intended it.
		if recorded[n], err = a.Mark(ctx, i, func(now *ledger.Item) {
			now.State, now.Left, now.Past, now.By, now.At = ledger.Intended, items[n].Left, past, a.by, a.Now().UTC().Truncate(time.Second)
		}); err != nil {
			return nil, err
		}
	}
	return recorded, nil
}

// giveUp takes back what was recorded of a route that was not made, unless an earlier attempt may have made it.
func (a adding) giveUp(ctx context.Context, i ledger.Item, known []ledger.Item) error {
	if itemOf(known, i.Resource, i.Key) != nil {
		return a.GiveUp(ctx, i)
	}
	return a.Cancel(ctx, a.connection, []ledger.Item{i})
}

// make creates a route, or replaces a dead one. It reports whether it did; without an error, somebody was faster.
func (a adding) make(ctx context.Context, d Desired, replace bool) (done bool, err error) {
	once := func(o *ec2.Options) { o.Retryer = fault.Once() }
	if !replace {
		slog.InfoContext(ctx, "creating route", "table", d.Table, "destination", d.Destination, "target", d.Target)
		in := &ec2.CreateRouteInput{RouteTableId: &d.Table}
		in.VpcPeeringConnectionId, in.TransitGatewayId = through(d.Target)
		in.DestinationCidrBlock, in.DestinationIpv6CidrBlock = destinationOf(d.Destination)
		_, err = a.ec2api.CreateRoute(ctx, in, once)
		// "RouteAlreadyExists": somebody, perhaps another execution of ours, was faster; the next look tells who.
		if fault.HasCode(err, "RouteAlreadyExists") {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("adding route %s to %s: %w", d.Destination, d.Table, remedied(err))
		}
		return true, nil
	}
	slog.InfoContext(ctx, "replacing blackhole route", "table", d.Table, "destination", d.Destination, "target", d.Target)
	in := &ec2.ReplaceRouteInput{RouteTableId: &d.Table}
	in.VpcPeeringConnectionId, in.TransitGatewayId = through(d.Target)
	in.DestinationCidrBlock, in.DestinationIpv6CidrBlock = destinationOf(d.Destination)
	_, err = a.ec2api.ReplaceRoute(ctx, in)
	if absent(err) { // the dead route was removed meanwhile; the next look creates ours
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("replacing route %s in %s: %w", d.Destination, d.Table, remedied(err))
	}
	return true, nil
}
