package dryrun

import (
	"fmt"
	"maps"
)

// answers are the calls that write, as IAM names them: what AWS answers, and what the call changes; nil if it is about nothing in members. An answer that is an error is
// how AWS refuses the call. A test holds them to all rights of Drawbridge's roles.
var answers = map[string]func(*World, call) (any, []Change){}

// noted are the reads of things that may only be noted: a function that returns what AWS would answer if it had them, or nil if AWS is to be asked.
var noted = map[string]func(*World, call) func() (any, error){}

// shown are the reads whose answers are changed by what was noted.
var shown = map[string]func(*World, call, any){}

func init() {
	for _, more := range []map[string]func(*World, call) (any, []Change){network, gateway, sage, sharing, databases, hub, iamWrites, accesses, placing} {
		for name := range more {
			if answers[name] != nil {
				panic("two answers to " + name)
			}
		}
		maps.Copy(answers, more)
	}
}

// answer is an entry of [answers] for a call with the input I.
func answer[I, O any](f func(w *World, c call, in *I) (*O, []Change)) func(*World, call) (any, []Change) {
	return func(w *World, c call) (any, []Change) { return f(w, c, c.in.(*I)) }
}

// refusing is an entry of [answers] for a call that f may refuse, and else is answered as by then.
func refusing[I any](f func(w *World, in *I) error, then func(*World, call) (any, []Change)) func(*World, call) (any, []Change) {
	return func(w *World, c call) (any, []Change) {
		if err := f(w, c.in.(*I)); err != nil {
			return err, nil
		}
		return then(w, c)
	}
}

// plainly is [answer] for a call whose answer says nothing that a step needs.
func plainly[I, O any](f func(w *World, c call, in *I) []Change) func(*World, call) (any, []Change) {
	return answer(func(w *World, c call, in *I) (*O, []Change) { return new(O), f(w, c, in) })
}

// one is the one change of a call.
func one(sign Sign, thing, format string, args ...any) []Change {
	return []Change{{Sign: sign, What: fmt.Sprintf(format, args...), Thing: thing}}
}

// Knows reports whether a call that writes, as IAM names it, has an answer here.
func Knows(name string) bool { return answers[name] != nil }
