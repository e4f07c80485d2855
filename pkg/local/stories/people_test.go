package stories

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// thrifty holds the story to what a connection may cost: in members, whose limits are shared with their owners, and in the hub, most of it in
// the ledger.
func thrifty(_ context.Context, t *testing.T, _ *scenario.World, calls []awscall.Call) {
	var members, hub []awscall.Call
	for _, c := range calls {
		if c.Account == local.HubAccount {
			hub = append(hub, c)
		} else {
			members = append(members, c)
		}
	}
	if n := story.Work(members); n == 0 || n > 39 {
		t.Errorf("%d AWS calls in members without AssumeRole and polls, want at most 39", n)
	}
	if n := story.Work(hub); n == 0 || n > 100 {
		t.Errorf("%d AWS calls in the hub, want at most 100", n)
	}
	if n := engine.Story().Counts().Transitions; n == 0 || n > 24 {
		t.Errorf("%d state transitions, want at most 24", n)
	}
}

// approve answers a question as the accepter's owner does.
func approve(answer string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		client := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
		if _, err := client.CreateTags(ctx, &ec2.CreateTagsInput{
			Resources: []string{w.Connection},
			Tags:      []ec2types.Tag{{Key: aws.String("drawbridge:approval"), Value: aws.String(answer)}},
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// vpn gives one table of beta a live route into a VPN.
func vpn(ctx context.Context, t *testing.T, w *scenario.World) {
	client := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	gateway, err := client.CreateVpnGateway(ctx, &ec2.CreateVpnGatewayInput{Type: ec2types.GatewayTypeIpsec1})
	must(err)
	id := gateway.VpnGateway.VpnGatewayId
	_, err = client.AttachVpnGateway(ctx, &ec2.AttachVpnGatewayInput{VpcId: aws.String(w.ProducerNetwork.VPC), VpnGatewayId: id})
	must(err)
	_, err = client.CreateRoute(ctx, &ec2.CreateRouteInput{
		RouteTableId: aws.String(w.ProducerNetwork.Tables[1]), DestinationCidrBlock: aws.String(back(w)), GatewayId: id,
	})
	must(err)
}

// elsewhere makes the route into the VPN and accepts the peering.
func elsewhere(ctx context.Context, t *testing.T, w *scenario.World) {
	vpn(ctx, t, w)
	client := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	if _, err := client.AcceptVpcPeeringConnection(ctx, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: aws.String(w.Connection)}); err != nil {
		t.Fatal(err)
	}
}

// stop stops the notebook.
func stop(ctx context.Context, t *testing.T, w *scenario.World) {
	client := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	if _, err := client.StopNotebookInstance(ctx, &sagemaker.StopNotebookInstanceInput{NotebookInstanceName: aws.String(w.Notebook.Name)}); err != nil {
		t.Fatal(err)
	}
}

// lie puts an event on the consumer's bus that looks like CloudTrail's.
func lie(connection string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		detail, err := json.Marshal(map[string]any{
			"eventSource": "ec2.amazonaws.com", "eventName": "AcceptVpcPeeringConnection",
			"recipientAccountId": w.Consumer.Account, "awsRegion": w.Consumer.Region,
			"userIdentity":      map[string]any{"type": "Root", "accountId": w.Consumer.Account},
			"requestParameters": map[string]any{"vpcPeeringConnectionId": connection},
			"responseElements": map[string]any{"vpcPeeringConnection": map[string]any{
				"vpcPeeringConnectionId": connection, "status": map[string]any{"code": "active"},
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		client := eventbridge.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
		out, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventbridgetypes.PutEventsRequestEntry{{
			Source: aws.String("aws.ec2"), DetailType: aws.String("AWS API Call via CloudTrail"), Detail: aws.String(string(detail)),
		}}})
		if err != nil || out.FailedEntryCount > 0 {
			t.Fatal(err, out)
		}
	}
}

// there is where Drawbridge leads the notebook's table in a world like S1: the subnets of the database, which lie side by side. back is where it leads
// the tables of these: the subnet of the notebook.
func there(w *scenario.World) string { return network.Merge(w.Producer.Subnets[:2])[0].String() }
func back(w *scenario.World) string  { return w.Consumer.Subnets[0].String() }

// removeRoute deletes the route that Drawbridge added to a table of the database's.
func removeRoute(ctx context.Context, t *testing.T, w *scenario.World) { unroute(ctx, t, w, back(w)) }

// removeVPN deletes the route of [vpn].
func removeVPN(ctx context.Context, t *testing.T, w *scenario.World) {
	unroute(ctx, t, w, back(w))
}

func unroute(ctx context.Context, t *testing.T, w *scenario.World, destination string) {
	t.Helper()
	_, err := producer(w).DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: aws.String(w.ProducerNetwork.Tables[1]), DestinationCidrBlock: &destination})
	done(t, err)
}

// again starts a new execution with the input of the last one, after what first
// does.
func again(first func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		if first != nil {
			first(ctx, t, w)
		}
		client := sfn.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
		machine := "arn:aws:states:" + engine.Region() + ":" + local.HubAccount + ":stateMachine:drawbridge-peering"
		list, err := client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: aws.String(machine)})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list.Executions {
			old, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: e.ExecutionArn})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(aws.ToString(old.Input), w.Connection) {
				continue
			}
			if _, err := client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: aws.String(machine), Input: old.Input}); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Fatalf("no execution is about %s", w.Connection)
	}
}

// never holds a story to not calling an action.
func never(action string) func(context.Context, *testing.T, *scenario.World, []awscall.Call) {
	return func(_ context.Context, t *testing.T, _ *scenario.World, calls []awscall.Call) {
		if len(calls) == 0 {
			t.Fatal("no call was made")
		}
		for _, c := range calls {
			if c.Action == action {
				t.Errorf("%s was called on %s", c.Name(), c.Resource)
			}
		}
	}
}

// lasts reports whether a call changes something for longer than an execution has it: a lease is given back.
func lasts(c awscall.Call) bool {
	return !c.Reads() && !(c.Service == "dynamodb" && strings.HasPrefix(c.Resource, "lease#"))
}

// facts reports whether a call may write what a look found, and its steps told, which each look writes anew: of several rows of a connection the record
// does not say which. What is recorded of a thing is in rows of the thing, too.
func facts(c awscall.Call) bool {
	return c.Service == "dynamodb" && strings.HasPrefix(c.Resource, "connection#") && (strings.Contains(c.Resource, " fact#") || strings.HasSuffix(c.Resource, " rows)"))
}

// changesNothing holds a story to looking, to keeping what it could not handle in
// the dead-letter queue, and to telling people.
func changesNothing(_ context.Context, t *testing.T, _ *scenario.World, calls []awscall.Call) {
	for _, c := range calls {
		if lasts(c) && !slices.Contains([]string{"sts:AssumeRole", "sqs:SendMessage", "events:PutEvents", "sns:Publish"}, c.Name()) {
			t.Errorf("%s was called on %s", c.Name(), c.Resource)
		}
	}
}

func changesNothingTheSecondTime(_ context.Context, t *testing.T, _ *scenario.World, calls []awscall.Call) {
	if len(calls) == 0 {
		t.Fatal("no call was made")
	}
	last := calls[len(calls)-1].Execution
	for _, c := range calls {
		if c.Execution == last && lasts(c) && !facts(c) && !slices.Contains([]string{"AssumeRole", "CreateTags", "PutEvents"}, c.Action) {
			t.Errorf("the second execution calls %s on %s", c.Name(), c.Resource)
		}
	}
}

// toldOnce holds a story to one message to people by a function.
func toldOnce(function string) func(context.Context, *testing.T, *scenario.World, []awscall.Call) {
	return func(_ context.Context, t *testing.T, _ *scenario.World, calls []awscall.Call) {
		told := 0
		for _, c := range calls {
			if c.Action == "Publish" && c.Function == function {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%s told people %d times, want once", function, told)
		}
	}
}

// failing makes the first n calls of an action in an account fail.
func failing(action, account string, n int32, fault *local.Fault) local.Injector {
	var count atomic.Int32
	return func(c awscall.Call, when local.Moment) *local.Fault {
		if when != local.Before || c.Action != action || c.Account != account || count.Add(1) > n {
			return nil
		}
		return fault
	}
}

// TestReport holds the report to the form that it is published in.
func TestReport(t *testing.T) {
	b, err := json.Marshal(engine.Story().Report(story.End{Status: "SUCCEEDED", State: "Connected"}, nil, 0))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"result", "verdict", "calls", "transitions", "invocations", "coldStarts", "wallMs"} {
		if _, ok := fields[want]; !ok {
			t.Errorf("the report has no %s", want)
		}
	}
}
