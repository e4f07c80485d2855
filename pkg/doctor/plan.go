package doctor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// resource is one of a template's.
type resource struct {
	Type       string
	Properties struct {
		Name, RoleName, StateMachineName, EventBusName any
		EventPattern                                   struct {
			Source     []string `json:"source"`
			DetailType []string `json:"detail-type"`
		}
	}
}

// resources returns those of a type in a template, which a test of the repository holds to be what is deployed.
func resources(text, kind string) []resource {
	var t struct{ Resources map[string]resource }
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		panic(err) // it is part of the program
	}
	var out []resource
	for _, r := range t.Resources {
		if r.Type == kind {
			out = append(out, r)
		}
	}
	return out
}

// names are the fixed names of resources.
func names(all []resource, of func(resource) any) []string {
	var out []string
	for _, r := range all {
		if name, ok := of(r).(string); ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// listened are the services to whose records the members' rules listen, sorted.
func listened() []string {
	var out []string
	for _, r := range resources(template.Member, "AWS::Events::Rule") {
		if slices.Contains(r.Properties.EventPattern.DetailType, event.CallRecorded) {
			for _, source := range r.Properties.EventPattern.Source {
				out = append(out, arn.ServicePrincipal(strings.TrimPrefix(source, "aws.")))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// compared says whether all of some names are there and on; there is the state of each.
func compared(what string, wanted []string, there map[string]bool) (answer, detail string) {
	var missing, off []string
	for _, name := range wanted {
		on, ok := there[name]
		switch {
		case !ok:
			missing = append(missing, name)
		case !on:
			off = append(off, name)
		}
	}
	switch {
	case len(missing)+len(off) == 0:
		return Yes, fmt.Sprintf("%d %s", len(wanted), what)
	case len(missing) == len(wanted):
		return No, "there is none of " + fmt.Sprintf("%d %s", len(wanted), what)
	}
	var parts []string
	if len(missing) > 0 {
		parts = append(parts, "missing: "+some(missing))
	}
	if len(off) > 0 {
		parts = append(parts, "off: "+some(off))
	}
	return No, strings.Join(parts, "; ")
}

// some names the first of a list.
func some(all []string) string {
	const most = 5
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", len(all)-most)
}

// tight is the part of a quota that may be used before it is a no.
const tight = 0.8

// room says whether a quota has room: used is the fullest of what it counts.
func room(what string, used int, quota float64) (answer, detail string) {
	answer = Yes
	if float64(used) > tight*quota {
		answer = No
	}
	return answer, fmt.Sprintf("%s: %d of %.0f used, room for %.0f", what, used, quota, quota-float64(used))
}

// filled puts what is known into a command.
func filled(command string, p Patient, at event.Place) []string {
	text := strings.NewReplacer("PARTITION", arn.Partition(p.At.Region), "HUB_ACCOUNT", p.At.Account, "HUB_REGION", p.At.Region, "LEDGER", p.Table, " REGION", " "+at.Region).Replace(command)
	quoted, out := false, []string{""}
	for _, r := range text {
		switch {
		case r == '\'':
			quoted = !quoted
		case r == ' ' && !quoted:
			out = append(out, "")
		default:
			out[len(out)-1] += string(r)
		}
	}
	return out
}

// judged makes the answer of a report: no if one is; else unknown if one is.
func judged(all []Finding) string {
	out := Yes
	for _, f := range all {
		switch f.Answer {
		case No:
			return No
		case Unknown:
			out = Unknown
		}
	}
	return out
}
