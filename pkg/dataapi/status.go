package dataapi

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Speaker is what [Say] needs of RDS.
type Speaker interface {
	AddTagsToResource(context.Context, *rds.AddTagsToResourceInput, ...func(*rds.Options)) (*rds.AddTagsToResourceOutput, error)
}

// standing reports whether tags say how an entry stands.
func standing(e ledger.Connection, tags map[string]string) bool {
	differs := func(t tag.Pair) bool { return tags[t.Key] != t.Value }
	return e.Status != "" && !slices.ContainsFunc(tag.Standing(string(e.Status), e.Reason, e.At), differs)
}

// Say leaves the status of an entry on its cluster, with since when it is so.
func Say(ctx context.Context, api Speaker, e ledger.Connection) error {
	in := &rds.AddTagsToResourceInput{ResourceName: &e.ID}
	for _, t := range tag.Standing(string(e.Status), e.Reason, e.At) {
		in.Tags = append(in.Tags, rdstypes.Tag{Key: &t.Key, Value: &t.Value})
	}
	if _, err := api.AddTagsToResource(ctx, in); err != nil {
		return fmt.Errorf("tagging the cluster %s: %w", event.ClusterID(e.ID), err)
	}
	return nil
}

// Asked returns the entry of a cluster whose owner asks by the tag drawbridge:data-api, as it begins, and whether there is such a cluster.
func Asked(ctx context.Context, api interface {
	DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)
}, at event.Place, cluster string) (ledger.Connection, bool, error) {
	got, err := api.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String(event.ClusterID(cluster))})
	if fault.HasCode(err, "DBClusterNotFoundFault") || err == nil && len(got.DBClusters) == 0 {
		return ledger.Connection{}, false, nil
	}
	if err != nil {
		return ledger.Connection{}, false, fmt.Errorf("reading the cluster %s: %w", cluster, err)
	}
	tags := map[string]string{}
	for _, t := range got.DBClusters[0].TagList {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return connection(workflow.Cluster{ARN: cluster, Account: at.Account, Region: at.Region}), tag.Clean(tag.DBCluster, tags)[tag.DataAPI] != "", nil
}
