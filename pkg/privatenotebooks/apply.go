package privatenotebooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/endpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Granter keeps the one policy of an account.
type Granter struct {
	EC2     func(execution, account, region string) EndpointReader
	IAM     func(execution, account, region string) Keeper
	Regions []string
	Ledger  ledger.Ledger
	// Home is the Region under which the ledger has what is of IAM: the hub's.
	Home string
	// Brake is asked before a role loses the policy.
	Brake brake.Asker
}

// EndpointReader is what [Granter] needs of EC2.
type EndpointReader interface {
	vpcReader
	DescribeVpcEndpoints(context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error)
}

// Details reads the identities of an account.
type Details interface {
	GetAccountAuthorizationDetails(context.Context, *iam.GetAccountAuthorizationDetailsInput, ...func(*iam.Options)) (*iam.GetAccountAuthorizationDetailsOutput, error)
}

// Keeper is what [Granter] needs of IAM.
type Keeper interface {
	Details
	CreatePolicy(context.Context, *iam.CreatePolicyInput, ...func(*iam.Options)) (*iam.CreatePolicyOutput, error)
	CreatePolicyVersion(context.Context, *iam.CreatePolicyVersionInput, ...func(*iam.Options)) (*iam.CreatePolicyVersionOutput, error)
	DeletePolicyVersion(context.Context, *iam.DeletePolicyVersionInput, ...func(*iam.Options)) (*iam.DeletePolicyVersionOutput, error)
	DeletePolicy(context.Context, *iam.DeletePolicyInput, ...func(*iam.Options)) (*iam.DeletePolicyOutput, error)
	AttachRolePolicy(context.Context, *iam.AttachRolePolicyInput, ...func(*iam.Options)) (*iam.AttachRolePolicyOutput, error)
	DetachRolePolicy(context.Context, *iam.DetachRolePolicyInput, ...func(*iam.Options)) (*iam.DetachRolePolicyOutput, error)
}

// rounds bounds how often Grant reads, plans and applies. The second look finds what the first one did, unless IAM, which
// shows a change only after a while, does not show it yet.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
const rounds = 2

// Grant makes the account's policy name the endpoints of all its VPCs, and gives it to the tagged roles and to no others. It goes on naming those endpoints
// of VPCs that were let go of which it names.
// It ends when a look finds nothing to change: that look is the proof. The policy is one for many VPCs, so an execution
// that does not know of a VPC must not write it: when the tagged VPCs are others than those that were inspected, the
// answer is again, and nothing is written.
func (g Granter) Grant(ctx context.Context, in workflow.GrantNotebookAccessInput) (workflow.GrantNotebookAccessOutput, error) {
	out := workflow.GrantNotebookAccessOutput{Answer: workflow.AnswerDone, Hops: []workflow.Hop{}, Endpoints: []string{}, Roles: []string{}}
	client := g.IAM(in.Execution, in.Account, in.Region)
	for range rounds {
		ids, released, changed, err := g.endpoints(ctx, in)
		if err != nil {
			return out, err
		}
		if changed {
			out.Answer = workflow.AnswerAgain
			return out, nil
		}
		have, err := ReadGrant(ctx, client, in.Account, in.Region)
		if err != nil {
			return out, err
		}
		have.Name(ids, released, in.Account, in.Region)
		book := g.book(in)
		if err := book.own(ctx, &have); err != nil {
			return out, err
		}
		left, err := book.contest(ctx, &have)
		if err != nil {
			return out, err
		}
		plan := PlanGrant(have, in.Account, in.Region)
		if plan.Empty() {
			if err := book.settle(ctx, have); err != nil {
				return out, err
			}
			if !have.Released {
				out.Endpoints, out.Roles = append(out.Endpoints, have.Endpoints...), append(out.Roles, sorted(have.Attached)...)
			}
			out.Hops = append(append(out.Hops, grantHop(have)), left...)
			return out, nil
		}
		if err := g.Brake.Ask(ctx, lost(in.Account, have, plan)...); err != nil {
			return out, err
		}
		if err := book.carryOut(ctx, client, plan, in); err != nil {
			return out, err
		}
	}
	return out, fault.New(fault.NotYet, "keeping policy %s of %s: IAM does not show it as it was written", PolicyName, in.Account)
}

func grantHop(g Grant) workflow.Hop {
	hop := workflow.Hop{Hop: "policy " + PolicyName, OK: true, Detail: "there is none, and no role has it"}
	switch {
	case g.Released:
		hop.Detail = "stays as it is, with who has it: it names endpoints of a VPC that was let go of, and is its owner's"
		return hop
	case g.Theirs():
		return theirs(g)
	case g.Document == "":
		return hop
	case len(g.Endpoints) == 0: // all that is Drawbridge's has gone from it
		hop.Detail = "somebody changed it: it stays, as theirs, and no role has it by Drawbridge"
		return hop
	}
	hop.Detail = fmt.Sprintf("allows the URL through the %d endpoints of the tagged VPCs only; no role is tagged %s=true, so nobody has it", len(g.Endpoints), tag.PrivateNotebooks)
	if len(g.Attached) > 0 {
		hop.Detail = fmt.Sprintf("allows the URL through the %d endpoints of the tagged VPCs only; with %s", len(g.Endpoints), strings.Join(sorted(g.Attached), ", "))
	}
	if others := g.others(); len(others) > 0 {
		hop.Detail += fmt.Sprintf("; somebody else gave it to %s, which is not tagged", strings.Join(others, ", "))
	}
	hop.Detail += listed(g.Unclear)
	return hop
}

// theirs is the line about a policy of Drawbridge's name that is somebody else's. Nobody has it through Drawbridge: what it allows is not Drawbridge's to give.
func theirs(g Grant) workflow.Hop {
	hop := workflow.Hop{Hop: "policy " + PolicyName, OK: len(g.Endpoints) == 0, Detail: g.ARN + " is not Drawbridge's, so it stays as it is"}
	if !hop.OK {
		hop.Detail += fmt.Sprintf(", and no role may issue the URL; remedy: its owner deletes it, and tags a VPC %s=true anew; or, if it was let go of, %s=%s", tag.PrivateNotebooks, tag.Manage, tag.Take)
	}
	return hop
}

// others returns the roles that have the policy without a tag and without Drawbridge, sorted.
func (g Grant) others() []string {
	return slices.DeleteFunc(sorted(g.Attached), func(role string) bool { return slices.Contains(g.Given, role) || slices.Contains(g.Tagged, role) })
}

// endpoints returns the ids of the endpoints of the inspected VPCs as they are now, and of those that were let go of, sorted; changed if the VPCs that ask, or
// that are to be let go of, are others than those that were inspected.
func (g Granter) endpoints(ctx context.Context, in workflow.GrantNotebookAccessInput) (ids, released []string, changed bool, err error) {
	var asked, let []string
	for _, region := range g.Regions {
		client := g.EC2(in.Execution, in.Account, region)
		found, _, err := readTagged(ctx, client, in.Account, region)
		if err != nil {
			return nil, nil, false, err
		}
		asking, left := split(found)
		asked, let = append(asked, idsOf(vpcsOf(asking))...), append(let, idsOf(vpcsOf(left))...)
		for _, of := range []struct {
			vpcs []workflow.PrivateVPC
			to   *[]string
		}{{in.VPCs, &ids}, {in.Released, &released}} {
			here := slices.DeleteFunc(slices.Clone(of.vpcs), func(v workflow.PrivateVPC) bool { return v.Region != region })
			if len(here) == 0 {
				continue
			}
			more, err := serving(ctx, client, region, idsOf(here))
			if err != nil {
				return nil, nil, false, err
			}
			*of.to = append(*of.to, more...)
		}
	}
	known, gone := sorted(idsOf(slices.Concat(in.VPCs, in.Refused))), idsOf(in.Released)
	changed = !slices.Equal(known, sorted(asked)) || slices.ContainsFunc(let, func(vpc string) bool { return !slices.Contains(gone, vpc) })
	return sorted(ids), sorted(released), changed, nil
}

// idsOf returns the ids of VPCs.
func idsOf(all []workflow.PrivateVPC) []string {
	var out []string
	for _, v := range all {
		out = append(out, v.ID)
	}
	return out
}

// serving returns the ids of the endpoints that serve the VPCs of a Region.
func serving(ctx context.Context, client EndpointReader, region string, vpcs []string) ([]string, error) {
	have := map[string]*endpoint.Network{}
	pages := ec2.NewDescribeVpcEndpointsPaginator(client, &ec2.DescribeVpcEndpointsInput{Filters: []types.Filter{
		{Name: aws.String("vpc-id"), Values: vpcs}, {Name: aws.String("service-name"), Values: Services(region)}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the endpoints of %s: %w", strings.Join(vpcs, ", "), err)
		}
		for _, e := range page.VpcEndpoints {
			vpc := aws.ToString(e.VpcId)
			if have[vpc] == nil {
				have[vpc] = &endpoint.Network{}
			}
			have[vpc].Endpoints = append(have[vpc].Endpoints, endpoint.Endpoint{ID: aws.ToString(e.VpcEndpointId),
				Service: aws.ToString(e.ServiceName), State: strings.ToLower(string(e.State)), PrivateDNS: aws.ToBool(e.PrivateDnsEnabled)})
		}
	}
	var out []string
	for _, n := range have {
		for _, service := range Services(region) {
			if e, ok := n.Of(service); ok {
				out = append(out, e.ID)
			}
		}
	}
	return out, nil
}

// ReadGrant returns the account's policy, who has it and who shall have it, in one call for a thousand identities. What of it is Drawbridge's is not told.
func ReadGrant(ctx context.Context, client Details, account, region string) (Grant, error) {
	out := Grant{ARN: PolicyARN(account, region)}
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(client, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []iamtypes.EntityType{iamtypes.EntityTypeRole, iamtypes.EntityTypeLocalManagedPolicy}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return out, fmt.Errorf("reading the roles of %s: %w", account, err)
		}
		for _, r := range page.RoleDetailList {
			name := aws.ToString(r.RoleName)
			tags := map[string]string{}
			for _, t := range r.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			tags = tag.Clean(tag.Role, tags)
			if tags[tag.PrivateNotebooks] != "true" && tag.Says(tags, tag.PrivateNotebooks) {
				out.Closed = append(out.Closed, name)
			}
			if tags[tag.PrivateNotebooks] == "true" {
				out.Tagged = append(out.Tagged, name)
			} else if why := tag.Why(tags, tag.PrivateNotebooks); why != "" {
				out.Unclear = append(out.Unclear, why+" (on role "+name+")")
			}
			for _, p := range r.AttachedManagedPolicies {
				if aws.ToString(p.PolicyArn) == out.ARN {
					out.Attached = append(out.Attached, name)
				}
			}
		}
		for _, p := range page.Policies {
			if aws.ToString(p.Arn) != out.ARN {
				continue
			}
			for _, v := range p.PolicyVersionList {
				if v.IsDefaultVersion {
					out.Document = decoded(aws.ToString(v.Document))
				} else {
					out.Versions = append(out.Versions, aws.ToString(v.VersionId))
				}
			}
		}
	}
	slices.SortFunc(out.Versions, func(a, b string) int { // v2 before v10
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return out, nil
}

// decoded returns a document as IAM means it: URL-encoded, says the API reference.
func decoded(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil && strings.HasPrefix(strings.TrimSpace(text), "%") {
		return plain
	}
	return text
}

// apply makes the changes of a plan: first what the policy says, then who has it; for a removal the other way round. It fails with [errTaken] if
// there is a policy of that name meanwhile.
func apply(ctx context.Context, client Keeper, plan GrantChanges, in workflow.GrantNotebookAccessInput) error {
	arn := aws.String(PolicyARN(in.Account, in.Region))
	if !plan.Delete {
		if err := write(ctx, client, arn, plan); err != nil {
			return err
		}
	}
	for _, role := range plan.Attach {
		slog.InfoContext(ctx, "attaching", "role", role, "policy", PolicyName)
		_, err := client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: arn})
		// "NoSuchEntity": the role went meanwhile, or the policy is not visible everywhere yet.
		if err != nil {
			return fmt.Errorf("attaching %s to role %s of account %s: %w", PolicyName, role, in.Account, err)
		}
	}
	for _, role := range plan.Detach {
		slog.InfoContext(ctx, "detaching", "role", role, "policy", PolicyName)
		_, err := client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &role, PolicyArn: arn})
		if err != nil && !fault.HasCode(err, "NoSuchEntity") {
			return fmt.Errorf("detaching %s from role %s of account %s: %w", PolicyName, role, in.Account, err)
		}
	}
	if !plan.Delete {
		return nil
	}
	if err := drop(ctx, client, arn, plan.Drop); err != nil {
		return err
	}
	slog.InfoContext(ctx, "deleting", "policy", PolicyName)
	_, err := client.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	if fault.HasCode(err, "DeleteConflict") {
		return fault.NewConflict(fmt.Sprintf("policy %s of %s cannot be deleted: %v", PolicyName, in.Account, err),
			"detach it from the users, groups and roles that somebody gave it to, then redrive the execution")
	}
	if err != nil && !fault.HasCode(err, "NoSuchEntity") {
		return fmt.Errorf("deleting policy %s: %w", aws.ToString(arn), err)
	}
	return nil
}

// errTaken says that a policy cannot be made, since there is one of its name: made by a call whose answer was lost, or by somebody else. The next look
// tells which.
var errTaken = errors.New("there is a policy of this name")

// write makes the policy say what the plan wants.
func write(ctx context.Context, client Keeper, arn *string, plan GrantChanges) error {
	if plan.Create != "" {
		slog.InfoContext(ctx, "creating", "policy", PolicyName)
		_, err := client.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String(PolicyName), Path: aws.String(PolicyPath), PolicyDocument: &plan.Create,
			Description: aws.String("Drawbridge: the URL of a notebook through the interface endpoints of the tagged VPCs only."),
			Tags:        []iamtypes.Tag{{Key: aws.String(endpoint.TagConnection), Value: aws.String("private-notebooks")}}})
		if fault.HasCode(err, "EntityAlreadyExists") {
			return errTaken
		}
		if err != nil {
			return fmt.Errorf("creating policy %s: %w", aws.ToString(arn), err)
		}
	}
	if plan.Replace == "" {
		return nil
	}
	if err := drop(ctx, client, arn, plan.Drop); err != nil {
		return err
	}
	slog.InfoContext(ctx, "replacing", "policy", PolicyName)
	if _, err := client.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &plan.Replace, SetAsDefault: true}); err != nil {
		return fmt.Errorf("replacing policy %s: %w", PolicyName, err)
	}
	return nil
}

func drop(ctx context.Context, client Keeper, arn *string, versions []string) error {
	for _, v := range versions {
		_, err := client.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: &v})
		if err != nil && !fault.HasCode(err, "NoSuchEntity") {
			return fmt.Errorf("deleting version %s of policy %s: %w", v, aws.ToString(arn), err)
		}
	}
	return nil
}
