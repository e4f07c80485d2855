package studio

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// cluster returns the tags of a cluster; none if it is gone, or goes.
func cluster(ctx context.Context, api Redshift, e event.Event) (tags map[string]string, gone bool, err error) {
	tags = map[string]string{}
	got, err := api.DescribeClusters(ctx, &redshift.DescribeClustersInput{ClusterIdentifier: &e.Cluster})
	if fault.HasCode(err, "ClusterNotFound", "ClusterNotFoundFault") || err == nil && len(got.Clusters) == 0 {
		return tags, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading the Redshift cluster %s in %s, %s: %w", e.Cluster, e.Account, e.Region, err)
	}
	// https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html
	if status := aws.ToString(got.Clusters[0].ClusterStatus); status == "deleting" || status == "final-snapshot" {
		return tags, true, nil
	}
	for _, t := range got.Clusters[0].Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tag.Clean(tag.RedshiftCluster, tags), false, nil
}

// consumer looks at one account: the execution roles of its Studio domains in the cluster's Region. It adds to out those
// that may read, and those that could and no longer may, with their domains; it returns the policy's refusals, and who wants those that leave to leave. An
// account that cannot be looked at keeps nobody else out, and what its roles have stays.
// Long, and with many parameters, because one account is read once, for all that may and all that might.
func (i Inspector) consumer(ctx context.Context, execution string, place event.Place, set *policy.Set, warehouse policy.Warehouse, shared sharing, readers []reader, items []ledger.Item, out *workflow.InspectStudioOutput) (refused []policy.Decision, why []brake.Why, err error) {
	facts, err := i.Account(ctx, place.Account)
	if err != nil {
		return nil, nil, err
	}
	here := slices.DeleteFunc(slices.Clone(readers), func(r reader) bool { return r.account != place.Account })
	for n, r := range here {
		if r.arn == "" {
			here[n].arn = arn.IAM(arn.Partition(place.Region), r.account, "role/"+r.name)
		}
	}
	if err := facts.Unreadable(); err != nil && len(here) > 0 {
		keep(out, here, place.Account, err)
		return nil, nil, nil
	}
	if facts.Organization == "" {
		for _, r := range here {
			out.Leaving, why = append(out.Leaving, workflow.ExecutionRole{Account: r.account, ARN: r.arn, Outside: true}), append(why, shared.why(place.Account, nil, policy.Decision{}, true, false))
		}
		d := set.Identify(policy.Role{ARN: "any role", Region: place.Region, Account: facts.Entity()}, warehouse, policy.Context{})
		return []policy.Decision{d}, why, nil
	}
	clients := i.Enter(execution, place)
	found, err := i.look(ctx, clients, place, here)
	if fault.Absent(err) && len(here) == 0 {
		return nil, nil, nil // in a Region without SageMaker there is no domain
	}
	if err != nil && (fault.Absent(err) || fault.Of(err) == fault.Refused) {
		keep(out, here, place.Account, err)
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	admitted, leaving := map[string]bool{}, map[string]bool{}
	for _, one := range found.sorted() {
		r := found.roles[one]
		d := set.Identify(policy.Role{ARN: one, Name: nameOf(one), Region: place.Region, Tags: r.tags, Account: facts.Entity()}, warehouse, policy.Context{})
		reads := slices.ContainsFunc(here, func(h reader) bool { return h.name == nameOf(one) })
		switch {
		case d.Allowed && !shared.ended && found.in(one):
			admitted[one] = true
			out.Roles = append(out.Roles, workflow.ExecutionRole{Account: place.Account, ARN: one, Decision: d})
			*shared.leave = append(*shared.leave, leftIn(set, warehouse, policy.Role{ARN: one, Name: nameOf(one), Region: place.Region, Tags: r.tags, Account: facts.Entity()})...)
		case reads:
			leaving[one] = true
			out.Leaving, why = append(out.Leaving, workflow.ExecutionRole{Account: place.Account, ARN: one, Decision: d}), append(why, shared.why(place.Account, r, d, false, found.in(one)))
		case r.tags[tag.Studio] != "" || tag.Why(r.tags, tag.Studio) != "":
			d.Reason += tag.Why(r.tags, tag.Studio)
			refused = append(refused, d)
		}
	}
	for _, h := range here {
		if found.roles[h.arn] == nil && !slices.ContainsFunc(found.sorted(), func(one string) bool { return nameOf(one) == h.name }) {
			// Somebody deleted it: the ledger forgets what was on it.
			out.Leaving, why = append(out.Leaving, workflow.ExecutionRole{Account: h.account, ARN: h.arn}), append(why, brake.Ended)
		}
	}
	for _, d := range found.domains {
		w := d.workflow(place)
		for _, one := range d.roles {
			r := found.roles[one]
			stays := slices.ContainsFunc(here, func(h reader) bool { return h.name == nameOf(one) && h.stays })
			switch {
			case admitted[one]:
				w.Roles = append(w.Roles, one)
				continue
			case leaving[one]:
				w.Leaving = append(w.Leaving, one)
			}
			if r == nil || !Ready(r.trust) || leaving[one] && !stays && !ReadyWithout(r.trust) {
				w.Unready = append(w.Unready, one)
			}
		}
		has := slices.ContainsFunc(items, func(i ledger.Item) bool {
			return i.Same(settingOf(place.Account, place.Region, d.id))
		})
		if len(w.Roles)+len(w.Leaving) > 0 || has {
			out.Domains = append(out.Domains, w)
		}
	}
	// Domains that are deleted, or do not run in VPC only mode any more.
	for _, item := range items {
		known := slices.ContainsFunc(found.domains, func(d domain) bool { return d.id == item.Resource })
		if item.Kind == ledger.Setting && item.Account == place.Account && item.Region == place.Region && !known {
			d := domain{id: item.Resource, arn: arn.New(arn.Partition(place.Region), "sagemaker", place.Region, place.Account, "domain/"+item.Resource)}
			out.Domains = append(out.Domains, d.workflow(place))
		}
	}
	return refused, why, nil
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

// keep keeps what the roles of an account have that cannot be looked at now: what cannot be read is not gone.
func keep(out *workflow.InspectStudioOutput, here []reader, account string, err error) {
	for _, r := range here {
		out.Roles = append(out.Roles, workflow.ExecutionRole{Account: r.account, ARN: r.arn, Kept: "its account cannot be looked at now: " + err.Error()})
	}
	if len(here) == 0 {
		out.Unfit = append(out.Unfit, workflow.Hop{Hop: "account " + account, OK: false, Detail: "cannot be looked at now, so that nobody of it is let in: " + err.Error()})
	}
}

// seen is what there is in an account: its domains in VPC only mode, and the roles of their people and of those who read already.
type seen struct {
	domains []domain
	roles   map[string]*role // by ARN
}

// in reports whether a role is one of the domains'.
func (s seen) in(role string) bool {
	return slices.ContainsFunc(s.domains, func(d domain) bool { return slices.Contains(d.roles, role) })
}

func (s seen) sorted() []string { return slices.Sorted(maps.Keys(s.roles)) }

// look reads what there is in an account.
func (i Inspector) look(ctx context.Context, clients Clients, place event.Place, here []reader) (seen, error) {
	out := seen{roles: map[string]*role{}}
	var err error
	if out.domains, err = readDomains(ctx, clients.Domains, place); err != nil {
		return out, err
	}
	names := map[string]bool{}
	for _, d := range out.domains {
		for _, one := range d.roles {
			names[nameOf(one)] = true
		}
	}
	for _, h := range here {
		names[h.name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		r, err := readRole(ctx, clients.Roles, name, place.Account)
		if err != nil {
			return out, err
		}
		if r != nil { // else somebody deleted it; the domain's next app says so
			out.roles[r.arn] = r
		}
	}
	return out, nil
}

// domain is what SageMaker says about a Studio domain.
type domain struct {
	id, arn, name string
	vpcOnly       bool
	identity      string   // its setting ExecutionRoleIdentityConfig
	roles         []string // its execution roles, sorted
	profiles      []string
}

func (d domain) workflow(place event.Place) workflow.Domain {
	w := workflow.Domain{Account: place.Account, Region: place.Region, ID: d.id, ARN: d.arn, Name: d.name,
		Roles: []string{}, Leaving: []string{}, Unready: []string{}, Unnamed: []string{}}
	for _, p := range d.profiles {
		if !CanBeUser(p) {
			w.Unnamed = append(w.Unnamed, p)
		}
	}
	return w
}

// readDomains returns the domains of a place that run in VPC only mode: the others do not reach the warehouse.
func readDomains(ctx context.Context, api DomainReader, place event.Place) ([]domain, error) {
	var out []domain
	pages := sagemaker.NewListDomainsPaginator(api, &sagemaker.ListDomainsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the Studio domains in %s, %s: %w", place.Account, place.Region, err)
		}
		for _, one := range page.Domains {
			d, err := describe(ctx, api, aws.ToString(one.DomainId))
			if err != nil {
				return nil, fmt.Errorf("in %s, %s: %w", place.Account, place.Region, err)
			}
			if d != nil && d.vpcOnly {
				out = append(out, *d)
			}
		}
	}
	return out, nil
}

// describe returns a domain with its execution roles, or nil if there is none of that id.
func describe(ctx context.Context, api DomainReader, id string) (*domain, error) {
	got, err := api.DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: &id})
	if fault.HasCode(err, "ResourceNotFound") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describing the Studio domain %s: %w", id, err)
	}
	d := &domain{id: id, arn: aws.ToString(got.DomainArn), name: aws.ToString(got.DomainName), vpcOnly: got.AppNetworkAccessType == "VpcOnly", identity: identityOf(got)}
	roles := map[string]bool{}
	if got.DefaultUserSettings != nil {
		roles[aws.ToString(got.DefaultUserSettings.ExecutionRole)] = true
	}
	if got.DefaultSpaceSettings != nil {
		roles[aws.ToString(got.DefaultSpaceSettings.ExecutionRole)] = true
	}
	pages := sagemaker.NewListUserProfilesPaginator(api, &sagemaker.ListUserProfilesInput{DomainIdEquals: &id})
	for d.vpcOnly && pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the user profiles of %s: %w", id, err)
		}
		for _, p := range page.UserProfiles {
			d.profiles = append(d.profiles, aws.ToString(p.UserProfileName))
			profile, err := api.DescribeUserProfile(ctx, &sagemaker.DescribeUserProfileInput{DomainId: &id, UserProfileName: p.UserProfileName})
			if err != nil {
				return nil, fmt.Errorf("describing the user profile %s of %s: %w", aws.ToString(p.UserProfileName), id, err)
			}
			if profile.UserSettings != nil {
				roles[aws.ToString(profile.UserSettings.ExecutionRole)] = true
			}
		}
	}
	delete(roles, "")
	d.roles = slices.Sorted(maps.Keys(roles))
	slices.Sort(d.profiles)
	return d, nil
}

// nameOf returns the name in a role's ARN, which may have a path before it.
func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
