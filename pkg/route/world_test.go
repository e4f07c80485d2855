package route_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// network is one VPC's route tables, and the peerings that are dead: a route to one of them is a blackhole.
type network struct {
	tables map[string]map[string]string // table → destination → target
	dead   map[string]bool
	fault  func() ledgertest.Fault // asked at each call
	after  func()                  // each call
}

func (n *network) call(do func() error) error {
	f := ledgertest.None
	if n.fault != nil {
		f = n.fault()
	}
	if f == ledgertest.Refused {
		return &smithy.GenericAPIError{Code: "InternalError"}
	}
	err := do()
	if n.after != nil {
		n.after()
	}
	if f == ledgertest.Lost {
		return &smithy.GenericAPIError{Code: "InternalError"}
	}
	return err
}

func (n *network) DescribeRouteTables(_ context.Context, in *ec2.DescribeRouteTablesInput, _ ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	out := &ec2.DescribeRouteTablesOutput{}
	return out, n.call(func() error {
		for _, id := range slices.Sorted(maps.Keys(n.tables)) {
			if *in.Filters[0].Name != "vpc-id" && !slices.Contains(in.Filters[0].Values, id) {
				continue
			}
			t := types.RouteTable{RouteTableId: &id, Associations: []types.RouteTableAssociation{{SubnetId: aws.String("subnet-" + id)}}}
			for destination, target := range n.tables[id] {
				r := types.Route{DestinationCidrBlock: &destination, State: types.RouteStateActive}
				switch {
				case strings.HasPrefix(target, "pcx-"):
					r.VpcPeeringConnectionId = &target
				case strings.HasPrefix(target, "tgw-"):
					r.TransitGatewayId = &target
				default:
					r.NatGatewayId = &target
				}
				if n.dead[target] {
					r.State = types.RouteStateBlackhole
				}
				t.Routes = append(t.Routes, r)
			}
			out.RouteTables = append(out.RouteTables, t)
		}
		return nil
	})
}

func (n *network) GetManagedPrefixListEntries(context.Context, *ec2.GetManagedPrefixListEntriesInput, ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	return nil, errors.New("no table has a list")
}

func (n *network) CreateRoute(_ context.Context, in *ec2.CreateRouteInput, _ ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error) {
	return &ec2.CreateRouteOutput{}, n.call(func() error {
		if _, ok := n.tables[*in.RouteTableId][*in.DestinationCidrBlock]; ok {
			return &smithy.GenericAPIError{Code: "RouteAlreadyExists"}
		}
		n.tables[*in.RouteTableId][*in.DestinationCidrBlock] = aws.ToString(in.VpcPeeringConnectionId) + aws.ToString(in.TransitGatewayId)
		return nil
	})
}

func (n *network) ReplaceRoute(_ context.Context, in *ec2.ReplaceRouteInput, _ ...func(*ec2.Options)) (*ec2.ReplaceRouteOutput, error) {
	return &ec2.ReplaceRouteOutput{}, n.call(func() error {
		if _, ok := n.tables[*in.RouteTableId][*in.DestinationCidrBlock]; !ok {
			return &smithy.GenericAPIError{Code: "InvalidRoute.NotFound"}
		}
		n.tables[*in.RouteTableId][*in.DestinationCidrBlock] = aws.ToString(in.VpcPeeringConnectionId) + aws.ToString(in.TransitGatewayId) + aws.ToString(in.NatGatewayId)
		return nil
	})
}

func (n *network) DeleteRoute(_ context.Context, in *ec2.DeleteRouteInput, _ ...func(*ec2.Options)) (*ec2.DeleteRouteOutput, error) {
	return &ec2.DeleteRouteOutput{}, n.call(func() error {
		if _, ok := n.tables[*in.RouteTableId][*in.DestinationCidrBlock]; !ok {
			return &smithy.GenericAPIError{Code: "InvalidRoute.NotFound"}
		}
		delete(n.tables[*in.RouteTableId], *in.DestinationCidrBlock)
		return nil
	})
}

func (n *network) String() string {
	var out []string
	for id, routes := range n.tables {
		for destination, target := range routes {
			out = append(out, id+" "+destination+" "+target)
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// reached reports whether a table has a live route of the destination.
func (n *network) reached(table, destination string) bool {
	target, ok := n.tables[table][destination]
	return ok && !n.dead[target]
}

var (
	vpcA = workflow.VPC{Account: "111111111111", Region: "us-east-1", ID: "vpc-a"}
	vpcB = workflow.VPC{Account: "222222222222", Region: "us-east-1", ID: "vpc-b", CIDRs: []netip.Prefix{cidr("10.2.0.0/16"), cidr("10.12.0.0/16")}}
)

func peeringOf(id string) workflow.Connection { return workflow.Connection{ID: id, Target: id} }

func pairOf(gateway string) workflow.Connection {
	return workflow.Connection{ID: gateway + ":vpc-a:vpc-b", Target: gateway}
}

// From peerings to a gateway: whichever came first, once both are there the peering may go, and at no moment is a table without
// a live route, whatever call is lost.
func TestAPairCarriesOnWhenThePeeringGoes(t *testing.T) {
	ctx := context.Background()
	for _, deleted := range []bool{false, true} {
		for _, ownersToo := range []bool{false, true} {
			for strike := range 40 {
				for _, kind := range []ledgertest.Fault{ledgertest.Refused, ledgertest.Lost} {
					name := fmt.Sprint("deleted ", deleted, ", owner's route ", ownersToo, ", strike ", strike, " ", kind)
					n := &network{tables: map[string]map[string]string{"rtb-1": {}, "rtb-2": {}}, dead: map[string]bool{}}
					l, memory := ledgertest.New()
					p, pair := peeringOf("pcx-1"), pairOf("tgw-1")
					if ownersToo {
						n.tables["rtb-1"]["10.2.0.0/16"] = "pcx-1"
					}
					before := n.String()
					side := workflow.Side{VPC: vpcA, Peer: vpcB, Ways: []workflow.Way{{To: vpcB.CIDRs}}}
					beside := side
					beside.Alternates = []string{"pcx-1"}
					for _, step := range []func() error{
						func() error { _, err := route.Add(ctx, n, l, "1", p, side); return err },
						func() error { _, err := route.Add(ctx, n, l, "2", pair, beside); return err },
					} {
						if err := step(); err != nil {
							t.Fatal(err)
						}
					}
					n.dead["pcx-1"] = deleted
					calls := 0
					fault := func() ledgertest.Fault {
						if calls++; calls == strike+1 {
							return kind
						}
						return ledgertest.None
					}
					n.fault, memory.Fault = fault, func(string) ledgertest.Fault { return fault() }
					n.after = func() {
						for table := range n.tables {
							if !deleted && (!n.reached(table, "10.2.0.0/16") || !n.reached(table, "10.12.0.0/16")) {
								t.Errorf("%s: after call %d %s is without a route:\n%s", name, calls, table, n)
							}
						}
					}
					for range 3 {
						if _, err := route.Remove(ctx, n, l, "3", p, side); err == nil {
							break
						}
					}
					n.fault, memory.Fault, n.after = nil, nil, nil
					for table := range n.tables {
						for _, d := range vpcB.CIDRs {
							if !n.reached(table, d.String()) {
								t.Errorf("%s: %s has no live route to %s:\n%s", name, table, d, n)
							}
						}
					}
					if ownersToo && !deleted && n.tables["rtb-1"]["10.2.0.0/16"] != "pcx-1" {
						t.Errorf("%s: the owner's live route was taken over", name)
					}
					if _, err := route.Add(ctx, n, l, "4", pair, beside); err != nil {
						t.Errorf("%s: the pair: %v", name, err)
					}
					if _, err := route.Remove(ctx, n, l, "5", pair, side); err != nil {
						t.Errorf("%s: the pair: %v", name, err)
					}
					if n.String() != before || len(memory.Rows()) > 0 {
						t.Errorf("%s: left is\n%s\nwith %v in the ledger, before was\n%s", name, n, memory.Rows(), before)
					}
					if t.Failed() {
						return
					}
				}
			}
		}
	}
}

// Whatever was in the tables before, whatever is connected and disconnected in which order, whichever call is lost or refused: routes of
// others stay, and after the last connection has gone everything is as it was.
func TestTablesAreAsBeforeOnceAllIsDisconnected(t *testing.T) {
	ctx := context.Background()
	ours := []workflow.Connection{peeringOf("pcx-1"), pairOf("tgw-1"), pairOf("tgw-2"), peeringOf("pcx-2")}
	rapid.Check(t, func(t *rapid.T) {
		n := &network{tables: map[string]map[string]string{"rtb-1": {}, "rtb-2": {}}, dead: map[string]bool{"nat-dead": true, "pcx-dead": true}}
		destination := rapid.SampledFrom([]string{"10.2.0.0/16", "10.12.0.0/16", "10.2.5.0/24", "10.0.0.0/8", "192.168.0.0/16"})
		target := rapid.SampledFrom([]string{"pcx-1", "tgw-1", "pcx-other", "nat-1", "nat-dead", "pcx-dead"})
		for _, routes := range n.tables {
			for range rapid.IntRange(0, 2).Draw(t, "routes of others") {
				routes[destination.Draw(t, "destination")] = target.Draw(t, "target")
			}
		}
		before := n.String()
		theirs := map[string]map[string]string{}
		for id, routes := range n.tables {
			theirs[id] = maps.Clone(routes)
		}
		l, memory := ledgertest.New()
		left := -1 // calls until the next fault
		kind := ledgertest.None
		strike := func() ledgertest.Fault {
			if left--; left == 0 {
				return kind
			}
			return ledgertest.None
		}
		n.fault, memory.Fault = strike, func(string) ledgertest.Fault { return strike() }
		n.after = func() {
			for id, routes := range theirs {
				for d, target := range routes {
					if !n.dead[target] && n.tables[id][d] != target {
						t.Fatalf("%s of %s, which is alive, was led from %s to %q", d, id, target, n.tables[id][d])
					}
				}
			}
		}
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		l.Now = func() time.Time { return now }
		run := 0
		remove := func(c workflow.Connection) {
			run++
			now = now.Add(5 * time.Minute)
			for try := 0; ; try++ {
				_, err := route.Remove(ctx, n, l, fmt.Sprint(run), c, workflow.Side{VPC: vpcA, Peer: workflow.VPC{ID: "vpc-b"}})
				if err == nil {
					return
				}
				if try == 3 {
					t.Fatalf("removing %s: %v", c.ID, err)
				}
			}
		}
		for range rapid.IntRange(1, 8).Draw(t, "acts") {
			c := rapid.SampledFrom(ours).Draw(t, "connection")
			left, kind = rapid.IntRange(-1, 30).Draw(t, "fault"), rapid.SampledFrom([]ledgertest.Fault{ledgertest.Refused, ledgertest.Lost}).Draw(t, "kind")
			switch rapid.SampledFrom([]string{"connect", "connect", "remove", "delete"}).Draw(t, "act") {
			case "connect":
				if n.dead[c.Target] {
					continue
				}
				side := workflow.Side{VPC: vpcA, Peer: vpcB, Ways: []workflow.Way{{To: vpcB.CIDRs}}}
				if !c.OwnsTarget() {
					side.Alternates = []string{"pcx-1", "pcx-2"}
				}
				side.Tables, _ = route.Read(ctx, n, vpcA.ID)
				run++
				now = now.Add(5 * time.Minute)
				for range 3 {
					if _, err := route.Add(ctx, n, l, fmt.Sprint(run), c, side); err == nil || !errors.Is(err, ledgertest.ErrFault) && !fault.Passing(err) {
						break
					}
				}
			case "delete":
				if c.OwnsTarget() {
					n.dead[c.Target] = true
				}
				remove(c)
			default:
				remove(c)
			}
		}
		left = -1
		for _, c := range rapid.Permutation(ours).Draw(t, "last") {
			remove(c)
		}
		if n.String() != before {
			t.Fatalf("left is\n%s\nbefore was\n%s", n, before)
		}
		if rows := memory.Rows(); len(rows) > 0 {
			t.Fatalf("the ledger has %v", rows)
		}
	})
}
