package stories

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// gatewayLives are the stories of a gateway with several VPCs, and of what goes wrong on one.
var gatewayLives = []tale{
	{
		name:  "gateway-life",
		title: "A gateway without default route tables, with several VPCs",
		about: `
alpha's gateway associates and propagates nothing by default; tags on one of its route tables say that it does. alpha's VPC and three of beta's ask
for it; one of beta's has no subnet. alpha shares the gateway, and then accepts whatever is attached, by a tag on the
gateway. Later beta uses another Availability Zone, and last beta's VPC leaves.`,
		prepare: busyGateway,
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:attach=core.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				mark(ctx, t, w.Consumer, w.ConsumerNetwork.VPC, "drawbridge:attach", "core")
			}, []string{"Announced", "Attached"}},
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Announced", "AwaitingApproval", "Nothing", "Refused"}},
			{"The owner of alpha tags the gateway: drawbridge:accept=auto.", acceptAll, []string{"Announced", "Attached", "Connected", "Refused"}},
			{"The owner of beta makes a notebook in another Availability Zone, and names the gateway by its id.", anotherZone, []string{"Announced", "Attached", "Connected", "InSync"}},
			{"The owner of beta takes the tag off.", attach(""), []string{"Announced", "Removed"}},
		},
		unruly: true,
		also:   inEveryZone,
	},
	{
		name:  "gateway-garbled",
		title: "Events about gateways that name nothing",
		about: "Drawbridge's own events, garbled: none is believed, and each is kept for people to look at.",
		acts: []act{
			{"Somebody in the hub puts an event about a share.", garbled(event.ShareToInspect), []string{"Invalid"}},
			{"Somebody in the hub puts an event about an attachment.", garbled(event.AttachmentToInspect), []string{"Invalid"}},
			{"Somebody in the hub puts an event about a pair of VPCs.", garbled(event.TransitToInspect), []string{"Invalid"}},
		},
		unruly: true,
	},
	{
		name:  "gateway-overlap",
		title: "Two VPCs on one gateway overlap",
		about: `
As in attach.md, but alpha's own VPC is on the gateway, and has the addresses of beta's. AWS attaches beta's VPC all the
same, does not propagate its addresses, and says nothing. Drawbridge says it.`,
		change: func(s *scenario.Spec) {
			s.Consumer.CIDR, s.Consumer.Subnets = s.Producer.CIDR, slices.Clone(s.Producer.Subnets)
		},
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			gateway(true)(ctx, t, w)
			must(t)(ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).CreateTransitGatewayVpcAttachment(ctx, &ec2.CreateTransitGatewayVpcAttachmentInput{
				TransitGatewayId: aws.String(core(ctx, t, w)), VpcId: &w.ConsumerNetwork.VPC, SubnetIds: w.ConsumerNetwork.Subnets[:1]}))
		},
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Nothing", "Nothing", "Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "Conflict"}},
		},
		also: said("Conflict"),
	},
	{
		name:  "gateway-never",
		title: "The owner of a gateway accepts nobody",
		about: "As in attach-approval.md, but the owner of alpha tagged the gateway drawbridge:accept=never. What waits is refused; it is not rejected at AWS.",
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			gateway(false)(ctx, t, w)
			mark(ctx, t, w.Consumer, core(ctx, t, w), "drawbridge:accept", "never")
		},
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Nothing", "Nothing", "Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "Refused"}},
		},
		also: attachments("pendingAcceptance"),
	},
	{
		name:  "gateway-stranger",
		title: "A stranger shares a gateway",
		about: "An account outside the organization invites beta to its gateway. Drawbridge leaves the invitation as it is.",
		change: func(s *scenario.Spec) {
			s.Consumer.Account = stranger
			s.Notebook = scenario.Notebook{} // the stranger has one already, of another story
		},
		prepare: gateway(true),
		acts: []act{
			{"The stranger shares the gateway with beta.", shareGateway, []string{"Refused"}},
		},
		also: never("AcceptResourceShareInvitation"),
	},
	{
		name:  "private-garbled",
		title: "A tag for private notebooks on something that is no VPC",
		about: "An event that looks like CloudTrail's is not believed, and is kept for people to look at.",
		acts: []act{
			{"The owner of alpha puts an event about the VPC vpc-$(reboot) on the default bus.", lieOfTag("drawbridge:private-notebooks"), []string{"Invalid"}},
		},
		unruly: true,
	},
	{
		name:  "data-api-consumer-garbled",
		title: "A tag for the Data API on something that is no VPC",
		about: "As in private-garbled.",
		acts: []act{
			{"The owner of alpha puts an event about the VPC vpc-$(reboot) on the default bus.", lieOfTag("drawbridge:data-api"), []string{"Invalid"}},
		},
		unruly: true,
	},
}

// lieOfTag puts an event on the consumer's bus that looks like CloudTrail's about the tag of a VPC, and names none.
func lieOfTag(key string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		out, err := eventbridge.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventbridgetypes.PutEventsRequestEntry{{
			Source: aws.String("aws.ec2"), DetailType: aws.String("AWS API Call via CloudTrail"),
			Detail: aws.String(`{"eventSource":"ec2.amazonaws.com","eventName":"CreateTags","userIdentity":{"type":"Root"},"requestParameters":{
			"resourcesSet":{"items":[{"resourceId":"vpc-$(reboot)"}]},"tagSet":{"items":[{"key":"` + key + `","value":"true"}]}}}`),
		}}})
		if err != nil || out.FailedEntryCount > 0 {
			t.Fatal(err, out)
		}
	}
}

// said checks that the attachment of beta's VPC carries a status.
func said(status string) func(context.Context, *testing.T, *scenario.World, []awscall.Call) {
	return func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
		for _, tag := range attached(ctx, t, w)[0].Tags {
			if aws.ToString(tag.Key) == "drawbridge:status" && aws.ToString(tag.Value) == status {
				return
			}
		}
		t.Errorf("the attachment does not say %s", status)
	}
}

// mark sets a tag of something of EC2, as its owner.
func mark(ctx context.Context, t *testing.T, h scenario.Home, id, key, value string) {
	t.Helper()
	must(t)(ec2.NewFromConfig(engine.Config(h.Account, h.Region)).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id},
		Tags: []ec2types.Tag{{Key: &key, Value: &value}}}))
}

// core returns the id of alpha's gateway.
func core(ctx context.Context, t *testing.T, w *scenario.World) string {
	t.Helper()
	got, err := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{})
	if err != nil || len(got.TransitGateways) != 1 {
		t.Fatalf("%d gateways, %v", len(got.TransitGateways), err)
	}
	return aws.ToString(got.TransitGateways[0].TransitGatewayId)
}

// busyGateway makes alpha's gateway, with a route table and no default one, and what beta has.
func busyGateway(ctx context.Context, t *testing.T, w *scenario.World) {
	alpha, beta := engine.Config(w.Consumer.Account, w.Consumer.Region), engine.Config(w.Producer.Account, w.Producer.Region)
	made, err := ec2.NewFromConfig(alpha).CreateTransitGateway(ctx, &ec2.CreateTransitGatewayInput{
		Options: &ec2types.TransitGatewayRequestOptions{
			AutoAcceptSharedAttachments:  ec2types.AutoAcceptSharedAttachmentsValueDisable,
			DefaultRouteTableAssociation: ec2types.DefaultRouteTableAssociationValueDisable,
			DefaultRouteTablePropagation: ec2types.DefaultRouteTablePropagationValueDisable,
		},
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeTransitGateway, Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String("core")}}}}})
	succeeds(t, err)
	must(t)(ec2.NewFromConfig(alpha).CreateTransitGatewayRouteTable(ctx, &ec2.CreateTransitGatewayRouteTableInput{TransitGatewayId: made.TransitGateway.TransitGatewayId,
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeTransitGatewayRouteTable, Tags: []ec2types.Tag{
			{Key: aws.String("drawbridge:association"), Value: aws.String("default")}, {Key: aws.String("drawbridge:propagation"), Value: aws.String("default")}}}}}))

	databases, people := rds.NewFromConfig(beta), sagemaker.NewFromConfig(beta)
	must(t)(databases.CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{DBSubnetGroupName: aws.String("ledger-subnets"),
		DBSubnetGroupDescription: aws.String("where the ledger lives"), SubnetIds: w.ProducerNetwork.Subnets[:2]}))
	must(t)(databases.CreateDBCluster(ctx, &rds.CreateDBClusterInput{DBClusterIdentifier: aws.String("ledger"), Engine: aws.String("aurora-postgresql"),
		MasterUsername: aws.String("admin1"), MasterUserPassword: aws.String("not-a-password"), DBSubnetGroupName: aws.String("ledger-subnets"),
		VpcSecurityGroupIds: []string{w.ProducerNetwork.Group}}))
	must(t)(people.CreateDomain(ctx, &sagemaker.CreateDomainInput{DomainName: aws.String("reports"), AuthMode: sagemakertypes.AuthModeIam,
		VpcId: &w.ProducerNetwork.VPC, SubnetIds: w.ProducerNetwork.Subnets[:1], AppNetworkAccessType: sagemakertypes.AppNetworkAccessTypeVpcOnly,
		DefaultUserSettings: &sagemakertypes.UserSettings{ExecutionRole: aws.String("arn:aws:iam::" + w.Producer.Account + ":role/studio")}}))
	betaNotebook(ctx, t, w, "reports", 0)
	for _, cidr := range []string{"10.9.0.0/16", "10.10.0.0/16"} {
		vpc, err := ec2.NewFromConfig(beta).CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: &cidr})
		succeeds(t, err)
		if cidr == "10.9.0.0/16" {
			must(t)(ec2.NewFromConfig(beta).CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String("10.9.1.0/24")}))
		}
		mark(ctx, t, w.Producer, aws.ToString(vpc.Vpc.VpcId), "drawbridge:attach", "core")
	}
	mark(ctx, t, w.Producer, w.ProducerNetwork.VPC, "drawbridge:attach", "core")
}

// betaNotebook makes a notebook in the n-th subnet of beta, and waits until it runs.
func betaNotebook(ctx context.Context, t *testing.T, w *scenario.World, name string, n int) {
	t.Helper()
	client := sagemaker.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	must(t)(client.CreateNotebookInstance(ctx, &sagemaker.CreateNotebookInstanceInput{
		NotebookInstanceName: &name, InstanceType: sagemakertypes.InstanceTypeMlT3Medium, RoleArn: aws.String("arn:aws:iam::" + w.Producer.Account + ":role/notebook"),
		SubnetId: &w.ProducerNetwork.Subnets[n], SecurityGroupIds: []string{w.ProducerNetwork.Group}, DirectInternetAccess: sagemakertypes.DirectInternetAccessDisabled}))
	succeeds(t, sagemaker.NewNotebookInstanceInServiceWaiter(client, func(o *sagemaker.NotebookInstanceInServiceWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 20*time.Millisecond
	}).Wait(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &name}, time.Minute))
}

func acceptAll(ctx context.Context, t *testing.T, w *scenario.World) {
	mark(ctx, t, w.Consumer, core(ctx, t, w), "drawbridge:accept", "auto")
}

func anotherZone(ctx context.Context, t *testing.T, w *scenario.World) {
	betaNotebook(ctx, t, w, "later", 2)
	mark(ctx, t, w.Producer, w.ProducerNetwork.VPC, "drawbridge:attach", core(ctx, t, w))
}

// inEveryZone checks that the attachment of beta's VPC got the Availability Zone that came later, and is gone at the end, and that
// the VPC without a subnet says why it is not attached.
func inEveryZone(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
	if !slices.ContainsFunc(calls, func(c awscall.Call) bool { return c.Action == "ModifyTransitGatewayVpcAttachment" }) {
		t.Error("no subnet was added")
	}
	for _, a := range attached(ctx, t, w) {
		if aws.ToString(a.VpcId) != w.ProducerNetwork.VPC {
			continue
		}
		subnets := slices.Sorted(slices.Values(a.SubnetIds))
		if want := slices.Sorted(slices.Values(w.ProducerNetwork.Subnets)); !slices.Equal(subnets, want) {
			t.Errorf("attached with %v, want %v", subnets, want)
		}
		if a.State != ec2types.TransitGatewayAttachmentStateDeleted && a.State != ec2types.TransitGatewayAttachmentStateDeleting {
			t.Errorf("beta's attachment is %s at the end", a.State)
		}
	}
	got, err := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{
		Filters: []ec2types.Filter{{Name: aws.String("tag:drawbridge:status"), Values: []string{"Refused"}}}})
	if err != nil || len(got.Vpcs) != 1 || aws.ToString(got.Vpcs[0].CidrBlock) != "10.10.0.0/16" {
		t.Errorf("%d VPCs say that they are refused, want the one without a subnet: %v", len(got.Vpcs), err)
	}
}

// garbled puts one of Drawbridge's own events, with a detail that names nothing, on the hub's bus.
func garbled(kind string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		out, err := eventbridge.NewFromConfig(engine.Config(local.HubAccount, w.Consumer.Region)).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventbridgetypes.PutEventsRequestEntry{{
			EventBusName: aws.String("drawbridge"), Source: aws.String(event.Source), DetailType: &kind,
			Detail: aws.String(`{"account":"$(reboot)","region":"us-east-1","transitGatewayId":"$(reboot)","vpcId":"$(reboot)"}`)}}})
		if err != nil || out.FailedEntryCount > 0 {
			t.Fatal(err, out)
		}
	}
}
