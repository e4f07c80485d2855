// Package notebook finds the clients of a VPC: notebook instances, Studio domains with the profiles that have security groups of their own,
// VPC functions, and whatever is in a subnet, or has a security group, that its owner marks as a client's.
//
// Only notebook instances need host routes (see pkg/lifecycle); all may need an egress rule.
package notebook

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
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

// Read returns the notebook instances in subnets, sorted by name, with their tags.
func Read(ctx context.Context, api SageMaker, subnets []string) ([]Instance, error) {
	return placed(ctx, api, subnets, func(n *Instance) (err error) {
		n.Tags, err = ReadTags(ctx, api, n.ARN)
		return err
	})
}

// Placer is what [Placed] needs of SageMaker.
type Placer interface {
	lister
	Describer
}

// Placed returns the notebook instances in subnets, sorted by name, without their tags.
func Placed(ctx context.Context, api Placer, subnets []string) ([]Instance, error) {
	return placed(ctx, api, subnets, func(*Instance) error { return nil })
}

// placed returns the notebook instances in subnets after more was done with each. The list of notebooks does not tell their subnet, so each is
// described.
func placed(ctx context.Context, api Placer, subnets []string, more func(*Instance) error) ([]Instance, error) {
	names, err := List(ctx, api)
	if err != nil {
		return nil, err
	}
	found := make([]*Instance, len(names))
	if err := each(names, func(i int, name string) error {
		n, err := describe(ctx, api, name)
		if err != nil || n == nil || !slices.Contains(subnets, n.Subnet) {
			return err
		}
		found[i] = n
		return more(n)
	}); err != nil {
		return nil, err
	}
	var out []Instance
	for _, n := range found {
		if n != nil {
			out = append(out, *n)
		}
	}
	return out, nil
}

// each does something for all names, a few at once, and returns the first error by their order.
func each(names []string, do func(int, string) error) error {
	errs := make([]error, len(names))
	var wait sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i, name := range names {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = do(i, name)
		})
	}
	wait.Wait()
	return cmp.Or(errs...)
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
