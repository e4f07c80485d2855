package lifecycle

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
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
	fresh   bool  // nb was read in this very invocation
	memo    *memo // what was done for other notebooks of a batch; nil without one
}

// memo is what one invocation did already, so that what notebooks of a subnet have in common is read and edited once.
type memo struct {
	needed map[bool][]netip.Prefix // by whether the owner asks for all that the table reaches
	edited map[string]error        // by configuration and edit
}

// once does an edit of a configuration, or returns what came of it before.
func (b book) once(ctx context.Context, api editor, routed routes, name string, edit Edit, tags []types.Tag) error {
	if b.memo == nil {
		return b.edited(ctx, api, routed, name, edit, tags)
	}
	key := fmt.Sprint(name, edit, len(tags) > 0)
	if err, done := b.memo.edited[key]; done {
		return err
	}
	err := b.edited(ctx, api, routed, name, edit, tags)
	b.memo.edited[key] = err
	return err
}

// wants is [book.needed], read once for the notebooks of a batch that ask alike.
func (b book) wants(ctx context.Context, table workflow.Table) ([]netip.Prefix, error) {
	if b.memo == nil {
		return b.needed(ctx, table)
	}
	if found, known := b.memo.needed[b.nb.Asks]; known {
		return found, nil
	}
	found, err := b.needed(ctx, table)
	if err == nil {
		b.memo.needed[b.nb.Asks] = found
	}
	return found, err
}

// needed returns the host routes that the notebook needs behind a table.
func (b book) needed(ctx context.Context, table workflow.Table) ([]netip.Prefix, error) {
	var items []ledger.Item
	var connections []ledger.Connection
	if !b.nb.Asks && len(table.Routes) > 0 {
		var err error
		network := b.nb.Network()
		if items, err = b.Of(ctx, network.Account, network.Region, table.ID); err != nil {
			return nil, err
		}
		if connections, err = b.Connections(ctx, network.Account, network.Region); err != nil {
			return nil, err
		}
		connections = slices.DeleteFunc(connections, func(c ledger.Connection) bool { return c.ID == b.without })
		items = slices.DeleteFunc(items, func(i ledger.Item) bool { // of one that is let go of, the routes stand
			return len(i.Needed) > 0 && !slices.ContainsFunc(i.Needed, func(id string) bool { return id != b.without })
		})
		if b.also.ID != "" {
			connections = append(connections, asEntry(b.also))
		}
	}
	found := Needed(table, items, connections, b.nb.VPC, b.nb.Asks)
	return slices.DeleteFunc(found, func(d netip.Prefix) bool { return !d.Addr().Is4() && !b.nb.SubnetCIDRv6.IsValid() }), nil
}

// routes tells what the notebook needs by the route table of its subnet as it is at this moment, and what it needs because a route comes back.
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
		found, err := b.needed(ctx, table)
		if err != nil {
			return nil, err
		}
		network := b.nb.Network()
		items, err := b.Of(ctx, network.Account, network.Region, table.ID)
		return append(found, Returning(table, items, b.without)...), err
	}
}

// items are what the ledger is told of destinations in a configuration.
func (b book) items(configuration string, destinations []netip.Prefix) []ledger.Item {
	var out []ledger.Item
	for _, d := range destinations {
		one := Item(b.nb.Account, b.nb.Region, configuration, b.nb.SubnetCIDR, d)
		one.By = b.by
		out = append(out, one)
	}
	return out
}

// edited reads a configuration, plans and writes, and reads again if it was not written: SageMaker's answer is the proof. A configuration that does not exist
// is created with tags; with no tags it is errGone, and the ledger forgets what it held.
//
// The ledger is told before a line is written, and forgets it after it is gone. A line that it does not have was there before, or is the
// owner's; one that another subnet of the same CIDR needs stays.
//
// SageMaker has no conditional write, and a read-back comes too early to find a write that is still on its way. So one at a time changes a
// configuration, under the ledger's lease; a Set, which mostly finds nothing to change, takes it once there is. What an owner writes between a
// read and its write cannot be seen; so a write follows its read at once and is never retried as it is. What an owner writes after it is a record that
// starts a look.
//
// A Set takes lines away that the caller's table did not ask for, a Remove those that it no longer reached. The table may be older than the configuration:
// another execution adds a route first and its line second. So before a line goes, routed tells what the table holds
// now, after the configuration was read, and what is in it stays.
func (b book) edited(ctx context.Context, api editor, routed routes, name string, edit Edit, tags []types.Tag) error {
	if edit.Mode == Set {
		if done, err := b.round(ctx, api, routed, name, edit, tags, false); done || err != nil {
			return err
		}
	}
	lease := "lifecycle configuration " + b.nb.Account + "/" + b.nb.Region + "/" + name
	return b.While(ctx, lease, b.by+" "+b.nb.Name, func() error {
		var failed error
		for range rounds {
			done, err := b.round(ctx, api, routed, name, edit, tags, true)
			if done || err != nil && fault.Of(err) != fault.Transient {
				return err
			}
			failed = err
		}
		return fault.New(fault.Transient, "lifecycle configuration %s kept changing under %d attempts: %v", name, rounds, failed)
	})
}

// round reads a configuration, plans, and writes what is planned if it may. It is done when there was nothing to write.
// Many parameters, because they are the client, the ledger, and what is to be edited for whom.
func (b book) round(ctx context.Context, api editor, routed routes, name string, edit Edit, tags []types.Tag, mayWrite bool) (done bool, err error) {
	current, err := read(ctx, api, name)
	if gone := errors.Is(err, errGone); err != nil && (!gone || tags == nil) {
		if gone {
			err = cmp.Or(b.forget(ctx, name), err)
		}
		return false, err
	}
	items, err := b.Of(ctx, b.nb.Account, b.nb.Region, name)
	if err != nil {
		return false, err
	}
	intent, err := b.intent(ctx, routed, current, edit, items)
	if err != nil {
		return false, err
	}
	adding := Edit{Subnet: edit.Subnet, Mode: Add, Destinations: intent.Add}
	if _, err := Plan(current, adding); err != nil { // before the ledger is told of what cannot be
		return false, err
	}
	recorded, err := b.Record(ctx, b.nb.Subnet, b.items(name, intent.Add)...)
	if err != nil {
		return false, err
	}
	leaving, err := b.Release(ctx, b.nb.Subnet, intent.Release)
	if err != nil {
		return false, err
	}
	change, err := Plan(current, adding, Edit{Subnet: edit.Subnet, Mode: Remove, Destinations: destinationsOf(edit.Subnet, leaving)})
	if err != nil {
		return false, err
	}
	if !change.None() {
		if !mayWrite {
			return false, nil
		}
		if written, err := write(ctx, api, name, current, change, tags); !written || err != nil {
			return false, err
		}
	}
	if _, err := b.Confirm(ctx, slices.DeleteFunc(recorded, func(i ledger.Item) bool { return i.State != ledger.Intended })...); err != nil {
		return false, err
	}
	if err := b.Forget(ctx, b.nb.Subnet, leaving); err != nil {
		return false, err
	}
	return true, b.contested(ctx, name, intent.Contested)
}

// intent returns what an edit of a configuration as it is means for the ledger's items of it, once what is contested is told apart.
func (b book) intent(ctx context.Context, routed routes, current *Configuration, edit Edit, items []ledger.Item) (Intent, error) {
	var lines []Line
	if current != nil {
		script, err := Parse(current.Name, current.OnStart)
		if err != nil {
			return Intent{}, err
		}
		lines = script.Lines
	}
	intent := Intend(edit, b.nb.Subnet, lines, items)
	if len(intent.Release) > 0 {
		now, err := routed(ctx)
		if err != nil {
			return intent, err
		}
		intent.Release = slices.DeleteFunc(intent.Release, func(i ledger.Item) bool {
			d, _ := destinationOf(edit.Subnet, i)
			return i.State != ledger.Leaving && slices.Contains(now, d)
		})
	}
	if err := b.Cancel(ctx, b.nb.Subnet, intent.Drop); err != nil {
		return intent, err
	}
	left, err := b.lost(ctx, intent.Lost)
	if err != nil {
		return intent, err
	}
	intent.Contested = append(intent.Contested, left...)
	intent.Add = slices.DeleteFunc(intent.Add, func(d netip.Prefix) bool { return itemOf(left, Key(edit.Subnet, d)) != nil })
	return intent, nil
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

// write reports whether SageMaker took what was planned.
func write(ctx context.Context, api editor, name string, current *Configuration, change Change, tags []types.Tag) (bool, error) {
	onStart := hooks(change.OnStart)
	once := func(o *sagemaker.Options) { o.RetryMaxAttempts = 1 } // see edited
	if change.Create {
		slog.InfoContext(ctx, "creating lifecycle configuration", "configuration", name)
		_, err := api.CreateNotebookInstanceLifecycleConfig(ctx, &sagemaker.CreateNotebookInstanceLifecycleConfigInput{
			NotebookInstanceLifecycleConfigName: &name, OnStart: onStart, Tags: tags}, once)
		// "already exists": another execution was faster; the next look merges.
		if err != nil && !strings.Contains(strings.ToLower(err.Error()), "already exist") {
			return false, fmt.Errorf("creating lifecycle configuration %s: %w", name, err)
		}
		return err == nil, nil
	}
	slog.InfoContext(ctx, "updating lifecycle configuration", "configuration", name)
	in := &sagemaker.UpdateNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: &name, OnStart: onStart}
	if current.OnCreate != "" {
		in.OnCreate = []types.NotebookInstanceLifecycleHook{{Content: &current.OnCreate}}
	}
	if _, err := api.UpdateNotebookInstanceLifecycleConfig(ctx, in, once); err != nil {
		return false, fmt.Errorf("updating lifecycle configuration %s: %w", name, err)
	}
	return true, nil
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
