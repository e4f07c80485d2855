package scenario

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// S5 is the reference world of the fifth scenario: a VPC Lambda function whose security group lets nothing out, and a
// notebook, in the account that owns a transit gateway; a MySQL database in another.
func S5() Spec {
	s := S1()
	s.Consumer.CIDR, s.Producer.CIDR = netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("10.1.0.0/16")
	s.Consumer.Subnets = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("10.0.128.0/28")}
	s.Producer.Subnets = []netip.Prefix{netip.MustParsePrefix("10.1.128.0/28"), netip.MustParsePrefix("10.1.128.16/28")}
	s.Accept, s.Function = "", "report"
	return s
}

// ShareGateway makes a transit gateway in the consumer's account and gives the producer's a share of it.
func (w *World) ShareGateway(ctx context.Context) error {
	got, err := w.ec2(w.Consumer).CreateTransitGateway(ctx, &ec2.CreateTransitGatewayInput{Description: aws.String("for everybody")})
	if err != nil {
		return err
	}
	w.Gateway = aws.ToString(got.TransitGateway.TransitGatewayId)
	_, err = ram.NewFromConfig(w.clients(w.Consumer.Account, w.Consumer.Region)).CreateResourceShare(ctx, &ram.CreateResourceShareInput{
		Name: aws.String("gateway"), ResourceArns: []string{aws.ToString(got.TransitGateway.TransitGatewayArn)}, Principals: []string{w.Producer.Account}})
	return err
}

// Attach attaches both VPCs to the gateway, with a subnet in every Availability Zone that they use; its owner accepts.
func (w *World) Attach(ctx context.Context) error {
	for _, side := range []struct {
		home Home
		net  Network
		id   *string
	}{{w.Consumer, w.ConsumerNetwork, &w.ConsumerNetwork.Attachment}, {w.Producer, w.ProducerNetwork, &w.ProducerNetwork.Attachment}} {
		got, err := w.ec2(side.home).CreateTransitGatewayVpcAttachment(ctx, &ec2.CreateTransitGatewayVpcAttachmentInput{
			TransitGatewayId: &w.Gateway, VpcId: aws.String(side.net.VPC), SubnetIds: side.net.Subnets})
		if err != nil {
			return fmt.Errorf("attaching the VPC of %s: %w", side.home.Name, err)
		}
		*side.id = aws.ToString(got.TransitGatewayVpcAttachment.TransitGatewayAttachmentId)
	}
	_, err := w.ec2(w.Consumer).AcceptTransitGatewayVpcAttachment(ctx, &ec2.AcceptTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: &w.ProducerNetwork.Attachment})
	return err
}

// Detach deletes the attachment of the producer's VPC, as its owner.
func (w *World) Detach(ctx context.Context) error {
	_, err := w.ec2(w.Producer).DeleteTransitGatewayVpcAttachment(ctx, &ec2.DeleteTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: &w.ProducerNetwork.Attachment})
	return err
}

// Attached waits until both attachments are available.
func (w *World) Attached(ctx context.Context) error {
	for _, side := range []struct {
		home Home
		net  Network
	}{{w.Consumer, w.ConsumerNetwork}, {w.Producer, w.ProducerNetwork}} {
		for {
			got, err := w.ec2(side.home).DescribeTransitGatewayVpcAttachments(ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{TransitGatewayAttachmentIds: []string{side.net.Attachment}})
			if err != nil {
				return err
			}
			if len(got.TransitGatewayVpcAttachments) > 0 && got.TransitGatewayVpcAttachments[0].State == ec2types.TransitGatewayAttachmentStateAvailable {
				break
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return nil
}

// Look puts Drawbridge's own event that the pair of VPCs wants a look on the hub's bus, as the Attachment machine does.
// It stands for that machine where a story is about the pair alone.
func (w *World) Look(ctx context.Context, hub aws.Config, bus string) error {
	w.Connection = cmp.Or(w.Connection, w.Gateway)
	detail, err := json.Marshal(event.TransitInspection{TransitGatewayID: w.Gateway, Reason: "the attachment is available", VPCs: []event.VPCPlace{
		{Account: w.Consumer.Account, Region: w.Consumer.Region, VPC: w.ConsumerNetwork.VPC}, {Account: w.Producer.Account, Region: w.Producer.Region, VPC: w.ProducerNetwork.VPC}}})
	if err != nil {
		return err
	}
	got, err := eventbridge.NewFromConfig(hub).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventbridgetypes.PutEventsRequestEntry{
		{EventBusName: &bus, Source: aws.String(event.Source), DetailType: aws.String(event.TransitToInspect), Detail: aws.String(string(detail))}}})
	if err == nil && got.FailedEntryCount > 0 {
		err = fmt.Errorf("putting the event: %s", aws.ToString(got.Entries[0].ErrorMessage))
	}
	return err
}

// function makes a VPC function in the consumer's last subnet, with a security group of its own that lets nothing out.
func (w *World) function(ctx context.Context) error {
	if w.Function == "" {
		return nil
	}
	client := w.ec2(w.Consumer)
	sg, err := client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("function"), Description: aws.String("the function " + w.Function), VpcId: aws.String(w.ConsumerNetwork.VPC)})
	if err != nil {
		return err
	}
	w.FunctionGroup = aws.ToString(sg.GroupId)
	group, err := w.group(ctx, w.Consumer, w.FunctionGroup)
	if err != nil {
		return err
	}
	if _, err := client.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: sg.GroupId, IpPermissions: group.IpPermissionsEgress}); err != nil {
		return err
	}
	role, err := iam.NewFromConfig(w.clients(w.Consumer.Account, w.Consumer.Region)).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(w.Function),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	if err != nil {
		return err
	}
	var code bytes.Buffer
	archive := zip.NewWriter(&code)
	if _, err := archive.Create("bootstrap"); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	_, err = lambda.NewFromConfig(w.clients(w.Consumer.Account, w.Consumer.Region)).CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &w.Function, Role: role.Role.Arn, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: code.Bytes()},
		VpcConfig: &lambdatypes.VpcConfig{SecurityGroupIds: []string{w.FunctionGroup},
			SubnetIds: w.ConsumerNetwork.Subnets[len(w.ConsumerNetwork.Subnets)-1:]}})
	return err
}

// gateway looks at the attachments as both owners, and at what the gateway does with them as its owner.
func (w *World) gateway(ctx context.Context) ([]story.Hop, error) {
	var out []story.Hop
	owner := w.ec2(w.Consumer)
	for _, side := range []struct {
		home, other Home
		net         Network
	}{{w.Consumer, w.Producer, w.ConsumerNetwork}, {w.Producer, w.Consumer, w.ProducerNetwork}} {
		got, err := owner.DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{Filters: []ec2types.Filter{
			{Name: aws.String("transit-gateway-attachment-id"), Values: []string{side.net.Attachment}}}})
		if err != nil {
			return nil, err
		}
		hop, table := story.Hop{Hop: "attachment", Detail: fmt.Sprintf("%s of %s is gone", side.net.Attachment, side.home.Name)}, ""
		for _, a := range got.TransitGatewayAttachments {
			if a.Association != nil {
				table = aws.ToString(a.Association.TransitGatewayRouteTableId)
			}
			hop.OK, hop.Detail = a.State == ec2types.TransitGatewayAttachmentStateAvailable, fmt.Sprintf("%s of %s is %s", side.net.Attachment, side.home.Name, a.State)
		}
		out = append(out, hop)
		leads := story.Hop{Hop: "gateway route", Detail: fmt.Sprintf("none from %s to %s", side.home.Name, side.other.CIDR)}
		if table != "" {
			found, err := owner.SearchTransitGatewayRoutes(ctx, &ec2.SearchTransitGatewayRoutesInput{TransitGatewayRouteTableId: &table,
				Filters: []ec2types.Filter{{Name: aws.String("route-search.exact-match"), Values: []string{side.other.CIDR.String()}}}})
			if err != nil {
				return nil, err
			}
			for _, r := range found.Routes {
				leads.OK = r.State == ec2types.TransitGatewayRouteStateActive
				leads.Detail = fmt.Sprintf("from %s to %s, %s", side.home.Name, side.other.CIDR, r.State)
			}
		}
		out = append(out, leads)
	}
	return out, nil
}
