package main

import (
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
)

// databases are the grants to read databases of every kind that is served, from the table of the kinds. What knows no resource is granted with
// the other actions of a step that know none.
func databases(others ...string) []grant {
	without := append(others, database.Index)
	var out []grant
	for _, k := range database.Served() {
		for _, r := range k.Reads {
			if r.On == nil {
				without = append(without, r.Action)
				continue
			}
			service, _, _ := strings.Cut(r.Action, ":")
			g := grant{actions: []string{r.Action}}
			for _, on := range r.On {
				g.resources = append(g.resources, arn(service, on))
			}
			out = append(out, g)
		}
	}
	slices.Sort(without)
	return append([]grant{{actions: slices.Compact(without)}}, joined(out)...)
}

// joined are grants of which those on the same resources are one.
func joined(grants []grant) []grant {
	var out []grant
	for _, g := range grants {
		n := slices.IndexFunc(out, func(o grant) bool { return slices.Equal(o.resources, g.resources) && o.when == nil && g.when == nil })
		if n < 0 {
			out = append(out, g)
			continue
		}
		out[n].actions = append(out[n].actions, g.actions...)
	}
	return out
}
