// Package dnsoption turns on the DNS options of a peering, and puts them back as they were.
//
// With its option on, a side lets the peer resolve its public DNS names to private addresses. Each side sets only its own, by its own
// account, and only while the peering is active. One that was on before is its owner's and stays on.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html
package dnsoption

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what setting an option needs of EC2.
type EC2 interface {
	ModifyVpcPeeringConnectionOptions(context.Context, *ec2.ModifyVpcPeeringConnectionOptionsInput, ...func(*ec2.Options)) (*ec2.ModifyVpcPeeringConnectionOptionsOutput, error)
}

// The words of an item: how an option was, and how it was left.
const on, off = "on", "off"

func item(by string, c workflow.Connection, s workflow.Side) ledger.Item {
	return ledger.Item{Account: s.VPC.Account, Region: s.VPC.Region, Resource: c.ID, Kind: ledger.DNSOption, Key: s.Role, Before: off, Left: on, By: by}
}

// Allow turns the option of each side on that does not have it, as the ledger is told first. by is the execution that it is done for. One that somebody
// turned off is turned on once more, and then left to them: see package contest.
// It fails with [fault.NotYet] while the peering is not active.
func Allow(ctx context.Context, enter func(workflow.VPC) EC2, l ledger.Ledger, by string, c workflow.Connection, sides []workflow.Side) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	known, err := l.Items(ctx, c.ID)
	if err != nil {
		return out, err
	}
	for _, s := range sides {
		if s.Owner != "" { // the option is the VPC's owner's
			continue
		}
		hop, wanted := workflow.Hop{Hop: "DNS option " + s.Role, OK: true, Detail: "was on"}, item(by, c, s)
		switch {
		case !s.DNS:
			left, err := lost(ctx, l, by, c, known, wanted)
			if err != nil {
				return out, err
			}
			if left != nil {
				hop.OK, hop.Detail = false, contest.How(*left)
				break
			}
			recorded, err := l.Record(ctx, c.ID, wanted)
			if err != nil {
				return out, err
			}
			slog.InfoContext(ctx, "allowing DNS resolution", "peering", c.ID, "side", s.Role)
			if hop.OK, err = set(ctx, enter(s.VPC), c.ID, s.Role, true); err != nil {
				// "OperationNotPermitted": also for a peering that is not active any more. The machine waits a little, for one
				// that is about to be, and then looks again.
				if fault.HasCode(err, "OperationNotPermitted", "InvalidStateTransition") {
					return out, fault.New(fault.NotYet, "allowing DNS resolution on the %s side of %s: it is not active (any more): %v", s.Role, c.ID, err)
				}
				return out, fmt.Errorf("allowing DNS resolution on the %s side of %s: %w", s.Role, c.ID, err)
			}
			hop.Detail = "turned on"
			if _, err := l.Confirm(ctx, recorded...); err != nil {
				return out, err
			}
		default:
			if err := settle(ctx, l, c, known, wanted); err != nil {
				return out, err
			}
		}
		out.Hops = append(out.Hops, hop)
	}
	return out, nil
}

// lost judges an option that is off although Drawbridge turned it on, and returns its entry if it is left to who turned it off; else nil.
func lost(ctx context.Context, l ledger.Ledger, by string, c workflow.Connection, known []ledger.Item, wanted ledger.Item) (*ledger.Item, error) {
	if !slices.ContainsFunc(known, wanted.Same) {
		return nil, nil
	}
	_, left, err := contest.Contest{Ledger: l}.Missing(ctx, c.ID, by, []ledger.Item{wanted})
	if err != nil || len(left) == 0 {
		return nil, err
	}
	return &left[0], nil
}

// settle writes what the ledger has of an option that is on:
//
//	intended  → confirmed: the answer of the call was lost
//	contested → forgotten: its owner turned it on
func settle(ctx context.Context, l ledger.Ledger, c workflow.Connection, known []ledger.Item, wanted ledger.Item) error {
	for _, i := range known {
		switch {
		case !i.Same(wanted):
		case i.State == ledger.Intended:
			if _, err := l.Confirm(ctx, i); err != nil {
				return err
			}
		case i.State == ledger.Contested:
			if err := l.Cancel(ctx, c.ID, []ledger.Item{i}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Restore turns the option of each side off that was off before Drawbridge. With a peering that is not active any more its options
// are gone, and the ledger forgets them. It asks for nothing on a side that is not among sides.
func Restore(ctx context.Context, enter func(workflow.VPC) EC2, l ledger.Ledger, c workflow.Connection, sides []workflow.Side) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	items, err := l.Items(ctx, c.ID)
	if err != nil {
		return out, err
	}
	var unfit []error
	for _, s := range sides {
		var own []ledger.Item
		for _, i := range items {
			if i.Same(item("", c, s)) {
				own = append(own, i)
			}
		}
		leaving, err := l.Release(ctx, c.ID, own)
		if err != nil {
			return out, err
		}
		for _, i := range leaving {
			slog.InfoContext(ctx, "putting back DNS option", "peering", c.ID, "side", s.Role)
			hop := workflow.Hop{Hop: "DNS option " + s.Role, OK: true, Detail: "off again, as it was before"}
			_, err := set(ctx, enter(s.VPC), c.ID, s.Role, false)
			switch {
			case fault.HasCode(err, "OperationNotPermitted", "InvalidStateTransition", "InvalidVpcPeeringConnectionID.NotFound"):
				hop.Detail = "gone with the peering"
			case err != nil:
				unfit = append(unfit, fmt.Errorf("putting back the DNS option on the %s side of %s: %w", s.Role, c.ID, err))
				continue
			}
			if err := l.Forget(ctx, c.ID, []ledger.Item{i}); err != nil {
				return out, err
			}
			out.Hops = append(out.Hops, hop)
		}
	}
	return out, fault.Join(unfit...)
}

// set sets the option of one side, and reports whether EC2 has it on then.
func set(ctx context.Context, api EC2, peering, role string, to bool) (bool, error) {
	options := &types.PeeringConnectionOptionsRequest{AllowDnsResolutionFromRemoteVpc: &to}
	in := &ec2.ModifyVpcPeeringConnectionOptionsInput{VpcPeeringConnectionId: &peering}
	if role == "requester" {
		in.RequesterPeeringConnectionOptions = options
	} else {
		in.AccepterPeeringConnectionOptions = options
	}
	got, err := api.ModifyVpcPeeringConnectionOptions(ctx, in)
	if err != nil {
		return false, err
	}
	now := got.AccepterPeeringConnectionOptions
	if role == "requester" {
		now = got.RequesterPeeringConnectionOptions
	}
	return now != nil && aws.ToBool(now.AllowDnsResolutionFromRemoteVpc), nil
}
