package scenario

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// ephemeral are ports that an answer may go to: the ends of the range that
// clients use, and the start of the one that Linux prefers.
// https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
var ephemeral = []int32{1024, 32768, 65535}

// acls looks at the network ACLs of the subnets of both ends, both ways.
func (w *World) acls(ctx context.Context) ([]story.Hop, error) {
	var out []story.Hop
	port := []int32{w.Database.Port}
	for _, end := range []struct {
		home    Home
		subnets []string
		peer    netip.Prefix
		in, out []int32
	}{
		{w.Consumer, w.ConsumerNetwork.Subnets[:1], w.Producer.CIDR, ephemeral, port},
		{w.Producer, w.ProducerNetwork.Subnets[:2], w.Consumer.Subnets[0], port, ephemeral}, // where the notebook is
	} {
		answer, err := w.ec2(end.home).DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{
			Filters: []ec2types.Filter{{Name: aws.String("association.subnet-id"), Values: end.subnets}},
		})
		if err != nil {
			return nil, err
		}
		verdict := story.Hop{Hop: "network ACL", OK: len(answer.NetworkAcls) > 0, Detail: fmt.Sprintf("of %s lets the connection and its answers pass", end.home.Name)}
		for _, acl := range answer.NetworkAcls {
			if entry := blocked(acl.Entries, end.peer, end.in, end.out); entry != "" {
				verdict.OK = false
				verdict.Detail = fmt.Sprintf("of %s: %s stops %s", end.home.Name, aws.ToString(acl.NetworkAclId), entry)
			}
		}
		out = append(out, verdict)
	}
	return out, nil
}

// blocked names the first thing that the entries stop, or nothing.
func blocked(entries []ec2types.NetworkAclEntry, peer netip.Prefix, in, out []int32) string {
	for _, way := range []struct {
		egress bool
		ports  []int32
		say    string
	}{{false, in, "TCP %d from %s"}, {true, out, "TCP %d to %s"}} {
		for _, port := range way.ports {
			if !passes(entries, way.egress, peer, port) {
				return fmt.Sprintf(way.say, port, peer)
			}
		}
	}
	return ""
}

// passes evaluates the entries as the VPC does: the lowest number that matches
// decides. An entry that matches only a part of peer and denies it stops it.
func passes(entries []ec2types.NetworkAclEntry, egress bool, peer netip.Prefix, port int32) bool {
	sorted := slices.SortedFunc(slices.Values(entries), func(a, b ec2types.NetworkAclEntry) int {
		return int(aws.ToInt32(a.RuleNumber) - aws.ToInt32(b.RuleNumber))
	})
	for _, e := range sorted {
		if aws.ToBool(e.Egress) != egress || !concerns(e, port) {
			continue
		}
		cidr, err := netip.ParsePrefix(aws.ToString(e.CidrBlock))
		if err != nil || !cidr.Overlaps(peer) {
			continue
		}
		if e.RuleAction == ec2types.RuleActionDeny {
			return false
		}
		if covers(cidr.String(), peer) {
			return true
		}
	}
	return false
}

// concerns reports whether the entry is about TCP on the port.
func concerns(e ec2types.NetworkAclEntry, port int32) bool {
	switch aws.ToString(e.Protocol) {
	case "-1":
		return true
	case "6":
		return e.PortRange != nil && aws.ToInt32(e.PortRange.From) <= port && port <= aws.ToInt32(e.PortRange.To)
	}
	return false
}
