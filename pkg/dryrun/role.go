package dryrun

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// role is what was noted of a role.
type role struct {
	made     *types.Role // if it is only noted
	gone     bool
	trust    *string
	inline   map[string]*string // policies by name; nil: taken away
	attached map[string]bool    // managed policies by ARN
}

// managed is what was noted of a managed policy.
type managed struct {
	name, path string
	document   *string // of the version in force; nil: as it is
	made, gone bool
	dropped    []string // versions
}

// identities are what was noted of IAM, by account and name or ARN: it knows no Regions.
type identities struct {
	roles    map[string]*role
	policies map[string]*managed
}

func (w *World) role(c call, name *string) *role {
	if w.identities.roles == nil {
		w.identities.roles = map[string]*role{}
	}
	at := c.account + " " + aws.ToString(name)
	if w.identities.roles[at] == nil {
		w.identities.roles[at] = &role{inline: map[string]*string{}, attached: map[string]bool{}}
	}
	return w.identities.roles[at]
}

func (w *World) policy(c call, arn string) *managed {
	if w.identities.policies == nil {
		w.identities.policies = map[string]*managed{}
	}
	at := c.account + " " + arn
	if w.identities.policies[at] == nil {
		w.identities.policies[at] = &managed{name: arn[strings.LastIndexByte(arn, '/')+1:]}
	}
	return w.identities.policies[at]
}

// encoded is a document as IAM returns it. https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html
func encoded(document *string) *string { return aws.String(url.PathEscape(aws.ToString(document))) }

// noSuch is how IAM refuses a call about what is not there.
func noSuch(what string) error {
	return &types.NoSuchEntityException{Message: aws.String(what + " cannot be found.")}
}

// noted is the document of an inline policy that was noted; false if AWS is to be asked.
func (r *role) noted(policy string) (document *string, known bool) {
	if r.gone {
		return nil, true
	}
	document, known = r.inline[policy]
	return document, known || r.made != nil
}

// iamWrites are the writes to roles and their policies.
var iamWrites = map[string]func(*World, call) (any, []Change){
	"iam:CreateRole": answer(func(w *World, c call, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, []Change) {
		name, path := aws.ToString(in.RoleName), aws.ToString(in.Path)
		made := &types.Role{RoleName: in.RoleName, Path: in.Path, RoleId: aws.String(w.newID("AROA")), AssumeRolePolicyDocument: encoded(in.AssumeRolePolicyDocument), Tags: in.Tags,
			Arn: aws.String(arn.IAM(arn.Partition(c.region), c.account, "role"+path+name))}
		if in.PermissionsBoundary != nil {
			made.PermissionsBoundary = &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: in.PermissionsBoundary, PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy}
		}
		*w.role(c, in.RoleName) = role{made: made, inline: map[string]*string{}, attached: map[string]bool{}}
		answer := *made
		return &iam.CreateRoleOutput{Role: &answer}, one(Adds, name, "role")
	}),
	"iam:DeleteRole": plainly[iam.DeleteRoleInput, iam.DeleteRoleOutput](func(w *World, c call, in *iam.DeleteRoleInput) []Change {
		*w.role(c, in.RoleName) = role{gone: true, inline: map[string]*string{}, attached: map[string]bool{}}
		return one(Takes, aws.ToString(in.RoleName), "role")
	}),
	"iam:UpdateAssumeRolePolicy": plainly[iam.UpdateAssumeRolePolicyInput, iam.UpdateAssumeRolePolicyOutput](func(w *World, c call, in *iam.UpdateAssumeRolePolicyInput) []Change {
		w.role(c, in.RoleName).trust = in.PolicyDocument
		return one(Changes, aws.ToString(in.RoleName), "whom it trusts")
	}),
	"iam:PutRolePolicy": plainly[iam.PutRolePolicyInput, iam.PutRolePolicyOutput](func(w *World, c call, in *iam.PutRolePolicyInput) []Change {
		w.role(c, in.RoleName).inline[aws.ToString(in.PolicyName)] = in.PolicyDocument
		return one(Changes, aws.ToString(in.RoleName), "inline policy %s", aws.ToString(in.PolicyName))
	}),
	"iam:DeleteRolePolicy": func(w *World, c call) (any, []Change) {
		in := c.in.(*iam.DeleteRolePolicyInput)
		r, name := w.role(c, in.RoleName), aws.ToString(in.PolicyName)
		if document, known := r.noted(name); known && document == nil {
			return noSuch("The role policy with name " + name), nil
		}
		r.inline[name] = nil
		return &iam.DeleteRolePolicyOutput{}, one(Takes, aws.ToString(in.RoleName), "inline policy %s", name)
	},
	"iam:TagRole": plainly[iam.TagRoleInput, iam.TagRoleOutput](func(w *World, c call, in *iam.TagRoleInput) []Change {
		tags := map[string]string{}
		for _, t := range in.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return w.retag(c.account, "role "+aws.ToString(in.RoleName), tags)
	}),
	"iam:UntagRole": plainly[iam.UntagRoleInput, iam.UntagRoleOutput](func(w *World, c call, in *iam.UntagRoleInput) []Change {
		return w.untag(c.account, "role "+aws.ToString(in.RoleName), in.TagKeys)
	}),
	"iam:CreatePolicy": answer(func(w *World, c call, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, []Change) {
		name, path := aws.ToString(in.PolicyName), aws.ToString(in.Path)
		id := arn.IAM(arn.Partition(c.region), c.account, "policy"+path+name)
		*w.policy(c, id) = managed{name: name, path: path, document: in.PolicyDocument, made: true}
		return &iam.CreatePolicyOutput{Policy: &types.Policy{Arn: &id, PolicyName: &name, DefaultVersionId: aws.String("v1")}}, one(Adds, name, "managed policy")
	}),
	"iam:CreatePolicyVersion": answer(func(w *World, c call, in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, []Change) {
		p := w.policy(c, aws.ToString(in.PolicyArn))
		p.document = in.PolicyDocument
		return &iam.CreatePolicyVersionOutput{PolicyVersion: &types.PolicyVersion{VersionId: aws.String(newVersion), IsDefaultVersion: true}}, one(Changes, p.name, "what it allows")
	}),
	"iam:DeletePolicyVersion": plainly[iam.DeletePolicyVersionInput, iam.DeletePolicyVersionOutput](func(w *World, c call, in *iam.DeletePolicyVersionInput) []Change {
		p := w.policy(c, aws.ToString(in.PolicyArn))
		p.dropped = append(p.dropped, aws.ToString(in.VersionId))
		return one(Takes, p.name, "version %s, which is not in force", aws.ToString(in.VersionId))
	}),
	"iam:DeletePolicy": plainly[iam.DeletePolicyInput, iam.DeletePolicyOutput](func(w *World, c call, in *iam.DeletePolicyInput) []Change {
		p := w.policy(c, aws.ToString(in.PolicyArn))
		p.gone, p.made = true, false
		return one(Takes, p.name, "managed policy")
	}),
	"iam:AttachRolePolicy": plainly[iam.AttachRolePolicyInput, iam.AttachRolePolicyOutput](func(w *World, c call, in *iam.AttachRolePolicyInput) []Change {
		w.role(c, in.RoleName).attached[aws.ToString(in.PolicyArn)] = true
		return one(Adds, aws.ToString(in.RoleName), "policy %s", w.policy(c, aws.ToString(in.PolicyArn)).name)
	}),
	"iam:DetachRolePolicy": plainly[iam.DetachRolePolicyInput, iam.DetachRolePolicyOutput](func(w *World, c call, in *iam.DetachRolePolicyInput) []Change {
		w.role(c, in.RoleName).attached[aws.ToString(in.PolicyArn)] = false
		return one(Takes, aws.ToString(in.RoleName), "policy %s", w.policy(c, aws.ToString(in.PolicyArn)).name)
	}),
}

// newVersion stands for the version of a policy that is only noted.
const newVersion = "v-new"

func init() {
	noted["iam:GetRole"] = func(w *World, c call) func() (any, error) {
		in := c.in.(*iam.GetRoleInput)
		r := w.role(c, in.RoleName)
		switch {
		case r.gone:
			return func() (any, error) { return nil, noSuch("The role with name " + aws.ToString(in.RoleName)) }
		case r.made != nil:
			made := *r.made
			out := &iam.GetRoleOutput{Role: &made}
			w.showRole(c, out)
			return func() (any, error) { return out, nil }
		}
		return nil
	}
	shown["iam:GetRole"] = func(w *World, c call, out any) { w.showRole(c, out.(*iam.GetRoleOutput)) }
	noted["iam:GetRolePolicy"] = func(w *World, c call) func() (any, error) {
		in := c.in.(*iam.GetRolePolicyInput)
		document, known := w.role(c, in.RoleName).noted(aws.ToString(in.PolicyName))
		if !known {
			return nil
		}
		return func() (any, error) {
			if document == nil {
				return nil, noSuch("The role policy with name " + aws.ToString(in.PolicyName))
			}
			return &iam.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, nil
		}
	}
	shown["iam:GetAccountAuthorizationDetails"] = showIdentities
}

func (w *World) showRole(c call, got *iam.GetRoleOutput) {
	if got.Role == nil {
		return
	}
	r, shown := w.role(c, got.Role.RoleName), *got.Role
	if r.trust != nil {
		shown.AssumeRolePolicyDocument = encoded(r.trust)
	}
	shown.Tags = w.roleTags(c, got.Role.RoleName, shown.Tags)
	got.Role = &shown
}

// roleTags returns the tags of a role that were read with what was noted.
func (w *World) roleTags(c call, name *string, tags []types.Tag) []types.Tag {
	read := map[string]string{}
	for _, t := range tags {
		read[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	out := []types.Tag(nil)
	for key, value := range w.with(c.account, "role "+aws.ToString(name), read) {
		out = append(out, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	slices.SortFunc(out, func(a, b types.Tag) int { return strings.Compare(aws.ToString(a.Key), aws.ToString(b.Key)) })
	return out
}

// showIdentities shows roles and managed policies of an account as they would be.
func showIdentities(w *World, c call, out any) {
	in, got := c.in.(*iam.GetAccountAuthorizationDetailsInput), out.(*iam.GetAccountAuthorizationDetailsOutput)
	got.RoleDetailList = slices.DeleteFunc(slices.Clone(got.RoleDetailList), func(r types.RoleDetail) bool { return w.role(c, r.RoleName).gone })
	for n := range got.RoleDetailList {
		r := &got.RoleDetailList[n]
		known := w.role(c, r.RoleName)
		r.Tags = w.roleTags(c, r.RoleName, r.Tags)
		r.AttachedManagedPolicies = slices.DeleteFunc(slices.Clone(r.AttachedManagedPolicies), func(p types.AttachedPolicy) bool {
			stays, noted := known.attached[aws.ToString(p.PolicyArn)]
			return noted && !stays
		})
		for _, id := range slices.Sorted(maps.Keys(known.attached)) {
			if known.attached[id] && !slices.ContainsFunc(r.AttachedManagedPolicies, func(p types.AttachedPolicy) bool { return aws.ToString(p.PolicyArn) == id }) {
				r.AttachedManagedPolicies = append(r.AttachedManagedPolicies, types.AttachedPolicy{PolicyArn: aws.String(id), PolicyName: aws.String(w.policy(c, id).name)})
			}
		}
	}
	got.Policies = slices.DeleteFunc(slices.Clone(got.Policies), func(p types.ManagedPolicyDetail) bool { return w.policy(c, aws.ToString(p.Arn)).gone })
	for n := range got.Policies {
		got.Policies[n].PolicyVersionList = w.policy(c, aws.ToString(got.Policies[n].Arn)).versions(got.Policies[n].PolicyVersionList)
	}
	if aws.ToString(in.Marker) != "" {
		return
	}
	for _, at := range slices.Sorted(maps.Keys(w.identities.policies)) {
		p, id := w.identities.policies[at], strings.TrimPrefix(at, c.account+" ")
		if id != at && p.made {
			got.Policies = append(got.Policies, types.ManagedPolicyDetail{Arn: &id, PolicyName: &p.name, Path: &p.path, DefaultVersionId: aws.String(newVersion), PolicyVersionList: p.versions(nil)})
		}
	}
}

// versions are those of a policy as they would be.
func (p *managed) versions(read []types.PolicyVersion) []types.PolicyVersion {
	out := slices.DeleteFunc(slices.Clone(read), func(v types.PolicyVersion) bool { return slices.Contains(p.dropped, aws.ToString(v.VersionId)) })
	if p.document == nil {
		return out
	}
	for n := range out {
		out[n].IsDefaultVersion = false
	}
	return append(out, types.PolicyVersion{VersionId: aws.String(newVersion), IsDefaultVersion: true, Document: encoded(p.document)})
}
