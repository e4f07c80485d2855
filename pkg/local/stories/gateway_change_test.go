package stories

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// gatewayChanges are the stories of connections over a transit gateway that follow what changes, and of invitations to one.
var gatewayChanges = []tale{
	{
		name:  "s5-gateway",
		title: "A function reaches a database over a transit gateway that is shared",
		about: `
Account 111111111111 (alpha) owns the transit gateway core, whose tag drawbridge:accept=auto lets in whom the policy lets
in. Its VPC 10.0.0.0/16 has a Lambda function in 10.0.128.0/28, whose security group lets nothing out, and a notebook in
10.0.0.0/24. Account 222222222222 (beta) has a MySQL database in 10.1.128.0/28 with the tag drawbridge:share=true, and its VPC
asks for the gateway by the tag drawbridge:attach=core. Nothing connects the two.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			mark(ctx, t, w.Producer, w.ProducerNetwork.VPC, "drawbridge:attach", scenario.GatewayName)
			_, err := engine.Settle(ctx, 0)
			succeeds(t, err)
			succeeds(t, w.Offer(ctx))
		},
		acts: []act{
			{"The owner of alpha tags the own VPC: drawbridge:attach=core.", reaching(func(ctx context.Context, t *testing.T, w *scenario.World) {
				mark(ctx, t, w.Consumer, w.ConsumerNetwork.VPC, "drawbridge:attach", scenario.GatewayName)
			}), []string{"Announced", "Attached"}},
			{"The owner of alpha shares the gateway with beta: ram CreateResourceShare.", lend, []string{"Announced", "Attached", "Connected", "Nothing", "Nothing"}},
			{"The owner of beta takes the tag drawbridge:attach off.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				succeeds(t, w.Find(ctx))
				verdict, err := w.Verdict(ctx)
				succeeds(t, err)
				if !scenario.Holds(verdict) {
					t.Errorf("connected, but not every hop holds: %+v", verdict)
				}
				withHops(t, verdict, "attachment", "gateway route", "route there", "route back", "security group", "host route")
				succeeds(t, w.Leave(ctx))
			}, []string{"Announced", "Removed", "Removed"}},
		},
		struck: []int{2, 3},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			reachedAsBefore(func(context.Context, *testing.T, *scenario.World) {})(ctx, t, w)
		},
	},
	{
		name:  "gateway-change-cidr",
		title: "A VPC on a gateway gets and loses addresses",
		about: `
As in transit.md, up to the connection. Then beta's VPC gets a second CIDR block, and loses it again. The change asks for a look
at the attachment, which asks for one at each pair; alpha's route tables and the host routes of its notebook follow, both ways. The
owner's route to another network of the gateway stays as it is.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			attachedPair(ctx, t, w)
			wholeVPCs(ctx, t, w)
		},
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The owner of beta associates 10.77.0.0/16 with the VPC.", associate("10.77.0.0/16"), []string{"Announced", "Attached", "Connected"}},
			{"The owner of beta disassociates it.", leading("10.77.0.0/16", disassociate("10.77.0.0/16")), []string{"Announced", "Attached", "Connected"}},
		},
		connected: true,
		struck:    []int{2, 3},
		also:      leadsOnly("10.1.0.0/16"),
	},
	{
		name:  "gateway-change-overlap",
		title: "A VPC on a gateway gets addresses that another has",
		about: `
As in transit.md, up to the connection. Then beta's VPC gets a second CIDR block, in alpha's own addresses. AWS does not
propagate it, and says nothing. Drawbridge stops with a conflict, and changes nothing: what was connected stays as it was. Once
the block is gone, all is well again.`,
		change:  onGateway,
		prepare: attachedPair,
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The owner of beta associates 10.0.128.0/17 with the VPC.", reaching(associate("10.0.128.0/17")), []string{"Announced", "Conflict"}},
			{"The owner of beta disassociates it again.", reachedAsBefore(disassociate("10.0.128.0/17")), []string{"Announced", "Attached", "Connected"}},
		},
		connected: true,
		also:      leadsOnly("10.1.128.0/27"),
	},
	{
		name:  "gateway-change-share",
		title: "A database of a VPC on a gateway is shared no more, and again",
		about: `
As in transit.md, up to the connection. Then the owner of beta takes the tag off the database. It was all that the two VPCs
had for each other, so what Drawbridge added for the pair goes; the attachments stay. With the tag it comes back.`,
		change:  onGateway,
		prepare: attachedPair,
		acts: []act{
			{"The pair of VPCs wants a look.", reaching(look(nil)), []string{"Connected"}},
			{"The owner of beta removes the tag drawbridge:share from the database.", unshare, []string{"Announced", "Attached", "Removed"}},
			{"The owner of beta tags the database: drawbridge:share=true.", reachedAsBefore(share), []string{"Announced", "Attached", "Connected"}},
		},
		connected: true,
		struck:    []int{2},
	},
	{
		name:  "gateway-change-deleted",
		title: "A database of a VPC on a gateway is deleted",
		about: `
As in transit.md, up to the connection. Then the owner of beta deletes the database. What Drawbridge added for the pair goes, as if it were shared no
more; the attachments stay.`,
		change:  onGateway,
		prepare: attachedPair,
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The owner of beta deletes the database.", dropDatabase, []string{"Announced", "Attached", "Removed"}},
		},
		also: noRuleOfOurs,
	},
	{
		name:  "gateway-change-port",
		title: "A database of a VPC on a gateway moves to another port",
		about: `
As in transit.md, up to the connection. Then the owner of beta gives the database port 3307: the rules for it come on both
sides, and those for 3306 go.`,
		change:  onGateway,
		prepare: attachedPair,
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The owner of beta gives the database port 3307.", movePort(3307), []string{"Announced", "Attached", "Connected"}},
		},
		unruly: true, // two events, so two executions
		also:   onlyPort(3307),
	},
	{
		name:  "gateway-change-table",
		title: "A VPC on a gateway gets a subnet with a route table of its own",
		about: `
As in transit.md, up to the connection, but the owners of both VPCs want all of them reached. Then beta's VPC gets a subnet with a route table of its own,
and the connection leads there too.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			attachedPair(ctx, t, w)
			wholeVPCs(ctx, t, w)
		},
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The owner of beta makes a subnet and a route table for it.", tabledSubnet, []string{"Announced", "Attached", "Connected", "Nothing"}},
		},
		connected: true,
		unruly:    true, // two machines take the one event
		also:      everyTableLeads,
	},
	{
		name:  "gateway-zone",
		title: "A database comes to another Availability Zone",
		about: `
alpha's VPC is on the gateway core, which is shared with beta, and beta's VPC asks for it. It is attached with a subnet in each Availability Zone
in which beta has something. Then a second database, with the share tag, comes to another zone: the attachment gets a subnet there,
and alpha reaches the database.`,
		change:  inThreeZones,
		prepare: ownersVPC,
		acts: []act{
			{"The owner of alpha shares the gateway with beta: ram CreateResourceShare.", lend, []string{"Announced", "Attached", "Connected", "Nothing"}},
			{"The owner of beta creates a database in another Availability Zone.", databaseElsewhere, []string{"Announced", "Attached", "Connected"}},
		},
		unruly: true, // the call and RDS both tell of it, and here at the same moment
		also:   inThatZone,
	},
	{
		name:  "share-expired",
		title: "Nobody accepts an invitation to a gateway",
		about: `
The organization does not share with itself, and alpha's share holds a prefix list besides the gateway: the default policy
accepts gateways alone, so beta may accept it by hand. Nobody does. After seven days RAM ends the invitation, and tells both.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			gateway(true)(ctx, t, w)
			within(ctx, t, false)
			t.Cleanup(func() { within(context.WithoutCancel(ctx), t, true) })
		},
		acts: []act{
			{"The owner of alpha shares the gateway and a prefix list with beta.", shareMore, []string{"Nothing", "Nothing", "Nothing", "Refused"}},
			{"Eight days pass.", eightDays, []string{"Expired", "Nothing"}},
		},
		also: never("AcceptResourceShareInvitation"),
	},
}

// leading holds the consumer to routes to cidr, and then does something.
func leading(cidr string, do func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		leadsOnly("10.1.0.0/16", cidr)(ctx, t, w, nil)
		do(ctx, t, w)
	}
}

// leadsOnly holds each of the consumer's route tables to routes to the gateway for exactly these CIDRs, besides the owner's.
func leadsOnly(cidrs ...string) func(context.Context, *testing.T, *scenario.World, []awscall.Call) {
	return func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
		t.Helper()
		got, err := consumer(w).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: w.ConsumerNetwork.Tables})
		if err != nil || len(got.RouteTables) == 0 {
			t.Fatal(err, len(got.RouteTables))
		}
		for _, table := range got.RouteTables {
			var leads []string
			for _, r := range table.Routes {
				if r.TransitGatewayId != nil && aws.ToString(r.DestinationCidrBlock) != "10.99.0.0/16" {
					leads = append(leads, aws.ToString(r.DestinationCidrBlock))
				}
			}
			if slices.Sort(leads); !slices.Equal(leads, cidrs) {
				t.Errorf("%s leads to %v over the gateway, want %v", aws.ToString(table.RouteTableId), leads, cidrs)
			}
		}
	}
}

// reached is what decided who reaches whom, by world.
var reached = map[*scenario.World]string{}

// reach is [scenario.World.Reach] without the routes within a VPC, which come and go with its addresses.
func reach(ctx context.Context, t *testing.T, w *scenario.World) string {
	t.Helper()
	text, err := w.Reach(ctx)
	succeeds(t, err)
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.HasSuffix(line, " to local") })
	return strings.Join(lines, "\n")
}

// reaching notes who reaches whom once the connection stands, and then does something. Before the first look nothing is
// there to note.
func reaching(do func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		reached[w] = reach(ctx, t, w)
		do(ctx, t, w)
	}
}

// reachedAsBefore holds a world to who reached whom when that was noted, and then does something.
func reachedAsBefore(do func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		if text := reach(ctx, t, w); text != reached[w] {
			t.Errorf("not as before: %s", difference(reached[w], text))
		}
		do(ctx, t, w)
	}
}

// tabledSubnet gives the producer's VPC on the gateway a subnet with a route table of its own.
func tabledSubnet(ctx context.Context, t *testing.T, w *scenario.World) {
	vpc := aws.String(w.ProducerNetwork.VPC)
	subnet, err := producer(w).CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc, CidrBlock: aws.String("10.1.9.0/24")})
	succeeds(t, err)
	table, err := producer(w).CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: vpc})
	succeeds(t, err)
	must(t)(producer(w).AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{SubnetId: subnet.Subnet.SubnetId, RouteTableId: table.RouteTable.RouteTableId}))
}

// everyTableLeads holds a story to a way back in each route table of the producer that a subnet uses.
func everyTableLeads(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	got, err := producer(w).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{})
	if err != nil || len(got.RouteTables) < 3 {
		t.Fatal(err, len(got.RouteTables))
	}
	used := 0
	for _, table := range got.RouteTables {
		for _, a := range table.Associations {
			if aws.ToString(a.SubnetId) == "" {
				continue
			}
			used++
			if !slices.ContainsFunc(table.Routes, func(r ec2types.Route) bool { return aws.ToString(r.TransitGatewayId) == w.Gateway }) {
				t.Errorf("%s does not lead to the gateway", aws.ToString(table.RouteTableId))
			}
		}
	}
	if used < 3 {
		t.Errorf("%d tables are used", used)
	}
}

// inThreeZones is the world of the fifth scenario with a third subnet of beta's, in which nothing is.
func inThreeZones(s *scenario.Spec) {
	onGateway(s)
	s.Producer.Subnets = append(s.Producer.Subnets, netip.MustParsePrefix("10.1.128.32/28"))
}

// ownersVPC puts the VPC of the gateway's owner on the gateway, and lets beta's ask for it before it is shared.
func ownersVPC(ctx context.Context, t *testing.T, w *scenario.World) {
	mark(ctx, t, w.Producer, w.ProducerNetwork.VPC, "drawbridge:attach", scenario.GatewayName)
	_, err := engine.Settle(ctx, 0)
	succeeds(t, err)
	succeeds(t, w.Offer(ctx))
	mark(ctx, t, w.Consumer, w.ConsumerNetwork.VPC, "drawbridge:attach", scenario.GatewayName)
}

func lend(ctx context.Context, t *testing.T, w *scenario.World) { succeeds(t, w.Lend(ctx)) }

// databaseElsewhere makes a second database of beta's, in the subnet that is in no zone of the first.
func databaseElsewhere(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(databases(w).CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{DBSubnetGroupName: aws.String("elsewhere"),
		DBSubnetGroupDescription: aws.String("another zone"), SubnetIds: w.ProducerNetwork.Subnets[2:]}))
	must(t)(databases(w).CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: aws.String("returns"), DBInstanceClass: aws.String("db.t4g.micro"),
		Engine: aws.String("mysql"), Port: aws.Int32(3309), AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("admin"), ManageMasterUserPassword: aws.Bool(true),
		DBSubnetGroupName: aws.String("elsewhere"), VpcSecurityGroupIds: []string{w.ProducerNetwork.Group},
		Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}}))
}

// inThatZone holds a story to an attachment with a subnet in each of the three zones, and to a rule for the second database.
func inThatZone(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
	admits(3309)(ctx, t, w, calls)
	got := slices.Sorted(slices.Values(attached(ctx, t, w)[0].SubnetIds))
	if want := slices.Sorted(slices.Values(w.ProducerNetwork.Subnets)); !slices.Equal(got, want) {
		t.Errorf("attached with %v, want %v", got, want)
	}
}

// shareMore shares alpha's gateway with beta, and a prefix list.
func shareMore(ctx context.Context, t *testing.T, w *scenario.World) {
	alpha := engine.Config(w.Consumer.Account, w.Consumer.Region)
	got, err := ec2.NewFromConfig(alpha).DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{})
	if err != nil || len(got.TransitGateways) != 1 {
		t.Fatal(err, len(got.TransitGateways))
	}
	list, err := ec2.NewFromConfig(alpha).CreateManagedPrefixList(ctx, &ec2.CreateManagedPrefixListInput{PrefixListName: aws.String("offices"),
		AddressFamily: aws.String("IPv4"), MaxEntries: aws.Int32(5)})
	succeeds(t, err)
	must(t)(ram.NewFromConfig(alpha).CreateResourceShare(ctx, &ram.CreateResourceShareInput{Name: aws.String("core"), Principals: []string{w.Producer.Account},
		ResourceArns: []string{aws.ToString(got.TransitGateways[0].TransitGatewayArn), aws.ToString(list.PrefixList.PrefixListArn)}}))
}

// eightDays lets the invitations to alpha's share grow old.
func eightDays(ctx context.Context, t *testing.T, w *scenario.World) {
	got, err := ram.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).GetResourceShares(ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf})
	if err != nil || len(got.ResourceShares) != 1 {
		t.Fatal(fmt.Sprint(len(got.ResourceShares), " shares"), err)
	}
	succeeds(t, engine.Age(ctx, aws.ToString(got.ResourceShares[0].ResourceShareArn), 8*24*time.Hour))
}
