package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/manual"
)

// What a command does is said once: the text below its first line goes on from there.
func TestHelpDoesNotSayItTwice(t *testing.T) {
	app := parser(&cli{})
	checked := 0
	for _, node := range manual.Nodes(app.Model) {
		first, then := strings.Fields(node.Help), strings.Fields(node.Detail)
		if len(first) < 4 || len(then) < 4 {
			continue
		}
		checked++
		if begins := first[1:4]; strings.HasPrefix(then[0], first[0]) && slices.Equal(begins, then[1:4]) {
			t.Errorf("%s: %q, and then %q", node.FullPath(), node.Help, strings.Join(then[:8], " "))
		}
	}
	if checked < 20 {
		t.Errorf("only %d commands have both", checked)
	}
}

// Whoever only says the name is told what there is.
func TestTheNameAlonePrintsTheHelp(t *testing.T) {
	want, err := os.ReadFile("testdata/help/drawbridge.txt")
	if err != nil {
		t.Fatal(err)
	}
	cmd := drawbridge(t)
	cmd.Args = cmd.Args[:1]
	if got, err := cmd.Output(); err != nil || string(got) != string(want) {
		t.Errorf("%v, and it prints\n%s", err, got)
	}
}
