// Package tagger reads, sets and takes away tags by the calls of the service that a thing is of: each service has others. Those who say
// what the owner of a thing shall read, and those who do what an owner asks for, call them.
//
//	tagger.go   the clients
//	apply.go    the calls
package tagger

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
)

// EC2 is what is called of EC2.
type EC2 interface {
	ec2.DescribeTagsAPIClient
	CreateTags(context.Context, *ec2.CreateTagsInput, ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error)
	DeleteTags(context.Context, *ec2.DeleteTagsInput, ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error)
}

// RDS is what is called of RDS.
type RDS interface {
	ListTagsForResource(context.Context, *rds.ListTagsForResourceInput, ...func(*rds.Options)) (*rds.ListTagsForResourceOutput, error)
	AddTagsToResource(context.Context, *rds.AddTagsToResourceInput, ...func(*rds.Options)) (*rds.AddTagsToResourceOutput, error)
	RemoveTagsFromResource(context.Context, *rds.RemoveTagsFromResourceInput, ...func(*rds.Options)) (*rds.RemoveTagsFromResourceOutput, error)
}

// Redshift is what is called of Redshift.
type Redshift interface {
	DescribeTags(context.Context, *redshift.DescribeTagsInput, ...func(*redshift.Options)) (*redshift.DescribeTagsOutput, error)
	CreateTags(context.Context, *redshift.CreateTagsInput, ...func(*redshift.Options)) (*redshift.CreateTagsOutput, error)
	DeleteTags(context.Context, *redshift.DeleteTagsInput, ...func(*redshift.Options)) (*redshift.DeleteTagsOutput, error)
}

// Serverless is what is called of Redshift Serverless.
type Serverless interface {
	GetWorkgroup(context.Context, *redshiftserverless.GetWorkgroupInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.GetWorkgroupOutput, error)
	ListTagsForResource(context.Context, *redshiftserverless.ListTagsForResourceInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.ListTagsForResourceOutput, error)
	TagResource(context.Context, *redshiftserverless.TagResourceInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.TagResourceOutput, error)
	UntagResource(context.Context, *redshiftserverless.UntagResourceInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.UntagResourceOutput, error)
}

// IAM is what is called of IAM.
type IAM interface {
	iam.ListRoleTagsAPIClient
	TagRole(context.Context, *iam.TagRoleInput, ...func(*iam.Options)) (*iam.TagRoleOutput, error)
	UntagRole(context.Context, *iam.UntagRoleInput, ...func(*iam.Options)) (*iam.UntagRoleOutput, error)
}

// SageMaker is what is called of SageMaker.
type SageMaker interface {
	sagemaker.ListTagsAPIClient
	DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error)
	AddTags(context.Context, *sagemaker.AddTagsInput, ...func(*sagemaker.Options)) (*sagemaker.AddTagsOutput, error)
	DeleteTags(context.Context, *sagemaker.DeleteTagsInput, ...func(*sagemaker.Options)) (*sagemaker.DeleteTagsOutput, error)
}

// Clients are those of every service of which a thing can be tagged, for one account and Region.
type Clients struct {
	EC2        EC2
	RDS        RDS
	Redshift   Redshift
	Serverless Serverless
	IAM        IAM
	SageMaker  SageMaker
}

// In returns the clients for an account and Region.
func In(c aws.Config) Clients {
	return Clients{EC2: ec2.NewFromConfig(c), RDS: rds.NewFromConfig(c), Redshift: redshift.NewFromConfig(c), Serverless: redshiftserverless.NewFromConfig(c),
		IAM: iam.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c)}
}
