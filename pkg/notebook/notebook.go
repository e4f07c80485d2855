// Package notebook finds the clients of a VPC that SageMaker and Lambda run there: notebook instances, Studio domains
// and VPC functions.
//
// Only notebook instances need host routes (see pkg/lifecycle); all three may need an egress rule.
package notebook

import (
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
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Instance is a notebook instance.
type Instance struct {
	Name            string
	ARN             string
	Subnet          string
	Groups          []string
	Status          string // InService, Stopped, Pending, …
	DirectInternet  bool
	LifecycleConfig string // its name, empty if none is attached
	Tags            map[string]string
}

// SageMaker is what [Read] needs.
type SageMaker interface {
	ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error)
	DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error)
	ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error)
}

// parallel bounds concurrent Describe calls; SageMaker throttles them per account.
const parallel = 4

// Read returns the notebook instances in subnets, sorted by name. The list of notebooks does not tell their subnet,
// so each is described; tags are read only of those that are in.
func Read(ctx context.Context, api SageMaker, subnets []string) ([]Instance, error) {
	names, err := List(ctx, api)
	if err != nil {
		return nil, err
	}
	found := make([]*Instance, len(names))
	errs := make([]error, len(names))
	var wait sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i, name := range names {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			n, err := describe(ctx, api, name)
			if err != nil || n == nil || !slices.Contains(subnets, n.Subnet) {
				errs[i] = err
				return
			}
			n.Tags, errs[i] = ReadTags(ctx, api, n.ARN)
			found[i] = n
		})
	}
	wait.Wait()
	var out []Instance
	for i := range names {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if found[i] != nil {
			out = append(out, *found[i])
		}
	}
	return out, nil
}

type lister interface {
	ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error)
}

// List returns the names of all notebook instances of the account and Region that are not being deleted, sorted. A Region
// without SageMaker has none.
func List(ctx context.Context, api lister) ([]string, error) {
	var names []string
	pages := sagemaker.NewListNotebookInstancesPaginator(api, &sagemaker.ListNotebookInstancesInput{MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if fault.Absent(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("listing notebook instances: %w", err)
		}
		for _, n := range page.NotebookInstances {
			if n.NotebookInstanceStatus != types.NotebookInstanceStatusDeleting {
				names = append(names, aws.ToString(n.NotebookInstanceName))
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// Describer is what [Describe] needs of SageMaker.
type Describer interface {
	DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error)
}

// Describe returns a notebook without its tags; nil for one that is gone or not in a VPC.
func Describe(ctx context.Context, api Describer, name string) (*Instance, error) {
	return describe(ctx, api, name)
}

func describe(ctx context.Context, api Describer, name string) (*Instance, error) {
	n, err := api.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &name})
	if fault.NoRecord(err) {
		return nil, nil // it was deleted since it was listed
	}
	if err != nil {
		return nil, fmt.Errorf("describing notebook instance %s: %w", name, err)
	}
	if aws.ToString(n.SubnetId) == "" {
		return nil, nil
	}
	return &Instance{
		Name:            aws.ToString(n.NotebookInstanceName),
		ARN:             aws.ToString(n.NotebookInstanceArn),
		Subnet:          aws.ToString(n.SubnetId),
		Groups:          slices.Sorted(slices.Values(n.SecurityGroups)),
		Status:          string(n.NotebookInstanceStatus),
		DirectInternet:  n.DirectInternetAccess != types.DirectInternetAccessDisabled,
		LifecycleConfig: aws.ToString(n.NotebookInstanceLifecycleConfigName),
	}, nil
}

// Tagged is what [ReadTags] needs of SageMaker.
type Tagged interface {
	ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error)
}

// ReadTags returns the tags of a notebook instance.
func ReadTags(ctx context.Context, api Tagged, arn string) (map[string]string, error) {
	out := map[string]string{}
	pages := sagemaker.NewListTagsPaginator(api, &sagemaker.ListTagsInput{ResourceArn: &arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the tags of %s: %w", arn, err)
		}
		for _, t := range page.Tags {
			out[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	return tag.Clean(tag.Notebook, out), nil
}

// Client is something that opens connections from the VPC, with the security groups of its interfaces and the subnets in
// which they may be.
type Client struct {
	Name    string
	Groups  []string
	Subnets []string
}

// ClientAPI is what [Clients] needs of SageMaker.
type ClientAPI interface {
	lister
	DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error)
	ListDomains(context.Context, *sagemaker.ListDomainsInput, ...func(*sagemaker.Options)) (*sagemaker.ListDomainsOutput, error)
	DescribeDomain(context.Context, *sagemaker.DescribeDomainInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeDomainOutput, error)
}

// LambdaAPI is what [Clients] needs of Lambda.
type LambdaAPI interface {
	ListFunctions(context.Context, *lambda.ListFunctionsInput, ...func(*lambda.Options)) (*lambda.ListFunctionsOutput, error)
}

// Clients returns the notebook instances, Studio domains (VPC only) and VPC functions of a VPC, sorted by name.
func Clients(ctx context.Context, sagemakerapi ClientAPI, lambdaapi LambdaAPI, vpc string, subnets []string) ([]Client, error) {
	return clients(ctx, sagemakerapi, lambdaapi, vpc, subnets, func(context.Context, string, Client) ([]Client, error) { return nil, nil })
}

// clients is [Clients], with what people says of a domain.
func clients(ctx context.Context, sagemakerapi ClientAPI, lambdaapi LambdaAPI, vpc string, subnets []string, people func(ctx context.Context, domain string, of Client) ([]Client, error)) ([]Client, error) {
	var out []Client
	names, err := List(ctx, sagemakerapi)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		n, err := describe(ctx, sagemakerapi, name)
		if err != nil {
			return nil, err
		}
		if n != nil && slices.Contains(subnets, n.Subnet) {
			out = append(out, Client{Name: "notebook " + name, Groups: n.Groups, Subnets: []string{n.Subnet}})
		}
	}
	domains := sagemaker.NewListDomainsPaginator(sagemakerapi, &sagemaker.ListDomainsInput{})
	for domains.HasMorePages() {
		page, err := domains.NextPage(ctx)
		if fault.Absent(err) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("listing Studio domains: %w", err)
		}
		for _, d := range page.Domains {
			of, err := domain(ctx, sagemakerapi, aws.ToString(d.DomainId), vpc)
			if err != nil {
				return nil, err
			}
			if len(of) == 0 {
				continue
			}
			more, err := people(ctx, aws.ToString(d.DomainId), of[0])
			if err != nil {
				return nil, err
			}
			out = append(append(out, of...), more...)
		}
	}
	functions, err := Functions(ctx, lambdaapi, vpc, subnets)
	if err != nil {
		return nil, err
	}
	out = append(out, functions...)
	slices.SortFunc(out, func(a, b Client) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Functions returns the VPC functions of a VPC.
func Functions(ctx context.Context, lambdaapi LambdaAPI, vpc string, subnets []string) ([]Client, error) {
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
			in := slices.ContainsFunc(f.VpcConfig.SubnetIds, func(s string) bool { return slices.Contains(subnets, s) })
			if aws.ToString(f.VpcConfig.VpcId) == vpc || in {
				out = append(out, Client{Name: "function " + aws.ToString(f.FunctionName), Groups: slices.Sorted(slices.Values(f.VpcConfig.SecurityGroupIds)), Subnets: slices.Sorted(slices.Values(f.VpcConfig.SubnetIds))})
			}
		}
	}
	return out, nil
}
