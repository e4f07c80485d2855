package why

import (
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// accept accepts a peering that waits for it.
func (q Question) accept(over Carrier) []Change {
	if over.Status != "pending-acceptance" {
		return nil
	}
	return []Change{{Account: over.Accepter, What: "accept the peering",
		Command: []string{"aws", "ec2", "accept-vpc-peering-connection", "--region", over.AcceptRegion, "--vpc-peering-connection-id", over.ID},
		make: func(s state) state {
			s.world.Peerings = slices.Clone(s.world.Peerings)
			for n := range s.world.Peerings {
				if s.world.Peerings[n].ID == over.ID {
					s.world.Peerings[n].Active = network.Yes
				}
			}
			return s
		}}}
}

// attached leads the other end's addresses to its attachment in the table of the gateway that an end's attachment uses. Propagation would lead all
// of the other VPC's, for everybody whose attachment uses that table.
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-route-tables.html
func (q Question) attached(from, to side, gateway string) []Change {
	g := q.gateway(gateway)
	if g == nil {
		return nil
	}
	var a, b network.Attachment
	for _, one := range g.Attachments {
		switch one.VPC {
		case from.vpc:
			a = one
		case to.vpc:
			b = one
		}
	}
	n := slices.IndexFunc(g.Tables, func(t network.Table) bool { return t.ID == a.Table })
	if a.ID == "" || b.ID == "" || n < 0 {
		return nil
	}
	table := g.Tables[n]
	var out []Change
	for _, r := range lacking(table, to.cidrs(), b.ID) {
		call, d := "create-transit-gateway-route", r.destination
		if r.replace {
			call = "replace-transit-gateway-route"
		}
		out = append(out, Change{Account: g.Owner, What: fmt.Sprintf("lead %s to %s in %s", d, b.ID, table.ID),
			Command: []string{"aws", "ec2", call, "--region", from.network().Region, "--transit-gateway-route-table-id", table.ID, "--destination-cidr-block", d.String(),
				"--transit-gateway-attachment-id", b.ID},
			make: inGateway(g.ID, table.ID, func(t *network.Table) { t.Routes = led(t.Routes, d, b.ID) })})
	}
	return out
}

// names turns on what name resolution needs and is off.
func (q Question) names(client, db side, over string) []Change {
	var out []Change
	attribute := func(v network.VPC, what, flag string, set func(*network.Names)) {
		out = append(out, Change{Account: v.Account, What: fmt.Sprintf("turn on %s of %s", what, v.ID),
			Command: []string{"aws", "ec2", "modify-vpc-attribute", "--region", v.Region, "--vpc-id", v.ID, flag, "Value=true"},
			make:    inVPC(v.ID, func(v *network.VPC) { set(&v.Names) })})
	}
	here, there := client.network(), db.network()
	vpcs := []network.VPC{here, there}
	for n, v := range vpcs {
		if v.Names.Support == network.No && (n == 0 || q.Database.Public != network.No) {
			attribute(v, "DNS support", "--enable-dns-support", func(n *network.Names) { n.Support = network.Yes })
		}
		if v.Names.Hostnames == network.No && q.Database.Public != network.No {
			attribute(v, "DNS hostnames", "--enable-dns-hostnames", func(n *network.Names) { n.Hostnames = network.Yes })
		}
	}
	n := slices.IndexFunc(q.World.Peerings, func(p network.Peering) bool { return p.ID == over })
	if n < 0 || q.Database.Public == network.No {
		return out
	}
	p, mine, role := q.World.Peerings[n], 0, "--requester-peering-connection-options"
	if p.VPCs[1] == there.ID {
		mine, role = 1, "--accepter-peering-connection-options"
	}
	if p.Resolves[mine] == network.No {
		out = append(out, Change{Account: there.Account, What: "let the other side resolve names to private addresses",
			Command: []string{"aws", "ec2", "modify-vpc-peering-connection-options", "--region", there.Region, "--vpc-peering-connection-id", p.ID, role, "AllowDnsResolutionFromRemoteVpc=true"},
			make: func(s state) state {
				s.world.Peerings = slices.Clone(s.world.Peerings)
				s.world.Peerings[n].Resolves[mine] = network.Yes
				return s
			}})
	}
	return out
}
