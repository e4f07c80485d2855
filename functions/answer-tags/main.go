// Answer-tags says to the owners of tagged things which of their tags mean nothing, and what to write.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	bus := notice.Bus{API: eventbridge.NewFromConfig(door.Hub()), Name: os.Getenv("BUS_NAME"), Mode: door.Mode}
	topic := notice.Topic{API: sns.NewFromConfig(door.Hub()), ARN: os.Getenv("TOPIC_ARN"), Mode: door.Mode}
	enter := func(execution string, at event.Place) answer.Clients {
		in := door.Enter(execution, at.Account, at.Region)
		return answer.Clients{EC2: ec2.NewFromConfig(in), RDS: rds.NewFromConfig(in), Redshift: redshift.NewFromConfig(in), Serverless: redshiftserverless.NewFromConfig(in),
			IAM: iam.NewFromConfig(in), SageMaker: sagemaker.NewFromConfig(in)}
	}
	workflow.Start(answer.Answerer{Enter: enter, Bus: bus, Topic: topic}.Answer)
}
