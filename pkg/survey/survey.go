// Package survey reads the two VPCs that a connection is between, each in its own account and Region, and asks the policy
// what each may have of the other. It changes nothing, and does not know what connects the two.
//
//	survey.go    the words
//	plan.go      thinks: which side consumes, and what it can reach (pure)
//	read.go      reads two VPCs that are, or are to be, connected
//	client.go    reads who calls from them
//	kept.go      reads which security groups are kept out
//	way.go       thinks: what the route tables have to lead where (pure)
//	withhold.go  finds what routes may not lead to, as what nobody shares would be reached
//	join.go      reads whom the owners of the VPCs share their subnets with
//	remains.go   reads what may be left of a connection that is over
//	divert.go    asks the policy which traffic may leave wider routes
package survey

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what a [Surveyor] needs of EC2.
type EC2 interface {
	route.Reader
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error)
	ec2.DescribeSecurityGroupsAPIClient
	notebook.Marks
}

// SageMaker is what a [Surveyor] needs of SageMaker.
type SageMaker interface {
	notebook.SageMaker
	notebook.ClientAPI
}

// Clients are the member-account clients that a survey uses, for one account and Region.
type Clients struct {
	EC2       EC2
	Databases database.APIs
	SageMaker SageMaker
	Lambda    notebook.LambdaAPI
}

// Surveyor reads on behalf of one execution.
type Surveyor struct {
	// Enter returns the clients for acting in a place.
	Enter func(event.Place) Clients
	// Ledger remembers what never changes of who calls; see [notebook.Memory].
	Ledger ledger.Ledger
	// Account says what AWS Organizations knows of an account. Only who reads participants needs it.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Set is the policy, and About what is known about the occasion. Only what asks the policy needs them.
	Set   *policy.Set
	About policy.Context
}

// SideFacts is one side of a connection while it is surveyed. The owners of the two VPCs are the first sides; [Surveyor.Join] adds those of
// participants.
type SideFacts struct {
	Side    *workflow.Side // what the survey fills in
	Here    *workflow.Facts
	There   *workflow.Facts
	Subnets []route.Subnet
	// Entry is what the ledger says of the connection.
	Entry ledger.Connection
	// Unclear are the databases that are not opened: the tag drawbridge:share of some means nothing, others are of a kind that is not served.
	Unclear []workflow.Hop

	// Waiting counts the databases that the policy opens to the other side, and that have no endpoint now.
	Waiting int

	wide bool                       // the owner of the other VPC wants all of it to be reached
	shut []workflow.AllowedDatabase // the databases that the policy does not open, with their ports and groups
}
