// Sweep-account looks through one account for the things that want a look, and asks for it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	bus := sweep.Bus{API: eventbridge.NewFromConfig(door.Hub()), Name: os.Getenv("BUS_NAME")}
	workflow.Start(sweep.Sweeper{Ask: bus.Ask, Finders: []sweep.Finder{
		sweep.Peerings{Enter: func(execution string, p event.Place) sweep.EC2 {
			return ec2.NewFromConfig(door.Enter(execution, p.Account, p.Region))
		}},
		sweep.Notebooks{Enter: func(execution string, p event.Place) sweep.NotebookAPIs {
			c := door.Enter(execution, p.Account, p.Region)
			return sweep.NotebookAPIs{EC2: ec2.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c)}
		}},
	}}.Sweep)
}
