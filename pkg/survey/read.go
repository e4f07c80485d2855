package survey

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// VPC reads a VPC of an account and its route tables.
func (s Surveyor) VPC(ctx context.Context, at event.Place, id string, account workflow.AccountFacts) (*workflow.Facts, error) {
	ec2api := s.Enter(at).EC2
	got, err := ec2api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{id}})
	if err == nil && len(got.Vpcs) == 0 {
		err = fault.New(fault.NotYet, "EC2 does not show it")
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s in %s, %s: %w", id, at.Account, at.Region, err)
	}
	facts := &workflow.Facts{Account: account, DHCP: aws.ToString(got.Vpcs[0].DhcpOptionsId), VPC: workflow.VPC{Account: at.Account, Region: at.Region, ID: id, CIDRs: route.CIDRs(got.Vpcs[0])}}
	tags := map[string]string{}
	for _, t := range got.Vpcs[0].Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	facts.Tags = tag.Clean(tag.VPC, tags)
	facts.Name = facts.Tags["Name"]
	if facts.Tables, err = route.Read(ctx, ec2api, id); err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
	}
	return facts, nil
}

// Pair reads two VPCs with those routes of each that touch the other's CIDRs. What leads to target stays in view even if the
// peer has no such addresses any more.
func (s Surveyor) Pair(ctx context.Context, target string, first, second func(context.Context) (*workflow.Facts, error)) (*workflow.Facts, *workflow.Facts, error) {
	var f, g *workflow.Facts
	err := Both(
		func() (err error) { f, err = first(ctx); return },
		func() (err error) { g, err = second(ctx); return })
	if err != nil {
		return nil, nil, err
	}
	f.Tables = route.Touching(f.Tables, append(route.Through(f.Tables, target), g.VPC.CIDRs...))
	g.Tables = route.Touching(g.Tables, append(route.Through(g.Tables, target), f.VPC.CIDRs...))
	return f, g, nil
}

// HaveNotebooks says of each VPC, by id, whether it has notebook instances.
func (s Surveyor) HaveNotebooks(ctx context.Context, vpcs ...workflow.VPC) (map[string]bool, error) {
	out := map[string]bool{}
	for _, v := range vpcs {
		clients := s.Enter(v.Place())
		subnets, err := route.ReadSubnets(ctx, clients.EC2, v.ID)
		if err != nil {
			return nil, fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
		}
		memory := notebook.Memory{Ledger: s.Ledger, At: v.Place()}
		found, unread, err := notebook.Placed(ctx, clients.SageMaker, memory, route.SubnetIDs(subnets))
		if err == nil && len(found) == 0 && unread > 0 {
			err = memory.Unread(unread)
		}
		if err != nil {
			return nil, fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
		}
		out[v.ID] = len(found) > 0
	}
	return out, nil
}

// Produce fills in what both sides have to offer: their subnets, and the databases that the policy opens to the other. It returns them, and
// the participants of their VPCs, each with what it has to offer.
func (s Surveyor) Produce(ctx context.Context, first, second *SideFacts) ([]*SideFacts, error) {
	one := func(g *SideFacts) error {
		v := g.Side.VPC
		var err error
		if g.Subnets, err = route.ReadSubnets(ctx, s.Enter(v.Place()).EC2, v.ID); err != nil {
			return fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
		}
		g.Side.Overruled = s.overruled(ctx, g)
		g.part()
		g.Side.Subnets, g.Side.DHCP = route.SubnetIDs(g.Subnets), g.Here.DHCP
		g.Side.Whole, g.wide = s.whole(ctx, g.Here, g.There), s.whole(ctx, g.There, g.Here)
		g.Side.Diverts = s.diverts(ctx, g)
		g.Side.Noted = firewall.NotedIn(g.Entry, v, "")
		return s.open(ctx, g)
	}
	if err := Both(func() error { return one(first) }, func() error { return one(second) }); err != nil {
		return nil, err
	}
	return s.join(ctx, s.open, first, second)
}

// open finds the databases of a side that are opened, and says through which of their groups others would open as well.
func (s Surveyor) open(ctx context.Context, g *SideFacts) error {
	err := s.offer(ctx, g)
	if err == nil && len(g.Side.AllowedDatabases) > 0 {
		g.Side.Apart, err = s.noted(ctx, g)
	}
	for n, o := range g.Side.AllowedDatabases {
		g.Side.AllowedDatabases[n].Shared = shared(o, g.shut)
	}
	return err
}

// Offer fills in the databases of both sides that the policy opens to the other, with those that would be reachable beside them, and
// nothing else. It returns them, and the participants of their VPCs.
func (s Surveyor) Offer(ctx context.Context, first, second *SideFacts) ([]*SideFacts, error) {
	one := func(ctx context.Context, g *SideFacts) error {
		err := s.offer(ctx, g)
		AlsoReached(g.Side.AllowedDatabases, g.shut)
		return err
	}
	if err := Both(func() error { return one(ctx, first) }, func() error { return one(ctx, second) }); err != nil {
		return nil, err
	}
	return s.join(ctx, one, first, second)
}

// whole reports whether the owner of a VPC wants a connection to reach all of it, and may have that.
func (s Surveyor) whole(ctx context.Context, here, there *workflow.Facts) bool {
	if here.Tags[tag.Reach] != tag.WholeVPC {
		return false
	}
	d := s.Set.Widen(there.Entity(), here.Entity(), s.About)
	slog.InfoContext(ctx, "deciding", "action", d.Action, "vpc", here.VPC.ID, "allowed", d.Allowed, "policy", d.Policy)
	return d.Allowed
}

func (s Surveyor) offer(ctx context.Context, g *SideFacts) error {
	v := g.Side.VPC
	clients := s.Enter(v.Place())
	found, err := database.Read(ctx, clients.Databases, v.ID, route.SubnetIDs(g.Subnets))
	if fault.Absent(err) {
		slog.InfoContext(ctx, "no databases of a service", "account", v.Account, "region", v.Region, "why", err)
		g.Side.Unseen.Here = true
		for _, d := range found.Databases {
			g.Side.Unseen.Seen = append(g.Side.Unseen.Seen, d.Groups...)
		}
	} else if err != nil {
		return fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
	}
	g.unserved(found.Unserved)
	g.unread(found.Unread)
	open := map[string]bool{}                       // clusters
	shut := map[string][]workflow.AllowedDatabase{} // instances of a cluster that are not opened themselves, by the cluster
	for _, d := range found.Databases {
		decision := s.Set.Open(g.There.Entity(), policy.Database{ARN: d.ARN, ID: d.ID, Engine: d.Engine, Port: d.Port, TLS: d.TLS, Tags: d.Tags, VPC: g.Here.Entity()}, s.About)
		slog.InfoContext(ctx, "deciding", "action", decision.Action, "database", d.ID, "allowed", decision.Allowed, "policy", decision.Policy)
		if !d.Answers() {
			g.waits(d, decision.Allowed)
			continue
		}
		if !decision.Allowed {
			one := g.closed(d)
			if shut[d.Member] = append(shut[d.Member], one); !unshared(d.Tags, g.There.VPC.Account) {
				g.Side.Unseen.Shut = append(g.Side.Unseen.Shut, one)
			}
		}
		if decision.Allowed {
			open[d.Cluster()] = true
			var apart []string
			if d.Subnets, apart = parted(d.Subnets, g.Subnets); len(apart) > 0 {
				g.Unclear = append(g.Unclear, workflow.Hop{Hop: "database " + d.ID, Detail: fmt.Sprintf("nothing leads to it in %s, which its owner keeps out by the tag %s=%s", strings.Join(apart, ", "), tag.Reach, tag.NoReach)})
				if len(d.Subnets) == 0 {
					continue
				}
			}
			g.Side.AllowedDatabases = append(g.Side.AllowedDatabases, workflow.AllowedDatabase{Database: d.ID, Account: g.participant(), Engine: d.Engine, Port: d.Port, Groups: d.Groups, Subnets: d.Subnets, Network: d.Network, Public: d.Public, Silent: d.Silent(),
				CIDRs: workflow.AllowedDatabase{Network: d.Network}.Family(route.Ranges(g.Subnets, d.Subnets)), Decision: decision})
		} else if why := tag.Why(d.Tags, tag.Share); why != "" {
			g.Unclear = append(g.Unclear, workflow.Hop{Hop: "database " + d.ID, Detail: "not opened to " + g.There.VPC.Account + why})
		}
	}
	for _, cluster := range slices.Sorted(maps.Keys(shut)) {
		if cluster == "" || !open[cluster] { // of one that is opened, its instances are what was opened: its endpoints lead to them
			g.shut = append(g.shut, shut[cluster]...)
		}
	}
	return nil
}

// unshared reports whether the tag of a database says clearly that it is for others: then its owner shut it.
func unshared(tags map[string]string, account string) bool {
	named := strings.Fields(tags[tag.Share])
	return tag.Says(tags, tag.Share) && !slices.Contains(named, account) && !slices.Contains(named, "true")
}

// closed is a database that is not opened.
func (g *SideFacts) closed(d database.Database) workflow.AllowedDatabase {
	return workflow.AllowedDatabase{Database: d.ID, Port: d.Port, Groups: d.Groups, Subnets: d.Subnets, Network: d.Network,
		CIDRs: workflow.AllowedDatabase{Network: d.Network}.Family(route.Ranges(g.Subnets, d.Subnets))}
}

// unserved notes what is of a kind that is not served, if its owner shares it with the other side.
func (g *SideFacts) unserved(things []database.Database) {
	var said []string
	for _, d := range things {
		if d.Port > 0 {
			g.shut = append(g.shut, g.closed(d))
		}
		named := strings.Fields(d.Tags[tag.Share])
		if slices.Contains(named, g.There.VPC.Account) || slices.Contains(named, "true") {
			g.Unclear = append(g.Unclear, workflow.Hop{Hop: "database " + d.ID, Detail: d.Why})
			said = append(said, d.ID+": "+d.Why)
		}
	}
	if more := len(said) - fewUnserved; more > 0 {
		said = append(said[:fewUnserved], fmt.Sprintf("and %d more", more))
	}
	if len(said) > 0 {
		g.Side.Unheeded = append(g.Side.Unheeded, "shared and not opened: "+strings.Join(said, "; "))
	}
}

// fewUnserved is how many things that are not served are named to their owner.
const fewUnserved = 5

// unread notes databases of which something cannot be read: what there is for them stays, and those that are shared with the other side say so.
func (g *SideFacts) unread(things []database.Database) {
	for _, d := range things {
		g.Side.Unseen.Waiting = append(g.Side.Unseen.Waiting, d.Groups...)
		named := strings.Fields(d.Tags[tag.Share])
		if slices.Contains(named, g.There.VPC.Account) || slices.Contains(named, "true") {
			g.Unclear = append(g.Unclear, workflow.Hop{Hop: "database " + d.ID, Detail: "is not opened as far as it cannot be read: " + d.Why + "; what there is for it stays"})
		}
	}
}

// waits notes a database that has no endpoint now: nothing can be opened to it, and what there is for it stays.
func (g *SideFacts) waits(d database.Database, allowed bool) {
	g.Side.Unseen.Waiting = append(g.Side.Unseen.Waiting, d.Groups...)
	if allowed {
		g.Waiting++
		g.Unclear = append(g.Unclear, workflow.Hop{Hop: "database " + d.ID, Detail: "has no endpoint now, as it is " + d.Status + "; what there is for it stays, and the next look opens it"})
	}
}

// Trims gathers what goes of a connection that stays: of its sides, as they were surveyed, those of which a trim says that something
// has no use any more, with the notebooks there, those of participants among them, that may have host routes to it.
func (s Surveyor) Trims(ctx context.Context, surveyed []workflow.Side, trims []*workflow.Trim) ([]workflow.Side, []workflow.Batch, error) {
	sides, notebooks := []workflow.Side{}, []workflow.Batch(nil)
	rerouted := map[string]bool{} // the roles
	for n, side := range surveyed {
		if trims[n] != nil {
			sides = append(sides, workflow.Side{Role: side.Role, VPC: side.VPC, Owner: side.Owner, Peer: side.Peer, StatusResource: side.StatusResource, Subnets: side.Subnets, Ways: side.Ways, Diverts: side.Diverts, Overruled: side.Overruled, Trim: trims[n]})
			rerouted[side.Role] = rerouted[side.Role] || len(trims[n].Destinations) > 0
		}
		if !rerouted[side.Role] { // an owner's side is before those of its participants
			continue
		}
		some, err := s.Instances(ctx, side.VPC, side.Owner)
		if err != nil {
			return nil, nil, err
		}
		notebooks = append(notebooks, some...)
	}
	return sides, notebooks, nil
}

// Both runs two reads at once: they go to different accounts.
func Both(a, b func() error) error {
	var first error
	var wait sync.WaitGroup
	wait.Go(func() { first = a() })
	second := b()
	wait.Wait()
	if first != nil {
		return first
	}
	return second
}
