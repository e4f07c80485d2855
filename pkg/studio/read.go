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

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
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
