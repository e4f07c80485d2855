// Report-unreadable says that something of a connection cannot be read now, and that nothing goes for it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	owners := owner.Teller{Ledger: ledger.Open(door.Hub()), Topic: notice.Topic{API: sns.NewFromConfig(door.Hub()), ARN: os.Getenv("TOPIC_ARN"), Mode: door.Mode}}
	workflow.Start(fact.With(owners.Ledger, func(ctx context.Context, in workflow.ReportUnreadableInput) (workflow.Empty, error) {
		enter := func(v workflow.VPC) connection.Tagger {
			return ec2.NewFromConfig(door.Enter(in.Execution, v.Account, v.Region))
		}
		tell := func(ctx context.Context) error { return owners.Tell(ctx, owner.Unread(in)) }
		return workflow.Empty{}, connection.ReportUnreadable(ctx, owners.Ledger, enter, tell, in)
	}))
}
