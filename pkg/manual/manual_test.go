package manual

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

type grammar struct {
	Loud   bool   `help:"Say more." short:"l"`
	Format string `help:"Print as ${enum}. Any." short:"f" enum:"table,json" default:"table" placeholder:"FORMAT"`

	Show showCommand `cmd:"" help:"Show a thing."`
	Rule struct {
		Test struct{} `cmd:"" help:"Test it."`
		Put  struct{} `cmd:"" help:"Put it."`
	} `cmd:"" help:"Rules."`
	Secret struct{} `cmd:"" hidden:"" help:"Hidden."`
}

type showCommand struct {
	ID    string `arg:"" help:"Which."`
	Since string `help:"When." placeholder:"WHEN"`
}

func (showCommand) Help() string {
	return "Shows it.\n\n.Begins with a dot, has a \\ and a back`tick.\n\nExamples:\n\n  x show a \\\n    | jq '.b'\n"
}

func model(t *testing.T) *kong.Kong {
	t.Helper()
	return kong.Must(&grammar{}, kong.Name("x"), kong.Description("Does things."))
}

func TestWhatMayFollow(t *testing.T) {
	app := model(t).Model.Node
	for line, want := range map[string][]string{
		"": {"show", "rule"}, "s": {"show"}, "sec": nil, "rule ": {"test", "put"}, "rule p": {"put"}, "show ": nil, "show --": {"--help", "--loud", "--format", "--since"},
		"show --since ": nil, "show --since x --l": {"--loud"}, "--format ": {"table", "json"}, "-f j": {"json"}, "show -f ": {"table", "json"}, "--format=t": {"--format=table"}, "--nobody=": nil, "-l ": {"show", "rule"},
		"--since show ": nil, "rule test -- --": nil, // a flag of another command is none here, so show is the command
	} {
		var got []string
		for _, c := range Complete(app, strings.Split(line, " ")) {
			got = append(got, c.Word)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is followed by %v, want %v", line, got, want)
		}
	}
	if got := Complete(app, nil); len(got) != 2 || got[0].Help != "Show a thing" {
		t.Errorf("%+v", got)
	}
}

func TestEachShellHasAScript(t *testing.T) {
	for _, shell := range Shells {
		if script, err := Script(shell, "x"); err != nil || !strings.Contains(script, "complete --") || strings.Contains(script, "NAME") {
			t.Errorf("%s: %v\n%s", shell, err, script)
		}
	}
	if _, err := Script("tcsh", "x"); err == nil {
		t.Error("there is one for tcsh")
	}
}

// Each page is one that man reads without a warning, and says what the help says.
func TestPages(t *testing.T) {
	app := model(t).Model
	nodes := Nodes(app)
	var names []string
	for _, n := range nodes {
		names = append(names, Name(app, n))
		page := Page(app, n)
		groff, err := exec.LookPath("groff")
		if err != nil {
			continue // the words are tested below
		}
		run := exec.Command(groff, "-man", "-Tascii", "-ww")
		run.Stdin = strings.NewReader(page)
		var said strings.Builder
		run.Stderr = &said
		if _, err := run.Output(); err != nil || said.Len() > 0 {
			t.Errorf("%s: %v, %s\n%s", Name(app, n), err, said.String(), page)
		}
	}
	if !slices.Equal(names, []string{"x", "x-show", "x-rule", "x-rule-test", "x-rule-put"}) {
		t.Errorf("the pages are %v", names)
	}
	page := Page(app, nodes[1])
	for _, want := range []string{`.TH "X-SHOW" 1`, "\n\\&.Begins with a dot, has a \\e and a back\\(gatick.\n", ".TP\n\\fB\\-l\\fR, \\fB\\-\\-loud\\fR\nSay more.", "\\fI" + "WHEN\\fR", ".SH EXAMPLES\n.nf\nx show a \\e\n  | jq \\(aq.b\\(aq\n.fi", ".I ID\nWhich."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if whole := Page(app, app.Node); !strings.Contains(whole, ".BR x\\-show (1).") || strings.Contains(whole, "secret") {
		t.Errorf("the page of all is\n%s", whole)
	}
}
