package stories

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// crowdedNetworks are the stories of networks in which there is something already that looks as if it were in the way, or is.
var crowdedNetworks = []tale{
	{
		name:  "profile-groups",
		title: "A Studio domain in which people and spaces have security groups of their own",
		about: `
As in s1-peering.md, but alpha has a Studio domain as well. The domain's group, that of the profile of Ana, and that of the shared spaces let nothing
out. Each gets the rule that it lacks. And alpha's main route table leads beta's range to an internet gateway: no subnet uses it, so that is in
nobody's way.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			makeLab(ctx, t, w)
			leadMainElsewhere(ctx, t, w)
		},
		acts:      []act{request("Connected")},
		unruly:    true, // three groups without names stand in its text, in the order of their ids
		connected: true,
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			got, err := alphas(w).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{{Name: aws.String("group-name"), Values: labGroups}}})
			succeeds(t, err)
			if len(got.SecurityGroups) != len(labGroups) {
				t.Fatalf("%d groups of the lab", len(got.SecurityGroups))
			}
			for _, g := range got.SecurityGroups {
				out := g.IpPermissionsEgress
				if len(out) != 1 || aws.ToInt32(out[0].FromPort) != 3306 || len(out[0].IpRanges) != 1 || aws.ToString(out[0].IpRanges[0].CidrIp) != network.Merge(w.Producer.Subnets[:2])[0].String() {
					t.Errorf("%s lets out %+v", aws.ToString(g.GroupName), out)
				}
			}
		},
	},
	{
		name:  "ranges-of-both",
		title: "Two VPCs on a gateway that both have the range of their containers",
		about: `
As in transit.md, but both VPCs have 100.64.0.0/16 as well, as every VPC of the organization has for its containers. Nobody is to reach that from
elsewhere, and AWS propagates it for neither. What each has for itself is connected; the verdict says what stays within each. The table of alpha's
notebook leads a part of beta's range in which no database is to an appliance: that goes on as it did.`,
		unruly: true, // what the attachments themselves lead to may have looked at the pair already
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			associate("100.64.0.0/16")(ctx, t, w)
			mine("100.64.0.0/16")(ctx, t, w)
			attachedPair(ctx, t, w)
			made, err := alphas(w).CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: &w.ConsumerNetwork.Subnets[0]})
			succeeds(t, err)
			_, err = alphas(w).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &w.ConsumerNetwork.Tables[0], DestinationCidrBlock: aws.String("10.1.200.0/24"),
				NetworkInterfaceId: made.NetworkInterface.NetworkInterfaceId})
			succeeds(t, err)
		},
		acts:      []act{{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}}},
		connected: true,
		also:      leadsOnly("10.1.128.0/27"),
	},
	{
		name:  "inspected",
		title: "What the gateway's owner leads through an inspection VPC",
		about: `
As in transit.md, up to the connection. Then alpha, who owns the gateway, leads the half of beta's range in which the database is to a VPC of their
own, by a static route in the gateway's table. A firewall there may pass it on or not: nobody can see that from outside. So nothing is wrong with
the tables, and the connection stays; the verdict says ? of that hop.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			attachedPair(ctx, t, w)
			attachInspection(ctx, t, w)
			_, err := engine.Settle(ctx, 0)
			succeeds(t, err)
		},
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The gateway's owner leads 10.1.128.0/17 to the VPC inspection; the pair wants a look.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				leadToInspection(ctx, t, w, "10.1.128.0/17")
				look(nil)(ctx, t, w)
			}, []string{"Connected"}},
		},
		connected: true,
		also:      leadsOnly("10.1.128.0/27"),
	},
}

// attachInspection attaches another VPC of alpha's to the gateway, in which all that comes is led to an appliance.
func attachInspection(ctx context.Context, t *testing.T, w *scenario.World) {
	vpc, err := alphas(w).CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.50.0.0/16")})
	succeeds(t, err)
	subnet, err := alphas(w).CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String("10.50.0.0/28")})
	succeeds(t, err)
	_, err = alphas(w).CreateTransitGatewayVpcAttachment(ctx, &ec2.CreateTransitGatewayVpcAttachmentInput{TransitGatewayId: &w.Gateway, VpcId: vpc.Vpc.VpcId,
		SubnetIds: []string{*subnet.Subnet.SubnetId}})
	succeeds(t, err)
	appliance, err := alphas(w).CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: subnet.Subnet.SubnetId})
	succeeds(t, err)
	tables, err := alphas(w).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{*vpc.Vpc.VpcId}}}})
	succeeds(t, err)
	_, err = alphas(w).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: tables.RouteTables[0].RouteTableId, DestinationCidrBlock: aws.String("0.0.0.0/0"),
		NetworkInterfaceId: appliance.NetworkInterface.NetworkInterfaceId})
	succeeds(t, err)
}

// leadToInspection leads a range to that VPC in the gateway's route table.
func leadToInspection(ctx context.Context, t *testing.T, w *scenario.World, cidr string) {
	attached, err := alphas(w).DescribeTransitGatewayVpcAttachments(ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{})
	succeeds(t, err)
	at := slices.IndexFunc(attached.TransitGatewayVpcAttachments, func(a ec2types.TransitGatewayVpcAttachment) bool {
		return aws.ToString(a.TransitGatewayId) == w.Gateway && aws.ToString(a.VpcId) != w.ConsumerNetwork.VPC && aws.ToString(a.VpcOwnerId) == w.Consumer.Account
	})
	gateways, err := alphas(w).DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{TransitGatewayIds: []string{w.Gateway}})
	succeeds(t, err)
	_, err = alphas(w).CreateTransitGatewayRoute(ctx, &ec2.CreateTransitGatewayRouteInput{DestinationCidrBlock: &cidr,
		TransitGatewayRouteTableId: gateways.TransitGateways[0].Options.AssociationDefaultRouteTableId,
		TransitGatewayAttachmentId: attached.TransitGatewayVpcAttachments[at].TransitGatewayAttachmentId})
	succeeds(t, err)
}

// labGroups are the groups of alpha's Studio domain, of its shared spaces and of the profile of Ana.
var labGroups = []string{"lab", "lab-ana", "lab-spaces"}

// makeLab makes a Studio domain in alpha's VPC whose groups let nothing out.
func makeLab(ctx context.Context, t *testing.T, w *scenario.World) {
	ids := map[string]string{}
	for _, name := range labGroups {
		made, err := alphas(w).CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: &name, Description: aws.String("Studio"), VpcId: &w.ConsumerNetwork.VPC})
		succeeds(t, err)
		ids[name] = *made.GroupId
		_, err = alphas(w).RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: made.GroupId,
			IpPermissions: []ec2types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}}})
		succeeds(t, err)
	}
	client, role := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)), aws.String(w.RoleARN("lab"))
	_, err := client.CreateDomain(ctx, &sagemaker.CreateDomainInput{DomainName: aws.String("lab"), AuthMode: sagemakertypes.AuthModeIam,
		VpcId: &w.ConsumerNetwork.VPC, SubnetIds: w.ConsumerNetwork.Subnets, AppNetworkAccessType: sagemakertypes.AppNetworkAccessTypeVpcOnly,
		DefaultUserSettings:  &sagemakertypes.UserSettings{ExecutionRole: role, SecurityGroups: []string{ids["lab"]}},
		DefaultSpaceSettings: &sagemakertypes.DefaultSpaceSettings{ExecutionRole: role, SecurityGroups: []string{ids["lab-spaces"]}}})
	succeeds(t, err)
	for user, group := range map[string]string{"ana": ids["lab-ana"], "ben": ids["lab"]} {
		_, err = client.CreateUserProfile(ctx, &sagemaker.CreateUserProfileInput{DomainId: aws.String("d-lab"), UserProfileName: &user,
			UserSettings: &sagemakertypes.UserSettings{SecurityGroups: []string{group}}})
		succeeds(t, err)
	}
}

// leadMainElsewhere makes alpha's main table, which no subnet uses, lead beta's range to an internet gateway.
func leadMainElsewhere(ctx context.Context, t *testing.T, w *scenario.World) {
	tables, err := alphas(w).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{w.ConsumerNetwork.VPC}}}})
	succeeds(t, err)
	main := slices.IndexFunc(tables.RouteTables, func(r ec2types.RouteTable) bool {
		return slices.ContainsFunc(r.Associations, func(a ec2types.RouteTableAssociation) bool { return aws.ToBool(a.Main) })
	})
	gateway, err := alphas(w).CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{})
	succeeds(t, err)
	_, err = alphas(w).AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: gateway.InternetGateway.InternetGatewayId, VpcId: &w.ConsumerNetwork.VPC})
	succeeds(t, err)
	_, err = alphas(w).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: tables.RouteTables[main].RouteTableId, DestinationCidrBlock: aws.String(w.Producer.CIDR.String()),
		GatewayId: gateway.InternetGateway.InternetGatewayId})
	succeeds(t, err)
}
