package notebook

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// Client is something that opens connections from the VPC, with the security groups of its interfaces and the subnets in
// which they may be.
type Client struct {
	Name    string
	Groups  []string
	Subnets []string
	// OtherGroups are the other security groups that interfaces of a marked group have: what refers to one of them is of some of these clients too.
	OtherGroups []string
	// Host says that it is a notebook instance with direct internet access: it needs host routes.
	Host bool
	// Replies are the ranges of ports at one of which it receives the answers, see [network.Client].
	Replies []network.Ports
	// Unread is how many user profiles of a Studio domain were not looked at yet: the next look goes on.
	Unread int
}

// At which ports clients receive the answers that do not run Linux for sure, as notebooks and Studio do; see [network.Client].
var (
	OfFunctions = []network.Ports{network.EphemeralLambda}
	OfAny       = []network.Ports{network.Ephemeral, network.EphemeralWindows} // of what is marked
)

// Unread counts the clients that were not looked at yet, beside so many notebook instances, and says which, as the end of a sentence.
func Unread(instances int, clients []Client) (count int, said string) {
	if count = instances; instances > 0 {
		said = fmt.Sprintf("; %d notebook instances of the account were not looked at yet", instances)
	}
	for _, c := range clients {
		if c.Unread > 0 {
			count, said = count+c.Unread, said+fmt.Sprintf("; %d user profiles of %s were not looked at yet", c.Unread, c.Name)
		}
	}
	return count, said
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
	Groups  []string // security groups that their owner marks so, sorted
	Memory  Memory   // of the account that clients are looked for in
}

// Clients returns what opens connections from a VPC, sorted by name: instances, which are its notebook instances, Studio domains (VPC only), VPC
// functions, and what is marked. It asks all services at once.
func Clients(ctx context.Context, apis ClientAPIs, at Where, instances func() ([]Instance, error)) ([]Client, error) {
	found := make([][]Client, 4)
	jobs := []func() ([]Client, error){
		func() ([]Client, error) { return marked(ctx, apis.EC2, at.Marked, at.Groups) },
		func() ([]Client, error) {
			var out []Client
			all, err := instances()
			for _, n := range all {
				out = append(out, Client{Name: "notebook " + n.Name, Groups: n.Groups, Subnets: []string{n.Subnet}, Host: n.DirectInternet})
			}
			return out, err
		},
		func() ([]Client, error) { return domains(ctx, apis.SageMaker, at.Memory, at.VPC) },
		func() ([]Client, error) { return functions(ctx, apis.Lambda, at) },
	}
	errs := make([]error, len(jobs))
	var wait sync.WaitGroup
	for n, job := range jobs {
		wait.Go(func() { found[n], errs[n] = job() })
	}
	wait.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	out := slices.Concat(found...)
	slices.SortFunc(out, func(a, b Client) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// domains returns the Studio domains of a VPC, and what works in them with other security groups than the domain's.
func domains(ctx context.Context, api ClientAPI, m Memory, vpc string) ([]Client, error) {
	var out []Client
	room := few // user profiles of all domains that this look describes
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
			own, err := ownGroups(ctx, api, m, aws.ToString(d.DomainId), &room)
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

type working struct {
	clients []Client
	unread  int
}

// ownGroups returns the user profiles of a domain that have security groups of their own, which they have in place of the domain's. No list of
// SageMaker's tells them, and room is how many profiles are described yet.
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UserSettings.html
func ownGroups(ctx context.Context, api ClientAPI, m Memory, domain string, room *int) (working, error) {
	var out working
	var all []listed
	pages := sagemaker.NewListUserProfilesPaginator(api, &sagemaker.ListUserProfilesInput{DomainIdEquals: &domain, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return out, fmt.Errorf("listing user profiles: %w", err)
		}
		for _, p := range page.UserProfiles {
			all = append(all, listed{name: aws.ToString(p.UserProfileName), stamp: stamp(p.LastModifiedTime)})
		}
	}
	slices.SortFunc(all, func(a, b listed) int { return strings.Compare(a.name, b.name) })
	known, unread, err := m.recall(ctx, "profile of "+domain, all, *room, func(ctx context.Context, name string) (*ledger.Seen, error) {
		got, err := api.DescribeUserProfile(ctx, &sagemaker.DescribeUserProfileInput{DomainId: &domain, UserProfileName: &name})
		if fault.NoRecord(err) {
			return nil, nil // it was deleted since it was listed
		}
		if err != nil {
			return nil, fmt.Errorf("describing the user profile %s: %w", name, err)
		}
		out := &ledger.Seen{}
		if got.UserSettings != nil {
			out.Groups = got.UserSettings.SecurityGroups
		}
		return out, nil
	})
	if err != nil {
		return out, err
	}
	*room, out.unread = max(0, *room-len(all)), unread
	for _, one := range all {
		if s := known[one.name]; len(s.Groups) > 0 {
			out.clients = append(out.clients, Client{Name: "profile " + one.name, Groups: s.Groups})
		}
	}
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
				out = append(out, Client{Name: "function " + aws.ToString(f.FunctionName), Groups: slices.Sorted(slices.Values(f.VpcConfig.SecurityGroupIds)), Subnets: slices.Sorted(slices.Values(f.VpcConfig.SubnetIds)), Replies: OfFunctions})
			}
		}
	}
	return out, nil
}
