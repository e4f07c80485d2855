package fact

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Keep writes what a look at a connection found in place of what the look before found and the steps after that told. It returns the numbers of the sides and of
// the batches of notebooks that are to be served, item by item, which is all that travels; a look that goes on where another ended serves only what is left. What ends the execution, or waits, leaves the rows as they are.
func Keep(ctx context.Context, l ledger.Ledger, connection string, f workflow.Findings) (sides, batches []workflow.Rows, err error) {
	switch f.Answer {
	case workflow.AnswerAccept, workflow.AnswerConnect, workflow.AnswerExtend, workflow.AnswerTrim, workflow.AnswerDisconnect, workflow.AnswerAsk, workflow.AnswerUnreadable:
	default:
		return []workflow.Rows{}, []workflow.Rows{}, nil
	}
	if f.Follows != "" {
		before, err := Read(ctx, l, connection)
		if err != nil {
			return nil, nil, err
		}
		f.Batches = follow(before, f)
	}
	if !f.Unread() {
		f.Execution = ""
	}
	var serve []int
	f.Batches, serve = workflow.Numbered(f.Batches)
	serve = slices.DeleteFunc(serve, func(n int) bool { return f.Batches[n-1].Kept != nil })
	weights := make([]int, len(f.Batches))
	for n := range f.Batches {
		f.Batches[n].Answer, f.Batches[n].Side = f.Answer, home(f.Sides, f.Batches[n])
		weights[n] = len(f.Batches[n].Names)
	}
	sides = workflow.Packed(numbered(len(f.Sides)), slices.Repeat([]int{1}, len(f.Sides)), 1, workflow.SideItems)
	return sides, workflow.Packed(serve, weights, workflow.BatchSize, workflow.BatchItems), l.Replace(ctx, connection, "", rows(f))
}

// Read returns what the last look at a connection found, and what the steps told since; without an answer if there is nothing.
func Read(ctx context.Context, l ledger.Ledger, connection string) (workflow.Findings, error) {
	f, err := l.Facts(ctx, connection, "")
	if err != nil {
		return workflow.Findings{}, err
	}
	return found(f)
}

// KeepReachable writes what would become reachable by an attachment about which the gateway's owner is asked, in place of what was written before.
func KeepReachable(ctx context.Context, l ledger.Ledger, attachment string, all []workflow.Reachable) error {
	return l.Replace(ctx, attachment, reachable, parts(reachable, all))
}

// Reachable returns what [KeepReachable] wrote last.
func Reachable(ctx context.Context, l ledger.Ledger, attachment string) (out []workflow.Reachable, err error) {
	f, err := l.Facts(ctx, attachment, reachable)
	if err == nil {
		err = gather(f, reachable, &out)
	}
	return out, err
}

// With gives a step the facts of its connection.
func With[I any, P interface {
	*I
	workflow.Informed
}, O any](l ledger.Ledger, step workflow.Step[I, O]) workflow.Step[I, O] {
	return func(ctx context.Context, in I) (out O, err error) {
		f, err := Read(ctx, l, P(&in).About())
		if err != nil {
			return out, err
		}
		if does, err := P(&in).Inform(f); err != nil || !does {
			return out, err
		}
		return step(ctx, in)
	}
}

// Verify is [With] for the step that says how a connection stands. If it fails because a step before had failed, a redrive finds that written, and
// looks anew: what could not be done is tried again.
func Verify[O any](l ledger.Ledger, step workflow.Step[workflow.VerifyConnectionInput, O]) workflow.Step[workflow.VerifyConnectionInput, O] {
	return With(l, func(ctx context.Context, in workflow.VerifyConnectionInput) (O, error) {
		out, err := step(ctx, in)
		if kind := fault.Of(err); len(in.Refused) == 0 || kind != fault.Refused && kind != fault.Conflict {
			return out, err
		}
		before, reading := l.Facts(ctx, in.Connection.ID, failed)
		if reading == nil {
			reading = l.Renew(ctx, before, []ledger.Fact{{Sort: failed, Body: refusedRow{Why: err.Error()}}})
		}
		return out, cmp.Or(reading, err)
	})
}

// said is an output with hops.
type said interface{ Said() []workflow.Hop }

// Connection gives a step the facts of its connection, and writes down what it told.
func Connection[O said](l ledger.Ledger, state string, step workflow.Step[workflow.AllowDNSResolutionInput, O]) workflow.Step[workflow.AllowDNSResolutionInput, workflow.Told] {
	return func(ctx context.Context, in workflow.AllowDNSResolutionInput) (workflow.Told, error) {
		facts, err := l.Facts(ctx, in.About(), "")
		if err != nil {
			return workflow.Told{}, err
		}
		f, err := found(facts)
		if err != nil {
			return workflow.Told{}, err
		}
		if does, err := in.Inform(f); err != nil || !does {
			return workflow.Told{}, err
		}
		out, err := tell(ctx, l, facts, told+"#"+state, func() (O, error) { return step(ctx, in) })
		return spared(ctx, l, facts, spot{state: state, at: told + "#" + state, tried: in.Tried}, out, err)
	}
}

// spot is where a step tells, in which account it works, if in one, and how often it was tried again.
type spot struct {
	state, at, account string
	tried              int
}

// spares are the steps of setting up that, where they fail for the last time, keep nobody else from being served: what comes after them is done, notebooks and
// verdict say why, and VerifyConnection fails.
var spares = []string{"AllowDnsResolution", "AddRoutes", "OpenFirewall", "InjectRoutes"}

// spare reports whether the failure of a step is written in its place. What does not come to be leads back to the inspection, or waits for another execution, which
// is at the same rows.
func (p spot) spare(err error) bool {
	var call *smithy.OperationError
	hubs := errors.As(err, &call) && slices.Contains(ofHub, call.ServiceID)
	return slices.Contains(spares, p.state) && fault.Last(err, p.tried) && fault.Of(err) != fault.NotYet && !hubs
}

// row says that a step failed.
func (p spot) row(ctx context.Context, err error) ledger.Fact {
	slog.WarnContext(ctx, "a step failed, and the others are done", "state", p.state, "account", p.account, "error", err)
	return ledger.Fact{Sort: p.at + refused, Body: refusedRow{p.account, fault.Of(err), err.Error()}}
}

// ofHub are the services that a step asks in the hub, as the SDK calls them. What is lacking there is lacking for everybody.
var ofHub = []string{"DynamoDB", "SSM"}

// spared writes that a step failed in an account, if it fails for the last time, in place of its error.
func spared(ctx context.Context, l ledger.Ledger, facts ledger.Facts, p spot, out workflow.Told, err error) (workflow.Told, error) {
	if !p.spare(err) {
		return out, err
	}
	return workflow.Told{Hops: 1}, l.Renew(ctx, facts.Under(p.at), []ledger.Fact{p.row(ctx, err)})
}

// Side gives a step the facts of sides, one at a time, and writes down what it told of each. A side of a look with another answer is not worked on: that
// look's execution does. Where an item has several, each is in an account of its own, and a few are worked on at once; one that fails keeps nobody from being served.
func Side[O said](l ledger.Ledger, state string, step workflow.Step[workflow.SideInput, O]) workflow.Step[workflow.SideInput, workflow.Told] {
	return func(ctx context.Context, in workflow.SideInput) (workflow.Told, error) {
		told, errs := make([]workflow.Told, len(in.Rows)), make([]error, len(in.Rows))
		var wait sync.WaitGroup
		slots := make(chan struct{}, atOnce)
		for n, row := range in.Rows {
			slots <- struct{}{}
			wait.Go(func() {
				defer func() { <-slots }()
				told[n], errs[n] = one(ctx, l, state, row, in, step)
			})
		}
		wait.Wait()
		if len(told) == 1 {
			return told[0], errs[0]
		}
		return sum(told), fault.Join(errs...)
	}
}

// atOnce is how many sides of an item are worked on at once.
const atOnce = 5

// one does a step for one side.
func one[O said](ctx context.Context, l ledger.Ledger, state string, row int, in workflow.SideInput, step workflow.Step[workflow.SideInput, O]) (workflow.Told, error) {
	facts, err := l.Facts(ctx, in.Connection.ID, side(row))
	if err != nil {
		return workflow.Told{}, err
	}
	var answer workflow.Answer
	if in.Side, answer, err = sideOf(facts, row); err != nil || !answer.Serves(in.Answer) {
		return workflow.Told{}, err
	}
	at := side(row) + told + "#" + state
	out, err := tell(ctx, l, facts, at, func() (O, error) { return step(ctx, in) })
	if out, err = spared(ctx, l, facts, spot{state, at, in.Side.VPC.Account, in.Tried}, out, err); err == nil {
		out.Account, out.Region = in.Side.VPC.Account, in.Side.VPC.Region
	}
	return out, err
}

// sum is what was told of several rows.
func sum(told []workflow.Told) (out workflow.Told) {
	for _, t := range told {
		out.Hops, out.OK = out.Hops+t.Hops, out.OK+t.OK
	}
	return out
}

// Inject gives a step batches of notebooks, one after the other, with what the route tables of their VPC hold, and writes down what it told of each.
func Inject(l ledger.Ledger, step workflow.Step[workflow.InjectRoutesInput, workflow.NotebooksOutput]) workflow.Step[workflow.InjectRoutesInput, workflow.Told] {
	return func(ctx context.Context, in workflow.InjectRoutesInput) (workflow.Told, error) {
		return eachBatch(ctx, l, work{state: "InjectRoutes", connection: in.Connection.ID, tried: in.Tried}, in.Rows, in.Answer, func(b workflow.Batch) (workflow.NotebooksOutput, error) {
			routed := workflow.AddRoutesOutput{Account: b.Network(), VPC: b.VPC}
			f, err := l.Facts(ctx, in.Connection.ID, side(b.Side)+told+"#AddRoutes")
			if err == nil {
				err = gather(f, side(b.Side)+told+"#AddRoutes#table", &routed.Tables)
			}
			var row refusedRow
			if err == nil {
				_, err = f.FactOf(side(b.Side)+told+"#AddRoutes"+refused, &row)
			}
			if err != nil {
				return workflow.NotebooksOutput{}, err
			}
			in.Batch, in.Routed, in.Refused = b, []workflow.AddRoutesOutput{routed}, row.Why
			return step(ctx, in)
		})
	}
}

// Withdraw gives a step batches of notebooks, one after the other, and writes down what it told of each.
func Withdraw(l ledger.Ledger, step workflow.Step[workflow.WithdrawRoutesInput, workflow.NotebooksOutput]) workflow.Step[workflow.WithdrawRoutesInput, workflow.Told] {
	return func(ctx context.Context, in workflow.WithdrawRoutesInput) (workflow.Told, error) {
		return eachBatch(ctx, l, work{state: "WithdrawRoutes", connection: in.Connection.ID}, in.Rows, in.Answer, func(b workflow.Batch) (workflow.NotebooksOutput, error) {
			in.Batch = b
			return step(ctx, in)
		})
	}
}

// eachBatch does a step for batches. One that fails keeps nobody from being served. What there is no time for is served when the item is tried again, which goes on
// where this try ended.
func eachBatch(ctx context.Context, l ledger.Ledger, w work, rows workflow.Rows, answer workflow.Answer, step func(workflow.Batch) (workflow.NotebooksOutput, error)) (workflow.Told, error) {
	told, errs := make([]workflow.Told, len(rows)), make([]error, len(rows))
	began, late := false, 0
	for n, row := range rows {
		w.row = row
		told[n], errs[n] = batch(ctx, l, w, answer, func(b workflow.Batch) (workflow.NotebooksOutput, error) {
			if until, bounded := ctx.Deadline(); bounded && began && time.Until(until) < served {
				return workflow.NotebooksOutput{}, errLate
			}
			began = true
			return step(b)
		})
		if errors.Is(errs[n], errLate) {
			errs[n], late = nil, late+1
		}
	}
	if late > 0 {
		errs = append(errs, fault.New(fault.NotYet, "serving the notebooks of %s: there was no time for %d of %d batches, and the next try goes on with them", w.connection, late, len(rows)))
	}
	if len(errs) == 1 {
		return told[0], errs[0]
	}
	return sum(told), fault.Join(errs...)
}

// errLate is the error of a batch for which there is no time in this try.
var errLate = fault.New(fault.NotYet, "there was no time for it")

// served is the time that it takes to serve a batch of notebooks, with room to spare.
const served = 30 * time.Second

// batch does a step for a batch, unless an earlier try did. One that is there no more, or of a look with another answer, is served by the look that took it away.
func batch(ctx context.Context, l ledger.Ledger, w work, answer workflow.Answer, step func(workflow.Batch) (workflow.NotebooksOutput, error)) (workflow.Told, error) {
	at := of(told+"#"+w.state, w.row)
	facts, err := l.FactsAt(ctx, w.connection, of(notebooks, w.row), at)
	if err != nil {
		return workflow.Told{}, err
	}
	var b workflow.Batch
	if _, err := facts.FactOf(of(notebooks, w.row), &b); err != nil || !b.Answer.Serves(answer) {
		return workflow.Told{}, err
	}
	var before workflow.NotebooksOutput
	if done, err := facts.FactOf(at, &before); err != nil || done {
		return counted(before), err
	}
	out, err := step(b)
	p := spot{w.state, at, b.Account, w.tried}
	if err != nil && !p.spare(err) {
		return workflow.Told{}, err
	}
	workflow.Shorten(&out)
	rows := toldRows(at, out)
	if err != nil { // what became of each notebook is told all the same
		rows = append(rows, p.row(ctx, err))
	}
	return counted(out), l.Renew(ctx, facts.Under(at), rows)
}

// work says which state works on which row of a connection, and how often it was tried again.
type work struct {
	state, connection string
	row, tried        int
}

// tell does a step and writes what it told in place of what an earlier attempt did.
func tell[O said](ctx context.Context, l ledger.Ledger, facts ledger.Facts, at string, step func() (O, error)) (workflow.Told, error) {
	out, err := step()
	if err != nil {
		return workflow.Told{}, err
	}
	workflow.Shorten(&out)
	return counted(out), l.Renew(ctx, facts.Under(at), toldRows(at, out))
}
