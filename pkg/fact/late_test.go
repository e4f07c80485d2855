package fact_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// However many notebooks there are, an execution has few items of them: a try serves as many batches of its item as it has time for, the next one goes on from there, and
// each batch is served once.
func TestAnItemIsServedByTriesThatGoOn(t *testing.T) {
	for _, answer := range []workflow.Answer{workflow.AnswerConnect, workflow.AnswerDisconnect} {
		l, _ := ledgertest.New()
		f := workflow.Findings{Answer: answer}
		for n := range 60 {
			b := workflow.Batch{Account: here.Account, Region: "eu-west-1", VPC: "vpc-1", Subnet: fmt.Sprintf("subnet-%d", n)}
			f.Batches = append(f.Batches, workflow.Batches(b, []string{fmt.Sprintf("notebook-%d", n)})...)
			for i := range workflow.BatchSize - 1 {
				f.Batches[n].Names = append(f.Batches[n].Names, fmt.Sprintf("notebook-%d-%d", n, i))
			}
		}
		_, items, err := fact.Keep(t.Context(), l, pcx, f)
		if err != nil || len(items) > workflow.BatchItems {
			t.Fatalf("%d items, %v", len(items), err)
		}
		served := map[string]int{}
		// A function that has as much time left as one batch takes.
		short := func(rows workflow.Rows) error {
			ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
			defer cancel()
			c, out := workflow.Connection{ID: pcx}, workflow.NotebooksOutput{Notebooks: workflow.BatchSize, Served: workflow.BatchSize}
			var err error
			if answer == workflow.AnswerConnect {
				_, err = fact.Inject(l, func(_ context.Context, in workflow.InjectRoutesInput) (workflow.NotebooksOutput, error) {
					served[in.Batch.Subnet]++
					return out, nil
				})(ctx, workflow.InjectRoutesInput{Connection: c, Answer: answer, Rows: rows})
			} else {
				_, err = fact.Withdraw(l, func(_ context.Context, in workflow.WithdrawRoutesInput) (workflow.NotebooksOutput, error) {
					served[in.Batch.Subnet]++
					return out, nil
				})(ctx, workflow.WithdrawRoutesInput{Connection: c, Answer: answer, Rows: rows})
			}
			return err
		}
		for _, rows := range items {
			tries := 1
			for err := short(rows); err != nil; err = short(rows) {
				if tries++; fault.Of(err) != fault.NotYet || tries > len(rows)+1 {
					t.Fatalf("%s, try %d of %v: %v", answer, tries, rows, err)
				}
			}
			if tries < len(rows) {
				t.Errorf("%s: %d tries for %v", answer, tries, rows)
			}
		}
		for subnet, n := range served {
			if n != 1 {
				t.Errorf("%s: %s was served %d times", answer, subnet, n)
			}
		}
		if len(served) != 60 {
			t.Errorf("%s: %d of 60 batches were served", answer, len(served))
		}
	}
}
