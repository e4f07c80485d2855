package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type releaser interface {
	detacher
	DeleteTags(context.Context, *sagemaker.DeleteTagsInput, ...func(*sagemaker.Options)) (*sagemaker.DeleteTagsOutput, error)
}

type detacher interface {
	editor
	DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error)
	UpdateNotebookInstance(context.Context, *sagemaker.UpdateNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.UpdateNotebookInstanceOutput, error)
	ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error)
	DeleteNotebookInstanceLifecycleConfig(context.Context, *sagemaker.DeleteNotebookInstanceLifecycleConfigInput, ...func(*sagemaker.Options)) (*sagemaker.DeleteNotebookInstanceLifecycleConfigOutput, error)
}

// withdraw takes what was added for a notebook's subnet out of its configuration, and leaves no idle configuration of ours.
func (b book) withdraw(ctx context.Context, api client, routed routes) error {
	nb := b.nb
	if nb.LifecycleConfig == "" {
		return Delete(ctx, api, NameFor(nb.Subnet)) // one that was detached before and could not be deleted then
	}
	idle, err := b.settle(ctx, api, routed, nb.LifecycleConfig, Edit{Subnet: nb.SubnetCIDR, Mode: Set})
	if err != nil || !idle {
		return err
	}
	_, err = Detach(ctx, api, nb.Name)
	return err
}

// Release takes what was added to lifecycle configurations for one notebook's subnet, and what its route table does not reach any more by
// something managed, out of them, and Drawbridge's status off the notebook if nothing is left for it. It asks no policy: what is
// ours goes, also from a notebook that is to be left alone since. What another subnet of the same CIDR needs, other lines, and every
// byte of the owner's stay. No notebook is stopped or started for it.
//
// A configuration that is Drawbridge's own and now idle is detached and deleted if the notebook is stopped; else it stays,
// doing nothing, until the notebook's next stop is reported. One that cannot be edited keeps its lines: the hop says why, and the other
// notebooks are served.
func Release(ctx context.Context, api releaser, ec2api route.NetworkReader, l ledger.Ledger, in workflow.WithdrawRoutesInput) (workflow.HopsOutput, error) {
	nb := in.Notebook
	book := book{Ledger: l, nb: nb, by: in.Execution}
	if !trims(in.Disconnected) {
		book.without = in.Connection.ID
	}
	hop := workflow.Hop{Hop: "host route on " + nb.Name, OK: true, Detail: "none was there"}
	out := func() (workflow.HopsOutput, error) { return workflow.HopsOutput{Hops: []workflow.Hop{hop}}, nil }
	fail := func(err error) (workflow.HopsOutput, error) {
		if fault.Of(err) == fault.Conflict {
			hop.OK, hop.Detail = false, err.Error()
			return out()
		}
		return workflow.HopsOutput{}, fmt.Errorf("withdrawing routes from notebook %s: %w", nb.Name, err)
	}
	items, err := l.Items(ctx, nb.Subnet)
	if err != nil {
		return fail(err)
	}
	ours := nb.Tag == AtNextStart || nb.Tag == Attached
	if len(items) == 0 && !ours && nb.LifecycleConfig != NameFor(nb.Subnet) {
		return out()
	}
	routed := book.routed(ec2api)
	still, err := routed(ctx)
	if err != nil {
		return fail(err)
	}
	going := map[string][]netip.Prefix{}
	for _, i := range items {
		if d, ok := destinationOf(nb.SubnetCIDR, i); ok && i.Account == nb.Account && i.Region == nb.Region && !slices.Contains(still, d) {
			going[i.Resource] = append(going[i.Resource], d)
		}
	}
	var told []string
	for _, name := range slices.Sorted(maps.Keys(going)) {
		edit := Edit{Subnet: nb.SubnetCIDR, Mode: Remove, Destinations: going[name]}
		if err := book.edited(ctx, api, routed, name, edit, nil); err != nil && !errors.Is(err, errGone) {
			return fail(err)
		}
		told = append(told, list(going[name])+" withdrawn from lifecycle configuration "+name+", effective at the next start")
	}
	if len(told) > 0 {
		hop.Detail = strings.Join(told, "; ")
	}
	switch {
	case nb.LifecycleConfig == "": // ours may have been detached, and not deleted, before
		err = Delete(ctx, api, NameFor(nb.Subnet))
	case nb.LifecycleConfig == NameFor(nb.Subnet) || len(going[nb.LifecycleConfig]) > 0:
		_, err = Detach(ctx, api, nb.Name)
	}
	if err != nil {
		return fail(err)
	}
	if !ours || len(still) > 0 {
		return out()
	}
	slog.InfoContext(ctx, "removing status", "notebook", nb.Name)
	_, err = api.DeleteTags(ctx, &sagemaker.DeleteTagsInput{ResourceArn: &nb.ARN, TagKeys: []string{TagStatus}})
	if err != nil && !fault.NoRecord(err) {
		return fail(fmt.Errorf("removing its tag %s: %w", TagStatus, err))
	}
	return out()
}

// Detach takes an idle configuration off a stopped notebook, and deletes it when no notebook uses it any more. A
// notebook that is not stopped keeps it: it does nothing. Anything of an owner's is never detached and never deleted.
func Detach(ctx context.Context, api detacher, notebook string) (answer string, err error) {
	now, err := api.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &notebook})
	if fault.NoRecord(err) {
		return Done, nil
	}
	if err != nil {
		return "", fmt.Errorf("detaching from notebook %s: reading it: %w", notebook, err)
	}
	name := aws.ToString(now.NotebookInstanceLifecycleConfigName)
	if name == "" {
		return Done, nil
	}
	idle, err := isIdle(ctx, api, name)
	if err != nil || !idle || now.NotebookInstanceStatus != types.NotebookInstanceStatusStopped {
		return Done, err
	}
	slog.InfoContext(ctx, "detaching lifecycle configuration", "notebook", notebook, "configuration", name)
	if _, err := api.UpdateNotebookInstance(ctx, &sagemaker.UpdateNotebookInstanceInput{NotebookInstanceName: &notebook, DisassociateLifecycleConfig: aws.Bool(true)}); err != nil {
		return "", fmt.Errorf("detaching lifecycle configuration %s from notebook %s: %w", name, notebook, err)
	}
	return Done, Delete(ctx, api, name)
}

// Delete deletes a configuration if it is idle and no notebook uses it.
func Delete(ctx context.Context, api detacher, configuration string) error {
	pages := sagemaker.NewListNotebookInstancesPaginator(api, &sagemaker.ListNotebookInstancesInput{NotebookInstanceLifecycleConfigNameContains: &configuration})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing the notebooks that use lifecycle configuration %s: %w", configuration, err)
		}
		for _, n := range page.NotebookInstances {
			if aws.ToString(n.NotebookInstanceLifecycleConfigName) == configuration {
				return nil
			}
		}
	}
	idle, err := isIdle(ctx, api, configuration)
	if err != nil || !idle {
		return err
	}
	slog.InfoContext(ctx, "deleting lifecycle configuration", "configuration", configuration)
	_, err = api.DeleteNotebookInstanceLifecycleConfig(ctx, &sagemaker.DeleteNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: &configuration})
	if err != nil && !fault.NoRecord(err) {
		return fmt.Errorf("deleting lifecycle configuration %s: %w", configuration, err)
	}
	return nil
}

func isIdle(ctx context.Context, api editor, configuration string) (bool, error) {
	current, err := read(ctx, api, configuration)
	if errors.Is(err, errGone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	change, err := Plan(current)
	return change.Idle && change.None(), err
}
