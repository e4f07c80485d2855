// Package tagging wires the step that answers tags.
package tagging

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// AnswerTags is the step of the state of that name.
func AnswerTags(s steps.Stage) workflow.Step[workflow.AnswerTagsInput, workflow.AnswerTagsOutput] {
	enter := func(execution string, at event.Place) answer.Clients {
		return answer.In(s.Enter(execution, at.Account, at.Region))
	}
	return answer.Answerer{Enter: enter, Bus: s.Bus, Topic: s.Topic}.Answer
}
