package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// terraform says, for each kind of item, which resource owns the whole of a thing, which of its arguments are to be ignored, and what else there is to
// do instead, by Terraform's provider for AWS: https://registry.terraform.io/providers/hashicorp/aws/latest/docs
var terraform = map[ledger.Kind]struct{ resource, ignore, instead string }{
	ledger.Route: {`"aws_route_table" (or "aws_default_route_table")`, "route",
		`or take its inline route blocks out (not "route = []", which means none) and write each as a resource "aws_route" of its own`},
	ledger.DNSOption: {`"aws_vpc_peering_connection", "aws_vpc_peering_connection_accepter" or "aws_vpc_peering_connection_options"`, "requester, accepter",
		`or take its blocks requester and accepter out, and write a separate resource "aws_vpc_peering_connection_options" with allow_remote_vpc_dns_resolution = true in the block of your side`},
	ledger.HostRoute: {`"aws_sagemaker_notebook_instance_lifecycle_configuration"`, "on_start",
		`or copy Drawbridge's block, with its first and last line, into the script`},
	ledger.Config: {`"aws_sagemaker_notebook_instance"`, "lifecycle_config_name", ""},
	ledger.Association: {`"aws_ec2_transit_gateway_vpc_attachment"`, "transit_gateway_default_route_table_association",
		`and write no "aws_ec2_transit_gateway_route_table_association" for the attachment`},
	ledger.Propagation: {`"aws_ec2_transit_gateway_vpc_attachment"`, "transit_gateway_default_route_table_propagation",
		`and write no "aws_ec2_transit_gateway_route_table_propagation" for the attachment`},
	ledger.Endpoint: {`"aws_vpc_endpoint"`, "subnet_ids, security_group_ids, policy",
		`or write the endpoint as your own, with private_dns_enabled = true: Drawbridge uses it as it is`},
	ledger.Group: {`"aws_security_group"`, "ingress, egress", ""},
	ledger.Interface: {`"aws_vpc_endpoint"`, "subnet_ids, security_group_ids",
		`and write no "aws_vpc_endpoint_subnet_association" or "aws_vpc_endpoint_security_group_association" that takes away what Drawbridge put there`},
	ledger.Managed:  {`"aws_iam_role"`, "managed_policy_arns", `and write no "aws_iam_role_policy_attachments_exclusive" for the role, or name the policy in it`},
	ledger.Document: {`"aws_iam_role"`, "inline_policy", `and write no "aws_iam_role_policies_exclusive" for the role`},
	ledger.Statement: {`"aws_iam_role"`, "assume_role_policy",
		`or copy Drawbridge's statement into the document`},
}

// cloudFormation says the same of kinds whose words depend on nothing but the thing, by CloudFormation's reference of resources:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
var cloudFormation = map[ledger.Kind]string{
	ledger.DNSOption:   "an AWS::EC2::VPCPeeringConnection has no property for the DNS options of %s: take what turns them off, a custom resource or a script of the stack, out",
	ledger.HostRoute:   "copy Drawbridge's block, with its first and last line, into the property OnStart of the AWS::SageMaker::NotebookInstanceLifecycleConfig of %s",
	ledger.Config:      "name Drawbridge's configuration in the property LifecycleConfigName of the AWS::SageMaker::NotebookInstance of %s",
	ledger.Association: "write no AWS::EC2::TransitGatewayRouteTableAssociation for %s",
	ledger.Propagation: "write no AWS::EC2::TransitGatewayRouteTablePropagation for %s",
	ledger.Endpoint:    "write an AWS::EC2::VPCEndpoint of your own into %s, with PrivateDnsEnabled: true: Drawbridge uses it as it is",
	ledger.Interface:   "let the SubnetIds and SecurityGroupIds of an AWS::EC2::VPCEndpoint in %s name what Drawbridge put there, too",
	ledger.Managed:     "name Drawbridge's policy in the property ManagedPolicyArns of the AWS::IAM::Role %s, too",
	ledger.Document:    "take the property Policies out of the AWS::IAM::Role of %s and write each as a resource AWS::IAM::RolePolicy of its own",
	ledger.Statement:   "copy Drawbridge's statement into the property AssumeRolePolicyDocument of the AWS::IAM::Role of %s",
}

// Remedy says what the owner of a thing changes, so that it stays, in the words of the tool that takes it away. Where nobody knows the tool, both
// Terraform's and CloudFormation's words are said.
func Remedy(i ledger.Item) string {
	switch i.TakenBy.Tool {
	case event.Terraform:
		return byTerraform(i)
	case event.CloudFormation:
		return byCloudFormation(i)
	case "":
		return byTerraform(i) + "\n\n" + byCloudFormation(i)
	}
	return fmt.Sprintf("%s took the %s %s of %s away, and no tool that Drawbridge knows remedies for. Let whoever, or whatever, does so leave it: it is not in the way of anything that was there before.",
		i.TakenBy.Who, i.Kind, i.Key, i.Resource)
}

// ignoreTags is what Terraform's provider is told of Drawbridge's tags, and of the one by which an owner asks anew. It names keys, not their prefix:
// what the provider ignores it never sets, so a drawbridge:share that stands in the code would be a change in every plan.
// https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/resource-tagging
var ignoreTags = func() string {
	var rows []string
	for some := range slices.Chunk(append([]string{tag.Manage}, tag.Answers...), 4) {
		rows = append(rows, `"`+strings.Join(some, `", "`)+`"`)
	}
	return `  provider "aws" {
    ignore_tags {
      keys = [
        ` + strings.Join(rows, ",\n        ") + `
      ]
    }
  }

without those of these tags that your code sets itself`
}()

// hostRoutesToo is said with a route: a notebook's host routes go when its table's route goes, so nobody sees that the same run takes them out of the
// script, too, until the route is back.
const hostRoutesToo = `If the same code has the script of a notebook in a subnet of the table, its host routes come back with the route: in the resource ` +
	`"aws_sagemaker_notebook_instance_lifecycle_configuration" add

  lifecycle {
    ignore_changes = [on_start]
  }

so that they stay`

// ownThing says of a thing that Drawbridge made itself what code may do about it: nothing. Only these of the kinds that a role has are its own, since their roles
// begin with Drawbridge's name, and the account's one policy.
func ownThing(i ledger.Item) (what string, ok bool) {
	role := strings.HasPrefix(i.Resource, ownRoles) && (i.Kind == ledger.Role || i.Kind == ledger.Document || i.Kind == ledger.Statement)
	switch {
	case role:
		return "the role " + i.Resource, true
	case i.Kind == ledger.Grant:
		return "the grants of Drawbridge's role at the key " + i.Resource, true
	case i.Kind == ledger.Document && strings.Contains(i.Resource, ":policy/"):
		return "the policy " + i.Resource, true
	}
	return "", false
}

// ownRoles begins the names of the roles that Drawbridge makes in members.
const ownRoles = "drawbridge-"

func byTerraform(i ledger.Item) string {
	if what, ok := ownThing(i); ok {
		return fmt.Sprintf("Terraform: Drawbridge made %s itself. If your code took it over, leave it where it is, and let the code forget it: replace its resource by\n\n  removed {\n    from = ADDRESS\n    lifecycle {\n      destroy = false\n    }\n  }", what)
	}
	if i.Kind == contest.TagsKind {
		return "Terraform: in the provider's block add\n\n" + ignoreTags
	}
	how, ok := terraform[i.Kind]
	switch {
	case i.Kind == ledger.Rule:
		direction, _, _ := strings.Cut(i.Key, " ")
		how.resource, how.ignore = `"aws_security_group" (or "aws_default_security_group")`, direction
		how.instead = fmt.Sprintf(`or take its inline %s blocks out and write each as a resource "aws_vpc_security_group_%s_rule" of its own, without an "aws_vpc_security_group_rules_exclusive"`, direction, direction)
	case i.Kind == ledger.Setting && strings.Contains(i.Resource, ":cluster:"):
		how.resource, how.ignore, how.instead = `"aws_rds_cluster"`, "enable_http_endpoint", "or set enable_http_endpoint = true in it"
	case i.Kind == ledger.Setting:
		how.resource, how.ignore, how.instead = `"aws_sagemaker_domain"`, "domain_settings", `or set execution_role_identity_config = "USER_PROFILE_NAME" in its block domain_settings`
	case !ok:
		how.ignore = "all"
	}
	out := fmt.Sprintf("Terraform: in the resource %s of %s add\n\n  lifecycle {\n    ignore_changes = [%s]\n  }", how.resource, i.Resource, how.ignore)
	if how.ignore == "all" {
		out = fmt.Sprintf("Terraform: in the resource that makes %s add\n\n  lifecycle {\n    ignore_changes = all\n  }", i.Resource)
	}
	if how.instead != "" {
		out += "\n\n" + how.instead
	}
	if i.Kind == ledger.Route {
		out += ". " + hostRoutesToo
	}
	return out + ". In the provider's block, so that Drawbridge's tags stay, add\n\n" + ignoreTags
}

func byCloudFormation(i ledger.Item) string {
	out := "CloudFormation: "
	if what, ok := ownThing(i); ok {
		return out + fmt.Sprintf("Drawbridge made %s itself. If a stack imported it, give its resource DeletionPolicy: Retain, update the stack, then take the resource out of the template", what)
	}
	switch i.Kind {
	case ledger.Rule:
		direction, _, _ := strings.Cut(i.Key, " ")
		property := "SecurityGroup" + strings.ToUpper(direction[:1]) + direction[1:]
		out += fmt.Sprintf("take the property %s out of the AWS::EC2::SecurityGroup of %s and write each rule as a resource AWS::EC2::%s of its own", property, i.Resource, property)
	case ledger.Route:
		out += fmt.Sprintf("write each route of %s as a resource AWS::EC2::Route of its own, and none for %s", i.Resource, i.Key)
	case ledger.Setting:
		resource, property := "AWS::RDS::DBCluster", "EnableHttpEndpoint: true"
		if !strings.Contains(i.Resource, ":cluster:") {
			resource, property = "AWS::SageMaker::Domain", "DomainSettings: {ExecutionRoleIdentityConfig: USER_PROFILE_NAME}"
		}
		out += fmt.Sprintf("write %s into the %s of %s", property, resource, i.Resource)
	case contest.TagsKind:
		out += fmt.Sprintf("let no stack tag or untag %s with %s", i.Resource, tag.Prefix)
	default:
		how, ok := cloudFormation[i.Kind]
		if !ok {
			how = "let the template leave what of %s is not its own"
		}
		out += fmt.Sprintf(how, i.Resource)
	}
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
	return out + `. What Drawbridge adds shows as drift, and may: see it with "aws cloudformation detect-stack-drift --stack-name STACK", and execute no change set of the deployment mode REVERT_DRIFT that takes it away`
}

// Anew returns the command by which the owner of an item asks for it again, in the item's account.
func Anew(c ledger.Connection, i ledger.Item) string {
	switch c.Kind {
	case road.Peering, road.Attachment:
		return notice.Answering(i.Region, c.ID, tag.Prefix+"manage", "true")
	case road.Transit:
		gateway, _, _ := strings.Cut(c.ID, ":")
		for _, s := range c.Sides {
			if s.Account == i.Account && s.Region == i.Region {
				return notice.Answering(s.Region, s.ID, tag.Attach, gateway)
			}
		}
	case road.DataAPIEndpoint:
		for _, s := range c.Sides {
			return notice.Answering(s.Region, s.ID, tag.DataAPI, "true")
		}
	case road.PrivateNotebooks:
		for _, s := range c.Sides {
			return notice.Answering(s.Region, s.ID, tag.PrivateNotebooks, "true")
		}
	case road.DataAPI:
		return fmt.Sprintf("aws rds add-tags-to-resource --region %s --resource-name %s --tags Key=%s,Value=… (the value that it has)", regionOf(c), c.ID, tag.DataAPI)
	case road.Studio:
		switch {
		case i.Account == arn.AccountOf(c.ID):
			return fmt.Sprintf("aws redshift create-tags --region %s --resource-name %s --tags Key=%s,Value=… (the value that it has)", regionOf(c), c.ID, tag.Studio)
		case i.Kind == ledger.Setting:
			domain := arn.New(arn.PartitionOf(c.ID), "sagemaker", i.Region, i.Account, "domain/"+i.Resource)
			return fmt.Sprintf("aws sagemaker add-tags --region %s --resource-arn %s --tags Key=%s,Value=true", i.Region, domain, tag.Studio)
		}
		return fmt.Sprintf("aws iam tag-role --role-name %s --tags Key=%s,Value=true", i.Resource, tag.Studio)
	case road.Share: // nobody asked for it by a tag of its own
	}
	return "set the tag by which you asked for " + c.ID + " again, with the value that it has"
}

// regionOf is where the thing is that a connection is called by.
func regionOf(c ledger.Connection) string {
	for _, s := range c.Sides {
		if s.ID == c.ID {
			return s.Region
		}
	}
	return ""
}
