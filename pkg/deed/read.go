package deed

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Asks returns what the tag says by which the owner of a cluster asks, as [tag.Clean] gives it, "" without; of a VPC, what it says to ask.
func Asks(ctx context.Context, cfg aws.Config, t Thing, key string) (string, error) {
	tags := map[string]string{}
	fail := func(err error) (string, error) { return "", fmt.Errorf("reading the tags of %s: %w", t.ID, err) }
	switch t.Kind {
	case tag.DBCluster:
		got, err := rds.NewFromConfig(cfg).ListTagsForResource(ctx, &rds.ListTagsForResourceInput{ResourceName: &t.ID})
		if err != nil {
			return fail(err)
		}
		for _, one := range got.TagList {
			tags[aws.ToString(one.Key)] = aws.ToString(one.Value)
		}
	case tag.RedshiftCluster:
		_, name, _ := arn.Match(t.ID, "redshift", "cluster:")
		got, err := redshift.NewFromConfig(cfg).DescribeClusters(ctx, &redshift.DescribeClustersInput{ClusterIdentifier: &name})
		if err != nil {
			return fail(err)
		}
		for _, c := range got.Clusters {
			for _, one := range c.Tags {
				tags[aws.ToString(one.Key)] = aws.ToString(one.Value)
			}
		}
	default:
		return "true", nil
	}
	return tag.Clean(t.Kind, tags)[key], nil
}
