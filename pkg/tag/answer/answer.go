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
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/tagger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Engines is what an [Answerer] needs of RDS to tell of what engine a database is.
type Engines interface {
	DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)
	DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)
}

// Clients are the clients for one account and Region.
type Clients struct {
	tagger.Clients
	Engines Engines
}

// In returns the clients for an account and Region.
func In(c aws.Config) Clients { return Clients{tagger.In(c), rds.NewFromConfig(c)} }

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
