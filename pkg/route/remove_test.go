package route_test

import (
	"context"
	"fmt"
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
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestPlanRemoval(t *testing.T) {
	pair := "tgw-1:vpc-1:vpc-2"
	never := func(ledger.Item) bool { return false }
	for name, c := range map[string]struct {
		routes []route.Route
		item   ledger.Item
		want   string
	}{
		"ours, dead with the peering":               {[]route.Route{at("10.2.0.0/16", ours, true)}, item(ours, ledger.Confirmed, ours), "release; delete"},
		"ours, still alive":                         {[]route.Route{at("10.2.0.0/16", ours, false)}, item(ours, ledger.Confirmed, ours), "release; delete"},
		"an answer that was lost":                   {[]route.Route{at("10.2.0.0/16", ours, false)}, item(ours, ledger.Intended, ours), "release; delete"},
		"ours, changed by its owner":                {[]route.Route{at("10.2.0.0/16", "nat-1", false)}, item(ours, ledger.Confirmed, ours), "release; leave"},
		"ours, gone":                                {nil, item(ours, ledger.Confirmed, ours), "release; leave"},
		"the owner's narrower one":                  {[]route.Route{at("10.2.5.0/24", ours, true)}, item(ours, ledger.Confirmed, ours), "release; leave"},
		"contested":                                 {[]route.Route{at("10.2.0.0/16", ours, false)}, item(ours, ledger.Contested, ours), "forget"},
		"another's":                                 {[]route.Route{at("10.2.0.0/16", ours, false)}, item(ours, ledger.Confirmed, "pcx-b"), ""},
		"needed by a pair, too":                     {[]route.Route{at("10.2.0.0/16", ours, false)}, item(ours, ledger.Confirmed, ours, pair), "to tgw-1; release"},
		"the same, and led there already":           {[]route.Route{at("10.2.0.0/16", "tgw-1", false)}, item("tgw-1", ledger.Intended, ours, pair), "release"},
		"the same, and its owner leads it":          {[]route.Route{at("10.2.0.0/16", "nat-1", false)}, item(ours, ledger.Confirmed, ours, pair), "release"},
		"wanted by a pair, and the owner's is dead": {[]route.Route{at("10.2.0.0/16", ours, true)}, item("tgw-1", ledger.Wanted, pair), "to tgw-1"},
		"the same, and the owner's lives":           {[]route.Route{at("10.2.0.0/16", ours, false)}, item("tgw-1", ledger.Wanted, pair), ""},
		"wanted by a pair, and a narrower is dead":  {[]route.Route{at("10.2.5.0/24", ours, true)}, item("tgw-1", ledger.Wanted, pair), "create to tgw-1"},
		"the same, and a live one is in the way":    {[]route.Route{at("10.2.5.0/24", ours, true), at("10.2.6.0/24", "nat-1", false)}, item("tgw-1", ledger.Wanted, pair), ""},
		"not ours at all":                           {[]route.Route{at("10.2.0.0/16", ours, false)}, ledger.Item{Kind: ledger.Rule, Key: "10.2.0.0/16", Needed: []string{ours}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			table := route.Table{ID: "rtb-1", Routes: c.routes}
			plan := route.PlanRemoval(table, []ledger.Item{c.item}, peering, nil, never)
			var got []string
			for _, h := range plan.Handover {
				got = append(got, map[bool]string{true: "create "}[h.Create]+"to "+h.Item.Left)
			}
			for _, i := range plan.Release {
				if got = append(got, "release"); len(i.Needed) == 1 {
					how, _ := route.TakeBack(i, table)
					got = append(got, string(how))
				}
			}
			for range plan.Forget {
				got = append(got, "forget")
			}
			if told := strings.Join(got, "; "); told != c.want {
				t.Errorf("planned %q, want %q", told, c.want)
			}
			if busy := route.PlanRemoval(table, []ledger.Item{c.item}, peering, nil, func(ledger.Item) bool { return true }); len(busy.Release) != 0 {
				t.Errorf("released although another execution is at it")
			}
			if part := route.PlanRemoval(table, []ledger.Item{c.item}, peering, []netip.Prefix{cidr("10.3.0.0/16")}, never); !part.Empty() {
				t.Errorf("planned %+v, where only another destination goes", part)
			}
		})
	}
}

// A gateway goes on when a pair on it goes: a route to it is led to a peering that needs it only if no other pair does.
func TestPlanRemovalOfAPair(t *testing.T) {
	const pair, other = "tgw-1:vpc-1:vpc-2", "tgw-1:vpc-1:vpc-3"
	there, narrower := []route.Route{at("10.2.0.0/16", "tgw-1", false)}, item("tgw-1", ledger.Confirmed, pair)
	narrower.Key = "10.2.0.0/17"
	for name, c := range map[string]struct {
		routes []route.Route
		items  []ledger.Item
		want   string
	}{
		"needed by nobody else":            {there, []ledger.Item{item("tgw-1", ledger.Confirmed, pair)}, "release"},
		"needed by a peering, too":         {there, []ledger.Item{item("tgw-1", ledger.Confirmed, pair, ours)}, "to " + ours + "; release"},
		"by a peering and by another pair": {there, []ledger.Item{item("tgw-1", ledger.Confirmed, pair, other, ours)}, "release"},
		"its owner leads it elsewhere":     {[]route.Route{at("10.2.0.0/16", "nat-1", false)}, []ledger.Item{item("tgw-1", ledger.Confirmed, pair, ours)}, "release"},
		"a peering wants a wider one":      {[]route.Route{at("10.2.0.0/17", "tgw-1", false)}, []ledger.Item{narrower, item(ours, ledger.Wanted, ours)}, "create to " + ours + "; release"},
	} {
		t.Run(name, func(t *testing.T) {
			plan := route.PlanRemoval(route.Table{ID: "rtb-1", Routes: c.routes}, c.items, workflow.Connection{ID: pair, Target: "tgw-1"}, nil, func(ledger.Item) bool { return false })
			var got []string
			for _, h := range plan.Handover {
				got = append(got, map[bool]string{true: "create "}[h.Create]+"to "+h.Item.Left)
			}
			for range plan.Release {
				got = append(got, "release")
			}
			if told := strings.Join(got, "; "); told != c.want {
				t.Errorf("planned %q, want %q", told, c.want)
			}
		})
	}
}

func (f *tablesOfEC2) DeleteRoute(_ context.Context, in *ec2.DeleteRouteInput, _ ...func(*ec2.Options)) (*ec2.DeleteRouteOutput, error) {
	if err := f.hook("DeleteRoute"); err != nil {
		return nil, err
	}
	if f.find(*in.RouteTableId, *in.DestinationCidrBlock) == nil {
		return nil, &smithy.GenericAPIError{Code: "InvalidRoute.NotFound"}
	}
	for n, table := range f.tables {
		if *table.RouteTableId == *in.RouteTableId {
			f.tables[n].Routes = slices.DeleteFunc(table.Routes, func(r types.Route) bool { return aws.ToString(r.DestinationCidrBlock) == *in.DestinationCidrBlock })
		}
	}
	return &ec2.DeleteRouteOutput{}, nil
}

// connected is [world] after Add.
func connected(t *testing.T) (*tablesOfEC2, func() (string, error)) {
	t.Helper()
	fake, side := world()
	if _, err := route.Add(context.Background(), fake, fake.ledger, "run-1", peering, side); err != nil {
		t.Fatal(err)
	}
	fake.calls = nil
	return fake, func() (string, error) {
		out, err := route.Remove(context.Background(), fake, fake.ledger, "run-2", peering, side)
		var told []string
		for _, h := range out.Hops {
			told = append(told, h.Hop+": "+h.Detail)
		}
		return strings.Join(told, "; "), err
	}
}

func TestRemoveTakesBackWhatAddAdded(t *testing.T) {
	fake, remove := connected(t)
	for range 2 {
		if _, err := remove(); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range fake.tables {
		if len(table.Routes) != 0 {
			t.Errorf("%s has %v", *table.RouteTableId, table.Routes)
		}
	}
	if n := strings.Count(strings.Join(fake.calls, " "), "DeleteRoute"); n != 2 {
		t.Errorf("%d routes deleted, want the two, once", n)
	}
}

// The neighbours delete whatever has their destination by then.
func TestARouteReplacedByItsOwnerMeanwhileStays(t *testing.T) {
	for name, when := range map[string]string{"before the removal": "", "after the first look": "DeleteRoute"} {
		t.Run(name, func(t *testing.T) {
			fake, remove := connected(t)
			replace := func() {
				r := fake.find("rtb-2", "10.2.0.0/16")
				r.VpcPeeringConnectionId, r.NatGatewayId = nil, aws.String("nat-1")
			}
			if when == "" {
				replace()
			} else {
				fake.before = func(f *tablesOfEC2, call string) {
					if call == when && f.find("rtb-1", "10.2.0.0/16") != nil {
						replace()
					}
				}
			}
			if _, err := remove(); err != nil {
				t.Fatal(err)
			}
			if fake.find("rtb-1", "10.2.0.0/16") != nil || fake.find("rtb-2", "10.2.0.0/16") == nil {
				t.Error("ours must be gone, and theirs there")
			}
		})
	}
}

func TestRoutesThatDrawbridgeDidNotAddStay(t *testing.T) {
	fake, remove := connected(t)
	fake.put("rtb-1", "10.2.5.0/24", ours)
	fake.tables[0].Routes = append(fake.tables[0].Routes, types.Route{DestinationPrefixListId: aws.String("pl-1"), VpcPeeringConnectionId: aws.String(ours)})
	told, err := remove()
	if err != nil || fake.find("rtb-1", "10.2.5.0/24") == nil || len(fake.tables[0].Routes) != 2 {
		t.Errorf("%v, %v, told %q", fake.tables[0].Routes, err, told)
	}
}

func TestWhatIsNotInTheLedgerIsNotRemoved(t *testing.T) {
	fake, side := world()
	fake.put("rtb-1", "10.2.0.0/16", ours)
	out, err := route.Remove(context.Background(), fake, fake.ledger, "run-2", peering, side)
	if err != nil || fake.find("rtb-1", "10.2.0.0/16") == nil || len(out.Hops) != 1 {
		t.Errorf("%+v, %v", out.Hops, err)
	}
}

func TestATableThatIsGoneIsForgotten(t *testing.T) {
	fake, remove := connected(t)
	fake.tables = fake.tables[1:]
	if told, err := remove(); err != nil || strings.Contains(told, "rtb-1") {
		t.Errorf("%q, %v", told, err)
	}
	if rows := fake.memory.Rows(); len(rows) != 0 {
		t.Errorf("the ledger still has %v", rows)
	}
}

func TestADeletionThatFailsIsOfItsKind(t *testing.T) {
	for code, want := range map[string]fault.Kind{"RequestLimitExceeded": fault.Transient, "UnauthorizedOperation": fault.Refused} {
		fake, remove := connected(t)
		fake.failing["DeleteRoute"] = &smithy.GenericAPIError{Code: code}
		if _, err := remove(); fault.Of(err) != want || !strings.Contains(err.Error(), "rtb-1") {
			t.Errorf("%s: %v, want %s that names rtb-1", code, err, want)
		}
	}
}

func ExamplePlanRemoval() {
	table := route.Table{ID: "rtb-1", Routes: []route.Route{
		{Destination: netip.MustParsePrefix("10.2.0.0/16"), Target: "pcx-1", Blackhole: true},
		{Destination: netip.MustParsePrefix("10.2.5.0/24"), Target: "pcx-1", Blackhole: true}, // its owner's
	}}
	items := []ledger.Item{{Resource: "rtb-1", Kind: ledger.Route, Key: "10.2.0.0/16", State: ledger.Confirmed, Left: "pcx-1", Needed: []string{"pcx-1", "tgw-1:vpc-1:vpc-2"}}}
	plan := route.PlanRemoval(table, items, workflow.Connection{ID: "pcx-1", Target: "pcx-1"}, nil, func(ledger.Item) bool { return false })
	for _, h := range plan.Handover {
		fmt.Println(h.Item.Resource, h.Item.Key, "goes to", h.Item.Left)
	}
	// Output: rtb-1 10.2.0.0/16 goes to tgw-1
}
