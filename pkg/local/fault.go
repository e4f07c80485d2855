package local

import "github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"

// Moment is when an [Injector] is asked about a call.
type Moment int

const (
	// Before the call is made: a fault keeps it from happening.
	Before Moment = iota
	// After the call was made: a fault only loses its answer.
	After
)

// Fault is the answer that a client gets instead of the real one.
type Fault struct {
	// Status is the HTTP status; zero means 503.
	Status int
	// Code and Message of the error, as the called service would write them.
	Code, Message string
	// Reset closes the connection instead of answering.
	Reset bool
	// Kill ends the process that made the call, as Lambda does with a function
	// that uses too much memory. No answer is sent.
	Kill bool
}

// name is what the trace calls the fault.
func (f *Fault) name() (status int, code string) {
	switch {
	case f.Kill:
		return 0, "killed"
	case f.Reset:
		return 0, "connection reset"
	}
	return f.Status, f.Code
}

// Injector decides whether a call of Drawbridge fails; nil lets it be. It is
// asked from several goroutines.
type Injector func(awscall.Call, Moment) *Fault

func (i Injector) ask(c awscall.Call, m Moment) *Fault {
	if i == nil {
		return nil
	}
	f := i(c, m)
	if f != nil && f.Status == 0 {
		f.Status = 503
	}
	return f
}
