// Find-connections finds all that an event concerns which may name several things, and asks for a look at each.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fanout"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	enter := func(execution string, p event.Place) fanout.Clients {
		c := door.Enter(execution, p.Account, p.Region)
		return fanout.Clients{EC2: ec2.NewFromConfig(c), RAM: ram.NewFromConfig(c), RDS: rds.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c)}
	}
	looks := look.Asker{API: eventbridge.NewFromConfig(door.Hub()), Bus: os.Getenv("BUS_NAME")}
	hub := door.Hub()
	find := fanout.Fanout{Enter: enter, Ask: looks.Ask, Contest: contest.Contest{Ledger: ledger.Open(hub)}, Region: hub.Region}.Find
	workflow.Start(deadletter.Keep(deadletter.Open(door.Hub()), workflow.FindConnectionsInput.Raw, find))
}
