// Report-conflict says that the VPCs of a connection have come to overlap, for as long as they do.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(func(ctx context.Context, in workflow.ReportConflictInput) (workflow.ReportConflictOutput, error) {
		enter := func(v workflow.VPC) peering.Reporter {
			return ec2.NewFromConfig(door.Enter(in.Execution, v.Account, v.Region))
		}
		return peering.Report(ctx, book, enter, in.Connection, in.Members)
	})
}
