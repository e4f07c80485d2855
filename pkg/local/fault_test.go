package local

import (
	"context"
	"errors"
	"net/http"
	"os"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

func TestEveryWayToThrottleIsTransient(t *testing.T) {
	if len(throttling) == 0 {
		t.Fatal("no service throttles")
	}
	for service, f := range throttling {
		err := &smithy.GenericAPIError{Code: f.Code, Fault: smithy.FaultClient}
		if got := fault.Of(err); got != fault.Transient {
			t.Errorf("%s of %s is %q, want %q", f.Code, service, got, fault.Transient)
		}
	}
}

func TestEveryServiceThatARoleMayCallThrottles(t *testing.T) {
	action := regexp.MustCompile(`"([a-z0-9-]+):[A-Z][A-Za-z]*\*?"`)
	signing := map[string]string{"cloudwatch": "monitoring", "tag": "tagging"}
	count := 0
	for _, name := range []string{"hub", "member"} {
		text, err := os.ReadFile("../../infra/template/" + name + ".template.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range action.FindAllStringSubmatch(string(text), -1) {
			service := found[1]
			if service == "aws" { // a condition key
				continue
			}
			if s := signing[service]; s != "" {
				service = s
			}
			count++
			if _, ok := throttling[service]; !ok {
				t.Errorf("how %s throttles is not known (%s)", service, found[0])
			}
		}
	}
	if count < 100 {
		t.Errorf("only %d actions found", count)
	}
}

// TestTheSDKReadsEveryWayToThrottle makes a call in each protocol that the services speak.
func TestTheSDKReadsEveryWayToThrottle(t *testing.T) {
	url, s, seen := openDoor(t, func(_ awscall.Call, when Moment) *Fault {
		if when == After {
			return nil
		}
		return &Fault{Throttle: true}
	})
	c := ClientConfig(url, "111111111111", "us-east-1")
	c.AppID, c.RetryMaxAttempts = "drawbridge-work", 1
	arn := aws.String("arn:aws:x:us-east-1:111111111111:y")
	calls := map[string]func(context.Context) error{
		"RequestLimitExceeded": func(ctx context.Context) error {
			_, err := ec2.NewFromConfig(c).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
			return err
		},
		"Throttling": func(ctx context.Context) error {
			_, err := iam.NewFromConfig(c).ListRoles(ctx, &iam.ListRolesInput{})
			return err
		},
		"Throttling ": func(ctx context.Context) error {
			_, err := redshift.NewFromConfig(c).DescribeClusters(ctx, &redshift.DescribeClustersInput{})
			return err
		},
		"ThrottlingException": func(ctx context.Context) error {
			_, err := ssm.NewFromConfig(c).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("p")})
			return err
		},
		"ThrottlingException ": func(ctx context.Context) error {
			_, err := ram.NewFromConfig(c).GetResourceShares(ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf})
			return err
		},
		"ThrottlingException  ": func(ctx context.Context) error {
			_, err := rdsdata.NewFromConfig(c).ExecuteStatement(ctx, &rdsdata.ExecuteStatementInput{ResourceArn: arn, SecretArn: arn, Sql: aws.String("select 1")})
			return err
		},
		"TooManyRequestsException": func(ctx context.Context) error {
			_, err := awslambda.NewFromConfig(c).ListFunctions(ctx, &awslambda.ListFunctionsInput{})
			return err
		},
		"Throttled": func(ctx context.Context) error {
			_, err := sns.NewFromConfig(c).Publish(ctx, &sns.PublishInput{TopicArn: arn, Message: aws.String("m")})
			return err
		},
		"RequestThrottled": func(ctx context.Context) error {
			_, err := sqs.NewFromConfig(c).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(url + "/1/q"), MessageBody: aws.String("m")})
			return err
		},
	}
	for name, call := range calls {
		want := regexp.MustCompile(`\w+`).FindString(name)
		err := call(t.Context())
		var api smithy.APIError
		// The SDK calls some of them by the name of its own type for them.
		if !errors.As(err, &api) || api.ErrorCode() != want && api.ErrorCode() != want+"Exception" {
			t.Errorf("%s: the client got %v", want, err)
		}
		if got := fault.Of(err); got != fault.Transient {
			t.Errorf("%s is %q: %v", want, got, err)
		}
	}
	if len(*seen) != 0 {
		t.Errorf("the emulation was asked %d times", len(*seen))
	}
	for _, one := range s.Calls() {
		if one.Status == 0 || one.Error == "InvalidAction" {
			t.Errorf("recorded %+v", visible(one))
		}
	}
	if f := throttled("nobody"); f.Status != http.StatusBadRequest || fault.Of(&smithy.GenericAPIError{Code: f.Code}) == fault.Transient {
		t.Errorf("a service that is not in the table throttles: %+v", f)
	}
}
