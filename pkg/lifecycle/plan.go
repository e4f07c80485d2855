package lifecycle

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// A Mode says what an [Edit] does to the line of its subnet.
type Mode int

// The modes. Add and Remove commute, so executions that overlap may come in any order. Set is for a caller that has
// just read the whole truth. What goes is only ever what the ledger says was added for the subnet, see [Intend].
const (
	Add    Mode = iota // these destinations, besides those already there
	Remove             // without these destinations
	Set                // exactly these destinations
)

// An Edit is what is wanted of the line of one subnet. Every other line stays as it is.
type Edit struct {
	Subnet       netip.Prefix
	Mode         Mode
	Destinations []netip.Prefix
}

// A Change is what has to be written so that a configuration is as wanted. The zero Change is none.
type Change struct {
	Create bool // the configuration does not exist yet
	Update bool // its on-start script becomes OnStart
	// OnStart is the script to write; nil takes the on-start script away. SageMaker wants at least one byte in a
	// script and at least one script that does something, so a configuration that is wholly Drawbridge's keeps an
	// idle block until it is deleted.
	OnStart []byte
	// Idle reports that, with this change, the configuration holds nothing but an idle block of Drawbridge's:
	// it may be detached and deleted.
	Idle bool
}

// None reports whether there is nothing to write.
func (c Change) None() bool { return !c.Create && !c.Update }

// Plan returns what makes a configuration hold the edited lines. Current nil means that there is none.
//
//	no configuration, routes wanted            → create one, wholly ours
//	no configuration, nothing wanted           → nothing
//	a script without our block                 → our block directly after the shebang
//	our block, same lines                      → nothing
//	our block, other lines                     → our block anew; lines of other subnets stay
//	our block, last line gone, owner's script  → the owner's bytes, exactly
//	our block, last line gone, all ours        → an idle block, to be deleted by whoever may
//	not a shell script, CRLF, our block edited by hand, longer than [MaxContent] → Conflict, nothing is written
//	nothing to add, and not (or no longer) a shell script → as for a shell script: our block goes, or there is none
func Plan(current *Configuration, edits ...Edit) (Change, error) {
	name, script := "to be created", Script{}
	if current != nil {
		name = current.Name
		adding := slices.ContainsFunc(edits, func(e Edit) bool { return e.Mode != Remove && len(e.Destinations) > 0 })
		if err := Usable(name, current.OnStart); err != nil && adding {
			return Change{}, err
		}
		var err error
		if script, err = Parse(name, current.OnStart); err != nil {
			return Change{}, err
		}
	}
	for _, e := range edits {
		lines, err := e.apply(script.Lines)
		if err != nil {
			return Change{}, err
		}
		script.Lines = lines
	}
	if current == nil {
		if len(script.Lines) == 0 {
			return Change{}, nil
		}
		current = &Configuration{}
	}
	// An on-start script that Drawbridge added to somebody's on-create script goes without a trace.
	if script.Ours && script.Owner == nil && len(script.Lines) == 0 && current.OnCreate != "" {
		script.Ours = false
	}
	wanted := script.Bytes()
	change := Change{OnStart: wanted, Idle: current.OnCreate == "" && script.Owner == nil && len(script.Lines) == 0 && script.Ours}
	if slices.Equal(wanted, current.OnStart) {
		return change, nil
	}
	change.Create, change.Update = current.Name == "", current.Name != ""
	if size := base64.StdEncoding.EncodedLen(len(wanted)); size > MaxContent && len(wanted) > len(current.OnStart) {
		return Change{}, fault.NewConflict(
			fmt.Sprintf("the on-start script of lifecycle configuration %s would have %d characters with Drawbridge's block; SageMaker takes %d", name, size, MaxContent),
			fmt.Sprintf("shorten the owner's part by %d bytes (for example, move it to a file in /home/ec2-user/SageMaker and call that); Drawbridge looks again when the notebook is stopped or started", (size-MaxContent)*3/4+3))
	}
	return change, nil
}

// apply returns lines with the edit made, sorted by subnet. It never changes its argument.
func (e Edit) apply(lines []Line) ([]Line, error) {
	if !e.Subnet.IsValid() || e.Subnet.Masked() != e.Subnet {
		return nil, fault.New(fault.Invalid, "planning host routes: %v is not the CIDR of a subnet", e.Subnet)
	}
	for _, d := range e.Destinations {
		if reason := Unroutable(e.Subnet, d); reason != "" {
			return nil, fault.New(fault.Invalid, "planning host routes: %v %s", d, reason)
		}
	}
	var out []Line
	mine := Line{Subnet: e.Subnet}
	for _, l := range lines {
		if l.Subnet == e.Subnet {
			mine.Destinations = append(mine.Destinations, l.Destinations...)
		} else {
			out = append(out, l)
		}
	}
	switch e.Mode {
	case Add:
		mine.Destinations = append(mine.Destinations, e.Destinations...)
	case Remove:
		mine.Destinations = slices.DeleteFunc(mine.Destinations, func(d netip.Prefix) bool { return slices.Contains(e.Destinations, d) })
	case Set:
		mine.Destinations = slices.Clone(e.Destinations)
	}
	if slices.SortFunc(mine.Destinations, netip.Prefix.Compare); len(mine.Destinations) > 0 {
		mine.Destinations = slices.Compact(mine.Destinations)
		out = append(out, mine)
	}
	slices.SortFunc(out, func(a, b Line) int { return a.Subnet.Compare(b.Subnet) })
	return out, nil
}

// bridges are the networks of the containers on a notebook instance; a host route into them cuts those off. A wider
// route does not: the bridge's own is more specific.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
var bridges = []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("172.18.0.0/16")}

// Unroutable says why a destination cannot be a host route of a notebook in subnet, in words that follow the
// destination. Empty means that it can.
func Unroutable(subnet, destination netip.Prefix) string {
	switch {
	case !destination.IsValid() || destination.Masked() != destination || destination.Addr().Is4In6() || destination.Addr().Zone() != "":
		return "is not a masked CIDR"
	case destination.Bits() == 0:
		return "is the default route, which stays with SageMaker's interface"
	case destination.Addr().Is4() && !subnet.Addr().Is4():
		return "is IPv4, but the notebook's subnet is not"
	case destination.Bits() >= subnet.Bits() && destination.Overlaps(subnet):
		return "lies in the notebook's own subnet"
	}
	for _, b := range bridges {
		if b.Overlaps(destination) && destination.Bits() >= b.Bits() {
			return "lies in " + b.String() + ", the network of the containers on a notebook instance"
		}
	}
	return ""
}

// Routable splits destinations into those that can be host routes of a notebook in subnet and sentences about those
// that cannot.
func Routable(subnet netip.Prefix, destinations []netip.Prefix) (good []netip.Prefix, bad []string) {
	for _, d := range destinations {
		if reason := Unroutable(subnet, d); reason != "" {
			bad = append(bad, d.String()+" "+reason)
		} else {
			good = append(good, d)
		}
	}
	return good, bad
}

// Needed returns the host routes that a notebook behind table, in vpc, needs: what the table reaches by a live route, through a
// peering or a gateway, and that is managed. items are what the ledger has of the table, connections those of the place. Sorted.
//
//	the owner of the notebook asks for host routes        → all that the table reaches
//	a route that the ledger has, or that serves instead of one that is wanted → its destination
//	a route to the target of a managed connection of vpc  → what it has in common with a CIDR of the peer
//	another route: of a connection that nobody gave to Drawbridge → none
func Needed(table workflow.Table, items []ledger.Item, connections []ledger.Connection, vpc string, asks bool) []netip.Prefix {
	if asks {
		return route.HostRoutes(table)
	}
	var out []netip.Prefix
	reached := route.HostRoutes(table)
	for _, r := range table.Routes {
		if r.Blackhole || !slices.Contains(reached, r.Destination) {
			continue
		}
		if slices.ContainsFunc(items, func(i ledger.Item) bool {
			return i.Kind == ledger.Route && i.Key == r.Destination.String() && i.State != ledger.Leaving && i.State != ledger.Contested
		}) {
			out = append(out, r.Destination)
			continue
		}
		for _, c := range connections {
			if workflow.TargetOf(c.ID) == r.Target {
				out = append(out, common(r.Destination, c, vpc)...)
			}
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}

// Returning are the host routes that stay though no route leads there: of routes that the ledger has and whose table has none to that destination any more.
// Somebody's hand took them away, and they are put back, once; a notebook that runs has the host route all the while. What is taken away again is contested,
// what nobody but the connection without needs is going, and what a wider live route of the owner's leads to the same target is put back by nobody. Sorted.
func Returning(table workflow.Table, items []ledger.Item, without string) []netip.Prefix {
	var out []netip.Prefix
	for _, i := range items {
		d, err := netip.ParsePrefix(i.Key)
		there := slices.ContainsFunc(table.Routes, func(r workflow.Route) bool {
			covers := !r.Blackhole && r.Target == i.Left && r.Destination.Bits() < d.Bits() && r.Destination.Contains(d.Addr())
			return r.Destination == d || covers
		})
		needed := slices.ContainsFunc(i.Needed, func(id string) bool { return id != without })
		if i.Kind == ledger.Route && i.State == ledger.Confirmed && i.Resource == table.ID && err == nil && needed && !there {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}

// common returns what a destination has in common with the CIDRs of the peer of vpc in a connection.
func common(destination netip.Prefix, c ledger.Connection, vpc string) []netip.Prefix {
	var out []netip.Prefix
	if !slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.ID == vpc }) {
		return nil
	}
	for _, s := range c.Sides {
		for _, text := range s.CIDRs {
			cidr, err := netip.ParsePrefix(text)
			switch {
			case s.ID == vpc || err != nil || !cidr.Overlaps(destination):
			case cidr.Bits() > destination.Bits():
				out = append(out, cidr.Masked())
			default:
				out = append(out, destination)
			}
		}
	}
	return out
}

// asEntry returns a connection as the ledger would have it.
func asEntry(c workflow.Connection) ledger.Connection {
	out := ledger.Connection{ID: c.ID}
	for _, v := range []workflow.VPC{c.Requester, c.Accepter} {
		side := ledger.Side{Account: v.Account, Region: v.Region, ID: v.ID}
		for _, cidr := range v.CIDRs {
			side.CIDRs = append(side.CIDRs, cidr.String())
		}
		out.Sides = append(out.Sides, side)
	}
	return out
}

// Lines of a block that the ledger has say so in an item's Left.
const line = "line"

// Key is what the ledger calls a host route within its lifecycle configuration.
func Key(subnet, destination netip.Prefix) string {
	return subnet.String() + " " + destination.String()
}

// Item is what the ledger is told of a host route in the line of a subnet's CIDR.
func Item(account, region, configuration string, subnet, destination netip.Prefix) ledger.Item {
	return ledger.Item{Account: account, Region: region, Resource: configuration, Kind: ledger.HostRoute, Key: Key(subnet, destination), Left: line}
}

// Intent is what an edit means for the ledger.
type Intent struct {
	Add     []netip.Prefix // to be in the line, and not the owner's
	Release []ledger.Item  // the subnet does not need them any more, or they are leaving for it
	// Lost are those to add that the ledger has confirmed: somebody took them away. Contested are those that are left to them.
	Lost, Contested []ledger.Item
	Drop            []ledger.Item // contested, and their owner put them there: they are the owner's
}

// Intend returns what an edit for the notebooks of a subnet means. lines are those of the configuration, items what the ledger has of it:
//
//	wanted, in the line, no item            → nothing: it was there before the ledger, or is its owner's
//	wanted, else                            → add: the subnet needs it
//	wanted, contested, not in the line      → nothing: it is left to who took it away
//	wanted, contested, in the line          → drop: its owner put it there
//	not wanted (any more), the subnet's item → release
//	not wanted, no item of the subnet       → nothing: another subnet's, or its owner's
func Intend(edit Edit, subnet string, lines []Line, items []ledger.Item) Intent {
	var out Intent
	there := func(d netip.Prefix) bool {
		return slices.ContainsFunc(lines, func(l Line) bool { return l.Subnet == edit.Subnet && slices.Contains(l.Destinations, d) })
	}
	for _, d := range edit.Destinations {
		i := itemOf(items, Key(edit.Subnet, d))
		switch {
		case edit.Mode == Remove || i == nil && there(d):
		case i != nil && i.State == ledger.Contested && there(d):
			out.Drop = append(out.Drop, *i)
		case i != nil && i.State == ledger.Contested:
			out.Contested = append(out.Contested, *i)
		default:
			if i != nil && i.State == ledger.Confirmed && !there(d) {
				out.Lost = append(out.Lost, *i)
			}
			out.Add = append(out.Add, d)
		}
	}
	for _, i := range items {
		d, ok := destinationOf(edit.Subnet, i)
		mine := i.NeededBy(subnet) || i.State == ledger.Leaving && i.For == subnet
		if ok && mine && edit.Mode != Add && slices.Contains(edit.Destinations, d) == (edit.Mode == Remove) {
			out.Release = append(out.Release, i)
		}
	}
	return out
}

func itemOf(items []ledger.Item, key string) *ledger.Item {
	for n := range items {
		if i := &items[n]; i.Kind == ledger.HostRoute && i.Key == key {
			return i
		}
	}
	return nil
}

// SubnetOf returns the addresses of the subnet that a line is for.
func SubnetOf(line ledger.Item) (netip.Prefix, error) {
	of, _, _ := strings.Cut(line.Key, " ")
	return netip.ParsePrefix(of)
}

// destinationOf returns the destination of an item of a subnet's line.
func destinationOf(subnet netip.Prefix, i ledger.Item) (netip.Prefix, bool) {
	of, text, _ := strings.Cut(i.Key, " ")
	d, err := netip.ParsePrefix(text)
	return d, i.Kind == ledger.HostRoute && of == subnet.String() && err == nil
}

func destinationsOf(subnet netip.Prefix, items []ledger.Item) []netip.Prefix {
	var out []netip.Prefix
	for _, i := range items {
		if d, ok := destinationOf(subnet, i); ok {
			out = append(out, d)
		}
	}
	return out
}

// TableOf returns the route table of a notebook's subnet: the one that names it, else the main one of its VPC.
// https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
func TableOf(connection workflow.Connection, routed []workflow.AddRoutesOutput, nb workflow.Notebook) workflow.Table {
	home := ""
	for _, vpc := range []workflow.VPC{connection.Requester, connection.Accepter} {
		inside := func(cidr netip.Prefix) bool { return cidr.Contains(nb.SubnetCIDR.Addr()) }
		if vpc.Account == nb.Network().Account && vpc.Region == nb.Region && slices.ContainsFunc(vpc.CIDRs, inside) {
			home = vpc.ID
		}
	}
	main := workflow.Table{}
	for _, r := range routed {
		for _, t := range r.Tables {
			if r.Account == nb.Network().Account && slices.Contains(t.Subnets, nb.Subnet) {
				return t
			}
			if r.VPC == home && t.Main {
				main = t
			}
		}
	}
	return main
}
