package survey_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Who has no security group but one that its owner keeps out is no client, and a notebook is not served; a database of the kind is withheld. Where nothing is open to anybody,
// only what the entry notes is read. Where a policy forbids to keep things out nobody is, and the owner hears of what no database has.
func TestWhoseGroupsAreKeptOut(t *testing.T) {
	for name, c := range map[string]struct {
		open        bool
		noted, kept []string
		clients     string
		served      int // notebooks
		reads       int // of groups
		forbids     string
		hears       string
	}{
		"none is":                     {true, nil, nil, "[function both] [function one] [function two] [notebook nb]", 1, 1, "", ""},
		"one is":                      {true, nil, []string{"sg-1"}, "[function both] [function two]", 0, 1, "", ""},
		"it is nobody's":              {true, nil, []string{"sg-9"}, "[function both] [function one] [function two] [notebook nb]", 1, 1, "", ""},
		"it was, and is no more":      {true, []string{"sg-1"}, nil, "[function both] [function one] [function two] [notebook nb]", 1, 1, "", ""},
		"nothing is open, none noted": {false, nil, []string{"sg-1"}, "", 1, 0, "", ""},
		"nothing is open, one is":     {false, []string{"sg-1"}, []string{"sg-1"}, "", 0, 1, "", ""},
		"nothing is open, it was":     {false, []string{"sg-1"}, nil, "", 1, 1, "", ""},
		"one is, and may not be":      {true, nil, []string{"sg-1"}, "[function both] [function one] [function two] [notebook nb]", 1, 1, "no-islands", ""},
		"a client's alone may not be": {true, nil, []string{"sg-3"}, "[function both] [function one] [function two] [notebook nb]", 1, 1, "no-islands", "sg-3"},
		"nothing is open, nor may be": {false, []string{"sg-1"}, []string{"sg-1"}, "", 1, 0, "no-islands", ""},
	} {
		l := &lab{subnet: "subnet-a", kept: c.kept, functions: map[string][2][]string{"one": {{"subnet-a"}, {"sg-1"}}, "two": {{"subnet-a"}, {"sg-2"}}, "both": {{"subnet-a"}, {"sg-1", "sg-2"}}}}
		if c.hears != "" {
			l.functions["two"] = [2][]string{{"subnet-a"}, {"sg-2", c.hears}}
		}
		a, b := sides()
		a.Consumer, a.Noted, a.Overruled = true, c.noted, c.forbids
		if c.open {
			a.AllowedDatabases = []workflow.AllowedDatabase{{Database: "own", Port: 5432, Groups: []string{"sg-1"}}, {Database: "more", Port: 5432, Groups: []string{"sg-1", "sg-2"}}}
			b.AllowedDatabases = []workflow.AllowedDatabase{{Database: "db", Port: 3306, Subnets: []string{"subnet-d"}, CIDRs: prefixes("10.2.0.0/24")}}
		}
		facts := func(v workflow.VPC) *workflow.Facts { return &workflow.Facts{VPC: v} }
		one := &survey.SideFacts{Side: &a, Here: facts(a.VPC), There: facts(b.VPC), Subnets: []route.Subnet{{ID: "subnet-a", V4: prefixes("10.1.0.0/24")[0]}}}
		other := &survey.SideFacts{Side: &b, Here: facts(b.VPC), There: facts(a.VPC)}
		s := survey.Surveyor{Set: policy.Default(), Enter: func(at event.Place) survey.Clients {
			if at.Account == alpha {
				return survey.Clients{EC2: l, SageMaker: l, Lambda: l}
			}
			nobody := &lab{subnet: "subnet-z"}
			return survey.Clients{EC2: nobody, SageMaker: nobody, Lambda: nobody}
		}}
		survey.Appoint(&a, &b)
		batches, err := s.Consume(t.Context(), one, other)
		if err != nil {
			t.Fatal(name, err)
		}
		var clients []string
		for _, c := range a.Clients {
			clients = append(clients, fmt.Sprint(c.Names))
		}
		served, left := 0, ""
		for _, batch := range batches {
			if batch.Account == alpha && batch.Left == "" {
				served += len(batch.Names)
			}
			left += batch.Left
		}
		reads := len(slices.DeleteFunc(slices.Clone(l.reads), func(r string) bool { return r != "groups" }))
		if got := strings.Join(clients, " "); got != c.clients || served != c.served || (served == 0) != strings.Contains(left, "sg-1") || reads != c.reads {
			t.Errorf("%s: the clients are %s, %d notebooks are served, groups were read %d times", name, got, served, reads)
		}
		if got := strings.Join(a.Unheeded, "; "); (got != "") != (c.hears != "") || !strings.HasPrefix(got, c.hears) || got != "" && !strings.Contains(got, "which policy no-islands forbids") {
			t.Errorf("%s: its owner hears %q", name, got)
		}
		is := slices.Equal(c.kept, []string{"sg-1"}) && c.forbids == ""
		if got := fmt.Sprint(a.Apart); got != fmt.Sprint([]string{"sg-1"}[:map[bool]int{true: 1}[is && (c.open || c.noted != nil)]]) {
			t.Errorf("%s: kept out are %s", name, got)
		}
		if !c.open {
			continue
		}
		if w := a.AllowedDatabases[0].Withheld; (w != nil) != is || w != nil && (!w.Kept || w.Owner != alpha || !strings.Contains(w.Detail, "sg-1")) || a.AllowedDatabases[1].Withheld != nil {
			t.Errorf("%s: withheld are %+v, %+v", name, w, a.AllowedDatabases[1].Withheld)
		}
		told := slices.ContainsFunc(one.Unclear, func(h workflow.Hop) bool { return h.Hop == "notebook nb" && strings.Contains(h.Detail, "sg-1") })
		if told != is || fmt.Sprint(b.Callers.Apart) != fmt.Sprint(a.Apart) {
			t.Errorf("%s: told are %v, and who is called may not refer to %v", name, one.Unclear, b.Callers.Apart)
		}
	}
}
