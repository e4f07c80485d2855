package caller

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const vpc = "vpc-0b1c2d3e4f5a60718"

// account is one VPC in EC2 and what Drawbridge made in it.
type account struct {
	gone     bool
	tag      string
	endpoint types.State // of ours; empty: none
	group    bool        // of ours
}

func (a account) DescribeVpcs(_ context.Context, in *ec2.DescribeVpcsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	if a.gone || len(in.VpcIds) != 1 || in.VpcIds[0] != vpc {
		return nil, &smithy.GenericAPIError{Code: "InvalidVpcID.NotFound"}
	}
	return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String(vpc), Tags: []types.Tag{{Key: aws.String(tag.DataAPI), Value: &a.tag}},
		CidrBlockAssociationSet: []types.VpcCidrBlockAssociation{{CidrBlock: aws.String("10.1.0.0/16")}}}}}, nil
}

// ours reports whether the filters ask for what carries the VPC's word.
func ours(filters []types.Filter) bool {
	for _, f := range filters {
		if *f.Name == "tag:drawbridge:connection" {
			return len(f.Values) == 1 && f.Values[0] == "data-api-endpoint-"+vpc
		}
	}
	return false
}

func (a account) DescribeVpcEndpoints(_ context.Context, in *ec2.DescribeVpcEndpointsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error) {
	if a.endpoint == "" || !ours(in.Filters) {
		return &ec2.DescribeVpcEndpointsOutput{}, nil
	}
	return &ec2.DescribeVpcEndpointsOutput{VpcEndpoints: []types.VpcEndpoint{{State: a.endpoint}}}, nil
}

func (a account) DescribeSecurityGroups(_ context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	if !a.group || !ours(in.Filters) {
		return &ec2.DescribeSecurityGroupsOutput{}, nil
	}
	return &ec2.DescribeSecurityGroupsOutput{SecurityGroups: []types.SecurityGroup{{}}}, nil
}

func TestInspect(t *testing.T) {
	event := func(detail string) string {
		return `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"eu-west-1","detail":` + detail + `}`
	}
	tags := `{"source":"drawbridge.internal","detail-type":"Data API Endpoint To Inspect","account":"123456789012","region":"us-east-1",
		"detail":{"account":"111111111111","region":"eu-west-1","vpcId":"` + vpc + `","reason":"CreateTags"}}`
	keep, err := policy.Parse("test", []byte(`@id("all") permit (principal, action, resource);
@id("no-data-api") forbid (principal, action == Drawbridge::Action::"Expose", resource) when { resource.name == "com.amazonaws.eu-west-1.rds-data" };`))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		have         account
		event        string
		set          *policy.Set
		organization string
		want         string
	}{
		"tagged":                           {have: account{tag: "true"}, want: "Available place"},
		"tagged as people write it":        {have: account{tag: "True "}, want: "Available place"},
		"tagged otherwise":                 {have: account{tag: "222222222222"}, want: "Nothing nothing"},
		"not tagged, the endpoint there":   {have: account{endpoint: "available"}, want: "Removed remove"},
		"not tagged, the endpoint dying":   {have: account{endpoint: "deleting"}, want: "Removed remove"},
		"not tagged, only a dead endpoint": {have: account{endpoint: "deleted"}, want: "Nothing nothing"},
		"not tagged, only the group there": {have: account{endpoint: "deleted", group: true}, want: "Removed remove"},
		"refused":                          {have: account{tag: "true"}, set: keep, want: "Refused refuse"},
		"refused, the endpoint there":      {have: account{tag: "true", endpoint: "available"}, set: keep, want: "Refused remove"},
		"gone":                             {have: account{gone: true}, want: "Nothing nothing"},
		"outside the organization":         {have: account{tag: "true"}, organization: "none", want: "Nothing nothing"},
		"about something else":             {have: account{tag: "true"}, event: event(`{"eventName":"RunInstances"}`), want: "Nothing nothing"},
	} {
		if c.event == "" {
			c.event = tags
		}
		if c.set == nil {
			c.set = policy.Default()
		}
		i := Inspector{
			EC2: func(_, id, region string) EC2 {
				if id != "111111111111" || region != "eu-west-1" {
					t.Errorf("%s: looked into %s, %s", name, id, region)
				}
				return c.have
			},
			Account: func(_ context.Context, id string) (workflow.AccountFacts, error) {
				if c.organization != "" {
					return workflow.AccountFacts{ID: id}, nil
				}
				return workflow.AccountFacts{ID: id, Name: "alpha", Organization: "o-1", OUPath: "/"}, nil
			},
			Policy: func(context.Context, string) (*policy.Set, string, error) { return c.set, "", nil },
		}
		got, err := i.Inspect(context.Background(), workflow.InspectDataAPIEndpointInput{Event: []byte(c.event)})
		if err != nil || fmt.Sprint(got.Result, " ", got.Answer) != c.want || got.Reason == "" || string(got.Event) != c.event {
			t.Errorf("%s: Inspect = %s %s %q, %v, want %s", name, got.Result, got.Answer, got.Reason, err, c.want)
		}
		if got.Answer == workflow.AnswerPlace && (got.Want.Owner != "data-api-endpoint-"+vpc || len(got.Want.Services) != 1 || got.Want.Services[0] != "com.amazonaws.eu-west-1.rds-data") {
			t.Errorf("%s: wants %+v", name, got.Want)
		}
	}
}
