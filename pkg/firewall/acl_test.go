package firewall_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// acls are the network ACLs of a VPC: which CIDR is let in and out, for the subnets of each.
type acls map[string]struct {
	subnets []string
	cidr    string
}

func (a acls) DescribeNetworkAcls(context.Context, *ec2.DescribeNetworkAclsInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkAclsOutput, error) {
	out := &ec2.DescribeNetworkAclsOutput{}
	for id, acl := range a {
		one := types.NetworkAcl{NetworkAclId: aws.String(id)}
		for _, s := range acl.subnets {
			one.Associations = append(one.Associations, types.NetworkAclAssociation{SubnetId: aws.String(s)})
		}
		for _, egress := range []bool{false, true} {
			one.Entries = append(one.Entries, types.NetworkAclEntry{RuleNumber: aws.Int32(100), RuleAction: types.RuleActionAllow, Egress: aws.Bool(egress),
				Protocol: aws.String("-1"), CidrBlock: aws.String(acl.cidr)})
		}
		out.NetworkAcls = append(out.NetworkAcls, one)
	}
	return out, nil
}

// What an ACL lacks for clients that are nowhere is nothing; what it lacks where one is, is said.
func in(vpc workflow.VPC, clients firewall.Clients) func(workflow.VPC) firewall.Clients {
	return func(v workflow.VPC) firewall.Clients {
		if v.ID != vpc.ID {
			return firewall.Clients{}
		}
		return clients
	}
}

func TestACLsAreJudgedWhereTheClientsAre(t *testing.T) {
	here := workflow.VPC{ID: "vpc-here", CIDRs: []netip.Prefix{cidr("10.1.0.0/16")}}
	peer := workflow.VPC{ID: "vpc-peer", CIDRs: []netip.Prefix{cidr("10.2.0.0/16")}}
	opening := workflow.Opening{Database: "sales", Port: 3306, Subnets: []string{"subnet-db"}, CIDRs: []netip.Prefix{cidr("10.2.128.0/24")}}
	producer := workflow.Side{VPC: here, Peer: peer, Openings: []workflow.Opening{{Database: "sales", Port: 3306, Subnets: []string{"subnet-db"}}}}
	consumer := workflow.Side{VPC: here, Peer: peer, Ports: []int{3306}}
	type table = acls
	for name, c := range map[string]struct {
		side    workflow.Side
		there   []workflow.Opening
		acls    table
		clients firewall.Clients
		lacks   string // part of what lacks
	}{
		"all is let through": {side: producer, acls: table{"acl-1": {[]string{"subnet-db"}, "0.0.0.0/0"}}},
		"the clients' subnet alone is let in": {side: producer, acls: table{"acl-1": {[]string{"subnet-db"}, "10.2.7.0/24"}},
			clients: firewall.Clients{Subnets: []string{"subnet-n"}, CIDRs: []netip.Prefix{cidr("10.2.7.0/24")}}},
		"a client is elsewhere": {side: producer, acls: table{"acl-1": {[]string{"subnet-db"}, "10.2.7.0/24"}},
			clients: firewall.Clients{Subnets: []string{"subnet-n", "subnet-f"}, CIDRs: []netip.Prefix{cidr("10.2.7.0/24"), cidr("10.2.9.0/24")}},
			lacks:   "allow TCP 3306 from 10.2.9.0/24"},
		"nobody is there yet":                              {side: producer, acls: table{"acl-1": {[]string{"subnet-db"}, "10.2.0.0/17"}}, lacks: "allow TCP 3306 from 10.2.128.0/17"},
		"a client's subnet lets out to the database alone": {side: consumer, there: []workflow.Opening{opening}, acls: table{"acl-1": {[]string{"subnet-n"}, "10.2.128.0/24"}}},
		"a quiet subnet is shut": {side: consumer, there: []workflow.Opening{opening}, acls: table{"acl-1": {[]string{"subnet-n"}, "0.0.0.0/0"}, "acl-2": {[]string{"subnet-q"}, "10.1.0.0/16"}},
			clients: firewall.Clients{Subnets: []string{"subnet-n"}}},
		"a function's subnet is shut": {side: consumer, there: []workflow.Opening{opening}, acls: table{"acl-1": {[]string{"subnet-n"}, "0.0.0.0/0"}, "acl-2": {[]string{"subnet-f"}, "10.1.0.0/16"}},
			clients: firewall.Clients{Subnets: []string{"subnet-f", "subnet-n"}}, lacks: "network ACL acl-2 lacks an outbound entry: allow TCP 3306 to 10.2.128.0/24"},
		"a shut VPC without clients": {side: consumer, there: []workflow.Opening{opening}, acls: table{"acl-1": {[]string{"subnet-q"}, "10.1.0.0/16"}}},
	} {
		t.Run(name, func(t *testing.T) {
			calling := here // the clients are on the side that consumes
			if len(c.side.Openings) > 0 {
				calling = peer
			}
			hops, lacks, err := firewall.CheckACLs(t.Context(), c.acls, c.side, c.there, in(calling, c.clients))
			if err != nil || len(hops) != 1 || hops[0].OK != (c.lacks == "") || !strings.Contains(strings.Join(lacks, "; "), c.lacks) {
				t.Errorf("hops are %+v, lacking %q, %v; want %q", hops, lacks, err, c.lacks)
			}
		})
	}
}

// An attachment in subnets of its own meets their ACLs in AWS's own way: what leaves the VPC by its inbound rules, what comes by its outbound
// rules.
func TestTheACLsOfAnAttachmentsOwnSubnets(t *testing.T) {
	here := workflow.VPC{ID: "vpc-here", CIDRs: []netip.Prefix{cidr("10.1.0.0/16"), cidr("2600:1f13::/56")}} // nothing crosses by IPv6
	peer := workflow.VPC{ID: "vpc-peer", CIDRs: []netip.Prefix{cidr("10.2.0.0/16")}}
	producer := workflow.Side{VPC: here, Peer: peer, Attached: []string{"subnet-tgw"},
		Openings: []workflow.Opening{{Database: "sales", Port: 3306, Subnets: []string{"subnet-db"}, CIDRs: []netip.Prefix{cidr("10.1.128.0/24"), cidr("2600:1f13::/64")}}}}
	consumer := workflow.Side{VPC: here, Peer: peer, Attached: []string{"subnet-tgw"}, Ports: []int{3306}}
	there := []workflow.Opening{{Database: "sales", Port: 3306, CIDRs: []netip.Prefix{cidr("10.2.128.0/24")}}}
	notebook := firewall.Clients{Subnets: []string{"subnet-n"}, CIDRs: []netip.Prefix{cidr("10.1.7.0/24")}}
	shared := func(s workflow.Side, subnet string) workflow.Side {
		s.Attached = []string{subnet}
		return s
	}
	for name, c := range map[string]struct {
		side  workflow.Side
		there []workflow.Opening
		cidr  string // that the attachment's ACL lets through
		lacks []string
	}{
		"the database's range":                        {side: producer, cidr: "10.1.128.0/24"},
		"the other VPC's range":                       {side: producer, cidr: "10.2.0.0/16", lacks: []string{"inbound entry: allow TCP 32768-60999 from 10.1.128.0/24", "outbound entry: allow TCP 3306 to 10.1.128.0/24"}},
		"the clients' range":                          {side: consumer, there: there, cidr: "10.1.7.0/24"},
		"another range of the client's":               {side: consumer, there: there, cidr: "10.1.9.0/24", lacks: []string{"inbound entry: allow TCP 3306 from 10.1.7.0/24", "outbound entry: allow TCP 32768-60999 to 10.1.7.0/24"}},
		"shared, and what leaves it does not come in": {side: shared(producer, "subnet-db"), cidr: "10.2.0.0/16", lacks: []string{"inbound entry: allow TCP 32768-60999 from 10.1.128.0/24"}},
		"shared, and all of it comes in":              {side: shared(producer, "subnet-db"), cidr: "10.0.0.0/8"},
		"shared with the clients":                     {side: shared(consumer, "subnet-n"), there: there, cidr: "10.2.0.0/16", lacks: []string{"inbound entry: allow TCP 3306 from 10.1.7.0/24"}},
	} {
		t.Run(name, func(t *testing.T) {
			all := acls{"acl-open": {[]string{"subnet-db", "subnet-n"}, "0.0.0.0/0"}, "acl-tgw": {c.side.Attached, c.cidr}}
			if c.side.Attached[0] != "subnet-tgw" {
				delete(all, "acl-open")
			}
			calling := here
			if len(c.side.Openings) > 0 {
				calling = peer
			}
			_, lacks, err := firewall.CheckACLs(t.Context(), all, c.side, c.there, in(calling, notebook))
			if err != nil || len(lacks) != len(c.lacks) {
				t.Fatalf("lacks %q, %v; want %q", lacks, err, c.lacks)
			}
			for n, want := range c.lacks {
				if lacks[n] != "network ACL acl-tgw lacks an "+want {
					t.Errorf("lacks %q, want %q", lacks[n], want)
				}
			}
		})
	}
}
