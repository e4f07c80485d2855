package stories

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

// The table that the hub's template makes does what the ledger in memory does, which other tests rest on.
func TestTheLedgerInDynamoDB(t *testing.T) {
	ledgertest.Examples(t, ledger.Table{API: dynamodb.NewFromConfig(engine.Config(local.HubAccount, engine.Region())), Name: "drawbridge-ledger"}, "example:")
}
