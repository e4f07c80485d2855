package why

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Text implements [answer.Document].
func (a Answer) Text(p *answer.Page) {
	p.Say(p.Mark(a.Answer)+" ", "%s", a.Line)
	p.Gap()
	p.Say("  from  ", "%s", a.From.words())
	p.Say("  to    ", "%s", a.To.words())
	if a.Over != "" && a.Over != "local" {
		over := a.Over
		if a.Alternates != "" {
			over += "; beside it " + a.Alternates
		}
		p.Say("  over  ", "%s", over)
	}
	p.Gap()
	a.hops(p)
	a.mends(p)
	a.pages(p)
	if a.Managed != nil {
		a.Managed.text(p)
	}
	for n, u := range a.Unread {
		if n == 0 {
			p.Title("Not read")
		}
		p.Say("  ", "%s", u)
	}
}

func (e End) words() string {
	out := fmt.Sprintf("%s, %s in account %s, %s, %s", e.Name, e.Kind, e.Account, e.Region, cmp.Or(e.VPC, "no VPC"))
	if e.Port > 0 {
		out += fmt.Sprintf(", port %d", e.Port)
	}
	return out
}

// hops says of each hop what it is.
func (a Answer) hops(p *answer.Page) {
	wide := 0
	for _, h := range a.Hops {
		wide = max(wide, len(h.Code))
	}
	for _, h := range a.Hops {
		whose := ""
		if h.Answer == "no" && h.Whose != "" {
			whose = " (account " + h.Whose + ")"
		}
		p.Say(fmt.Sprintf("  %s %-*s  ", p.Mark(h.Answer), wide, h.Code), "%s%s", h.Detail, whose)
	}
}

// pages says which pages explain what does not hold.
func (a Answer) pages(p *answer.Page) {
	var pages []string
	for _, h := range a.Hops {
		if h.Answer != "yes" {
			pages = append(pages, "docs/hops/"+h.Code+".md")
		}
	}
	if len(pages) > 0 {
		p.Gap()
		p.Say("  ", "Explained in %s", strings.Join(pages, ", "))
	}
}

// mends says what mends each hop that fails.
func (a Answer) mends(p *answer.Page) {
	titled := false
	for _, h := range a.Hops {
		if h.Answer == "yes" || h.Answer == "unknown" && len(h.Mends) == 0 {
			continue
		}
		if !titled {
			p.Title("What mends it")
			titled = true
		}
		if len(h.Mends) == 0 {
			p.Say("  ", "%s, of %s: %s", h.Code, cmp.Or(h.Whose, "whose owner is not known"), cmp.Or(h.Remedy, "see its page"))
			continue
		}
		if h.Itself {
			p.Say("  ", "%s mends itself: %s. Who cannot wait:", h.Code, h.Remedy)
		}
		for _, m := range h.Mends {
			where := cmp.Or(m.Where, "in account "+m.Account)
			p.Say("  ", "%s, %s: %s", h.Code, where, m.What)
			for _, command := range append([][]string{m.Command}, m.Then...) {
				p.Command("    ", command)
			}
		}
	}
	switch a.After {
	case "yes":
		p.Say("  ", "%s", "With that, every hop holds.")
	case "no":
		p.Say("  ", "%s", "That is not all: something stays in the way that no command mends. Ask again after it.")
	case "unknown":
		p.Say("  ", "%s", "With that, nothing is known to be in the way.")
	}
}

func (m Managed) text(p *answer.Page) {
	p.Title("Drawbridge")
	state := m.ID + " is " + cmp.Or(m.State, "begun")
	if m.Reason != "" {
		state += ": " + m.Reason
	}
	p.Say("  ", "%s", answer.Clauses(state))
	for _, said := range m.Keeps {
		p.Say("  ", "The tag %s=%s keeps out %s.", tag.Reach, tag.NoReach, said)
	}
	if m.Waits != "" {
		p.Say("  ", "%s", strings.ToUpper(m.Waits[:1])+m.Waits[1:]+".")
	}
}
