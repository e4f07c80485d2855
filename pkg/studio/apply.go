package studio

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	rstypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// RoleWriter is what [WriteRole] and [Forget] need of IAM in the producer's account.
type RoleWriter interface {
	RoleReader
	CreateRole(context.Context, *iam.CreateRoleInput, ...func(*iam.Options)) (*iam.CreateRoleOutput, error)
	UpdateAssumeRolePolicy(context.Context, *iam.UpdateAssumeRolePolicyInput, ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error)
	PutRolePolicy(context.Context, *iam.PutRolePolicyInput, ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error)
	DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error)
	DeleteRole(context.Context, *iam.DeleteRoleInput, ...func(*iam.Options)) (*iam.DeleteRoleOutput, error)
}

// WriteRole makes the readers' role of a cluster trust exactly the admitted execution roles, at once: what follows may take
// its time. Those that leave stay named in it until [Forget]. It always carries the permissions boundary of the member stack,
// without which Drawbridge may create no role.
func WriteRole(ctx context.Context, api RoleWriter, in workflow.WriteStudioRoleInput) (workflow.HopsOutput, error) {
	w, name, staying := in.Warehouse, nameOf(in.Warehouse.Role), Staying(in.Roles)
	boundary := strings.Replace(strings.TrimSuffix(w.Role, name)+Boundary, ":role/", ":policy/", 1)
	failed := failing(name, w.Account)
	have, err := ourRole(ctx, api, name, w.Account)
	if err != nil {
		return workflow.HopsOutput{}, err
	}
	trust := Trust(in.Roles)
	switch {
	case have == nil && len(staying) == 0:
		return readersHop(name, "there is none")
	case have == nil:
		_, err = api.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, Path: aws.String(Path), AssumeRolePolicyDocument: &trust, PermissionsBoundary: &boundary,
			Description: aws.String("Drawbridge: who reads the Redshift cluster " + w.ID + " from SageMaker Studio of another account, each as a user of their own name."),
			Tags:        []iamtypes.Tag{{Key: aws.String(MarkTag), Value: aws.String(Mark)}}})
		if fault.HasCode(err, "EntityAlreadyExists") {
			return failed("creating", &fault.Error{Kind: fault.NotYet, Message: "another execution just made it", Cause: err})
		}
		if fault.HasCode(err, "MalformedPolicyDocument") {
			return failed("creating", &fault.Error{Kind: fault.Conflict, Message: err.Error(), Cause: err, Remedy: "see whether each execution role still exists, then redrive the execution"})
		}
		if err != nil {
			return failed("creating", err)
		}
	case trust != "": // an empty one is not allowed; Forget deletes the role
		err = entrust(ctx, api, name, have, trust)
		if err != nil && len(staying) == 0 && gone(ctx, api, name, w.Account, err) {
			return readersHop(name, "there is none any more")
		}
		if err != nil {
			return failed("changing who may assume", err)
		}
	}
	if len(staying) == 0 {
		return readersHop(name, "nobody may assume it any more")
	}
	wanted := Permissions(w)
	now, err := rolePolicy(ctx, api, name)
	if err != nil {
		return failed("reading the policy of", err)
	}
	if !sameJSON(now, wanted) {
		if _, err = api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName), PolicyDocument: &wanted}); err != nil {
			return failed("writing the policy of", err)
		}
	}
	return trusting(name, len(staying), w.ID)
}

// Forget takes the execution roles that left out of the readers' role of a cluster, after what they were given was taken
// back, and deletes it when nobody stays.
func Forget(ctx context.Context, api RoleWriter, in workflow.WriteStudioRoleInput) (workflow.HopsOutput, error) {
	w, name, staying := in.Warehouse, nameOf(in.Warehouse.Role), Staying(in.Roles)
	failed := failing(name, w.Account)
	have, err := ourRole(ctx, api, name, w.Account)
	if err != nil {
		return workflow.HopsOutput{}, err
	}
	if have == nil {
		return readersHop(name, "there is none")
	}
	if len(staying) == 0 {
		_, err = api.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName)})
		if err != nil && !gone(ctx, api, name, w.Account, err) {
			return failed("emptying", err)
		}
		if _, err = api.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name}); err != nil && !gone(ctx, api, name, w.Account, err) {
			return failed("deleting", err)
		}
		return readersHop(name, "deleted")
	}
	if err := entrust(ctx, api, name, have, Trust(staying)); err != nil {
		return failed("changing who may assume", err)
	}
	return trusting(name, len(staying), w.ID)
}

// entrust writes the trust policy of a readers' role, if it says something else.
func entrust(ctx context.Context, api RoleWriter, name string, have *role, trust string) error {
	if sameJSON(have.trust, trust) {
		return nil
	}
	_, err := api.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &trust})
	return err
}

// trusting is the hop of a readers' role that somebody may assume.
func trusting(name string, readers int, cluster string) (workflow.HopsOutput, error) {
	return readersHop(name, fmt.Sprintf("trusts %d execution roles, for %s as the user of the source identity", readers, cluster))
}

// readersHop is the hop of a readers' role.
func readersHop(name, detail string) (workflow.HopsOutput, error) {
	return workflow.HopsOutput{Hops: []workflow.Hop{{Hop: "readers' role " + name, OK: true, Detail: detail}}}, nil
}

// failing returns what says of a step that it failed with a readers' role.
func failing(name, account string) func(doing string, err error) (workflow.HopsOutput, error) {
	return func(doing string, err error) (workflow.HopsOutput, error) {
		return workflow.HopsOutput{}, fmt.Errorf("%s the role %s in %s: %w", doing, name, account, err)
	}
}

// gone reports whether a call failed because another execution deleted the role meanwhile: IAM says so, or denies the call,
// since a role that does not exist is asked for by its name without the path that Drawbridge's rights have.
func gone(ctx context.Context, api RoleReader, name, account string, err error) bool {
	if fault.HasCode(err, "NoSuchEntity") {
		return true
	}
	if fault.Of(err) != fault.Refused {
		return false
	}
	now, reading := readRole(ctx, api, name, account)
	return reading == nil && now == nil
}

// ourRole returns the readers' role of that name, nil if there is none. One that is not ours is a [fault.Conflict].
func ourRole(ctx context.Context, api RoleReader, name, account string) (*role, error) {
	have, err := readRole(ctx, api, name, account)
	if err == nil && have != nil && !ours(have) {
		err = fault.NewConflict(fmt.Sprintf("the role %s in %s is not Drawbridge's: it has no tag %s", name, account, MarkTag),
			"rename that role, then redrive the execution")
	}
	return have, err
}

// ExecutionRoleWriter is what [Admit] needs of IAM in the consumer's account.
type ExecutionRoleWriter interface {
	RoleReader
	TagRole(context.Context, *iam.TagRoleInput, ...func(*iam.Options)) (*iam.TagRoleOutput, error)
	UntagRole(context.Context, *iam.UntagRoleInput, ...func(*iam.Options)) (*iam.UntagRoleOutput, error)
	UpdateAssumeRolePolicy(context.Context, *iam.UpdateAssumeRolePolicyInput, ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error)
	PutRolePolicy(context.Context, *iam.PutRolePolicyInput, ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error)
	DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error)
}

// Admit lets an execution role assume a readers' role, or takes that back: one inline policy of ours lists all the
// readers' roles, one statement of ours in its trust policy lets SageMaker set the source identity, and our mark says that
// there is something of ours. Without any readers' role all three go.
//
// Where two executions take the same back at once, the slower one is denied as soon as the mark is gone. Since that goes last,
// nothing is left then.
func Admit(ctx context.Context, api ExecutionRoleWriter, in workflow.AdmitRoleInput) (workflow.HopsOutput, error) {
	out, err := admit(ctx, api, in)
	if fault.Of(err) != fault.Refused || in.Role.Admit {
		return out, err
	}
	name := nameOf(in.Role.ARN)
	if now, reading := readRole(ctx, api, name, in.Role.Account); reading != nil || now != nil && ours(now) {
		return out, err
	}
	return admittedHop(name, in.Role.Account, "what Drawbridge had added is gone")
}

// admittedHop is the hop of an execution role.
func admittedHop(name, account, detail string) (workflow.HopsOutput, error) {
	return workflow.HopsOutput{Hops: []workflow.Hop{{Hop: fmt.Sprintf("execution role %s in %s", name, account), OK: true, Detail: detail}}}, nil
}

func admit(ctx context.Context, api ExecutionRoleWriter, in workflow.AdmitRoleInput) (workflow.HopsOutput, error) {
	name := nameOf(in.Role.ARN)
	hop := func(detail string) (workflow.HopsOutput, error) { return admittedHop(name, in.Role.Account, detail) }
	failed := func(doing string, err error) (workflow.HopsOutput, error) {
		return workflow.HopsOutput{}, fmt.Errorf("%s the execution role %s in %s: %w", doing, name, in.Role.Account, err)
	}
	have, err := readRole(ctx, api, name, in.Role.Account)
	if err != nil {
		return workflow.HopsOutput{}, err
	}
	if have == nil {
		return hop("it does not exist any more")
	}
	roles, err := assumed(ctx, api, name, in.Role.Account)
	if err != nil {
		return workflow.HopsOutput{}, err
	}
	wanted := With(roles, in.Warehouse.Role, in.Role.Admit)
	trust, err := TrustOf(have.trust, len(wanted) > 0)
	if err != nil {
		return failed("changing the trust policy of", err)
	}
	if len(wanted) > 0 && !ours(have) {
		if _, err := api.TagRole(ctx, &iam.TagRoleInput{RoleName: &name, Tags: []iamtypes.Tag{{Key: aws.String(MarkTag), Value: aws.String(Mark)}}}); err != nil {
			return failed("marking", err)
		}
	}
	if trust != have.trust {
		if _, err := api.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &trust}); err != nil {
			return failed("changing the trust policy of", err)
		}
	}
	switch {
	case slices.Equal(roles, wanted):
	case len(wanted) > 0:
		if _, err := api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName), PolicyDocument: aws.String(Assume(wanted))}); err != nil {
			return failed("writing the policy of", err)
		}
	default:
		_, err := api.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName)})
		if err != nil && !fault.HasCode(err, "NoSuchEntity") {
			return failed("taking the policy from", err)
		}
	}
	if len(wanted) == 0 {
		// Last of all: the mark is what lets Drawbridge take the rest away, also when the owner's own tag is gone.
		if ours(have) {
			if _, err := api.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &name, TagKeys: []string{MarkTag}}); err != nil {
				return failed("taking the mark from", err)
			}
		}
		return hop("what Drawbridge had added is gone")
	}
	if !in.Role.Admit {
		return hop("may no longer assume " + nameOf(in.Warehouse.Role))
	}
	return hop("may assume " + nameOf(in.Warehouse.Role) + " and pass the source identity on")
}

// assumed returns the readers' roles that our inline policy on an execution role names.
func assumed(ctx context.Context, api RoleReader, name, account string) ([]string, error) {
	text, err := rolePolicy(ctx, api, name)
	if err != nil {
		return nil, fmt.Errorf("reading the policy %s of the role %s in %s: %w", PolicyName, name, account, err)
	}
	roles, err := Assumed(text)
	if err != nil {
		return nil, fmt.Errorf("role %s in %s: %w", name, account, err)
	}
	return roles, nil
}

// rolePolicy returns our inline policy of a role, "" if there is none.
func rolePolicy(ctx context.Context, api RoleReader, name string) (string, error) {
	got, err := api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName)})
	if fault.HasCode(err, "NoSuchEntity") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return url.PathUnescape(aws.ToString(got.PolicyDocument))
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// DomainWriter is what [Identify] needs of SageMaker.
type DomainWriter interface {
	DescribeDomain(context.Context, *sagemaker.DescribeDomainInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeDomainOutput, error)
	ListApps(context.Context, *sagemaker.ListAppsInput, ...func(*sagemaker.Options)) (*sagemaker.ListAppsOutput, error)
	ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error)
	AddTags(context.Context, *sagemaker.AddTagsInput, ...func(*sagemaker.Options)) (*sagemaker.AddTagsOutput, error)
	DeleteTags(context.Context, *sagemaker.DeleteTagsInput, ...func(*sagemaker.Options)) (*sagemaker.DeleteTagsOutput, error)
	UpdateDomain(context.Context, *sagemaker.UpdateDomainInput, ...func(*sagemaker.Options)) (*sagemaker.UpdateDomainOutput, error)
}

// Identify makes the user profile's name the source identity of a domain's apps, or takes that back, as soon as no app is
// there. It never stops one: that is for people, who are told.
func Identify(ctx context.Context, api DomainWriter, in workflow.IdentifyUsersInput) (workflow.IdentifyUsersOutput, error) {
	d := in.Domain
	out := workflow.IdentifyUsersOutput{Hops: []workflow.Hop{}}
	hop := func(ok bool, format string, args ...any) {
		out.Hops = append(out.Hops, workflow.Hop{Hop: fmt.Sprintf("domain %s in %s", d.ID, d.Account), OK: ok, Detail: fmt.Sprintf(format, args...)})
	}
	failed := func(doing string, err error) (workflow.IdentifyUsersOutput, error) {
		return out, fmt.Errorf("%s the Studio domain %s in %s, %s: %w", doing, d.ID, d.Account, d.Region, err)
	}
	got, err := api.DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: &d.ID})
	if fault.HasCode(err, "ResourceNotFound") {
		hop(true, "it does not exist any more")
		return out, nil
	}
	if err != nil {
		return failed("reading", err)
	}
	setting := Disabled
	if got.DomainSettings != nil && got.DomainSettings.ExecutionRoleIdentityConfig != "" {
		setting = string(got.DomainSettings.ExecutionRoleIdentityConfig)
	}
	tags, err := api.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: &d.ARN})
	if err != nil {
		return failed("reading the tags of", err)
	}
	was := ""
	for _, t := range tags.Tags {
		if aws.ToString(t.Key) == IdentityTag {
			was = aws.ToString(t.Value)
		}
	}
	there, going, err := apps(ctx, api, d.ID)
	if err != nil {
		return failed("listing the apps of", err)
	}
	move := Identity(d, setting, was, len(there)+going)
	if move == Wait && len(there) == 0 {
		return failed("changing", fault.New(fault.NotYet, "%d apps are still being deleted", going))
	}
	set := func(to string) error {
		_, err := api.UpdateDomain(ctx, &sagemaker.UpdateDomainInput{DomainId: &d.ID,
			DomainSettingsForUpdate: &types.DomainSettingsForUpdate{ExecutionRoleIdentityConfig: types.ExecutionRoleIdentityConfig(to)}})
		return err
	}
	switch move {
	case Leave:
		if d.Identify {
			hop(true, "the source identity of its apps is the user profile's name")
		} else {
			hop(true, "its setting ExecutionRoleIdentityConfig is its owner's")
		}
	case Block:
		hop(false, "the trust policy of %s lacks sts:SetSourceIdentity for %s: with source identities its apps could not start; tag the role %s=true, or add that", strings.Join(d.Unready, ", "), service, tag.Studio)
	case Wait:
		out.Waiting = true
		hop(false, "waits until its apps are deleted: %s; delete them in Studio when it suits, the setting follows by itself", strings.Join(there, ", "))
	case Set:
		// The tag comes first, so that whatever happens it is known what to go back to.
		if _, err := api.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: &d.ARN, Tags: []types.Tag{{Key: aws.String(IdentityTag), Value: &setting}}}); err != nil {
			return failed("tagging", err)
		}
		if err := set(ByProfile); err != nil {
			return failed("changing", err)
		}
		hop(true, "from now on the source identity of its apps is the user profile's name")
	case Restore:
		if err := set(was); err != nil {
			return failed("changing", err)
		}
		hop(true, "its setting ExecutionRoleIdentityConfig is %s again", was)
	}
	if !d.Identify && was != "" && move != Wait {
		if _, err := api.DeleteTags(ctx, &sagemaker.DeleteTagsInput{ResourceArn: &d.ARN, TagKeys: []string{IdentityTag}}); err != nil {
			return failed("taking the tag from", err)
		}
	}
	for _, p := range d.Unnamed {
		if d.Identify {
			hop(false, "the user profile %s cannot be a database user: its name must begin with a small letter and have only small letters, digits and _+.@-", p)
		}
	}
	return out, nil
}

// apps returns the apps that are there, as people know them, and how many are being deleted.
func apps(ctx context.Context, api DomainWriter, id string) (there []string, going int, err error) {
	pages := sagemaker.NewListAppsPaginator(api, &sagemaker.ListAppsInput{DomainIdEquals: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, 0, err
		}
		for _, a := range page.Apps {
			switch a.Status {
			case types.AppStatusDeleted, types.AppStatusFailed:
			case types.AppStatusDeleting:
				going++
			default:
				owner := aws.ToString(a.UserProfileName)
				if owner == "" {
					owner = aws.ToString(a.SpaceName)
				}
				there = append(there, fmt.Sprintf("%s of %s", a.AppType, owner))
			}
		}
	}
	slices.Sort(there)
	return there, going, nil
}

// Tagger is what [Conclude] needs of Redshift.
type Tagger interface {
	CreateTags(context.Context, *redshift.CreateTagsInput, ...func(*redshift.Options)) (*redshift.CreateTagsOutput, error)
	DeleteTags(context.Context, *redshift.DeleteTagsInput, ...func(*redshift.Options)) (*redshift.DeleteTagsOutput, error)
}

// The status of a cluster's readers, for people.
const (
	StatusTag = "drawbridge:studio-status"
	ReasonTag = "drawbridge:studio-reason"
)

// Conclude names the end of an execution and leaves it on the cluster, for people; when nobody reads it any more, nothing of
// ours stays there. Then it announces it.
func Conclude(ctx context.Context, api Tagger, bus notice.Bus, in workflow.ConcludeStudioInput) (workflow.ConcludeStudioOutput, error) {
	out := workflow.ConcludeStudioOutput{Result: End(in.Warehouse, in.Roles, in.Identified), Reason: in.Reason, Verdict: slices.Clone(in.Written.Hops)}
	for _, a := range in.Admitted {
		out.Verdict = append(out.Verdict, a.Hops...)
	}
	for _, d := range in.Identified {
		out.Verdict = append(out.Verdict, d.Hops...)
	}
	for _, hop := range out.Verdict {
		if !hop.OK {
			out.Reason = hop.Hop + " " + hop.Detail
			break
		}
	}
	w := in.Warehouse
	thing := notice.Thing{Execution: in.Execution, Machine: machine, Result: out.Result, Reason: out.Reason}
	if w.ARN == "" {
		// It was about a domain alone.
		for _, d := range in.Domains {
			thing.Resource = notice.Resource{Account: d.Account, Region: d.Region, ID: d.ID}
		}
		return out, bus.Put(ctx, notice.Access(thing, policy.Decision{}, out.Verdict))
	}
	thing.Resource = notice.Resource{Account: w.Account, Region: w.Region, ID: w.ARN}
	for _, r := range in.Roles {
		if r.Admit && !slices.Contains(thing.For, r.Account) {
			thing.For = append(thing.For, r.Account)
		}
	}
	var err error
	if out.Result == workflow.Removed {
		_, err = api.DeleteTags(ctx, &redshift.DeleteTagsInput{ResourceName: &w.ARN, TagKeys: []string{StatusTag, ReasonTag}})
		if fault.HasCode(err, "ResourceNotFoundFault", "ResourceNotFound", "ClusterNotFound", "InvalidClusterState") {
			err = nil // with the cluster its tags are gone, or go
		}
	} else {
		_, err = api.CreateTags(ctx, &redshift.CreateTagsInput{ResourceName: &w.ARN, Tags: []rstypes.Tag{
			{Key: aws.String(StatusTag), Value: aws.String(string(out.Result))}, {Key: aws.String(ReasonTag), Value: aws.String(fit.Tag(out.Reason))}}})
	}
	if err != nil {
		return out, fmt.Errorf("leaving the status on the Redshift cluster %s in %s: %w", w.ID, w.Account, err)
	}
	return out, bus.Put(ctx, notice.Access(thing, policy.Decision{}, out.Verdict))
}
