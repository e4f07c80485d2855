package main

import (
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Whoever revokes needs to know which call they have to be allowed: the help names that of each kind of database.
func TestTheHelpOfRevokeNamesEachCall(t *testing.T) {
	help := revokeCommand{}.Help()
	for _, k := range database.Served() {
		command := deed.Tag(deed.Thing{Kind: k.Tag, ID: "x"}, tag.Share, "none").Command // aws SERVICE add-tags-to-resource …
		call := command[1] + ":"
		for word := range strings.SplitSeq(command[2], "-") {
			call += strings.ToUpper(word[:1]) + word[1:]
		}
		if !strings.Contains(help, call) {
			t.Errorf("the help does not say that a %s is tagged by %s", k.Name, call)
		}
	}
}
