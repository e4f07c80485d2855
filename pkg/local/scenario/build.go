package scenario

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

func (w *World) ec2(h Home) *ec2.Client { return ec2.NewFromConfig(w.clients(h.Account, h.Region)) }

func (w *World) sagemaker() *sagemaker.Client {
	return sagemaker.NewFromConfig(w.clients(w.Consumer.Account, w.Consumer.Region))
}

func (w *World) rds() *rds.Client {
	return rds.NewFromConfig(w.clients(w.Producer.Account, w.Producer.Region))
}

// network makes a VPC with its subnets, a route table for each, and one security
// group.
func (w *World) network(ctx context.Context, h Home, group string, tags map[string]string) (Network, error) {
	client := w.ec2(h)
	// A pair on a gateway is known by its VPCs in the order of their ids; on the engine, that is the order in which they are made.
	vpc, err := client.CreateVpc(ctx, &ec2.CreateVpcInput{
		CidrBlock:         aws.String(h.CIDR.String()),
		TagSpecifications: tagged(ec2types.ResourceTypeVpc, h.Name, tags),
	})
	if err != nil {
		return Network{}, err
	}
	n := Network{VPC: aws.ToString(vpc.Vpc.VpcId)}
	for i, cidr := range h.Subnets {
		name := fmt.Sprintf("%s-%d", h.Name, i+1)
		subnet, err := client.CreateSubnet(ctx, &ec2.CreateSubnetInput{
			VpcId: aws.String(n.VPC), CidrBlock: aws.String(cidr.String()),
			AvailabilityZone:  aws.String(h.Region + string("abc"[i%3])),
			TagSpecifications: tagged(ec2types.ResourceTypeSubnet, name, nil),
		})
		if err != nil {
			return n, err
		}
		table, err := client.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{
			VpcId: aws.String(n.VPC), TagSpecifications: tagged(ec2types.ResourceTypeRouteTable, name, nil),
		})
		if err != nil {
			return n, err
		}
		if _, err := client.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{
			SubnetId: subnet.Subnet.SubnetId, RouteTableId: table.RouteTable.RouteTableId,
		}); err != nil {
			return n, err
		}
		n.Subnets = append(n.Subnets, aws.ToString(subnet.Subnet.SubnetId))
		n.Tables = append(n.Tables, aws.ToString(table.RouteTable.RouteTableId))
	}
	sg, err := client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		GroupName: aws.String(group), Description: aws.String("the " + group + " of " + h.Name), VpcId: aws.String(n.VPC),
	})
	if err != nil {
		return n, err
	}
	n.Group = aws.ToString(sg.GroupId)
	return n, nil
}

func tagged(kind ec2types.ResourceType, name string, tags map[string]string) []ec2types.TagSpecification {
	spec := ec2types.TagSpecification{ResourceType: kind, Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String(name)}}}
	for k, v := range tags {
		spec.Tags = append(spec.Tags, ec2types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	return []ec2types.TagSpecification{spec}
}

func (w *World) studio(ctx context.Context) error {
	if !w.Studio {
		return nil
	}
	return w.MakeStudio(ctx)
}

func (w *World) database(ctx context.Context) error {
	if w.Database.Engine == "redshift" {
		return w.MakeWarehouse(ctx)
	}
	client := w.rds()
	group := w.Database.Name + "-subnets"
	if _, err := client.CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{
		DBSubnetGroupName: aws.String(group), DBSubnetGroupDescription: aws.String("where " + w.Database.Name + " lives"),
		SubnetIds: w.ProducerNetwork.Subnets[:2],
	}); err != nil {
		return err
	}
	in := &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String(w.Database.Name), DBInstanceClass: aws.String("db.t4g.micro"),
		Engine: aws.String(w.Database.Engine), Port: aws.Int32(w.Database.Port), AllocatedStorage: aws.Int32(20),
		MasterUsername: aws.String("admin"), ManageMasterUserPassword: aws.Bool(true),
		DBSubnetGroupName: aws.String(group), VpcSecurityGroupIds: []string{w.ProducerNetwork.Group},
		PubliclyAccessible: aws.Bool(false),
	}
	if w.Share != "" {
		in.Tags = []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String(w.Share)}}
	}
	_, err := client.CreateDBInstance(ctx, in)
	return err
}

func (w *World) notebook(ctx context.Context) error {
	client, n := w.sagemaker(), w.Notebook
	if n.Name == "" {
		return nil
	}
	in := &sagemaker.CreateNotebookInstanceInput{
		NotebookInstanceName: aws.String(n.Name), InstanceType: sagemakertypes.InstanceTypeMlT3Medium,
		PlatformIdentifier: aws.String("notebook-al2023-v1"),
		RoleArn:            aws.String(arn.IAM(arn.Partition(w.Consumer.Region), w.Consumer.Account, "role/notebook")),
		SubnetId:           aws.String(w.ConsumerNetwork.Subnets[0]), SecurityGroupIds: []string{w.ConsumerNetwork.Group},
		DirectInternetAccess: sagemakertypes.DirectInternetAccessDisabled,
	}
	if n.DirectInternet {
		in.DirectInternetAccess = sagemakertypes.DirectInternetAccessEnabled
	}
	for k, v := range n.Tags {
		in.Tags = append(in.Tags, sagemakertypes.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	if n.LifecycleConfig != "" {
		if _, err := client.CreateNotebookInstanceLifecycleConfig(ctx, &sagemaker.CreateNotebookInstanceLifecycleConfigInput{
			NotebookInstanceLifecycleConfigName: aws.String(n.LifecycleConfig),
			OnStart: []sagemakertypes.NotebookInstanceLifecycleHook{
				{Content: aws.String(base64.StdEncoding.EncodeToString([]byte(n.OnStart)))},
			},
		}); err != nil {
			return err
		}
		in.LifecycleConfigName = aws.String(n.LifecycleConfig)
	}
	if _, err := client.CreateNotebookInstance(ctx, in); err != nil {
		return err
	}
	if err := w.notebookIs(ctx, sagemakertypes.NotebookInstanceStatusInService); err != nil || !n.Stopped {
		return err
	}
	if _, err := client.StopNotebookInstance(ctx, &sagemaker.StopNotebookInstanceInput{NotebookInstanceName: aws.String(n.Name)}); err != nil {
		return err
	}
	return w.notebookIs(ctx, sagemakertypes.NotebookInstanceStatusStopped)
}

// Restart stops and starts the notebook, as its owner does, and waits until it runs.
func (w *World) Restart(ctx context.Context) error {
	name := aws.String(w.Notebook.Name)
	if _, err := w.sagemaker().StopNotebookInstance(ctx, &sagemaker.StopNotebookInstanceInput{NotebookInstanceName: name}); err != nil {
		return err
	}
	if err := w.notebookIs(ctx, sagemakertypes.NotebookInstanceStatusStopped); err != nil {
		return err
	}
	if _, err := w.sagemaker().StartNotebookInstance(ctx, &sagemaker.StartNotebookInstanceInput{NotebookInstanceName: name}); err != nil {
		return err
	}
	return w.notebookIs(ctx, sagemakertypes.NotebookInstanceStatusInService)
}

// notebookIs waits until the notebook has the status.
func (w *World) notebookIs(ctx context.Context, want sagemakertypes.NotebookInstanceStatus) error {
	for {
		out, err := w.sagemaker().DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: aws.String(w.Notebook.Name)})
		if err != nil {
			return err
		}
		switch out.NotebookInstanceStatus {
		case want:
			return nil
		case sagemakertypes.NotebookInstanceStatusFailed:
			return fmt.Errorf("notebook %s: %s", w.Notebook.Name, aws.ToString(out.FailureReason))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Request makes the one call that sets everything in motion: the consumer
// requests the peering.
func (w *World) Request(ctx context.Context) error {
	in := &ec2.CreateVpcPeeringConnectionInput{
		VpcId: aws.String(w.ConsumerNetwork.VPC), PeerVpcId: aws.String(w.ProducerNetwork.VPC),
		PeerOwnerId: aws.String(w.Producer.Account),
	}
	if w.Producer.Region != w.Consumer.Region {
		in.PeerRegion = aws.String(w.Producer.Region)
	}
	out, err := w.ec2(w.Consumer).CreateVpcPeeringConnection(ctx, in)
	if err != nil {
		return fmt.Errorf("requesting the peering: %w", err)
	}
	w.Connection = aws.ToString(out.VpcPeeringConnection.VpcPeeringConnectionId)
	return nil
}
