// Verify-private-notebooks says, path by path, from where the notebooks of an account are reached, and why; it announces the result.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/private"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	bus := notice.Bus{API: eventbridge.NewFromConfig(door.Hub()), Name: os.Getenv("BUS_NAME"), Mode: door.Mode}
	book := ledger.Open(door.Hub())
	workflow.Start(lease.Last(book, look.Asker{API: bus.API, Bus: bus.Name}, private.LastVerdict, private.Verifier{
		Bus:    bus,
		Ledger: book,
		IAM:    func(x, id, region string) private.PolicyReader { return iam.NewFromConfig(door.Enter(x, id, region)) },
		Region: func(x, id, region string) private.RegionReader {
			c := door.Enter(x, id, region)
			return private.RegionReader{EC2: ec2.NewFromConfig(c), Resolver: route53resolver.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c)}
		},
	}.Verify))
}
