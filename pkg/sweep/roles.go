package sweep

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// IAM is what [Roles] needs of IAM.
type IAM interface {
	ListRoles(context.Context, *iam.ListRolesInput, ...func(*iam.Options)) (*iam.ListRolesOutput, error)
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
}

// RoleAPIs are the clients that [Roles] uses, for one account and Region.
type RoleAPIs struct {
	IAM IAM
	RDS RDS
}

// Roles finds roles that Drawbridge made for the readers of a cluster which names none any more, or is gone. A look at
// such a cluster is an execution of drawbridge-data-api. IAM has no Regions, so the roles are found
// once in an account, whichever Regions are swept.
type Roles struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) RoleAPIs
}

// Kind implements [AccountFinder].
func (Roles) Kind() string { return "roles" }

// FindAll implements [AccountFinder]: one ListRoles for 100 roles under Drawbridge's path, and for each of them one
// GetRole, which tells the cluster, and one DescribeDBClusters of that cluster.
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
			switch {
			case strings.HasPrefix(name, dataapi.RolePrefix):
				err = r.dataAPI(ctx, execution, t, name, ask)
			default:
				continue
			}
			if err != nil {
				return seen, err
			}
			seen++
		}
	}
	return seen, nil
}

// dataAPI asks for a look at the Aurora cluster of a role, if that says nothing of the Data API any more.
func (r Roles) dataAPI(ctx context.Context, execution string, t workflow.Territory, name string, ask Ask) error {
	got, err := r.Enter(execution, event.Place{Account: t.Account, Region: t.Regions[0]}).IAM.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if fault.HasCode(err, "NoSuchEntity") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the role %s: %w", name, err)
	}
	cluster := ""
	for _, tag := range got.Role.Tags {
		if aws.ToString(tag.Key) == dataapi.TagConnection {
			cluster = aws.ToString(tag.Value)
		}
	}
	at, id, ok := clusterOf(cluster, "rds")
	if !ok || at.Account != t.Account {
		slog.WarnContext(ctx, "a role does not tell its cluster", "role", name, "account", t.Account)
		return nil
	}
	clusters, err := r.Enter(execution, at).RDS.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &id})
	if err != nil && !fault.HasCode(err, "DBClusterNotFoundFault") {
		return fmt.Errorf("reading the cluster %s in %s: %w", id, at.Region, err)
	}
	if err == nil {
		for _, c := range clusters.DBClusters {
			if Exposed(tagsOf(c)) != "" {
				return nil // DataAPI finds it
			}
		}
	}
	return ask(ctx, event.DataAPIInspection{Account: at.Account, Region: at.Region, Cluster: cluster, Reason: "the role " + name + " is there, but the cluster names nobody"})
}

// clusterOf takes the ARN of a cluster apart.
func clusterOf(text, service string) (at event.Place, id string, ok bool) {
	a, id, ok := arn.Match(text, service, "cluster:")
	return event.Place{Account: a.AccountID, Region: a.Region}, id, ok
}
