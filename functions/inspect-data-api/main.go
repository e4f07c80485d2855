// Inspect-data-api answers what an Aurora cluster needs for the Data API. It reads, asks the policy, and changes nothing.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	enter := func(execution string, p event.Place) dataapi.Readers {
		c := door.Enter(execution, p.Account, p.Region)
		return dataapi.Readers{RDS: rds.NewFromConfig(c), Secrets: secretsmanager.NewFromConfig(c), Keys: kms.NewFromConfig(c), Roles: iam.NewFromConfig(c)}
	}
	organization := account.OpenOrganization(door.Hub())
	store := parameter.Open(door.Hub())
	book := ledger.Open(door.Hub())
	inspector := dataapi.Inspector{Enter: enter, Account: organization.Account, Policy: store.Policy,
		Ledger: book, Home: door.Hub().Region, Brake: brake.Open(door.Hub()).Asker(door.Mode)}
	workflow.Start(inspector.Turn().One(lease.Open(door.Hub(), book), preview.DataAPI(door, inspector.Inspect)))
}
