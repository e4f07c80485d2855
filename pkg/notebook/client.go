package notebook

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Client is something that opens connections from the VPC, with the security groups of its interfaces and the subnets in
// which they may be.
type Client struct {
	Name    string
	Groups  []string
	Subnets []string
	// Host says that it is a notebook instance with direct internet access: it needs host routes.
	Host bool
	// Unread is how many clients of the kind there are beside it that were not looked at, as they are too many.
	Unread int
}

// Unread says which clients were not looked at; "" if all were.
func Unread(clients []Client) string {
	var out []string
	for _, c := range clients {
		if c.Unread > 0 {
			out = append(out, fmt.Sprintf("; %d user profiles of %s more than the first %d were not looked at", c.Unread, c.Name, profiles))
		}
	}
	return strings.Join(out, "")
}

// ClientAPI is what [Clients] needs of SageMaker.
type ClientAPI interface {
	ListDomains(context.Context, *sagemaker.ListDomainsInput, ...func(*sagemaker.Options)) (*sagemaker.ListDomainsOutput, error)
	DescribeDomain(context.Context, *sagemaker.DescribeDomainInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeDomainOutput, error)
	ListUserProfiles(context.Context, *sagemaker.ListUserProfilesInput, ...func(*sagemaker.Options)) (*sagemaker.ListUserProfilesOutput, error)
	DescribeUserProfile(context.Context, *sagemaker.DescribeUserProfileInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeUserProfileOutput, error)
}

// LambdaAPI is what [Clients] needs of Lambda.
type LambdaAPI interface {
	ListFunctions(context.Context, *lambda.ListFunctionsInput, ...func(*lambda.Options)) (*lambda.ListFunctionsOutput, error)
}

// ClientAPIs are the services that [Clients] asks, for one account and Region.
type ClientAPIs struct {
	EC2       Marks
	SageMaker ClientAPI
	Lambda    LambdaAPI
}

// Where is a VPC in which clients are looked for.
type Where struct {
	VPC     string
	Subnets []string // all of them
	Marked  []string // those that their owner marks as clients'
}

// Clients returns what opens connections from a VPC, sorted by name: instances, which are its notebook instances, Studio domains (VPC only), VPC
// functions, and what is marked.
func Clients(ctx context.Context, apis ClientAPIs, at Where, instances []Instance) ([]Client, error) {
	out, err := marked(ctx, apis.EC2, at.VPC, at.Marked)
	if err != nil {
		return nil, err
	}
	for _, n := range instances {
		out = append(out, Client{Name: "notebook " + n.Name, Groups: n.Groups, Subnets: []string{n.Subnet}, Host: n.DirectInternet})
	}
	studio, err := domains(ctx, apis.SageMaker, at.VPC)
	if err != nil {
		return nil, err
	}
	functions, err := functions(ctx, apis.Lambda, at)
	if err != nil {
		return nil, err
	}
	out = slices.Concat(out, studio, functions)
	slices.SortFunc(out, func(a, b Client) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// domains returns the Studio domains of a VPC, and what works in them with other security groups than the domain's.
func domains(ctx context.Context, api ClientAPI, vpc string) ([]Client, error) {
	var out []Client
	pages := sagemaker.NewListDomainsPaginator(api, &sagemaker.ListDomainsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if fault.Absent(err) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("listing Studio domains: %w", err)
		}
		for _, d := range page.Domains {
			got, err := api.DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: d.DomainId})
			if err != nil {
				return nil, fmt.Errorf("describing Studio domain %s: %w", aws.ToString(d.DomainId), err)
			}
			// PublicInternetOnly sends everything but EFS through SageMaker's own VPC; no rule of ours would help.
			// https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-and-internet-access.html
			if aws.ToString(got.VpcId) != vpc || got.AppNetworkAccessType == types.AppNetworkAccessTypePublicInternetOnly || got.DefaultUserSettings == nil {
				continue
			}
			domain := Client{Name: "Studio " + aws.ToString(d.DomainName), Groups: slices.Sorted(slices.Values(got.DefaultUserSettings.SecurityGroups)), Subnets: slices.Sorted(slices.Values(got.SubnetIds))}
			own, err := ownGroups(ctx, api, aws.ToString(d.DomainId))
			if err != nil {
				return nil, fmt.Errorf("finding who works in Studio domain %s: %w", aws.ToString(d.DomainId), err)
			}
			domain.Unread = own.unread
			out = append(out, domain)
			// Spaces that people share have the domain's groups for spaces; what one person has to themselves runs with their profile's.
			// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DefaultSpaceSettings.html
			if s := got.DefaultSpaceSettings; s != nil && len(s.SecurityGroups) > 0 {
				own.clients = append(own.clients, Client{Name: "spaces", Groups: s.SecurityGroups})
			}
			for _, c := range own.clients {
				c.Name, c.Groups, c.Subnets = domain.Name+" "+c.Name, slices.Sorted(slices.Values(c.Groups)), domain.Subnets
				if !slices.Equal(c.Groups, domain.Groups) {
					out = append(out, c)
				}
			}
		}
	}
	return out, nil
}

// profiles is how many user profiles of a domain are looked at: no list of SageMaker's tells their groups.
const profiles = 200

type working struct {
	clients []Client
	unread  int
}

// ownGroups returns the user profiles of a domain that have security groups of their own, which they have in place of the domain's.
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UserSettings.html
func ownGroups(ctx context.Context, api ClientAPI, domain string) (working, error) {
	var out working
	var names []string
	pages := sagemaker.NewListUserProfilesPaginator(api, &sagemaker.ListUserProfilesInput{DomainIdEquals: &domain, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return out, fmt.Errorf("listing user profiles: %w", err)
		}
		for _, p := range page.UserProfiles {
			names = append(names, aws.ToString(p.UserProfileName))
		}
	}
	slices.Sort(names)
	if len(names) > profiles {
		out.unread, names = len(names)-profiles, names[:profiles]
	}
	found := make([]Client, len(names))
	if err := each(names, func(n int, name string) error {
		got, err := api.DescribeUserProfile(ctx, &sagemaker.DescribeUserProfileInput{DomainId: &domain, UserProfileName: &name})
		if fault.NoRecord(err) {
			return nil // it was deleted since it was listed
		}
		if err != nil {
			return fmt.Errorf("describing the user profile %s: %w", name, err)
		}
		if got.UserSettings != nil {
			found[n] = Client{Name: "profile " + name, Groups: got.UserSettings.SecurityGroups}
		}
		return nil
	}); err != nil {
		return out, err
	}
	out.clients = slices.DeleteFunc(found, func(c Client) bool { return len(c.Groups) == 0 })
	return out, nil
}

// functions returns the VPC functions of a VPC.
func functions(ctx context.Context, lambdaapi LambdaAPI, at Where) ([]Client, error) {
	var out []Client
	functions := lambda.NewListFunctionsPaginator(lambdaapi, &lambda.ListFunctionsInput{})
	for functions.HasMorePages() {
		page, err := functions.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing Lambda functions: %w", err)
		}
		for _, f := range page.Functions {
			if f.VpcConfig == nil || len(f.VpcConfig.SecurityGroupIds) == 0 {
				continue
			}
			in := slices.ContainsFunc(f.VpcConfig.SubnetIds, func(s string) bool { return slices.Contains(at.Subnets, s) })
			if aws.ToString(f.VpcConfig.VpcId) == at.VPC || in {
				out = append(out, Client{Name: "function " + aws.ToString(f.FunctionName), Groups: slices.Sorted(slices.Values(f.VpcConfig.SecurityGroupIds)), Subnets: slices.Sorted(slices.Values(f.VpcConfig.SubnetIds))})
			}
		}
	}
	return out, nil
}
