// Inspect-private-notebooks finds which VPCs of an account shall have endpoints for its notebooks, and which no more.
package main

import (
	"context"
	"log"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/private"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	inspector := private.Inspector{
		Bus:     notice.Bus{API: eventbridge.NewFromConfig(door.Hub()), Name: os.Getenv("BUS_NAME"), Mode: door.Mode},
		EC2:     func(x, id, region string) private.EC2 { return ec2.NewFromConfig(door.Enter(x, id, region)) },
		Account: account.OpenOrganization(door.Hub()).Account,
		Policy:  parameter.Open(door.Hub()).Policy,
		Ledger:  ledger.Open(door.Hub()), Brake: brake.Open(door.Hub()).Asker(door.Mode),
		Callers: private.Callers(ssm.NewFromConfig(door.Hub()), os.Getenv("CALLERS_PARAMETER")),
		Regions: strings.Split(os.Getenv("REGIONS"), ","),
	}
	workflow.Start(inspector.Turn().One(lease.Open(door.Hub(), inspector.Ledger), preview.PrivateNotebooks(door, inspector.Inspect)))
}
