package route_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// tablesOfEC2 is one VPC's route tables: a stateful fake of the three calls that adding routes makes.
type tablesOfEC2 struct {
	tables  []types.RouteTable
	calls   []string
	before  func(f *tablesOfEC2, call string) // what somebody else does just before a call
	failing map[string]error
	lists   map[string][]string // entries of prefix lists
	ledger  ledger.Ledger
	memory  *ledgertest.Memory
}

func (f *tablesOfEC2) GetManagedPrefixListEntries(_ context.Context, in *ec2.GetManagedPrefixListEntriesInput, _ ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	if err := f.hook("GetManagedPrefixListEntries"); err != nil {
		return nil, err
	}
	out := &ec2.GetManagedPrefixListEntriesOutput{}
	for _, cidr := range f.lists[*in.PrefixListId] {
		out.Entries = append(out.Entries, types.PrefixListEntry{Cidr: &cidr})
	}
	return out, nil
}

// peering is the connection whose routes are ours.
var peering = workflow.Connection{ID: ours, Target: ours}

func (f *tablesOfEC2) hook(call string) error {
	f.calls = append(f.calls, call)
	if f.before != nil {
		f.before(f, call)
	}
	return f.failing[call]
}

func (f *tablesOfEC2) find(table, destination string) *types.Route {
	for n := range f.tables {
		if *f.tables[n].RouteTableId != table {
			continue
		}
		for m := range f.tables[n].Routes {
			if aws.ToString(f.tables[n].Routes[m].DestinationCidrBlock) == destination {
				return &f.tables[n].Routes[m]
			}
		}
	}
	return nil
}

func (f *tablesOfEC2) put(table, destination, target string) {
	for n := range f.tables {
		if *f.tables[n].RouteTableId == table {
			f.tables[n].Routes = append(f.tables[n].Routes, types.Route{DestinationCidrBlock: &destination, VpcPeeringConnectionId: &target, State: types.RouteStateActive})
		}
	}
}

func (f *tablesOfEC2) DescribeRouteTables(_ context.Context, in *ec2.DescribeRouteTablesInput, _ ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	if err := f.hook("DescribeRouteTables"); err != nil {
		return nil, err
	}
	out := &ec2.DescribeRouteTablesOutput{}
	for _, t := range f.tables {
		if *in.Filters[0].Name == "vpc-id" || in.Filters[0].Values[0] == *t.RouteTableId {
			out.RouteTables = append(out.RouteTables, t)
		}
	}
	return out, nil
}

func (f *tablesOfEC2) CreateRoute(_ context.Context, in *ec2.CreateRouteInput, _ ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error) {
	if err := f.hook("CreateRoute"); err != nil {
		return nil, err
	}
	if f.find(*in.RouteTableId, *in.DestinationCidrBlock) != nil {
		return nil, &smithy.GenericAPIError{Code: "RouteAlreadyExists", Message: "The route identified by " + *in.DestinationCidrBlock + " already exists."}
	}
	f.put(*in.RouteTableId, *in.DestinationCidrBlock, *in.VpcPeeringConnectionId)
	return &ec2.CreateRouteOutput{Return: aws.Bool(true)}, nil
}

func (f *tablesOfEC2) ReplaceRoute(_ context.Context, in *ec2.ReplaceRouteInput, _ ...func(*ec2.Options)) (*ec2.ReplaceRouteOutput, error) {
	if err := f.hook("ReplaceRoute"); err != nil {
		return nil, err
	}
	r := f.find(*in.RouteTableId, *in.DestinationCidrBlock)
	if r == nil {
		return nil, &smithy.GenericAPIError{Code: "InvalidRoute.NotFound"}
	}
	r.VpcPeeringConnectionId, r.State = in.VpcPeeringConnectionId, types.RouteStateActive
	return &ec2.ReplaceRouteOutput{}, nil
}

func world() (*tablesOfEC2, workflow.Side) {
	l, memory := ledgertest.New()
	fake := &tablesOfEC2{ledger: l, memory: memory, lists: map[string][]string{}, failing: map[string]error{}, tables: []types.RouteTable{
		{RouteTableId: aws.String("rtb-1"), Associations: []types.RouteTableAssociation{{SubnetId: aws.String("subnet-1")}}},
		{RouteTableId: aws.String("rtb-2"), Associations: []types.RouteTableAssociation{{SubnetId: aws.String("subnet-2")}}},
	}}
	side := workflow.Side{Role: "requester", Consumer: true, Subnets: []string{"subnet-1", "subnet-2"},
		VPC:  workflow.VPC{Account: "111111111111", Region: "us-east-1", ID: "vpc-1", CIDRs: []netip.Prefix{cidr("10.1.0.0/16")}},
		Peer: workflow.VPC{Account: "222222222222", Region: "us-east-1", ID: "vpc-2", CIDRs: []netip.Prefix{cidr("10.2.0.0/16")}}}
	side.Ways = []workflow.Way{{To: side.Peer.CIDRs}}
	side.Tables, _ = route.Read(context.Background(), fake, "vpc-1")
	fake.calls = nil
	return fake, side
}

func TestAddNeedsNoLook(t *testing.T) {
	fake, side := world()
	out, err := route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(fake.calls, " "); got != "CreateRoute CreateRoute" {
		t.Errorf("calls = %s", got)
	}
	if len(out.Hops) != 0 || len(out.Tables) != 2 || len(out.Tables[0].Routes) != 1 {
		t.Errorf("result = %+v, want no hop, and each of two tables with its host route", out)
	}
}

func TestAddAgainChangesNothing(t *testing.T) {
	fake, side := world()
	for range 2 {
		fake.calls = nil
		if _, err := route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side); err != nil {
			t.Fatal(err)
		}
	}
	// The second time, what InspectPeering saw is old on purpose: both creations are answered "already exists", and a look tells by whom.
	if got := strings.Join(fake.calls, " "); got != "DescribeRouteTables" && got != "CreateRoute CreateRoute DescribeRouteTables" {
		t.Errorf("calls = %s", got)
	}
}

func TestSomebodyElsesRouteMeanwhileIsAConflict(t *testing.T) {
	fake, side := world()
	fake.before = func(f *tablesOfEC2, call string) {
		if call == "CreateRoute" && f.find("rtb-2", "10.2.0.0/16") == nil {
			f.put("rtb-2", "10.2.0.0/16", "pcx-theirs")
		}
	}
	out, err := route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side)
	if err != nil || len(out.Hops) != 1 || out.Hops[0].OK || out.Hops[0].Hop != "route there rtb-2" || !strings.Contains(out.Hops[0].Detail, "pcx-theirs") {
		t.Errorf("%+v, %v, want a hop about rtb-2 that names pcx-theirs", out.Hops, err)
	}
	if r := fake.find("rtb-2", "10.2.0.0/16"); *r.VpcPeeringConnectionId != "pcx-theirs" {
		t.Errorf("their route now goes to %s", *r.VpcPeeringConnectionId)
	}
}

func TestABlackholeIsLookedAtAgainBeforeItIsReplaced(t *testing.T) {
	fake, side := world()
	fake.put("rtb-1", "10.2.0.0/16", "pcx-old")
	fake.find("rtb-1", "10.2.0.0/16").State = types.RouteStateBlackhole
	side.Tables, _ = route.Read(context.Background(), fake, "vpc-1")
	fake.calls = nil
	fake.before = func(f *tablesOfEC2, call string) { // its owner revives it before the second look
		if call == "DescribeRouteTables" {
			f.find("rtb-1", "10.2.0.0/16").State = types.RouteStateActive
		}
	}
	out, err := route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side)
	if err != nil || len(out.Hops) != 1 || out.Hops[0].OK || out.Hops[0].Hop != "route there rtb-1" || !strings.Contains(out.Hops[0].Detail, "already goes to") {
		t.Errorf("%+v, %v, want a hop about rtb-1: the route is alive", out.Hops, err)
	}
	if got := strings.Join(fake.calls, " "); !strings.HasPrefix(got, "DescribeRouteTables") || strings.Contains(got, "ReplaceRoute") || fake.find("rtb-2", "10.2.0.0/16") == nil {
		t.Errorf("calls = %s, want a look first, nothing replaced, and the other table served", got)
	}
}

func TestAFullTableNamesTheQuota(t *testing.T) {
	fake, side := world()
	fake.failing["CreateRoute"] = &smithy.GenericAPIError{Code: "RouteLimitExceeded", Message: "full"}
	out, err := route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side)
	if err != nil || len(out.Hops) != 2 || out.Hops[0].OK || out.Hops[0].Hop != "route there rtb-1" || !strings.Contains(out.Hops[0].Detail, "quota") {
		t.Errorf("%+v, %v, want hops that name the tables and the quota", out.Hops, err)
	}
}

func TestThrottlingIsTransient(t *testing.T) {
	fake, side := world()
	side.Tables = nil
	fake.failing["DescribeRouteTables"] = &smithy.GenericAPIError{Code: "RequestLimitExceeded"}
	if _, err := route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side); fault.Of(err) != fault.Transient {
		t.Errorf("error = %v, want Transient", err)
	}
}

// What a list leads elsewhere is left to its owner to say; the other tables are served. With leave the ledger knows what the route takes traffic out of, and
// without it again the route goes, and no other.
func TestAListOfTheOwnersThatLeadsElsewhereIsAskedAbout(t *testing.T) {
	fake, side := world()
	fake.lists["pl-corp"] = []string{"192.168.0.0/16", "10.2.0.0/16"}
	fake.tables[0].Routes = append(fake.tables[0].Routes, types.Route{DestinationPrefixListId: aws.String("pl-corp"), NetworkInterfaceId: aws.String("eni-1"), State: types.RouteStateActive})
	side.Tables, _ = route.Read(context.Background(), fake, "vpc-1")
	ctx := context.Background()
	got, err := route.Add(ctx, fake, fake.ledger, "run-1", peering, side)
	if err != nil || len(got.Hops) != 1 || got.Hops[0].OK || !strings.Contains(got.Hops[0].Detail, "10.2.0.0/16 would leave eni-1 (10.2.0.0/16 of prefix list pl-corp) in rtb-1") {
		t.Errorf("%+v, %v", got.Hops, err)
	}
	if fake.find("rtb-1", "10.2.0.0/16") != nil || fake.find("rtb-2", "10.2.0.0/16") == nil {
		t.Error("rtb-1 must be left alone, and rtb-2 served")
	}
	side.Diverts = workflow.Diverts{{Leaves: "eni-1", Tables: []string{"rtb-1"}, Policy: "p", Allowed: true}}
	if got, err = route.Add(ctx, fake, fake.ledger, "run-2", peering, side); err != nil || len(got.Hops) != 1 || !got.Hops[0].OK || fake.find("rtb-1", "10.2.0.0/16") == nil {
		t.Errorf("with leave: %+v, %v", got.Hops, err)
	}
	items, err := fake.ledger.Items(ctx, peering.ID)
	if err != nil || len(items) != 2 || items[0].Past != "eni-1" || items[1].Past != "" {
		t.Errorf("the ledger has %+v, %v", items, err)
	}
	side.Diverts, side.Trim = nil, &workflow.Trim{Destinations: []netip.Prefix{cidr("10.2.0.0/16")}}
	if _, err := route.Remove(ctx, fake, fake.ledger, "run-3", peering, side); err != nil || fake.find("rtb-1", "10.2.0.0/16") != nil || fake.find("rtb-2", "10.2.0.0/16") == nil {
		t.Errorf("the leave is gone: %v, and the routes are %v and %v", err, fake.find("rtb-1", "10.2.0.0/16"), fake.find("rtb-2", "10.2.0.0/16"))
	}
}

// A list whose target is gone is in nobody's way: nobody has to read it, and what a step adds comes before it.
func TestAListThatIsDeadIsNoConflict(t *testing.T) {
	fake, side := world()
	fake.tables[0].Routes = append(fake.tables[0].Routes, types.Route{DestinationPrefixListId: aws.String("pl-dead"), VpcPeeringConnectionId: aws.String(ours), State: types.RouteStateBlackhole})
	side.Tables, _ = route.Read(context.Background(), fake, "vpc-1")
	if len(side.Tables[0].Lists) != 1 || !side.Tables[0].Lists[0].Blackhole {
		t.Errorf("the list is not seen: %+v", side.Tables[0])
	}
	if _, err := route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side); err != nil || fake.find("rtb-1", "10.2.0.0/16") == nil || slices.Contains(fake.calls, "GetManagedPrefixListEntries") {
		t.Errorf("%v, %v", err, fake.calls)
	}
}

func TestOneTableThatIsFullDoesNotKeepTheOthersOut(t *testing.T) {
	fake, side := world()
	full := &smithy.GenericAPIError{Code: "RouteLimitExceeded", Message: "full"}
	fake.before = func(f *tablesOfEC2, call string) {
		if delete(f.failing, "CreateRoute"); call == "CreateRoute" && strings.Count(strings.Join(f.calls, " "), call) == 1 {
			f.failing["CreateRoute"] = full
		}
	}
	out, err := route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side)
	if err != nil || len(out.Hops) != 1 || out.Hops[0].OK || out.Hops[0].Hop != "route there rtb-1" {
		t.Errorf("%+v, %v, want a hop about rtb-1 alone", out.Hops, err)
	}
	if fake.find("rtb-2", "10.2.0.0/16") == nil {
		t.Error("rtb-2 is not served")
	}
	if items, err := fake.ledger.Items(context.Background(), peering.ID); err != nil || len(items) != 1 || items[0].Resource != "rtb-2" || items[0].State != ledger.Confirmed {
		t.Errorf("the ledger has %+v, %v", items, err)
	}
}

func TestAnOwnerWhoIsFasterKeepsTheRoute(t *testing.T) {
	fake, side := world()
	fake.before = func(f *tablesOfEC2, call string) { // Terraform adds the very same route at this moment
		if call == "CreateRoute" && f.find("rtb-1", "10.2.0.0/16") == nil {
			f.put("rtb-1", "10.2.0.0/16", ours)
		}
	}
	if _, err := route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side); err != nil {
		t.Fatal(err)
	}
	if _, err := route.Remove(context.Background(), fake, fake.ledger, "run-2", peering, side); err != nil {
		t.Fatal(err)
	}
	if fake.find("rtb-1", "10.2.0.0/16") == nil || fake.find("rtb-2", "10.2.0.0/16") != nil {
		t.Error("theirs must stay, and ours go")
	}
	if rows := fake.memory.Rows(); len(rows) != 0 {
		t.Errorf("the ledger still has %v", rows)
	}
}

func TestWhatAnotherExecutionIsAddingIsWaitedFor(t *testing.T) {
	fake, side := world()
	wanted := ledger.Item{Account: "111111111111", Region: "us-east-1", Resource: "rtb-1", Kind: ledger.Route, Key: "10.2.0.0/16", Left: ours, By: "run-1"}
	if _, err := fake.ledger.Record(context.Background(), peering.ID, wanted); err != nil {
		t.Fatal(err)
	}
	if _, err := route.Add(context.Background(), fake, fake.ledger, "run-2", peering, side); fault.Of(err) != fault.NotYet {
		t.Errorf("adding: %v, want NotYet", err)
	}
	if _, err := route.Remove(context.Background(), fake, fake.ledger, "run-2", peering, side); fault.Of(err) != fault.NotYet {
		t.Errorf("removing: %v, want NotYet", err)
	}
	if _, err := route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side); err != nil {
		t.Errorf("its own next attempt: %v", err)
	}
}

// meanwhile is a ledger in which something happens right after its first list was read.
type meanwhile struct {
	ledger.Store
	do func()
}

func (m *meanwhile) List(ctx context.Context, part, prefix string) ([]ledger.Row, error) {
	rows, err := m.Store.List(ctx, part, prefix)
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return rows, err
}

// Two VPCs of one range are connected with a third at the same moment: what the second saw of the tables is old. The first's route stays the first's.
func TestARouteThatAnotherConnectionJustAddedStaysItsOwn(t *testing.T) {
	const theirs = "pcx-theirs"
	item := ledger.Item{Account: "111111111111", Region: "us-east-1", Resource: "rtb-1", Kind: ledger.Route, Key: "10.2.0.0/16", Left: theirs, By: "run-0"}
	for name, early := range map[string]bool{"before the ledger was read": true, "after the ledger was read": false} {
		fake, side := world()
		add := func() {
			if _, err := fake.ledger.Record(context.Background(), theirs, item); err != nil {
				t.Fatal(err)
			}
			fake.put("rtb-1", "10.2.0.0/16", theirs)
			if _, err := fake.ledger.Confirm(context.Background(), item); err != nil {
				t.Fatal(err)
			}
		}
		of := fake.ledger
		if early {
			add()
		} else {
			of.Store = &meanwhile{of.Store, add}
		}
		_, err := route.Add(context.Background(), fake, of, "run-1", peering, side)
		if !early && fault.Of(err) != fault.NotYet {
			t.Errorf("%s: %v, want NotYet", name, err)
		}
		if !early {
			_, err = route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side) // as the machine asks again
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := fake.ledger.Of(context.Background(), item.Account, item.Region, item.Resource)
		if err != nil || len(got) != 1 || got[0].State != ledger.Confirmed || got[0].Left != theirs || !slices.Equal(got[0].Needed, []string{theirs}) {
			t.Errorf("%s: the ledger has %+v, %v", name, got, err)
		}
	}
}
