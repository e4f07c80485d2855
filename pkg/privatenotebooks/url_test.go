package privatenotebooks_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
)

// finder has endpoints by VPC, or refuses.
type finder struct {
	endpoints map[string]string
	err       error
}

func (f finder) DescribeVpcEndpoints(_ context.Context, in *ec2.DescribeVpcEndpointsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error) {
	out := &ec2.DescribeVpcEndpointsOutput{}
	for vpc, id := range f.endpoints {
		if len(in.Filters) < 3 || in.Filters[2].Values[0] == vpc {
			out.VpcEndpoints = append(out.VpcEndpoints, types.VpcEndpoint{VpcEndpointId: &id, VpcId: &vpc, State: "available"})
		}
	}
	return out, f.err
}

func denied() error { return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"} }

func TestFindEndpoint(t *testing.T) {
	two := map[string]string{"vpc-1": "vpce-1", "vpc-2": "vpce-2"}
	for name, c := range map[string]struct {
		finder
		vpc, id, says string
	}{
		"one":                     {finder: finder{endpoints: map[string]string{"vpc-1": "vpce-1"}}, id: "vpce-1"},
		"one of two by its VPC":   {finder: finder{endpoints: two}, vpc: "vpc-2", id: "vpce-2"},
		"two, and nobody said":    {finder: finder{endpoints: two}, says: "vpce-1 in vpc-1, vpce-2 in vpc-2; say with --vpc"},
		"none":                    {says: "no VPC of this account has one"},
		"the caller may not look": {finder: finder{err: denied()}, says: "--endpoint vpce-"},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := privatenotebooks.FindEndpoint(t.Context(), c.finder, "eu-west-1", c.vpc)
			if id != c.id || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("FindEndpoint = %q, %v; want %q, %q", id, err, c.id, c.says)
			}
		})
	}
}

// issuer answers every request with an error, or with a URL.
type issuer struct{ err error }

func (i issuer) CreatePresignedNotebookInstanceUrl(context.Context, *sagemaker.CreatePresignedNotebookInstanceUrlInput, ...func(*sagemaker.Options)) (*sagemaker.CreatePresignedNotebookInstanceUrlOutput, error) {
	return &sagemaker.CreatePresignedNotebookInstanceUrlOutput{AuthorizedUrl: aws.String("https://lab.example")}, i.err
}

func TestIssueSaysWhatAPersonCanDo(t *testing.T) {
	for says, err := range map[string]error{
		"its DNS server must be the VPC's resolver":      &smithy.OperationError{Err: &net.DNSError{}},
		"in a range of private-access-cidrs":             &smithy.OperationError{Err: &net.OpError{Op: "dial", Err: context.DeadlineExceeded}},
		"tag the role drawbridge:private-notebooks=true": denied(),
		"start it first":            &smithy.GenericAPIError{Code: "ValidationException", Message: "Status (Stopped) not in ([InService])."},
		"there is no such notebook": &smithy.GenericAPIError{Code: "ValidationException", Message: "RecordNotFound"},
	} {
		if _, got := privatenotebooks.Issue(t.Context(), issuer{err}, "lab", "vpce-1"); got == nil || !strings.Contains(got.Error(), says) {
			t.Errorf("Issue: %v, want %q", got, says)
		}
	}
	if url, err := privatenotebooks.Issue(t.Context(), issuer{}, "lab", "vpce-1"); err != nil || url != "https://lab.example" {
		t.Errorf("Issue = %q, %v", url, err)
	}
}

func TestEndpointURL(t *testing.T) {
	if got, want := privatenotebooks.EndpointURL("vpce-1", "eu-west-1"), "https://vpce-1.api.sagemaker.eu-west-1.vpce.amazonaws.com"; got != want {
		t.Errorf("EndpointURL = %s, want %s", got, want)
	}
}
