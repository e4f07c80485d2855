package firewall

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// TagConnection says to people for which connection a rule was added first.
const TagConnection = "drawbridge:connection"

// TagPeer says on a rule which VPC the connection is with: its account, Region and id, with slashes between. AWS forgets a
// peering or an attachment with its tags some time after its end; the rules stay.
const TagPeer = "drawbridge:peer"

type client interface {
	RuleReader
	route.ListReader
	DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
	DescribeNetworkInterfaces(context.Context, *ec2.DescribeNetworkInterfacesInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error)
	AuthorizeSecurityGroupIngress(context.Context, *ec2.AuthorizeSecurityGroupIngressInput, ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error)
	AuthorizeSecurityGroupEgress(context.Context, *ec2.AuthorizeSecurityGroupEgressInput, ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupEgressOutput, error)
}

// opening opens the groups of one side.
type opening struct {
	ledger.Ledger
	ec2api     client
	by         string
	connection string
	side       workflow.Side
	groups     []Group
	lists      map[string][]netip.Prefix  // the entries of the prefix lists that were read, nil of one that cannot be
	at         time.Time                  // when they were read
	handed     bool                       // by the inspection, and not here
	others     map[string]string          // groups that only are shared with this account, with their owners
	items      []ledger.Item              // of the groups that were looked at
	known      map[string]bool            // these groups
	uses       *[]Interface               // what has the databases' groups, once that was read
	wanted     []Wanted                   // all of it
	unserved   []workflow.AllowedDatabase // the databases that no group of theirs may be opened for
	contested  bool                       // somebody keeps taking away something of it
	full       bool                       // a group takes no rule, or none any more
	overruled  []string                   // of the databases' groups, those that are not kept out though their owner says so
	failed     []error                    // of groups in which a rule could not be added, for no reason of their owners'
}

// open lets the wanted traffic through in one direction, as far as the groups take rules.
func (o *opening) open(ctx context.Context, wanted []Wanted, egress bool, together map[string][]string) (Changes, error) {
	if err := o.look(ctx, wanted, together); err != nil {
		return Changes{}, err
	}
	if err := o.readLists(ctx, wanted, egress, together); err != nil {
		return Changes{}, err
	}
	changes := Plan(o.connection, wanted, egress, o.listed(), together, o.items)
	_, left, err := contest.Contest{Ledger: o.Ledger}.Missing(ctx, o.connection, o.by, Lost(changes, egress, o.items))
	if err != nil {
		return changes, err
	}
	changes.Add = slices.DeleteFunc(changes.Add, func(w Wanted) bool { return itemOf(left, w.Group, Key(w.Rule, egress)) != nil })
	changes.Contested = append(changes.Contested, left...)
	o.contested = o.contested || len(changes.Contested) > 0
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
	changes.Full = map[string]error{}
	for _, group := range order {
		err := o.add(ctx, group, egress, byGroup[group])
		switch {
		case fault.Passing(err):
			return changes, err
		case fault.Of(err) == fault.Conflict:
			changes.Full[group], o.full = err, true
			continue
		case err != nil:
			o.failed = append(o.failed, err)
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

// add adds rules to a group. A [fault.Conflict] says that it takes none, and what a person does about that.
func (o *opening) add(ctx context.Context, group string, egress bool, rules []Wanted) error {
	if !slices.ContainsFunc(o.groups, func(g Group) bool { return g.ID == group }) {
		return fault.NewConflict(fmt.Sprintf("security group %s is not in the VPC", group), "give the database or client a security group of its own VPC")
	}
	err := o.authorize(ctx, group, egress, rules)
	if fault.HasCode(err, "RulesPerSecurityGroupLimitExceeded") {
		return fault.NewConflict(fmt.Sprintf("security group %s is full: %v", group, err), "raise the quota \"Inbound or outbound rules per security group\" or remove rules nobody needs")
	}
	if err != nil {
		return fmt.Errorf("authorizing in %s: %w", group, err)
	}
	return nil
}

// look reads what the ledger has of the groups that may serve.
func (o *opening) look(ctx context.Context, wanted []Wanted, together map[string][]string) error {
	for _, w := range wanted {
		if err := o.lookAt(ctx, append([]string{w.Group}, together[w.Group]...)); err != nil {
			return err
		}
	}
	return nil
}

// lookAt reads what the ledger has of groups, of each once.
func (o *opening) lookAt(ctx context.Context, groups []string) error {
	for _, group := range groups {
		if o.known[group] {
			continue
		}
		items, err := o.Of(ctx, o.side.VPC.Account, o.side.VPC.Region, group)
		if err != nil {
			return err
		}
		o.items, o.known[group] = append(o.items, items...), true
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
	case !fresh && !fault.Passing(err):
		if err := o.GiveUp(ctx, item); err != nil {
			return err
		}
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
		permissions = append(permissions, permission(w, description))
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

func permission(w Wanted, description string) types.IpPermission {
	r := w.Rule
	out := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(int32(r.From)), ToPort: aws.Int32(int32(r.To))}
	switch {
	case r.Other != "":
		// "include the account number with the ID of the security group": https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
		out.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &r.Other, UserId: &w.Account, Description: &description}}
	case r.CIDR.Addr().Is4():
		out.IpRanges = []types.IpRange{{CidrIp: aws.String(r.CIDR.String()), Description: &description}}
	default:
		out.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: aws.String(r.CIDR.String()), Description: &description}}
	}
	return out
}

func ruleTags(connection string, with workflow.VPC) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroupRule, Tags: []types.Tag{
		{Key: aws.String(TagConnection), Value: &connection},
		{Key: aws.String(TagPeer), Value: aws.String(with.Account + "/" + with.Region + "/" + with.ID)}}}}
}
