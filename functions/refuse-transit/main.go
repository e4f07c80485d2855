// Refuse-transit tells that a pair of VPCs on a transit gateway is not connected, and why.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/transit"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	bus, book := notice.Bus{API: eventbridge.NewFromConfig(door.Hub()), Name: os.Getenv("BUS_NAME"), Mode: door.Mode}, ledger.Open(door.Hub())
	workflow.Start(func(ctx context.Context, in workflow.RefuseTransitInput) (workflow.ConcludeOutput, error) {
		enter := func(c workflow.Carrier) connection.Untagger {
			return ec2.NewFromConfig(door.Enter(in.Execution, c.Account, c.Region))
		}
		return transit.Refuse(ctx, book, enter, bus, in)
	})
}
