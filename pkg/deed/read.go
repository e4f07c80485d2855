package deed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/tagger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Read returns the tags of a thing, of those that Drawbridge goes by, as its account shows them to whoever asks. An error of the kind Invalid says that there is no such
// thing. One that nobody asks for here, such as a key, is there, and its tags are not known.
func Read(ctx context.Context, cfg aws.Config, t Thing) (map[string]string, error) {
	tags := map[string]string{}
	err := t.read(ctx, cfg, func(key, value *string) { tags[aws.ToString(key)] = aws.ToString(value) })
	if err != nil {
		return nil, Unread(t, err)
	}
	return tag.Clean(t.Kind, tags), nil
}

// Unread is what a call says that could not read a thing; of the kind Invalid if there is no such thing.
func Unread(t Thing, err error) error {
	if nowhere(err) {
		return &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("reading %s: account %s has none in %s", t.ID, t.Account, t.Region),
			Remedy: "correct the id, or say where it is, ACCOUNT/REGION/ID; drawbridge status lists what is managed"}
	}
	return fmt.Errorf("reading %s in account %s, %s: %w", t.ID, t.Account, t.Region, err)
}

// errNone is the answer of a call that lists, and found none.
var errNone = errors.New("there is none")

// nowhere reports whether AWS says that there is no such thing: each service has words of its own for it.
func nowhere(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) {
		code := api.ErrorCode()
		return strings.Contains(code, "NotFound") || strings.HasSuffix(code, ".Malformed") || code == "NoSuchEntity" || fault.NoRecord(err)
	}
	return errors.Is(err, errNone)
}

// read calls each with every tag of a thing.
func (t Thing) read(ctx context.Context, cfg aws.Config, each func(key, value *string)) error {
	if t.Kind == tag.DBProxy || t.Kind == tag.Workgroup { // whose descriptions have no tags
		_, tags, err := tagger.In(cfg).Read(ctx, workflow.TaggedThing{Account: t.Account, Region: t.Region, Kind: t.Kind, ID: t.ID})
		for key, value := range tags {
			each(&key, &value)
		}
		return err
	}
	name := t.ID[strings.LastIndexAny(t.ID, ":/")+1:]
	switch t.Kind.Service() {
	case "ec2":
		tags, err := t.readEC2(ctx, ec2.NewFromConfig(cfg))
		for _, one := range tags {
			each(one.Key, one.Value)
		}
		return err
	case "rds":
		tags, err := t.readRDS(ctx, rds.NewFromConfig(cfg), name)
		for _, one := range tags {
			each(one.Key, one.Value)
		}
		return err
	case "redshift":
		got, err := redshift.NewFromConfig(cfg).DescribeClusters(ctx, &redshift.DescribeClustersInput{ClusterIdentifier: &name})
		if err != nil {
			return err
		}
		for _, c := range got.Clusters {
			for _, one := range c.Tags {
				each(one.Key, one.Value)
			}
		}
	case "iam":
		got, err := iam.NewFromConfig(cfg).GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
		if err != nil {
			return err
		}
		for _, one := range got.Role.Tags {
			each(one.Key, one.Value)
		}
	case "sagemaker":
		if t.Kind == tag.Notebook {
			_, err := sagemaker.NewFromConfig(cfg).DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &name})
			return err
		}
		_, err := sagemaker.NewFromConfig(cfg).DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: &name})
		return err
	}
	return nil
}

// readRDS returns the tags of an instance or a cluster of RDS's.
func (t Thing) readRDS(ctx context.Context, api *rds.Client, name string) ([]rdstypes.Tag, error) {
	if t.Kind == tag.DBCluster {
		got, err := api.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &name})
		if err != nil || len(got.DBClusters) != 1 {
			return nil, cmp.Or(err, errNone)
		}
		return got.DBClusters[0].TagList, nil
	}
	got, err := api.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &name})
	if err != nil || len(got.DBInstances) != 1 {
		return nil, cmp.Or(err, errNone)
	}
	return got.DBInstances[0].TagList, nil
}

// readEC2 returns the tags of a thing of EC2's, by the call that describes it: a list of tags alone does not say that the thing is not there.
func (t Thing) readEC2(ctx context.Context, api *ec2.Client) ([]ec2types.Tag, error) {
	ids := []string{t.ID}
	switch t.Kind {
	case tag.Peering:
		got, err := api.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: ids})
		if err != nil || len(got.VpcPeeringConnections) != 1 {
			return nil, cmp.Or(err, errNone)
		}
		return got.VpcPeeringConnections[0].Tags, nil
	case tag.Attachment:
		got, err := api.DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{TransitGatewayAttachmentIds: ids})
		if err != nil || len(got.TransitGatewayAttachments) != 1 {
			return nil, cmp.Or(err, errNone)
		}
		return got.TransitGatewayAttachments[0].Tags, nil
	case tag.Gateway:
		got, err := api.DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{TransitGatewayIds: ids})
		if err != nil || len(got.TransitGateways) != 1 {
			return nil, cmp.Or(err, errNone)
		}
		return got.TransitGateways[0].Tags, nil
	case tag.VPC:
		got, err := api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: ids})
		if err != nil || len(got.Vpcs) != 1 {
			return nil, cmp.Or(err, errNone)
		}
		return got.Vpcs[0].Tags, nil
	case tag.Subnet:
		got, err := api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: ids})
		if err != nil || len(got.Subnets) != 1 {
			return nil, cmp.Or(err, errNone)
		}
		return got.Subnets[0].Tags, nil
	case tag.RouteTable:
		got, err := api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: ids})
		if err != nil || len(got.RouteTables) != 1 {
			return nil, cmp.Or(err, errNone)
		}
		return got.RouteTables[0].Tags, nil
	default:
		got, err := api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: ids})
		if err != nil || len(got.SecurityGroups) != 1 {
			return nil, cmp.Or(err, errNone)
		}
		return got.SecurityGroups[0].Tags, nil
	}
}
