package notebook

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Batches returns notebook instances of a VPC in batches that are alike in all else with one. Of an instance only its name counts: how it is, who
// serves it reads anew.
func Batches(one workflow.Batch, subnets []route.Subnet, instances []Instance) []workflow.Batch {
	var out []workflow.Batch
	for _, s := range subnets {
		var names []string
		one.Fresh = nil
		for _, n := range instances {
			if n.Subnet == s.ID {
				names = append(names, n.Name)
				if n.Fresh {
					one.Fresh = append(one.Fresh, n.Name)
				}
			}
		}
		one.Subnet, one.SubnetCIDR, one.SubnetCIDRv6 = s.ID, s.V4, s.V6
		out = append(out, workflow.Batches(one, names)...)
	}
	return out
}

// BatchReader is what [ReadBatch] needs of SageMaker.
type BatchReader interface {
	Describer
	Tagged
}

// Missed is a notebook of a batch that is not there to be served, with why.
type Missed struct {
	Hop workflow.Hop
	Err error // nil: it is gone
}

// ReadBatch reads the notebooks of a batch as they are now, a few at once, and asks the policy about each, if there is one to ask: set is nil
// where only is taken away. One that is gone, or cannot be read, is among missed.
func ReadBatch(ctx context.Context, api BatchReader, set *policy.Set, connection string, b workflow.Batch) (found []workflow.Notebook, missed []Missed) {
	all, errs := make([]*Instance, len(b.Names)), make([]error, len(b.Names))
	_ = each(ctx, b.Names, func(n int, name string) (err error) {
		if all[n], err = describe(ctx, api, name); err == nil && all[n] != nil {
			all[n].Tags, err = ReadTags(ctx, api, all[n].ARN)
		}
		errs[n] = err
		return nil // one that cannot be read keeps nobody from being served
	})
	for n, name := range b.Names {
		hop := workflow.Hop{Hop: "host route on " + name, OK: true, Detail: "the notebook is gone"}
		switch i := all[n]; {
		case fault.NoRecord(errs[n]): // gone since it was described
			missed = append(missed, Missed{Hop: hop})
		case errs[n] != nil:
			hop.OK, hop.Detail = false, errs[n].Error()
			missed = append(missed, Missed{hop, errs[n]})
		case i == nil || i.Subnet != b.Subnet: // one that was made anew elsewhere is found by the next look
			missed = append(missed, Missed{Hop: hop})
		default:
			found = append(found, of(*i, set, connection, b))
		}
	}
	return found, missed
}

// of is a notebook of a batch with what the policy allows for it.
func of(i Instance, set *policy.Set, connection string, b workflow.Batch) workflow.Notebook {
	one := workflow.Notebook{Account: b.Account, Region: b.Region, VPC: b.VPC, Owner: b.Owner, Name: i.Name, ARN: i.ARN,
		Subnet: b.Subnet, SubnetCIDR: b.SubnetCIDR, SubnetCIDRv6: b.SubnetCIDRv6,
		Status: i.Status, DirectInternet: i.DirectInternet, LifecycleConfig: i.LifecycleConfig, Tag: i.Tags[tag.Status], Said: i.Tags[tag.Reason],
		Unclear: tag.Why(i.Tags, tag.Routes, tag.Restart), Asks: i.Tags[tag.Routes] == "on"}
	if set != nil && b.Here != nil && b.There != nil {
		resource, about := policy.Notebook{ARN: i.ARN, Name: i.Name, Tags: i.Tags, VPC: b.Here.Entity()}, policy.Context{Connection: connection}
		one.Inject, one.Restart = set.Inject(b.There.Entity(), resource, about), set.Restart(b.There.Entity(), resource, about)
		if b.Left != "" && !one.Asks {
			leave(&one, b.Left)
		}
	}
	return one
}

// Injector gives batches of notebooks the host routes of a connection.
type Injector struct {
	// SageMaker returns the client for acting in the notebooks' account on behalf of an execution.
	SageMaker func(execution string, b workflow.Batch) InjectionAPI
	Ledger    ledger.Ledger
	// Policy returns the policy in force.
	Policy   func(context.Context) (*policy.Set, error)
	Restarts restart.Book
}

// InjectionAPI is what [Injector] needs of SageMaker.
type InjectionAPI interface {
	lifecycle.Injected
	Tagged
}

// Inject serves one batch: it describes its notebooks, asks the policy about each, and edits each lifecycle configuration once.
func (i Injector) Inject(ctx context.Context, in workflow.InjectRoutesInput) (workflow.NotebooksOutput, error) {
	l := i.Ledger.Under(in.Connection.ID, in.Execution)
	b := in.Batch
	set, err := i.Policy(ctx)
	if err != nil {
		return b.Tell(nil), err
	}
	api := i.SageMaker(in.Execution, b)
	found, missed := ReadBatch(ctx, api, set, in.Connection.ID, b)
	serve := func() ([]workflow.Hop, map[string]workflow.Host, error) {
		return lifecycle.Inject(ctx, api, l, i.Restarts, in, found)
	}
	if in.Refused != "" {
		serve = func() ([]workflow.Hop, map[string]workflow.Host, error) {
			return lifecycle.Unrouted(ctx, api, l, in.Refused, found)
		}
	}
	hops, hosts, err := serve()
	out, err := told(b, hops, missed, err)
	for _, name := range b.Names {
		host, there := hosts[name]
		if !there {
			host = workflow.HostGone
		}
		out.Hosts += string(rune(host))
	}
	return out, err
}

// Withdrawer takes the host routes of a connection from batches of notebooks. Its fields are as those of [Injector]; EC2 acts in the account of
// the VPC's owner.
type Withdrawer struct {
	SageMaker func(execution string, b workflow.Batch) WithdrawalAPI
	EC2       func(execution string, b workflow.Batch) route.NetworkReader
	Ledger    ledger.Ledger
}

// WithdrawalAPI is what [Withdrawer] needs of SageMaker.
type WithdrawalAPI interface {
	lifecycle.Releaser
	Tagged
}

// Withdraw serves one batch, as [Injector.Inject] does, and asks no policy.
func (w Withdrawer) Withdraw(ctx context.Context, in workflow.WithdrawRoutesInput) (workflow.NotebooksOutput, error) {
	l := w.Ledger.Under(in.Connection.ID, in.Execution)
	b := in.Batch
	api := w.SageMaker(in.Execution, b)
	found, missed := ReadBatch(ctx, api, nil, in.Connection.ID, b)
	hops, err := lifecycle.Release(ctx, api, w.EC2(in.Execution, b), l, in, found)
	return told(b, hops, missed, err)
}

// told is what is told of a batch whose notebooks were all tried: an error, if one of them failed.
func told(b workflow.Batch, hops []workflow.Hop, missed []Missed, err error) (workflow.NotebooksOutput, error) {
	failed := []error{err}
	for _, m := range missed {
		hops, failed = append(hops, m.Hop), append(failed, m.Err)
	}
	return b.Tell(hops), fault.Join(failed...)
}
