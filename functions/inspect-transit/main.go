// Inspect-transit answers what a pair of VPCs on a transit gateway needs next. It changes nothing.
package main

import (
	"context"
	"log"

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
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/transit"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	enter := func(execution string, at event.Place) transit.Clients {
		c := door.Enter(execution, at.Account, at.Region)
		return transit.Clients{Clients: survey.Clients{Databases: database.In(c), SageMaker: sagemaker.NewFromConfig(c), Lambda: lambda.NewFromConfig(c)}, EC2: ec2.NewFromConfig(c)}
	}
	organization := account.OpenOrganization(door.Hub())
	book := ledger.Open(door.Hub())
	inspector := transit.Inspector{Enter: enter, Policy: parameter.Open(door.Hub()).Policy, Ledger: book, Brake: brake.Open(door.Hub()).Asker(door.Mode), Account: organization.Account, Units: organization.Units}
	inspect := inspector.Turn().One(lease.Open(door.Hub(), book), preview.Transit(door, inspector.Inspect))
	workflow.Start(deadletter.Keep(deadletter.Open(door.Hub()), workflow.InspectTransitInput.Raw, inspect))
}
