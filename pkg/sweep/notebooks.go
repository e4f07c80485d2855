package sweep

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// NotebookAPIs are the clients that [Notebooks] uses, for one account and Region.
type NotebookAPIs struct {
	EC2 interface {
		route.NetworkReader
		route.SubnetReader
	}
	SageMaker interface {
		lifecycle.Reader
		ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error)
		notebook.Describer
		notebook.Tagged
	}
}

// Notebooks finds notebook instances whose configuration does not have the host routes that they need by their subnet's route table and
// the ledger, as [lifecycle.Needed] tells. A look at one is an execution of drawbridge-notebook, which asks the policy; one whose routes the policy forbids is
// found every time. Where a notebook is owed a restart, the look is asked for that pays it.
type Notebooks struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter  func(execution string, place event.Place) NotebookAPIs
	Ledger ledger.Ledger
}

// Kind implements [Finder].
func (Notebooks) Kind() string { return "notebooks" }

// Find implements [Finder]: one ListNotebookInstances for 100 notebooks and one DescribeNotebookInstance for each that is not known, at the pace at
// which SageMaker takes them; for those in a subnet that need host routes, a hundred at a time, one DescribeSubnets, one DescribeRouteTables for each of their
// VPCs and one DescribeNotebookInstanceLifecycleConfig for each of their configurations; and what the ledger has of the place, of
// their tables and of restarts that are owed. For one whose table reaches what was not given to Drawbridge, one ListTags: its owner may
// ask for that, too.
func (n Notebooks) Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error) {
	api := n.Enter(execution, at)
	connections, err := n.Ledger.Connections(ctx, at.Account, at.Region)
	if err != nil {
		return 0, err
	}
	fleet, err := notebook.List(ctx, api.SageMaker)
	if err != nil {
		return 0, err
	}
	all, err := fleet.Read(ctx, api.SageMaker, notebook.Memory{Ledger: n.Ledger, At: at}, nil)
	if err != nil {
		return 0, err
	}
	for page := range slices.Chunk(all, pageSize) {
		seen += len(page)
		looks, err := n.drifted(ctx, execution, api, at, connections, page)
		if err != nil {
			return seen, err
		}
		if len(looks) > 0 {
			if err := ask(ctx, looks...); err != nil {
				return seen, err
			}
		}
	}
	if seen == 0 {
		return 0, nil
	}
	return seen, n.repay(ctx, at, ask)
}

// repay asks for the restarts that are owed in a place and that no execution is at.
func (n Notebooks) repay(ctx context.Context, at event.Place, ask Ask) error {
	debts, err := n.Ledger.Debts(ctx, at.Account, at.Region)
	if err != nil {
		return err
	}
	if overdue := restart.Overdue(debts); len(overdue) > 0 {
		return ask(ctx, overdue...)
	}
	return nil
}

// drifted returns looks at those notebooks of a page that are out of line.
func (n Notebooks) drifted(ctx context.Context, execution string, api NotebookAPIs, at event.Place, connections []ledger.Connection, page []notebook.Instance) ([]look.Look, error) {
	var instances []notebook.Instance
	subnetIDs := map[string]bool{}
	for _, one := range page {
		// Without direct internet access all its traffic leaves by the VPC.
		if one.Subnet == "" || !one.DirectInternet || one.Status == "Failed" {
			continue
		}
		instances, subnetIDs[one.Subnet] = append(instances, one), true
	}
	if len(instances) == 0 {
		return nil, nil
	}
	subnets, vpcs, err := subnetsOf(ctx, api.EC2, at.Account, subnetIDs)
	if err != nil {
		return nil, err
	}
	shared := owned{Notebooks: n, execution: execution, at: at, api: api.EC2, connections: map[string][]ledger.Connection{at.Account: connections}}
	scripts, err := readScripts(ctx, api.SageMaker, instances)
	if err != nil {
		return nil, err
	}
	tables, items := map[string][]route.Table{}, map[string][]ledger.Item{}
	needed := map[string][2][]netip.Prefix{} // by name: what a notebook has to have, and what it could have if its owner asks for all
	for _, one := range instances {
		vpc, known := vpcs[one.Subnet]
		if !known {
			continue // its subnet is not shown yet
		}
		owner := subnets[one.Subnet].Owner
		if _, read := tables[vpc]; !read {
			if tables[vpc], err = shared.tables(ctx, owner, vpc, slices.Collect(maps.Keys(subnetIDs))); err != nil {
				return nil, err
			}
		}
		if shared.closed[owner] {
			continue
		}
		table, _ := route.Of(tables[vpc], one.Subnet)
		ours := slices.ContainsFunc(scripts[one.LifecycleConfig].lines, func(l lifecycle.Line) bool { return l.Subnet == subnets[one.Subnet].V4 })
		if _, read := items[table.ID]; !read && (ours || len(route.HostRoutes(table)) > 0) {
			if items[table.ID], err = n.Ledger.Of(ctx, owner, at.Region, table.ID); err != nil {
				return nil, err
			}
		}
		returning := lifecycle.Returning(table, items[table.ID], "")
		needed[one.Name] = [2][]netip.Prefix{
			slices.Concat(lifecycle.Needed(table, items[table.ID], shared.connections[owner], vpc, false), returning),
			slices.Concat(lifecycle.Needed(table, nil, nil, vpc, true), returning),
		}
	}
	// Only where the two differ it matters what its owner asks for.
	if err := notebook.Tag(ctx, api.SageMaker, instances, func(one notebook.Instance) bool {
		return scripts[one.LifecycleConfig].why == "" && !slices.Equal(needed[one.Name][0], needed[one.Name][1])
	}); err != nil {
		return nil, err
	}
	var looks []look.Look
	for _, one := range instances {
		wanted, known := needed[one.Name]
		if !known {
			continue
		}
		script, destinations := scripts[one.LifecycleConfig], wanted[0]
		if one.Tags[tag.Routes] == "on" {
			destinations = wanted[1]
		}
		reason, err := n.drift(ctx, at, one, script, subnets[one.Subnet], destinations)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			looks = append(looks, event.NotebookInspection{Account: at.Account, Region: at.Region, Notebook: one.Name, Reason: reason})
		}
	}
	return looks, nil
}

// drift says why a notebook is out of line, "" if it is in line. Lines that the ledger does not have are their owner's, and are asked about only where
// something differs.
func (n Notebooks) drift(ctx context.Context, at event.Place, one notebook.Instance, s script, subnet route.Subnet, wanted []netip.Prefix) (string, error) {
	reason := cmp.Or(s.why, Drift(s.lines, subnet, wanted))
	if reason == "" || s.why != "" || len(s.lines) == 0 {
		return reason, nil
	}
	had, err := n.Ledger.Of(ctx, at.Account, at.Region, one.LifecycleConfig)
	return Drift(Ours(s.lines, wanted, had), subnet, wanted), err
}

// script is what a lifecycle configuration has, or why it cannot be edited: the machine says so, and to whom it belongs.
type script struct {
	lines []lifecycle.Line
	why   string
}

// readScripts reads each lifecycle configuration of notebooks once, by name.
func readScripts(ctx context.Context, api lifecycle.Reader, instances []notebook.Instance) (map[string]script, error) {
	var names []string
	for _, one := range instances {
		if one.LifecycleConfig != "" {
			names = append(names, one.LifecycleConfig)
		}
	}
	slices.Sort(names)
	out := map[string]script{}
	var mu sync.Mutex
	err := notebook.Each(ctx, slices.Compact(names), func(name string) error {
		lines, err := lifecycle.Lines(ctx, api, name)
		one := script{lines: lines}
		if fault.Of(err) == fault.Conflict {
			one.why, err = err.Error(), nil
		}
		mu.Lock()
		defer mu.Unlock()
		out[name] = one
		return err
	})
	return out, err
}

// owned reads what the owners of VPCs have there that share subnets with an account.
type owned struct {
	Notebooks
	execution   string
	at          event.Place
	api         route.NetworkReader
	connections map[string][]ledger.Connection // by owner
	closed      map[string]bool                // owners that let nobody in
}

// tables returns the route tables of a VPC as its owner has them, and notes the owner's connections. Of an owner that lets nobody in there are none.
func (o *owned) tables(ctx context.Context, owner, vpc string, subnets []string) ([]route.Table, error) {
	api := o.api
	if owner != o.at.Account {
		api = o.Enter(o.execution, event.Place{Account: owner, Region: o.at.Region}).EC2
	}
	tables, err := route.Read(ctx, api, vpc)
	if err == nil {
		tables, err = route.Served(ctx, api, tables, subnets...)
	}
	if why, unreadable := fault.Unreadable(err); unreadable && owner != o.at.Account {
		slog.InfoContext(ctx, "notebooks in a shared VPC are left out", "vpc", vpc, "owner", owner, "why", why)
		if o.closed == nil {
			o.closed = map[string]bool{}
		}
		o.closed[owner] = true
		return nil, nil
	}
	if _, known := o.connections[owner]; err == nil && !known {
		o.connections[owner], err = o.Ledger.Connections(ctx, owner, o.at.Region)
	}
	return tables, err
}

// subnetsOf reads subnets that an account uses by their ids, and says in which VPC each is.
func subnetsOf(ctx context.Context, api route.SubnetReader, account string, ids map[string]bool) (map[string]route.Subnet, map[string]string, error) {
	var names []string
	for id := range ids {
		names = append(names, id)
	}
	slices.Sort(names)
	subnets, vpcs := map[string]route.Subnet{}, map[string]string{}
	got, err := api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: names})
	if err != nil {
		return nil, nil, fmt.Errorf("reading the subnets of notebook instances: %w", err)
	}
	for _, s := range got.Subnets {
		one := route.Subnet{ID: aws.ToString(s.SubnetId), Owner: cmp.Or(aws.ToString(s.OwnerId), account)}
		one.V4, _ = netip.ParsePrefix(aws.ToString(s.CidrBlock))
		for _, a := range s.Ipv6CidrBlockAssociationSet {
			if p, err := netip.ParsePrefix(aws.ToString(a.Ipv6CidrBlock)); err == nil {
				one.V6 = p.Masked()
			}
		}
		subnets[one.ID], vpcs[one.ID] = one, aws.ToString(s.VpcId)
	}
	return subnets, vpcs, nil
}
