// Find-connections finds the peerings and attachments that a change of a VPC or a database concerns, and asks for a look at
// each.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	enter := func(execution string, p event.Place) sweep.ChangeEC2 {
		return ec2.NewFromConfig(door.Enter(execution, p.Account, p.Region))
	}
	looks := look.Asker{API: eventbridge.NewFromConfig(door.Hub()), Bus: os.Getenv("BUS_NAME")}
	find := sweep.Changes{Enter: enter, Ask: looks.Ask}.Concerned
	workflow.Start(deadletter.Keep(sqs.NewFromConfig(door.Hub()), os.Getenv("DEAD_LETTER_QUEUE"), workflow.FindConnectionsInput.Raw, find))
}
