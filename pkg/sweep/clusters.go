package sweep

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// RDS is what [DataAPI] needs of RDS.
type RDS interface {
	DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)
}

// Redshift is what [Studio] needs of Redshift.
type Redshift interface {
	DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error)
}

// DataAPI finds Aurora clusters whose owner names accounts that may query them, unless Drawbridge let go of them, and those that the ledger has although
// their owner names nobody any more, or that are gone. A look at one is an execution of drawbridge-data-api.
type DataAPI struct {
	// Enter returns the client for acting in a place on behalf of an execution.
	Enter  func(execution string, place event.Place) RDS
	Ledger ledger.Ledger
}

// Kind implements [Finder].
func (DataAPI) Kind() string { return "Aurora clusters" }

// Find implements [Finder]: one DescribeDBClusters for 100 clusters.
func (d DataAPI) Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error) {
	asked := map[string]bool{}
	pages := rds.NewDescribeDBClustersPaginator(d.Enter(execution, at), &rds.DescribeDBClustersInput{MaxRecords: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return seen, fmt.Errorf("reading the Aurora clusters: %w", err)
		}
		var looks []look.Look
		for _, c := range page.DBClusters {
			if tags := tag.Clean(tag.DBCluster, tagsOf(c)); tags[tag.DataAPI] != "" && tag.Letting(tags) == "" {
				asked[aws.ToString(c.DBClusterArn)] = true
				looks = append(looks, event.DataAPIInspection{Account: at.Account, Region: at.Region, Cluster: aws.ToString(c.DBClusterArn),
					Reason: "the cluster names accounts that may query it: is everything in place?"})
			}
		}
		seen += len(page.DBClusters)
		if err := ask(ctx, looks...); err != nil {
			return seen, err
		}
	}
	managed, err := d.Ledger.Connections(ctx, at.Account, at.Region)
	if err != nil {
		return seen, err
	}
	var looks []look.Look
	for _, c := range managed {
		if c.Kind == road.DataAPI && !asked[c.ID] {
			looks = append(looks, event.DataAPIInspection{Account: at.Account, Region: at.Region, Cluster: c.ID,
				Reason: "the ledger has the cluster, but it names nobody, or was let go of"})
		}
	}
	return seen, ask(ctx, looks...)
}

func tagsOf(c types.DBCluster) map[string]string {
	tags := map[string]string{}
	for _, t := range c.TagList {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags
}

// Studio finds Redshift clusters that are shared with people of Studio domains, unless Drawbridge let go of them, and those that the ledger has and that are not shared any more,
// or are gone. A look at one is an execution of drawbridge-studio, which reads the execution roles of all these domains as well. A role or a domain
// that somebody set up by hand is in no ledger, and is not looked for.
type Studio struct {
	// Enter returns the client for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Redshift
	// Ledger says which clusters Drawbridge has let people read.
	Ledger ledger.Ledger
}

// Kind implements [Finder].
func (Studio) Kind() string { return "Redshift clusters" }

// Find implements [Finder]: one DescribeClusters for 100 clusters that their owners tagged, and the ledger's list of the place.
func (s Studio) Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error) {
	found := map[string]bool{}
	pages := redshift.NewDescribeClustersPaginator(s.Enter(execution, at), &redshift.DescribeClustersInput{
		MaxRecords: aws.Int32(pageSize), TagKeys: []string{tag.Studio}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return seen, fmt.Errorf("reading the Redshift clusters: %w", err)
		}
		var looks []look.Look
		for _, c := range page.Clusters {
			tags := map[string]string{}
			for _, t := range c.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			if tag.Letting(tag.Clean(tag.RedshiftCluster, tags)) != "" {
				continue
			}
			found[aws.ToString(c.ClusterIdentifier)] = true
			looks = append(looks, event.StudioInspection{Account: at.Account, Region: at.Region, Cluster: aws.ToString(c.ClusterIdentifier),
				Reason: "the cluster is shared with Studio: is everything in place?"})
		}
		seen += len(page.Clusters)
		if err := ask(ctx, looks...); err != nil {
			return seen, err
		}
	}
	known, err := s.Ledger.Connections(ctx, at.Account, at.Region)
	if err != nil {
		return seen, fmt.Errorf("asking the ledger for the clusters of %s, %s: %w", at.Account, at.Region, err)
	}
	for _, c := range known {
		where, id, ok := clusterOf(c.ID, "redshift")
		if c.Kind != road.Studio || !ok || where != at || found[id] {
			continue
		}
		seen++
		if err := ask(ctx, event.StudioInspection{Account: at.Account, Region: at.Region, Cluster: id, Reason: "the cluster is not shared with Studio any more: is everything gone?"}); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

// clusterOf takes the ARN of a cluster apart.
func clusterOf(text, service string) (at event.Place, id string, ok bool) {
	a, id, ok := arn.Match(text, service, "cluster:")
	return event.Place{Account: a.AccountID, Region: a.Region}, id, ok
}
