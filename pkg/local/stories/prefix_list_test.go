package stories

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// prefixLists are the stories of rules that name a prefix list of an owner's.
var prefixLists = []tale{
	{
		name:  "listed-egress",
		title: "A client lets out to a prefix list of its owner's, which changes later",
		about: `
As in s1-peering.md, but the notebook's security group lets out to a managed prefix list of alpha's alone, which has beta's addresses: it lacks no rule, and gets none. Then alpha takes these
addresses out of the list: the connection is looked at, and the rule that lacks now is added. When the peering is deleted, that rule goes, and the owner's stays.`,
		prepare: letOutToList,
		acts: []act{
			request("Connected"),
			{"The owner of alpha takes beta's addresses out of the prefix list.", emptyList, []string{"Announced", "Connected"}},
			{"The owner of alpha deletes the peering.", deletePeering, []string{"Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: func(ctx context.Context, t *testing.T, w *scenario.World) { hasEgressRules(ctx, t, w, 1) },
			2: func(ctx context.Context, t *testing.T, w *scenario.World) { hasEgressRules(ctx, t, w, 2) },
			3: func(ctx context.Context, t *testing.T, w *scenario.World) { hasEgressRules(ctx, t, w, 1) },
		},
	},
}

// letOutToList lets alpha's notebooks out to a prefix list of alpha's alone, which has beta's addresses.
func letOutToList(ctx context.Context, t *testing.T, w *scenario.World) {
	api := alphas(w)
	list, err := api.CreateManagedPrefixList(ctx, &ec2.CreateManagedPrefixListInput{PrefixListName: aws.String("databases"), MaxEntries: aws.Int32(2),
		AddressFamily: aws.String("IPv4"), Entries: []ec2types.AddPrefixListEntry{{Cidr: aws.String(w.Producer.CIDR.String())}, {Cidr: aws.String("10.99.0.0/16")}}})
	done(t, err)
	groups, err := api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{w.ConsumerNetwork.Group}})
	done(t, err)
	must(t)(api.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &w.ConsumerNetwork.Group, IpPermissions: groups.SecurityGroups[0].IpPermissionsEgress}))
	must(t)(api.AuthorizeSecurityGroupEgress(ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &w.ConsumerNetwork.Group, IpPermissions: []ec2types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3306), ToPort: aws.Int32(3306), PrefixListIds: []ec2types.PrefixListId{{PrefixListId: list.PrefixList.PrefixListId}}}}}))
}

// emptyList takes beta's addresses out of alpha's prefix list.
func emptyList(ctx context.Context, t *testing.T, w *scenario.World) {
	lists, err := alphas(w).DescribeManagedPrefixLists(ctx, &ec2.DescribeManagedPrefixListsInput{Filters: []ec2types.Filter{{Name: aws.String("prefix-list-name"), Values: []string{"databases"}}}})
	done(t, err)
	if len(lists.PrefixLists) != 1 {
		t.Fatalf("%d lists", len(lists.PrefixLists))
	}
	must(t)(alphas(w).ModifyManagedPrefixList(ctx, &ec2.ModifyManagedPrefixListInput{PrefixListId: lists.PrefixLists[0].PrefixListId, CurrentVersion: lists.PrefixLists[0].Version,
		RemoveEntries: []ec2types.RemovePrefixListEntry{{Cidr: aws.String(w.Producer.CIDR.String())}}}))
}

// hasEgressRules checks how many rules let alpha's notebooks out.
func hasEgressRules(ctx context.Context, t *testing.T, w *scenario.World, want int) {
	t.Helper()
	rules, err := alphas(w).DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: []string{w.ConsumerNetwork.Group}}}})
	done(t, err)
	n := 0
	for _, r := range rules.SecurityGroupRules {
		if aws.ToBool(r.IsEgress) {
			n++
		}
	}
	if n != want {
		t.Errorf("%d rules let the notebooks out, want %d: %+v", n, want, rules.SecurityGroupRules)
	}
}
