package dataapiendpoint

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const vpc = "vpc-0b1c2d3e4f5a60718"

// account is one VPC in EC2, and whether the ledger has it.
type account struct {
	gone    bool
	tag     string
	managed bool
}

func (a account) DescribeVpcs(_ context.Context, in *ec2.DescribeVpcsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	if a.gone || len(in.VpcIds) != 1 || in.VpcIds[0] != vpc {
		return nil, &smithy.GenericAPIError{Code: "InvalidVpcID.NotFound"}
	}
	return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String(vpc), Tags: []types.Tag{{Key: aws.String(tag.DataAPI), Value: &a.tag}},
		CidrBlockAssociationSet: []types.VpcCidrBlockAssociation{{CidrBlock: aws.String("10.1.0.0/16")}}}}}, nil
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
		"tagged":                      {have: account{tag: "true"}, want: "Available place"},
		"tagged as people write it":   {have: account{tag: "True "}, want: "Available place"},
		"tagged otherwise":            {have: account{tag: "222222222222"}, want: "Nothing nothing"},
		"not tagged any more":         {have: account{managed: true}, want: "Removed remove"},
		"not tagged":                  {have: account{}, want: "Nothing nothing"},
		"refused":                     {have: account{tag: "true"}, set: keep, want: "Refused refuse"},
		"refused what was placed":     {have: account{tag: "true", managed: true}, set: keep, want: "Refused remove"},
		"gone":                        {have: account{gone: true}, want: "Nothing nothing"},
		"gone, and the ledger has it": {have: account{gone: true, managed: true}, want: "Removed remove"},
		"outside the organization":    {have: account{tag: "true"}, organization: "none", want: "Nothing nothing"},
		"about something else":        {have: account{tag: "true"}, event: event(`{"eventName":"RunInstances"}`), want: "Nothing nothing"},
	} {
		if c.event == "" {
			c.event = tags
		}
		if c.set == nil {
			c.set = policy.Default()
		}
		book, _ := ledgertest.New()
		if c.have.managed {
			if _, err := book.Begin(t.Context(), ledger.Connection{ID: Owner(vpc), Kind: road.DataAPIEndpoint}); err != nil {
				t.Fatal(err)
			}
		}
		i := Inspector{
			Ledger: book,
			Brake:  func(context.Context, brake.Removal) error { return nil },
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
			Policy: func(context.Context) (*policy.Set, error) { return c.set, nil },
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
