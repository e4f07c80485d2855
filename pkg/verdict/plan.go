package verdict

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// pair is a kind of clients and a kind of databases that are alike: what becomes of one path between them becomes of all.
type pair struct {
	client    Client
	databases []Database
	answer    network.Answer
	at        string // the first hop that fails
	host      bool   // it is the only one, and is the host route
}

// Judge judges every pair of a client and a database of one of ends over a carrier. Those whose packets meet the same are judged once:
//
//	every hop ✓                             → whole
//	some ✗                                  → failed
//	no ✗, and some ?                        → not known
//	✗ somewhere in the VPC, and nobody knows
//	in which of its subnets an end is       → not known
//
// reasons are what the steps said.
func Judge(w network.World, carrier string, ends []Ends, reasons []Reason) Paths {
	var out Paths
	var pairs []pair
	for _, e := range ends {
		pairs = append(pairs, judged(w, carrier, e, reasons, &out)...)
	}
	rank := map[network.Answer]int{network.No: 0, network.Unknown: 1, network.Yes: 2}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(rank[a.answer], rank[b.answer]) })
	var rest counts
	for _, p := range pairs {
		for _, d := range p.databases {
			for n := range p.client.Count {
				if len(out.Lines) == Shown || n >= len(p.client.Names) {
					rest.add(p, p.client.Count-n)
					break
				}
				hops := walk(w, carrier, p.client, d, p.client.Names[n], reasons)
				out.Lines = append(out.Lines, line(p.client.Names[n], d, hops))
				out.Ends = append(out.Ends, ended(p.client, p.client.Names[n], d, hops))
			}
		}
	}
	if rest.all() > 0 {
		out.Lines = append(out.Lines, rest.line(len(out.Lines) > 0))
	}
	slices.SortFunc(out.Faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(b.Paths, a.Paths), strings.Compare(a.Hop, b.Hop), strings.Compare(id.ReplaceAllString(a.Detail, ""), id.ReplaceAllString(b.Detail, "")), strings.Compare(a.Detail, b.Detail))
	})
	return out
}

// id is the id of a resource: what is in the way is told in the order of names.
var id = regexp.MustCompile(`\b[a-z-]+-[0-9a-f]{8,17}\b`)

// judged judges each kind of client with each kind of database, and counts.
func judged(w network.World, carrier string, ends Ends, reasons []Reason, out *Paths) []pair {
	var kinds [][]Database
	for _, d := range ends.Databases {
		n := slices.IndexFunc(kinds, func(k []Database) bool {
			return alike(k[0], d) && !about(reasons, d.Name) && !about(reasons, k[0].Name)
		})
		if n < 0 {
			kinds = append(kinds, []Database{d})
		} else {
			kinds[n] = append(kinds[n], d)
		}
	}
	var pairs []pair
	for _, c := range ends.Clients {
		for _, k := range kinds {
			hops := walk(w, carrier, c, k[0], c.Names[0], reasons)
			p := pair{client: c, databases: k, answer: network.All(hops)}
			paths := c.Count * len(k)
			failing := slices.DeleteFunc(slices.Clone(hops), func(h network.Hop) bool { return h.Answer != network.No })
			switch {
			case p.answer == network.Yes:
				out.Whole += paths
			case p.answer == network.Unknown:
				out.Unknown += paths
			default:
				out.Failed += paths
				p.at = failing[0].Hop
				if p.host = len(failing) == 1 && p.at == HostRoute; p.host {
					out.Hosts += paths
				}
			}
			for _, h := range failing {
				out.note(h, paths)
			}
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// note counts what is in the way.
func (p *Paths) note(h network.Hop, paths int) {
	n := slices.IndexFunc(p.Faults, func(f Fault) bool { return f.Hop == h.Hop && f.Owner == h.Owner && f.Detail == h.Detail })
	if n < 0 {
		p.Faults = append(p.Faults, Fault{Hop: h.Hop, Owner: h.Owner, Detail: h.Detail, Remedy: h.Remedy})
		n = len(p.Faults) - 1
	}
	p.Faults[n].Paths += paths
}

// alike reports whether packets to two databases meet the same.
func alike(a, b Database) bool {
	return a.Port == b.Port && a.Account == b.Account && a.Anywhere == b.Anywhere && a.VPC == b.VPC && a.Dual == b.Dual && a.Public == b.Public && a.Silent == "" && b.Silent == "" &&
		slices.Equal(a.Subnets, b.Subnets) && slices.Equal(a.Groups, b.Groups) && slices.Equal(a.Addresses, b.Addresses)
}

// about reports whether a step has said something of a thing.
func about(reasons []Reason, name string) bool {
	return slices.ContainsFunc(reasons, func(r Reason) bool { return r.About == name })
}

// Silence says of a database by name that nothing answers there: silent is why, as what it is ("stopped").
func Silence(name, silent string) string {
	return fmt.Sprintf("%s is %s, so nothing answers", name, silent)
}

// walk judges one path, and says whose things the hops are.
// Many parameters, because both ends of a path and all that is between are given: it reads nothing.
func walk(w network.World, carrier string, c Client, d Database, name string, reasons []Reason) []network.Hop {
	c.Name = Called(name)
	hops := network.Judge(w, c.Client, d.Database, d.Port, carrier)
	for n := range hops {
		h := &hops[n]
		if asked(h, reasons, c.Name, d.Name) {
			continue
		}
		switch {
		case h.Answer != network.No:
			continue
		case c.Anywhere || d.Anywhere:
			h.Answer, h.Owner, h.Remedy = network.Unknown, "", ""
			h.Detail = "where it is within its VPC is not known, and not everywhere it would pass: " + h.Detail
			continue
		case h.Hop == ClientGroup || h.Hop == HostRoute:
			h.Owner = cmp.Or(c.Account, h.Owner)
		case h.Hop == DatabaseGroup:
			h.Owner = cmp.Or(d.Account, h.Owner)
		}
		var said []string // by the steps: they know more than the model, and what to do
		for _, r := range reasons {
			if r.Remedy == "" && r.Hop == h.Hop && (r.About == "" || r.About == d.Name || r.About == c.Name || strings.Contains(h.Detail, r.About)) {
				said = append(said, r.Detail)
			}
		}
		if len(said) > 0 {
			h.Remedy = few(said)
		}
	}
	if d.Silent != "" {
		hops = append(hops, network.Hop{Hop: State, Answer: network.Unknown, Detail: Silence(d.Name, d.Silent)})
	}
	return hops
}

// asked makes a hop that does not hold one that waits for its owner, if a step asks for that. A notebook's owner may have set host routes by hand.
func asked(h *network.Hop, reasons []Reason, client, database string) bool {
	for _, r := range reasons {
		about := r.About == client || r.About == database || strings.Contains(h.Detail, r.About)
		if r.Remedy != "" && r.Hop == h.Hop && h.Answer != network.Yes && (h.Answer == network.No || h.Hop != HostRoute) && about {
			h.Answer, h.Detail, h.Owner, h.Remedy = network.No, r.Detail, r.Owner, r.Remedy
			return true
		}
	}
	return false
}

// line is the line of one path.
func line(name string, d Database, hops []network.Hop) workflow.Path {
	answer := network.All(hops)
	out := workflow.Path{Hop: workflow.Hop{Hop: fmt.Sprintf("%s → %s:%d", Called(name), d.Name, d.Port), OK: answer == network.Yes, Unknown: answer == network.Unknown}}
	var at []string
	for _, h := range hops {
		one := workflow.Hop{Hop: h.Hop, OK: h.Answer == network.Yes, Unknown: h.Answer == network.Unknown, Detail: h.Detail}
		if h.Remedy != "" {
			one.Detail += fmt.Sprintf("; account %s: %s", h.Owner, h.Remedy)
		}
		if h.Answer == answer && answer != network.Yes {
			at = append(at, h.Hop+": "+one.Detail)
		}
		out.Hops = append(out.Hops, one)
	}
	switch answer {
	case network.Yes:
		out.Detail = "whole"
	case network.No:
		out.Detail = "fails at " + few(at)
	default:
		out.Detail = "not known at " + few(at)
	}
	return out
}

// counts are the paths without a line, by where they fail.
type counts struct {
	whole, unknown int
	at             map[string]int
}

func (c *counts) add(p pair, paths int) {
	switch p.answer {
	case network.Yes:
		c.whole += paths
	case network.Unknown:
		c.unknown += paths
	default:
		if c.at == nil {
			c.at = map[string]int{}
		}
		c.at[p.at] += paths
	}
}

func (c counts) all() int {
	n := c.whole + c.unknown
	for _, failed := range c.at {
		n += failed
	}
	return n
}

// line counts what has no line, beside those that have.
func (c counts) line(beside bool) workflow.Path {
	out := workflow.Path{Hop: workflow.Hop{Hop: fmt.Sprintf("%d paths", c.all()), OK: c.unknown+len(c.at) == 0, Unknown: len(c.at) == 0 && c.unknown > 0}}
	if beside {
		out.Hop.Hop = fmt.Sprintf("and %d more", c.all())
	}
	var words []string
	if c.whole > 0 {
		words = append(words, fmt.Sprintf("%d whole", c.whole))
	}
	for _, hop := range []string{ClientGroup, "client ACL", RouteThere, "carrier", "gateway route", "database ACL", DatabaseGroup, RouteBack, "gateway route back", "ACL back", Resolution, HostRoute} {
		if n := c.at[hop]; n > 0 {
			word := "fail"
			if n == 1 {
				word = "fails"
			}
			words = append(words, fmt.Sprintf("%d %s at %s", n, word, hop))
		}
	}
	if c.unknown > 0 {
		words = append(words, fmt.Sprintf("%d not known", c.unknown))
	}
	out.Detail = strings.Join(words, ", ")
	return out
}
