package who

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
)

// titles are what people call the roads.
var titles = map[string]string{Peering: "Over peerings", Gateway: "Over transit gateways", DataAPI: "Through the Data API", Studio: "From Studio", Rule: "By rules of its owner's"}

// Text implements [answer.Document].
func (w Who) Text(p *answer.Page) {
	d := w.Database
	p.Say("database  ", "%s, %s, in account %s %s, %s, port %d", d.Name, d.Engine, d.Account, d.Region, cmp.Or(d.VPC, "no VPC"), d.Port)
	for _, e := range d.Endpoints {
		p.Say("endpoint  ", "%s, %s, port %d", e.Name, e.VPC, e.Port)
	}
	shared := map[string]string{"": "with nobody", "true": "with every account"}[d.Shared]
	shared = cmp.Or(shared, "with "+strings.Join(strings.Fields(d.Shared), ", "))
	if d.SharedBy != "" {
		shared += fmt.Sprintf(", by %s on %s", d.SharedBy, d.SharedAt.UTC().Format("2006-01-02"))
	}
	p.Say("shared    ", "%s", shared)
	if len(w.Roads) == 0 {
		p.Title("Roads")
		p.Say("  ", "Nobody reaches it over any road that was read.")
	}
	for _, road := range order {
		var all []Road
		for _, r := range w.Roads {
			if r.Road == road {
				all = append(all, r)
			}
		}
		if len(all) > 0 {
			section(p, road, all)
		}
	}
	if len(w.Unread) > 0 {
		p.Title("Not known")
		for _, u := range w.Unread {
			p.Say("  "+p.Paint(answer.Unsure, "?")+" ", "%s", u)
		}
	}
}

// section writes the roads of one kind, each with who decided and what ends it.
func section(p *answer.Page, road string, all []Road) {
	p.Title(titles[road])
	for _, r := range all {
		who := strings.Join(r.From, ", ")
		if r.Account != "" {
			who = "account " + r.Account
			if r.VPC != "" {
				who += ", " + r.VPC
			}
			if from := slices.DeleteFunc(slices.Clone(r.From), func(s string) bool { return s == r.Account }); len(from) > 0 {
				who += ", from " + strings.Join(from, ", ")
			}
		}
		if r.To != "" {
			who += ", to the endpoint " + r.To
		}
		p.Say("  ", "%s", who)
		if r.Over != "" {
			p.Say("    ", "%s: %s since %s%s", r.Over, cmp.Or(r.State, "begun"), r.Since.UTC().Format("2006-01-02"), decision(r))
		}
		if r.Detail != "" {
			p.Say("    ", "%s", r.Detail)
		}
		for _, e := range r.Ends {
			p.Say("    to end ", "%s, in account %s:", e.What, e.Account)
			p.Command("      ", e.Command)
		}
	}
}

// decision is who decided, in words that go on after a date.
func decision(r Road) string {
	var out []string
	if r.Policy != "" {
		out = append(out, "policy "+r.Policy)
	}
	if r.Asked != "" {
		out = append(out, "asked for by "+r.Asked)
	}
	if r.ApprovedBy != "" {
		out = append(out, fmt.Sprintf("approved by %s on %s", r.ApprovedBy, r.ApprovedAt.UTC().Format("2006-01-02")))
	}
	if len(out) == 0 {
		return ""
	}
	return "; " + strings.Join(out, "; ")
}
