package notebook_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// vpc is one VPC with two subnets, each with its own table, and a notebook in each; a third notebook is in no VPC.
type vpc struct {
	routes map[string][]types.Route // by table
	tags   map[string]string        // by notebook, "key=value"
	peer   string                   // the account at the other end of pcx-1
	owner  string                   // the account that owns it, if that matters
	seen   map[string]bool          // who was asked for its route tables, by account
	at     string                   // the account that is entered
	debts  restart.Book
	says   string   // the status in the event
	crowd  int      // more notebooks in subnet a
	status string   // of the notebooks; empty: stopped
	table  string   // the tag drawbridge:reach of the tables
	groups []string // the security groups of the notebooks
}

func (v vpc) DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	if v.seen != nil {
		v.seen[v.at] = true
	}
	var out []types.RouteTable
	for _, id := range []string{"a", "b"} {
		out = append(out, types.RouteTable{Tags: []types.Tag{{Key: aws.String(tag.Reach), Value: aws.String(v.table)}}, RouteTableId: aws.String("rtb-0000000" + id), VpcId: aws.String("vpc-1"), Routes: v.routes[id],
			Associations: []types.RouteTableAssociation{{SubnetId: aws.String("subnet-" + id)}}})
	}
	return &ec2.DescribeRouteTablesOutput{RouteTables: out}, nil
}

// GetManagedPrefixListEntries answers with the one list there is: it has 10.7.0.0/16.
func (v vpc) GetManagedPrefixListEntries(context.Context, *ec2.GetManagedPrefixListEntriesInput, ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	return &ec2.GetManagedPrefixListEntriesOutput{Entries: []types.PrefixListEntry{{Cidr: aws.String("10.7.0.0/16")}}}, nil
}

func (v vpc) DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	end := func(account, id string) *types.VpcPeeringConnectionVpcInfo {
		return &types.VpcPeeringConnectionVpcInfo{OwnerId: &account, VpcId: &id, Region: aws.String("us-east-1")}
	}
	return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: []types.VpcPeeringConnection{{RequesterVpcInfo: end(v.peer, "vpc-2"), AccepterVpcInfo: end("111111111111", "vpc-1")}}}, nil
}

func (v vpc) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String("vpc-1"), CidrBlock: aws.String("10.1.0.0/16")}}}, nil
}

func (v vpc) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	subnet := func(id, cidr string) types.Subnet {
		return types.Subnet{SubnetId: aws.String("subnet-" + id), VpcId: aws.String("vpc-1"), CidrBlock: &cidr, OwnerId: aws.String(v.owner)}
	}
	return &ec2.DescribeSubnetsOutput{Subnets: []types.Subnet{subnet("a", "10.1.0.0/24"), subnet("b", "10.1.1.0/24")}}, nil
}

func (v vpc) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	out := &sagemaker.ListNotebookInstancesOutput{}
	for _, name := range []string{"In-A", "In-B", "Nowhere"} {
		out.NotebookInstances = append(out.NotebookInstances, smtypes.NotebookInstanceSummary{NotebookInstanceName: &name})
	}
	for n := range v.crowd {
		out.NotebookInstances = append(out.NotebookInstances, smtypes.NotebookInstanceSummary{NotebookInstanceName: aws.String(fmt.Sprintf("One-%03d", n))})
	}
	return out, nil
}

func (v vpc) DescribeNotebookInstance(_ context.Context, in *sagemaker.DescribeNotebookInstanceInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	out := &sagemaker.DescribeNotebookInstanceOutput{NotebookInstanceName: in.NotebookInstanceName, NotebookInstanceArn: in.NotebookInstanceName, SecurityGroups: v.groups, NotebookInstanceStatus: smtypes.NotebookInstanceStatus(cmp.Or(v.status, "Stopped"))}
	switch *in.NotebookInstanceName {
	case "In-A":
		out.SubnetId = aws.String("subnet-a")
	case "In-B":
		out.SubnetId = aws.String("subnet-b")
	case "Nowhere":
	default:
		if strings.HasPrefix(*in.NotebookInstanceName, "One-") {
			out.SubnetId = aws.String("subnet-a")
			break
		}
		return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "RecordNotFound"}
	}
	return out, nil
}

func (v vpc) ListTags(_ context.Context, in *sagemaker.ListTagsInput, _ ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error) {
	key, value, ok := strings.Cut(v.tags[*in.ResourceArn], "=")
	if !ok {
		return &sagemaker.ListTagsOutput{}, nil
	}
	return &sagemaker.ListTagsOutput{Tags: []smtypes.Tag{{Key: &key, Value: &value}}}, nil
}

func through(destination, target string, state types.RouteState) types.Route {
	r := types.Route{DestinationCidrBlock: &destination, State: state}
	if strings.HasPrefix(target, "pcx-") {
		r.VpcPeeringConnectionId = &target
	} else {
		r.TransitGatewayId = &target
	}
	return r
}

func (v vpc) inspect(raw string) (workflow.InspectNotebooksOutput, error) {
	if v.debts.Ledger.Store == nil { // no connection is in it
		v.debts.Ledger, _ = ledgertest.New()
	}
	i := notebook.Inspector{
		Enter: func(_ string, place event.Place) notebook.APIs {
			at := v
			at.at = place.Account
			return notebook.APIs{EC2: at, SageMaker: at}
		},
		Account: func(_ context.Context, id string) (workflow.AccountFacts, error) {
			if id == "999999999999" {
				return workflow.AccountFacts{ID: id}, nil
			}
			return workflow.AccountFacts{ID: id, Organization: "o-abc1234567", OUPath: "o-abc1234567/r-ab12/"}, nil
		},
		Policy: func(context.Context) (*policy.Set, error) {
			return policy.Default(), nil
		},
		Restarts: v.debts,
		Ended:    func(context.Context, ledger.Turn) (bool, error) { return true, nil },
	}
	return i.Inspect(context.Background(), workflow.InspectNotebooksInput{Execution: "x", Event: json.RawMessage(raw)})
}

func stateChange(account, name string) string {
	return fmt.Sprintf(`{"source":"aws.sagemaker","detail-type":"SageMaker Notebook Instance State Change","account":%q,"region":"us-east-1","detail":{"NotebookInstanceName":%q}}`, account, name)
}

func routeCall(table string) string {
	return fmt.Sprintf(`{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1","detail":{"eventName":"CreateRoute","requestParameters":{"routeTableId":%q}}}`, table)
}

func summary(out workflow.InspectNotebooksOutput) string {
	var b strings.Builder
	fmt.Fprint(&b, out.Answer)
	for _, n := range out.Notebooks {
		fmt.Fprintf(&b, " %s:%v:%s%s", n.Name, n.Inject.Allowed, n.Inject.Policy, n.Unclear)
	}
	for _, r := range out.Routed {
		for _, t := range r.Tables {
			fmt.Fprintf(&b, " %v", t.Subnets)
			for _, route := range t.Routes {
				fmt.Fprintf(&b, "%s", route.Destination)
			}
		}
	}
	return b.String()
}

func TestInspect(t *testing.T) {
	active := types.RouteStateActive
	world := vpc{peer: "222222222222", tags: map[string]string{}, routes: map[string][]types.Route{
		"a": {through("10.2.0.0/16", "pcx-1", active), through("10.3.0.0/16", "tgw-1", active), through("10.4.0.0/16", "pcx-1", types.RouteStateBlackhole), through("0.0.0.0/0", "tgw-1", active)}}}
	off := world
	off.tags = map[string]string{"In-A": "drawbridge:routes=off"}
	written, meant := world, world
	written.tags = map[string]string{"In-A": "drawbridge:routes= OFF"}
	meant.tags = map[string]string{"In-A": "drawbridge:routes=of"}
	listed := world
	byList := through("", "pcx-1", active)
	byList.DestinationCidrBlock, byList.DestinationPrefixListId = nil, aws.String("pl-1")
	listed.routes = map[string][]types.Route{"a": {byList}}
	stranger := world
	stranger.peer = "999999999999"
	for name, c := range map[string]struct {
		world vpc
		event string
		want  string
	}{
		"a notebook gets what its subnet's table reaches": {world, stateChange("111111111111", "In-A"), "inject In-A:true:inject-routes [subnet-a]10.2.0.0/1610.3.0.0/16"},
		"a route to a prefix list is one to each entry":   {listed, stateChange("111111111111", "In-A"), "inject In-A:true:inject-routes [subnet-a]10.7.0.0/16"},
		"a table that reaches nothing takes routes away":  {world, stateChange("111111111111", "In-B"), "inject In-B:true:no-routes [subnet-b]"},
		"a changed table concerns its own subnets":        {world, routeCall("rtb-0000000a"), "inject In-A:true:inject-routes [subnet-a]10.2.0.0/1610.3.0.0/16"},
		"a notebook that is left out":                     {off, stateChange("111111111111", "In-A"), "inject In-A:false:inject-off [subnet-a]"},
		"a notebook that is left out, as people write it": {written, stateChange("111111111111", "In-A"), "inject In-A:false:inject-off [subnet-a]"},
		"a notebook whose tag means nothing":              {meant, stateChange("111111111111", "In-A"), "inject In-A:false:inject-off; drawbridge:routes=of means nothing: write on or off [subnet-a]"},
		"a peer outside the organization is not reached":  {stranger, stateChange("111111111111", "In-A"), "inject In-A:true:inject-routes [subnet-a]10.3.0.0/16"},
		"a notebook without a VPC":                        {world, stateChange("111111111111", "Nowhere"), "nothing"},
		"a notebook that is gone":                         {world, stateChange("111111111111", "Gone"), "nothing"},
		"an account outside the organization":             {world, stateChange("999999999999", "In-A"), "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.world.inspect(c.event)
			if err != nil || summary(out) != c.want || out.Answer == "nothing" && out.Reason == "" {
				t.Errorf("got %q (%s), %v, want %q", summary(out), out.Reason, err, c.want)
			}
		})
	}
}

func TestAMalformedEventIsInvalid(t *testing.T) {
	if _, err := (vpc{}).inspect(stateChange("111111111111", "a b; rm -rf /")); fault.Of(err) != fault.Invalid {
		t.Errorf("error = %v, want Invalid", err)
	}
}

// power is a notebook's switch.
type power struct{ err error }

func (p power) StopNotebookInstance(context.Context, *sagemaker.StopNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.StopNotebookInstanceOutput, error) {
	return nil, p.err
}
func (p power) StartNotebookInstance(context.Context, *sagemaker.StartNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.StartNotebookInstanceOutput, error) {
	return nil, p.err
}

func TestStopNeedsPermission(t *testing.T) {
	l, _ := ledgertest.New()
	if _, err := notebook.Stop(context.Background(), power{}, l, "x", workflow.Notebook{Name: "n"}); fault.Of(err) != fault.Refused {
		t.Errorf("error = %v, want Refused: nobody allowed a restart", err)
	}
	out, err := notebook.Stop(context.Background(), power{}, l, "x", workflow.Notebook{Name: "n", Restart: policy.Decision{Allowed: true}})
	if err != nil || out.Phase != workflow.PhaseStopped {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestStartIsDoneWhenItIsStarting(t *testing.T) {
	status := func(s string) error {
		return &smithy.GenericAPIError{Code: "ValidationException", Message: "Status (" + s + ") not in ([Stopped, Failed]). Unable to transition to (Pending)."}
	}
	for s, want := range map[string]fault.Kind{"Pending": "", "InService": "", "Updating": fault.NotYet, "Stopping": fault.NotYet} {
		if _, err := notebook.Start(context.Background(), power{status(s)}, workflow.Notebook{Name: "n"}); fault.Of(err) != want {
			t.Errorf("starting a notebook that is %s: %v, want kind %q", s, err, want)
		}
	}
}
func TestARouteTableIsReadWhereTheVPCIs(t *testing.T) {
	v := vpc{routes: map[string][]types.Route{"a": {through("10.2.0.0/16", "pcx-1", types.RouteStateActive)}}, peer: "222222222222", owner: "444444444444", seen: map[string]bool{}}
	out, err := v.inspect(stateChange("111111111111", "In-A"))
	if err != nil || len(out.Notebooks) != 1 || out.Notebooks[0].Owner != "444444444444" || out.Notebooks[0].Account != "111111111111" || out.Routed[0].Account != "444444444444" {
		t.Fatalf("%+v, %v", out, err)
	}
	if !v.seen["444444444444"] || v.seen["111111111111"] {
		t.Errorf("the route tables were read in %v", v.seen)
	}
	// Where the owner is no member, nobody can tell what the notebook reaches: that is no error.
	v.owner = "999999999999"
	if out, err = v.inspect(stateChange("111111111111", "In-A")); err != nil || out.Answer != workflow.AnswerNothing || !strings.Contains(out.Reason, "999999999999") {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestARestartThatIsOwed(t *testing.T) {
	at := event.Place{Account: "111111111111", Region: "us-east-1"}
	for name, c := range map[string]struct {
		notebook string
		owed     bool
		stopped  bool // by an execution that ended since
		answer   workflow.Answer
		phase    workflow.Phase
		left     int // debts
	}{
		"none":                                       {"In-A", false, false, workflow.AnswerNothing, workflow.PhaseUntouched, 0},
		"one, and its owner stopped it":              {"In-A", true, false, workflow.AnswerInject, workflow.PhaseOwed, 1},
		"one, and Drawbridge stopped it":             {"In-A", true, true, workflow.AnswerInject, workflow.PhaseStopped, 1},
		"one, and it is gone":                        {"Gone", true, false, workflow.AnswerNothing, workflow.PhaseUntouched, 0},
		"one, and it is gone since it was stopped":   {"Gone", true, true, workflow.AnswerNothing, workflow.PhaseUntouched, 0},
		"one, and it is in no VPC since it was made": {"Nowhere", true, false, workflow.AnswerNothing, workflow.PhaseUntouched, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := ledgertest.New()
			v := vpc{routes: map[string][]types.Route{"a": {through("10.2.0.0/16", "pcx-1", types.RouteStateActive)}}, peer: "222222222222",
				debts: restart.Book{Ledger: l, Ask: func(context.Context, ...look.Look) error { return nil }}}
			if c.owed {
				if err := l.Owe(t.Context(), ledger.Debt{Account: at.Account, Region: at.Region, Notebook: c.notebook, By: "old", Stopped: c.stopped}); err != nil {
					t.Fatal(err)
				}
			}
			raw := fmt.Sprintf(`{"source":"drawbridge.internal","detail-type":"Notebook To Restart","account":"123456789012","region":"us-east-1","detail":{"account":%q,"region":%q,"notebookInstanceName":%q,"reason":"x"}}`, at.Account, at.Region, c.notebook)
			out, err := v.inspect(raw)
			if err != nil || out.Answer != c.answer || out.Phase != c.phase {
				t.Errorf("%+v, %v", out, err)
			}
			debts, err := l.Debts(t.Context(), at.Account, at.Region)
			if err != nil || len(debts) != c.left || c.left == 1 && debts[0].By != "x" {
				t.Errorf("debts: %+v, %v", debts, err)
			}
		})
	}
}

// A table that very many notebooks use: what travels does not grow with them.
func TestManyNotebooksAreLookedAtOneByOne(t *testing.T) {
	const changed = `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1","detail":{"eventName":"CreateRoute","requestParameters":{"routeTableId":"rtb-0000000a"}}}`
	for _, c := range []struct {
		crowd, routes int
		answer        workflow.Answer
	}{{10, 1, workflow.AnswerInject}, {300, 1, workflow.AnswerNothing}, {950, 1, workflow.AnswerNothing}, {19, 1000, workflow.AnswerNothing}} {
		crowd, answer, asked, follows := c.crowd, c.answer, map[string]bool{}, ""
		book, _ := ledgertest.New()
		var routes []types.Route
		for n := range c.routes {
			routes = append(routes, through(fmt.Sprintf("10.%d.%d.0/24", 2+n/250, n%250), "pcx-1", types.RouteStateActive))
		}
		v := vpc{routes: map[string][]types.Route{"a": routes}, peer: "222222222222", crowd: crowd,
			debts: restart.Book{Ledger: book, Ask: func(_ context.Context, looks ...look.Look) error {
				for _, l := range looks {
					one := l.(event.NotebookInspection)
					if one.RouteTable == "" {
						asked[one.Notebook] = true
						continue
					}
					detail, err := json.Marshal(one)
					if err != nil || one.RouteTable != "rtb-0000000a" || one.Notebook != "" {
						t.Errorf("a look that follows is %s, %v", detail, err)
					}
					follows = fmt.Sprintf(`{"source":"drawbridge.internal","detail-type":"Notebook To Inspect","account":"123456789012","region":"us-east-1","detail":%s}`, detail)
				}
				return nil
			}}}
		var out workflow.InspectNotebooksOutput
		var err error
		tries := 1
		synctest.Test(t, func(*testing.T) { // what one look does not come to, the next does, which follows
			for out, err = v.inspect(changed); err == nil && follows != ""; tries++ {
				if len(asked) > 0 || out.Answer != workflow.AnswerNothing {
					t.Errorf("%d: before all are known, %d looks are asked for, and the answer is %s", crowd, len(asked), out.Answer)
				}
				next := follows
				follows = ""
				out, err = v.inspect(next)
			}
		})
		if err != nil || out.Answer != answer || tries != (crowd+1)/100+min(1, (crowd+1)%100) {
			t.Fatalf("%d: %s, %s, %v after %d looks", crowd, out.Answer, out.Reason, err, tries)
		}
		for _, one := range out.Notebooks {
			if one.Others != crowd {
				t.Errorf("%s is among %d others, want %d", one.Name, one.Others, crowd)
			}
		}
		if answer == workflow.AnswerInject && (len(out.Notebooks) != crowd+1 || len(asked) > 0) || answer == workflow.AnswerNothing && (len(out.Notebooks)+len(out.Routed) > 0 || len(asked) != crowd+1) {
			t.Errorf("%d notebooks travel of %d, and %d looks are asked for", len(out.Notebooks), crowd+1, len(asked))
		}
	}
}

// The connections of a notebook that is deleted are looked at at once: of its VPC, or of the account where nobody can tell any more which that was.
func TestTheConnectionsOfADeletedNotebookAreLookedAt(t *testing.T) {
	for name, c := range map[string]struct {
		status, notebook string
		change           func(e *ledger.Connection)
		asked            int
	}{
		"it is being deleted":                  {"Deleting", "In-A", func(*ledger.Connection) {}, 1},
		"it is gone":                           {"InService", "gone", func(*ledger.Connection) {}, 1},
		"it stopped":                           {"Stopped", "In-A", func(*ledger.Connection) {}, 0},
		"deleted, of another VPC":              {"Deleting", "In-A", func(e *ledger.Connection) { e.Sides[0].ID = "vpc-7" }, 0},
		"gone, perhaps of another VPC":         {"InService", "gone", func(e *ledger.Connection) { e.Sides[0].ID = "vpc-7" }, 1},
		"gone, of another account":             {"InService", "gone", func(e *ledger.Connection) { e.Sides[0].Account = "333333333333" }, 0},
		"deleted, and contested":               {"Deleting", "In-A", func(e *ledger.Connection) { e.Status = "Contested" }, 1},
		"deleted before the owner had decided": {"Deleting", "In-A", func(e *ledger.Connection) { e.Status = "AwaitingApproval" }, 0},
	} {
		entry := ledger.Connection{ID: "pcx-1", Kind: "peering", Origin: ledger.Requested, Status: "Connected", Sides: []ledger.Side{
			{Role: "requester", Account: "111111111111", Region: "us-east-1", ID: "vpc-1", CIDRs: []string{"10.1.0.0/16"}},
			{Role: "accepter", Account: "222222222222", Region: "us-east-1", ID: "vpc-9", CIDRs: []string{"10.2.0.0/16"}}}}
		c.change(&entry)
		l, _ := ledgertest.New()
		var asked []look.Look
		v := vpc{routes: map[string][]types.Route{}, peer: "222222222222", status: c.status, debts: restart.Book{Ledger: l, Ask: func(_ context.Context, looks ...look.Look) error {
			asked = append(asked, looks...)
			return nil
		}}}
		if _, err := l.Begin(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
		out, err := v.inspect(stateChange("111111111111", c.notebook))
		if err != nil || out.Answer != workflow.AnswerNothing && c.asked > 0 || len(asked) != c.asked {
			t.Errorf("%s: %s, %s, %v, asked for %+v", name, out.Answer, out.Reason, err, asked)
		}
	}
}

// A notebook that starts where a connection of its VPC leads nothing yet may be the first that calls from there: the connection is looked at.
func TestANotebookWhereNothingLedYet(t *testing.T) {
	for name, c := range map[string]struct {
		change func(v *vpc, entry *ledger.Connection)
		asked  int
	}{
		"it runs":                    {func(*vpc, *ledger.Connection) {}, 1},
		"it starts":                  {func(v *vpc, _ *ledger.Connection) { v.status, v.says = "Pending", "Pending" }, 1},
		"it was stopped again since": {func(v *vpc, _ *ledger.Connection) { v.status = "Stopped" }, 1},
		"it stopped":                 {func(v *vpc, _ *ledger.Connection) { v.status, v.says = "Stopped", "Stopped" }, 0},
		"its table leads there": {func(v *vpc, _ *ledger.Connection) {
			v.routes["a"] = []types.Route{through("10.2.3.0/24", "pcx-1", types.RouteStateActive)}
		}, 0},
		"it leads elsewhere by that": {func(v *vpc, _ *ledger.Connection) {
			v.routes["a"] = []types.Route{through("10.9.0.0/16", "pcx-1", types.RouteStateActive)}
		}, 1},
		"another table leads there": {func(v *vpc, _ *ledger.Connection) {
			v.routes["b"] = []types.Route{through("10.2.3.0/24", "pcx-1", types.RouteStateActive)}
		}, 1},
		"its table is kept out": {func(v *vpc, _ *ledger.Connection) { v.table = "none" }, 0},
		"but may not be": {func(v *vpc, e *ledger.Connection) {
			v.table, e.Overruled = "none", map[string]string{"111111111111": "no-islands"}
		}, 1},
		"nor on the other side": {func(v *vpc, e *ledger.Connection) {
			v.table, e.Overruled = "none", map[string]string{"222222222222": "no-islands"}
		}, 0},
		"its groups may not be": {func(v *vpc, e *ledger.Connection) {
			v.groups, e.Sides[0].Apart, e.Overruled = []string{"sg-1"}, map[string][]string{"111111111111": {"sg-1"}}, map[string]string{"111111111111": "no-islands"}
		}, 1},
		"its groups are kept out": {func(v *vpc, e *ledger.Connection) {
			v.groups, e.Sides[0].Apart = []string{"sg-1"}, map[string][]string{"111111111111": {"sg-1"}}
		}, 0},
		"one of them is": {func(v *vpc, e *ledger.Connection) {
			v.groups, e.Sides[0].Apart = []string{"sg-1", "sg-2"}, map[string][]string{"111111111111": {"sg-1"}}
		}, 1},
		"a connection of another VPC":  {func(_ *vpc, e *ledger.Connection) { e.Sides[0].ID = "vpc-7" }, 0},
		"one that does not stand":      {func(_ *vpc, e *ledger.Connection) { e.Status = "AwaitingApproval" }, 0},
		"one that serves some":         {func(_ *vpc, e *ledger.Connection) { e.Status = "PartlyConnected" }, 1},
		"one of which a part is asked": {func(_ *vpc, e *ledger.Connection) { e.Status = "PendingApproval" }, 1},
	} {
		entry := ledger.Connection{ID: "pcx-1", Kind: "peering", Origin: ledger.Requested, Status: "Connected", Sides: []ledger.Side{
			{Role: "requester", Account: "111111111111", Region: "us-east-1", ID: "vpc-1", CIDRs: []string{"10.1.0.0/16"}},
			{Role: "accepter", Account: "222222222222", Region: "us-east-1", ID: "vpc-9", CIDRs: []string{"10.2.0.0/16"}}}}
		v := vpc{routes: map[string][]types.Route{}, peer: "222222222222", status: "InService", says: "InService"}
		c.change(&v, &entry)
		l, _ := ledgertest.New()
		var asked []look.Look
		v.debts = restart.Book{Ledger: l, Ask: func(_ context.Context, looks ...look.Look) error {
			asked = append(asked, looks...)
			return nil
		}}
		if _, err := l.Begin(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(stateChange("111111111111", "In-A"), `"NotebookInstanceName"`, `"NotebookInstanceStatus":"`+v.says+`","NotebookInstanceName"`, 1)
		if _, err := v.inspect(changed); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(asked) != c.asked || c.asked > 0 && !reflect.DeepEqual((asked)[0], event.Inspection{Account: "111111111111", Region: "us-east-1", PeeringID: "pcx-1", Reason: "notebook In-A"}) {
			t.Errorf("%s: asked for %+v, want %d", name, asked, c.asked)
		}
	}
}

// A notebook all of whose security groups are noted as kept out gets no host routes, unless its owner asks for all of them. Another's note says nothing.
func TestANotebookWhoseGroupsAreKeptOut(t *testing.T) {
	for name, c := range map[string]struct {
		groups  []string
		noted   map[string][]string
		tag     string
		want    string
		forbids map[string]string
	}{
		"all are":           {[]string{"sg-1", "sg-2"}, map[string][]string{"111111111111": {"sg-1", "sg-2", "sg-3"}}, "", "inject In-A:false:kept-out; its owner keeps sg-1, sg-2 out by the tag drawbridge:reach=none [subnet-a]", nil},
		"one is":            {[]string{"sg-1", "sg-2"}, map[string][]string{"111111111111": {"sg-1"}}, "", "inject In-A:true:inject-routes [subnet-a]10.2.3.0/24", nil},
		"of a participant":  {[]string{"sg-1"}, map[string][]string{"333333333333": {"sg-1"}}, "", "inject In-A:true:inject-routes [subnet-a]10.2.3.0/24", nil},
		"its owner asks":    {[]string{"sg-1"}, map[string][]string{"111111111111": {"sg-1"}}, "drawbridge:routes=on", "inject In-A:true:inject-routes [subnet-a]10.2.3.0/24", nil},
		"none is noted":     {[]string{"sg-1"}, nil, "", "inject In-A:true:inject-routes [subnet-a]10.2.3.0/24", nil},
		"but may not be":    {[]string{"sg-1"}, map[string][]string{"111111111111": {"sg-1"}}, "", "inject In-A:true:inject-routes [subnet-a]10.2.3.0/24", map[string]string{"111111111111": "no-islands"}},
		"the other may not": {[]string{"sg-1"}, map[string][]string{"111111111111": {"sg-1"}}, "", "inject In-A:false:kept-out; its owner keeps sg-1 out by the tag drawbridge:reach=none [subnet-a]", map[string]string{"222222222222": "no-islands"}},
	} {
		v := vpc{routes: map[string][]types.Route{"a": {through("10.2.3.0/24", "pcx-1", types.RouteStateActive)}}, peer: "222222222222", groups: c.groups, tags: map[string]string{"In-A": c.tag}}
		v.debts.Ledger, _ = ledgertest.New()
		if _, err := v.debts.Ledger.Begin(t.Context(), ledger.Connection{ID: "pcx-1", Kind: "peering", Origin: ledger.Requested, Status: "Connected", Overruled: c.forbids, Sides: []ledger.Side{
			{Role: "requester", Account: "111111111111", Region: "us-east-1", ID: "vpc-1", CIDRs: []string{"10.1.0.0/16"}, Apart: c.noted},
			{Role: "accepter", Account: "222222222222", Region: "us-east-1", ID: "vpc-9", CIDRs: []string{"10.2.0.0/16"}}}}); err != nil {
			t.Fatal(err)
		}
		out, err := v.inspect(stateChange("111111111111", "In-A"))
		if err != nil || summary(out) != c.want {
			t.Errorf("%s: %s, want %s; %v", name, summary(out), c.want, err)
		}
	}
}
