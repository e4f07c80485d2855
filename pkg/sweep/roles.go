package sweep

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// IAM is what [Roles] needs of IAM.
type IAM interface {
	ListRoles(context.Context, *iam.ListRolesInput, ...func(*iam.Options)) (*iam.ListRolesOutput, error)
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
}

// RoleAPIs are the clients that [Roles] uses, for one account and Region.
type RoleAPIs struct {
	IAM      IAM
	Redshift Redshift
}

// Roles finds roles that Drawbridge made for the readers of a Redshift cluster which names none any more, or is gone. A look at
// such a cluster is an execution of drawbridge-studio. IAM has no Regions, so the roles are found
// once in an account, whichever Regions are swept.
type Roles struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) RoleAPIs
}

// Kind implements [AccountFinder].
func (Roles) Kind() string { return "roles" }

// FindAll implements [AccountFinder]: one ListRoles for 100 roles under Drawbridge's path, and for each of them one
// GetRolePolicy, which tells the cluster, and one DescribeClusters of that cluster.
func (r Roles) FindAll(ctx context.Context, execution string, t workflow.Territory, ask Ask) (seen int, err error) {
	pages := iam.NewListRolesPaginator(r.Enter(execution, event.Place{Account: t.Account, Region: t.Regions[0]}).IAM,
		&iam.ListRolesInput{PathPrefix: aws.String(studio.Path), MaxItems: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return seen, fmt.Errorf("listing Drawbridge's roles: %w", err)
		}
		for _, one := range page.Roles {
			name := aws.ToString(one.RoleName)
			if !strings.HasPrefix(name, studio.RolePrefix) {
				continue
			}
			if err := r.studio(ctx, execution, t, name, ask); err != nil {
				return seen, err
			}
			seen++
		}
	}
	return seen, nil
}

// studio asks for a look at the Redshift cluster of a role, if that is not shared any more.
func (r Roles) studio(ctx context.Context, execution string, t workflow.Territory, name string, ask Ask) error {
	got, err := r.Enter(execution, event.Place{Account: t.Account, Region: t.Regions[0]}).IAM.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String(studio.PolicyName)})
	if err != nil && !fault.HasCode(err, "NoSuchEntity") {
		return fmt.Errorf("reading the policy of the role %s: %w", name, err)
	}
	cluster := ""
	if err == nil {
		// IAM hands documents over URL-encoded.
		text, err := url.PathUnescape(aws.ToString(got.PolicyDocument))
		if err != nil {
			return fmt.Errorf("reading the policy of the role %s: %w", name, err)
		}
		cluster = studio.Cluster(text)
	}
	at, id, ok := clusterOf(cluster, "redshift")
	if !ok || at.Account != t.Account {
		slog.WarnContext(ctx, "a role does not tell its cluster", "role", name, "account", t.Account)
		return nil
	}
	clusters, err := r.Enter(execution, at).Redshift.DescribeClusters(ctx, &redshift.DescribeClustersInput{ClusterIdentifier: &id})
	if err != nil && !fault.HasCode(err, "ClusterNotFound", "ClusterNotFoundFault") {
		return fmt.Errorf("reading the cluster %s in %s: %w", id, at.Region, err)
	}
	if err == nil {
		for _, c := range clusters.Clusters {
			for _, t := range c.Tags {
				if aws.ToString(t.Key) == tag.Studio || aws.ToString(t.Key) == studio.StatusTag {
					return nil // Studio finds it
				}
			}
		}
	}
	return ask(ctx, event.StudioInspection{Account: at.Account, Region: at.Region, Cluster: id, Reason: "the role " + name + " is there, but the cluster is not shared"})
}

// clusterOf takes the ARN of a cluster apart.
func clusterOf(text, service string) (at event.Place, id string, ok bool) {
	a, id, ok := arn.Match(text, service, "cluster:")
	return event.Place{Account: a.AccountID, Region: a.Region}, id, ok
}
