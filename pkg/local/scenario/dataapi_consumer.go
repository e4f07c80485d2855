package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/dataapiendpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// consumerCIDR is the range of the consumer's VPC.
const consumerCIDR = "10.1.0.0/16"

func (w *DataAPIWorld) ec2() *ec2.Client {
	return ec2.NewFromConfig(w.clients(w.Consumer, w.Region))
}

// makeNetwork makes the consumer's VPC, with two subnets, if there shall be one, and the owner's own endpoint.
func (w *DataAPIWorld) makeNetwork(ctx context.Context) error {
	if !w.Network && !w.OwnEndpoint {
		return nil
	}
	made, err := w.ec2().CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String(consumerCIDR)})
	if err != nil {
		return err
	}
	w.VPC = aws.ToString(made.Vpc.VpcId)
	on := &ec2types.AttributeBooleanValue{Value: aws.Bool(true)}
	for _, in := range []*ec2.ModifyVpcAttributeInput{{VpcId: &w.VPC, EnableDnsSupport: on}, {VpcId: &w.VPC, EnableDnsHostnames: on}} {
		if _, err := w.ec2().ModifyVpcAttribute(ctx, in); err != nil {
			return err
		}
	}
	var subnets []string
	for zone, cidr := range map[string]string{"a": "10.1.0.0/24", "b": "10.1.1.0/24"} {
		subnet, err := w.ec2().CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: &w.VPC, CidrBlock: aws.String(cidr), AvailabilityZone: aws.String(w.Region + zone)})
		if err != nil {
			return err
		}
		subnets = append(subnets, aws.ToString(subnet.Subnet.SubnetId))
	}
	if !w.OwnEndpoint {
		return nil
	}
	group, err := w.ec2().CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("endpoints"), Description: aws.String("by hand"), VpcId: &w.VPC})
	if err != nil {
		return err
	}
	if _, err := w.ec2().AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group.GroupId, IpPermissions: []ec2types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(443), ToPort: aws.Int32(443), IpRanges: []ec2types.IpRange{{CidrIp: aws.String(consumerCIDR)}}}}}); err != nil {
		return err
	}
	slices.Sort(subnets)
	_, err = w.ec2().CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{VpcId: &w.VPC, VpcEndpointType: ec2types.VpcEndpointTypeInterface,
		ServiceName: aws.String(dataapiendpoint.Service(w.Region)), SubnetIds: subnets, SecurityGroupIds: []string{aws.ToString(group.GroupId)}, PrivateDnsEnabled: aws.Bool(true)})
	return err
}

// TagNetwork sets the tag on the consumer's VPC that asks for the endpoint, or takes it away.
func (w *DataAPIWorld) TagNetwork(ctx context.Context, on bool) error {
	if on {
		_, err := w.ec2().CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{w.VPC}, Tags: []ec2types.Tag{{Key: aws.String(tag.DataAPI), Value: aws.String("true")}}})
		return err
	}
	_, err := w.ec2().DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{w.VPC}, Tags: []ec2types.Tag{{Key: aws.String(tag.DataAPI)}}})
	return err
}

// AllowHTTPS makes the network ACL of the consumer's VPC let HTTPS in, or keep it out.
func (w *DataAPIWorld) AllowHTTPS(ctx context.Context, allow bool) error {
	acls, err := w.ec2().DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{w.VPC}}}})
	if err != nil {
		return err
	}
	acl := acls.NetworkAcls[0].NetworkAclId
	if allow {
		_, err := w.ec2().DeleteNetworkAclEntry(ctx, &ec2.DeleteNetworkAclEntryInput{NetworkAclId: acl, RuleNumber: aws.Int32(50), Egress: aws.Bool(false)})
		return err
	}
	_, err = w.ec2().CreateNetworkAclEntry(ctx, &ec2.CreateNetworkAclEntryInput{NetworkAclId: acl, RuleNumber: aws.Int32(50), Egress: aws.Bool(false),
		Protocol: aws.String("6"), RuleAction: ec2types.RuleActionDeny, CidrBlock: aws.String("0.0.0.0/0"), PortRange: &ec2types.PortRange{From: aws.Int32(443), To: aws.Int32(443)}})
	return err
}

// endpoints returns the endpoints of the consumer's VPC that are not gone.
func (w *DataAPIWorld) endpoints(ctx context.Context) ([]ec2types.VpcEndpoint, error) {
	got, err := w.ec2().DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{w.VPC}}}})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(got.VpcEndpoints, func(e ec2types.VpcEndpoint) bool { return strings.EqualFold(string(e.State), "deleted") }), nil
}

// NetworkVerdict reads back the endpoints of the consumer's VPC: there is one of the Data API, with private DNS, available.
func (w *DataAPIWorld) NetworkVerdict(ctx context.Context) ([]story.Hop, error) {
	endpoints, err := w.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	var hops []story.Hop
	for _, e := range endpoints {
		hops = append(hops, story.Hop{Hop: "consumer VPC", Detail: fmt.Sprintf("%s of %s is %s in %d subnets, private DNS %t",
			aws.ToString(e.VpcEndpointId), aws.ToString(e.ServiceName), strings.ToLower(string(e.State)), len(e.SubnetIds), aws.ToBool(e.PrivateDnsEnabled)),
			OK: aws.ToString(e.ServiceName) == dataapiendpoint.Service(w.Region) && strings.EqualFold(string(e.State), "available") && aws.ToBool(e.PrivateDnsEnabled)})
	}
	if len(hops) == 0 {
		hops = append(hops, story.Hop{Hop: "consumer VPC", Detail: w.VPC + " has no endpoint"})
	}
	return hops, nil
}

// network is everything of the consumer's VPC that Drawbridge may have changed, as text.
func (w *DataAPIWorld) network(ctx context.Context) (string, error) {
	if w.VPC == "" {
		return "", nil
	}
	var lines []string
	endpoints, err := w.endpoints(ctx)
	if err != nil {
		return "", err
	}
	for _, e := range endpoints {
		line := fmt.Sprintf("%s %s %s", aws.ToString(e.VpcEndpointId), aws.ToString(e.ServiceName), tagText(e.Tags))
		for _, g := range e.Groups {
			line += " " + aws.ToString(g.GroupId)
		}
		lines = append(lines, fmt.Sprint(line, " ", slices.Sorted(slices.Values(e.SubnetIds))))
	}
	here := []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{w.VPC}}}
	groups, err := w.ec2().DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: here})
	if err != nil {
		return "", err
	}
	for _, g := range groups.SecurityGroups {
		rules, err := w.ec2().DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{
			Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: []string{aws.ToString(g.GroupId)}}}})
		if err != nil {
			return "", err
		}
		for _, r := range rules.SecurityGroupRules {
			lines = append(lines, fmt.Sprintf("%s %s egress %t %s %d-%d %s %s", aws.ToString(g.GroupName), aws.ToString(r.SecurityGroupRuleId), aws.ToBool(r.IsEgress),
				aws.ToString(r.IpProtocol), aws.ToInt32(r.FromPort), aws.ToInt32(r.ToPort), aws.ToString(r.CidrIpv4), tagText(r.Tags)))
		}
		lines = append(lines, aws.ToString(g.GroupName)+" "+tagText(g.Tags))
	}
	vpcs, err := w.ec2().DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{w.VPC}})
	if err != nil {
		return "", err
	}
	lines = append(lines, w.VPC+" "+tagText(vpcs.Vpcs[0].Tags))
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n", nil
}

func tagText(tags []ec2types.Tag) string {
	var all []string
	for _, t := range tags {
		all = append(all, aws.ToString(t.Key)+"="+aws.ToString(t.Value))
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}
