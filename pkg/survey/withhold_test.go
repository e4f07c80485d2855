package survey_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/database/databasetest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// row is a VPC with two databases in subnets of their own or in one: sales, which is shared, and payroll, whose group lets in a range.
type row struct {
	lab
	databasetest.None
	payroll string            // its subnet
	lets    string            // what its group lets in
	from    string            // a group that it lets in, in place of a range
	open    bool              // its group's owner asks for it
	routes  map[string]string // of the one table
	groups  int               // how often all groups were read
}

func (r *row) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	out := &ec2.DescribeSubnetsOutput{}
	for n, id := range []string{"subnet-a", "subnet-b"} {
		out.Subnets = append(out.Subnets, types.Subnet{SubnetId: &id, CidrBlock: aws.String(fmt.Sprintf("10.2.%d.0/24", n))})
	}
	return out, nil
}

func (r *row) DescribeSecurityGroups(_ context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	if len(in.Filters) > 1 {
		return &ec2.DescribeSecurityGroupsOutput{}, nil // none is marked as a client's
	}
	r.groups++
	g := types.SecurityGroup{GroupId: aws.String("sg-payroll"), GroupName: aws.String("payroll"), OwnerId: aws.String(beta),
		IpPermissions: []types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3306), ToPort: aws.Int32(3306), IpRanges: []types.IpRange{{CidrIp: &r.lets}}}}}
	if r.from != "" {
		g.IpPermissions[0].IpRanges, g.IpPermissions[0].UserIdGroupPairs = nil, []types.UserIdGroupPair{{GroupId: &r.from}}
	}
	if r.open {
		g.Tags = []types.Tag{{Key: aws.String("drawbridge:open"), Value: aws.String("true")}}
	}
	return &ec2.DescribeSecurityGroupsOutput{SecurityGroups: []types.SecurityGroup{g}}, nil
}

func (r *row) DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error) {
	one := func(name, subnet, shared string) rdstypes.DBInstance {
		return rdstypes.DBInstance{DBInstanceIdentifier: &name, DBInstanceArn: aws.String("arn:aws:rds:us-east-1:" + beta + ":db:" + name), DBInstanceStatus: aws.String("available"), Engine: aws.String("mysql"),
			Endpoint: &rdstypes.Endpoint{Port: aws.Int32(3306)}, VpcSecurityGroups: []rdstypes.VpcSecurityGroupMembership{{VpcSecurityGroupId: aws.String("sg-" + name)}},
			DBSubnetGroup: &rdstypes.DBSubnetGroup{DBSubnetGroupName: &name, VpcId: aws.String("vpc-2"), Subnets: []rdstypes.Subnet{{SubnetIdentifier: &subnet}}},
			TagList:       []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: &shared}}}
	}
	return &rds.DescribeDBInstancesOutput{DBInstances: []rdstypes.DBInstance{one("sales", "subnet-a", "true"), one("payroll", r.payroll, "999999999999")}}, nil
}

func (*row) DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	return &rds.DescribeDBClustersOutput{}, nil
}

func (*row) DescribeDBSubnetGroups(context.Context, *rds.DescribeDBSubnetGroupsInput, ...func(*rds.Options)) (*rds.DescribeDBSubnetGroupsOutput, error) {
	return &rds.DescribeDBSubnetGroupsOutput{}, nil
}

func (r *row) ListTagsForResource(ctx context.Context, in *rds.ListTagsForResourceInput, more ...func(*rds.Options)) (*rds.ListTagsForResourceOutput, error) {
	return r.None.ListTagsForResource(ctx, in, more...)
}

// cellar has no warehouse.
type cellar struct{ databasetest.None }

func (cellar) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	return &redshift.DescribeClustersOutput{}, nil
}

func (cellar) DescribeClusterSubnetGroups(context.Context, *redshift.DescribeClusterSubnetGroupsInput, ...func(*redshift.Options)) (*redshift.DescribeClusterSubnetGroupsOutput, error) {
	return &redshift.DescribeClusterSubnetGroupsOutput{}, nil
}

func TestWhatWouldOpenMoreIsWithheld(t *testing.T) { synctest.Test(t, whatWouldOpenMore) }

func whatWouldOpenMore(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*row)
		led      bool // both route tables lead there and back before
		withheld bool
		reads    int
		more     int  // notebooks there are
		marked   bool // of the other VPC an interface has sg-jobs, which is marked as a client's, and sg-other
	}{
		"payroll beside it lets in all of 10.0.0.0/8": {func(*row) {}, false, true, 1, 0, false},
		"it lets in somebody else":                    {func(r *row) { r.lets = "10.9.0.0/16" }, false, false, 1, 0, false},
		"it is in another subnet":                     {func(r *row) { r.payroll = "subnet-b" }, false, false, 0, 0, false},
		"its owner asks for it":                       {func(r *row) { r.open = true }, false, false, 1, 0, false},
		"tables lead there and back already":          {func(*row) {}, true, false, 0, 0, false},
		"it lets in a group that nobody has":          {func(r *row) { r.from = "sg-other" }, false, false, 1, 0, false},
		"one that a marked client has beside":         {func(r *row) { r.from = "sg-other" }, false, true, 1, 0, true},
		"a group that who is not known may have":      {func(r *row) { r.from = "sg-other" }, false, true, 1, 150, false},
	} {
		r := &row{payroll: "subnet-a", lets: "10.0.0.0/8"}
		c.change(r)
		l := &lab{subnet: "subnet-1", notebooks: c.more, functions: map[string][2][]string{"jobs": {{"subnet-1"}, {"sg-1"}}}}
		a, b := sides()
		a.VPC.Region, b.VPC.Region, a.Peer.Region, b.Peer.Region = "us-east-1", "us-east-1", "us-east-1", "us-east-1"
		here, there := &workflow.Facts{VPC: a.VPC}, &workflow.Facts{VPC: b.VPC}
		for _, f := range []*workflow.Facts{here, there} {
			f.Account = workflow.AccountFacts{ID: f.VPC.Account, Organization: "o-1", OUPath: "o-1/r-1/"}
			f.Tables = []workflow.Table{{ID: "rtb-" + f.VPC.ID, Main: true}}
		}
		if c.led {
			here.Tables[0].Routes = []workflow.Route{{Destination: prefixes("10.2.0.0/16")[0], Target: target}}
			there.Tables[0].Routes = []workflow.Route{{Destination: prefixes("10.1.0.0/16")[0], Target: target}}
		}
		book, _ := ledgertest.New()
		s := survey.Surveyor{Ledger: book, Set: policy.Default(), About: policy.Context{Connection: target}, Enter: func(at event.Place) survey.Clients {
			out := survey.Clients{EC2: r, SageMaker: r, Lambda: r}
			if at.Account == alpha {
				out = survey.Clients{EC2: rooms{l, c.marked}, SageMaker: l, Lambda: l}
			}
			out.Databases.RDS, out.Databases.Redshift, out.Databases.Serverless, out.Databases.Tagged = r, cellar{}, databasetest.Nothing{}, databasetest.Nothing{}
			return out
		}}
		first, second := &survey.SideFacts{Side: &a, Here: here, There: there}, &survey.SideFacts{Side: &b, Here: there, There: here}
		sides, err := s.Produce(t.Context(), first, second)
		if err != nil {
			t.Fatal(err)
		}
		survey.Appoint(survey.Sides(sides)...)
		if _, err := s.Consume(t.Context(), sides...); err != nil {
			t.Fatal(err)
		}
		if len(b.AllowedDatabases) != 1 || len(a.Clients) == 0 {
			t.Fatalf("%s: %d openings, %d clients", name, len(b.AllowedDatabases), len(a.Clients))
		}
		w := b.AllowedDatabases[0].Withheld
		if (w != nil) != c.withheld || (len(a.Ways) == 0) != c.withheld || r.groups != c.reads {
			t.Errorf("%s: withheld %v, ways %v, callers %v, %d reads", name, w, a.Ways, b.Callers, r.groups)
		}
		if w != nil && (!strings.Contains(w.Detail, "payroll") || w.Owner != beta || !strings.Contains(w.Remedy, "sg-payroll")) {
			t.Errorf("%s: %+v", name, *w)
		}
	}
}

// rooms has one subnet. If it is marked, an interface there has a group that is marked as a client's, and another.
type rooms struct {
	*lab
	marked bool
}

func (r rooms) DescribeSecurityGroups(ctx context.Context, in *ec2.DescribeSecurityGroupsInput, more ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	out, err := r.lab.DescribeSecurityGroups(ctx, in, more...)
	if r.marked {
		out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{GroupId: aws.String("sg-jobs"), Tags: []types.Tag{{Key: aws.String("drawbridge:client"), Value: aws.String("true")}}})
	}
	return out, err
}

func (r rooms) DescribeNetworkInterfaces(context.Context, *ec2.DescribeNetworkInterfacesInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	return &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: []types.NetworkInterface{{SubnetId: aws.String("subnet-1"), Groups: []types.GroupIdentifier{{GroupId: aws.String("sg-jobs")}, {GroupId: aws.String("sg-other")}}}}}, nil
}

func (rooms) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	return &ec2.DescribeSubnetsOutput{Subnets: []types.Subnet{{SubnetId: aws.String("subnet-1"), CidrBlock: aws.String("10.1.0.0/24")}}}, nil
}
