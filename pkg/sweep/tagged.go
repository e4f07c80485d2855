package sweep

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Tagged returns the things whose tags an event says were set or removed.
func Tagged(e event.Event) []workflow.TaggedThing {
	out := []workflow.TaggedThing{}
	add := func(kind tag.Kind, id string) {
		out = append(out, workflow.TaggedThing{Account: e.Account, Region: e.Region, Kind: kind, ID: id})
	}
	switch {
	case e.Kind != event.Change:
	case e.VPC != "" && !e.Network:
		add(tag.VPC, e.VPC)
	case e.ClusterARN != "":
		add(tag.DBCluster, e.ClusterARN)
	}
	return out
}
