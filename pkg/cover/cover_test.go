package cover

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestWeigh(t *testing.T) {
	a, b, c := []string{"a"}, []string{"a", "b"}, []string{"a", "b", "c"}
	for name, w := range map[string]struct {
		old     ledger.Approval
		answer  string
		now     []string
		stands  bool
		covered []string
		waits   []string
	}{
		"nobody answered":                         {ledger.Approval{First: a, Shown: a}, "", a, false, nil, a},
		"the first question":                      {ledger.Approval{First: a, Shown: a}, "approved", a, false, a, nil},
		"the first, and more came meanwhile":      {ledger.Approval{First: a, Shown: a}, "approved", b, true, a, []string{"b"}},
		"the first, and the second was asked":     {ledger.Approval{First: a, Shown: b}, "approved", b, true, a, []string{"b"}},
		"the second by its name":                  {ledger.Approval{First: a, Shown: b}, "approved-" + Digest(b), b, true, b, nil},
		"the first by its name":                   {ledger.Approval{First: a, Shown: b}, "approved-" + Digest(a), b, true, a, []string{"b"}},
		"before anybody asked":                    {ledger.Approval{}, "approved", b, false, b, nil},
		"accepted by hand after the question":     {ledger.Approval{First: a, Shown: b}, "", c, true, b, []string{"c"}},
		"accepted by hand before":                 {ledger.Approval{}, "", b, true, b, nil},
		"an old answer answers no new question":   {ledger.Approval{Covered: a, First: a, Shown: []string{"b"}}, "approved", b, true, a, []string{"b"}},
		"a later question by its name":            {ledger.Approval{Covered: a, First: a, Shown: []string{"b"}}, "approved-" + Digest([]string{"b"}), c, true, b, []string{"c"}},
		"a question that is not asked any more":   {ledger.Approval{Covered: a, First: a, Shown: []string{"c"}}, "approved-" + Digest([]string{"b"}), b, true, a, []string{"b"}},
		"a name that nobody gave":                 {ledger.Approval{Covered: a}, "approved-00000000", b, true, a, []string{"b"}},
		"the digest of no question":               {ledger.Approval{Covered: a}, "approved-" + Digest(nil), b, true, a, []string{"b"}},
		"all":                                     {ledger.Approval{Covered: a}, "approved-all", c, true, c, nil},
		"all, before anybody asked":               {ledger.Approval{}, "approved-all", b, false, b, nil},
		"what was approved stays so without tags": {ledger.Approval{Covered: b}, "", b, true, b, nil},
		"what went is still approved":             {ledger.Approval{Covered: b}, "approved", a, true, b, nil},
		"rejected":                                {ledger.Approval{First: a, Shown: a}, "rejected", a, false, nil, a},
	} {
		t.Run(name, func(t *testing.T) {
			got, waits := Weigh(w.old, w.answer, w.now, w.stands)
			if !slices.Equal(got.Covered, w.covered) || !slices.Equal(waits, w.waits) {
				t.Errorf("covered %v, waits %v; want %v, %v", got.Covered, waits, w.covered, w.waits)
			}
		})
	}
}

// Whatever comes and is answered in whatever order: nothing is covered that no question showed and that was not there when all was approved, and
// what was covered once and is still there stays so.
func TestNothingIsCoveredThatWasNotShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a ledger.Approval
		names := []string{"a", "b", "c", "d", "e"}
		now := []string{"a"}
		shown := map[string]bool{}
		stands, begun := false, false
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			answer := ""
			switch rapid.SampledFrom([]string{"comes", "goes", "ask", "approved", "named", "stale", "all", "hand"}).Draw(t, "step") {
			case "comes":
				now = Lines(append(slices.Clone(now), rapid.SampledFrom(names).Draw(t, "name"))...)
			case "goes":
				if len(now) > 1 {
					now = now[1:]
				}
			case "ask":
				lines := now
				if stands {
					lines = Beyond(now, a.Covered)
				}
				if len(lines) == 0 || Told(a, lines) {
					continue
				}
				value := Answer(a, lines)
				a = Ask(a, lines)
				a.Told = Digest(a.Shown)
				for _, l := range lines {
					shown[l] = true
				}
				if got, _ := Weigh(a, value, now, stands); len(Beyond(lines, got.Covered)) > 0 {
					t.Fatalf("%s does not approve %v: %+v", value, lines, got)
				}
			case "approved":
				answer = "approved"
			case "named":
				answer = "approved-" + Digest(a.Shown)
			case "stale":
				answer = "approved-" + Digest(rapid.SliceOf(rapid.SampledFrom(names)).Draw(t, "other"))
			case "all":
				answer = "approved-all"
			case "hand":
				stands = true
			}
			asked := len(a.First)+len(a.Shown) > 0
			if !stands && !Approves(answer, a) {
				continue
			}
			stands = true
			next, waits := Weigh(a, answer, now, stands)
			for _, l := range next.Covered {
				if !slices.Contains(a.Covered, l) && !shown[l] && answer != "approved-all" && (asked || begun) {
					t.Fatalf("%q covers %s, which nobody was shown: %+v → %+v", answer, l, a, next)
				}
			}
			if gone := Beyond(a.Covered, next.Covered); len(gone) > 0 {
				t.Fatalf("%v was approved and is not any more", gone)
			}
			if !slices.Equal(waits, Beyond(now, next.Covered)) {
				t.Fatalf("waits %v", waits)
			}
			a, begun = next, true
		}
	})
}

func TestMuchThatWentIsForgotten(t *testing.T) {
	var now, gone []string
	for n := range most {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 0}), 24)
		now, gone = append(now, Range(p)), append(gone, Database(workflow.AllowedDatabase{Database: p.String(), Engine: "mysql", Port: 3306}))
	}
	got, waits := Weigh(ledger.Approval{Covered: Lines(gone...)}, "approved-all", Lines(now...), true)
	if !slices.Equal(got.Covered, Lines(now...)) || len(waits) > 0 {
		t.Errorf("%d lines are covered, %d wait", len(got.Covered), len(waits))
	}
}

func TestAnswersSayWhichQuestionTheyAreTo(t *testing.T) {
	a := Ask(ledger.Approval{}, []string{"a"})
	if got := Answer(ledger.Approval{}, []string{"a"}); got != "approved" {
		t.Errorf("the first question is answered by %s", got)
	}
	if got, want := Answer(a, []string{"a", "b"}), "approved-"+Digest([]string{"a", "b"}); got != want || len(got) != len("approved-")+8 {
		t.Errorf("the second is answered by %s, want %s", got, want)
	}
	for answer, want := range map[string]bool{"approved": true, "approved-all": true, "approved-" + Digest([]string{"a"}): true, "approved-00000000": false, "rejected": false, "": false} {
		if got := Approves(answer, a); got != want {
			t.Errorf("%q approves: %v", answer, got)
		}
	}
}

func TestTheQuestionThatIsOpen(t *testing.T) {
	for name, c := range map[string]struct {
		a    ledger.Approval
		want bool
	}{
		"nobody was asked again": {ledger.Approval{Covered: []string{"a"}}, false},
		"something waits":        {ledger.Approval{Covered: []string{"a"}, Shown: []string{"a", "b"}}, true},
		"it was approved":        {ledger.Approval{Covered: []string{"a", "b"}, Shown: []string{"b"}}, false},
		"all is approved":        {ledger.Approval{Covered: []string{"a", All}, Shown: []string{"b"}}, false},
		"the first question":     {ledger.Approval{First: []string{"a"}, Shown: []string{"a"}}, false},
	} {
		got := Question(c.a)
		if (got != "") != c.want || c.want && !strings.HasPrefix(got, "drawbridge:approval=approved-"+Digest(c.a.Shown)+" ") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
