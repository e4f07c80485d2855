package sweep_test

import (
	"slices"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestTagged(t *testing.T) {
	at := event.Place{Account: "222222222222", Region: "eu-west-1"}
	thing := func(kind tag.Kind, id string) []workflow.TaggedThing {
		return []workflow.TaggedThing{{Account: at.Account, Region: at.Region, Kind: kind, ID: id}}
	}
	for name, c := range map[string]struct {
		event event.Event
		want  []workflow.TaggedThing
	}{
		"a VPC":              {event.Event{Kind: event.Change, Place: at, VPC: "vpc-1"}, thing(tag.VPC, "vpc-1")},
		"its addresses":      {event.Event{Kind: event.Change, Place: at, VPC: "vpc-1", Network: true}, nil},
		"a cluster":          {event.Event{Kind: event.Change, Place: at, ClusterARN: "arn:cluster"}, thing(tag.DBCluster, "arn:cluster")},
		"another database":   {event.Event{Kind: event.Change, Place: at}, nil},
		"an event of others": {event.Event{Kind: event.Routes, Place: at, VPC: "vpc-1"}, nil},
	} {
		got := sweep.Tagged(c.event)
		if got == nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: Tagged = %#v, want %v, and never nil", name, got, c.want)
		}
	}
}
