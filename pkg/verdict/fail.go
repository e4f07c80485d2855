package verdict

import (
	"fmt"
	"slices"
	"strings"
)

// fewFaults is how many faults are named in a sentence.
const fewFaults = 3

// InTheWay says what is in the way of the paths that fail, and what to do, for who sees all of it.
func (p Paths) InTheWay() (what, remedy string) {
	var details, remedies []string
	for _, f := range p.Faults {
		details = append(details, fmt.Sprintf("%s: %s", f.Hop, f.Detail))
		if said := fmt.Sprintf("account %s: %s", f.Owner, f.Remedy); f.Remedy != "" && !slices.Contains(remedies, said) {
			remedies = append(remedies, said)
		}
	}
	return few(details), few(remedies)
}

// Told is what an account is told of what is in the way: of its own things what, of the other's whom to ask. Empty if nothing is.
func (p Paths) Told(account string) string {
	var own, others []string
	for _, f := range p.Faults {
		switch {
		case f.Owner == account && f.Remedy != "":
			own = append(own, fmt.Sprintf("%s: %s; %s", f.Hop, f.Detail, f.Remedy))
		case f.Owner == account:
			own = append(own, fmt.Sprintf("%s: %s", f.Hop, f.Detail))
		case f.Owner != "" && !slices.Contains(others, f.Owner):
			others = append(others, f.Owner)
		}
	}
	if len(own) > 0 {
		return few(own)
	}
	if len(others) > 0 {
		return "something of account " + strings.Join(others, " and of account ") + " is in the way; ask its owner"
	}
	return ""
}

func few(all []string) string {
	if more := len(all) - fewFaults; more > 0 {
		return strings.Join(all[:fewFaults], "; ") + fmt.Sprintf("; and %d more", more)
	}
	return strings.Join(all, "; ")
}
