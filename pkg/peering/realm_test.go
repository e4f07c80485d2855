package peering_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/database/databasetest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook/notebooktest"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// realm is two accounts with a VPC each and their peerings, with a memory of who made what. Every write of Drawbridge's
// that touches what somebody else made is a violation.
type realm struct {
	mu         sync.Mutex
	lands      map[string]*land // by account
	peerings   map[string]string
	violations []string
	trims      int
	asks       int
	calls      int    // of accounts
	steps      int    // of the machine
	carried    int    // bytes of the largest answer of an inspection
	forbidden  bool   // the policy allows no routes
	unread     int    // clients that the last inspection did not come to
	follows    bool   // the next one goes on from it
	asked      string // the peering whose request was recorded
	ledger     ledger.Ledger
	clock      time.Time
}

// land is one account with one VPC: a fake of everything that Drawbridge calls there.
type land struct {
	databasetest.None
	notebooktest.Nobody
	realm   *realm
	account string
	vpc     string
	cidrs   []netip.Prefix
	subnets []string // their CIDRs are the first /24s of the first CIDR
	tables  []*heldTable
	groups  []string
	rules   []*heldTag
	tags    map[string]map[string]string // of peerings
	books   map[string]*book
	configs map[string]*config
	rule    int             // ids given
	hidden  bool            // the database is not shared
	dns     map[string]bool // the option of a peering, as this side has it
	port    int32           // of the database
	// more are the groups of more databases, of one each, and functions how many functions there are.
	more      []string
	functions int
}

type heldTable struct {
	id      string
	main    bool
	subnets []string
	routes  []*heldRoute
}

type heldRoute struct {
	destination string // a CIDR or a prefix list
	target      string
	dead, ours  bool
}

type heldTag struct { // a security group rule
	id, group, cidr string
	egress          bool
	port            int32
	tags            map[string]string
}

type book struct {
	subnet, config, status string
	direct                 bool
	tags                   map[string]string
}

type config struct {
	onCreate, onStart string
	tags              map[string]string
}

func (l *land) violate(format string, args ...any) {
	l.realm.violations = append(l.realm.violations, fmt.Sprintf(format, args...))
}

func (l *land) lock() func() { l.realm.mu.Lock(); l.realm.calls++; return l.realm.mu.Unlock }

func code(c string) error { return &smithy.GenericAPIError{Code: c, Message: c} }

func (l *land) dead(r *heldRoute) bool {
	return r.dead || strings.HasPrefix(r.target, "pcx-") && l.realm.peerings[r.target] != "active"
}

// text is everything in the account that Drawbridge may change.
func (l *land) text() string {
	var lines []string
	for _, t := range l.tables {
		for _, r := range t.routes {
			lines = append(lines, fmt.Sprintf("%s %s → %s", t.id, r.destination, r.target))
		}
	}
	for _, r := range l.rules {
		lines = append(lines, fmt.Sprintf("%s %s egress=%v %d %v", r.group, r.cidr, r.egress, r.port, r.tags))
	}
	for id, tags := range l.tags {
		lines = append(lines, fmt.Sprintf("%s %v", id, tags))
	}
	for id, on := range l.dns {
		if l.realm.peerings[id] == "active" {
			lines = append(lines, fmt.Sprintf("%s resolves names: %v", id, on))
		}
	}
	for name, b := range l.books {
		tags := maps.Clone(b.tags)
		if _, says := tags[tag.Since]; says { // when it was told is another time in each world
			tags[tag.Since] = "then"
		}
		lines = append(lines, fmt.Sprintf("notebook %s %q %v", name, b.config, tags))
	}
	for name, c := range l.configs {
		lines = append(lines, fmt.Sprintf("configuration %s %q %q %v", name, c.onCreate, c.onStart, c.tags))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (l *land) DescribeVpcPeeringConnections(_ context.Context, in *ec2.DescribeVpcPeeringConnectionsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	defer l.lock()()
	id := in.VpcPeeringConnectionIds[0]
	end := func(account string) *types.VpcPeeringConnectionVpcInfo {
		return &types.VpcPeeringConnectionVpcInfo{OwnerId: &account, Region: aws.String("eu-west-1"), VpcId: &l.realm.lands[account].vpc,
			PeeringOptions: &types.VpcPeeringConnectionOptionsDescription{AllowDnsResolutionFromRemoteVpc: aws.Bool(l.realm.lands[account].dns[id])}}
	}
	c := types.VpcPeeringConnection{VpcPeeringConnectionId: &id, RequesterVpcInfo: end(alpha), AccepterVpcInfo: end(beta),
		Status: &types.VpcPeeringConnectionStateReason{Code: types.VpcPeeringConnectionStateReasonCode(l.realm.peerings[id])}}
	for k, v := range l.tags[id] {
		c.Tags = append(c.Tags, types.Tag{Key: &k, Value: &v})
	}
	return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: []types.VpcPeeringConnection{c}}, nil
}

func (l *land) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	v := types.Vpc{VpcId: &l.vpc, CidrBlock: aws.String(l.cidrs[0].String())}
	for _, c := range l.cidrs {
		v.CidrBlockAssociationSet = append(v.CidrBlockAssociationSet, types.VpcCidrBlockAssociation{CidrBlock: aws.String(c.String())})
	}
	return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{v}}, nil
}

func (l *land) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	out := &ec2.DescribeSubnetsOutput{}
	for n, s := range l.subnets {
		address := l.cidrs[0].Addr().As4()
		address[2] = byte(n)
		out.Subnets = append(out.Subnets, types.Subnet{SubnetId: &s, VpcId: &l.vpc, CidrBlock: aws.String(netip.PrefixFrom(netip.AddrFrom4(address), 24).String())})
	}
	return out, nil
}

func (l *land) DescribeRouteTables(_ context.Context, in *ec2.DescribeRouteTablesInput, _ ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	defer l.lock()()
	out := &ec2.DescribeRouteTablesOutput{}
	for _, t := range l.tables {
		if *in.Filters[0].Name == "route-table-id" && !slices.Contains(in.Filters[0].Values, t.id) {
			continue
		}
		one := types.RouteTable{RouteTableId: &t.id, VpcId: &l.vpc}
		if t.main {
			one.Associations = append(one.Associations, types.RouteTableAssociation{Main: aws.Bool(true)})
		}
		for _, s := range t.subnets {
			one.Associations = append(one.Associations, types.RouteTableAssociation{SubnetId: &s})
		}
		for _, r := range t.routes {
			route := types.Route{State: types.RouteStateActive}
			if l.dead(r) {
				route.State = types.RouteStateBlackhole
			}
			if strings.HasPrefix(r.destination, "pl-") {
				route.DestinationPrefixListId = &r.destination
			} else {
				route.DestinationCidrBlock = &r.destination
			}
			switch r.target[:4] {
			case "pcx-":
				route.VpcPeeringConnectionId = &r.target
			case "tgw-":
				route.TransitGatewayId = &r.target
			default:
				route.GatewayId = &r.target
			}
			one.Routes = append(one.Routes, route)
		}
		out.RouteTables = append(out.RouteTables, one)
	}
	return out, nil
}

func (l *land) route(table, destination string) (*heldTable, int) {
	for _, t := range l.tables {
		if t.id == table {
			return t, slices.IndexFunc(t.routes, func(r *heldRoute) bool { return r.destination == destination })
		}
	}
	panic("no table " + table)
}

func (l *land) CreateRoute(_ context.Context, in *ec2.CreateRouteInput, _ ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error) {
	defer l.lock()()
	t, at := l.route(*in.RouteTableId, *in.DestinationCidrBlock)
	if at >= 0 {
		return nil, code("RouteAlreadyExists")
	}
	t.routes = append(t.routes, &heldRoute{destination: *in.DestinationCidrBlock, target: *in.VpcPeeringConnectionId, ours: true})
	return &ec2.CreateRouteOutput{}, nil
}

func (l *land) ReplaceRoute(_ context.Context, in *ec2.ReplaceRouteInput, _ ...func(*ec2.Options)) (*ec2.ReplaceRouteOutput, error) {
	defer l.lock()()
	t, at := l.route(*in.RouteTableId, *in.DestinationCidrBlock)
	if at < 0 {
		return nil, code("InvalidRoute.NotFound")
	}
	r := t.routes[at]
	back := *in.VpcPeeringConnectionId == "pcx-dead"
	if !l.dead(r) && !r.ours {
		l.violate("replaced the live route %s in %s", r.destination, t.id)
	}
	if back && !r.ours {
		l.violate("put back %s in %s, which was not replaced", r.destination, t.id)
	}
	r.target, r.dead, r.ours = *in.VpcPeeringConnectionId, back, !back
	return &ec2.ReplaceRouteOutput{}, nil
}

func (l *land) DeleteRoute(_ context.Context, in *ec2.DeleteRouteInput, _ ...func(*ec2.Options)) (*ec2.DeleteRouteOutput, error) {
	defer l.lock()()
	t, at := l.route(*in.RouteTableId, *in.DestinationCidrBlock)
	if at < 0 {
		return nil, code("InvalidRoute.NotFound")
	}
	if !t.routes[at].ours {
		l.violate("deleted the owner's route %s in %s", t.routes[at].destination, t.id)
	}
	t.routes = slices.Delete(t.routes, at, at+1)
	return &ec2.DeleteRouteOutput{}, nil
}

// refers reports whether a rule names a group.
func (r *heldTag) refers() bool { return strings.HasPrefix(r.cidr, "sg-") }

// held is a rule as EC2 shows it. A group that it names is the peer's.
func (l *land) held(r *heldTag) types.SecurityGroupRule {
	out := types.SecurityGroupRule{SecurityGroupRuleId: &r.id, GroupId: &r.group, IsEgress: &r.egress, CidrIpv4: &r.cidr, IpProtocol: aws.String("tcp"), FromPort: &r.port, ToPort: &r.port}
	if r.refers() {
		out.CidrIpv4, out.ReferencedGroupInfo = nil, &types.ReferencedSecurityGroup{GroupId: &r.cidr, VpcId: aws.String(map[string]string{"vpc-1": "vpc-2", "vpc-2": "vpc-1"}[l.vpc])}
	}
	return out
}

// peerOf is the range or the group that a permission names.
func peerOf(p types.IpPermission) string {
	if len(p.UserIdGroupPairs) > 0 {
		return *p.UserIdGroupPairs[0].GroupId
	}
	return *p.IpRanges[0].CidrIp
}

func (l *land) permissions(group string, egress bool) []types.IpPermission {
	var out []types.IpPermission
	for _, r := range l.rules {
		if r.group == group && r.egress == egress {
			p := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: &r.port, ToPort: &r.port, IpRanges: []types.IpRange{{CidrIp: &r.cidr}}}
			if r.port == 0 {
				p = types.IpPermission{IpProtocol: aws.String("-1"), IpRanges: p.IpRanges}
			}
			if r.refers() {
				p.IpRanges, p.UserIdGroupPairs = nil, []types.UserIdGroupPair{{GroupId: &r.cidr}}
			}
			out = append(out, p)
		}
	}
	return out
}

func (l *land) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	defer l.lock()()
	out := &ec2.DescribeSecurityGroupsOutput{}
	for _, g := range l.groups {
		out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{GroupId: &g, IpPermissions: l.permissions(g, false), IpPermissionsEgress: l.permissions(g, true)})
	}
	return out, nil
}

func (l *land) DescribeSecurityGroupRules(_ context.Context, in *ec2.DescribeSecurityGroupRulesInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	defer l.lock()()
	out := &ec2.DescribeSecurityGroupRulesOutput{}
	for _, r := range l.rules {
		if *in.Filters[0].Name != "group-id" || !slices.Contains(in.Filters[0].Values, r.group) {
			continue
		}
		one := l.held(r)
		for k, v := range r.tags {
			one.Tags = append(one.Tags, types.Tag{Key: &k, Value: &v})
		}
		out.SecurityGroupRules = append(out.SecurityGroupRules, one)
	}
	return out, nil
}

func (l *land) authorize(group string, egress bool, permissions []types.IpPermission, specs []types.TagSpecification) (made []types.SecurityGroupRule, err error) {
	defer l.lock()()
	for _, p := range permissions {
		cidr := peerOf(p)
		if slices.ContainsFunc(l.rules, func(r *heldTag) bool {
			return r.group == group && r.egress == egress && r.port == *p.FromPort && r.cidr == cidr
		}) {
			return nil, code("InvalidPermission.Duplicate")
		}
	}
	for _, p := range permissions {
		l.rule++
		r := &heldTag{id: fmt.Sprintf("sgr-%d", l.rule), group: group, egress: egress, port: *p.FromPort, cidr: peerOf(p), tags: map[string]string{}}
		for _, tag := range specs[0].Tags {
			r.tags[*tag.Key] = *tag.Value
		}
		l.rules = append(l.rules, r)
		made = append(made, l.held(r))
	}
	return made, nil
}

func (l *land) AuthorizeSecurityGroupIngress(_ context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	made, err := l.authorize(*in.GroupId, false, in.IpPermissions, in.TagSpecifications)
	return &ec2.AuthorizeSecurityGroupIngressOutput{SecurityGroupRules: made}, err
}

func (l *land) AuthorizeSecurityGroupEgress(_ context.Context, in *ec2.AuthorizeSecurityGroupEgressInput, _ ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupEgressOutput, error) {
	made, err := l.authorize(*in.GroupId, true, in.IpPermissions, in.TagSpecifications)
	return &ec2.AuthorizeSecurityGroupEgressOutput{SecurityGroupRules: made}, err
}

func (l *land) revoke(group string, egress bool, ids []string) error {
	defer l.lock()()
	for _, id := range ids {
		at := slices.IndexFunc(l.rules, func(r *heldTag) bool { return r.id == id && r.group == group && r.egress == egress })
		if at < 0 {
			return code("InvalidPermission.NotFound")
		}
		if l.rules[at].tags["drawbridge:connection"] == "" {
			l.violate("revoked the owner's rule %s of %s", id, group)
		}
		l.rules = slices.Delete(l.rules, at, at+1)
	}
	return nil
}

func (l *land) RevokeSecurityGroupIngress(_ context.Context, in *ec2.RevokeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	return &ec2.RevokeSecurityGroupIngressOutput{}, l.revoke(*in.GroupId, false, in.SecurityGroupRuleIds)
}

func (l *land) RevokeSecurityGroupEgress(_ context.Context, in *ec2.RevokeSecurityGroupEgressInput, _ ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupEgressOutput, error) {
	return &ec2.RevokeSecurityGroupEgressOutput{}, l.revoke(*in.GroupId, true, in.SecurityGroupRuleIds)
}

func (l *land) ModifyVpcPeeringConnectionOptions(_ context.Context, in *ec2.ModifyVpcPeeringConnectionOptionsInput, _ ...func(*ec2.Options)) (*ec2.ModifyVpcPeeringConnectionOptionsOutput, error) {
	defer l.lock()()
	if l.realm.peerings[*in.VpcPeeringConnectionId] != "active" {
		return nil, code("OperationNotPermitted")
	}
	asked := in.RequesterPeeringConnectionOptions
	if l.account == beta {
		asked = in.AccepterPeeringConnectionOptions
	}
	l.dns[*in.VpcPeeringConnectionId] = *asked.AllowDnsResolutionFromRemoteVpc
	now := &types.PeeringConnectionOptions{AllowDnsResolutionFromRemoteVpc: asked.AllowDnsResolutionFromRemoteVpc}
	return &ec2.ModifyVpcPeeringConnectionOptionsOutput{RequesterPeeringConnectionOptions: now, AccepterPeeringConnectionOptions: now}, nil
}

func (l *land) GetManagedPrefixListEntries(context.Context, *ec2.GetManagedPrefixListEntriesInput, ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	return &ec2.GetManagedPrefixListEntriesOutput{Entries: []types.PrefixListEntry{{Cidr: aws.String("10.70.0.0/16")}}}, nil
}

func (l *land) DescribeNetworkAcls(context.Context, *ec2.DescribeNetworkAclsInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkAclsOutput, error) {
	return &ec2.DescribeNetworkAclsOutput{}, nil
}

func (l *land) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	defer l.lock()()
	for _, tag := range in.Tags {
		if !strings.HasPrefix(*tag.Key, "drawbridge:") {
			l.violate("set the tag %s", *tag.Key)
		}
		l.tags[in.Resources[0]][*tag.Key] = *tag.Value
	}
	return &ec2.CreateTagsOutput{}, nil
}

func (l *land) DeleteTags(_ context.Context, in *ec2.DeleteTagsInput, _ ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error) {
	defer l.lock()()
	if len(in.Tags) == 0 {
		l.violate("deleted every tag of %s", in.Resources[0])
	}
	for _, tag := range in.Tags {
		if !strings.HasPrefix(*tag.Key, "drawbridge:") || *tag.Key == "drawbridge:approval" {
			l.violate("deleted the tag %s", *tag.Key)
		}
		delete(l.tags[in.Resources[0]], *tag.Key)
	}
	return &ec2.DeleteTagsOutput{}, nil
}

func (l *land) DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error) {
	if l.account != beta {
		return &rds.DescribeDBInstancesOutput{}, nil
	}
	out := &rds.DescribeDBInstancesOutput{}
	for n, group := range append([]string{l.groups[0]}, l.more...) {
		name := "sales"
		if n > 0 {
			name = fmt.Sprintf("sales-%d", n)
		}
		out.DBInstances = append(out.DBInstances, rdstypes.DBInstance{DBInstanceIdentifier: &name, DBInstanceArn: aws.String("arn:" + name), Engine: aws.String("mysql"),
			Endpoint: &rdstypes.Endpoint{Port: &l.port}, DBSubnetGroup: &rdstypes.DBSubnetGroup{VpcId: &l.vpc},
			TagList:           []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String(fmt.Sprint(!l.hidden))}},
			VpcSecurityGroups: []rdstypes.VpcSecurityGroupMembership{{VpcSecurityGroupId: &group}}})
	}
	return out, nil
}

func (l *land) DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	return &rds.DescribeDBClustersOutput{}, nil
}

func (l *land) DescribeDBSubnetGroups(context.Context, *rds.DescribeDBSubnetGroupsInput, ...func(*rds.Options)) (*rds.DescribeDBSubnetGroupsOutput, error) {
	return &rds.DescribeDBSubnetGroupsOutput{}, nil
}

func (l *land) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	return &redshift.DescribeClustersOutput{}, nil
}

// studio is a land's SageMaker; its tags are other ones than EC2's.
type studio struct{ *land }

func (s studio) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	defer s.lock()()
	out := &sagemaker.ListNotebookInstancesOutput{}
	for name, b := range s.books {
		out.NotebookInstances = append(out.NotebookInstances, smtypes.NotebookInstanceSummary{NotebookInstanceName: &name, NotebookInstanceArn: &name,
			NotebookInstanceStatus: smtypes.NotebookInstanceStatus(b.status), NotebookInstanceLifecycleConfigName: &b.config})
	}
	return out, nil
}

func (s studio) DescribeNotebookInstance(_ context.Context, in *sagemaker.DescribeNotebookInstanceInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	defer s.lock()()
	b := s.books[*in.NotebookInstanceName]
	out := &sagemaker.DescribeNotebookInstanceOutput{NotebookInstanceName: in.NotebookInstanceName, NotebookInstanceArn: in.NotebookInstanceName, SubnetId: aws.String(b.subnet),
		NotebookInstanceStatus: smtypes.NotebookInstanceStatus(b.status), SecurityGroups: s.groups[:1], DirectInternetAccess: smtypes.DirectInternetAccessDisabled}
	if b.direct {
		out.DirectInternetAccess = smtypes.DirectInternetAccessEnabled
	}
	if b.config != "" {
		out.NotebookInstanceLifecycleConfigName = aws.String(b.config)
	}
	return out, nil
}

func (s studio) ListTags(_ context.Context, in *sagemaker.ListTagsInput, _ ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error) {
	defer s.lock()()
	out := &sagemaker.ListTagsOutput{}
	for k, v := range s.books[*in.ResourceArn].tags {
		out.Tags = append(out.Tags, smtypes.Tag{Key: &k, Value: &v})
	}
	return out, nil
}

func (s studio) AddTags(_ context.Context, in *sagemaker.AddTagsInput, _ ...func(*sagemaker.Options)) (*sagemaker.AddTagsOutput, error) {
	defer s.lock()()
	for _, one := range in.Tags {
		if !slices.Contains([]string{tag.Status, tag.Reason, tag.Since}, *one.Key) {
			s.violate("set the tag %s on a notebook", *one.Key)
		}
		s.books[*in.ResourceArn].tags[*one.Key] = *one.Value
	}
	return &sagemaker.AddTagsOutput{}, nil
}

func (s studio) DeleteTags(_ context.Context, in *sagemaker.DeleteTagsInput, _ ...func(*sagemaker.Options)) (*sagemaker.DeleteTagsOutput, error) {
	defer s.lock()()
	for _, key := range in.TagKeys {
		if !slices.Contains([]string{tag.Status, tag.Reason, tag.Since}, key) {
			s.violate("deleted the tag %s of a notebook", key)
		}
		delete(s.books[*in.ResourceArn].tags, key)
	}
	return &sagemaker.DeleteTagsOutput{}, nil
}

func (s studio) UpdateNotebookInstance(_ context.Context, in *sagemaker.UpdateNotebookInstanceInput, _ ...func(*sagemaker.Options)) (*sagemaker.UpdateNotebookInstanceOutput, error) {
	defer s.lock()()
	b := s.books[*in.NotebookInstanceName]
	if b.status != "Stopped" {
		return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "Status (" + b.status + ") not in ([Stopped, Failed])"}
	}
	if b.config != "" && !strings.HasPrefix(b.config, "drawbridge-") {
		s.violate("changed which configuration %s has", *in.NotebookInstanceName)
	}
	b.config = aws.ToString(in.LifecycleConfigName)
	return &sagemaker.UpdateNotebookInstanceOutput{}, nil
}

func missing() error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: "RecordNotFound"}
}

func (s studio) DescribeNotebookInstanceLifecycleConfig(_ context.Context, in *sagemaker.DescribeNotebookInstanceLifecycleConfigInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceLifecycleConfigOutput, error) {
	defer s.lock()()
	c, there := s.configs[*in.NotebookInstanceLifecycleConfigName]
	if !there {
		return nil, missing()
	}
	out := &sagemaker.DescribeNotebookInstanceLifecycleConfigOutput{}
	if c.onCreate != "" {
		out.OnCreate = []smtypes.NotebookInstanceLifecycleHook{{Content: aws.String(base64.StdEncoding.EncodeToString([]byte(c.onCreate)))}}
	}
	if c.onStart != "" {
		out.OnStart = []smtypes.NotebookInstanceLifecycleHook{{Content: aws.String(base64.StdEncoding.EncodeToString([]byte(c.onStart)))}}
	}
	return out, nil
}

func script(hooks []smtypes.NotebookInstanceLifecycleHook) string {
	if len(hooks) == 0 {
		return ""
	}
	text, _ := base64.StdEncoding.DecodeString(*hooks[0].Content)
	return string(text)
}

func (s studio) CreateNotebookInstanceLifecycleConfig(_ context.Context, in *sagemaker.CreateNotebookInstanceLifecycleConfigInput, _ ...func(*sagemaker.Options)) (*sagemaker.CreateNotebookInstanceLifecycleConfigOutput, error) {
	defer s.lock()()
	if s.configs[*in.NotebookInstanceLifecycleConfigName] != nil {
		return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "already exists"}
	}
	s.configs[*in.NotebookInstanceLifecycleConfigName] = &config{onStart: script(in.OnStart)}
	return &sagemaker.CreateNotebookInstanceLifecycleConfigOutput{}, nil
}

// owners returns what of a script is its owner's.
func owners(text string) string {
	if text == "" {
		return ""
	}
	s, err := lifecycle.Parse("c", []byte(text))
	if err != nil {
		return text
	}
	return string(s.Owner)
}

func (s studio) UpdateNotebookInstanceLifecycleConfig(_ context.Context, in *sagemaker.UpdateNotebookInstanceLifecycleConfigInput, _ ...func(*sagemaker.Options)) (*sagemaker.UpdateNotebookInstanceLifecycleConfigOutput, error) {
	defer s.lock()()
	c := s.configs[*in.NotebookInstanceLifecycleConfigName]
	if c == nil {
		return nil, missing()
	}
	if owners(c.onStart) != owners(script(in.OnStart)) || c.onCreate != script(in.OnCreate) {
		s.violate("changed the owner's script from %q to %q", c.onStart, script(in.OnStart))
	}
	c.onStart = script(in.OnStart)
	return &sagemaker.UpdateNotebookInstanceLifecycleConfigOutput{}, nil
}

func (s studio) DeleteNotebookInstanceLifecycleConfig(_ context.Context, in *sagemaker.DeleteNotebookInstanceLifecycleConfigInput, _ ...func(*sagemaker.Options)) (*sagemaker.DeleteNotebookInstanceLifecycleConfigOutput, error) {
	defer s.lock()()
	if c := s.configs[*in.NotebookInstanceLifecycleConfigName]; c != nil && (owners(c.onStart) != "" || c.onCreate != "") {
		s.violate("deleted the owner's configuration %s", *in.NotebookInstanceLifecycleConfigName)
	}
	delete(s.configs, *in.NotebookInstanceLifecycleConfigName)
	return &sagemaker.DeleteNotebookInstanceLifecycleConfigOutput{}, nil
}

func (l *land) DescribeClusterSubnetGroups(context.Context, *redshift.DescribeClusterSubnetGroupsInput, ...func(*redshift.Options)) (*redshift.DescribeClusterSubnetGroupsOutput, error) {
	return &redshift.DescribeClusterSubnetGroupsOutput{}, nil
}
