package privatenotebooks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"
	resolvertypes "github.com/aws/aws-sdk-go-v2/service/route53resolver/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest/report"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/iampolicy"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Verifier reads what a verdict needs.
type Verifier struct {
	IAM    func(execution, account, region string) PolicyReader
	Region func(execution, account, region string) RegionReader
	Bus    notice.Bus
	Ledger ledger.Ledger
}

// PolicyReader is what [Verifier] needs of IAM.
type PolicyReader interface {
	Details
	GetPolicy(context.Context, *iam.GetPolicyInput, ...func(*iam.Options)) (*iam.GetPolicyOutput, error)
	GetPolicyVersion(context.Context, *iam.GetPolicyVersionInput, ...func(*iam.Options)) (*iam.GetPolicyVersionOutput, error)
}

// RegionReader is what [Verifier] needs in each Region.
type RegionReader struct {
	EC2 interface {
		DescribeClientVpnEndpoints(context.Context, *ec2.DescribeClientVpnEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeClientVpnEndpointsOutput, error)
		DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error)
	}
	Resolver interface {
		ListResolverEndpoints(context.Context, *route53resolver.ListResolverEndpointsInput, ...func(*route53resolver.Options)) (*route53resolver.ListResolverEndpointsOutput, error)
	}
	SageMaker interface {
		ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error)
		DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error)
	}
}

// Verify reads the account's identities, and in each Region of a VPC what its paths depend on; it writes into the ledger how each VPC stands, announces the
// verdict and returns it. What its owner has Drawbridge let go of is forgotten then. What is left to who took it away makes the end Contested, and is told to its owner, once; what could not be served makes it Incomplete.
func (v Verifier) Verify(ctx context.Context, in workflow.VerifyPrivateNotebooksInput) (workflow.VerifyPrivateNotebooksOutput, error) {
	out := workflow.VerifyPrivateNotebooksOutput{Result: in.Result, Reason: in.Reason, Verdict: []workflow.Hop{}}
	var facts Facts
	if len(in.Granted.Endpoints) > 0 {
		var err error
		if facts.Identities, err = readIdentities(ctx, v.IAM(in.Execution, in.Account, in.Region), in.Account); err != nil {
			return out, err
		}
	}
	var regions []string
	for _, p := range in.VPCs {
		regions = append(regions, p.Region)
	}
	for _, region := range sorted(regions) {
		if err := readRegion(ctx, v.Region(in.Execution, in.Account, region), in.Account, region, &facts); err != nil {
			return out, err
		}
	}
	out.Verdict = append(out.Verdict, Verdict(in, facts)...)
	if lacks := short(in); lacks != "" {
		out.Result, out.Reason = workflow.Incomplete, in.Reason+"; "+lacks
	}
	for _, p := range in.Placed {
		taken, err := report.Ask(ctx, v.Ledger, v.Bus, ledger.Connection{ID: p.Want.Owner})
		if err != nil {
			return out, err
		}
		if taken != "" && out.Result != workflow.Contested {
			out.Result, out.Reason = workflow.Contested, p.Want.VPC+": "+taken
		}
		if err := v.note(ctx, in, p, facts, taken); err != nil {
			return out, err
		}
	}
	thing := notice.Thing{Execution: in.Execution, Machine: machine, Resource: notice.Resource{Account: in.Account}, Result: out.Result, Reason: out.Reason}
	for _, p := range in.VPCs {
		thing.For = append(thing.For, p.ID)
	}
	if err := v.Bus.Put(ctx, notice.Access(thing, policy.Decision{}, out.Verdict)); err != nil {
		return out, err
	}
	for _, p := range in.Released { // last of all: what the ledger does not have is told to nobody
		if err := v.Ledger.LetGo(ctx, Owner(p.ID)); err != nil {
			return out, err
		}
	}
	return out, nil
}

// note writes into the ledger's entry of a VPC how its endpoints stand, and who reaches what through them. What did not change keeps its time.
func (v Verifier) note(ctx context.Context, in workflow.VerifyPrivateNotebooksInput, p workflow.PlaceEndpointsOutput, facts Facts, taken string) error {
	result, reason := stands(p, in.Granted, taken)
	said := ""
	if n := slices.IndexFunc(in.VPCs, func(one workflow.PrivateVPC) bool { return one.ID == p.Want.VPC }); n >= 0 {
		said = in.VPCs[n].Decision.Policy
	}
	_, err := v.Ledger.Change(ctx, p.Want.Owner, func(e *ledger.Connection) {
		e.Paths = Paths(in, p, facts)
		e.Stand(ledger.Status(result), reason, said, v.Ledger.Now().UTC())
	})
	return err
}

func readRegion(ctx context.Context, client RegionReader, account, region string, facts *Facts) error {
	vpns := ec2.NewDescribeClientVpnEndpointsPaginator(client.EC2, &ec2.DescribeClientVpnEndpointsInput{})
	for vpns.HasMorePages() {
		page, err := vpns.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading the Client VPN endpoints of %s in %s: %w", account, region, err)
		}
		for _, e := range page.ClientVpnEndpoints {
			facts.VPNs = append(facts.VPNs, VPN{ID: aws.ToString(e.ClientVpnEndpointId), VPC: aws.ToString(e.VpcId), DNS: e.DnsServers})
		}
	}
	resolvers := route53resolver.NewListResolverEndpointsPaginator(client.Resolver, &route53resolver.ListResolverEndpointsInput{})
	for resolvers.HasMorePages() {
		page, err := resolvers.NextPage(ctx)
		if fault.Absent(err) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the resolver endpoints of %s in %s: %w", account, region, err)
		}
		for _, e := range page.ResolverEndpoints {
			if e.Direction == resolvertypes.ResolverEndpointDirectionInbound {
				facts.Resolvers = append(facts.Resolvers, Resolver53{ID: aws.ToString(e.Id), VPC: aws.ToString(e.HostVPCId),
					OK: e.Status == resolvertypes.ResolverEndpointStatusOperational})
			}
		}
	}
	return readNotebooks(ctx, client, account, region, facts)
}

func readNotebooks(ctx context.Context, client RegionReader, account, region string, facts *Facts) error {
	pages := sagemaker.NewListNotebookInstancesPaginator(client.SageMaker, &sagemaker.ListNotebookInstancesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if fault.Absent(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("listing the notebooks of %s in %s: %w", account, region, err)
		}
		for _, n := range page.NotebookInstances {
			got, err := client.SageMaker.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: n.NotebookInstanceName})
			if fault.NoRecord(err) {
				continue // it was deleted since it was listed
			}
			if err != nil && !fault.Single(err) {
				return fmt.Errorf("reading notebook %s of %s in %s: %w", aws.ToString(n.NotebookInstanceName), account, region, err)
			}
			one := Instance{Name: aws.ToString(n.NotebookInstanceName), ARN: aws.ToString(n.NotebookInstanceArn)}
			if err == nil {
				one.DirectInternet = got.DirectInternetAccess == sagemakertypes.DirectInternetAccessEnabled
				if one.VPC, err = vpcOf(ctx, client, aws.ToString(got.SubnetId)); err != nil {
					return fmt.Errorf("reading %s of notebook %s: %w", aws.ToString(got.SubnetId), one.Name, err)
				}
			}
			facts.Notebooks = append(facts.Notebooks, one)
		}
	}
	return nil
}

// vpcOf returns the VPC of a subnet; none if that cannot be known.
func vpcOf(ctx context.Context, client RegionReader, subnet string) (string, error) {
	if subnet == "" {
		return "", nil
	}
	got, err := client.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{subnet}})
	if err != nil && !fault.Single(err) {
		return "", err
	}
	if err != nil || len(got.Subnets) == 0 {
		return "", nil
	}
	return aws.ToString(got.Subnets[0].VpcId), nil
}

// account is what GetAccountAuthorizationDetails tells, before the policies that AWS manages are read.
type accountDetails struct {
	roles     []iamtypes.RoleDetail
	users     []iamtypes.UserDetail
	groups    map[string]iamtypes.GroupDetail
	documents map[string]iampolicy.Policy // of managed policies, by ARN
}

// readIdentities returns the users and roles of an account with all their policies. The policies that AWS manages are
// not among the details, which would be a thousand; those that somebody has are read one by one.
func readIdentities(ctx context.Context, client PolicyReader, account string) ([]iampolicy.Identity, error) {
	d := accountDetails{groups: map[string]iamtypes.GroupDetail{}, documents: map[string]iampolicy.Policy{}}
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(client, &iam.GetAccountAuthorizationDetailsInput{Filter: []iamtypes.EntityType{
		iamtypes.EntityTypeUser, iamtypes.EntityTypeRole, iamtypes.EntityTypeGroup, iamtypes.EntityTypeLocalManagedPolicy}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the identities of %s: %w", account, err)
		}
		d.roles, d.users = append(d.roles, page.RoleDetailList...), append(d.users, page.UserDetailList...)
		for _, g := range page.GroupDetailList {
			d.groups[aws.ToString(g.GroupName)] = g
		}
		for _, p := range page.Policies {
			for _, v := range p.PolicyVersionList {
				if v.IsDefaultVersion {
					if err := d.add(aws.ToString(p.Arn), aws.ToString(p.PolicyName), aws.ToString(v.Document)); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	var out []iampolicy.Identity
	for _, r := range d.roles {
		one, err := d.identity(ctx, client, "role", aws.ToString(r.RoleName), aws.ToString(r.Arn), r.RolePolicyList, r.AttachedManagedPolicies, r.PermissionsBoundary)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	for _, u := range d.users {
		inline, attached := slices.Clone(u.UserPolicyList), slices.Clone(u.AttachedManagedPolicies)
		for _, g := range u.GroupList {
			inline, attached = append(inline, d.groups[g].GroupPolicyList...), append(attached, d.groups[g].AttachedManagedPolicies...)
		}
		one, err := d.identity(ctx, client, "user", aws.ToString(u.UserName), aws.ToString(u.Arn), inline, attached, u.PermissionsBoundary)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b iampolicy.Identity) int { return strings.Compare(a.ARN, b.ARN) })
	return out, nil
}

func (d accountDetails) add(arn, name, text string) error {
	document, err := iampolicy.Parse(decoded(text))
	if err != nil {
		return fmt.Errorf("reading policy %s: %w", name, err)
	}
	d.documents[arn] = iampolicy.Policy{Name: name, Document: document}
	return nil
}

// identity returns what one identity may do, by all its policies. Many parameters, because they are all that decides what one identity may do.
func (d accountDetails) identity(ctx context.Context, client PolicyReader, kind, name, arn string, inline []iamtypes.PolicyDetail, attached []iamtypes.AttachedPolicy, boundary *iamtypes.AttachedPermissionsBoundary) (iampolicy.Identity, error) {
	out := iampolicy.Identity{Kind: kind, Name: name, ARN: arn}
	for _, p := range inline {
		document, err := iampolicy.Parse(decoded(aws.ToString(p.PolicyDocument)))
		if err != nil {
			return out, fmt.Errorf("reading policy %s of %s: %w", aws.ToString(p.PolicyName), arn, err)
		}
		out.Policies = append(out.Policies, iampolicy.Policy{Name: aws.ToString(p.PolicyName), Document: document})
	}
	for _, p := range attached {
		managed, err := d.managed(ctx, client, aws.ToString(p.PolicyArn))
		if err != nil {
			return out, fmt.Errorf("%s: %w", arn, err)
		}
		out.Policies = append(out.Policies, managed)
	}
	if boundary != nil && aws.ToString(boundary.PermissionsBoundaryArn) != "" {
		managed, err := d.managed(ctx, client, aws.ToString(boundary.PermissionsBoundaryArn))
		if err != nil {
			return out, fmt.Errorf("%s: %w", arn, err)
		}
		out.Boundary, out.Bounded = managed.Document, true
	}
	return out, nil
}

// managed returns a managed policy, read if it is not known yet.
func (d accountDetails) managed(ctx context.Context, client PolicyReader, arn string) (iampolicy.Policy, error) {
	if known, ok := d.documents[arn]; ok {
		return known, nil
	}
	got, err := client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil {
		return iampolicy.Policy{}, fmt.Errorf("reading policy %s: %w", arn, err)
	}
	version, err := client.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: got.Policy.DefaultVersionId})
	if err != nil {
		return iampolicy.Policy{}, fmt.Errorf("reading policy %s: %w", arn, err)
	}
	if err := d.add(arn, aws.ToString(got.Policy.PolicyName), aws.ToString(version.PolicyVersion.Document)); err != nil {
		return iampolicy.Policy{}, err
	}
	return d.documents[arn], nil
}
