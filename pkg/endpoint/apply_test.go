package endpoint_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/endpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// cloud plays EC2 for one VPC. An endpoint is pending until the next look and stays in sight, deleting, for one more.
type cloud struct {
	endpoints []types.VpcEndpoint
	groups    []types.SecurityGroup
	rules     []types.SecurityGroupRule
	calls     []string
	taken     bool // a private hosted zone has the DNS names
	race      bool // somebody else makes the endpoint in the moment before ours
	next      int
}

func (c *cloud) id(prefix string) *string {
	c.next++
	return aws.String(fmt.Sprintf("%s-%d", prefix, c.next))
}

func refusal(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultClient}
}

func (c *cloud) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String("vpc-1"), CidrBlockAssociationSet: []types.VpcCidrBlockAssociation{{CidrBlock: aws.String("10.60.0.0/16")}}}}}, nil
}

func (c *cloud) DescribeVpcAttribute(_ context.Context, in *ec2.DescribeVpcAttributeInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcAttributeOutput, error) {
	on := &types.AttributeBooleanValue{Value: aws.Bool(true)}
	if in.Attribute == types.VpcAttributeNameEnableDnsSupport {
		return &ec2.DescribeVpcAttributeOutput{EnableDnsSupport: on}, nil
	}
	return &ec2.DescribeVpcAttributeOutput{EnableDnsHostnames: on}, nil
}

func (c *cloud) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	return &ec2.DescribeSubnetsOutput{Subnets: []types.Subnet{
		{SubnetId: aws.String("subnet-a"), AvailabilityZone: aws.String("eu-west-1a"), CidrBlock: aws.String("10.60.0.0/24"), AvailableIpAddressCount: aws.Int32(9)},
		{SubnetId: aws.String("subnet-b"), AvailabilityZone: aws.String("eu-west-1b"), CidrBlock: aws.String("10.60.1.0/24"), AvailableIpAddressCount: aws.Int32(9)}}}, nil
}

func (c *cloud) DescribeVpcEndpointServices(_ context.Context, in *ec2.DescribeVpcEndpointServicesInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointServicesOutput, error) {
	out := &ec2.DescribeVpcEndpointServicesOutput{}
	for _, s := range in.Filters[0].Values {
		out.ServiceDetails = append(out.ServiceDetails, types.ServiceDetail{ServiceName: &s, AvailabilityZones: []string{"eu-west-1a", "eu-west-1b"},
			ServiceType: []types.ServiceTypeDetail{{ServiceType: types.ServiceTypeInterface}}})
	}
	return out, nil
}

func (c *cloud) DescribeVpcEndpoints(context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error) {
	out := &ec2.DescribeVpcEndpointsOutput{VpcEndpoints: slices.Clone(c.endpoints)}
	for i := range c.endpoints {
		switch c.endpoints[i].State {
		case "pending":
			c.endpoints[i].State = "available"
		case "deleting":
			c.endpoints[i].State = "deleted"
		}
	}
	return out, nil
}

func (c *cloud) DescribeSecurityGroups(_ context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	out := &ec2.DescribeSecurityGroupsOutput{}
	for _, g := range c.groups {
		tagged := len(g.Tags) > 0 && *g.Tags[0].Value == in.Filters[1].Values[0]
		if tagged && *g.GroupName == in.Filters[2].Values[0] {
			out.SecurityGroups = append(out.SecurityGroups, g)
		}
	}
	return out, nil
}

func (c *cloud) DescribeSecurityGroupRules(_ context.Context, in *ec2.DescribeSecurityGroupRulesInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	out := &ec2.DescribeSecurityGroupRulesOutput{}
	for _, r := range c.rules {
		if slices.Contains(in.Filters[0].Values, *r.GroupId) {
			out.SecurityGroupRules = append(out.SecurityGroupRules, r)
		}
	}
	return out, nil
}

func (c *cloud) DescribeNetworkAcls(context.Context, *ec2.DescribeNetworkAclsInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkAclsOutput, error) {
	return &ec2.DescribeNetworkAclsOutput{}, nil
}

func (c *cloud) CreateSecurityGroup(_ context.Context, in *ec2.CreateSecurityGroupInput, _ ...func(*ec2.Options)) (*ec2.CreateSecurityGroupOutput, error) {
	c.calls = append(c.calls, "CreateSecurityGroup "+*in.GroupName)
	for _, g := range c.groups {
		if *g.GroupName == *in.GroupName {
			return nil, refusal("InvalidGroup.Duplicate", "it already exists")
		}
	}
	id := c.id("sg")
	c.groups = append(c.groups, types.SecurityGroup{GroupId: id, GroupName: in.GroupName, Tags: in.TagSpecifications[0].Tags})
	return &ec2.CreateSecurityGroupOutput{GroupId: id}, nil
}

func (c *cloud) AuthorizeSecurityGroupIngress(_ context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	p := in.IpPermissions[0]
	c.calls = append(c.calls, fmt.Sprintf("Authorize %s %d %s", *p.IpProtocol, *p.FromPort, *p.IpRanges[0].CidrIp))
	c.rules = append(c.rules, types.SecurityGroupRule{SecurityGroupRuleId: c.id("sgr"), GroupId: in.GroupId, IpProtocol: p.IpProtocol, FromPort: p.FromPort, ToPort: p.ToPort,
		CidrIpv4: p.IpRanges[0].CidrIp, IsEgress: aws.Bool(false), Tags: in.TagSpecifications[0].Tags})
	return &ec2.AuthorizeSecurityGroupIngressOutput{}, nil
}

func (c *cloud) RevokeSecurityGroupIngress(_ context.Context, in *ec2.RevokeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	c.calls = append(c.calls, "Revoke "+strings.Join(in.SecurityGroupRuleIds, " "))
	c.rules = slices.DeleteFunc(c.rules, func(r types.SecurityGroupRule) bool {
		return slices.Contains(in.SecurityGroupRuleIds, *r.SecurityGroupRuleId)
	})
	return &ec2.RevokeSecurityGroupIngressOutput{}, nil
}

func (c *cloud) CreateVpcEndpoint(_ context.Context, in *ec2.CreateVpcEndpointInput, _ ...func(*ec2.Options)) (*ec2.CreateVpcEndpointOutput, error) {
	c.calls = append(c.calls, "CreateVpcEndpoint "+*in.ServiceName)
	if c.race {
		c.endpoints = append(c.endpoints, theirs("vpce-race-"+*in.ServiceName, *in.ServiceName))
	}
	conflicting := slices.ContainsFunc(c.endpoints, func(e types.VpcEndpoint) bool { return *e.ServiceName == *in.ServiceName && e.State != "deleted" })
	if c.taken || conflicting {
		return nil, refusal("InvalidParameter", "private-dns-enabled cannot be set because there is already a conflicting DNS domain for x in the VPC vpc-1")
	}
	c.endpoints = append(c.endpoints, types.VpcEndpoint{VpcEndpointId: c.id("vpce"), ServiceName: in.ServiceName, VpcEndpointType: in.VpcEndpointType, State: "pending",
		PrivateDnsEnabled: in.PrivateDnsEnabled, SubnetIds: in.SubnetIds, Groups: []types.SecurityGroupIdentifier{{GroupId: &in.SecurityGroupIds[0]}}, Tags: in.TagSpecifications[0].Tags})
	return &ec2.CreateVpcEndpointOutput{}, nil
}

func (c *cloud) ModifyVpcEndpoint(_ context.Context, in *ec2.ModifyVpcEndpointInput, _ ...func(*ec2.Options)) (*ec2.ModifyVpcEndpointOutput, error) {
	c.calls = append(c.calls, "ModifyVpcEndpoint "+*in.VpcEndpointId)
	for i := range c.endpoints {
		if *c.endpoints[i].VpcEndpointId == *in.VpcEndpointId {
			c.endpoints[i].SubnetIds = append(c.endpoints[i].SubnetIds, in.AddSubnetIds...)
			for _, group := range in.AddSecurityGroupIds {
				c.endpoints[i].Groups = append(c.endpoints[i].Groups, types.SecurityGroupIdentifier{GroupId: &group})
			}
		}
	}
	return &ec2.ModifyVpcEndpointOutput{}, nil
}

func (c *cloud) DeleteVpcEndpoints(_ context.Context, in *ec2.DeleteVpcEndpointsInput, _ ...func(*ec2.Options)) (*ec2.DeleteVpcEndpointsOutput, error) {
	for i := range c.endpoints {
		if slices.Contains(in.VpcEndpointIds, *c.endpoints[i].VpcEndpointId) {
			c.calls = append(c.calls, "Delete "+*c.endpoints[i].ServiceName)
			c.endpoints[i].State = "deleting"
		}
	}
	return &ec2.DeleteVpcEndpointsOutput{}, nil
}

func (c *cloud) DeleteSecurityGroup(_ context.Context, in *ec2.DeleteSecurityGroupInput, _ ...func(*ec2.Options)) (*ec2.DeleteSecurityGroupOutput, error) {
	for _, e := range c.endpoints {
		if e.State != "deleted" && *e.Groups[0].GroupId == *in.GroupId {
			return nil, refusal("DependencyViolation", "it has a dependent object")
		}
	}
	c.calls = append(c.calls, "DeleteSecurityGroup")
	c.groups = slices.DeleteFunc(c.groups, func(g types.SecurityGroup) bool { return *g.GroupId == *in.GroupId })
	c.rules = slices.DeleteFunc(c.rules, func(r types.SecurityGroupRule) bool { return *r.GroupId == *in.GroupId })
	return &ec2.DeleteSecurityGroupOutput{}, nil
}

func theirs(id, service string) types.VpcEndpoint {
	return types.VpcEndpoint{VpcEndpointId: &id, ServiceName: &service, VpcEndpointType: types.VpcEndpointTypeInterface, State: "available", PrivateDnsEnabled: aws.Bool(true),
		Groups: []types.SecurityGroupIdentifier{{GroupId: aws.String("sg-theirs")}}}
}

// ensure asks until it is ready, as the machine does.
func ensure(t *testing.T, c *cloud, book ledger.Ledger, want endpoint.Want) endpoint.State {
	t.Helper()
	for range 8 {
		state, err := endpoint.Ensure(t.Context(), c, book, want)
		if err != nil {
			t.Fatal(err)
		}
		if state.Ready {
			return state
		}
		if len(state.Waiting) == 0 {
			t.Fatal("it is not ready and says not what it waits for")
		}
	}
	t.Fatal("it never becomes ready")
	return endpoint.State{}
}

func withdraw(t *testing.T, c *cloud, book ledger.Ledger, want endpoint.Want) {
	t.Helper()
	for range 8 {
		state, err := endpoint.Withdraw(t.Context(), c, book, want)
		if err != nil {
			t.Fatal(err)
		}
		if state.Ready {
			return
		}
	}
	t.Fatal("it never is gone")
}

func TestEnsureMakesWhatIsMissingOnceAndWithdrawTakesExactlyThat(t *testing.T) {
	c := &cloud{}
	book, memory := ledgertest.New()
	state := ensure(t, c, book, want)
	for _, h := range state.Hops {
		if !h.OK {
			t.Errorf("%s: %s", h.Hop, h.Detail)
		}
	}
	if len(state.Endpoints) != 2 || len(c.endpoints) != 2 || len(c.rules) != 2 {
		t.Fatalf("%d endpoints serve, %d are there with %d rules", len(state.Endpoints), len(c.endpoints), len(c.rules))
	}
	made := len(c.calls)
	if ensure(t, c, book, want); len(c.calls) != made {
		t.Errorf("a second time it made %v", c.calls[made:])
	}
	withdraw(t, c, book, want)
	if len(c.groups)+len(c.rules) != 0 || slices.ContainsFunc(c.endpoints, func(e types.VpcEndpoint) bool { return e.State != "deleted" }) {
		t.Errorf("left: %v %v %v", c.groups, c.rules, c.endpoints)
	}
	if len(memory.Rows()) > 0 {
		t.Errorf("the ledger still has %v", memory.Rows())
	}
	ensure(t, c, book, want) // and again, with the deleted ones still in sight
}

func TestTheOwnersEndpointsAreUsedAndStay(t *testing.T) {
	book, _ := ledgertest.New()
	c := &cloud{endpoints: []types.VpcEndpoint{theirs("vpce-api", api), theirs("vpce-ui", ui)}}
	state := ensure(t, c, book, want)
	withdraw(t, c, book, want)
	if len(c.calls) != 0 {
		t.Errorf("it made %v", c.calls)
	}
	if len(state.Endpoints) != 2 || state.Endpoints[0].ID != "vpce-ui" {
		t.Errorf("these serve: %+v", state.Endpoints)
	}
}

func TestAnEndpointMadeInTheSameMomentIsUsed(t *testing.T) {
	book, _ := ledgertest.New()
	c := &cloud{race: true}
	if state := ensure(t, c, book, want); len(state.Endpoints) != 2 || len(c.endpoints) != 2 {
		t.Errorf("%+v serve, %d are there", state.Endpoints, len(c.endpoints))
	}
}

func TestADNSNameThatSomethingElseHasIsAConflict(t *testing.T) {
	book, _ := ledgertest.New()
	_, err := endpoint.Ensure(t.Context(), &cloud{taken: true}, book, want)
	if fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "private hosted zone") {
		t.Errorf("Ensure: %v", err)
	}
}

func TestAGroupOfTheSameNameThatIsNotOursIsNotTaken(t *testing.T) {
	book, _ := ledgertest.New()
	c := &cloud{groups: []types.SecurityGroup{{GroupId: aws.String("sg-theirs"), GroupName: aws.String(endpoint.GroupName(want.Owner))}}}
	_, err := endpoint.Ensure(t.Context(), c, book, want)
	if fault.Of(err) != fault.NotYet || !strings.Contains(err.Error(), "another name") {
		t.Errorf("Ensure: %v", err)
	}
	if withdraw(t, c, book, want); len(c.groups) != 1 {
		t.Error("it was deleted")
	}
}

// What only looks like ours, by its tag, was made by nobody whom the ledger knows: it is used, and stays.
func TestATagAloneMakesNothingOurs(t *testing.T) {
	book, _ := ledgertest.New()
	c := &cloud{endpoints: []types.VpcEndpoint{theirs("vpce-api", api), theirs("vpce-ui", ui)}}
	for n := range c.endpoints {
		c.endpoints[n].Tags = []types.Tag{{Key: aws.String(endpoint.TagConnection), Value: aws.String(want.Owner)}}
	}
	ensure(t, c, book, want)
	withdraw(t, c, book, want)
	if len(c.calls) != 0 {
		t.Errorf("it made %v", c.calls)
	}
}

// Two machines that need one endpoint share it, whoever made it: it and its group go with the last of them.
func TestASharedEndpointStaysUntilTheLastUserGoes(t *testing.T) {
	other := want
	other.Owner, other.Kind, other.Services = "data-api-endpoint-vpc-1", "data-api-endpoint", []string{api}
	for _, first := range []bool{true, false} {
		book, memory := ledgertest.New()
		c := &cloud{}
		ensure(t, c, book, want)
		made := len(c.calls)
		if ensure(t, c, book, other); len(c.calls) != made {
			t.Fatalf("the second made %v", c.calls[made:])
		}
		leaves, stays := want, other
		if !first {
			leaves, stays = other, want
		}
		withdraw(t, c, book, leaves)
		if n := slices.IndexFunc(c.endpoints, func(e types.VpcEndpoint) bool { return *e.ServiceName == api }); c.endpoints[n].State != "available" || len(c.groups) != 1 {
			t.Errorf("%s went, and with it what %s needs: %v", leaves.Owner, stays.Owner, c.calls)
		}
		withdraw(t, c, book, stays)
		if len(c.groups) != 0 || slices.ContainsFunc(c.endpoints, func(e types.VpcEndpoint) bool { return e.State != "deleted" }) || len(memory.Rows()) > 0 {
			t.Errorf("left: %v %v, %v", c.groups, c.endpoints, memory.Rows())
		}
	}
}

// An answer that is lost, at whichever call of the ledger, leaves nothing behind.
func TestAnInterruptedPlacementIsFinishedAndTakenBack(t *testing.T) {
	total := 0
	for at := 1; ; at++ {
		book, memory := ledgertest.New()
		now := book.Now()
		book.Now = func() time.Time { return now }
		n, hit := 0, false
		memory.Fault = func(string) ledgertest.Fault {
			if n++; n == at {
				hit = true
				return ledgertest.Lost
			}
			return ledgertest.None
		}
		c := &cloud{}
		until := func(what string, do func() (endpoint.State, error)) {
			for range 20 {
				state, err := do()
				if err == nil && state.Ready {
					return
				}
				now = now.Add(3 * time.Minute)
			}
			t.Fatalf("fault %d: it never comes to %s", at, what)
		}
		until("be there", func() (endpoint.State, error) { return endpoint.Ensure(t.Context(), c, book, want) })
		if live := slices.DeleteFunc(slices.Clone(c.endpoints), func(e types.VpcEndpoint) bool { return e.State != "available" }); len(live) != 2 {
			t.Fatalf("fault %d: %d endpoints", at, len(live))
		}
		until("go", func() (endpoint.State, error) { return endpoint.Withdraw(t.Context(), c, book, want) })
		if len(c.groups) != 0 || slices.ContainsFunc(c.endpoints, func(e types.VpcEndpoint) bool { return e.State != "deleted" }) || len(memory.Rows()) > 0 {
			t.Fatalf("fault %d: left: %v %v, %v", at, c.groups, c.endpoints, memory.Rows())
		}
		if !hit {
			break
		}
		total++
	}
	if total < 10 {
		t.Fatalf("only %d calls were tried", total)
	}
}

// An endpoint that somebody deletes is made once more; deleted again, it is left, said, and contested. One that its owner makes instead is used, and theirs.
func TestAnEndpointThatIsDeletedAgainIsLeft(t *testing.T) {
	book, _ := ledgertest.New()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	book.Now = func() time.Time { return now }
	c := &cloud{}
	remove := func() {
		for n := range c.endpoints {
			if *c.endpoints[n].ServiceName == api {
				c.endpoints[n].State = "deleted"
			}
		}
		now = now.Add(time.Hour)
	}
	of := func(s endpoint.State) (ours bool, left bool) {
		for _, e := range s.Endpoints {
			ours = ours || e.Service == api
		}
		return ours, slices.ContainsFunc(s.Hops, func(h workflow.Hop) bool { return !h.OK && strings.Contains(h.Detail, "left to them") })
	}
	items := func() int {
		all, err := book.Of(context.Background(), want.Account, want.Region, want.VPC)
		if err != nil {
			t.Fatal(err)
		}
		return len(contest.Of(all))
	}
	ensure(t, c, book, want)
	remove()
	if there, left := of(ensure(t, c, book, want)); !there || left {
		t.Fatal("the first time it is not put back")
	}
	remove()
	for range 2 {
		if there, left := of(ensure(t, c, book, want)); there || !left || items() != 1 {
			t.Fatalf("there %v, left %v, %d contested", there, left, items())
		}
		now = now.Add(time.Hour)
	}
	c.endpoints = append(c.endpoints, theirs("vpce-own", api))
	if there, left := of(ensure(t, c, book, want)); !there || left || items() != 0 {
		t.Errorf("the owner's own: there %v, left %v, %d contested", there, left, items())
	}
}
