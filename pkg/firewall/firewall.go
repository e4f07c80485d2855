// Package firewall opens security groups for a connection.
//
// The producer's database lets in, on its port, what calls it: the consumer's clients, by their security groups where AWS can refer to them, else by their
// subnets. The clients are let out to the databases' subnets, on their ports. Each rule is written in the ledger before it is added, and goes with the last connection that
// needs it; a rule that somebody else added is never ours, whatever it admits. Its tags say to people what it is for.
// Network ACLs are shared by whole subnets and ordered by their owner: they are judged with the paths, never changed.
//
//	firewall.go     the words
//	wanted.go       thinks: which rules let whom in and out (pure)
//	choose.go       thinks: through which of its groups a database is opened (pure)
//	kept.go         knows the groups that their owners keep out
//	plan.go         thinks: what is added, shared, taken back (pure)
//	surplus.go      thinks: what has no use any more (pure)
//	read.go         reads groups, rules, interfaces
//	lists.go        reads the prefix lists that rules of owners name
//	open.go         opens a side, and notes what is spare
//	apply.go        adds rules; close.go takes them back
//	participant.go  whose the groups are in a VPC that is shared
//	marked.go       reads the rules that carry a connection's tag
//
// https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
package firewall

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// Rule admits TCP on the ports From to To from or to one source. A rule that AWS holds with several sources is several
// Rules here; descriptions are not compared.
type Rule struct {
	From, To int // 0 to 65535; both 0 and 65535 with AllProtocols
	CIDR     netip.Prefix
	Other    string // a group, a prefix list: anything that is not a CIDR; with one, the list that has it as an entry
}

// Group is a security group with its TCP rules, one source each.
type Group struct {
	ID      string
	Owner   string // the account whose it is
	Name    string
	Open    bool // its owner asks to open it, though other things have it
	Client  bool // its owner marks it as a client's
	Apart   bool // its owner keeps it out of every connection
	Ingress []Rule
	Egress  []Rule
}

// Tagged is a rule by its id, with the connection that it was added for.
type Tagged struct {
	ID         string // sgr-…
	Group      string
	Egress     bool
	Connection string
	Rule       Rule // what it admits, if that is TCP; else the zero value
	Spare      bool // another rule serves in its place by now
}

// Wanted is a rule that a group must have, so that all of Ends gets through.
type Wanted struct {
	Group   string
	Rule    Rule
	Account string // whose the group is that Rule refers to; empty if it names a range
	Ends    []network.Traffic
}

// Changes is what a plan wants done so that traffic gets through. The zero value means: nothing.
type Changes struct {
	Add       []Wanted      // no rule admits it
	Share     []ledger.Item // a rule of Drawbridge's admits it that this connection does not need yet, or that was never confirmed
	Contested []ledger.Item // somebody took it away again after it was put back
	Drop      []ledger.Item // contested, and a rule of its owner's admits it by now: only the ledger changes
	// Full are, once it is done, the groups that take no rule, by their ids, each with a [fault.Conflict].
	Full map[string]error
}

// Held is a security group rule as AWS holds it.
type Held struct {
	ID     string // sgr-…
	Group  string
	Egress bool
	Key    string // of an item that is exactly this rule
	Allows string // for people: "TCP 3306 from 10.1.0.0/16"
}

// Revocation is what one call removes: rules of one group and one direction.
type Revocation struct {
	Group  string
	Egress bool
	Rules  []Held
	Items  []ledger.Item // of Rules, in their order
}

// Removal is what a plan wants done with items that nobody needs.
type Removal struct {
	Revoke []Revocation
	Gone   []ledger.Item // there is nothing any more
	Others []ledger.Item // the rule admits something else by now: it is its owner's
}

// Key is what the ledger calls a rule within its group: direction, protocol, port and source or destination.
func Key(r Rule, egress bool) string {
	ports := strconv.Itoa(r.From)
	if r.To != r.From {
		ports += "-" + strconv.Itoa(r.To)
	}
	return fmt.Sprintf("%s tcp %s %s", direction(egress), ports, r.peer())
}

// peer is the source or destination of a rule.
func (r Rule) peer() string {
	if r.CIDR.IsValid() && r.Other == "" {
		return r.CIDR.String()
	}
	return r.Other
}

func direction(egress bool) string {
	if egress {
		return "egress"
	}
	return "ingress"
}

// Ours returns the rules of a connection among items, as [Surplus] judges them. An item whose key is none of [Key] is left out.
func Ours(connection string, items []ledger.Item) []Tagged {
	var out []Tagged
	for _, i := range items {
		f := strings.Fields(i.Key)
		if i.Kind != ledger.Rule || !i.NeededBy(connection) || len(f) != 4 {
			continue
		}
		from, to, _ := strings.Cut(f[2], "-")
		one := Tagged{ID: i.Left, Group: i.Resource, Egress: f[0] == "egress", Connection: connection, Spare: slices.Contains(i.Spare, connection)}
		var wrong [3]error
		one.Rule.From, wrong[0] = strconv.Atoi(from)
		one.Rule.To, wrong[1] = strconv.Atoi(cmp.Or(to, from))
		if strings.HasPrefix(f[3], "sg-") {
			one.Rule.Other = f[3]
		} else {
			one.Rule.CIDR, wrong[2] = netip.ParsePrefix(f[3])
		}
		if errors.Join(wrong[:]...) == nil {
			out = append(out, one)
		}
	}
	return out
}

// admit reports whether rules let everything of ends through, each all of it or together.
func admit(rules []Rule, ends ...network.Traffic) bool {
	for _, t := range ends {
		if shut, _ := network.Shut(model(rules), t); len(shut) > 0 {
			return false
		}
	}
	return true
}

// model returns rules as package network judges them.
func model(rules []Rule) []network.Rule {
	var out []network.Rule
	for _, r := range rules {
		one := network.Rule{Ports: network.Ports{From: r.From, To: r.To}, CIDR: r.CIDR}
		switch {
		case strings.HasPrefix(r.Other, "pl-"):
			one.List = r.Other
		case r.Other != "":
			one.Group = r.Other
		}
		out = append(out, one)
	}
	return out
}

func compare(a, b Wanted) int {
	return cmp.Or(strings.Compare(a.Group, b.Group), a.Rule.From-b.Rule.From, a.Rule.CIDR.Compare(b.Rule.CIDR), strings.Compare(a.Rule.Other, b.Rule.Other))
}

func sorted(wanted []Wanted) []Wanted {
	slices.SortFunc(wanted, compare)
	return slices.CompactFunc(wanted, func(a, b Wanted) bool { return compare(a, b) == 0 })
}
