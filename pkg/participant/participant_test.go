package participant_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/participant"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const owner, one, two = "111111111111", "333333333333", "444444444444"

var side = workflow.Side{Role: "requester", VPC: workflow.VPC{Account: owner, Region: "us-east-1", ID: "vpc-1"}, StatusResource: "pcx-1", Tables: []workflow.Table{{ID: "rtb-1"}}, Attached: []string{"subnet-1"}, DNS: true}

// groups answers with security groups of these owners.
type groups []string

func (g groups) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	out := &ec2.DescribeSecurityGroupsOutput{}
	for _, o := range g {
		out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{OwnerId: aws.String(o)})
	}
	return out, nil
}

func TestGroupsTellWhoTakesPart(t *testing.T) {
	got, err := participant.Read(t.Context(), groups{two, owner, one, two, ""}, side.VPC)
	if err != nil || !slices.Equal(got, []string{one, two}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAParticipantHasNothingOfTheOwners(t *testing.T) {
	got := participant.Of(side, one)
	want := workflow.Side{Role: "requester", VPC: workflow.VPC{Account: one, Region: "us-east-1", ID: "vpc-1"}, Owner: owner}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestTheEntryKnowsWhoTakesPart(t *testing.T) {
	ctx := t.Context()
	l, _ := ledgertest.New()
	l.Now = func() time.Time { return time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC) }
	if _, err := l.Begin(ctx, ledger.Connection{ID: "pcx-1", Kind: "peering", Sides: []ledger.Side{
		{Role: "requester", Account: owner, Region: "us-east-1", ID: "vpc-1"}, {Role: "accepter", Account: "222222222222", Region: "us-east-1", ID: "vpc-2"}}}); err != nil {
		t.Fatal(err)
	}
	known := side
	note := func(seen ...string) {
		t.Helper()
		if err := participant.Note(ctx, l, "pcx-1", known, seen); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(want ...string) {
		t.Helper()
		entry, _, err := l.Connection(ctx, "pcx-1")
		if got := participant.In(entry, side.VPC); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v take part, want %v; %v", got, want, err)
		}
		if over := participant.Known(entry, []workflow.Side{known}); (fault.Of(over) == fault.Over) == slices.Equal(known.Participants, want) {
			t.Errorf("the inspection knew %v of %v: %v", known.Participants, want, over)
		}
		known.Participants = want
		for _, account := range []string{owner, one, two} {
			joined, err := l.Joined(ctx, account, "us-east-1")
			if (len(joined) == 1) != slices.Contains(want, account) || err != nil {
				t.Errorf("%s takes part in %+v, %v", account, joined, err)
			}
		}
	}
	note()
	holds()
	note(one)
	holds(one)
	note(one, two)
	holds(one, two)
	// More than one write takes: AWS lets subnets of a VPC be shared with 100 accounts, and raises that.
	var many []string
	for n := range 150 {
		many = append(many, fmt.Sprintf("%012d", 500000000000+n))
	}
	note(many...)
	if joined, err := l.Joined(ctx, many[149], "us-east-1"); err != nil || len(joined) != 1 {
		t.Errorf("%+v, %v", joined, err)
	}
	holds(many...)
	note(one, two)
	holds(one, two)
	// One that has left stays as long as something of the connection is there.
	item := ledger.Item{Account: one, Region: "us-east-1", Resource: "sg-1", Kind: ledger.Rule, Key: "ingress tcp 5432 10.2.0.0/16"}
	if _, err := l.Record(ctx, "pcx-1", item); err != nil {
		t.Fatal(err)
	}
	note()
	holds(one)
	if err := l.Cancel(ctx, "pcx-1", []ledger.Item{item}); err != nil {
		t.Fatal(err)
	}
	note()
	holds()
}
