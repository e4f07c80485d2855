package rebuild_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	rstypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/rebuild"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// place is one account and Region: a fake of what a rebuild reads there.
type place struct {
	err         error // of every call
	absent      bool  // there is no SageMaker
	vpc         types.Vpc
	table       types.RouteTable
	peerings    []types.VpcPeeringConnection
	attachments []types.TransitGatewayAttachment
	rules       []types.SecurityGroupRule
	clusters    []rdstypes.DBCluster
	role        *iamtypes.Role
	rights      string // what the role's policy says
	calls       map[string]int

	studio.MarkReader // what nobody calls
	propagations      map[string][]string
	warehouses        []rstypes.Cluster

	share.RAM   // what nobody calls
	invitations []ramtypes.ResourceShareInvitation
	attach      string // what the VPC asks for by its tag
	others      []types.VpcEndpoint
	grants      iam.GetAccountAuthorizationDetailsOutput
}

func (p *place) GetAccountAuthorizationDetails(context.Context, *iam.GetAccountAuthorizationDetailsInput, ...func(*iam.Options)) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	return &p.grants, p.call("details")
}

func (p *place) GetResourceShareInvitations(context.Context, *ram.GetResourceShareInvitationsInput, ...func(*ram.Options)) (*ram.GetResourceShareInvitationsOutput, error) {
	return &ram.GetResourceShareInvitationsOutput{ResourceShareInvitations: p.invitations}, p.call("invitations")
}

func (p *place) GetResourceShares(_ context.Context, in *ram.GetResourceSharesInput, _ ...func(*ram.Options)) (*ram.GetResourceSharesOutput, error) {
	return &ram.GetResourceSharesOutput{ResourceShares: []ramtypes.ResourceShare{{ResourceShareArn: &in.ResourceShareArns[0], Status: ramtypes.ResourceShareStatusActive}}}, p.call("shares")
}

func (p *place) GetResourceShareAssociations(_ context.Context, in *ram.GetResourceShareAssociationsInput, _ ...func(*ram.Options)) (*ram.GetResourceShareAssociationsOutput, error) {
	entity := beta
	if in.AssociationType == ramtypes.ResourceShareAssociationTypeResource {
		entity = "arn:aws:ec2:eu-west-1:" + alpha + ":transit-gateway/tgw-0123456789abcdef0"
	}
	return &ram.GetResourceShareAssociationsOutput{ResourceShareAssociations: []ramtypes.ResourceShareAssociation{{AssociatedEntity: &entity, Status: ramtypes.ResourceShareAssociationStatusAssociated}}},
		p.call("associations " + string(in.AssociationType))
}

func (p *place) DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error) {
	return &ec2.DescribeTransitGatewaysOutput{TransitGateways: []types.TransitGateway{{TransitGatewayId: aws.String("tgw-0123456789abcdef0"), Tags: ec2tags(map[string]string{"Name": "core"})}}}, p.call("gateways")
}

func (p *place) call(name string) error {
	if p.calls == nil {
		p.calls = map[string]int{}
	}
	p.calls[name]++
	return p.err
}

func (p *place) DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: p.peerings}, p.call("peerings")
}

func (p *place) DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error) {
	return &ec2.DescribeTransitGatewayAttachmentsOutput{TransitGatewayAttachments: p.attachments}, p.call("attachments")
}

func (p *place) GetTransitGatewayAttachmentPropagations(_ context.Context, in *ec2.GetTransitGatewayAttachmentPropagationsInput, _ ...func(*ec2.Options)) (*ec2.GetTransitGatewayAttachmentPropagationsOutput, error) {
	out := &ec2.GetTransitGatewayAttachmentPropagationsOutput{}
	for _, table := range p.propagations[*in.TransitGatewayAttachmentId] {
		out.TransitGatewayAttachmentPropagations = append(out.TransitGatewayAttachmentPropagations, types.TransitGatewayAttachmentPropagation{TransitGatewayRouteTableId: &table, State: "enabled"})
	}
	return out, p.call("propagations of " + *in.TransitGatewayAttachmentId)
}

func (p *place) DescribeSecurityGroupRules(context.Context, *ec2.DescribeSecurityGroupRulesInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	return &ec2.DescribeSecurityGroupRulesOutput{SecurityGroupRules: p.rules}, p.call("rules")
}

func (p *place) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	vpc := p.vpc
	if p.attach != "" {
		vpc.Tags = ec2tags(map[string]string{"drawbridge:attach": p.attach})
	}
	return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{vpc}}, p.call("vpcs")
}

func (p *place) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	return &ec2.DescribeSubnetsOutput{Subnets: []types.Subnet{{SubnetId: aws.String("subnet-1"), VpcId: p.vpc.VpcId}}}, p.call("subnets")
}

func (p *place) DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	return &ec2.DescribeRouteTablesOutput{RouteTables: []types.RouteTable{p.table}}, p.call("tables")
}

func (p *place) DescribeVpcEndpoints(_ context.Context, in *ec2.DescribeVpcEndpointsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error) {
	if *in.Filters[0].Name == "vpc-endpoint-id" {
		return &ec2.DescribeVpcEndpointsOutput{VpcEndpoints: p.others}, p.call("named endpoints")
	}
	return &ec2.DescribeVpcEndpointsOutput{}, p.call("endpoints")
}

func (p *place) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	return &ec2.DescribeSecurityGroupsOutput{}, p.call("groups")
}

func (p *place) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	if p.absent {
		return nil, fmt.Errorf("no host: %w", fault.ErrAbsent)
	}
	return &sagemaker.ListNotebookInstancesOutput{}, p.call("notebooks")
}

func (p *place) DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "RecordNotFound"}
}

func (p *place) DescribeNotebookInstanceLifecycleConfig(context.Context, *sagemaker.DescribeNotebookInstanceLifecycleConfigInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceLifecycleConfigOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "RecordNotFound"}
}

func (p *place) DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	return &rds.DescribeDBClustersOutput{DBClusters: p.clusters}, p.call("clusters")
}

func (p *place) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	return &redshift.DescribeClustersOutput{Clusters: p.warehouses}, p.call("warehouses")
}

func (p *place) GetRole(_ context.Context, in *iam.GetRoleInput, _ ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	if p.role == nil || *p.role.RoleName != *in.RoleName {
		return nil, &smithy.GenericAPIError{Code: "NoSuchEntity"}
	}
	return &iam.GetRoleOutput{Role: p.role}, p.err
}

func (p *place) GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	if p.rights == "" {
		return nil, &smithy.GenericAPIError{Code: "NoSuchEntity"}
	}
	return &iam.GetRolePolicyOutput{PolicyDocument: aws.String(url.PathEscape(p.rights))}, p.err
}

func ec2tags(tags map[string]string) (out []types.Tag) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}

const pairID = "tgw-1:vpc-1:vpc-2"

// world is two accounts that are connected by a peering, and by a pair on a gateway of the first.
func world() map[string]*place {
	out := map[string]*place{}
	for n, account := range []string{alpha, beta} {
		own, other := fmt.Sprintf("10.%d.0.0/16", n+1), fmt.Sprintf("10.%d.0.0/16", 2-n)
		vpc, peer, peers := fmt.Sprintf("vpc-%d", n+1), fmt.Sprintf("vpc-%d", 2-n), []string{beta, alpha}[n]
		p := &place{vpc: types.Vpc{VpcId: aws.String(vpc), CidrBlock: aws.String(own)}}
		p.table = types.RouteTable{RouteTableId: aws.String("rtb-1"), Associations: []types.RouteTableAssociation{{Main: aws.Bool(true)}},
			Routes: []types.Route{{DestinationCidrBlock: aws.String(other), VpcPeeringConnectionId: aws.String("pcx-1"), State: types.RouteStateActive}}}
		end := func(account, vpc string) *types.VpcPeeringConnectionVpcInfo {
			return &types.VpcPeeringConnectionVpcInfo{OwnerId: &account, Region: aws.String("eu-west-1"), VpcId: &vpc}
		}
		p.peerings = []types.VpcPeeringConnection{{VpcPeeringConnectionId: aws.String("pcx-1"), RequesterVpcInfo: end(alpha, "vpc-1"), AccepterVpcInfo: end(beta, "vpc-2"),
			Status: &types.VpcPeeringConnectionStateReason{Code: "active"}, Tags: ec2tags(map[string]string{"drawbridge:status": "Connected"})}}
		tags := map[string]string{"drawbridge:status": "Attached", "drawbridge:pairs": "1 Connected at x", "drawbridge:connection": "tgw-1:" + vpc}
		p.attachments = []types.TransitGatewayAttachment{{TransitGatewayAttachmentId: aws.String("tgw-attach-" + vpc), TransitGatewayId: aws.String("tgw-1"), TransitGatewayOwnerId: aws.String(alpha),
			ResourceId: &vpc, ResourceOwnerId: aws.String(account), State: "available", Tags: ec2tags(tags)}}
		for m, of := range []string{"pcx-1", pairID} {
			p.rules = append(p.rules, types.SecurityGroupRule{SecurityGroupRuleId: aws.String(fmt.Sprintf("sgr-%d%d", n, m)), GroupId: aws.String(fmt.Sprintf("sg-%d", m)), IsEgress: aws.Bool(false), IpProtocol: aws.String("tcp"),
				FromPort: aws.Int32(3306), ToPort: aws.Int32(3306), CidrIpv4: &other, Tags: ec2tags(map[string]string{"drawbridge:connection": of, "drawbridge:peer": peers + "/eu-west-1/" + peer})})
		}
		out[account] = p
	}
	theirs := out[beta].attachments[0] // as the gateway's owner sees it, with tags of their own
	theirs.Tags = ec2tags(map[string]string{"drawbridge:status": "Attached"})
	out[alpha].attachments = append(out[alpha].attachments, theirs)
	return out
}

// visit rebuilds what one account has, and says it in a line for each kind.
func visit(t *testing.T, w map[string]*place, l ledger.Ledger, account string) (workflow.SweepAccountOutput, string, error) {
	t.Helper()
	r := rebuild.Rebuilder{Ledger: l, Home: "home", Enter: func(_ string, at event.Place) rebuild.Clients {
		return rebuild.Clients{EC2: w[at.Account], SageMaker: w[at.Account], RDS: w[at.Account], Redshift: w[at.Account], IAM: w[at.Account], RAM: w[at.Account]}
	}}
	out, err := r.Rebuild(t.Context(), workflow.SweepAccountInput{Execution: "x", Territory: workflow.Territory{Account: account, Regions: []string{"eu-west-1"}}})
	var lines []string
	for _, f := range out.Found {
		lines = append(lines, fmt.Sprintf("%s %d/%d untold %d", f.Kind, f.Written, f.Seen, f.Untold))
	}
	slices.Sort(lines)
	return out, strings.Join(lines, ", "), err
}

func TestEachConnectionCountsOnceAndEachThingIsReadOnce(t *testing.T) {
	w := world()
	l, memory := ledgertest.New()
	_, first, err := visit(t, w, l, alpha)
	if want := "attachments 1/1 untold 0, attachments made by Drawbridge 1/1 untold 0, pairs 1/1 untold 0, rules 2/2 untold 0"; err != nil || first != want {
		t.Fatalf("alpha: %s, %v; want %s", first, err, want)
	}
	for call, n := range w[alpha].calls {
		if n != 1 {
			t.Errorf("%d reads of %s in alpha", n, call)
		}
	}
	_, second, err := visit(t, w, l, beta)
	if want := "attachments 1/1 untold 0, attachments made by Drawbridge 1/1 untold 0, peerings 1/1 untold 0, routes 2/2 untold 0, rules 2/2 untold 0"; err != nil || second != want {
		t.Fatalf("beta: %s, %v; want %s", second, err, want)
	}
	items, err := l.Items(t.Context(), pairID)
	if err != nil || len(items) != 2 {
		t.Errorf("the pair has %v, %v", items, err)
	}
	rows := memory.Rows()
	for _, account := range []string{alpha, beta} {
		if _, again, err := visit(t, w, l, account); err != nil || strings.Contains(strings.ReplaceAll(again, " 0/", ""), "/") {
			t.Errorf("again: %s, %v", again, err)
		}
	}
	if now := memory.Rows(); !slices.Equal(now, rows) {
		t.Errorf("the second time the ledger has %d rows, it had %d", len(now), len(rows))
	}
}

// What is older than the loss stays as it is: an entry, and an item in whatever state.
func TestWhatTheLedgerHasStays(t *testing.T) {
	w := world()
	l, _ := ledgertest.New()
	old := ledger.Connection{ID: "pcx-1", Kind: "peering", Origin: ledger.Adopted, Status: "Removed", Sides: []ledger.Side{{Role: "requester", Account: alpha, Region: "eu-west-1", ID: "vpc-1"}}}
	if _, err := l.Begin(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	before, _, _ := l.Connection(t.Context(), "pcx-1")
	route := ledger.Item{Account: alpha, Region: "eu-west-1", Resource: "rtb-1", Kind: ledger.Route, Key: "10.2.0.0/16", Left: "tgw-9", Before: "pcx-dead"}
	if _, err := l.Record(t.Context(), "pcx-0", route); err != nil {
		t.Fatal(err)
	}
	_, told, err := visit(t, w, l, beta)
	if err != nil || !strings.Contains(told, "peerings 0/1") || !strings.Contains(told, "routes 1/2") {
		t.Fatalf("%s, %v", told, err)
	}
	now, _, _ := l.Connection(t.Context(), "pcx-1")
	items, _ := l.Of(t.Context(), alpha, "eu-west-1", "rtb-1")
	if fmt.Sprint(now) != fmt.Sprint(before) || len(items) != 1 || items[0].Left != "tgw-9" || items[0].Before != "pcx-dead" || !slices.Equal(items[0].Needed, []string{"pcx-0"}) {
		t.Errorf("%+v, was %+v; %+v", now, before, items)
	}
}

func TestWhatCannotBeReadIsUntold(t *testing.T) {
	closed := fmt.Errorf("assuming a role: %w", &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed, Message: "access denied"})
	barred := &smithy.GenericAPIError{Code: "AuthFailure", Message: "not enabled"}
	for name, c := range map[string]struct {
		err    error
		closed bool
		barred int
	}{"closed": {closed, true, 0}, "barred": {barred, false, 1}} {
		t.Run(name, func(t *testing.T) {
			w := world()
			l, memory := ledgertest.New()
			w[alpha].err = c.err
			out, told, err := visit(t, w, l, alpha)
			if err != nil || (out.Closed != "") != c.closed || len(out.Barred) != c.barred || told != "" {
				t.Errorf("alpha: %+v, %v", out, err)
			}
			// Neither the peering nor the pair, nor the attachment to alpha's gateway: nobody knows what alpha says of them.
			_, told, err = visit(t, w, l, beta)
			if want := "attachments 0/0 untold 1, pairs 0/0 untold 1, peerings 0/0 untold 1"; err != nil || told != want || len(memory.Rows()) != 0 {
				t.Errorf("beta: %s, %v; want %s; rows %v", told, err, want, memory.Rows())
			}
			w[alpha].err = nil
			if _, told, err = visit(t, w, l, beta); err != nil || !strings.Contains(told, "peerings 1/1") {
				t.Errorf("once it can be read: %s, %v", told, err)
			}
		})
	}
}

// Any other failure of one thing leaves the others alone, and fails the visit when they are done; what passes by itself fails it at once.
func TestAFailureLeavesTheOthersAlone(t *testing.T) {
	w := world()
	l, _ := ledgertest.New()
	w[alpha].err = &smithy.GenericAPIError{Code: "UnauthorizedOperation", Message: "no identity-based policy allows it"}
	w[beta].peerings = append(w[beta].peerings, types.VpcPeeringConnection{VpcPeeringConnectionId: aws.String("pcx-2"), RequesterVpcInfo: &types.VpcPeeringConnectionVpcInfo{OwnerId: aws.String(beta), Region: aws.String("eu-west-1"), VpcId: aws.String("vpc-2")},
		AccepterVpcInfo: &types.VpcPeeringConnectionVpcInfo{OwnerId: aws.String(beta), Region: aws.String("eu-west-1"), VpcId: aws.String("vpc-2")}, Status: &types.VpcPeeringConnectionStateReason{Code: "active"},
		Tags: ec2tags(map[string]string{"drawbridge:status": "Connected"})})
	w[beta].clusters = []rdstypes.DBCluster{{DBClusterIdentifier: aws.String("sales"), DBClusterArn: aws.String("arn:sales"), TagList: []rdstypes.Tag{{Key: aws.String("drawbridge:status"), Value: aws.String("Refused")}}}}
	_, told, err := visit(t, w, l, beta)
	if fault.Of(err) != fault.Refused || !strings.Contains(told, "Data API 1/1") || !strings.Contains(told, "peerings 1/1") || !strings.Contains(err.Error(), "pcx-1") {
		t.Errorf("%s, %v", told, err)
	}
	w[alpha].err = &smithy.GenericAPIError{Code: "RequestLimitExceeded", Message: "slow down"}
	if _, _, err := visit(t, w, l, beta); fault.Of(err) != fault.Transient {
		t.Errorf("throttled: %v", err)
	}
	w = world()
	w[beta].absent = true
	if _, told, err := visit(t, w, l, beta); err != nil || !strings.Contains(told, "peerings") {
		t.Errorf("without SageMaker: %s, %v", told, err)
	}
	if _, err := (rebuild.Rebuilder{Ledger: l}).Rebuild(t.Context(), workflow.SweepAccountInput{}); fault.Of(err) != fault.Invalid {
		t.Errorf("no Region: %v", err)
	}
}

// A role is a cluster's if it is as Drawbridge makes it, and lets query exactly that cluster; the status alone makes nothing Drawbridge's.
func TestTheRoleOfACluster(t *testing.T) {
	const cluster = "arn:aws:rds:eu-west-1:" + beta + ":cluster:sales"
	boundary := "arn:aws:iam::" + beta + ":policy/drawbridge/drawbridge-data-api-boundary"
	rights := func(of string) string {
		return `{"Version":"2012-10-17","Statement":[{"Sid":"DrawbridgeQuery","Effect":"Allow","Action":["rds-data:ExecuteStatement"],"Resource":["` + of + `"]}]}`
	}
	for name, c := range map[string]struct {
		status, path, boundary, rights string
		told                           string
	}{
		"Drawbridge made it":     {"Exposed", "/drawbridge/", boundary, rights(cluster), "clusters with the Data API 1/1 untold 0, roles 1/1 untold 0"},
		"of another Region":      {"Exposed", "/drawbridge/", boundary, rights("arn:aws:rds:us-east-1:" + beta + ":cluster:sales"), "clusters with the Data API 1/1 untold 0, roles 0/0 untold 1"},
		"without the boundary":   {"Exposed", "/drawbridge/", "", rights(cluster), "clusters with the Data API 1/1 untold 0, roles 0/0 untold 1"},
		"without a policy":       {"Exposed", "/drawbridge/", boundary, "", "clusters with the Data API 1/1 untold 0, roles 0/0 untold 1"},
		"under another path":     {"Exposed", "/", boundary, rights(cluster), "clusters with the Data API 1/1 untold 0, roles 0/0 untold 1"},
		"there is none":          {status: "Refused", told: "clusters with the Data API 1/1 untold 0"},
		"a cluster without mark": {"", "/drawbridge/", boundary, rights(cluster), ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := &place{clusters: []rdstypes.DBCluster{{DBClusterIdentifier: aws.String("sales"), DBClusterArn: aws.String(cluster)}}, rights: c.rights}
			if c.status != "" {
				p.clusters[0].TagList = []rdstypes.Tag{{Key: aws.String("drawbridge:status"), Value: &c.status}}
			}
			if c.path != "" {
				p.role = &iamtypes.Role{RoleName: aws.String("drawbridge-data-api-sales"), RoleId: aws.String("AROA1"), Path: &c.path, Arn: aws.String("arn:aws:iam::" + beta + ":role/x"),
					PermissionsBoundary: &iamtypes.AttachedPermissionsBoundary{PermissionsBoundaryArn: &c.boundary}}
			}
			l, _ := ledgertest.New()
			_, told, err := visit(t, map[string]*place{beta: p}, l, beta)
			if err != nil || told != c.told {
				t.Errorf("%s, %v; want %s", told, err, c.told)
			}
			entry, managed, _ := l.Connection(t.Context(), cluster)
			items, _ := l.Of(t.Context(), beta, "home", "drawbridge-data-api-sales")
			made := strings.Contains(c.told, "roles 1/1")
			if managed != (c.status != "") || managed && (entry.Kind != "data-api" || string(entry.Status) != c.status) || made != (len(items) == 1) || made && (items[0].Left != "AROA1" || !items[0].NeededBy(cluster)) {
				t.Errorf("%+v, %+v", entry, items)
			}
		})
	}
}

// A cluster whose readers have a status brings its entry and what its readers' role shows; one without brings nothing.
func TestAWarehouse(t *testing.T) {
	const cluster = "arn:aws:redshift:eu-west-1:" + beta + ":cluster:sales"
	w := map[string]*place{beta: {warehouses: []rstypes.Cluster{{ClusterIdentifier: aws.String("others"), Tags: []rstypes.Tag{{Key: aws.String("drawbridge:studio"), Value: aws.String(alpha)}}},
		{ClusterIdentifier: aws.String("sales"), Tags: []rstypes.Tag{{Key: aws.String("drawbridge:studio"), Value: aws.String(alpha)}, {Key: aws.String("drawbridge:studio-status"), Value: aws.String("Refused")}}}}}}
	l, _ := ledgertest.New()
	_, told, err := visit(t, w, l, beta)
	if want := "clusters with readers in Studio 1/1 untold 0"; err != nil || told != want {
		t.Errorf("%s, %v; want %s", told, err, want)
	}
	if entry, managed, _ := l.Connection(t.Context(), cluster); !managed || entry.Kind != "studio" || entry.Status != "Refused" || len(entry.Sides) != 2 {
		t.Errorf("%+v", entry)
	}
	name := "drawbridge-studio-eu-west-1-sales"
	w[beta].role = &iamtypes.Role{RoleName: &name, RoleId: aws.String("AROA1"), Arn: aws.String("arn:aws:iam::" + beta + ":role/" + name), AssumeRolePolicyDocument: aws.String("{}")}
	if _, told, err = visit(t, w, l, beta); err != nil || told != "clusters with readers in Studio 0/1 untold 0, what Studio got 0/0 untold 1" {
		t.Errorf("%s, %v", told, err)
	}
}

// An accepted invitation is in the ledger again, if a VPC of the account asks for a gateway of the share: by its owner's account that still shares it, and
// by the account's own tag. A second rebuild writes nothing.
func TestAnAcceptedInvitation(t *testing.T) {
	const arn = "arn:aws:ram:eu-west-1:" + alpha + ":resource-share/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
	for name, c := range map[string]struct {
		attach string
		status ramtypes.ResourceShareInvitationStatus
		closed bool
		told   string
	}{
		"a VPC asks":              {"core", "ACCEPTED", false, "accepted invitations 1/1 untold 0, resource shares 1/1 untold 0"},
		"no VPC asks":             {"", "ACCEPTED", false, "resource shares 0/0 untold 1"},
		"another gateway":         {"edge", "ACCEPTED", false, "resource shares 0/0 untold 1"},
		"its owner is closed":     {"core", "ACCEPTED", true, "resource shares 0/0 untold 1"},
		"it waits to be accepted": {"core", "PENDING", false, ""},
		"it was rejected":         {"core", "REJECTED", false, ""},
	} {
		w := map[string]*place{alpha: {}, beta: {vpc: types.Vpc{VpcId: aws.String("vpc-2"), CidrBlock: aws.String("10.2.0.0/16")}, attach: c.attach}}
		w[beta].invitations = []ramtypes.ResourceShareInvitation{{ResourceShareArn: aws.String(arn), ResourceShareInvitationArn: aws.String("arn:invitation"), ReceiverAccountId: aws.String(beta), Status: c.status}}
		if c.closed {
			w[alpha].err = fmt.Errorf("assuming a role: %w", &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed, Message: "access denied"})
		}
		l, _ := ledgertest.New()
		_, told, err := visit(t, w, l, beta)
		if err != nil || told != c.told {
			t.Errorf("%s: %s, %v; want %s", name, told, err, c.told)
		}
		entry, managed, _ := l.Connection(t.Context(), share.Entry(arn, beta))
		items, _ := l.Of(t.Context(), beta, "eu-west-1", arn)
		if made := strings.Contains(c.told, "1/1"); managed != made || made && (entry.Kind != road.Share || entry.Status != share.Accepted || len(entry.Sides) != 2 || len(items) != 1 || items[0].Left != "arn:invitation") {
			t.Errorf("%s: %+v, %+v", name, entry, items)
		}
		if _, again, err := visit(t, w, l, beta); err != nil || strings.Contains(again, "1/1") {
			t.Errorf("%s: again %s, %v", name, again, err)
		}
	}
}

// The policy of private notebooks is Drawbridge's again if it says what Drawbridge writes, for each VPC of which it names an endpoint; a role that has it if its tag
// asks for it. What else has it, or says anything else, is named.
func TestThePolicyOfPrivateNotebooks(t *testing.T) {
	written := privatenotebooks.PolicyDocument(beta, "eu-west-1", []string{"vpce-1", "vpce-2"})
	for name, c := range map[string]struct{ document, told, manage string }{
		"as Drawbridge writes it": {document: written, told: "VPCs with endpoints 1/1 untold 0, policies given to roles 1/1 untold 1, policies of roles 1/1 untold 0"},
		"its VPC was let go of":   {document: written, told: "policies given to roles 0/0 untold 1", manage: "false"},
		"anything else":           {document: strings.Replace(written, "Allow", "Deny", 1), told: "policies given to roles 0/0 untold 1"},
		"none":                    {},
	} {
		p := &place{others: []types.VpcEndpoint{{VpcEndpointId: aws.String("vpce-1"), VpcId: aws.String("vpc-2")}, {VpcEndpointId: aws.String("vpce-2"), VpcId: aws.String("vpc-2")}}}
		if c.manage != "" {
			p.vpc = types.Vpc{VpcId: aws.String("vpc-2"), Tags: ec2tags(map[string]string{"drawbridge:manage": c.manage})}
		}
		arn := privatenotebooks.PolicyARN(beta, "eu-west-1")
		for role, tag := range map[string]string{"scientist": "true", "guest": "false"} {
			p.grants.RoleDetailList = append(p.grants.RoleDetailList, iamtypes.RoleDetail{RoleName: &role, Tags: []iamtypes.Tag{{Key: aws.String("drawbridge:private-notebooks"), Value: &tag}},
				AttachedManagedPolicies: []iamtypes.AttachedPolicy{{PolicyArn: &arn}}})
		}
		if c.document != "" {
			p.grants.Policies = []iamtypes.ManagedPolicyDetail{{Arn: &arn, PolicyVersionList: []iamtypes.PolicyVersion{{Document: aws.String(url.QueryEscape(c.document)), IsDefaultVersion: true}}}}
		}
		l, _ := ledgertest.New()
		_, told, err := visit(t, map[string]*place{beta: p}, l, beta)
		if err != nil || told != c.told {
			t.Errorf("%s: %s, %v; want %s", name, told, err, c.told)
		}
		items, _ := l.Items(t.Context(), privatenotebooks.Owner("vpc-2"))
		if want := strings.Count(c.told, "1/1") - 1; want > 0 && len(items) != want || want <= 0 && len(items) > 0 {
			t.Errorf("%s: %+v", name, items)
		}
	}
}

// The gateway's route tables to which a managed attachment propagates are named: nobody can tell who opened them.
func TestPropagationsAreNamed(t *testing.T) {
	w := world()
	w[alpha].propagations = map[string][]string{"tgw-attach-vpc-2": {"tgw-rtb-2", "tgw-rtb-1"}}
	l, _ := ledgertest.New()
	out, told, err := visit(t, w, l, beta)
	if err != nil || !strings.Contains(told, "propagations 0/0 untold 2") || !strings.Contains(fmt.Sprint(out.Found), "[tgw-attach-vpc-2 to tgw-rtb-1 tgw-attach-vpc-2 to tgw-rtb-2]") {
		t.Errorf("%s, %+v, %v", told, out.Found, err)
	}
}
