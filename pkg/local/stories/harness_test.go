package stories

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

var update = flag.Bool("update", false, "rewrite docs/stories")

const (
	root = "../../.."
	// waitScale shortens the waits of the machines.
	waitScale = 0.01
	// stranger is an account outside the organization.
	stranger = "999999999999"
)

// engine is shared: every story has accounts of its own.
var engine *local.Engine

// kept is the folder in which every process that plays stories keeps what the roles asked for and were allowed.
var kept = os.Getenv(keptVariable)

// keptVariable gives the folder to the processes that play a part.
const keptVariable = "DRAWBRIDGE_STORIES_KEPT"

// injector is the fault of the story that is being told.
var injector atomic.Pointer[local.Injector]

// options are those of the engine that plays the stories.
func options() local.Options {
	o := local.Options{
		Root: root, WaitScale: waitScale, Outside: []string{stranger}, Units: "2*=data/warehouses",
		Fault: func(c awscall.Call, when local.Moment) *local.Fault {
			if f := injector.Load(); f != nil {
				return (*f)(c, when)
			}
			return nil
		},
	}
	if testing.Verbose() && os.Getenv("ENGINE_LOG") != "" {
		o.Log = os.Stderr
	}
	return o
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		o := options()
		defer func() {
			if rough.engine != nil {
				rough.engine.Close()
			}
		}()
		if testing.Short() {
			fmt.Println("-short: no story is played")
			return 0
		}
		if every || aloneWithFaults {
			return m.Run() // no story, and the faults have an engine of their own
		}
		if err := o.Check(); err != nil {
			if os.Getenv("CI") == "true" {
				fmt.Fprintln(os.Stderr, "FAIL:", err)
				return 1
			}
			fmt.Println("skipped, no story was played:", err)
			return 0
		}
		var err error
		if kept == "" {
			if kept, err = os.MkdirTemp("", "drawbridge-stories-"); err != nil {
				fmt.Fprintln(os.Stderr, "FAIL:", err)
				return 1
			}
			defer os.RemoveAll(kept)
		}
		o.Authorizations = filepath.Join(kept, fmt.Sprintf("authorizations-%d.jsonl", os.Getpid()))
		if engine, err = local.Start(context.Background(), o); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			return 1
		}
		defer engine.Close()
		if err := unhurried(context.Background(), engine); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			return 1
		}
		return m.Run()
	}())
}

// policyRule is the hub's rule that starts a sweep when the policy was changed.
const policyRule = "drawbridge-policy"

// unhurried switches that rule off: it would sweep the accounts of all stories. One story switches it on.
func unhurried(ctx context.Context, e *local.Engine) error {
	_, err := eventbridge.NewFromConfig(e.Config(local.HubAccount, e.Region())).DisableRule(ctx, &eventbridge.DisableRuleInput{Name: aws.String(policyRule)})
	return err
}

// cast gives the n-th story accounts of its own: 111111111111 and 222222222222
// are 111111110001 and 222222220001 in the story number 1.
func cast(spec *scenario.Spec, n int) *strings.Replacer {
	var canonical []string
	for _, home := range []*scenario.Home{&spec.Consumer, &spec.Producer} {
		own := fmt.Sprintf("%s%04d", home.Account[:8], n)
		canonical = append(canonical, own, home.Account)
		home.Account = own
	}
	for _, one := range []string{"3", "4", "5"} { // participants of their VPCs
		canonical = append(canonical, fmt.Sprintf("%s%04d", strings.Repeat(one, 8), n), strings.Repeat(one, 12))
	}
	return strings.NewReplacer(canonical...)
}

// inputs are looked at in a test, once, so that `go test` takes no result from before for one of now: the engine's files, and the golden ones that
// other processes read. What is looked at in TestMain does not count.
var inputs = sync.OnceValue(func() error {
	if _, err := os.ReadDir(filepath.Join(root, "docs", "stories")); err != nil {
		return err
	}
	return options().Check()
})

// timeout is what a story may take.
func timeout(t *testing.T) context.Context {
	if err := inputs(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Minute, fmt.Errorf("five minutes are over"))
	t.Cleanup(cancel)
	return ctx
}

// stalled is how long nothing may happen before a wait is given up: no Wait state takes as long, at [waitScale].
const stalled = 45 * time.Second

// moving ends a context when nothing happens any more.
func moving(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		for seen := -1; ; {
			now := engine.Story().Changes()
			if now == seen {
				cancel(fmt.Errorf("nothing has happened for %s", stalled))
				return
			}
			seen = now
			select {
			case <-ctx.Done():
				return
			case <-time.After(stalled):
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// until waits for n ends.
func until(ctx context.Context, t *testing.T, n int) []story.End {
	t.Helper()
	ctx, stop := moving(ctx)
	defer stop()
	ends, err := engine.Settle(ctx, n)
	if err != nil {
		for _, f := range engine.Story().Facts() {
			t.Logf("%T %+v", f, f)
		}
		t.Fatalf("waiting for %d executions to end, %d did: %v", n, len(ends), err)
	}
	return ends
}

// compare holds text against a golden file.
func compare(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(root, "docs", "stories", name+".md")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("the story is not as in %s (go test ./pkg/local/stories -update rewrites it):\n%s", path, difference(string(want), text))
	}
}

// difference shows the first lines that differ.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := 0; i < len(w) || i < len(g); i++ {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			return fmt.Sprintf("line %d\nwant:\n%s\ngot:\n%s", i+1,
				strings.Join(w[min(i, len(w)):min(i+8, len(w))], "\n"), strings.Join(g[min(i, len(g)):min(i+8, len(g))], "\n"))
		}
	}
	return ""
}
