// Inspect-peering answers what a peering needs next. It reads both sides, asks the policy, and changes nothing.
package main

import (
	"context"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	enter := func(execution string, p event.Place) peering.Clients {
		c := door.Enter(execution, p.Account, p.Region)
		return peering.Clients{EC2: ec2.NewFromConfig(c), Databases: database.In(c), SageMaker: sagemaker.NewFromConfig(c), Lambda: lambda.NewFromConfig(c)}
	}
	organization := account.OpenOrganization(door.Hub())
	store := parameter.Open(door.Hub())
	book := ledger.Open(door.Hub())
	inspector := peering.Inspector{Enter: enter, Account: organization.Account, Units: organization.Units, Policy: store.Policy, Ledger: book, Now: time.Now, Brake: brake.Open(door.Hub()).Asker(door.Mode)}
	inspect := inspector.Turn().One(lease.Open(door.Hub(), book), preview.Peering(door, inspector.Inspect))
	workflow.Start(deadletter.Keep(deadletter.Open(door.Hub()), workflow.InspectPeeringInput.Raw, inspect))
}
