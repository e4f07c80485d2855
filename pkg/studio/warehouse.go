package studio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// inspection is one look at one cluster: who shall read it, who could until now, and in which domains they work.
type inspection struct {
	Inspector
	execution string
	event     event.Event
	out       *workflow.InspectStudioOutput

	id      string                // the cluster's ARN
	owner   workflow.AccountFacts // of its account
	tags    map[string]string     // the cluster's
	unclear string                // what is to be said of those that mean nothing
	entry   ledger.Connection
	managed bool
	items   []ledger.Item // that the ledger has of it

	sharing  sharing
	trusted  []string // the execution roles that the readers' role trusts
	readers  []reader
	accounts []string // that the cluster names, or that have something of it

	set     *policy.Set
	cluster policy.Warehouse
	refused []policy.Decision
	causes  []brake.Why // why each role that is to leave is
	leave   []string    // the accounts in which the policy wants what somebody takes away to be left
}

// warehouse looks at one cluster, and answers in out.
func (i Inspector) warehouse(ctx context.Context, execution string, e event.Event, out *workflow.InspectStudioOutput) error {
	l := inspection{Inspector: i, execution: execution, event: e, out: out, id: arn.New(arn.Partition(e.Region), "redshift", e.Region, e.Account, "cluster:"+e.Cluster)}
	for _, part := range []func(context.Context) (over bool, err error){l.read, l.letGo, l.concerned} {
		if over, err := part(ctx); over || err != nil {
			return err
		}
	}
	if err := l.consumers(ctx); err != nil {
		return err
	}
	if err := i.Brake.Ask(ctx, removal(l.id, fmt.Sprintf("%d execution roles may not read %s any more", len(l.causes), e.Cluster), l.causes)); err != nil {
		return err
	}
	l.fit()
	return l.answer(ctx)
}

// nothing ends the look: there is nothing to do.
func (l *inspection) nothing(format string, args ...any) (over bool, err error) {
	l.out.Answer, l.out.Reason = workflow.AnswerNothing, fmt.Sprintf(format, args...)
	return true, nil
}

// inLedger says of an error that the ledger gave it; nil stays nil.
func (l *inspection) inLedger(err error) error {
	if err != nil {
		err = fmt.Errorf("asking the ledger about %s: %w", l.id, err)
	}
	return err
}

// read reads the cluster, and what the ledger has of it.
func (l *inspection) read(ctx context.Context) (over bool, err error) {
	e, outside := l.event, ""
	if l.owner, outside, err = brake.Member(ctx, l.Account, l.Book.Ledger, e.Account, l.id); err != nil {
		return true, err
	}
	if outside != "" {
		return l.nothing("%s", outside)
	}
	l.tags, l.sharing.gone, err = cluster(ctx, l.Enter(l.execution, e.Place).Redshift, e)
	if held := brake.Unread(ctx, l.Book.Ledger, l.id, err); held != nil {
		return true, held
	}
	if err != nil {
		return true, err
	}
	l.sharing.named, l.unclear = strings.Fields(l.tags[tag.Studio]), tag.Why(l.tags, tag.Studio, tag.StudioGroups)
	l.out.Warehouse, _ = Warehouse(e.Place, e.Cluster, l.tags)
	if l.entry, l.managed, err = l.Book.Connection(ctx, l.id); err != nil {
		return true, l.inLedger(err)
	}
	l.out.Stands = slices.Contains([]ledger.Status{ledger.Status(workflow.Identified), ledger.Status(workflow.AwaitingApps)}, l.entry.Status)
	return false, nil
}

// letGo ends the look at a cluster of which Drawbridge has nothing, or whose owner wants it left as it stands. If its owner wants what was
// added to be taken back, the cluster names nobody from now on.
func (l *inspection) letGo(context.Context) (over bool, err error) {
	letting := tag.Letting(l.tags)
	says := fmt.Sprintf("%s is tagged %s=%s", l.event.Cluster, tag.Manage, letting)
	l.sharing.clear, l.sharing.ended = letting != "" || tag.Says(l.tags, tag.Studio), letting != ""
	switch {
	case letting != "" && !l.managed:
		return l.nothing("%s", says)
	case letting == tag.Leave:
		l.out.Answer, l.out.Reason = workflow.AnswerReleased, says
		return true, nil
	case letting != "":
		l.sharing.named, l.out.Warehouse.Named = nil, false
	case len(l.sharing.named) == 0 && !l.managed:
		return l.nothing("cluster %s has no tag %s, and nobody reads it by Drawbridge%s", l.event.Cluster, tag.Studio, l.unclear)
	}
	return false, nil
}

// concerned finds who can read the cluster now, and the accounts to look at. From here on the cluster has its entry.
func (l *inspection) concerned(ctx context.Context) (over bool, err error) {
	w := l.out.Warehouse
	if l.items, err = l.Book.Items(ctx, l.id); err != nil {
		return true, l.inLedger(err)
	}
	made, _ := readersItems(l.Book, w)
	have, err := readRole(ctx, l.Enter(l.execution, l.event.Place).Roles, nameOf(w.Role), w.Account)
	if err != nil {
		return true, err
	}
	if have != nil && have.ours(find(l.items, made)) {
		if l.trusted, err = Readers(have.trust); err != nil {
			return true, fmt.Errorf("in %s, %s: %w", nameOf(w.Role), w.Account, err)
		}
	}
	l.readers = readersOf(l.trusted, l.items, w.Account, l.Book.Home, nameOf(w.Role))
	l.accounts = slices.Clone(l.sharing.named)
	for _, r := range l.readers {
		l.accounts = append(l.accounts, r.account)
	}
	// Domains, too, may have something of a cluster that nobody of their account reads any more.
	for _, item := range l.items {
		if item.Kind == ledger.Setting {
			l.accounts = append(l.accounts, item.Account)
		}
	}
	slices.Sort(l.accounts)
	l.accounts = slices.Compact(l.accounts)
	return false, l.inLedger(l.keep(ctx))
}

// consumers looks at each account that is concerned, and writes down where what somebody takes away is left to them.
func (l *inspection) consumers(ctx context.Context) (err error) {
	if l.set, err = l.Policy(ctx); err != nil {
		return err
	}
	l.cluster = policy.Warehouse{ARN: l.id, ID: l.event.Cluster, Region: l.event.Region, Tags: l.tags, Account: l.owner.Entity()}
	for _, one := range l.accounts {
		if err := l.consumer(ctx, event.Place{Account: one, Region: l.event.Region}); err != nil {
			return err
		}
	}
	slices.Sort(l.leave)
	leave := slices.Compact(l.leave)
	if slices.Equal(leave, l.entry.Leave) {
		return nil
	}
	l.entry, err = l.Book.Change(ctx, l.id, func(c *ledger.Connection) { c.Leave = leave })
	return l.inLedger(err)
}

// answer answers what the cluster needs next.
//
//	somebody may read, and somebody may no longer → retract
//	somebody may read                             → admit
//	nobody may, but somebody could                → retract
//	nobody may, and what was begun has no end     → retract
//	nobody can be served                          → admit, which says why
//	no account is named                           → nothing; the entry ends
//	the policy forbids all that ask               → refuse
//	nobody asks                                   → nothing
func (l *inspection) answer(ctx context.Context) error {
	out, name := l.out, l.event.Cluster
	if len(l.refused) > 0 {
		out.Decision = l.refused[0]
	}
	// What an earlier execution set up, though nobody reads any more, did not come to its end.
	unfinished := len(l.items) > 0 || slices.Contains([]workflow.Result{workflow.Identified, workflow.AwaitingApps, workflow.Incomplete, workflow.Contested}, workflow.Result(l.entry.Status))
	switch {
	case len(out.Roles) > 0:
		out.Answer, out.Reason, out.Decision = workflow.AnswerAdmit, fmt.Sprintf("%s is shared with %s", name, l.tags[tag.Studio]), out.Roles[0].Decision
		if len(out.Leaving) > 0 {
			out.Answer = workflow.AnswerRetract
		}
	case len(out.Leaving) > 0 || unfinished:
		out.Answer, out.Reason = workflow.AnswerRetract, fmt.Sprintf("nobody may read %s any more", name)
	case len(out.Unfit) > 0:
		out.Answer, out.Reason = workflow.AnswerAdmit, fmt.Sprintf("%s is shared with %s", name, l.tags[tag.Studio])
	case len(l.sharing.named) == 0:
		_, _ = l.nothing("cluster %s has no tag %s any more, and nobody reads it by Drawbridge", name, tag.Studio)
		if err := l.Book.End(ctx, l.id); err != nil {
			return l.inLedger(err)
		}
	case len(l.refused) > 0:
		out.Answer, out.Reason = workflow.AnswerRefuse, "refused by policy "+l.refused[0].Policy+": "+l.refused[0].Reason
		if _, err := l.Book.Change(ctx, l.id, status(workflow.RefusedByPolicy, out.Reason, l.refused[0].Policy, l.Book.Now())); err != nil {
			return l.inLedger(err)
		}
	default:
		_, _ = l.nothing("no execution role of a Studio domain in %s is tagged %s=true", strings.Join(l.accounts, ", "), tag.Studio)
	}
	out.Reason += l.unclear
	return nil
}

// sides lists the accounts that are concerned by a warehouse. A consumer is listed in the Region of IAM's things, so that it is found when a role of it
// changes. What is no account is listed nowhere.
func sides(w workflow.Warehouse, accounts []string, home string) []ledger.Side {
	out := []ledger.Side{{Role: producerSide, Account: w.Account, Region: w.Region, ID: w.ARN}}
	for _, one := range accounts {
		if event.IsAccount(one) {
			out = append(out, ledger.Side{Role: consumerSide, Account: one, Region: home, ID: one})
		}
	}
	return out
}

// keep keeps the cluster's entry in the ledger: it begins with the owner's tag, and lists the accounts that are concerned.
func (l *inspection) keep(ctx context.Context) (err error) {
	w := l.out.Warehouse
	sides := sides(w, l.accounts, l.Book.Home)
	if !l.managed {
		l.entry, err = l.Book.Begin(ctx, ledger.Connection{ID: w.ARN, Kind: road.Studio, Origin: ledger.Requested, Sides: sides})
		return err
	}
	if slices.EqualFunc(l.entry.Sides, sides, func(a, b ledger.Side) bool {
		return a.Account == b.Account && a.Region == b.Region && a.Role == b.Role && a.ID == b.ID
	}) {
		return nil
	}
	l.entry, err = l.Book.Change(ctx, w.ARN, func(c *ledger.Connection) { c.Sides = sides })
	return err
}

// fit leaves out the execution roles that the trust policy of the readers' role has no room for, and says so. Who reads already stays.
func (l *inspection) fit() {
	out := l.out
	var all []string
	for _, r := range out.Roles {
		all = append(all, r.ARN)
	}
	_, full := Fit(all, l.trusted)
	out.Roles = slices.DeleteFunc(out.Roles, func(r workflow.ExecutionRole) bool { return slices.Contains(full, r.ARN) })
	for n := range out.Domains {
		out.Domains[n].Roles = slices.DeleteFunc(out.Domains[n].Roles, func(r string) bool { return slices.Contains(full, r) })
	}
	for _, r := range full {
		out.Unfit = append(out.Unfit, workflow.Hop{Hop: fmt.Sprintf("execution role %s in %s", nameOf(r), arn.AccountOf(r)), OK: false,
			Detail: fmt.Sprintf("is not served: the trust policy of %s has no room for it, as IAM takes %d characters; let profiles share a role", nameOf(out.Warehouse.Role), maxTrust)})
	}
}
