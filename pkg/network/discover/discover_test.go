package discover_test

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// account is the EC2 of an account that has one VPC of a world. The prefix list pl-1 has the entries that the world shows of it; pl-8 and pl-9 cannot be read.
type account struct {
	discover.EC2
	network.VPC
	world network.World
	read  *atomic.Int32 // how often the subnets were
}

func (a account) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	a.read.Add(1)
	out := &ec2.DescribeSubnetsOutput{}
	for _, s := range a.Subnets {
		out.Subnets = append(out.Subnets, types.Subnet{SubnetId: &s.ID, AvailabilityZone: &s.Zone, CidrBlock: aws.String(s.CIDRs[0].String())})
	}
	return out, nil
}

func (a account) DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	out := &ec2.DescribeRouteTablesOutput{}
	for _, t := range a.Tables {
		one := types.RouteTable{RouteTableId: &t.ID}
		for _, s := range t.Subnets {
			one.Associations = append(one.Associations, types.RouteTableAssociation{SubnetId: &s})
		}
		state := func(blackhole bool) types.RouteState {
			if blackhole {
				return types.RouteStateBlackhole
			}
			return types.RouteStateActive
		}
		for _, r := range t.Routes {
			if r.List != "" {
				one.Routes = append(one.Routes, types.Route{DestinationPrefixListId: &r.List, GatewayId: &r.Target, State: state(r.Blackhole)})
				continue
			}
			route := types.Route{DestinationCidrBlock: aws.String(r.Destination.String()), GatewayId: &r.Target, State: state(r.Blackhole)}
			if r.Propagated {
				route.Origin = types.RouteOriginEnableVgwRoutePropagation
			}
			one.Routes = append(one.Routes, route)
		}
		for _, l := range t.Unread {
			one.Routes = append(one.Routes, types.Route{DestinationPrefixListId: &l.ID, GatewayId: &l.Target, State: state(l.Blackhole)})
		}
		out.RouteTables = append(out.RouteTables, one)
	}
	return out, nil
}

func (a account) GetManagedPrefixListEntries(_ context.Context, in *ec2.GetManagedPrefixListEntriesInput, _ ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	switch *in.PrefixListId {
	case "pl-8":
		return nil, &smithy.GenericAPIError{Code: "InvalidPrefixListID.NotFound"} // of somebody who does not share it any more
	case "pl-9":
		return nil, &smithy.GenericAPIError{Code: "UnauthorizedOperation"}
	}
	return &ec2.GetManagedPrefixListEntriesOutput{Entries: []types.PrefixListEntry{{Cidr: aws.String("10.9.0.0/24")}}}, nil
}

func (a account) DescribeNetworkAcls(context.Context, *ec2.DescribeNetworkAclsInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkAclsOutput, error) {
	out := &ec2.DescribeNetworkAclsOutput{}
	for _, acl := range a.ACLs {
		one := types.NetworkAcl{NetworkAclId: &acl.ID, Entries: []types.NetworkAclEntry{
			{RuleNumber: aws.Int32(32767), RuleAction: types.RuleActionDeny, Protocol: aws.String("-1"), CidrBlock: aws.String("0.0.0.0/0")},
			{RuleNumber: aws.Int32(5), RuleAction: types.RuleActionDeny, Protocol: aws.String("17"), CidrBlock: aws.String("0.0.0.0/0")}}} // UDP
		for _, s := range acl.Subnets {
			one.Associations = append(one.Associations, types.NetworkAclAssociation{SubnetId: &s})
		}
		for n, entries := range [][]network.Entry{acl.Ingress, acl.Egress} {
			for _, e := range entries {
				entry := types.NetworkAclEntry{RuleNumber: aws.Int32(int32(e.Number)), Egress: aws.Bool(n == 1), RuleAction: types.RuleActionDeny, Protocol: aws.String("-1"), CidrBlock: aws.String(e.CIDR.String())}
				if e.Allow {
					entry.RuleAction = types.RuleActionAllow
				}
				if e.Ports != network.AllPorts {
					entry.Protocol, entry.PortRange = aws.String("6"), &types.PortRange{From: aws.Int32(int32(e.Ports.From)), To: aws.Int32(int32(e.Ports.To))}
				}
				one.Entries = append(one.Entries, entry)
			}
		}
		out.NetworkAcls = append(out.NetworkAcls, one)
	}
	return out, nil
}

func (a account) DescribeSecurityGroups(_ context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	out := &ec2.DescribeSecurityGroupsOutput{}
	permissions := func(rules []network.Rule) (all []types.IpPermission) {
		for _, r := range rules {
			p := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(int32(r.Ports.From)), ToPort: aws.Int32(int32(r.Ports.To))}
			switch {
			case r.List != "":
				p.PrefixListIds = []types.PrefixListId{{PrefixListId: &r.List}}
			case r.Group != "":
				p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &r.Group}}
			default:
				p.IpRanges = []types.IpRange{{CidrIp: aws.String(r.CIDR.String())}}
			}
			all = append(all, p)
		}
		return all
	}
	for _, g := range a.Groups {
		if slices.Contains(in.Filters[0].Values, g.ID) {
			out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{GroupId: &g.ID, IpPermissions: permissions(g.Ingress), IpPermissionsEgress: permissions(g.Egress)})
		}
	}
	return out, nil
}

func (a account) DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	out := &ec2.DescribeVpcPeeringConnectionsOutput{}
	for _, p := range a.world.Peerings {
		info := func(n int) *types.VpcPeeringConnectionVpcInfo {
			return &types.VpcPeeringConnectionVpcInfo{VpcId: &p.VPCs[n], PeeringOptions: &types.VpcPeeringConnectionOptionsDescription{AllowDnsResolutionFromRemoteVpc: aws.Bool(p.Resolves[n] == network.Yes)}}
		}
		out.VpcPeeringConnections = append(out.VpcPeeringConnections, types.VpcPeeringConnection{VpcPeeringConnectionId: &p.ID, RequesterVpcInfo: info(0), AccepterVpcInfo: info(1),
			Status: &types.VpcPeeringConnectionStateReason{Code: types.VpcPeeringConnectionStateReasonCodeActive}})
	}
	return out, nil
}

// Whatever a world is like, what is read of it is that world: so what [network.Judge] says of it is said of what the accounts hold.
func TestWhatIsReadIsWhatIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := network.World{Peerings: []network.Peering{{ID: "pcx-1", Active: network.Yes, VPCs: [2]string{"vpc-1", "vpc-2"}, Resolves: [2]network.Answer{network.Yes, network.No}}}}
		prefix := func() netip.Prefix {
			return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(1, 3).Draw(t, "octet")), 0, 0}), rapid.SampledFrom([]int{8, 16, 24}).Draw(t, "bits")).Masked()
		}
		ports := rapid.SampledFrom([]network.Ports{network.AllPorts, {From: 3306, To: 3306}, {From: 1024, To: 65535}})
		for n := range 2 {
			v := network.VPC{ID: fmt.Sprintf("vpc-%d", n+1), Account: fmt.Sprint(n + 1), Region: "us-east-1", ACLs: []network.ACL{}, Groups: []network.Group{}}
			for m := range rapid.IntRange(1, 3).Draw(t, "subnets") {
				s := network.Subnet{ID: fmt.Sprintf("subnet-%d%d", n, m), Zone: "us-east-1a", CIDRs: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n), byte(m), 0}), 24)}}
				table := network.Table{ID: "rtb-" + s.ID, Subnets: []string{s.ID}, Routes: []network.Route{{Destination: prefix(), Target: "pcx-1", Blackhole: rapid.Bool().Draw(t, "blackhole"), Propagated: rapid.Bool().Draw(t, "propagated")}}}
				if rapid.Bool().Draw(t, "list") {
					table.Routes = append(table.Routes, network.Route{Destination: netip.MustParsePrefix("10.9.0.0/24"), Target: "eni-1", List: "pl-1", Blackhole: rapid.Bool().Draw(t, "dead list")})
				}
				if rapid.Bool().Draw(t, "unread") {
					table.Unread = []network.List{{ID: rapid.SampledFrom([]string{"pl-8", "pl-9"}).Draw(t, "which unread"), Target: "eni-2", Blackhole: rapid.Bool().Draw(t, "dead unread list")}}
				}
				entry := func() []network.Entry {
					return []network.Entry{{Number: rapid.IntRange(1, 99).Draw(t, "number"), Allow: rapid.Bool().Draw(t, "allow"), CIDR: prefix(), Ports: ports.Draw(t, "ports")}}
				}
				rules := func() []network.Rule {
					return []network.Rule{{Ports: ports.Draw(t, "ports"), CIDR: prefix()}, {Ports: ports.Draw(t, "ports"), Group: "sg-x"}, {Ports: network.AllPorts, List: rapid.SampledFrom([]string{"pl-8", "pl-9"}).Draw(t, "unread list")}}
				}
				v.Subnets, v.Tables = append(v.Subnets, s), append(v.Tables, table)
				v.ACLs = append(v.ACLs, network.ACL{ID: "acl-" + s.ID, Subnets: []string{s.ID}, Ingress: entry(), Egress: entry()})
				v.Groups = append(v.Groups, network.Group{ID: "sg-" + s.ID, Ingress: rules(), Egress: rules()})
			}
			w.VPCs = append(w.VPCs, v)
		}
		var read [2]atomic.Int32
		reader := discover.Reader{Enter: func(p event.Place) discover.EC2 {
			n := slices.IndexFunc(w.VPCs, func(v network.VPC) bool { return v.Account == p.Account })
			return account{VPC: w.VPCs[n], world: w, read: &read[n]}
		}}
		known := rapid.Bool().Draw(t, "known") // the subnets, from before: they are not read again
		var wanted [2]discover.VPC
		for n, v := range w.VPCs {
			wanted[n].VPC = workflow.VPC{ID: v.ID, Account: v.Account, Region: v.Region}
			for _, s := range v.Subnets {
				wanted[n].Subnets, wanted[n].Groups = append(wanted[n].Subnets, s.ID), append(wanted[n].Groups, "sg-"+s.ID)
				if known {
					wanted[n].Known = append(wanted[n].Known, workflow.EndSubnet{ID: s.ID, CIDRs: s.CIDRs, Zone: s.Zone})
				}
			}
		}
		got, err := reader.Read(t.Context(), discover.Carrier{ID: "pcx-1"}, wanted)
		if err != nil || !reflect.DeepEqual(got, w) {
			t.Fatalf("%v, read\n%+v of\n%+v", err, got, w)
		}
		if n := read[0].Load() + read[1].Load(); known != (n == 0) {
			t.Fatalf("the subnets were read %d times, and were known: %v", n, known)
		}
		for n, v := range w.VPCs { // all its groups were seen before, without a rule
			for _, g := range v.Groups {
				wanted[n].Seen = append(wanted[n].Seen, network.Group{ID: g.ID})
			}
		}
		before := read[0].Load() + read[1].Load()
		old, err := reader.Read(t.Context(), discover.Carrier{ID: "pcx-1"}, wanted)
		if err != nil || !reflect.DeepEqual(old.VPCs[0].Groups, wanted[0].Seen) {
			t.Fatalf("%v, groups that were seen before: %+v", err, old.VPCs[0].Groups)
		}
		looked := read[0].Load() + read[1].Load() - before
		if got, err = reader.Anew(t.Context(), old, wanted); err != nil || !reflect.DeepEqual(got, w) {
			t.Fatalf("%v, read anew\n%+v of\n%+v", err, got, w)
		}
		if n := read[0].Load() + read[1].Load() - before - looked; n != 0 {
			t.Fatalf("the subnets were read %d times with the groups", n)
		}
	})
}
