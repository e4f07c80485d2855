package sweep

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestAttached(t *testing.T) {
	told := map[string]string{"drawbridge:status": "Attached"}
	for name, c := range map[string]struct {
		a    Attachment
		want bool
	}{
		"there, of a VPC that asks":         {Attachment{State: "available", Asked: true}, false},
		"there, of a VPC that does not ask": {Attachment{State: "available"}, true},
		"one that nobody accepted yet":      {Attachment{State: "pendingAcceptance"}, true},
		"over, with our status":             {Attachment{State: "deleted", Tags: told}, true},
		"over, of a VPC that asks still":    {Attachment{State: "deleted", Tags: told, Asked: true}, true},
		"over, with tags of its owner":      {Attachment{State: "deleted", Tags: map[string]string{"Name": "x"}}, false},
		"rejected, never looked at":         {Attachment{State: "rejected"}, false},
	} {
		if got := Attached(c.a); (got != "") != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestExposed(t *testing.T) {
	for name, c := range map[string]struct {
		tags map[string]string
		want bool
	}{
		"no tag":                        {nil, false},
		"accounts are named":            {map[string]string{"drawbridge:data-api": "111111111111"}, true},
		"nobody is named":               {map[string]string{"drawbridge:data-api": ""}, false},
		"only a secret is named":        {map[string]string{"drawbridge:secret": "x"}, false},
		"the status is left":            {map[string]string{"drawbridge:status": "Exposed"}, true},
		"an endpoint that we turned on": {map[string]string{"drawbridge:http-endpoint": "enabled"}, true},
	} {
		if got := Exposed(c.tags); (got != "") != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// palace has roles, clusters and VPCs of one account. What is not overridden is not called.
type palace struct {
	IAM
	EndpointReader
	roles    []string
	policy   bool                // that of private notebooks is there
	clusters map[string][]string // id → tag keys
	vpcs     map[string][]string // Region → "vpc tag"
	placed   map[string][]string // Region → "vpc owner"
	region   string
}

func gone(code string) error { return &smithy.GenericAPIError{Code: code} }

func (p *palace) ListRoles(_ context.Context, in *iam.ListRolesInput, _ ...func(*iam.Options)) (*iam.ListRolesOutput, error) {
	out := &iam.ListRolesOutput{}
	for _, r := range p.roles {
		out.Roles = append(out.Roles, iamtypes.Role{RoleName: aws.String(r)})
	}
	return out, nil
}

func (p *palace) GetRole(_ context.Context, in *iam.GetRoleInput, _ ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	if *in.RoleName == "drawbridge-data-api-garbled" {
		return &iam.GetRoleOutput{Role: &iamtypes.Role{}}, nil
	}
	id := (*in.RoleName)[len("drawbridge-data-api-"):]
	return &iam.GetRoleOutput{Role: &iamtypes.Role{Tags: []iamtypes.Tag{{Key: aws.String("drawbridge:connection"),
		Value: aws.String("arn:aws:rds:eu-west-1:111111111111:cluster:" + id)}}}}, nil
}

func (p *palace) GetRolePolicy(_ context.Context, in *iam.GetRolePolicyInput, _ ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	id := (*in.RoleName)[len("drawbridge-studio-eu-west-1-"):]
	return &iam.GetRolePolicyOutput{PolicyDocument: aws.String(studio.Permissions(workflow.Warehouse{Account: "111111111111", Region: "eu-west-1", ID: id,
		ARN: "arn:aws:redshift:eu-west-1:111111111111:cluster:" + id}))}, nil
}

func (p *palace) GetPolicy(context.Context, *iam.GetPolicyInput, ...func(*iam.Options)) (*iam.GetPolicyOutput, error) {
	if !p.policy {
		return nil, gone("NoSuchEntity")
	}
	return &iam.GetPolicyOutput{}, nil
}

func (p *palace) DescribeDBClusters(_ context.Context, in *rds.DescribeDBClustersInput, _ ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	keys, ok := p.clusters[*in.DBClusterIdentifier]
	if !ok || p.region != "eu-west-1" {
		return nil, gone("DBClusterNotFoundFault")
	}
	one := rdstypes.DBCluster{}
	for _, k := range keys {
		one.TagList = append(one.TagList, rdstypes.Tag{Key: aws.String(k), Value: aws.String("x")})
	}
	return &rds.DescribeDBClustersOutput{DBClusters: []rdstypes.DBCluster{one}}, nil
}

func (p *palace) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	return nil, gone("ClusterNotFound")
}

func (p *palace) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	out := &ec2.DescribeVpcsOutput{}
	for _, v := range p.vpcs[p.region] {
		var id, tag string
		fmt.Sscan(v, &id, &tag)
		out.Vpcs = append(out.Vpcs, ec2types.Vpc{VpcId: aws.String(id), Tags: []ec2types.Tag{{Key: aws.String(tag), Value: aws.String("true")}}})
	}
	return out, nil
}

func (p *palace) DescribeVpcEndpoints(context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error) {
	out := &ec2.DescribeVpcEndpointsOutput{}
	for _, v := range p.placed[p.region] {
		var id, owner string
		fmt.Sscan(v, &id, &owner)
		out.VpcEndpoints = append(out.VpcEndpoints, ec2types.VpcEndpoint{VpcEndpointId: aws.String("vpce-1"), VpcId: aws.String(id), State: "available",
			Tags: []ec2types.Tag{{Key: aws.String("drawbridge:connection"), Value: aws.String(owner)}}})
	}
	return out, nil
}

func (p *palace) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	return &ec2.DescribeSecurityGroupsOutput{}, nil
}

func (p palace) in(region string) *palace { p.region = region; return &p }

// wants returns what a finder asks looks for, sorted, and how much it saw.
func wants(t *testing.T, f AccountFinder) ([]string, int) {
	t.Helper()
	var got []string
	seen, err := f.FindAll(t.Context(), "x", workflow.Territory{Account: "111111111111", Regions: []string{"us-east-1", "eu-west-1"}}, func(_ context.Context, looks ...look.Look) error {
		for _, l := range looks {
			switch l := l.(type) {
			case event.DataAPIInspection:
				got = append(got, l.Cluster)
			case event.StudioInspection:
				got = append(got, l.Region+" "+l.Cluster)
			case event.DataAPIEndpointInspection:
				got = append(got, "data-api "+l.Region+" "+l.VPC)
			case event.PrivateNotebooksInspection:
				got = append(got, "private "+l.Region)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got, seen
}

func TestRolesAreFoundWhereTheirClusterSaysNothing(t *testing.T) {
	p := palace{
		roles:    []string{"drawbridge-data-api-kept", "drawbridge-data-api-bare", "drawbridge-data-api-gone", "drawbridge-data-api-garbled", "drawbridge-studio-eu-west-1-sales", "drawbridge-other"},
		clusters: map[string][]string{"kept": {"drawbridge:data-api"}, "bare": nil},
	}
	got, seen := wants(t, Roles{Enter: func(_ string, at event.Place) RoleAPIs {
		return RoleAPIs{IAM: p.in(at.Region), RDS: p.in(at.Region), Redshift: p.in(at.Region)}
	}})
	want := []string{"arn:aws:rds:eu-west-1:111111111111:cluster:bare", "arn:aws:rds:eu-west-1:111111111111:cluster:gone", "eu-west-1 sales"}
	if !slices.Equal(got, want) || seen != 5 {
		t.Errorf("saw %d, asked for %q, want %q", seen, got, want)
	}
}

func TestVPCsAreFoundByTheirTagsAndByWhatIsInThem(t *testing.T) {
	for name, c := range map[string]struct {
		p    palace
		want []string
	}{
		"nothing":               {palace{}, nil},
		"only the policy":       {palace{policy: true}, []string{"private us-east-1"}},
		"a caller of each kind": {palace{vpcs: map[string][]string{"us-east-1": {"vpc-1 drawbridge:data-api"}, "eu-west-1": {"vpc-2 drawbridge:private-notebooks"}}}, []string{"data-api us-east-1 vpc-1", "private eu-west-1"}},
		"one look at an account": {palace{policy: true, vpcs: map[string][]string{"us-east-1": {"vpc-1 drawbridge:private-notebooks"}, "eu-west-1": {"vpc-2 drawbridge:private-notebooks"}}},
			[]string{"private us-east-1"}},
		"left in VPCs":         {palace{placed: map[string][]string{"eu-west-1": {"vpc-3 data-api-endpoint-vpc-3", "vpc-4 private-notebooks-vpc-4"}}}, []string{"data-api eu-west-1 vpc-3", "private eu-west-1"}},
		"somebody else's mark": {palace{placed: map[string][]string{"eu-west-1": {"vpc-3 pcx-1"}}}, nil},
	} {
		got, _ := wants(t, Endpoints{
			EC2: func(_ string, at event.Place) EndpointReader { return c.p.in(at.Region) },
			IAM: func(_ string, at event.Place) PolicyReader { return c.p.in(at.Region) },
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: asked for %q, want %q", name, got, c.want)
		}
	}
}

func TestASweepWithoutRegionsIsInvalid(t *testing.T) {
	if _, err := (Sweeper{}).Sweep(t.Context(), workflow.SweepAccountInput{}); fault.Of(err) != fault.Invalid {
		t.Error(err)
	}
}
