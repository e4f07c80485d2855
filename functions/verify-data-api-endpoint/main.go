// Verify-data-api-endpoint reads back whether the Data API is reached from a VPC, and announces the result.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/caller"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	bus := notice.Bus{API: eventbridge.NewFromConfig(door.Hub()), Name: os.Getenv("BUS_NAME"), Mode: door.Mode}
	book := ledger.Open(door.Hub())
	workflow.Start(lease.Last(book, look.Asker{API: bus.API, Bus: bus.Name}, caller.LastVerdict, func(ctx context.Context, in workflow.VerifyDataAPIEndpointInput) (workflow.VerifyDataAPIEndpointOutput, error) {
		return caller.Verify(ctx, ec2.NewFromConfig(door.Enter(in.Execution, in.Want.Account, in.Want.Region)), book, bus, in)
	}))
}
