package stories

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// atRegion makes the engine one of another Region until the test ends. It returns the texts that went between Drawbridge
// and AWS: requests, answers, and all input and output of the states.
func atRegion(t *testing.T, region string, change func(*local.Options)) func() []string {
	t.Helper()
	if engine == nil {
		t.Skip("there is no engine")
	}
	var mu sync.Mutex
	var texts []string
	o := options()
	o.Region, o.Observe = region, func(_ awscall.Call, x local.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		texts = append(texts, x.Path, string(x.Body), string(x.Answer))
	}
	if change != nil {
		change(&o)
	}
	home := engine
	there, err := local.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	engine = there
	t.Cleanup(func() {
		engine = home
		there.Close()
	})
	if err := unhurried(t.Context(), there); err != nil {
		t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Concat(texts, histories(t, there))
	}
}

// histories returns what all states of all executions got and gave.
func histories(t *testing.T, e *local.Engine) []string {
	t.Helper()
	client := sfn.NewFromConfig(e.Config(local.HubAccount, e.Region()))
	machines, err := client.ListStateMachines(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, m := range machines.StateMachines {
		runs := sfn.NewListExecutionsPaginator(client, &sfn.ListExecutionsInput{StateMachineArn: m.StateMachineArn})
		for runs.HasMorePages() {
			page, err := runs.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range page.Executions {
				got, err := client.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: x.ExecutionArn})
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range got.Events {
					texts = append(texts, stateTexts(e)...)
				}
			}
		}
	}
	return texts
}

func stateTexts(e sfntypes.HistoryEvent) []string {
	var out []string
	if d := e.ExecutionStartedEventDetails; d != nil {
		out = append(out, aws.ToString(d.Input))
	}
	if d := e.StateEnteredEventDetails; d != nil {
		out = append(out, aws.ToString(d.Input))
	}
	if d := e.StateExitedEventDetails; d != nil {
		out = append(out, aws.ToString(d.Output))
	}
	return out
}

var (
	anyARN  = regexp.MustCompile(`arn(?::|%3A)(aws[a-z-]*)(?::|%3A)`)
	anyHost = regexp.MustCompile(`[a-zA-Z0-9.-]+\.amazonaws\.(?:com\.cn|com|eu)\b`)
	// anyPrincipal is a service's own name: the same in all partitions. Namespaces of XML look like it.
	anyPrincipal = regexp.MustCompile(`^[a-zA-Z0-9-]+\.amazonaws\.com$`)
)

// strays returns the ARNs of other partitions than a Region's, and the hosts with another suffix, and how many ARNs it saw.
func strays(region string, texts []string) (stray []string, seen int) {
	for _, text := range texts {
		for _, m := range anyARN.FindAllStringSubmatchIndex(text, -1) {
			seen++
			if text[m[2]:m[3]] != arn.Partition(region) {
				stray = append(stray, text[m[0]:min(len(text), m[1]+80)])
			}
		}
		for _, host := range anyHost.FindAllString(text, -1) {
			if !anyPrincipal.MatchString(host) && !strings.HasSuffix(host, "."+arn.DNSSuffix(region)) {
				stray = append(stray, host)
			}
		}
	}
	slices.Sort(stray)
	return slices.Compact(stray), seen
}

// What the first and the fifth scenario are in one partition they are in every other: the same ends, and nothing that has an
// ARN or a host of a partition that this organization knows nothing of. In China the hub is not in IAM's Region; that of the
// European Sovereign Cloud stands for Regions that the engine has never heard of.
func TestOtherPartitions(t *testing.T) {
	for _, region := range []string{"cn-northwest-1", "us-gov-west-1", "eusc-de-east-1"} {
		t.Run(region, func(t *testing.T) {
			texts := atRegion(t, region, nil)
			for i, name := range []string{"s1-peering", "s5-at-once"} {
				at := slices.IndexFunc(library(), func(s tale) bool { return s.name == name })
				if at < 0 {
					t.Fatalf("there is no story %s", name)
				}
				told := library()[at]
				told.unruly = true // its page says nothing of this Region
				change, also := told.change, told.also
				told.change = func(s *scenario.Spec) {
					if change != nil {
						change(s)
					}
					s.Consumer.Region, s.Producer.Region = region, region
				}
				told.also = func(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
					if also != nil {
						also(ctx, t, w, calls)
					}
					for _, c := range calls {
						if c.Region != region && c.Region != arn.IAMRegion(region) {
							t.Errorf("%s was called in %s", c.Name(), c.Region)
						}
					}
				}
				t.Run(name, func(t *testing.T) { play(t, i+1, told) })
			}
			stray, seen := strays(region, texts())
			if seen < 100 {
				t.Errorf("only %d ARNs were seen", seen)
			}
			for _, s := range stray {
				t.Errorf("not of %s: %s", arn.Partition(region), s)
			}
		})
	}
}

// The check above finds what it looks for.
func TestStrays(t *testing.T) {
	const text = `"arn:aws-cn:iam::1:root" arn%3Aaws%3Aiam "lambda.amazonaws.com" rds-data.cn-north-1.amazonaws.com.cn rds-data.cn-north-1.amazonaws.com arn:aws-us-gov:x`
	stray, seen := strays("cn-north-1", []string{text})
	if got, want := fmt.Sprint(len(stray), seen), "3 3"; got != want {
		t.Errorf("%s, want %s: %q", got, want, stray)
	}
}
