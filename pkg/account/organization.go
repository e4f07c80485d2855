package account

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type organizationsAPI interface {
	DescribeAccount(context.Context, *organizations.DescribeAccountInput, ...func(*organizations.Options)) (*organizations.DescribeAccountOutput, error)
	DescribeOrganizationalUnit(context.Context, *organizations.DescribeOrganizationalUnitInput, ...func(*organizations.Options)) (*organizations.DescribeOrganizationalUnitOutput, error)
}

// Organization knows the accounts of the organization. It asks AWS Organizations, which answers only the management
// account and delegated administrators (docs/deploy.md), and remembers each answer for [Remember].
type Organization struct {
	api organizationsAPI
	now func() time.Time

	mu    sync.Mutex
	known map[string]remembered
	units map[string]name
}

// name is what a unit is called.
type name struct {
	name  string
	until time.Time
}

type remembered struct {
	facts workflow.AccountFacts
	until time.Time
}

// Remember is how long an account's facts are taken for true. Accounts change their place in an organization rarely;
// Organizations answers few calls a second.
const Remember = 5 * time.Minute

// NewOrganization returns an Organization that asks api.
func NewOrganization(api organizationsAPI) *Organization {
	return &Organization{api: api, now: time.Now, known: map[string]remembered{}, units: map[string]name{}}
}

// OpenOrganization returns the organization as the hub may read it.
func OpenOrganization(hub aws.Config) *Organization {
	return NewOrganization(organizations.NewFromConfig(hub))
}

// Account returns what the organization knows of an account. For an account outside it, or one that is suspended or
// about to close, the facts name no organization.
func (o *Organization) Account(ctx context.Context, id string) (workflow.AccountFacts, error) {
	o.mu.Lock()
	known, ok := o.known[id]
	o.mu.Unlock()
	if ok && o.now().Before(known.until) {
		return known.facts, nil
	}
	facts := workflow.AccountFacts{ID: id}
	got, err := o.api.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &id})
	switch {
	case fault.HasCode(err, "AccountNotFoundException"):
	case err != nil:
		return facts, fmt.Errorf("asking AWS Organizations about %s: %w", id, err)
	case got.Account != nil:
		facts.Name = aws.ToString(got.Account.Name)
		facts.Organization = organizationOf(aws.ToString(got.Account.Arn))
		if len(got.Account.Paths) > 0 {
			facts.OUPath = got.Account.Paths[0]
		}
		// It may be active again: within 90 days a closed account can be reopened, and only then it is not there any more.
		// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-closing.html
		if state := string(got.Account.State); state != "" && state != "ACTIVE" {
			facts.Organization, facts.Suspended = "", state
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known[id] = remembered{facts, o.now().Add(Remember)}
	return facts, nil
}

// deepest is how deep units can be in one another.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
const deepest = 5

// Units returns the names of the units of a path, "o-…/r-…/ou-…/", with slashes between: for people to read. A unit whose name Organizations
// does not tell, because it is gone or because nobody may ask, is called by its id.
func (o *Organization) Units(ctx context.Context, path string) (string, error) {
	var names []string
	for id := range strings.SplitSeq(path, "/") {
		if !strings.HasPrefix(id, "ou-") || len(names) == deepest {
			continue
		}
		called, err := o.unit(ctx, id)
		if err != nil {
			return "", err
		}
		names = append(names, called)
	}
	return strings.Join(names, "/"), nil
}

func (o *Organization) unit(ctx context.Context, id string) (string, error) {
	o.mu.Lock()
	known, ok := o.units[id]
	o.mu.Unlock()
	if ok && o.now().Before(known.until) {
		return known.name, nil
	}
	called := id
	got, err := o.api.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: &id})
	switch {
	case fault.HasCode(err, "OrganizationalUnitNotFoundException", "AccessDeniedException"):
	case err != nil:
		return "", fmt.Errorf("asking AWS Organizations about %s: %w", id, err)
	case got.OrganizationalUnit != nil:
		called = fit.Bytes(aws.ToString(got.OrganizationalUnit.Name), 128)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.units[id] = name{called, o.now().Add(Remember)}
	return called, nil
}

// organizationOf returns the organization's id from an account's ARN: its resource is account/o-ID/ACCOUNT.
func organizationOf(account string) string {
	_, path, _ := arn.Match(account, "organizations", "account/")
	organization, _, _ := strings.Cut(path, "/")
	if !strings.HasPrefix(organization, "o-") {
		return ""
	}
	return organization
}
