package notebook

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// PeopleAPI is what [WithPeople] needs of SageMaker.
type PeopleAPI interface {
	ClientAPI
	ListUserProfiles(context.Context, *sagemaker.ListUserProfilesInput, ...func(*sagemaker.Options)) (*sagemaker.ListUserProfilesOutput, error)
	DescribeUserProfile(context.Context, *sagemaker.DescribeUserProfileInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeUserProfileOutput, error)
}

// WithPeople is [Clients] with each user profile of a Studio domain that has security groups of its own. SageMaker gives its apps those and the
// domain's; an owner who counts on the profile's alone is served too, as each is a client by itself.
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UserSettings.html
func WithPeople(ctx context.Context, sagemakerapi PeopleAPI, lambdaapi LambdaAPI, vpc string, subnets []string) ([]Client, error) {
	return clients(ctx, sagemakerapi, lambdaapi, vpc, subnets, func(ctx context.Context, domain string, of Client) ([]Client, error) {
		return profiles(ctx, sagemakerapi, domain, of)
	})
}

// domain returns a Studio domain as a client, if its apps run in the VPC, and its shared spaces, if they have groups of their own: the settings of
// users do not count for those.
func domain(ctx context.Context, api ClientAPI, id, vpc string) ([]Client, error) {
	got, err := api.DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: &id})
	if err != nil {
		return nil, fmt.Errorf("describing Studio domain %s: %w", id, err)
	}
	// PublicInternetOnly sends everything but EFS through SageMaker's own VPC; no rule of ours would help.
	// https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-and-internet-access.html
	if aws.ToString(got.VpcId) != vpc || got.AppNetworkAccessType == types.AppNetworkAccessTypePublicInternetOnly || got.DefaultUserSettings == nil {
		return nil, nil
	}
	all := Client{Name: "Studio " + aws.ToString(got.DomainName), Groups: slices.Sorted(slices.Values(got.DefaultUserSettings.SecurityGroups)), Subnets: slices.Sorted(slices.Values(got.SubnetIds))}
	out := []Client{all}
	if s := got.DefaultSpaceSettings; s != nil && len(s.SecurityGroups) > 0 {
		if groups := slices.Sorted(slices.Values(s.SecurityGroups)); !slices.Equal(groups, all.Groups) {
			out = append(out, Client{Name: all.Name + ", shared spaces", Groups: groups, Subnets: all.Subnets})
		}
	}
	return out, nil
}

// profiles returns the user profiles of a domain that have security groups of their own, as clients.
func profiles(ctx context.Context, api PeopleAPI, domain string, of Client) ([]Client, error) {
	var names []string
	pages := sagemaker.NewListUserProfilesPaginator(api, &sagemaker.ListUserProfilesInput{DomainIdEquals: &domain, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the user profiles of %s: %w", domain, err)
		}
		for _, p := range page.UserProfiles {
			names = append(names, aws.ToString(p.UserProfileName))
		}
	}
	groups, errs := make([][]string, len(names)), make([]error, len(names))
	var wait sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i, name := range names {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			got, err := api.DescribeUserProfile(ctx, &sagemaker.DescribeUserProfileInput{DomainId: &domain, UserProfileName: &name})
			switch {
			case fault.NoRecord(err): // it was deleted since it was listed
			case err != nil:
				errs[i] = fmt.Errorf("describing the user profile %s of %s: %w", name, domain, err)
			case got.UserSettings != nil:
				groups[i] = slices.Sorted(slices.Values(got.UserSettings.SecurityGroups))
			}
		})
	}
	wait.Wait()
	var out []Client
	for i, name := range names {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if len(groups[i]) > 0 && !slices.Equal(groups[i], of.Groups) {
			out = append(out, Client{Name: of.Name + ", " + name, Groups: groups[i], Subnets: of.Subnets})
		}
	}
	return out, nil
}
