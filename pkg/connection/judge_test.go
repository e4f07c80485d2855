package connection

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// What OpenFirewall read just now counts for a path that holds; for one that does not, and once it is old, the groups are read. Nothing else is read twice.
func TestGroupsThatWereReadJustNow(t *testing.T) {
	now := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)
	all, cidrs := network.AllPorts, [2]netip.Prefix{netip.MustParsePrefix("10.1.0.0/24"), netip.MustParsePrefix("10.2.0.0/24")}
	out := network.Group{ID: "sg-a", Egress: []network.Rule{{Ports: all, CIDR: cidrs[1]}}}
	open := network.Group{ID: "sg-b", Ingress: []network.Rule{{Ports: all, CIDR: cidrs[0]}}}
	shut := network.Group{ID: "sg-b"}
	a, b := workflow.VPC{Account: "111111111111", Region: "eu-west-1", ID: "vpc-a"}, workflow.VPC{Account: "222222222222", Region: "eu-west-1", ID: "vpc-b"}
	for name, c := range map[string]struct {
		told, there network.Group
		age         time.Duration
		anew        int // how often the groups were read again
		fails       bool
	}{
		"it was open, and counts":            {open, shut, time.Second, 0, false},
		"it was shut, and was opened since":  {shut, open, time.Second, 1, false},
		"it was shut, and is":                {shut, shut, time.Second, 1, true},
		"it was open, and that is long past": {open, shut, time.Hour, 0, true},
	} {
		in := workflow.VerifyConnectionInput{Connection: workflow.Connection{ID: "pcx-1", Target: "pcx-1", Requester: a, Accepter: b},
			Sides: []workflow.Side{{Role: "requester", VPC: a, Peer: b, Clients: []workflow.Client{{Names: []string{"function f"}, Count: 1, Account: a.Account, Subnets: []string{"s-a"}, CIDRs: cidrs[:1], Groups: []string{"sg-a"}}}},
				{Role: "accepter", VPC: b, Peer: a, AllowedDatabases: []workflow.AllowedDatabase{{Database: "sales", Port: 3306, Groups: []string{"sg-b"}, Subnets: []string{"s-b"}, CIDRs: cidrs[1:], Network: "IPV4", Public: network.No}}}},
			Opened: []workflow.HopsOutput{{Groups: []network.Group{out}, At: now.Add(-c.age)}, {Groups: []network.Group{c.told}, At: now.Add(-c.age)}}}
		there := &reader{groups: []network.Group{out, c.there}, read: func(vpcs [2]discover.VPC) network.World {
			w := network.World{Peerings: []network.Peering{{ID: "pcx-1", Active: network.Yes, VPCs: [2]string{"vpc-a", "vpc-b"}}}}
			for n, v := range vpcs {
				one := network.VPC{ID: v.ID, Account: v.Account, Region: v.Region, CIDRs: cidrs[n : n+1], Names: network.Names{Support: network.Yes, Hostnames: network.Yes}, Groups: v.Seen,
					Subnets: []network.Subnet{{ID: v.Subnets[0], CIDRs: cidrs[n : n+1]}},
					Tables:  []network.Table{{ID: "rtb", Main: true, Routes: []network.Route{{Destination: cidrs[1-n], Target: "pcx-1"}}}},
					ACLs: []network.ACL{{ID: "acl", Subnets: v.Subnets, Ingress: []network.Entry{{Number: 100, Allow: true, Ports: all, CIDR: netip.MustParsePrefix("0.0.0.0/0")}},
						Egress: []network.Entry{{Number: 100, Allow: true, Ports: all, CIDR: netip.MustParsePrefix("0.0.0.0/0")}}}}}
				if len(v.Seen) == 0 {
					one.Groups = []network.Group{out, c.there}
				}
				w.VPCs = append(w.VPCs, one)
			}
			return w
		}}
		v := Verifier{Ledger: ledger.Ledger{Now: func() time.Time { return now }}, World: there}
		paths, err := v.judge(t.Context(), in, Ends(in), nil)
		if err != nil || paths.All() != 1 || (paths.Failed == 1) != c.fails || !c.fails && paths.Whole != 1 || there.reads != 1 || there.anew != c.anew {
			t.Errorf("%s: %+v, both VPCs read %d times, the groups again %d times, %v", name, paths, there.reads, there.anew, err)
		}
	}
}

// reader is what there is to be read, and how often it was.
type reader struct {
	groups      []network.Group
	read        func([2]discover.VPC) network.World
	reads, anew int
}

func (r *reader) Read(_ context.Context, _ discover.Carrier, vpcs [2]discover.VPC) (network.World, error) {
	r.reads++
	return r.read(vpcs), nil
}

func (r *reader) Anew(_ context.Context, w network.World, _ [2]discover.VPC) (network.World, error) {
	r.anew++
	for n := range w.VPCs {
		w.VPCs[n].Groups = r.groups
	}
	return w, nil
}
