package notebook

import (
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// keptIn are the security groups in the VPC of an end that their owner keeps out, as the last looks at its connections saw and noted it. As the host routes of a
// notebook are those of what is managed, so it is left out by what was seen there: each look at a connection reads the tags, and asks the policy, anew.
func keptIn(connections []ledger.Connection, at end) []string {
	out := []string{}
	for _, c := range connections {
		out = append(out, firewall.NotedIn(c, workflow.VPC{Account: at.Account, Region: at.Region, ID: at.vpc}, at.owner())...)
	}
	return out
}

// overruled returns those of routes that are of a connection out of which the notebooks' owner keeps nothing, as a policy forbids it.
func overruled(routes []workflow.Route, connections []ledger.Connection, at end) []workflow.Route {
	return slices.DeleteFunc(slices.Clone(routes), func(r workflow.Route) bool {
		return !slices.ContainsFunc(connections, func(c ledger.Connection) bool { return c.Overruled[at.Account] != "" && leads(c, at.vpc, r) })
	})
}

// leave leaves a notebook out as the policy might, because of what its owner keeps out.
func leave(one *workflow.Notebook, why string) {
	one.Inject, one.Unclear = policy.Decision{Action: policy.Inject, Policy: "kept-out"}, "; "+why
}
