package survey

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Consume fills in who calls on the sides that consume, read once for all the steps that follow, and tells the other sides who that is. It returns
// the notebook instances there in batches: what the policy allows to do for each is asked by who serves them. The sides are appointed before; see [Appoint].
func (s Surveyor) Consume(ctx context.Context, sides ...*SideFacts) ([]workflow.Batch, error) {
	found, errs := make([][]workflow.Batch, len(sides)), make([]error, len(sides))
	var wait sync.WaitGroup
	for n, g := range sides { // each is an account of its own
		if g.Side.Consumer {
			wait.Go(func() { found[n], errs[n] = s.consume(ctx, g) })
		}
	}
	wait.Wait()
	var out []workflow.Batch
	for n, g := range sides {
		if errs[n] != nil {
			return nil, fmt.Errorf("in %s, %s: %w", g.Side.VPC.Account, g.Side.VPC.Region, errs[n])
		}
		out = append(out, found[n]...)
	}
	for _, g := range sides {
		g.bar()
	}
	if err := s.withhold(ctx, sides); err != nil {
		return nil, err
	}
	seat(sides)
	return out, nil
}

// seat tells the owner's side of each VPC in which subnets clients and databases are, its own and its participants'. Over a gateway all zones of a VPC
// matter, and all subnets are read once more.
func seat(sides []*SideFacts) {
	for _, g := range sides {
		if g.Side.Owner != "" || len(g.Side.Attached) > 0 {
			continue
		}
		taken := map[string]bool{}
		for _, other := range sides {
			if other.Side.Role != g.Side.Role {
				continue
			}
			for _, c := range other.Side.Clients {
				for _, id := range c.Subnets {
					taken[id] = true
				}
			}
			for _, o := range other.Side.AllowedDatabases {
				for _, id := range o.Subnets {
					taken[id] = true
				}
			}
		}
		g.Side.EndSubnets = nil
		for _, s := range g.Subnets {
			if taken[s.ID] {
				g.Side.EndSubnets = append(g.Side.EndSubnets, workflow.EndSubnet{ID: s.ID, CIDRs: route.Ranges(g.Subnets, []string{s.ID}), Zone: s.Zone, ZoneID: s.ZoneID, Outpost: s.Outpost})
			}
		}
	}
}

func (s Surveyor) consume(ctx context.Context, g *SideFacts) ([]workflow.Batch, error) {
	v := g.Side.VPC
	one := workflow.Batch{Account: v.Account, Region: v.Region, VPC: v.ID, Owner: g.Side.Owner, Here: judged(g.Here), There: judged(g.There)}
	if len(g.Side.Ports) == 0 && !g.wide { // nothing is there for any client
		found, unread, err := notebook.Placed(ctx, s.Enter(v.Place()).SageMaker, s.memory(g), route.SubnetIDs(g.Subnets))
		g.Side.Unread, g.Side.Overlooked = notebook.Unread(unread, nil)
		if err == nil && len(found) > 0 {
			g.Side.Apart, err = s.noted(ctx, g)
		}
		return batches(one, g.Subnets, found, g.Side.Apart), err
	}
	from, err := s.calling(ctx, g)
	if err != nil {
		return nil, err
	}
	kept := g.kept(from.groups)
	g.unheeded(slices.DeleteFunc(had(firewall.Kept(from.groups, v.Account), from.clients, nil), func(id string) bool { return firewall.OfDatabase(id, g.Side.AllowedDatabases) }))
	for _, c := range from.clients {
		if firewall.KeptWhole(c.Groups, kept) {
			g.Unclear = append(g.Unclear, workflow.Hop{Hop: c.Name, Detail: "is no client: " + firewall.KeptOut(c.Groups)})
		}
		if _, apart := parted(c.Subnets, g.Subnets); len(apart) > 0 {
			g.Unclear = append(g.Unclear, workflow.Hop{Hop: c.Name, Detail: fmt.Sprintf("nothing leads from %s, which its owner keeps out by the tag %s=%s", strings.Join(apart, ", "), tag.Reach, tag.NoReach)})
		}
	}
	g.Side.Apart = had(kept, from.clients, g.Side.AllowedDatabases)
	g.Side.Clients = workflow.Few(alike(v.Account, from.clients, g.Subnets, kept))
	g.Side.Unread, g.Side.Overlooked = notebook.Unread(from.unread, from.clients)
	if g.Side.GroupsAt = from.at; len(g.Side.AllowedDatabases) == 0 {
		g.Side.Groups, g.Side.Owners = firewall.Handed(from.groups, *g.Side)
	}
	return batches(one, g.Subnets, from.instances, kept), nil
}

// callers is what was read of who calls from a side.
type callers struct {
	instances []notebook.Instance
	clients   []notebook.Client
	unread    int // notebook instances that are not known yet
	groups    []firewall.Group
	at        time.Time // when the groups were read
}

// calling reads who calls from a side.
func (s Surveyor) calling(ctx context.Context, g *SideFacts) (callers, error) {
	v, apis := g.Side.VPC, s.Enter(g.Side.VPC.Place())
	at := notebook.Where{VPC: v.ID, Subnets: route.SubnetIDs(g.Subnets), Memory: s.memory(g)}
	for _, one := range g.Subnets {
		if one.Client {
			at.Marked = append(at.Marked, one.ID)
		}
	}
	out := callers{at: time.Now().UTC()}
	var err error
	if out.groups, err = firewall.ReadGroups(ctx, apis.EC2, v.ID); err != nil {
		return out, err
	}
	at.Groups = firewall.OfClients(out.groups)
	out.clients, err = notebook.Clients(ctx, notebook.ClientAPIs{EC2: apis.EC2, SageMaker: apis.SageMaker, Lambda: apis.Lambda}, at, func() (_ []notebook.Instance, err error) {
		out.instances, out.unread, err = notebook.Placed(ctx, apis.SageMaker, at.Memory, at.Subnets)
		return out.instances, err
	})
	if err != nil {
		return out, fmt.Errorf("finding what in %s of account %s may call databases: %w", v.ID, v.Account, err)
	}
	return out, nil
}

// memory is what is known of the notebook instances of a side's account.
func (s Surveyor) memory(g *SideFacts) notebook.Memory {
	return notebook.Memory{Ledger: s.Ledger, At: g.Side.VPC.Place()}
}

// Unread reports whether there may be clients that a look did not come to. Then nothing is taken away: it may be theirs.
func Unread(sides []workflow.Side) bool {
	return slices.ContainsFunc(sides, func(s workflow.Side) bool { return s.Unread > 0 })
}

// judged is what the policy is asked about of a VPC.
func judged(f *workflow.Facts) *workflow.Facts {
	return &workflow.Facts{VPC: f.VPC, Tags: f.Tags, Account: f.Account}
}

// parted returns those of ids that connections may reach, and those that their owner keeps apart.
func parted(ids []string, subnets []route.Subnet) (in, apart []string) {
	for _, id := range ids {
		if slices.ContainsFunc(subnets, func(s route.Subnet) bool { return s.ID == id && s.Apart }) {
			apart = append(apart, id)
		} else {
			in = append(in, id)
		}
	}
	return in, apart
}

// alike returns clients of an account by what their packets meet, sorted by their first names. Subnets that their owner keeps out of every
// connection do not count, and so whoever has no other is no client; nor is who has none but kept security groups.
func alike(account string, clients []notebook.Client, subnets []route.Subnet, kept []string) []workflow.Client {
	var out []workflow.Client
	for _, c := range clients {
		in, apart := parted(c.Subnets, subnets)
		if len(in) == 0 && len(apart) > 0 || firewall.KeptWhole(c.Groups, kept) {
			continue
		}
		n := slices.IndexFunc(out, func(o workflow.Client) bool {
			return o.Host == c.Host && slices.Equal(o.Subnets, in) && slices.Equal(o.Groups, c.Groups) && slices.Equal(o.OtherGroups, c.OtherGroups) && slices.Equal(o.Replies, c.Replies)
		})
		if n < 0 {
			n = len(out)
			out = append(out, workflow.Client{Account: account, Host: c.Host, Subnets: in, CIDRs: network.Merge(route.Ranges(subnets, in)), Groups: c.Groups, OtherGroups: c.OtherGroups, Replies: c.Replies})
		}
		out[n].Names, out[n].Count = append(out[n].Names, c.Name), out[n].Count+1
	}
	for n := range out {
		slices.Sort(out[n].Names)
		out[n].Names = out[n].Names[:min(workflow.ClientNames, len(out[n].Names))]
	}
	slices.SortFunc(out, func(a, b workflow.Client) int {
		return cmp.Or(strings.Compare(a.Names[0], b.Names[0]), slices.Compare(a.Subnets, b.Subnets), slices.Compare(a.Groups, b.Groups))
	})
	return out
}
