// Inspect-data-api-endpoint answers whether a VPC shall have an endpoint of the Data API. It reads, asks the policy, and changes nothing.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/caller"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	inspector := caller.Inspector{
		EC2:     func(x, id, region string) caller.EC2 { return ec2.NewFromConfig(door.Enter(x, id, region)) },
		Account: account.OpenOrganization(door.Hub()).Account,
		Policy:  parameter.Open(door.Hub()).Policy,
		Ledger:  book,
		Brake:   brake.Open(door.Hub()).Asker(door.Mode),
	}
	workflow.Start(inspector.Turn().One(lease.Open(door.Hub(), book), preview.DataAPIEndpoint(door, inspector.Inspect)))
}
