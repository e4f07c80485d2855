package scenario

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// Verdict reads back, as the owners of the two accounts, whether a packet from
// the notebook would reach the database and its answer the notebook.
func (w *World) Verdict(ctx context.Context) ([]story.Hop, error) {
	var out []story.Hop
	for _, check := range []struct {
		what string
		do   func(context.Context) ([]story.Hop, error)
	}{
		{"connection", w.connection},
		{"routes there", func(ctx context.Context) ([]story.Hop, error) {
			return w.routes(ctx, "route there", w.Consumer, w.ConsumerNetwork, w.calling(), w.Producer.Subnets[:2])
		}},
		{"routes back", func(ctx context.Context) ([]story.Hop, error) {
			var to []netip.Prefix
			for _, n := range w.calling() {
				to = append(to, w.Consumer.Subnets[n])
			}
			return w.routes(ctx, "route back", w.Producer, w.ProducerNetwork, []int{0, 1}, to)
		}},
		{"security groups", w.groups},
		{"network ACLs", w.acls},
		{"host route", w.hostRoute},
	} {
		hops, err := check.do(ctx)
		if err != nil {
			return out, fmt.Errorf("reading back the %s: %w", check.what, err)
		}
		out = append(out, hops...)
	}
	return out, nil
}

// Holds reports whether every hop does. No hop at all does not hold.
func Holds(hops []story.Hop) bool {
	return len(hops) > 0 && !slices.ContainsFunc(hops, func(h story.Hop) bool { return !h.OK })
}

// connection looks at what connects the two VPCs.
func (w *World) connection(ctx context.Context) ([]story.Hop, error) {
	if w.Gateway != "" && w.Connection == w.Gateway {
		return w.gateway(ctx)
	}
	return w.peering(ctx)
}

// peering looks at the connection from both sides.
func (w *World) peering(ctx context.Context) ([]story.Hop, error) {
	var out []story.Hop
	var dns []story.Hop
	for _, h := range []Home{w.Consumer, w.Producer} {
		answer, err := w.ec2(h).DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{w.Connection}})
		if fault.HasCode(err, "InvalidVpcPeeringConnectionID.NotFound") {
			out = append(out, story.Hop{Hop: "peering active", Detail: fmt.Sprintf("%s does not see %s", h.Name, w.Connection)})
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, c := range answer.VpcPeeringConnections {
			mine := c.RequesterVpcInfo
			if h.Account == w.Producer.Account {
				mine = c.AccepterVpcInfo
			}
			status := c.Status.Code
			out = append(out, story.Hop{
				Hop: "peering active", OK: status == ec2types.VpcPeeringConnectionStateReasonCodeActive,
				Detail: fmt.Sprintf("%s sees %s as %s", h.Name, w.Connection, status),
			})
			on := mine.PeeringOptions != nil && aws.ToBool(mine.PeeringOptions.AllowDnsResolutionFromRemoteVpc)
			dns = append(dns, story.Hop{Hop: "DNS option", OK: on, Detail: fmt.Sprintf("of %s is %s", h.Name, onOff(on))})
		}
	}
	return append(out, dns...), nil
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// calling are the places of the consumer's subnets in which something calls the database: a notebook in the first, a function in the last, Studio in all.
func (w *World) calling() []int {
	var out []int
	last := len(w.Consumer.Subnets) - 1
	for n := range w.Consumer.Subnets {
		if w.Studio || w.Notebook.Name != "" && n == 0 || w.Function != "" && n == last {
			out = append(out, n)
		}
	}
	return out
}

// routes looks at the tables of some of a side's subnets, for a route to all of each of the other side's.
func (w *World) routes(ctx context.Context, hop string, h Home, n Network, subnets []int, to []netip.Prefix) ([]story.Hop, error) {
	answer, err := w.ec2(h).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: n.Tables})
	if err != nil {
		return nil, err
	}
	byID := map[string]ec2types.RouteTable{}
	for _, t := range answer.RouteTables {
		byID[aws.ToString(t.RouteTableId)] = t
	}
	var out []story.Hop
	for _, i := range subnets {
		if len(to) == 0 {
			break // nobody calls
		}
		id, verdict := n.Tables[i], story.Hop{Hop: hop, OK: true}
		for _, each := range to {
			destination, route := leads(byID[id].Routes, each)
			target := cmp.Or(aws.ToString(route.VpcPeeringConnectionId), aws.ToString(route.TransitGatewayId))
			if target == "" {
				verdict.OK, verdict.Detail = false, fmt.Sprintf("%s-%d %s has none to %s", h.Name, i+1, id, each)
				break
			}
			said := fmt.Sprintf("%s-%d %s sends %s to %s, %s", h.Name, i+1, id, destination, target, route.State)
			if verdict.OK = verdict.OK && route.State == ec2types.RouteStateActive && target == w.Connection; !strings.Contains(verdict.Detail, said) {
				verdict.Detail = strings.TrimPrefix(verdict.Detail+"; "+said, "; ")
			}
		}
		out = append(out, verdict)
	}
	return out, nil
}

// leads returns the most specific of routes that has all of a subnet, and its destination.
func leads(routes []ec2types.Route, subnet netip.Prefix) (best netip.Prefix, route ec2types.Route) {
	for _, r := range routes {
		d, err := netip.ParsePrefix(aws.ToString(r.DestinationCidrBlock))
		if err == nil && d.Bits() > 0 && d.Bits() <= subnet.Bits() && d.Overlaps(subnet) && (!best.IsValid() || d.Bits() > best.Bits()) {
			best, route = d, r
		}
	}
	return best, route
}

// groups looks at the group of the database and at that of the notebook, or of Studio.
func (w *World) groups(ctx context.Context) ([]story.Hop, error) {
	in, err := w.group(ctx, w.Producer, w.ProducerNetwork.Group)
	if err != nil {
		return nil, err
	}
	clients, err := w.group(ctx, w.Consumer, w.ConsumerNetwork.Group)
	if err != nil {
		return nil, err
	}
	port, client := w.Database.Port, "the notebook"
	if w.Studio {
		client = "Studio"
	}
	out := func(g ec2types.SecurityGroup) bool { // to wherever the database may be
		return !slices.ContainsFunc(w.Producer.Subnets[:2], func(to netip.Prefix) bool { return !admits(g.IpPermissionsEgress, to, w.ProducerNetwork.Group, port) })
	}
	var hops []story.Hop
	if w.Function != "" {
		function, err := w.group(ctx, w.Consumer, w.FunctionGroup)
		if err != nil {
			return nil, err
		}
		hops = append(hops, story.Hop{Hop: "security group", OK: out(function), Detail: fmt.Sprintf("of the function lets TCP %d out to the subnets of %s", port, w.Database.Name)})
	}
	return append(hops, []story.Hop{
		{
			Hop: "security group", OK: out(clients),
			Detail: fmt.Sprintf("of %s lets TCP %d out to the subnets of %s", client, port, w.Database.Name),
		},
		{
			Hop: "security group", OK: admits(in.IpPermissions, w.Consumer.Subnets[0], w.ConsumerNetwork.Group, port),
			Detail: fmt.Sprintf("of %s lets TCP %d in from %s", w.Database.Name, port, client),
		},
	}...), nil
}

// Given is what the accounts hold for a connection: where the tables of the notebook's subnet and of the database's first lead through it, and from where the
// database's group lets in on its port. A rule that refers to the notebook's group lets in the notebook's subnet.
func (w *World) Given(ctx context.Context) (there, back, from []netip.Prefix, err error) {
	led := func(h Home, table string) (out []netip.Prefix, err error) {
		answer, err := w.ec2(h).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{table}})
		if err != nil {
			return nil, err
		}
		for _, r := range answer.RouteTables[0].Routes {
			d, err := netip.ParsePrefix(aws.ToString(r.DestinationCidrBlock))
			if target := cmp.Or(aws.ToString(r.VpcPeeringConnectionId), aws.ToString(r.TransitGatewayId)); err == nil && target == w.Connection {
				out = append(out, d)
			}
		}
		return out, nil
	}
	if there, err = led(w.Consumer, w.ConsumerNetwork.Tables[0]); err != nil {
		return nil, nil, nil, err
	}
	if back, err = led(w.Producer, w.ProducerNetwork.Tables[0]); err != nil {
		return nil, nil, nil, err
	}
	g, err := w.group(ctx, w.Producer, w.ProducerNetwork.Group)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, p := range g.IpPermissions {
		if w.Database.Port < aws.ToInt32(p.FromPort) || w.Database.Port > aws.ToInt32(p.ToPort) {
			continue
		}
		for _, r := range p.IpRanges {
			if d, err := netip.ParsePrefix(aws.ToString(r.CidrIp)); err == nil {
				from = append(from, d)
			}
		}
		if slices.ContainsFunc(p.UserIdGroupPairs, func(r ec2types.UserIdGroupPair) bool { return aws.ToString(r.GroupId) == w.ConsumerNetwork.Group }) {
			from = append(from, w.Consumer.Subnets[0])
		}
	}
	return there, back, from, nil
}

func (w *World) group(ctx context.Context, h Home, id string) (ec2types.SecurityGroup, error) {
	answer, err := w.ec2(h).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}})
	if err != nil {
		return ec2types.SecurityGroup{}, err
	}
	if len(answer.SecurityGroups) != 1 {
		return ec2types.SecurityGroup{}, fmt.Errorf("%s: %d groups", id, len(answer.SecurityGroups))
	}
	return answer.SecurityGroups[0], nil
}

// admits reports whether one permission covers the whole of peer, or names the group there, on the port.
func admits(permissions []ec2types.IpPermission, peer netip.Prefix, group string, port int32) bool {
	return slices.ContainsFunc(permissions, func(p ec2types.IpPermission) bool {
		switch aws.ToString(p.IpProtocol) {
		case "-1":
		case "tcp", "6":
			if port < aws.ToInt32(p.FromPort) || port > aws.ToInt32(p.ToPort) {
				return false
			}
		default:
			return false
		}
		return slices.ContainsFunc(p.IpRanges, func(r ec2types.IpRange) bool { return covers(aws.ToString(r.CidrIp), peer) }) ||
			slices.ContainsFunc(p.UserIdGroupPairs, func(g ec2types.UserIdGroupPair) bool { return aws.ToString(g.GroupId) == group })
	})
}

// covers reports whether all of inner is in outer.
func covers(outer string, inner netip.Prefix) bool {
	o, err := netip.ParsePrefix(outer)
	return err == nil && o.Bits() <= inner.Bits() && o.Contains(inner.Addr())
}

// hostRoute looks into the lifecycle configuration that the notebook will start
// with: the route must be there, and so must every byte of the owner's script.
func (w *World) hostRoute(ctx context.Context) ([]story.Hop, error) {
	if w.Studio {
		return []story.Hop{{Hop: "host route", OK: true, Detail: "not needed: all traffic of Studio in VPC only mode leaves by its VPC"}}, nil
	}
	if w.Notebook.Name == "" {
		return nil, nil
	}
	if !w.Notebook.DirectInternet {
		return []story.Hop{{Hop: "host route", OK: true, Detail: "not needed: all traffic of " + w.Notebook.Name + " leaves by its VPC"}}, nil
	}
	notebook, err := w.sagemaker().DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: aws.String(w.Notebook.Name)})
	if err != nil {
		return nil, err
	}
	config := aws.ToString(notebook.NotebookInstanceLifecycleConfigName)
	subnet, to := w.Consumer.Subnets[0], w.Producer.Subnets[:2]
	verdict := story.Hop{Hop: "host route", Detail: fmt.Sprintf("notebook %s has no lifecycle configuration", w.Notebook.Name)}
	if config == "" {
		return []story.Hop{verdict}, nil
	}
	script, err := w.OnStart(ctx, config)
	if err != nil {
		return nil, err
	}
	block, owner, found := cutBlock(script)
	var set []string
	for _, line := range strings.Split(block, "\n") {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "line" && words[1] == subnet.String() {
			set = append(set, words[2:]...)
		}
	}
	routes := found && !slices.ContainsFunc(to, func(one netip.Prefix) bool {
		return !slices.ContainsFunc(set, func(text string) bool {
			d, err := netip.ParsePrefix(text)
			return err == nil && d.Bits() <= one.Bits() && d.Overlaps(one)
		})
	})
	kept := w.Notebook.OnStart == "" || owner == w.Notebook.OnStart
	verdict.OK = routes && kept
	switch {
	case !routes:
		verdict.Detail = fmt.Sprintf("%s sets none from %s to %s", config, subnet, to)
	case !kept:
		verdict.Detail = fmt.Sprintf("%s has it, but the owner's script is not what it was", config)
	default:
		verdict.Detail = fmt.Sprintf("on %s: %s sets %s for %s at the next start", w.Notebook.Name, config, strings.Join(set, ", "), subnet)
		if w.Notebook.OnStart != "" {
			verdict.Detail += ", the owner's script is whole"
		}
	}
	return []story.Hop{verdict}, nil
}

// OnStart is the on-start script of a lifecycle configuration of the consumer.
func (w *World) OnStart(ctx context.Context, config string) (string, error) {
	return OnStartOf(ctx, w.sagemaker(), config)
}

// OnStartOf is the on-start script of a lifecycle configuration.
func OnStartOf(ctx context.Context, client *sagemaker.Client, config string) (string, error) {
	answer, err := client.DescribeNotebookInstanceLifecycleConfig(ctx, &sagemaker.DescribeNotebookInstanceLifecycleConfigInput{
		NotebookInstanceLifecycleConfigName: aws.String(config),
	})
	if err != nil {
		return "", err
	}
	var script strings.Builder
	for _, hook := range answer.OnStart {
		b, err := base64.StdEncoding.DecodeString(aws.ToString(hook.Content))
		if err != nil {
			return "", fmt.Errorf("decoding %s: %w", config, err)
		}
		script.Write(b)
	}
	return script.String(), nil
}

// cutBlock takes Drawbridge's block, markers included, out of a script and
// returns the rest: what its owner wrote.
func cutBlock(script string) (block, owner string, found bool) {
	const begin, end = "# >>> drawbridge", "# <<< drawbridge"
	before, rest, ok := strings.Cut(script, begin)
	if !ok {
		return "", script, false
	}
	block, rest, ok = strings.Cut(rest, end)
	if !ok {
		return "", script, false
	}
	_, after, _ := strings.Cut(rest, "\n")
	return block, before + after, true
}
