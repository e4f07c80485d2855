package dryrun

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// place is where a call goes.
type place struct{ account, region string }

// call is one call that is about to be made.
type call struct {
	place
	name string // as IAM names it
	in   any
}

// moreReads are calls that change nothing, beside those that [mode.Reads] knows: of the ledger's table.
var moreReads = []string{"dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"}

// Reads reports whether a call, as IAM names it, is sent.
func Reads(name string) bool { return mode.Reads(name) || slices.Contains(moreReads, name) }

// In returns a configuration of an account with which nothing is changed there.
func (w *World) In(account string, c aws.Config) aws.Config {
	c.APIOptions = append(slices.Clone(c.APIOptions), w.guard(account))
	return c
}

// guard stands behind the check of a call's input, and before all that sends it.
func (w *World) guard(account string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("DryRun", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
			name := mode.Action(middleware.GetServiceID(ctx), middleware.GetOperationName(ctx))
			c := call{place{account, awsmiddleware.GetRegion(ctx)}, name, in.Parameters}
			if !Reads(name) {
				out.Result, err = w.write(c)
				return out, metadata, err
			}
			if known := w.instead(c); known != nil {
				out.Result, err = known()
				return out, metadata, err
			}
			var known bool
			if out.Result, known = w.reads.get(c); !known {
				in.Parameters = w.widened(c)
				if out, metadata, err = next.HandleInitialize(ctx, in); err == nil {
					w.reads.put(c, out.Result)
				}
			}
			if err == nil {
				w.show(c, out.Result)
			}
			return out, metadata, err
		}), middleware.After)
	}
}

// write notes a call that writes, and returns what AWS would answer.
func (w *World) write(c call) (any, error) {
	answer := answers[c.name]
	if answer == nil {
		return nil, fault.New(fault.Invalid, "rehearsing %s in %s: nobody knows here what AWS would answer, so it was not called", c.name, c.account)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out, changes := answer(w, c)
	if err, refused := out.(error); refused {
		return nil, err
	}
	if changes != nil {
		w.writes = append(w.writes, Write{Call: c.name, Account: c.account, Region: c.region, Changes: changes, Input: c.in})
	}
	return out, nil
}

// instead returns the answer to a read of something that is only noted, and nil if AWS is to be asked.
func (w *World) instead(c call) func() (any, error) {
	f := noted[c.name]
	if f == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return f(w, c)
}

// show changes what AWS answered to a read as if what was noted had been done.
func (w *World) show(c call, out any) {
	f := shown[c.name]
	if f == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w, c, out)
}

// newID names a thing that is only noted, as AWS names such things.
func (w *World) newID(prefix string) string {
	w.made++
	return fmt.Sprintf("%s-%017d", prefix, w.made)
}
