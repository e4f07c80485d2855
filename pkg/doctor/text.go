package doctor

import (
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
)

// Text implements [answer.Document].
func (r Report) Text(p *answer.Page) {
	p.Say("hub  ", "account %s, %s", r.Account, r.Region)
	where := ""
	for _, f := range r.Findings {
		if at := "account " + f.Account + ", " + f.Region; at != where {
			where = at
			p.Title("In " + at)
		}
		p.Say("  "+p.Mark(f.Answer)+" ", "%s: %s", f.Title, f.Detail)
		if remedy := f.Remedy; remedy != "" {
			if len(f.Mends) > 0 {
				remedy += ":"
			}
			p.Say("    ", "%s", remedy)
		}
		for _, m := range f.Mends {
			p.Command("    ", m)
		}
	}
	p.Gap()
	p.Say("", "%s", map[string]string{Yes: "All is well.", No: "Something is missing.", Unknown: "What could be read is well; what is marked ? could not."}[r.Answer])
}

// List is the table of docs/deploy.md: what is looked at, where, and what mends it.
func List() string {
	var b strings.Builder
	b.WriteString("| check | what must be so | where | before the deployment | what mends it |\n| --- | --- | --- | --- | --- |\n")
	for _, c := range Checks {
		before := map[bool]string{true: "yes", false: ""}[c.Before]
		var mends []string
		for _, m := range c.Mends {
			mends = append(mends, "`"+strings.ReplaceAll(m, "PARTITION", "aws")+"`")
		}
		b.WriteString("| " + c.Code + " | " + c.Title + " | " + c.Where + " | " + before + " | " + strings.Join(mends, "<br>") + "; " + c.Remedy + " |\n")
	}
	return b.String()
}
