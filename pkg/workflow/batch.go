package workflow

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// BatchSize is how many notebook instances a batch has at most: what one invocation describes and serves well within its minute.
const BatchSize = 50

// named is how many notebook instances a verdict names; of more it counts, and names those that are not served.
const named = 20

// Batch is some of the notebook instances that a connection concerns, all of one account, Region and subnet: a row of the ledger. Only its
// number travels from state to state. The names are what is to be served; how each notebook is, a step reads anew.
type Batch struct {
	Account      string       `json:"account"`
	Region       string       `json:"region"`
	VPC          string       `json:"vpc"`
	Owner        string       `json:"owner,omitempty"` // of the VPC, if that is another account
	Subnet       string       `json:"subnet"`
	SubnetCIDR   netip.Prefix `json:"subnetCidr"`
	SubnetCIDRv6 netip.Prefix `json:"subnetCidrV6,omitzero"`
	Names        []string     `json:"names"` // sorted
	// Here and There are what the policy is asked about: the notebooks' VPC, and the one to which the routes lead, without their tables. Nil where
	// only is taken away, as that asks no policy.
	Here  *Facts `json:"here,omitempty"`
	There *Facts `json:"there,omitempty"`
	// Answer is that of the look that found them, and Side the number of the side in whose VPC they are; 0 if it is not among the sides.
	Answer Answer `json:"answer"`
	Side   int    `json:"side,omitempty"`
	// Of is how many batches the connection has, and All how many notebooks they name.
	Of  int `json:"of"`
	All int `json:"all"`
	// Fresh are those of the subnet's notebooks that this look saw for the first time.
	Fresh []string `json:"-"`
	// Left is why they get no host routes, whatever the policy says, unless their owner asks for them; empty for those that do.
	Left string `json:"left,omitempty"`
	// Stands says that the connection is let go of as it stands: their host routes stay, and are their owners' from now on.
	Stands bool `json:"stands,omitempty"`
	// Kept is what the look before told of the batch, if this one goes on from there and has nothing else to do for it: nobody serves it again.
	Kept *NotebooksOutput `json:"-"`
}

// Network is the account that owns the notebooks' VPC.
func (b Batch) Network() string { return cmp.Or(b.Owner, b.Account) }

// Batches cuts notebooks that differ only in their names into batches of at most [BatchSize].
func Batches(one Batch, names []string) []Batch {
	var out []Batch
	for some := range slices.Chunk(slices.Sorted(slices.Values(names)), BatchSize) {
		b := one
		b.Names = some
		out = append(out, b)
	}
	return out
}

// Numbered sorts batches by place and subnet, tells each how many there are, and returns their numbers, from 1.
func Numbered(batches []Batch) ([]Batch, []int) {
	out := slices.Clone(batches)
	slices.SortStableFunc(out, func(a, b Batch) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Subnet, b.Subnet), slices.Compare(a.Names, b.Names))
	})
	all, numbers := Instances(out), make([]int, len(out))
	for n := range out {
		out[n].Of, out[n].All, numbers[n] = len(out), all, n+1
	}
	return out, numbers
}

// Instances is how many notebook instances batches name.
func Instances(batches []Batch) int {
	all := 0
	for _, b := range batches {
		all += len(b.Names)
	}
	return all
}

// Host is what became of the host routes of a notebook instance, as a letter.
type Host byte

// What may become of them. HostSet says that the notebook's script sets them, now or at its next start; HostLeft that the policy leaves the notebook
// out, so that nobody looked whether its owner's own script does; HostNone that nothing sets them, HostNeedless that all its traffic leaves by the
// VPC, HostGone that the notebook is not there any more.
const (
	HostSet      Host = 's'
	HostLeft     Host = 'l'
	HostNone     Host = 'n'
	HostNeedless Host = 'v'
	HostGone     Host = 'g'
)

// NotebooksOutput is what became of a batch of notebooks: how many, how many of them are served or need nothing, and the hops that
// matter: of few notebooks each, of many the first that are not served.
type NotebooksOutput struct {
	Notebooks int   `json:"notebooks"`
	Served    int   `json:"served"`
	Hops      []Hop `json:"hops"`
	// Hosts has a letter for each name of the batch, in their order, see [Host]: they would take more. Empty where host routes are taken away.
	Hosts string `json:"hosts,omitempty"`
}

// Tell returns what is told of a batch, one hop for each of its notebooks being given.
func (b Batch) Tell(hops []Hop) NotebooksOutput {
	out := NotebooksOutput{Notebooks: len(hops), Hops: []Hop{}}
	for _, h := range hops {
		if h.OK {
			out.Served++
		}
		if b.All <= named || !h.OK && len(out.Hops) < b.room() {
			out.Hops = append(out.Hops, h)
		}
	}
	return out
}

// room is how many hops of a batch are told at most.
func (b Batch) room() int {
	if b.All <= named {
		return len(b.Names)
	}
	return max(1, named/max(1, b.Of))
}

// HostRoutes returns what a verdict says of all batches: of few notebooks a hop for each; of more, how many are served, and the first that are not.
func HostRoutes(batches []NotebooksOutput) []Hop {
	var hops []Hop
	all, served := 0, 0
	for _, b := range batches {
		all, served, hops = all+b.Notebooks, served+b.Served, append(hops, b.Hops...)
	}
	if all <= named {
		return hops
	}
	hops = slices.DeleteFunc(hops, func(h Hop) bool { return h.OK })
	hops = hops[:min(len(hops), named)]
	count := Hop{Hop: "host routes", OK: served == all, Detail: fmt.Sprintf("%d of %d notebooks", served, all)}
	if more := all - served - len(hops); more > 0 {
		count.Detail += fmt.Sprintf("; %d more than those named here are not served", more)
	}
	return append([]Hop{count}, hops...)
}

// InjectRoutesInput names batches of notebooks by their numbers. The batch that is worked on, and what the route tables of its VPC hold, are rows of the ledger.
type InjectRoutesInput struct {
	Execution  string            `json:"execution"`
	Connection Connection        `json:"connection"`
	Answer     Answer            `json:"answer"`
	Rows       Rows              `json:"row"`
	Tried      int               `json:"tried"` // as in [AllowDNSResolutionInput]
	Batch      Batch             `json:"-"`
	Routed     []AddRoutesOutput `json:"-"`
	Refused    string            `json:"-"` // why the routes that they need could not be added, where the step failed
}

// WithdrawRoutesInput names batches of notebooks by their numbers, from which the connection's host routes go; with the answer trim, those that lead nowhere
// any more.
type WithdrawRoutesInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
	Answer     Answer     `json:"answer"`
	Rows       Rows       `json:"row"`
	Batch      Batch      `json:"-"`
}
