package workflow

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// Client is what opens connections from the VPC of a side. Clients of one account with the same subnets and security groups, that need a host
// route or do not, and receive answers at the same ports, are one: packets of all of them meet the same.
type Client struct {
	Names   []string `json:"names"` // as people know them, "notebook research"; sorted, the first [ClientNames]
	Count   int      `json:"count"` // how many they are
	Account string   `json:"account"`
	// Host says that they are notebook instances with direct internet access: what they send into the VPC needs a host route.
	Host    bool     `json:"host,omitempty"`
	Subnets []string `json:"subnets,omitempty"` // in which their interfaces are, or may be; sorted
	// CIDRs are the ranges of those subnets, as few prefixes as possible; empty if that of one is not known.
	CIDRs []netip.Prefix `json:"cidrs,omitempty"`
	// Groups are those of an interface, sorted; empty for clients of several groups that have no room by themselves, see [Few].
	Groups []string `json:"groups,omitempty"`
	// OtherGroups are the other groups that some of them have, see notebook.Client; only where the clients are read.
	OtherGroups []string `json:"-"`
	// Replies are the ranges of ports at one of which they receive the answers, see [network.Client].
	Replies []network.Ports `json:"replies,omitempty"`
	// Withheld says why no answer is led to them: they call nothing, and their paths fail.
	Withheld *Withheld `json:"barred,omitempty"`
}

// Called is how a client is called in a sentence: by its first name, and how many others are like it.
func (c Client) Called() string {
	if more := c.Count - 1; more > 0 {
		return fmt.Sprintf("%s and %d more", c.Names[0], more)
	}
	return c.Names[0]
}

// Callers are the clients of a side's peer, as the side needs to know them that answers.
type Callers struct {
	// CIDRs are the ranges of their subnets, as few prefixes as possible, of what of the peer comes here. Empty if there are none.
	CIDRs []netip.Prefix `json:"cidrs,omitempty"`
	// Groups are the sets of security groups that an interface of theirs has: a rule that refers to one of a set lets in what has it.
	Groups []GroupSet `json:"groups,omitempty"`
	// Apart are those of all these groups to which no rule may refer, as their owner keeps them out.
	Apart []string `json:"apart,omitempty"`
	// More says that there are clients beside whose groups are not among Groups: only CIDRs has them.
	More bool `json:"more,omitempty"`
}

// GroupSet is the security groups that one interface has, of an account.
type GroupSet struct {
	Account string   `json:"account"`
	Groups  []string `json:"groups"` // sorted
}

// The bounds of what is said of the clients of one side: so many the verdict judges with each database, and a rule has room for; see [Few].
const (
	ClientNames = 20       // of one [Client]
	ClientsSize = 24 << 10 // of all, in bytes of JSON
	GroupSets   = 50       // of [Callers]
)

// Few returns clients of one account within [ClientsSize]: with fewer names, if they have no room with all. Those that have none even so are one
// in the end, with all their subnets and without groups.
func Few(clients []Client) []Client {
	for _, names := range []int{ClientNames, 3, 1} {
		out := slices.Clone(clients)
		for n := range out {
			out[n].Names = out[n].Names[:min(names, len(out[n].Names))]
		}
		if encoded(out) <= ClientsSize {
			return out
		}
		clients = out
	}
	var rest Client
	out, size := []Client{}, 0
	for _, c := range clients {
		if size += encoded(c) + 1; size <= ClientsSize {
			out = append(out, c)
			continue
		}
		rest.Account, rest.Count, rest.Host = c.Account, rest.Count+c.Count, rest.Host || c.Host
		rest.Names = append(rest.Names, c.Names...)
		for _, p := range (network.Client{Replies: c.Replies}).Answered() {
			if !slices.Contains(rest.Replies, p) {
				rest.Replies = append(rest.Replies, p)
			}
		}
		rest.Subnets, rest.CIDRs = append(rest.Subnets, c.Subnets...), append(rest.CIDRs, c.CIDRs...)
	}
	slices.Sort(rest.Names)
	slices.Sort(rest.Subnets)
	rest.Names, rest.Subnets, rest.CIDRs = rest.Names[:min(ClientNames, len(rest.Names))], slices.Compact(rest.Subnets), network.Merge(rest.CIDRs)
	return append(out, rest)
}

// CallersOf returns the clients of peers' sides as who is called needs them. reached are the ranges of the peer that come here.
func CallersOf(clients []Client, reached []netip.Prefix) Callers {
	var out Callers
	var ranges []netip.Prefix
	for _, c := range clients {
		if c.Withheld != nil {
			continue
		}
		ranges = append(ranges, c.CIDRs...)
		set := GroupSet{Account: c.Account, Groups: c.Groups}
		switch {
		case len(c.Groups) == 0:
			out.More = true
		case slices.ContainsFunc(out.Groups, func(o GroupSet) bool { return o.Account == set.Account && slices.Equal(o.Groups, set.Groups) }):
		case len(out.Groups) == GroupSets:
			out.More = true
		default:
			out.Groups = append(out.Groups, set)
		}
	}
	out.CIDRs = network.Common(ranges, reached)
	slices.SortFunc(out.Groups, func(a, b GroupSet) int {
		if c := strings.Compare(a.Account, b.Account); c != 0 {
			return c
		}
		return slices.Compare(a.Groups, b.Groups)
	})
	return out
}
