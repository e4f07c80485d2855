// Answer-tags says to the owners of tagged things which of their tags mean nothing, and what to write.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/tagging"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(tagging.AnswerTags(stage))
}
