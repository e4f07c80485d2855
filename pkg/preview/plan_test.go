package preview

import (
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Of a cluster is said for sure what the inspection saw, and with reservation what only a step finds out.
func TestWhatBecomesOfAClusterIsSaidAsSurelyAsItIsKnown(t *testing.T) {
	const turn, admit = "turn the HTTP endpoint", "let 1 account query"
	for name, c := range map[string]struct {
		out           workflow.InspectDataAPIOutput
		adds, perhaps []string
	}{
		"the first time":                     {workflow.InspectDataAPIOutput{First: true, Off: true, Unmade: true}, []string{turn, admit}, nil},
		"the first time, its endpoint is on": {workflow.InspectDataAPIOutput{First: true, Unmade: true}, []string{admit}, nil},
		"with a role that was given back":    {workflow.InspectDataAPIOutput{First: true, Off: true}, []string{turn}, []string{admit}},
		"it stands":                          {workflow.InspectDataAPIOutput{}, nil, []string{admit}},
		"somebody turned it off":             {workflow.InspectDataAPIOutput{Off: true}, nil, []string{turn, admit}},
	} {
		c.out.Answer, c.out.DataAPI.Cluster, c.out.DataAPI.Consumers = workflow.AnswerExpose, workflow.Cluster{ID: "sales", Account: "222222222222"}, []workflow.Consumer{{}}
		p := dataAPI(c.out)
		begin := func(all []mode.Change, want []string) bool {
			return slices.EqualFunc(all, want, strings.HasPrefix)
		}
		if !begin(p.Adds, c.adds) || !begin(p.Perhaps, c.perhaps) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
