package workflow

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
)

// MaxPayload is how many bytes Step Functions carries as the input, result or output of a state or an execution. More is
// States.DataLimitExceeded, which no Catch sees and no redrive mends: it must not happen half way.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html#service-limits-task-executions
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const MaxPayload = 262_144

// What [Handler] keeps what the steps tell to, in bytes of JSON: one hop, and all hops of one invocation. With that it is
// known before the first change how large an execution's payload can become; see [Fits].
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
)

// growing is the output of an inspection, after which a machine acts. grow returns how many bytes the steps that follow add
// to it at most, and words for what it is about that makes it large.
type growing interface {
	grow() (bytes int, about string)
}

// shortened is an output with hops, which are kept within [HopsSize], or verdicts.
type shortened interface{ shorten() }

// Fits returns a [fault.Conflict] if out, with what the steps that follow add to it at most, exceeds [MaxPayload]. It is
// asked of every output; of an inspection's before anything is changed.
func Fits(out any) error {
	encoded, err := json.Marshal(out)
	if err != nil {
		return fault.New(fault.Invalid, "writing the output of this step: %v", err)
	}
	return fits(out, len(encoded))
}

func fits(out any, size int) error {
	size += around
	g, ok := out.(growing)
	if !ok {
		if size > MaxPayload {
			return fault.NewConflict(fmt.Sprintf("the output of this step has %d bytes, and Step Functions carries %d", size, MaxPayload),
				"report it as a defect, with the message in the function's log")
		}
		return nil
	}
	more, about := g.grow()
	if size+more > MaxPayload {
		return fault.NewConflict(fmt.Sprintf("too large for one execution: %s would make up to %d bytes, and Step Functions carries %d from state to state", about, size+more, MaxPayload),
			"let the policy open fewer databases, or move subnets or route tables into VPCs of their own, then redrive the execution; this step changed nothing")
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
		h.Detail = fit.Bytes(h.Detail, max(0, len(h.Detail)-max(1, (size-one)/6))) // a character may take six bytes: <
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
func (o *IdentifyUsersOutput) shorten()       { o.Hops = few(o.Hops, HopSize, HopsSize) }
func (o *PlaceEndpointsOutput) shorten()      { o.Hops = few(o.Hops, HopSize, HopsSize) }
func (o *GrantNotebookAccessOutput) shorten() { o.Hops = few(o.Hops, HopSize, HopsSize) }

// verdicts is the room of the verdict that an execution ends with.
const verdicts = MaxPayload / 2

func (o *ConcludeRemovalOutput) shorten()        { o.Verdict = few(o.Verdict, HopsSize, verdicts) }
func (o *VerifyAttachmentOutput) shorten()       { o.Verdict = few(o.Verdict, HopsSize, verdicts) }
func (o *ConcludeDataAPIOutput) shorten()        { o.Verdict = few(o.Verdict, HopsSize, verdicts) }
func (o *VerifyDataAPIEndpointOutput) shorten()  { o.Verdict = few(o.Verdict, HopsSize, verdicts) }
func (o *VerifyPrivateNotebooksOutput) shorten() { o.Verdict = few(o.Verdict, HopsSize, verdicts) }
func (o *ConcludeStudioOutput) shorten()         { o.Verdict = few(o.Verdict, HopsSize, verdicts) }

// shorten keeps the lines about paths, which are few already, with hops of [HopSize], and all within [HopsSize] each.
func (o *VerifyConnectionOutput) shorten() {
	heads := make([]Hop, len(o.Verdict))
	for n, p := range o.Verdict {
		o.Verdict[n].Hops = few(p.Hops, HopSize, HopsSize/2)
		heads[n] = p.Hop
	}
	heads = few(heads, HopsSize/2, verdicts/2)
	room := verdicts / 2
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

// --- what the steps add ---------------------------------------------------------------------------------------------

// hops is what n hops of one step take at most.
func hops(n int) int { return min(HopsSize, n*HopSize) + keys }

// hostRoute is what one route takes in a [Table]: an IPv6 prefix, and a target.
const hostRoute = 120

// connecting is what the steps that connect add: AllowDnsResolution; AddRoutes, with the tables of each side;
// OpenFirewall; InjectRoutes.
func connecting(sides []Side, notebooks []Batch) int {
	bytes := hops(len(sides)) + batched(notebooks)
	for _, s := range sides {
		bytes += s.Carried + s.ways()*hostRoute + hops(s.ways()+len(s.Tables)) + hops(len(s.Openings)+1)
	}
	return bytes
}

// removing is what the steps that take away add: CloseFirewall and RemoveRoutes, which are carried on with the side that they
// were done for; WithdrawRoutes.
func removing(connection Connection, sides []Side, notebooks []Batch) int {
	bytes := batched(notebooks)
	for _, s := range sides {
		leaving := len(s.Leaving()) * prefix
		bytes += encoded(connection) + encoded(s) + s.Carried + leaving + 2*(HopsSize+keys)
	}
	return bytes
}

// prefix is what a prefix takes in a list.
const prefix = 48

func acting(answer Answer, connection Connection, sides []Side, notebooks []Batch) (bytes int, about string) {
	switch answer {
	case AnswerConnect, AnswerExtend:
		bytes = connecting(sides, notebooks)
	case AnswerDisconnect, AnswerTrim:
		bytes = removing(connection, sides, notebooks)
	}
	var databases, tables, subnets int
	for _, s := range sides {
		databases, tables, subnets = databases+len(s.Openings), tables+len(s.Tables), subnets+len(s.Subnets)
	}
	words := []string{fmt.Sprintf("%d notebook instances", Instances(notebooks))}
	for _, w := range []struct {
		n    int
		what string
	}{{databases, "databases"}, {tables, "route tables"}, {subnets, "subnets"}} {
		if w.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", w.n, w.what))
		}
	}
	return bytes, connection.ID + " with " + strings.Join(words, ", ")
}

func (o InspectPeeringOutput) grow() (int, string) {
	return acting(o.Answer, o.Connection, o.Sides, o.Batches)
}

func (o InspectTransitOutput) grow() (int, string) {
	return acting(o.Answer, o.Connection, o.Sides, o.Batches)
}

func (o InspectNotebooksOutput) grow() (int, string) {
	return len(o.Notebooks) * hops(1), fmt.Sprintf("%d notebook instances", len(o.Notebooks))
}

func (o InspectStudioOutput) grow() (int, string) {
	return hops(HopsSize) + (len(o.Roles)+4*len(o.Domains))*hops(1),
		fmt.Sprintf("%s with %d execution roles and %d Studio domains", o.Warehouse.ID, len(o.Roles), len(o.Domains))
}

// privateRoles is the room of the names of an account's roles that may have the URL of a notebook: 1,000 roles, the default
// quota, of 64 characters. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const privateRoles = 1000 * (64 + 3)

func (o InspectPrivateNotebooksOutput) grow() (int, string) {
	bytes := hops(HopsSize) + privateRoles
	for _, w := range slices.Concat(o.Wants, o.Leaving) {
		bytes += encoded(w) + hops(HopsSize) + endpointsSize(w)
	}
	return bytes, fmt.Sprintf("account %s with %d tagged VPCs", o.Account, len(o.VPCs)+len(o.Refused))
}

func (o InspectDataAPIEndpointOutput) grow() (int, string) {
	return hops(HopsSize) + endpointsSize(o.Want), o.Want.VPC
}

func (o InspectDataAPIOutput) grow() (int, string) {
	return 3 * hops(HopsSize), o.DataAPI.Cluster.ID
}

// endpointsSize is what is said of the endpoints of a want: their ids and services, what is waited for, and their ids again.
func endpointsSize(w EndpointWant) int { return len(w.Services) * 400 }
