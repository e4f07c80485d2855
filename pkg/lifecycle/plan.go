package lifecycle

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// A Mode says what an [Edit] does to the line of its subnet.
type Mode int

// The modes. Add and Remove commute, so executions that overlap may come in any order. Set is for a caller that has
// just read the whole truth.
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
			fmt.Sprintf("shorten the owner's part by %d bytes (for example, move it to a file in /home/ec2-user/SageMaker and call that), then redrive the execution", (size-MaxContent)*3/4+3))
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

// Wanted returns the host routes that a notebook needs: the destinations of the route table of its subnet, as AddRoutes
// left them. IPv6 ones count only if the subnet has IPv6.
func Wanted(connection workflow.Connection, routed []workflow.AddRoutesOutput, nb workflow.Notebook) []netip.Prefix {
	var out []netip.Prefix
	for _, r := range tableOf(connection, routed, nb).Routes {
		if !r.Blackhole && (r.Destination.Addr().Is4() || nb.SubnetCIDRv6.IsValid()) {
			out = append(out, r.Destination)
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}

// Leaving returns which destinations of a connection that is no more have to leave the line of a notebook's subnet, and
// whether the subnet's route table still reaches anything at all that a notebook needs as a host route:
//
//	the table reaches it, live, by another target   → stays
//	by the connection alone, dead, or not at all    → leaves
//
// A route that still leads to a gateway is not of this connection: its own are gone by then.
func Leaving(destinations []netip.Prefix, table workflow.Table, connection workflow.Connection) (leaving []netip.Prefix, live bool) {
	reached := othersOf(table, connection)
	for _, d := range destinations {
		if !slices.Contains(reached, d) {
			leaving = append(leaving, d)
		}
	}
	return leaving, len(reached) > 0
}

// othersOf returns the host routes of a table that do not lead through connection.
func othersOf(table workflow.Table, connection workflow.Connection) []netip.Prefix {
	table.Routes = slices.DeleteFunc(slices.Clone(table.Routes), func(r workflow.Route) bool { return connection.OwnsTarget() && r.Target == connection.Target })
	return route.HostRoutes(table)
}

// trims reports whether the connection stays, and only some of it was taken away.
func trims(disconnected []workflow.Disconnected) bool {
	return slices.ContainsFunc(disconnected, func(d workflow.Disconnected) bool { return d.Side.Trim != nil })
}

// destinationsOf returns what a connection reached from the VPC of a notebook, as far as it can be a host route there.
func destinationsOf(disconnected []workflow.Disconnected, nb workflow.Notebook) []netip.Prefix {
	var out []netip.Prefix
	for _, d := range disconnected {
		if d.Side.VPC.Account == nb.Account && d.Side.VPC.Region == nb.Region && d.Side.VPC.ID == nb.VPC {
			out = append(out, d.Removed.Destinations...)
		}
	}
	out, _ = Routable(nb.SubnetCIDR, out)
	return out
}

// tableOf returns the route table of a notebook's subnet: the one that names it, else the main one of its VPC.
// https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
func tableOf(connection workflow.Connection, routed []workflow.AddRoutesOutput, nb workflow.Notebook) workflow.Table {
	home := ""
	for _, vpc := range []workflow.VPC{connection.Requester, connection.Accepter} {
		inside := func(cidr netip.Prefix) bool { return cidr.Contains(nb.SubnetCIDR.Addr()) }
		if vpc.Account == nb.Account && vpc.Region == nb.Region && slices.ContainsFunc(vpc.CIDRs, inside) {
			home = vpc.ID
		}
	}
	main := workflow.Table{}
	for _, r := range routed {
		for _, t := range r.Tables {
			if r.Account == nb.Account && slices.Contains(t.Subnets, nb.Subnet) {
				return t
			}
			if r.VPC == home && t.Main {
				main = t
			}
		}
	}
	return main
}
