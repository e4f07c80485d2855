package fit_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
)

// What AWS takes, as its own pages write it.
var (
	tag         = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	description = regexp.MustCompile(`^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]*$`)
	subject     = regexp.MustCompile(`^([!-~][ -~]{0,98})?$`)
)

func check(t *testing.T, text string) {
	t.Helper()
	for name, c := range map[string]struct {
		fit   func(string) string
		taken *regexp.Regexp
		room  int
	}{
		"Tag":         {fit.Tag, tag, 256},
		"Description": {fit.Description, description, 255},
		"Subject":     {fit.Subject, subject, 99},
	} {
		got := c.fit(text)
		if !c.taken.MatchString(got) || utf8.RuneCountInString(got) > c.room {
			t.Errorf("%s(%q) = %q", name, text, got)
		}
		if again := c.fit(got); again != got {
			t.Errorf("%s is not settled: %q, then %q", name, got, again)
		}
	}
	for _, room := range []int{0, 1, 2, 3, 7, 100} {
		got := fit.Bytes(text, room)
		if len(got) > room || utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("Bytes(%q, %d) = %q", text, room, got)
		}
		if len(text) <= room && got != text {
			t.Errorf("Bytes(%q, %d) = %q, which was not needed", text, room, got)
		}
	}
}

func FuzzFit(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { check(t, text) })
}

var texts = []string{
	"", " ", "\x00\x80", "connected by policy allow-sandbox", "10.1.0.0/16 of vpc-1 overlaps 10.1.0.0/24, which rtb-1 reaches → no",
	strings.Repeat("é", 300), strings.Repeat("a ", 300), strings.Repeat("•", 300), strings.Repeat("漢字 ", 100), strings.Repeat("x", 256), strings.Repeat("x", 257),
	"it's <b>“fine”</b> & costs $5|*", "\U0001F600 smile",
}

func TestFit(t *testing.T) {
	for _, text := range texts {
		check(t, text)
	}
}

func TestWhatFitsIsLeftAlone(t *testing.T) {
	for _, text := range []string{"connected by policy allow-sandbox", "drawbridge:x=1/2+3@4_5.6", "Zugriff für Müller"} {
		if got := fit.Tag(text); got != text {
			t.Errorf("Tag(%q) = %q", text, got)
		}
	}
	whole := strings.Repeat("x", 255)
	if got := fit.Tag(whole + "y"); got != whole+"y" {
		t.Errorf("256 characters became %q", got)
	}
	if got := fit.Tag(whole + "yz"); got != strings.Repeat("x", 253)+"..." {
		t.Errorf("257 characters became %q", got)
	}
	if got := fit.Description("a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"); got != "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*" {
		t.Errorf("got %q", got)
	}
}

func ExampleTag() {
	fmt.Println(fit.Tag("10.1.0.0/16 of vpc-1 overlaps 10.1.0.0/24, which rtb-1 (main) reaches"))
	// Output: 10.1.0.0/16 of vpc-1 overlaps 10.1.0.0/24 which rtb-1 main reaches
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 notebooks", 1: "1 notebook", 2: "2 notebooks"} {
		if got := fit.Count(n, "notebook"); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
	if got := fit.Count(2, "key policy"); got != "2 key policies" {
		t.Errorf("got %q", got)
	}
	if got := fit.Count(1, "key policy"); got != "1 key policy" {
		t.Errorf("got %q", got)
	}
}
