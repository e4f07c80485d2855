package rebuild

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// warehouses gives to with the rows of each Redshift cluster of a place whose readers' status is Drawbridge's: also of what the execution roles and domains
// of other accounts have for it, each read in its own account. home is the Region under which IAM's things are filed.
func (r *reader) warehouses(ctx context.Context, at event.Place, home string, to func(Rows) error) error {
	readable := func(place event.Place) studio.Readable {
		c := r.in(place)
		return studio.Readable{Roles: c.IAM, Domains: c.SageMaker}
	}
	pages := redshift.NewDescribeClustersPaginator(r.in(at).Redshift, &redshift.DescribeClustersInput{MaxRecords: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading the Redshift clusters of %s, %s: %w", at.Account, at.Region, err)
		}
		for _, c := range page.Clusters {
			tags := map[string]string{}
			for _, t := range c.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			tags = tag.Clean(tag.RedshiftCluster, tags)
			w, managed := studio.Warehouse(at, aws.ToString(c.ClusterIdentifier), tags)
			if !managed {
				continue
			}
			shown, err := studio.ReadShown(ctx, readable, w, tags)
			if err != nil {
				return err
			}
			entry, items, untold := studio.Told(shown, home)
			rows := Rows{Kind: Warehouses, Entry: &entry, Items: items}
			for _, what := range untold {
				rows.Untold = append(rows.Untold, Untold{Studio, what})
			}
			if err := to(rows); err != nil {
				return err
			}
		}
	}
	return nil
}
