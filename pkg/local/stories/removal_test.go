package stories

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// removals are the stories about peerings that are over.
var removals = []tale{
	{
		name:  "one-account",
		title: "Two VPCs of one account and Region are connected",
		about: `
As in s1-peering.md, but both VPCs are of one account, in one Region: the peering is requested and accepted there, and both sides of every step are there. Each VPC
gets what its side needs, and the ledger tells the two apart. Then the peering is deleted, and the account is, byte for byte, what it was before.`,
		change:  func(s *scenario.Spec) { s.Producer.Account = s.Consumer.Account },
		prepare: remember,
		unruly:  true, // both sides of a step are in one account, whichever comes first
		acts: []act{
			request("Connected"),
			{"The owner of the account deletes the peering.", remove(false), []string{"Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){1: func(ctx context.Context, t *testing.T, w *scenario.World) {
			if verdict, err := w.Verdict(ctx); err != nil || !scenario.Holds(verdict) {
				t.Errorf("%v, %+v", err, verdict)
			}
		}},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			asBefore(ctx, t, w, w.Consumer)
		},
	},
	{
		name:  "removed-without-notebook",
		title: "The peering is deleted after the only notebook, whose script is kept",
		about: `
As in s1-peering.md. Then the owner of alpha stops and deletes the notebook, keeps its lifecycle configuration for the next one, and deletes the
peering. No notebook tells of the script any more, but the ledger does: the script is, byte for byte, what it was before.`,
		acts: []act{
			request("Connected"),
			{"The owner of alpha deletes the notebook; the events are lost.", onlyTheScriptStays, nil},
			{"The owner of alpha deletes the peering.", remove(false), []string{"Removed"}},
			{"The owner of alpha makes the next notebook with it; the events are lost.", nextNotebook(0), nil},
		},
		also: scriptAsBefore,
	},
	{
		name:  "removed-without-subnet",
		title: "The peering is deleted after the notebook and its subnet, and the script is kept",
		about: `
As in removed-without-notebook.md, but the owner of alpha deletes the notebook's subnet, too. The connection's entry tells of the subnet: the script is, byte for byte, what it was before.`,
		acts: []act{
			request("Connected"),
			{"The owner of alpha deletes the notebook and its subnet; the events are lost.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				onlyTheScriptStays(ctx, t, w)
				silently(ctx, t, w, func() {
					must(t)(alphas(w).DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: &w.ConsumerNetwork.Subnets[0]}))
				})
			}, nil},
			{"The owner of alpha deletes the peering.", remove(false), []string{"Removed"}},
			{"The owner of alpha makes the next notebook with it in another subnet; the events are lost.", nextNotebook(1), nil},
		},
		unruly: true, // what is read of the world at the end has no such subnet
		also:   scriptAsBefore,
	},
	{
		name:  "removed-by-requester",
		title: "The requester deletes the peering",
		about: `
As in s1-peering.md. Then the owner of alpha deletes the peering, and everything that Drawbridge added goes: both
accounts are afterwards, byte for byte, what they were before.`,
		prepare: remember,
		acts: []act{
			request("Connected"),
			{"The owner of alpha deletes the peering.", remove(false), []string{"Removed"}},
			{"The event is delivered again: there is nothing left to do.", again(nil), []string{"Nothing"}},
		},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
			asBefore(ctx, t, w, w.Consumer, w.Producer)
			changesNothingTheSecondTime(ctx, t, w, calls)
		},
		struck: []int{2},
	},
	{
		name:  "removed-by-accepter",
		title: "The accepter deletes the peering, among things of their own",
		about: `
As in s1-peering.md. Then the owner of beta adds a route through the peering for a part of alpha, another through it
to a prefix list, and a rule for the same traffic as Drawbridge's; sends 10.1.0.0/24 into a VPN in one table instead;
and deletes the peering. What the owner added and replaced stays; all else is as before.`,
		prepare: remember,
		acts: []act{
			request("Connected"),
			{"The owner of beta adds a rule for the same traffic, and one for more.", ownRule, []string{"Nothing"}},
			{"The owner of beta sends 10.1.0.0/24 into a VPN in one table.", intoVPN, []string{"Announced", "Conflict", "Nothing"}},
			{"The owner of beta adds a route through the peering for a part of alpha.", narrower, []string{"Nothing", "Nothing"}},
			{"The owner of beta adds a route through the peering to a prefix list.", listed, []string{"Nothing", "Nothing"}},
			{"The owner of beta deletes the peering.", remove(true), []string{"Removed"}},
		},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			asBefore(ctx, t, w, w.Consumer)
			got := strings.Split(snapshot(ctx, t, w, w.Producer), "\n")
			before := strings.Split(remembered[w][w.Producer.Account], "\n")
			var added []string
			for _, line := range got {
				if !slices.Contains(before, line) {
					added = append(added, line)
				}
			}
			for _, line := range before {
				if !slices.Contains(got, line) {
					t.Errorf("%q is gone", line)
				}
			}
			if len(added) != 4 {
				t.Errorf("besides what was there before, beta has\n%s\nwant the owner's three routes and one rule", strings.Join(added, "\n"))
			}
			for _, line := range added {
				if strings.Contains(line, "drawbridge") {
					t.Errorf("%q stays", line)
				}
			}
		},
	},
	{
		name:    "rejected",
		title:   "The accepter rejects a request",
		about:   "As in approval.md, but the owner of beta rejects the request with a call of their own.",
		change:  func(s *scenario.Spec) { s.Accept = "" },
		prepare: remember,
		acts: []act{
			request("AwaitingApproval"),
			{"The owner of beta calls ec2 RejectVpcPeeringConnection.", reject, []string{"Rejected"}},
		},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			asBefore(ctx, t, w, w.Consumer, w.Producer)
		},
		struck: []int{2},
	},
	{
		name:    "withdrawn",
		title:   "The requester withdraws a request",
		about:   "As in approval.md, but the owner of alpha deletes the request before anybody answers it.",
		change:  func(s *scenario.Spec) { s.Accept = "" },
		prepare: remember,
		acts: []act{
			request("AwaitingApproval"),
			{"The owner of alpha deletes the pending peering.", remove(false), []string{"Withdrawn"}},
		},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			asBefore(ctx, t, w, w.Consumer, w.Producer)
		},
	},
	{
		name:  "one-side-gone",
		title: "One side lets nobody in any more",
		about: `
As in s1-peering.md. Then the owner of beta deletes the stack drawbridge-member, and the owner of alpha the peering. What
was added in alpha goes; the result names beta, where it stays.`,
		prepare: remember,
		acts: []act{
			request("Connected"),
			{"The owner of beta deletes the stack drawbridge-member.", leave, nil},
			{"The owner of alpha deletes the peering.", remove(false), []string{"Removed"}},
		},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			asBefore(ctx, t, w, w.Consumer)
		},
		struck: []int{3},
	},
}

// remembered is what the accounts of a world were before its story.
var remembered = map[*scenario.World]map[string]string{}

func remember(ctx context.Context, t *testing.T, w *scenario.World) {
	remembered[w] = map[string]string{}
	for _, h := range []scenario.Home{w.Consumer, w.Producer} {
		remembered[w][h.Account] = snapshot(ctx, t, w, h)
	}
}

// asBefore holds accounts to what was remembered of them.
func asBefore(ctx context.Context, t *testing.T, w *scenario.World, homes ...scenario.Home) {
	t.Helper()
	for _, h := range homes {
		before, now := remembered[w][h.Account], snapshot(ctx, t, w, h)
		if len(before) == 0 {
			t.Fatalf("nothing is remembered of %s", h.Name)
		}
		if before != now {
			t.Errorf("%s is not what it was: %s", h.Name, difference(before, now))
		}
	}
}

// snapshot reads, as its owner, everything in an account that Drawbridge may change, and what is near it: routes, rules
// with their tags, network ACLs, lifecycle configurations, notebooks, and the tags of all of them and of the peerings.
func snapshot(ctx context.Context, t *testing.T, w *scenario.World, h scenario.Home) string {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	text := aws.ToString
	cloud, notebooks := ec2.NewFromConfig(engine.Config(h.Account, h.Region)), sagemaker.NewFromConfig(engine.Config(h.Account, h.Region))
	tables, err := cloud.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{})
	must(err)
	for _, table := range tables.RouteTables {
		for _, r := range table.Routes {
			add("%s %s%s%s → %s%s %s", text(table.RouteTableId), text(r.DestinationCidrBlock), text(r.DestinationIpv6CidrBlock), text(r.DestinationPrefixListId),
				text(r.GatewayId), text(r.VpcPeeringConnectionId), r.State)
		}
		for _, tag := range table.Tags {
			add("%s tag %s=%s", text(table.RouteTableId), text(tag.Key), text(tag.Value))
		}
	}
	groups, err := cloud.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
	must(err)
	for _, g := range groups.SecurityGroups {
		add("%s %s %v", text(g.GroupId), text(g.GroupName), tagTexts(g.Tags))
	}
	acls, err := cloud.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{})
	must(err)
	for _, a := range acls.NetworkAcls {
		for _, e := range a.Entries {
			add("%s entry egress=%v %d %s %s%s %s", text(a.NetworkAclId), aws.ToBool(e.Egress), aws.ToInt32(e.RuleNumber), text(e.Protocol),
				text(e.CidrBlock), text(e.Ipv6CidrBlock), e.RuleAction)
		}
	}
	vpcs, err := cloud.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
	must(err)
	for _, v := range vpcs.Vpcs {
		add("%s %v", text(v.VpcId), tagTexts(v.Tags))
	}
	rules, err := cloud.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{})
	must(err)
	for _, r := range rules.SecurityGroupRules {
		add("%s rule egress=%v %s %d-%d %s %s %v", text(r.GroupId), aws.ToBool(r.IsEgress), text(r.IpProtocol), aws.ToInt32(r.FromPort), aws.ToInt32(r.ToPort),
			text(r.CidrIpv4), text(r.Description), tagTexts(r.Tags))
	}
	peerings, err := cloud.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{})
	must(err)
	for _, p := range peerings.VpcPeeringConnections {
		for _, tag := range tagTexts(p.Tags) {
			add("peering tag %s", tag)
		}
	}
	configurations, err := notebooks.ListNotebookInstanceLifecycleConfigs(ctx, &sagemaker.ListNotebookInstanceLifecycleConfigsInput{})
	must(err)
	for _, c := range configurations.NotebookInstanceLifecycleConfigs {
		script, err := w.OnStart(ctx, text(c.NotebookInstanceLifecycleConfigName))
		must(err)
		for _, line := range strings.Split(script, "\n") {
			add("configuration %s: %s", text(c.NotebookInstanceLifecycleConfigName), line)
		}
	}
	instances, err := notebooks.ListNotebookInstances(ctx, &sagemaker.ListNotebookInstancesInput{})
	must(err)
	for _, n := range instances.NotebookInstances {
		tags, err := notebooks.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: n.NotebookInstanceArn})
		must(err)
		add("notebook %s %s %s", text(n.NotebookInstanceName), text(n.NotebookInstanceLifecycleConfigName), n.NotebookInstanceStatus)
		for _, tag := range tags.Tags {
			add("notebook %s tag %s=%s", text(n.NotebookInstanceName), text(tag.Key), text(tag.Value))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func tagTexts(tags []ec2types.Tag) []string {
	var out []string
	for _, tag := range tags {
		out = append(out, aws.ToString(tag.Key)+"="+aws.ToString(tag.Value))
	}
	slices.Sort(out)
	return out
}

// remove deletes the peering, as the requester or the accepter.
func remove(accepter bool) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		home := w.Consumer
		if accepter {
			home = w.Producer
		}
		client := ec2.NewFromConfig(engine.Config(home.Account, home.Region))
		if _, err := client.DeleteVpcPeeringConnection(ctx, &ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: &w.Connection}); err != nil {
			t.Fatal(err)
		}
	}
}

func reject(ctx context.Context, t *testing.T, w *scenario.World) {
	client := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	if _, err := client.RejectVpcPeeringConnection(ctx, &ec2.RejectVpcPeeringConnectionInput{VpcPeeringConnectionId: &w.Connection}); err != nil {
		t.Fatal(err)
	}
}

// leave deletes the member's stack, as the producer, and with it every role that lets Drawbridge in.
func leave(ctx context.Context, t *testing.T, w *scenario.World) {
	client := cloudformation.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	if _, err := client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String("drawbridge-member")}); err != nil {
		t.Fatal(err)
	}
}

// What the neighbours' tools were seen to destroy: a route that its owner replaced meanwhile, routes of the owner's
// through the same peering, and a rule for the same traffic.

func ownRule(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := producer(w).AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &w.ProducerNetwork.Group,
		IpPermissions: []ec2types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3306), ToPort: aws.Int32(3307),
			IpRanges: []ec2types.IpRange{{CidrIp: aws.String(w.Consumer.CIDR.String()), Description: aws.String("mine")}}}}})
	done(t, err)
}

func intoVPN(ctx context.Context, t *testing.T, w *scenario.World) {
	gateway, err := producer(w).CreateVpnGateway(ctx, &ec2.CreateVpnGatewayInput{Type: ec2types.GatewayTypeIpsec1})
	done(t, err)
	id := gateway.VpnGateway.VpnGatewayId
	_, err = producer(w).AttachVpnGateway(ctx, &ec2.AttachVpnGatewayInput{VpcId: &w.ProducerNetwork.VPC, VpnGatewayId: id})
	done(t, err)
	_, err = producer(w).ReplaceRoute(ctx, &ec2.ReplaceRouteInput{RouteTableId: &w.ProducerNetwork.Tables[0],
		DestinationCidrBlock: aws.String(back(w)), GatewayId: id})
	done(t, err)
}

func narrower(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := producer(w).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &w.ProducerNetwork.Tables[1],
		DestinationCidrBlock: aws.String(netip.PrefixFrom(w.Consumer.Subnets[1].Addr(), 25).String()), VpcPeeringConnectionId: &w.Connection})
	done(t, err)
}

func listed(ctx context.Context, t *testing.T, w *scenario.World) {
	list, err := producer(w).CreateManagedPrefixList(ctx, &ec2.CreateManagedPrefixListInput{PrefixListName: aws.String("alpha"), MaxEntries: aws.Int32(1),
		AddressFamily: aws.String("IPv4"), Entries: []ec2types.AddPrefixListEntry{{Cidr: aws.String(w.Consumer.CIDR.String())}}})
	done(t, err)
	_, err = producer(w).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &w.ProducerNetwork.Tables[2],
		DestinationPrefixListId: list.PrefixList.PrefixListId, VpcPeeringConnectionId: &w.Connection})
	done(t, err)
}

func producer(w *scenario.World) *ec2.Client {
	return ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
}

func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// onlyTheScriptStays deletes the notebook, and no event tells of it.
func onlyTheScriptStays(ctx context.Context, t *testing.T, w *scenario.World) {
	client := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	silently(ctx, t, w, func() {
		must(t)(client.StopNotebookInstance(ctx, &sagemaker.StopNotebookInstanceInput{NotebookInstanceName: &w.Notebook.Name}))
		_, err := engine.Settle(ctx, 0)
		succeeds(t, err)
		must(t)(client.DeleteNotebookInstance(ctx, &sagemaker.DeleteNotebookInstanceInput{NotebookInstanceName: &w.Notebook.Name}))
	})
}

// nextNotebook makes the notebook anew in one of alpha's subnets, with the same lifecycle configuration, and no event tells of it.
func nextNotebook(subnet int) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		client := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
		silently(ctx, t, w, func() {
			must(t)(client.CreateNotebookInstance(ctx, &sagemaker.CreateNotebookInstanceInput{
				NotebookInstanceName: &w.Notebook.Name, InstanceType: "ml.t3.medium", RoleArn: aws.String("arn:aws:iam::" + w.Consumer.Account + ":role/next"),
				SubnetId: aws.String(w.ConsumerNetwork.Subnets[subnet]), LifecycleConfigName: &w.Notebook.LifecycleConfig}))
			_, err := engine.Settle(ctx, 0)
			succeeds(t, err)
		})
	}
}

// scriptAsBefore holds the script of a notebook that was deleted to what its owner wrote.
func scriptAsBefore(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	got, err := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).DescribeNotebookInstanceLifecycleConfig(ctx,
		&sagemaker.DescribeNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: &w.Notebook.LifecycleConfig})
	if err != nil {
		t.Fatal(err)
	}
	script, err := base64.StdEncoding.DecodeString(aws.ToString(got.OnStart[0].Content))
	if err != nil || string(script) != w.Notebook.OnStart {
		t.Errorf("the script is not what it was: %v\n%s", err, script)
	}
}
