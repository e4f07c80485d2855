// List-accounts lists one page of the accounts to sweep, if the policy can be read.
package main

import (
	"context"
	"log"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	hub, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(sweep.Lister{API: organizations.NewFromConfig(hub), Regions: strings.Split(os.Getenv("REGIONS"), ","),
		Policy: parameter.Open(hub).Policy}.List)
}
