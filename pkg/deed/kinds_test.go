package deed

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// An owner's tag is set by a call of the service that the thing is of: each kind of database has its case.
func TestEveryKindOfDatabaseIsTaggedByItsOwnService(t *testing.T) {
	kinds := []tag.Kind{tag.VPC, tag.Peering, tag.Gateway, tag.Attachment}
	for _, k := range database.Served() {
		kinds = append(kinds, k.Tag)
	}
	for _, kind := range kinds {
		if got := Tag(Thing{Kind: kind, ID: "x"}, tag.Share, "none").Command; got[1] != kind.Service() {
			t.Errorf("a %s is tagged by %v: it needs a case in call.go", kind, got)
		}
	}
}
