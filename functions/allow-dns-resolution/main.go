// Allow-dns-resolution turns on the DNS option of a peering on each side, by that side's own account.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/dnsoption"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(fact.Connection(book, "AllowDnsResolution", func(ctx context.Context, in workflow.AllowDNSResolutionInput) (workflow.HopsOutput, error) {
		enter := func(v workflow.VPC) dnsoption.EC2 {
			return ec2.NewFromConfig(door.Enter(in.Execution, v.Account, v.Region))
		}
		return dnsoption.Allow(ctx, enter, book.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection, in.Sides)
	}))
}
