package firewall

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type revoker interface {
	RuleReader
	RevokeSecurityGroupIngress(context.Context, *ec2.RevokeSecurityGroupIngressInput, ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error)
	RevokeSecurityGroupEgress(context.Context, *ec2.RevokeSecurityGroupEgressInput, ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupEgressOutput, error)
}

// rounds bounds how often Close reads, plans and applies. Two are enough unless somebody else does the same meanwhile.
const rounds = 4

// Close revokes the rules of one side's account and Region that the ledger says were added for the connection and that nobody else
// needs, as far as they are as they were left. While the connection stays, it revokes only those that side.Trim names. by is the
// execution that it is done for. It ends when the ledger has none left: that is the proof.
//
// A group that cannot be changed does not keep the others from being closed: it is what fails it, once they are.
// Long, because reading, revoking and proving are one loop over the same items.
func Close(ctx context.Context, ec2api revoker, l ledger.Ledger, by, connection string, side workflow.Side) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	say := func(group, detail string, args ...any) {
		out.Hops = append(out.Hops, workflow.Hop{Hop: "security group " + group, OK: true, Detail: fmt.Sprintf(detail, args...)})
	}
	for range rounds {
		all, err := l.Items(ctx, connection)
		if err != nil {
			return out, err
		}
		var items, contested, busy []ledger.Item
		for _, i := range all {
			trimmed := side.Trim == nil || slices.Contains(side.Trim.Rules, i.Left)
			switch {
			case i.Kind != ledger.Rule || i.Account != side.VPC.Account || i.Region != side.VPC.Region || !trimmed:
			case i.State == ledger.Contested:
				contested = append(contested, i)
			case i.Busy(by, l.Now()):
				busy = append(busy, i)
			default:
				items = append(items, i)
			}
		}
		if len(items)+len(contested)+len(busy) == 0 {
			if len(out.Hops) == 0 {
				detail := "no rule of " + connection
				if side.Trim != nil {
					detail += " has to go"
				}
				out.Hops = append(out.Hops, workflow.Hop{Hop: "security groups of " + side.VPC.ID, OK: true, Detail: detail})
			}
			return out, nil
		}
		if err := l.Cancel(ctx, connection, contested); err != nil {
			return out, err
		}
		leaving, err := l.Release(ctx, connection, items)
		if err != nil {
			return out, err
		}
		for _, i := range items {
			if !slices.ContainsFunc(leaving, i.Same) {
				say(i.Resource, "%s stays for %s", i.Key, strings.Join(slices.DeleteFunc(slices.Clone(i.Needed), func(n string) bool { return n == connection }), ", "))
			}
		}
		var groups []string
		for _, i := range leaving {
			groups = append(groups, i.Resource)
		}
		rules, err := readHeld(ctx, ec2api, groups)
		if err != nil {
			return out, err
		}
		plan := PlanRemoval(leaving, rules)
		for _, i := range plan.Others {
			say(i.Resource, "%s (%s) admits something else by now: somebody changed it, and it stays", i.Left, i.Key)
		}
		if err := l.Forget(ctx, connection, append(plan.Gone, plan.Others...)); err != nil {
			return out, err
		}
		var unfit []error
		for _, r := range plan.Revoke {
			revoked, err := revoke(ctx, ec2api, r)
			if err != nil {
				unfit = append(unfit, fmt.Errorf("revoking in %s: %w", r.Group, err))
			}
			if !revoked {
				continue
			}
			for _, rule := range r.Rules {
				say(r.Group, "%s revoked", rule.Allows)
			}
			if err := l.Forget(ctx, connection, r.Items); err != nil {
				return out, err
			}
		}
		if len(busy) > 0 {
			unfit = append(unfit, fault.New(fault.NotYet, "another execution is adding rule %s to %s", busy[0].Key, busy[0].Resource))
		}
		if err := fault.Join(unfit...); err != nil {
			return out, err
		}
	}
	return out, fault.New(fault.Transient, "closing the security groups of %s: rules of %s kept appearing under %d attempts", side.VPC.ID, connection, rounds)
}

// revoke makes one call. Rules are named by their ids, so nothing else that admits the same traffic can be meant.
func revoke(ctx context.Context, ec2api revoker, r Revocation) (revoked bool, err error) {
	var ids []string
	for _, rule := range r.Rules {
		ids = append(ids, rule.ID)
	}
	slog.InfoContext(ctx, "revoking", "group", r.Group, "egress", r.Egress, "count", len(ids))
	if r.Egress {
		_, err = ec2api.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &r.Group, SecurityGroupRuleIds: ids})
	} else {
		_, err = ec2api.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &r.Group, SecurityGroupRuleIds: ids})
	}
	// "an InvalidPermission.NotFound client error is returned, and no rules are revoked": one of them, or the whole
	// group, went meanwhile; the next look tells what is left.
	if fault.HasCode(err, "InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound") {
		return false, nil
	}
	return err == nil, err
}
