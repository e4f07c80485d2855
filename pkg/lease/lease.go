// Package lease lets one execution at a time work on a connection.
//
// Ten events about one thing start ten executions. The first to look acquires the connection's lease in the ledger. The second is next: it
// waits until the first gives the lease back, then looks, at facts that are read anew, so it looks for all who come until then; they end
// without a look of their own. So however many events come, there are two looks, and each has its verdict.
//
//	the first state   [Look.One]             acquires it, or waits; an answer that ends the execution gives it back
//	steps that write  [ledger.Ledger.Under]  work only while their execution has it
//	the last state    [Last]                 gives it back to who is next
//
// Who is next asks a few times, between which the machine waits, by its retries. A holder that takes longer is told to look again: it asks
// for a look when it gives the lease back, and who waited ends.
//
// An execution that ended in another way (it failed, ran out of time, was stopped by a person) has no lease, and is not next: whoever
// comes asks Step Functions, and takes its turn. Nobody waits for people with a lease: the execution that asks for an approval ends, and
// the answer is another's event.
//
// docs/decisions/0101-the-lease-is-handed-over.md has the reasons.
package lease

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Executions is what [Keeper] needs of Step Functions.
type Executions interface {
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
}

// Keeper knows whether who has a lease is still at work.
type Keeper struct {
	Ledger ledger.Ledger
	API    Executions
	// Of is how the ARNs of the machine's executions begin, up to the colon before the name.
	Of string
	// Patience is how long one call waits for its turn, before the machine waits.
	Patience time.Duration
}

// patience is most of the time that a step takes, and costs less than the transition that a retry is.
const patience = 3 * time.Second

// Open returns the Keeper of the machine whose executions the environment names as EXECUTIONS.
func Open(hub aws.Config, book ledger.Ledger) Keeper {
	return Keeper{Ledger: book, API: sfn.NewFromConfig(hub), Of: os.Getenv("EXECUTIONS"), Patience: patience}
}

// young is how long Step Functions may not know yet of an execution that runs: what it says is eventually consistent.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
const young = time.Minute

// Ended reports whether the execution that has a lease, or is next to have it, is over.
func (k Keeper) Ended(ctx context.Context, turn ledger.Turn) (bool, error) {
	arn := k.Of + ":" + turn.Holder
	got, err := k.API.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	switch {
	case fault.HasCode(err, "ExecutionDoesNotExist"): // it is forgotten 90 days after its end
		return k.Ledger.Now().Sub(turn.Since) >= young, nil
	case err != nil:
		return false, fmt.Errorf("asking whether execution %s, which came to the same thing before, is over: %w", arn, err)
	}
	over := got.Status != types.ExecutionStatusRunning && got.Status != types.ExecutionStatusPendingRedrive
	if over {
		slog.InfoContext(ctx, "taking the turn of an execution that ended", "execution", turn.Holder, "status", got.Status)
	}
	return over, nil
}

// acquire acquires the lease that a claim is for. Who is next waits a little for its turn.
func (k Keeper) acquire(ctx context.Context, c Claim) (ledger.Lease, bool, error) {
	want := ledger.Turn{Holder: c.Execution, Event: c.Event}
	now, taken, err := k.Ledger.Acquire(ctx, c.Of, want, k.Ended)
	if err != nil || now.Next.Holder != c.Execution {
		return now, taken, err
	}
	slog.InfoContext(ctx, "waiting for another execution, as the next", "of", c.Of, "execution", now.Holder, "since", now.Since)
	if turn, err := k.Ledger.Await(ctx, c.Of, c.Execution, k.Patience); err != nil || !turn {
		return now, false, err
	}
	return k.Ledger.Acquire(ctx, c.Of, want, k.Ended)
}

// Claim says who comes to what, and why.
type Claim struct {
	// Of names what the lease is of, such as a connection's id. Empty: the step is about nothing that others could be at.
	Of string
	// Execution is the name of the execution.
	Execution string
	// Event is the name of its event, as in [event.Event].
	Event string
}

// Look says of the first state of a machine, with the input I and the output O, what [Look.One] has to know.
type Look[I, O any] struct {
	// Claim says what the input is about.
	Claim func(I) Claim
	// Fresh returns the input without what an earlier look of the execution read.
	Fresh func(I) I
	// Busy is the answer while another execution has the lease, with what of the input would be lost else.
	Busy func(context.Context, I, ledger.Lease) (O, error)
	// Ends reports whether an answer ends the execution, with no other step of the machine than those that tell of it.
	Ends func(O) bool
}

// passes is how often one call looks: a second time if somebody came meanwhile.
const passes = 2

// One returns step, done by one execution at a time. What its execution read before it lost the lease, or before somebody came, is
// read again.
func (l Look[I, O]) One(k Keeper, step workflow.Step[I, O]) workflow.Step[I, O] {
	return func(ctx context.Context, in I) (O, error) {
		claim := l.Claim(in)
		if claim.Of == "" {
			return step(ctx, in)
		}
		var none O
		for range passes {
			now, taken, err := k.acquire(ctx, claim)
			switch {
			case err != nil:
				return none, err
			case now.Next.Holder == claim.Execution:
				return none, fault.New(fault.NotYet, "waiting for execution %s, which is at %s: this one is next", now.Holder, claim.Of)
			case now.Holder != claim.Execution:
				slog.InfoContext(ctx, "leaving it to another execution", "of", claim.Of, "execution", now.Holder, "next", now.Next.Holder)
				return l.Busy(ctx, in, now)
			}
			if taken {
				in = l.Fresh(in)
			}
			out, err := step(ctx, in)
			if !l.over(out, err) {
				return out, err
			}
			again, failed := k.end(ctx, claim, err)
			if failed != nil {
				return none, failed
			}
			if again == "" {
				return out, err
			}
			slog.InfoContext(ctx, "looking again", "of", claim.Of, "why", again)
		}
		return none, fault.New(fault.NotYet, "looking at %s: more and more events come about it", claim.Of)
	}
}

// end gives the lease back, and says whether somebody has to look again, and why. An execution that fails keeps it: see [ledger.Ledger.Keep]. One that is held back does not fail.
func (k Keeper) end(ctx context.Context, c Claim, err error) (ledger.Again, error) {
	if err == nil || fault.Of(err) == fault.Held {
		return k.Ledger.Yield(ctx, c.Of, c.Execution)
	}
	came, err := k.Ledger.Keep(ctx, c.Of, c.Execution)
	if came {
		return ledger.Came, err
	}
	return "", err
}

// over reports whether the execution does nothing more about the connection. What is transient, or not yet so, is tried again.
func (l Look[I, O]) over(out O, err error) bool {
	switch fault.Of(err) {
	case "":
		return l.Ends(out)
	case fault.Transient, fault.NotYet:
		return false
	}
	return true
}

// Came and Rest are the reasons of a look that the holder of a lease asks for, since it was told to look again, or did not come to all.
const (
	Came = "somebody came while it was looked at"
	Rest = "the look before did not come to all"
)

// Said is what an execution says that ends because another looks at the same thing after it came.
func Said(of string, now ledger.Lease) string {
	if now.Next.Holder != "" {
		return "execution " + now.Next.Holder + " looks at " + of + " next, for whoever comes until then"
	}
	return "execution " + now.Holder + " is at " + of + ", and it is looked at again before that one ends"
}

// Last returns the step with which an execution ends. It is done while the execution has the lease, which is given to who is next then. If
// somebody waits no more, a look at the connection is asked for; if it only did not come to all, one that follows it. of says what the input is about, and how one asks for a look at it.
func Last[I, O any](book ledger.Ledger, looks look.Asker, of func(I) (Claim, look.Look), step workflow.Step[I, O]) workflow.Step[I, O] {
	return func(ctx context.Context, in I) (O, error) {
		claim, again := of(in)
		var none O
		if err := book.Hold(ctx, claim.Of, claim.Execution); err != nil {
			return none, err
		}
		out, err := step(ctx, in)
		if err != nil {
			return out, err
		}
		why, err := book.Yield(ctx, claim.Of, claim.Execution)
		if why == ledger.Rest {
			again = look.After(again, claim.Execution, Rest)
		}
		if err == nil && why != "" {
			err = looks.Ask(ctx, again)
		}
		return out, err
	}
}
