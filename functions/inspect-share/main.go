// Inspect-share answers what a resource share of transit gateways needs next. It reads the accounts that it concerns, asks
// the policy, asks for a look at each VPC that the share concerns, and changes nothing.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	enter := func(execution string, p event.Place) share.Clients {
		c := door.Enter(execution, p.Account, p.Region)
		return share.Clients{RAM: ram.NewFromConfig(c), EC2: ec2.NewFromConfig(c)}
	}
	looks := look.Asker{API: eventbridge.NewFromConfig(door.Hub()), Bus: os.Getenv("BUS_NAME")}
	store := parameter.Open(door.Hub())
	inspect := share.Inspector{Enter: enter, Account: account.OpenOrganization(door.Hub()).Account, Policy: store.Policy, Looks: looks, Ledger: ledger.Open(door.Hub())}.Inspect
	workflow.Start(deadletter.Keep(deadletter.Open(door.Hub()), workflow.InspectShareInput.Raw, preview.Share(door, inspect)))
}
