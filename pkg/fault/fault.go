// Package fault names what went wrong, so that Step Functions can match it.
//
// A state machine retries and catches by error name. Drawbridge has seven names and no more:
//
//   - [Transient]: the same call may work in a moment (throttling, 5xx, a broken connection). Retried.
//   - [NotYet]: the world is on its way to where we need it (a peering still provisioning). Retried, more slowly.
//   - [Refused]: AWS or the organization does not let us (access denied, a service control policy). A person must act.
//   - [Conflict]: what is there is not ours, or leaves no room. A person must act, then redrive.
//   - [Invalid]: the input of a step or an event is malformed. Nothing was changed.
//   - [Over]: what the step works for has come to its end meanwhile. The machine looks again, and takes away what was added.
//   - [Held]: Drawbridge may not do it at the moment: it is paused, only observes, or asks a person first. Every machine keeps
//     the event and ends well.
//
// Everything below the Lambda edge may wrap errors freely with %w; pkg/workflow turns the kind into the
// error name that the machine sees.
package fault

import (
	"errors"
	"fmt"
)

// Kind is the name under which an error reaches the state machine.
type Kind string

// The kinds. Each is spelled exactly as the machines' Retry lists spell it.
const (
	Transient Kind = "Transient"
	NotYet    Kind = "NotYet"
	Refused   Kind = "Refused"
	Conflict  Kind = "Conflict"
	Invalid   Kind = "Invalid"
	Over      Kind = "Over"
	Held      Kind = "Held"
)

// Kinds lists every kind. The contract test holds the machines' error names against it.
func Kinds() []Kind { return []Kind{Transient, NotYet, Refused, Conflict, Invalid, Over, Held} }

// How often a machine tries a Task again that fails with [Transient], and with [NotYet], before it gives up.
const (
	TransientTries = 6
	NotYetTries    = 8
)

// Last reports whether the machine tries a Task no more that fails with err, after it was tried again so often: nobody hears of it but by what is said now.
// What is held, over or malformed has a way of its own.
func Last(err error, tried int) bool {
	switch Of(err) {
	case Refused, Conflict:
		return true
	case Transient:
		return tried >= TransientTries
	case NotYet:
		return tried >= NotYetTries
	}
	return false
}

// Error is an error of a known kind. Message says what is wrong and names the thing;
// Remedy, where there is one, says what a person should do.
type Error struct {
	Kind    Kind
	Message string
	Remedy  string
	Cause   error // nil, or what [errors.Is] shall find
}

// ErrClosed is the cause of a [Refused] error about an account that does not let Drawbridge in at all.
var ErrClosed = errors.New("the account is closed to Drawbridge")

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Error returns the message, followed by the remedy.
func (e *Error) Error() string {
	if e.Remedy == "" {
		return e.Message
	}
	return e.Message + "; remedy: " + e.Remedy
}

// New returns an error of kind k without a remedy.
func New(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// NewConflict returns a [Conflict]: message names the thing that is in the way, remedy says what to do about it.
func NewConflict(message, remedy string) error {
	return &Error{Kind: Conflict, Message: message, Remedy: remedy}
}

// Of returns the kind of err: its own if an [Error] is in its chain, else what the table of AWS error codes says.
// It never returns an empty kind for a non-nil error.
func Of(err error) Kind {
	if err == nil {
		return ""
	}
	var known *Error
	if errors.As(err, &known) {
		return known.Kind
	}
	return ofAWS(err)
}
