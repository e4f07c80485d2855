// Grant-notebook-access keeps an account's policy about private notebooks, and who has it.
package main

import (
	"context"
	"log"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/private"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(func(ctx context.Context, in workflow.GrantNotebookAccessInput) (workflow.GrantNotebookAccessOutput, error) {
		return private.Granter{
			EC2:     func(x, id, region string) private.EndpointReader { return ec2.NewFromConfig(door.Enter(x, id, region)) },
			IAM:     func(x, id, region string) private.Keeper { return iam.NewFromConfig(door.Enter(x, id, region)) },
			Regions: strings.Split(os.Getenv("REGIONS"), ","),
			Ledger:  book.Under(private.LeaseOf(in.Account), in.Execution), Home: door.Hub().Region, Brake: brake.Open(door.Hub()).Asker(door.Mode),
		}.Grant(ctx, in)
	})
}
