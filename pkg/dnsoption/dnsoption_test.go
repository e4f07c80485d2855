package dnsoption_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/dnsoption"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// peering is the options of one, and what EC2 says instead of changing them.
type peering struct {
	requester, accepter bool
	calls               int
	refusal             string
	lost                bool
}

func (p *peering) ModifyVpcPeeringConnectionOptions(_ context.Context, in *ec2.ModifyVpcPeeringConnectionOptionsInput, _ ...func(*ec2.Options)) (*ec2.ModifyVpcPeeringConnectionOptionsOutput, error) {
	p.calls++
	if p.refusal != "" {
		return nil, &smithy.GenericAPIError{Code: p.refusal}
	}
	if o := in.RequesterPeeringConnectionOptions; o != nil {
		p.requester = *o.AllowDnsResolutionFromRemoteVpc
	}
	if o := in.AccepterPeeringConnectionOptions; o != nil {
		p.accepter = *o.AllowDnsResolutionFromRemoteVpc
	}
	if p.lost {
		return nil, &smithy.GenericAPIError{Code: "InternalError"}
	}
	return &ec2.ModifyVpcPeeringConnectionOptionsOutput{
		RequesterPeeringConnectionOptions: &types.PeeringConnectionOptions{AllowDnsResolutionFromRemoteVpc: &p.requester},
		AccepterPeeringConnectionOptions:  &types.PeeringConnectionOptions{AllowDnsResolutionFromRemoteVpc: &p.accepter}}, nil
}

func (p *peering) sides() []workflow.Side {
	return []workflow.Side{
		{Role: "requester", VPC: workflow.VPC{Account: "111111111111", Region: "us-east-1", ID: "vpc-1"}, DNS: p.requester},
		{Role: "accepter", VPC: workflow.VPC{Account: "222222222222", Region: "us-east-1", ID: "vpc-2"}, DNS: p.accepter}}
}

var connection = workflow.Connection{ID: "pcx-1", Target: "pcx-1"}

func (p *peering) allow(l ledger.Ledger) (workflow.HopsOutput, error) {
	return dnsoption.Allow(context.Background(), func(workflow.VPC) dnsoption.EC2 { return p }, l, "run-1", connection, p.sides())
}

func (p *peering) restore(l ledger.Ledger) (workflow.HopsOutput, error) {
	return dnsoption.Restore(context.Background(), func(workflow.VPC) dnsoption.EC2 { return p }, l, connection, p.sides())
}

func TestOptionsAreAsBeforeAfterwards(t *testing.T) {
	for _, before := range []peering{{}, {requester: true}, {accepter: true}, {requester: true, accepter: true}} {
		p := before
		l, memory := ledgertest.New()
		if out, err := p.allow(l); err != nil || !p.requester || !p.accepter || len(out.Hops) != 2 {
			t.Fatalf("%+v: %v, %v", p, out, err)
		}
		if _, err := p.restore(l); err != nil || p.requester != before.requester || p.accepter != before.accepter {
			t.Errorf("%+v became %+v, %v", before, p, err)
		}
		calls := p.calls
		if _, err := p.restore(l); err != nil || p.calls != calls || len(memory.Rows()) != 0 {
			t.Errorf("again: %d calls, %v, %v", p.calls-calls, err, memory.Rows())
		}
	}
}

func TestAnOptionWhoseAnswerWasLostIsPutBack(t *testing.T) {
	p := &peering{lost: true}
	l, _ := ledgertest.New()
	if _, err := p.allow(l); fault.Of(err) != fault.Transient {
		t.Fatal(err)
	}
	p.lost = false
	if _, err := p.allow(l); err != nil {
		t.Fatal(err)
	}
	if _, err := p.restore(l); err != nil || p.requester || p.accepter {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestTheOptionsOfADeletedPeeringAreForgotten(t *testing.T) {
	for _, code := range []string{"OperationNotPermitted", "InvalidStateTransition", "InvalidVpcPeeringConnectionID.NotFound"} {
		p := &peering{}
		l, memory := ledgertest.New()
		if _, err := p.allow(l); err != nil {
			t.Fatal(err)
		}
		p.refusal = code
		if out, err := p.restore(l); err != nil || len(memory.Rows()) != 0 || !strings.Contains(fmt.Sprint(out), "gone with the peering") {
			t.Errorf("%s: %v, %v, %v", code, out, err, memory.Rows())
		}
	}
}

func TestOneSideThatRefusesDoesNotKeepTheOther(t *testing.T) {
	p := &peering{}
	l, _ := ledgertest.New()
	if _, err := p.allow(l); err != nil {
		t.Fatal(err)
	}
	first := &peering{refusal: "UnauthorizedOperation"}
	_, err := dnsoption.Restore(context.Background(), func(v workflow.VPC) dnsoption.EC2 {
		if v.ID == "vpc-1" {
			return first
		}
		return p
	}, l, connection, p.sides())
	if fault.Of(err) != fault.Refused || p.accepter {
		t.Errorf("%v, accepter %v", err, p.accepter)
	}
}

func TestAPeeringThatIsNotActiveAnyMoreIsLookedAtAgain(t *testing.T) {
	for refusal, want := range map[string]fault.Kind{
		"OperationNotPermitted": fault.NotYet, "InvalidStateTransition": fault.NotYet, "InvalidVpcPeeringConnectionID.NotFound": fault.NotYet,
		"UnauthorizedOperation": fault.Refused, "RequestLimitExceeded": fault.Transient,
	} {
		l, _ := ledgertest.New()
		_, err := (&peering{refusal: refusal}).allow(l)
		if fault.Of(err) != want || !strings.Contains(err.Error(), "pcx-1") {
			t.Errorf("%s: %v, want %s that names the peering", refusal, err, want)
		}
	}
}

// An option that somebody turns off is turned on once more, and then left off, however often it is looked at; what its owner turns on is the owner's.
func TestAnOptionThatIsTurnedOffAgainIsLeft(t *testing.T) {
	p, now := &peering{}, time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	l, memory := ledgertest.New()
	l.Now = func() time.Time { return now }
	ctx := context.Background()
	look := func() workflow.HopsOutput {
		t.Helper()
		now = now.Add(time.Hour)
		out, err := p.allow(l)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	look()
	p.requester = false
	if look(); !p.requester {
		t.Fatal("the first time it is not put back")
	}
	p.requester = false
	calls := p.calls
	for range 3 {
		if out := look(); p.requester || p.calls != calls || out.Hops[0].OK || !strings.Contains(out.Hops[0].Detail, "left") || !out.Hops[1].OK {
			t.Fatalf("%d calls, %+v", p.calls-calls, out)
		}
	}
	if items, err := (contest.Contest{Ledger: l}).Contested(ctx, ledger.Connection{ID: "pcx-1"}); err != nil || len(items) != 1 || items[0].Key != "requester" {
		t.Errorf("%+v, %v", items, err)
	}
	p.requester = true
	if out := look(); !out.Hops[0].OK {
		t.Errorf("%+v", out)
	}
	if _, err := p.restore(l); err != nil || !p.requester || p.accepter || len(memory.Rows()) != 0 {
		t.Errorf("%+v, %v: %v", p, err, memory.Rows())
	}
}

// What the policy wants left is left at once.
func TestAnOptionIsLeftByPolicy(t *testing.T) {
	p, now := &peering{}, time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	l, _ := ledgertest.New()
	l.Now = func() time.Time { return now }
	if _, err := l.Begin(context.Background(), ledger.Connection{ID: "pcx-1", Leave: []string{"222222222222"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.allow(l); err != nil {
		t.Fatal(err)
	}
	p.requester, p.accepter, now = false, false, now.Add(time.Hour)
	if out, err := p.allow(l); err != nil || !p.requester || p.accepter || !out.Hops[0].OK || out.Hops[1].OK {
		t.Errorf("%+v, %+v, %v", p, out, err)
	}
}
