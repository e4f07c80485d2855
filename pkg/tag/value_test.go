package tag_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

const a, b = "111111111111", "222222222222"

// A form is compiled when it is asked for, which would be late to find that it is none.
func TestEveryFormIsOne(t *testing.T) {
	seen := 0
	for _, service := range tag.Services() {
		for _, kind := range tag.KindsOf(service) {
			for _, form := range []*tag.Form{kind.Naming().Form, kind.Naming().InARN} {
				if seen++; form != nil && form.MatchString("not a name or an id") {
					t.Errorf("%s: anything has the form of one", kind)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("there are no kinds")
	}
}

// Tests try every tag on the example of its kind: see package tagtest.
func TestEveryKindHasItsNaming(t *testing.T) {
	for _, w := range tag.Wishes {
		of := w.On.Naming()
		switch {
		case of.Form == nil:
			t.Errorf("namings in pkg/tag/kind.go does not have the %s", w.On)
		case !of.Form.MatchString(of.Example) && (of.InARN == nil || !of.InARN.MatchString(of.Example)):
			t.Errorf("namings in pkg/tag/kind.go: the example %q of a %s has not its form", of.Example, w.On)
		}
	}
}

func TestARemedyIsASentence(t *testing.T) {
	for on, want := range map[tag.Kind]string{tag.Group: "write none", tag.VPC: "write vpc"} {
		if got := wish(t, on, tag.Reach).Remedy(); got != want {
			t.Errorf("of %s on a %s: %q, want %q", tag.Reach, on, got, want)
		}
	}
}

func wish(t *testing.T, kind tag.Kind, key string) tag.Wish {
	t.Helper()
	w, known := tag.Find(kind, key)
	if !known {
		t.Fatalf("there is no wish %s on a %s", key, kind)
	}
	return w
}

func TestRead(t *testing.T) {
	share, dataAPI := wish(t, tag.DBInstance, tag.Share), wish(t, tag.DBCluster, tag.DataAPI)
	accept, routes, approval := wish(t, tag.VPC, tag.Accept), wish(t, tag.Notebook, tag.Routes), wish(t, tag.Peering, tag.Approval)
	divert := wish(t, tag.RouteTable, tag.Divert)
	attach, groups, clusters := wish(t, tag.VPC, tag.Attach), wish(t, tag.RedshiftCluster, tag.StudioGroups), wish(t, tag.StoredSecret, tag.DataAPI)
	digits := "write account ids of 12 digits with blanks between"
	for name, c := range map[string]struct {
		wish           tag.Wish
		value, meaning string
		says           string
	}{
		"a word":                              {accept, "auto", "auto", ""},
		"a word in capitals":                  {accept, "AUTO", "auto", ""},
		"a word with blanks":                  {approval, " Approved\t", "approved", ""},
		"a word that is none":                 {approval, "yes", "", "drawbridge:approval=yes means nothing: write approved, approved-all, rejected or the value that the question names"},
		"a question that is named":            {approval, " Approved-0A1B2C3D", "approved-0a1b2c3d", ""},
		"all questions":                       {approval, "APPROVED-ALL ", "approved-all", ""},
		"no question's name":                  {approval, "approved-0a1b2c3", "", "drawbridge:approval=approved-0a1b2c3 means nothing: write approved, approved-all, rejected or the value that the question names"},
		"a name and more":                     {approval, "approved-0a1b2c3d5", "", "drawbridge:approval=approved-0a1b2c3d5 means nothing: write approved, approved-all, rejected or the value that the question names"},
		"a name that is taken for another's":  {approval, "rejected-0a1b2c3d", "", "drawbridge:approval=rejected-0a1b2c3d means nothing: write approved, approved-all, rejected or the value that the question names"},
		"what nobody can print":               {approval, "yes\n\x00 no", "", "drawbridge:approval=yes no means nothing: write approved, approved-all, rejected or the value that the question names"},
		"no word":                             {approval, " ", "", "drawbridge:approval= means nothing: write approved, approved-all, rejected or the value that the question names"},
		"an unclear accept asks":              {accept, "nver", "ask", "drawbridge:accept=nver means nothing: write auto, ask or never"},
		"unclear routes are off":              {routes, "of", "off", "drawbridge:routes=of means nothing: write on or off"},
		"targets of routes":                   {divert, " tgw-0a1,eni-1 tgw-0a1", "tgw-0a1 eni-1", ""},
		"a network of Cloud WAN":              {divert, "arn:aws:networkmanager::1:core-network/c-1", "arn:aws:networkmanager::1:core-network/c-1", ""},
		"all targets":                         {divert, " True", "true", ""},
		"no target":                           {divert, "False", "", ""},
		"what no route points to":             {divert, "tgw-1 all", "tgw-1", "all in drawbridge:divert means nothing: write the ids of gateways, peerings or interfaces that routes point to with blanks between or true for all"},
		"true among targets":                  {divert, "true tgw-1", "tgw-1", "true in drawbridge:divert means nothing: write the ids of gateways, peerings or interfaces that routes point to with blanks between or true for all"},
		"every account":                       {share, "True", "true", ""},
		"every account, with a blank":         {share, "true ", "true", ""},
		"not every account":                   {dataAPI, "true", "", "drawbridge:data-api=true means nothing: " + digits},
		"nobody":                              {share, "False", "", ""},
		"nobody, in another word":             {share, " none", "", ""},
		"nobody at all":                       {share, "", "", ""},
		"an account":                          {share, a, a, ""},
		"accounts keep their order":           {share, b + " " + a, b + " " + a, ""},
		"an account twice":                    {share, b + " " + a + "," + b, b + " " + a, ""},
		"commas":                              {share, a + "," + b, a + " " + b, ""},
		"a comma at the end":                  {share, a + ", ", a, ""},
		"semicolons":                          {share, a + " ; " + b, a + " " + b, ""},
		"JSON":                                {share, `["` + a + `","` + b + `"]`, a + " " + b, ""},
		"Python":                              {share, `['` + a + `', '` + b + `']`, a + " " + b, ""},
		"colons, as RDS takes no commas":      {share, a + ":" + b, a + " " + b, ""},
		"slashes and plus signs":              {share, a + "/" + b + "+333333333333", a + " " + b + " 333333333333", ""},
		"as the console shows an account":     {share, "1111-1111-1111", a, ""},
		"a word among accounts":               {share, a + " alpha", a, "alpha in drawbridge:share means nothing: " + digits + " or true for every account"},
		"eleven digits":                       {share, a + "," + "22222222222", a, "22222222222 in drawbridge:share means nothing: " + digits + " or true for every account"},
		"every one of some accounts":          {share, "true " + a, a, "true in drawbridge:share means nothing: " + digits + " or true for every account"},
		"nobody of some accounts":             {share, a + " none", "", "none in drawbridge:share means nothing: " + digits + " or true for every account"},
		"a word instead of accounts":          {share, "yes", "", "drawbridge:share=yes means nothing: " + digits + " or true for every account"},
		"an ARN names less than an account":   {share, "arn:aws:iam::" + a + ":role/analyst", "", "drawbridge:share=arn:aws:iam::" + a + ":role/analyst means nothing: " + digits + " or true for every account"},
		"a name keeps its case and its blank": {attach, " Main hub ", "Main hub", ""},
		"no name":                             {attach, " ", "", "drawbridge:attach= means nothing: write a name or an id"},
		"names":                               {groups, " readers,Analysts readers", "readers Analysts", ""},
		"clusters":                            {clusters, "sales  payroll-2 sales", "sales payroll-2", ""},
		"clusters with a comma":               {clusters, "sales,payroll", "", "drawbridge:data-api=sales,payroll means nothing: write the identifiers of clusters with blanks between"},
		"no cluster":                          {clusters, "", "", "drawbridge:data-api= means nothing: write the identifiers of clusters with blanks between"},
		"no names":                            {groups, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			meaning, err := c.wish.Read(c.value)
			says := ""
			if err != nil {
				says = err.Error()
			}
			if meaning != c.meaning || says != c.says {
				t.Errorf("Read(%q) = %q, %q\nwant %q, %q", c.value, meaning, says, c.meaning, c.says)
			}
		})
	}
}

// Whatever somebody writes, what it is read as is read as itself, and what a word means does not hang on blanks and case.
func TestReadingIsDoneOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SampledFrom(tag.Wishes).Draw(t, "wish")
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ ,;:/\[\]"]{0,2}([0-9]{11,13}|true|False|none|auto|[a-z]{1,4})([ ,;:/+\[\]"]{1,2}([0-9]{12}|true|NONE|off)){0,3}`)).Draw(t, "value")
		meaning, err := w.Read(value)
		again, _ := w.Read(meaning)
		if again != meaning {
			t.Fatalf("%s=%q is read as %q, and that as %q", w.Key, value, meaning, again)
		}
		if err != nil && (!strings.Contains(err.Error(), w.Key) || !strings.HasSuffix(err.Error(), w.Remedy())) {
			t.Fatalf("the error names no key and no remedy: %v", err)
		}
		for _, other := range []string{" " + value, value + "\t ", "\u00a0" + value} {
			if got, _ := w.Read(other); got != meaning {
				t.Fatalf("%q is read as %q, %q as %q", value, meaning, other, got)
			}
		}
	})
}

func TestCaseNeverMatters(t *testing.T) {
	words := 0
	for _, w := range tag.Wishes {
		for _, word := range []string{"auto", "ask", "never", "true", "false", "none", "approved", "rejected", "allowed", "on", "off"} {
			want, wrong := w.Read(word)
			if strings.HasPrefix(w.Remedy(), "write a name") || strings.HasPrefix(w.Remedy(), "write names") || strings.HasPrefix(w.Remedy(), "write the identifiers") || wrong != nil {
				continue
			}
			words++
			for _, same := range []string{strings.ToUpper(word), string(unicode.ToUpper(rune(word[0]))) + word[1:]} {
				if got, err := w.Read(same); got != want || err != nil {
					t.Errorf("%s=%s is read as %q, %v; %s as %q", w.Key, same, got, err, word, want)
				}
			}
		}
	}
	if words < 20 {
		t.Fatalf("only %d words were tried", words)
	}
}

func TestClean(t *testing.T) {
	raw := map[string]string{"Name": " My VPC ", "drawbridge:status": "Connected", tag.Accept: " AUTO", tag.DataAPI: "yes", tag.Attach: "hub ", tag.Share: "True",
		tag.Unclear + ":" + tag.Accept: "somebody else says so"}
	before := maps.Clone(raw)
	got := tag.Clean(tag.VPC, raw)
	says := "drawbridge:data-api=yes means nothing: write true or false"
	want := map[string]string{"Name": " My VPC ", "drawbridge:status": "Connected", tag.Accept: "auto", tag.Attach: "hub",
		tag.Share:                       "True", // is no wish on a VPC
		tag.Unclear + ":" + tag.DataAPI: says}
	if !maps.Equal(got, want) {
		t.Errorf("Clean = %v\nwant %v", got, want)
	}
	if !maps.Equal(raw, before) {
		t.Errorf("Clean changed what it was given: %v", raw)
	}
	if why := tag.Why(got, tag.Accept, tag.DataAPI); why != "; "+says {
		t.Errorf("Why = %q", why)
	}
	if why := tag.Why(got, tag.Accept, tag.Attach); why != "" {
		t.Errorf("Why of what is clear = %q", why)
	}
}

func TestProblems(t *testing.T) {
	got := tag.Problems(tag.RedshiftCluster, map[string]string{tag.Studio: "alpha", tag.Share: "yes", tag.StudioGroups: "readers", tag.Accept: "whatever", "Name": ""})
	var keys []string
	for _, p := range got {
		keys = append(keys, p.Key+"="+p.Value)
	}
	if !slices.Equal(keys, []string{"drawbridge:share=yes", "drawbridge:studio=alpha"}) {
		t.Errorf("Problems = %v", keys)
	}
	if got := tag.Problems(tag.VPC, map[string]string{tag.Accept: "Never"}); len(got) != 0 {
		t.Errorf("Problems of a clear value = %v", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, value := range []string{"true", " AUTO", a + "," + b, "[\"", "1:2/3", "\xff"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, w := range tag.Wishes {
			meaning, _ := w.Read(value)
			if again, _ := w.Read(meaning); again != meaning {
				t.Errorf("%s=%q is read as %q, and that as %q", w.Key, value, meaning, again)
			}
		}
	})
}

func TestLetting(t *testing.T) {
	tags := func(value string) map[string]string { return map[string]string{"drawbridge:manage": value} }
	for want, sides := range map[string][]map[string]string{
		"":      {tags("true"), nil},
		"false": {tags("true"), tags("false")},
		"undo":  {tags("false"), tags("undo")},
	} {
		if got := tag.Letting(sides...); got != want {
			t.Errorf("%v: %q, want %q", sides, got, want)
		}
	}
}
