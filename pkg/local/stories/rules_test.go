package stories

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// narrowed are the stories of security groups that would open more than what is shared.
var narrowed = []tale{
	{
		name:  "group-shared",
		title: "A security group that would open more than is shared",
		about: `
As in s1-peering.md, but beta has more. Its database returns is shared, too, and has the security group of payroll, which nobody shares, on the same
port. Another one, notes, is shared and has only the group that is named default. A third, orders, is shared and has two groups: that of an instance,
and one of its own. So orders is opened through its own group, and sales as ever. Returns and notes are not: the verdict says why, and what to do. Then the
owner of beta tags the group of returns drawbridge:open=true, and says so that payroll may be reached as well.`,
		prepare: shareGroups,
		acts: []act{
			request("PartlyConnected"),
			{"The owner of beta tags the security group of returns and payroll drawbridge:open=true.", openGroup("books"), []string{"Announced", "PartlyConnected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: func(ctx context.Context, t *testing.T, w *scenario.World) {
				for name, ports := range map[string][]int32{"books": nil, "default": nil, "app": nil, "orders": {3310}} {
					admitsOurs(ctx, t, w, name, ports...)
				}
			},
			2: func(ctx context.Context, t *testing.T, w *scenario.World) {
				for name, ports := range map[string][]int32{"books": {3309}, "default": nil, "app": nil, "orders": {3310}} {
					admitsOurs(ctx, t, w, name, ports...)
				}
			},
		},
		connected: true,
	},
}

// admitsOurs is [admitsAlone] for a group in which there may be rules of its owner's that name the group itself, as AWS puts one into each that is named default.
func admitsOurs(ctx context.Context, t *testing.T, w *scenario.World, name string, ports ...int32) {
	t.Helper()
	if name != "default" {
		admitsAlone(name, ports...)(ctx, t, w)
		return
	}
	for _, p := range groupNamed(ctx, t, producer(w), w.ProducerNetwork.VPC, name).IpPermissions {
		if aws.ToString(p.IpProtocol) != "-1" {
			t.Errorf("the group named default lets in %+v", p)
		}
	}
}

func shareGroups(ctx context.Context, t *testing.T, w *scenario.World) {
	vpc := w.ProducerNetwork.VPC
	books, app, orders := newGroup(ctx, t, producer(w), vpc, "books"), newGroup(ctx, t, producer(w), vpc, "app"), newGroup(ctx, t, producer(w), vpc, "orders")
	byDefault := aws.ToString(groupNamed(ctx, t, producer(w), vpc, "default").GroupId)
	if w.Also == nil {
		w.Also = map[string]string{}
	}
	w.Also[books], w.Also[app], w.Also[orders], w.Also[byDefault] = "sg-books", "sg-app", "sg-orders", "sg-default"
	for _, d := range []struct {
		name   string
		port   int32
		share  string
		groups []string
	}{{"returns", 3309, "true", []string{books}}, {"payroll", 3309, "false", []string{books}}, {"notes", 3311, "true", []string{byDefault}}, {"orders", 3310, "true", []string{app, orders}}} {
		_, err := databases(w).CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: &d.name, DBInstanceClass: aws.String("db.t4g.micro"),
			Engine: aws.String("mysql"), Port: &d.port, AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("admin"), ManageMasterUserPassword: aws.Bool(true),
			DBSubnetGroupName: aws.String(w.Database.Name + "-subnets"), VpcSecurityGroupIds: d.groups, Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: &d.share}}})
		succeeds(t, err)
	}
	made, err := producer(w).RunInstances(ctx, &ec2.RunInstancesInput{ImageId: aws.String("ami-12c6146b"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: ec2types.InstanceTypeT3Micro,
		SubnetId: &w.ProducerNetwork.Subnets[2], SecurityGroupIds: []string{app}})
	succeeds(t, err)
	w.Also[aws.ToString(made.Instances[0].InstanceId)] = "i-app"
}

func openGroup(name string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		id := groupNamed(ctx, t, producer(w), w.ProducerNetwork.VPC, name).GroupId
		_, err := producer(w).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{*id}, Tags: []ec2types.Tag{{Key: aws.String("drawbridge:open"), Value: aws.String("true")}}})
		succeeds(t, err)
	}
}
