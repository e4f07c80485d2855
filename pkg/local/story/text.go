package story

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// Width is the number of columns that text is made for.
const Width = 80

// style marks up parts of a line; the zero style does not.
type style struct{ colour bool }

func (s style) strong(t string) string { return s.paint("1", t) }
func (s style) good(t string) string   { return s.paint("32", t) }
func (s style) bad(t string) string    { return s.paint("31", t) }
func (s style) faint(t string) string  { return s.paint("2", t) }

func (s style) paint(code, t string) string {
	if !s.colour {
		return t
	}
	return "\x1b[" + code + "m" + t + "\x1b[0m"
}

// Mark is what stands before a hop.
func Mark(ok bool) string {
	if ok {
		return "✓"
	}
	return "✗"
}

// Wrap breaks text at spaces so that no line is longer than width; every line
// but the first is indented by indent. A word that is too long stays whole.
func Wrap(text string, width, indent int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "" && len(lines) == 0:
			line = text[:len(text)-len(strings.TrimLeft(text, " "))] + word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, line)
			line = strings.Repeat(" ", indent) + word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// group are the calls that a step made in one account and Region under one role.
type group struct {
	account, region, role string
	calls                 []awscall.Call
}

// groups sorts the calls of a step by where they were made. An AssumeRole that
// worked shows as the role of the calls after it.
func groups(calls []awscall.Call) []group {
	type key struct{ account, region, role string }
	index := map[key]int{}
	var out []group
	for _, c := range calls {
		if c.Action == "AssumeRole" && c.Status < 300 {
			continue
		}
		k := key{c.Account, c.Region, c.Role}
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, group{account: c.Account, region: c.Region, role: c.Role})
		}
		out[i].calls = append(out[i].calls, c)
	}
	slices.SortStableFunc(out, func(a, b group) int { return strings.Compare(a.account+a.region+a.role, b.account+b.region+b.role) })
	return out
}

// callText is one call as a line says it.
func callText(c awscall.Call) string {
	t := c.Name()
	resource := c.Resource
	if c.Service == "sqs" {
		resource = resource[strings.LastIndexByte(resource, '/')+1:]
	}
	if parts := strings.SplitN(resource, ":", 6); parts[0] == "arn" && len(parts) == 6 {
		resource = parts[5] // account and Region stand above it
	}
	if resource != "" {
		t += " " + resource
	}
	if c.Error != "" || c.Status >= 300 {
		t += fmt.Sprintf(" → %d %s", c.Status, c.Error)
	}
	return t
}

// short drops what an ARN says besides the name.
func short(arn string) string {
	for _, kind := range []struct{ part, say string }{
		{":event-bus/", "bus "}, {":stateMachine:", "machine "}, {":function:", "function "}, {":sqs:", "queue "},
	} {
		if i := strings.Index(arn, kind.part); i >= 0 {
			return kind.say + arn[strings.LastIndexAny(arn, ":/")+1:]
		}
	}
	return arn
}

func (e Event) text() string {
	t := "event " + e.Name
	if e.Resource != "" {
		t += " " + e.Resource
	}
	t += fmt.Sprintf(" in %s %s", e.Account, e.Region)
	if e.Error != "" {
		t += ", failed with " + e.Error
	}
	return t
}

func (d Delivery) text() string {
	t := fmt.Sprintf("rule %s in %s → %s", d.Rule, d.Account, short(d.Target))
	if d.Error != "" {
		t += ": not delivered: " + d.Error
	}
	return t
}

func (e End) text() string {
	if e.Status != "SUCCEEDED" {
		cause := e.Cause
		var function struct{ ErrorMessage string }
		if json.Unmarshal([]byte(cause), &function) == nil && function.ErrorMessage != "" {
			cause = function.ErrorMessage
		}
		return fmt.Sprintf("%s in %s: %s: %s", e.Status, e.State, e.Error, cause)
	}
	return e.State
}

// seconds says a duration as people do.
func seconds(s float64) string {
	if s < 1 {
		return fmt.Sprintf("%.0f ms", s*1000)
	}
	return fmt.Sprintf("%g s", s)
}
