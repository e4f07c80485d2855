package notebook

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// deleted asks for a look at each connection that a notebook had which is deleted: its paths go from the verdict, and what was added only for it from the
// network. n is the notebook as SageMaker still shows it, nil if it does no more: then nobody tells in which VPC it was, and each connection of the account
// in this Region is looked at. It says what it did.
func (i Inspector) deleted(ctx context.Context, api EC2, e event.Event, n *Instance) (string, error) {
	at, vpc := e.Place, ""
	if n != nil {
		got, err := api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{n.Subnet}})
		if err != nil {
			return "", fmt.Errorf("reading %s in %s, %s: %w", n.Subnet, e.Account, e.Region, err)
		}
		for _, s := range got.Subnets {
			at, vpc = networkOf(e.Place, s), aws.ToString(s.VpcId)
		}
	}
	l := i.Restarts.Ledger
	all, err := l.Connections(ctx, at.Account, at.Region)
	if err == nil && vpc == "" { // or it was in a subnet of another account's VPC
		var more []ledger.Connection
		more, err = l.Joined(ctx, at.Account, at.Region)
		all = append(all, more...)
	}
	if err != nil {
		return "", err
	}
	var looks []look.Look
	for _, c := range all {
		has := vpc == "" || slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.ID == vpc })
		if !has || !connects(c) && workflow.Result(c.Status) != workflow.Contested {
			continue
		}
		if l, ok := look.At(c, at, "notebook "+e.NotebookName+" is deleted"); ok {
			looks = append(looks, l)
		}
	}
	slog.InfoContext(ctx, "a notebook is deleted", "notebook", e.NotebookName, "vpc", vpc, "looks", len(looks))
	if len(looks) == 0 {
		return fmt.Sprintf("notebook %s is deleted, and no connection had it", e.NotebookName), nil
	}
	return fmt.Sprintf("notebook %s is deleted: a look at %s is asked for", e.NotebookName, fit.Count(len(looks), "connection")), i.Restarts.Ask(ctx, looks...)
}
