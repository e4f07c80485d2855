package plan

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// entry is a state's step in a table of steps; its text goes on until the next.
	entry = regexp.MustCompile(`(?m)^\t\t"([A-Z]\w+)": step\(`)
	// wrapper is what a step is put into: it says what is read before it, and written after it.
	wrapper = regexp.MustCompile(`\b(?:fact\.(?:Side|Connection|With|Inject|Withdraw)|lease\.Last|owner\.(?:After|Before)|preview\.\w+|\.One)\(`)
	upper   = regexp.MustCompile(`([a-z])([A-Z])`)
)

// A step stands here and in the main function of its state: what each puts it into is the same, or a plan would not be what the function does.
func TestStepsAreWiredAsFunctionsAre(t *testing.T) {
	compared := 0
	for _, file := range []string{"steps.go", "gateway.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := entry.FindAllSubmatchIndex(text, -1)
		for n, at := range found {
			end := len(text)
			if n+1 < len(found) {
				end = found[n+1][0]
			}
			state := string(text[at[2]:at[3]])
			body, _, _ := strings.Cut(string(text[at[0]:end]), "\n\t}\n")
			main, err := os.ReadFile("../../functions/" + strings.ToLower(upper.ReplaceAllString(state, "$1-$2")) + "/main.go")
			if err != nil {
				t.Fatal(err)
			}
			here, there := wrapper.FindAllString(body, -1), wrapper.FindAllString(string(main), -1)
			slices.Sort(here)
			slices.Sort(there)
			if !slices.Equal(here, there) {
				t.Errorf("%s: a plan has %v, the function has %v", state, here, there)
			}
			compared++
		}
	}
	if compared < 25 {
		t.Errorf("only %d steps were compared", compared)
	}
}
