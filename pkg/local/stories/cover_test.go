package stories

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// covers are the stories about what an approval covers.
var covers = []tale{
	{
		name:  "approval-extended",
		title: "What comes after an approval is asked about again",
		about: `
As in approval.md, and beta has a second database, returns, which is not shared. After the approval it is shared: the first database
works on, the second is not opened, and beta's owner is asked about it. That the old answer still stands there says nothing about it; the
value that the question names does. Then alpha's VPC gets another range, which waits in the same way.`,
		change:  func(s *scenario.Spec) { s.Accept = "" },
		prepare: spare,
		acts: []act{
			request("AwaitingApproval"),
			{"The owner of beta tags the peering: drawbridge:approval=approved.", approve("approved"), []string{"Announced", "Connected"}},
			{"The owner of beta shares returns.", shareSpare, []string{"Announced", "PendingApproval"}},
			{"The owner of beta tags the peering again: drawbridge:approval=approved.", approve("approved"), []string{"Announced", "PendingApproval"}},
			{"The owner of beta tags the peering with the value that the question names.", approveAsNamed, []string{"Announced", "Connected"}},
			{"The owner of alpha associates 10.78.0.0/16 with the VPC.", mine("10.78.0.0/16"), []string{"Announced", "PendingApproval"}},
		},
		struck:    []int{3, 5},
		connected: true,
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			3: opens(3306), 4: opens(3306), 5: opens(3306, 3309),
			6: func(ctx context.Context, t *testing.T, w *scenario.World) {
				opens(3306, 3309)(ctx, t, w)
				notThere(ctx, t, w, "10.78.0.0/16")
				if says := saidTo(ctx, t, w, w.Producer); !strings.Contains(says, "10.78.0.0/16") {
					t.Errorf("beta reads %q", says)
				}
			},
		},
		also: askedAgain(2),
	},
	{
		name:  "approved-all",
		title: "An approval of what comes, too",
		about: `
As in approval-extended.md, but the answer is drawbridge:approval=approved-all. The second database is opened as soon as it is shared, and
nobody is asked again.`,
		change:  func(s *scenario.Spec) { s.Accept = "" },
		prepare: spare,
		acts: []act{
			request("AwaitingApproval"),
			{"The owner of beta tags the peering: drawbridge:approval=approved-all.", approve("approved-all"), []string{"Announced", "Connected"}},
			{"The owner of beta shares returns.", shareSpare, []string{"Announced", "Connected"}},
		},
		connected: true,
		then:      map[int]func(context.Context, *testing.T, *scenario.World){2: opens(3306), 3: opens(3306, 3309)},
		also:      askedAgain(0),
	},
	{
		name:  "attach-approval-extended",
		title: "What comes to a gateway after an approval is asked about again",
		about: `
As in s5-gateway.md, but the gateway says drawbridge:accept=ask, and beta has a second database, returns, which is not shared. The owner of
the gateway approves beta's attachment. Then returns is shared: what was approved works on, and the gateway's owner is asked.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			ownersVPC(ctx, t, w)
			mark(ctx, t, w.Consumer, w.Gateway, "drawbridge:accept", "ask")
			spare(ctx, t, w)
		},
		acts: []act{
			{"The owner of alpha shares the gateway with beta: ram CreateResourceShare.", lend, []string{"Announced", "AwaitingApproval", "Nothing", "Nothing"}},
			{"The owner of alpha tags beta's attachment: drawbridge:approval=approved.", answer(true, "approved"), []string{"Announced", "Attached", "Connected"}},
			{"The owner of beta shares returns.", shareSpare, []string{"Announced", "Attached", "PendingApproval"}},
			{"The owner of alpha tags the attachment with the value that the question names.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				id := aws.ToString(attached(ctx, t, w)[0].TransitGatewayAttachmentId)
				entry, _, err := book().Connection(ctx, id)
				if err != nil || len(entry.Approval.Shown) != 1 || !strings.Contains(entry.Approval.Shown[0], "returns") {
					t.Fatalf("asked %v, %v", entry.Approval.Shown, err)
				}
				answer(true, "approved-"+entry.Approval.Told)(ctx, t, w)
			}, []string{"Announced", "Attached", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: opens(3306), 3: opens(3306), 4: opens(3306, 3309)},
	},
}

// spare gives beta a second database, which nobody shares.
func spare(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := databases(w).CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: aws.String("returns"), DBInstanceClass: aws.String("db.t4g.micro"),
		Engine: aws.String("mysql"), Port: aws.Int32(3309), AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("admin"), ManageMasterUserPassword: aws.Bool(true),
		DBSubnetGroupName: aws.String(w.Database.Name + "-subnets"), VpcSecurityGroupIds: []string{w.ProducerNetwork.Group}})
	done(t, err)
}

func shareSpare(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := databases(w).AddTagsToResource(ctx, &rds.AddTagsToResourceInput{
		ResourceName: aws.String("arn:aws:rds:" + w.Producer.Region + ":" + w.Producer.Account + ":db:returns"),
		Tags:         []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}})
	done(t, err)
}

// saidTo returns what the peering says to its owner in an account.
func saidTo(ctx context.Context, t *testing.T, w *scenario.World, h scenario.Home) string {
	t.Helper()
	got, err := ec2.NewFromConfig(engine.Config(h.Account, h.Region)).DescribeTags(ctx, &ec2.DescribeTagsInput{Filters: []ec2types.Filter{
		{Name: aws.String("resource-id"), Values: []string{w.Connection}}, {Name: aws.String("key"), Values: []string{"drawbridge:reason"}}}})
	if err != nil || len(got.Tags) != 1 {
		t.Fatal(err, len(got.Tags))
	}
	return aws.ToString(got.Tags[0].Value)
}

// approveAsNamed answers with the value that the peering itself names in beta.
func approveAsNamed(ctx context.Context, t *testing.T, w *scenario.World) {
	says := saidTo(ctx, t, w, w.Producer)
	value := regexp.MustCompile(`approved-[0-9a-f]{8}`).FindString(says)
	if value == "" {
		t.Fatalf("beta reads %q", says)
	}
	if theirs := saidTo(ctx, t, w, w.Consumer); strings.Contains(theirs, "returns") {
		t.Errorf("alpha reads %q", theirs)
	}
	approve(value)(ctx, t, w)
}

// opens holds a story to rules of Drawbridge's in beta for exactly these ports.
func opens(ports ...int32) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		got := slices.Clone(rulesOfOurs(ctx, t, w)[w.Producer.Account])
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, ports) {
			t.Errorf("Drawbridge's rules are for %v, want %v", got, ports)
		}
	}
}

// notThere holds a story to no route and no rule of beta's for a range.
func notThere(ctx context.Context, t *testing.T, w *scenario.World, cidr string) {
	t.Helper()
	tables, err := producer(w).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{})
	if err != nil || len(tables.RouteTables) == 0 {
		t.Fatal(err)
	}
	for _, table := range tables.RouteTables {
		if slices.ContainsFunc(table.Routes, func(r ec2types.Route) bool { return aws.ToString(r.DestinationCidrBlock) == cidr }) {
			t.Errorf("%s leads to %s", aws.ToString(table.RouteTableId), cidr)
		}
	}
	rules, err := producer(w).DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{})
	if err != nil || len(rules.SecurityGroupRules) == 0 {
		t.Fatal(err)
	}
	if slices.ContainsFunc(rules.SecurityGroupRules, func(r ec2types.SecurityGroupRule) bool { return aws.ToString(r.CidrIpv4) == cidr }) {
		t.Errorf("a rule lets %s in", cidr)
	}
}

// askedAgain holds a story to so many questions after the first.
func askedAgain(times int) func(context.Context, *testing.T, *scenario.World, []awscall.Call) {
	return func(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
		toldOnce("drawbridge-ask-approval")(ctx, t, w, calls)
		again := 0
		for _, c := range calls {
			if c.Action == "Publish" && strings.HasSuffix(c.Function, "ask-again") {
				again++
			}
		}
		if again != times {
			t.Errorf("the owner was asked again %d times, want %d", again, times)
		}
	}
}
