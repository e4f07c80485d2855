// Inspect-studio answers who may query a Redshift cluster from SageMaker Studio, and what is missing for it. It changes nothing there.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	enter := func(x string, p event.Place) studio.Clients {
		c := door.Enter(x, p.Account, p.Region)
		return studio.Clients{Redshift: redshift.NewFromConfig(c), Roles: iam.NewFromConfig(c), Domains: sagemaker.NewFromConfig(c)}
	}
	bus := eventbridge.NewFromConfig(door.Hub())
	book := studio.Open(door.Hub())
	inspector := studio.Inspector{Enter: enter, Account: account.OpenOrganization(door.Hub()).Account, Policy: parameter.Open(door.Hub()).Policy,
		Book: book, Brake: brake.Open(door.Hub()).Asker(door.Mode), Looks: look.Asker{API: bus, Bus: os.Getenv("BUS_NAME")}, Bus: notice.Bus{API: bus, Name: os.Getenv("BUS_NAME"), Mode: door.Mode}}
	inspect := inspector.Turn().One(lease.Open(door.Hub(), book.Ledger), preview.Studio(door, inspector.Inspect))
	workflow.Start(deadletter.Keep(deadletter.Open(door.Hub()), workflow.InspectStudioInput.Raw, inspect))
}
