package stories

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// contests are the stories of somebody else's hand, and of what others have that is left to them.
var contests = []tale{
	{
		name:  "contested",
		title: "Somebody takes a host route away again and again",
		about: `
As in s1-peering.md. Then the owner of alpha saves the notebook's script without Drawbridge's block, as a pipeline does that owns the script.
The block is put back, once. When the same hand takes it away again, it is left: the look ends Contested, and both owners are told, once. More of
the same is no news. When the owner asks anew, by a tag of the peering, it is put back as if for the first time.`,
		acts: []act{
			request("Connected"),
			{"The owner of alpha saves the script of the notebook as it was.", restore, []string{"Announced", "InSync"}},
			{"The owner of alpha saves it so again.", later(restore), []string{"Announced", "Contested", "Contested"}},
			{"And again.", later(restore), []string{"Announced", "Contested", "Nothing"}},
			{"The owner of alpha tags the peering: drawbridge:manage=true.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				mark(ctx, t, w.Consumer, w.Connection, "drawbridge:manage", "true")
			}, []string{"Announced", "Connected"}},
		},
		connected: true,
		also:      bothToldOnce,
	},
	{
		name:  "left-by-policy",
		title: "The policy wants what somebody takes away to be left",
		about: `
As in s1-peering.md, but the operators forbid to restore what was taken away from connections to alpha. Then the owner of beta deletes a
route. It is left at once, and both owners are told, once; the sweep of the next day leaves it, too. When the owner of beta asks for it,
by a tag of the peering, it is put back.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) { forbid(ctx, t, w, policy.Restore) },
		acts: []act{
			request("Connected"),
			{"The owner of beta deletes the route to alpha from a table.", removeRoute, []string{"Announced", "Contested", "Contested", "Nothing"}},
			{"The next day drawbridge-sweep starts.", startSweep, []string{"Contested", "Nothing", "Swept"}},
			{"The owner of beta tags the peering: drawbridge:manage=true.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				mark(ctx, t, w.Producer, w.Connection, "drawbridge:manage", "true")
			}, []string{"Announced", "Connected"}},
		},
		connected: true,
		also:      bothToldOnce,
	},
	{
		name:  "conflict-prefix-list",
		title: "An owner leads by a prefix list",
		about: `
As in s1-peering.md. Then the owner of alpha makes a prefix list with beta's addresses and leads it through the peering, in the place of the
route that Drawbridge added to the notebook's table. That is the owner's route from then on: none is added beside it, and the notebook keeps
its host route. When the owner leads the list into a VPN, a route of Drawbridge's would be in front of it, and nobody would see it: it is a Conflict
that names the list. Last, what Drawbridge added is taken back, and the list stays.`,
		acts: []act{
			request("Connected"),
			{"The owner of alpha leads a prefix list with 10.2.0.0/16 through the peering.", listThere, []string{"InSync", "Nothing"}},
			{"The owner of alpha deletes the route to 10.2.0.0/23.", unlistedGoes, []string{"Announced", "Connected", "InSync"}},
			{"The next day drawbridge-sweep starts.", startSweep, []string{"Connected", "Swept"}},
			{"The owner of alpha leads the list into a VPN.", listIntoVPN, []string{"InSync", "Nothing"}},
			{"The next day drawbridge-sweep starts.", startSweep, []string{"Conflict", "Swept"}},
			{"The owner of alpha leads the list through the peering again.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				leadList(ctx, t, w, &ec2.ReplaceRouteInput{VpcPeeringConnectionId: &w.Connection})
			}, []string{"InSync", "Nothing"}},
			{"The owner of alpha tags the peering: drawbridge:manage=undo.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				mark(ctx, t, w.Consumer, w.Connection, "drawbridge:manage", "undo")
			}, []string{"Announced", "Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){3: onlyTheList, 4: onlyTheList, 6: onlyTheList, 8: onlyTheList},
	},
	{
		name:  "sweep-found",
		title: "A sweep counts what was not given to Drawbridge",
		about: `
alpha and beta as in s1-peering.md, but the two VPCs were peered by hand before, with a route on each side, and nobody gave that to
Drawbridge. Both accounts show it to the sweep, which counts it once and names it; it starts nothing for it, and changes nothing.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			silently(ctx, t, w, func() { peeredByHand(ctx, t, w) })
			remember(ctx, t, w)
		},
		acts: []act{
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Swept"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){1: foundOnce},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
			asBefore(ctx, t, w, w.Consumer, w.Producer)
			changesNothing(ctx, t, w, calls)
		},
	},
	{
		name:  "peering-to-gateway",
		title: "A pair moves from a peering to a gateway",
		about: `
As in transit-beside.md: the two VPCs are peered, connected, and on one gateway. Then the owner of alpha deletes the peering. The routes are
led to the gateway before anything is released, with no moment without one, and the pair carries on: no sweep is needed.`,
		change:  onBoth,
		prepare: attachedAndGiven,
		acts: []act{
			request("Connected"),
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The owner of alpha deletes the peering.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				remove(false)(ctx, t, w)
				w.Connection = w.Gateway
			}, []string{"Connected", "Removed"}},
		},
		connected: true,
		also:      ledWithoutAGap,
	},
	{
		name:  "gateway-to-peering",
		title: "A pair moves from a gateway to a peering",
		about: `
The other way round than in peering-to-gateway.md: the two VPCs are on one gateway, connected, and alpha asks for a peering. That the routes lead to the gateway is
no reason to refuse it: it leads to the same VPC. They stay as they are, and the peering is connected by them. Then the owner of alpha deletes the attachment. The
routes are led to the peering before anything is released, with no moment without one, and the peering carries on: no sweep is needed.`,
		change:  onBoth,
		prepare: attachedAndGiven,
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			request("Connected"),
			{"The owner of alpha deletes the attachment; the pair wants a look.", look((*scenario.World).Detach), []string{"Connected", "Removed"}},
		},
		connected: true,
		also:      ledWithoutAGap,
	},
	{
		name:  "attach-unshared",
		title: "A share of a gateway ends while a VPC is attached",
		about: `
As in attach.md, up to the attachment. Then the owner of alpha ends the share. AWS leaves what is attached as it is; since nobody gives beta the
gateway any more, what Drawbridge attached is detached.`,
		prepare: gateway(true),
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "Attached"}},
			{"The owner of alpha deletes the share.", endShare, []string{"Announced", "Nothing", "Removed"}},
		},
		unruly: true, // the owner's call and RAM's own event in beta each ask for a look
		also:   attachments("deleted"),
	},
}

// contestedCallers are the stories of somebody else's hand at the endpoint of a VPC.
var contestedCallers = []dataAPITale{
	{
		name:  "contested-endpoint",
		title: "Somebody deletes an endpoint again",
		about: `
As in data-api-consumer-removed.md. Then somebody in alpha deletes the endpoint. It is made once more. Deleted again it is left: the look
ends Contested and says what is missing, and alpha's owner is told, once. When the owner sets the tag again, it is made as if for the first time.`,
		change: hasNetwork,
		acts: []dataAPIAct{
			wanted("Available"),
			{"Somebody in alpha deletes the endpoint.", deleteEndpoint, told([]string{"Available", "Nothing"})},
			{"Somebody in alpha deletes it again.", deleteEndpoint, told([]string{"Contested", "Contested", "Nothing"})},
			wanted("Available"),
		},
		also: reaches,
	},
	{
		name:  "contested-endpoint-group",
		title: "Somebody takes the security group off an endpoint again",
		about: `
As in data-api-consumer.md. Then somebody in alpha takes Drawbridge's security group off the endpoint, and puts one of their own on. It is put on beside that
once more. Taken off again it is left: the look ends Contested, and alpha's owner is told, once. When the owner sets the tag again, it is put on as if for the first time.`,
		change: hasNetwork,
		acts: []dataAPIAct{
			wanted("Available"),
			{"Somebody in alpha puts a group of their own in the place of Drawbridge's: ec2 ModifyVpcEndpoint.", takeGroupOff, told([]string{"Available"})},
			{"Somebody in alpha does so again.", takeGroupOff, told([]string{"Contested", "Contested"})},
			wanted("Available"),
		},
		unruly: true, // the two groups are named in the order of their ids
		also:   reaches,
	},
	{
		name:  "contested-endpoint-rule",
		title: "Somebody revokes the rule of an endpoint's security group again",
		about: `
As in data-api-consumer.md. Then somebody in alpha revokes the rule that lets the VPC in to the endpoint. It is added once more. Revoked again it is
left: the look ends Contested, and alpha's owner is told, once. When the owner sets the tag again, it is added as if for the first time.`,
		change: hasNetwork,
		acts: []dataAPIAct{
			wanted("Available"),
			{"Somebody in alpha revokes the rule of the endpoint's group: ec2 RevokeSecurityGroupIngress.", revokeRuleOfGroup, told([]string{"Available"})},
			{"Somebody in alpha revokes it again.", revokeRuleOfGroup, told([]string{"Contested", "Contested"})},
			wanted("Available"),
		},
		also: reaches,
	},
}

// contestedClusters are the stories of somebody else's hand at what the Data API needs.
var contestedClusters = []dataAPITale{
	{
		name:  "contested-data-api",
		title: "Somebody turns the HTTP endpoint off again",
		about: `
As in s3-data-api.md. Then somebody in beta turns the cluster's HTTP endpoint off. It is turned on once more. Turned off again it is left: the
look ends Contested, and beta's owner is told, once. More of the same is no news. When the owner sets the cluster's tag anew, it is turned on as
if for the first time.`,
		acts: []dataAPIAct{
			exposed("Exposed"),
			{"Somebody in beta turns the HTTP endpoint off.", disableEndpoint, told([]string{"Exposed"})},
			{"Somebody in beta turns it off again.", disableEndpoint, told([]string{"Contested", "Contested"})},
			{"And again.", disableEndpoint, told([]string{"Contested", "Nothing"})},
			exposed("Exposed"),
		},
		queried: true,
	},
	{
		name:  "contested-grant",
		title: "The owner of a key takes the grant away again",
		about: `
As in data-api-grant.md. Then the owner of the key, in beta, revokes the grant that Drawbridge made for the cluster's role. It is made once more. Retired
by the same hand, which is another call, it is left: the look ends Contested, and beta's owner is told, once. When the cluster's owner sets its tag anew, it is made as if for the first time.`,
		change: func(s *scenario.DataAPISpec) { s.KeyPolicy = scenario.OnlyGrants },
		acts: []dataAPIAct{
			exposed("Exposed"),
			{"The owner of the key revokes the grant.", revokeGrant, told([]string{"Exposed"})},
			{"The owner of the key retires it: kms RetireGrant.", retireGrant, told([]string{"Contested", "Contested"})},
			exposed("Exposed"),
		},
		queried: true,
	},
	{
		name:  "boundary-lost",
		title: "Somebody takes the permissions boundary off a cluster's role",
		about: `
As in s3-data-api.md. Then somebody in beta takes the permissions boundary off the role that Drawbridge made for the cluster. Drawbridge may set none on a role
that is there, so nobody but a person of beta can: the look fails with a Conflict that names the boundary. Set again, the next look finds all as it should be.`,
		acts: []dataAPIAct{
			exposed("Exposed"),
			{"Somebody in beta takes the role's boundary off: iam DeleteRolePermissionsBoundary.", unbound, told([]string{"Conflict", "Reported"})},
			{"Somebody in beta sets it again: iam PutRolePermissionsBoundary.", bound, told([]string{"Exposed"})},
		},
		queried: true,
	},
}

// contestedAccess are the stories of somebody else's hand at roles.
var contestedAccess = []tale{
	{
		name:  "contested-studio",
		title: "Somebody deletes the policy of an execution role again",
		about: `
As in studio.md. Then somebody in alpha deletes the inline policy by which the people of the domain read the cluster. It is written once more. Deleted
again it is left: the look ends Contested, and both owners are told, once. When the role's owner sets its tag anew, the
policy is written as if for the first time.`,
		prepare: studioWorld(false),
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Identified"}},
			{"Somebody in alpha deletes the policy of the execution role.", later(dropReaderPolicy), []string{"Announced", "Identified"}},
			{"Somebody in alpha deletes it again.", later(dropReaderPolicy), []string{"Announced", "Contested", "Contested"}},
			{"The owner of alpha tags the role anew: drawbridge:studio=true.", later(openRole), []string{"Announced", "Announced", "Identified"}},
		},
		also: bothToldOnce,
	},
	{
		name:  "contested-private",
		title: "Somebody takes the policy off a role again",
		about: `
As in private-notebooks.md. Then somebody in alpha detaches the policy from the scientist's role. It is attached once more. Detached again it is left: the look
ends Contested, and alpha's owner is told, once. When the role's owner sets its tag anew, the policy is attached as if for the first time.`,
		prepare: privateWorld,
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Private"}},
			{"Somebody in alpha detaches the policy from the scientist's role.", later(detachScientist), []string{"Announced", "Private"}},
			{"Somebody in alpha detaches it again.", later(detachScientist), []string{"Announced", "Contested", "Contested"}},
			{"The owner of alpha tags the role anew: drawbridge:private-notebooks=true.", later(retagScientist), []string{"Announced", "Private"}},
		},
		also: toldOnce("drawbridge-report-contest"),
	},
}

// disableEndpoint turns the cluster's HTTP endpoint off, in another second than what was before.
func disableEndpoint(ctx context.Context, w *scenario.DataAPIWorld) error {
	time.Sleep(time.Second)
	_, err := rds.NewFromConfig(engine.Config(w.Producer, w.Region)).DisableHttpEndpoint(ctx, &rds.DisableHttpEndpointInput{ResourceArn: aws.String(w.ClusterARN())})
	return err
}

// theGrant returns the one grant of the owner's key, in another second than what was before.
func theGrant(ctx context.Context, w *scenario.DataAPIWorld) (client *kms.Client, id *string, err error) {
	time.Sleep(time.Second)
	client = kms.NewFromConfig(engine.Config(w.Producer, w.Region))
	got, err := client.ListGrants(ctx, &kms.ListGrantsInput{KeyId: &w.Key})
	if err != nil {
		return nil, nil, err
	}
	if len(got.Grants) != 1 {
		return nil, nil, fmt.Errorf("there are %d grants", len(got.Grants))
	}
	return client, got.Grants[0].GrantId, nil
}

// revokeGrant takes the one grant of the owner's key away by the right to revoke.
func revokeGrant(ctx context.Context, w *scenario.DataAPIWorld) error {
	client, id, err := theGrant(ctx, w)
	if err != nil {
		return err
	}
	_, err = client.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: &w.Key, GrantId: id})
	return err
}

// retireGrant takes the one grant of the owner's key away as the account's root user may.
func retireGrant(ctx context.Context, w *scenario.DataAPIWorld) error {
	client, id, err := theGrant(ctx, w)
	if err != nil {
		return err
	}
	_, err = client.RetireGrant(ctx, &kms.RetireGrantInput{KeyId: &w.Key, GrantId: id})
	return err
}

// roleOf is the name of the role that Drawbridge makes for the cluster.
func roleOf(w *scenario.DataAPIWorld) *string {
	return aws.String(w.RoleARN()[strings.LastIndexByte(w.RoleARN(), '/')+1:])
}

// unbound takes the permissions boundary off the cluster's role, in another second than what was before; bound sets it again.
func unbound(ctx context.Context, w *scenario.DataAPIWorld) error {
	time.Sleep(time.Second)
	_, err := iam.NewFromConfig(engine.Config(w.Producer, w.Region)).DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: roleOf(w)})
	return err
}

func bound(ctx context.Context, w *scenario.DataAPIWorld) error {
	time.Sleep(time.Second)
	_, err := iam.NewFromConfig(engine.Config(w.Producer, w.Region)).PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: roleOf(w),
		PermissionsBoundary: aws.String(dataapi.Boundary(workflow.Cluster{Account: w.Producer, ARN: w.ClusterARN()}))})
	return err
}

// groupsOf returns Drawbridge's group in alpha's VPC, and the VPC's default group.
func groupsOf(ctx context.Context, w *scenario.DataAPIWorld) (ours, ownersOwn string, err error) {
	got, err := ec2.NewFromConfig(engine.Config(w.Consumer, w.Region)).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{w.VPC}}}})
	if err != nil {
		return "", "", err
	}
	for _, g := range got.SecurityGroups {
		marked := slices.ContainsFunc(g.Tags, func(t ec2types.Tag) bool { return aws.ToString(t.Key) == firewall.TagConnection })
		switch {
		case marked:
			ours = aws.ToString(g.GroupId)
		case aws.ToString(g.GroupName) == "default":
			ownersOwn = aws.ToString(g.GroupId)
		}
	}
	if ours == "" || ownersOwn == "" {
		return "", "", fmt.Errorf("the groups of alpha's VPC are %+v", got.SecurityGroups)
	}
	return ours, ownersOwn, nil
}

// takeGroupOff puts the owner's group on the endpoint in the place of Drawbridge's, in another second than what was before. An interface has one at least.
func takeGroupOff(ctx context.Context, w *scenario.DataAPIWorld) error {
	time.Sleep(time.Second)
	ours, own, err := groupsOf(ctx, w)
	if err != nil {
		return err
	}
	client := ec2.NewFromConfig(engine.Config(w.Consumer, w.Region))
	got, err := client.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{w.VPC}}}})
	if err != nil {
		return err
	}
	if len(got.VpcEndpoints) != 1 || !slices.ContainsFunc(got.VpcEndpoints[0].Groups, func(g ec2types.SecurityGroupIdentifier) bool { return aws.ToString(g.GroupId) == ours }) {
		return fmt.Errorf("alpha's VPC has %+v, want one endpoint with %s", got.VpcEndpoints, ours)
	}
	_, err = client.ModifyVpcEndpoint(ctx, &ec2.ModifyVpcEndpointInput{VpcEndpointId: got.VpcEndpoints[0].VpcEndpointId, AddSecurityGroupIds: []string{own}, RemoveSecurityGroupIds: []string{ours}})
	return err
}

// revokeRuleOfGroup revokes what the endpoint's group lets in, in another second than what was before.
func revokeRuleOfGroup(ctx context.Context, w *scenario.DataAPIWorld) error {
	time.Sleep(time.Second)
	group, _, err := groupsOf(ctx, w)
	if err != nil {
		return err
	}
	client := ec2.NewFromConfig(engine.Config(w.Consumer, w.Region))
	got, err := client.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: []string{group}}}})
	if err != nil {
		return err
	}
	var ids []string
	for _, r := range got.SecurityGroupRules {
		if !aws.ToBool(r.IsEgress) {
			ids = append(ids, aws.ToString(r.SecurityGroupRuleId))
		}
	}
	if len(ids) != 1 {
		return fmt.Errorf("the group has %d rules that let in", len(ids))
	}
	_, err = client.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, SecurityGroupRuleIds: ids})
	return err
}

// dropReaderPolicy deletes the policies by which alpha's execution role reads clusters.
func dropReaderPolicy(ctx context.Context, t *testing.T, w *scenario.World) {
	api := rolesOf(w)
	got, err := api.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: aws.String(scenario.ExecutionRole)})
	done(t, err)
	for _, name := range got.PolicyNames {
		if strings.HasPrefix(name, studio.RolePrefix) {
			_, err := api.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String(scenario.ExecutionRole), PolicyName: &name})
			done(t, err)
		}
	}
}

// detachScientist takes the policy of private notebooks off the scientist's role.
func detachScientist(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := rolesOf(w).DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String("scientist"), PolicyArn: aws.String(privatenotebooks.PolicyARN(w.Consumer.Account, w.Consumer.Region))})
	done(t, err)
}

// retagScientist sets the role's tag anew, with the value that it has.
func retagScientist(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := rolesOf(w).TagRole(ctx, &iam.TagRoleInput{RoleName: aws.String("scientist"), Tags: []iamtypes.Tag{{Key: aws.String(tag.PrivateNotebooks), Value: aws.String("true")}}})
	done(t, err)
}

// deleteEndpoint deletes the endpoint in alpha's VPC, as its owner may.
func deleteEndpoint(ctx context.Context, w *scenario.DataAPIWorld) error {
	client := ec2.NewFromConfig(engine.Config(w.Consumer, w.Region))
	got, err := client.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{w.VPC}}}})
	if err != nil {
		return err
	}
	var ids []string
	for _, e := range got.VpcEndpoints {
		if !strings.HasPrefix(strings.ToLower(string(e.State)), "delet") {
			ids = append(ids, aws.ToString(e.VpcEndpointId))
		}
	}
	if len(ids) != 1 {
		return fmt.Errorf("there are %d endpoints", len(ids))
	}
	_, err = client.DeleteVpcEndpoints(ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: ids})
	return err
}

// later acts in another second than what was before: records say whole seconds, and a hand that is seen twice in one is noted once.
func later(do func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		time.Sleep(time.Second)
		do(ctx, t, w)
	}
}

// bothToldOnce checks that each owner got one message about what is contested.
func bothToldOnce(_ context.Context, t *testing.T, _ *scenario.World, calls []awscall.Call) {
	told := 0
	for _, c := range calls {
		if c.Function == "drawbridge-report-contest" && c.Action == "Publish" {
			told++
		}
	}
	if told != 2 {
		t.Errorf("people got %d messages, want one for each owner", told)
	}
}

func alphas(w *scenario.World) *ec2.Client {
	return ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
}

// listThere makes alpha's prefix list and leads it through the peering, in the table of the notebook's subnet.
func listThere(ctx context.Context, t *testing.T, w *scenario.World) {
	list, err := alphas(w).CreateManagedPrefixList(ctx, &ec2.CreateManagedPrefixListInput{PrefixListName: aws.String("beta"), MaxEntries: aws.Int32(1),
		AddressFamily: aws.String("IPv4"), Entries: []ec2types.AddPrefixListEntry{{Cidr: aws.String(w.Producer.CIDR.String())}}})
	done(t, err)
	_, err = alphas(w).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &w.ConsumerNetwork.Tables[0], DestinationPrefixListId: list.PrefixList.PrefixListId, VpcPeeringConnectionId: &w.Connection})
	done(t, err)
}

func unlistedGoes(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := alphas(w).DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: &w.ConsumerNetwork.Tables[0], DestinationCidrBlock: aws.String(there(w))})
	done(t, err)
}

// leadList leads alpha's prefix list elsewhere.
func leadList(ctx context.Context, t *testing.T, w *scenario.World, in *ec2.ReplaceRouteInput) {
	t.Helper()
	lists, err := alphas(w).DescribeManagedPrefixLists(ctx, &ec2.DescribeManagedPrefixListsInput{Filters: []ec2types.Filter{{Name: aws.String("prefix-list-name"), Values: []string{"beta"}}}})
	done(t, err)
	if len(lists.PrefixLists) != 1 {
		t.Fatalf("%d lists", len(lists.PrefixLists))
	}
	in.RouteTableId, in.DestinationPrefixListId = &w.ConsumerNetwork.Tables[0], lists.PrefixLists[0].PrefixListId
	_, err = alphas(w).ReplaceRoute(ctx, in)
	done(t, err)
}

func listIntoVPN(ctx context.Context, t *testing.T, w *scenario.World) {
	gateway, err := alphas(w).CreateVpnGateway(ctx, &ec2.CreateVpnGatewayInput{Type: ec2types.GatewayTypeIpsec1})
	done(t, err)
	_, err = alphas(w).AttachVpnGateway(ctx, &ec2.AttachVpnGatewayInput{VpcId: &w.ConsumerNetwork.VPC, VpnGatewayId: gateway.VpnGateway.VpnGatewayId})
	done(t, err)
	leadList(ctx, t, w, &ec2.ReplaceRouteInput{GatewayId: gateway.VpnGateway.VpnGatewayId})
}

// onlyTheList checks that the notebook's table leads to beta by the owner's list alone.
func onlyTheList(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	got, err := alphas(w).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: w.ConsumerNetwork.Tables[:1]})
	done(t, err)
	lists := 0
	for _, r := range got.RouteTables[0].Routes {
		if r.DestinationPrefixListId != nil {
			lists++
		} else if aws.ToString(r.VpcPeeringConnectionId) == w.Connection {
			t.Errorf("beside the owner's list there is a route to %s", aws.ToString(r.DestinationCidrBlock))
		}
	}
	if lists != 1 {
		t.Errorf("the table has %d routes to lists", lists)
	}
}

// peeredByHand peers the two VPCs as their owners would, with one route on each side.
func peeredByHand(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	done(t, w.Request(ctx))
	_, err := producer(w).AcceptVpcPeeringConnection(ctx, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: &w.Connection})
	done(t, err)
	for status := ec2types.VpcPeeringConnectionStateReasonCode(""); status != ec2types.VpcPeeringConnectionStateReasonCodeActive; {
		got, err := alphas(w).DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{w.Connection}})
		done(t, err)
		status = got.VpcPeeringConnections[0].Status.Code
	}
	_, err = alphas(w).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &w.ConsumerNetwork.Tables[0], DestinationCidrBlock: aws.String(w.Producer.CIDR.String()), VpcPeeringConnectionId: &w.Connection})
	done(t, err)
	_, err = producer(w).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &w.ProducerNetwork.Tables[0], DestinationCidrBlock: aws.String(w.Consumer.CIDR.String()), VpcPeeringConnectionId: &w.Connection})
	done(t, err)
}

// foundOnce checks that the sweep saw the peering on both sides, counted it once as not Drawbridge's, named it, and asked for no look at it.
func foundOnce(_ context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	for _, f := range engine.Story().Facts() {
		end, ok := f.(story.End)
		if !ok || end.Machine != "drawbridge-sweep" {
			continue
		}
		var out struct {
			Tally workflow.Tally   `json:"tally"`
			Found []workflow.Found `json:"found"`
		}
		done(t, json.Unmarshal(end.Output, &out))
		for _, each := range append(out.Tally.Found, out.Found...) {
			if each.Kind == "peerings" {
				if each.Seen != 2 || each.Unmanaged != 1 || each.Announced != 0 || !slices.Contains(each.Names, w.Connection) {
					t.Errorf("the sweep says %+v of peerings, want %s seen from both sides, counted once and not looked at", each, w.Connection)
				}
				return
			}
		}
		t.Errorf("the sweep says nothing of peerings: %s", end.Output)
		return
	}
	t.Error("no sweep ended")
}

// ledWithoutAGap checks that the routes which were added for what goes were led to what stays, and none of them was deleted and made anew.
func ledWithoutAGap(_ context.Context, t *testing.T, _ *scenario.World, calls []awscall.Call) {
	led := 0
	for _, c := range calls {
		if c.Function == "drawbridge-remove-routes" {
			switch c.Action {
			case "ReplaceRoute":
				led++
			case "DeleteRoute", "CreateRoute":
				t.Errorf("%s of %s leaves a moment without a route", c.Action, c.Resource)
			}
		}
	}
	if led == 0 {
		t.Error("no route was led to what stays")
	}
}

// endShare deletes the share of alpha's gateway.
func endShare(ctx context.Context, t *testing.T, w *scenario.World) {
	client := ram.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	got, err := client.GetResourceShares(ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf})
	done(t, err)
	if len(got.ResourceShares) != 1 {
		t.Fatalf("%d shares", len(got.ResourceShares))
	}
	_, err = client.DeleteResourceShare(ctx, &ram.DeleteResourceShareInput{ResourceShareArn: got.ResourceShares[0].ResourceShareArn})
	done(t, err)
}
