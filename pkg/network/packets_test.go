package network_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// small draws a world of two VPCs with 8 addresses each, in which much may be wrong. With plain, nothing in it is outside the model, and nothing
// is left to AWS to choose.
func small(t *rapid.T, gate, plain bool) *world {
	w := &world{carrier: "pcx-1"}
	carrier := "pcx-1"
	if gate {
		carrier = "tgw-1"
		w.carrier = carrier
	}
	faults := rapid.IntRange(0, 4).Draw(t, "faults")
	bad := func(label string) bool { // so that many worlds are whole, and those that are not have few faults
		if faults > 0 && rapid.IntRange(0, 7).Draw(t, label) > 5 {
			faults--
			return true
		}
		return false
	}
	often := func(label string) bool { return !bad(label) }
	spans := rapid.SampledFrom([]network.Ports{network.AllPorts, network.AllPorts, network.AllPorts, {From: 3306, To: 3306}, {From: 1024, To: 65535}, {From: 32768, To: 50000}, {From: 50001, To: 65535}})
	var g network.Gateway
	zones, appliance := rapid.Bool().Draw(t, "zone ids"), rapid.IntRange(0, 3).Draw(t, "appliance mode") == 0
	for n, id := range []string{"vpc-c", "vpc-d"} {
		own, other := fmt.Sprintf("10.%d.0.", n+1), fmt.Sprintf("10.%d.0.", 2-n)
		near := rapid.SampledFrom(cidrs(other+"0/29", "0.0.0.0/0", "10.0.0.0/8", other+"0/30", other+"4/30", other+"2/31", other+"5/32"))
		within := rapid.SampledFrom(cidrs(own+"0/29", own+"0/30", own+"4/30", "0.0.0.0/0"))
		v := network.VPC{ID: id, Account: fmt.Sprint(n), Region: "us-east-1", CIDRs: cidrs(own + "0/28"), Names: network.Names{Support: network.Yes, Hostnames: network.Yes}}
		entries := func(label string) []network.Entry {
			var out []network.Entry
			for i := 0; i < 2 && bad(label); i++ {
				peers := near
				if rapid.Bool().Draw(t, "own") {
					peers = within
				}
				out = append(out, network.Entry{Number: 10 + i, Allow: rapid.Bool().Draw(t, "allow"), CIDR: peers.Draw(t, "cidr"), Ports: spans.Draw(t, "ports")})
			}
			if often("open") {
				out = append(out, entry(100, true, "0.0.0.0/0", 0, 65535))
			}
			return out
		}
		targets := []string{carrier, carrier, carrier, "pcx-9", "igw-1"}
		if !plain {
			targets = append(targets, "eni-1", "vgw-1", "vpce-1", "nat-1")
		}
		for m, zone := range []string{"a", "b", "ta", "tb"} {
			if m > 1 && !gate {
				break
			}
			s := network.Subnet{ID: id + "-" + zone, Zone: zone[len(zone)-1:], CIDRs: cidrs(fmt.Sprintf("%s%d/30", own, m*4))}
			if zones {
				s.ZoneID = "use1-az-" + s.Zone
			}
			table := network.Table{ID: s.ID + "-table", Subnets: []string{s.ID}, Routes: []network.Route{to(own+"0/28", "local")}}
			if often("routed") {
				table.Routes = append(table.Routes, to(other+"0/29", carrier))
			}
			for i := 0; i < 2 && bad("another route"); i++ {
				r := network.Route{Destination: near.Draw(t, "to"), Target: rapid.SampledFrom(targets).Draw(t, "target")}
				switch rapid.IntRange(0, 4).Draw(t, "kind") {
				case 0:
					r.Blackhole = true
				case 1:
					r.Propagated = true
				case 2:
					r.List = "pl-1"
				}
				unique := !slices.ContainsFunc(table.Routes, func(o network.Route) bool {
					return o.Destination == r.Destination && o.Propagated == r.Propagated && (o.List == r.List) && (plain || r.List == "")
				})
				if unique {
					table.Routes = append(table.Routes, r)
				}
			}
			if !plain && bad("unread") {
				table.Unread = []network.List{{ID: "pl-9", Target: rapid.SampledFrom(targets).Draw(t, "to")}}
			}
			v.Subnets, v.Tables = append(v.Subnets, s), append(v.Tables, table)
			v.ACLs = append(v.ACLs, network.ACL{ID: "acl-" + s.ID, Subnets: []string{s.ID}, Ingress: entries("in"), Egress: entries("out")})
		}
		rules := func(label string) []network.Rule {
			var out []network.Rule
			if often(label) {
				return []network.Rule{{Ports: network.AllPorts, CIDR: cidr(other + "0/28")}}
			}
			for range rapid.IntRange(0, 2).Draw(t, "rules") {
				r := network.Rule{Ports: spans.Draw(t, "ports")}
				switch rapid.IntRange(0, 3).Draw(t, "kind") {
				case 0, 1:
					r.CIDR = near.Draw(t, "from")
				case 2:
					r.Group = rapid.SampledFrom([]string{"sg-vpc-c", "sg-vpc-d", "sg-9"}).Draw(t, "group")
				case 3:
					if plain {
						continue
					}
					r.List = "pl-9"
				}
				out = append(out, r)
			}
			return out
		}
		v.Groups = []network.Group{{ID: "sg-" + id, Ingress: rules("ingress"), Egress: rules("egress")}}
		if gate {
			a := network.Attachment{ID: "tgw-attach-" + id, VPC: id, Available: network.Yes, DNS: network.Yes, References: network.Yes, Table: "tgw-rtb-" + id, Appliance: appliance}
			choices := [][]string{{id + "-ta"}, {id + "-a"}}
			if !plain || zones && !appliance { // which subnet it leaves by is known
				choices = append(choices, []string{id + "-ta", id + "-tb"}, []string{id + "-a", id + "-tb"})
			}
			a.Subnets = rapid.SampledFrom(choices).Draw(t, "attached in")
			table := network.Table{ID: a.Table}
			if often("propagated") {
				table.Routes = append(table.Routes, network.Route{Destination: cidr(other + "0/28"), Target: "tgw-attach-" + map[string]string{"vpc-c": "vpc-d", "vpc-d": "vpc-c"}[id], Propagated: true})
			}
			if bad("static") {
				r := network.Route{Destination: near.Draw(t, "gateway to"), Target: rapid.SampledFrom([]string{"tgw-attach-vpc-c", "tgw-attach-vpc-d"}).Draw(t, "attachment"), Blackhole: rapid.Bool().Draw(t, "blackhole")}
				if !plain && rapid.Bool().Draw(t, "inspected") {
					r.Target = "tgw-attach-vpc-i"
				}
				table.Routes = append(table.Routes, r)
			}
			g.Attachments, g.Tables = append(g.Attachments, a), append(g.Tables, table)
		}
		w.VPCs = append(w.VPCs, v)
	}
	if gate {
		g.ID, g.DNS, g.References = "tgw-1", network.Yes, network.Is(rapid.Bool().Draw(t, "references"))
		g.Attachments = append(g.Attachments, network.Attachment{ID: "tgw-attach-vpc-i", VPC: "vpc-i"})
		w.Gateways = []network.Gateway{g}
	} else {
		w.Peerings = []network.Peering{{ID: "pcx-1", Active: network.Yes, VPCs: [2]string{"vpc-c", "vpc-d"}}}
	}
	at := func(id string) []string {
		choices := [][]string{{id + "-a"}, {id + "-a", id + "-b"}}
		return rapid.SampledFrom(choices).Draw(t, "subnets of "+id)
	}
	w.client = network.Client{Name: "client", VPC: "vpc-c", Subnets: at("vpc-c"), Groups: []string{"sg-vpc-c"},
		Replies: rapid.SampledFrom([][]network.Ports{nil, {network.EphemeralLambda}, {network.Ephemeral, network.EphemeralWindows}}).Draw(t, "answers at")}
	w.database = network.Database{Name: "database", VPC: "vpc-d", Subnets: at("vpc-d"), Groups: []string{"sg-vpc-d"}, Public: network.No}
	return w
}

// The judge says of a world what becomes of every packet in it. Where nothing is outside the model, it says it exactly.
func TestTheJudgeSaysWhatBecomesOfEveryPacket(t *testing.T) {
	for name, gate := range map[string]bool{"peering": false, "gateway": true} {
		for how, plain := range map[string]bool{"plain": true, "wild": false} {
			t.Run(name+" "+how, func(t *testing.T) {
				seen := map[network.Answer]int{}
				rapid.Check(t, func(t *rapid.T) {
					w := small(t, gate, plain)
					hops := w.judge()
					got, want := network.All(hops), simulator{w.World, w.client, w.database}.want()
					seen[want]++
					switch {
					case got == want:
					case !plain && got == network.Unknown && want == network.No: // several ways, each of which fails by something else
					default:
						t.Fatalf("judged %s, and it is %s:\n%s", got.Mark(), want.Mark(), lines(hops))
					}
				})
				if seen[network.Yes] == 0 || seen[network.No] == 0 || !plain && seen[network.Unknown] == 0 {
					t.Errorf("the worlds are all alike: %v", seen)
				}
			})
		}
	}
}

func lines(hops []network.Hop) string {
	var out []string
	for _, h := range hops {
		out = append(out, h.Answer.Mark()+" "+h.Hop+": "+h.Detail)
	}
	return strings.Join(out, "\n")
}
