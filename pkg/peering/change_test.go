package peering_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestSurplus(t *testing.T) {
	at := func(destination, target string) []workflow.Table {
		return []workflow.Table{{ID: "rtb-1", Routes: []workflow.Route{{Destination: netip.MustParsePrefix(destination), Target: target}}}}
	}
	for name, c := range map[string]struct {
		tables   []workflow.Table
		recorded string
		rules    []firewall.Tagged
		want     string
	}{
		"a route to what the peer has":                       {at("10.2.0.0/16", "pcx-1"), "10.2.0.0/16 10.77.0.0/16", nil, "nothing"},
		"a recorded route to what it has no more":            {at("10.77.0.0/16", "pcx-1"), "10.2.0.0/16 10.77.0.0/16", nil, "[] [10.77.0.0/16]"},
		"an owner's route through the peering":               {at("10.77.0.0/16", "pcx-1"), "10.2.0.0/16", nil, "nothing"},
		"a recorded destination that leads elsewhere by now": {at("10.77.0.0/16", "tgw-1"), "10.2.0.0/16 10.77.0.0/16", nil, "nothing"},
		"no record":                       {at("10.77.0.0/16", "pcx-1"), "", nil, "nothing"},
		"a record that somebody scrawled": {at("10.77.0.0/16", "pcx-1"), "10.2.0.0/16 10.77 $(reboot)", nil, "nothing"},
		"a rule that serves nothing":      {nil, "", []firewall.Tagged{{ID: "sgr-1", Connection: "pcx-1"}}, "[sgr-1] []"},
		"an owner's rule":                 {nil, "", []firewall.Tagged{{ID: "sgr-1"}}, "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, trimmed := range []bool{true, false} {
				want := c.want
				// Host routes may be left though the route is gone: an execution that has not trimmed yet tries.
				if !trimmed && want == "nothing" && strings.Contains(c.recorded, "10.77.0.0/16") {
					want = "[] [10.77.0.0/16]"
				}
				got := "nothing"
				if trim := peering.Surplus("pcx-1", workflow.Side{Peer: workflow.VPC{CIDRs: cidrs("10.2.0.0/16")}, Tables: c.tables}, c.recorded, c.rules, trimmed); trim != nil {
					got = fmt.Sprint(trim.Rules, " ", trim.Destinations)
				}
				if got != want {
					t.Errorf("trimmed %v: %s goes, want %s", trimmed, got, want)
				}
			}
		})
	}
}

func TestAnOverlapIsAConflictOnlyOfWhatWasConnected(t *testing.T) {
	for _, c := range []struct {
		status, recorded string
		want             workflow.Answer
	}{
		{"active", "10.2.0.0/16", workflow.AnswerConflict},
		{"active", "", workflow.AnswerRefuse},
		{"pending-acceptance", "", workflow.AnswerRefuse},
		{"pending-acceptance", "10.2.0.0/16", workflow.AnswerRefuse},
	} {
		q := question(c.status)
		q.Peering.Tags = map[string]string{"drawbridge:destinations": c.recorded}
		q.Accepter.VPC.CIDRs = cidrs("10.2.0.0/16", "10.1.128.0/17")
		got := peering.Judge(q)
		if got.Answer != c.want || !strings.Contains(got.Reason, "10.1.0.0/16") || !strings.Contains(got.Reason, "10.1.128.0/17") {
			t.Errorf("%s, %q: %s (%s), want %s, with both CIDRs", c.status, c.recorded, got.Answer, got.Reason, c.want)
		}
	}
}

// addressed is EC2 as [peering.Report] sees it: a VPC's addresses, and tags.
type addressed struct {
	cidr string // empty: EC2 does not show the VPC
	tags map[string]string
}

func (a *addressed) DescribeVpcs(_ context.Context, in *ec2.DescribeVpcsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	out := &ec2.DescribeVpcsOutput{}
	if a.cidr != "" {
		out.Vpcs = []types.Vpc{{VpcId: &in.VpcIds[0], CidrBlock: &a.cidr}}
	}
	return out, nil
}

func (a *addressed) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	for _, tag := range in.Tags {
		a.tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return &ec2.CreateTagsOutput{}, nil
}

func TestReport(t *testing.T) {
	c := workflow.Connection{ID: "pcx-1", Target: "pcx-1", Requester: workflow.VPC{Account: alpha, ID: "vpc-1", CIDRs: cidrs("10.1.0.0/16")},
		Accepter: workflow.VPC{Account: beta, ID: "vpc-2", CIDRs: cidrs("10.1.128.0/17")}}
	for name, o := range map[string]struct {
		now    string // what the accepter's VPC has by now
		kind   fault.Kind
		status string
	}{
		"they still overlap":             {"10.1.128.0/17", fault.Conflict, "Conflict"},
		"they overlap in another way":    {"10.1.0.0/20", fault.Conflict, "Conflict"},
		"they do not overlap any more":   {"10.2.0.0/16", "", ""},
		"one of them is not shown (yet)": {"", fault.NotYet, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sides := map[string]*addressed{alpha: {cidr: "10.1.0.0/16", tags: map[string]string{}}, beta: {cidr: o.now, tags: map[string]string{}}}
			out, err := peering.Report(context.Background(), func(v workflow.VPC) peering.Reporter { return sides[v.Account] }, c, []string{"requester", "accepter"})
			if fault.Of(err) != o.kind || (err == nil) != (out.Reason != "") {
				t.Fatalf("%+v, %v, want %q", out, err, o.kind)
			}
			for account, side := range sides {
				if side.tags["drawbridge:status"] != o.status {
					t.Errorf("the status in %s is %q, want %q", account, side.tags["drawbridge:status"], o.status)
				}
				if _, there := side.tags["drawbridge:destinations"]; there {
					t.Error("the record of what was routed is overwritten")
				}
			}
			if o.kind == fault.Conflict && (!strings.Contains(err.Error(), "10.1.0.0/16 of vpc-1") || !strings.Contains(err.Error(), o.now+" of vpc-2") || !strings.Contains(err.Error(), "disassociate")) {
				t.Errorf("%q does not name both CIDRs and the remedy", err)
			}
		})
	}
}
