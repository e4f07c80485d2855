// Withdraw-routes takes a connection's host routes away from a batch of notebook instances.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(fact.Withdraw(book, notebook.Withdrawer{
		SageMaker: func(execution string, b workflow.Batch) notebook.WithdrawalAPI {
			return sagemaker.NewFromConfig(door.Enter(execution, b.Account, b.Region))
		},
		EC2: func(execution string, b workflow.Batch) route.NetworkReader {
			return ec2.NewFromConfig(door.Enter(execution, b.Network(), b.Region))
		},
		Ledger: book,
	}.Withdraw))
}
