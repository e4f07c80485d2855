package fact

import (
	"context"
	"slices"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The lists of the machine of private notebooks, behind what the inspection calls the account.
const (
	want    = "want"
	tagged  = "tagged"
	barred  = "refused"
	letGo   = "released"
	granted = told + "#GrantNotebookAccess"
)

// Wants gives the inspection of an account's private notebooks the ledger: what it found is written in place of what the look before found and the steps after that told.
func Wants(l ledger.Ledger, inspect workflow.Step[workflow.InspectPrivateNotebooksInput, workflow.InspectPrivateNotebooksOutput]) workflow.Step[workflow.InspectPrivateNotebooksInput, workflow.InspectPrivateNotebooksOutput] {
	return func(ctx context.Context, in workflow.InspectPrivateNotebooksInput) (workflow.InspectPrivateNotebooksOutput, error) {
		out, err := inspect(ctx, in)
		out.Place, out.Remove = []workflow.Rows{}, []workflow.Rows{}
		if err != nil || out.Answer != workflow.AnswerArrange {
			return out, err
		}
		out.Place, out.Remove = items(len(out.Wants), workflow.EndpointItems), items(len(out.Leaving), workflow.EndpointItems)
		for _, rows := range out.Remove {
			for n := range rows {
				rows[n] += len(out.Wants)
			}
		}
		return out, l.Replace(ctx, out.Of, "", slices.Concat(list(want, slices.Concat(out.Wants, out.Leaving)), parts(tagged, out.VPCs), parts(barred, out.Refused), parts(letGo, out.Released)))
	}
}

// Endpoints gives PlaceEndpoints or RemoveEndpoints, whose state it is, one want after the other, if those it is given stand in the ledger. What is ready is not
// looked at again while others are waited for, and what there is no time for is waited for, too.
func Endpoints(l ledger.Ledger, state string, step workflow.Step[workflow.PlaceEndpointsInput, workflow.PlaceEndpointsOutput]) workflow.Step[workflow.PlaceEndpointsInput, workflow.PlaceEndpointsOutput] {
	return func(ctx context.Context, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
		if in.Want.Of == "" {
			return step(ctx, in)
		}
		out := workflow.PlaceEndpointsOutput{Answer: workflow.AnswerReady}
		var late bool
		ready := func(o workflow.PlaceEndpointsOutput) bool { return o.Answer == workflow.AnswerReady }
		told, err := each(ctx, l, item{in.Want.Of, want, state, in.Want.Rows}, ready, func(w workflow.EndpointWant) (workflow.PlaceEndpointsOutput, error) {
			if until, bounded := ctx.Deadline(); late || bounded && time.Until(until) < enough {
				late = true
				return workflow.PlaceEndpointsOutput{Answer: workflow.AnswerWait, Want: w}, nil
			}
			return step(ctx, workflow.PlaceEndpointsInput{Execution: in.Execution, Want: w})
		})
		if slices.ContainsFunc(told, func(o workflow.PlaceEndpointsOutput) bool { return !ready(o) }) {
			out.Answer = workflow.AnswerWait
		}
		return out, err
	}
}

// enough is the time that a step about one VPC takes, with room to spare.
const enough = 20 * time.Second

// Grant gives GrantNotebookAccess the VPCs of the account, and writes down what it told. Only its answer travels.
func Grant(l ledger.Ledger, step workflow.Step[workflow.GrantNotebookAccessInput, workflow.GrantNotebookAccessOutput]) workflow.Step[workflow.GrantNotebookAccessInput, workflow.GrantNotebookAccessOutput] {
	return func(ctx context.Context, in workflow.GrantNotebookAccessInput) (workflow.GrantNotebookAccessOutput, error) {
		f, err := l.Facts(ctx, in.Of, "")
		if err == nil {
			in.VPCs, in.Refused, in.Released, err = decided(f)
		}
		if err != nil {
			return workflow.GrantNotebookAccessOutput{}, err
		}
		out, err := step(ctx, in)
		if err == nil && out.Answer == workflow.AnswerDone {
			err = keepTold(ctx, l, f.Under(granted), granted, &out)
		}
		return workflow.GrantNotebookAccessOutput{Answer: out.Answer}, err
	}
}

// VerifyEndpoints gives VerifyPrivateNotebooks all that was found and told. With the last VPC of the account the rows go: an attempt after that finds none.
func VerifyEndpoints(l ledger.Ledger, step workflow.Step[workflow.VerifyPrivateNotebooksInput, workflow.VerifyPrivateNotebooksOutput]) workflow.Step[workflow.VerifyPrivateNotebooksInput, workflow.VerifyPrivateNotebooksOutput] {
	return func(ctx context.Context, in workflow.VerifyPrivateNotebooksInput) (workflow.VerifyPrivateNotebooksOutput, error) {
		f, err := l.Facts(ctx, in.Of, "")
		if err == nil {
			err = verified(f, &in)
		}
		if err != nil {
			return workflow.VerifyPrivateNotebooksOutput{}, err
		}
		out, err := step(ctx, in)
		if err == nil && (out.Result == workflow.Removed || out.Result == workflow.Released) {
			err = l.Renew(ctx, f, nil)
		}
		return out, err
	}
}

// decided reads which VPCs of an account the policy allows, which it does not, and which were let go of.
func decided(f ledger.Facts) (allowed, refused, released []workflow.PrivateVPC, err error) {
	for _, of := range []struct {
		list string
		into *[]workflow.PrivateVPC
	}{{tagged, &allowed}, {barred, &refused}, {letGo, &released}} {
		if err = gather(f, of.list, of.into); err != nil {
			break
		}
	}
	return allowed, refused, released, err
}

// verified reads what was found of an account's private notebooks, and what the steps told.
func verified(f ledger.Facts, in *workflow.VerifyPrivateNotebooksInput) (err error) {
	if _, err = f.FactOf(granted, &in.Granted); err != nil {
		return err
	}
	if in.VPCs, in.Refused, in.Released, err = decided(f); err != nil {
		return err
	}
	wants, err := listed[workflow.EndpointWant](f, want)
	if err != nil {
		return err
	}
	placed := len(in.VPCs) // each has a want; those after them are leaving
	if placed > len(wants) {
		return workflow.Outdated(in.Of, "")
	}
	if in.Placed, err = toldOf[workflow.PlaceEndpointsOutput](f, in.Of, "PlaceEndpoints", 1, placed); err != nil {
		return err
	}
	in.Removed, err = toldOf[workflow.PlaceEndpointsOutput](f, in.Of, "RemoveEndpoints", 1+placed, len(wants)-placed)
	return err
}
