package notebook

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// kept returns the security groups in the VPC of an end that their owner keeps out, as the last looks at its connections saw and noted it.
func (i Inspector) kept(ctx context.Context, at end) ([]string, error) {
	connections, err := i.Restarts.Ledger.Connections(ctx, at.network.Account, at.network.Region)
	return keptIn(connections, at), err
}

// keptIn are those that entries note. As the host routes of a notebook are those of what is managed, so it is left out by what was seen there: each look at a
// connection reads the tags anew.
func keptIn(connections []ledger.Connection, at end) []string {
	out := []string{}
	for _, c := range connections {
		out = append(out, firewall.NotedIn(c, workflow.VPC{Account: at.Account, Region: at.Region, ID: at.vpc}, at.owner())...)
	}
	return out
}

// leave leaves a notebook out as the policy might, because of what its owner keeps out.
func leave(one *workflow.Notebook, why string) {
	one.Inject, one.Unclear = policy.Decision{Action: policy.Inject, Policy: "kept-out"}, "; "+why
}
