package stories

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// whole is what the ledger had of a world before it was lost, and what the accounts were then.
var whole = map[*scenario.World]struct{ rows, accounts string }{}

// rebuilds are the stories of a ledger that was lost.
var rebuilds = []tale{
	{
		name:  "rebuild",
		title: "The ledger is lost, and rebuilt",
		about: `
As in s1-peering.md, with a route and a rule that the owner of beta adds by hand afterwards. Then the table is lost: a sweep takes all of it for
somebody else's, and leaves it. The operators rebuild the ledger from the accounts; the second time nothing is written. Then the owner of alpha
deletes the peering: what Drawbridge added goes, and what the owner of beta added stays.`,
		prepare: remember,
		acts: []act{
			request("Connected"),
			{"The owner of beta adds a rule for the same traffic, and one for more.", ownRule, []string{"Nothing"}},
			{"The owner of beta adds a route through the peering for a part of alpha.", narrower, []string{"Nothing", "Nothing"}},
			{"The ledger's table is lost. The clock starts drawbridge-sweep.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				lose(ctx, t, w)
				startSweep(ctx, t, w)
			}, []string{"Swept"}},
			{"The operators set the mode to observe, and start drawbridge-rebuild.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				setMode(ctx, t, mode.Observe)
				startRebuild(ctx, t, w)
			}, []string{"Rebuilt"}},
			{"They start it again.", startRebuild, []string{"Rebuilt"}},
			{"They set the mode to full, which starts drawbridge-sweep.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				setMode(ctx, t, mode.Full)
				startSweep(ctx, t, w) // the rule that does it would sweep the accounts of all stories
			}, []string{"Connected", "Swept"}},
			{"The owner of alpha deletes the peering.", remove(false), []string{"Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			4: func(ctx context.Context, t *testing.T, w *scenario.World) {
				stands(ctx, t, w, "a sweep without the ledger")
			},
			5: restored(ledger.DNSOption),
			6: restored(ledger.DNSOption),
			7: func(ctx context.Context, t *testing.T, w *scenario.World) {
				stands(ctx, t, w, "a sweep with the rebuilt ledger")
			},
		},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			asBefore(ctx, t, w, w.Consumer)
			got, before := strings.Split(snapshot(ctx, t, w, w.Producer), "\n"), strings.Split(remembered[w][w.Producer.Account], "\n")
			if added := lacking(got, before); len(added) != 2 || len(lacking(before, got)) != 0 || strings.Contains(strings.Join(added, ""), "drawbridge") {
				t.Errorf("besides what was there before, beta has\n%s\nand lacks %q; want the owner's route and rule", strings.Join(added, "\n"), lacking(before, got))
			}
		},
	},
	{
		name:  "rebuild-deleted",
		title: "A peering is deleted while the ledger is lost",
		about: `
As in rebuild.md, but the owner of alpha deletes the peering before the ledger is rebuilt, so nothing is taken away for it. AWS shows the peering
still, with its status: it is in the ledger again, and the next sweep takes away what was added for it.`,
		prepare: remember,
		acts: []act{
			request("Connected"),
			{"The ledger's table is lost. The owner of alpha deletes the peering.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				lose(ctx, t, w)
				remove(false)(ctx, t, w)
			}, []string{"Nothing"}},
			{"The operators start drawbridge-rebuild.", startRebuild, []string{"Rebuilt"}},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"InSync", "Removed", "Swept"}},
		},
		unruly: true, // each side has the status, so two executions take the same away
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			asBefore(ctx, t, w, w.Consumer, w.Producer)
		},
	},
	{
		name:  "rebuild-gateway",
		title: "The ledger of two VPCs on a gateway is lost, and rebuilt",
		about: `
As in s5-at-once. Then the table is lost, and rebuilt: two attachments that Drawbridge made, and the pair. Then beta's VPC leaves the gateway.`,
		change:  onGateway,
		prepare: offered,
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				succeeds(t, w.Lend(ctx))
			}, []string{"Announced", "Attached", "Connected", "Nothing"}},
			{"The ledger's table is lost. The operators start drawbridge-rebuild.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				succeeds(t, w.Find(ctx))
				lose(ctx, t, w)
				startRebuild(ctx, t, w)
			}, []string{"Rebuilt"}},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Attached", "Connected", "Swept"}},
			{"The owner of beta takes the tag drawbridge:attach off.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				succeeds(t, w.Leave(ctx))
			}, []string{"Announced", "Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			2: restored(ledger.Association, ledger.Propagation),
		},
		unruly: true,
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			gone, err := w.Gone(ctx, reachedBefore)
			succeeds(t, err)
			if !scenario.Holds(gone) {
				t.Errorf("%+v", gone)
			}
		},
	},
	{
		name:  "rebuild-attachment",
		title: "The ledger of a VPC on a gateway is lost, and rebuilt",
		about: `
alpha's gateway core associates and propagates nothing by itself; one of its route tables is offered for both. beta's VPC asks for the gateway by a tag: it is attached,
associated, and propagates. Then the table is lost, and rebuilt. The attachment is known again by the tags of both accounts. Nobody can tell who put it into
the route table, Drawbridge or alpha's network team: the notification names both, and they end with the attachment, when beta's owner takes the tag off.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			silently(ctx, t, w, func() {
				closedGateway(ctx, t, w)
				succeeds(t, w.Lend(ctx))
			})
		},
		acts: []act{
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "Attached"}},
			{"The ledger's table is lost. The operators start drawbridge-rebuild.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				lose(ctx, t, w)
				startRebuild(ctx, t, w)
			}, []string{"Rebuilt"}},
			{"The owner of beta takes the tag off.", attach(""), []string{"Announced", "Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: func(ctx context.Context, t *testing.T, w *scenario.World) {
			stands(ctx, t, w, "a rebuild")
			inTable(true)(ctx, t, w)
			lacks := lacking(strings.Split(whole[w].rows, "\n"), record(ctx, t, w))
			if len(lacks) != 2 || !strings.Contains(lacks[0]+lacks[1], " association ") || !strings.Contains(lacks[0]+lacks[1], " propagation ") {
				t.Errorf("the rebuilt ledger lacks %q; want one association and one propagation", lacks)
			}
			id, table := aws.ToString(attached(ctx, t, w)[0].TransitGatewayAttachmentId), aws.ToString(gatewayTable(ctx, t, w))
			for _, name := range []string{id + " with " + table, id + " to " + table} {
				if says := lastOutput(ctx, t, "drawbridge-rebuild"); !strings.Contains(says, name) {
					t.Errorf("the rebuild does not name %q: %s", name, says)
				}
			}
		}},
		also: attachments("deleted"),
	},
	{
		name:  "rebuild-studio",
		title: "The ledger of a cluster that Studio reads is lost, and rebuilt",
		about: `
As in studio.md, but between the two tags the table is lost, and rebuilt: the readers' role is known again by how it was made, the execution roles that it trusts and
their domain by the mark on each, in their own account. All that the ledger had is in it again, what was there before included. So when the owner of beta takes
the tag away, alpha's role, its trust policy and the domain are as before.`,
		prepare: studioWorld(false),
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Identified"}},
			{"The ledger's table is lost. The operators start drawbridge-rebuild.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				lose(ctx, t, w)
				startRebuild(ctx, t, w)
			}, []string{"Rebuilt"}},
			{"The owner of beta takes the tag away.", unshareWarehouse, []string{"Announced", "Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: restored()},
		also: nothingOfStudioLeft,
	},
	{
		name:  "rebuild-private",
		title: "The ledger of private notebooks is lost, and rebuilt",
		about: `
As in private-notebooks.md, but then the table is lost, and rebuilt: the endpoints and their security group are known again by their tags, the account's policy by its name, its
path and that it says what Drawbridge writes, and the role that has it by its tag. When the tag of the VPC goes, all that was added goes.`,
		prepare: privateWorld,
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Private"}},
			{"The ledger's table is lost. The operators start drawbridge-rebuild.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				lose(ctx, t, w)
				startRebuild(ctx, t, w)
			}, []string{"Rebuilt"}},
			{"The owner of alpha takes the tag of the VPC away.", tagPrivate(false), []string{"Announced", "Removed"}},
		},
		// The zones and the group of an endpoint, and the rule of that group, go with them, and the next look writes them.
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: restored(ledger.Interface, ledger.Rule)},
		also: nothingPrivateLeft,
	},
}

// rebuiltShares are the stories of [rebuilds] about what was accepted.
var rebuiltShares = []tale{
	{
		name:  "rebuild-share",
		title: "The ledger of a share that was accepted is lost, and rebuilt",
		about: `
As in attach-invitation.md. Then the table is lost, and rebuilt: alpha still shares the gateway with beta, beta accepted the invitation, and a VPC of beta asks for the gateway,
so the invitation counts as one that Drawbridge accepted. When alpha ends the share, the entry goes.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			gateway(true)(ctx, t, w)
			within(ctx, t, false)
			t.Cleanup(func() { within(context.WithoutCancel(ctx), t, true) })
			shareGateway(ctx, t, w)
			until(ctx, t, 4)
		},
		fault: func(*scenario.World) local.Injector { return acceptedLast },
		acts: []act{
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "Announced", "Attached", "Nothing", "Nothing", "Nothing"}},
			{"The ledger's table is lost. The operators start drawbridge-rebuild.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				lose(ctx, t, w)
				startRebuild(ctx, t, w)
			}, []string{"Rebuilt"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: func(ctx context.Context, t *testing.T, w *scenario.World) {
			was, is := strings.Split(whole[w].rows, "\n"), record(ctx, t, w)
			if rows := strings.Join(is, "\n"); !slices.Equal(was, is) || !strings.Contains(rows, ":resource-share/") || !strings.Contains(rows, " share "+w.Producer.Account+" confirmed ") {
				t.Errorf("the rebuilt ledger has\n%s\nit had\n%s", rows, whole[w].rows)
			}
			stands(ctx, t, w, "a rebuild")
		}},
		also: attachments("available"),
	},
}

// startRebuild starts a rebuild of the ledger from the two accounts of the world.
func startRebuild(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	succeeds(t, started(ctx, "drawbridge-rebuild", workflow.Sweep{Accounts: []string{w.Consumer.Account, w.Producer.Account}, Regions: []string{engine.Region()}}))
}

// lastOutput returns the output of the execution of a machine that began last.
func lastOutput(ctx context.Context, t *testing.T, machine string) string {
	t.Helper()
	client := sfn.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	all, err := client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: aws.String(arn.New(arn.Partition(engine.Region()), "states", engine.Region(), local.HubAccount, "stateMachine:"+machine))})
	succeeds(t, err)
	last := slices.MaxFunc(all.Executions, func(a, b sfntypes.ExecutionListItem) int { return a.StartDate.Compare(*b.StartDate) })
	got, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: last.ExecutionArn})
	succeeds(t, err)
	return aws.ToString(got.Output)
}

// lose empties the ledger's table, and remembers what it had of the world's accounts.
func lose(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	kept := whole[w]
	kept.rows, kept.accounts = strings.Join(record(ctx, t, w), "\n"), snapshot(ctx, t, w, w.Consumer)+snapshot(ctx, t, w, w.Producer)
	whole[w] = kept
	succeeds(t, emptied(ctx))
}

// emptied removes every row of the ledger's table.
func emptied(ctx context.Context) error {
	client := dynamodb.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: aws.String("drawbridge-ledger")})
	lost := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, row := range page.Items {
			if _, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("drawbridge-ledger"), Key: map[string]types.AttributeValue{"pk": row["pk"], "sk": row["sk"]}}); err != nil {
				return err
			}
			lost++
		}
	}
	if lost == 0 {
		return errors.New("the ledger was empty before it was lost")
	}
	return nil
}

// rebuiltCallers are the stories of [rebuilds] about the Data API.
var rebuiltCallers = []dataAPITale{{
	name:  "rebuild-endpoint",
	title: "The ledger of a VPC with an endpoint is lost, and rebuilt",
	about: `
As in data-api-consumer-removed.md, but between the two tags the table is lost, and rebuilt: the endpoint and its security group are known again
by the tags that Drawbridge gave them when it made them, and go with the tag of the VPC.`,
	change: hasNetwork,
	acts: []dataAPIAct{
		wanted("Available"),
		{"The ledger's table is lost. The operators start drawbridge-rebuild.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
			if err := emptied(ctx); err != nil {
				return err
			}
			return started(ctx, "drawbridge-rebuild", workflow.Sweep{Accounts: []string{w.Consumer}, Regions: []string{w.Region}})
		}, []string{"Rebuilt"}},
		unwanted("Removed"),
	},
	restored: true,
}, {
	name:  "rebuild-data-api",
	title: "The ledger of a cluster with the Data API is lost, and rebuilt",
	about: `
As in data-api-removed.md, but between the two the table is lost, and rebuilt: the role is known again by how it was made, and goes when the
cluster names nobody any more. Nobody knows that the HTTP endpoint was off before, so it stays on.`,
	acts: []dataAPIAct{
		exposed("Exposed"),
		{"The ledger's table is lost. The operators start drawbridge-rebuild.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
			if err := emptied(ctx); err != nil {
				return err
			}
			return started(ctx, "drawbridge-rebuild", workflow.Sweep{Accounts: []string{w.Producer}, Regions: []string{w.Region}})
		}, []string{"Rebuilt"}},
		retracted("Retracted"),
	},
	also: func(ctx context.Context, t *testing.T, w *scenario.DataAPIWorld) {
		roles, err := iam.NewFromConfig(engine.Config(w.Producer, w.Region)).ListRoles(ctx, &iam.ListRolesInput{PathPrefix: aws.String("/drawbridge/")})
		if err != nil || len(roles.Roles) != 0 {
			t.Errorf("%d roles are left, %v", len(roles.Roles), err)
		}
	},
}}

// record says what the ledger has of the connections of the world's accounts, but for when and by whom.
func record(ctx context.Context, t *testing.T, w *scenario.World) []string {
	t.Helper()
	var lines []string
	ids := map[string]bool{}
	for _, home := range []scenario.Home{w.Consumer, w.Producer} {
		entries, err := table().Connections(ctx, home.Account, home.Region)
		succeeds(t, err)
		for _, c := range entries {
			lines, ids[c.ID] = append(lines, fmt.Sprintf("entry %s %s %s %v", c.ID, c.Kind, c.Status, c.Sides)), true
			if c.Kind == road.Attachment {
				ids[c.Sides[1].ID+":"+c.Sides[0].ID] = true
			}
		}
		subnets, err := ec2.NewFromConfig(engine.Config(home.Account, home.Region)).DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
		succeeds(t, err)
		for _, s := range subnets.Subnets {
			ids[aws.ToString(s.SubnetId)] = true
		}
	}
	for id := range ids {
		items, err := table().Items(ctx, id)
		succeeds(t, err)
		for _, i := range items {
			lines = append(lines, fmt.Sprintf("item %s %s %s %s %s left %q, was %q, for %v", i.Place(), i.Resource, i.Kind, i.Key, i.State, i.Left, i.Before, i.Needed))
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// restored holds the ledger to what it was before it was lost, but for items of some kinds, of which nobody can tell.
func restored(untold ...ledger.Kind) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		was, is := strings.Split(whole[w].rows, "\n"), record(ctx, t, w)
		for _, line := range lacking(was, is) {
			if !slices.ContainsFunc(untold, func(k ledger.Kind) bool { return strings.Contains(line, " "+string(k)+" ") }) {
				t.Errorf("the rebuilt ledger lacks %s", line)
			}
		}
		if more := lacking(is, was); len(more) > 0 || len(is) < 5 {
			t.Errorf("the rebuilt ledger has, and had not before:\n%s", strings.Join(more, "\n"))
		}
		stands(ctx, t, w, "a rebuild")
	}
}

// stands holds the accounts to what they were when the ledger was lost, but for what Drawbridge says of notebooks: without the ledger it does not know
// that their host routes are its own.
func stands(ctx context.Context, t *testing.T, w *scenario.World, after string) {
	t.Helper()
	was, now := saidOf.ReplaceAllString(whole[w].accounts, ""), saidOf.ReplaceAllString(snapshot(ctx, t, w, w.Consumer)+snapshot(ctx, t, w, w.Producer), "")
	if now != was {
		t.Errorf("after %s the accounts are not what they were: %s", after, difference(was, now))
	}
}

var saidOf = regexp.MustCompile(`(?m)^notebook \S+ tag drawbridge:(status|reason|since)=.*$`)
