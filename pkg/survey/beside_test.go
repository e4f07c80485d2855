package survey_test

import (
	"reflect"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestBesideAreThoseWithTheGroupAndThePort(t *testing.T) {
	database := func(name string, port int, groups ...string) workflow.Opening {
		return workflow.Opening{Database: name, Port: port, Groups: groups}
	}
	openings := []workflow.Opening{database("sales", 3306, "sg-1", "sg-2"), database("orders", 5432, "sg-3")}
	survey.Beside(openings, []workflow.Opening{
		database("archive", 3306, "sg-9", "sg-2"), database("another-port", 5432, "sg-1"), database("another-group", 3306, "sg-3"), database("ledger", 5432, "sg-3"),
	})
	if !reflect.DeepEqual(openings[0].Also, []string{"archive"}) || !reflect.DeepEqual(openings[1].Also, []string{"ledger"}) {
		t.Errorf("beside sales are %v, beside orders %v", openings[0].Also, openings[1].Also)
	}
}
