package export

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// thing is a resource, as both tools say it.
type thing struct {
	item            ledger.Item
	account, region string

	typ, name string // of Terraform
	id        string // by which Terraform imports it
	body      []attr
	ignores   bool // Drawbridge's answers are among its tags

	native *native // of CloudFormation; nil: it has no such type, or cannot import it
	do     string  // what to do instead

	notes []string
}

// attr is an argument of a resource of Terraform's: a string, a number, a bool, a list or map of strings, a [document], or a block.
type attr struct {
	name  string
	value any
}

// block is a block within a resource.
type block []attr

// document is JSON that an argument has as a text.
type document string

// native is a resource of CloudFormation's.
type native struct {
	typ        string
	logical    string // logical id
	properties map[string]any
	identifier []attr // the properties by which it is imported, in the order of its schema
}

func (t *thing) place(i ledger.Item) {
	t.item, t.account, t.region = i, i.Account, i.Region
}

// named is the resource as the answer has it.
func (t thing) named(tool string) Resource {
	r := Resource{Account: t.account, Region: t.region, Type: t.typ, Name: t.name, Import: t.id}
	if tool == CloudFormation {
		var values []string
		for _, a := range t.native.identifier {
			values = append(values, a.value.(string))
		}
		r.Type, r.Name, r.Import = t.native.typ, t.native.logical, strings.Join(values, "|")
	}
	return r
}

// identifier is a text as a name in Terraform's code.
// https://developer.hashicorp.com/terraform/language/syntax/configuration#identifiers
func identifier(parts ...string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		if r >= 'A' && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return '_'
	}, strings.Join(parts, "_"))
}

// logical is a text as a logical id of CloudFormation, which has letters and digits alone. What else there is between digits becomes an x, so that two
// ranges never have one id. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html
func logical(parts ...string) string {
	var out strings.Builder
	up := true
	for n, r := range strings.Join(parts, " ") {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		switch digit := r >= '0' && r <= '9'; {
		case letter && up:
			out.WriteString(strings.ToUpper(string(r)))
		case digit && up && n > 0:
			out.WriteString("x" + string(r))
		case letter || digit:
			out.WriteRune(r)
		case up:
			out.WriteByte('x')
		}
		up = !letter && (r < '0' || r > '9')
	}
	return out.String()
}

// resources returns what an item that is there becomes. Each resource's documentation names the id that imports it:
// https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/NAME#import, and the schema of each type of CloudFormation's its primary
// identifier: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
func resources(i ledger.Item, fact Fact) []thing {
	switch i.Kind {
	case ledger.Route:
		return []thing{route(i)}
	case ledger.Rule:
		return []thing{rule(*fact.Rule, i.Account)}
	case ledger.DNSOption:
		return []thing{{typ: "aws_vpc_peering_connection_options", name: identifier(i.Resource, i.Key), id: i.Resource,
			body: []attr{{"vpc_peering_connection_id", i.Resource}, {i.Key, block{{"allow_remote_vpc_dns_resolution", true}}}},
			do:   "nothing: the option stays as it is"}}
	case ledger.Attachment:
		return []thing{attachment(*fact.Attachment)}
	case ledger.Association, ledger.Propagation:
		return []thing{inTable(i)}
	case ledger.Endpoint:
		return []thing{endpoint(*fact.Endpoint)}
	case ledger.Group:
		return []thing{group(*fact.Group)}
	case ledger.Role:
		return []thing{role(*fact.Role)}
	case ledger.Document:
		return []thing{policy(*fact.Policy, i.Resource)}
	case ledger.Managed:
		return []thing{{typ: "aws_iam_role_policy_attachment", name: identifier(i.Resource, i.Key), id: i.Resource + "/" + i.Left,
			body: []attr{{"role", i.Resource}, {"policy_arn", i.Left}},
			do:   "write " + i.Left + " into ManagedPolicyArns of the AWS::IAM::Role of " + i.Resource + ", in that role's own stack"}}
	case ledger.Grant:
		var out []thing
		for _, g := range fact.Grants {
			out = append(out, grant(g, i.Resource))
		}
		return out
	}
	return nil
}

func route(i ledger.Item) thing {
	argument, property := "destination_cidr_block", "DestinationCidrBlock"
	if strings.Contains(i.Key, ":") {
		argument, property = "destination_ipv6_cidr_block", "DestinationIpv6CidrBlock"
	}
	var target, native4 string
	switch road.CarrierOf(i.Left) {
	case road.ByPeering:
		target, native4 = "vpc_peering_connection_id", "VpcPeeringConnectionId"
	case road.ByGateway, road.ByNothing:
		target, native4 = "transit_gateway_id", "TransitGatewayId"
	}
	return thing{typ: "aws_route", name: identifier(i.Resource, i.Key), id: i.Resource + "_" + i.Key,
		body: []attr{{"route_table_id", i.Resource}, {argument, i.Key}, {target, i.Left}},
		native: &native{typ: "AWS::EC2::Route", logical: logical("route", i.Resource, i.Key),
			properties: map[string]any{"RouteTableId": i.Resource, property: i.Key, native4: i.Left},
			identifier: []attr{{"RouteTableId", i.Resource}, {"CidrBlock", i.Key}}}}
}

// rule is a rule of a security group. account is whose the group is: Terraform names the owner of a group that it refers to where that is another.
func rule(r Rule, account string) thing {
	typ, kind, source := "aws_vpc_security_group_ingress_rule", "SecurityGroupIngress", "Source"
	if r.Egress {
		typ, kind, source = "aws_vpc_security_group_egress_rule", "SecurityGroupEgress", "Destination"
	}
	out := thing{typ: typ, name: identifier(r.ID), id: r.ID, body: []attr{{"security_group_id", r.Group}}}
	properties := map[string]any{"GroupId": r.Group, "IpProtocol": r.Protocol}
	if r.Description != "" {
		out.body = append(out.body, attr{"description", r.Description})
		properties["Description"] = r.Description
	}
	out.body = append(out.body, attr{"ip_protocol", r.Protocol})
	if r.Protocol != "-1" {
		out.body = append(out.body, attr{"from_port", r.From}, attr{"to_port", r.To})
		properties["FromPort"], properties["ToPort"] = r.From, r.To
	}
	switch {
	case r.CIDR4 != "":
		out.body = append(out.body, attr{"cidr_ipv4", r.CIDR4})
		properties["CidrIp"] = r.CIDR4
	case r.CIDR6 != "":
		out.body = append(out.body, attr{"cidr_ipv6", r.CIDR6})
		properties["CidrIpv6"] = r.CIDR6
	case r.List != "":
		out.body = append(out.body, attr{"prefix_list_id", r.List})
		properties[source+"PrefixListId"] = r.List
	default:
		other := r.Other
		if r.OtherOwner != "" && r.OtherOwner != account {
			other = r.OtherOwner + "/" + r.Other
			if !r.Egress {
				properties["SourceSecurityGroupOwnerId"] = r.OtherOwner
			}
		}
		out.body = append(out.body, attr{"referenced_security_group_id", other})
		properties[source+"SecurityGroupId"] = r.Other
	}
	out.tagged(r.Tags)
	out.native = &native{typ: "AWS::EC2::" + kind, logical: logical(kind, r.ID), properties: properties, identifier: []attr{{"Id", r.ID}}}
	return out
}

func attachment(a Attachment) thing {
	out := thing{typ: "aws_ec2_transit_gateway_vpc_attachment", name: identifier(a.ID), id: a.ID, body: []attr{
		{"transit_gateway_id", a.Gateway}, {"vpc_id", a.VPC}, {"subnet_ids", a.Subnets},
		{"dns_support", cmp.Or(a.DNS, "enable")}, {"ipv6_support", cmp.Or(a.IPv6, "disable")}, {"appliance_mode_support", cmp.Or(a.Appliance, "disable")}}}
	options := map[string]any{"DnsSupport": cmp.Or(a.DNS, "enable"), "Ipv6Support": cmp.Or(a.IPv6, "disable"), "ApplianceModeSupport": cmp.Or(a.Appliance, "disable")}
	if a.Refer != "" {
		out.body = append(out.body, attr{"security_group_referencing_support", a.Refer})
		options["SecurityGroupReferencingSupport"] = a.Refer
	}
	if !a.Associated {
		out.body = append(out.body, attr{"transit_gateway_default_route_table_association", false})
	}
	if !a.Propagated {
		out.body = append(out.body, attr{"transit_gateway_default_route_table_propagation", false})
	}
	properties := map[string]any{"TransitGatewayId": a.Gateway, "VpcId": a.VPC, "SubnetIds": a.Subnets, "Options": options}
	setTags(properties, out.tagged(a.Tags))
	out.native = &native{typ: "AWS::EC2::TransitGatewayAttachment", logical: logical("attachment", a.ID), properties: properties, identifier: []attr{{"Id", a.ID}}}
	return out
}

// inTable is an association or a propagation.
func inTable(i ledger.Item) thing {
	kind, typ := "Association", "aws_ec2_transit_gateway_route_table_association"
	if i.Kind == ledger.Propagation {
		kind, typ = "Propagation", "aws_ec2_transit_gateway_route_table_propagation"
	}
	return thing{typ: typ, name: identifier(i.Key, i.Resource), id: i.Key + "_" + i.Resource,
		body: []attr{{"transit_gateway_attachment_id", i.Resource}, {"transit_gateway_route_table_id", i.Key}},
		native: &native{typ: "AWS::EC2::TransitGatewayRouteTable" + kind, logical: logical(kind, i.Key, i.Resource),
			properties: map[string]any{"TransitGatewayAttachmentId": i.Resource, "TransitGatewayRouteTableId": i.Key},
			identifier: []attr{{"TransitGatewayRouteTableId", i.Key}, {"TransitGatewayAttachmentId", i.Resource}}}}
}

func endpoint(e Endpoint) thing {
	out := thing{typ: "aws_vpc_endpoint", name: identifier(e.ID), id: e.ID, body: []attr{
		{"vpc_id", e.VPC}, {"service_name", e.Service}, {"vpc_endpoint_type", "Interface"}, {"private_dns_enabled", e.PrivateDNS},
		{"subnet_ids", e.Subnets}, {"security_group_ids", e.Groups}}}
	properties := map[string]any{"VpcId": e.VPC, "ServiceName": e.Service, "VpcEndpointType": "Interface", "PrivateDnsEnabled": e.PrivateDNS, "SubnetIds": e.Subnets, "SecurityGroupIds": e.Groups}
	if e.Policy != "" {
		out.body = append(out.body, attr{"policy", document(e.Policy)})
		properties["PolicyDocument"] = object(e.Policy)
	}
	setTags(properties, out.tagged(e.Tags))
	out.native = &native{typ: "AWS::EC2::VPCEndpoint", logical: logical("endpoint", e.ID), properties: properties, identifier: []attr{{"Id", e.ID}}}
	return out
}

func group(g Group) thing {
	out := thing{typ: "aws_security_group", name: identifier(g.ID), id: g.ID, body: []attr{{"name", g.Name}, {"description", g.Description}, {"vpc_id", g.VPC}}}
	properties := map[string]any{"GroupName": g.Name, "GroupDescription": g.Description, "VpcId": g.VPC}
	setTags(properties, out.tagged(g.Tags))
	out.native = &native{typ: "AWS::EC2::SecurityGroup", logical: logical("group", g.ID), properties: properties, identifier: []attr{{"Id", g.ID}}}
	return out
}

func role(r Role) thing {
	out := thing{typ: "aws_iam_role", name: identifier(r.Name), id: r.Name, body: []attr{{"name", r.Name}, {"path", cmp.Or(r.Path, "/")}, {"assume_role_policy", document(r.Trust)}}}
	properties := map[string]any{"RoleName": r.Name, "Path": cmp.Or(r.Path, "/"), "AssumeRolePolicyDocument": object(r.Trust)}
	if r.Description != "" {
		out.body = append(out.body, attr{"description", r.Description})
		properties["Description"] = r.Description
	}
	if r.Session != 0 && r.Session != 3600 {
		out.body = append(out.body, attr{"max_session_duration", r.Session})
		properties["MaxSessionDuration"] = r.Session
	}
	if r.Boundary != "" {
		out.body = append(out.body, attr{"permissions_boundary", r.Boundary})
		properties["PermissionsBoundary"] = r.Boundary
		out.notes = append(out.notes, "Its permissions boundary is of Drawbridge's member stack: put one of your own in its place before that stack goes.")
	}
	setTags(properties, out.tagged(r.Tags))
	out.native = &native{typ: "AWS::IAM::Role", logical: logical("role", r.Name), properties: properties, identifier: []attr{{"RoleName", r.Name}}}
	return out
}

// policy is a managed policy, or an inline one of a role.
func policy(p Policy, role string) thing {
	if p.ARN == "" {
		return thing{typ: "aws_iam_role_policy", name: identifier(role, p.Name), id: role + ":" + p.Name,
			body: []attr{{"role", role}, {"name", p.Name}, {"policy", document(p.Text)}},
			native: &native{typ: "AWS::IAM::RolePolicy", logical: logical("policy", role, p.Name), properties: map[string]any{"RoleName": role, "PolicyName": p.Name, "PolicyDocument": object(p.Text)},
				identifier: []attr{{"PolicyName", p.Name}, {"RoleName", role}}}}
	}
	out := thing{typ: "aws_iam_policy", name: identifier(p.Name), id: p.ARN, body: []attr{{"name", p.Name}, {"path", cmp.Or(p.Path, "/")}, {"policy", document(p.Text)}}}
	properties := map[string]any{"ManagedPolicyName": p.Name, "Path": cmp.Or(p.Path, "/"), "PolicyDocument": object(p.Text)}
	if p.Description != "" {
		out.body = append(out.body, attr{"description", p.Description})
		properties["Description"] = p.Description
	}
	out.tagged(p.Tags)
	out.native = &native{typ: "AWS::IAM::ManagedPolicy", logical: logical("policy", p.Name), properties: properties, identifier: []attr{{"PolicyArn", p.ARN}}}
	return out
}

func grant(g Grant, key string) thing {
	id := key[strings.LastIndexByte(key, '/')+1:] // of an ARN
	out := thing{typ: "aws_kms_grant", name: identifier(g.Name), id: id + ":" + g.ID, body: []attr{
		{"name", g.Name}, {"key_id", id}, {"grantee_principal", g.Grantee}, {"operations", g.Operations}},
		do: "nothing: the grant stays as it is"}
	if g.Retiring != "" {
		out.body = append(out.body, attr{"retiring_principal", g.Retiring})
	}
	for _, c := range []attr{{"encryption_context_equals", g.Equals}, {"encryption_context_subset", g.Subset}} {
		if len(c.value.(map[string]string)) > 0 {
			out.body = append(out.body, attr{"constraints", block{c}})
		}
	}
	return out
}

// tagged writes tags into a resource, but for those by which Drawbridge answers people: these come and go, and the provider ignores them. It returns
// what it wrote.
func (t *thing) tagged(tags map[string]string) map[string]string {
	kept := map[string]string{}
	for key, value := range tags {
		switch {
		case slices.Contains(answers, key):
			t.ignores = true
		case !strings.HasPrefix(key, "aws:"): // nobody may set these
			kept[key] = value
		}
	}
	if len(kept) > 0 {
		t.body = append(t.body, attr{"tags", kept})
	}
	return kept
}

// setTags writes tags as CloudFormation has them.
func setTags(properties map[string]any, tags map[string]string) {
	list := []any{}
	for _, key := range sortedKeys(tags) {
		list = append(list, map[string]any{"Key": key, "Value": tags[key]})
	}
	if len(list) > 0 {
		properties["Tags"] = list
	}
}

// object is a JSON document as a value; one that is none is left a text.
func object(text string) any {
	var out any
	if json.Unmarshal([]byte(text), &out) != nil {
		return text
	}
	return out
}

// joined makes one resource of what are several items of one thing: the DNS options of both sides of a peering, where both are of one place.
func joined(things []thing) []thing {
	var out []thing
	for _, t := range things {
		n := slices.IndexFunc(out, func(o thing) bool {
			return o.typ == t.typ && o.id == t.id && o.account == t.account && o.region == t.region
		})
		if n < 0 {
			out = append(out, t)
			continue
		}
		for _, a := range t.body {
			if !slices.ContainsFunc(out[n].body, func(b attr) bool { return b.name == a.name }) {
				out[n].body = append(slices.Clip(out[n].body), a)
			}
		}
	}
	return out
}

// importable takes out what CloudFormation cannot import, and says so.
func importable(things []thing, left []Left) ([]thing, []Left) {
	var out []thing
	for _, t := range things {
		if t.native != nil {
			out = append(out, t)
			continue
		}
		left = append(left, Left{Account: t.account, Region: t.region, Kind: t.item.Kind, Resource: t.item.Resource, Key: t.item.Key,
			Why: "CloudFormation has no resource for it, or cannot import it", Do: t.do})
	}
	return out, left
}
