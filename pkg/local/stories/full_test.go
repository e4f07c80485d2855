package stories

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// fullWorld is two accounts as they are: full of what people made by hand before anybody thought of Drawbridge.
type fullWorld struct {
	consumer, producer, network string // accounts
	guest                       string // has a notebook in a subnet that the consumer shares; empty if there is none
	// office and sales are connected by a peering made by hand, with one table on each side on purpose.
	office, sales, stock, fresh fullVPC
	gateway                     string
}

type fullVPC struct {
	account, id, cidr, group string
	subnets, tables          []string
}

// In a full organization Drawbridge changes nothing but what it is asked for, and takes exactly that back. What was there is the
// same, byte for byte, after a sweep, a policy that forbids everything, its return, a new request with all that it adds, and its end.
func TestAFullWorldStaysAsItIs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	w := &fullWorld{consumer: "333333330001", producer: "333333330002", network: "333333330003", guest: "333333330004"}
	hear := w.unheard(ctx, t)
	w.build(ctx, t)
	w.corporate(ctx, t)
	settle(ctx, t, 0)
	hear()
	before := w.all(ctx, t)
	same := func(when string) {
		t.Helper()
		if now := w.all(ctx, t); now != before {
			was, is := strings.Split(before, "\n"), strings.Split(now, "\n")
			t.Errorf("%s, something of somebody's is not as it was.\nIt was:\n%s\nIt is:\n%s", when, strings.Join(lacking(was, is), "\n"), strings.Join(lacking(is, was), "\n"))
		}
	}

	everywhere := workflow.Sweep{Accounts: w.accounts(), Regions: []string{engine.Region()}}
	sweep(ctx, t, everywhere)
	settle(ctx, t, 1)
	same("after the first sweep")

	forbidden := fmt.Sprintf("\n@id(\"nobody\")\nforbid (principal, action, resource) when { [%q, %q].contains(principal.account) };", w.consumer, w.producer)
	edit(ctx, t, func(text string) string { return text + forbidden })
	t.Cleanup(func() {
		edit(context.Background(), t, func(text string) string { return strings.ReplaceAll(text, forbidden, "") })
	})
	sweep(ctx, t, everywhere)
	settle(ctx, t, 1)
	same("after a policy that forbids everything")

	edit(ctx, t, func(text string) string { return strings.ReplaceAll(text, forbidden, "") })
	sweep(ctx, t, everywhere)
	settle(ctx, t, 1)
	same("after its return")

	// A notebook starts, behind a table that leads through the peering made by hand.
	notebooks := sagemaker.NewFromConfig(engine.Config(w.consumer, engine.Region()))
	_, err := notebooks.StopNotebookInstance(ctx, &sagemaker.StopNotebookInstanceInput{NotebookInstanceName: aws.String("lena")})
	done(t, err)
	settle(ctx, t, 1)
	_, err = notebooks.StartNotebookInstance(ctx, &sagemaker.StartNotebookInstanceInput{NotebookInstanceName: aws.String("lena")})
	done(t, err)
	settle(ctx, t, 1)
	same("after a notebook was started")

	// Now somebody asks: a new VPC of the consumer for the database in a VPC that is full of others' things.
	client := w.ec2(w.consumer)
	asked, err := client.CreateVpcPeeringConnection(ctx, &ec2.CreateVpcPeeringConnectionInput{VpcId: &w.fresh.id, PeerVpcId: &w.sales.id, PeerOwnerId: &w.producer})
	done(t, err)
	settle(ctx, t, 1)
	peering := aws.ToString(asked.VpcPeeringConnection.VpcPeeringConnectionId)
	if now := w.all(ctx, t); !strings.Contains(now, peering) {
		t.Fatalf("the request of %s changed nothing: this test shows nothing", peering)
	}
	sweep(ctx, t, everywhere)
	settle(ctx, t, 1)
	_, err = client.DeleteVpcPeeringConnection(ctx, &ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: &peering})
	done(t, err)
	settle(ctx, t, 1)
	same("after a request and its end")
	// The unit of the guest denies a Region: that is no reason to change anything, there or elsewhere.
	var refuses local.Injector = func(c awscall.Call, when local.Moment) *local.Fault {
		if when != local.Before || c.Account != w.guest || c.Region != denied || c.Service == "sts" {
			return nil
		}
		return &local.Fault{Status: 403, Code: "UnauthorizedOperation", Message: "User: somebody is not authorized to perform: " + c.Name() + " with an explicit deny in a service control policy"}
	}
	injector.Store(&refuses)
	t.Cleanup(func() { injector.Store(nil) })
	everywhere.Regions = append(everywhere.Regions, denied)
	sweep(ctx, t, everywhere)
	settle(ctx, t, 1)
	same("after the last sweep")
}

// settle waits until at least n executions have ended and none is under way.
func settle(ctx context.Context, t *testing.T, n int) {
	t.Helper()
	if _, err := engine.Settle(ctx, n); err != nil {
		t.Fatal(err)
	}
	engine.Story().Begin()
}

func (w *fullWorld) ec2(account string) *ec2.Client {
	return ec2.NewFromConfig(engine.Config(account, engine.Region()))
}

// unheard switches the forwarding rules of the accounts off, as before Drawbridge was deployed, and returns what switches them on.
func (w *fullWorld) unheard(ctx context.Context, t *testing.T) func() {
	t.Helper()
	var on []func()
	for _, account := range w.accounts() {
		client := eventbridge.NewFromConfig(engine.Config(account, engine.Region()))
		if _, err := w.ec2(account).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{}); err != nil { // an account is welcomed by its first call
			t.Fatal(err)
		}
		rules, err := client.ListRules(ctx, &eventbridge.ListRulesInput{NamePrefix: aws.String("drawbridge-forward")})
		done(t, err)
		if len(rules.Rules) == 0 {
			t.Fatalf("%s has no forwarding rules", account)
		}
		for _, r := range rules.Rules {
			_, err := client.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: r.Name})
			done(t, err)
			on = append(on, func() {
				_, err := client.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: r.Name})
				done(t, err)
			})
		}
	}
	return func() {
		for _, f := range on {
			f()
		}
	}
}

func (w *fullWorld) build(ctx context.Context, t *testing.T) {
	t.Helper()
	w.office = w.vpc(ctx, t, w.consumer, "10.60.0.0/16", nil)
	w.fresh = w.vpc(ctx, t, w.consumer, "10.63.0.0/16", nil)
	w.sales = w.vpc(ctx, t, w.producer, "10.61.0.0/16", map[string]string{"drawbridge:accept": "auto"})
	w.stock = w.vpc(ctx, t, w.producer, "10.62.0.0/16", map[string]string{"drawbridge:accept": "auto"})
	route := func(v fullVPC, table int, to string, target func(*ec2.CreateRouteInput)) {
		in := &ec2.CreateRouteInput{RouteTableId: &v.tables[table], DestinationCidrBlock: &to}
		target(in)
		_, err := w.ec2(v.account).CreateRoute(ctx, in)
		done(t, err)
	}
	// A peering made by hand: one table on each side, DNS off, a rule for a part of the other VPC.
	hand := w.peer(ctx, t, w.office, w.sales)
	through := func(in *ec2.CreateRouteInput) { in.VpcPeeringConnectionId = &hand }
	route(w.office, 0, w.sales.cidr, through)
	route(w.sales, 0, w.office.cidr, through)
	w.admit(ctx, t, w.sales, 3306, "10.60.0.0/24")
	// Another one, whose routes somebody forgot, with a dead route of one that is gone, and a wide one.
	second := w.peer(ctx, t, w.office, w.stock)
	route(w.office, 1, w.stock.cidr, func(in *ec2.CreateRouteInput) { in.VpcPeeringConnectionId = &second })
	route(w.stock, 0, "10.60.0.0/15", func(in *ec2.CreateRouteInput) { in.VpcPeeringConnectionId = &second })
	gone := w.peer(ctx, t, w.fresh, w.stock)
	route(w.stock, 1, w.fresh.cidr, func(in *ec2.CreateRouteInput) { in.VpcPeeringConnectionId = &gone })
	_, err := w.ec2(w.consumer).DeleteVpcPeeringConnection(ctx, &ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: &gone})
	done(t, err)
	// A gateway of the network team: two attachments, of which one is kept in quarantine: associated with nothing.
	network := w.ec2(w.network)
	gateway, err := network.CreateTransitGateway(ctx, &ec2.CreateTransitGatewayInput{Description: aws.String("backbone")})
	done(t, err)
	w.gateway = aws.ToString(gateway.TransitGateway.TransitGatewayId)
	_, err = ram.NewFromConfig(engine.Config(w.network, engine.Region())).CreateResourceShare(ctx, &ram.CreateResourceShareInput{
		Name: aws.String("backbone"), ResourceArns: []string{aws.ToString(gateway.TransitGateway.TransitGatewayArn)}, Principals: []string{w.consumer, w.producer}})
	done(t, err)
	for _, v := range []fullVPC{w.office, w.stock} {
		got, err := w.ec2(v.account).CreateTransitGatewayVpcAttachment(ctx, &ec2.CreateTransitGatewayVpcAttachmentInput{TransitGatewayId: &w.gateway, VpcId: &v.id, SubnetIds: v.subnets[:1]})
		done(t, err)
		id := got.TransitGatewayVpcAttachment.TransitGatewayAttachmentId
		_, err = network.AcceptTransitGatewayVpcAttachment(ctx, &ec2.AcceptTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: id})
		done(t, err)
		w.available(ctx, t, v.account, *id)
		if v.id == w.stock.id {
			table := gateway.TransitGateway.Options.AssociationDefaultRouteTableId
			_, err = network.DisassociateTransitGatewayRouteTable(ctx, &ec2.DisassociateTransitGatewayRouteTableInput{TransitGatewayAttachmentId: id, TransitGatewayRouteTableId: table})
			done(t, err)
			_, err = network.DisableTransitGatewayRouteTablePropagation(ctx, &ec2.DisableTransitGatewayRouteTablePropagationInput{TransitGatewayAttachmentId: id, TransitGatewayRouteTableId: table})
			done(t, err)
		}
	}
	// Databases that are shared with everybody, in one group with others.
	databases := rds.NewFromConfig(engine.Config(w.producer, engine.Region()))
	for n, v := range []fullVPC{w.sales, w.stock} {
		name := fmt.Sprintf("books-%d", n+1)
		_, err := databases.CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{DBSubnetGroupName: &name, DBSubnetGroupDescription: &name, SubnetIds: v.subnets})
		done(t, err)
		_, err = databases.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: &name, DBInstanceClass: aws.String("db.t4g.micro"), Engine: aws.String("mysql"),
			Port: aws.Int32(3306), AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("admin"), ManageMasterUserPassword: aws.Bool(true), DBSubnetGroupName: &name,
			VpcSecurityGroupIds: []string{v.group}, Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}})
		done(t, err)
	}
	// Notebooks with scripts of their owners, and one without.
	notebooks := sagemaker.NewFromConfig(engine.Config(w.consumer, engine.Region()))
	for name, script := range map[string]string{"lena": "#!/bin/bash\nset -e\necho mine\nexit 0\n", "paul": "#!/bin/bash\r\necho mine\r\n", "vera": ""} {
		in := &sagemaker.CreateNotebookInstanceInput{NotebookInstanceName: aws.String(name), InstanceType: sagemakertypes.InstanceTypeMlT3Medium,
			RoleArn: aws.String("arn:aws:iam::" + w.consumer + ":role/team"), SubnetId: &w.office.subnets[0], SecurityGroupIds: []string{w.office.group}}
		if script != "" {
			_, err := notebooks.CreateNotebookInstanceLifecycleConfig(ctx, &sagemaker.CreateNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: aws.String(name),
				OnStart: []sagemakertypes.NotebookInstanceLifecycleHook{{Content: aws.String(base64.StdEncoding.EncodeToString([]byte(script)))}}})
			done(t, err)
			in.LifecycleConfigName = aws.String(name)
		}
		_, err := notebooks.CreateNotebookInstance(ctx, in)
		done(t, err)
	}
	roles := iam.NewFromConfig(engine.Config(w.consumer, engine.Region()))
	_, err = roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("team"), AssumeRolePolicyDocument: aws.String(`{ "Version":"2012-10-17", "Statement":[ {"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"} ] }`)})
	done(t, err)
	_, err = roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("team"), PolicyName: aws.String("work"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`)})
	done(t, err)
}

// accounts are all of the world.
func (w *fullWorld) accounts() []string {
	return slices.DeleteFunc([]string{w.consumer, w.producer, w.network, w.guest}, func(a string) bool { return a == "" })
}

// corporate adds what an enterprise has beside: aggregates to the gateway, by CIDR and by prefix list, a route into an inspection appliance, and a subnet that is
// shared with an account that has a notebook there, with a script of its own.
func (w *fullWorld) corporate(ctx context.Context, t *testing.T) {
	t.Helper()
	consumer, producer := w.ec2(w.consumer), w.ec2(w.producer)
	must(t)(consumer.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &w.office.tables[2], DestinationCidrBlock: aws.String("10.0.0.0/8"), TransitGatewayId: &w.gateway}))
	list, err := consumer.CreateManagedPrefixList(ctx, &ec2.CreateManagedPrefixListInput{PrefixListName: aws.String("corporate"), MaxEntries: aws.Int32(2),
		AddressFamily: aws.String("IPv4"), Entries: []ec2types.AddPrefixListEntry{{Cidr: aws.String("172.16.0.0/12")}, {Cidr: aws.String("192.168.0.0/16")}}})
	done(t, err)
	must(t)(consumer.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &w.office.tables[2], DestinationPrefixListId: list.PrefixList.PrefixListId, TransitGatewayId: &w.gateway}))
	appliance, err := producer.CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: &w.stock.subnets[2]})
	done(t, err)
	must(t)(producer.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &w.stock.tables[1], DestinationCidrBlock: aws.String("0.0.0.0/0"), NetworkInterfaceId: appliance.NetworkInterface.NetworkInterfaceId}))
	must(t)(ram.NewFromConfig(engine.Config(w.consumer, engine.Region())).CreateResourceShare(ctx, &ram.CreateResourceShareInput{Name: aws.String("subnets"), Principals: []string{w.guest},
		ResourceArns: []string{"arn:aws:ec2:" + engine.Region() + ":" + w.consumer + ":subnet/" + w.office.subnets[2]}}))
	group, err := w.ec2(w.guest).CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("guest"), Description: aws.String("of a participant"), VpcId: &w.office.id})
	done(t, err)
	notebooks := sagemaker.NewFromConfig(engine.Config(w.guest, engine.Region()))
	script := base64.StdEncoding.EncodeToString([]byte("#!/bin/bash\necho the guest's\n"))
	must(t)(notebooks.CreateNotebookInstanceLifecycleConfig(ctx, &sagemaker.CreateNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: aws.String("guest"),
		OnStart: []sagemakertypes.NotebookInstanceLifecycleHook{{Content: &script}}}))
	must(t)(notebooks.CreateNotebookInstance(ctx, &sagemaker.CreateNotebookInstanceInput{NotebookInstanceName: aws.String("guest"), InstanceType: sagemakertypes.InstanceTypeMlT3Medium,
		RoleArn: aws.String("arn:aws:iam::" + w.guest + ":role/team"), SubnetId: &w.office.subnets[2], SecurityGroupIds: []string{aws.ToString(group.GroupId)}, LifecycleConfigName: aws.String("guest")}))
}

func (w *fullWorld) vpc(ctx context.Context, t *testing.T, account, cidr string, tags map[string]string) fullVPC {
	t.Helper()
	client := w.ec2(account)
	v := fullVPC{account: account, cidr: cidr}
	in := &ec2.CreateVpcInput{CidrBlock: &cidr}
	if len(tags) > 0 {
		spec := ec2types.TagSpecification{ResourceType: ec2types.ResourceTypeVpc}
		for k, value := range tags {
			spec.Tags = append(spec.Tags, ec2types.Tag{Key: &k, Value: &value})
		}
		in.TagSpecifications = []ec2types.TagSpecification{spec}
	}
	made, err := client.CreateVpc(ctx, in)
	done(t, err)
	v.id = aws.ToString(made.Vpc.VpcId)
	for n := range 3 {
		subnet, err := client.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: &v.id, CidrBlock: aws.String(strings.Replace(cidr, ".0.0/16", fmt.Sprintf(".%d.0/24", n), 1)),
			AvailabilityZone: aws.String(engine.Region() + string("abc"[n]))})
		done(t, err)
		table, err := client.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: &v.id})
		done(t, err)
		_, err = client.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{SubnetId: subnet.Subnet.SubnetId, RouteTableId: table.RouteTable.RouteTableId})
		done(t, err)
		v.subnets, v.tables = append(v.subnets, *subnet.Subnet.SubnetId), append(v.tables, *table.RouteTable.RouteTableId)
	}
	group, err := client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("all"), Description: aws.String("all"), VpcId: &v.id})
	done(t, err)
	v.group = aws.ToString(group.GroupId)
	return v
}

func (w *fullWorld) peer(ctx context.Context, t *testing.T, a, b fullVPC) string {
	t.Helper()
	made, err := w.ec2(a.account).CreateVpcPeeringConnection(ctx, &ec2.CreateVpcPeeringConnectionInput{VpcId: &a.id, PeerVpcId: &b.id, PeerOwnerId: &b.account})
	done(t, err)
	id := aws.ToString(made.VpcPeeringConnection.VpcPeeringConnectionId)
	for { // it is initiating for a moment
		_, err := w.ec2(b.account).AcceptVpcPeeringConnection(ctx, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: &id})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	for {
		got, err := w.ec2(a.account).DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{id}})
		done(t, err)
		if got.VpcPeeringConnections[0].Status.Code == ec2types.VpcPeeringConnectionStateReasonCodeActive {
			return id
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *fullWorld) admit(ctx context.Context, t *testing.T, v fullVPC, port int32, from string) {
	t.Helper()
	_, err := w.ec2(v.account).AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &v.group,
		IpPermissions: []ec2types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: &port, ToPort: &port, IpRanges: []ec2types.IpRange{{CidrIp: &from}}}}})
	done(t, err)
}

func (w *fullWorld) available(ctx context.Context, t *testing.T, account, attachment string) {
	t.Helper()
	for {
		got, err := w.ec2(account).DescribeTransitGatewayVpcAttachments(ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{TransitGatewayAttachmentIds: []string{attachment}})
		done(t, err)
		if len(got.TransitGatewayVpcAttachments) == 1 && got.TransitGatewayVpcAttachments[0].State == ec2types.TransitGatewayAttachmentStateAvailable {
			return
		}
		if ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// all is everything of the accounts that Drawbridge could change, a line each, sorted. A peering or an attachment that is over is
// nobody's any more.
func (w *fullWorld) all(ctx context.Context, t *testing.T) string {
	t.Helper()
	var lines []string
	add := func(account string, thing any) {
		text, err := json.Marshal(thing)
		done(t, err)
		lines = append(lines, account+" "+string(text))
	}
	for _, account := range w.accounts() {
		client := w.ec2(account)
		tables, err := client.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{})
		done(t, err)
		for _, x := range tables.RouteTables {
			slices.SortFunc(x.Routes, func(a, b ec2types.Route) int {
				return cmp.Compare(aws.ToString(a.DestinationCidrBlock), aws.ToString(b.DestinationCidrBlock))
			})
			add(account, x)
		}
		rules, err := client.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{})
		done(t, err)
		for _, x := range rules.SecurityGroupRules {
			add(account, x)
		}
		peerings, err := client.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{})
		done(t, err)
		for _, x := range peerings.VpcPeeringConnections {
			if x.Status.Code == ec2types.VpcPeeringConnectionStateReasonCodeActive {
				add(account, x)
			}
		}
		attachments, err := client.DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{})
		done(t, err)
		for _, x := range attachments.TransitGatewayAttachments {
			add(account, x)
		}
		vpcs, err := client.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
		done(t, err)
		for _, x := range vpcs.Vpcs {
			add(account, x)
		}
		endpoints, err := client.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{})
		done(t, err)
		for _, x := range endpoints.VpcEndpoints {
			add(account, x)
		}
		w.scripts(ctx, t, account, add)
		w.roles(ctx, t, account, add)
	}
	network := w.ec2(w.network)
	gateway := []ec2types.Filter{{Name: aws.String("transit-gateway-id"), Values: []string{w.gateway}}}
	tables, err := network.DescribeTransitGatewayRouteTables(ctx, &ec2.DescribeTransitGatewayRouteTablesInput{Filters: gateway})
	done(t, err)
	for _, x := range tables.TransitGatewayRouteTables {
		add(w.network, x)
		associations, err := network.GetTransitGatewayRouteTableAssociations(ctx, &ec2.GetTransitGatewayRouteTableAssociationsInput{TransitGatewayRouteTableId: x.TransitGatewayRouteTableId})
		done(t, err)
		for _, a := range associations.Associations {
			add(w.network, a)
		}
		propagations, err := network.GetTransitGatewayRouteTablePropagations(ctx, &ec2.GetTransitGatewayRouteTablePropagationsInput{TransitGatewayRouteTableId: x.TransitGatewayRouteTableId})
		done(t, err)
		for _, p := range propagations.TransitGatewayRouteTablePropagations {
			add(w.network, p)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (w *fullWorld) scripts(ctx context.Context, t *testing.T, account string, add func(string, any)) {
	t.Helper()
	client := sagemaker.NewFromConfig(engine.Config(account, engine.Region()))
	configurations, err := client.ListNotebookInstanceLifecycleConfigs(ctx, &sagemaker.ListNotebookInstanceLifecycleConfigsInput{})
	done(t, err)
	for _, c := range configurations.NotebookInstanceLifecycleConfigs {
		got, err := client.DescribeNotebookInstanceLifecycleConfig(ctx, &sagemaker.DescribeNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: c.NotebookInstanceLifecycleConfigName})
		done(t, err)
		add(account, []any{got.NotebookInstanceLifecycleConfigName, got.OnStart, got.OnCreate})
	}
	notebooks, err := client.ListNotebookInstances(ctx, &sagemaker.ListNotebookInstancesInput{})
	done(t, err)
	for _, n := range notebooks.NotebookInstances {
		tags, err := client.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: n.NotebookInstanceArn})
		done(t, err)
		add(account, []any{n.NotebookInstanceName, n.NotebookInstanceLifecycleConfigName, tags.Tags})
	}
}

func (w *fullWorld) roles(ctx context.Context, t *testing.T, account string, add func(string, any)) {
	t.Helper()
	client := iam.NewFromConfig(engine.Config(account, engine.Region()))
	roles, err := client.ListRoles(ctx, &iam.ListRolesInput{})
	done(t, err)
	for _, r := range roles.Roles {
		if strings.HasPrefix(aws.ToString(r.RoleName), "drawbridge-member") || strings.HasPrefix(aws.ToString(r.RoleName), "AWSServiceRole") {
			continue
		}
		r.RoleLastUsed = nil
		add(account, r)
		policies, err := client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: r.RoleName})
		done(t, err)
		for _, name := range policies.PolicyNames {
			p, err := client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: r.RoleName, PolicyName: &name})
			done(t, err)
			add(account, []any{p.RoleName, p.PolicyName, p.PolicyDocument})
		}
	}
}
