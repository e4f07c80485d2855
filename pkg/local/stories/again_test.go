package stories

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// madeAgain are the stories of what owners put back themselves.
var madeAgain = []tale{
	{
		name:  "contested-over",
		title: "An owner puts back by hand what was contested",
		about: `
As in s1-peering.md. Then the owner of beta deletes a route to alpha twice: it is left to them. When they make it again by hand, the record starts a look, and nothing is contested
any more. The route is theirs.`,
		acts: []act{
			request("Connected"),
			{"The owner of beta deletes the route to alpha from a table.", removeRoute, []string{"Announced", "Connected", "Nothing"}},
			{"The owner of beta deletes it again.", later(removeRoute), []string{"Announced", "Contested", "Contested", "Nothing"}},
			{"The owner of beta makes it again.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				_, err := producer(w).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: aws.String(w.ProducerNetwork.Tables[1]), DestinationCidrBlock: aws.String(back(w)), VpcPeeringConnectionId: &w.Connection})
				done(t, err)
			}, []string{"Announced", "Connected", "Nothing"}},
		},
		connected: true,
		also:      bothToldOnce,
	},
}

// Owners delete what Drawbridge added, and make the same again themselves, at once; one turns on a DNS option that is on. The records say who made it: it is theirs, and
// each is told so, once. When what Drawbridge added is taken back, it stays.
func TestWhatOwnersMadeAgainIsTheirs(t *testing.T) {
	roughen(t)
	ctx := limited(t, 5*time.Minute)
	w := connected(ctx, t)
	group, table := &w.ProducerNetwork.Group, &w.ConsumerNetwork.Tables[0]
	same := []ec2types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3306), ToPort: aws.Int32(3306),
		UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &w.ConsumerNetwork.Group, UserId: &w.Consumer.Account}}}}
	for name, do := range map[string]func() error{
		"the route to beta": func() error {
			if _, err := alphas(w).DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String(there(w))}); err != nil {
				return err
			}
			_, err := alphas(w).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String(there(w)), VpcPeeringConnectionId: &w.Connection})
			return err
		},
		"the DNS option": func() error {
			_, err := alphas(w).ModifyVpcPeeringConnectionOptions(ctx, &ec2.ModifyVpcPeeringConnectionOptionsInput{VpcPeeringConnectionId: &w.Connection,
				RequesterPeeringConnectionOptions: &ec2types.PeeringConnectionOptionsRequest{AllowDnsResolutionFromRemoteVpc: aws.Bool(true)}})
			return err
		},
		"the database's rule": func() error {
			if _, err := producer(w).RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: group, IpPermissions: same}); err != nil {
				return err
			}
			_, err := producer(w).AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: same})
			return err
		},
	} {
		time.Sleep(time.Second) // records say whole seconds
		engine.Story().Begin()
		done(t, do())
		ends := until(ctx, t, 3) // the change, a look, and who tells people
		all(t, ends, "Announced", "Connected", "InSync", "Nothing", "Reported")
		told := 0
		for _, c := range engine.Story().Calls() {
			if c.Function == "drawbridge-report-contest" && c.Action == "Publish" {
				told++
			}
		}
		if told != 1 || ending(ends, "drawbridge-change", "Reported") != 1 {
			t.Errorf("%s: people got %d messages, want one: %+v", name, told, ends)
		}
	}
	holds(ctx, t, w)

	engine.Story().Begin()
	mark(ctx, t, w.Consumer, w.Connection, "drawbridge:manage", "undo")
	all(t, until(ctx, t, 2), "Announced", "Removed", "InSync", "Nothing")
	tables, err := alphas(w).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{*table}})
	done(t, err)
	if !slices.ContainsFunc(tables.RouteTables[0].Routes, func(r ec2types.Route) bool {
		return aws.ToString(r.DestinationCidrBlock) == there(w) && aws.ToString(r.VpcPeeringConnectionId) == w.Connection
	}) {
		t.Error("the route of alpha's owner is gone")
	}
	groups, err := producer(w).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{*group}})
	done(t, err)
	if !slices.ContainsFunc(groups.SecurityGroups[0].IpPermissions, func(p ec2types.IpPermission) bool {
		return aws.ToInt32(p.FromPort) == 3306 && len(p.UserIdGroupPairs) == 1
	}) {
		t.Error("the rule of beta's owner is gone")
	}
	peerings, err := alphas(w).DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{w.Connection}})
	done(t, err)
	p := peerings.VpcPeeringConnections[0]
	if !aws.ToBool(p.RequesterVpcInfo.PeeringOptions.AllowDnsResolutionFromRemoteVpc) || aws.ToBool(p.AccepterVpcInfo.PeeringOptions.AllowDnsResolutionFromRemoteVpc) {
		t.Error("the DNS options are not as their owners want them")
	}
}
