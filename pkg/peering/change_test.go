package peering_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestAnOverlapIsAConflictOnlyOfWhatWasConnected(t *testing.T) {
	for _, c := range []struct {
		status string
		stood  bool
		want   workflow.Answer
	}{
		{"active", true, workflow.AnswerConflict},
		{"active", false, workflow.AnswerRefuse},
		{"pending-acceptance", false, workflow.AnswerRefuse},
		{"pending-acceptance", true, workflow.AnswerRefuse},
	} {
		q := question(c.status)
		q.Stood = c.stood
		q.Accepter.VPC.CIDRs = cidrs("10.2.0.0/16", "10.1.128.0/17")
		got := peering.Judge(q)
		if got.Answer != c.want || !strings.Contains(got.Reason, "10.1.0.0/16") || !strings.Contains(got.Reason, "10.1.128.0/17") {
			t.Errorf("%s, %v: %s (%s), want %s, with both CIDRs", c.status, c.stood, got.Answer, got.Reason, c.want)
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
			l, _ := ledgertest.New()
			if _, err := l.Begin(context.Background(), connection.Entry(c, road.Peering, ledger.Requested)); err != nil {
				t.Fatal(err)
			}
			out, err := peering.Report(context.Background(), l, func(v workflow.VPC) peering.Reporter { return sides[v.Account] }, c, []string{"requester", "accepter"})
			if fault.Of(err) != o.kind || (err == nil) != (out.Reason != "") {
				t.Fatalf("%+v, %v, want %q", out, err, o.kind)
			}
			for account, side := range sides {
				if side.tags["drawbridge:status"] != o.status {
					t.Errorf("the status in %s is %q, want %q", account, side.tags["drawbridge:status"], o.status)
				}
			}
			if entry, _, err := l.Connection(context.Background(), "pcx-1"); err != nil || string(entry.Status) != o.status {
				t.Errorf("the ledger says %+v, %v", entry, err)
			}
			if o.kind == fault.Conflict && (!strings.Contains(err.Error(), "10.1.0.0/16 of vpc-1") || !strings.Contains(err.Error(), o.now+" of vpc-2") || !strings.Contains(err.Error(), "disassociate")) {
				t.Errorf("%q does not name both CIDRs and the remedy", err)
			}
		})
	}
}
