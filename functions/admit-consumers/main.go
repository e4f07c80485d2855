// Admit-consumers lets exactly the admitted accounts query an Aurora cluster: by a role and, if its key wants one, a grant.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

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
	book, home := ledger.Open(door.Hub()), door.Hub().Region
	workflow.Start(func(ctx context.Context, in workflow.DataAPIInput) (workflow.HopsOutput, error) {
		c := door.Enter(in.Execution, in.DataAPI.Cluster.Account, in.DataAPI.Cluster.Region)
		a := dataapi.Admitter{Roles: iam.NewFromConfig(c), Keys: kms.NewFromConfig(c), Ledger: book.Under(dataapi.LeaseOf(in.DataAPI.Cluster.ARN), in.Execution), Home: home}
		return a.Admit(ctx, in)
	})
}
