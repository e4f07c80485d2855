package dataapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// ClusterWriter is what [Enabler] needs of RDS.
type ClusterWriter interface {
	RDSReader
	EnableHttpEndpoint(context.Context, *rds.EnableHttpEndpointInput, ...func(*rds.Options)) (*rds.EnableHttpEndpointOutput, error)
}

// Enabler turns HTTP endpoints on.
type Enabler struct {
	Clusters ClusterWriter
	Ledger   ledger.Ledger
}

// Enable writes that the cluster is managed, and turns its HTTP endpoint on. One that is on is its owner's, unless the ledger says that Drawbridge
// turned it on. One that somebody turned off again is put back once, and then left to them.
//
//	on, the ledger has nothing of it    → it was on before: nothing is written
//	on, it was intended                 → the call was made and its answer lost: confirmed
//	off, nothing or intended            → on
//	off, it was turned on before        → somebody turned it off: see package contest
func (e Enabler) Enable(ctx context.Context, in workflow.DataAPIInput) (workflow.HopsOutput, error) {
	c := in.DataAPI.Cluster
	hop, err := e.enable(ctx, in.DataAPI, in.Execution)
	if err != nil {
		return workflow.HopsOutput{}, fmt.Errorf("enabling the HTTP endpoint of %s: %w", c.ID, err)
	}
	return workflow.HopsOutput{Hops: []workflow.Hop{hop}}, nil
}

func (e Enabler) enable(ctx context.Context, api workflow.DataAPI, by string) (workflow.Hop, error) {
	c := api.Cluster
	hop := workflow.Hop{Hop: "HTTP endpoint", OK: true, Detail: "of " + c.ID + " was on"}
	if err := manage(ctx, e.Ledger, api); err != nil {
		return hop, err
	}
	isOn, _, err := readEndpoint(ctx, e.Clusters, c)
	if err != nil {
		return hop, err
	}
	had, err := entry(ctx, e.Ledger, endpointItem(c))
	if err != nil || isOn && had == nil {
		return hop, err
	}
	item, left, err := intend(ctx, e.Ledger, c.ARN, by, endpointItem(c), isOn)
	if err != nil {
		return hop, err
	}
	if left {
		hop.OK, hop.Detail = false, fmt.Sprintf("that of %s %s; %s", c.ID, contest.How(item), anew)
		return hop, nil
	}
	if !isOn {
		slog.InfoContext(ctx, "enabling the HTTP endpoint", "cluster", c.ARN)
		got, err := e.Clusters.EnableHttpEndpoint(ctx, &rds.EnableHttpEndpointInput{ResourceArn: &c.ARN})
		if err != nil {
			return hop, err
		}
		hop.OK = aws.ToBool(got.HttpEndpointEnabled)
	}
	item.Left = on
	_, err = e.Ledger.Confirm(ctx, item)
	hop.Detail = "of " + c.ID + " turned on"
	return hop, err
}

// anew is how the owner of a cluster ends a quarrel.
const anew = "to have it again, set the tag " + tag.DataAPI + " of the cluster anew, with the value that it has"

// manage writes that a cluster is managed, and what the policy says of what somebody takes away.
func manage(ctx context.Context, book ledger.Ledger, api workflow.DataAPI) error {
	entry, err := book.Begin(ctx, connection(api.Cluster))
	var leave []string
	if api.Leave {
		leave = []string{api.Cluster.Account}
	}
	if err != nil || slices.Equal(entry.Leave, leave) {
		return err
	}
	_, err = book.Change(ctx, api.Cluster.ARN, func(e *ledger.Connection) { e.Leave = leave })
	return err
}

// intend writes that a cluster needs a thing, before it is made, and returns its entry. One that is not there although it was made is somebody's doing:
// left says that it stays with them.
func intend(ctx context.Context, book ledger.Ledger, cluster, by string, thing ledger.Item, there bool) (item ledger.Item, left bool, err error) {
	thing.By = by
	if !there {
		_, lost, err := contest.Contest{Ledger: book}.Missing(ctx, cluster, by, []ledger.Item{thing})
		if err != nil {
			return thing, false, err
		}
		if len(lost) > 0 {
			return lost[0], true, nil
		}
	}
	recorded, err := book.Record(ctx, cluster, thing)
	if err != nil {
		return thing, false, err
	}
	return recorded[0], false, nil
}

// readEndpoint reports whether the HTTP endpoint of a cluster is on, and whether there is such a cluster.
func readEndpoint(ctx context.Context, api RDSReader, c workflow.Cluster) (isOn, there bool, err error) {
	got, err := api.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &c.ID})
	if fault.HasCode(err, "DBClusterNotFoundFault") || err == nil && len(got.DBClusters) == 0 {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("reading the cluster %s: %w", c.ID, err)
	}
	return aws.ToBool(got.DBClusters[0].HttpEndpointEnabled), true, nil
}

// RoleWriter is what [Admitter] needs of IAM.
type RoleWriter interface {
	RoleReader
	CreateRole(context.Context, *iam.CreateRoleInput, ...func(*iam.Options)) (*iam.CreateRoleOutput, error)
	UpdateAssumeRolePolicy(context.Context, *iam.UpdateAssumeRolePolicyInput, ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error)
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
	PutRolePolicy(context.Context, *iam.PutRolePolicyInput, ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error)
}

// Granter is what [Admitter] needs of KMS.
type Granter interface {
	kms.ListGrantsAPIClient
	CreateGrant(context.Context, *kms.CreateGrantInput, ...func(*kms.Options)) (*kms.CreateGrantOutput, error)
}

// Admitter lets the consumers of a cluster in.
type Admitter struct {
	Roles  RoleWriter
	Keys   Granter
	Ledger ledger.Ledger
	// Home is the Region under which the ledger has roles: the hub's.
	Home string
}

// Admit makes the cluster's role trust exactly the admitted accounts and allow exactly the cluster, its secret and its
// key, and gives it a grant of the key if it needs one. Whoever is no longer admitted loses it first: the role's trust is
// written before anything is granted.
func (a Admitter) Admit(ctx context.Context, in workflow.DataAPIInput) (workflow.HopsOutput, error) {
	out, api := workflow.HopsOutput{Hops: []workflow.Hop{}}, in.DataAPI
	fail := func(err error) (workflow.HopsOutput, error) {
		return workflow.HopsOutput{}, fmt.Errorf("admitting to %s: %w", api.Cluster.ID, err)
	}
	role, hop, err := a.role(ctx, api, in.Execution)
	if err != nil {
		return fail(err)
	}
	out.Hops = append(out.Hops, hop)
	if api.Secret.Grant {
		if hop, err = a.grant(ctx, api, role, in.Execution); err != nil {
			return fail(err)
		}
		out.Hops = append(out.Hops, hop)
	}
	for _, c := range api.Consumers {
		if !c.Decision.Allowed {
			out.Hops = append(out.Hops, workflow.Hop{Hop: consumerHop, OK: false, Detail: c.Account + ": " + c.Decision.Reason})
		}
	}
	return out, nil
}

// role brings the cluster's role in line. What has its name and is not ours is refused, although the inspection looked.
func (a Admitter) role(ctx context.Context, api workflow.DataAPI, by string) (Role, workflow.Hop, error) {
	c, hop := api.Cluster, workflow.Hop{Hop: "role", OK: true, Detail: fmt.Sprintf("%s trusts %s", RoleARN(api.Cluster), strings.Join(Admitted(api.Consumers), " "))}
	trust, err := Trust(api)
	if err != nil {
		return Role{}, hop, err
	}
	role, err := readRole(ctx, a.Roles, c)
	if err != nil {
		return Role{}, hop, err
	}
	item, err := roleEntry(ctx, a.Ledger, c, a.Home)
	if err != nil {
		return Role{}, hop, err
	}
	if err := owned(Facts{Cluster: c, Role: role, Item: item, Tags: map[string]string{tag.Manage: api.Manage}}); err != nil {
		return Role{}, hop, err
	}
	if role != nil && item == nil {
		if err := a.given(ctx, c); err != nil {
			return Role{}, hop, err
		}
	}
	entry, left, err := intend(ctx, a.Ledger, c.ARN, by, roleItem(c, a.Home), role != nil)
	if err != nil {
		return Role{}, hop, err
	}
	if left {
		hop.OK, hop.Detail = false, fmt.Sprintf("%s %s; %s", RoleARN(c), contest.How(entry), anew)
		return Role{}, hop, nil
	}
	if role == nil {
		// Its documents went with it: that is no other hand at them.
		if _, err := a.Ledger.MarkAll(ctx, []ledger.Item{trustItem(c, a.Home), rightsItem(c, a.Home)}, func(i *ledger.Item) {
			if i.State == ledger.Confirmed {
				i.State = ledger.Intended
			}
		}); err != nil {
			return Role{}, hop, err
		}
		if role, err = a.create(ctx, c, trust); err != nil {
			return Role{}, hop, err
		}
	}
	entry.Left = role.ID
	if _, err := a.Ledger.Confirm(ctx, entry); err != nil {
		return *role, hop, err
	}
	for _, keep := range []func() (*ledger.Item, error){
		func() (*ledger.Item, error) { return a.trust(ctx, api, *role, trust, by) },
		func() (*ledger.Item, error) { return a.rights(ctx, api, by) },
	} {
		changed, err := keep()
		if err != nil {
			return *role, hop, err
		}
		if changed != nil {
			hop.OK, hop.Detail = false, fmt.Sprintf("the %s %s of %s %s; %s", changed.Kind, changed.Key, RoleARN(c), contest.How(*changed), anew)
		}
	}
	return *role, hop, nil
}

func (a Admitter) create(ctx context.Context, c workflow.Cluster, trust []byte) (*Role, error) {
	name := RoleName(c.ID)
	slog.InfoContext(ctx, "creating", "role", name, "account", c.Account)
	made, err := a.Roles.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &name, Path: aws.String(rolePath), AssumeRolePolicyDocument: aws.String(string(trust)), PermissionsBoundary: aws.String(Boundary(c)),
		Description: aws.String("Drawbridge: queries " + c.ID + " through the Data API."),
	})
	if fault.HasCode(err, "EntityAlreadyExists") {
		return nil, fault.New(fault.NotYet, "creating the role %s: another execution is at it", name)
	}
	if err != nil {
		return nil, fmt.Errorf("creating the role %s: %w", name, err)
	}
	return convert(made.Role), nil
}

// trust writes whom the role trusts, unless it says so, or somebody keeps writing it otherwise. Whom the policy refuses is put out all the same.
func (a Admitter) trust(ctx context.Context, api workflow.DataAPI, role Role, trust []byte, by string) (*ledger.Item, error) {
	c, name := api.Cluster, RoleName(api.Cluster.ID)
	write := func(ctx context.Context) error {
		slog.InfoContext(ctx, "writing the trust", "role", name, "account", c.Account)
		if _, err := a.Roles.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: aws.String(string(trust))}); err != nil {
			return fmt.Errorf("writing the trust of the role %s: %w", name, err)
		}
		return nil
	}
	item := trustItem(c, a.Home)
	item.Left = policydocument.Digest(trust)
	left, err := contest.Contest{Ledger: a.Ledger}.Keep(ctx, c.ARN, by, contest.Document{Item: item, There: policydocument.Digest([]byte(role.Trust)), Write: write})
	if err == nil && left != nil && slices.ContainsFunc(api.Consumers, func(c workflow.Consumer) bool { return !c.Decision.Allowed && trusts(&role, c.Account) }) {
		err = write(ctx)
	}
	return left, err
}

// rights writes what the role may do, unless it says so, or somebody keeps writing it otherwise.
func (a Admitter) rights(ctx context.Context, api workflow.DataAPI, by string) (*ledger.Item, error) {
	c, name := api.Cluster, RoleName(api.Cluster.ID)
	rights, err := RolePolicy(api)
	if err != nil {
		return nil, err
	}
	had, err := a.Roles.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName)})
	if err != nil && !fault.HasCode(err, "NoSuchEntity") {
		return nil, fmt.Errorf("reading the policy of the role %s: %w", name, err)
	}
	there := ""
	if err == nil {
		there = policydocument.Digest(decoded(had.PolicyDocument))
	}
	item := rightsItem(c, a.Home)
	item.Left = policydocument.Digest(rights)
	return contest.Contest{Ledger: a.Ledger}.Keep(ctx, c.ARN, by, contest.Document{Item: item, There: there, Write: func(ctx context.Context) error {
		slog.InfoContext(ctx, "writing the policy", "role", name, "account", c.Account)
		if _, err := a.Roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName), PolicyDocument: aws.String(string(rights))}); err != nil {
			return notYetThere(fmt.Errorf("writing the policy of the role %s: %w", name, err))
		}
		return nil
	}})
}

// grant gives the role the right to have the key decrypt this one secret. It is made so that nobody but Drawbridge's role for that, and the
// account itself, retires it.
func (a Admitter) grant(ctx context.Context, api workflow.DataAPI, role Role, by string) (workflow.Hop, error) {
	c := api.Cluster
	hop := workflow.Hop{Hop: "key", OK: true, Detail: fmt.Sprintf("%s is granted to %s, for %s alone; a grant may take five minutes to work everywhere", api.Secret.Key, RoleName(c.ID), api.Secret.ARN)}
	if role.ID == "" { // there is none to give it to
		hop.OK, hop.Detail = false, api.Secret.Key+" is granted to nobody"
		return hop, nil
	}
	name := grantName(role, api.Secret.ARN)
	had, err := entry(ctx, a.Ledger, grantItem(api))
	if err != nil {
		return hop, err
	}
	if had == nil {
		had = &ledger.Item{}
	}
	id, older, err := findGrant(ctx, a.Keys, api.Secret.Key, name, strings.Fields(had.Left))
	if err != nil {
		return hop, err
	}
	item, left, err := intend(ctx, a.Ledger, c.ARN, by, grantItem(api), id != "" || len(older) > 0)
	if err != nil {
		return hop, err
	}
	if left {
		hop.OK, hop.Detail = false, fmt.Sprintf("the grant of %s for %s %s; %s", api.Secret.Key, RoleName(c.ID), contest.How(item), anew)
		return hop, nil
	}
	if id == "" {
		slog.InfoContext(ctx, "granting", "key", api.Secret.Key, "role", RoleName(c.ID))
		made, err := a.Keys.CreateGrant(ctx, &kms.CreateGrantInput{
			KeyId: &api.Secret.Key, Name: &name, GranteePrincipal: &role.ARN, RetiringPrincipal: aws.String(arn.IAM(arn.PartitionOf(c.ARN), c.Account, "role/"+retirer)),
			Operations:  []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt, kmstypes.GrantOperationDescribeKey},
			Constraints: &kmstypes.GrantConstraints{EncryptionContextSubset: map[string]string{contextName: api.Secret.ARN}},
		})
		if err != nil {
			return hop, notYetThere(fmt.Errorf("granting %s to the role %s: %w", api.Secret.Key, RoleName(c.ID), err))
		}
		id = aws.ToString(made.GrantId)
	}
	item.Left = strings.Join(append(older, id), " ")
	_, err = a.Ledger.Confirm(ctx, item)
	return hop, err
}

// findGrant returns the id of the grant of a key that has a name, "" if there is none; and which others of the known ones are there. They are for a
// role of the same name that somebody deleted: nobody uses them any more, and they are retired with the last.
func findGrant(ctx context.Context, api kms.ListGrantsAPIClient, key, name string, known []string) (id string, older []string, err error) {
	pages := kms.NewListGrantsPaginator(api, &kms.ListGrantsInput{KeyId: &key})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", nil, fmt.Errorf("listing the grants of %s: %w", key, err)
		}
		for _, g := range page.Grants {
			if one := aws.ToString(g.GrantId); aws.ToString(g.Name) == name {
				id = one
			} else if slices.Contains(known, one) {
				older = append(older, one)
			}
		}
	}
	slices.Sort(older)
	return id, older, nil
}

// decoded returns a document as it was written: IAM returns documents in URL encoding.
func decoded(document *string) []byte {
	text, err := url.PathUnescape(aws.ToString(document))
	if err != nil {
		return nil
	}
	return []byte(text)
}

// notYetThere says that a role that was just made is not known everywhere yet.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
func notYetThere(err error) error {
	if fault.HasCode(err, "NoSuchEntity") || fault.HasCode(err, "InvalidArnException") {
		return &fault.Error{Kind: fault.NotYet, Message: err.Error(), Cause: err}
	}
	return err
}
