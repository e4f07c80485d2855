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
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type organizationsAPI interface {
	DescribeAccount(context.Context, *organizations.DescribeAccountInput, ...func(*organizations.Options)) (*organizations.DescribeAccountOutput, error)
}

// Organization knows the accounts of the organization. It asks AWS Organizations, which answers only the management
// account and delegated administrators (docs/deploy.md), and remembers each answer for [Remember].
type Organization struct {
	api organizationsAPI
	now func() time.Time

	mu    sync.Mutex
	known map[string]remembered
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
	return &Organization{api: api, now: time.Now, known: map[string]remembered{}}
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

// organizationOf returns the organization's id from an account's ARN: its resource is account/o-ID/ACCOUNT.
func organizationOf(account string) string {
	_, path, _ := arn.Match(account, "organizations", "account/")
	organization, _, _ := strings.Cut(path, "/")
	if !strings.HasPrefix(organization, "o-") {
		return ""
	}
	return organization
}
