package connection_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/database/databasetest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/gatewaypair"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook/notebooktest"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// land is a whole world: two VPCs with all that is in them, a peering and a gateway that may be between them. It answers as AWS does, takes the writes of the
// steps, and says what it is as the model knows it.
type land struct {
	vpcs    [2]*estate
	peering network.Peering
	gateway network.Gateway
	carrier string // of the connection: the peering or the gateway
}

// estate is one VPC, its account and its Region.
type estate struct {
	survey.EC2
	notebooktest.Nobody
	databasetest.None
	workflow.VPC
	tags    map[string]string
	names   network.Names
	subnets []parcel
	tables  []*board
	acls    []network.ACL
	groups  []*guard
	lists   map[string][]netip.Prefix // nil: cannot be read
	things  []thing
	rules   int // that were added
}

// parcel is a subnet.
type parcel struct {
	network.Subnet
	client, apart bool
}

// board is a route table.
type board struct {
	network.Table
	apart  bool
	divert string
	lists  []network.List
}

// guard is a security group.
type guard struct {
	network.Group
	client, open, apart bool
}

// A kind is what a thing is.
type kind string

const (
	book     kind = "notebook" // with direct internet access, unless it is plain
	plain    kind = "plain notebook"
	function kind = "function"
	machine  kind = "instance" // of EC2: a client only where its subnet or group is marked
	stock    kind = "database"
)

// thing is what has interfaces.
type thing struct {
	kind    kind
	name    string
	groups  []string
	subnets []string // a database's subnet group; else where each of its interfaces is
	at      []string // where its interfaces are now
	ports   []int    // of a database
	network string
	public  bool
	shared  string // the tag drawbridge:share
	set     bool   // of a notebook: its script sets what its table leads
}

func (e *estate) subnet(id string) parcel {
	return e.subnets[slices.IndexFunc(e.subnets, func(p parcel) bool { return p.ID == id })]
}

func (e *estate) tableOf(subnet string) *board {
	for _, t := range e.tables {
		if slices.Contains(t.Subnets, subnet) {
			return t
		}
	}
	return e.tables[0]
}

// addresses are those of a thing in a subnet: each has its own.
func (e *estate) addresses(n int, subnet string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range e.subnet(subnet).CIDRs {
		if p.Addr().Is6() && e.things[n].kind == stock && e.things[n].network != "DUAL" {
			continue
		}
		bytes := p.Addr().AsSlice()
		bytes[len(bytes)-1] += byte(10 + n)
		a, _ := netip.AddrFromSlice(bytes)
		out = append(out, netip.PrefixFrom(a, a.BitLen()))
	}
	return out
}

// model is the land as package network knows it.
func (l *land) model() network.World {
	w := network.World{Peerings: []network.Peering{l.peering}, Gateways: []network.Gateway{l.gateway}}
	for _, e := range l.vpcs {
		v := network.VPC{ID: e.ID, Account: e.Account, Region: e.Region, CIDRs: e.CIDRs, Names: e.names, ACLs: e.acls}
		for _, s := range e.subnets {
			v.Subnets = append(v.Subnets, s.Subnet)
		}
		for _, t := range e.tables {
			one := t.Table
			one.Routes = slices.Clone(t.Routes)
			for _, list := range t.lists {
				entries, ok := e.lists[list.ID], e.lists[list.ID] != nil
				if !ok {
					one.Unread = append(one.Unread, list)
				}
				for _, p := range entries {
					one.Routes = append(one.Routes, network.Route{Destination: p, Target: list.Target, List: list.ID})
				}
			}
			v.Tables = append(v.Tables, one)
		}
		for _, g := range e.groups {
			v.Groups = append(v.Groups, g.Group)
		}
		w.VPCs = append(w.VPCs, v)
	}
	return w
}

func prefixed(text string) netip.Prefix { return netip.MustParsePrefix(text).Masked() }

// The reads.

func (e *estate) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	v := types.Vpc{VpcId: &e.ID, CidrBlock: aws.String(e.CIDRs[0].String()), Tags: tagged(e.tags)}
	for _, p := range e.CIDRs[1:] {
		if p.Addr().Is6() {
			v.Ipv6CidrBlockAssociationSet = append(v.Ipv6CidrBlockAssociationSet, types.VpcIpv6CidrBlockAssociation{Ipv6CidrBlock: aws.String(p.String())})
		} else {
			v.CidrBlockAssociationSet = append(v.CidrBlockAssociationSet, types.VpcCidrBlockAssociation{CidrBlock: aws.String(p.String())})
		}
	}
	return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{v}}, nil
}

func tagged(tags map[string]string) []types.Tag {
	var out []types.Tag
	for k, v := range tags {
		if v != "" {
			out = append(out, types.Tag{Key: &k, Value: &v})
		}
	}
	return out
}

func truth(b bool) string { return map[bool]string{true: "true"}[b] }

func apart(b bool) string { return map[bool]string{true: "none"}[b] }

func (e *estate) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	out := &ec2.DescribeSubnetsOutput{}
	for _, s := range e.subnets {
		one := types.Subnet{SubnetId: &s.ID, AvailabilityZone: &s.Zone, CidrBlock: aws.String(s.CIDRs[0].String()), Tags: tagged(map[string]string{"drawbridge:client": truth(s.client), "drawbridge:reach": apart(s.apart)})}
		for _, p := range s.CIDRs[1:] {
			one.Ipv6CidrBlockAssociationSet = append(one.Ipv6CidrBlockAssociationSet, types.SubnetIpv6CidrBlockAssociation{Ipv6CidrBlock: aws.String(p.String())})
		}
		out.Subnets = append(out.Subnets, one)
	}
	return out, nil
}

func (e *estate) DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	out := &ec2.DescribeRouteTablesOutput{}
	for _, t := range e.tables {
		one := types.RouteTable{RouteTableId: &t.ID, Tags: tagged(map[string]string{"drawbridge:reach": apart(t.apart), "drawbridge:divert": t.divert})}
		if t.Main {
			one.Associations = append(one.Associations, types.RouteTableAssociation{Main: aws.Bool(true)})
		}
		for _, s := range t.Subnets {
			one.Associations = append(one.Associations, types.RouteTableAssociation{SubnetId: &s})
		}
		put := func(r types.Route, target string, dead bool) {
			switch {
			case strings.HasPrefix(target, "pcx-"):
				r.VpcPeeringConnectionId = &target
			case strings.HasPrefix(target, "tgw-"):
				r.TransitGatewayId = &target
			case strings.HasPrefix(target, "nat-"):
				r.NatGatewayId = &target
			case strings.HasPrefix(target, "eni-"):
				r.NetworkInterfaceId = &target
			default:
				r.GatewayId = &target
			}
			if r.State = types.RouteStateActive; dead {
				r.State = types.RouteStateBlackhole
			}
			one.Routes = append(one.Routes, r)
		}
		for _, r := range t.Routes {
			text, was := r.Destination.String(), types.Route{}
			if was.DestinationCidrBlock = &text; r.Destination.Addr().Is6() {
				was.DestinationCidrBlock, was.DestinationIpv6CidrBlock = nil, &text
			}
			if r.Propagated {
				was.Origin = types.RouteOriginEnableVgwRoutePropagation
			}
			put(was, r.Target, r.Blackhole)
		}
		for _, list := range t.lists {
			put(types.Route{DestinationPrefixListId: &list.ID}, list.Target, false)
		}
		out.RouteTables = append(out.RouteTables, one)
	}
	return out, nil
}

func (e *estate) GetManagedPrefixListEntries(_ context.Context, in *ec2.GetManagedPrefixListEntriesInput, _ ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	entries := e.lists[*in.PrefixListId]
	if entries == nil {
		return nil, &smithy.GenericAPIError{Code: "InvalidPrefixListID.NotFound"}
	}
	out := &ec2.GetManagedPrefixListEntriesOutput{}
	for _, p := range entries {
		out.Entries = append(out.Entries, types.PrefixListEntry{Cidr: aws.String(p.String())})
	}
	return out, nil
}

func (e *estate) DescribeSecurityGroups(_ context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	out := &ec2.DescribeSecurityGroupsOutput{}
	for _, g := range e.groups {
		if len(in.GroupIds) > 0 && !slices.Contains(in.GroupIds, g.ID) || slices.ContainsFunc(in.Filters, func(f types.Filter) bool {
			return *f.Name == "tag-key" && !g.client || *f.Name == "group-id" && !slices.Contains(f.Values, g.ID)
		}) {
			continue
		}
		out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{GroupId: &g.ID, GroupName: &g.Name, OwnerId: &e.Account,
			Tags:          tagged(map[string]string{"drawbridge:client": truth(g.client), "drawbridge:open": truth(g.open), "drawbridge:reach": apart(g.apart)}),
			IpPermissions: permissions(g.Ingress), IpPermissionsEgress: permissions(g.Egress)})
	}
	return out, nil
}

func permissions(rules []network.Rule) []types.IpPermission {
	var out []types.IpPermission
	for _, r := range rules {
		p := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(int32(r.Ports.From)), ToPort: aws.Int32(int32(r.Ports.To))}
		text := r.CIDR.String()
		switch {
		case r.Group != "":
			p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &r.Group}}
		case r.List != "":
			p.PrefixListIds = []types.PrefixListId{{PrefixListId: &r.List}}
		case r.CIDR.Addr().Is6():
			p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: &text}}
		default:
			p.IpRanges = []types.IpRange{{CidrIp: &text}}
		}
		out = append(out, p)
	}
	return out
}

func (e *estate) DescribeSecurityGroupRules(context.Context, *ec2.DescribeSecurityGroupRulesInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	return &ec2.DescribeSecurityGroupRulesOutput{}, nil // only who takes back asks
}

func (e *estate) DescribeNetworkInterfaces(_ context.Context, in *ec2.DescribeNetworkInterfacesInput, _ ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	out, by := &ec2.DescribeNetworkInterfacesOutput{}, in.Filters[0]
	for _, t := range e.things {
		for _, at := range t.at {
			if *by.Name == "subnet-id" && !slices.Contains(by.Values, at) || *by.Name == "group-id" && !slices.ContainsFunc(t.groups, func(g string) bool { return slices.Contains(by.Values, g) }) {
				continue
			}
			i := types.NetworkInterface{NetworkInterfaceId: aws.String("eni-" + t.name), SubnetId: &at, Status: types.NetworkInterfaceStatusInUse, InterfaceType: types.NetworkInterfaceTypeInterface}
			switch t.kind {
			case stock:
				i.RequesterManaged, i.Description = aws.Bool(true), aws.String("RDSNetworkInterface")
			case function:
				i.InterfaceType = types.NetworkInterfaceTypeLambda
			case machine:
				i.Attachment = &types.NetworkInterfaceAttachment{InstanceId: aws.String("i-" + t.name)}
			}
			for _, g := range t.groups {
				i.Groups = append(i.Groups, types.GroupIdentifier{GroupId: &g})
			}
			out.NetworkInterfaces = append(out.NetworkInterfaces, i)
		}
	}
	return out, nil
}

func (e *estate) DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error) {
	out := &rds.DescribeDBInstancesOutput{}
	for _, t := range e.things {
		if t.kind != stock {
			continue
		}
		d := rdstypes.DBInstance{DBInstanceIdentifier: &t.name, DBInstanceArn: aws.String("arn:aws:rds:" + e.Region + ":" + e.Account + ":db:" + t.name), DBInstanceStatus: aws.String("available"), Engine: aws.String("sqlserver-ee"),
			NetworkType: &t.network, PubliclyAccessible: &t.public, Endpoint: &rdstypes.Endpoint{Port: aws.Int32(int32(t.ports[0]))}, DBSubnetGroup: &rdstypes.DBSubnetGroup{DBSubnetGroupName: &t.name, VpcId: &e.ID}}
		if len(t.ports) > 1 {
			d.ListenerEndpoint = &rdstypes.Endpoint{Port: aws.Int32(int32(t.ports[1]))}
		}
		if t.shared != "" {
			d.TagList = []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: &t.shared}}
		}
		for _, s := range t.subnets {
			d.DBSubnetGroup.Subnets = append(d.DBSubnetGroup.Subnets, rdstypes.Subnet{SubnetIdentifier: &s})
		}
		for _, g := range t.groups {
			d.VpcSecurityGroups = append(d.VpcSecurityGroups, rdstypes.VpcSecurityGroupMembership{VpcSecurityGroupId: &g})
		}
		out.DBInstances = append(out.DBInstances, d)
	}
	return out, nil
}

func (e *estate) DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	return &rds.DescribeDBClustersOutput{}, nil
}

func (e *estate) DescribeDBSubnetGroups(context.Context, *rds.DescribeDBSubnetGroupsInput, ...func(*rds.Options)) (*rds.DescribeDBSubnetGroupsOutput, error) {
	return &rds.DescribeDBSubnetGroupsOutput{}, nil
}

// warehouses are none.
type warehouses struct{ databasetest.None }

func (warehouses) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	return &redshift.DescribeClustersOutput{}, nil
}

func (warehouses) DescribeClusterSubnetGroups(context.Context, *redshift.DescribeClusterSubnetGroupsInput, ...func(*redshift.Options)) (*redshift.DescribeClusterSubnetGroupsOutput, error) {
	return &redshift.DescribeClusterSubnetGroupsOutput{}, nil
}

func (e *estate) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	out := &sagemaker.ListNotebookInstancesOutput{}
	for _, t := range e.things {
		if t.kind == book || t.kind == plain {
			out.NotebookInstances = append(out.NotebookInstances, sagemakertypes.NotebookInstanceSummary{NotebookInstanceName: &t.name})
		}
	}
	return out, nil
}

func (e *estate) DescribeNotebookInstance(_ context.Context, in *sagemaker.DescribeNotebookInstanceInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	t := e.things[slices.IndexFunc(e.things, func(t thing) bool { return t.name == *in.NotebookInstanceName })]
	out := &sagemaker.DescribeNotebookInstanceOutput{NotebookInstanceName: &t.name, SubnetId: &t.subnets[0], SecurityGroups: t.groups, DirectInternetAccess: sagemakertypes.DirectInternetAccessEnabled}
	if t.kind == plain {
		out.DirectInternetAccess = sagemakertypes.DirectInternetAccessDisabled
	}
	return out, nil
}

func (e *estate) ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error) {
	return &sagemaker.ListTagsOutput{}, nil
}

func (e *estate) ListFunctions(context.Context, *lambda.ListFunctionsInput, ...func(*lambda.Options)) (*lambda.ListFunctionsOutput, error) {
	out := &lambda.ListFunctionsOutput{}
	for _, t := range e.things {
		if t.kind == function {
			out.Functions = append(out.Functions, lambdatypes.FunctionConfiguration{FunctionName: &t.name, VpcConfig: &lambdatypes.VpcConfigResponse{VpcId: &e.ID, SubnetIds: t.subnets, SecurityGroupIds: t.groups}})
		}
	}
	return out, nil
}

// The writes.

func (e *estate) table(id string) *board {
	return e.tables[slices.IndexFunc(e.tables, func(t *board) bool { return t.ID == id })]
}

// own is the place of the route of a table's own with a destination; -1 if there is none.
func (b *board) own(to string) int {
	return slices.IndexFunc(b.Routes, func(r network.Route) bool { return r.Destination == prefixed(to) && !r.Propagated })
}

func (e *estate) CreateRoute(_ context.Context, in *ec2.CreateRouteInput, _ ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error) {
	t, to := e.table(*in.RouteTableId), aws.ToString(in.DestinationCidrBlock)+aws.ToString(in.DestinationIpv6CidrBlock)
	if t.own(to) >= 0 {
		return nil, &smithy.GenericAPIError{Code: "RouteAlreadyExists"}
	}
	t.Routes = append(t.Routes, network.Route{Destination: prefixed(to), Target: aws.ToString(in.VpcPeeringConnectionId) + aws.ToString(in.TransitGatewayId)})
	return &ec2.CreateRouteOutput{}, nil
}

func (e *estate) ReplaceRoute(_ context.Context, in *ec2.ReplaceRouteInput, _ ...func(*ec2.Options)) (*ec2.ReplaceRouteOutput, error) {
	t, to := e.table(*in.RouteTableId), aws.ToString(in.DestinationCidrBlock)+aws.ToString(in.DestinationIpv6CidrBlock)
	n := t.own(to)
	if n < 0 {
		return nil, &smithy.GenericAPIError{Code: "InvalidRoute.NotFound"}
	}
	t.Routes[n] = network.Route{Destination: prefixed(to), Target: aws.ToString(in.VpcPeeringConnectionId) + aws.ToString(in.TransitGatewayId)}
	return &ec2.ReplaceRouteOutput{}, nil
}

func (e *estate) authorize(group string, permissions []types.IpPermission, egress bool) ([]types.SecurityGroupRule, error) {
	g := e.groups[slices.IndexFunc(e.groups, func(g *guard) bool { return g.ID == group })]
	var out []types.SecurityGroupRule
	for _, p := range permissions {
		r := network.Rule{Ports: network.Ports{From: int(*p.FromPort), To: int(*p.ToPort)}}
		said := types.SecurityGroupRule{GroupId: &group, IsEgress: &egress, IpProtocol: p.IpProtocol, FromPort: p.FromPort, ToPort: p.ToPort}
		switch {
		case len(p.UserIdGroupPairs) > 0:
			r.Group, said.ReferencedGroupInfo = *p.UserIdGroupPairs[0].GroupId, &types.ReferencedSecurityGroup{GroupId: p.UserIdGroupPairs[0].GroupId}
		case len(p.Ipv6Ranges) > 0:
			r.CIDR, said.CidrIpv6 = prefixed(*p.Ipv6Ranges[0].CidrIpv6), p.Ipv6Ranges[0].CidrIpv6
		default:
			r.CIDR, said.CidrIpv4 = prefixed(*p.IpRanges[0].CidrIp), p.IpRanges[0].CidrIp
		}
		to := &g.Ingress
		if egress {
			to = &g.Egress
		}
		if slices.Contains(*to, r) {
			return nil, &smithy.GenericAPIError{Code: "InvalidPermission.Duplicate"}
		}
		*to = append(*to, r)
		e.rules++
		said.SecurityGroupRuleId = aws.String(fmt.Sprintf("sgr-%s-%d", e.ID, e.rules))
		out = append(out, said)
	}
	return out, nil
}

func (e *estate) AuthorizeSecurityGroupIngress(_ context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	rules, err := e.authorize(*in.GroupId, in.IpPermissions, false)
	return &ec2.AuthorizeSecurityGroupIngressOutput{SecurityGroupRules: rules}, err
}

func (e *estate) AuthorizeSecurityGroupEgress(_ context.Context, in *ec2.AuthorizeSecurityGroupEgressInput, _ ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupEgressOutput, error) {
	rules, err := e.authorize(*in.GroupId, in.IpPermissions, true)
	return &ec2.AuthorizeSecurityGroupEgressOutput{SecurityGroupRules: rules}, err
}

// CreateTags takes the status.
func (e *estate) CreateTags(context.Context, *ec2.CreateTagsInput, ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	return &ec2.CreateTagsOutput{}, nil
}

// surveyor reads the land.
func (l *land) surveyor(set *policy.Set) survey.Surveyor {
	return survey.Surveyor{Set: set, About: policy.Context{Connection: l.connection().ID},
		Account: func(_ context.Context, id string) (workflow.AccountFacts, error) { return member(id), nil },
		Enter: func(at event.Place) survey.Clients {
			e := l.vpcs[0]
			if at != e.Place() {
				e = l.vpcs[1]
			}
			out := survey.Clients{EC2: e, SageMaker: e, Lambda: e}
			out.Databases.RDS, out.Databases.Redshift, out.Databases.Serverless, out.Databases.Tagged = e, warehouses{}, databasetest.Nothing{}, databasetest.Nothing{}
			return out
		}}
}

func member(id string) workflow.AccountFacts {
	return workflow.AccountFacts{ID: id, Organization: "o-1", OUPath: "o-1/r-1/"}
}

// connection is what connects the two VPCs.
func (l *land) connection() workflow.Connection {
	out := workflow.Connection{ID: l.carrier, Target: l.carrier, Requester: l.vpcs[0].VPC, Accepter: l.vpcs[1].VPC}
	if l.carrier == l.gateway.ID {
		out.ID = gatewaypair.ID(l.carrier, out.Requester, out.Accepter)
	}
	return out
}

// Those that are ambiguous: both what a surveyor reads and what its helpers for tests have none of.
func (e *estate) ListTagsForResource(ctx context.Context, in *rds.ListTagsForResourceInput, more ...func(*rds.Options)) (*rds.ListTagsForResourceOutput, error) {
	return e.None.ListTagsForResource(ctx, in, more...)
}

var _ route.Reader = (*estate)(nil)
