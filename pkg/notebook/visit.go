package notebook

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// visit is one end while its notebooks are brought in line.
type visit struct {
	Inspector
	end
	execution string
	out       *workflow.InspectNotebooksOutput

	clients APIs // those of the VPC's owner
	subnets []route.Subnet
	tables  []route.Table
	set     *policy.Set
	here    policy.VPC
	peers   map[string]policy.VPC // what was read of the networks that routes lead to, by the routes' target
	// connections are those of the place of the VPC's owner, once listed.
	connections []ledger.Connection
	listed      bool
}

// bringInLine adds the notebooks of the end to the answer, with the tables of their VPC reduced to what the policy allows.
func (v *visit) bringInLine(ctx context.Context) error {
	if err := v.read(ctx); err != nil {
		return err
	}
	found, err := v.find(ctx)
	if err != nil {
		return err
	}
	if len(found) > Together { // each is looked at by itself
		for _, n := range found {
			v.out.Notebooks = append(v.out.Notebooks, workflow.Notebook{Account: v.Place.Account, Region: v.Region, Name: n.Name})
		}
		return nil
	}
	if len(found) == 0 {
		return nil
	}
	var used []string
	for _, n := range found {
		used = append(used, n.Subnet)
	}
	if v.tables, err = route.Served(ctx, v.clients.EC2, v.tables, used...); err != nil {
		return err
	}
	if v.notebook != "" {
		if err := v.late(ctx, v.end, found[0], v.tables, v.subnets); err != nil {
			return err
		}
	}
	if v.set, err = v.Policy(ctx); err != nil {
		return err
	}
	if v.here, err = v.readVPC(ctx); err != nil {
		return err
	}
	v.peers = map[string]policy.VPC{}
	for _, n := range found {
		if err := v.judge(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// read reads the subnets and the route tables of the VPC, where its owner has them.
func (v *visit) read(ctx context.Context) error {
	owner, err := v.Account(ctx, v.network.Account)
	if err == nil && owner.Organization == "" {
		err = &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed, Message: "it is outside the organization"}
	}
	if err != nil {
		return err
	}
	v.clients = v.Enter(v.execution, v.network)
	if v.subnets, err = route.ReadSubnets(ctx, v.clients.EC2, v.vpc); err != nil {
		return err
	}
	v.tables, err = route.Read(ctx, v.clients.EC2, v.vpc)
	return err
}

// find returns the notebooks of the end, with their tags: the one by name if it is there to be served, or those of the subnets that are concerned. Of more than are
// brought in line together, it reads no tags.
func (v *visit) find(ctx context.Context) ([]Instance, error) {
	own := v.Enter(v.execution, v.Place).SageMaker
	if v.notebook != "" {
		n, err := describe(ctx, own, v.notebook)
		if err != nil || n == nil {
			return nil, err
		}
		n.Tags, err = ReadTags(ctx, own, n.ARN)
		if err != nil || n.Status == "Deleting" || n.Status == "Failed" {
			return nil, err
		}
		return []Instance{*n}, nil
	}
	concerned := slices.DeleteFunc(slices.Clone(v.subnets), func(s route.Subnet) bool {
		t, _ := route.Of(v.tables, s.ID)
		return v.table != "" && t.ID != v.table
	})
	found, err := All(ctx, own, Memory{Ledger: v.Restarts.Ledger, At: v.Place}, route.SubnetIDs(concerned))
	if err != nil || len(found) > Together {
		return found, err
	}
	return found, Tag(ctx, own, found, func(Instance) bool { return true })
}

// judge adds a notebook to the answer, with the routes that it may have.
func (v *visit) judge(ctx context.Context, n Instance) error {
	s := slices.IndexFunc(v.subnets, func(s route.Subnet) bool { return s.ID == n.Subnet })
	if s < 0 {
		return nil
	}
	one := workflow.Notebook{Account: v.Place.Account, Region: v.Region, VPC: v.vpc, Owner: v.owner(), Name: n.Name, ARN: n.ARN, Subnet: n.Subnet,
		SubnetCIDR: v.subnets[s].V4, SubnetCIDRv6: v.subnets[s].V6, Status: n.Status, DirectInternet: n.DirectInternet, LifecycleConfig: n.LifecycleConfig, Tag: n.Tags[tag.Status], Said: n.Tags[tag.Reason],
		Unclear: tag.Why(n.Tags, tag.Routes, tag.Restart), Asks: n.Tags[tag.Routes] == "on",
		Inject: policy.Decision{Action: policy.Inject, Allowed: true, Policy: "no-routes", Reason: "the route table reaches no other network"}}
	table, _ := route.Of(v.tables, n.Subnet)
	allowed, err := v.allowed(ctx, table, policy.Notebook{ARN: n.ARN, Name: n.Name, Tags: n.Tags, VPC: v.here}, &one)
	if err != nil {
		return err
	}
	if len(allowed) > 0 && !one.Asks {
		connections, err := v.list(ctx)
		if err != nil {
			return err
		}
		if firewall.KeptWhole(n.Groups, keptIn(connections, v.end)) {
			if allowed = overruled(allowed, connections, v.end); len(allowed) == 0 {
				leave(&one, firewall.KeptOut(n.Groups))
			}
		}
	}
	// A configuration has one line for a subnet, so what one notebook of the subnet may reach is there for all
	// that use the configuration; a notebook that may reach nothing is left out of the injection.
	v.reach(n.Subnet, table, allowed)
	v.out.Notebooks = append(v.out.Notebooks, one)
	return nil
}

// list returns the connections of the place of the VPC's owner, read once.
func (v *visit) list(ctx context.Context) (_ []ledger.Connection, err error) {
	if !v.listed {
		v.listed = true
		v.connections, err = v.Restarts.Ledger.Connections(ctx, v.network.Account, v.network.Region)
	}
	return v.connections, err
}

// reach adds routes to what the notebooks of a subnet get.
func (v *visit) reach(subnet string, table workflow.Table, routes []workflow.Route) {
	for i := range v.out.Routed {
		t := &v.out.Routed[i].Tables[0]
		if !slices.Contains(t.Subnets, subnet) {
			continue
		}
		for _, r := range routes {
			if !slices.Contains(t.Routes, r) {
				t.Routes = append(t.Routes, r)
			}
		}
		return
	}
	v.out.Routed = append(v.out.Routed, workflow.AddRoutesOutput{Account: v.network.Account, VPC: v.vpc, Hops: []workflow.Hop{},
		Tables: []workflow.Table{{ID: table.ID, Main: table.Main, Subnets: []string{subnet}, Routes: routes}}})
}
