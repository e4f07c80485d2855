package stories

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// unfinished are the stories of executions that end without coming to a result.
var unfinished = []tale{
	{
		name:  "removal-fails",
		title: "A removal fails for the last time, and both sides say so",
		about: `
As in s1-peering.md. Then the owner of alpha takes the peering back, but AWS answers each call that deletes a route in alpha with RequestLimitExceeded. After all tries the peering
says on both sides that the removal failed, since when, and how it goes on; why, on alpha's alone. It is redriven, and everything is as before.`,
		prepare: remember,
		acts: []act{
			request("Connected"),
			{"The owner of alpha tags the peering: drawbridge:approval=rejected. AWS throttles each call that deletes a route there.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				strikes(w.Consumer.Account, "DeleteRoute", &local.Fault{Throttle: true})
				tagsPeering(ctx, t, w, "drawbridge:approval", "rejected")
			}, []string{"Announced", "Reported", "Transient"}},
			{"AWS throttles no more; the execution is redriven.", func(ctx context.Context, t *testing.T, _ *scenario.World) {
				injector.Store(nil)
				redrive(ctx, t, "drawbridge-peering")
			}, []string{"Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: saysFailed("RemoveRoutes", "RequestLimitExceeded", "routes-set"), 3: saysNothing},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			asBefore(ctx, t, w, w.Producer)
			if now := strings.ReplaceAll(snapshot(ctx, t, w, w.Consumer), "peering tag drawbridge:approval=rejected\n", ""); now != remembered[w][w.Consumer.Account] {
				t.Errorf("alpha is not what it was but for its owner's tag:\n%s", now)
			}
		},
	},
	{
		name:  "killed-at-each-try",
		title: "A function is killed at each try, and everything says so",
		about: `
As in s1-peering.md, but the function that adds routes in alpha is killed each time, as one that needs too much memory. The peering says so on both sides, the notebook, too, and how it
goes on. Then the function has what it needs, the execution is redriven, and connects.`,
		fault: func(w *scenario.World) local.Injector {
			return struck(w.Consumer.Account, "CreateRoute", &local.Fault{Kill: true})
		},
		acts: []act{
			request("Runtime.ExitError", "Reported"),
			{"The function is not killed any more; the execution is redriven.", func(ctx context.Context, t *testing.T, _ *scenario.World) {
				injector.Store(nil)
				redrive(ctx, t, "drawbridge-peering")
			}, []string{"Connected"}},
		},
		then:      map[int]func(context.Context, *testing.T, *scenario.World){1: saysFailed("AddRoutes", "signal: killed", "routes-failed"), 2: saysWhatIsThere},
		connected: true,
	},
	{
		name:  "stopped-by-hand",
		title: "Somebody stops an execution, and everything says so",
		about: `
As in s1-peering.md, but somebody stops the execution while it turns the DNS option on. The peering says on both sides that it was stopped, where, and how it goes on, and so does the notebook. It is
redriven, and connects.`,
		prepare: func(context.Context, *testing.T, *scenario.World) { stopped.Store(false) },
		fault:   stopsAt("ModifyVpcPeeringConnectionOptions"),
		acts: []act{
			request("Meant", "Reported"),
			{"The execution is redriven.", func(ctx context.Context, t *testing.T, _ *scenario.World) {
				injector.Store(nil)
				redriven(ctx, t, "drawbridge-peering", sfntypes.ExecutionStatusAborted)
			}, []string{"Connected"}},
		},
		then:      map[int]func(context.Context, *testing.T, *scenario.World){1: saysFailed("AllowDnsResolution", "", "routes-failed"), 2: saysWhatIsThere},
		connected: true,
	},
	{
		name:  "killed-on-a-gateway",
		title: "A function is killed at each try, for a pair on a gateway",
		about: `
As in transit.md, but the function that adds routes in beta is killed each time. Both attachments count the pair as one that failed. It is redriven, and connects.`,
		change:  onGateway,
		prepare: attachedPair,
		fault: func(w *scenario.World) local.Injector {
			return struck(w.Producer.Account, "CreateRoute", &local.Fault{Kill: true})
		},
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Reported", "Runtime.ExitError"}},
			{"The function is not killed any more; the execution is redriven.", func(ctx context.Context, t *testing.T, _ *scenario.World) {
				injector.Store(nil)
				redrive(ctx, t, "drawbridge-transit")
			}, []string{"Connected"}},
		},
		then:      map[int]func(context.Context, *testing.T, *scenario.World){1: pairsSay("1 Failed"), 2: pairsSay("1 Connected")},
		connected: true,
		unruly:    true, // which of beta's tables is first
	},
	{
		name:  "studio-killed",
		title: "A function is killed at each try, for the readers of a cluster",
		about: `
As in studio.md, but the function that makes the readers' role is killed each time. The cluster says so, and how it goes on. It is redriven, and Ana reads.`,
		prepare: studioWorld(false),
		fault: func(w *scenario.World) local.Injector {
			return struck(w.Producer.Account, "CreateRole", &local.Fault{Kill: true})
		},
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Reported", "Runtime.ExitError"}},
			{"The function is not killed any more; the execution is redriven.", func(ctx context.Context, t *testing.T, _ *scenario.World) {
				injector.Store(nil)
				redrive(ctx, t, "drawbridge-studio")
			}, []string{"Identified"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){1: warehouseSays("Failed"), 2: warehouseSays("Identified")},
	},
}

// struck fails each call of an action in an account.
func struck(account, action string, with *local.Fault) local.Injector {
	return func(c awscall.Call, when local.Moment) *local.Fault {
		if when != local.Before || c.Action != action || c.Account != account {
			return nil
		}
		return with
	}
}

// strikes does so from now on.
func strikes(account, action string, with *local.Fault) {
	fault := struck(account, action, with)
	injector.Store(&fault)
}

// stopped says that the execution was stopped.
var stopped atomic.Bool

// stopsAt stops the execution of the peering at its first call of an action.
func stopsAt(action string) func(*scenario.World) local.Injector {
	return func(*scenario.World) local.Injector {
		return func(c awscall.Call, when local.Moment) *local.Fault {
			if when != local.Before || c.Action != action || stopped.Swap(true) {
				return nil
			}
			ctx := context.Background()
			client := sfn.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
			got, err := client.ListExecutions(ctx, &sfn.ListExecutionsInput{StatusFilter: sfntypes.ExecutionStatusRunning,
				StateMachineArn: aws.String("arn:aws:states:" + engine.Region() + ":" + local.HubAccount + ":stateMachine:drawbridge-peering")})
			if err != nil || len(got.Executions) != 1 {
				return &local.Fault{Status: 500, Code: "NotStopped"}
			}
			if _, err := client.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: got.Executions[0].ExecutionArn, Error: aws.String("Meant"), Cause: aws.String("we move house")}); err != nil {
				return &local.Fault{Status: 500, Code: "NotStopped"}
			}
			return nil
		}
	}
}

func tagsPeering(ctx context.Context, t *testing.T, w *scenario.World, key, value string) {
	t.Helper()
	_, err := consumer(w).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{w.Connection}, Tags: []ec2types.Tag{{Key: &key, Value: &value}}})
	succeeds(t, err)
}

// saysFailed holds a world to a peering that says on both sides that its execution failed at a state, since when, and how it goes on; why, on alpha's alone, if that is
// not empty. The notebook says its status.
func saysFailed(state, why, host string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		notebook, peering := saidOn(ctx, t, w)
		if notebook["drawbridge:status"] != host || host == "routes-failed" && (!strings.Contains(notebook["drawbridge:reason"], "drawbridge redrive") || notebook["drawbridge:since"] == "") {
			t.Errorf("the notebook says %v", notebook)
		}
		for n, tags := range peering {
			reason := tags["drawbridge:reason"]
			if tags["drawbridge:status"] != "Failed" || !strings.Contains(reason, state) || !strings.Contains(reason, "drawbridge redrive peering/") || tags["drawbridge:since"] == "" {
				t.Errorf("on side %d the peering says %v", n, tags)
			}
			if told := strings.Contains(reason, "Why: "); told != (n == 0 && why != "") {
				t.Errorf("on side %d the peering says why: %v: %s", n, told, reason)
			}
		}
		entry, _, err := book().Connection(ctx, w.Connection)
		succeeds(t, err)
		if entry.Status != "Failed" || !strings.Contains(entry.Reason, why) || !strings.Contains(entry.Reason, "drawbridge redrive") {
			t.Errorf("the ledger says %s: %s", entry.Status, entry.Reason)
		}
	}
}

// saysNothing holds a world to a peering without a word of Drawbridge's.
func saysNothing(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	if _, peering := saidOn(ctx, t, w); peering[0]["drawbridge:status"]+peering[1]["drawbridge:status"] != "" {
		t.Errorf("the peering says %v", peering)
	}
}

// pairsSay holds both attachments to how they count pairs.
func pairsSay(count string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		for n, of := range []struct {
			api *ec2.Client
			id  string
		}{{consumer(w), w.ConsumerNetwork.Attachment}, {producer(w), w.ProducerNetwork.Attachment}} {
			got, err := of.api.DescribeTransitGatewayVpcAttachments(ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{TransitGatewayAttachmentIds: []string{of.id}})
			succeeds(t, err)
			said := ""
			for _, tag := range got.TransitGatewayVpcAttachments[0].Tags {
				if aws.ToString(tag.Key) == "drawbridge:pairs" {
					said = aws.ToString(tag.Value)
				}
			}
			if !strings.HasPrefix(said, count+" at ") {
				t.Errorf("the attachment of side %d says %q, want %s", n, said, count)
			}
		}
	}
}

// warehouseSays holds the cluster to the status of its readers.
func warehouseSays(status string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		got, err := redshift.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).DescribeClusters(ctx, &redshift.DescribeClustersInput{})
		succeeds(t, err)
		said := map[string]string{}
		for _, tag := range got.Clusters[0].Tags {
			said[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
		if said["drawbridge:studio-status"] != status || said["drawbridge:studio-since"] == "" || strings.Contains(said["drawbridge:studio-reason"], "drawbridge redrive studio/") != (status == "Failed") {
			t.Errorf("the cluster says %v, want %s", said, status)
		}
	}
}
