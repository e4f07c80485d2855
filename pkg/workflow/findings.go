package workflow

import (
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Findings is what a look at a connection found, and what the steps after it told. It does not travel from state to state: it is rows of the ledger, see
// package fact, and grows with the accounts. A state has the answer, and numbers of rows.
type Findings struct {
	Answer Answer // of the look; empty if there are no rows
	// Execution is whose look it is, if it did not come to all, and Follows that which it goes on from; empty for a look of its own.
	Execution, Follows string
	Sides              []Side // by their numbers, from 1
	Batches            []Batch
	Waits              Waiting
	Before             []Hop // what was in order before, or stays closed
	Absent             []Hop // the sides that are gone or closed to us
	Known              Known

	// What the steps told, those of a side and of a batch by its number.
	DNS       HopsOutput
	Routed    []AddRoutesOutput
	Opened    []HopsOutput
	Closed    []HopsOutput
	Removed   []RemoveRoutesOutput
	Injected  []NotebooksOutput
	Withdrawn []NotebooksOutput

	// Refused are the steps that failed for good; what comes after them was done. Redriven says that the last step failed for it already.
	Refused  []Refusal
	Redriven bool
}

// Refusal is a step that could not do its work in an account, after all tries.
type Refusal struct {
	State   string
	Account string     // empty where it was in one of the two
	Kind    fault.Kind // [fault.Refused] where a right was lacking
	Why     string     // with the remedy
}

// Unread reports whether there may be clients that the look did not come to.
func (f Findings) Unread() bool {
	return slices.ContainsFunc(f.Sides, func(s Side) bool { return s.Unread > 0 })
}

// Informed is the input of a step that reads all facts of a connection.
type Informed interface {
	// About returns the id of the connection.
	About() string
	// Inform puts what the step needs into the input. It reports whether there is something to do: not if the rows are of a look with another
	// answer, which is served by its own execution. An execution that would end with that fails instead.
	Inform(Findings) (bool, error)
}

// Told is what a step says that wrote its hops into the ledger: of which side they are, if of one; how many, and how many of them hold.
type Told struct {
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`

	Hops int `json:"hops"`
	OK   int `json:"ok"`
}

// Serves reports whether the facts of a look with the answer a are those that a step after the answer b works on.
func (a Answer) Serves(b Answer) bool {
	connects := []Answer{AnswerConnect, AnswerExtend}
	return a == b || slices.Contains(connects, a) && slices.Contains(connects, b)
}

// Outdated is the error of a last step whose look is not the last any more. now is the answer of the last; empty if it is not known.
func Outdated(connection string, now Answer) error {
	what := "another execution has looked at " + connection + " since"
	if now != "" {
		what += ", and its answer was " + string(now)
	}
	return fault.NewConflict(what, "see what that execution came to; the next look at the connection begins with what is there")
}

// About implements [Informed].
func (in AllowDNSResolutionInput) About() string { return in.Connection.ID }

// Inform implements [Informed].
func (in *AllowDNSResolutionInput) Inform(f Findings) (bool, error) {
	in.Sides = f.Sides
	return f.Answer.Serves(in.Answer), nil
}

// About implements [Informed].
func (in AskAgainInput) About() string { return in.Connection.ID }

// Inform implements [Informed].
func (in *AskAgainInput) Inform(f Findings) (bool, error) {
	in.Waits = f.Waits
	return f.Answer == AnswerExtend && f.Waits.Thing != "", nil
}

// About implements [Informed].
func (in ConcludeInput) About() string { return in.Connection.ID }

// Inform implements [Informed].
func (in *ConcludeInput) Inform(f Findings) (bool, error) {
	if f.Answer != AnswerAsk {
		return false, Outdated(in.Connection.ID, f.Answer)
	}
	in.Sides, in.Known = f.Sides, f.Known
	return true, nil
}

// About implements [Informed].
func (in ReportUnreadableInput) About() string { return in.Connection.ID }

// Inform implements [Informed].
func (in *ReportUnreadableInput) Inform(f Findings) (bool, error) {
	if f.Answer != AnswerUnreadable {
		return false, Outdated(in.Connection.ID, f.Answer)
	}
	in.Sides = f.Sides
	return true, nil
}

// About implements [Informed].
func (in VerifyConnectionInput) About() string { return in.Connection.ID }

// Inform implements [Informed]. With a [fault.Over] the machine looks again.
func (in *VerifyConnectionInput) Inform(f Findings) (bool, error) {
	if !f.Answer.Serves(in.Answer) {
		return false, fault.New(fault.Over, "verifying %s: what was found of it is there no more, or another execution has looked since", in.Connection.ID)
	}
	in.Sides, in.Found, in.Waits, in.Batches = f.Sides, f.Before, f.Waits, f.Batches
	if f.Redriven {
		return false, fault.New(fault.Over, "verifying %s: a step before had failed, and the execution was redriven: what could not be done is tried again", in.Connection.ID)
	}
	in.DNS, in.Routed, in.Opened, in.Injected, in.Refused = f.DNS, f.Routed, f.Opened, f.Injected, f.Refused
	for n, o := range f.Opened {
		for _, h := range o.Hops {
			if n < len(in.Sides) && strings.HasPrefix(h.Hop, ReachHop) { // what the inspection did not know
				in.Sides[n].Unheeded = append(in.Sides[n].Unheeded, h.Detail)
			}
		}
	}
	return true, nil
}

// About implements [Informed].
func (in ConcludeRemovalInput) About() string { return in.Connection.ID }

// Inform implements [Informed]. Of a connection that ended with an earlier attempt there are no rows any more.
func (in *ConcludeRemovalInput) Inform(f Findings) (bool, error) {
	if f.Answer != "" && f.Answer != AnswerDisconnect {
		return false, Outdated(in.Connection.ID, f.Answer)
	}
	in.Absent, in.DNS, in.Withdrawn = f.Absent, f.DNS, f.Withdrawn
	for n, s := range f.Sides {
		in.Disconnected = append(in.Disconnected, Disconnected{Connection: in.Connection, Side: s, Closed: f.Closed[n], Removed: f.Removed[n]})
	}
	return true, nil
}

// Said are the hops that a step tells.
func (o HopsOutput) Said() []Hop { return o.Hops }

// Said are the hops that a step tells.
func (o AddRoutesOutput) Said() []Hop { return o.Hops }

// Said are the hops that a step tells.
func (o RemoveRoutesOutput) Said() []Hop { return o.Hops }

// Said are the hops that a step tells.
func (o NotebooksOutput) Said() []Hop { return o.Hops }

// Said are the hops that a step tells.
func (o AdmitRoleOutput) Said() []Hop { return o.Hops }

// Said are the hops that a step tells.
func (o IdentifyUsersOutput) Said() []Hop { return o.Hops }

// Said are the hops that a step tells.
func (o PlaceEndpointsOutput) Said() []Hop { return o.Hops }

// Said are the hops that a step tells.
func (o GrantNotebookAccessOutput) Said() []Hop { return o.Hops }
