package network

import "fmt"

// Names is how names are resolved in a VPC.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html
type Names struct {
	Support   Answer // enableDnsSupport: Amazon's resolver answers
	Hostnames Answer // enableDnsHostnames
	// Server is a DNS server of the owner's own that the DHCP options name instead of Amazon's resolver.
	Server string
}

// resolves judges whether the name of a database leads a client to its private address. The name of one that has no public address is public
// and resolves to its private address everywhere. Where it has one, names are answered privately across a peering whose owners both say so,
// between VPCs with DNS support and DNS hostnames, and over a gateway by its DNS support and that of both attachments.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html
func (w World) resolves(client VPC, db VPC, d Database, carrier string) finding {
	here := client.Names
	switch {
	case here.Server != "":
		return unknown("%s uses the DNS server %s, which nobody here can ask for %s", client.ID, here.Server, d.Name)
	case here.Support == No:
		return finding{No, fmt.Sprintf("DNS support of %s is off: nothing there resolves %s", client.ID, d.Name), client.Account, "turn on DNS support of " + client.ID}
	case here.Support == Unknown:
		return unknown("whether DNS support of %s is on was not read", client.ID)
	case d.Public == No:
		return yes("%s resolves to a private address everywhere", d.Name)
	case client.ID == db.ID && here.Hostnames == Yes:
		return yes("%s resolves to its private address within %s", d.Name, db.ID)
	case d.Public == Unknown:
		return unknown("whether %s has a public address was not read", d.Name)
	}
	type one struct {
		answer Answer
		what   string
		owner  string
	}
	must := []one{{here.Hostnames, "DNS hostnames of " + client.ID, client.Account}, {db.Names.Support, "DNS support of " + db.ID, db.Account},
		{db.Names.Hostnames, "DNS hostnames of " + db.ID, db.Account}}
	if p, ok := w.peering(carrier); ok && p.between(client.ID, db.ID) {
		side := p.Resolves[0]
		if p.VPCs[1] == db.ID {
			side = p.Resolves[1]
		}
		must = append(must, one{p.Active, p.ID, db.Account}, one{side, "the option of " + p.ID + " by which " + client.ID + " resolves names of " + db.ID, db.Account})
	} else if g, ok := w.gateway(carrier); ok {
		a, _ := g.attachment(client.ID)
		b, _ := g.attachment(db.ID)
		must = append(must, one{g.DNS, "DNS support of " + g.ID, g.Owner}, one{a.DNS, "DNS support of the attachment of " + client.ID, client.Account},
			one{b.DNS, "DNS support of the attachment of " + db.ID, db.Account})
	} else {
		return unknown("how %s is resolved over %s is not known", d.Name, carrier)
	}
	for _, m := range must {
		if m.answer == No {
			return finding{No, fmt.Sprintf("%s is off: %s resolves to its public address", m.what, d.Name), m.owner, "turn on " + m.what}
		}
	}
	for _, m := range must {
		if m.answer == Unknown {
			return unknown("whether %s is on was not read", m.what)
		}
	}
	return yes("%s resolves to its private address", d.Name)
}
