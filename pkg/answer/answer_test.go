package answer

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

type page struct {
	Head
	Rows [][]string `json:"rows"`
}

func (d page) Text(p *Page) {
	p.Title("Title")
	p.Say("* ", "%s", "A sentence that is a little too long for a narrow page.")
	p.Table("  ", []string{"id", "state"}, d.Rows)
}

func TestFormats(t *testing.T) {
	d := page{HeadOf("Page"), [][]string{{"a", "on"}}}
	for format, want := range map[string]string{
		Table: "Title\n* A sentence that is a little\n  too long for a narrow page.\n  ID  STATE\n  a   on\n",
		JSON:  "{\n  \"apiVersion\": \"drawbridge/v1\",\n  \"kind\": \"Page\",\n  \"rows\": [\n    [\n      \"a\",\n      \"on\"\n    ]\n  ]\n}\n",
		YAML:  "apiVersion: drawbridge/v1\nkind: Page\nrows:\n- - a\n  - \"on\"\n",
	} {
		var b bytes.Buffer
		if err := (Printer{Out: &b, Format: format, Width: 30}).Print(d); err != nil || b.String() != want {
			t.Errorf("%s: %v\n%s", format, err, b.String())
		}
	}
	if err := (Printer{Format: "xml"}).Print(d); err == nil {
		t.Error("xml is a format")
	}
}

func TestColourIsOnlyWhereItIsWanted(t *testing.T) {
	for color, want := range map[bool]string{true: "\x1b[32mok\x1b[0m", false: "ok"} {
		if got := (&Page{Color: color}).Paint(Good, "ok"); got != want {
			t.Errorf("%q", got)
		}
	}
}

// A table is as wide as its page at most, however long its cells are, as long as there is room for its columns at all; and colour takes no room.
func TestTablesFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(80, 160).Draw(t, "width")
		cell := rapid.StringMatching(`[a-z✓→]{0,30}( [a-z]{1,20}){0,6}`)
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 4, 4), 1, 5).Draw(t, "rows")
		p := &Page{Width: width, Color: rapid.Bool().Draw(t, "color")}
		for _, r := range rows {
			r[1] = p.Paint(Bad, r[1])
		}
		p.Table("  ", []string{"one", "two", "three", "four"}, rows)
		plain := strings.NewReplacer("\x1b[31m", "", "\x1b[0m", "").Replace(p.String())
		for line := range strings.Lines(plain) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
				t.Fatalf("%d columns of %d: %q", n, width, line)
			}
		}
	})
}

func TestACommandIsTheSameHoweverItIsFolded(t *testing.T) {
	words := []string{"aws", "ec2", "create-route", "--region", "us-east-1", "--route-table-id", "rtb-1", "--tags", "Key=a b,Value=it's", "[{x}]"}
	const want = `aws ec2 create-route --region us-east-1 --route-table-id rtb-1 --tags 'Key=a b,Value=it'\''s' '[{x}]'`
	if got := Shell(words, 0, ""); got != want {
		t.Errorf("got %s", got)
	}
	for width := 20; width < 130; width++ {
		folded := Shell(words, width, "    ")
		if got := strings.Join(strings.Fields(strings.ReplaceAll(folded, "\\\n", " ")), " "); got != want {
			t.Errorf("at %d: %s", width, folded)
		}
	}
}

func TestAge(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{-time.Hour: "0s", 59 * time.Second: "59s", 90 * time.Second: "1m", 47 * time.Hour: "47h", 49 * time.Hour: "2d"} {
		if got := Age(now.Add(-ago), now); got != want {
			t.Errorf("%s ago is %s", ago, got)
		}
	}
	if got := Age(time.Time{}, now); got != "" {
		t.Errorf("no time is %q", got)
	}
}
