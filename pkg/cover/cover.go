// Package cover knows what an owner's approval covers: what the question showed, and nothing that comes later. It thinks and is pure; what
// is covered is kept in the ledger's entry of the connection.
//
// What is covered are lines, sorted and each once: of a range of the VPC that asks, and of a database that becomes reachable with its port.
package cover

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// most is how many lines are kept of what was covered once and is not there any more. Of what is there there may be more: the payloads of
// the machines bound that.
const most = 200

// Range is the line of a range of addresses that asks.
func Range(p netip.Prefix) string { return "range " + p.String() }

// All is the line that covers whatever comes to an attachment: nobody lists there what there is.
const All = "all"

// Of is a line about one VPC of several, and if it is reached from another, which.
func Of(line, here, from string) string {
	if line += " of " + here; from != "" {
		line += " from " + from
	}
	return line
}

// Database is the line of a database that becomes reachable. That of a participant of the VPC names its account.
func Database(o workflow.AllowedDatabase) string {
	line := fmt.Sprintf("database %s, %s, TCP port %d", o.Database, o.Engine, o.Port)
	if o.Account != "" {
		line += ", of account " + o.Account
	}
	return line
}

// Lines returns lines sorted, each once.
func Lines(lines ...string) []string {
	out := slices.Clone(lines)
	slices.Sort(out)
	return slices.Compact(out)
}

// Digest is the short name of what a question shows: eight characters, that a person can copy.
func Digest(lines []string) string {
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:4])
}

// Beyond returns those of lines that are not covered.
func Beyond(lines, covered []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return slices.Contains(covered, l) })
}

// Weigh says what is approved, going by an owner's answer. old is what the entry of the connection says, now is what there is to approve, and
// stands says that AWS shows the thing as accepted. The first of these that holds:
//
//	approved-all                                             → what was covered, and all that there is now
//	approved-D, D being the digest of a question             → what was covered, and what that question showed
//	approved, and nothing was covered                        → what the first question showed; if there was none, what there is now
//	it stands, and nothing was covered: accepted by hand     → what the last question showed; if there was none, what there is now
//	else                                                     → what was covered
//
// So an old answer answers no new question, and what was approved stays so. What is returned with it is what waits for an answer.
func Weigh(old ledger.Approval, answer string, now []string, stands bool) (ledger.Approval, []string) {
	out, none := old, len(old.Covered) == 0
	first := func(questions ...[]string) []string {
		for _, q := range questions {
			if len(q) > 0 {
				return q
			}
		}
		return now
	}
	switch digest, named := strings.CutPrefix(answer, tag.ApprovedPrefix); {
	case answer == tag.ApprovedAll:
		out.Covered = join(old.Covered, now, now)
	case named && len(old.Shown) > 0 && digest == Digest(old.Shown):
		out.Covered = join(old.Covered, old.Shown, now)
	case named && len(old.First) > 0 && digest == Digest(old.First):
		out.Covered = join(old.Covered, old.First, now)
	case answer == tag.Approved && none:
		out.Covered = join(nil, first(old.First), now)
	case stands && none:
		out.Covered = join(nil, first(old.Shown), now)
	}
	return out, Beyond(now, out.Covered)
}

// Standing is [Weigh] for an attachment that stands, where nobody lists what there is now.
func Standing(old ledger.Approval, answer string) ledger.Approval {
	old.Covered = Beyond(old.Covered, []string{All})
	out, _ := Weigh(old, answer, Lines(slices.Concat(old.First, old.Shown)...), true)
	if answer == tag.ApprovedAll {
		out.Covered = Lines(append(slices.Clone(out.Covered), All)...)
	}
	return out
}

// Kept returns what stays covered of a pair when lines of it are: what was covered before, and these.
func Kept(covered, lines []string) []string { return join(covered, lines, lines) }

// join returns the lines of both; if they are many, without those that are not there now.
func join(a, b, now []string) []string {
	out := Lines(slices.Concat(a, b)...)
	if len(out) > most {
		out = slices.DeleteFunc(out, func(l string) bool { return !slices.Contains(now, l) })
	}
	return out
}

// Approves reports whether an answer says yes to a thing that waits. One that names a question which is not asked any more says nothing.
func Approves(answer string, a ledger.Approval) bool {
	return Yes(answer) && Answered(answer, a)
}

// Yes reports whether an answer is one of those that say yes.
func Yes(answer string) bool {
	return answer == tag.Approved || strings.HasPrefix(answer, tag.ApprovedPrefix)
}

// Answered reports whether an answer names the first or the last question, or none. One that names another answers nothing that is asked now.
func Answered(answer string, a ledger.Approval) bool {
	digest, named := strings.CutPrefix(answer, tag.ApprovedPrefix)
	return !named || answer == tag.ApprovedAll || digest == Digest(a.Shown) || digest == Digest(a.First)
}

// Ask returns what the entry says once a question shows lines. What the first showed is kept, because approved without more answers that one.
func Ask(old ledger.Approval, lines []string) ledger.Approval {
	old.Shown = lines
	if len(old.First) == 0 && len(old.Covered) == 0 {
		old.First = lines
	}
	return old
}

// Answer is the value by which the owner approves a question that shows lines: the plain word for the first, else one that names it.
func Answer(a ledger.Approval, lines []string) string {
	if len(a.Covered) == 0 && (len(a.First) == 0 || slices.Equal(a.First, lines)) {
		return tag.Approved
	}
	return tag.ApprovedPrefix + Digest(lines)
}

// Question says, for the tags of what was approved, how the question that is open is answered; "" if none is.
func Question(a ledger.Approval) string {
	waits := Beyond(a.Shown, a.Covered)
	if len(a.Covered) == 0 || len(waits) == 0 || slices.Contains(a.Covered, All) {
		return ""
	}
	return fmt.Sprintf("%s=%s approves %d that came after the approval and wait", tag.Approval, Answer(a, a.Shown), len(waits))
}

// Told reports whether the owner was asked about all that waits.
func Told(a ledger.Approval, waits []string) bool {
	return a.Told == Digest(a.Shown) && len(Beyond(waits, a.Shown)) == 0
}
