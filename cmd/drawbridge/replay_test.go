package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// A machine that is gone does not lose a request: its event waits, and one command plays it again.
func TestADeadLetterIsPlayedAgain(t *testing.T) {
	engineNeeded(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd, url := serving(t)
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}()
	config := func(account, region string) aws.Config { return local.ClientConfig(url, account, region) }
	replay := func(args ...string) string {
		t.Helper()
		cmd := drawbridge(t, append([]string{"replay"}, args...)...)
		cmd.Env = append(os.Environ(), "BE_DRAWBRIDGE=1", "AWS_ENDPOINT_URL="+url, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID="+local.HubAccount,
			"AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true", "AWS_SESSION_TOKEN=", "AWS_PROFILE=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("replay %v: %v", args, err)
		}
		return string(out)
	}
	if got := replay(); got != "No dead letters wait.\n" {
		t.Errorf("before: %s", got)
	}

	world, err := scenario.S1().Build(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	machines := sfn.NewFromConfig(config(local.HubAccount, local.DefaultRegion))
	arn := aws.String("arn:aws:states:" + local.DefaultRegion + ":" + local.HubAccount + ":stateMachine:drawbridge-peering")
	lost, err := machines.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := machines.DeleteStateMachine(ctx, &sfn.DeleteStateMachineInput{StateMachineArn: arn}); err != nil {
		t.Fatal(err)
	}
	if err := world.Request(ctx); err != nil {
		t.Fatal(err)
	}
	queues := sqs.NewFromConfig(config(local.HubAccount, local.DefaultRegion))
	queue, err := queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("drawbridge-dead-letters")})
	if err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the event is in the queue", func() bool {
		got, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"ApproximateNumberOfMessages"}})
		return err == nil && got.Attributes["ApproximateNumberOfMessages"] == "1"
	})
	if got := replay(); !strings.Contains(got, "CreateVpcPeeringConnection  for drawbridge-peering\n  NO_RESOURCE: ") || !strings.HasSuffix(got, "0 of 1 played again.\n") {
		t.Errorf("listing says\n%s", got)
	}

	if _, err := machines.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: lost.Name, Definition: lost.Definition, RoleArn: lost.RoleArn}); err != nil {
		t.Fatal(err)
	}
	// Where nobody can be asked, and after a no, nothing is done.
	at := "--local=" + strings.TrimPrefix(url, "http://")
	if _, stderr, exit := ran(t, "replay", "--all", at); exit != 1 || !strings.Contains(stderr, "--yes") {
		t.Errorf("it does not ask: %d, %s", exit, stderr)
	}
	if said, exit := pressed(t, "n", "replay", "--all", at); exit != 2 || !strings.Contains(said, "nothing was done") {
		t.Errorf("at no it exits with %d: %s", exit, said)
	}
	if got := replay("--queue", "drawbridge-dead-letters", "--all", "--yes"); !strings.HasSuffix(got, "1 of 1 played again.\n") {
		t.Errorf("playing says\n%s", got)
	}
	eventually(ctx, t, "the request is connected", func() bool {
		got, err := ec2.NewFromConfig(config(world.Consumer.Account, world.Consumer.Region)).DescribeVpcPeeringConnections(ctx,
			&ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{world.Connection}})
		if err != nil || len(got.VpcPeeringConnections) == 0 {
			return false
		}
		for _, tag := range got.VpcPeeringConnections[0].Tags {
			if aws.ToString(tag.Key) == "drawbridge:status" && aws.ToString(tag.Value) == "Connected" {
				return true
			}
		}
		return false
	})
	if got := replay(); got != "No dead letters wait.\n" {
		t.Errorf("after: %s", got)
	}
}

// eventually waits until something is so.
func eventually(ctx context.Context, t *testing.T, what string, so func() bool) {
	t.Helper()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within three minutes", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
