// Package failure says on what an execution was about that it ended without coming to a result: it failed, somebody stopped it, or it took too long. The states
// of a machine say what becomes of a thing as long as they run; this is for when they do not: a removal that is tried no more, a function that is killed at
// each try, an execution that is stopped.
//
// The word of an execution counts until somebody else works on the thing. Whoever fails, or is stopped, keeps the lease of the thing, and whoever
// comes next takes it: so as long as the execution has the lease, nobody worked on the thing since. Where it has not, another says how the thing stands.
//
//	failure.go  the words
//	plan.go     thinks: what an execution was about, and what each side is told (pure)
//	apply.go    reads the execution and the ledger, and says it
package failure

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
)

// Clients are for acting in one account and Region.
type Clients struct {
	EC2 connection.Tagger
	RDS interface {
		dataapi.Speaker
		DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)
	}
	SageMaker lifecycle.Speaker
	Redshift  studio.Tagger
}

// Reporter says what became of executions.
type Reporter struct {
	Executions notice.StepFunctions
	Ledger     ledger.Ledger
	Enter      func(execution string, place event.Place) Clients
	Bus        notice.Bus
	Looks      look.Asker
	Owners     owner.Teller
	Regions    []string // in which the private notebooks of an account may be
}
