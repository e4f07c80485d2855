// Rebuild-account writes into the ledger what carries Drawbridge's marks in one account, and is not in the ledger.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/rebuild"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(fact.Visit(book, rebuild.New(door.Enter, book, door.Hub().Region).Rebuild))
}
