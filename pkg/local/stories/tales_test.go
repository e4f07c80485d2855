package stories

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// tales are all stories. To add one, add an entry and run
// `go test ./pkg/local/stories -run TestStories/NAME -update`.
var tales = []tale{
	{
		name:  "s1-peering",
		title: "A notebook reaches a database in another account",
		about: `
Account 111111111111 (alpha) has a notebook in 10.1.0.0/24 with a lifecycle configuration of its own. Account
222222222222 (beta) has a MySQL database in 10.2.0.0/16; its VPC carries the tag drawbridge:accept=auto and the
database the tag drawbridge:share=true. Nothing connects the two.`,
		acts:      []act{request("Connected")},
		connected: true,
		also:      thrifty,
	},
	{
		name:  "approval",
		title: "A person approves a peering by a tag",
		about: `
As in s1-peering.md, but the accepter's VPC says nothing about accepting. Drawbridge asks its owner, who answers with a
tag on the pending peering.`,
		change: func(s *scenario.Spec) { s.Accept = "" },
		acts: []act{
			request("AwaitingApproval"),
			{"The owner of beta tags the peering: drawbridge:approval=approved.", approve("approved"), []string{"Connected"}},
		},
		connected: true,
	},
	{
		name:   "approval-rejected",
		title:  "A person rejects a peering by a tag",
		about:  "As in approval.md, but the owner answers no.",
		change: func(s *scenario.Spec) { s.Accept = "" },
		acts: []act{
			request("AwaitingApproval"),
			{"The owner of beta tags the peering: drawbridge:approval=rejected.", approve("rejected"), []string{"Refused"}},
		},
	},
	{
		name:   "refused",
		title:  "The policy refuses a peering",
		about:  "As in s1-peering.md, but the accepter's VPC carries the tag drawbridge:accept=never.",
		change: func(s *scenario.Spec) { s.Accept = "never" },
		acts:   []act{request("Refused")},
	},
	{
		name:  "conflict",
		title: "A live route points elsewhere",
		about: `
As in approval.md, but the owner of beta accepts the request by hand, and one of beta's route tables already sends
10.1.0.0/16 into a VPN. Drawbridge never takes a live route over. It fails where it found it and names the remedy; once
the owner has removed the route, a new execution with the same input connects.`,
		change: func(s *scenario.Spec) { s.Accept = "" },
		acts: []act{
			request("AwaitingApproval"),
			{"The owner of beta sends 10.1.0.0/16 into a VPN and accepts the peering.", elsewhere, []string{"Conflict", "Nothing"}},
			{"The owner of beta deletes the route; an operator starts a new execution with the same input.", again(removeRoute), []string{"Connected", "Nothing"}},
		},
		connected: true,
	},
	{
		name:      "two-regions",
		title:     "The two accounts are in different Regions",
		about:     "As in s1-peering.md, but beta lives in eu-west-1.",
		change:    func(s *scenario.Spec) { s.Producer.Region = "eu-west-1" },
		acts:      []act{request("Connected")},
		connected: true,
	},
	{
		name:  "notebook-stopped",
		title: "A stopped notebook without a lifecycle configuration",
		about: "As in s1-peering.md, but the notebook has no lifecycle configuration and is stopped, so one can be attached.",
		change: func(s *scenario.Spec) {
			s.Notebook.LifecycleConfig, s.Notebook.OnStart, s.Notebook.Stopped = "", "", true
		},
		acts:      []act{request("Connected", "InLine")},
		connected: true,
	},
	{
		name:  "twice",
		title: "The same event comes twice",
		about: "EventBridge may deliver an event more than once. The second execution of s1-peering.md changes nothing.",
		acts: []act{
			request("Connected"),
			{"The event is delivered again.", again(nil), []string{"Connected"}},
		},
		connected: true,
		also:      changesNothingTheSecondTime,
	},
	{
		name:  "throttled",
		title: "AWS throttles a call",
		about: `
As in s1-peering.md, but AWS answers the first calls that accept the peering with RequestLimitExceeded, as often as the
SDK tries. The state fails with a kind that the machine retries.`,
		fault: func(w *scenario.World) local.Injector {
			return failing("AcceptVpcPeeringConnection", w.Producer.Account, 3, &local.Fault{Code: "RequestLimitExceeded", Message: "Request limit exceeded."})
		},
		acts:      []act{request("Connected")},
		connected: true,
	},
}

// thrifty holds the story to what a connection may cost.
func thrifty(_ context.Context, t *testing.T, _ *scenario.World, calls []awscall.Call) {
	if n := story.Work(calls); n == 0 || n > 40 {
		t.Errorf("%d AWS calls without AssumeRole and polls, want at most 40", n)
	}
	if n := engine.Story().Counts().Transitions; n == 0 || n > 25 {
		t.Errorf("%d state transitions, want at most 25", n)
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

// elsewhere gives one table of beta a live route into a VPN and accepts the
// peering.
func elsewhere(ctx context.Context, t *testing.T, w *scenario.World) {
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
		RouteTableId: aws.String(w.ProducerNetwork.Tables[1]), DestinationCidrBlock: aws.String(w.Consumer.CIDR.String()), GatewayId: id,
	})
	must(err)
	_, err = client.AcceptVpcPeeringConnection(ctx, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: aws.String(w.Connection)})
	must(err)
}

func removeRoute(ctx context.Context, t *testing.T, w *scenario.World) {
	client := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	if _, err := client.DeleteRoute(ctx, &ec2.DeleteRouteInput{
		RouteTableId: aws.String(w.ProducerNetwork.Tables[1]), DestinationCidrBlock: aws.String(w.Consumer.CIDR.String()),
	}); err != nil {
		t.Fatal(err)
	}
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

func changesNothingTheSecondTime(_ context.Context, t *testing.T, _ *scenario.World, calls []awscall.Call) {
	if len(calls) == 0 {
		t.Fatal("no call was made")
	}
	last := calls[len(calls)-1].Execution
	for _, c := range calls {
		if c.Execution == last && !c.Reads() && c.Action != "AssumeRole" && c.Action != "CreateTags" {
			t.Errorf("the second execution calls %s on %s", c.Name(), c.Resource)
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
