package rebuild

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// RDS is what a rebuild needs of RDS.
type RDS interface {
	DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)
}

// clusters gives to with the rows of each Aurora cluster of a place that has a status of Drawbridge's. home is the Region under which IAM's things
// are filed.
func (r *reader) clusters(ctx context.Context, at event.Place, home string, to func(Rows) error) error {
	pages := rds.NewDescribeDBClustersPaginator(r.in(at).RDS, &rds.DescribeDBClustersInput{MaxRecords: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading the clusters of %s, %s: %w", at.Account, at.Region, err)
		}
		for _, c := range page.DBClusters {
			tags := map[string]string{}
			for _, t := range c.TagList {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			tags = tag.Clean(tag.DBCluster, tags)
			if tags[tag.Status] == "" {
				continue
			}
			one := workflow.Cluster{Account: at.Account, Region: at.Region, ID: aws.ToString(c.DBClusterIdentifier), ARN: aws.ToString(c.DBClusterArn)}
			role, rights, err := dataapi.ReadMade(ctx, r.in(at).IAM, one)
			if err != nil {
				return err
			}
			entry, items, untold := dataapi.Told(one, tags, role, rights, home)
			rows := Rows{Kind: Clusters, Entry: &entry, Items: items}
			if untold != "" {
				rows.Untold = []Untold{{Roles, untold}}
			}
			if err := to(rows); err != nil {
				return err
			}
		}
	}
	return nil
}
