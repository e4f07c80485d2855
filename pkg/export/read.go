package export

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Reader reads what stands of items, with the credentials of whoever asks. It changes nothing.
type Reader struct {
	// Enter returns the configuration for reading in a place, or why there is none.
	Enter func(event.Place) (aws.Config, error)
}

// clients are those of one place.
type clients struct {
	account string
	ec2     *ec2.Client
	iam     *iam.Client
	kms     *kms.Client
}

// Read reads what stands of items. What could not be read says so in its fact.
func (r Reader) Read(ctx context.Context, items []ledger.Item) (Facts, error) {
	out := Facts{}
	in := map[event.Place]clients{}
	for _, i := range items {
		if _, _, owned := unowned(i); !owned || i.State != ledger.Confirmed {
			continue
		}
		at := event.Place{Account: i.Account, Region: i.Region}
		c, open := in[at]
		if !open {
			cfg, err := r.Enter(at)
			if err != nil {
				out.set(i, Fact{Unread: oneLine(err)})
				continue
			}
			c = clients{account: at.Account, ec2: ec2.NewFromConfig(cfg), iam: iam.NewFromConfig(cfg), kms: kms.NewFromConfig(cfg)}
			in[at] = c
		}
		fact, err := c.read(ctx, i)
		switch {
		case ctx.Err() != nil:
			return out, ctx.Err()
		case errors.Is(err, errGone):
			fact = Fact{Gone: true}
		case err != nil:
			fact = Fact{Unread: oneLine(err)}
		}
		out.set(i, fact)
	}
	return out, nil
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// errGone says that a thing is not there, or not as its item says.
var errGone = errors.New("it is not there")

// gone returns errGone for AWS's errors that say so, and else the error with what was read.
func gone(what string, err error) error {
	// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
	if fault.HasCode(err, "NoSuchEntity", "NotFoundException", "InvalidRouteTableID.NotFound", "InvalidVpcPeeringConnectionID.NotFound", "InvalidTransitGatewayAttachmentID.NotFound",
		"InvalidVpcEndpointId.NotFound", "InvalidGroup.NotFound") {
		return errGone
	}
	return fmt.Errorf("reading %s: %w", what, err)
}

func (c clients) read(ctx context.Context, i ledger.Item) (Fact, error) {
	switch i.Kind {
	case ledger.Route:
		return Fact{}, c.route(ctx, i)
	case ledger.Rule:
		return c.rule(ctx, i)
	case ledger.DNSOption:
		return Fact{}, c.option(ctx, i)
	case ledger.Attachment:
		return c.attachment(ctx, i)
	case ledger.Association, ledger.Propagation:
		return Fact{}, c.inTable(ctx, i)
	case ledger.Endpoint:
		return c.endpoint(ctx, i)
	case ledger.Group:
		return c.group(ctx, i)
	case ledger.Role:
		return c.role(ctx, i)
	case ledger.Document:
		return c.policy(ctx, i)
	case ledger.Managed:
		return Fact{}, c.attached(ctx, i)
	case ledger.Grant:
		return c.grants(ctx, i)
	}
	return Fact{}, nil
}

func (c clients) route(ctx context.Context, i ledger.Item) error {
	got, err := c.ec2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{i.Resource}})
	if err != nil {
		return gone("route table "+i.Resource, err)
	}
	for _, t := range got.RouteTables {
		for _, r := range t.Routes {
			to := slices.Contains([]string{aws.ToString(r.DestinationCidrBlock), aws.ToString(r.DestinationIpv6CidrBlock)}, i.Key)
			if to && slices.Contains([]string{aws.ToString(r.VpcPeeringConnectionId), aws.ToString(r.TransitGatewayId)}, i.Left) {
				return nil
			}
		}
	}
	return errGone
}

func (c clients) rule(ctx context.Context, i ledger.Item) (Fact, error) {
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(c.ec2, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: []string{i.Resource}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Fact{}, gone("the rules of "+i.Resource, err)
		}
		for _, r := range page.SecurityGroupRules {
			if aws.ToString(r.SecurityGroupRuleId) != i.Left {
				continue
			}
			out := Rule{ID: i.Left, Group: i.Resource, Egress: aws.ToBool(r.IsEgress), Protocol: aws.ToString(r.IpProtocol), From: int(aws.ToInt32(r.FromPort)), To: int(aws.ToInt32(r.ToPort)),
				CIDR4: aws.ToString(r.CidrIpv4), CIDR6: aws.ToString(r.CidrIpv6), List: aws.ToString(r.PrefixListId), Description: aws.ToString(r.Description), Tags: tag.OfEC2(r.Tags)}
			if g := r.ReferencedGroupInfo; g != nil {
				out.Other, out.OtherOwner = aws.ToString(g.GroupId), aws.ToString(g.UserId)
			}
			return Fact{Rule: &out}, nil
		}
	}
	return Fact{}, errGone
}

func (c clients) option(ctx context.Context, i ledger.Item) error {
	got, err := c.ec2.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{i.Resource}})
	if err != nil {
		return gone("peering "+i.Resource, err)
	}
	for _, p := range got.VpcPeeringConnections {
		side := p.RequesterVpcInfo
		if i.Key == "accepter" {
			side = p.AccepterVpcInfo
		}
		if side != nil && side.PeeringOptions != nil && aws.ToBool(side.PeeringOptions.AllowDnsResolutionFromRemoteVpc) {
			return nil
		}
	}
	return errGone
}

func (c clients) attachment(ctx context.Context, i ledger.Item) (Fact, error) {
	got, err := c.ec2.DescribeTransitGatewayVpcAttachments(ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{TransitGatewayAttachmentIds: []string{i.Left}})
	if err != nil {
		return Fact{}, gone("attachment "+i.Left, err)
	}
	for _, a := range got.TransitGatewayVpcAttachments {
		if a.State != ec2types.TransitGatewayAttachmentStateAvailable {
			continue
		}
		out := Attachment{ID: i.Left, VPC: aws.ToString(a.VpcId), Gateway: aws.ToString(a.TransitGatewayId), Subnets: slices.Sorted(slices.Values(a.SubnetIds)), Tags: tag.OfEC2(a.Tags), Associated: true, Propagated: true}
		if o := a.Options; o != nil {
			out.DNS, out.IPv6, out.Appliance, out.Refer = string(o.DnsSupport), string(o.Ipv6Support), string(o.ApplianceModeSupport), string(o.SecurityGroupReferencingSupport)
		}
		out.Associated, out.Propagated, err = c.defaults(ctx, out)
		return Fact{Attachment: &out}, err
	}
	return Fact{}, errGone
}

// defaults says whether an attachment is in the tables that its gateway has for all, if the gateway is of this account.
func (c clients) defaults(ctx context.Context, a Attachment) (associated, propagated bool, err error) {
	got, err := c.ec2.DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{TransitGatewayIds: []string{a.Gateway}})
	if err != nil {
		return true, true, fmt.Errorf("reading transit gateway %s: %w", a.Gateway, err)
	}
	for _, g := range got.TransitGateways {
		if aws.ToString(g.OwnerId) != c.account || g.Options == nil {
			continue
		}
		if associated, err = c.tableHas(ctx, ledger.Association, aws.ToString(g.Options.AssociationDefaultRouteTableId), a.ID); err == nil {
			propagated, err = c.tableHas(ctx, ledger.Propagation, aws.ToString(g.Options.PropagationDefaultRouteTableId), a.ID)
		}
		return associated, propagated, err
	}
	return true, true, nil
}

func (c clients) inTable(ctx context.Context, i ledger.Item) error {
	has, err := c.tableHas(ctx, i.Kind, i.Key, i.Resource)
	if err == nil && !has {
		err = errGone
	}
	return err
}

// tableHas reports whether a route table of a gateway, if there is one, has the association or propagation of an attachment.
func (c clients) tableHas(ctx context.Context, kind ledger.Kind, table, attachment string) (bool, error) {
	if table == "" {
		return false, nil
	}
	filters := []ec2types.Filter{{Name: aws.String("transit-gateway-attachment-id"), Values: []string{attachment}}}
	if kind == ledger.Association {
		got, err := c.ec2.GetTransitGatewayRouteTableAssociations(ctx, &ec2.GetTransitGatewayRouteTableAssociationsInput{TransitGatewayRouteTableId: &table, Filters: filters})
		if err != nil {
			return false, gone("the associations of "+table, err)
		}
		return slices.ContainsFunc(got.Associations, func(a ec2types.TransitGatewayRouteTableAssociation) bool {
			return aws.ToString(a.TransitGatewayAttachmentId) == attachment && a.State == ec2types.TransitGatewayAssociationStateAssociated
		}), nil
	}
	got, err := c.ec2.GetTransitGatewayRouteTablePropagations(ctx, &ec2.GetTransitGatewayRouteTablePropagationsInput{TransitGatewayRouteTableId: &table, Filters: filters})
	if err != nil {
		return false, gone("the propagations of "+table, err)
	}
	return slices.ContainsFunc(got.TransitGatewayRouteTablePropagations, func(p ec2types.TransitGatewayRouteTablePropagation) bool {
		return aws.ToString(p.TransitGatewayAttachmentId) == attachment && p.State == ec2types.TransitGatewayPropagationStateEnabled
	}), nil
}

func (c clients) endpoint(ctx context.Context, i ledger.Item) (Fact, error) {
	got, err := c.ec2.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: []string{i.Left}})
	if err != nil {
		return Fact{}, gone("endpoint "+i.Left, err)
	}
	for _, e := range got.VpcEndpoints {
		if !strings.EqualFold(string(e.State), "available") {
			continue
		}
		out := Endpoint{ID: i.Left, Service: aws.ToString(e.ServiceName), VPC: aws.ToString(e.VpcId), Subnets: slices.Sorted(slices.Values(e.SubnetIds)), PrivateDNS: aws.ToBool(e.PrivateDnsEnabled),
			Policy: aws.ToString(e.PolicyDocument), Tags: tag.OfEC2(e.Tags)}
		for _, g := range e.Groups {
			out.Groups = append(out.Groups, aws.ToString(g.GroupId))
		}
		slices.Sort(out.Groups)
		return Fact{Endpoint: &out}, nil
	}
	return Fact{}, errGone
}

func (c clients) group(ctx context.Context, i ledger.Item) (Fact, error) {
	got, err := c.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{i.Left}})
	if err != nil {
		return Fact{}, gone("security group "+i.Left, err)
	}
	for _, g := range got.SecurityGroups {
		return Fact{Group: &Group{ID: i.Left, Name: aws.ToString(g.GroupName), Description: aws.ToString(g.Description), VPC: aws.ToString(g.VpcId), Tags: tag.OfEC2(g.Tags)}}, nil
	}
	return Fact{}, errGone
}

func (c clients) role(ctx context.Context, i ledger.Item) (Fact, error) {
	got, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &i.Resource})
	if err != nil {
		return Fact{}, gone("role "+i.Resource, err)
	}
	r := got.Role
	if !slices.Contains([]string{aws.ToString(r.RoleId), aws.ToString(r.Arn)}, i.Left) {
		return Fact{}, errGone // another role of that name
	}
	out := Role{Name: i.Resource, Path: aws.ToString(r.Path), Description: aws.ToString(r.Description), Session: int(aws.ToInt32(r.MaxSessionDuration)), Tags: ofIAM(r.Tags)}
	if r.PermissionsBoundary != nil {
		out.Boundary = aws.ToString(r.PermissionsBoundary.PermissionsBoundaryArn)
	}
	out.Trust, err = decoded(r.AssumeRolePolicyDocument)
	return Fact{Role: &out}, err
}

// decoded is a document as IAM returns it. https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
func decoded(text *string) (string, error) {
	out, err := url.PathUnescape(aws.ToString(text))
	if err != nil {
		return "", fmt.Errorf("decoding a document of IAM's: %w", err)
	}
	return out, nil
}

// policy reads an inline policy of a role, or a managed one, whose item is filed under its ARN.
func (c clients) policy(ctx context.Context, i ledger.Item) (Fact, error) {
	if !strings.HasPrefix(i.Resource, "arn:") {
		got, err := c.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &i.Resource, PolicyName: &i.Key})
		if err != nil {
			return Fact{}, gone("policy "+i.Key+" of role "+i.Resource, err)
		}
		text, err := decoded(got.PolicyDocument)
		return Fact{Policy: &Policy{Name: i.Key, Text: text}}, err
	}
	got, err := c.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &i.Resource})
	if err != nil {
		return Fact{}, gone("policy "+i.Resource, err)
	}
	version, err := c.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &i.Resource, VersionId: got.Policy.DefaultVersionId})
	if err != nil {
		return Fact{}, gone("policy "+i.Resource, err)
	}
	out := Policy{ARN: i.Resource, Name: aws.ToString(got.Policy.PolicyName), Path: aws.ToString(got.Policy.Path), Description: aws.ToString(got.Policy.Description), Tags: ofIAM(got.Policy.Tags)}
	out.Text, err = decoded(version.PolicyVersion.Document)
	return Fact{Policy: &out}, err
}

func (c clients) attached(ctx context.Context, i ledger.Item) error {
	pages := iam.NewListAttachedRolePoliciesPaginator(c.iam, &iam.ListAttachedRolePoliciesInput{RoleName: &i.Resource})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return gone("the policies of role "+i.Resource, err)
		}
		if slices.ContainsFunc(page.AttachedPolicies, func(p iamtypes.AttachedPolicy) bool { return aws.ToString(p.PolicyArn) == i.Left }) {
			return nil
		}
	}
	return errGone
}

func (c clients) grants(ctx context.Context, i ledger.Item) (Fact, error) {
	var out Fact
	pages := kms.NewListGrantsPaginator(c.kms, &kms.ListGrantsInput{KeyId: &i.Resource})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return out, gone("the grants of key "+i.Resource, err)
		}
		for _, g := range page.Grants {
			if !slices.Contains(strings.Fields(i.Left), aws.ToString(g.GrantId)) {
				continue
			}
			one := Grant{ID: aws.ToString(g.GrantId), Name: aws.ToString(g.Name), Grantee: aws.ToString(g.GranteePrincipal), Retiring: aws.ToString(g.RetiringPrincipal)}
			for _, o := range g.Operations {
				one.Operations = append(one.Operations, string(o))
			}
			slices.Sort(one.Operations)
			if g.Constraints != nil {
				one.Equals, one.Subset = g.Constraints.EncryptionContextEquals, g.Constraints.EncryptionContextSubset
			}
			out.Grants = append(out.Grants, one)
		}
	}
	if len(out.Grants) == 0 {
		return out, errGone
	}
	return out, nil
}

// ofIAM returns tags by their keys, as they are.
func ofIAM(tags []iamtypes.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}
