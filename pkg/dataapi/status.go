package dataapi

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Speaker is what [Say] needs of RDS.
type Speaker interface {
	AddTagsToResource(context.Context, *rds.AddTagsToResourceInput, ...func(*rds.Options)) (*rds.AddTagsToResourceOutput, error)
}

// says are the tags that say how an entry stands, and since when it is so.
func says(e ledger.Connection) map[string]string {
	return map[string]string{TagStatus: string(e.Status), TagReason: fit.Tag(e.Reason), TagSince: e.At.UTC().Format(time.RFC3339)}
}

// standing reports whether tags say how an entry stands.
func standing(e ledger.Connection, tags map[string]string) bool {
	for key, value := range says(e) {
		if e.Status == "" || tags[key] != value {
			return false
		}
	}
	return true
}

// Say leaves the status of an entry on its cluster, with since when it is so.
func Say(ctx context.Context, api Speaker, e ledger.Connection) error {
	in, all := &rds.AddTagsToResourceInput{ResourceName: &e.ID}, says(e)
	for _, key := range []string{TagStatus, TagReason, TagSince} {
		in.Tags = append(in.Tags, rdstypes.Tag{Key: aws.String(key), Value: aws.String(all[key])})
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
