package docs

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// docs/reference.md is made from the templates, the machines and the code.
func TestTheReferenceIsThatOfTheCode(t *testing.T) {
	for mark, rows := range map[string][]string{
		"hears":                   heard(t, template.Hub),
		"forwards":                heard(t, template.Member),
		"announces":               announced(t),
		"ends":                    endsByMachine(t),
		"roles":                   roles(t),
		"metrics":                 metrics(t),
		"alarms":                  alarms(t),
		"commands":                commandLines(t),
		"drawbridge-hub":          parameters(t, template.Hub),
		"drawbridge-member":       parameters(t, template.Member),
		"drawbridge-organization": parameters(t, template.Organization),
	} {
		if len(rows) < 4 {
			t.Fatalf("the table %s has %d rows", mark, len(rows))
		}
		holdTable(t, "reference.md", mark, strings.Join(rows, "\n")+"\n")
	}
}

// SCOPE.md says of each kind of database that is not served what to do instead, and names those that are.
func TestScopeIsThatOfTheCode(t *testing.T) {
	rows, text := table("kind of database", "instead"), documents(t)["SCOPE.md"]
	for _, k := range database.Kinds {
		if k.Remedy != "" {
			rows = append(rows, row(k.Name, k.Remedy))
		} else if !strings.Contains(text, k.Name) {
			t.Errorf("SCOPE.md does not say that it serves: %s", k.Name)
		}
	}
	holdTable(t, "../SCOPE.md", "kinds", strings.Join(rows, "\n")+"\n")
}

// row is one line of a table.
func row(cells ...string) string {
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", "\\|")
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// table begins a table with its head.
func table(heads ...string) []string {
	return []string{row(heads...), strings.Repeat("| --- ", len(heads)) + "|"}
}

// ticked is words as code, with commas.
func ticked(words []string) string {
	if len(words) == 0 {
		return "–"
	}
	return "`" + strings.Join(words, "`, `") + "`"
}

// list is a value of a template that may be one text or several.
type list []string

func (l *list) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = list{one}
		return nil
	}
	var many []string
	if json.Unmarshal(text, &many) == nil {
		*l = many
	}
	return nil // what is neither is a reference to another part of the template
}

// resource is what the tables want to know of a part of a template.
type resource struct {
	Type       string
	Properties struct {
		Name, ScheduleExpression, Description any
		EventPattern                          struct {
			Source list
			Type   list `json:"detail-type"`
			Detail struct {
				EventName, Name list
				Or              []struct{ EventName list } `json:"$or"`
			}
		}
		AlarmName, AlarmDescription string
		AlarmActions                []any
		RoleName                    string
		Policies                    []json.RawMessage
	}
}

// resources are the parts of a template of one type, in the order of their ids.
func resources(t *testing.T, text, kind string) []resource {
	t.Helper()
	var whole struct{ Resources map[string]resource }
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		t.Fatal(err)
	}
	var all []resource
	for _, id := range slices.Sorted(maps.Keys(whole.Resources)) {
		if r := whole.Resources[id]; r.Type == kind {
			all = append(all, r)
		}
	}
	return all
}

// heard are the rules of a template, what they match and what they do with it.
func heard(t *testing.T, text string) []string {
	rows := []string{}
	for _, r := range resources(t, text, "AWS::Events::Rule") {
		p := r.Properties
		what := strings.Join(p.EventPattern.Type, ", ")
		if len(p.EventPattern.Source) > 0 {
			what += ", of " + ticked(p.EventPattern.Source)
		}
		names := slices.Concat(p.EventPattern.Detail.EventName, p.EventPattern.Detail.Name)
		for _, either := range p.EventPattern.Detail.Or {
			names = append(names, either.EventName...)
		}
		slices.Sort(names)
		if names = slices.Compact(names); len(names) > 0 {
			what += ": " + ticked(names)
		}
		if p.ScheduleExpression != nil {
			what = "the clock"
		}
		rows = append(rows, row("`"+fmt.Sprint(p.Name)+"`", what, strings.TrimSuffix(fmt.Sprint(p.Description), ".")))
	}
	slices.Sort(rows)
	return append(table("rule", "matches", "what for"), rows...)
}

// announced are the kinds of events that pkg/notice has, each with its row in events/README.md.
func announced(t *testing.T) []string {
	said := documents(t)["events/README.md"]
	rows := table("detail-type", "when")
	for _, c := range constants(t, "../pkg/notice", "Kind") {
		m := regexp.MustCompile("(?m)^\\| `[a-z-]+\\.json` \\| `" + c.value + "` \\| ([^|]+) \\|").FindStringSubmatch(said)
		if m == nil {
			t.Errorf("events/README.md does not say when %s is announced", c.value)
			continue
		}
		rows = append(rows, row("`"+c.value+"`", m[1]))
	}
	return rows
}

// constant is one constant of the code.
type constant struct{ value, about string }

// constants are those of a type, in a package, in the order of the files.
func constants(t *testing.T, dir, typ string) []constant {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found no code in %s: %v", dir, err)
	}
	var all []constant
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != typ {
				return true
			}
			for _, v := range spec.Values {
				if text, err := strconv.Unquote(v.(*ast.BasicLit).Value); err == nil {
					about := spec.Comment.Text()
					if about == "" {
						about = spec.Doc.Text()
					}
					all = append(all, constant{text, strings.TrimSuffix(strings.Join(strings.Fields(about), " "), ".")})
				}
			}
			return true
		})
	}
	if len(all) < 4 {
		t.Fatalf("%s has %d constants of the type %s", dir, len(all), typ)
	}
	return all
}

// machineFiles are the machines in readable form, by name.
func machineFiles(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../infra/template/*.asl.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no machines: %v", err)
	}
	all := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".asl.json")] = string(text)
	}
	return all
}

// endsByMachine are the end states of each machine, each with its entry in the runbook.
func endsByMachine(t *testing.T) []string {
	headings, machines := entries(t), machineFiles(t)
	rows := table("machine", "ends in")
	for _, name := range slices.Sorted(maps.Keys(machines)) {
		var m struct {
			States map[string]struct{ Type string }
		}
		if err := json.Unmarshal([]byte(machines[name]), &m); err != nil {
			t.Fatal(err)
		}
		var links []string
		for _, state := range slices.Sorted(maps.Keys(m.States)) {
			if m.States[state].Type != "Succeed" {
				continue
			}
			anchor := strings.ToLower(state)
			if !slices.Contains(headings, state) {
				anchor += "-end-state"
			}
			links = append(links, "["+state+"](runbook.md#"+anchor+")")
		}
		if len(links) == 0 {
			t.Fatalf("%s has no end", name)
		}
		rows = append(rows, row("`drawbridge-"+name+"`", strings.Join(links, ", ")))
	}
	return rows
}

// actions are those that policies allow, without what only says where a function writes its log and how it enters a member.
func actions(t *testing.T, policies []json.RawMessage) []string {
	t.Helper()
	seen := map[string]bool{}
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, each := range v {
				walk(each)
			}
		case map[string]any:
			for key, each := range v {
				if key != "Action" {
					walk(each)
					continue
				}
				names, several := each.([]any)
				if !several {
					names = []any{each}
				}
				for _, name := range names {
					if n := name.(string); n != "sts:AssumeRole" && !strings.HasPrefix(n, "logs:") {
						seen[n] = true
					}
				}
			}
		}
	}
	for _, raw := range policies {
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			t.Fatal(err)
		}
		walk(value)
	}
	return slices.Sorted(maps.Keys(seen))
}

// roles are what each function may do: in the hub, and in a member with the role of the same name there.
func roles(t *testing.T) []string {
	used := map[string][]string{}
	for name, text := range machineFiles(t) {
		for _, m := range regexp.MustCompile(`"\$\{([A-Za-z]+)\}"`).FindAllStringSubmatch(text, -1) {
			if !slices.Contains(used[m[1]], name) {
				used[m[1]] = append(used[m[1]], name)
			}
		}
	}
	member := map[string][]string{}
	for _, r := range resources(t, template.Member, "AWS::IAM::Role") {
		member[r.Properties.RoleName] = actions(t, r.Properties.Policies)
	}
	rows := table("state", "machines", "in the hub", "reads in members", "changes in members")
	var lines []string
	for _, r := range resources(t, template.Hub, "AWS::IAM::Role") {
		about, ok := strings.CutPrefix(fmt.Sprint(r.Properties.Description), "Drawbridge's function for the ")
		if !ok {
			continue
		}
		kind, state, _ := strings.Cut(strings.TrimSuffix(about, "."), " ")
		slices.Sort(used[state])
		machines := strings.Join(used[state], ", ")
		if kind == "listener" {
			machines = "none: a rule starts it"
		}
		reads, writes := []string{}, []string{}
		for _, action := range member["drawbridge-member-"+strings.TrimPrefix(r.Properties.RoleName, "drawbridge-")] {
			if mode.Reads(action) {
				reads = append(reads, action)
			} else {
				writes = append(writes, action)
			}
		}
		if machines == "" {
			t.Errorf("no machine has the state %s", state)
		}
		lines = append(lines, row("`"+state+"`", machines, ticked(actions(t, r.Properties.Policies)), ticked(reads), ticked(writes)))
	}
	slices.Sort(lines)
	return append(rows, lines...)
}

// metrics are those that the functions count.
func metrics(t *testing.T) []string {
	rows := table("metric", "counts")
	for _, c := range constants(t, "../pkg/workflow", "Metric") {
		about := strings.NewReplacer("[", "", "]", "").Replace(strings.TrimPrefix(c.about, c.value+" are "))
		rows = append(rows, row("`"+c.value+"`", about))
	}
	return rows
}

// alarms are those of the hub.
func alarms(t *testing.T) []string {
	rows := table("alarm", "goes off when", "tells")
	for _, r := range resources(t, template.Hub, "AWS::CloudWatch::Alarm") {
		tells := "nobody: a notification says more"
		if len(r.Properties.AlarmActions) > 0 {
			tells = "the topic `drawbridge-notifications`"
		}
		rows = append(rows, row("`"+r.Properties.AlarmName+"`", strings.TrimSuffix(r.Properties.AlarmDescription, "."), tells))
	}
	return rows
}

// commandLines are the commands of drawbridge, from its own help.
func commandLines(t *testing.T) []string {
	text, err := os.ReadFile("../cmd/drawbridge/testdata/help/drawbridge.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "\nCommands:\n")
	list, _, found := strings.Cut(list, "\n\nRun ")
	if !found {
		t.Fatal("the help of drawbridge lists no commands")
	}
	list = regexp.MustCompile(`\n {10,}`).ReplaceAllString(list, " ")
	rows := table("command", "does")
	for line := range strings.Lines(list) {
		m := regexp.MustCompile(`^  (\S+(?: \S+)?) {2,}(.+)\.\n?$`).FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("the help of drawbridge has the line %q", line)
		}
		rows = append(rows, row("`drawbridge "+m[1]+"`", m[2]))
	}
	return rows
}

// parameters are those of a template. The values that the tests use for organization and accounts are nobody's default.
func parameters(t *testing.T, text string) []string {
	t.Helper()
	var whole struct {
		Parameters map[string]struct{ AllowedPattern, Default, Description string }
	}
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		t.Fatal(err)
	}
	rows := table("parameter", "says", "form")
	for _, name := range slices.Sorted(maps.Keys(whole.Parameters)) {
		p := whole.Parameters[name]
		form := "any text"
		if p.AllowedPattern != "" {
			form = "`" + p.AllowedPattern + "`"
		}
		rows = append(rows, row("`"+name+"`", strings.TrimSuffix(p.Description, "."), form))
	}
	return rows
}
