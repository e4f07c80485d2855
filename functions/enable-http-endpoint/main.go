// Enable-http-endpoint turns the HTTP endpoint of an Aurora cluster on, and writes into the ledger that Drawbridge did.
package main

import (
	"context"
	"log"

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
		c := in.DataAPI.Cluster
		e := dataapi.Enabler{Clusters: rds.NewFromConfig(door.Enter(in.Execution, c.Account, c.Region)), Ledger: book.Under(dataapi.LeaseOf(c.ARN), in.Execution)}
		return e.Enable(ctx, in)
	})
}
