// Package mode is how far Drawbridge goes: whether it changes members, and whether it takes anything away.
//
// The mode is a parameter of the hub, beside the policy. It is read anew in every invocation of a function that enters a
// member, so that it counts for the next state of every execution under way. Two places hold to it:
//
//   - the door into members ([Guard]): in paused no call passes, in observe no call that changes something, in add none
//     that takes away. It knows every call by name, whatever a step means by it.
//   - the inspections ([Gate]): what they decided is turned into a list of changes before the first one is tried.
//
// Both fail with [fault.Held]. Every machine catches that in the same way: the event is kept under the thing that it is about,
// and the execution ends as [Paused], [Planned], [Kept], [Braked] or [Unreadable]. When the mode changes, what was kept is looked at again.
//
//	mode.go   the words
//	plan.go   thinks: what a mode lets through (pure)
//	calls.go  which calls add, take away or only say something
//	apply.go  reads the parameter; guard and gate
package mode

import (
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Mode is how far Drawbridge goes.
type Mode string

// The modes.
const (
	Full    Mode = "full"    // everything that the policy allows
	Add     Mode = "add"     // adds, and never takes away
	Observe Mode = "observe" // plans, says what it would do, and changes nothing
	Stopped Mode = "paused"  // does not even look; what comes is kept
)

// Modes lists them all.
func Modes() []Mode { return []Mode{Full, Add, Observe, Stopped} }

// Setting is the mode as the parameter says it.
type Setting struct {
	Mode Mode
	Why  string // for Stopped, if the parameter does not say so
}

// Read returns the mode that a text means, in any case and with blanks around. Another text is as [Stopped]: whoever wrote it wanted
// something else than before, and nobody knows what.
func Read(text string) Setting {
	for _, m := range Modes() {
		if strings.EqualFold(strings.TrimSpace(text), string(m)) {
			return Setting{Mode: m}
		}
	}
	return Setting{Stopped, fmt.Sprintf("Drawbridge is paused, because %q is no mode: full, add, observe and paused are", oneLine(text))}
}

// ObserveOnly is what a member stack that only lets itself be observed wants behind the external id. So it is known at the door that its
// roles hold no right to change anything, before the first change is tried.
const ObserveOnly = "-observe"

// End is how an execution ends that was held back: the name of its end state.
type End string

// The ends. docs/runbook.md has an entry for each.
const (
	Paused  End = "Paused"  // nothing was looked at
	Planned End = "Planned" // it is said what would be changed
	Kept    End = "Kept"    // it is said what would be taken away
	Braked  End = "Braked"  // it would be taken away, but too much was already; a person decides
	// Unreadable says that something cannot be read now, so that nothing goes; the next sweep looks again.
	Unreadable End = "Unreadable"
)

// Ends lists them all.
func Ends() []End { return []End{Paused, Planned, Kept, Braked, Unreadable} }

// Change is one change that would be made, in words: "add route 10.2.0.0/16 to rtb-1 in 111111111111 us-east-1".
type Change = string

// most is how many changes are said of one execution; the others are counted.
const most = 20

// Hold returns the error with which a step lets its machine end as end says, for a reason, with what would be changed. What it
// says is bounded, whatever there is.
func Hold(end End, reason string, changes ...Change) error {
	text := string(end) + ": " + oneLine(reason)
	for i, c := range changes {
		if i == most && len(changes) > most+1 {
			text += fmt.Sprintf("\nand %d more", len(changes)-most)
			break
		}
		text += "\n" + oneLine(c)
	}
	return &fault.Error{Kind: fault.Held, Message: text}
}

// oneLine keeps a sentence on one line of at most 160 bytes.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 160 {
		s = strings.ToValidUTF8(s[:157], "") + "…"
	}
	return s
}

// Held is what [Hold] says, read back.
type Held struct {
	End     End
	Reason  string
	Changes []Change
}

// Parse reads what [Hold] wrote out of the message of an error, wherever it begins there: the SDK writes around it what call
// was not made.
func Parse(message string) (Held, error) {
	first, rest, _ := strings.Cut(message, "\n")
	for _, end := range Ends() {
		if _, reason, ok := strings.Cut(first, string(end)+": "); ok {
			held := Held{End: end, Reason: reason}
			if rest != "" {
				held.Changes = strings.Split(rest, "\n")
			}
			return held, nil
		}
	}
	return Held{}, fault.New(fault.Invalid, "reading why an execution is held: %q names none of its ends", oneLine(message))
}
