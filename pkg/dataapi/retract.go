package dataapi

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Remover is what [Retracter] needs of IAM.
type Remover interface {
	RoleReader
	DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error)
	DeleteRole(context.Context, *iam.DeleteRoleInput, ...func(*iam.Options)) (*iam.DeleteRoleOutput, error)
}

// Retirer is what [Retracter] needs of KMS. Whoever is named in a grant as the one to retire it needs no permission for that:
// https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
type Retirer interface {
	kms.ListGrantsAPIClient
	RetireGrant(context.Context, *kms.RetireGrantInput, ...func(*kms.Options)) (*kms.RetireGrantOutput, error)
}

// Disabler is what [Retracter] needs of RDS.
type Disabler interface {
	RDSReader
	DisableHttpEndpoint(context.Context, *rds.DisableHttpEndpointInput, ...func(*rds.Options)) (*rds.DisableHttpEndpointOutput, error)
}

// Retracter takes back what was added for the consumers of a cluster.
type Retracter struct {
	Roles    Remover
	Keys     Retirer
	Clusters Disabler
	Ledger   ledger.Ledger
}

// Retract takes back what the cluster does not need any more: see [Surplus]. What is not as Drawbridge left it is somebody else's by now, and stays.
// One thing that cannot be taken back keeps none of the others.
func (r Retracter) Retract(ctx context.Context, api workflow.DataAPI) (workflow.HopsOutput, error) {
	out, c := workflow.HopsOutput{Hops: []workflow.Hop{}}, api.Cluster
	fail := func(err error) (workflow.HopsOutput, error) {
		return workflow.HopsOutput{}, fmt.Errorf("retracting %s: %w", c.ID, err)
	}
	items, err := r.Ledger.Items(ctx, c.ARN)
	if err != nil {
		return fail(err)
	}
	leaving, err := r.Ledger.Release(ctx, c.ARN, Surplus(api, items))
	if err != nil {
		return fail(err)
	}
	var first error
	for _, i := range Surplus(api, leaving) {
		// It was intended, and stays so for what it is to be compared with: leaving says nothing of it.
		was := i
		if n := slices.IndexFunc(items, i.Same); n >= 0 {
			was = items[n]
		}
		hop, err := r.takeBack(ctx, c, was)
		if err == nil {
			err = r.Ledger.Forget(ctx, c.ARN, []ledger.Item{i})
		}
		if err == nil && hop == (workflow.Hop{}) {
			continue
		}
		if err != nil {
			slog.WarnContext(ctx, "it stays for now", "kind", i.Kind, "resource", i.Resource, "error", err)
			if first == nil {
				first = fmt.Errorf("%s %s: %w", i.Kind, i.Resource, err)
			}
			continue
		}
		out.Hops = append(out.Hops, hop)
	}
	if first != nil {
		return fail(first)
	}
	return out, nil
}

func (r Retracter) takeBack(ctx context.Context, c workflow.Cluster, i ledger.Item) (workflow.Hop, error) {
	switch i.Kind {
	case ledger.Role:
		return r.role(ctx, c, i)
	case ledger.Grant:
		return r.grant(ctx, i)
	case ledger.Document, ledger.Statement: // it went with the role
		return workflow.Hop{}, nil
	}
	return r.endpoint(ctx, c, i)
}

// role deletes the role, its rights first.
func (r Retracter) role(ctx context.Context, c workflow.Cluster, i ledger.Item) (workflow.Hop, error) {
	name := i.Resource
	hop := workflow.Hop{Hop: "role", OK: true, Detail: name + " is deleted"}
	role, err := readRole(ctx, r.Roles, c)
	if err != nil || role == nil {
		return hop, err
	}
	// What was intended has no id yet; then it is known by what nobody else gives a role.
	ours := role.ID == i.Left || i.Left == "" && role.Path == rolePath && role.Boundary == Boundary(c)
	if !ours {
		hop.Detail = name + " is another one than Drawbridge made, and stays"
		return hop, nil
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
	if _, err := r.Roles.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName)}); err != nil && !gone(err) {
		return hop, fmt.Errorf("deleting the policy of the role %s: %w", name, err)
	}
	if _, err := r.Roles.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name}); err != nil && !gone(err) {
		return hop, fmt.Errorf("deleting the role %s: %w", name, err)
	}
	return hop, nil
}

// grant retires a grant. One that was made, and whose id was lost with the answer, is found by its grantee.
func (r Retracter) grant(ctx context.Context, i ledger.Item) (workflow.Hop, error) {
	hop := workflow.Hop{Hop: "key", OK: true, Detail: "the grant of " + i.Resource + " is retired"}
	// A key that is gone, or about to go, has no use of its grants any more; and a grant that is gone is not there.
	over := []string{"NotFoundException", "InvalidGrantIdException", "KMSInvalidStateException"}
	ids := strings.Fields(i.Left)
	if i.Left == "" {
		pages := kms.NewListGrantsPaginator(r.Keys, &kms.ListGrantsInput{KeyId: &i.Resource})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if fault.HasCode(err, over...) {
				break
			}
			if fault.HasCode(err, "AccessDeniedException") {
				hop.Detail = "whether " + i.Resource + " has a grant for the role is not to be seen; without the role it serves nobody"
				return hop, nil
			}
			if err != nil {
				return hop, fmt.Errorf("listing the grants of %s: %w", i.Resource, err)
			}
			for _, g := range page.Grants {
				if ours(g, i.Key) {
					ids = append(ids, aws.ToString(g.GrantId))
				}
			}
		}
	}
	for _, id := range ids {
		slog.InfoContext(ctx, "retiring", "key", i.Resource, "grant", id)
		if _, err := r.Keys.RetireGrant(ctx, &kms.RetireGrantInput{KeyId: &i.Resource, GrantId: &id}); err != nil && !fault.HasCode(err, over...) {
			return hop, fmt.Errorf("retiring the grant %s of %s: %w", id, i.Resource, err)
		}
	}
	return hop, nil
}

// ours reports whether a grant is the one that an item's key tells: for Drawbridge to retire, and for that secret.
func ours(g kmstypes.GrantListEntry, key string) bool {
	_, secret, _ := strings.Cut(key, " ")
	return g.Constraints != nil && secret != "" && g.Constraints.EncryptionContextSubset[contextName] == secret && strings.HasSuffix(aws.ToString(g.RetiringPrincipal), "/"+retirer)
}

// endpoint turns the HTTP endpoint off, as it was before, if it is on as Drawbridge left it.
func (r Retracter) endpoint(ctx context.Context, c workflow.Cluster, i ledger.Item) (workflow.Hop, error) {
	hop := workflow.Hop{Hop: "HTTP endpoint", OK: true, Detail: "of " + c.ID + " is off, as it was before"}
	isOn, there, err := readEndpoint(ctx, r.Clusters, c)
	if !there {
		hop.Detail = "of " + c.ID + " went with it"
	}
	if err != nil || !isOn {
		return hop, err
	}
	if i.State == ledger.Contested { // somebody turned it off, and on again
		hop.Detail = "of " + c.ID + " was turned on by somebody else, and stays on"
		return hop, nil
	}
	slog.InfoContext(ctx, "disabling the HTTP endpoint", "cluster", c.ARN)
	if _, err := r.Clusters.DisableHttpEndpoint(ctx, &rds.DisableHttpEndpointInput{ResourceArn: &c.ARN}); err != nil && !fault.HasCode(err, "DBClusterNotFoundFault") {
		return hop, fmt.Errorf("disabling the HTTP endpoint of %s: %w", c.ID, err)
	}
	return hop, nil
}
