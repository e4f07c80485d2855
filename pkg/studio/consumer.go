package studio

import (
	"context"
	"maps"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// reader is an execution role that can read a cluster now, or has something for it.
type reader struct {
	account, name string
	arn           string // empty if only the ledger knows of it
	// ready says that its trust policy stays as it is because another cluster needs the statement.
	stays bool
}

// readersOf returns the execution roles that a readers' role trusts, and those on which the ledger has something for the cluster, sorted.
func readersOf(trusted []string, items []ledger.Item, producer, home, readersRole string) []reader {
	all := map[string]reader{}
	for _, one := range trusted {
		r := reader{account: arn.AccountOf(one), name: nameOf(one), arn: one}
		all[r.account+"/"+r.name] = r
	}
	for _, i := range items {
		if i.Region != home || i.Kind != ledger.Document && i.Kind != ledger.Statement || i.Account == producer && i.Resource == readersRole {
			continue
		}
		key := i.Account + "/" + i.Resource
		r, ok := all[key]
		if !ok {
			r = reader{account: i.Account, name: i.Resource}
		}
		r.stays = r.stays || i.Kind == ledger.Statement && len(i.Needed) > 1
		all[key] = r
	}
	var out []reader
	for _, key := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[key])
	}
	return out
}

// consumer is one account that is concerned by a cluster, as a look has read it.
type consumer struct {
	*inspection
	place event.Place
	facts workflow.AccountFacts
	here  []reader // of the account, that can read until now
	found seen
	// admitted may read, leaving could and no longer may, by the role's ARN.
	admitted, leaving map[string]bool
}

// consumer looks at one account: the execution roles of its Studio domains in the cluster's Region. It adds to the answer those that
// may read, and those that could and no longer may, with their domains, and to the look the policy's refusals, and who wants those that leave to
// leave. An account that cannot be looked at keeps nobody else out, and what its roles have stays.
func (l *inspection) consumer(ctx context.Context, place event.Place) (err error) {
	c := consumer{inspection: l, place: place, admitted: map[string]bool{}, leaving: map[string]bool{}}
	if c.facts, err = l.Account(ctx, place.Account); err != nil {
		return err
	}
	c.here = slices.DeleteFunc(slices.Clone(l.readers), func(r reader) bool { return r.account != place.Account })
	for n, r := range c.here {
		if r.arn == "" {
			c.here[n].arn = arn.IAM(arn.Partition(place.Region), r.account, "role/"+r.name)
		}
	}
	if err := c.facts.Unreadable(); err != nil && len(c.here) > 0 {
		c.stay(err)
		return nil
	}
	if c.facts.Organization == "" {
		c.outside()
		return nil
	}
	c.found, err = l.look(ctx, l.Enter(l.execution, place), place, c.here)
	switch {
	case fault.Absent(err) && len(c.here) == 0:
		return nil // in a Region without SageMaker there is no domain
	case err != nil && (fault.Absent(err) || fault.Of(err) == fault.Refused):
		c.stay(err)
		return nil
	case err != nil:
		return err
	}
	c.judgeRoles()
	c.listDomains()
	return nil
}

// stay keeps what the roles of an account have that cannot be looked at now: what cannot be read is not gone.
func (c *consumer) stay(err error) {
	for _, r := range c.here {
		c.out.Roles = append(c.out.Roles, workflow.ExecutionRole{Account: r.account, ARN: r.arn, Kept: "its account cannot be looked at now: " + err.Error()})
	}
	if len(c.here) == 0 {
		c.out.Unfit = append(c.out.Unfit, workflow.Hop{Hop: "account " + c.place.Account, OK: false, Detail: "cannot be looked at now, so that nobody of it is let in: " + err.Error()})
	}
}

// outside lets the roles of an account leave that is not of the organization.
func (c *consumer) outside() {
	for _, r := range c.here {
		c.goes(workflow.ExecutionRole{Account: r.account, ARN: r.arn, Outside: true}, c.sharing.why(c.place.Account, nil, policy.Decision{}, true, false))
	}
	c.refused = append(c.refused, c.set.Identify(policy.Role{ARN: "any role", Region: c.place.Region, Account: c.facts.Entity()}, c.cluster, policy.Context{}))
}

// goes lets a role leave.
func (c *consumer) goes(r workflow.ExecutionRole, why brake.Why) {
	c.out.Leaving, c.causes = append(c.out.Leaving, r), append(c.causes, why)
}

// judgeRoles says of each role whether it may read the cluster.
func (c *consumer) judgeRoles() {
	for _, one := range c.found.sorted() {
		r := c.found.roles[one]
		asks := policy.Role{ARN: one, Name: nameOf(one), Region: c.place.Region, Tags: r.tags, Account: c.facts.Entity()}
		d := c.set.Identify(asks, c.cluster, policy.Context{})
		reads := slices.ContainsFunc(c.here, func(h reader) bool { return h.name == nameOf(one) })
		switch {
		case d.Allowed && !c.sharing.ended && c.found.in(one):
			c.admitted[one] = true
			c.out.Roles = append(c.out.Roles, workflow.ExecutionRole{Account: c.place.Account, ARN: one, Decision: d})
			c.leave = append(c.leave, leftIn(c.set, c.cluster, asks)...)
		case reads:
			c.leaving[one] = true
			c.goes(workflow.ExecutionRole{Account: c.place.Account, ARN: one, Decision: d}, c.sharing.why(c.place.Account, r, d, false, c.found.in(one)))
		case r.tags[tag.Studio] != "" || tag.Why(r.tags, tag.Studio) != "":
			d.Reason += tag.Why(r.tags, tag.Studio)
			c.refused = append(c.refused, d)
		}
	}
	for _, h := range c.here {
		if c.found.roles[h.arn] == nil && !slices.ContainsFunc(c.found.sorted(), func(one string) bool { return nameOf(one) == h.name }) {
			// Somebody deleted it: the ledger forgets what was on it.
			c.goes(workflow.ExecutionRole{Account: h.account, ARN: h.arn}, brake.Ended)
		}
	}
}

// listDomains lists the domains in which those that may read, or could, work, and those of which the ledger has something.
func (c *consumer) listDomains() {
	for _, d := range c.found.domains {
		w := c.domainOf(d)
		has := slices.ContainsFunc(c.items, func(i ledger.Item) bool { return i.Same(settingOf(c.place.Account, c.place.Region, d.id)) })
		if len(w.Roles)+len(w.Leaving) > 0 || has {
			c.out.Domains = append(c.out.Domains, w)
		}
	}
	// Domains that are deleted, or do not run in VPC only mode any more.
	for _, item := range c.items {
		known := slices.ContainsFunc(c.found.domains, func(d domain) bool { return d.id == item.Resource })
		if item.Kind == ledger.Setting && item.Account == c.place.Account && item.Region == c.place.Region && !known {
			d := domain{id: item.Resource, arn: arn.New(arn.Partition(c.place.Region), "sagemaker", c.place.Region, c.place.Account, "domain/"+item.Resource)}
			c.out.Domains = append(c.out.Domains, d.workflow(c.place))
		}
	}
}

// domainOf says of the roles of a domain who may read, who leaves, and whose trust policy is not ready.
func (c *consumer) domainOf(d domain) workflow.Domain {
	w := d.workflow(c.place)
	for _, one := range d.roles {
		r := c.found.roles[one]
		stays := slices.ContainsFunc(c.here, func(h reader) bool { return h.name == nameOf(one) && h.stays })
		switch {
		case c.admitted[one]:
			w.Roles = append(w.Roles, one)
			continue
		case c.leaving[one]:
			w.Leaving = append(w.Leaving, one)
		}
		if r == nil || !Ready(r.trust) || c.leaving[one] && !stays && !ReadyWithout(r.trust) {
			w.Unready = append(w.Unready, one)
		}
	}
	return w
}

// leftIn returns the accounts in which what somebody takes away of what lets a role read a warehouse is left to them: the policy does not allow Restore there.
func leftIn(set *policy.Set, w policy.Warehouse, r policy.Role) []string {
	var out []string
	if !set.Restore(w, r, policy.Context{Connection: w.ARN}).Allowed {
		out = append(out, w.Account.ID)
	}
	if !set.Restore(r, w, policy.Context{Connection: w.ARN}).Allowed {
		out = append(out, r.Account.ID)
	}
	return out
}
