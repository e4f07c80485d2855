package policy_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced is a piece of Cedar in the guide.
var fenced = regexp.MustCompile("(?s)```cedar\n(.*?)```")

// What the guide suggests to add can be added.
func TestTheGuidesExamplesParse(t *testing.T) {
	examples := fenced.FindAllStringSubmatch(guide(t), -1)
	if len(examples) < 4 {
		t.Fatalf("found %d examples", len(examples))
	}
	for _, example := range examples {
		mustParse(t, example[1])
		mustParse(t, policy.DefaultText()+example[1])
	}
}

// What the guide says about its examples is so.
func TestTheGuidesExamplesDoWhatTheySay(t *testing.T) {
	examples := fenced.FindAllStringSubmatch(guide(t), -1)
	with := func(id string) *policy.Set {
		at := slices.IndexFunc(examples, func(e []string) bool { return strings.Contains(e[1], `@id("`+id+`")`) })
		if at < 0 {
			t.Fatalf("no example has the id %s", id)
		}
		return mustParse(t, policy.DefaultText()+examples[at][1])
	}
	science, store := analytics(), data()
	science.Account.OUPath, store.Account.OUPath = "o-a1/r-ab12/ou-ab12-sciences/", "o-a1/r-ab12/ou-ab12-datadata/ou-ab12-finance1/"
	platform := analytics()
	platform.Account.ID, platform.Region = "333333333333", "eu-central-1"
	elsewhere := platform
	elsewhere.Region = "us-east-1"
	laboratory := withCIDRs(analytics(), "10.1.0.0/16", "10.99.7.0/24")
	oracle := database("drawbridge:share=true")
	oracle.Engine = "oracle-ee"

	for name, c := range map[string]struct {
		got   policy.Decision
		allow bool
		by    string
	}{
		"one account to a unit":           {with("accept-from-analytics").Answer(science, store, policy.Context{}), true, "accept-from-analytics"},
		"a unit to a unit":                {with("accept-science-to-data").Answer(science, store, policy.Context{}), true, "accept-science-to-data"},
		"not the other way":               {with("accept-science-to-data").Answer(store, science, policy.Context{}), false, "only-science-to-data"},
		"but routes back":                 {with("accept-science-to-data").Route(store, science, policy.Context{}), true, "route-both-ways"},
		"no laboratory":                   {with("laboratory-stays-alone").Answer(laboratory, data("drawbridge:accept=auto"), policy.Context{}), false, "laboratory-stays-alone"},
		"no routes to it either":          {with("laboratory-stays-alone").Route(data(), laboratory, policy.Context{}), false, "laboratory-stays-alone"},
		"others connect":                  {with("laboratory-stays-alone").Answer(analytics(), data("drawbridge:accept=auto"), policy.Context{}), true, "accept-auto"},
		"the platform account":            {with("accept-from-platform").Accept(platform, data(), policy.Context{}), true, "accept-from-platform"},
		"not to production":               {with("accept-from-platform").Accept(platform, data("stage=prod"), policy.Context{}), false, policy.DefaultDeny},
		"not to another Region":           {with("accept-from-platform").Accept(elsewhere, data(), policy.Context{}), false, policy.DefaultDeny},
		"the data unit keeps nothing out": {with("no-islands").Exclude(science, store, policy.Context{}), false, "no-islands"},
		"others do":                       {with("no-islands").Exclude(store, science, policy.Context{}), true, policy.DefaultPermit},
		"MySQL is opened":                 {with("open-known-engines").Open(analytics(), database("drawbridge:share=true"), policy.Context{}), true, "open-shared"},
		"Oracle is not, whatever a tag":   {with("open-known-engines").Open(analytics(), oracle, policy.Context{}), false, "open-known-engines"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.got.Allowed != c.allow || c.got.Policy != c.by {
				t.Errorf("got %+v, want %v by %s", c.got, c.allow, c.by)
			}
		})
	}
}

// The guide has a word on everything that the schema has.
func TestTheGuideKnowsEveryWordOfTheSchema(t *testing.T) {
	text := guide(t)
	words := regexp.MustCompile(`(?m)^    (\w+): `).FindAllStringSubmatch(policy.SchemaText(), -1)
	if len(words) < 10 {
		t.Fatalf("found %d attributes in the schema", len(words))
	}
	for _, word := range words {
		if !strings.Contains(text, "`"+word[1]+"`") && !strings.Contains(text, "`context."+word[1]+"`") {
			t.Errorf("docs/policy.md does not say what %s is", word[1])
		}
	}
	for _, action := range policy.Actions() {
		if !strings.Contains(text, "| `"+string(action)+"` |") {
			t.Errorf("docs/policy.md does not say what %s is", action)
		}
	}
	for _, name := range []string{policy.DefaultDeny, policy.DefaultPermit, policy.MissingFacts} {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/policy.md does not say what %s is", name)
		}
	}
}
