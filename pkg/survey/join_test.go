package survey_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/database/databasetest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const (
	alpha, beta, guest = "111111111111", "222222222222", "333333333333"
	closed, left       = "444444444444", "555555555555" // lets nobody in; is outside the organization
)

// world is VPCs with the databases of accounts: names by account, all shared with everybody.
type world struct {
	entry     ledger.Connection
	databases map[string]string
	// instances are more of beta's, without a tag, by name with the cluster of which each is; clusters are shared, and all have the group sg-c.
	instances map[string]string
	clusters  []string
	groups    []string // the accounts whose security groups are in the VPC of beta
	reads     []string // in which accounts groups were read
	mu        sync.Mutex
}

// at is what one account shows.
type at struct {
	*world
	survey.EC2
	databasetest.None
	account string
}

func (a at) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	return &ec2.DescribeSubnetsOutput{Subnets: []types.Subnet{{SubnetId: aws.String("subnet-1"), CidrBlock: aws.String("10.2.0.0/24")}}}, nil
}

func (a at) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reads = append(a.reads, a.account)
	out := &ec2.DescribeSecurityGroupsOutput{}
	if a.account == beta {
		for _, owner := range a.groups {
			out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{OwnerId: &owner})
		}
	}
	return out, nil
}

func (a at) DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error) {
	if a.account == closed {
		return nil, &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed, Message: "access denied"}
	}
	out := &rds.DescribeDBInstancesOutput{}
	if name := a.databases[a.account]; name != "" {
		out.DBInstances = []rdstypes.DBInstance{{DBInstanceIdentifier: &name, Engine: aws.String("mysql"), Endpoint: &rdstypes.Endpoint{Port: aws.Int32(3306)}, DBSubnetGroup: &rdstypes.DBSubnetGroup{VpcId: aws.String("vpc-2")},
			VpcSecurityGroups: []rdstypes.VpcSecurityGroupMembership{{VpcSecurityGroupId: aws.String("sg-" + name)}}, TagList: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}}}
	}
	if a.account == beta {
		for name, cluster := range a.instances {
			out.DBInstances = append(out.DBInstances, rdstypes.DBInstance{DBInstanceIdentifier: &name, DBClusterIdentifier: &cluster, Engine: aws.String("aurora-mysql"), Endpoint: &rdstypes.Endpoint{Port: aws.Int32(3306)},
				DBSubnetGroup: &rdstypes.DBSubnetGroup{DBSubnetGroupName: aws.String("g"), VpcId: aws.String("vpc-2")}, VpcSecurityGroups: []rdstypes.VpcSecurityGroupMembership{{VpcSecurityGroupId: aws.String("sg-c")}}})
		}
	}
	return out, nil
}

func (a at) DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	out := &rds.DescribeDBClustersOutput{}
	for _, name := range a.clusters {
		out.DBClusters = append(out.DBClusters, rdstypes.DBCluster{DBClusterIdentifier: &name, DBClusterArn: aws.String("arn:aws:rds:eu-west-1:" + beta + ":cluster:" + name), Engine: aws.String("aurora-mysql"), Port: aws.Int32(3306),
			DBSubnetGroup: aws.String("g"), VpcSecurityGroups: []rdstypes.VpcSecurityGroupMembership{{VpcSecurityGroupId: aws.String("sg-c")}}, TagList: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}})
	}
	return out, nil
}

func (a at) DescribeDBSubnetGroups(context.Context, *rds.DescribeDBSubnetGroupsInput, ...func(*rds.Options)) (*rds.DescribeDBSubnetGroupsOutput, error) {
	return &rds.DescribeDBSubnetGroupsOutput{}, nil
}

func (a at) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	return &redshift.DescribeClustersOutput{}, nil
}

func (a at) DescribeClusterSubnetGroups(context.Context, *redshift.DescribeClusterSubnetGroupsInput, ...func(*redshift.Options)) (*redshift.DescribeClusterSubnetGroupsOutput, error) {
	return &redshift.DescribeClusterSubnetGroupsOutput{}, nil
}

// produce surveys alpha's VPC and beta's, in which participants are known to take part.
func (w *world) produce(t *testing.T, participants ...string) []*survey.SideFacts {
	t.Helper()
	account := func(id string) workflow.AccountFacts {
		facts := workflow.AccountFacts{ID: id, Organization: "o-abc1234567", OUPath: "o-abc1234567/r-ab12/"}
		if id == left {
			facts.Organization = ""
		}
		return facts
	}
	s := survey.Surveyor{Set: policy.Default(), About: policy.Context{Connection: "pcx-1"},
		Account: func(_ context.Context, id string) (workflow.AccountFacts, error) { return account(id), nil },
		Enter: func(p event.Place) survey.Clients {
			a := at{world: w, account: p.Account}
			return survey.Clients{EC2: a, Databases: database.APIs{RDS: a, Redshift: a, Serverless: databasetest.Nothing{}, Tagged: databasetest.Nothing{}}}
		}}
	facts := func(id, vpc, cidr string) *workflow.Facts {
		return &workflow.Facts{VPC: workflow.VPC{Account: id, Region: "eu-west-1", ID: vpc, CIDRs: []netip.Prefix{netip.MustParsePrefix(cidr)}}, Account: account(id), Tables: []workflow.Table{{ID: "rtb-1"}}}
	}
	a, b := facts(alpha, "vpc-1", "10.1.0.0/16"), facts(beta, "vpc-2", "10.2.0.0/16")
	sides, err := s.Produce(t.Context(), &survey.SideFacts{Here: a, There: b, Entry: w.entry, Side: &workflow.Side{Role: "requester", VPC: a.VPC, Peer: b.VPC}},
		&survey.SideFacts{Here: b, There: a, Entry: w.entry, Side: &workflow.Side{Role: "accepter", VPC: b.VPC, Peer: a.VPC, Participants: participants}})
	if err != nil {
		t.Fatal(err)
	}
	survey.Appoint(survey.Sides(sides)...)
	return sides
}

// The instances of a cluster that is shared are what its endpoints lead to; one of another cluster is a database that nobody shares.
func TestTheInstancesOfAClusterAreNotBesideIt(t *testing.T) {
	for name, c := range map[string]struct {
		instances map[string]string
		shared    []string
	}{
		"its own":         {map[string]string{"orders-1": "orders", "orders-2": "orders"}, nil},
		"one of no other": {map[string]string{"orders-1": "orders", "alone": ""}, []string{"alone"}},
		"another's":       {map[string]string{"orders-1": "orders", "ledger-1": "ledger"}, []string{"ledger-1"}},
	} {
		w := &world{instances: c.instances, clusters: []string{"orders"}}
		got := w.produce(t)[1].Side.AllowedDatabases
		if len(got) != 1 || got[0].Database != "orders" || !slices.Equal(got[0].Shared["sg-c"], c.shared) {
			t.Errorf("%s: %+v, want orders beside %v", name, got, c.shared)
		}
	}
}

func TestAParticipantIsASideOfItsOwn(t *testing.T) {
	w := &world{databases: map[string]string{beta: "sales", guest: "books"}}
	sides := w.produce(t, guest)
	if len(sides) != 3 || len(w.reads) != 0 {
		t.Fatalf("%d sides, groups read in %v: who takes part was known", len(sides), w.reads)
	}
	side := sides[2].Side
	if side.Role != "accepter" || side.VPC.Account != guest || side.Owner != beta || side.Peer.ID != "vpc-1" || side.Tables != nil || side.Consumer || len(side.AllowedDatabases) != 1 || side.AllowedDatabases[0].Account != guest {
		t.Errorf("%+v", side)
	}
	if here := sides[2].Here; here.Account.ID != guest || here.VPC.ID != "vpc-2" || sides[1].Here.Account.ID != beta {
		t.Errorf("the policy is told of %+v", here)
	}
	if first := sides[0].Side; !first.Consumer || !slices.Equal(first.Ports, []int{3306}) {
		t.Errorf("%+v", first)
	}
}

// Each side is told which of its own groups the entry notes as kept out, and reads the tags of these.
func TestASideKnowsWhichOfItsGroupsAreNoted(t *testing.T) {
	w := &world{databases: map[string]string{beta: "sales", guest: "books"}, entry: ledger.Connection{ID: "pcx-1", Sides: []ledger.Side{
		{Role: "accepter", Account: beta, Region: "eu-west-1", ID: "vpc-2", Apart: map[string][]string{beta: {"sg-y"}, guest: {"sg-x"}}}}}}
	sides := w.produce(t, guest)
	slices.Sort(w.reads)
	want := []string{beta, guest}
	slices.Sort(want)
	if len(sides) != 3 || !slices.Equal(sides[1].Side.Noted, []string{"sg-y"}) || !slices.Equal(sides[2].Side.Noted, []string{"sg-x"}) || len(sides[0].Side.Noted) > 0 || !slices.Equal(w.reads, want) {
		t.Errorf("noted are %v, %v, %v, and groups were read in %v", sides[0].Side.Noted, sides[1].Side.Noted, sides[2].Side.Noted, w.reads)
	}
}

func TestWhereNothingIsOpenedTheGroupsTell(t *testing.T) {
	w := &world{databases: map[string]string{guest: "books"}, groups: []string{beta, guest, closed, left}}
	sides := w.produce(t)
	slices.Sort(w.reads)
	if !slices.Equal(w.reads, []string{alpha, beta}) || len(sides) != 3 || len(sides[2].Side.AllowedDatabases) != 1 || !sides[0].Side.Consumer {
		t.Fatalf("%d sides, groups read in %v", len(sides), w.reads)
	}
	if got := sides[1].Side.Participants; !slices.Equal(got, []string{guest, closed, left}) {
		t.Errorf("%v take part", got)
	}
	var named []string
	for _, h := range survey.Closed(sides...) {
		named = append(named, strings.TrimPrefix(h.Hop, "participant "))
		if h.OK || !strings.Contains(h.Detail, "vpc-2") {
			t.Errorf("%+v", h)
		}
	}
	if !slices.Equal(named, []string{closed, left}) {
		t.Errorf("%v are named as left out", named)
	}
}

func TestWhereSomethingIsOpenedNobodyIsAskedForGroups(t *testing.T) {
	w := &world{databases: map[string]string{beta: "sales"}, groups: []string{beta, guest}}
	if sides := w.produce(t); len(sides) != 2 || len(w.reads) != 0 {
		t.Errorf("%d sides, groups read in %v", len(sides), w.reads)
	}
}
