package sweep

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Organizations is what [Lister] needs of AWS Organizations.
type Organizations interface {
	ListAccounts(context.Context, *organizations.ListAccountsInput, ...func(*organizations.Options)) (*organizations.ListAccountsOutput, error)
}

// Lister lists the accounts to sweep.
type Lister struct {
	API     Organizations
	Regions []string // that Drawbridge listens to
	// Policy returns the policy in force. One that cannot be read stops a sweep before each of its looks fails for the same
	// reason, and people are told once.
	Policy func(context.Context) (*policy.Set, error)
}

// accountsPage is how many accounts one page has: as many as ListAccounts gives at most.
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
const accountsPage = 20

// accountsNamed is how many accounts a sweep may name: each page carries them.
const accountsNamed = 100

// List returns one page of accounts: of those that the sweep names, else of those that Organizations lists, without
// accounts that never were active. One that is not active any more, or not now, is listed as such.
func (l Lister) List(ctx context.Context, in workflow.ListAccountsInput) (workflow.ListAccountsOutput, error) {
	out := workflow.ListAccountsOutput{Sweep: in.Sweep, Tally: in.Tally, Accounts: []workflow.Territory{}}
	if in.Page == "" {
		if _, err := l.Policy(ctx); err != nil {
			return out, err
		}
	}
	regions := in.Sweep.Regions
	if len(regions) == 0 {
		regions = l.Regions
	}
	out.Regions = regions
	add := func(account, suspended string) {
		out.Accounts = append(out.Accounts, workflow.Territory{Account: account, Regions: regions, Suspended: suspended})
	}
	if named := in.Sweep.Accounts; len(named) > 0 {
		if len(named) > accountsNamed {
			return out, fault.New(fault.Invalid, "listing the accounts that the sweep names: %d are more than %d; name fewer, or none, which means all", len(named), accountsNamed)
		}
		from := 0
		if in.Page != "" {
			var err error
			if from, err = strconv.Atoi(in.Page); err != nil || from < 0 || from > len(named) {
				return out, fault.New(fault.Invalid, "listing the accounts that the sweep names: there is no page %q", in.Page)
			}
		}
		to := min(from+accountsPage, len(named))
		for _, account := range named[from:to] {
			add(account, "")
		}
		if to < len(named) {
			out.Page = strconv.Itoa(to)
		}
		return out, nil
	}
	ask := &organizations.ListAccountsInput{MaxResults: aws.Int32(accountsPage)}
	if in.Page != "" {
		ask.NextToken = &in.Page
	}
	got, err := l.API.ListAccounts(ctx, ask)
	if err != nil {
		return out, fmt.Errorf("listing the organization's accounts: %w", err)
	}
	for _, a := range got.Accounts {
		state := string(a.State)
		switch a.State {
		case organizationstypes.AccountStatePendingActivation:
			continue
		case organizationstypes.AccountStateActive:
			state = ""
		}
		add(aws.ToString(a.Id), state)
	}
	out.Page = aws.ToString(got.NextToken)
	return out, nil
}
