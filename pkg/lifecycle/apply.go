package lifecycle

import (
	"cmp"
	"context"
	"encoding/base64"
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

// Tags on a notebook instance and on a configuration that Drawbridge made.
const (
	TagStatus = "drawbridge:status"
	subnetTag = "drawbridge:subnet"

	// AtNextStart is the status of a running notebook to which no configuration can be attached.
	AtNextStart = "routes-at-next-start"
	// Attached is the status of a notebook to which Drawbridge attached a configuration.
	Attached = "routes-attached"
)

// Answers of [Inject]: what has to happen before the notebook is done.
const (
	Done  = "done"
	Stop  = "stop"  // stop the notebook, then inject again; only where restart is allowed
	Wait  = "wait"  // look again in a moment; only for a notebook that this execution stopped
	Start = "start" // start the notebook that this execution stopped
)

type editor interface {
	DescribeNotebookInstanceLifecycleConfig(context.Context, *sagemaker.DescribeNotebookInstanceLifecycleConfigInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceLifecycleConfigOutput, error)
	CreateNotebookInstanceLifecycleConfig(context.Context, *sagemaker.CreateNotebookInstanceLifecycleConfigInput, ...func(*sagemaker.Options)) (*sagemaker.CreateNotebookInstanceLifecycleConfigOutput, error)
	UpdateNotebookInstanceLifecycleConfig(context.Context, *sagemaker.UpdateNotebookInstanceLifecycleConfigInput, ...func(*sagemaker.Options)) (*sagemaker.UpdateNotebookInstanceLifecycleConfigOutput, error)
}

type client interface {
	detacher
	AddTags(context.Context, *sagemaker.AddTagsInput, ...func(*sagemaker.Options)) (*sagemaker.AddTagsOutput, error)
}

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

// Inject gives one notebook the host routes to everything that the route table of its subnet reaches.
//
//	routes=off, or direct internet access disabled, or no routes → done, nothing to do
//	a configuration attached, any status                         → merged; effective at the next start
//	none, Stopped                                                → the subnet's own is made and attached
//	none, running, restart not allowed                           → left alone, with a status tag
//	none, running, restart allowed                               → stop
//	none, between two states                                     → NotYet, or wait if this execution stopped it
//
// For one connection, destinations are added to the line of the subnet; other lines, and destinations that other
// executions added, stay. Without a connection (the Notebook machine, which has just read the whole route table) what was added for
// the subnet becomes exactly what the table says; when nothing is left, a configuration of ours is detached and deleted.
// With an owner's configuration that takes three calls: read, write, read. The last one is the proof.
//
// A notebook whose script cannot be edited is done: its hop says why, and what its owner can do. So the others are served.
func Inject(ctx context.Context, api client, ec2api route.NetworkReader, l ledger.Ledger, in workflow.InjectRoutesInput) (workflow.InjectRoutesOutput, error) {
	nb, stopped, exact := in.Notebook, in.Phase == workflow.PhaseStopped, in.Connection.ID == ""
	book := book{Ledger: l, nb: nb, also: in.Connection, by: in.Execution}
	routed := book.routed(ec2api)
	hop := workflow.Hop{Hop: "host route on " + nb.Name, OK: true}
	answer := func(a, detail string, args ...any) (workflow.InjectRoutesOutput, error) {
		if hop.Detail = fmt.Sprintf(detail, args...); stopped && a == Done {
			a = Start // whatever became of it, the notebook that we stopped is started again
		}
		return workflow.InjectRoutesOutput{Answer: a, Hops: []workflow.Hop{hop}}, nil
	}
	// failed ends what a person must mend here, in words; what may pass, or is a matter of permissions, fails the step.
	failed := func(err error) (workflow.InjectRoutesOutput, error) {
		if fault.Of(err) == fault.Conflict || stopped && !fault.Passing(err) {
			hop.OK = false
			return answer(Done, "%v", err)
		}
		return workflow.InjectRoutesOutput{}, fmt.Errorf("injecting routes into notebook %s: %w", nb.Name, err)
	}
	switch {
	case !nb.Inject.Allowed:
		if exact && nb.LifecycleConfig == NameFor(nb.Subnet) { // ours, and perhaps idle since it was allowed
			if _, err := Detach(ctx, api, nb.Name); err != nil {
				return workflow.InjectRoutesOutput{}, err
			}
		}
		return answer(Done, "left out by policy %s%s", nb.Inject.Policy, nb.Unclear)
	case !nb.DirectInternet:
		return answer(Done, "not needed: direct internet access is disabled, so all traffic leaves by the VPC")
	}
	needed, err := book.needed(ctx, tableOf(in.Connection, in.Routed, nb))
	if err != nil {
		return workflow.InjectRoutesOutput{}, err
	}
	destinations, bad := Routable(nb.SubnetCIDR, needed)
	if len(bad) > 0 {
		hop.OK = false
	}
	if len(destinations) == 0 {
		if len(bad) > 0 {
			return answer(Done, "%s", strings.Join(bad, "; "))
		}
		if exact && !stopped {
			if err := book.withdraw(ctx, api, routed); err != nil {
				return failed(err)
			}
		}
		return answer(Done, "not needed: the route table of %s has no route to a peering or gateway that Drawbridge manages", nb.Subnet)
	}
	told := list(destinations)
	if len(bad) > 0 {
		told += " (" + strings.Join(bad, "; ") + ")"
	}
	edit := Edit{Subnet: nb.SubnetCIDR, Mode: Add, Destinations: destinations}
	if exact {
		edit.Mode = Set
	}

	// The caller read the notebook moments ago. What a stale fact can do: none seen, one attached since – so look
	// again before attaching; one seen, gone since – so look again if it is gone.
	name, status, arn := nb.LifecycleConfig, nb.Status, ""
	if name != "" && !stopped {
		err := book.edited(ctx, api, routed, name, edit, nil)
		if err == nil && name == NameFor(nb.Subnet) && nb.Tag == AtNextStart { // attached, and stopped before saying so
			err = setStatus(ctx, api, nb.ARN, Attached)
		}
		if err == nil {
			return answer(Done, "%s in lifecycle configuration %s, effective at the next start", told, name)
		}
		if !errors.Is(err, errGone) {
			return failed(err)
		}
	}
	now, err := api.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &nb.Name})
	if fault.NoRecord(err) {
		stopped = false
		return answer(Done, "the notebook is gone")
	}
	if err != nil {
		return workflow.InjectRoutesOutput{}, fmt.Errorf("injecting routes into notebook %s: reading it: %w", nb.Name, err)
	}
	name, status, arn = aws.ToString(now.NotebookInstanceLifecycleConfigName), string(now.NotebookInstanceStatus), aws.ToString(now.NotebookInstanceArn)

	if name != "" {
		err := book.edited(ctx, api, routed, name, edit, nil)
		if err == nil && name == NameFor(nb.Subnet) && !moving(status) {
			err = setStatus(ctx, api, arn, Attached) // an earlier attempt may have attached it without saying so
		}
		switch {
		case errors.Is(err, errGone):
			err = fault.New(fault.NotYet, "lifecycle configuration %s is gone", name)
		case err == nil && (stopped || in.Phase == workflow.PhaseStarted) && moving(status):
			return answer(Wait, "%s in lifecycle configuration %s; the notebook is %s", told, name, status)
		case err == nil:
			return answer(Done, "%s in lifecycle configuration %s, effective at the next start", told, name)
		}
		return failed(err)
	}

	switch types.NotebookInstanceStatus(status) {
	case types.NotebookInstanceStatusStopped:
		if err := book.attach(ctx, api, routed, arn, edit); err != nil {
			return failed(err)
		}
		if stopped {
			return answer(Wait, "%s in lifecycle configuration %s, being attached", told, NameFor(nb.Subnet))
		}
		return answer(Done, "%s in lifecycle configuration %s, attached; effective at the next start", told, NameFor(nb.Subnet))
	case types.NotebookInstanceStatusInService, types.NotebookInstanceStatusPending:
		if stopped {
			return answer(Wait, "the notebook is %s", status)
		}
		hop.OK = false
		if in.Phase == workflow.PhaseStarted {
			// Stopped and started again, and still without a configuration: what kept it from being attached does so
			// still, and says why; if it does not any more, the next stop will do.
			if err := book.edited(ctx, api, routed, NameFor(nb.Subnet), edit, tagsFor(nb)); err != nil {
				return failed(fmt.Errorf("it was started again without them: %w", err))
			}
		}
		if err := setStatus(ctx, api, arn, AtNextStart); err != nil {
			return workflow.InjectRoutesOutput{}, fmt.Errorf("injecting routes into notebook %s: %w", nb.Name, err)
		}
		if nb.Restart.Allowed && in.Phase == workflow.PhaseUntouched && status == string(types.NotebookInstanceStatusInService) {
			return answer(Stop, "%s need a lifecycle configuration; the notebook may be restarted for it, by policy %s", told, nb.Restart.Policy)
		}
		return answer(Done, "%s need a lifecycle configuration, which SageMaker attaches to a stopped notebook only: stop it, or allow it with the tag %s=allowed%s", told, tag.Restart, nb.Unclear)
	case types.NotebookInstanceStatusStopping, types.NotebookInstanceStatusUpdating:
		if stopped {
			return answer(Wait, "the notebook is %s", status)
		}
		return workflow.InjectRoutesOutput{}, fault.New(fault.NotYet, "injecting routes into notebook %s: it is %s", nb.Name, status)
	}
	// Failed or Deleting: nothing can be attached, and nothing will connect.
	stopped = false
	hop.OK = false
	return answer(Done, "the notebook is %s, so nothing can be attached to it", status)
}

// NameFor is the name of the lifecycle configuration that Drawbridge makes for the notebooks of a subnet.
func NameFor(subnet string) string { return "drawbridge-" + subnet }

// moving reports whether a notebook is between two states.
func moving(status string) bool {
	s := types.NotebookInstanceStatus(status)
	return s == types.NotebookInstanceStatusStopping || s == types.NotebookInstanceStatusUpdating || s == types.NotebookInstanceStatusPending
}

// attach makes the subnet's own configuration, or reuses it, and attaches it to a stopped notebook.
func (b book) attach(ctx context.Context, api client, routed routes, arn string, edit Edit) error {
	nb, name := b.nb, NameFor(b.nb.Subnet)
	if err := b.edited(ctx, api, routed, name, edit, tagsFor(nb)); err != nil {
		return err
	}
	slog.InfoContext(ctx, "attaching lifecycle configuration", "notebook", nb.Name, "configuration", name)
	_, err := api.UpdateNotebookInstance(ctx, &sagemaker.UpdateNotebookInstanceInput{NotebookInstanceName: &nb.Name, LifecycleConfigName: &name})
	// "Status (InService) not in ([Stopped, Failed])": somebody started it meanwhile; the next look decides anew.
	if err != nil && fault.HasCode(err, "ValidationException") && strings.Contains(err.Error(), "Status (") {
		return fault.New(fault.NotYet, "attaching lifecycle configuration %s: %v", name, err)
	}
	if err != nil {
		return fmt.Errorf("attaching lifecycle configuration %s: %w", name, err)
	}
	return setStatus(ctx, api, arn, Attached)
}

// tagsFor are the tags of the configuration that Drawbridge makes for a notebook's subnet.
func tagsFor(nb workflow.Notebook) []types.Tag {
	return []types.Tag{{Key: aws.String(subnetTag), Value: &nb.Subnet}}
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

func setStatus(ctx context.Context, api client, arn, status string) error {
	_, err := api.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String(TagStatus), Value: &status}}})
	if err != nil {
		return fmt.Errorf("tagging %s: %w", arn, err)
	}
	return nil
}

// rounds bounds how often a configuration is read, planned and written.
const rounds = 5

// errGone reports a configuration that does not exist.
var errGone = errors.New("no such lifecycle configuration")

// book is the ledger as far as a notebook's subnet is concerned.
type book struct {
	ledger.Ledger
	nb      workflow.Notebook
	also    workflow.Connection // is managed, whether the ledger has it yet or not
	without string              // a connection that is not managed any more
	by      string
}

// needed returns the host routes that the notebook needs behind a table.
func (b book) needed(ctx context.Context, table workflow.Table) ([]netip.Prefix, error) {
	var items []ledger.Item
	var connections []ledger.Connection
	if !b.nb.Asks && len(table.Routes) > 0 {
		var err error
		if items, err = b.Of(ctx, b.nb.Account, b.nb.Region, table.ID); err != nil {
			return nil, err
		}
		if connections, err = b.Connections(ctx, b.nb.Account, b.nb.Region); err != nil {
			return nil, err
		}
		connections = slices.DeleteFunc(connections, func(c ledger.Connection) bool { return c.ID == b.without })
		if b.also.ID != "" {
			connections = append(connections, asEntry(b.also))
		}
	}
	found := Needed(table, items, connections, b.nb.VPC, b.nb.Asks)
	return slices.DeleteFunc(found, func(d netip.Prefix) bool { return !d.Addr().Is4() && !b.nb.SubnetCIDRv6.IsValid() }), nil
}

// routes tells what the notebook needs by the route table of its subnet as it is at this moment.
type routes func(context.Context) ([]netip.Prefix, error)

func (b book) routed(ec2api route.NetworkReader) routes {
	return func(ctx context.Context) ([]netip.Prefix, error) {
		tables, err := route.Read(ctx, ec2api, b.nb.VPC)
		if err != nil {
			return nil, err
		}
		if tables, err = route.Served(ctx, ec2api, tables, b.nb.Subnet); err != nil {
			return nil, err
		}
		table, _ := route.Of(tables, b.nb.Subnet)
		return b.needed(ctx, table)
	}
}

// items are what the ledger is told of destinations in a configuration.
func (b book) items(configuration string, destinations []netip.Prefix) []ledger.Item {
	var out []ledger.Item
	for _, d := range destinations {
		out = append(out, ledger.Item{Account: b.nb.Account, Region: b.nb.Region, Resource: configuration, Kind: ledger.HostRoute, Key: Key(b.nb.SubnetCIDR, d), Left: line, By: b.by})
	}
	return out
}

// edited reads a configuration, plans, writes, and reads again until there is nothing left to plan: so an edit that
// came between by the owner or by another execution is merged, not overwritten. A configuration that does not exist
// is created with tags; with no tags it is errGone, and the ledger forgets what it held.
//
// The ledger is told before a line is written, and forgets it after it is gone. A line that it does not have was there before, or is the
// owner's; one that another subnet of the same CIDR needs stays.
//
// SageMaker has no conditional write. What comes between a read and its write cannot be seen; so a write follows its
// read at once and is never retried as it is. Two executions of Drawbridge find each other out: the read-back of the
// first comes after the write of the second.
//
// A Set takes lines away that the caller's table did not ask for, a Remove those that it no longer reached. The table may be older than the configuration:
// another execution adds a route first and its line second. So before a line goes, routed tells what the table holds
// now, after the configuration was read, and what is in it stays.
func (b book) edited(ctx context.Context, api editor, routed routes, name string, edit Edit, tags []types.Tag) error {
	var failed error
	for range rounds {
		current, err := read(ctx, api, name)
		if gone := errors.Is(err, errGone); err != nil && (!gone || tags == nil) {
			if gone {
				err = cmp.Or(b.forget(ctx, name), err)
			}
			return err
		}
		items, err := b.Of(ctx, b.nb.Account, b.nb.Region, name)
		if err != nil {
			return err
		}
		var lines []Line
		if current != nil {
			script, err := Parse(name, current.OnStart)
			if err != nil {
				return err
			}
			lines = script.Lines
		}
		intent := Intend(edit, b.nb.Subnet, lines, items)
		if len(intent.Release) > 0 {
			now, err := routed(ctx)
			if err != nil {
				return err
			}
			intent.Release = slices.DeleteFunc(intent.Release, func(i ledger.Item) bool {
				d, _ := destinationOf(edit.Subnet, i)
				return i.State != ledger.Leaving && slices.Contains(now, d)
			})
		}
		if err := b.Cancel(ctx, b.nb.Subnet, intent.Drop); err != nil {
			return err
		}
		left, err := b.lost(ctx, intent.Lost)
		if err != nil {
			return err
		}
		intent.Contested = append(intent.Contested, left...)
		intent.Add = slices.DeleteFunc(intent.Add, func(d netip.Prefix) bool { return itemOf(left, Key(edit.Subnet, d)) != nil })
		adding := Edit{Subnet: edit.Subnet, Mode: Add, Destinations: intent.Add}
		if _, err := Plan(current, adding); err != nil { // before the ledger is told of what cannot be
			return err
		}
		recorded, err := b.Record(ctx, b.nb.Subnet, b.items(name, intent.Add)...)
		if err != nil {
			return err
		}
		leaving, err := b.Release(ctx, b.nb.Subnet, intent.Release)
		if err != nil {
			return err
		}
		change, err := Plan(current, adding, Edit{Subnet: edit.Subnet, Mode: Remove, Destinations: destinationsOf(edit.Subnet, leaving)})
		if err != nil {
			return err
		}
		if change.None() {
			if _, err := b.Confirm(ctx, slices.DeleteFunc(recorded, func(i ledger.Item) bool { return i.State != ledger.Intended })...); err != nil {
				return err
			}
			if err := b.Forget(ctx, b.nb.Subnet, leaving); err != nil {
				return err
			}
			return b.contested(ctx, name, intent.Contested)
		}
		if failed = write(ctx, api, name, current, change, tags); failed != nil && fault.Of(failed) != fault.Transient {
			return failed
		}
	}
	return fault.New(fault.Transient, "lifecycle configuration %s kept changing under %d attempts: %v", name, rounds, failed)
}

// forget forgets what the subnet needed in a configuration that does not exist any more.
func (b book) forget(ctx context.Context, configuration string) error {
	items, err := b.Of(ctx, b.nb.Account, b.nb.Region, configuration)
	if err != nil || len(items) == 0 {
		return err
	}
	return b.Cancel(ctx, b.nb.Subnet, items)
}

// read returns nil and errGone for a configuration that does not exist.
func read(ctx context.Context, api Reader, name string) (*Configuration, error) {
	got, err := api.DescribeNotebookInstanceLifecycleConfig(ctx, &sagemaker.DescribeNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: &name})
	if fault.NoRecord(err) {
		return nil, errGone
	}
	if err != nil {
		return nil, fmt.Errorf("reading lifecycle configuration %s: %w", name, err)
	}
	out := &Configuration{Name: name}
	if len(got.OnCreate) > 0 {
		out.OnCreate = aws.ToString(got.OnCreate[0].Content)
	}
	if len(got.OnStart) > 0 && aws.ToString(got.OnStart[0].Content) != "" {
		if out.OnStart, err = base64.StdEncoding.DecodeString(*got.OnStart[0].Content); err != nil {
			return nil, fault.NewConflict(fmt.Sprintf("the on-start script of lifecycle configuration %s is not base64: %v", name, err), "save it again; Drawbridge looks again when the notebook is stopped or started")
		}
	}
	return out, nil
}

func write(ctx context.Context, api editor, name string, current *Configuration, change Change, tags []types.Tag) error {
	onStart := hooks(change.OnStart)
	once := func(o *sagemaker.Options) { o.RetryMaxAttempts = 1 } // see edited
	if change.Create {
		slog.InfoContext(ctx, "creating lifecycle configuration", "configuration", name)
		_, err := api.CreateNotebookInstanceLifecycleConfig(ctx, &sagemaker.CreateNotebookInstanceLifecycleConfigInput{
			NotebookInstanceLifecycleConfigName: &name, OnStart: onStart, Tags: tags}, once)
		// "already exists": another execution was faster; the next look merges.
		if err != nil && !strings.Contains(strings.ToLower(err.Error()), "already exist") {
			return fmt.Errorf("creating lifecycle configuration %s: %w", name, err)
		}
		return nil
	}
	slog.InfoContext(ctx, "updating lifecycle configuration", "configuration", name)
	in := &sagemaker.UpdateNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: &name, OnStart: onStart}
	if current.OnCreate != "" {
		in.OnCreate = []types.NotebookInstanceLifecycleHook{{Content: &current.OnCreate}}
	}
	if _, err := api.UpdateNotebookInstanceLifecycleConfig(ctx, in, once); err != nil {
		return fmt.Errorf("updating lifecycle configuration %s: %w", name, err)
	}
	return nil
}

func hooks(script []byte) []types.NotebookInstanceLifecycleHook {
	if script == nil {
		return nil
	}
	return []types.NotebookInstanceLifecycleHook{{Content: aws.String(base64.StdEncoding.EncodeToString(script))}}
}

// list names destinations, and counts them where there are many.
func list(destinations []netip.Prefix) string {
	var names []string
	for i, d := range destinations {
		if i == 3 && len(destinations) > 4 {
			return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), len(destinations)-i)
		}
		names = append(names, d.String())
	}
	return strings.Join(names, ", ")
}

// settle edits a configuration and reports whether it is then idle.
func (b book) settle(ctx context.Context, api editor, routed routes, configuration string, edit Edit) (bool, error) {
	err := b.edited(ctx, api, routed, configuration, edit, nil)
	if errors.Is(err, errGone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	current, err := read(ctx, api, configuration)
	if err != nil {
		if errors.Is(err, errGone) {
			return false, nil
		}
		return false, err
	}
	change, err := Plan(current)
	return change.Idle, err
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
