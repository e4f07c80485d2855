package connection

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/participant"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/verdict"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Verifier is what [Verifier.Verify] works with.
type Verifier struct {
	Ledger ledger.Ledger
	Bus    notice.Bus
	// Enter returns the client that leaves a status on the side of a VPC.
	Enter func(workflow.VPC) Tagger
	// World reads the two VPCs and what carries the connection.
	World Reader
	// Still returns a [fault.Over] for a connection that is over.
	Still func(context.Context) error
}

// Reader reads what paths are judged by; [discover.Reader] is one.
type Reader interface {
	Read(context.Context, discover.Carrier, [2]discover.VPC) (network.World, error)
	// Anew is a world with the security groups that were taken as seen read now.
	Anew(context.Context, network.World, [2]discover.VPC) (network.World, error)
}

// Verify judges every path that the policy allows, by what both accounts hold now, and gives the connection its status:
//
//	somebody takes away what it needs          → Contested
//	a step before failed for the last time     → fails with a [fault.Refused] where a right was lacking, else with a [fault.Conflict], to be redriven
//	the network of no path holds, and that is
//	not what the databases' owners want        → fails with a [fault.Conflict], for whoever mends it to redrive
//	something waits for an owner               → PendingApproval
//	some path fails, or the look did not come
//	to all clients: the next one is asked for  → PartlyConnected
//	every path is whole, or cannot be judged
//	to its end; or there is none               → Connected
//
// What the steps said of their own work is why a path fails. A connection may be deleted, or let go of, while it is being set up, and the
// execution that takes it away may be done before the last rule or status is written. So Still is asked last of all, and the ledger before it:
// that sends the machine back to its inspection. A deletion after that has its own execution, which finds everything.
func (v Verifier) Verify(ctx context.Context, in workflow.VerifyConnectionInput) (workflow.VerifyConnectionOutput, error) {
	out := workflow.VerifyConnectionOutput{Result: workflow.Connected, Reason: in.Reason}
	ends := Ends(in)
	why, others := Reasons(in)
	paths, none := verdict.Paths{}, unpaired(in, ends)
	if none == "" {
		var err error
		if paths, err = v.judge(ctx, in, ends, why); err != nil {
			return v.unjudged(ctx, in, fmt.Errorf("judging the paths of %s: %w", in.Connection.ID, err))
		}
		out.Reason += ": " + paths.Counted()
	} else {
		out.Reason += "; " + none
		out.Verdict = append(out.Verdict, workflow.Path{Hop: workflow.Hop{Hop: "paths", OK: true, Detail: none}})
	}
	out.Reason += asleep(in.Sides)
	later := overlooked(in.Sides)
	out.Reason += later
	out.Verdict = append(out.Verdict, paths.Lines...)
	for _, h := range append(slices.Clone(in.Found), others...) {
		out.Verdict = append(out.Verdict, workflow.Path{Hop: h})
	}
	taken, err := contested(ctx, v.Ledger, v.Bus, in)
	if err != nil {
		return out, err
	}
	reason := out.Reason
	said := func(s workflow.Side) string {
		return strings.Join(slices.DeleteFunc(append([]string{reason, paths.Told(s.VPC.Account)}, s.Unheeded...), func(t string) bool { return t == "" }), "; ")
	}
	switch waits := in.Waits.Said; {
	case taken != "":
		out.Result, out.Reason = workflow.Contested, taken
		return out, v.tell(ctx, in, out, paths, func(workflow.Side) string { return taken })
	case len(in.Refused) > 0:
		lacking := lacks(in.Refused)
		out.Result, out.Reason = Conflict, lacking.Error()+"; "+reason // a tag is short, and the first words stay
		return out, cmp.Or(v.tell(ctx, in, out, paths, func(s workflow.Side) string { return lacksIn(in.Refused, s.VPC.Account) + "; " + said(s) }), lacking)
	case none == "" && !paths.Answers() && !kept(in.Sides):
		broken := unanswered(paths, why)
		out.Result, out.Reason = Conflict, broken.Error()
		return out, cmp.Or(v.tell(ctx, in, out, paths, said), broken)
	case waits != (workflow.Said{}):
		out.Result, out.Reason = workflow.PendingApproval, reason+"; "+waits.Requester
		out.Verdict = append(out.Verdict, workflow.Path{Hop: workflow.Hop{Hop: "approval", Detail: waits.Accepter}})
		said = func(s workflow.Side) string { return reason + "; " + waits.To(s.Role) }
	case paths.Failed > 0:
		what, remedy := paths.InTheWay()
		out.Result = workflow.PartlyConnected
		out.Reason += "; " + strings.Join(slices.DeleteFunc([]string{what, remedy}, func(s string) bool { return s == "" }), "; ")
	case later != "":
		out.Result = workflow.PartlyConnected
	}
	if err := v.tell(ctx, in, out, paths, said); err != nil {
		return out, err
	}
	return out, v.announce(ctx, in, out)
}

// judge reads both VPCs and judges the paths. Security groups that OpenFirewall read just now are not read again, unless a path fails at one: what it
// fails at is never an old fact. All else of both was read just now, and stays.
func (v Verifier) judge(ctx context.Context, in workflow.VerifyConnectionInput, ends [2]verdict.Ends, why []verdict.Reason) (verdict.Paths, error) {
	known := seen(in, Wanted(in, ends), v.Ledger.Now())
	world, err := v.World.Read(ctx, carrierOf(in), known)
	if err != nil {
		return verdict.Paths{}, err
	}
	paths := verdict.Judge(world, in.Connection.Target, ends[:], why)
	old := len(known[0].Seen)+len(known[1].Seen) > 0
	if !old || !slices.ContainsFunc(paths.Faults, func(f verdict.Fault) bool { return f.Hop == verdict.ClientGroup || f.Hop == verdict.DatabaseGroup }) {
		return paths, nil
	}
	if world, err = v.World.Anew(ctx, world, known); err != nil {
		return verdict.Paths{}, err
	}
	return verdict.Judge(world, in.Connection.Target, ends[:], why), nil
}

// unjudged says of a connection whose paths could not be judged that this is so, if nobody tries again. It returns why.
func (v Verifier) unjudged(ctx context.Context, in workflow.VerifyConnectionInput, why error) (workflow.VerifyConnectionOutput, error) {
	out := workflow.VerifyConnectionOutput{Result: Conflict, Reason: why.Error()}
	if !fault.Last(why, in.Tried) {
		return out, why
	}
	said := func(workflow.Side) string {
		return "whether its paths hold could not be read; who operates Drawbridge is told"
	}
	if err := v.tell(ctx, in, out, verdict.Paths{}, said); err != nil {
		slog.WarnContext(ctx, "that could not be said", "connection", in.Connection.ID, "error", err)
	}
	return out, why
}

// kept reports whether owners keep all databases that are open out of every connection: then nobody has to mend what fails.
func kept(sides []workflow.Side) bool {
	return !slices.ContainsFunc(sides, func(s workflow.Side) bool {
		return slices.ContainsFunc(s.AllowedDatabases, func(o workflow.AllowedDatabase) bool { return o.Withheld == nil || !o.Withheld.Kept })
	})
}

// again is what to do about a step that failed and knows no remedy.
const again = "redrive the execution; if the same call fails for hours, ask AWS Support"

// lacks is the error about steps that failed for the last time.
func lacks(all []workflow.Refusal) error {
	kind := fault.Conflict
	var why []string
	for _, r := range all {
		why = append(why, r.State+": "+r.Why)
		if lackedRight(r) {
			kind = fault.Refused
		}
	}
	out := &fault.Error{Kind: kind, Message: strings.Join(why, "; ")}
	if kind == fault.Conflict && !strings.Contains(out.Message, "; remedy: ") {
		out.Remedy = again
	}
	return out
}

// lackedRight reports whether a step failed for a right. Before the kind was written, no other was.
func lackedRight(r workflow.Refusal) bool { return r.Kind == fault.Refused || r.Kind == "" }

// lacksIn says to the owner of an account what was lacking: of another account only that.
func lacksIn(all []workflow.Refusal, account string) string {
	var why []string
	for _, r := range all {
		switch {
		case r.Account == account:
			why = append(why, r.State+" could not do its work: "+r.Why)
		case lackedRight(r):
			why = append(why, r.State+" lacked a right in the other account; who operates Drawbridge is told")
		default:
			why = append(why, r.State+" could not do its work in the other account; who operates Drawbridge is told")
		}
	}
	return strings.Join(why, "; ")
}

// asleep says which databases do not run, as the end of a sentence; "" if all do.
func asleep(sides []workflow.Side) string {
	var all []string
	for _, s := range sides {
		for _, o := range s.AllowedDatabases {
			if one := verdict.Silence(o.Database, o.Silent); o.Silent != "" && !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
	}
	if more := len(all) - 3; more > 0 {
		all = append(all[:3], fmt.Sprintf("and %d more", more))
	}
	if len(all) == 0 {
		return ""
	}
	return "; " + strings.Join(all, ", ")
}

// overlooked says which clients of databases the look did not come to, as the end of a sentence; "" if it came to all.
func overlooked(sides []workflow.Side) string {
	out := ""
	for _, s := range sides {
		if s.Unread > 0 && len(s.Ports) > 0 {
			out += s.Overlooked
		}
	}
	if out != "" {
		out += "; another look is asked for"
	}
	return out
}

// unanswered is the error about a connection whose network holds for no path: what is in the way, and what to do. What a step could not add is not added by
// a redrive, which only judges again.
func unanswered(paths verdict.Paths, why []verdict.Reason) error {
	what, remedy := paths.InTheWay()
	if remedy != "" {
		remedy += "; "
	}
	then := "then redrive the execution"
	if slices.ContainsFunc(why, func(r verdict.Reason) bool { return r.Hop != verdict.HostRoute && r.Remedy != route.DivertRemedy }) {
		then = "then start a new execution with the same input, or wait for the next sweep"
	}
	return fault.NewConflict(fmt.Sprintf("%s: %s", paths.Counted(), what), remedy+then+"; Drawbridge does not change what is its owner's")
}

// tell writes how a connection stands in its entry, leaves it where people of both sides see it, and asks whether the connection is still there.
func (v Verifier) tell(ctx context.Context, in workflow.VerifyConnectionInput, out workflow.VerifyConnectionOutput, paths verdict.Paths, said func(workflow.Side) string) error {
	begun := v.Ledger.Now().UTC()
	entry, err := Note(ctx, v.Ledger, in.Connection.ID, out.Result, out.Reason, func(e *ledger.Connection) {
		e.Paths = ledger.Paths{All: paths.All(), Whole: paths.Whole, Unknown: paths.Unknown, Lines: paths.Ends}
		e.Hosts = hosts(e.Hosts, in.Batches)
	})
	if err != nil {
		return err
	}
	if entry.ID == "" {
		return fault.New(fault.Over, "connecting %s: it is not managed any more", in.Connection.ID)
	}
	if err := cmp.Or(participant.Known(entry, in.Sides), firewall.Known(entry, in.Sides)); err != nil {
		return err
	}
	told := slices.DeleteFunc(slices.Clone(in.Sides), func(s workflow.Side) bool { return s.Owner != "" || silent(entry, s.VPC.Account) })
	err = Leave(ctx, v.Ledger, v.Enter, in.Connection, told, entry, said)
	if fault.Of(err) == fault.Held && entry.At.Before(begun) {
		err = nil // the door lets nothing be written, and the tags say this already
	}
	if err != nil {
		return err
	}
	return v.Still(ctx)
}

// hosts returns the subnets of before with those of batches, each once, sorted.
func hosts(before []ledger.Host, batches []workflow.Batch) []ledger.Host {
	out := slices.Clone(before)
	for _, b := range batches {
		if one := (ledger.Host{Account: b.Account, Region: b.Region, VPC: b.VPC, Subnet: b.Subnet}); b.Left == "" && !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b ledger.Host) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Subnet, b.Subnet))
	})
	return out
}

// announce says that a connection was set up, to programs and to the metrics.
func (v Verifier) announce(ctx context.Context, in workflow.VerifyConnectionInput, out workflow.VerifyConnectionOutput) error {
	connected := notice.Connected{Head: notice.Head{Execution: in.Execution, Connection: in.Connection, Result: out.Result, Reason: out.Reason}, Missing: []workflow.Hop{}}
	for _, p := range out.Verdict {
		if !p.OK {
			connected.Missing = append(connected.Missing, p.Hop)
		}
	}
	if err := v.Bus.Put(ctx, connected); err != nil {
		return err
	}
	if out.Result == workflow.PartlyConnected {
		workflow.Measure(ctx, workflow.PartConnections, 1)
		return nil
	}
	workflow.Measure(ctx, workflow.Connections, 1)
	if since, err := time.Parse(time.RFC3339, in.Since); err == nil {
		workflow.Measure(ctx, workflow.TimeToConnect, max(0, time.Since(since).Seconds()))
	}
	return nil
}
