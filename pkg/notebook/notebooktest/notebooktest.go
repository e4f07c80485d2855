// Package notebooktest has what tests need of the services whose things call databases, of which their world has nothing.
package notebooktest

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Nobody is an account without Studio domains, functions and interfaces, for a fake of SageMaker, Lambda or EC2 to embed.
type Nobody struct{}

// ListDomains returns none.
func (Nobody) ListDomains(context.Context, *sagemaker.ListDomainsInput, ...func(*sagemaker.Options)) (*sagemaker.ListDomainsOutput, error) {
	return &sagemaker.ListDomainsOutput{}, nil
}

// DescribeDomain fails.
func (Nobody) DescribeDomain(context.Context, *sagemaker.DescribeDomainInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeDomainOutput, error) {
	return nil, fault.New(fault.Invalid, "there is no domain")
}

// ListUserProfiles fails.
func (Nobody) ListUserProfiles(context.Context, *sagemaker.ListUserProfilesInput, ...func(*sagemaker.Options)) (*sagemaker.ListUserProfilesOutput, error) {
	return nil, fault.New(fault.Invalid, "there is no domain")
}

// DescribeUserProfile fails.
func (Nobody) DescribeUserProfile(context.Context, *sagemaker.DescribeUserProfileInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeUserProfileOutput, error) {
	return nil, fault.New(fault.Invalid, "there is no user profile")
}

// ListFunctions returns none.
func (Nobody) ListFunctions(context.Context, *lambda.ListFunctionsInput, ...func(*lambda.Options)) (*lambda.ListFunctionsOutput, error) {
	return &lambda.ListFunctionsOutput{}, nil
}

// DescribeNetworkInterfaces returns none.
func (Nobody) DescribeNetworkInterfaces(context.Context, *ec2.DescribeNetworkInterfacesInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	return &ec2.DescribeNetworkInterfacesOutput{}, nil
}
