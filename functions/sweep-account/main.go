// Sweep-account looks through the peerings of one account for those that want a look, and asks for it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

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
	enter := func(execution string, p event.Place) sweep.EC2 {
		return ec2.NewFromConfig(door.Enter(execution, p.Account, p.Region))
	}
	workflow.Start(sweep.Finder{Enter: enter, Bus: eventbridge.NewFromConfig(door.Hub()), Name: os.Getenv("BUS_NAME")}.Sweep)
}
