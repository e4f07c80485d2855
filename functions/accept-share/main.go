// Accept-share accepts RAM's invitation to a share of transit gateways, in the account that is invited.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(func(ctx context.Context, in workflow.AcceptShareInput) (workflow.AcceptShareOutput, error) {
		invited := door.Enter(in.Execution, in.Invitation.Account, in.Invitation.Region)
		return share.Accept(ctx, ledger.Open(door.Hub()), ram.NewFromConfig(invited), in)
	})
}
