package survey

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Keep writes the notebooks that an answer is about into the ledger, in place of those of the look before, and returns their numbers, which is all
// that travels. Of an answer about none, the rows stay; of an acceptance, the look after it reads them.
func Keep(ctx context.Context, l ledger.Ledger, connection string, answer workflow.Answer, batches []workflow.Batch) ([]int, error) {
	switch answer {
	case workflow.AnswerAccept, workflow.AnswerConnect, workflow.AnswerExtend, workflow.AnswerTrim, workflow.AnswerDisconnect:
	default:
		return []int{}, nil
	}
	rows, numbers := workflow.Numbered(batches)
	return numbers, ledger.Replace(ctx, l, connection, workflow.BatchRows, rows)
}
