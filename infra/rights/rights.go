// Package rights is the table of every write that Drawbridge can do to somebody's things: which state, which call, whose thing it is, which
// opt-in of that owner allows it, and where that is enforced.
//
// It is data alone. The tests of package infra hold it to the roles, both ways, and ask IAM's rules about each line; docs/rights.md shows it.
// A write without a line, or a line without a write, is a test that fails.
//
//	rights.go   what a line is
//	table.go    the lines
//	answers.go  those that follow from the kinds of databases
//	rarely.go   rights that no story uses, and which test does
//	doc.go      how docs/rights.md shows them
package rights

import "slices"

// Line is one kind of write to one kind of thing, as one statement of the states' roles in member accounts allows it.
type Line struct {
	// Writes are the calls of each state: IAM's actions by the name of the state.
	Writes map[string][]string
	// On is the kind of thing that IAM is asked about: the service and the last part of the ARN, as the role has it,
	// for example "ec2 route-table/*".
	On string
	// Whose it is: which of the two sides, or whom else, the thing belongs to.
	Whose string
	// OptIn is what that owner did that allows it.
	OptIn string
	// IAM are all condition keys of the statement. None: IAM allows the calls on every thing of the kind in the account.
	IAM []Condition
	// Code says what enforces the opt-in where IAM does not, and why IAM cannot. Empty if IAM does.
	Code string
	// Tried are the tests and the stories that try it without the opt-in where code enforces that, as "pkg/route: TestPlan" or "story refused". What IAM enforces
	// is tried without it line by line.
	Tried []string
}

// Condition is a condition key of a statement.
type Condition struct {
	Key   string
	Value string // one with which IAM allows the call; [Any] if it asks only whether there is one
	// Decides says that the opt-in hangs on it: without the key, too, IAM denies the call.
	Decides bool
}

// Any is the value of a condition that asks only whether the key is there.
const Any = "*"

// Enforced returns the condition keys on which the opt-in hangs; none: code enforces it.
func (l Line) Enforced() []Condition {
	return slices.DeleteFunc(slices.Clone(l.IAM), func(c Condition) bool { return !c.Decides })
}

// tagged is the condition that a call sets or takes away tags of no other keys than some of Drawbridge's own.
func tagged(key string) []Condition {
	return []Condition{{"aws:TagKeys", key, true}}
}

// ownOnly is the condition that the thing carries a tag that Drawbridge put on it when it made it.
func ownOnly(key, value string) []Condition {
	return []Condition{{"aws:ResourceTag/" + key, value, true}}
}

// marked are the conditions that what is made carries Drawbridge's tag from its first moment.
func marked(value string, more ...Condition) []Condition {
	return append([]Condition{{"aws:TagKeys", "drawbridge:connection", true}, {"aws:RequestTag/drawbridge:connection", value, true}}, more...)
}
