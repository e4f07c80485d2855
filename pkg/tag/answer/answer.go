// Package answer says to the owner of a thing that a tag on it means nothing, or cannot be served on such a thing: by the tag drawbridge:unclear on the thing
// itself, and once to people. A wish that nobody understands must not look like one that was heard.
//
//	answer.go   the words
//	plan.go     thinks: what is to be said about the tags of one thing (pure)
//	apply.go    reads the tags, tells, and answers
//
// Of the tag drawbridge:studio on a workgroup of Redshift Serverless, drawbridge-studio says that it cannot be served, whatever its value.
package answer

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what an [Answerer] needs of EC2.
type EC2 interface {
	ec2.DescribeTagsAPIClient
	CreateTags(context.Context, *ec2.CreateTagsInput, ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error)
	DeleteTags(context.Context, *ec2.DeleteTagsInput, ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error)
}

// RDS is what an [Answerer] needs of RDS.
type RDS interface {
	DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)
	DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)
	ListTagsForResource(context.Context, *rds.ListTagsForResourceInput, ...func(*rds.Options)) (*rds.ListTagsForResourceOutput, error)
	AddTagsToResource(context.Context, *rds.AddTagsToResourceInput, ...func(*rds.Options)) (*rds.AddTagsToResourceOutput, error)
	RemoveTagsFromResource(context.Context, *rds.RemoveTagsFromResourceInput, ...func(*rds.Options)) (*rds.RemoveTagsFromResourceOutput, error)
}

// Redshift is what an [Answerer] needs of Redshift.
type Redshift interface {
	DescribeTags(context.Context, *redshift.DescribeTagsInput, ...func(*redshift.Options)) (*redshift.DescribeTagsOutput, error)
	CreateTags(context.Context, *redshift.CreateTagsInput, ...func(*redshift.Options)) (*redshift.CreateTagsOutput, error)
	DeleteTags(context.Context, *redshift.DeleteTagsInput, ...func(*redshift.Options)) (*redshift.DeleteTagsOutput, error)
}

// Serverless is what an [Answerer] needs of Redshift Serverless.
type Serverless interface {
	GetWorkgroup(context.Context, *redshiftserverless.GetWorkgroupInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.GetWorkgroupOutput, error)
	ListTagsForResource(context.Context, *redshiftserverless.ListTagsForResourceInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.ListTagsForResourceOutput, error)
	TagResource(context.Context, *redshiftserverless.TagResourceInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.TagResourceOutput, error)
	UntagResource(context.Context, *redshiftserverless.UntagResourceInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.UntagResourceOutput, error)
}

// IAM is what an [Answerer] needs of IAM.
type IAM interface {
	iam.ListRoleTagsAPIClient
	TagRole(context.Context, *iam.TagRoleInput, ...func(*iam.Options)) (*iam.TagRoleOutput, error)
	UntagRole(context.Context, *iam.UntagRoleInput, ...func(*iam.Options)) (*iam.UntagRoleOutput, error)
}

// SageMaker is what an [Answerer] needs of SageMaker.
type SageMaker interface {
	sagemaker.ListTagsAPIClient
	DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error)
	AddTags(context.Context, *sagemaker.AddTagsInput, ...func(*sagemaker.Options)) (*sagemaker.AddTagsOutput, error)
	DeleteTags(context.Context, *sagemaker.DeleteTagsInput, ...func(*sagemaker.Options)) (*sagemaker.DeleteTagsOutput, error)
}

// Clients are the clients for one account and Region.
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

// Answerer answers tags.
type Answerer struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, at event.Place) Clients
	Bus   notice.Bus
	Topic notice.Topic
}

// thing is one whose tags were read. name is what its service calls it by, where that is not its id.
type thing struct {
	workflow.TaggedThing
	name string
	tags map[string]string
	kind database.Kind // that it is of, if that is not served although it is shared
}

// Change is what is to be said about the tags of one thing. Its zero value says nothing.
type Change struct {
	Set      string        // the value of the tag drawbridge:unclear, and people are told; empty: none is set
	Problems []tag.Problem // what they are told
	Clear    bool          // the tag drawbridge:unclear goes
}
