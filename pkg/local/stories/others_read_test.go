package stories

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

// A thing is something in an account, as small as somebody can own it: a route, a rule, a tag, what is left of a script without
// Drawbridge's lines.
type thing struct {
	value string
	// named is how the ledger names it if it is Drawbridge's, or what it is part of; empty: it cannot be Drawbridge's.
	named []string
	// whole says that others' and Drawbridge's words stand in it together: it counts only where the ledger names nothing of it.
	whole bool
	// said says that Drawbridge says something to people by it.
	said bool
}

// ledgerNames is how the ledger names an item: any key of a resource, and this one.
func ledgerNames(account, resource string, kind ledger.Kind, key string) []string {
	return []string{account + " " + resource, account + " " + resource + " " + string(kind) + " " + key}
}

// things are all the things of some accounts, by what they are called.
type things map[string]thing

// saidBy are the tags by which Drawbridge says something; docs/tags.md.
var saidBy = []string{"drawbridge:status", "drawbridge:reason", "drawbridge:since", "drawbridge:pairs", "drawbridge:unclear", "drawbridge:connection", "drawbridge:peer",
	"drawbridge:subnet", "drawbridge:studio-status", "drawbridge:studio-reason", "drawbridge:studio-since"}

func (all things) tag(of, key, value string, named []string) {
	all["tag "+of+" "+key] = thing{value: value, named: named, said: slices.Contains(saidBy, key)}
}

// reader reads the accounts as their owners.
type reader struct {
	ctx     context.Context
	t       *testing.T
	account string
	all     things
}

// readAll reads everything of accounts that Drawbridge could change, and what is near it. A peering or an attachment that is over is nobody's any more.
func readAll(ctx context.Context, t *testing.T, accounts ...string) things {
	t.Helper()
	all := things{}
	for _, account := range accounts {
		r := reader{ctx, t, account, all}
		r.network()
		r.groups()
		r.peerings()
		r.gateways()
		r.notebooks()
		r.domains()
		r.roles()
		r.keys()
		r.databases()
	}
	return all
}

func text(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(body)
}

func (r reader) ec2() *ec2.Client {
	return ec2.NewFromConfig(engine.Config(r.account, engine.Region()))
}

func (r reader) done(err error) {
	r.t.Helper()
	done(r.t, err)
}

func (r reader) tags(of string, named []string, tags []ec2types.Tag) {
	for _, tag := range tags {
		r.all.tag(of, aws.ToString(tag.Key), aws.ToString(tag.Value), named)
	}
}

func (r reader) network() {
	client := r.ec2()
	tables, err := client.DescribeRouteTables(r.ctx, &ec2.DescribeRouteTablesInput{})
	r.done(err)
	for _, x := range tables.RouteTables {
		id := aws.ToString(x.RouteTableId)
		r.tags(id, nil, x.Tags)
		for _, a := range x.Associations {
			r.all["table "+id+" of "+aws.ToString(a.SubnetId)] = thing{value: aws.ToString(a.RouteTableAssociationId)}
		}
		for _, route := range x.Routes {
			to := cmp.Or(aws.ToString(route.DestinationCidrBlock), aws.ToString(route.DestinationIpv6CidrBlock), aws.ToString(route.DestinationPrefixListId))
			target := aws.ToString(route.GatewayId) + aws.ToString(route.VpcPeeringConnectionId) + aws.ToString(route.TransitGatewayId) + aws.ToString(route.NetworkInterfaceId)
			r.all["route "+id+" "+to] = thing{value: target, named: ledgerNames(r.account, id, ledger.Route, to)[1:]}
		}
	}
	acls, err := client.DescribeNetworkAcls(r.ctx, &ec2.DescribeNetworkAclsInput{})
	r.done(err)
	for _, x := range acls.NetworkAcls {
		r.all["acl "+aws.ToString(x.NetworkAclId)] = thing{value: text(x.Entries) + text(x.Associations)}
	}
	vpcs, err := client.DescribeVpcs(r.ctx, &ec2.DescribeVpcsInput{})
	r.done(err)
	for _, x := range vpcs.Vpcs {
		id := aws.ToString(x.VpcId)
		r.tags(id, nil, x.Tags)
		x.Tags = nil
		r.all["vpc "+id] = thing{value: text(x)}
		for _, name := range []ec2types.VpcAttributeName{ec2types.VpcAttributeNameEnableDnsSupport, ec2types.VpcAttributeNameEnableDnsHostnames} {
			got, err := client.DescribeVpcAttribute(r.ctx, &ec2.DescribeVpcAttributeInput{VpcId: &id, Attribute: name})
			r.done(err)
			r.all["vpc "+id+" "+string(name)] = thing{value: text(got.EnableDnsSupport) + text(got.EnableDnsHostnames)}
		}
	}
	subnets, err := client.DescribeSubnets(r.ctx, &ec2.DescribeSubnetsInput{})
	r.done(err)
	for _, x := range subnets.Subnets {
		r.tags(aws.ToString(x.SubnetId), nil, x.Tags)
		r.all["subnet "+aws.ToString(x.SubnetId)] = thing{value: aws.ToString(x.CidrBlock) + " " + aws.ToString(x.AvailabilityZone)}
	}
	endpoints, err := client.DescribeVpcEndpoints(r.ctx, &ec2.DescribeVpcEndpointsInput{})
	r.done(err)
	for _, x := range endpoints.VpcEndpoints {
		id, called := aws.ToString(x.VpcEndpointId), ledgerNames(r.account, aws.ToString(x.VpcId), ledger.Endpoint, aws.ToString(x.ServiceName))[1:]
		if strings.HasPrefix(strings.ToLower(string(x.State)), "delet") {
			continue
		}
		r.tags(id, called, x.Tags)
		x.Tags, x.NetworkInterfaceIds, x.State = nil, nil, ""
		r.all["endpoint "+id] = thing{value: text(x), named: called}
	}
}

func (r reader) groups() {
	client := r.ec2()
	groups, err := client.DescribeSecurityGroups(r.ctx, &ec2.DescribeSecurityGroupsInput{})
	r.done(err)
	of := map[string][]string{}
	for _, x := range groups.SecurityGroups {
		id := aws.ToString(x.GroupId)
		of[id] = ledgerNames(r.account, aws.ToString(x.VpcId), ledger.Group, aws.ToString(x.GroupName))[1:]
		r.tags(id, of[id], x.Tags)
		r.all["group "+id] = thing{value: aws.ToString(x.GroupName) + " " + aws.ToString(x.Description), named: of[id]}
	}
	rules, err := client.DescribeSecurityGroupRules(r.ctx, &ec2.DescribeSecurityGroupRulesInput{})
	r.done(err)
	for _, x := range rules.SecurityGroupRules {
		id, called := aws.ToString(x.SecurityGroupRuleId), append(slices.Clone(of[aws.ToString(x.GroupId)]), r.account+" "+aws.ToString(x.SecurityGroupRuleId))
		r.tags(id, called, x.Tags)
		x.Tags = nil
		if x.ReferencedGroupInfo != nil {
			x.ReferencedGroupInfo.PeeringStatus = nil // it follows the peering, which its owner may delete
		}
		r.all["rule "+id] = thing{value: text(x), named: called}
	}
}

func (r reader) peerings() {
	peerings, err := r.ec2().DescribeVpcPeeringConnections(r.ctx, &ec2.DescribeVpcPeeringConnectionsInput{})
	r.done(err)
	for _, x := range peerings.VpcPeeringConnections {
		if x.Status.Code != ec2types.VpcPeeringConnectionStateReasonCodeActive && x.Status.Code != ec2types.VpcPeeringConnectionStateReasonCodePendingAcceptance {
			continue
		}
		id := aws.ToString(x.VpcPeeringConnectionId)
		r.tags(r.account+"'s "+id, nil, x.Tags)
		r.all["peering "+id] = thing{value: string(x.Status.Code)}
		for role, side := range map[string]*ec2types.VpcPeeringConnectionVpcInfo{"requester": x.RequesterVpcInfo, "accepter": x.AccepterVpcInfo} {
			on := side.PeeringOptions != nil && aws.ToBool(side.PeeringOptions.AllowDnsResolutionFromRemoteVpc)
			r.all["option "+id+" "+role] = thing{value: fmt.Sprint(on), named: ledgerNames(aws.ToString(side.OwnerId), id, ledger.DNSOption, role)[1:]}
		}
	}
}

func (r reader) gateways() {
	client := r.ec2()
	made, err := client.DescribeTransitGatewayVpcAttachments(r.ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{})
	r.done(err)
	for _, x := range made.TransitGatewayVpcAttachments {
		if x.State == ec2types.TransitGatewayAttachmentStateDeleted || x.State == ec2types.TransitGatewayAttachmentStateDeleting || x.State == ec2types.TransitGatewayAttachmentStateRejected {
			continue
		}
		id, called := aws.ToString(x.TransitGatewayAttachmentId), ledgerNames(aws.ToString(x.VpcOwnerId), aws.ToString(x.VpcId), ledger.Attachment, aws.ToString(x.TransitGatewayId))[1:]
		r.tags(r.account+"'s "+id, called, x.Tags)
		slices.Sort(x.SubnetIds)
		x.Tags, x.State = nil, "" // whether it waits for its gateway's owner or is accepted
		r.all["attachment "+id] = thing{value: text(x), named: called}
	}
	gateways, err := client.DescribeTransitGateways(r.ctx, &ec2.DescribeTransitGatewaysInput{})
	r.done(err)
	for _, x := range gateways.TransitGateways {
		if aws.ToString(x.OwnerId) != r.account {
			continue
		}
		id := aws.ToString(x.TransitGatewayId)
		r.tags(id, nil, x.Tags)
		r.all["gateway "+id] = thing{value: text(x.Options)}
		r.gatewayTables(client, id)
	}
}

func (r reader) gatewayTables(client *ec2.Client, gateway string) {
	seen, err := client.DescribeTransitGatewayAttachments(r.ctx, &ec2.DescribeTransitGatewayAttachmentsInput{})
	r.done(err)
	living := map[string]bool{}
	for _, x := range seen.TransitGatewayAttachments {
		id := aws.ToString(x.TransitGatewayAttachmentId)
		if living[id] = x.State == ec2types.TransitGatewayAttachmentStateAvailable; living[id] {
			r.tags(r.account+"'s "+id, []string{aws.ToString(x.ResourceOwnerId) + " attachment"}, x.Tags)
		}
	}
	tables, err := client.DescribeTransitGatewayRouteTables(r.ctx, &ec2.DescribeTransitGatewayRouteTablesInput{Filters: []ec2types.Filter{{Name: aws.String("transit-gateway-id"), Values: []string{gateway}}}})
	r.done(err)
	for _, table := range tables.TransitGatewayRouteTables {
		id := aws.ToString(table.TransitGatewayRouteTableId)
		r.tags(id, nil, table.Tags)
		associations, err := client.GetTransitGatewayRouteTableAssociations(r.ctx, &ec2.GetTransitGatewayRouteTableAssociationsInput{TransitGatewayRouteTableId: &id})
		r.done(err)
		for _, a := range associations.Associations {
			if of := aws.ToString(a.TransitGatewayAttachmentId); living[of] {
				r.all["association "+of] = thing{value: id, named: ledgerNames(r.account, of, ledger.Association, id)[1:]}
			}
		}
		propagations, err := client.GetTransitGatewayRouteTablePropagations(r.ctx, &ec2.GetTransitGatewayRouteTablePropagationsInput{TransitGatewayRouteTableId: &id})
		r.done(err)
		for _, p := range propagations.TransitGatewayRouteTablePropagations {
			if of := aws.ToString(p.TransitGatewayAttachmentId); living[of] {
				r.all["propagation "+of+" "+id] = thing{value: string(p.State), named: ledgerNames(r.account, of, ledger.Propagation, id)[1:]}
			}
		}
	}
}

func (r reader) sagemaker() *sagemaker.Client {
	return sagemaker.NewFromConfig(engine.Config(r.account, engine.Region()))
}

func (r reader) notebooks() {
	client := r.sagemaker()
	configurations, err := client.ListNotebookInstanceLifecycleConfigs(r.ctx, &sagemaker.ListNotebookInstanceLifecycleConfigsInput{})
	r.done(err)
	for _, c := range configurations.NotebookInstanceLifecycleConfigs {
		name := aws.ToString(c.NotebookInstanceLifecycleConfigName)
		got, err := client.DescribeNotebookInstanceLifecycleConfig(r.ctx, &sagemaker.DescribeNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: &name})
		r.done(err)
		called := ledgerNames(r.account, name, ledger.HostRoute, "")[:1]
		for when, hooks := range map[string][]sagemakertypes.NotebookInstanceLifecycleHook{"start": got.OnStart, "create": got.OnCreate} {
			for n, h := range hooks {
				script, err := base64.StdEncoding.DecodeString(aws.ToString(h.Content))
				r.done(err)
				id := fmt.Sprintf("script %s on %s %d", name, when, n)
				r.all[id] = thing{value: string(script), named: called, whole: true}
				r.all[id+", its owner's lines"] = thing{value: ownersLines(string(script)), named: called}
			}
		}
	}
	notebooks, err := client.ListNotebookInstances(r.ctx, &sagemaker.ListNotebookInstancesInput{})
	r.done(err)
	for _, n := range notebooks.NotebookInstances {
		name := aws.ToString(n.NotebookInstanceName)
		r.all["configuration of "+name] = thing{value: aws.ToString(n.NotebookInstanceLifecycleConfigName), named: ledgerNames(r.account, name, ledger.Config, "")[:1]}
		r.sagemakerTags(client, "notebook "+name, aws.ToString(n.NotebookInstanceArn))
	}
}

func (r reader) sagemakerTags(client *sagemaker.Client, of, arn string) {
	tags, err := client.ListTags(r.ctx, &sagemaker.ListTagsInput{ResourceArn: &arn})
	r.done(err)
	for _, tag := range tags.Tags {
		r.all.tag(of, aws.ToString(tag.Key), aws.ToString(tag.Value), nil)
	}
}

// ownersLines is a script without the block between Drawbridge's markers.
func ownersLines(script string) string {
	var out strings.Builder
	inside := false
	for line := range strings.Lines(script) {
		if strings.HasPrefix(line, "# >>> drawbridge") {
			inside = true
		}
		if !inside {
			out.WriteString(line)
		}
		if strings.HasPrefix(line, "# <<< drawbridge") {
			inside = false
		}
	}
	return out.String()
}

func (r reader) domains() {
	client := r.sagemaker()
	domains, err := client.ListDomains(r.ctx, &sagemaker.ListDomainsInput{})
	r.done(err)
	for _, d := range domains.Domains {
		id := aws.ToString(d.DomainId)
		got, err := client.DescribeDomain(r.ctx, &sagemaker.DescribeDomainInput{DomainId: &id})
		r.done(err)
		identified := "DISABLED" // what AWS takes for a domain that says nothing; it cannot be unsaid
		if s := got.DomainSettings; s != nil && s.ExecutionRoleIdentityConfig != "" {
			identified, s.ExecutionRoleIdentityConfig = string(s.ExecutionRoleIdentityConfig), ""
			r.all["settings of "+id] = thing{value: text(s), named: ledgerNames(r.account, id, ledger.Setting, "")[:1], whole: true}
		}
		r.all["domain "+id] = thing{value: identified, named: ledgerNames(r.account, id, ledger.Setting, "")[:1]}
		r.all["users of "+id] = thing{value: text(got.DefaultUserSettings) + text(got.SubnetIds) + string(got.AppNetworkAccessType)}
		r.sagemakerTags(client, "domain "+id, aws.ToString(d.DomainArn))
	}
}

func (r reader) roles() {
	client := iam.NewFromConfig(engine.Config(r.account, engine.Region()))
	roles, err := client.ListRoles(r.ctx, &iam.ListRolesInput{})
	r.done(err)
	for _, listed := range roles.Roles {
		name := aws.ToString(listed.RoleName)
		if strings.HasPrefix(name, "drawbridge-member") || strings.HasPrefix(name, "AWSServiceRole") || name == "drawbridge-forward" {
			continue
		}
		got, err := client.GetRole(r.ctx, &iam.GetRoleInput{RoleName: &name})
		r.done(err)
		ours := ledgerNames(r.account, name, ledger.Role, "")[:1]
		trust := unescaped(r.t, aws.ToString(got.Role.AssumeRolePolicyDocument))
		r.all["trust "+name] = thing{value: trust, named: ours, whole: true}
		r.all["trust "+name+", its owner's statements"] = thing{value: ownersStatements(r.t, trust), named: ours}
		for _, tag := range got.Role.Tags {
			r.all.tag("role "+name, aws.ToString(tag.Key), aws.ToString(tag.Value), ours)
		}
		got.Role.AssumeRolePolicyDocument, got.Role.Tags, got.Role.RoleLastUsed = nil, nil, nil
		r.all["role "+name] = thing{value: text(got.Role), named: ours}
		inline, err := client.ListRolePolicies(r.ctx, &iam.ListRolePoliciesInput{RoleName: &name})
		r.done(err)
		for _, policy := range inline.PolicyNames {
			p, err := client.GetRolePolicy(r.ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: &policy})
			r.done(err)
			r.all["policy "+name+" "+policy] = thing{value: unescaped(r.t, aws.ToString(p.PolicyDocument)), named: ledgerNames(r.account, name, ledger.Document, policy)[1:]}
		}
		attached, err := client.ListAttachedRolePolicies(r.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &name})
		r.done(err)
		for _, p := range attached.AttachedPolicies {
			r.all["attached "+name+" "+aws.ToString(p.PolicyArn)] = thing{named: ledgerNames(r.account, name, ledger.Managed, aws.ToString(p.PolicyName))[1:]}
		}
	}
	policies, err := client.ListPolicies(r.ctx, &iam.ListPoliciesInput{Scope: "Local"})
	r.done(err)
	for _, p := range policies.Policies {
		if strings.HasPrefix(aws.ToString(p.PolicyName), "drawbridge-boundary") {
			continue
		}
		version, err := client.GetPolicyVersion(r.ctx, &iam.GetPolicyVersionInput{PolicyArn: p.Arn, VersionId: p.DefaultVersionId})
		r.done(err)
		r.all["policy "+aws.ToString(p.Arn)] = thing{value: unescaped(r.t, aws.ToString(version.PolicyVersion.Document)), named: ledgerNames(r.account, aws.ToString(p.Arn), ledger.Document, "")[:1]}
	}
}

// ownersStatements is a document without Drawbridge's statements, each of the others as it is written.
func ownersStatements(t *testing.T, document string) string {
	t.Helper()
	var d map[string]json.RawMessage
	done(t, json.Unmarshal([]byte(document), &d))
	var statements []json.RawMessage
	if bytes.HasPrefix(d["Statement"], []byte("[")) {
		done(t, json.Unmarshal(d["Statement"], &statements))
	} else {
		statements = append(statements, d["Statement"])
	}
	delete(d, "Statement")
	out := text(d)
	for _, s := range statements {
		var one struct{ Sid string }
		done(t, json.Unmarshal(s, &one))
		if !strings.HasPrefix(one.Sid, "Drawbridge") {
			out += "\n" + string(s)
		}
	}
	return out
}

func (r reader) keys() {
	client := kms.NewFromConfig(engine.Config(r.account, engine.Region()))
	keys, err := client.ListKeys(r.ctx, &kms.ListKeysInput{})
	r.done(err)
	for _, k := range keys.Keys {
		arn := aws.ToString(k.KeyArn)
		policy, err := client.GetKeyPolicy(r.ctx, &kms.GetKeyPolicyInput{KeyId: &arn, PolicyName: aws.String("default")})
		r.done(err)
		r.all["key "+arn] = thing{value: aws.ToString(policy.Policy)}
		tags, err := client.ListResourceTags(r.ctx, &kms.ListResourceTagsInput{KeyId: &arn})
		r.done(err)
		for _, tag := range tags.Tags {
			r.all.tag(arn, aws.ToString(tag.TagKey), aws.ToString(tag.TagValue), nil)
		}
		grants, err := client.ListGrants(r.ctx, &kms.ListGrantsInput{KeyId: &arn})
		r.done(err)
		for _, g := range grants.Grants {
			r.all["grant "+aws.ToString(g.GrantId)] = thing{value: aws.ToString(g.GranteePrincipal) + text(g.Operations) + text(g.Constraints), named: ledgerNames(r.account, arn, ledger.Grant, "")[:1]}
		}
	}
	secrets := secretsmanager.NewFromConfig(engine.Config(r.account, engine.Region()))
	listed, err := secrets.ListSecrets(r.ctx, &secretsmanager.ListSecretsInput{})
	r.done(err)
	for _, s := range listed.SecretList {
		arn := aws.ToString(s.ARN)
		policy, err := secrets.GetResourcePolicy(r.ctx, &secretsmanager.GetResourcePolicyInput{SecretId: &arn})
		r.done(err)
		r.all["secret "+arn] = thing{value: aws.ToString(policy.ResourcePolicy) + " " + aws.ToString(s.KmsKeyId)}
		for _, tag := range s.Tags {
			r.all.tag(arn, aws.ToString(tag.Key), aws.ToString(tag.Value), nil)
		}
	}
}

func (r reader) databases() {
	client := rds.NewFromConfig(engine.Config(r.account, engine.Region()))
	clusters, err := client.DescribeDBClusters(r.ctx, &rds.DescribeDBClustersInput{})
	r.done(err)
	for _, c := range clusters.DBClusters {
		arn := aws.ToString(c.DBClusterArn)
		r.all["endpoint of "+arn] = thing{value: fmt.Sprint(aws.ToBool(c.HttpEndpointEnabled)), named: ledgerNames(r.account, arn, ledger.Setting, "")[:1]}
		for _, tag := range c.TagList {
			r.all.tag(arn, aws.ToString(tag.Key), aws.ToString(tag.Value), nil)
		}
	}
	instances, err := client.DescribeDBInstances(r.ctx, &rds.DescribeDBInstancesInput{})
	r.done(err)
	for _, i := range instances.DBInstances {
		arn := aws.ToString(i.DBInstanceArn)
		r.all["database "+arn] = thing{value: text(i.VpcSecurityGroups) + text(i.DBSubnetGroup) + text(i.PubliclyAccessible)}
		for _, tag := range i.TagList {
			r.all.tag(arn, aws.ToString(tag.Key), aws.ToString(tag.Value), nil)
		}
	}
	warehouses, err := redshift.NewFromConfig(engine.Config(r.account, engine.Region())).DescribeClusters(r.ctx, &redshift.DescribeClustersInput{})
	r.done(err)
	for _, c := range warehouses.Clusters {
		of := "warehouse " + aws.ToString(c.ClusterIdentifier)
		r.all[of] = thing{value: text(c.VpcSecurityGroups) + text(c.IamRoles)}
		for _, tag := range c.Tags {
			r.all.tag(of, aws.ToString(tag.Key), aws.ToString(tag.Value), nil)
		}
	}
}

// written is what the ledger names as Drawbridge's in some accounts, and each item as it says.
func written(ctx context.Context, t *testing.T, accounts ...string) (names map[string]bool, items []ledger.Item) {
	t.Helper()
	names = map[string]bool{}
	done(t, ledger.Scan(ctx, dynamodb.NewFromConfig(engine.Config(local.HubAccount, engine.Region())), "drawbridge-ledger", func(row ledger.Row) error {
		i, ok, err := row.Item()
		if err != nil || !ok || !slices.Contains(accounts, i.Account) {
			return err
		}
		items = append(items, i)
		if i.State == ledger.Wanted || i.State == ledger.Contested { // nothing of Drawbridge's is there
			return nil
		}
		for _, name := range ledgerNames(i.Account, i.Resource, i.Kind, i.Key) {
			names[name] = true
		}
		if i.Kind == ledger.Rule {
			names[i.Account+" "+i.Left] = true
		}
		if i.Kind == ledger.Attachment {
			names[i.Account+" attachment"] = true
		}
		return nil
	}))
	return names, items
}
