package firewall

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/participant"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// TagConnection says to people for which connection a rule was added first.
const TagConnection = "drawbridge:connection"

// TagPeer says on a rule which VPC the connection is with: its account, Region and id, with slashes between. AWS forgets a
// peering or an attachment with its tags some time after its end; the rules stay.
const TagPeer = "drawbridge:peer"

type client interface {
	RuleReader
	DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
	AuthorizeSecurityGroupIngress(context.Context, *ec2.AuthorizeSecurityGroupIngressInput, ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error)
	AuthorizeSecurityGroupEgress(context.Context, *ec2.AuthorizeSecurityGroupEgressInput, ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupEgressOutput, error)
}

// Open makes one side's security groups let the connection's traffic through: its databases admit the peer, its
// clients reach the peer's databases. by is the execution that it is done for.
//
// The owner of a VPC sees the groups of its participants, too: who they are is noted in the connection's entry, and each opens its own on a side
// of its own.
//
// A group that is full does not keep the others from being opened: it is what fails it, once they are.
func Open(ctx context.Context, ec2api client, l ledger.Ledger, by, connection string, side workflow.Side) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	if len(side.Openings) == 0 && len(side.Ports) == 0 {
		return out, noted(ctx, l, connection, side, side.Participants) // as the inspection saw them
	}
	groups, err := readGroups(ctx, ec2api, side.VPC.ID)
	if err != nil {
		return out, err
	}
	groups, others := apart(groups, side.VPC.Account)
	if err := noted(ctx, l, connection, side, participant.Among(slices.Collect(maps.Values(others)), side.VPC.Account)); err != nil {
		return out, err
	}
	o := opening{Ledger: l, ec2api: ec2api, by: by, connection: connection, side: side, groups: groups, others: others, known: map[string]bool{}}
	for _, db := range side.Openings {
		own := o.own(db.Groups)
		if len(own) == 0 && len(db.Groups) > 0 {
			out.Hops = append(out.Hops, workflow.Hop{Hop: "security group of " + db.Database, Detail: fmt.Sprintf(
				"%s belongs to account %s and is only shared with %s: give the database a group of its own account as well", db.Groups[0], others[db.Groups[0]], side.VPC.Account)})
			continue
		}
		db.Groups = own
		wanted := WantedIngress([]workflow.Opening{db}, db.Family(side.Peer.CIDRs))
		done, err := o.open(ctx, wanted, false, together([]workflow.Client{{Groups: db.Groups}}))
		if err != nil {
			return out, fmt.Errorf("opening %s to %s: %w", db.Database, side.Peer.ID, err)
		}
		out.Hops = append(out.Hops, ingressHop(db, side.Peer, wanted, done))
	}
	egress, err := o.openEgress(ctx)
	if err != nil {
		return out, err
	}
	out.Hops = append(out.Hops, egress...)
	if err := fault.Join(o.unfit...); err != nil {
		return out, fmt.Errorf("opening %s to %s: %w", side.VPC.ID, side.Peer.ID, err)
	}
	return out, nil
}

// opening opens the groups of one side.
type opening struct {
	ledger.Ledger
	ec2api     client
	by         string
	connection string
	side       workflow.Side
	groups     []Group
	others     map[string]string // groups that only are shared with this account, with their owners
	items      []ledger.Item     // of the groups that were looked at
	known      map[string]bool   // these groups
	unfit      []error           // of groups that take no rule, or none any more
}

// open lets the wanted traffic through in one direction, as far as the groups take rules.
func (o *opening) open(ctx context.Context, wanted []Wanted, egress bool, together map[string][]string) (Changes, error) {
	if err := o.look(ctx, wanted, together); err != nil {
		return Changes{}, err
	}
	changes := Plan(o.connection, wanted, egress, o.groups, together, o.items)
	_, left, err := contest.Contest{Ledger: o.Ledger}.Missing(ctx, o.connection, o.by, Lost(changes, egress, o.items))
	if err != nil {
		return changes, err
	}
	changes.Add = slices.DeleteFunc(changes.Add, func(w Wanted) bool { return itemOf(left, w.Group, Key(w.Rule, egress)) != nil })
	changes.Contested = append(changes.Contested, left...)
	if err := o.Cancel(ctx, o.connection, changes.Drop); err != nil {
		return changes, err
	}
	if err := o.share(ctx, changes.Share); err != nil {
		return changes, err
	}
	byGroup, order := map[string][]Wanted{}, []string(nil)
	for _, w := range changes.Add {
		if byGroup[w.Group] == nil {
			order = append(order, w.Group)
		}
		byGroup[w.Group] = append(byGroup[w.Group], w)
	}
	for _, group := range order {
		if !slices.ContainsFunc(o.groups, func(g Group) bool { return g.ID == group }) {
			o.unfit = append(o.unfit, fault.NewConflict(fmt.Sprintf("security group %s is not in the VPC", group), "give the database or client a security group of its own VPC, then redrive the execution"))
			continue
		}
		err := o.authorize(ctx, group, egress, byGroup[group])
		if fault.HasCode(err, "RulesPerSecurityGroupLimitExceeded") {
			err = fault.NewConflict(fmt.Sprintf("security group %s is full: %v", group, err), "raise the quota \"Inbound or outbound rules per security group\" or remove rules nobody needs, then redrive the execution")
		}
		if fault.Passing(err) {
			return changes, fmt.Errorf("authorizing in %s: %w", group, err)
		}
		if err != nil {
			o.unfit = append(o.unfit, fmt.Errorf("authorizing in %s: %w", group, err))
			continue
		}
		for n := range o.groups { // two databases, or two clients, may share a group
			if g := &o.groups[n]; g.ID == group {
				for _, w := range byGroup[group] {
					if egress {
						g.Egress = append(slices.Clip(g.Egress), w.Rule)
					} else {
						g.Ingress = append(slices.Clip(g.Ingress), w.Rule)
					}
				}
			}
		}
	}
	return changes, nil
}

// look reads what the ledger has of the groups that may serve.
func (o *opening) look(ctx context.Context, wanted []Wanted, together map[string][]string) error {
	for _, w := range wanted {
		for _, group := range append([]string{w.Group}, together[w.Group]...) {
			if o.known[group] {
				continue
			}
			items, err := o.Of(ctx, o.side.VPC.Account, o.side.VPC.Region, group)
			if err != nil {
				return err
			}
			o.items, o.known[group] = append(o.items, items...), true
		}
	}
	return nil
}

// share writes that the connection needs rules that are there, and confirms those whose answer was lost.
func (o *opening) share(ctx context.Context, items []ledger.Item) error {
	recorded, err := o.Record(ctx, o.connection, items...)
	if err != nil {
		return err
	}
	var lost []ledger.Item
	for _, i := range recorded {
		if i.Busy(o.by, o.Now()) {
			return fault.New(fault.NotYet, "rule %s of %s: another execution is adding it", i.Key, i.Resource)
		}
		if i.State == ledger.Intended {
			lost = append(lost, i)
		}
		o.note(i)
	}
	return o.confirm(ctx, lost, nil)
}

// note keeps an item as the ledger has it by now.
func (o *opening) note(i ledger.Item) {
	o.items = append(slices.DeleteFunc(o.items, i.Same), i)
}

// confirm writes under which ids the rules of items are held. added are those that the call told of.
func (o *opening) confirm(ctx context.Context, items []ledger.Item, added []Held) error {
	var groups []string
	for _, i := range items {
		if !slices.ContainsFunc(added, func(h Held) bool { return h.Group == i.Resource && h.Key == i.Key }) {
			groups = append(groups, i.Resource)
		}
	}
	more, err := readHeld(ctx, o.ec2api, groups)
	if err != nil {
		return err
	}
	added = append(slices.Clip(added), more...)
	var done []ledger.Item
	for _, i := range items {
		n := slices.IndexFunc(added, func(h Held) bool { return h.Group == i.Resource && h.Key == i.Key })
		if n < 0 {
			return fault.New(fault.NotYet, "EC2 does not show rule %s of %s, which it took", i.Key, i.Resource)
		}
		i.Left = added[n].ID
		done = append(done, i)
	}
	confirmed, err := o.Confirm(ctx, done...)
	for _, i := range confirmed {
		o.note(i)
	}
	return err
}

// authorize adds rules to a group: in one call, or, if one of them is there already, each by itself.
func (o *opening) authorize(ctx context.Context, group string, egress bool, rules []Wanted) error {
	var fresh []bool
	var items []ledger.Item
	for _, w := range rules {
		key := Key(w.Rule, egress)
		fresh = append(fresh, itemOf(o.items, group, key) == nil)
		items = append(items, ledger.Item{Account: o.side.VPC.Account, Region: o.side.VPC.Region, Resource: group, Kind: ledger.Rule, Key: key, By: o.by})
	}
	recorded, err := o.Record(ctx, o.connection, items...)
	if err != nil {
		return err
	}
	for n, i := range recorded {
		if i.Busy(o.by, o.Now()) {
			return fault.New(fault.NotYet, "rule %s: another execution is adding it", i.Key)
		}
		if i.State != ledger.Intended || i.By != o.by || i.Left != "" { // taken away, and put back now; or intended by an execution that is over
			if recorded[n], err = o.Mark(ctx, i, func(now *ledger.Item) {
				now.State, now.Left, now.By, now.At = ledger.Intended, "", o.by, o.Now().UTC().Truncate(time.Second)
			}); err != nil {
				return err
			}
		}
		o.note(recorded[n])
	}
	added, err := o.call(ctx, group, egress, rules)
	if err == nil {
		return o.confirm(ctx, recorded, added)
	}
	// "InvalidPermission.Duplicate": somebody added the very same rule. With several rules in one call AWS adds none of them.
	if fault.HasCode(err, "InvalidPermission.Duplicate") && len(rules) > 1 {
		var unfit []error
		for n := range rules {
			err := o.one(ctx, group, egress, rules[n], recorded[n], fresh[n])
			if fault.Passing(err) {
				return err
			}
			unfit = append(unfit, err)
		}
		return fault.Join(unfit...)
	}
	var unfit []error
	for n := range rules {
		unfit = append(unfit, o.settle(ctx, recorded[n], fresh[n], err))
	}
	return cmp.Or(unfit...)
}

func (o *opening) one(ctx context.Context, group string, egress bool, rule Wanted, item ledger.Item, fresh bool) error {
	added, err := o.call(ctx, group, egress, []Wanted{rule})
	if err == nil {
		return o.confirm(ctx, []ledger.Item{item}, added)
	}
	return o.settle(ctx, item, fresh, err)
}

// settle says in the ledger what a call did not do. A rule that is there already is somebody else's, unless an earlier attempt
// may have added it.
func (o *opening) settle(ctx context.Context, item ledger.Item, fresh bool, err error) error {
	duplicate := fault.HasCode(err, "InvalidPermission.Duplicate")
	switch {
	case duplicate && !fresh:
		return o.confirm(ctx, []ledger.Item{item}, nil)
	case fresh && !fault.Passing(err):
		if err := o.Cancel(ctx, o.connection, []ledger.Item{item}); err != nil {
			return err
		}
		o.items = slices.DeleteFunc(o.items, item.Same)
	}
	if duplicate {
		return nil
	}
	return err
}

// call adds rules to a group, and returns them as EC2 holds them.
func (o *opening) call(ctx context.Context, group string, egress bool, rules []Wanted) ([]Held, error) {
	preposition := "from"
	if egress {
		preposition = "to"
	}
	description := fit.Description(fmt.Sprintf("Drawbridge: %s %s %s in %s", o.connection, preposition, o.side.Peer.ID, o.side.Peer.Account))
	var permissions []types.IpPermission
	for _, w := range rules {
		permissions = append(permissions, permission(w.Rule, description))
	}
	once := func(opts *ec2.Options) { opts.Retryer = fault.Once() }
	tags := ruleTags(o.connection, o.side.Peer)
	slog.InfoContext(ctx, "authorizing", "group", group, "egress", egress, "count", len(rules))
	if egress {
		got, err := o.ec2api.AuthorizeSecurityGroupEgress(ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &group, IpPermissions: permissions, TagSpecifications: tags}, once)
		if err != nil {
			return nil, err
		}
		return held(got.SecurityGroupRules), nil
	}
	got, err := o.ec2api.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: permissions, TagSpecifications: tags}, once)
	if err != nil {
		return nil, err
	}
	return held(got.SecurityGroupRules), nil
}

func (o *opening) openEgress(ctx context.Context) ([]workflow.Hop, error) {
	side := o.side
	if len(side.Ports) == 0 {
		return nil, nil
	}
	if OpenEverywhere(unlike(o.groups, side.Ports, side.Peer.CIDRs), side.Ports, side.Peer.CIDRs) {
		return []workflow.Hop{{Hop: "egress " + of(side), OK: true, Detail: "every security group lets TCP " + join(side.Ports) + " out already"}}, nil
	}
	using, count := slices.Clone(side.Clients), 0
	for n := range using {
		using[n].Groups = o.own(using[n].Groups)
		count += using[n].Count
	}
	done, err := o.open(ctx, WantedEgress(using, side.Ports, side.Peer.CIDRs), true, together(using))
	if err != nil {
		return nil, fmt.Errorf("letting clients of %s out to %s: %w", side.VPC.ID, side.Peer.ID, err)
	}
	hop := workflow.Hop{Hop: "egress " + of(side), OK: len(done.Contested) == 0,
		Detail: fmt.Sprintf("%d clients, TCP %s, %d rules added", count, join(side.Ports), len(done.Add)) + side.Overlooked}
	if !hop.OK {
		hop.Detail += "; " + contested(done.Contested)
	}
	return []workflow.Hop{hop}, nil
}

// contested says of which rules others take care.
func contested(items []ledger.Item) string {
	i := items[0]
	return fmt.Sprintf("%s of %s %s", i.Key, i.Resource, contest.How(i))
}

func ingressHop(o workflow.Opening, peer workflow.VPC, wanted []Wanted, done Changes) workflow.Hop {
	hop := workflow.Hop{Hop: "security group of " + o.Database, OK: true}
	switch {
	case len(o.Groups) == 0:
		hop.OK, hop.Detail = false, "the database has no VPC security group"
		return hop
	case len(wanted) == 0:
		hop.OK, hop.Detail = false, fmt.Sprintf("the database has IPv4 addresses only, and nothing of %s that comes here has one", peer.ID)
		return hop
	case len(done.Contested) > 0:
		hop.OK, hop.Detail = false, contested(done.Contested)
		return hop
	}
	state := "was open"
	if len(done.Add) > 0 {
		state = "opened"
	}
	var cidrs []string
	for _, c := range o.Family(peer.CIDRs) {
		cidrs = append(cidrs, c.String())
	}
	hop.Detail = fmt.Sprintf("%s %s: TCP %d from %s", wanted[0].Group, state, o.Port, strings.Join(cidrs, ", "))
	return hop
}

func permission(r Rule, description string) types.IpPermission {
	out := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(int32(r.From)), ToPort: aws.Int32(int32(r.To))}
	if r.CIDR.Addr().Is4() {
		out.IpRanges = []types.IpRange{{CidrIp: aws.String(r.CIDR.String()), Description: &description}}
	} else {
		out.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: aws.String(r.CIDR.String()), Description: &description}}
	}
	return out
}

func ruleTags(connection string, with workflow.VPC) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroupRule, Tags: []types.Tag{
		{Key: aws.String(TagConnection), Value: &connection},
		{Key: aws.String(TagPeer), Value: aws.String(with.Account + "/" + with.Region + "/" + with.ID)}}}}
}

// together maps each client's first group to all groups on the same interface.
func together(clients []workflow.Client) map[string][]string {
	out := map[string][]string{}
	for _, c := range clients {
		if len(c.Groups) == 0 {
			continue
		}
		first := slices.Min(c.Groups)
		if _, shared := out[first]; shared {
			// Another client has the same first group but perhaps not the same others: only the first serves both.
			out[first] = slices.DeleteFunc(slices.Clone(out[first]), func(g string) bool { return !slices.Contains(c.Groups, g) })
			continue
		}
		out[first] = c.Groups
	}
	return out
}

func join(ports []int) string {
	var out []string
	for _, p := range ports {
		out = append(out, fmt.Sprint(p))
	}
	return strings.Join(out, ", ")
}
