package dataapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/statement"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Tagger is what it takes to tag a cluster.
type Tagger interface {
	AddTagsToResource(context.Context, *rds.AddTagsToResourceInput, ...func(*rds.Options)) (*rds.AddTagsToResourceOutput, error)
}

// Untagger is what it takes to take tags off a cluster.
type Untagger interface {
	RemoveTagsFromResource(context.Context, *rds.RemoveTagsFromResourceInput, ...func(*rds.Options)) (*rds.RemoveTagsFromResourceOutput, error)
}

// Enabler is what [Enable] needs of RDS.
type Enabler interface {
	Tagger
	EnableHttpEndpoint(context.Context, *rds.EnableHttpEndpointInput, ...func(*rds.Options)) (*rds.EnableHttpEndpointOutput, error)
}

// Enable turns the cluster's HTTP endpoint on. That Drawbridge did it is remembered by a tag, set before, so that an
// interrupted execution does not forget it. An endpoint that is on already is left to its owner.
func Enable(ctx context.Context, api Enabler, c workflow.Cluster) (workflow.HopsOutput, error) {
	hop := workflow.Hop{Hop: "HTTP endpoint", OK: true, Detail: "of " + c.ID + " was on"}
	if !c.Endpoint {
		slog.InfoContext(ctx, "enabling the HTTP endpoint", "cluster", c.ARN)
		if err := setTags(ctx, api, c, map[string]string{TagEndpoint: "enabled"}); err != nil {
			return workflow.HopsOutput{}, err
		}
		got, err := api.EnableHttpEndpoint(ctx, &rds.EnableHttpEndpointInput{ResourceArn: &c.ARN})
		if err != nil {
			return workflow.HopsOutput{}, fmt.Errorf("enabling the HTTP endpoint of %s: %w", c.ID, err)
		}
		hop.OK, hop.Detail = aws.ToBool(got.HttpEndpointEnabled), "of "+c.ID+" turned on"
	}
	return workflow.HopsOutput{Hops: []workflow.Hop{hop}}, nil
}

// RoleWriter is what [Admit] needs of IAM.
type RoleWriter interface {
	RoleReader
	CreateRole(context.Context, *iam.CreateRoleInput, ...func(*iam.Options)) (*iam.CreateRoleOutput, error)
	TagRole(context.Context, *iam.TagRoleInput, ...func(*iam.Options)) (*iam.TagRoleOutput, error)
	UpdateAssumeRolePolicy(context.Context, *iam.UpdateAssumeRolePolicyInput, ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error)
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
	PutRolePolicy(context.Context, *iam.PutRolePolicyInput, ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error)
}

// KeyPolicies is what it takes to change a key's policy.
type KeyPolicies interface {
	GetKeyPolicy(context.Context, *kms.GetKeyPolicyInput, ...func(*kms.Options)) (*kms.GetKeyPolicyOutput, error)
	PutKeyPolicy(context.Context, *kms.PutKeyPolicyInput, ...func(*kms.Options)) (*kms.PutKeyPolicyOutput, error)
}

// SecretPolicies is what it takes to change a secret's policy.
type SecretPolicies interface {
	GetResourcePolicy(context.Context, *secretsmanager.GetResourcePolicyInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetResourcePolicyOutput, error)
	PutResourcePolicy(context.Context, *secretsmanager.PutResourcePolicyInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutResourcePolicyOutput, error)
	DeleteResourcePolicy(context.Context, *secretsmanager.DeleteResourcePolicyInput, ...func(*secretsmanager.Options)) (*secretsmanager.DeleteResourcePolicyOutput, error)
}

// Admitter lets the consumers of a cluster in.
type Admitter struct {
	Roles   RoleWriter
	Keys    KeyPolicies
	Secrets SecretPolicies
}

// Admit makes the cluster's role trust exactly the admitted accounts and allow exactly the cluster, its secret and its
// key, and lets the policies of key and secret admit the role. Whoever is no longer admitted loses it first: the role's trust is
// written before anything is granted. A former secret is let go of before the new one is taken.
func (a Admitter) Admit(ctx context.Context, api workflow.DataAPI) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	fail := func(err error) (workflow.HopsOutput, error) {
		return workflow.HopsOutput{}, fmt.Errorf("admitting to %s: %w", api.Cluster.ID, err)
	}
	role, err := a.role(ctx, api)
	if err != nil {
		return fail(err)
	}
	out.Hops = append(out.Hops, role)
	policies, err := a.policies(ctx, api)
	if err != nil {
		return fail(err)
	}
	out.Hops = append(out.Hops, policies...)
	for _, c := range api.Consumers {
		if !c.Decision.Allowed {
			out.Hops = append(out.Hops, workflow.Hop{Hop: "consumer", OK: false, Detail: c.Account + ": " + c.Decision.Reason})
		}
	}
	return out, nil
}

// policies lets the policies of key and secret admit the role.
func (a Admitter) policies(ctx context.Context, api workflow.DataAPI) ([]workflow.Hop, error) {
	var hops []workflow.Hop
	for _, each := range []struct {
		what, thing string
		store       statement.Store
		action      string
		statements  []statement.Statement
	}{
		{"key policy", api.Secret.Key, keyStore{a.Keys, api.Secret.Key}, "kms:PutKeyPolicy", KeyStatements(api)},
		{"secret policy", api.Secret.ARN, secretStore{a.Secrets, api.Secret.ARN}, "secretsmanager:PutResourcePolicy", SecretStatements(api)},
	} {
		changed, err := statement.Change(ctx, each.store, careful(each.action, func(document []byte) ([]byte, error) {
			return statement.Merge(document, each.statements...)
		}))
		if err != nil {
			return nil, fmt.Errorf("merging into the policy of %s: %w", each.thing, err)
		}
		slog.InfoContext(ctx, "merged", "policy", each.thing, "changed", changed)
		hops = append(hops, workflow.Hop{Hop: each.what, OK: true, Detail: "of " + each.thing + " admits " + RoleName(api.Cluster.ID)})
	}
	return hops, nil
}

// careful refuses what an edit makes of a document if somebody could no longer mend it.
func careful(action string, edit func([]byte) ([]byte, error)) func([]byte) ([]byte, error) {
	return func(before []byte) ([]byte, error) {
		after, err := edit(before)
		if err != nil {
			return nil, err
		}
		return after, statement.LockedOut(before, after, action)
	}
}

// role brings the cluster's role in line.
func (a Admitter) role(ctx context.Context, api workflow.DataAPI) (workflow.Hop, error) {
	c := api.Cluster
	name := RoleName(c.ID)
	trust, err := Trust(api)
	if err != nil {
		return workflow.Hop{}, err
	}
	rights, err := RolePolicy(api)
	if err != nil {
		return workflow.Hop{}, err
	}
	got, err := a.Roles.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	switch {
	case fault.HasCode(err, "NoSuchEntity"):
		slog.InfoContext(ctx, "creating", "role", name, "account", c.Account)
		_, err := a.Roles.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: &name, Path: aws.String(rolePath), AssumeRolePolicyDocument: aws.String(string(trust)),
			PermissionsBoundary: aws.String(Boundary(c)), Tags: roleTags(api),
			Description: aws.String("Drawbridge: queries " + c.ID + " through the Data API."),
		})
		if fault.HasCode(err, "EntityAlreadyExists") {
			return workflow.Hop{}, fault.New(fault.NotYet, "creating the role %s: another execution is at it", name)
		}
		if err != nil {
			return workflow.Hop{}, fmt.Errorf("creating the role %s: %w", name, err)
		}
	case err != nil:
		return workflow.Hop{}, fmt.Errorf("reading the role %s: %w", name, err)
	default:
		if err := a.keep(ctx, api, got.Role, trust); err != nil {
			return workflow.Hop{}, err
		}
	}
	had, err := a.Roles.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String(policyName)})
	if err != nil && !fault.HasCode(err, "NoSuchEntity") {
		return workflow.Hop{}, fmt.Errorf("reading the policy of the role %s: %w", name, err)
	}
	if err != nil || !statement.Same(decoded(had.PolicyDocument), rights) {
		slog.InfoContext(ctx, "writing the policy", "role", name, "account", c.Account)
		if _, err := a.Roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String(policyName), PolicyDocument: aws.String(string(rights))}); err != nil {
			return workflow.Hop{}, notYetThere(fmt.Errorf("writing the policy of the role %s: %w", name, err))
		}
	}
	return workflow.Hop{Hop: "role", OK: true, Detail: fmt.Sprintf("%s trusts %s", RoleARN(c), strings.Join(Admitted(api.Consumers), " "))}, nil
}

// keep brings a role that is there in line, all but its policy. What is not ours is refused, although the inspection looked.
func (a Admitter) keep(ctx context.Context, api workflow.DataAPI, got *iamtypes.Role, trust []byte) error {
	name := aws.ToString(got.RoleName)
	role := convert(got)
	if _, err := owned(Facts{Cluster: api.Cluster, Role: role}); err != nil {
		return err
	}
	if !statement.Same(decoded(got.AssumeRolePolicyDocument), trust) {
		slog.InfoContext(ctx, "writing the trust", "role", name, "account", api.Cluster.Account)
		if _, err := a.Roles.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: aws.String(string(trust))}); err != nil {
			return fmt.Errorf("writing the trust of the role %s: %w", name, err)
		}
	}
	former := workflow.DataAPI{Cluster: api.Cluster, Secret: workflow.Secret{ARN: role.Tags[TagSecret], Key: role.Tags[TagKey]}}
	if former.Secret == api.Secret {
		return nil
	}
	if former.Secret.Key == api.Secret.Key {
		former.Secret.Key = "" // its statements are replaced
	}
	if former.Secret.ARN == api.Secret.ARN {
		former.Secret.ARN = ""
	}
	if _, err := (Retracter{Keys: a.Keys, Secrets: a.Secrets}).policies(ctx, former); err != nil {
		return err
	}
	if _, err := a.Roles.TagRole(ctx, &iam.TagRoleInput{RoleName: &name, Tags: roleTags(api)}); err != nil {
		return fmt.Errorf("tagging the role %s: %w", name, err)
	}
	return nil
}

func roleTags(api workflow.DataAPI) []iamtypes.Tag {
	return []iamtypes.Tag{
		{Key: aws.String(TagConnection), Value: &api.Cluster.ARN},
		{Key: aws.String(TagSecret), Value: &api.Secret.ARN},
		{Key: aws.String(TagKey), Value: &api.Secret.Key},
	}
}

// decoded returns a document as it was written: IAM returns documents in URL encoding.
func decoded(document *string) []byte {
	text, err := url.PathUnescape(aws.ToString(document))
	if err != nil {
		return nil
	}
	return []byte(text)
}

// Remover is what [Retracter] needs of IAM.
type Remover interface {
	RoleReader
	DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error)
	DeleteRole(context.Context, *iam.DeleteRoleInput, ...func(*iam.Options)) (*iam.DeleteRoleOutput, error)
}

// Disabler is what [Retracter] needs of RDS.
type Disabler interface {
	Untagger
	DisableHttpEndpoint(context.Context, *rds.DisableHttpEndpointInput, ...func(*rds.Options)) (*rds.DisableHttpEndpointOutput, error)
}

// Retracter takes back what was added for the consumers of a cluster.
type Retracter struct {
	Roles    Remover
	Keys     KeyPolicies
	Secrets  SecretPolicies
	Clusters Disabler
}

// Retract takes back what Drawbridge added for a cluster: the role's rights first, then the statements, then the role, which
// remembers where they stand, and the HTTP endpoint if Drawbridge turned it on.
func (r Retracter) Retract(ctx context.Context, api workflow.DataAPI) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	c, name := api.Cluster, RoleName(api.Cluster.ID)
	fail := func(err error) (workflow.HopsOutput, error) {
		return workflow.HopsOutput{}, fmt.Errorf("retracting %s: %w", c.ID, err)
	}
	role, err := readRole(ctx, r.Roles, c)
	if err != nil {
		return fail(err)
	}
	if role != nil {
		if _, err := owned(Facts{Cluster: c, Role: role}); err != nil {
			return fail(err)
		}
		// Another execution may delete it meanwhile, after all else. IAM denies then what is about the role, since one that
		// does not exist is asked for by its name without the path that Drawbridge's rights have.
		gone := func(err error) bool {
			if fault.Of(err) != fault.Refused {
				return fault.HasCode(err, "NoSuchEntity")
			}
			now, reading := readRole(ctx, r.Roles, c)
			return reading == nil && now == nil
		}
		slog.InfoContext(ctx, "deleting", "role", name, "account", c.Account)
		if _, err := r.Roles.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String(policyName)}); err != nil && !gone(err) {
			return fail(fmt.Errorf("deleting the policy of the role %s: %w", name, err))
		}
		api.Secret = workflow.Secret{ARN: role.Tags[TagSecret], Key: role.Tags[TagKey]}
		if out.Hops, err = r.policies(ctx, api); err != nil {
			return fail(err)
		}
		if _, err := r.Roles.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name}); err != nil && !gone(err) {
			return fail(fmt.Errorf("deleting the role %s: %w", name, err))
		}
		out.Hops = append(out.Hops, workflow.Hop{Hop: "role", OK: true, Detail: name + " is deleted"})
	}
	if c.EndpointOurs && !c.Gone {
		slog.InfoContext(ctx, "disabling the HTTP endpoint", "cluster", c.ARN)
		if _, err := r.Clusters.DisableHttpEndpoint(ctx, &rds.DisableHttpEndpointInput{ResourceArn: &c.ARN}); err != nil {
			return fail(fmt.Errorf("disabling the HTTP endpoint of %s: %w", c.ID, err))
		}
		if err := removeTags(ctx, r.Clusters, c, TagEndpoint); err != nil {
			return fail(err)
		}
		out.Hops = append(out.Hops, workflow.Hop{Hop: "HTTP endpoint", OK: true, Detail: "of " + c.ID + " is off, as it was before"})
	}
	return out, nil
}

// policies takes our statements out of the policies of key and secret. One that is gone has none any more.
func (r Retracter) policies(ctx context.Context, api workflow.DataAPI) ([]workflow.Hop, error) {
	hops := []workflow.Hop{}
	for _, each := range []struct {
		what, thing string
		store       statement.Store
		action      string
		statements  []statement.Statement
	}{
		{"secret policy", api.Secret.ARN, secretStore{r.Secrets, api.Secret.ARN}, "secretsmanager:PutResourcePolicy", SecretStatements(api)},
		{"key policy", api.Secret.Key, keyStore{r.Keys, api.Secret.Key}, "kms:PutKeyPolicy", KeyStatements(api)},
	} {
		if each.thing == "" {
			continue
		}
		_, err := statement.Change(ctx, each.store, careful(each.action, func(document []byte) ([]byte, error) {
			return statement.Remove(document, sids(each.statements)...)
		}))
		if fault.HasCode(err, "NotFoundException", "ResourceNotFoundException") {
			hops = append(hops, workflow.Hop{Hop: each.what, OK: true, Detail: each.thing + " does not exist any more"})
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("taking our statements out of the policy of %s: %w", each.thing, err)
		}
		hops = append(hops, workflow.Hop{Hop: each.what, OK: true, Detail: "of " + each.thing + " is without Drawbridge's statements"})
	}
	return hops, nil
}

// keyStore is the policy of a key.
type keyStore struct {
	api KeyPolicies
	key string
}

// Limit implements [statement.Store]: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
func (s keyStore) Limit() int { return 32 << 10 }

// Read implements [statement.Store].
func (s keyStore) Read(ctx context.Context) ([]byte, error) {
	got, err := s.api.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &s.key, PolicyName: aws.String("default")})
	if err != nil {
		return nil, err
	}
	return []byte(aws.ToString(got.Policy)), nil
}

// Write implements [statement.Store]. A key always has a policy; without ours it is its owner's.
func (s keyStore) Write(ctx context.Context, document []byte) error {
	if document == nil {
		return fault.NewConflict("the policy of "+s.key+" would be empty", "give the key a policy of its own, then redrive the execution")
	}
	// Never with BypassPolicyLockoutSafetyCheck: KMS itself refuses a policy under which we could not take ours back.
	_, err := s.api.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &s.key, PolicyName: aws.String("default"), Policy: aws.String(string(document))})
	return notYetThere(err)
}

// secretStore is the resource policy of a secret.
type secretStore struct {
	api    SecretPolicies
	secret string
}

// Limit implements [statement.Store]: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
func (s secretStore) Limit() int { return 20480 }

// Read implements [statement.Store].
func (s secretStore) Read(ctx context.Context) ([]byte, error) {
	got, err := s.api.GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{SecretId: &s.secret})
	if err != nil || aws.ToString(got.ResourcePolicy) == "" {
		return nil, err
	}
	return []byte(*got.ResourcePolicy), nil
}

// Write implements [statement.Store].
func (s secretStore) Write(ctx context.Context, document []byte) error {
	if document == nil {
		_, err := s.api.DeleteResourcePolicy(ctx, &secretsmanager.DeleteResourcePolicyInput{SecretId: &s.secret})
		return err
	}
	_, err := s.api.PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{
		SecretId: &s.secret, ResourcePolicy: aws.String(string(document)), BlockPublicPolicy: aws.Bool(true)})
	return notYetThere(err)
}

// notYetThere says that a role that was just made is not known everywhere yet.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
func notYetThere(err error) error {
	if fault.HasCode(err, "NoSuchEntity") || fault.HasCode(err, "MalformedPolicyDocumentException") && strings.Contains(err.Error(), "principal") {
		return &fault.Error{Kind: fault.NotYet, Message: err.Error(), Cause: err}
	}
	return err
}

// Concluder is what [Conclude] needs of RDS.
type Concluder interface {
	Tagger
	Untagger
}

// Conclude leaves the result on the cluster for people, last of all; when everything is retracted, it takes the status
// away too.
func Conclude(ctx context.Context, api Concluder, bus notice.Bus, in workflow.ConcludeDataAPIInput) (workflow.ConcludeDataAPIOutput, error) {
	out := workflow.ConcludeDataAPIOutput{Result: in.Result, Reason: in.Reason, Decision: in.Decision, Verdict: []workflow.Hop{}}
	for _, d := range []workflow.HopsOutput{in.Enabled, in.Admitted, in.Retracted} {
		out.Verdict = append(out.Verdict, d.Hops...)
	}
	c := in.DataAPI.Cluster
	var err error
	switch {
	case c.Gone:
	case in.Result == workflow.Retracted:
		err = removeTags(ctx, api, c, TagStatus, TagReason)
	default:
		err = setTags(ctx, api, c, map[string]string{TagStatus: string(in.Result), TagReason: fit.Tag(in.Reason)})
	}
	if err != nil {
		return out, err
	}
	thing := notice.Thing{Execution: in.Execution, Machine: "drawbridge-data-api", Result: in.Result, Reason: in.Reason,
		Resource: notice.Resource{Account: c.Account, Region: c.Region, ID: c.ARN}}
	for _, consumer := range in.DataAPI.Consumers {
		if in.Result == workflow.Exposed && consumer.Decision.Allowed {
			thing.For = append(thing.For, consumer.Account)
		}
	}
	return out, bus.Put(ctx, notice.Access(thing, in.Decision, out.Verdict))
}

func setTags(ctx context.Context, api Tagger, c workflow.Cluster, tags map[string]string) error {
	in := &rds.AddTagsToResourceInput{ResourceName: &c.ARN}
	for _, key := range []string{TagEndpoint, TagStatus, TagReason} {
		if value, ok := tags[key]; ok {
			in.Tags = append(in.Tags, rdstypes.Tag{Key: aws.String(key), Value: aws.String(value)})
		}
	}
	if _, err := api.AddTagsToResource(ctx, in); err != nil {
		return fmt.Errorf("tagging the cluster %s: %w", c.ID, err)
	}
	return nil
}

func removeTags(ctx context.Context, api Untagger, c workflow.Cluster, keys ...string) error {
	_, err := api.RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{ResourceName: &c.ARN, TagKeys: keys})
	if err != nil && !fault.HasCode(err, "DBClusterNotFoundFault") {
		return fmt.Errorf("taking tags off the cluster %s: %w", c.ID, err)
	}
	return nil
}
