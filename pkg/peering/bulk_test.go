package peering_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The account that facts are read of within [budget], on each side of a connection, and each shares all its databases with the other.
const (
	functions  = 2000
	notebooks  = 500
	profiles   = 300 // of a Studio domain, with groups of their own
	groupCount = 1000
	tables     = 200 // and subnets, one for each; two of them are marked as clients'
	databases  = 300
	interfaces = 100_000
)

const budget = 20 * time.Second

// full answers as an account does that has all of it.
func full(account string, in any) (any, error) {
	other, net, vpc := beta, 1, "vpc-1"
	if account == beta {
		other, net, vpc = alpha, 2, "vpc-2"
	}
	name := func(kind string, n int) *string { return aws.String(fmt.Sprintf("%s-%s-%d", kind, account[:1], n)) }
	end := func(account string, n int) *types.VpcPeeringConnectionVpcInfo {
		return &types.VpcPeeringConnectionVpcInfo{OwnerId: &account, Region: aws.String("eu-west-1"), VpcId: aws.String(fmt.Sprint("vpc-", n)),
			CidrBlockSet: []types.CidrBlock{{CidrBlock: aws.String(fmt.Sprintf("10.%d.0.0/16", n))}}}
	}
	group := func(n int) types.SecurityGroup {
		return types.SecurityGroup{GroupId: name("sg", n), GroupName: name("group", n), OwnerId: &account, VpcId: &vpc}
	}
	switch in := in.(type) {
	case *ec2.DescribeVpcPeeringConnectionsInput:
		return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: []types.VpcPeeringConnection{{VpcPeeringConnectionId: aws.String("pcx-00000001"),
			Status: &types.VpcPeeringConnectionStateReason{Code: "active"}, RequesterVpcInfo: end(alpha, 1), AccepterVpcInfo: end(beta, 2)}}}, nil
	case *ec2.DescribeVpcsInput:
		return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: &vpc, CidrBlock: aws.String(fmt.Sprintf("10.%d.0.0/16", net)), DhcpOptionsId: aws.String("dopt-1")}}}, nil
	case *ec2.DescribeVpcAttributeInput:
		return &ec2.DescribeVpcAttributeOutput{EnableDnsSupport: &types.AttributeBooleanValue{Value: aws.Bool(true)}, EnableDnsHostnames: &types.AttributeBooleanValue{Value: aws.Bool(true)}}, nil
	case *ec2.DescribeDhcpOptionsInput:
		return &ec2.DescribeDhcpOptionsOutput{}, nil
	case *ec2.DescribeSubnetsInput:
		out := &ec2.DescribeSubnetsOutput{}
		out.Subnets = page(tables, 1000, in.NextToken, &out.NextToken, func(n int) types.Subnet {
			s := types.Subnet{SubnetId: name("subnet", n), VpcId: &vpc, OwnerId: &account, CidrBlock: aws.String(fmt.Sprintf("10.%d.%d.0/24", net, n))}
			if n < 2 {
				s.Tags = []types.Tag{{Key: aws.String(tag.Client), Value: aws.String("true")}}
			}
			return s
		})
		return out, nil
	case *ec2.DescribeRouteTablesInput:
		out := &ec2.DescribeRouteTablesOutput{}
		out.RouteTables = page(tables, 100, in.NextToken, &out.NextToken, func(n int) types.RouteTable {
			return types.RouteTable{RouteTableId: name("rtb", n), VpcId: &vpc, OwnerId: &account, Associations: []types.RouteTableAssociation{{SubnetId: name("subnet", n), Main: aws.Bool(false)}}}
		})
		return out, nil
	case *ec2.DescribeNetworkAclsInput:
		out := &ec2.DescribeNetworkAclsOutput{}
		out.NetworkAcls = page(tables, 1000, in.NextToken, &out.NextToken, func(n int) types.NetworkAcl { return types.NetworkAcl{NetworkAclId: name("acl", n)} })
		return out, nil
	case *ec2.DescribeSecurityGroupsInput:
		out := &ec2.DescribeSecurityGroupsOutput{}
		out.SecurityGroups = page(groupCount, 1000, in.NextToken, &out.NextToken, group)
		if f := in.Filters[0]; *f.Name == "group-id" {
			out.SecurityGroups = slices.DeleteFunc(out.SecurityGroups, func(g types.SecurityGroup) bool { return !slices.Contains(f.Values, *g.GroupId) })
		}
		return out, nil
	case *ec2.DescribeNetworkInterfacesInput: // all are in the marked subnets
		if len(in.Filters) != 1 || *in.Filters[0].Name != "subnet-id" {
			return nil, unknown(in)
		}
		out := &ec2.DescribeNetworkInterfacesOutput{}
		out.NetworkInterfaces = page(interfaces, 1000, in.NextToken, &out.NextToken, func(n int) types.NetworkInterface {
			return types.NetworkInterface{SubnetId: name("subnet", n%2), Groups: []types.GroupIdentifier{{GroupId: name("sg", n%5)}}}
		})
		return out, nil
	case *lambda.ListFunctionsInput:
		out := &lambda.ListFunctionsOutput{}
		out.Functions = page(functions, 50, in.Marker, &out.NextMarker, func(n int) lambdatypes.FunctionConfiguration {
			return lambdatypes.FunctionConfiguration{FunctionName: name("function", n), VpcConfig: &lambdatypes.VpcConfigResponse{VpcId: &vpc,
				SubnetIds: []string{*name("subnet", n%tables)}, SecurityGroupIds: []string{*name("sg", n%(groupCount-databases))}}}
		})
		return out, nil
	case *rds.DescribeDBInstancesInput:
		out := &rds.DescribeDBInstancesOutput{}
		out.DBInstances = page(databases, 100, in.Marker, &out.Marker, func(n int) rdstypes.DBInstance {
			return rdstypes.DBInstance{DBInstanceIdentifier: name("db", n), DBInstanceArn: aws.String("arn:aws:rds:eu-west-1:" + account + ":db:" + *name("db", n)), Engine: aws.String("mysql"),
				DBInstanceStatus: aws.String("available"), PubliclyAccessible: aws.Bool(false), Endpoint: &rdstypes.Endpoint{Port: aws.Int32(3306)},
				VpcSecurityGroups: []rdstypes.VpcSecurityGroupMembership{{VpcSecurityGroupId: name("sg", groupCount-databases+n)}},
				TagList:           []rdstypes.Tag{{Key: aws.String(tag.Share), Value: aws.String(other)}},
				DBSubnetGroup:     &rdstypes.DBSubnetGroup{DBSubnetGroupName: aws.String("g"), VpcId: &vpc, Subnets: []rdstypes.Subnet{{SubnetIdentifier: name("subnet", n%tables)}}}}
		})
		return out, nil
	case *rds.DescribeDBClustersInput:
		return &rds.DescribeDBClustersOutput{}, nil
	case *redshift.DescribeClustersInput:
		return &redshift.DescribeClustersOutput{}, nil
	case *resourcegroupstaggingapi.GetResourcesInput:
		return &resourcegroupstaggingapi.GetResourcesOutput{}, nil
	}
	return studioOf(name, vpc, in)
}

// studioOf is what SageMaker answers.
func studioOf(name func(string, int) *string, vpc string, in any) (any, error) {
	made := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)
	switch in := in.(type) {
	case *sagemaker.ListNotebookInstancesInput:
		out := &sagemaker.ListNotebookInstancesOutput{}
		out.NotebookInstances = page(notebooks, 100, in.NextToken, &out.NextToken, func(n int) smtypes.NotebookInstanceSummary {
			return smtypes.NotebookInstanceSummary{NotebookInstanceName: name("nb", n), NotebookInstanceArn: name("arn", n), CreationTime: &made, NotebookInstanceStatus: "InService"}
		})
		return out, nil
	case *sagemaker.DescribeNotebookInstanceInput:
		var n int
		_, err := fmt.Sscanf((*in.NotebookInstanceName)[5:], "%d", &n)
		return &sagemaker.DescribeNotebookInstanceOutput{NotebookInstanceName: in.NotebookInstanceName, NotebookInstanceArn: name("arn", n), SubnetId: name("subnet", n%tables),
			SecurityGroups: []string{*name("sg", n%20)}, NotebookInstanceStatus: "InService", DirectInternetAccess: "Enabled"}, err
	case *sagemaker.ListDomainsInput:
		return &sagemaker.ListDomainsOutput{Domains: []smtypes.DomainDetails{{DomainId: aws.String("d-1"), DomainName: aws.String("lab")}}}, nil
	case *sagemaker.DescribeDomainInput:
		return &sagemaker.DescribeDomainOutput{VpcId: &vpc, SubnetIds: []string{*name("subnet", 3)}, AppNetworkAccessType: "VpcOnly", DefaultUserSettings: &smtypes.UserSettings{SecurityGroups: []string{*name("sg", 1)}}}, nil
	case *sagemaker.ListUserProfilesInput:
		out := &sagemaker.ListUserProfilesOutput{}
		out.UserProfiles = page(profiles, 100, in.NextToken, &out.NextToken, func(n int) smtypes.UserProfileDetails {
			return smtypes.UserProfileDetails{UserProfileName: name("profile", n), LastModifiedTime: &made}
		})
		return out, nil
	case *sagemaker.DescribeUserProfileInput:
		return &sagemaker.DescribeUserProfileOutput{UserSettings: &smtypes.UserSettings{SecurityGroups: []string{*name("sg", 2)}}}, nil
	}
	return nil, unknown(in)
}

// Accounts that are full on both sides are read for one connection within the budget of AWS's time, by an inspection and by the step that
// verifies: by the same code, through the real clients, at AWS's rates. A first look, which knows no notebook, comes to a hundred, and the looks
// that follow to all.
func TestFullAccountsAreReadInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it reads accounts with 100,000 interfaces")
	}
	synctest.Test(t, func(t *testing.T) {
		book, _ := ledgertest.New()
		m := &modelled{buckets: map[string]*bucket{}, answer: full}
		if _, err := book.Begin(t.Context(), ledger.Connection{ID: "pcx-00000001", Kind: "peering", Origin: ledger.Requested, Status: "Connected", Sides: []ledger.Side{
			{Role: "requester", Account: alpha, Region: "eu-west-1", ID: "vpc-1"}, {Role: "accepter", Account: beta, Region: "eu-west-1", ID: "vpc-2"}}}); err != nil {
			t.Fatal(err)
		}
		inspector := peering.Inspector{
			Enter: func(_ string, p event.Place) peering.Clients {
				c := m.config(p.Account, p.Region)
				return peering.Clients{EC2: ec2.NewFromConfig(c), Databases: database.In(c), SageMaker: sagemaker.NewFromConfig(c), Lambda: lambda.NewFromConfig(c)}
			},
			Account: func(_ context.Context, id string) (workflow.AccountFacts, error) {
				return workflow.AccountFacts{ID: id, Organization: "o-abc1234567", OUPath: "o-abc1234567/r-ab12/"}, nil
			},
			Units:  func(context.Context, string) (string, error) { return "Research", nil },
			Policy: func(context.Context) (*policy.Set, error) { return policy.Default(), nil },
			Ledger: book, Now: time.Now, Brake: func(context.Context, brake.Removal) error { return nil },
		}
		detail, err := json.Marshal(event.Inspection{Account: alpha, Region: "eu-west-1", PeeringID: "pcx-00000001", Reason: "r"})
		if err != nil {
			t.Fatal(err)
		}
		raw := fmt.Sprintf(`{"source":%q,"detail-type":%q,"account":"123456789012","region":"eu-west-1","detail":%s}`, event.Source, event.ToInspect, detail)
		look := func(what string, unread int) (out workflow.InspectPeeringOutput) {
			m.calls, m.throttled = map[string]int{}, 0
			began := time.Now()
			out, err := inspector.Inspect(t.Context(), workflow.InspectPeeringInput{Execution: "x", Event: json.RawMessage(raw)})
			took := time.Since(began)
			t.Logf("%s: %v, %d throttled, %v", what, took, m.throttled, m.calls)
			if err != nil || out.Answer != workflow.AnswerConnect || len(out.Sides) != 2 {
				t.Fatalf("%s: %s %s with %d sides, %v", what, out.Answer, out.Reason, len(out.Sides), err)
			}
			for _, s := range out.Sides {
				if s.Unread != unread || len(s.AllowedDatabases) != databases {
					t.Errorf("%s: %d unread, %d databases", what, s.Unread, len(s.AllowedDatabases))
				}
			}
			if took < latency || took > budget {
				t.Errorf("%s takes %v", what, took)
			}
			time.Sleep(time.Minute) // the steps after it
			return out
		}
		for n := range 4 {
			look(fmt.Sprintf("look %d", n+1), notebooks-100*(n+1)+max(0, profiles-100*(n+1)))
		}
		look("the last first look", 0)
		out := look("a look", 0)
		if m.calls["DescribeNotebookInstance"]+m.calls["DescribeUserProfile"] > 0 {
			t.Errorf("what is known is described: %v", m.calls)
		}
		in := workflow.VerifyConnectionInput{Connection: out.Connection, Sides: out.Sides, Batches: out.Batches}
		ends := connection.Ends(in)
		m.calls = map[string]int{}
		began := time.Now()
		reader := discover.Reader{Enter: func(p event.Place) discover.EC2 { return ec2.NewFromConfig(m.config(p.Account, p.Region)) }}
		world, err := reader.Read(t.Context(), discover.Carrier{ID: out.Connection.ID}, connection.Wanted(in, ends))
		took := time.Since(began)
		t.Logf("to verify: %v, %v", took, m.calls)
		if err != nil || len(world.VPCs) != 2 || len(world.VPCs[0].Tables) != tables || took < latency || took > budget {
			t.Errorf("to verify takes %v, %v", took, err)
		}
		for _, v := range world.VPCs {
			if len(v.Groups) < databases || strings.HasPrefix(v.ID, "vpc-") == false {
				t.Errorf("%s: %d groups are read", v.ID, len(v.Groups))
			}
		}
	})
}
