package dryrun

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// access is what was noted of the Data API and of Studio.
type access struct {
	endpoints map[string]bool                          // HTTP endpoints of clusters, by ARN
	grants    map[string][]kmstypes.GrantListEntry     // that are only noted, by account and key
	retired   map[string]bool                          // by id
	domains   map[string]types.DomainSettingsForUpdate // by account, Region and id
}

func (a *access) begin() *access {
	if a.endpoints == nil {
		*a = access{endpoints: map[string]bool{}, grants: map[string][]kmstypes.GrantListEntry{}, retired: map[string]bool{}, domains: map[string]types.DomainSettingsForUpdate{}}
	}
	return a
}

// accesses are the writes to clusters, keys and domains.
var accesses = map[string]func(*World, call) (any, []Change){
	"rds:EnableHttpEndpoint": answer(func(w *World, _ call, in *rds.EnableHttpEndpointInput) (*rds.EnableHttpEndpointOutput, []Change) {
		w.access.begin().endpoints[aws.ToString(in.ResourceArn)] = true
		return &rds.EnableHttpEndpointOutput{ResourceArn: in.ResourceArn, HttpEndpointEnabled: aws.Bool(true)}, one(Changes, aws.ToString(in.ResourceArn), "HTTP endpoint on")
	}),
	"rds:DisableHttpEndpoint": answer(func(w *World, _ call, in *rds.DisableHttpEndpointInput) (*rds.DisableHttpEndpointOutput, []Change) {
		w.access.begin().endpoints[aws.ToString(in.ResourceArn)] = false
		return &rds.DisableHttpEndpointOutput{ResourceArn: in.ResourceArn, HttpEndpointEnabled: aws.Bool(false)}, one(Changes, aws.ToString(in.ResourceArn), "HTTP endpoint off")
	}),
	"kms:CreateGrant": answer(func(w *World, c call, in *kms.CreateGrantInput) (*kms.CreateGrantOutput, []Change) {
		a, at, id := w.access.begin(), c.account+" "+aws.ToString(in.KeyId), w.newID("grant")
		a.grants[at] = append(a.grants[at], kmstypes.GrantListEntry{GrantId: &id, KeyId: in.KeyId, Name: in.Name, GranteePrincipal: in.GranteePrincipal,
			RetiringPrincipal: in.RetiringPrincipal, Operations: in.Operations, Constraints: in.Constraints})
		return &kms.CreateGrantOutput{GrantId: &id}, one(Adds, aws.ToString(in.KeyId), "grant to %s", aws.ToString(in.GranteePrincipal))
	}),
	"kms:RetireGrant": plainly[kms.RetireGrantInput, kms.RetireGrantOutput](func(w *World, _ call, in *kms.RetireGrantInput) []Change {
		w.access.begin().retired[aws.ToString(in.GrantId)] = true
		return one(Takes, aws.ToString(in.KeyId), "grant %s", aws.ToString(in.GrantId))
	}),
	"sagemaker:UpdateDomain": plainly[sagemaker.UpdateDomainInput, sagemaker.UpdateDomainOutput](func(w *World, c call, in *sagemaker.UpdateDomainInput) []Change {
		id := aws.ToString(in.DomainId)
		if in.DomainSettingsForUpdate == nil {
			return []Change{}
		}
		w.access.begin().domains[c.of(id)] = *in.DomainSettingsForUpdate
		return one(Changes, id, "ExecutionRoleIdentityConfig %s", in.DomainSettingsForUpdate.ExecutionRoleIdentityConfig)
	}),
}

func init() {
	shown["rds:DescribeDBClusters"] = func(w *World, c call, out any) {
		got, a := out.(*rds.DescribeDBClustersOutput), w.access.begin()
		for n := range got.DBClusters {
			one := &got.DBClusters[n]
			if on, noted := a.endpoints[aws.ToString(one.DBClusterArn)]; noted {
				one.HttpEndpointEnabled = &on
			}
			read := map[string]string{}
			for _, t := range one.TagList {
				read[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			one.TagList = nil
			for key, value := range w.with(c.account, aws.ToString(one.DBClusterArn), read) {
				one.TagList = append(one.TagList, rdstypes.Tag{Key: aws.String(key), Value: aws.String(value)})
			}
		}
	}
	shown["redshift:DescribeClusters"] = func(w *World, c call, out any) {
		got := out.(*redshift.DescribeClustersOutput)
		for n := range got.Clusters {
			one, read := &got.Clusters[n], map[string]string{}
			for _, t := range one.Tags {
				read[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			one.Tags = nil
			for key, value := range w.with(c.account, arn.New(arn.Partition(c.region), "redshift", c.region, c.account, "cluster:"+aws.ToString(one.ClusterIdentifier)), read) {
				one.Tags = append(one.Tags, redshifttypes.Tag{Key: aws.String(key), Value: aws.String(value)})
			}
		}
	}
	shown["kms:ListGrants"] = func(w *World, c call, out any) {
		in, got, a := c.in.(*kms.ListGrantsInput), out.(*kms.ListGrantsOutput), w.access.begin()
		got.Grants = slices.Clone(got.Grants)
		if aws.ToString(in.Marker) == "" {
			got.Grants = append(got.Grants, a.grants[c.account+" "+aws.ToString(in.KeyId)]...)
		}
		got.Grants = slices.DeleteFunc(got.Grants, func(g kmstypes.GrantListEntry) bool { return a.retired[aws.ToString(g.GrantId)] })
	}
	shown["sagemaker:DescribeDomain"] = func(w *World, c call, out any) {
		got := out.(*sagemaker.DescribeDomainOutput)
		set, noted := w.access.begin().domains[c.of(aws.ToString(c.in.(*sagemaker.DescribeDomainInput).DomainId))]
		if !noted {
			return
		}
		now := types.DomainSettings{}
		if got.DomainSettings != nil {
			now = *got.DomainSettings
		}
		now.ExecutionRoleIdentityConfig = set.ExecutionRoleIdentityConfig
		got.DomainSettings = &now
	}
}
