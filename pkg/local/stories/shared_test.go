package stories

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// sharedVPCs are the stories of VPCs whose owner shares subnets with other accounts.
var sharedVPCs = []tale{
	{
		name:  "shared-vpc",
		title: "Participants of two shared VPCs are connected with their owners",
		about: `
As in s1-peering.md, and alpha and beta share their first two subnets. Account 333333333333 has the notebook study in
alpha's, which is stopped. Account 444444444444 has the PostgreSQL database books in beta's, with the tag
drawbridge:share=true and a security group of its own. The first execution learns of both when it reads the security groups,
looks again, and connects them, too. Then 444444444444 shares books no more, and the peering is deleted.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			sharesSubnets(ctx, t, w, w.Consumer, w.ConsumerNetwork, takesPart("3", w))
			sharesSubnets(ctx, t, w, w.Producer, w.ProducerNetwork, takesPart("4", w))
			study(ctx, t, w)
			books(ctx, t, w)
		},
		acts: []act{
			request("Connected", "InSync"),
			{"The owner of books takes the tag drawbridge:share off.", unshareBooks, []string{"Announced", "Connected"}},
			{"The owner of books sets it again.", shareBooks, []string{"Announced", "Connected"}},
			{"The owner of beta deletes the peering.", remove(true), []string{"InSync", "Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: joined(true, true), 2: joined(true, false), 3: joined(true, true), 4: joined(false, false),
		},
		also:   ownersOwn,
		struck: []int{1},
	},
	{
		name:  "shared-vpc-stranger",
		title: "A participant without the member stack is named, and the others are connected",
		about: `
As in shared-vpc.md, but beta shares no database of its own, and its subnets also with account 555555555555, which has a network
interface there and no member stack. Where nothing would be opened, the inspection itself reads the groups: so the first look knows the
participants, opens books, and says who is left out.`,
		change: func(s *scenario.Spec) { s.Share = "" },
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			sharesSubnets(ctx, t, w, w.Producer, w.ProducerNetwork, takesPart("4", w), takesPart("5", w))
			books(ctx, t, w)
			stranger555(ctx, t, w)
		},
		acts: []act{request("Connected"), {"The owner of alpha deletes the peering.", remove(false), []string{"Removed"}}},
		then: map[int]func(context.Context, *testing.T, *scenario.World){1: opensBooks(0, true), 2: opensBooks(0, false)},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
			for _, c := range calls {
				if c.Account == takesPart("5", w) && c.Service != "sts" && c.Role != "" {
					t.Errorf("%s was called in an account that lets nobody in", c.Name())
				}
			}
		},
	},
	{
		name:  "shared-vpc-gateway",
		title: "A participant's database is reached over a transit gateway",
		about: `
As in transit.md, but beta shares no database of its own: the subnets are shared with account 444444444444, which has the PostgreSQL
database books there, with the tag drawbridge:share=true. Nobody but a participant has something to offer, so the look at the pair
reads who takes part before it asks the policy.`,
		change: func(s *scenario.Spec) {
			onGateway(s)
			s.Share = ""
		},
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			attachedPair(ctx, t, w)
			sharesSubnets(ctx, t, w, w.Producer, w.ProducerNetwork, takesPart("4", w))
			books(ctx, t, w)
		},
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The owner of beta deletes the attachment; the pair wants a look.", look((*scenario.World).Detach), []string{"Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){1: opensBooks(1, true), 2: opensBooks(1, false)},
	},
	{
		name:  "shared-vpc-notebook",
		title: "A participant starts a notebook in a shared subnet",
		about: `
As in s1-peering.md, and alpha shares its first two subnets with account 333333333333 once all is connected, where a notebook is made there.
Its route table is read in alpha; its lifecycle configuration is its own account's.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			sharesSubnets(ctx, t, w, w.Consumer, w.ConsumerNetwork, takesPart("3", w))
			noteGroup(ctx, t, w, takesPart("3", w), w.ConsumerNetwork.VPC, "study")
		},
		acts: []act{
			request("Connected"),
			{"Account 333333333333 makes the notebook study, and stops it.", study, []string{"Connected", "InSync"}},
		},
		connected: true,
		unruly:    true, // SageMaker tells of several states, and here within moments
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: func(ctx context.Context, t *testing.T, w *scenario.World) {
			if !routesOfStudy(ctx, t, w) {
				t.Error("study has no host routes")
			}
		}},
	},
}

// takesPart is the account of a story's participant.
func takesPart(digit string, w *scenario.World) string {
	return strings.Repeat(digit, 8) + w.Consumer.Account[8:]
}

// sharesSubnets shares the first two subnets of a side.
func sharesSubnets(ctx context.Context, t *testing.T, w *scenario.World, h scenario.Home, n scenario.Network, accounts ...string) {
	t.Helper()
	in := &ram.CreateResourceShareInput{Name: aws.String("subnets"), Principals: accounts}
	for _, id := range n.Subnets[:2] {
		in.ResourceArns = append(in.ResourceArns, "arn:aws:ec2:"+h.Region+":"+h.Account+":subnet/"+id)
	}
	must(t)(ram.NewFromConfig(engine.Config(h.Account, h.Region)).CreateResourceShare(ctx, in))
}

// noteGroup makes a security group of a participant.
func noteGroup(ctx context.Context, t *testing.T, w *scenario.World, account, vpc, name string) string {
	t.Helper()
	client := ec2.NewFromConfig(engine.Config(account, w.Consumer.Region))
	had, err := client.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{{Name: aws.String("group-name"), Values: []string{name}}}})
	succeeds(t, err)
	if len(had.SecurityGroups) > 0 {
		return aws.ToString(had.SecurityGroups[0].GroupId)
	}
	group, err := client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: &name, Description: aws.String("of a participant"), VpcId: &vpc})
	succeeds(t, err)
	if w.Also == nil {
		w.Also = map[string]string{}
	}
	w.Also[aws.ToString(group.GroupId)] = "sg-" + name
	return aws.ToString(group.GroupId)
}

// study makes the notebook of 333333333333 in alpha's VPC, and stops it.
func study(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	account := takesPart("3", w)
	group := noteGroup(ctx, t, w, account, w.ConsumerNetwork.VPC, "study")
	client := studies(w)
	must(t)(client.CreateNotebookInstance(ctx, &sagemaker.CreateNotebookInstanceInput{
		NotebookInstanceName: aws.String("study"), InstanceType: sagemakertypes.InstanceTypeMlT3Medium, SubnetId: &w.ConsumerNetwork.Subnets[1],
		SecurityGroupIds: []string{group}, RoleArn: aws.String(arn.IAM(arn.Partition(w.Consumer.Region), account, "role/notebook"))}))
	succeeds(t, statusOfStudy(ctx, client, sagemakertypes.NotebookInstanceStatusInService))
	must(t)(client.StopNotebookInstance(ctx, &sagemaker.StopNotebookInstanceInput{NotebookInstanceName: aws.String("study")}))
	succeeds(t, statusOfStudy(ctx, client, sagemakertypes.NotebookInstanceStatusStopped))
}

func studies(w *scenario.World) *sagemaker.Client {
	return sagemaker.NewFromConfig(engine.Config(takesPart("3", w), w.Consumer.Region))
}

func statusOfStudy(ctx context.Context, client *sagemaker.Client, want sagemakertypes.NotebookInstanceStatus) error {
	for {
		got, err := client.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: aws.String("study")})
		if err != nil || got.NotebookInstanceStatus == want {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// books makes the database of 444444444444 in beta's VPC.
func books(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	account := takesPart("4", w)
	group := noteGroup(ctx, t, w, account, w.ProducerNetwork.VPC, "books")
	client := booksOf(w)
	must(t)(client.CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{DBSubnetGroupName: aws.String("books"), DBSubnetGroupDescription: aws.String("shared"), SubnetIds: w.ProducerNetwork.Subnets[:2]}))
	must(t)(client.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: aws.String("books"), DBInstanceClass: aws.String("db.t4g.micro"), Engine: aws.String("postgres"),
		Port: aws.Int32(5432), AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("admin"), ManageMasterUserPassword: aws.Bool(true), DBSubnetGroupName: aws.String("books"),
		VpcSecurityGroupIds: []string{group}, Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}}))
}

func booksOf(w *scenario.World) *rds.Client {
	return rds.NewFromConfig(engine.Config(takesPart("4", w), w.Producer.Region))
}

func arnOfBooks(w *scenario.World) *string {
	return aws.String("arn:aws:rds:" + w.Producer.Region + ":" + takesPart("4", w) + ":db:books")
}

func unshareBooks(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(booksOf(w).RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{ResourceName: arnOfBooks(w), TagKeys: []string{"drawbridge:share"}}))
}

func shareBooks(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(booksOf(w).AddTagsToResource(ctx, &rds.AddTagsToResourceInput{ResourceName: arnOfBooks(w), Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}}))
}

// stranger555 gives 555555555555 a network interface in beta's VPC, and takes its member stack away.
func stranger555(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	account := takesPart("5", w)
	group := noteGroup(ctx, t, w, account, w.ProducerNetwork.VPC, "stranger")
	config := engine.Config(account, w.Producer.Region)
	must(t)(ec2.NewFromConfig(config).CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: &w.ProducerNetwork.Subnets[0], Groups: []string{group}}))
	must(t)(cloudformation.NewFromConfig(config).DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String("drawbridge-member")}))
}

// joined holds that study has its host routes, and books is open, or not.
func joined(routes, open bool) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		if got := routesOfStudy(ctx, t, w); got != routes {
			t.Errorf("study has host routes: %v, want %v", got, routes)
		}
		opensBooks(1, open)(ctx, t, w)
	}
}

// routesOfStudy reports whether study starts with the route to beta's VPC.
func routesOfStudy(ctx context.Context, t *testing.T, w *scenario.World) bool {
	t.Helper()
	got, err := studies(w).DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: aws.String("study")})
	succeeds(t, err)
	if got.NotebookInstanceLifecycleConfigName == nil {
		return false
	}
	script, err := scenario.OnStartOf(ctx, studies(w), aws.ToString(got.NotebookInstanceLifecycleConfigName))
	succeeds(t, err)
	return strings.Contains(script, "line "+w.Consumer.Subnets[1].String()+" 10.")
}

// opensBooks holds the participant's database to whether it is open to a subnet of the consumer, by its place.
func opensBooks(subnet int, want bool) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		account := takesPart("4", w)
		got, err := ec2.NewFromConfig(engine.Config(account, w.Producer.Region)).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{
			GroupIds: []string{noteGroup(ctx, t, w, account, w.ProducerNetwork.VPC, "books")}})
		succeeds(t, err)
		open := slices.ContainsFunc(got.SecurityGroups[0].IpPermissions, func(p ec2types.IpPermission) bool {
			return aws.ToInt32(p.FromPort) == 5432 && slices.ContainsFunc(p.IpRanges, func(r ec2types.IpRange) bool {
				from, err := netip.ParsePrefix(aws.ToString(r.CidrIp))
				return err == nil && from.Overlaps(w.Consumer.Subnets[subnet]) && from != w.Consumer.CIDR
			})
		})
		if open != want {
			t.Errorf("books is open to %s: %v, want %v", w.Consumer.Subnets[subnet], open, want)
		}
	}
}

// ownersOwn holds that what is the owner's is done in the owner's account, and what is a participant's in the participant's.
func ownersOwn(_ context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
	owners := []string{w.Consumer.Account, w.Producer.Account}
	for _, c := range calls {
		participant := c.Account == takesPart("3", w) || c.Account == takesPart("4", w)
		for _, network := range []string{"Route", "Peering", "NetworkAcl"} {
			if participant && c.Function != "" && c.Function != "drawbridge-find-connections" && c.Service == "ec2" && strings.Contains(c.Action, network) {
				t.Errorf("%s was called in the account of a participant", c.Name())
			}
		}
		if slices.Contains(owners, c.Account) && (c.Resource == "books" || c.Resource == "study") {
			t.Errorf("%s of %s was called in the account of an owner", c.Name(), c.Resource)
		}
	}
}
