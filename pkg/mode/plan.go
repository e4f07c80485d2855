package mode

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
)

// Paused returns the error with which everything ends in the mode [Stopped].
func (s Setting) Paused() error { return Hold(Paused, cmp.Or(s.Why, "Drawbridge is paused")) }

// Plan is what an inspection decided, as changes in members.
type Plan struct {
	Adds []Change
	// Perhaps are what would be added where it is not there yet, which only a later step finds out.
	Perhaps []Change
	Takes   []Change // what would be taken away
	// Leaves are what somebody else has to do something about: said beside changes, and none.
	Leaves []Change
	// Stands says that the ledger has all of it as it shall be. Then Perhaps holds nothing back: the steps look at what stands there, and the first of them that
	// would change something is held at the door.
	Stands bool
	// Accounts are those in which something would be changed.
	Accounts []string
}

// Empty reports whether nothing would be changed.
func (p Plan) Empty() bool { return len(p.Adds)+len(p.Perhaps)+len(p.Takes) == 0 }

// judged reports whether the steps themselves say what they would change.
func (p Plan) judged() bool { return p.Stands && len(p.Adds)+len(p.Takes) == 0 }

// all returns every change, and how many there are in words.
func (p Plan) all() ([]Change, string) {
	all := slices.Concat(p.Adds, p.Perhaps, p.Takes)
	many := count(len(all))
	if len(p.Perhaps) > 0 {
		many = "up to " + many
	}
	return append(all, p.Leaves...), many
}

// decide returns why a plan is not carried out; nil if it is.
//
//	mode      adds        takes
//	full      yes         yes
//	add       yes         Kept, with what would go
//	observe   Planned     Planned; what stands goes on to the door, see [Plan.Stands]
//	paused    Paused      Paused
//
// only names an account among those concerned that lets itself be observed only; then it is as in observe.
func decide(at Setting, only string, p Plan) error {
	m := at.Mode
	switch {
	case m == Stopped:
		return at.Paused()
	case p.Empty(), p.judged():
		return nil
	case m == Observe:
		all, many := p.all()
		return Hold(Planned, "Drawbridge only observes: it would make "+many, all...)
	case only != "":
		all, many := p.all()
		return Hold(Planned, fmt.Sprintf("the account %s lets itself be observed only: Drawbridge would make %s", only, many), all...)
	case m == Add && len(p.Takes) > 0:
		return Hold(Kept, fmt.Sprintf("Drawbridge takes nothing away: in the mode full it would make %s", count(len(p.Takes))), p.Takes...)
	}
	return nil
}

func count(n int) string { return fit.Count(n, "change") }

// lets returns why a call does not pass the door; nil if it does.
//
//	mode      reads       says        adds        takes
//	full      yes         yes         yes         yes
//	add       yes         yes         yes         Kept
//	observe   yes         Planned     Planned     Planned
//	paused    Paused      Paused      Paused      Paused
//
// says are Drawbridge's own tags for people. takesAway says that the function is one that only takes away: whatever it
// changes counts as taken. only says that the account lets itself be observed only.
func lets(at Setting, only, takesAway bool, name, account string) error {
	m := at.Mode
	effect := effectOf(name)
	if effect == adds && takesAway {
		effect = takes
	}
	would := fmt.Sprintf("%s in %s", name, account)
	switch {
	case m == Stopped:
		return at.Paused()
	case effect == reads:
		return nil
	case m == Observe:
		return Hold(Planned, "Drawbridge only observes: the first change would be "+would, would)
	case only:
		return Hold(Planned, "the account "+account+" lets itself be observed only: the first change would be "+would, would)
	case m == Add && effect == takes:
		return Hold(Kept, "Drawbridge takes nothing away: in the mode full it would call "+would, would)
	}
	return nil
}
