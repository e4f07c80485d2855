// Package plan says what Drawbridge would do, and does nothing.
//
// It plays the executions of the machines in this process: their own definitions, their own steps, over AWS as it is, of which package dryrun lets only
// reads pass. So a plan is not a second opinion about what the functions do; it is what they do.
//
//	plan.go       the words, and what becomes of what was played (pure)
//	apply.go      plans: of a policy, of a sweep; thing.go of one thing and its tags; request.go of a request that is only described
//	asked.go      what asks for executions
//	outcome.go    plans one execution
//	rehearsal.go  plays executions
//	steps.go      their steps, wired as the functions are
//	settings.go   what the functions get by their environment
//	text.go       plans for people
//
// docs/decisions/0108-a-plan-is-a-rehearsal.md and 0122-every-machine-is-rehearsed.md have the reasons.
package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/dryrun"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Plan is the answer of drawbridge plan, but about a policy.
type Plan struct {
	answer.Head
	Hub  board.Hub  `json:"hub"`
	At   time.Time  `json:"at" jsonschema:"when it was planned"`
	Mode board.Mode `json:"mode" jsonschema:"how far Drawbridge goes at the moment: what is planned is done in the mode full alone"`
	// About is what was planned, with what was supposed of it.
	About string `json:"about"`
	// Looks are the executions that there would be, in their order.
	Looks   []Look   `json:"looks"`
	Changes []Change `json:"changes" jsonschema:"what would be changed, in the order of the calls"`
	Counts  Counts   `json:"counts"`
	Notices []string `json:"notices" jsonschema:"what programs and people would be told: kinds of events and subjects of messages"`
	// Found is what a sweep finds and leaves alone.
	Found []Found `json:"found,omitempty" jsonschema:"of a sweep: what is there, kind by kind, and what of it is not managed and left alone"`
	// Unplanned are looks that would be asked for and were not planned, and places that could not be read.
	Unplanned []string `json:"unplanned"`
}

// Look is one execution that there would be.
type Look struct {
	Machine string `json:"machine"`
	ID      string `json:"id" jsonschema:"what it is about"`
	Ends    string `json:"ends" jsonschema:"its end state; the state that fails; or the state in which it waits for AWS or for people"`
	Fails   string `json:"fails,omitempty" jsonschema:"the kind of the error with which it would fail: Conflict, Refused, NotYet, …"`
	Waits   bool   `json:"waits,omitempty" jsonschema:"it would wait there, and nobody knows what for it finds then"`
	Reason  string `json:"reason,omitempty"`
}

// Change is one change to one thing.
type Change struct {
	Sign    string `json:"sign" jsonschema:"+ adds, ~ changes, - takes away"`
	Thing   string `json:"thing" jsonschema:"the id, name or ARN of what is changed"`
	What    string `json:"what"`
	Account string `json:"account"`
	Region  string `json:"region"`
	Call    string `json:"call" jsonschema:"the AWS call, as IAM names it"`
}

// Counts sum a plan up.
type Counts struct {
	Adds    int `json:"adds"`
	Changes int `json:"changes"`
	Takes   int `json:"takes"`
	Calls   int `json:"calls" jsonschema:"AWS calls that change something in members"`
	States  int `json:"stateTransitions" jsonschema:"state transitions of the executions, which Step Functions bills"`
	// Monthly is what the added things cost less what the taken ones did.
	Monthly float64 `json:"monthlyUSD" jsonschema:"what is added costs in a month of 730 hours, less what goes, without traffic, at the list prices of US East: $0.05 for an hour of an attachment, https://aws.amazon.com/transit-gateway/pricing/; $0.01 for an hour of an endpoint in a zone, https://aws.amazon.com/privatelink/pricing/"`
}

// Found is what a sweep finds of one kind.
type Found struct {
	Kind      string   `json:"kind"`
	Seen      int      `json:"seen"`
	Unmanaged int      `json:"unmanaged" jsonschema:"those that were not given to Drawbridge: they are left alone"`
	Names     []string `json:"names" jsonschema:"the first of them"`
}

// Empty reports whether nothing would be changed.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }

// prices are what things cost an hour, in US dollars, by the call that makes one, as the example for US East (Ohio) on AWS's page has it: "$0.05 per VPC
// attachment". Other Regions and China have others. A peering, routes, rules and roles cost nothing by themselves.
// https://aws.amazon.com/transit-gateway/pricing/
var prices = map[string]float64{"ec2:CreateTransitGatewayVpcAttachment": 0.05}

// saves are the calls that end what one of prices makes.
var saves = map[string]string{"ec2:DeleteTransitGatewayVpcAttachment": "ec2:CreateTransitGatewayVpcAttachment"}

// endpointHour is what one network interface of an endpoint costs an hour, in US East: "$0.01 per VPC endpoint per AZ".
// https://aws.amazon.com/privatelink/pricing/
const endpointHour = 0.01

// month is how many hours AWS counts in one.
const month = 730

// changes lists what calls would change, and counts it.
func changes(writes []dryrun.Write) ([]Change, Counts) {
	out, n := []Change{}, Counts{Calls: len(writes)}
	for _, w := range writes {
		n.Monthly += (prices[w.Call] - prices[saves[w.Call]]) * month
		for _, c := range w.Changes {
			if sign := 1.0; c.Interfaces > 0 {
				if c.Sign == dryrun.Takes {
					sign = -1
				}
				n.Monthly += sign * float64(c.Interfaces) * endpointHour * month
			}
			out = append(out, Change{Sign: string(c.Sign), Thing: c.Thing, What: c.What, Account: w.Account, Region: w.Region, Call: w.Call})
			switch c.Sign {
			case dryrun.Adds:
				n.Adds++
			case dryrun.Takes:
				n.Takes++
			default:
				n.Changes++
			}
		}
	}
	return out, n
}

// found sums up what visits found, by kind.
func found(visits []workflow.SweepAccountOutput) []Found {
	var out []Found
	for _, v := range visits {
		for _, f := range v.Found {
			n := slices.IndexFunc(out, func(o Found) bool { return o.Kind == f.Kind })
			if n < 0 {
				n, out = len(out), append(out, Found{Kind: f.Kind, Names: []string{}})
			}
			o := &out[n]
			o.Seen, o.Unmanaged = o.Seen+f.Seen, o.Unmanaged+f.Unmanaged
			if room := named - len(o.Names); room > 0 {
				o.Names = append(o.Names, f.Names[:min(room, len(f.Names))]...)
			}
		}
	}
	return out
}

// named is how many things of a kind are named.
const named = 10

// Comparison is the answer of drawbridge plan about a policy.
type Comparison struct {
	answer.Head
	Hub  board.Hub  `json:"hub"`
	At   time.Time  `json:"at" jsonschema:"when it was planned"`
	Mode board.Mode `json:"mode"`
	File string     `json:"file" jsonschema:"where the new policy is from"`
	// InForce is why the policy in force cannot be read, such as that this version has other words.
	InForce []string `json:"inForce,omitempty" jsonschema:"why this version cannot read the policy in force: what would stand is then compared with what stands by the ledger, not with what it would allow"`
	// Connections are those that become otherwise, by what becomes of them.
	Connections []Effect   `json:"connections" jsonschema:"the connections and requests that would become otherwise"`
	Same        int        `json:"same" jsonschema:"how many would be as under the policy in force"`
	Unplanned   []string   `json:"unplanned" jsonschema:"entries that were not planned, with the reason"`
	Counts      EffectSums `json:"counts"`
	Room        int        `json:"room" jsonschema:"how many of those that go may go at once; the others wait at the brake for a person"`
}

// The effects that a policy has on a connection.
const (
	Appears = "appears" // something would stand where nothing would now
	Goes    = "goes"
	Widens  = "widens"
	Narrows = "narrows"
	Differs = "differs" // some of it goes, and other comes; or it ends otherwise
)

// Effect is what a policy has on one connection.
type Effect struct {
	ID      string   `json:"id"`
	Kind    string   `json:"kind"`
	Between []string `json:"between" jsonschema:"its sides: account/region/id"`
	Effect  string   `json:"effect" jsonschema:"appears, goes, widens, narrows or differs"`
	Now     string   `json:"now" jsonschema:"how its next look would end under the policy in force"`
	Then    string   `json:"then" jsonschema:"how it would end under the new one"`
	Reason  string   `json:"reason,omitempty" jsonschema:"of the end under the new one"`
	Paths   [2]int   `json:"paths" jsonschema:"how many paths are allowed, now and then"`
	Gains   []string `json:"gains" jsonschema:"things that would stand under the new policy alone"`
	Loses   []string `json:"loses" jsonschema:"things that would stand under the policy in force alone"`
	Tells   []string `json:"tells,omitempty" jsonschema:"what the tags of the status would say under the new policy alone: account: text"`
}

// EffectSums count effects.
type EffectSums struct {
	Appear int `json:"appear"`
	Go     int `json:"go"`
	Widen  int `json:"widen"`
	Narrow int `json:"narrow"`
	Differ int `json:"differ"`
}

// Empty reports whether the policy would change nothing.
func (c Comparison) Empty() bool { return len(c.Connections) == 0 }

// standing is what a look would leave of a connection.
type standing struct {
	played
	things []string // sorted
	paths  int
	tells  []string // what its owners would read, sorted
}

// compare says what becomes of a connection; false if nothing becomes otherwise.
//
//	things now  then        paths    effect
//	none        some                 appears
//	some        none                 goes
//	some        those, more          widens
//	some        some of them         narrows
//	some        others               differs
//	the same                more     widens
//	the same                fewer    narrows
//	the same                as many  differs, if the end is another
func compare(now, then standing) (Effect, bool) {
	e := Effect{Now: now.end(), Then: then.end(), Reason: then.Reason, Paths: [2]int{now.paths, then.paths}, Gains: without(then.things, now.things), Loses: without(now.things, then.things)}
	if tells := without(then.tells, now.tells); len(tells) > 0 {
		e.Tells = tells
	}
	switch {
	case len(now.things) == 0 && len(then.things) > 0:
		e.Effect = Appears
	case len(now.things) > 0 && len(then.things) == 0:
		e.Effect = Goes
	case len(e.Gains) > 0 && len(e.Loses) > 0:
		e.Effect = Differs
	case len(e.Gains) > 0:
		e.Effect = Widens
	case len(e.Loses) > 0:
		e.Effect = Narrows
	case then.paths != now.paths:
		if e.Effect = Widens; then.paths < now.paths {
			e.Effect = Narrows
		}
	case e.Now != e.Then:
		e.Effect = Differs
	default:
		return e, false
	}
	return e, true
}

// end is how an execution ends, in a word.
func (p played) end() string { return cmp.Or(p.Error, p.State) }

// without returns what is in a and not in b.
func without(a, b []string) []string {
	out := slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
	return append([]string{}, out...)
}

// sums counts effects.
func sums(all []Effect) (n EffectSums) {
	for _, e := range all {
		switch e.Effect {
		case Appears:
			n.Appear++
		case Goes:
			n.Go++
		case Widens:
			n.Widen++
		case Narrows:
			n.Narrow++
		default:
			n.Differ++
		}
	}
	return n
}

// effects is the order in which effects are shown: what is lost before what is gained.
var effects = []string{Goes, Narrows, Differs, Appears, Widens}

func inOrder(all []Effect) {
	slices.SortFunc(all, func(a, b Effect) int {
		return cmp.Or(slices.Index(effects, a.Effect)-slices.Index(effects, b.Effect), strings.Compare(a.ID, b.ID))
	})
}
