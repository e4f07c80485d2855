package picture

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// organization answers one thing a page.
type organization struct {
	accounts, units map[string][]string // by parent
	err             error
}

func (organization) ListRoots(context.Context, *organizations.ListRootsInput, ...func(*organizations.Options)) (*organizations.ListRootsOutput, error) {
	return &organizations.ListRootsOutput{Roots: []types.Root{{Id: aws.String("r-1"), Arn: aws.String("arn:aws:organizations::123456789012:root/o-example/r-1")}}}, nil
}

func paged(all []string, token *string) (one string, next *string) {
	n := len(aws.ToString(token))
	if n >= len(all) {
		return "", nil
	}
	if n+1 < len(all) {
		next = aws.String("xxxxxxxxxx"[:n+1])
	}
	return all[n], next
}

func (o organization) ListAccountsForParent(_ context.Context, in *organizations.ListAccountsForParentInput, _ ...func(*organizations.Options)) (*organizations.ListAccountsForParentOutput, error) {
	out := &organizations.ListAccountsForParentOutput{}
	one, next := paged(o.accounts[*in.ParentId], in.NextToken)
	if out.NextToken = next; one != "" {
		out.Accounts = []types.Account{{Id: &one, Name: aws.String("name " + one)}}
	}
	return out, nil
}

func (o organization) ListOrganizationalUnitsForParent(_ context.Context, in *organizations.ListOrganizationalUnitsForParentInput, _ ...func(*organizations.Options)) (*organizations.ListOrganizationalUnitsForParentOutput, error) {
	if o.err != nil && *in.ParentId != "r-1" {
		return nil, o.err
	}
	out := &organizations.ListOrganizationalUnitsForParentOutput{}
	one, next := paged(o.units[*in.ParentId], in.NextToken)
	if out.NextToken = next; one != "" {
		out.OrganizationalUnits = []types.OrganizationalUnit{{Id: &one, Name: aws.String("name " + one)}}
	}
	return out, nil
}

func TestTheOrganizationIsReadToItsLastPage(t *testing.T) {
	api := organization{accounts: map[string][]string{"r-1": {"1"}, "ou-a": {"2", "3"}, "ou-c": {"4"}}, units: map[string][]string{"r-1": {"ou-a", "ou-b"}, "ou-a": {"ou-c"}}}
	got, err := ReadOrganization(t.Context(), api)
	want := Organization{ID: "o-example", Units: []Unit{{ID: "ou-a", Name: "name ou-a"}, {ID: "ou-c", Name: "name ou-c", Parent: "ou-a"}, {ID: "ou-b", Name: "name ou-b"}},
		Accounts: map[string]Account{"1": {ID: "1", Name: "name 1"}, "2": {ID: "2", Name: "name 2", Unit: "ou-a"}, "3": {ID: "3", Name: "name 3", Unit: "ou-a"}, "4": {ID: "4", Name: "name 4", Unit: "ou-c"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	api.err = errors.New("denied")
	if got, err := ReadOrganization(t.Context(), api); err == nil || got.ID != "" || len(got.Accounts) > 0 {
		t.Errorf("half of it was taken for all: %+v, %v", got, err)
	}
}
