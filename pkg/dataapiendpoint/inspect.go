package dataapiendpoint

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what [Inspector] needs of EC2.
type EC2 interface {
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
}

// Inspector says what one VPC shall have.
type Inspector struct {
	EC2     func(execution, account, region string) EC2
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	Policy  func(context.Context) (*policy.Set, error)
	Ledger  ledger.Ledger
	// Brake is asked before something is taken away.
	Brake brake.Asker
}

// Inspect reads the VPC that the event names, its tags and what the ledger has of it, and asks the policy. It changes nothing.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectDataAPIEndpointInput) (workflow.InspectDataAPIEndpointOutput, error) {
	out := workflow.InspectDataAPIEndpointOutput{Event: in.Event, Answer: workflow.AnswerNothing, Result: workflow.Nothing}
	e, err := event.Parse(in.Event)
	if err != nil {
		return out, err
	}
	if e.VPC == "" {
		if out.Reason = e.Why; out.Reason == "" {
			out.Reason = "the event names no VPC"
		}
		return out, nil
	}
	out.Want = workflow.EndpointWant{Account: e.Account, Region: e.Region, VPC: e.VPC, Owner: Owner(e.VPC), Services: []string{Service(e.Region)}}
	facts, outside, err := brake.Member(ctx, i.Account, i.Ledger, e.Account, Owner(e.VPC))
	if err != nil || outside != "" {
		out.Reason = outside
		return out, err
	}
	have, err := i.read(ctx, in.Execution, e, facts)
	if held := brake.Unread(ctx, i.Ledger, Owner(e.VPC), err); held != nil {
		return out, held
	}
	if err != nil {
		return out, fmt.Errorf("in %s, %s: %w", e.Account, e.Region, err)
	}
	out.Decision, out.Want.Leave, out.Stands = have.Decision, have.Leave, have.Available
	out.Result, out.Answer, out.Reason = Plan(have)
	if out.Answer == workflow.AnswerRemove {
		if err := i.Brake.Ask(ctx, brake.Removal{ID: Owner(e.VPC), Why: Why(have), Cause: out.Reason, Stands: have.Standing}); err != nil {
			return out, err
		}
	}
	slog.InfoContext(ctx, "inspected", "vpc", e.VPC, "answer", out.Answer, "reason", out.Reason)
	return out, nil
}

func (i Inspector) read(ctx context.Context, execution string, e event.Event, facts workflow.AccountFacts) (Facts, error) {
	out := Facts{VPC: e.VPC}
	entry, managed, err := i.Ledger.Connection(ctx, Owner(e.VPC))
	if out.Standing, out.Available = managed, entry.Status == ledger.Status(workflow.Available); err != nil {
		return out, err
	}
	got, err := i.EC2(execution, e.Account, e.Region).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{e.VPC}})
	if fault.HasCode(err, "InvalidVpcID.NotFound") || err == nil && len(got.Vpcs) == 0 {
		out.Gone = true // with all that was in it
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("reading %s: %w", e.VPC, err)
	}
	who := policy.VPC{ID: e.VPC, Region: e.Region, Account: facts.Entity()}
	tags := map[string]string{}
	for _, t := range got.Vpcs[0].Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	who.Tags = tag.Clean(tag.VPC, tags)
	for _, b := range got.Vpcs[0].CidrBlockAssociationSet {
		if cidr, err := netip.ParsePrefix(aws.ToString(b.CidrBlock)); err == nil {
			who.CIDRs = append(who.CIDRs, cidr.Masked())
		}
	}
	slices.SortFunc(who.CIDRs, netip.Prefix.Compare)
	out.Unclear = tag.Why(who.Tags, tag.DataAPI)
	out.Said = tag.Says(who.Tags, tag.DataAPI)
	out.Letting = tag.Letting(who.Tags)
	if out.Tagged = who.Tags[tag.DataAPI] == "true"; out.Tagged && out.Letting == "" {
		set, err := i.Policy(ctx)
		if err != nil {
			return out, err
		}
		service := policy.Service{Name: Service(e.Region), Region: e.Region, Account: who.Account}
		out.Decision = set.Expose(who, service, policy.Context{})
		out.Leave = !set.Restore(who, who, policy.Context{Connection: Owner(e.VPC)}).Allowed
	}
	return out, nil
}
