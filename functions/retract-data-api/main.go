// Retract-data-api takes back what Drawbridge added for the consumers of an Aurora cluster and nobody needs any more.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(func(ctx context.Context, in workflow.DataAPIInput) (workflow.HopsOutput, error) {
		c := door.Enter(in.Execution, in.DataAPI.Cluster.Account, in.DataAPI.Cluster.Region)
		r := dataapi.Retracter{Roles: iam.NewFromConfig(c), Keys: kms.NewFromConfig(c), Clusters: rds.NewFromConfig(c), Ledger: book.Under(dataapi.LeaseOf(in.DataAPI.Cluster.ARN), in.Execution)}
		return r.Retract(ctx, in.DataAPI)
	})
}
