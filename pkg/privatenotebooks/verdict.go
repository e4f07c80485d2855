package privatenotebooks

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/iampolicy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Facts are what the verdict about an account is computed from.
type Facts struct {
	Identities []iampolicy.Identity
	VPNs       []VPN
	Resolvers  []Resolver53
	Notebooks  []Instance
}

// VPN is a Client VPN endpoint.
type VPN struct {
	ID  string
	VPC string
	DNS []string // servers that it gives its clients; none: they keep their own
}

// Resolver53 is an inbound endpoint of Route 53 Resolver: where networks on premises ask for the names of a VPC.
type Resolver53 struct {
	ID  string
	VPC string
	OK  bool // it is operational
}

// Instance is a notebook instance.
type Instance struct {
	Name           string
	ARN            string
	VPC            string // empty: not known
	DirectInternet bool
}

// most is how many names a line of the verdict spells out.
const most = 10

// Verdict says, path by path, what holds and why:
//
//	EC2 in the VPC           its names lead to the endpoints, which admit it, and the policy allows both endpoints
//	Client VPN               as before, if its clients ask the VPC's resolver, base plus two
//	Direct Connect, site VPN as before, if an inbound resolver endpoint answers them and their ranges are admitted
//	the internet, the console the policy alone gives nobody a URL there
//	full rights              whoever may issue a URL from anywhere is not restricted, and is named
//
// A path that nobody has built, such as a Client VPN, holds: what it would need is said.
func Verdict(in workflow.VerifyPrivateNotebooksInput, facts Facts) []workflow.Hop {
	var out []workflow.Hop
	for _, p := range in.Placed {
		i := slices.IndexFunc(in.VPCs, func(v workflow.PrivateVPC) bool { return v.ID == p.Want.VPC })
		if i < 0 {
			continue
		}
		out = append(out, p.Hops...)
		out = append(out, paths(in, in.VPCs[i], p, facts)...)
	}
	for _, v := range in.Refused {
		out = append(out, workflow.Hop{Hop: "policy for " + v.ID, Detail: fmt.Sprintf("refused by %s: %s", v.Decision.Policy, v.Decision.Reason)})
	}
	for _, v := range in.Released {
		out = append(out, workflow.Hop{Hop: "endpoints of " + v.ID, OK: true, Detail: "Drawbridge let go of them: what is there stays as it is, and is its owner's"})
	}
	for _, r := range in.Removed {
		out = append(out, r.Hops...)
	}
	out = append(out, in.Granted.Hops...)
	if len(in.Granted.Endpoints) == 0 {
		return out
	}
	return append(append(out, outside(in, facts)...), instances(facts, in)...)
}

// short says what could not be served, or not be taken back; empty if all was. What the owner's own endpoint lacks is not Drawbridge's to serve.
func short(in workflow.VerifyPrivateNotebooksInput) string {
	var lacks []string
	for _, p := range slices.Concat(in.Placed, in.Removed) {
		for _, h := range p.Hops {
			if !h.OK && h.Hop == unserved(p.Want.VPC) {
				lacks = append(lacks, h.Hop+" is not served: "+h.Detail)
			}
		}
	}
	for _, h := range in.Granted.Hops {
		if !h.OK {
			lacks = append(lacks, h.Hop+": "+h.Detail)
		}
	}
	return strings.Join(lacks, "; ")
}

// paths are the lines about the ways into one VPC.
func paths(in workflow.VerifyPrivateNotebooksInput, v workflow.PrivateVPC, p workflow.PlaceEndpointsOutput, facts Facts) []workflow.Hop {
	inside := workflow.Hop{Hop: "EC2 in " + v.ID, OK: true}
	var lacks []string
	for _, h := range p.Hops {
		if !h.OK && !h.Unknown {
			lacks = append(lacks, h.Hop)
		}
	}
	denied := deniedThrough(in, p, v.ID, facts.Identities)
	switch {
	case len(lacks) > 0:
		inside.OK, inside.Detail = false, "not by "+strings.Join(lacks, ", ")+": see there"
	case len(denied) > 0:
		inside.OK, inside.Detail = false, "something denies it to "+strings.Join(denied, ", ")+", although the policy allows it"
	default:
		inside.Detail = "the names of API and notebooks lead to " + ids(p.Endpoints) + ", and the policy allows both"
	}
	return []workflow.Hop{inside, clientVPN(v, inside, facts.VPNs), onPremises(v, p.Want.Callers, inside, facts.Resolvers)}
}

// deniedThrough returns the tagged roles that may not issue and open a URL through each of the VPC's endpoints.
func deniedThrough(in workflow.VerifyPrivateNotebooksInput, p workflow.PlaceEndpointsOutput, vpc string, all []iampolicy.Identity) []string {
	var out []string
	for _, i := range all {
		if i.Kind != "role" || !slices.Contains(in.Granted.Roles, i.Name) {
			continue
		}
		for _, e := range p.Endpoints {
			if !through(i, anyNotebook(in), e.ID, vpc) {
				out = append(out, "role "+i.Name)
				break
			}
		}
	}
	return sorted(out)
}

// anyNotebook is the ARN of a notebook that policies about single notebooks do not mean.
func anyNotebook(in workflow.VerifyPrivateNotebooksInput) string {
	return arn.New(arn.Partition(in.Region), "sagemaker", in.Region, in.Account, "notebook-instance/any")
}

func clientVPN(v workflow.PrivateVPC, inside workflow.Hop, all []VPN) workflow.Hop {
	hop := workflow.Hop{Hop: "Client VPN into " + v.ID, OK: inside.OK}
	resolver := Resolver(v.Primary)
	var wrong, right []string
	for _, n := range all {
		switch {
		case n.VPC != v.ID:
		case slices.ContainsFunc(n.DNS, func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a == resolver }):
			right = append(right, n.ID)
		default:
			wrong = append(wrong, n.ID)
		}
	}
	switch {
	case len(wrong) > 0:
		hop.OK = false
		hop.Detail = fmt.Sprintf("the clients of %s do not ask %s, the resolver of the VPC, so they find the names of the internet: make it their DNS server", strings.Join(wrong, ", "), resolver)
	case !inside.OK:
		hop.Detail = "as little as from EC2"
	case len(right) > 0:
		hop.Detail = fmt.Sprintf("the clients of %s ask %s, the resolver of the VPC", strings.Join(right, ", "), resolver)
	default:
		hop.Detail = fmt.Sprintf("there is none; its DNS server would have to be %s", resolver)
	}
	return hop
}

func onPremises(v workflow.PrivateVPC, callers []netip.Prefix, inside workflow.Hop, all []Resolver53) workflow.Hop {
	hop := workflow.Hop{Hop: "Direct Connect or site VPN into " + v.ID, OK: inside.OK}
	var up, down []string
	for _, r := range all {
		if r.VPC == v.ID && r.OK {
			up = append(up, r.ID)
		} else if r.VPC == v.ID {
			down = append(down, r.ID)
		}
	}
	var ranges []string
	for _, c := range callers {
		ranges = append(ranges, c.String())
	}
	from := strings.Join(ranges, ", ")
	switch {
	case len(ranges) == 0:
		hop.Detail = "no range is named in the parameter private-access-cidrs, so none is admitted"
	case !inside.OK:
		hop.Detail = "as little as from EC2"
	case len(up) > 0:
		hop.Detail = fmt.Sprintf("%s is admitted, and %s answers its DNS servers", from, strings.Join(up, ", "))
	case len(down) > 0:
		hop.OK, hop.Detail = false, fmt.Sprintf("%s is not operational, so the names of the VPC are not found from %s", strings.Join(down, ", "), from)
	default:
		hop.OK, hop.Detail = false, fmt.Sprintf("%s is admitted, but the VPC has no inbound endpoint of Route 53 Resolver: make one and forward the names to it", from)
	}
	return hop
}

// outside are the lines about everywhere else.
func outside(in workflow.VerifyPrivateNotebooksInput, facts Facts) []workflow.Hop {
	free := Unrestricted(facts.Identities, anyNotebook(in))
	var tagged, others []string
	for who, by := range free {
		if role, ok := strings.CutPrefix(who, "role "); ok && slices.Contains(in.Granted.Roles, role) {
			tagged = append(tagged, fmt.Sprintf("%s by %s", who, by))
		} else {
			others = append(others, fmt.Sprintf("%s by %s", who, by))
		}
	}
	tagged, others = sorted(tagged), sorted(others)
	internet := workflow.Hop{Hop: "the internet", OK: true, Detail: "the policy gives nobody a URL there"}
	console := workflow.Hop{Hop: "the AWS console", OK: true, Detail: "gives no URL either: it calls the API over the internet"}
	if len(tagged) > 0 {
		internet.OK, internet.Detail = false, "a tagged role gets a URL from anywhere all the same: "+few(tagged)+": take that away from it"
		console.OK, console.Detail = false, "as from the internet"
	}
	full := workflow.Hop{Hop: "roles with full rights", OK: true, Detail: "nobody may issue a URL from anywhere"}
	if all := slices.Concat(tagged, others); len(all) > 0 {
		full.OK, full.Detail = false, "not restricted, may issue a URL from anywhere: "+few(sorted(all))
	}
	return []workflow.Hop{internet, console, full}
}

// instances says what the endpoints do not change about the notebooks themselves.
func instances(facts Facts, in workflow.VerifyPrivateNotebooksInput) []workflow.Hop {
	var direct, elsewhere []string
	for _, n := range facts.Notebooks {
		if n.DirectInternet {
			direct = append(direct, n.Name)
		}
		if n.VPC != "" && !slices.ContainsFunc(in.VPCs, func(v workflow.PrivateVPC) bool { return v.ID == n.VPC }) {
			elsewhere = append(elsewhere, n.Name)
		}
	}
	hop := workflow.Hop{Hop: "notebooks", OK: true, Detail: fmt.Sprintf("%d in these Regions", len(facts.Notebooks))}
	if len(direct) > 0 {
		hop.Detail += "; with a way out to the internet of their own, which this does not close: " + few(sorted(direct))
	}
	if len(elsewhere) > 0 {
		hop.Detail += "; in other VPCs, and reached through these endpoints all the same: " + few(sorted(elsewhere))
	}
	return []workflow.Hop{hop}
}

func ids(endpoints []workflow.PlacedEndpoint) string {
	var out []string
	for _, e := range endpoints {
		out = append(out, e.ID)
	}
	return strings.Join(out, " and ")
}

// few spells out the first names and counts the rest.
func few(all []string) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}
