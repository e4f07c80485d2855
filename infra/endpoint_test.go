package main

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/jsii-runtime-go"

	arns "github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// The names of endpoint services, which differ between Regions, are those that the CDK knows.
func TestEndpointServicesAreNamedAsTheCDKNamesThem(t *testing.T) {
	services := map[string]awsec2.InterfaceVpcEndpointAwsService{
		"sagemaker.api": awsec2.InterfaceVpcEndpointAwsService_SAGEMAKER_API(),
		"notebook":      awsec2.InterfaceVpcEndpointAwsService_SAGEMAKER_NOTEBOOK(),
		"rds-data":      awsec2.InterfaceVpcEndpointAwsService_RDS_DATA(),
	}
	app := awscdk.NewApp(nil)
	for _, region := range []string{"us-east-1", "eu-west-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1", "eusc-de-east-1", "us-iso-east-1", "us-isob-east-1"} {
		stack := awscdk.NewStack(app, jsii.String(region), &awscdk.StackProps{Env: &awscdk.Environment{Region: jsii.String(region)}})
		for name, service := range services {
			if want, got := stack.Resolve(service.Name()), arns.EndpointService(name, region); want != got {
				t.Errorf("%s in %s: the CDK says %v, package arn %s", name, region, want, got)
			}
		}
	}
}
