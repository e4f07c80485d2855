// Inspect-notebooks finds the notebooks that an event concerns and the host routes that the policy lets them have.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	enter := func(execution string, p event.Place) notebook.APIs {
		c := door.Enter(execution, p.Account, p.Region)
		return notebook.APIs{EC2: ec2.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c)}
	}
	organization := account.OpenOrganization(door.Hub())
	store := parameter.Open(door.Hub())
	ask := look.Asker{API: eventbridge.NewFromConfig(door.Hub()), Bus: os.Getenv("BUS_NAME")}.Ask
	inspect := notebook.Inspector{Enter: enter, Account: organization.Account, Policy: store.Policy, Ledger: ledger.Open(door.Hub()), Ask: ask}.Inspect
	workflow.Start(deadletter.Keep(deadletter.Open(door.Hub()), workflow.InspectNotebooksInput.Raw, preview.Notebooks(door, inspect)))
}
