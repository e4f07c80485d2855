// Inspect-notebooks finds the notebooks that an event concerns and the host routes that the policy lets them have.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
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
	organization := account.NewOrganization(organizations.NewFromConfig(door.Hub()))
	store := parameter.New(ssm.NewFromConfig(door.Hub()), os.Getenv("POLICY_PARAMETER"))
	inspect := notebook.Inspector{Enter: enter, Account: organization.Account, Policy: store.Policy}.Inspect
	workflow.Start(deadletter.Keep(sqs.NewFromConfig(door.Hub()), os.Getenv("DEAD_LETTER_QUEUE"), workflow.InspectNotebooksInput.Raw, preview.Notebooks(door, inspect)))
}
