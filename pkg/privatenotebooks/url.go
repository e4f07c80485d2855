package privatenotebooks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Finder is what [FindEndpoint] needs of EC2.
type Finder interface {
	DescribeVpcEndpoints(context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error)
}

// FindEndpoint returns the id of the one endpoint of a Region through which URLs are issued; vpc chooses among several.
func FindEndpoint(ctx context.Context, client Finder, region, vpc string) (string, error) {
	filters := []types.Filter{{Name: aws.String("service-name"), Values: []string{API(region)}}, {Name: aws.String("vpc-endpoint-state"), Values: []string{"available"}}}
	if vpc != "" {
		filters = append(filters, types.Filter{Name: aws.String("vpc-id"), Values: []string{vpc}})
	}
	got, err := client.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: filters})
	if fault.Of(err) == fault.Refused {
		return "", fmt.Errorf("looking for the endpoint: you may not call ec2:DescribeVpcEndpoints; say which it is with --endpoint vpce-…: %w", err)
	}
	if err != nil {
		return "", fmt.Errorf("looking for the endpoint of %s: %w", API(region), err)
	}
	var found []string
	for _, e := range got.VpcEndpoints {
		if strings.EqualFold(string(e.State), "available") {
			found = append(found, aws.ToString(e.VpcEndpointId)+" in "+aws.ToString(e.VpcId))
		}
	}
	slices.Sort(found)
	switch len(found) {
	case 0:
		return "", fmt.Errorf("looking for the endpoint: no VPC of this account has one of %s that is available; tag a VPC %s=true, or name another --region", API(region), tag.PrivateNotebooks)
	case 1:
		id, _, _ := strings.Cut(found[0], " ")
		return id, nil
	}
	return "", fmt.Errorf("looking for the endpoint: there are %s; say with --vpc or --endpoint which one you reach", strings.Join(found, ", "))
}

// EndpointURL returns the URL at which an endpoint issues URLs, whatever the DNS of the caller.
// https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-interface-endpoint.html
func EndpointURL(id, region string) string {
	return "https://" + arn.EndpointHost(id, "api.sagemaker", region)
}

// Issuer is what [Issue] needs of SageMaker.
type Issuer interface {
	CreatePresignedNotebookInstanceUrl(context.Context, *sagemaker.CreatePresignedNotebookInstanceUrlInput, ...func(*sagemaker.Options)) (*sagemaker.CreatePresignedNotebookInstanceUrlOutput, error)
}

// Issue returns the URL of a notebook; the client must be one of the endpoint. Errors say what a person can do.
func Issue(ctx context.Context, client Issuer, name, endpoint string) (string, error) {
	got, err := client.CreatePresignedNotebookInstanceUrl(ctx, &sagemaker.CreatePresignedNotebookInstanceUrlInput{NotebookInstanceName: &name})
	var dns *net.DNSError
	var network *net.OpError
	switch {
	case err == nil:
		return aws.ToString(got.AuthorizedUrl), nil
	case errors.As(err, &dns):
		return "", fmt.Errorf("issuing the URL of %s: the name of %s is not found from here; from a VPN, its DNS server must be the VPC's resolver, the base of its range plus two: %w", name, endpoint, err)
	case errors.As(err, &network):
		return "", fmt.Errorf("issuing the URL of %s: %s does not answer; is this machine in its VPC, or in a range of private-access-cidrs?: %w", name, endpoint, err)
	case fault.Of(err) == fault.Refused:
		return "", fmt.Errorf("issuing the URL of %s: your role may not, not even through %s; tag the role %s=true, and see that %s is an endpoint of a tagged VPC: %w", name, endpoint, tag.PrivateNotebooks, endpoint, err)
	case fault.HasCode(err, "ValidationException") && strings.Contains(err.Error(), "Status ("):
		return "", fmt.Errorf("issuing the URL of %s: the notebook does not run; start it first: %w", name, err)
	case fault.NoRecord(err):
		return "", fmt.Errorf("issuing the URL of %s: there is no such notebook in this account and Region: %w", name, err)
	}
	return "", fmt.Errorf("issuing the URL of %s through %s: %w", name, endpoint, err)
}
