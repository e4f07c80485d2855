package connection

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/verdict"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// roles are the two sides of a connection, each with the participants of its VPC.
var roles = [2]string{"requester", "accepter"}

// Ends returns the ends of the paths that the policy allows: what calls from each VPC, and what it calls in the other.
func Ends(in workflow.VerifyConnectionInput) [2]verdict.Ends {
	notebooks := seated(in)
	var out [2]verdict.Ends
	for n, role := range roles {
		for _, s := range in.Sides {
			if s.Role != role {
				for _, o := range s.AllowedDatabases {
					out[n].Databases = append(out[n].Databases, database(s, o))
				}
				continue
			}
			for _, c := range s.Clients {
				out[n].Clients = append(out[n].Clients, clients(notebooks, s, c)...)
			}
		}
	}
	return out
}

func database(s workflow.Side, o workflow.AllowedDatabase) verdict.Database {
	out := verdict.Database{Port: o.Port, Account: o.Account, Silent: o.Silent}
	if out.Account == "" {
		out.Account = s.VPC.Account
	}
	out.Database = network.Database{Name: o.Database, VPC: s.VPC.ID, Subnets: o.Subnets, Groups: o.Groups, Dual: o.Network != "IPV4", Public: o.Public}
	if out.Anywhere = len(o.Subnets) == 0; out.Anywhere {
		out.Subnets = s.Subnets
	}
	return out
}

// clients returns clients that are alike as they are judged: notebook instances by what became of their host routes.
func clients(notebooks []served, s workflow.Side, c workflow.Client) []verdict.Client {
	base := verdict.Client{Names: c.Names, Count: c.Count, Account: c.Account}
	base.Client = network.Client{VPC: s.VPC.ID, Subnets: c.Subnets, Groups: c.Groups, Replies: c.Replies}
	if base.Anywhere = len(c.Subnets) == 0; base.Anywhere {
		base.Subnets = s.Subnets
	}
	if !c.Host {
		return []verdict.Client{base}
	}
	var out []verdict.Client
	put := func(host network.Host, name string) {
		n := slices.IndexFunc(out, func(o verdict.Client) bool {
			return slices.Equal(o.Host.Routes, host.Routes) && o.Host.Unread == host.Unread
		})
		if n < 0 {
			one := base
			one.Host, one.Names, one.Count = &host, nil, 0
			out, n = append(out, one), len(out)
		}
		if out[n].Count++; name != "" {
			out[n].Names = append(out[n].Names, name)
		}
	}
	left := c.Count
	for _, name := range c.Names {
		host := unread
		if at := slices.IndexFunc(notebooks, func(n served) bool { return n.account == c.Account && n.name == name }); at >= 0 {
			host = notebooks[at].host
		}
		put(host, name)
		left--
	}
	for _, n := range notebooks { // those whose names had no room there
		like, named := 0, false
		for _, o := range s.Clients {
			named = named || slices.Contains(o.Names, n.name)
			if o.Host && o.Account == n.account && o.Count > len(o.Names) && slices.Contains(o.Subnets, n.subnet) {
				like++
			}
		}
		if left == 0 || n.account != c.Account || !n.direct || !slices.Contains(c.Subnets, n.subnet) || named {
			continue
		}
		if like > 1 { // it may be another's: its groups are not known
			n.name = ""
		}
		put(n.host, n.name)
		left--
	}
	for ; left > 0; left-- {
		put(unread, "")
	}
	for n := range out {
		if len(out[n].Names) == 0 {
			out[n].Names = []string{"a notebook like " + strings.TrimPrefix(c.Names[0], "notebook ")}
		}
	}
	return out
}

// unread is what is known of a notebook to which no step came.
var unread = network.Host{Unread: "nobody looked at it"}

// served is a notebook instance of a batch.
type served struct {
	account, subnet string
	name            string // as a client has it
	direct          bool   // it may have direct internet access
	host            network.Host
}

// seated are the notebooks of batches, with what their scripts send into the VPC. A batch that was written anew since it was served says nothing.
func seated(in workflow.VerifyConnectionInput) []served {
	var out []served
	for n, b := range in.Batches {
		if n >= len(in.Injected) || len(in.Injected[n].Hosts) != len(b.Names) || b.Left != "" { // who is left out is no client
			continue
		}
		table := lifecycle.TableOf(in.Connection, in.Routed, workflow.Notebook{Account: b.Account, Region: b.Region, VPC: b.VPC, Owner: b.Owner, Subnet: b.Subnet, SubnetCIDR: b.SubnetCIDR})
		routes, _ := lifecycle.Routable(b.SubnetCIDR, route.HostRoutes(table))
		for k, name := range b.Names {
			one := served{account: b.Account, subnet: b.Subnet, name: "notebook " + name, direct: true, host: network.Host{}}
			switch workflow.Host(in.Injected[n].Hosts[k]) {
			case workflow.HostSet:
				one.host.Routes = routes
			case workflow.HostLeft: // its owner may have set them by hand
				one.host.Unread = "the policy leaves it out"
			case workflow.HostGone:
				one.host.Unread = "it is gone"
			case workflow.HostNeedless:
				one.direct = false
			}
			out = append(out, one)
		}
	}
	return out
}

// Reasons are what the steps said of what they could not do: why paths fail; and what else they said, which is no path's.
func Reasons(in workflow.VerifyConnectionInput) (why []verdict.Reason, others []workflow.Hop) {
	var said []workflow.Hop
	whose := map[string]string{} // tables
	said = append(said, in.DNS.Hops...)
	for _, r := range in.Routed {
		for _, h := range r.Hops {
			if leaves, is := strings.CutPrefix(h.Hop, workflow.DivertHop); is {
				if h.OK {
					others = append(others, h)
				} else {
					_, table, _ := strings.Cut(leaves, " ")
					for _, hop := range []string{verdict.RouteThere, verdict.RouteBack} { // of a side that calls and answers, a table is on both ways
						why = append(why, verdict.Reason{Hop: hop, About: table, Detail: h.Detail, Owner: r.Account, Remedy: route.DivertRemedy})
					}
				}
				continue
			}
			said = append(said, h)
			whose[h.Hop] = r.Account
		}
	}
	for _, o := range in.Opened {
		said = append(said, o.Hops...)
	}
	for _, i := range in.Injected {
		said = append(said, i.Hops...)
	}
	why = append(why, withheld(in.Sides)...)
	kinds := []struct{ before, hop string }{{"route there ", verdict.RouteThere}, {"route back ", verdict.RouteBack}, {"security group of ", verdict.DatabaseGroup},
		{"host route on ", verdict.HostRoute}, {"egress ", verdict.ClientGroup}, {"DNS option ", verdict.Resolution}}
	for _, h := range said {
		if strings.HasPrefix(h.Hop, workflow.ReachHop) {
			others = append(others, h)
			continue
		}
		if h.OK {
			continue
		}
		n := slices.IndexFunc(kinds, func(k struct{ before, hop string }) bool { return strings.HasPrefix(h.Hop, k.before) })
		if n < 0 {
			others = append(others, h)
			continue
		}
		r := verdict.Reason{Hop: kinds[n].hop, About: strings.TrimPrefix(h.Hop, kinds[n].before), Detail: h.Detail}
		if r.Hop == verdict.ClientGroup && !strings.HasPrefix(r.About, "sg-") || r.Hop == verdict.Resolution { // of a whole VPC
			r.About = ""
		}
		if detail, remedy, obstacle := strings.Cut(h.Detail, route.Remedy); obstacle && whose[h.Hop] != "" {
			r.Detail, r.Owner, r.Remedy = detail, whose[h.Hop], remedy
		}
		why = append(why, r)
		if r.Hop == verdict.RouteThere || r.Hop == verdict.RouteBack { // of a side that calls and answers, a table is on both ways
			r.Hop = map[string]string{verdict.RouteThere: verdict.RouteBack, verdict.RouteBack: verdict.RouteThere}[r.Hop]
			why = append(why, r)
		}
	}
	return why, others
}

// withheld are the reasons why nothing leads to databases, or back to clients. Some of the hops may be there, by their owners.
func withheld(sides []workflow.Side) []verdict.Reason {
	var out []verdict.Reason
	put := func(about string, w *workflow.Withheld) {
		for _, hop := range []string{verdict.ClientGroup, verdict.RouteThere, verdict.DatabaseGroup, verdict.RouteBack, verdict.HostRoute} {
			if w != nil {
				out = append(out, verdict.Reason{Hop: hop, About: about, Detail: w.Detail, Owner: w.Owner, Remedy: w.Remedy})
			}
		}
	}
	for _, s := range sides {
		for _, o := range s.AllowedDatabases {
			put(o.Database, o.Withheld)
		}
		for _, c := range s.Clients {
			for _, name := range c.Names {
				put(verdict.Called(name), c.Withheld)
			}
		}
	}
	return out
}

// carrierOf is what carries a connection, with the peerings and gateways that serve as well.
func carrierOf(in workflow.VerifyConnectionInput) discover.Carrier {
	out := discover.Carrier{ID: in.Connection.Target}
	for _, s := range in.Sides {
		out.Alternates = append(out.Alternates, s.Alternates...)
	}
	slices.Sort(out.Alternates)
	out.Alternates = slices.Compact(out.Alternates)
	return out
}

// Wanted says what of the two VPCs matters to the paths between ends.
func Wanted(in workflow.VerifyConnectionInput, ends [2]verdict.Ends) [2]discover.VPC {
	out := [2]discover.VPC{{VPC: in.Connection.Requester}, {VPC: in.Connection.Accepter}}
	for _, s := range in.Sides {
		n := slices.Index(roles[:], s.Role)
		if n < 0 || s.Owner != "" {
			continue
		}
		out[n].VPC, out[n].Known, out[n].DHCP = s.VPC, s.EndSubnets, s.DHCP
		out[n].Subnets = append(out[n].Subnets, s.Attached...)
	}
	for n, e := range ends {
		if len(e.Clients) == 0 || len(e.Databases) == 0 {
			continue
		}
		here, there := &out[n], &out[1-n]
		here.Names = true
		for _, c := range e.Clients {
			here.Subnets, here.Groups = append(here.Subnets, c.Subnets...), append(here.Groups, c.Groups...)
		}
		for _, d := range e.Databases {
			there.Subnets, there.Groups = append(there.Subnets, d.Subnets...), append(there.Groups, d.Groups...)
			if d.Public != network.No {
				here.Public, there.Public = true, true
			}
		}
	}
	for n := range out {
		slices.Sort(out[n].Subnets)
		out[n].Subnets = slices.Compact(out[n].Subnets)
	}
	return out
}

// justNow is for how long what a step read of a group counts for the verdict: as long as it takes until somebody's hand is seen.
const justNow = 5 * time.Minute

// seen adds to what is to be read of the two VPCs the groups that OpenFirewall read and left just now.
func seen(in workflow.VerifyConnectionInput, vpcs [2]discover.VPC, now time.Time) [2]discover.VPC {
	for k, o := range in.Opened {
		if k >= len(in.Sides) || now.Sub(o.At) > justNow {
			continue
		}
		n := slices.Index(roles[:], in.Sides[k].Role)
		for _, g := range o.Groups {
			if n >= 0 && slices.Contains(vpcs[n].Groups, g.ID) {
				vpcs[n].Seen = append(vpcs[n].Seen, g)
			}
		}
	}
	return vpcs
}

// fewDatabases is how many databases a sentence names.
const fewDatabases = 3

// unpaired says in words why a connection has no paths; empty if it has some.
func unpaired(in workflow.VerifyConnectionInput, ends [2]verdict.Ends) string {
	databases, clients := 0, 0
	var waits, open []string
	for n, e := range ends {
		databases += len(e.Databases)
		if len(e.Databases) > 0 && len(e.Clients) > 0 {
			clients += len(e.Clients)
		} else if len(e.Databases) > 0 {
			waits = append(waits, []workflow.VPC{in.Connection.Requester, in.Connection.Accepter}[n].ID)
			for _, d := range e.Databases {
				open = append(open, fmt.Sprintf("%s:%d", d.Name, d.Port))
			}
		}
	}
	switch {
	case databases == 0:
		return "nothing is shared yet: no database of either VPC is opened to the other"
	case clients == 0:
		if more := len(open) - fewDatabases; more > 0 {
			open = append(open[:fewDatabases], fmt.Sprintf("%d more", more))
		}
		return "no client is there yet: nothing in " + strings.Join(waits, " or ") + " opens connections to " + strings.Join(open, ", ") + "; the first notebook instance, Studio domain, VPC function or marked client there gets its route"
	}
	return ""
}
