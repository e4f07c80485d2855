package docs

import (
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// docs/policy.md has a row for each key and each word that it may have.
func TestPolicyListsTheValuesOfTags(t *testing.T) {
	_, table, found := strings.Cut(documents(t)["docs/policy.md"], "### Values of tags\n")
	table, _, ended := strings.Cut(table, "### ")
	if !found || !ended || len(tag.Wishes) == 0 {
		t.Fatal("there is no section about values of tags")
	}
	for _, w := range tag.Wishes {
		if !strings.Contains(table, "| `"+w.Key+"` |") {
			t.Errorf("docs/policy.md does not list %s", w.Key)
		}
		for _, word := range []string{"auto", "ask", "never", "approved", "rejected", "allowed", "on", "off", "true", "false", "none"} {
			if _, err := w.Read(word); err == nil && !strings.Contains(table, "`"+word+"`") {
				t.Errorf("docs/policy.md does not list %s=%s", w.Key, word)
			}
		}
	}
}
