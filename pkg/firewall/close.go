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
func Close(ctx context.Context, ec2api revoker, l ledger.Ledger, by, connection string, side workflow.Side) (workflow.HopsOutput, error) {
	c := closing{ec2api: ec2api, Ledger: l, by: by, connection: connection, side: side, hops: []workflow.Hop{}}
	for range rounds {
		if over, err := c.round(ctx); over || err != nil {
			return workflow.HopsOutput{Hops: c.hops}, err
		}
	}
	return workflow.HopsOutput{Hops: c.hops}, fault.New(fault.Transient, "closing the security groups of %s: rules of %s kept appearing under %d attempts", side.VPC.ID, connection, rounds)
}

// closing is the work of [Close].
type closing struct {
	ledger.Ledger
	ec2api         revoker
	by, connection string
	side           workflow.Side
	hops           []workflow.Hop
}

func (c *closing) say(group, detail string, args ...any) {
	c.hops = append(c.hops, workflow.Hop{Hop: "security group " + group, OK: true, Detail: fmt.Sprintf(detail, args...)})
}

// round reads what the ledger has left and revokes it. It reports whether there was nothing.
func (c *closing) round(ctx context.Context) (over bool, err error) {
	items, contested, busy, err := c.items(ctx)
	if err != nil {
		return false, err
	}
	if len(items)+len(contested)+len(busy) == 0 {
		if len(c.hops) == 0 {
			detail := "no rule of " + c.connection
			if c.side.Trim != nil {
				detail += " has to go"
			}
			c.hops = append(c.hops, workflow.Hop{Hop: "security groups of " + c.side.VPC.ID, OK: true, Detail: detail})
		}
		return true, nil
	}
	if err := c.Cancel(ctx, c.connection, contested); err != nil {
		return false, err
	}
	leaving, err := c.Release(ctx, c.connection, items)
	if err != nil {
		return false, err
	}
	for _, i := range items {
		if !slices.ContainsFunc(leaving, i.Same) {
			c.say(i.Resource, "%s stays for %s", i.Key, strings.Join(slices.DeleteFunc(slices.Clone(i.Needed), func(n string) bool { return n == c.connection }), ", "))
		}
	}
	unfit, err := c.revoke(ctx, leaving)
	if err != nil {
		return false, err
	}
	if len(busy) > 0 {
		unfit = append(unfit, fault.New(fault.NotYet, "another execution is adding rule %s to %s", busy[0].Key, busy[0].Resource))
	}
	return false, fault.Join(unfit...)
}

// items returns the rules of the side that the ledger has for the connection: those to close, those that are left to who contested them, and those
// that another execution is about to add.
func (c *closing) items(ctx context.Context) (items, contested, busy []ledger.Item, err error) {
	all, err := c.Items(ctx, c.connection)
	for _, i := range all {
		trimmed := c.side.Trim == nil || slices.Contains(c.side.Trim.Rules, i.Left)
		switch {
		case i.Kind != ledger.Rule || i.Account != c.side.VPC.Account || i.Region != c.side.VPC.Region || !trimmed:
		case i.State == ledger.Contested:
			contested = append(contested, i)
		case i.Busy(c.by, c.Now()):
			busy = append(busy, i)
		default:
			items = append(items, i)
		}
	}
	return items, contested, busy, err
}

// revoke revokes the rules of items, as far as they are as they were left. It returns what kept it from groups that cannot be changed.
func (c *closing) revoke(ctx context.Context, items []ledger.Item) (unfit []error, err error) {
	var groups []string
	for _, i := range items {
		groups = append(groups, i.Resource)
	}
	rules, err := readHeld(ctx, c.ec2api, groups)
	if err != nil {
		return nil, err
	}
	plan := PlanRemoval(items, rules)
	for _, i := range plan.Others {
		c.say(i.Resource, "%s (%s) admits something else by now: somebody changed it, and it stays", i.Left, i.Key)
	}
	if err := c.Forget(ctx, c.connection, append(plan.Gone, plan.Others...)); err != nil {
		return nil, err
	}
	for _, r := range plan.Revoke {
		revoked, err := revoke(ctx, c.ec2api, r)
		if err != nil {
			unfit = append(unfit, fmt.Errorf("revoking in %s: %w", r.Group, err))
		}
		if !revoked {
			continue
		}
		for _, rule := range r.Rules {
			c.say(r.Group, "%s revoked", rule.Allows)
		}
		if err := c.Forget(ctx, c.connection, r.Items); err != nil {
			return nil, err
		}
	}
	return unfit, nil
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
