// Rebuild-account writes into the ledger what carries Drawbridge's marks in one account, and is not in the ledger.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/rebuild"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(rebuild.New(door.Enter, ledger.Open(door.Hub()), door.Hub().Region).Rebuild)
}
