package picture

import (
	"cmp"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	past "github.com/drawbridge-cloud/drawbridge/pkg/history"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Organization is what was read of the organization; the zero value is nothing.
type Organization struct {
	ID       string
	Units    []Unit             // each after its parent
	Accounts map[string]Account // by id
}

// Of makes the document of a board, of the past of its entries by their ids ([past.Pasts]), and of the organization.
func Of(b board.Board, pasts map[string][]past.Event, o Organization) Map {
	m := Map{Head: answer.HeadOf("Map"), Hub: b.Hub, At: b.At, Mode: b.Mode, Organization: o.ID}
	c := collector{networks: map[place]int{}, ends: map[End]int{}}
	for _, l := range b.Entries {
		for _, s := range l.Sides {
			c.network(s.Account, s.Region, s.ID, s.CIDRs)
		}
	}
	for _, l := range b.Entries {
		for _, p := range l.Paths.Lines {
			c.end(l, "client", p.Client)
			c.end(l, "database", p.Database)
		}
	}
	c.sort()
	m.Networks, m.Ends, m.Connections = c.all, c.called, make([]Connection, 0, len(b.Entries))
	for _, l := range b.Entries {
		m.Connections = append(m.Connections, c.connection(l, pasts[l.ID], held(b.Held, l.ID)))
	}
	m.Accounts, m.Units = named(m, o)
	return m
}

// place names a network.
type place struct{ account, region, id string }

// collector gathers what connections name, each once.
type collector struct {
	networks map[place]int
	all      []Network
	ends     map[End]int
	called   []End
}

func (c *collector) network(account, region, id string, cidrs []string) int {
	at := place{account, region, id}
	n, ok := c.networks[at]
	if !ok {
		n = len(c.all)
		c.networks[at] = n
		c.all = append(c.all, Network{ID: id, Account: account, Region: region})
	}
	for _, cidr := range cidrs {
		if !slices.Contains(c.all[n].CIDRs, cidr) {
			c.all[n].CIDRs = append(c.all[n].CIDRs, cidr)
		}
	}
	return n
}

// end takes an end of a path into the network that it is in: a side of the connection, or, should the entry have none, one of its own.
func (c *collector) end(l board.Line, role string, e ledger.End) int {
	n := -1
	for _, s := range l.Sides {
		if s.ID == e.Network {
			n = c.network(s.Account, s.Region, s.ID, nil)
		}
	}
	if n < 0 {
		n = c.network(e.Account, "", e.Network, nil)
	}
	one := End{Name: e.Name, Role: role, Account: e.Account, Network: n}
	at, ok := c.ends[one]
	if !ok {
		at = len(c.called)
		c.ends[one] = at
		c.called = append(c.called, one)
	}
	return at
}

// sort brings all into an order that does not depend on that of the entries.
func (c *collector) sort() {
	byID := slices.Clone(c.all)
	slices.SortFunc(byID, func(a, b Network) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region), strings.Compare(a.ID, b.ID))
	})
	moved := make([]int, len(byID))
	for n, one := range byID {
		at := place{one.Account, one.Region, one.ID}
		moved[c.networks[at]], c.networks[at] = n, n
		slices.Sort(byID[n].CIDRs)
	}
	for n := range c.called {
		c.called[n].Network = moved[c.called[n].Network]
	}
	slices.SortFunc(c.called, func(a, b End) int {
		return cmp.Or(a.Network-b.Network, strings.Compare(a.Role, b.Role), strings.Compare(a.Name, b.Name), strings.Compare(a.Account, b.Account))
	})
	c.all, c.ends = byID, map[End]int{}
	for n, e := range c.called {
		c.ends[e] = n
	}
}

func (c *collector) connection(l board.Line, of []past.Event, held []string) Connection {
	out := Connection{ID: l.ID, Kind: string(l.Kind), State: l.State, Look: lookOf(l), Reason: l.Reason, Sides: []int{}, All: l.Paths.All, Whole: l.Paths.Whole, Unknown: l.Paths.Unknown,
		Paths: []Path{}, Policy: l.Policy, Asked: l.Asked, Origin: l.Origin, Approved: l.Approved, Since: l.Since, Judged: l.At, Until: l.Until, Waits: l.Waits,
		Contested: l.Contested, Held: held}
	for _, s := range l.Sides {
		if n := c.network(s.Account, s.Region, s.ID, nil); !slices.Contains(out.Sides, n) {
			out.Sides = append(out.Sides, n)
		}
	}
	for _, p := range l.Paths.Lines {
		out.Paths = append(out.Paths, Path{Client: c.end(l, "client", p.Client), Database: c.end(l, "database", p.Database), Port: p.Port, Look: pathLook(out.Look, p),
			Hop: p.Hop, Owner: p.Owner, Detail: p.Detail, Remedy: p.Remedy})
	}
	out.History, out.Earlier = history(of)
	out.Commands = c.commands(l, out)
	return out
}

// lookOf is how an entry is shown:
//
//	something waits for somebody               waits
//	nothing stands                             ended
//	no execution has ended yet                 begun
//	contested, in conflict, a path fails, or
//	its machine could do only a part           broken
//	a path cannot be judged to its end         unknown
//	else                                       holds
func lookOf(l board.Line) Look {
	switch {
	case l.Waits != "":
		return Waits
	case !l.Stands():
		return Ended
	case l.State == "":
		return Begun
	case l.Broken():
		return Broken
	case l.Paths.Unknown > 0:
		return Unknown
	}
	return Holds
}

// pathLook is how a path is shown that was judged last while its connection looked as it does.
func pathLook(of Look, p ledger.Path) Look {
	switch {
	case of == Ended:
		return Ended
	case p.Answer == "yes":
		return Holds
	case p.Answer == "no":
		return Broken
	}
	return Unknown
}

// held says what is held back about an entry.
func held(all []board.Held, id string) []string {
	var out []string
	for _, h := range all {
		if slices.Contains(strings.Fields(h.Thing), id) {
			out = append(out, h.End+": "+h.Reason)
		}
	}
	return out
}

// named returns the accounts that the document names, and the units that have some of them, below or in them; with how many others each unit has.
func named(m Map, o Organization) ([]Account, []Unit) {
	there := map[string]bool{}
	for _, n := range m.Networks {
		there[n.Account] = true
	}
	accounts, quiet, full := []Account{}, map[string]int{}, map[string]bool{}
	for id := range there {
		a := o.Accounts[id]
		a.ID = id
		accounts = append(accounts, a)
		full[a.Unit] = true
	}
	slices.SortFunc(accounts, func(a, b Account) int { return strings.Compare(a.ID, b.ID) })
	for id, a := range o.Accounts {
		if !there[id] {
			quiet[a.Unit]++
		}
	}
	for _, u := range slices.Backward(o.Units) {
		full[u.Parent] = full[u.Parent] || full[u.ID]
	}
	units := []Unit{}
	for _, u := range o.Units {
		if full[u.ID] {
			u.Quiet = quiet[u.ID]
			units = append(units, u)
		}
	}
	return accounts, units
}
