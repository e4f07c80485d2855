package rebuild

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Rebuilder visits accounts, and writes into the ledger what carries Drawbridge's marks there.
type Rebuilder struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter  func(execution string, at event.Place) Clients
	Ledger ledger.Ledger
	// Home is the Region under which the ledger has what has none: the hub's.
	Home string
}

// New returns a Rebuilder that enters accounts by enter.
func New(enter func(execution, account, region string) aws.Config, l ledger.Ledger, home string) Rebuilder {
	return Rebuilder{Ledger: l, Home: home, Enter: func(execution string, at event.Place) Clients {
		c := enter(execution, at.Account, at.Region)
		return Clients{EC2: ec2.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c), RDS: rds.NewFromConfig(c), Redshift: redshift.NewFromConfig(c), IAM: iam.NewFromConfig(c), RAM: ram.NewFromConfig(c)}
	}}
}

// Rebuild reads the Regions of an account, and writes what the ledger lacks. It may be repeated.
//
// An account that lets nobody in, and a Region that is barred from it, are told and fail nothing. What passes by itself fails the visit at once, any
// other error once the rest is done.
func (r Rebuilder) Rebuild(ctx context.Context, in workflow.SweepAccountInput) (workflow.SweepAccountOutput, error) {
	out := workflow.SweepAccountOutput{Account: in.Territory.Account, Found: []workflow.Found{}}
	if len(in.Territory.Regions) == 0 {
		return out, fault.New(fault.Invalid, "rebuilding %s: no Region is named", out.Account)
	}
	read := newReader(func(at event.Place) Clients { return r.Enter(in.Execution, at) }, r.Ledger)
	var broken []error
	for _, region := range in.Territory.Regions {
		err := r.region(ctx, read, event.Place{Account: out.Account, Region: region}, func(kind string, add workflow.Found) { out.Found = tell(out.Found, kind, add) })
		if errors.Is(err, fault.ErrClosed) {
			out.Closed = err.Error()
			slog.WarnContext(ctx, "rebuilding", "account", out.Account, "closed", out.Closed)
			return out, nil
		}
		if why, barred := fault.Barred(err); barred {
			out.Barred = sweep.Bar(out.Barred, region, why)
			continue
		}
		if fault.Passing(err) {
			return out, err
		}
		if err != nil {
			broken = append(broken, err)
		}
	}
	slog.InfoContext(ctx, "rebuilt", "account", out.Account, "found", out.Found, "barred", out.Barred)
	return out, errors.Join(broken...)
}

// region rebuilds what is in one place, and tells what that came to. What fails in one part leaves the others alone, unless nothing can be read there, or it
// passes by itself.
func (r Rebuilder) region(ctx context.Context, read *reader, at event.Place, told func(string, workflow.Found)) error {
	write := func(rows Rows) error { return r.write(ctx, rows, told) }
	var broken []error
	for _, part := range []func() error{
		func() error { return read.connections(ctx, at, write) },
		func() error { return read.endpoints(ctx, at, r.Home, write) },
		func() error { return read.clusters(ctx, at, r.Home, write) },
		func() error { return read.warehouses(ctx, at, r.Home, write) },
		func() error { return read.notebooks(ctx, at, write) },
		func() error { return read.shares(ctx, at, write) },
	} {
		err := part()
		_, unreadable := fault.Unreadable(err)
		switch {
		case fault.Absent(err): // the Region does not have the service
		case unreadable || fault.Passing(err):
			return err
		case err != nil:
			broken = append(broken, err)
		}
	}
	return fault.Join(broken...)
}

// write writes what the ledger lacks of one thing: the entry first, since items without one may be forgotten by the next look.
func (r Rebuilder) write(ctx context.Context, rows Rows, told func(string, workflow.Found)) error {
	if rows.Entry != nil {
		_, known, err := r.Ledger.Connection(ctx, rows.Entry.ID)
		if err != nil {
			return err
		}
		one := workflow.Found{Seen: 1}
		if !known {
			if _, err := r.Ledger.Begin(ctx, *rows.Entry); err != nil {
				return err
			}
			one.Written = 1
		}
		told(rows.Kind, one)
	}
	written, err := r.Ledger.Restore(ctx, rows.Items...)
	if err != nil {
		return err
	}
	for _, i := range rows.Items {
		one := workflow.Found{Seen: 1}
		if slices.ContainsFunc(written, i.Same) {
			one.Written = 1
		}
		told(kinds[i.Kind], one)
	}
	for _, u := range rows.Untold {
		told(u.Kind, workflow.Found{Untold: 1, Names: []string{fit.Bytes(u.What, room)}})
	}
	return nil
}

// kinds are the names of kinds of items, in the plural.
var kinds = map[ledger.Kind]string{ledger.Route: Routes, ledger.Rule: Rules, ledger.HostRoute: HostRoutes, ledger.Attachment: Made, ledger.Endpoint: Endpoints, ledger.Group: Groups, ledger.Role: Roles,
	ledger.Statement: Statements, ledger.Document: Documents, ledger.Setting: Settings, ledger.Share: Accepted,
	ledger.Managed: Given}

// The answers of a page of accounts are one payload of the machine, and a dozen kinds may be in each: so few are named, in so many bytes.
const few, room = 3, 160

// tell adds to the count of a kind.
func tell(found []workflow.Found, kind string, add workflow.Found) []workflow.Found {
	n := slices.IndexFunc(found, func(f workflow.Found) bool { return f.Kind == kind })
	if n < 0 {
		n, found = len(found), append(found, workflow.Found{Kind: kind})
	}
	f := &found[n]
	f.Seen, f.Written, f.Untold = f.Seen+add.Seen, f.Written+add.Written, f.Untold+add.Untold
	f.Names = append(f.Names, add.Names[:min(len(add.Names), few-len(f.Names))]...)
	return found
}
