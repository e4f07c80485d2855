package stories

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// start is what people have made before Drawbridge came. The zero value is the least of it: alpha's notebook and Studio domain, beta's
// databases, a third account's gateway, and nothing between them.
type start struct {
	// Found is a peering that people made by hand, with a route on each side; FoundDNS says that one of its DNS options is on.
	Found, FoundDNS bool
	// Dead leaves a route to beta's database in alpha's table whose peering is gone; Past leads a wide range of alpha's to a VPN; Between
	// leads beta's way back there.
	Dead, Past, Between bool
	// Rule lets alpha in at beta's database already.
	Rule bool
	// Script is the notebook's: "" for none.
	Script string
	// Twin is a second notebook, in another subnet, with the same configuration.
	Twin bool
	// Trust is the trust policy of the execution role of Studio, Identified says how its domain's people identify themselves.
	Trust      string
	Identified bool
	// HTTP is whether the cluster's HTTP endpoint is on; Key what its secret's key leaves to IAM.
	HTTP bool
	Key  scenario.KeyPolicy
	// OwnEndpoint is one for private notebooks in alpha's VPC.
	OwnEndpoint bool
	// Attached are those of alpha's and beta's VPC that are attached to the gateway by hand, "alpha associated" also with its table.
	Attached string
	// Accept are the tags of beta's VPC and of the gateway.
	Accept, GatewayAccept string
	// Spare is a lifecycle configuration that nobody uses, with the name that Drawbridge would give to one of its own.
	Spare bool
}

var starts = rapid.Custom(func(t *rapid.T) start {
	yes := func(what string) bool { return rapid.Bool().Draw(t, what) }
	of := func(what string, any ...string) string { return rapid.SampledFrom(any).Draw(t, what) }
	return start{
		Found: yes("found"), FoundDNS: yes("DNS"), Dead: yes("dead"), Past: yes("past"), Between: rapid.IntRange(0, 4).Draw(t, "between") == 0, Rule: yes("rule"),
		Script: of("script", "", scenario.OwnersScript, scenario.OwnersScript, "#!/bin/bash\nset -e\necho mine", "#!/bin/bash\r\necho mine\r\n", "#!/bin/bash\n\n\nexit 0\n"), Twin: yes("twin"),
		Trust: of("trust", scenario.ExecutionTrust, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
			"{ \"Version\":\"2012-10-17\",\n\t\"Id\": \"ours\", \"Statement\" : [ {\"Sid\":\"A\", \"Effect\":\"Allow\",\"Principal\":{\"Service\":\"sagemaker.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"},\n {\"Sid\":\"B\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"sts:TagSession\"} ] }"),
		Identified: yes("identified"), HTTP: yes("HTTP"), Key: rapid.SampledFrom([]scenario.KeyPolicy{scenario.Everything, scenario.OnlyGrants, scenario.OwnersOnly}).Draw(t, "key"),
		OwnEndpoint: yes("own endpoint"), Attached: of("attached", "", "", "alpha", "alpha associated", "both"),
		Accept: of("accept", "auto", "auto", "ask", "never", ""), GatewayAccept: of("gateway accept", "auto", "auto", "ask", ""), Spare: yes("spare"),
	}
})

// others are three accounts that are full of what people made, with what they do in them.
type others struct {
	start
	full  fullWorld // stock and fresh are second VPCs of beta's and alpha's
	world *scenario.World
	data  *scenario.DataAPIWorld
}

func (o *others) accounts() []string {
	return []string{o.full.consumer, o.full.producer, o.full.network}
}

func (o *others) alpha() *ec2.Client { return o.full.ec2(o.full.consumer) }
func (o *others) beta() *ec2.Client  { return o.full.ec2(o.full.producer) }
func (o *others) owner() *ec2.Client { return o.full.ec2(o.full.network) }

func (o *others) people() *sagemaker.Client {
	return sagemaker.NewFromConfig(engine.Config(o.full.consumer, engine.Region()))
}

// build makes the world, unheard.
func (o *others) build(ctx context.Context, t *testing.T) {
	t.Helper()
	spec := scenario.S1()
	spec.Consumer.Account, spec.Producer.Account = o.full.consumer, o.full.producer
	spec.Accept = o.Accept
	if spec.Notebook.OnStart = o.Script; o.Script == "" {
		spec.Notebook.LifecycleConfig = ""
	}
	var err error
	o.world, err = spec.Build(ctx, engine.Config)
	done(t, err)
	plant(ctx, t, o.world)
	o.full.fresh = o.full.vpc(ctx, t, o.full.consumer, "10.63.0.0/16", nil)
	o.full.stock = o.full.vpc(ctx, t, o.full.producer, "10.62.0.0/16", map[string]string{"drawbridge:accept": "auto"})
	o.database(ctx, t)
	o.network(ctx, t)
	o.gateway(ctx, t)
	o.studio(ctx, t)
	o.dataAPI(ctx, t)
	o.notebooks(ctx, t)
}

// database is one in stock, that is shared.
func (o *others) database(ctx context.Context, t *testing.T) {
	t.Helper()
	client, name := rds.NewFromConfig(engine.Config(o.full.producer, engine.Region())), aws.String("books")
	must(t)(client.CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{DBSubnetGroupName: name, DBSubnetGroupDescription: name, SubnetIds: o.full.stock.subnets}))
	must(t)(client.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: name, DBInstanceClass: aws.String("db.t4g.micro"), Engine: aws.String("mysql"),
		Port: aws.Int32(3306), AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("admin"), ManageMasterUserPassword: aws.Bool(true), DBSubnetGroupName: name,
		VpcSecurityGroupIds: []string{o.full.stock.group}, Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}}))
}

// vpn returns the VPN gateway that planting left in a side's table.
func (o *others) vpn(ctx context.Context, t *testing.T, client *ec2.Client, table string) *string {
	t.Helper()
	got, err := client.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{table}})
	done(t, err)
	for _, r := range got.RouteTables[0].Routes {
		if aws.ToString(r.DestinationCidrBlock) == foreign.String() {
			return r.GatewayId
		}
	}
	t.Fatalf("%s leads to no VPN", table)
	return nil
}

func (o *others) network(ctx context.Context, t *testing.T) {
	t.Helper()
	c, p := o.world.ConsumerNetwork, o.world.ProducerNetwork
	lead := func(client *ec2.Client, table, to string, in ec2.CreateRouteInput) {
		in.RouteTableId, in.DestinationCidrBlock = &table, &to
		must(t)(client.CreateRoute(ctx, &in))
	}
	if o.Dead {
		gone := o.full.peer(ctx, t, o.full.fresh, o.full.stock)
		lead(o.alpha(), o.full.fresh.tables[0], o.full.stock.cidr, ec2.CreateRouteInput{VpcPeeringConnectionId: &gone})
		for _, table := range o.full.stock.tables {
			lead(o.beta(), table, "10.63.0.0/24", ec2.CreateRouteInput{VpcPeeringConnectionId: &gone})
		}
		must(t)(o.alpha().DeleteVpcPeeringConnection(ctx, &ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: &gone}))
	}
	if o.Found {
		hand := o.full.peer(ctx, t, o.full.fresh, fullVPC{id: p.VPC, account: o.full.producer})
		lead(o.alpha(), o.full.fresh.tables[1], "10.2.0.0/16", ec2.CreateRouteInput{VpcPeeringConnectionId: &hand})
		lead(o.beta(), p.Tables[0], "10.63.1.0/24", ec2.CreateRouteInput{VpcPeeringConnectionId: &hand})
		if o.FoundDNS {
			must(t)(o.beta().ModifyVpcPeeringConnectionOptions(ctx, &ec2.ModifyVpcPeeringConnectionOptionsInput{VpcPeeringConnectionId: &hand,
				AccepterPeeringConnectionOptions: &ec2types.PeeringConnectionOptionsRequest{AllowDnsResolutionFromRemoteVpc: aws.Bool(true)}}))
		}
	}
	if o.Past {
		lead(o.alpha(), c.Tables[0], "10.0.0.0/8", ec2.CreateRouteInput{GatewayId: o.vpn(ctx, t, o.alpha(), c.Tables[0])})
	}
	if o.Between {
		lead(o.beta(), p.Tables[1], "10.1.0.0/24", ec2.CreateRouteInput{GatewayId: o.vpn(ctx, t, o.beta(), p.Tables[0])})
	}
	if o.Rule {
		o.full.admit(ctx, t, fullVPC{account: o.full.producer, group: p.Group}, 3306, "10.1.0.0/24")
	}
}

func (o *others) gateway(ctx context.Context, t *testing.T) {
	t.Helper()
	tags := []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String(scenario.GatewayName)}}
	if o.GatewayAccept != "" {
		tags = append(tags, ec2types.Tag{Key: aws.String("drawbridge:accept"), Value: &o.GatewayAccept})
	}
	made, err := o.owner().CreateTransitGateway(ctx, &ec2.CreateTransitGatewayInput{
		Options: &ec2types.TransitGatewayRequestOptions{AutoAcceptSharedAttachments: ec2types.AutoAcceptSharedAttachmentsValueDisable,
			DefaultRouteTableAssociation: ec2types.DefaultRouteTableAssociationValueDisable, DefaultRouteTablePropagation: ec2types.DefaultRouteTablePropagationValueDisable},
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeTransitGateway, Tags: tags}}})
	done(t, err)
	o.full.gateway = aws.ToString(made.TransitGateway.TransitGatewayId)
	o.world.Gateway = o.full.gateway
	table, err := o.owner().CreateTransitGatewayRouteTable(ctx, &ec2.CreateTransitGatewayRouteTableInput{TransitGatewayId: &o.full.gateway,
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeTransitGatewayRouteTable, Tags: []ec2types.Tag{
			{Key: aws.String("drawbridge:association"), Value: aws.String("default")}, {Key: aws.String("drawbridge:propagation"), Value: aws.String("default")}}}}})
	done(t, err)
	must(t)(ram.NewFromConfig(engine.Config(o.full.network, engine.Region())).CreateResourceShare(ctx, &ram.CreateResourceShareInput{
		Name: aws.String("backbone"), ResourceArns: []string{aws.ToString(made.TransitGateway.TransitGatewayArn)}, Principals: []string{o.full.consumer, o.full.producer}}))
	by := func(account string, net scenario.Network) {
		got, err := o.full.ec2(account).CreateTransitGatewayVpcAttachment(ctx, &ec2.CreateTransitGatewayVpcAttachmentInput{TransitGatewayId: &o.full.gateway, VpcId: &net.VPC, SubnetIds: net.Subnets[:2]})
		done(t, err)
		id := got.TransitGatewayVpcAttachment.TransitGatewayAttachmentId
		must(t)(o.owner().AcceptTransitGatewayVpcAttachment(ctx, &ec2.AcceptTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: id}))
		o.full.available(ctx, t, account, *id)
		if o.Attached != "alpha" {
			must(t)(o.owner().AssociateTransitGatewayRouteTable(ctx, &ec2.AssociateTransitGatewayRouteTableInput{TransitGatewayAttachmentId: id, TransitGatewayRouteTableId: table.TransitGatewayRouteTable.TransitGatewayRouteTableId}))
		}
	}
	if o.Attached != "" {
		by(o.full.consumer, o.world.ConsumerNetwork)
	}
	if o.Attached == "both" {
		by(o.full.producer, o.world.ProducerNetwork)
	}
}

func (o *others) studio(ctx context.Context, t *testing.T) {
	t.Helper()
	done(t, o.world.MakeStudio(ctx))
	done(t, o.world.MakeWarehouse(ctx))
	roles := iam.NewFromConfig(engine.Config(o.full.consumer, engine.Region()))
	must(t)(roles.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(scenario.ExecutionRole), PolicyDocument: &o.Trust}))
	must(t)(roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String(scenario.ExecutionRole), PolicyName: aws.String("work"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17", "Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`)}))
	if o.Identified {
		must(t)(o.people().UpdateDomain(ctx, &sagemaker.UpdateDomainInput{DomainId: aws.String(scenario.StudioDomain),
			DomainSettingsForUpdate: &sagemakertypes.DomainSettingsForUpdate{ExecutionRoleIdentityConfig: sagemakertypes.ExecutionRoleIdentityConfigUserProfileName}}))
	}
}

func (o *others) dataAPI(ctx context.Context, t *testing.T) {
	t.Helper()
	spec := scenario.S3()
	spec.Consumer, spec.Producer, spec.Third, spec.Endpoint, spec.KeyPolicy = o.full.consumer, o.full.producer, o.full.network, o.HTTP, o.Key
	var err error
	o.data, err = spec.Build(ctx, engine.Config)
	done(t, err)
}

func (o *others) notebooks(ctx context.Context, t *testing.T) {
	t.Helper()
	resolve(ctx, t, o.alpha(), o.world.ConsumerNetwork.VPC)
	roles := iam.NewFromConfig(engine.Config(o.full.consumer, engine.Region()))
	for _, name := range []string{"scientist", "admin"} {
		in := &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}`)}
		if name == "scientist" {
			in.Tags = []iamtypes.Tag{{Key: aws.String(tag.PrivateNotebooks), Value: aws.String("true")}}
		}
		must(t)(roles.CreateRole(ctx, in))
	}
	must(t)(roles.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("admin"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	net := o.world.ConsumerNetwork
	if o.OwnEndpoint {
		must(t)(o.alpha().CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{VpcId: &net.VPC, VpcEndpointType: ec2types.VpcEndpointTypeInterface,
			ServiceName: aws.String(fmt.Sprintf("com.amazonaws.%s.sagemaker.api", engine.Region())), SubnetIds: net.Subnets[:1], SecurityGroupIds: []string{net.Group}, PrivateDnsEnabled: aws.Bool(true)}))
	}
	if o.Twin {
		in := &sagemaker.CreateNotebookInstanceInput{NotebookInstanceName: aws.String("twin"), InstanceType: sagemakertypes.InstanceTypeMlT3Medium,
			RoleArn: aws.String("arn:aws:iam::" + o.full.consumer + ":role/notebook"), SubnetId: &net.Subnets[1], SecurityGroupIds: []string{net.Group}}
		if o.Script != "" {
			in.LifecycleConfigName = &o.world.Notebook.LifecycleConfig
		}
		must(t)(o.people().CreateNotebookInstance(ctx, in))
	}
	if o.Spare {
		must(t)(o.people().CreateNotebookInstanceLifecycleConfig(ctx, &sagemaker.CreateNotebookInstanceLifecycleConfigInput{
			NotebookInstanceLifecycleConfigName: aws.String("drawbridge-" + net.Subnets[2])}))
	}
}
