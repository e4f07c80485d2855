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
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Releaser is what [Release] needs of SageMaker.
type Releaser interface{ releaser }

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

// Release takes what was added to lifecycle configurations for the notebooks of a batch, which are of one subnet, and what its route table does not reach any more by
// something managed, out of them, and Drawbridge's status off each notebook if nothing is left for it. It asks no policy: what is
// ours goes, also from a notebook that is to be left alone since. What another subnet of the same CIDR needs, other lines, and every
// byte of the owner's stay. No notebook is stopped or started for it. Each configuration is edited once.
//
// A configuration that is Drawbridge's own and now idle is detached and deleted if the notebook is stopped; else it stays,
// doing nothing, until the notebook's next stop is reported. One that cannot be edited keeps its lines: the hop says why. It returns a hop for each
// notebook; what failed in another way is told as an error once all others are served. Without notebooks, what was added for those of the batch's subnet that are
// deleted goes, and there is a hop only for what does not.
//
// Of a connection that is let go of as it stands no configuration is edited: what would go stays, and the ledger forgets it.
func Release(ctx context.Context, api releaser, ec2api route.NetworkReader, l ledger.Ledger, in workflow.WithdrawRoutesInput, notebooks []workflow.Notebook) ([]workflow.Hop, error) {
	b := in.Batch
	nb := workflow.Notebook{Account: b.Account, Region: b.Region, VPC: b.VPC, Owner: b.Owner, Subnet: b.Subnet, SubnetCIDR: b.SubnetCIDR, SubnetCIDRv6: b.SubnetCIDRv6}
	if len(notebooks) > 0 {
		nb = notebooks[0]
	}
	r := release{book: book{Ledger: l, nb: nb, by: in.Execution}, going: map[string][]netip.Prefix{}, kept: map[string]error{}}
	if r.stands = in.Batch.Stands; in.Answer != workflow.AnswerTrim {
		r.without = in.Connection.ID
	}
	items, err := l.Items(ctx, r.nb.Subnet)
	if err != nil {
		return nil, fmt.Errorf("withdrawing routes from the notebooks in %s: %w", r.nb.Subnet, err)
	}
	if len(items) > 0 || slices.ContainsFunc(notebooks, concerned) {
		if err := r.edit(ctx, api, ec2api, items); err != nil {
			return nil, fmt.Errorf("withdrawing routes from the notebooks in %s: %w", r.nb.Subnet, err)
		}
	}
	if len(notebooks) == 0 {
		return r.unused(ctx, api)
	}
	var hops []workflow.Hop
	var failed []error
	for n, nb := range notebooks {
		hop := workflow.Hop{Hop: hostRoute(nb), OK: true, Detail: "none was there"}
		told := r.told(nb, n == 0)
		err := told.err
		if err == nil {
			err = r.leave(ctx, api, nb, len(items) == 0)
		}
		switch {
		case err != nil && fault.Of(err) == fault.Conflict:
			hop.OK, hop.Detail = false, err.Error()
		case err != nil:
			failed = append(failed, fmt.Errorf("withdrawing routes from notebook %s: %w", nb.Name, err))
			hop.OK, hop.Detail = false, err.Error()
		case told.what != "":
			hop.Detail = told.what
		}
		hops = append(hops, hop)
	}
	return hops, fault.Join(failed...)
}

// unused says what went from the configurations of a subnet in which no notebook is any more, and deletes Drawbridge's own, if it is idle.
func (r *release) unused(ctx context.Context, api releaser) ([]workflow.Hop, error) {
	told := r.told(r.nb, true)
	var err error
	if name := NameFor(r.nb.Subnet); told.err == nil && !r.stands && len(r.going[name]) > 0 {
		err = Delete(ctx, api, name)
	}
	switch {
	case told.err != nil && fault.Of(told.err) != fault.Conflict:
		return nil, fmt.Errorf("withdrawing routes from what was for notebooks in %s: %w", r.nb.Subnet, told.err)
	case told.err != nil:
		return []workflow.Hop{{Hop: "host routes of " + r.nb.Subnet, Detail: told.err.Error()}}, nil
	}
	return nil, err
}

// concerned reports whether a notebook has something of Drawbridge's, whatever the ledger says.
func concerned(nb workflow.Notebook) bool {
	return saysSomething(nb) || nb.LifecycleConfig == NameFor(nb.Subnet)
}

// release is what goes from the notebooks of one subnet.
type release struct {
	book
	still []netip.Prefix            // what they need still
	going map[string][]netip.Prefix // what goes, by configuration
	kept  map[string]error          // why something could not go, by configuration

	stands bool // what goes from the ledger stays in the configurations
}

// edit takes what goes out of all configurations that the ledger names for the subnet.
func (r *release) edit(ctx context.Context, api releaser, ec2api route.NetworkReader, items []ledger.Item) error {
	routed := r.routed(ec2api)
	var err error
	if r.still, err = routed(ctx); err != nil {
		return err
	}
	for _, i := range items {
		if d, ok := destinationOf(r.nb.SubnetCIDR, i); ok && i.Account == r.nb.Account && i.Region == r.nb.Region && !slices.Contains(r.still, d) {
			r.going[i.Resource] = append(r.going[i.Resource], d)
		}
	}
	if r.stands {
		forgotten := slices.DeleteFunc(slices.Clone(items), func(i ledger.Item) bool {
			d, ok := destinationOf(r.nb.SubnetCIDR, i)
			return !ok || !slices.Contains(r.going[i.Resource], d)
		})
		return r.Cancel(ctx, r.nb.Subnet, forgotten)
	}
	for _, name := range slices.Sorted(maps.Keys(r.going)) {
		edit := Edit{Subnet: r.nb.SubnetCIDR, Mode: Remove, Destinations: r.going[name]}
		if err := r.edited(ctx, api, routed, name, edit, nil); err != nil && !errors.Is(err, errGone) {
			r.kept[name] = err
		}
	}
	return nil
}

type told struct {
	what string
	err  error
}

// told says what went from the configuration of a notebook; the first one tells of those, too, that no notebook has any more.
func (r *release) told(nb workflow.Notebook, first bool) told {
	var out told
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(r.going)) {
		switch err := r.kept[name]; {
		case name != nb.LifecycleConfig && !first:
		case err != nil:
			out.err = errors.Join(out.err, err)
		case r.stands:
			lines = append(lines, list(r.going[name])+" stays in lifecycle configuration "+name+", and is its owner's")
		default:
			lines = append(lines, list(r.going[name])+" withdrawn from lifecycle configuration "+name+", effective at the next start")
		}
	}
	out.what = strings.Join(lines, "; ")
	return out
}

// leave takes an idle configuration of Drawbridge's off a notebook, and its status.
func (r *release) leave(ctx context.Context, api releaser, nb workflow.Notebook, bare bool) error {
	if bare && !concerned(nb) {
		return nil
	}
	var err error
	switch {
	case nb.LifecycleConfig == "": // ours may have been detached, and not deleted, before
		err = Delete(ctx, api, NameFor(nb.Subnet))
	case nb.LifecycleConfig == NameFor(nb.Subnet) || len(r.going[nb.LifecycleConfig]) > 0:
		_, err = Detach(ctx, api, nb.Name)
	}
	if err != nil || !saysSomething(nb) || len(r.still) > 0 {
		return err
	}
	slog.InfoContext(ctx, "removing status", "notebook", nb.Name)
	_, err = api.DeleteTags(ctx, &sagemaker.DeleteTagsInput{ResourceArn: &nb.ARN, TagKeys: tag.StatusKeys()})
	if err != nil && !fault.NoRecord(err) {
		return fmt.Errorf("removing its status: %w", err)
	}
	return nil
}

// Detach takes an idle configuration off a stopped notebook, and deletes it when no notebook uses it any more. A
// notebook that is not stopped keeps it: it does nothing. Anything of an owner's is never detached and never deleted.
func Detach(ctx context.Context, api detacher, notebook string) (answer workflow.Answer, err error) {
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
