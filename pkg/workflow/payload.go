package workflow

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
)

// MaxPayload is how many bytes Step Functions carries as the input, result or output of a state or an execution. More is
// States.DataLimitExceeded, which no Catch sees and no redrive mends: it must not happen half way.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html#service-limits-task-executions
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const MaxPayload = 262_144

// StateSize is what the machines that connect carry from state to state at most, in bytes of JSON, whatever the size of the accounts: ids, the answer with
// its reason, and numbers. What grows is rows of the ledger, see [Findings].
const StateSize = 32 << 10

// What is kept of what the steps tell, in bytes of JSON: one hop, and all hops of one invocation.
const (
	HopSize  = 400
	HopsSize = 6 << 10
)

const (
	// around is what stands around a function's output in a payload: the answer of lambda:invoke with its metadata and the
	// headers of the response, the names of function and execution.
	around = 2 << 10
	// keys is what stands around the hops of one step.
	keys = 100
	// maxCause is what is told of an error at most. The cause of a failed state holds 32,768 characters, but a machine that
	// catches it carries it on.
	maxCause = 4 << 10
	// maxReason is what is said at most of why an execution goes on, or ends, as it does.
	maxReason = 2 << 10
)

// shortened is an output with hops, which are kept within [HopsSize], or verdicts, or with sentences.
type shortened interface{ shorten() }

// Carried reports whether what an inspection answers, with what the steps after it tell, and what an execution that is held back adds, stays within [StateSize].
func Carried(out InspectNotebooksOutput) bool {
	const held = maxCause + 1<<10
	return encoded(out)+len(out.Notebooks)*(HopSize+keys)+around+held <= StateSize
}

// Shorten keeps what an output tells within its bounds.
func Shorten(out any) {
	if s, ok := out.(shortened); ok {
		s.shorten()
	}
}

// fits returns a [fault.Conflict] if an output of size bytes exceeds [MaxPayload].
func fits(size int) error {
	if size += around; size > MaxPayload {
		return fault.NewConflict(fmt.Sprintf("the output of this step has %d bytes, and Step Functions carries %d", size, MaxPayload),
			"report it as a defect, with the message in the function's log")
	}
	return nil
}

// few returns hops in their order, each of at most one bytes, all within size. What there is no room for is counted in
// a last one; a hop that does not hold is kept before those that do.
func few(hops []Hop, one, size int) []Hop {
	out := slices.Clone(hops)
	sizes, all := make([]int, len(out)), 0
	for i := range out {
		out[i], sizes[i] = short(out[i], one)
		all += sizes[i]
	}
	if all <= size {
		return out
	}
	left, keep := size-rest, make([]bool, len(out))
	for _, ok := range []bool{false, true} {
		for i, h := range out {
			if h.OK == ok && sizes[i] <= left {
				keep[i], left = true, left-sizes[i]
			}
		}
	}
	more := Hop{Hop: "and more", OK: true}
	kept := make([]Hop, 0, len(out))
	for i, h := range out {
		if keep[i] {
			kept = append(kept, h)
		} else {
			more.OK = more.OK && h.OK
		}
	}
	more.Detail = fmt.Sprintf("%d lines that have no room here", len(out)-len(kept))
	return append(kept, more)
}

// rest is the room of the hop that counts what was left out.
const rest = 100

// short cuts a hop to one bytes of JSON, the comma behind it included.
func short(h Hop, one int) (Hop, int) {
	size := encoded(h) + 1
	if size <= one {
		return h, size
	}
	h.Hop = fit.Bytes(h.Hop, one/4)
	for size = encoded(h) + 1; size > one; size = encoded(h) + 1 {
		h.Detail = cut(h.Detail, max(0, len(h.Detail)-max(1, (size-one)/6))) // a character may take six bytes: <
		if h.Detail == "" {
			h.Hop = fit.Bytes(h.Hop, len(h.Hop)/2)
		}
	}
	return h, size
}

func encoded(v any) int {
	b, _ := json.Marshal(v)
	return len(b)
}

func (o *HopsOutput) shorten()                { o.Hops = few(o.Hops, HopSize, HopsSize) }
func (o *AttachRoutesOutput) shorten()        { o.Hops = few(o.Hops, HopSize, HopsSize) }
func (o *AddRoutesOutput) shorten()           { o.Hops = few(o.Hops, HopSize, HopsSize) }
func (o *NotebooksOutput) shorten()           { o.Hops = few(o.Hops, HopSize, HopsSize) }
func (o *RemoveRoutesOutput) shorten()        { o.Hops = few(o.Hops, HopSize, HopsSize) }
func (o *AdmitRoleOutput) shorten()           { o.Hops = few(o.Hops, HopSize, 3*HopSize/2) }
func (o *IdentifyUsersOutput) shorten()       { o.Hops = few(o.Hops, HopSize, HopsSize) }
func (o *PlaceEndpointsOutput) shorten()      { o.Hops = few(o.Hops, HopSize, HopsSize) }
func (o *GrantNotebookAccessOutput) shorten() { o.Hops = few(o.Hops, HopSize, HopsSize) }

// The room of the verdict that an execution ends with.
const verdict = 16 << 10

// short keeps a reason, and what of it each side is told, to what a reason may be.
func (s Said) short() Said {
	return Said{Requester: fit.Bytes(s.Requester, maxReason), Accepter: fit.Bytes(s.Accepter, maxReason)}
}

func (o *InspectPeeringOutput) shorten() {
	o.Reason, o.Said = fit.Bytes(o.Reason, maxReason), o.Said.short()
}

func (o *InspectTransitOutput) shorten() {
	o.Reason, o.Said = fit.Bytes(o.Reason, maxReason), o.Said.short()
}

// reasoned cuts why an execution ends, or goes on, which lists all that it is about.
func reasoned(reason *string) { *reason = fit.Bytes(*reason, maxReason) }

func (o *InspectStudioOutput) shorten()           { reasoned(&o.Reason) }
func (o *InspectPrivateNotebooksOutput) shorten() { reasoned(&o.Reason) }
func (o *InspectDataAPIOutput) shorten()          { reasoned(&o.Reason) }
func (o *InspectDataAPIEndpointOutput) shorten()  { reasoned(&o.Reason) }
func (o *InspectNotebooksOutput) shorten()        { reasoned(&o.Reason) }
func (o *InspectShareOutput) shorten()            { reasoned(&o.Reason) }
func (o *ConcludeOutput) shorten()                { reasoned(&o.Reason) }
func (o *ReportConflictOutput) shorten()          { reasoned(&o.Reason) }
func (o *FindConnectionsOutput) shorten()         { reasoned(&o.Reason) }
func (o *AnswerTagsOutput) shorten()              { reasoned(&o.Reason) }
func (o *ReportContestOutput) shorten()           { reasoned(&o.Reason) }
func (o *ReportFailureOutput) shorten()           { reasoned(&o.Reason) }

func (o *InspectAttachmentOutput) shorten() {
	o.Reason, o.Said, o.Lacking = fit.Bytes(o.Reason, maxReason), o.Said.short(), few(o.Lacking, HopSize, HopsSize)
}

// judged cuts the verdict that an execution ends with, and its reason.
func judged(reason *string, hops *[]Hop) {
	reasoned(reason)
	*hops = few(*hops, HopsSize/2, verdict)
}

func (o *VerifyAttachmentOutput) shorten()       { judged(&o.Reason, &o.Verdict) }
func (o *ConcludeDataAPIOutput) shorten()        { judged(&o.Reason, &o.Verdict) }
func (o *VerifyDataAPIEndpointOutput) shorten()  { judged(&o.Reason, &o.Verdict) }
func (o *VerifyPrivateNotebooksOutput) shorten() { judged(&o.Reason, &o.Verdict) }
func (o *ConcludeStudioOutput) shorten()         { judged(&o.Reason, &o.Verdict) }
func (o *ConcludeRemovalOutput) shorten()        { judged(&o.Reason, &o.Verdict) }

// shorten keeps the lines about paths, which are few already, with hops of [HopSize], and all within [HopsSize] each.
func (o *VerifyConnectionOutput) shorten() {
	o.Reason = fit.Bytes(o.Reason, maxReason)
	heads := make([]Hop, len(o.Verdict))
	for n, p := range o.Verdict {
		o.Verdict[n].Hops = few(p.Hops, HopSize, HopsSize/2)
		heads[n] = p.Hop
	}
	heads = few(heads, HopsSize/4, verdict)
	room := verdict - min(verdict/2, encoded(heads))
	var out []Path
	for n, h := range heads {
		one := Path{Hop: h}
		if n < len(o.Verdict) && len(heads) == len(o.Verdict) {
			if size := encoded(o.Verdict[n].Hops); size <= room {
				one.Hops, room = o.Verdict[n].Hops, room-size
			}
		}
		out = append(out, one)
	}
	o.Verdict = out
}
