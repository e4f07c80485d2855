package fact

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The lists of the Studio machine, behind the ARN of the cluster.
const (
	reading = "role"
	leaving = "leaving"
	domain  = "domain"
	unfit   = "unfit"
)

// Readers gives the inspection of a cluster's readers the ledger: what it found is written in place of what the look before found and the steps after that told.
func Readers(l ledger.Ledger, inspect workflow.Step[workflow.InspectStudioInput, workflow.InspectStudioOutput]) workflow.Step[workflow.InspectStudioInput, workflow.InspectStudioOutput] {
	return func(ctx context.Context, in workflow.InspectStudioInput) (workflow.InspectStudioOutput, error) {
		out, err := inspect(ctx, in)
		out.Admit, out.Release, out.Identify = []workflow.Rows{}, []workflow.Rows{}, []workflow.Rows{}
		if err != nil || out.Answer != workflow.AnswerAdmit && out.Answer != workflow.AnswerRetract && out.Answer != workflow.AnswerReleased {
			return out, err
		}
		out.Admit, out.Release = items(len(out.Roles), workflow.ReaderItems), items(len(out.Leaving), workflow.ReaderItems)
		out.Identify = items(len(out.Domains), workflow.ReaderItems)
		return out, l.Replace(ctx, out.Warehouse.ARN, "", slices.Concat(list(reading, out.Roles), list(leaving, out.Leaving), list(domain, out.Domains), parts(unfit, out.Unfit)))
	}
}

// written is the row of what WriteStudioRole told.
const written = told + "#WriteStudioRole"

// WriteReaders gives WriteStudioRole the execution roles that may read, and writes down what it told.
func WriteReaders(l ledger.Ledger, step workflow.Step[workflow.WriteStudioRoleInput, workflow.HopsOutput]) workflow.Step[workflow.WriteStudioRoleInput, workflow.Told] {
	return func(ctx context.Context, in workflow.WriteStudioRoleInput) (workflow.Told, error) {
		f, err := l.Facts(ctx, in.Warehouse.ARN, "")
		if err == nil {
			in.Roles, err = listed[workflow.ExecutionRole](f, reading)
		}
		if err != nil {
			return workflow.Told{}, err
		}
		out, err := step(ctx, in)
		if err != nil {
			return workflow.Told{}, err
		}
		return counted(out), keepTold(ctx, l, f.Under(written), written, &out)
	}
}

// Admit gives AdmitExecutionRole one execution role after the other.
func Admit(l ledger.Ledger, step workflow.Step[workflow.AdmitRoleInput, workflow.AdmitRoleOutput]) workflow.Step[workflow.AdmitRoleInput, workflow.Told] {
	return func(ctx context.Context, in workflow.AdmitRoleInput) (workflow.Told, error) {
		return all(each(ctx, l, item{in.Warehouse.ARN, reading, "AdmitExecutionRole", in.Rows}, always, func(r workflow.ExecutionRole) (workflow.AdmitRoleOutput, error) {
			in.Role = r
			return step(ctx, in)
		}))
	}
}

// Identify gives IdentifyUsers one domain after the other, with what became of the execution roles.
func Identify(l ledger.Ledger, step workflow.Step[workflow.IdentifyUsersInput, workflow.IdentifyUsersOutput]) workflow.Step[workflow.IdentifyUsersInput, workflow.Told] {
	return func(ctx context.Context, in workflow.IdentifyUsersInput) (_ workflow.Told, err error) {
		if in.Admitted, err = anyTold[workflow.AdmitRoleOutput](ctx, l, in.Warehouse.ARN, "AdmitExecutionRole"); err != nil {
			return workflow.Told{}, err
		}
		return all(each(ctx, l, item{in.Warehouse.ARN, domain, "IdentifyUsers", in.Rows}, always, func(d workflow.Domain) (workflow.IdentifyUsersOutput, error) {
			in.Domain = d
			return step(ctx, in)
		}))
	}
}

// Release gives ReleaseExecutionRole one execution role after the other, with how far the domains are.
func Release(l ledger.Ledger, step workflow.Step[workflow.ReleaseRoleInput, workflow.HopsOutput]) workflow.Step[workflow.ReleaseRoleInput, workflow.Told] {
	return func(ctx context.Context, in workflow.ReleaseRoleInput) (_ workflow.Told, err error) {
		if in.Identified, err = anyTold[workflow.IdentifyUsersOutput](ctx, l, in.Warehouse.ARN, "IdentifyUsers"); err != nil {
			return workflow.Told{}, err
		}
		return all(each(ctx, l, item{in.Warehouse.ARN, leaving, "ReleaseExecutionRole", in.Rows}, always, func(r workflow.ExecutionRole) (workflow.HopsOutput, error) {
			in.Role = r
			return step(ctx, in)
		}))
	}
}

// ConcludeReaders gives ConcludeStudio all that was found and told. Of a cluster that the ledger forgot with an earlier attempt there is nothing any more.
func ConcludeReaders(l ledger.Ledger, step workflow.Step[workflow.ConcludeStudioInput, workflow.ConcludeStudioOutput]) workflow.Step[workflow.ConcludeStudioInput, workflow.ConcludeStudioOutput] {
	return func(ctx context.Context, in workflow.ConcludeStudioInput) (workflow.ConcludeStudioOutput, error) {
		id := in.Warehouse.ARN
		f, err := l.Facts(ctx, id, "")
		if err == nil {
			err = concluded(f, id, &in)
		}
		if err != nil {
			return workflow.ConcludeStudioOutput{}, err
		}
		return step(ctx, in)
	}
}

// concluded reads what was found of a cluster's readers, and what the steps told.
func concluded(f ledger.Facts, id string, in *workflow.ConcludeStudioInput) (err error) {
	if _, err = f.FactOf(written, &in.Written); err != nil {
		return err
	}
	if err = gather(f, unfit, &in.Unfit); err != nil {
		return err
	}
	if in.Roles, err = listed[workflow.ExecutionRole](f, reading); err != nil {
		return err
	}
	left, err := listed[workflow.ExecutionRole](f, leaving)
	if err != nil {
		return err
	}
	domains, err := listed[workflow.Domain](f, domain)
	if err != nil {
		return err
	}
	if in.Admitted, err = toldOf[workflow.AdmitRoleOutput](f, id, "AdmitExecutionRole", 1, len(in.Roles)); err != nil {
		return err
	}
	if in.Identified, err = toldOf[workflow.IdentifyUsersOutput](f, id, "IdentifyUsers", 1, len(domains)); err != nil {
		return err
	}
	in.Released, err = toldOf[workflow.HopsOutput](f, id, "ReleaseExecutionRole", 1, len(left))
	return err
}
