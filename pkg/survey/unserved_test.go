package survey

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// What is shared with the other side and not served is said to its owner: a few by name. What is shared with others, or with nobody, is not.
func TestWhatIsNotServedIsSaidToItsOwner(t *testing.T) {
	thing := func(id, share string) database.Database {
		return database.Database{ID: id, Why: "ElastiCache is not served: its owner opens it", Tags: map[string]string{"drawbridge:share": share}}
	}
	var many []database.Database
	for n := range fewUnserved + 2 {
		many = append(many, thing(fmt.Sprint("cache-", n), "true"))
	}
	for name, c := range map[string]struct {
		things []database.Database
		want   string
	}{
		"nothing":              {nil, ""},
		"shared with another":  {[]database.Database{thing("cache", "333333333333")}, ""},
		"shared with this one": {[]database.Database{thing("cache", "222222222222")}, "shared and not opened: cache: ElastiCache is not served: its owner opens it"},
		"many":                 {many, "and 2 more"},
	} {
		g := &SideFacts{Side: &workflow.Side{}, There: &workflow.Facts{VPC: workflow.VPC{Account: "222222222222"}}}
		g.unserved(c.things)
		got := strings.Join(g.Side.Unheeded, " / ")
		if !strings.HasSuffix(got, c.want) || (c.want == "") != (got == "") || strings.Count(got, "cache") > fewUnserved {
			t.Errorf("%s: said %q, want %q", name, got, c.want)
		}
	}
}
