package stories

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// modes are the stories about how far Drawbridge goes.
var modes = []tale{
	{
		name:   "mode-observe",
		unruly: true, // what is planned comes in the order of the tables' ids
		title:  "Drawbridge observes first",
		about: `
The operators let Drawbridge only observe. The owner of alpha requests a peering: the execution ends with the list of what would be
changed, and no call changes anything in either account. Then they let it do everything; the sweep that a changed mode starts
takes up what was only planned. (Here it looks at a Region without anything, so that it finds nothing else.) Back in observe, what stands is judged
as it stands: nothing would be changed. Once somebody revoked the database's rule, that is what it would do.`,
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: func(_ context.Context, t *testing.T, w *scenario.World) {
				onlyLooked(t, w)
				plannedChanges(t, mode.Observe, "accept the request", "add the route", "by a rule in", "host routes into the script")
			},
			3: func(_ context.Context, t *testing.T, w *scenario.World) { onlyLooked(t, w) },
			4: func(ctx context.Context, t *testing.T, w *scenario.World) {
				plannedChanges(t, mode.Observe, "ec2:AuthorizeSecurityGroupIngress in "+w.Producer.Account)
				forget(ctx, t, "held#drawbridge-peering") // else the next sweep of another story takes it up
			},
		},
		acts: []act{
			requestIn(mode.Observe, "Planned"),
			{"The operators set the mode to full. Parameter Store tells, and that starts drawbridge-sweep.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				setMode(ctx, t, mode.Full)
				sweepNowhere(ctx, t, w, workflow.Sweep{})
			}, []string{"Connected", "Swept"}},
			{"The operators set the mode to observe. The clock starts drawbridge-sweep.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				setMode(ctx, t, mode.Observe)
				startSweep(ctx, t, w)
			}, []string{"Connected", "Swept"}},
			{"The owner of beta revokes the rule of the database's group. The clock starts drawbridge-sweep.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				revokeRules(ctx, t, w)
				startSweep(ctx, t, w)
			}, []string{"Announced", "Planned", "Swept"}},
		},
	},
	{
		name:  "mode-observe-studio",
		title: "Drawbridge observes what reads a cluster from Studio",
		about: `
As in studio.md. Then the operators let Drawbridge only observe. The owner of beta tags the cluster anew: what stands is judged as it stands, and nothing would be changed. Once
somebody in alpha deletes the policy by which the people of the domain read the cluster, that is what it would write.`,
		prepare: studioWorld(false),
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			2: looked,
			3: func(ctx context.Context, t *testing.T, w *scenario.World) {
				onlyLooked(t, w)
				plannedChanges(t, mode.Observe, "iam:PutRolePolicy in "+w.Consumer.Account)
				forget(ctx, t, "held#drawbridge-studio") // else the next sweep of another story takes it up
			},
		},
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Identified"}},
			{"The operators set the mode to observe. The owner of beta tags the cluster anew.", observing(shareWarehouse), []string{"Announced", "Identified"}},
			{"Somebody in alpha deletes the policy of the execution role.", later(dropReaderPolicy), []string{"Announced", "Planned"}},
		},
	},
	{
		name:  "mode-observe-private",
		title: "Drawbridge observes private notebooks",
		about: `
As in private-notebooks.md. Then the operators let Drawbridge only observe. The owner of alpha tags the VPC anew: what stands is judged as it stands, and nothing would be changed. Once
the owner takes the tag away, it is said what would go.`,
		prepare: privateWorld,
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			2: looked,
			3: func(ctx context.Context, t *testing.T, w *scenario.World) {
				onlyLooked(t, w)
				plannedChanges(t, mode.Observe, "remove Drawbridge's endpoints from "+w.ConsumerNetwork.VPC)
				forget(ctx, t, "held#drawbridge-private-notebooks")
			},
		},
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Private"}},
			{"The operators set the mode to observe. The owner of alpha tags the VPC anew.", observing(tagPrivate(true)), []string{"Announced", "Private"}},
			{"The owner of alpha takes the tag of the VPC away.", tagPrivate(false), []string{"Announced", "Planned"}},
		},
	},
	{
		name:  "mode-paused",
		title: "Drawbridge is paused, and goes on",
		about: `
The operators pause Drawbridge. The owner of alpha requests a peering: its event is kept, no member account is entered. Then the
operators end the pause, and it is looked at. (Here the sweep that this starts looks at a Region without anything.)`,
		then: map[int]func(context.Context, *testing.T, *scenario.World){1: nobodyEntered, 2: nobodyEntered},
		acts: []act{
			requestIn(mode.Stopped, "Paused"),
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Paused"}},
			{"The operators set the mode to full.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				setMode(ctx, t, mode.Full)
				sweepNowhere(ctx, t, w, workflow.Sweep{})
			}, []string{"Connected", "Swept"}},
		},
		connected: true,
	},
	{
		name:  "mode-add",
		title: "Drawbridge adds, and takes nothing away",
		about: `
As in s1-peering.md. Then the operators let Drawbridge only add, and forbid routes for alpha's account. The next sweep looks at the
connection: it is said what would be taken away, and all of it stays. In the mode full it goes.`,
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: looked},
		acts: []act{
			request("Connected"),
			{"The operators set the mode to add, and forbid routes for alpha. The clock starts drawbridge-sweep.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				setMode(ctx, t, mode.Add)
				forbidRoutes(ctx, t, w)
			}, []string{"Kept", "Swept"}},
			{"The operators set the mode to full.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				setMode(ctx, t, mode.Full)
				sweepNowhere(ctx, t, w, workflow.Sweep{})
			}, []string{"Removed", "Swept"}},
		},
	},
	{
		name:  "brake",
		title: "A policy that is narrowed takes only so much away",
		about: `
As in s1-peering.md; five other connections were taken away today. Then the operators forbid routes for alpha's account by a slip. The next sweep
looks at the connection: it stays, since no more than five go within a day for such a cause, and people are told. They let it
through by a sweep with that answer.`,
		prepare: func(ctx context.Context, t *testing.T, _ *scenario.World) { fiveWent(ctx, t) },
		then:    map[int]func(context.Context, *testing.T, *scenario.World){2: looked},
		acts: []act{
			request("Connected"),
			{"The operators forbid routes for alpha. The clock starts drawbridge-sweep.", forbidRoutes, []string{"Braked", "Swept"}},
			{"The operators let it through.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				sweepNowhere(ctx, t, w, workflow.Sweep{Braked: "let through"})
			}, []string{"Removed", "Swept"}},
		},
	},
}

// modesDataAPI are those about a cluster.
var modesDataAPI = []dataAPITale{
	{
		name:  "mode-observe-data-api",
		title: "Drawbridge observes a cluster first",
		about: `
The operators let Drawbridge only observe. The owner of beta tags the cluster: the execution ends with what would be made, exactly, since nothing was made before. They let it do
everything, and it is made. Back in observe, what stands is judged as it stands: nothing would be changed. Once somebody turned the HTTP endpoint off, that is what it would do.`,
		acts: []dataAPIAct{
			{"The operators set the mode to observe. " + exposed().says, inMode(mode.Observe, shareWith(onlyAlpha)), told([]string{"Planned"})},
			{"The operators set the mode to full. The owner of beta tags the cluster anew.", inMode(mode.Full, shareWith(onlyAlpha)), told([]string{"Exposed"})},
			{"The operators set the mode to observe. The owner of beta tags the cluster anew.", inMode(mode.Observe, shareWith(onlyAlpha)), told([]string{"Exposed"})},
			{"Somebody in beta turns the HTTP endpoint off.", disableEndpoint, told([]string{"Planned"})},
		},
		also: func(ctx context.Context, t *testing.T, _ *scenario.DataAPIWorld) {
			setMode(ctx, t, mode.Full)
			plannedChanges(t, mode.Observe, "rds:EnableHttpEndpoint in ")
			forget(ctx, t, "held#drawbridge-data-api") // else the next sweep of another story takes it up
		},
	},
}

// observing lets Drawbridge only observe before something is done.
func observing(do func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		setMode(ctx, t, mode.Observe)
		do(ctx, t, w)
	}
}

// inMode sets the mode before something is done.
func inMode(m mode.Mode, do func(context.Context, *scenario.DataAPIWorld) error) func(context.Context, *scenario.DataAPIWorld) error {
	return func(ctx context.Context, w *scenario.DataAPIWorld) error {
		_, err := ssm.NewFromConfig(engine.Config(local.HubAccount, engine.Region())).PutParameter(ctx,
			&ssm.PutParameterInput{Name: aws.String("/drawbridge/mode"), Value: aws.String(string(m)), Overwrite: aws.Bool(true)})
		if err != nil {
			return err
		}
		return do(ctx, w)
	}
}

// observed are the stories about an account that lets itself be observed only.
var observed = []tale{
	{
		name:   "mode-observe-only",
		unruly: true, // what is planned comes in the order of the tables' ids
		title:  "An account lets itself be observed only",
		about: `
beta's member stack has ObserveOnly=true: none of its roles has a right to change anything there. The owner of alpha requests a peering. The execution ends with the list of what
would be changed, and no call changes anything, in alpha neither. Then beta deploys the stack as everybody does; the next sweep takes up what was only planned.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			letsItself(ctx, t, w, true)
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){1: func(_ context.Context, t *testing.T, w *scenario.World) {
			onlyLooked(t, w)
			plannedChanges(t, mode.Full, "accept the request", "add the route", "by a rule in", "host routes into the script")
		}},
		acts: []act{
			request("Planned"),
			{"beta deploys its member stack with ObserveOnly=false. The clock starts drawbridge-sweep.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				letsItself(ctx, t, w, false)
				startSweep(ctx, t, w)
			}, []string{"Connected", "Swept"}},
		},
		connected: true,
	},
}

// letsItself deploys beta's member stack anew, observed only or not. With ObserveOnly no role in it may do what is not a read.
func letsItself(ctx context.Context, t *testing.T, w *scenario.World, observe bool) {
	t.Helper()
	config := engine.Config(w.Producer.Account, w.Producer.Region)
	client, name := cloudformation.NewFromConfig(config), aws.String("drawbridge-member")
	was, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: name})
	succeeds(t, err)
	parameters := slices.DeleteFunc(was.Stacks[0].Parameters, func(p cfntypes.Parameter) bool { return aws.ToString(p.ParameterKey) == "ObserveOnly" })
	parameters = append(parameters, cfntypes.Parameter{ParameterKey: aws.String("ObserveOnly"), ParameterValue: aws.String(strconv.FormatBool(observe))})
	must(t)(client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: name}))
	must(t)(client.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: name, Parameters: parameters, TemplateBody: aws.String(template.Member),
		Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}}))
	roles := iam.NewFromConfig(config)
	all, err := roles.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{Filter: []iamtypes.EntityType{iamtypes.EntityTypeRole}})
	succeeds(t, err)
	members, changing := 0, 0
	for _, r := range all.RoleDetailList {
		if !strings.HasPrefix(aws.ToString(r.RoleName), "drawbridge-member-") {
			continue
		}
		members++
		for _, p := range r.RolePolicyList {
			if aws.ToString(p.PolicyName) != "read" {
				changing++
			}
		}
	}
	if members < 20 || observe != (changing == 0) {
		t.Fatalf("observed only: %t, and %d roles have %d policies by which they change something", observe, members, changing)
	}
}

// setMode sets the mode, until the story is over.
func setMode(ctx context.Context, t *testing.T, m mode.Mode) {
	t.Helper()
	set := func(ctx context.Context, m mode.Mode) {
		_, err := ssm.NewFromConfig(engine.Config(local.HubAccount, engine.Region())).PutParameter(ctx,
			&ssm.PutParameterInput{Name: aws.String("/drawbridge/mode"), Value: aws.String(string(m)), Overwrite: aws.Bool(true)})
		done(t, err)
	}
	set(ctx, m)
	if m != mode.Full {
		t.Cleanup(func() { set(context.Background(), mode.Full) })
	}
}

// requestIn is [request] in another mode.
func requestIn(m mode.Mode, ends ...string) act {
	a := request(ends...)
	a.says = "The operators set the mode to " + string(m) + ". " + a.says
	do := a.do
	a.do = func(ctx context.Context, t *testing.T, w *scenario.World) {
		setMode(ctx, t, m)
		do(ctx, t, w)
	}
	return a
}

// sweepNowhere starts a sweep that finds nothing, but for what was held back.
func sweepNowhere(ctx context.Context, t *testing.T, w *scenario.World, s workflow.Sweep) {
	t.Helper()
	s.Accounts = []string{w.Consumer.Account, w.Producer.Account}
	s.Regions = []string{"ap-south-1"}
	sweep(ctx, t, s)
}

// nobodyEntered holds an act to calls in the hub.
func nobodyEntered(_ context.Context, t *testing.T, _ *scenario.World) {
	t.Helper()
	for _, c := range engine.Story().Calls() {
		if c.Account != local.HubAccount {
			t.Errorf("%s calls %s in %s", c.Function, c.Name(), c.Account)
		}
	}
}

// looked is [onlyLooked] as the check of an act.
func looked(_ context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	onlyLooked(t, w)
}

// onlyLooked holds the last act to calls in members that only read.
func onlyLooked(t *testing.T, w *scenario.World) {
	t.Helper()
	looked := 0
	for _, c := range engine.Story().Calls() {
		if c.Account != w.Consumer.Account && c.Account != w.Producer.Account {
			continue
		}
		if looked++; lasts(c) && c.Action != "AssumeRole" {
			t.Errorf("%s calls %s %s in %s", c.Function, c.Name(), c.Resource, c.Account)
		}
	}
	if looked == 0 {
		t.Error("nothing was looked at")
	}
}

// plannedChanges holds the output of the last execution, in a mode, to changes of these kinds.
func plannedChanges(t *testing.T, in mode.Mode, kinds ...string) {
	t.Helper()
	var out workflow.HoldExecutionOutput
	for _, f := range engine.Story().Facts() {
		if e, ok := f.(story.End); ok && e.State == "Planned" {
			done(t, json.Unmarshal([]byte(e.Output), &out))
		}
	}
	text := strings.Join(out.Changes, "\n")
	for _, kind := range kinds {
		if !strings.Contains(text, kind) {
			t.Errorf("the plan does not say %q:\n%s", kind, text)
		}
	}
	if out.Mode != string(in) || out.Kept != (in == mode.Observe) { // an account that lets itself be observed only is looked at again by each sweep
		t.Errorf("%+v", out)
	}
}

// revokeRules takes away what Drawbridge opened in beta.
func revokeRules(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	client, n := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)), 0
	got, err := client.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{})
	done(t, err)
	for _, r := range got.SecurityGroupRules {
		if slices.ContainsFunc(r.Tags, func(tag ec2types.Tag) bool { return aws.ToString(tag.Key) == firewall.TagConnection }) {
			n++
			must(t)(client.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: r.GroupId, SecurityGroupRuleIds: []string{*r.SecurityGroupRuleId}}))
		}
	}
	if n == 0 {
		t.Fatal("Drawbridge opened nothing")
	}
}

// table is the ledger of the hub.
func table() ledger.Ledger {
	return ledger.Ledger{Store: ledger.Table{API: dynamodb.NewFromConfig(engine.Config(local.HubAccount, engine.Region())), Name: "drawbridge-ledger"}}
}

// fiveWent fills the brake up to its limit, until the story is over.
func fiveWent(ctx context.Context, t *testing.T) {
	t.Helper()
	l := table()
	l.Now = time.Now
	b := brake.Brake{Ledger: l, Limit: brake.Limit{Connections: 5}}
	for n := range 5 {
		done(t, b.Ask(ctx, fmt.Sprintf("pcx-0000000%d", n), "another story"))
	}
	t.Cleanup(func() { unbraked(context.Background(), t) })
}

// unbraked forgets what the stories before took away.
func unbraked(ctx context.Context, t *testing.T) {
	t.Helper()
	forget(ctx, t, "brake")
}

// forget empties a part of the ledger that is about no account of a story's own.
func forget(ctx context.Context, t *testing.T, part string) {
	t.Helper()
	client := dynamodb.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	got, err := client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String("drawbridge-ledger"), KeyConditionExpression: aws.String("pk = :p"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: part}}})
	done(t, err)
	for _, row := range got.Items {
		_, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("drawbridge-ledger"), Key: map[string]types.AttributeValue{"pk": row["pk"], "sk": row["sk"]}})
		done(t, err)
	}
}
