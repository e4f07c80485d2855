package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Sweeper visits accounts, with a finder for each kind of thing.
type Sweeper struct {
	Finders  []Finder
	Accounts []AccountFinder
	// Hears says why the events of a place do not all reach the hub, "" if they do: see [Hears].
	Hears func(ctx context.Context, execution string, at event.Place) (why string, err error)
	Ask   Ask
	// Ledger says which connections are managed, for the brake's percentage.
	Ledger ledger.Ledger
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
}

// New returns a Sweeper with all finders, which enters accounts by enter, knows them by account and reads in the ledger what is managed.
func New(enter func(execution, account, region string) aws.Config, account func(context.Context, string) (workflow.AccountFacts, error), l ledger.Ledger, ask Ask) Sweeper {
	in := func(execution string, p event.Place) aws.Config { return enter(execution, p.Account, p.Region) }
	return Sweeper{
		Ask: ask, Ledger: l, Account: account,
		Hears: func(ctx context.Context, x string, p event.Place) (string, error) {
			return Hears(ctx, eventbridge.NewFromConfig(in(x, p)))
		},
		Finders: []Finder{
			Peerings{Ledger: l, Enter: func(x string, p event.Place) EC2 { return ec2.NewFromConfig(in(x, p)) }},
			Notebooks{Ledger: l, Enter: func(x string, p event.Place) NotebookAPIs {
				return NotebookAPIs{EC2: ec2.NewFromConfig(in(x, p)), SageMaker: sagemaker.NewFromConfig(in(x, p))}
			}},
			Attachments{Enter: func(x string, p event.Place) AttachmentReader { return ec2.NewFromConfig(in(x, p)) }},
			Pairs{Ledger: l, Enter: func(x string, p event.Place) PairReader { return ec2.NewFromConfig(in(x, p)) }},
			Shares{Enter: func(x string, p event.Place) InvitationReader { return ram.NewFromConfig(in(x, p)) }},
			DataAPI{Enter: func(x string, p event.Place) RDS { return rds.NewFromConfig(in(x, p)) }, Ledger: l},
			Studio{Ledger: l, Enter: func(x string, p event.Place) Redshift { return redshift.NewFromConfig(in(x, p)) }},
		},
		Accounts: []AccountFinder{
			Endpoints{
				EC2:    func(x string, p event.Place) EndpointReader { return ec2.NewFromConfig(in(x, p)) },
				Ledger: l,
			},
		},
	}
}

// Sweep asks for a look at everything in an account that wants one. An account that lets nobody in is told, not an
// error: it may have joined a minute ago.
//
// What passes by itself fails the visit at once, to be tried again. A service that a Region does not have has nothing there.
// A Region that is barred from the account is told, and fails nothing. Any other error keeps the finder from the rest of the
// Region, not the other finders from their work; the visit fails when all have done theirs.
func (s Sweeper) Sweep(ctx context.Context, in workflow.SweepAccountInput) (workflow.SweepAccountOutput, error) {
	v := visit{Sweeper: s, execution: in.Execution, territory: in.Territory, out: workflow.SweepAccountOutput{Account: in.Territory.Account, Found: []workflow.Found{}}}
	if len(in.Territory.Regions) == 0 {
		return v.out, fault.New(fault.Invalid, "sweeping %s: no Region is named", v.out.Account)
	}
	var err error
	var asked []request
	if v.out.Managed, err = Managed(ctx, s.Ledger, in.Territory, func(at event.Place, c ledger.Connection) {
		if accepter, ok := Accepter(c, at); ok && c.Kind == road.Peering {
			asked = append(asked, request{at, c, accepter})
		}
	}); err != nil {
		return v.out, err
	}
	if in.Territory.Suspended != "" {
		return s.suspended(ctx, in.Territory, v.out)
	}
	if err := s.left(ctx, asked); err != nil {
		return v.out, err
	}
	for _, all := range []func(context.Context) (on bool, err error){v.find, v.findInAccount, v.listen} {
		if on, err := all(ctx); !on {
			return v.out, err
		}
	}
	slog.InfoContext(ctx, "swept", "account", v.out.Account, "found", v.out.Found, "barred", v.out.Barred, "deaf", v.out.Deaf)
	return v.out, errors.Join(v.broken...)
}

// visit is the sweep of one account.
type visit struct {
	Sweeper
	execution string
	territory workflow.Territory
	out       workflow.SweepAccountOutput
	broken    []error // with which the visit ends, once all have done their work
}

// find lets each [Finder] look at each Region. It reports whether the visit goes on.
func (v *visit) find(ctx context.Context) (on bool, err error) {
	for _, finder := range v.Finders {
		found := workflow.Found{Kind: finder.Kind()}
		for _, region := range v.territory.Regions {
			at := event.Place{Account: v.territory.Account, Region: region}
			if on, err := v.run(ctx, &found, region, func(ask Ask) (int, error) {
				if census, ok := finder.(Census); ok {
					return census.Count(ctx, v.execution, at, ask, func(id string) {
						found.Unmanaged, found.Names = found.Unmanaged+1, Name(found.Names, id)
					})
				}
				return finder.Find(ctx, v.execution, at, ask)
			}); !on {
				return false, err
			}
		}
		v.out.Found = append(v.out.Found, found)
	}
	return true, nil
}

// findInAccount lets each [AccountFinder] look at the account. It reports whether the visit goes on.
func (v *visit) findInAccount(ctx context.Context) (on bool, err error) {
	for _, finder := range v.Accounts {
		found := workflow.Found{Kind: finder.Kind()}
		if on, err := v.run(ctx, &found, "", func(ask Ask) (int, error) { return finder.FindAll(ctx, v.execution, v.territory, ask) }); !on {
			return false, err
		}
		v.out.Found = append(v.out.Found, found)
	}
	return true, nil
}

// listen asks whether the events of each Region reach the hub. It reports whether the visit goes on.
func (v *visit) listen(ctx context.Context) (on bool, err error) {
	for _, region := range v.territory.Regions {
		if on, err := v.run(ctx, &workflow.Found{Kind: "rules that forward events"}, region, func(Ask) (int, error) {
			why, err := v.Hears(ctx, v.execution, event.Place{Account: v.territory.Account, Region: region})
			if why != "" {
				v.out.Deaf = Bar(v.out.Deaf, region, why)
			}
			return 0, err
		}); !on {
			return false, err
		}
	}
	return true, nil
}

// run counts what a finder finds, and reports whether the visit goes on after what it returned. region is empty if it looks at all of them.
func (v *visit) run(ctx context.Context, found *workflow.Found, region string, find func(Ask) (int, error)) (on bool, err error) {
	seen, err := find(func(ctx context.Context, looks ...look.Look) error {
		found.Announced += len(looks)
		return v.Ask(ctx, looks...)
	})
	found.Seen += seen
	if errors.Is(err, fault.ErrClosed) {
		v.out.Closed = err.Error()
		slog.WarnContext(ctx, "sweeping", "account", v.out.Account, "closed", v.out.Closed)
		return false, v.shut(ctx, v.territory, "account "+v.out.Account+" lets nobody in")
	}
	for _, err := range parts(err) {
		in, where := region, v.out.Account
		var one regional
		if errors.As(err, &one) {
			in = one.region
		} else if in != "" {
			where += ", " + in
		}
		if why, barred := fault.Barred(err); barred && in != "" {
			v.out.Barred = Bar(v.out.Barred, in, why)
			continue
		}
		if fault.Absent(err) && region != "" {
			slog.InfoContext(ctx, "nothing is there", "kind", found.Kind, "region", region, "why", err)
			continue
		}
		err = fmt.Errorf("finding %s in %s: %w", found.Kind, where, err)
		if kind := fault.Of(err); kind == fault.Transient || kind == fault.NotYet {
			return false, err
		}
		v.broken = append(v.broken, err)
	}
	return true, nil
}

// regional is an error of an [AccountFinder] that one Region is the cause of.
type regional struct {
	region string
	err    error
}

// Error implements error.
func (r regional) Error() string { return "in " + r.region + ": " + r.err.Error() }

// Unwrap returns the cause.
func (r regional) Unwrap() error { return r.err }

// parts returns the errors that were joined to one.
func parts(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
