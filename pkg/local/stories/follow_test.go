package stories

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// changes are the stories about what comes after the first day, and about events that never came.
var changes = []tale{
	{
		name:  "change-cidr",
		title: "A VPC gets more addresses",
		about: `
As in s1-peering.md, but both owners want all of their VPCs to be connected. Then beta's VPC gets a second CIDR block. The connection follows: alpha's route
tables lead there too, and so do the notebook's host routes.`,
		prepare: wholeVPCs,
		acts: []act{
			request("Connected"),
			{"The owner of beta associates 10.77.0.0/16 with the VPC.", associate("10.77.0.0/16"), []string{"Announced", "Connected"}},
		},
		connected: true,
		also:      routed("10.77.0.0/16"),
		struck:    []int{2},
	},
	{
		name:  "change-overlap",
		title: "A VPC gets addresses that its peer has",
		about: `
As in s1-peering.md. Then beta's VPC gets a second CIDR block, in alpha's own addresses. Drawbridge stops with a conflict
that names both, and changes nothing: what was connected stays as it was. Once the block is gone, all is well again.`,
		acts: []act{
			request("Connected"),
			{"The owner of beta associates 10.1.128.0/17 with the VPC.", associate("10.1.128.0/17"), []string{"Announced", "Conflict"}},
			{"The owner of beta disassociates it again.", disassociate("10.1.128.0/17"), []string{"Announced", "Connected"}},
		},
		connected: true,
	},
	{
		name:   "change-share",
		title:  "A database is shared later",
		about:  "As in not-shared.md. Then the owner of beta shares the database, and the connection follows.",
		change: func(s *scenario.Spec) { s.Share = "" },
		acts: []act{
			request("Connected"),
			{"The owner of beta tags the database: drawbridge:share=true.", share, []string{"Announced", "Connected"}},
		},
		connected: true,
	},
	{
		name:  "change-table",
		title: "A new subnet gets a route table of its own",
		about: `
As in s1-peering.md. Then beta's VPC gets a subnet with a route table of its own, and the connection leads there too. The
same event asks for beta's notebooks, of which there are none.`,
		acts: []act{
			request("Connected"),
			{"The owner of beta makes a subnet and a route table for it.", addSubnet, []string{"Announced", "Connected", "Nothing"}},
		},
		connected: true,
		unruly:    true, // two machines take the one event
	},
	{
		name:  "change-garbled",
		title: "An event names a VPC that cannot be",
		acts: []act{
			{"The owner of alpha puts an event about the VPC $(reboot) on the default bus.", lieOfVPC, []string{"Invalid"}},
		},
		unruly: true,
	},
}

// associate gives the producer's VPC another CIDR block.
func associate(cidr string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		client := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
		if _, err := client.AssociateVpcCidrBlock(ctx, &ec2.AssociateVpcCidrBlockInput{VpcId: aws.String(w.ProducerNetwork.VPC), CidrBlock: aws.String(cidr)}); err != nil {
			t.Fatal(err)
		}
	}
}

// share tags the producer's database.
func share(ctx context.Context, t *testing.T, w *scenario.World) {
	client := rds.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	if _, err := client.AddTagsToResource(ctx, &rds.AddTagsToResourceInput{
		ResourceName: aws.String("arn:aws:rds:" + w.Producer.Region + ":" + w.Producer.Account + ":db:" + w.Database.Name),
		Tags:         []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}},
	}); err != nil {
		t.Fatal(err)
	}
}

// routed holds a story to a route in each of the consumer's route tables.
func routed(cidr string) func(context.Context, *testing.T, *scenario.World, []awscall.Call) {
	return func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
		client := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
		got, err := client.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: w.ConsumerNetwork.Tables})
		if err != nil || len(got.RouteTables) == 0 {
			t.Fatal(err, len(got.RouteTables))
		}
		for _, table := range got.RouteTables {
			if !slices.ContainsFunc(table.Routes, func(r ec2types.Route) bool {
				return aws.ToString(r.DestinationCidrBlock) == cidr && aws.ToString(r.VpcPeeringConnectionId) == w.Connection
			}) {
				t.Errorf("%s has no route to %s", aws.ToString(table.RouteTableId), cidr)
			}
		}
	}
}

// addSubnet gives the producer's VPC a subnet with a route table of its own.
func addSubnet(ctx context.Context, t *testing.T, w *scenario.World) {
	client := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	vpc := aws.String(w.ProducerNetwork.VPC)
	subnet, err := client.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc, CidrBlock: aws.String("10.2.9.0/24")})
	if err != nil {
		t.Fatal(err)
	}
	table, err := client.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: vpc})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{SubnetId: subnet.Subnet.SubnetId, RouteTableId: table.RouteTable.RouteTableId}); err != nil {
		t.Fatal(err)
	}
}

// lieOfVPC puts an event on the consumer's bus that looks like CloudTrail's and names no VPC.
func lieOfVPC(ctx context.Context, t *testing.T, w *scenario.World) {
	client := eventbridge.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	out, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventbridgetypes.PutEventsRequestEntry{{
		Source: aws.String("aws.ec2"), DetailType: aws.String("AWS API Call via CloudTrail"),
		Detail: aws.String(`{"eventSource":"ec2.amazonaws.com","eventName":"AssociateVpcCidrBlock","userIdentity":{"type":"Root"},
			"requestParameters":{"AssociateVpcCidrBlockRequest":{"VpcId":"$(reboot)"}}}`),
	}}})
	if err != nil || out.FailedEntryCount > 0 {
		t.Fatal(err, out)
	}
}
