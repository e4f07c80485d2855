package stories

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/verdict"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The team of the story below: all use the owner's configuration, one its own, into whose script no shell goes.
const (
	crowd     = 300
	crowdFew  = 100
	crowdSize = 32 << 10 // what travels at most, in bytes
)

// An account of data scientists: what travels between the states does not grow with its notebooks, the calls grow with them and no faster,
// and one script that cannot be edited is named and keeps nobody from being served.
func TestManyNotebooks(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	unbraked(ctx, t)
	few, many := playCrowd(ctx, t, 8800, crowdFew), playCrowd(ctx, t, 8801, crowd)
	if few.largest == 0 || many.largest > crowdSize || many.largest-few.largest > 8<<10 {
		t.Errorf("with %d notebooks %d bytes travel, with %d %d", crowdFew, few.largest, crowd, many.largest)
	}
	if many.events == 0 || many.events > 5000 {
		t.Errorf("%d events of history", many.events)
	}
	// A look describes a hundred that it does not know, so three looks follow each other here, and each of them serves those that it came to: for each two
	// descriptions and its tags. All calls count, those of the hub and of the looks themselves too.
	if each := float64(many.calls-few.calls) / (crowd - crowdFew); each < 2 || each > 6 {
		t.Errorf("%d calls with %d notebooks, %d with %d: %.1f for each more", few.calls, crowdFew, many.calls, crowd, each)
	}
	// The one that cannot be served is named, with its reason; the others have lines as far as there is room, and are counted.
	failing := slices.DeleteFunc(slices.Clone(many.verdict), func(p workflow.Path) bool { return p.OK })
	if len(failing) != 1 || !strings.HasPrefix(failing[0].Hop.Hop, "python → ") || !strings.Contains(failing[0].Detail, "host route") || len(many.verdict) > verdict.Shown+2 {
		t.Errorf("the verdict: %v", many.verdict)
	}
}

// played is what came of a crowd.
type played struct {
	largest, events, calls int
	verdict                []workflow.Path
}

func playCrowd(ctx context.Context, t *testing.T, n, size int) played {
	t.Helper()
	spec := scenario.S1()
	cast(&spec, n)
	world, err := spec.Build(ctx, engine.Config)
	done(t, err)
	until(ctx, t, 0)
	hear := unheardNotebooks(ctx, t, world)
	client := sagemaker.NewFromConfig(engine.Config(world.Consumer.Account, world.Consumer.Region))
	_, err = client.CreateNotebookInstanceLifecycleConfig(ctx, &sagemaker.CreateNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: aws.String("python"),
		OnStart: []types.NotebookInstanceLifecycleHook{{Content: aws.String("IyEvdXNyL2Jpbi9weXRob24zCg==")}}})
	done(t, err)
	book := func(name, configuration string, subnet int) {
		_, err := client.CreateNotebookInstance(ctx, &sagemaker.CreateNotebookInstanceInput{NotebookInstanceName: &name, InstanceType: types.InstanceTypeMlT3Medium,
			RoleArn: aws.String(arn.IAM(arn.Partition(world.Consumer.Region), world.Consumer.Account, "role/notebook")), LifecycleConfigName: &configuration,
			SubnetId: aws.String(world.ConsumerNetwork.Subnets[subnet]), SecurityGroupIds: []string{world.ConsumerNetwork.Group}, DirectInternetAccess: types.DirectInternetAccessEnabled})
		done(t, err)
	}
	for i := range size - 1 { // and the notebook of S1
		book(fmt.Sprintf("data-science-workbench-%04d", i), world.Notebook.LifecycleConfig, i%3)
	}
	book("python", "python", 0)
	until(ctx, t, 0)
	hear()
	engine.Story().Begin()
	done(t, world.Request(ctx))
	for _, e := range until(ctx, t, 1) {
		if e.Status != "SUCCEEDED" {
			t.Fatalf("%s ends with %s: %s", e.Machine, e.Error, e.Cause)
		}
	}
	out := played{calls: len(engine.Story().Calls())}
	hub := sfn.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	machine := "arn:aws:states:" + engine.Region() + ":" + local.HubAccount + ":stateMachine:drawbridge-peering"
	list, err := hub.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &machine})
	done(t, err)
	for _, e := range list.Executions {
		one, err := hub.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: e.ExecutionArn})
		done(t, err)
		if !strings.Contains(aws.ToString(one.Input), world.Connection) {
			continue
		}
		var end workflow.VerifyConnectionOutput
		done(t, json.Unmarshal([]byte(aws.ToString(one.Output)), &end))
		if out.verdict == nil { // the last comes first
			out.verdict = end.Verdict
		}
		pages := sfn.NewGetExecutionHistoryPaginator(hub, &sfn.GetExecutionHistoryInput{ExecutionArn: e.ExecutionArn})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			done(t, err)
			for _, event := range page.Events {
				out.events++
				if d := event.StateEnteredEventDetails; d != nil {
					out.largest = max(out.largest, len(aws.ToString(d.Input)))
				}
				if d := event.StateExitedEventDetails; d != nil {
					out.largest = max(out.largest, len(aws.ToString(d.Output)))
				}
				if d := event.TaskScheduledEventDetails; d != nil {
					out.largest = max(out.largest, len(aws.ToString(d.Parameters)))
				}
			}
		}
	}
	script, err := client.DescribeNotebookInstanceLifecycleConfig(ctx, &sagemaker.DescribeNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: &world.Notebook.LifecycleConfig})
	done(t, err)
	for _, subnet := range world.Consumer.Subnets {
		if !hostRouted(t, aws.ToString(script.OnStart[0].Content), subnet, netip.MustParsePrefix(there(world))) {
			t.Errorf("with %d notebooks, those in %s have no host route", size, subnet)
		}
	}
	t.Logf("%d notebooks: %d bytes, %d events, %d calls", size+1, out.largest, out.events, out.calls)
	return out
}

// unheardNotebooks switches the rule off that forwards what notebooks do, and returns what switches it on.
func unheardNotebooks(ctx context.Context, t *testing.T, w *scenario.World) (hear func()) {
	t.Helper()
	client := eventbridge.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	_, err := client.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: aws.String("drawbridge-forward-notebook")})
	done(t, err)
	return func() {
		_, err := client.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: aws.String("drawbridge-forward-notebook")})
		done(t, err)
	}
}

// hostRouted reports whether a script gives the notebooks of a subnet the route to a destination.
func hostRouted(t *testing.T, content string, subnet, destination netip.Prefix) bool {
	t.Helper()
	script, err := base64.StdEncoding.DecodeString(content)
	done(t, err)
	return strings.Contains(string(script), "line "+subnet.String()+" "+destination.String())
}
