package fact

import (
	"context"
	"encoding/json"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// visits is the id behind which stands what a visit to an account found, if it has no room among those of a page: the last one's, by its account.
const visits = "visits"

// visit is the sort key of such an answer.
func visit(account string) string { return "visit#" + account }

// brief is how long the text of an error may be with which a visit fails.
const brief = 300

// Visit gives a visit to an account the Regions, and keeps its answer in the ledger if that has no room.
func Visit(l ledger.Ledger, step workflow.Step[workflow.SweepAccountInput, workflow.SweepAccountOutput]) workflow.Step[workflow.SweepAccountInput, workflow.Visit] {
	return func(ctx context.Context, in workflow.SweepAccountInput) (workflow.Visit, error) {
		in.Territory.Regions = in.Regions
		out, err := step(ctx, in)
		if err != nil {
			return workflow.Visit{}, workflow.Brief(ctx, err, brief)
		}
		text, err := json.Marshal(out)
		if err != nil || len(text) <= workflow.VisitSize {
			return workflow.Visit{SweepAccountOutput: out}, err
		}
		at := visit(out.Account)
		return workflow.Visit{SweepAccountOutput: workflow.SweepAccountOutput{Account: out.Account}, Kept: true}, l.Replace(ctx, visits, at, []ledger.Fact{{Sort: at, Body: out}})
	}
}

// Visits gives the tally of a page the answers that [Visit] kept.
func Visits(l ledger.Ledger, step workflow.Step[workflow.TallySweepInput, workflow.TallySweepOutput]) workflow.Step[workflow.TallySweepInput, workflow.TallySweepOutput] {
	return func(ctx context.Context, in workflow.TallySweepInput) (workflow.TallySweepOutput, error) {
		for _, v := range in.Visits {
			if v == nil || !v.Kept {
				continue
			}
			f, err := l.FactsAt(ctx, visits, visit(v.Account))
			if err != nil {
				return workflow.TallySweepOutput{}, err
			}
			if there, err := f.FactOf(visit(v.Account), &v.SweepAccountOutput); err != nil {
				return workflow.TallySweepOutput{}, err
			} else if !there {
				return workflow.TallySweepOutput{}, fault.New(fault.Transient, "what the visit to account %s found is not in the ledger", v.Account)
			}
		}
		return step(ctx, in)
	}
}
