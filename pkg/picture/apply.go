package picture

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// Organizations is what [ReadOrganization] needs of AWS Organizations, which answers the management account and delegated administrators.
type Organizations interface {
	organizations.ListRootsAPIClient
	organizations.ListOrganizationalUnitsForParentAPIClient
	organizations.ListAccountsForParentAPIClient
}

// ReadOrganization reads all units and accounts: two calls for each unit, more where there are many.
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
func ReadOrganization(ctx context.Context, api Organizations) (Organization, error) {
	o := Organization{Accounts: map[string]Account{}}
	roots := organizations.NewListRootsPaginator(api, &organizations.ListRootsInput{})
	for roots.HasMorePages() {
		page, err := roots.NextPage(ctx)
		if err != nil {
			return Organization{}, fmt.Errorf("listing the organization's root: %w", err)
		}
		for _, r := range page.Roots {
			_, path, _ := arn.Match(aws.ToString(r.Arn), "organizations", "root/")
			o.ID, _, _ = strings.Cut(path, "/")
			if err := o.below(ctx, api, aws.ToString(r.Id), ""); err != nil {
				return Organization{}, err
			}
		}
	}
	return o, nil
}

// below reads what is in a parent, which the document calls unit.
func (o *Organization) below(ctx context.Context, api Organizations, parent, unit string) error {
	accounts := organizations.NewListAccountsForParentPaginator(api, &organizations.ListAccountsForParentInput{ParentId: &parent})
	for accounts.HasMorePages() {
		page, err := accounts.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing the accounts in %s: %w", parent, err)
		}
		for _, a := range page.Accounts {
			o.Accounts[aws.ToString(a.Id)] = Account{ID: aws.ToString(a.Id), Name: aws.ToString(a.Name), Unit: unit}
		}
	}
	units := organizations.NewListOrganizationalUnitsForParentPaginator(api, &organizations.ListOrganizationalUnitsForParentInput{ParentId: &parent})
	for units.HasMorePages() {
		page, err := units.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing the units in %s: %w", parent, err)
		}
		for _, u := range page.OrganizationalUnits {
			id := aws.ToString(u.Id)
			o.Units = append(o.Units, Unit{ID: id, Name: aws.ToString(u.Name), Parent: unit})
			if err := o.below(ctx, api, id, id); err != nil {
				return err
			}
		}
	}
	return nil
}
