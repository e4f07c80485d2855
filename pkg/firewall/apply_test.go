package firewall_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// groupsOfEC2 is one VPC's security groups, as far as opening them needs.
type groupsOfEC2 struct {
	groups []types.SecurityGroup
	calls  []string
	fail   func(permissions []types.IpPermission) error
}

func (f *groupsOfEC2) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	f.calls = append(f.calls, "Describe")
	return &ec2.DescribeSecurityGroupsOutput{SecurityGroups: f.groups}, nil
}

func (f *groupsOfEC2) AuthorizeSecurityGroupIngress(_ context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	f.calls = append(f.calls, "Ingress "+*in.GroupId)
	if f.fail != nil {
		if err := f.fail(in.IpPermissions); err != nil {
			return nil, err
		}
	}
	if len(in.TagSpecifications) != 1 || *in.TagSpecifications[0].Tags[0].Key != firewall.TagConnection {
		return nil, errors.New("the rule is not tagged")
	}
	for n := range f.groups {
		if *f.groups[n].GroupId == *in.GroupId {
			f.groups[n].IpPermissions = append(f.groups[n].IpPermissions, in.IpPermissions...)
		}
	}
	return &ec2.AuthorizeSecurityGroupIngressOutput{}, nil
}

func (f *groupsOfEC2) AuthorizeSecurityGroupEgress(_ context.Context, in *ec2.AuthorizeSecurityGroupEgressInput, _ ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupEgressOutput, error) {
	f.calls = append(f.calls, "Egress "+*in.GroupId)
	for n := range f.groups {
		if *f.groups[n].GroupId == *in.GroupId {
			f.groups[n].IpPermissionsEgress = append(f.groups[n].IpPermissionsEgress, in.IpPermissions...)
		}
	}
	return &ec2.AuthorizeSecurityGroupEgressOutput{}, nil
}

func everything() []types.IpPermission {
	return []types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}}
}

func producer() workflow.Side {
	return workflow.Side{Role: "accepter",
		VPC:      workflow.VPC{Account: "222222222222", ID: "vpc-2", CIDRs: []netip.Prefix{cidr("10.2.0.0/16")}},
		Peer:     workflow.VPC{Account: "111111111111", ID: "vpc-1", CIDRs: []netip.Prefix{cidr("10.1.0.0/16"), cidr("10.11.0.0/16")}},
		Openings: []workflow.Opening{{Database: "orders", Engine: "mysql", Port: 3306, Groups: []string{"sg-db"}}}}
}

func nobody(context.Context) ([]notebook.Client, error) {
	return nil, errors.New("the clients were asked for although no group lacks anything")
}

func TestOpenIsOneCallPerGroupAndIdempotent(t *testing.T) {
	fake := &groupsOfEC2{groups: []types.SecurityGroup{{GroupId: aws.String("sg-db")}}}
	for range 2 {
		if _, err := firewall.Open(context.Background(), fake, nobody, "pcx-1", producer()); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(fake.calls, ", "); got != "Describe, Ingress sg-db, Describe" {
		t.Errorf("calls = %s", got)
	}
	if n := len(fake.groups[0].IpPermissions); n != 2 {
		t.Errorf("%d rules, want one for each CIDR of the consumer", n)
	}
}

func TestTwoDatabasesInOneGroupGetOneRule(t *testing.T) {
	fake := &groupsOfEC2{groups: []types.SecurityGroup{{GroupId: aws.String("sg-db")}}}
	side := producer()
	side.Openings = append(side.Openings, workflow.Opening{Database: "orders-replica", Engine: "mysql", Port: 3306, Groups: []string{"sg-db"}})
	out, err := firewall.Open(context.Background(), fake, nobody, "pcx-1", side)
	if err != nil || len(fake.groups[0].IpPermissions) != 2 || len(out.Hops) != 2 {
		t.Errorf("rules %v, hops %v, %v", fake.groups[0].IpPermissions, out.Hops, err)
	}
}

func TestARuleAddedMeanwhileIsSuccess(t *testing.T) {
	duplicate := &smithy.GenericAPIError{Code: "InvalidPermission.Duplicate"}
	fake := &groupsOfEC2{groups: []types.SecurityGroup{{GroupId: aws.String("sg-db")}}}
	fake.fail = func(permissions []types.IpPermission) error { // the first CIDR's rule exists; AWS then adds none of a batch
		if slices.ContainsFunc(permissions, func(p types.IpPermission) bool { return *p.IpRanges[0].CidrIp == "10.1.0.0/16" }) {
			return duplicate
		}
		return nil
	}
	if _, err := firewall.Open(context.Background(), fake, nobody, "pcx-1", producer()); err != nil {
		t.Fatal(err)
	}
	if n := len(fake.groups[0].IpPermissions); n != 1 {
		t.Errorf("%d rules were added, want the one that was really missing", n)
	}
}

func TestEgressForClientsWithoutIt(t *testing.T) {
	fake := &groupsOfEC2{groups: []types.SecurityGroup{{GroupId: aws.String("sg-open"), IpPermissionsEgress: everything()}, {GroupId: aws.String("sg-shut")}}}
	side := workflow.Side{Role: "requester", Consumer: true, Ports: []int{3306},
		VPC: workflow.VPC{ID: "vpc-1"}, Peer: workflow.VPC{ID: "vpc-2", CIDRs: []netip.Prefix{cidr("10.2.0.0/16")}}}
	clients := func(context.Context) ([]notebook.Client, error) {
		return []notebook.Client{{Name: "notebook a", Groups: []string{"sg-shut"}}, {Name: "function b", Groups: []string{"sg-open"}}, {Name: "notebook c", Groups: []string{"sg-open", "sg-shut"}}}, nil
	}
	if _, err := firewall.Open(context.Background(), fake, clients, "pcx-1", side); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(fake.calls, ", "); got != "Describe, Egress sg-shut" {
		t.Errorf("calls = %s", got)
	}
}

func TestAFullGroupNamesTheRemedy(t *testing.T) {
	fake := &groupsOfEC2{groups: []types.SecurityGroup{{GroupId: aws.String("sg-db")}}, fail: func([]types.IpPermission) error {
		return &smithy.GenericAPIError{Code: "RulesPerSecurityGroupLimitExceeded"}
	}}
	_, err := firewall.Open(context.Background(), fake, nobody, "pcx-1", producer())
	if fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "sg-db") || !strings.Contains(err.Error(), "quota") {
		t.Errorf("error = %v, want a conflict that names sg-db and the quota", err)
	}
}

func TestNothingToOpenNeedsNoCall(t *testing.T) {
	fake := &groupsOfEC2{}
	if _, err := firewall.Open(context.Background(), fake, nobody, "pcx-1", workflow.Side{}); err != nil || len(fake.calls) != 0 {
		t.Errorf("calls = %v, %v", fake.calls, err)
	}
}
