package lifecycle

import (
	"context"
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Inject gives the notebooks of a batch, which are of one subnet and were read just now, the host routes of one connection, as [Attach] does for
// one. A configuration that several use is edited once. What may be restarted is not waited for: it is noted in debts.
//
// It only adds lines, and so needs no route table beside those of in.
//
// It returns a hop for each notebook. One that cannot be served keeps nobody from being served: its hop says why, and what is not for its
// owner to mend is told as an error when all others are done. With it goes, by their names, what became of their host routes.
func Inject(ctx context.Context, api client, l ledger.Ledger, debts restart.Book, in workflow.InjectRoutesInput, notebooks []workflow.Notebook) ([]workflow.Hop, map[string]workflow.Host, error) {
	done := &memo{needed: map[bool][]netip.Prefix{}, edited: map[string]error{}}
	hosts := map[string]workflow.Host{}
	var hops []workflow.Hop
	var failed []error
	var owed []ledger.Debt
	for _, nb := range notebooks {
		b := book{Ledger: l, nb: nb, also: in.Connection, by: in.Execution, fresh: true, memo: done}
		out, err := b.told(ctx, api, nil, workflow.AttachRoutesInput{Execution: in.Execution, Connection: in.Connection, Routed: in.Routed, Notebook: nb, Phase: workflow.PhaseUntouched, Tried: in.Tried})
		if err != nil {
			failed = append(failed, err)
			out.hop = workflow.Hop{Hop: hostRoute(nb), Detail: err.Error()}
		}
		if out.owes {
			owed = append(owed, Debt(nb, in.Connection.ID))
		}
		hops, hosts[nb.Name] = append(hops, out.hop), host(nb, out)
	}
	if len(owed) > 0 {
		if err := debts.Owe(ctx, event.Place{Account: owed[0].Account, Region: owed[0].Region}, owed...); err != nil {
			failed = append(failed, err)
		}
	}
	return hops, hosts, fault.Join(failed...)
}

// Unrouted says on the notebooks of a batch that would get host routes why they get none now: the routes that these follow could not be added. What their scripts set
// stays. One on which that cannot be said is told as an error when all others are done.
func Unrouted(ctx context.Context, api client, l ledger.Ledger, why string, notebooks []workflow.Notebook) ([]workflow.Hop, map[string]workflow.Host, error) {
	hosts := map[string]workflow.Host{}
	var hops []workflow.Hop
	var failed []error
	for _, nb := range notebooks {
		hop := workflow.Hop{Hop: hostRoute(nb), OK: true, Detail: "not needed: it has no direct internet access, or the policy leaves it out"}
		if nb.DirectInternet && nb.Inject.Allowed {
			hop.OK, hop.Detail = false, "its host routes follow routes that could not be added: "+why
			failed = append(failed, tell(ctx, api, nb, Failed, hop.Detail, l.Now()))
		}
		hops, hosts[nb.Name] = append(hops, hop), host(nb, outcome{})
	}
	return hops, hosts, fault.Join(failed...)
}

// host is what became of the host routes of a notebook.
func host(nb workflow.Notebook, out outcome) workflow.Host {
	switch {
	case !nb.DirectInternet:
		return workflow.HostNeedless
	case out.set:
		return workflow.HostSet
	case !nb.Inject.Allowed:
		return workflow.HostLeft
	}
	return workflow.HostNone
}
