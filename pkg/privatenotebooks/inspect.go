package privatenotebooks

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what [Inspector] needs of EC2.
type EC2 interface {
	vpcReader
}

// Inspector says what one account shall have.
type Inspector struct {
	EC2     func(execution, account, region string) EC2
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	Policy  func(context.Context) (*policy.Set, error)
	// Callers returns the ranges outside the VPCs from which people call: on premises, of a VPN.
	Callers func(ctx context.Context) ([]netip.Prefix, error)
	Regions []string   // all that Drawbridge listens to
	Bus     notice.Bus // where a refusal is announced
	Ledger  ledger.Ledger
	// Brake is asked before something is taken away.
	Brake brake.Asker
}

// Inspect reads, in all Regions of the event's account, which VPCs are tagged and where something of ours is, and asks
// the policy about each. The event names an account and nothing more, so any event about it leads to the same answer.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectPrivateNotebooksInput) (workflow.InspectPrivateNotebooksOutput, error) {
	out := begun(in)
	e, err := event.Parse(in.Event)
	if err != nil {
		return out, err
	}
	if e.Kind == event.Unhandled {
		out.Reason = e.Why
		return out, nil
	}
	out.Account, out.Region, out.Of = e.Account, e.Region, LeaseOf(e.Account)
	facts, err := i.Account(ctx, e.Account)
	if err != nil {
		return out, err
	}
	if err := facts.Unreadable(); err != nil {
		if held := i.unread(ctx, e.Account, err); held != nil {
			return out, held
		}
	}
	if facts.Organization == "" {
		out.Reason = fmt.Sprintf("account %s is outside the organization", e.Account)
		return out, nil
	}
	var standing []standing
	var tagged []candidate
	var unclear []string
	for _, region := range i.Regions {
		client := i.EC2(in.Execution, e.Account, region)
		found, doubtful, err := readTagged(ctx, client, e.Account, region)
		if held := i.unread(ctx, e.Account, err); held != nil {
			return out, held
		}
		if err != nil {
			return out, err
		}
		tagged, unclear = append(tagged, found...), append(unclear, doubtful...)
		ours, err := i.readOurs(ctx, e.Account, region)
		if err != nil {
			return out, err
		}
		standing = append(standing, ours...)
	}
	tagged, left := split(tagged)
	out.Released = append(out.Released, vpcsOf(left)...)
	if err := i.decide(ctx, &out, tagged, facts); err != nil {
		return out, err
	}
	out.Stands = !slices.ContainsFunc(out.VPCs, func(v workflow.PrivateVPC) bool { return !isPrivate(standing, v) })
	released, err := i.takes(ctx, in.Execution, &out, standing)
	if err != nil {
		return out, err
	}
	out.Answer, out.Result = ChooseResult(len(out.VPCs), len(out.Refused), len(out.Leaving), released)
	out.Reason = reason(out) + listed(unclear)
	slog.InfoContext(ctx, "inspected", "answer", out.Answer, "reason", out.Reason)
	if out.Result == workflow.RefusedByPolicy {
		thing := notice.Thing{Execution: in.Execution, Machine: machine, Resource: notice.Resource{Account: e.Account}, Result: out.Result, Reason: out.Reason}
		return out, i.Bus.Put(ctx, notice.Access(thing, out.Refused[0].Decision, nil))
	}
	return out, nil
}

// candidate is a tagged VPC.
type candidate struct {
	vpc  workflow.PrivateVPC
	tags map[string]string
}

// split tells the VPCs that ask apart from those that were let go of, as they stand. Those from which all is to be taken back ask for nothing.
func split(tagged []candidate) (asking, left []candidate) {
	for _, c := range tagged {
		switch tag.Letting(c.tags) {
		case "":
			asking = append(asking, c)
		case tag.Leave:
			left = append(left, c)
		}
	}
	return asking, left
}

// vpcsOf returns the VPCs of candidates.
func vpcsOf(all []candidate) []workflow.PrivateVPC {
	var out []workflow.PrivateVPC
	for _, c := range all {
		out = append(out, c.vpc)
	}
	return out
}

// standing is a VPC that has something of ours.
type standing struct {
	region, vpc string
	status      ledger.Status
}

// isPrivate reports whether the ledger has a VPC as private.
func isPrivate(all []standing, v workflow.PrivateVPC) bool {
	return slices.ContainsFunc(all, func(s standing) bool {
		return s.vpc == v.ID && s.region == v.Region && s.status == ledger.Status(workflow.Private)
	})
}

// decide asks the policy about each tagged VPC and each service, and sorts the VPCs by the answers.
func (i Inspector) decide(ctx context.Context, out *workflow.InspectPrivateNotebooksOutput, tagged []candidate, facts workflow.AccountFacts) error {
	if len(tagged) == 0 {
		return nil
	}
	set, err := i.Policy(ctx)
	if err != nil {
		return err
	}
	callers, err := i.Callers(ctx)
	if err != nil {
		return err
	}
	account := facts.Entity()
	for _, c := range tagged {
		who := policy.VPC{ID: c.vpc.ID, Region: c.vpc.Region, Account: account, CIDRs: c.vpc.CIDRs, Tags: c.tags}
		for _, service := range Services(c.vpc.Region) {
			c.vpc.Decision = set.Expose(who, policy.Service{Name: service, Region: c.vpc.Region, Account: account}, policy.Context{})
			if !c.vpc.Decision.Allowed {
				break
			}
		}
		if !c.vpc.Decision.Allowed {
			out.Refused = append(out.Refused, c.vpc)
			continue
		}
		out.VPCs = append(out.VPCs, c.vpc)
		out.Wants = append(out.Wants, workflow.EndpointWant{Account: c.vpc.Account, Region: c.vpc.Region, VPC: c.vpc.ID, Owner: Owner(c.vpc.ID),
			Services: Services(c.vpc.Region), Callers: callers, Leave: !set.Restore(who, who, policy.Context{Connection: Owner(c.vpc.ID)}).Allowed})
	}
	return nil
}

// listed says what is unclear, as the end of another sentence; of many, the first.
func listed(unclear []string) string {
	const few = 3
	slices.Sort(unclear)
	out := strings.Join(unclear[:min(few, len(unclear))], "")
	if more := len(unclear) - few; more > 0 {
		out += fmt.Sprintf("; and %d more", more)
	}
	return out
}

func reason(out workflow.InspectPrivateNotebooksOutput) string {
	var parts []string
	if len(out.VPCs) > 0 {
		parts = append(parts, fmt.Sprintf("%s tagged %s=true", strings.Join(idsOf(out.VPCs), ", "), tag.PrivateNotebooks))
	}
	for _, v := range out.Refused {
		parts = append(parts, fmt.Sprintf("%s refused by policy %s: %s", v.ID, v.Decision.Policy, v.Decision.Reason))
	}
	for _, v := range out.Released {
		parts = append(parts, fmt.Sprintf("%s is tagged %s=%s: what is there stays", v.ID, tag.Manage, tag.Leave))
	}
	for _, l := range out.Leaving {
		parts = append(parts, l.VPC+" shall have nothing of it any more")
	}
	if len(parts) == 0 {
		return fmt.Sprintf("no VPC of %s is tagged %s=true", out.Account, tag.PrivateNotebooks)
	}
	return strings.Join(parts, "; ")
}

// vpcReader reads VPCs.
type vpcReader interface {
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
}

// tagsOf returns the tags of a VPC as Drawbridge reads them.
func tagsOf(v types.Vpc) map[string]string {
	tags := map[string]string{}
	for _, t := range v.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tag.Clean(tag.VPC, tags)
}

// readTagged returns the VPCs of an account and Region that ask for private notebooks, sorted by id, and says of which it is
// not clear. EC2's filters compare values as they are written, so it is asked for the key alone.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
func readTagged(ctx context.Context, client vpcReader, account, region string) (out []candidate, unclear []string, err error) {
	pages := ec2.NewDescribeVpcsPaginator(client, &ec2.DescribeVpcsInput{Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{tag.PrivateNotebooks}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the tagged VPCs of %s in %s: %w", account, region, err)
		}
		for _, v := range page.Vpcs {
			one := candidate{vpc: workflow.PrivateVPC{Account: account, Region: region, ID: aws.ToString(v.VpcId)}, tags: tagsOf(v)}
			if one.tags[tag.PrivateNotebooks] != "true" {
				if why := tag.Why(one.tags, tag.PrivateNotebooks); why != "" {
					unclear = append(unclear, why+" (on "+one.vpc.ID+")")
				}
				continue
			}
			one.vpc.Manage = one.tags[tag.Manage]
			one.vpc.Primary, _ = netip.ParsePrefix(aws.ToString(v.CidrBlock))
			for _, b := range v.CidrBlockAssociationSet {
				if cidr, err := netip.ParsePrefix(aws.ToString(b.CidrBlock)); err == nil {
					one.vpc.CIDRs = append(one.vpc.CIDRs, cidr.Masked())
				}
			}
			slices.SortFunc(one.vpc.CIDRs, netip.Prefix.Compare)
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b candidate) int { return strings.Compare(a.vpc.ID, b.vpc.ID) })
	return out, unclear, nil
}

// readOurs returns the VPCs of a Region that the ledger has, sorted.
func (i Inspector) readOurs(ctx context.Context, account, region string) ([]standing, error) {
	managed, err := i.Ledger.Connections(ctx, account, region)
	if err != nil {
		return nil, err
	}
	var out []standing
	for _, c := range managed {
		if c.Kind == road.PrivateNotebooks {
			out = append(out, standing{region, strings.TrimPrefix(c.ID, ownerPrefix), c.Status})
		}
	}
	return out, nil
}
