package scenario

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// GatewayName is the name of the transit gateway of [World.Offer], for which both VPCs ask.
const GatewayName = "core"

// tagAttach is the tag by which a VPC asks for a gateway.
const tagAttach = "drawbridge:attach"

// Ask lets both VPCs ask for the gateway [GatewayName] by their tag.
func (w *World) Ask(ctx context.Context) error {
	for _, side := range []struct {
		home Home
		net  Network
	}{{w.Consumer, w.ConsumerNetwork}, {w.Producer, w.ProducerNetwork}} {
		if _, err := w.ec2(side.home).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{side.net.VPC},
			Tags: []ec2types.Tag{{Key: aws.String(tagAttach), Value: aws.String(GatewayName)}}}); err != nil {
			return fmt.Errorf("tagging the VPC of %s: %w", side.home.Name, err)
		}
	}
	return nil
}

// Offer makes the gateway [GatewayName] in the consumer's account, with the tag by which its owner accepts what is
// attached. It is shared with nobody yet. A look at a VPC that asks for it would attach it: what [World.Ask] set in motion
// must have ended.
func (w *World) Offer(ctx context.Context) error {
	got, err := w.ec2(w.Consumer).CreateTransitGateway(ctx, &ec2.CreateTransitGatewayInput{
		Options: &ec2types.TransitGatewayRequestOptions{AutoAcceptSharedAttachments: ec2types.AutoAcceptSharedAttachmentsValueDisable},
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeTransitGateway, Tags: []ec2types.Tag{
			{Key: aws.String("Name"), Value: aws.String(GatewayName)}, {Key: aws.String("drawbridge:accept"), Value: aws.String("auto")}}}}})
	if err != nil {
		return fmt.Errorf("making the gateway of %s: %w", w.Consumer.Name, err)
	}
	w.Gateway = aws.ToString(got.TransitGateway.TransitGatewayId)
	return nil
}

// Lend is the one call of the fifth scenario: the gateway's owner shares it with the producer's account.
func (w *World) Lend(ctx context.Context) error {
	got, err := w.ec2(w.Consumer).DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{TransitGatewayIds: []string{w.Gateway}})
	if err != nil {
		return err
	}
	if len(got.TransitGateways) != 1 {
		return fmt.Errorf("reading %s: %d gateways", w.Gateway, len(got.TransitGateways))
	}
	_, err = ram.NewFromConfig(w.clients(w.Consumer.Account, w.Consumer.Region)).CreateResourceShare(ctx, &ram.CreateResourceShareInput{
		Name: aws.String(GatewayName), ResourceArns: []string{aws.ToString(got.TransitGateways[0].TransitGatewayArn)}, Principals: []string{w.Producer.Account}})
	return err
}

// Find reads, as each owner, which attachment to the gateway its VPC has: others made them. A VPC with none or with
// several is an error.
func (w *World) Find(ctx context.Context) error {
	for _, side := range []struct {
		home Home
		net  *Network
	}{{w.Consumer, &w.ConsumerNetwork}, {w.Producer, &w.ProducerNetwork}} {
		got, err := w.ec2(side.home).DescribeTransitGatewayVpcAttachments(ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{Filters: []ec2types.Filter{
			{Name: aws.String("vpc-id"), Values: []string{side.net.VPC}}, {Name: aws.String("transit-gateway-id"), Values: []string{w.Gateway}}}})
		if err != nil {
			return fmt.Errorf("reading the attachment of %s: %w", side.home.Name, err)
		}
		if n := len(got.TransitGatewayVpcAttachments); n != 1 {
			return fmt.Errorf("reading the attachment of %s: it has %d to %s", side.home.Name, n, w.Gateway)
		}
		side.net.Attachment = aws.ToString(got.TransitGatewayVpcAttachments[0].TransitGatewayAttachmentId)
	}
	w.Connection = w.Gateway
	return nil
}

// Leave takes the tag off the producer's VPC, as its owner.
func (w *World) Leave(ctx context.Context) error {
	_, err := w.ec2(w.Producer).DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{w.ProducerNetwork.VPC}, Tags: []ec2types.Tag{{Key: aws.String(tagAttach)}}})
	return err
}

// Reach is what decides who reaches whom, read as the owners of both accounts: each route, each rule of a security group,
// and the on-start script of the notebook. Two worlds of the same text let the same packets through.
func (w *World) Reach(ctx context.Context) (string, error) {
	var lines []string
	for _, side := range []struct {
		home Home
		net  Network
	}{{w.Consumer, w.ConsumerNetwork}, {w.Producer, w.ProducerNetwork}} {
		tables, err := w.ec2(side.home).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: side.net.Tables})
		if err != nil {
			return "", err
		}
		for _, t := range tables.RouteTables {
			for _, r := range t.Routes {
				lines = append(lines, fmt.Sprintf("%s %s to %s%s%s", aws.ToString(t.RouteTableId), aws.ToString(r.DestinationCidrBlock),
					aws.ToString(r.GatewayId), aws.ToString(r.TransitGatewayId), aws.ToString(r.VpcPeeringConnectionId)))
			}
		}
		ids := []string{side.net.Group}
		if side.home.Account == w.Consumer.Account && w.FunctionGroup != "" {
			ids = append(ids, w.FunctionGroup)
		}
		rules, err := w.ec2(side.home).DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: ids}}})
		if err != nil {
			return "", err
		}
		for _, r := range rules.SecurityGroupRules {
			lines = append(lines, fmt.Sprintf("%s egress %t %s %d-%d %s", aws.ToString(r.GroupId), aws.ToBool(r.IsEgress), aws.ToString(r.IpProtocol),
				aws.ToInt32(r.FromPort), aws.ToInt32(r.ToPort), cmp.Or(aws.ToString(r.CidrIpv4), aws.ToString(r.CidrIpv6))))
		}
	}
	slices.Sort(lines)
	if w.Notebook.Name == "" {
		return strings.Join(lines, "\n"), nil
	}
	notebook, err := w.sagemaker().DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: aws.String(w.Notebook.Name)})
	if err != nil {
		return "", err
	}
	config := aws.ToString(notebook.NotebookInstanceLifecycleConfigName)
	script := ""
	if config != "" {
		if script, err = w.OnStart(ctx, config); err != nil {
			return "", err
		}
	}
	return strings.Join(append(lines, config, script), "\n"), nil
}

// Gone reports, hop by hop, whether a connection over the gateway is gone: the producer's attachment, and everything else
// that was not as in before, an answer of [World.Reach].
func (w *World) Gone(ctx context.Context, before string) ([]story.Hop, error) {
	got, err := w.ec2(w.Consumer).DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{Filters: []ec2types.Filter{
		{Name: aws.String("transit-gateway-attachment-id"), Values: []string{w.ProducerNetwork.Attachment}}}})
	if err != nil {
		return nil, err
	}
	attachment := story.Hop{Hop: "attachment", OK: true, Detail: fmt.Sprintf("%s of %s is gone", w.ProducerNetwork.Attachment, w.Producer.Name)}
	for _, a := range got.TransitGatewayAttachments {
		attachment.OK = a.State == ec2types.TransitGatewayAttachmentStateDeleted || a.State == ec2types.TransitGatewayAttachmentStateDeleting
		attachment.Detail = fmt.Sprintf("%s of %s is %s", w.ProducerNetwork.Attachment, w.Producer.Name, a.State)
	}
	now, err := w.Reach(ctx)
	if err != nil {
		return nil, err
	}
	rest := story.Hop{Hop: "the rest", OK: now == before, Detail: "each route, each security group rule and the on-start script are as they were before"}
	if !rest.OK {
		rest.Detail = "is not as it was before: " + Difference(before, now)
	}
	return []story.Hop{attachment, rest}, nil
}

// Difference names the lines that only one of two texts has; "" if they have the same.
func Difference(before, now string) string {
	b, n := strings.Split(before, "\n"), strings.Split(now, "\n")
	var out []string
	for _, l := range b {
		if !slices.Contains(n, l) {
			out = append(out, "without "+l)
		}
	}
	for _, l := range n {
		if !slices.Contains(b, l) {
			out = append(out, "with "+l)
		}
	}
	return strings.Join(out, "; ")
}
