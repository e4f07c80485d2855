package stories

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// rare are the stories of what is seldom needed. With tales they make every call that a function may make.
var rare = []tale{
	{
		name:  "closed-egress",
		title: "A client may reach nothing yet, and the database is an Aurora cluster",
		about: `
As in s1-peering.md, but the notebook's security group lets nothing out, a Studio domain shares it, and beta also has an
Aurora cluster with the tag drawbridge:share=true. Then the peering is deleted.`,
		prepare: closeEgress,
		acts: []act{
			request("Connected"),
			{"The owner of alpha deletes the peering.", deletePeering, []string{"Removed"}},
		},
	},
	{
		name:  "blackhole",
		title: "A dead route lies where a route has to go",
		about: `
As in s1-peering.md, but one of beta's route tables still sends 10.1.0.0/24 into a peering that was deleted long ago. It
drops its traffic, so it is replaced.`,
		prepare:   leaveBlackhole,
		acts:      []act{request("Connected")},
		connected: true,
	},
	{
		name:  "blackholes",
		title: "Dead routes of a peering of before lie around those that have to be made",
		about: `
As in s1-peering.md, but the notebook's table still has routes of a peering that was deleted long ago: to all of 10.2.0.0/16, to 10.2.0.0/22, and to 10.2.0.0/24, where one of the
database's subnets is. The wider ones lead nothing once there is a narrower one. The last would go on dropping what is for that subnet, so it is replaced as one of
the very destination would be. When the peering is deleted, they are all as they were.`,
		prepare: leaveBlackholes,
		acts: []act{
			request("Connected"),
			{"The owner of alpha tags the peering: drawbridge:manage=undo.", manageIt("undo"), []string{"Announced", "Removed"}},
		},
		struck: []int{1},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			tables, err := alphas(w).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: w.ConsumerNetwork.Tables[:1]})
			done(t, err)
			var dead []string
			for _, r := range tables.RouteTables[0].Routes {
				if r.State == ec2types.RouteStateBlackhole {
					dead = append(dead, aws.ToString(r.DestinationCidrBlock))
				}
				if aws.ToString(r.VpcPeeringConnectionId) == w.Connection {
					t.Errorf("%s still leads to %s", aws.ToString(r.DestinationCidrBlock), w.Connection)
				}
			}
			if slices.Sort(dead); !slices.Equal(dead, []string{"10.2.0.0/16", "10.2.0.0/22", "10.2.0.0/24"}) {
				t.Errorf("the dead routes are %q", dead)
			}
		},
	},
	{
		name:  "released",
		title: "A stopped notebook gives back what it no longer needs",
		about: `
As in notebook-stopped.md; then the peering is deleted. The configuration that Drawbridge made has no line left, so it is
taken off the notebook and deleted.`,
		change: func(s *scenario.Spec) {
			s.Notebook.LifecycleConfig, s.Notebook.OnStart, s.Notebook.Stopped = "", "", true
		},
		acts: []act{
			request("Connected", "InSync"),
			{"The owner of alpha deletes the peering.", deletePeering, []string{"InSync", "Removed"}},
		},
		unruly: true,
		struck: []int{2},
	},
	{
		name:  "notebook-deleted",
		title: "A notebook is deleted",
		about: `
As in s1-peering.md, but there are three notebooks, one of them stopped; its owner deletes it. SageMaker's own event starts a look at the connections of its
VPC: its path is gone from the verdict and from the ledger within that execution, without a sweep.`,
		prepare: oneStopped,
		acts: []act{
			request("Connected"),
			{"The owner of alpha deletes the notebook z-last.", deleteNotebook, []string{"Connected", "Nothing"}},
		},
		then:      map[int]func(context.Context, *testing.T, *scenario.World){1: paths(3), 2: paths(2)},
		connected: true,
	},
	{
		name:  "let-go",
		title: "An owner lets a notebook go, and the connection after it",
		about: `
As in notebook-stopped.md; then the owner takes the configuration off the notebook and forbids another. It is left alone
until the peering is deleted: then it goes with the rest.`,
		change: func(s *scenario.Spec) {
			s.Notebook.LifecycleConfig, s.Notebook.OnStart, s.Notebook.Stopped = "", "", true
		},
		acts: []act{
			request("Connected", "InSync"),
			{"The owner of alpha tags the notebook drawbridge:routes=off and takes the configuration off it.", letGo, []string{"Announced", "InSync", "Nothing"}},
			{"The owner of alpha deletes the peering.", deletePeering, []string{"Removed"}},
		},
		unruly: true,
	},
	{
		name:  "route-deleted",
		title: "An owner deletes a route of the connection",
		about: "As in s1-peering.md; then the notebook's subnet loses its route, and the notebook with it the host route. The record of the call starts a look, and both are put back.",
		acts: []act{
			request("Connected"),
			{"The owner of alpha deletes the route of the notebook's subnet.", deleteRoute, []string{"Announced", "Connected", "InSync"}},
		},
		connected: true,
	},
	{
		name:  "notebook-one-denied",
		title: "One of three notebooks cannot be served, and keeps none",
		about: `
As in s1-peering.md, but three notebooks ask for all host routes (drawbridge:routes=on). Then the owner adds a route, and a service control policy
protects the first one's lifecycle configuration. The two others are served in the same execution; the first is looked at by itself, and that
fails, until the policy is lifted and it is redriven.`,
		change:  func(s *scenario.Spec) { s.Notebook.Tags = map[string]string{"drawbridge:routes": "on"} },
		prepare: firstAndLast,
		fault:   func(*scenario.World) local.Injector { return protected(2) },
		acts: []act{
			request("Connected"),
			{"The owner of alpha leads 10.2.240.0/24 into the peering, too.", ownRoute, []string{"InSync", "Nothing", "Refused"}},
			{"The policy is lifted; the execution is redriven.", func(ctx context.Context, t *testing.T, _ *scenario.World) { redrive(ctx, t, "drawbridge-notebook") }, []string{"InSync"}},
		},
		connected: true,
		also:      allServed,
	},
	{
		name:  "liar-notebook",
		title: "An event names a notebook as none can be called",
		about: "As in liar.md, but the event is about a notebook.",
		acts: []act{
			{"The owner of alpha puts an event about the notebook $(reboot) on the default bus.", lieOfNotebook, []string{"Invalid"}},
		},
		also: changesNothing,
	},
}

// firstAndLast makes a notebook on either side of the story's, by name, each with a configuration of its name.
func firstAndLast(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	alpha := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	for _, name := range []string{"a-first", "z-last"} {
		must(t)(alpha.CreateNotebookInstanceLifecycleConfig(ctx, &sagemaker.CreateNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: &name}))
		must(t)(alpha.CreateNotebookInstance(ctx, &sagemaker.CreateNotebookInstanceInput{NotebookInstanceName: &name, InstanceType: sagemakertypes.InstanceTypeMlT3Medium,
			RoleArn: aws.String(w.RoleARN("notebook")), LifecycleConfigName: &name,
			SubnetId: aws.String(w.ConsumerNetwork.Subnets[0]), SecurityGroupIds: []string{w.ConsumerNetwork.Group}, DirectInternetAccess: sagemakertypes.DirectInternetAccessEnabled,
			Tags: []sagemakertypes.Tag{{Key: aws.String("drawbridge:routes"), Value: aws.String("on")}}}))
	}
	until(ctx, t, 0)
}

// protected denies the Notebook machine the first so many changes of the first notebook's configuration, in the words of a service control policy.
func protected(times int32) local.Injector {
	var denied atomic.Int32
	return func(c awscall.Call, when local.Moment) *local.Fault {
		if when != local.Before || c.Function != "drawbridge-attach-routes" || c.Action != "UpdateNotebookInstanceLifecycleConfig" || c.Resource != "a-first" || denied.Add(1) > times {
			return nil
		}
		return &local.Fault{Status: 400, Code: "AccessDeniedException", Message: "explicit deny in a service control policy"}
	}
}

// ownRoute leads more of beta into the peering, where the notebooks are.
func ownRoute(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	must(t)(ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).CreateRoute(ctx, &ec2.CreateRouteInput{
		RouteTableId: &w.ConsumerNetwork.Tables[0], DestinationCidrBlock: aws.String("10.2.240.0/24"), VpcPeeringConnectionId: &w.Connection}))
}

// allServed holds a story to three notebooks that all have the host route of [ownRoute].
func allServed(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	t.Helper()
	alpha := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	for _, name := range []string{"a-first", w.Notebook.LifecycleConfig, "z-last"} {
		got, err := alpha.DescribeNotebookInstanceLifecycleConfig(ctx, &sagemaker.DescribeNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: &name})
		succeeds(t, err)
		if script, err := base64.StdEncoding.DecodeString(aws.ToString(got.OnStart[0].Content)); err != nil || !strings.Contains(string(script), "10.2.240.0/24") {
			t.Errorf("configuration %s lacks the host route (%v)", name, err)
		}
	}
}

// lieOfNotebook puts an event about a notebook whose name is none.
func lieOfNotebook(ctx context.Context, t *testing.T, w *scenario.World) {
	client := eventbridge.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	out, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventbridgetypes.PutEventsRequestEntry{{
		Source: aws.String("aws.sagemaker"), DetailType: aws.String("SageMaker Notebook Instance State Change"),
		Detail: aws.String(`{"NotebookInstanceName": "$(reboot)", "NotebookInstanceStatus": "Stopped"}`),
	}}})
	if err != nil || out.FailedEntryCount > 0 {
		t.Fatal(err, out)
	}
}

// closeEgress lets the consumer's notebooks reach nothing, and gives beta an Aurora cluster.
func closeEgress(ctx context.Context, t *testing.T, w *scenario.World) {
	alpha := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	groups, err := alpha.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{w.ConsumerNetwork.Group}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alpha.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{
		GroupId: aws.String(w.ConsumerNetwork.Group), IpPermissions: groups.SecurityGroups[0].IpPermissionsEgress,
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).CreateDomain(ctx, &sagemaker.CreateDomainInput{
		DomainName: aws.String("studio"), AuthMode: sagemakertypes.AuthModeIam, VpcId: aws.String(w.ConsumerNetwork.VPC),
		SubnetIds: w.ConsumerNetwork.Subnets[:1], AppNetworkAccessType: sagemakertypes.AppNetworkAccessTypeVpcOnly,
		DefaultUserSettings: &sagemakertypes.UserSettings{
			ExecutionRole:  aws.String("arn:aws:iam::" + w.Consumer.Account + ":role/studio"),
			SecurityGroups: []string{w.ConsumerNetwork.Group},
		},
	}); err != nil {
		t.Fatal(err)
	}
	beta := rds.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	if _, err := beta.CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{
		DBSubnetGroupName: aws.String("ledger-subnets"), DBSubnetGroupDescription: aws.String("where ledger lives"),
		SubnetIds: w.ProducerNetwork.Subnets[:2],
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := beta.CreateDBCluster(ctx, &rds.CreateDBClusterInput{
		DBClusterIdentifier: aws.String("ledger"), Engine: aws.String("aurora-mysql"), Port: aws.Int32(3306),
		MasterUsername: aws.String("admin"), ManageMasterUserPassword: aws.Bool(true),
		DBSubnetGroupName: aws.String("ledger-subnets"), VpcSecurityGroupIds: []string{w.ProducerNetwork.Group},
		Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}},
	}); err != nil {
		t.Fatal(err)
	}
}

// leaveBlackhole leaves a route to the consumer's addresses in one of beta's tables, through a peering that is gone.
// That peering was with a stranger, and the route does not lead to the stranger's own addresses, so Drawbridge had
// nothing to do with either.
func leaveBlackhole(ctx context.Context, t *testing.T, w *scenario.World) {
	deadRoutes(ctx, t, w.Producer, w.ProducerNetwork.VPC, w.ProducerNetwork.Tables[1], back(w))
}

// leaveBlackholes leaves dead routes in the notebook's table, wider and narrower than what the database's subnets have together.
func leaveBlackholes(ctx context.Context, t *testing.T, w *scenario.World) {
	deadRoutes(ctx, t, w.Consumer, w.ConsumerNetwork.VPC, w.ConsumerNetwork.Tables[0], "10.2.0.0/16", "10.2.0.0/22", "10.2.0.0/24")
}

// deadRoutes makes routes of a table to a peering with a stranger that is deleted then.
func deadRoutes(ctx context.Context, t *testing.T, h scenario.Home, vpc, table string, destinations ...string) {
	t.Helper()
	old, owner := ec2.NewFromConfig(engine.Config(stranger, h.Region)), ec2.NewFromConfig(engine.Config(h.Account, h.Region))
	theirs, err := old.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.9.0.0/16")})
	done(t, err)
	peering, err := old.CreateVpcPeeringConnection(ctx, &ec2.CreateVpcPeeringConnectionInput{VpcId: theirs.Vpc.VpcId, PeerVpcId: &vpc, PeerOwnerId: &h.Account})
	done(t, err)
	id := peering.VpcPeeringConnection.VpcPeeringConnectionId
	_, err = owner.AcceptVpcPeeringConnection(ctx, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
	done(t, err)
	for _, d := range destinations {
		_, err = owner.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &table, DestinationCidrBlock: &d, VpcPeeringConnectionId: id})
		done(t, err)
	}
	_, err = old.DeleteVpcPeeringConnection(ctx, &ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
	done(t, err)
	tables, err := owner.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{table}})
	done(t, err)
	dead := slices.DeleteFunc(tables.RouteTables[0].Routes, func(r ec2types.Route) bool { return r.State != ec2types.RouteStateBlackhole })
	if len(dead) != len(destinations) {
		t.Fatalf("%s has %d blackholes", table, len(dead))
	}
}

func deletePeering(ctx context.Context, t *testing.T, w *scenario.World) {
	alpha := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	if _, err := alpha.DeleteVpcPeeringConnection(ctx, &ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: aws.String(w.Connection)}); err != nil {
		t.Fatal(err)
	}
}

// oneStopped is firstAndLast, and stops the last one.
func oneStopped(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	firstAndLast(ctx, t, w)
	must(t)(sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).StopNotebookInstance(ctx, &sagemaker.StopNotebookInstanceInput{NotebookInstanceName: aws.String("z-last")}))
}

func deleteNotebook(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	must(t)(sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).DeleteNotebookInstance(ctx, &sagemaker.DeleteNotebookInstanceInput{NotebookInstanceName: aws.String("z-last")}))
}

// paths asks the ledger how many paths the connection has.
func paths(want int) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		entry, _, err := book().Connection(ctx, w.Connection)
		if err != nil || entry.Paths.All != want || entry.Paths.Whole != want {
			t.Errorf("the ledger has %+v, %v, want %d paths", entry.Paths, err, want)
		}
	}
}

func deleteRoute(ctx context.Context, t *testing.T, w *scenario.World) {
	alpha := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	if _, err := alpha.DeleteRoute(ctx, &ec2.DeleteRouteInput{
		RouteTableId: aws.String(w.ConsumerNetwork.Tables[0]), DestinationCidrBlock: aws.String(there(w)),
	}); err != nil {
		t.Fatal(err)
	}
}

func letGo(ctx context.Context, t *testing.T, w *scenario.World) {
	alpha := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	notebook, err := alpha.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: aws.String(w.Notebook.Name)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alpha.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: notebook.NotebookInstanceArn,
		Tags: []sagemakertypes.Tag{{Key: aws.String("drawbridge:routes"), Value: aws.String("off")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := alpha.UpdateNotebookInstance(ctx, &sagemaker.UpdateNotebookInstanceInput{
		NotebookInstanceName: aws.String(w.Notebook.Name), DisassociateLifecycleConfig: aws.Bool(true),
	}); err != nil {
		t.Fatal(err)
	}
}
