package why

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// located is a database with its VPC.
type located struct {
	database network.Database
	end      End
	vpc      workflow.VPC
	at       event.Place // where it was read
	share    Share
	serves   []int
	running  Running
	beside   map[string][]string
	// blind says that its account cannot be read: known are an address, and what a peering shows of the VPC.
	blind bool
}

// seen is the VPC of a database whose account cannot be read: its one subnet is the address, and all else is not known.
func (d located) seen() network.VPC {
	return network.VPC{ID: d.vpc.ID, Account: d.vpc.Account, Region: d.vpc.Region, CIDRs: d.vpc.CIDRs,
		Subnets: []network.Subnet{{ID: d.database.Subnets[0], CIDRs: d.database.Addresses}}}
}

// database finds what somebody named: in the account that they named, else in the client's and in those of all that its VPC is connected to.
func (f *Finder) database(ctx context.Context, r Ref, c found, near []Carrier) (located, error) {
	if r.Kind == "address" {
		return f.address(ctx, r, r.Address, c, near)
	}
	var all []located
	var looked []string
	places := f.places(r, c, near)
	close := len(places)
	if r.Account == "" {
		places = f.also(places, r)
	}
	for n, at := range places {
		if n >= close && len(all) > 0 {
			break // another of its name elsewhere is not meant
		}
		in, err := f.look(ctx, r, at, c, near)
		if err != nil {
			f.note(fmt.Sprintf("account %s, %s", at.Account, at.Region), err)
			continue
		}
		looked, all = append(looked, at.Account+" "+at.Region), append(all, in...)
	}
	switch {
	case len(all) == 1:
		return all[0], nil
	case len(all) > 1:
		var names []string
		for _, d := range all {
			names = append(names, fmt.Sprintf("%s/%s (%s, %s)", d.at.Account, d.end.Name, d.end.Kind, d.end.VPC))
		}
		return located{}, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("finding the database %s: there are %d: %s", r.Name, len(all), strings.Join(names, ", ")), Remedy: "correct the name, or name its account, ACCOUNT/NAME, or its address and port"}
	}
	if r.Host != "" && r.Port > 0 {
		addresses, err := f.lookup(ctx, r.Host)
		if err != nil || len(addresses) == 0 {
			f.note("the name "+r.Host, cmp.Or(err, fmt.Errorf("it has no address")))
		} else if d, err := f.address(ctx, r, addresses[0].Unmap(), c, near); err == nil {
			return d, nil
		}
	}
	message := fmt.Sprintf("finding the database %s: it is not in %s", r.Name, cmp.Or(strings.Join(looked, ", "), "any account that could be read"))
	if len(f.unread) > 0 {
		message += "; not read: " + strings.Join(f.unread, "; ")
	}
	return located{}, &fault.Error{Kind: fault.Invalid, Message: message, Remedy: "correct the name, or name its account, ACCOUNT/NAME, with credentials for it (--account ACCOUNT=PROFILE, or --role), or its endpoint or address with the port"}
}

// places are where a database may be.
func (f *Finder) places(r Ref, c found, near []Carrier) []event.Place {
	if r.Account != "" {
		return []event.Place{{Account: r.Account, Region: cmp.Or(r.Region, f.Home.Region)}}
	}
	out := []event.Place{{Account: c.at.Account, Region: cmp.Or(r.Region, c.at.Region)}, {Account: f.Home.Account, Region: cmp.Or(r.Region, f.Home.Region)}}
	for _, n := range near {
		if n.Peer.Account != "" && (r.Region == "" || r.Region == n.Peer.Region) {
			out = append(out, event.Place{Account: n.Peer.Account, Region: n.Peer.Region})
		}
	}
	var once []event.Place
	for _, p := range out {
		if !slices.Contains(once, p) {
			once = append(once, p)
		}
	}
	return once
}

// look looks for a database by its name in one place: in the VPCs that RDS and Redshift say, and in those that the client's is connected to there.
func (f *Finder) look(ctx context.Context, r Ref, at event.Place, c found, near []Carrier) ([]located, error) {
	cfg, err := f.Enter(at)
	if err != nil {
		return nil, err
	}
	vpcs, instances, err := named(ctx, cfg, r.Name)
	if err != nil {
		return nil, err
	}
	for _, n := range near {
		if n.Peer.ID != "" && n.Peer.Account == at.Account {
			vpcs[n.Peer.ID] = true
		}
	}
	if c.vpc.ID != "" && at == c.at {
		vpcs[c.vpc.ID] = true
	}
	api := ec2.NewFromConfig(cfg)
	var out []located
	for id := range vpcs {
		subnets, err := route.ReadSubnets(ctx, api, id)
		if err != nil {
			return nil, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
		}
		read, err := database.Read(ctx, database.In(cfg), id, route.SubnetIDs(subnets))
		if err != nil && !fault.Absent(err) {
			return nil, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
		}
		if n := slices.IndexFunc(read.Unread, func(d database.Database) bool { return d.ID == r.Name }); n >= 0 {
			return nil, fmt.Errorf("in %s, %s: %s", at.Account, at.Region, read.Unread[n].Why)
		}
		for _, d := range slices.Concat(read.Databases, read.Unserved) {
			if d.ID != r.Name || d.Port == 0 && r.Port == 0 || len(d.Groups) == 0 {
				continue
			}
			one, err := locate(ctx, api, at, d, subnets)
			if err != nil {
				return nil, err
			}
			one.end.Port = cmp.Or(r.Port, d.Port)
			one.beside = beside(d, one.end.Port, read.Databases, c.at.Account)
			one.running = Running{Status: d.Status, Cluster: cmp.Or(d.Cluster(), d.Member), Empty: d.Cluster() != "" && instances == 0}
			if d.Port > 0 {
				one.serves = []int{d.Port}
			}
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b located) int { return strings.Compare(a.end.VPC, b.end.VPC) })
	// A cluster and an instance of one name are the same to a packet if they are of one group of subnets and groups.
	out = slices.CompactFunc(out, func(a, b located) bool {
		return a.end.VPC == b.end.VPC && a.end.Port == b.end.Port && slices.Equal(a.serves, b.serves) && slices.Equal(a.end.Groups, b.end.Groups)
	})
	return atPort(out, r.Port), nil
}

// beside returns which of the others than a database have a group of it and answer at a port, and are not shared with an account, by the group. The
// instances of a cluster are the cluster.
func beside(d database.Database, port int, others []database.Database, account string) map[string][]string {
	out := map[string][]string{}
	same := func(o database.Database) bool {
		return o.ID == d.ID || o.Member != "" && (o.Member == d.Member || o.Member == d.Cluster()) || d.Member != "" && d.Member == o.Cluster()
	}
	for _, o := range others {
		if same(o) || o.Port != port || (Share{Thing: deed.Thing{ID: o.ARN}, With: o.Tags[tag.Share]}).shared(account) {
			continue
		}
		for _, g := range o.Groups {
			if slices.Contains(d.Groups, g) && !slices.Contains(out[g], o.ID) {
				out[g] = append(out[g], o.ID)
			}
		}
	}
	return out
}

// atPort is what serves a port; if nothing does, each database once, with all ports that it serves. Port 0 is that of each.
func atPort(all []located, port int) []located {
	if port == 0 {
		return all
	}
	var right, wrong []located
	for _, d := range all {
		if len(d.serves) == 0 || slices.Contains(d.serves, port) {
			right = append(right, d)
			continue
		}
		same := slices.IndexFunc(wrong, func(w located) bool { return w.share.Thing == d.share.Thing && w.end.VPC == d.end.VPC })
		if same < 0 {
			wrong = append(wrong, d)
			continue
		}
		wrong[same].serves = append(wrong[same].serves, d.serves...)
	}
	if len(right) > 0 {
		return right
	}
	return wrong
}

func locate(ctx context.Context, api *ec2.Client, at event.Place, d database.Database, subnets []route.Subnet) (located, error) {
	in := d.Subnets
	for _, s := range subnets {
		if len(d.Subnets) == 0 && d.Zone != "" && s.Zone == d.Zone {
			in = append(in, s.ID)
		}
	}
	share := Share{Thing: deed.Thing{Kind: database.OfARN(d.ARN).Tag, ID: d.ARN, Account: at.Account, Region: at.Region}, With: d.Tags[tag.Share]}
	out := located{at: at, share: share, database: network.Database{Name: d.ID, Subnets: in, Groups: d.Groups, Dual: d.Network != database.IPv4, Public: d.Public},
		end: End{Name: d.ID, Kind: d.Engine, Account: at.Account, Region: at.Region, Subnets: append([]string{}, in...), Groups: append([]string{}, d.Groups...)}}
	if len(in) == 0 {
		return out, &fault.Error{Kind: fault.Conflict, Message: fmt.Sprintf("finding the subnets of %s: its service tells none", d.ID), Remedy: "name it by its address and port"}
	}
	var err error
	if out.vpc, err = readVPC(ctx, api, at, in); err != nil {
		return out, err
	}
	out.database.VPC, out.end.VPC = out.vpc.ID, out.vpc.ID
	return out, nil
}

// named returns the VPCs in which a place has a database of a name, by RDS and Redshift, and how many instances a cluster of this name has; -1 if nobody may know.
func named(ctx context.Context, cfg aws.Config, name string) (out map[string]bool, members int, err error) {
	out = map[string]bool{}
	api := rds.NewFromConfig(cfg)
	instances := rds.NewDescribeDBInstancesPaginator(api, &rds.DescribeDBInstancesInput{})
	for instances.HasMorePages() {
		page, err := instances.NextPage(ctx)
		if fault.Absent(err) {
			members = -1
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("reading the RDS instances: %w", err)
		}
		for _, i := range page.DBInstances {
			if i.DBSubnetGroup == nil || aws.ToString(i.DBInstanceIdentifier) != name && aws.ToString(i.DBClusterIdentifier) != name {
				continue
			}
			out[aws.ToString(i.DBSubnetGroup.VpcId)] = true
			if aws.ToString(i.DBClusterIdentifier) == name {
				members++
			}
		}
	}
	clusters, err := redshift.NewFromConfig(cfg).DescribeClusters(ctx, &redshift.DescribeClustersInput{ClusterIdentifier: &name})
	if fault.HasCode(err, "ClusterNotFound", "ClusterNotFoundFault") || fault.Absent(err) {
		return out, members, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading the Redshift cluster %s: %w", name, err)
	}
	for _, c := range clusters.Clusters {
		out[aws.ToString(c.VpcId)] = true
	}
	return out, members, nil
}

// address finds what has an address and a port: by what the client's VPC is connected to, and there by its network interface. Where nobody may look,
// the address is all that is known of it, and enough to judge the client's side.
func (f *Finder) address(ctx context.Context, r Ref, address netip.Addr, c found, near []Carrier) (located, error) {
	one := netip.PrefixFrom(address, address.BitLen())
	out := located{blind: true, at: c.at, vpc: c.vpc, database: network.Database{Name: r.Name, Addresses: []netip.Prefix{one}, Public: network.No, Dual: address.Is6(),
		Subnets: []string{"the subnet of " + address.String()}}, end: End{Name: r.Name, Kind: "address", Port: r.Port, Subnets: []string{}, Groups: []string{}}}
	contains := func(ranges []netip.Prefix) bool {
		return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(address) })
	}
	if r.Port > 0 && strings.HasSuffix(out.end.Name, fmt.Sprintf(":%d", r.Port)) {
		out.end.Name = address.String()
		out.database.Name = out.end.Name
	}
	if !contains(c.vpc.CIDRs) {
		n := slices.IndexFunc(near, func(n Carrier) bool { return contains(n.Peer.CIDRs) && !slices.Contains(over, n.Status) })
		if n < 0 {
			n = slices.IndexFunc(near, func(n Carrier) bool { return contains(n.Peer.CIDRs) })
		}
		if n < 0 {
			return out, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("finding %s: no peering of %s leads to a VPC that has this address", address, c.vpc.ID),
				Remedy: "name the database with its account, ACCOUNT/NAME, or by its ARN"}
		}
		p := near[n].Peer
		out.at, out.vpc = event.Place{Account: p.Account, Region: p.Region}, workflow.VPC{Account: p.Account, Region: p.Region, ID: p.ID, CIDRs: p.CIDRs}
	}
	out.database.VPC, out.end.VPC, out.end.Account, out.end.Region = out.vpc.ID, out.vpc.ID, out.at.Account, out.at.Region
	cfg, err := f.Enter(out.at)
	if err != nil {
		f.note(fmt.Sprintf("account %s, %s", out.at.Account, out.at.Region), err)
		return out, nil
	}
	api := ec2.NewFromConfig(cfg)
	found, err := readInterface(ctx, api, types.Filter{Name: aws.String("addresses.private-ip-address"), Values: []string{address.String()}}, types.Filter{Name: aws.String("vpc-id"), Values: []string{out.vpc.ID}})
	if err != nil {
		f.note(fmt.Sprintf("account %s, %s", out.at.Account, out.at.Region), err)
		return out, nil
	}
	if found == nil {
		return out, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("finding %s: %s of account %s has no network interface with this address", address, out.vpc.ID, out.at.Account), Remedy: "correct the address; a database's may change at a failover"}
	}
	out.blind, out.database.Subnets, out.database.Groups = false, []string{found.subnet}, found.groups
	out.end.Subnets, out.end.Groups = []string{found.subnet}, found.groups
	return out, nil
}

// Database finds a database that somebody named, and its VPC, in the account that they named, else in that of near, or one's own. It needs no client.
func (f *Finder) Database(ctx context.Context, name string, near event.Place) (workflow.VPC, deed.Thing, error) {
	r, err := ParseTo(name)
	if err != nil {
		return workflow.VPC{}, deed.Thing{}, err
	}
	if r.Kind == "address" {
		return workflow.VPC{}, deed.Thing{}, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("finding the database %s: an address does not say which one", name), Remedy: "name the database, ACCOUNT/NAME"}
	}
	d, err := f.database(ctx, r, found{at: near}, nil)
	return d.vpc, d.share.Thing, err
}
