// Package notebook finds the clients of a VPC: notebook instances, Studio domains with the profiles that have security groups of their own,
// VPC functions, and whatever is in a subnet, or has a security group, that its owner marks as a client's.
//
// Only notebook instances need host routes (see pkg/lifecycle); all may need an egress rule.
//
//	notebook.go  finds and describes notebook instances
//	client.go    finds all clients of a VPC; mark.go those that their owners mark
//	memory.go    keeps what never changes of what was described, and the pace of SageMaker's calls
//	inspect.go   finds where the notebooks are that an event concerns; visit.go looks at them there, and asks the policy; peer.go says which network a
//	             route leads to
//	kept.go      which security groups their owners keep out
//	late.go      asks for a look at connections that led nothing to a notebook yet; deleted.go at those of one that is gone
//	batch.go     divides notebooks into batches that are alike
//	apply.go     attaches host routes, stops and starts
package notebook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
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
	Fresh           bool // nobody looked at it before, so it is described now
}

// SageMaker is what it takes to find notebook instances and to read their tags.
type SageMaker interface {
	Placer
	Tagged
}

// Placer is what [Placed] needs of SageMaker.
type Placer interface {
	ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error)
	Describer
}

// Placed returns the notebook instances in subnets, sorted by name, without their tags, and how many of the account and Region were not looked at
// yet, as one look describes few: the next one goes on.
func Placed(ctx context.Context, api Placer, m Memory, subnets []string) (found []Instance, unread int, err error) {
	summaries, err := list(ctx, api)
	if err != nil {
		return nil, 0, err
	}
	return read(ctx, api, m, summaries, func(subnet string) bool { return slices.Contains(subnets, subnet) })
}

// Fleet is the notebook instances of an account and Region as SageMaker lists them.
type Fleet struct {
	summaries []types.NotebookInstanceSummary
}

// List lists all notebook instances of an account and Region that are not being deleted.
func List(ctx context.Context, api Placer) (Fleet, error) {
	summaries, err := list(ctx, api)
	return Fleet{summaries}, err
}

// Configurations returns the names of the lifecycle configurations that they use, sorted.
func (f Fleet) Configurations() []string {
	var out []string
	for _, s := range f.summaries {
		if name := aws.ToString(s.NotebookInstanceLifecycleConfigName); name != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Read returns them, without their tags, those in no VPC with an empty subnet; only those whose lifecycle configuration is wanted, if that is not nil.
// It describes hundreds that are not known, at SageMaker's pace; where there are more it fails with [ErrUnread], until tries have seen all.
func (f Fleet) Read(ctx context.Context, api Placer, m Memory, wanted func(configuration string) bool) ([]Instance, error) {
	m.all = true
	m.skip = func(s types.NotebookInstanceSummary) bool {
		return wanted != nil && !wanted(aws.ToString(s.NotebookInstanceLifecycleConfigName))
	}
	found, unread, err := read(ctx, api, m, f.summaries, func(string) bool { return true })
	if err == nil && unread > 0 {
		err = m.Unread(unread)
	}
	return found, err
}

// read returns those notebook instances of a list that are in a subnet that matters, and how many are not known yet.
func read(ctx context.Context, api Placer, m Memory, summaries []types.NotebookInstanceSummary, matters func(subnet string) bool) (found []Instance, unread int, err error) {
	all := make([]listed, len(summaries))
	for n, s := range summaries {
		all[n] = listed{name: aws.ToString(s.NotebookInstanceName), stamp: stamp(s.CreationTime), skip: m.skip != nil && m.skip(s)}
	}
	var mu sync.Mutex
	now := map[string]*Instance{} // those that are described now
	known, unread, err := m.recall(ctx, "notebook", all, few, func(ctx context.Context, name string) (*ledger.Seen, error) {
		n, err := described(ctx, api, name)
		if err != nil || n == nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		now[name] = n
		return &ledger.Seen{Subnet: n.Subnet, Groups: n.Groups, Direct: n.DirectInternet}, nil
	})
	if err != nil {
		return nil, 0, err
	}
	for n, s := range summaries {
		seen, ok := known[all[n].name]
		if !ok || all[n].skip || !matters(seen.Subnet) {
			continue
		}
		if one := now[seen.Name]; one != nil {
			one.Fresh = true
			found = append(found, *one)
			continue
		}
		found = append(found, Instance{Name: seen.Name, ARN: aws.ToString(s.NotebookInstanceArn), Subnet: seen.Subnet, Groups: seen.Groups, DirectInternet: seen.Direct,
			Status: string(s.NotebookInstanceStatus), LifecycleConfig: aws.ToString(s.NotebookInstanceLifecycleConfigName)})
	}
	return found, unread, nil
}

// ErrUnread is the cause of a [fault.NotYet] that says that not all notebook instances are known yet. Each look comes to more of them, so that an
// inspection that cannot go on without waits, as often as it takes.
var ErrUnread = errors.New("not all notebook instances are known yet")

// Unread is the error of who cannot go on without those n notebook instances that are not known yet.
func (m Memory) Unread(n int) error {
	return &fault.Error{Kind: fault.NotYet, Cause: ErrUnread, Message: fmt.Sprintf("finding the notebook instances of %s, %s: %d are still to be looked at", m.At.Account, m.At.Region, n)}
}

// All is [Placed] for who has to know all of them: it fails with [ErrUnread] until looks have seen all.
func All(ctx context.Context, api Placer, m Memory, subnets []string) ([]Instance, error) {
	found, unread, err := Placed(ctx, api, m, subnets)
	if err == nil && unread > 0 {
		err = m.Unread(unread)
	}
	return found, err
}

// list returns all notebook instances of the account and Region that are not being deleted, sorted by name. A Region without SageMaker has none.
func list(ctx context.Context, api Placer) ([]types.NotebookInstanceSummary, error) {
	var out []types.NotebookInstanceSummary
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
				out = append(out, n)
			}
		}
	}
	slices.SortFunc(out, func(a, b types.NotebookInstanceSummary) int {
		return strings.Compare(aws.ToString(a.NotebookInstanceName), aws.ToString(b.NotebookInstanceName))
	})
	return out, nil
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
	n, err := described(ctx, api, name)
	if err != nil || n == nil || n.Subnet == "" {
		return nil, err
	}
	return n, nil
}

// described returns a notebook, with an empty subnet if it is in no VPC; nil for one that is gone.
func described(ctx context.Context, api Describer, name string) (*Instance, error) {
	n, err := api.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &name})
	if fault.NoRecord(err) {
		return nil, nil // it was deleted since it was listed
	}
	if err != nil {
		return nil, fmt.Errorf("describing notebook instance %s: %w", name, err)
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

// Tag reads the tags of those of instances that matter.
func Tag(ctx context.Context, api Tagged, instances []Instance, matters func(Instance) bool) error {
	var arns []string
	var at []int
	for n, i := range instances {
		if matters(i) {
			arns, at = append(arns, i.ARN), append(at, n)
		}
	}
	return each(ctx, arns, func(n int, arn string) (err error) {
		instances[at[n]].Tags, err = ReadTags(ctx, api, arn)
		return err
	})
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
