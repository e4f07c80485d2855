package dryrun

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	serverlesstypes "github.com/aws/aws-sdk-go-v2/service/redshiftserverless/types"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	taggingtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// shownTags are the reads of which nothing but tags is shown otherwise.
var shownTags = map[string]func(*World, call, any){
	"ec2:DescribeSubnets": func(w *World, c call, out any) {
		got := out.(*ec2.DescribeSubnetsOutput)
		for n := range got.Subnets {
			got.Subnets[n].Tags = w.tagsOf(c.account, aws.ToString(got.Subnets[n].SubnetId), got.Subnets[n].Tags)
		}
	},
	"ec2:DescribeTags": func(w *World, c call, out any) {
		w.showDescribed(c, c.in.(*ec2.DescribeTagsInput), out.(*ec2.DescribeTagsOutput))
	},
	"rds:DescribeDBInstances": func(w *World, c call, out any) {
		got := out.(*rds.DescribeDBInstancesOutput)
		for n := range got.DBInstances {
			got.DBInstances[n].TagList = retagged(w, c, got.DBInstances[n].DBInstanceArn, got.DBInstances[n].TagList, ofRDS)
		}
	},
	"rds:ListTagsForResource": func(w *World, c call, out any) {
		got := out.(*rds.ListTagsForResourceOutput)
		got.TagList = retagged(w, c, c.in.(*rds.ListTagsForResourceInput).ResourceName, got.TagList, ofRDS)
	},
	"redshift:DescribeTags": func(w *World, c call, out any) {
		got, read := out.(*redshift.DescribeTagsOutput), []redshifttypes.Tag{}
		for _, t := range got.TaggedResources {
			read = append(read, *t.Tag)
		}
		name := c.in.(*redshift.DescribeTagsInput).ResourceName
		got.TaggedResources = nil
		for _, t := range retagged(w, c, name, read, ofRedshift) {
			got.TaggedResources = append(got.TaggedResources, redshifttypes.TaggedResource{ResourceName: name, Tag: &t})
		}
	},
	"redshift-serverless:ListTagsForResource": func(w *World, c call, out any) {
		got := out.(*redshiftserverless.ListTagsForResourceOutput)
		got.Tags = retagged(w, c, c.in.(*redshiftserverless.ListTagsForResourceInput).ResourceArn, got.Tags, ofServerless)
	},
	"iam:ListRoleTags": func(w *World, c call, out any) {
		got := out.(*iam.ListRoleTagsOutput)
		got.Tags = w.roleTags(c, c.in.(*iam.ListRoleTagsInput).RoleName, got.Tags)
	},
	"secretsmanager:DescribeSecret": func(w *World, c call, out any) {
		got := out.(*secretsmanager.DescribeSecretOutput)
		got.Tags = retagged(w, c, got.ARN, got.Tags, ofSecrets)
	},
	"kms:ListResourceTags": func(w *World, c call, out any) {
		got, key := out.(*kms.ListResourceTagsOutput), aws.ToString(c.in.(*kms.ListResourceTagsInput).KeyId)
		if !strings.HasPrefix(key, "arn:") {
			key = arn.New(arn.Partition(c.region), "kms", c.region, c.account, "key/"+key)
		}
		got.Tags = retagged(w, c, &key, got.Tags, ofKMS)
	},
	"resourcegroupstaggingapi:GetResources": func(w *World, c call, out any) {
		w.showIndex(c, c.in.(*tagging.GetResourcesInput), out.(*tagging.GetResourcesOutput))
	},
}

func init() { maps.Copy(shown, shownTags) }

// form turns the tags of one service into pairs, and pairs into tags.
type form[T any] struct {
	read  func(T) (key, value *string)
	write func(key, value string) T
}

var (
	ofRDS        = form[rdstypes.Tag]{func(t rdstypes.Tag) (*string, *string) { return t.Key, t.Value }, func(k, v string) rdstypes.Tag { return rdstypes.Tag{Key: &k, Value: &v} }}
	ofRedshift   = form[redshifttypes.Tag]{func(t redshifttypes.Tag) (*string, *string) { return t.Key, t.Value }, func(k, v string) redshifttypes.Tag { return redshifttypes.Tag{Key: &k, Value: &v} }}
	ofServerless = form[serverlesstypes.Tag]{func(t serverlesstypes.Tag) (*string, *string) { return t.Key, t.Value }, func(k, v string) serverlesstypes.Tag { return serverlesstypes.Tag{Key: &k, Value: &v} }}
	ofSecrets    = form[secrettypes.Tag]{func(t secrettypes.Tag) (*string, *string) { return t.Key, t.Value }, func(k, v string) secrettypes.Tag { return secrettypes.Tag{Key: &k, Value: &v} }}
	ofKMS        = form[kmstypes.Tag]{func(t kmstypes.Tag) (*string, *string) { return t.TagKey, t.TagValue }, func(k, v string) kmstypes.Tag { return kmstypes.Tag{TagKey: &k, TagValue: &v} }}
	ofIndex      = form[taggingtypes.Tag]{func(t taggingtypes.Tag) (*string, *string) { return t.Key, t.Value }, func(k, v string) taggingtypes.Tag { return taggingtypes.Tag{Key: &k, Value: &v} }}
)

// retagged returns the tags of a thing that were read with what was noted, sorted by key.
func retagged[T any](w *World, c call, name *string, tags []T, of form[T]) []T {
	read := map[string]string{}
	for _, t := range tags {
		key, value := of.read(t)
		read[aws.ToString(key)] = aws.ToString(value)
	}
	all := w.with(c.account, aws.ToString(name), read)
	var out []T
	for _, key := range slices.Sorted(maps.Keys(all)) {
		out = append(out, of.write(key, all[key]))
	}
	return out
}

// showDescribed shows tags of EC2's things as a list of their own, which is asked for by ids.
func (w *World) showDescribed(c call, in *ec2.DescribeTagsInput, got *ec2.DescribeTagsOutput) {
	read := map[string][]ec2types.Tag{}
	kinds := map[string]ec2types.ResourceType{}
	for _, t := range got.Tags {
		id := aws.ToString(t.ResourceId)
		read[id], kinds[id] = append(read[id], ec2types.Tag{Key: t.Key, Value: t.Value}), t.ResourceType
	}
	ids := slices.Collect(maps.Keys(read))
	for _, f := range in.Filters {
		if aws.ToString(f.Name) == "resource-id" && aws.ToString(got.NextToken) == "" {
			ids = append(ids, f.Values...)
		}
	}
	slices.Sort(ids)
	got.Tags = nil
	for _, id := range slices.Compact(ids) {
		for _, t := range w.tagsOf(c.account, id, read[id]) {
			got.Tags = append(got.Tags, ec2types.TagDescription{ResourceId: &id, ResourceType: kinds[id], Key: t.Key, Value: t.Value})
		}
	}
}

// showIndex shows what carries a tag, by ARN. Things of services whose ids are no ARNs are not in it: nobody asks here for those.
func (w *World) showIndex(c call, in *tagging.GetResourcesInput, got *tagging.GetResourcesOutput) {
	read := map[string][]taggingtypes.Tag{}
	for _, r := range got.ResourceTagMappingList {
		read[aws.ToString(r.ResourceARN)] = r.Tags
	}
	names := slices.Collect(maps.Keys(read))
	if aws.ToString(got.PaginationToken) == "" {
		for at := range w.tags {
			if name := strings.TrimPrefix(at, c.account+" "); name != at && strings.HasPrefix(name, "arn:") && strings.Contains(name, ":"+c.region+":") {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	got.ResourceTagMappingList = nil
	for _, name := range slices.Compact(names) {
		tags := retagged(w, c, &name, read[name], ofIndex)
		if !slices.ContainsFunc(in.TagFilters, func(f taggingtypes.TagFilter) bool {
			return !slices.ContainsFunc(tags, func(t taggingtypes.Tag) bool { return aws.ToString(t.Key) == aws.ToString(f.Key) })
		}) {
			got.ResourceTagMappingList = append(got.ResourceTagMappingList, taggingtypes.ResourceTagMapping{ResourceARN: &name, Tags: tags})
		}
	}
}
