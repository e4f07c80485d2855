package notice_test

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

// What an execution was about is asked to say what became of it, unless the step that failed has said so there, nothing could, or the execution goes on.
func TestWhatAnExecutionWasAboutIsAskedToSaySo(t *testing.T) {
	asks := "drawbridge.internal/Failure To Report on drawbridge"
	for name, c := range map[string]struct {
		change func(*hub)
		entry  ledger.Connection
		want   bool
	}{
		"it failed":              {func(*hub) {}, ledger.Connection{}, true},
		"it was stopped":         {func(h *hub) { h.execution.Status = sfntypes.ExecutionStatusAborted }, ledger.Connection{}, true},
		"it took too long":       {func(h *hub) { h.execution.Status = sfntypes.ExecutionStatusTimedOut }, ledger.Connection{}, true},
		"it was redriven":        {func(h *hub) { h.execution.Status = sfntypes.ExecutionStatusRunning }, ledger.Connection{}, false},
		"it succeeded by now":    {func(h *hub) { h.execution.Status = sfntypes.ExecutionStatusSucceeded }, ledger.Connection{}, false},
		"the entry says so":      {func(*hub) {}, ledger.Connection{Status: "Conflict", Reason: "adding routes in vpc-2: route 10.1.0.0/16 in rtb-2 already goes to vgw-1; remedy: remove it, then redrive; connected by policy p"}, false},
		"the entry says another": {func(*hub) {}, ledger.Connection{Status: "Conflict", Reason: "adding routes in vpc-1"}, true},
		"it was about no thing": {func(h *hub) {
			h.execution.StateMachineArn = aws.String("arn:aws:states:us-east-1:123456789012:stateMachine:drawbridge-change")
		}, ledger.Connection{}, false},
		"its event cannot be read": {func(h *hub) { h.execution.Input = aws.String("{}") }, ledger.Connection{}, false},
		"it told the notebook":     {func(h *hub) { notebook(h, "Refused") }, ledger.Connection{}, false},
		"killed, it could not":     {func(h *hub) { notebook(h, "Runtime.ExitError") }, ledger.Connection{}, true},
	} {
		h := failed()
		h.book, _ = ledgertest.New()
		if c.entry.Reason != "" {
			c.entry.ID, c.entry.Kind = "pcx-0123456789abcdef0", "peering"
			if _, err := h.book.Begin(context.Background(), c.entry); err != nil {
				t.Fatal(err)
			}
		}
		c.change(h)
		if _, err := h.tell(t, "execution-status-change"); err != nil {
			t.Fatal(name, err)
		}
		if got := slices.Contains(h.did, asks); got != c.want {
			t.Errorf("%s: asked is %v, want %v: %v", name, got, c.want, h.did)
		}
		if goes := h.execution.Status == sfntypes.ExecutionStatusRunning || h.execution.Status == sfntypes.ExecutionStatusSucceeded; goes != (len(h.did) == 0) {
			t.Errorf("%s: did %v", name, h.did)
		}
	}
}

// notebook makes it an execution about a notebook, that failed by an error of that name.
func notebook(h *hub, name string) {
	h.execution.StateMachineArn, h.execution.Error = aws.String("arn:aws:states:us-east-1:123456789012:stateMachine:drawbridge-notebook"), aws.String(name)
	for n := range h.history {
		if d := h.history[n].StateEnteredEventDetails; d != nil {
			d.Name = aws.String("AttachRoutes")
		}
	}
}
