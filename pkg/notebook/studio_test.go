package notebook_test

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
)

// campus is a SageMaker with one Studio domain; profiles has the groups of its user profiles, two a page, of which one is gone since.
type campus struct {
	access   types.AppNetworkAccessType
	profiles map[string][]string
	gone     string
}

func (campus) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	return &sagemaker.ListNotebookInstancesOutput{}, nil
}

func (campus) DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	panic("nobody has a notebook")
}

func (campus) ListDomains(context.Context, *sagemaker.ListDomainsInput, ...func(*sagemaker.Options)) (*sagemaker.ListDomainsOutput, error) {
	return &sagemaker.ListDomainsOutput{Domains: []types.DomainDetails{{DomainId: aws.String("d-1")}}}, nil
}

func (c campus) DescribeDomain(context.Context, *sagemaker.DescribeDomainInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeDomainOutput, error) {
	return &sagemaker.DescribeDomainOutput{DomainName: aws.String("lab"), VpcId: aws.String("vpc-1"), SubnetIds: []string{"subnet-1"}, AppNetworkAccessType: c.access,
		DefaultUserSettings: &types.UserSettings{SecurityGroups: []string{"sg-domain"}}, DefaultSpaceSettings: &types.DefaultSpaceSettings{SecurityGroups: []string{"sg-space"}}}, nil
}

func (c campus) ListUserProfiles(_ context.Context, in *sagemaker.ListUserProfilesInput, _ ...func(*sagemaker.Options)) (*sagemaker.ListUserProfilesOutput, error) {
	out, all := &sagemaker.ListUserProfilesOutput{}, slices.Sorted(maps.Keys(c.profiles))
	if in.NextToken == nil && len(all) > 2 {
		out.NextToken, all = aws.String("more"), all[:2]
	} else if in.NextToken != nil {
		all = all[2:]
	}
	for _, name := range all {
		out.UserProfiles = append(out.UserProfiles, types.UserProfileDetails{UserProfileName: aws.String(name)})
	}
	return out, nil
}

func (c campus) DescribeUserProfile(_ context.Context, in *sagemaker.DescribeUserProfileInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeUserProfileOutput, error) {
	if *in.UserProfileName == c.gone {
		return nil, &smithy.GenericAPIError{Code: "ResourceNotFound", Message: "UserProfile does not exist"}
	}
	return &sagemaker.DescribeUserProfileOutput{UserSettings: &types.UserSettings{SecurityGroups: c.profiles[*in.UserProfileName]}}, nil
}

func TestPeopleWithGroupsOfTheirOwnAreClients(t *testing.T) {
	lab := campus{types.AppNetworkAccessTypeVpcOnly, map[string][]string{"ana": {"sg-ana"}, "ben": nil, "cho": {"sg-domain"}, "dan": {"sg-dan"}}, "dan"}
	want := []notebook.Client{{Name: "Studio lab", Groups: []string{"sg-domain"}, Subnets: []string{"subnet-1"}},
		{Name: "Studio lab, ana", Groups: []string{"sg-ana"}, Subnets: []string{"subnet-1"}},
		{Name: "Studio lab, shared spaces", Groups: []string{"sg-space"}, Subnets: []string{"subnet-1"}}}
	got, err := notebook.WithPeople(t.Context(), lab, noFunctions{}, "vpc-1", []string{"subnet-1"})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("clients are %+v (%v), want %+v", got, err, want)
	}
	got, err = notebook.Clients(t.Context(), lab, noFunctions{}, "vpc-1", []string{"subnet-1"})
	if err != nil || !reflect.DeepEqual(got, []notebook.Client{want[0], want[2]}) {
		t.Errorf("without people, clients are %+v (%v)", got, err)
	}
	lab.access = types.AppNetworkAccessTypePublicInternetOnly
	if got, err = notebook.WithPeople(t.Context(), lab, noFunctions{}, "vpc-1", []string{"subnet-1"}); err != nil || len(got) != 0 {
		t.Errorf("clients of a domain that does not use the VPC: %+v, %v", got, err)
	}
}
