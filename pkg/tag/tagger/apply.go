package tagger

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	serverlesstypes "github.com/aws/aws-sdk-go-v2/service/redshiftserverless/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// batch is how many values EC2 takes in one filter.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html#Filtering_Resources_CLI
const batch = 200

// ReadEC2 returns the tags of things of EC2 by their ids: one call for 200 things and 1,000 tags. What is not there has none.
func ReadEC2(ctx context.Context, api EC2, ids []string) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for some := range slices.Chunk(ids, batch) {
		pages := ec2.NewDescribeTagsPaginator(api, &ec2.DescribeTagsInput{Filters: []ec2types.Filter{{Name: aws.String("resource-id"), Values: some}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading the tags of %s: %w", strings.Join(some, ", "), err)
			}
			for _, t := range page.Tags {
				id := aws.ToString(t.ResourceId)
				if out[id] == nil {
					out[id] = map[string]string{}
				}
				out[id][aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
		}
	}
	return out, nil
}

// Read returns the tags of a thing that is not EC2's, and what its service calls it by, where that is not its id. What is not there is an error of its
// service's.
func (c Clients) Read(ctx context.Context, t workflow.TaggedThing) (name string, tags map[string]string, err error) {
	switch t.Kind.Service() {
	case "rds":
		tags, err = c.readRDS(ctx, t.ID)
	case "redshift":
		tags, err = c.readRedshift(ctx, t.ID)
	case "redshift-serverless":
		return c.readServerless(ctx, t.ID)
	case "iam":
		tags, err = c.readRole(ctx, t.ID)
	case "sagemaker":
		return c.readSageMaker(ctx, t)
	default:
		return "", nil, fmt.Errorf("reading the tags of %s: those of a %s are read together", t.ID, t.Kind)
	}
	return t.ID, tags, err
}

func (c Clients) readRDS(ctx context.Context, name string) (map[string]string, error) {
	got, err := c.RDS.ListTagsForResource(ctx, &rds.ListTagsForResourceInput{ResourceName: &name})
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, one := range got.TagList {
		tags[aws.ToString(one.Key)] = aws.ToString(one.Value)
	}
	return tags, nil
}

// readRedshift reads all tags of one resource at once: MaxRecords and Marker do not go with an ARN.
// https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeTags.html
func (c Clients) readRedshift(ctx context.Context, name string) (map[string]string, error) {
	got, err := c.Redshift.DescribeTags(ctx, &redshift.DescribeTagsInput{ResourceName: &name})
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, one := range got.TaggedResources {
		if one.Tag != nil {
			tags[aws.ToString(one.Tag.Key)] = aws.ToString(one.Tag.Value)
		}
	}
	return tags, nil
}

// readServerless reads the tags of a workgroup, which its creation names by its name alone.
func (c Clients) readServerless(ctx context.Context, name string) (string, map[string]string, error) {
	if !strings.HasPrefix(name, "arn:") {
		got, err := c.Serverless.GetWorkgroup(ctx, &redshiftserverless.GetWorkgroupInput{WorkgroupName: &name})
		if err != nil {
			return "", nil, err
		}
		name = aws.ToString(got.Workgroup.WorkgroupArn)
	}
	got, err := c.Serverless.ListTagsForResource(ctx, &redshiftserverless.ListTagsForResourceInput{ResourceArn: &name})
	if err != nil {
		return "", nil, err
	}
	tags := map[string]string{}
	for _, one := range got.Tags {
		tags[aws.ToString(one.Key)] = aws.ToString(one.Value)
	}
	return name, tags, nil
}

func (c Clients) readRole(ctx context.Context, name string) (map[string]string, error) {
	tags := map[string]string{}
	pages := iam.NewListRoleTagsPaginator(c.IAM, &iam.ListRoleTagsInput{RoleName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, one := range page.Tags {
			tags[aws.ToString(one.Key)] = aws.ToString(one.Value)
		}
	}
	return tags, nil
}

// readSageMaker reads the tags of a domain or a notebook instance by its ARN, which for the latter SageMaker writes in its own case.
func (c Clients) readSageMaker(ctx context.Context, t workflow.TaggedThing) (string, map[string]string, error) {
	name := arn.New(arn.Partition(t.Region), "sagemaker", t.Region, t.Account, "domain/"+t.ID)
	if t.Kind != tag.Domain {
		got, err := c.SageMaker.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &t.ID})
		if err != nil {
			return "", nil, err
		}
		name = aws.ToString(got.NotebookInstanceArn)
	}
	tags := map[string]string{}
	pages := sagemaker.NewListTagsPaginator(c.SageMaker, &sagemaker.ListTagsInput{ResourceArn: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", nil, err
		}
		for _, one := range page.Tags {
			tags[aws.ToString(one.Key)] = aws.ToString(one.Value)
		}
	}
	return name, tags, nil
}

// Set sets one tag on a thing. name is what its service calls it by: an id, an ARN, or the name of a role.
func (c Clients) Set(ctx context.Context, kind tag.Kind, name, key, value string) (err error) {
	switch kind.Service() {
	case "rds":
		_, err = c.RDS.AddTagsToResource(ctx, &rds.AddTagsToResourceInput{ResourceName: &name, Tags: []rdstypes.Tag{{Key: &key, Value: &value}}})
	case "redshift":
		_, err = c.Redshift.CreateTags(ctx, &redshift.CreateTagsInput{ResourceName: &name, Tags: []redshifttypes.Tag{{Key: &key, Value: &value}}})
	case "redshift-serverless":
		_, err = c.Serverless.TagResource(ctx, &redshiftserverless.TagResourceInput{ResourceArn: &name, Tags: []serverlesstypes.Tag{{Key: &key, Value: &value}}})
	case "iam":
		_, err = c.IAM.TagRole(ctx, &iam.TagRoleInput{RoleName: &name, Tags: []iamtypes.Tag{{Key: &key, Value: &value}}})
	case "sagemaker":
		_, err = c.SageMaker.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: &name, Tags: []smtypes.Tag{{Key: &key, Value: &value}}})
	case "ec2":
		_, err = c.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{name}, Tags: []ec2types.Tag{{Key: &key, Value: &value}}})
	default:
		err = untaggable(kind, name)
	}
	return err
}

// Remove takes one tag off a thing; one that it does not have is no error.
func (c Clients) Remove(ctx context.Context, kind tag.Kind, name, key string) (err error) {
	keys := []string{key}
	switch kind.Service() {
	case "rds":
		_, err = c.RDS.RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{ResourceName: &name, TagKeys: keys})
	case "redshift":
		_, err = c.Redshift.DeleteTags(ctx, &redshift.DeleteTagsInput{ResourceName: &name, TagKeys: keys})
	case "redshift-serverless":
		_, err = c.Serverless.UntagResource(ctx, &redshiftserverless.UntagResourceInput{ResourceArn: &name, TagKeys: keys})
	case "iam":
		_, err = c.IAM.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &name, TagKeys: keys})
	case "sagemaker":
		_, err = c.SageMaker.DeleteTags(ctx, &sagemaker.DeleteTagsInput{ResourceArn: &name, TagKeys: keys})
	case "ec2":
		_, err = c.EC2.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{name}, Tags: []ec2types.Tag{{Key: &key}}})
	default:
		err = untaggable(kind, name)
	}
	return err
}

// untaggable says that the service of a kind has no line here.
func untaggable(kind tag.Kind, name string) error {
	return fmt.Errorf("tagging %s: no call is known that tags a %s of %s", name, kind, kind.Service())
}
