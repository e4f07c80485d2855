package lifecycle_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	. "github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func p(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func ps(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range texts {
		out = append(out, p(t))
	}
	return out
}

func config(script string) *Configuration {
	return &Configuration{Name: "owners", OnStart: []byte(script)}
}

var toProducer = Edit{Subnet: p("10.1.0.0/24"), Destinations: ps("10.2.0.0/16")}

// planned plans once and returns the configuration as it is afterwards.
func planned(t interface {
	Helper()
	Fatalf(string, ...any)
}, c *Configuration, edits ...Edit) *Configuration {
	t.Helper()
	change, err := Plan(c, edits...)
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	if change.None() {
		return c
	}
	out := &Configuration{Name: "drawbridge-subnet-1", OnStart: change.OnStart}
	if c != nil {
		out.Name, out.OnCreate = c.Name, c.OnCreate
	}
	return out
}

func ExamplePlan() {
	current := &Configuration{Name: "team-setup", OnStart: []byte("#!/bin/bash\nset -e\npip install awswrangler\n")}
	change, err := Plan(current, Edit{Subnet: p("10.1.0.0/24"), Destinations: ps("10.2.0.0/16")})
	if err != nil {
		fmt.Println(err)
	}
	lines := strings.Split(string(change.OnStart), "\n")
	fmt.Println(lines[0])
	fmt.Println(lines[1][:36] + "…")
	for _, l := range lines {
		if strings.HasPrefix(l, "line ") && !strings.HasSuffix(l, "{") {
			fmt.Println("…", l)
		}
	}
	fmt.Println(strings.Join(lines[len(lines)-4:], "\n"))
	// Output:
	// #!/bin/bash
	// # >>> drawbridge host routes v1 sha2…
	// … line 10.1.0.0/24 10.2.0.0/16
	// # <<< drawbridge host routes <<<
	// set -e
	// pip install awswrangler
}

func TestPlan(t *testing.T) {
	const owner = "#!/bin/bash\necho hello\n"
	merged := string(planned(t, config(owner), toProducer).OnStart)
	inBlock := func(script, old, with string) string {
		if !strings.Contains(script, old) {
			t.Fatalf("the script has no %q", old)
		}
		return strings.Replace(script, old, with, 1)
	}
	cut := func(script, from, to string) string {
		i, j := strings.Index(script, from), strings.Index(script, to)
		return script[:i] + script[j:]
	}
	for name, c := range map[string]struct {
		current *Configuration
		edits   []Edit
		want    string // what kind of change, or a part of the conflict
		script  string // a part of the script
	}{
		"no configuration and routes makes one":                 {nil, []Edit{toProducer}, "create", "#!/bin/sh\n# >>> drawbridge"},
		"no configuration and no routes is nothing":             {nil, nil, "none", ""},
		"an owner's script gets the block after the shebang":    {config(owner), []Edit{toProducer}, "update", "#!/bin/bash\n# >>> drawbridge"},
		"a script without a shebang gets the block at the top":  {config("echo hello"), []Edit{toProducer}, "update", "# <<< drawbridge host routes <<<\necho hello"},
		"a configuration without on-start gets one":             {&Configuration{Name: "c", OnCreate: "eA=="}, []Edit{toProducer}, "update", "#!/bin/sh\n# >>> drawbridge"},
		"the same again is nothing":                             {config(merged), []Edit{toProducer}, "none", ""},
		"setting what is set is nothing":                        {config(merged), []Edit{{p("10.1.0.0/24"), Set, ps("10.2.0.0/16")}}, "none", ""},
		"a destination more joins the line":                     {config(merged), []Edit{{p("10.1.0.0/24"), Add, ps("10.0.0.0/16", "10.2.0.0/16")}}, "update", "\nline 10.1.0.0/24 10.0.0.0/16 10.2.0.0/16\n}"},
		"another subnet has its own line":                       {config(merged), []Edit{{p("10.1.1.0/24"), Add, ps("10.3.0.0/16")}}, "update", "\nline 10.1.0.0/24 10.2.0.0/16\nline 10.1.1.0/24 10.3.0.0/16\n}"},
		"IPv6 destinations stand in the line of the subnet":     {config(owner), []Edit{{p("10.1.0.0/24"), Add, ps("2600:1f18::/56", "10.2.0.0/16")}}, "update", "\nline 10.1.0.0/24 10.2.0.0/16 2600:1f18::/56\n}"},
		"taking the last destination gives the script back":     {config(merged), []Edit{{p("10.1.0.0/24"), Remove, ps("10.2.0.0/16")}}, "update", owner},
		"taking what is not there is nothing":                   {config(owner), []Edit{{p("10.1.0.0/24"), Remove, ps("10.2.0.0/16")}}, "none", ""},
		"a block that the owner moved goes back to the top":     {config("#!/bin/bash\necho hello\n" + strings.TrimPrefix(merged, "#!/bin/bash\n")), []Edit{toProducer}, "update", "#!/bin/bash\n# >>> drawbridge"},
		"a python script is left alone":                         {config("#!/usr/bin/env python3\nprint()\n"), []Edit{toProducer}, `starts with "#!/usr/bin/env python3", so it is not a shell script`, ""},
		"a shell that does not run its file is left alone":      {config("#!/bin/bash -n\n"), []Edit{toProducer}, "not a shell script", ""},
		"a binary is left alone":                                {config("\x7fELF\x02\x01\x01\x00"), []Edit{toProducer}, "is not text", ""},
		"CRLF line ends are left alone":                         {config("#!/bin/bash\r\necho\r\n"), []Edit{toProducer}, "has CRLF line ends", ""},
		"an edited line is a conflict":                          {config(inBlock(merged, "line 10.1.0.0/24 10.2.0.0/16", "line 10.1.0.0/24 10.9.0.0/16")), []Edit{toProducer}, "edited by hand", ""},
		"an edited command is a conflict":                       {config(inBlock(merged, "sleep 1", "sleep 9")), []Edit{toProducer}, "edited by hand", ""},
		"a line added inside the block is a conflict":           {config(inBlock(merged, "n=0 found", "echo mine\nn=0 found")), []Edit{toProducer}, "edited by hand", ""},
		"the end alone is a conflict":                           {config(cut(merged, "# >>> drawbridge", "lines() {")), []Edit{toProducer}, "end of Drawbridge's block without its beginning", ""},
		"the beginning alone is a conflict":                     {config(cut(merged, "# <<< drawbridge", "echo hello")), []Edit{toProducer}, "beginning of Drawbridge's block without its end", ""},
		"the block twice is a conflict":                         {config(merged + strings.TrimPrefix(merged, "#!/bin/bash\n")), []Edit{toProducer}, "block twice", ""},
		"an edited marker is a conflict":                        {config(inBlock(merged, " v1 sha256", " v0 sha256")), []Edit{toProducer}, "other markers", ""},
		"an indented marker is a conflict":                      {config(inBlock(merged, "# <<< drawbridge", "  # <<< drawbridge")), []Edit{toProducer}, "other markers", ""},
		"a conflict keeps even the last route":                  {config(inBlock(merged, "sleep 1", "sleep 9")), []Edit{{p("10.1.0.0/24"), Set, nil}}, "edited by hand", ""},
		"too long a script is a conflict":                       {config("#!/bin/bash\n" + strings.Repeat("# 3456789\n", 1100)), []Edit{toProducer}, "SageMaker takes 16384", ""},
		"IPv4 for an IPv6 subnet is invalid":                    {config(owner), []Edit{{p("2600:1f18::/64"), Add, ps("10.2.0.0/16")}}, "is IPv4, but", ""},
		"a default route is invalid":                            {config(owner), []Edit{{p("10.1.0.0/24"), Add, ps("0.0.0.0/0")}}, "default route", ""},
		"a container bridge is invalid":                         {config(owner), []Edit{{p("10.1.0.0/24"), Add, ps("172.17.0.0/16")}}, "containers", ""},
		"a part of a container bridge is invalid":               {config(owner), []Edit{{p("10.1.0.0/24"), Add, ps("172.18.4.0/24")}}, "containers", ""},
		"a wide route around the container bridges is possible": {config(owner), []Edit{{p("10.1.0.0/24"), Add, ps("172.16.0.0/12")}}, "update", "line 10.1.0.0/24 172.16.0.0/12"},
		"a route into the notebook's own subnet is invalid":     {config(owner), []Edit{{p("10.1.0.0/24"), Add, ps("10.1.0.128/25")}}, "own subnet", ""},
		"a destination with host bits is invalid":               {config(owner), []Edit{{p("10.1.0.0/24"), Add, ps("10.2.0.1/16")}}, "not a masked CIDR", ""},
	} {
		t.Run(name, func(t *testing.T) {
			change, err := Plan(c.current, c.edits...)
			switch {
			case err != nil:
				kind := fault.Conflict
				if strings.HasSuffix(name, "invalid") {
					kind = fault.Invalid
				}
				if !strings.Contains(err.Error(), c.want) || fault.Of(err) != kind {
					t.Fatalf("Plan: %s %v, want %s %q", fault.Of(err), err, kind, c.want)
				}
				if kind == fault.Conflict && (!strings.Contains(err.Error(), "owners") || !strings.Contains(err.Error(), "remedy: ")) {
					t.Errorf("the conflict does not name the configuration and a remedy: %v", err)
				}
				if !change.None() || change.OnStart != nil {
					t.Errorf("a conflict comes with a change")
				}
				return
			case change.Create != (c.want == "create") || change.Update != (c.want == "update") || change.None() != (c.want == "none"):
				t.Fatalf("Plan: create %t update %t, want %s", change.Create, change.Update, c.want)
			}
			if !strings.Contains(string(change.OnStart), c.script) {
				t.Errorf("no %q in:\n%s", c.script, change.OnStart)
			}
			if strings.Contains(string(change.OnStart), "\r") {
				t.Error("the script has carriage returns")
			}
		})
	}
}

func TestAConfigurationThatIsWhollyOursEndsIdle(t *testing.T) {
	c := planned(t, nil, toProducer)
	change, err := Plan(c, Edit{Subnet: p("10.1.0.0/24"), Mode: Set})
	if err != nil || !change.Update || !change.Idle || len(change.OnStart) == 0 {
		t.Fatalf("the last route of our own configuration: %+v, %v", change, err)
	}
	if again := planned(t, &Configuration{Name: "c", OnStart: change.OnStart}, toProducer); string(again.OnStart) != string(c.OnStart) {
		t.Error("an idle configuration does not come back to life as it was")
	}
	// Not idle: an on-create script of somebody, or a line that the owner wrote under our block.
	with := &Configuration{Name: "c", OnCreate: "eA==", OnStart: c.OnStart}
	if change, err := Plan(with, Edit{Subnet: p("10.1.0.0/24"), Mode: Set}); err != nil || change.Idle || change.OnStart != nil {
		t.Errorf("with an on-create script: %+v, %v", change, err)
	}
	more := &Configuration{Name: "c", OnStart: append(slices.Clone(c.OnStart), "echo mine\n"...)}
	if change, err := Plan(more, Edit{Subnet: p("10.1.0.0/24"), Mode: Set}); err != nil || change.Idle || string(change.OnStart) != Shebang+"echo mine\n" {
		t.Errorf("with an owner's line: %+v, %v", change, err)
	}
}

func TestTwoHundredRoutesLeaveTheOwnerHalfOfTheRoom(t *testing.T) {
	edit := Edit{Subnet: p("10.100.100.0/24")}
	for i := range 200 {
		edit.Destinations = append(edit.Destinations, p(fmt.Sprintf("10.200.%d.0/24", i)))
	}
	change, err := Plan(nil, edit)
	if err != nil {
		t.Fatal(err)
	}
	if free := MaxContent*3/4 - len(change.OnStart); free < MaxContent*3/8 {
		t.Errorf("200 routes leave %d bytes to the owner", free)
	}
}

var shebangs = []string{"", "#!/bin/bash\n", "#!/bin/sh\n", "#!/usr/bin/env bash\n", "#! /bin/bash -eux\n", "#!/bin/dash\n"}

// owners draws any script that can be an owner's: any shebang of a shell, any text, with or without a final newline.
func owners(t *rapid.T) []byte {
	script := rapid.SampledFrom(shebangs).Draw(t, "shebang") + strings.Join(rapid.SliceOf(rapid.OneOf(
		rapid.StringMatching(`[ -~\t]{0,40}\n`), rapid.SampledFrom([]string{"exit 0\n", "set -euo pipefail\n", "#!/bin/bash\n", "line 1 2\n", "lines() {\n", "}\n", "\n"}),
		rapid.StringMatching(`[^\x00\r]{0,10}`))).Draw(t, "lines"), "")
	script = strings.NewReplacer("\x00", "", "\r", "", "# >>> drawbridge", "", "# <<< drawbridge", "").Replace(script)
	if rapid.Bool().Draw(t, "no final newline") {
		script = strings.TrimSuffix(script, "\n")
	}
	if script == "" || (Usable("c", []byte(script)) != nil) {
		script = "echo"
	}
	return []byte(script)
}

func edits(t *rapid.T, label string, mode *rapid.Generator[Mode]) []Edit {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Edit {
		e := Edit{Subnet: p(fmt.Sprintf("10.1.%d.0/24", rapid.IntRange(0, 2).Draw(t, "subnet"))), Mode: mode.Draw(t, "mode")}
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 9), 0, 5).Draw(t, "destinations") {
			e.Destinations = append(e.Destinations, p([]string{fmt.Sprintf("10.%d.0.0/16", 2+n), fmt.Sprintf("2600:1f18:%d::/56", n)}[n%2]))
		}
		return e
	}), 0, 8).Draw(t, label)
}

var gone = []Edit{{Subnet: p("10.1.0.0/24"), Mode: Set}, {Subnet: p("10.1.1.0/24"), Mode: Set}, {Subnet: p("10.1.2.0/24"), Mode: Set}}

func TestRemovingTheLastRouteGivesTheOriginalBytesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		owner := owners(t)
		c := &Configuration{Name: "c", OnStart: owner}
		for _, e := range edits(t, "edits", rapid.SampledFrom([]Mode{Add, Remove, Set})) {
			c = planned(t, c, e)
			if script, err := Parse("c", c.OnStart); err != nil || !slices.Equal(script.Owner, owner) {
				t.Fatalf("the owner's part became %q (%v)", script.Owner, err)
			}
		}
		if c = planned(t, c, gone...); !slices.Equal(c.OnStart, owner) {
			t.Fatalf("%q came back as %q", owner, c.OnStart)
		}
	})
}

func TestMergingTwiceIsMergingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Configuration{Name: "c", OnStart: owners(t)}
		c = planned(t, c, edits(t, "before", rapid.SampledFrom([]Mode{Add, Remove, Set}))...)
		e := edits(t, "edits", rapid.SampledFrom([]Mode{Add, Remove, Set}))
		once := planned(t, c, e...)
		if change, err := Plan(once); err != nil || !change.None() {
			t.Fatalf("a planned configuration needs a change: %v", err)
		}
		if len(e) > 0 {
			last := e[len(e)-1]
			if change, err := Plan(once, last); err != nil || !change.None() {
				t.Fatalf("the last edit again needs a change: %v", err)
			}
		}
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Configuration{Name: "c", OnStart: owners(t)}
		e := edits(t, "edits", rapid.Just(Add))
		shuffled := rapid.Permutation(e).Draw(t, "shuffled")
		for i := range shuffled {
			shuffled[i].Destinations = rapid.Permutation(shuffled[i].Destinations).Draw(t, "destinations")
		}
		one, other := c, c
		for i := range e {
			one, other = planned(t, one, e[i]), planned(t, other, shuffled[i])
		}
		if all := planned(t, c, e...); !slices.Equal(one.OnStart, other.OnStart) || !slices.Equal(one.OnStart, all.OnStart) {
			t.Fatal("another order of the same edits gives another script")
		}
	})
}

func TestOtherSubnetsStayAsTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := planned(t, &Configuration{Name: "c", OnStart: owners(t)}, edits(t, "before", rapid.Just(Add))...)
		before, _ := Parse("c", c.OnStart)
		for _, e := range edits(t, "edits", rapid.SampledFrom([]Mode{Add, Remove, Set})) {
			after, err := Parse("c", planned(t, c, e).OnStart)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range before.Lines {
				kept := slices.ContainsFunc(after.Lines, func(a Line) bool { return a.Subnet == l.Subnet && slices.Equal(a.Destinations, l.Destinations) })
				if l.Subnet != e.Subnet && !kept {
					t.Fatalf("an edit of %v changed the line of %v", e.Subnet, l.Subnet)
				}
			}
		}
	})
}

// FuzzParse holds that no configuration, however broken, makes us lose a byte of the owner's or write a block that we
// cannot read back.
func FuzzParse(f *testing.F) {
	merged, err := Plan(config("#!/bin/bash\necho\n"), toProducer)
	if err != nil {
		f.Fatal(err)
	}
	made, _ := Plan(nil, toProducer)
	idle, _ := Plan(&Configuration{Name: "c", OnStart: made.OnStart}, Edit{Subnet: toProducer.Subnet, Mode: Set})
	bare, _ := Plan(config("#!/bin/bash"), toProducer)
	for _, seed := range []string{"", "#!", "#!/bin/bash", "echo", "#!/bin/bash\r\n", string(merged.OnStart), string(made.OnStart), string(idle.OnStart), string(bare.OnStart),
		"# >>> drawbridge", "# <<< drawbridge host routes <<<\n# >>> drawbridge host routes v1 sha256:", strings.Replace(string(merged.OnStart), "10.2.0.0/16", "$(reboot)", 1)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		parsed, err := Parse("c", script)
		if err != nil {
			if fault.Of(err) != fault.Conflict {
				t.Fatalf("kind %s: %v", fault.Of(err), err)
			}
			return
		}
		c := &Configuration{Name: "c", OnStart: script}
		added, err := Plan(c, toProducer)
		if err != nil {
			return
		}
		again, err := Parse("c", added.OnStart)
		if err != nil || !slices.Equal(again.Owner, parsed.Owner) {
			t.Fatalf("the owner's part %q became %q: %v", parsed.Owner, again.Owner, err)
		}
		for _, l := range again.Lines {
			for _, text := range append([]string{l.Subnet.String()}, func() (out []string) {
				for _, d := range l.Destinations {
					out = append(out, d.String())
				}
				return out
			}()...) {
				if _, err := netip.ParsePrefix(text); err != nil {
					t.Fatalf("%q reached the script", text)
				}
			}
		}
		if change, err := Plan(&Configuration{Name: "c", OnStart: added.OnStart}, toProducer); err != nil || !change.None() {
			t.Fatalf("planning again: %+v %v", change, err)
		}
	})
}

func TestNeeded(t *testing.T) {
	r := func(destination, target string, dead bool) workflow.Route {
		return workflow.Route{Destination: p(destination), Target: target, Blackhole: dead}
	}
	table := workflow.Table{ID: "rtb-1", Routes: []workflow.Route{r("10.2.0.0/16", "pcx-1", false), r("10.3.0.0/16", "pcx-2", true), r("10.4.0.0/16", "pcx-hand", false), r("10.0.0.0/9", "tgw-1", false)}}
	connection := func(id, vpc, cidr string) ledger.Connection {
		return ledger.Connection{ID: id, Sides: []ledger.Side{{ID: vpc, CIDRs: []string{"10.1.0.0/16"}}, {ID: "vpc-9", CIDRs: []string{cidr, "172.16.0.0/16"}}}}
	}
	item := func(key string, state ledger.State) ledger.Item {
		return ledger.Item{Resource: "rtb-1", Kind: ledger.Route, Key: key, State: state}
	}
	for name, c := range map[string]struct {
		items       []ledger.Item
		connections []ledger.Connection
		asks        bool
		want        []netip.Prefix
	}{
		"nothing is managed":                              {nil, nil, false, nil},
		"its owner asks":                                  {nil, nil, true, ps("10.0.0.0/9", "10.2.0.0/16", "10.4.0.0/16")},
		"a route of the ledger's":                         {[]ledger.Item{item("10.2.0.0/16", ledger.Confirmed)}, nil, false, ps("10.2.0.0/16")},
		"one that is only wanted is reached all the same": {[]ledger.Item{item("10.4.0.0/16", ledger.Wanted)}, nil, false, ps("10.4.0.0/16")},
		"one that is leaving":                             {[]ledger.Item{item("10.2.0.0/16", ledger.Leaving)}, nil, false, nil},
		"one that is dead":                                {[]ledger.Item{item("10.3.0.0/16", ledger.Confirmed)}, nil, false, nil},
		"the owner's route to a managed peering":          {nil, []ledger.Connection{connection("pcx-1", "vpc-1", "10.2.0.0/15")}, false, ps("10.2.0.0/16")},
		"the owner's wide route to a gateway":             {nil, []ledger.Connection{connection("tgw-1:vpc-1:vpc-9", "vpc-1", "10.77.0.0/16")}, false, ps("10.77.0.0/16")},
		"the same of another VPC":                         {nil, []ledger.Connection{connection("tgw-1:vpc-2:vpc-9", "vpc-2", "10.77.0.0/16")}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Needed(table, c.items, c.connections, "vpc-1", c.asks); !slices.Equal(got, c.want) {
				t.Errorf("needs %v, want %v", got, c.want)
			}
		})
	}
}

func TestReturning(t *testing.T) {
	table := workflow.Table{ID: "rtb-1", Routes: []workflow.Route{{Destination: p("10.2.0.0/16"), Target: "pcx-1"}, {Destination: p("10.3.0.0/16"), Target: "pcx-2", Blackhole: true}}}
	item := func(key string, state ledger.State, needed ...string) ledger.Item {
		return ledger.Item{Resource: "rtb-1", Kind: ledger.Route, Key: key, State: state, Left: "pcx-1", Needed: needed}
	}
	for name, c := range map[string]struct {
		item ledger.Item
		want []netip.Prefix
	}{
		"a wider route of the owner's covers it": {item("10.2.4.0/24", ledger.Confirmed, "pcx-1"), nil},
		"a wider one that is dead does not":      {item("10.3.4.0/24", ledger.Confirmed, "pcx-1"), ps("10.3.4.0/24")},
		"its route is gone":                      {item("10.4.0.0/16", ledger.Confirmed, "pcx-1"), ps("10.4.0.0/16")},
		"its route is there":                     {item("10.2.0.0/16", ledger.Confirmed, "pcx-1"), nil},
		"its route is dead: the peering ends":    {item("10.3.0.0/16", ledger.Confirmed, "pcx-1"), nil},
		"it was taken away again":                {item("10.4.0.0/16", ledger.Contested, "pcx-1"), nil},
		"it is leaving":                          {item("10.4.0.0/16", ledger.Leaving), nil},
		"it is not made yet":                     {item("10.4.0.0/16", ledger.Intended, "pcx-1"), nil},
		"only what is being taken away needs it": {item("10.4.0.0/16", ledger.Confirmed, "pcx-9"), nil},
	} {
		if got := Returning(table, []ledger.Item{c.item}, "pcx-9"); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// The thinking half stays free of everything that acts.
func TestPlanIsPure(t *testing.T) {
	for _, name := range []string{"plan.go", "lifecycle.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		if len(file.Imports) == 0 {
			t.Fatalf("%s imports nothing: is this the right file?", name)
		}
		for _, i := range file.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			if strings.Contains(path, "aws") || slices.Contains([]string{"context", "time", "os", "log", "log/slog", "math/rand", "math/rand/v2"}, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

func TestShellcheck(t *testing.T) {
	shellcheck := ""
	for _, candidate := range []string{"../../.venv/bin/shellcheck", "shellcheck"} {
		if path, err := exec.LookPath(candidate); err == nil && shellcheck == "" {
			shellcheck = path
		}
	}
	if shellcheck == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no shellcheck: pip install -r pkg/lifecycle/requirements.txt")
		}
		t.Skip("no shellcheck: pip install -r pkg/lifecycle/requirements.txt")
	}
	edit := Edit{Subnet: p("10.1.0.0/24"), Destinations: ps("10.2.0.0/16", "2600:1f18::/56")}
	for name, c := range map[string]*Configuration{"made": nil, "merged": config("#!/bin/bash\nset -e\necho hello\n"), "bare": config("echo hello\n")} {
		file := filepath.Join(t.TempDir(), name+".sh")
		if err := os.WriteFile(file, planned(t, c, edit).OnStart, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, dialect := range []string{"sh", "bash", "dash"} {
			if out, err := exec.Command(shellcheck, "--shell", dialect, file).CombinedOutput(); err != nil {
				t.Errorf("%s as %s:\n%s", name, dialect, out)
			}
		}
	}
}
