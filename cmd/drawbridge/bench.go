package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/bench"
)

type benchCommand struct {
	Rounds    int     `help:"How often the warm connection is measured; the median counts." default:"5"`
	Sweeps    []int   `help:"Of how many accounts a sweep is measured, ascending. Each has to be made a member first, which takes a tenth of a second." default:"10,100,1000" placeholder:"ACCOUNTS"`
	WaitScale float64 `help:"Fraction of its time that a wait takes." default:"0.001" placeholder:"FRACTION"`
}

// maxZip is what a function's package may weigh: 6.5 MB. Of the largest, the inspections, the SDK's tables of SageMaker and SSM, which name every shape of those
// services, are the largest part; none of our own packages is.
const maxZip = 13 << 19

// Help is what kong shows below the options.
func (benchCommand) Help() string {
	return `Counts calls, transitions and modelled seconds on the engine, and times a connection.

Examples:

  drawbridge bench
  drawbridge bench --sweeps 10,100,1000`
}

// Run implements the command.
func (c benchCommand) Run(ctx context.Context, env environment) error {
	r, err := bench.Run(ctx, bench.Options{Root: env.root, Rounds: c.Rounds, WaitScale: c.WaitScale})
	if err != nil {
		return err
	}
	fmt.Printf("One connection (S1, three route tables a side)      cold    warm   at most\n")
	row := func(what string, cold, warm int, limit string) {
		fmt.Printf("  %-46s %7d %7d   %7s\n", what, cold, warm, limit)
	}
	row("AWS calls", r.Cold.Calls, r.Warm.Calls, "")
	row("calls in members, no AssumeRole, no polls", r.Cold.Members, r.Warm.Members, "43")
	row("calls in the hub, most of them to the ledger", r.Cold.Hub, r.Warm.Hub, "100")
	row("state transitions", r.Cold.Transitions, r.Warm.Transitions, "24")
	row("invocations", r.Cold.Invocations, r.Warm.Invocations, "")
	row("cold starts", r.Cold.ColdStarts, r.Warm.ColdStarts, "")
	row("ms from the event to Connected", int(r.Cold.Wall.Milliseconds()), int(r.Warm.Wall.Milliseconds()), "")
	fmt.Printf("  Waits are shortened to %g of their time.\n\n", c.WaitScale)
	fmt.Printf("The same %d calls (without AssumeRole) back to back by one warm process: %d ms\n", r.BareCalls, r.Bare.Milliseconds())
	fmt.Printf("Ratio: %.1f (median of %d rounds each, in this run)\n\n", r.Ratio(), c.Rounds)
	if err := sizes(filepath.Join(env.root, "dist", "functions")); err != nil {
		return err
	}
	return c.sweeps(ctx, env.root)
}

// sweeps measures sweeps. Time is given as a ratio to that of the first, since the emulation's own says nothing of AWS's.
func (c benchCommand) sweeps(ctx context.Context, root string) error {
	fmt.Printf("\nA sweep of accounts in which nothing is, one Region (AWS and its Distributed Map are simulated)\n")
	fmt.Printf("  %8s %8s %12s %12s %12s %16s %10s\n", "accounts", "calls", "per account", "transitions", "invocations", "time per account", "(prepared)")
	var first time.Duration
	return bench.Sweeps(ctx, bench.Options{Root: root, WaitScale: c.WaitScale}, c.Sweeps, func(s bench.SweepSample) {
		each := s.Wall / time.Duration(s.Accounts)
		if first == 0 {
			first = each
		}
		fmt.Printf("  %8d %8d %12.2f %12d %12d %15.2fx %10s\n", s.Accounts, s.Total, s.PerAccount(s.Total), s.Transitions, s.Invocations,
			float64(each)/float64(first), s.Prepare.Round(time.Second))
	})
}

// sizes prints what each function weighs when it is zipped for Lambda.
func sizes(dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "bootstrap"))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("the packages for Lambda are missing (%s): run `make package`", dir)
	}
	fmt.Println("Zipped functions (arm64)                              MB   at most 6.5")
	tooBig := 0
	for _, p := range paths {
		n, err := zipped(p)
		if err != nil {
			return fmt.Errorf("zipping %s: %w", p, err)
		}
		mark := ""
		if n > maxZip {
			mark, tooBig = "too big", tooBig+1
		}
		fmt.Printf("  %-46s %7.2f   %s\n", filepath.Base(filepath.Dir(p)), float64(n)/(1<<20), mark)
	}
	if tooBig > 0 {
		return fmt.Errorf("%d functions weigh more than 6.5 MB", tooBig)
	}
	return nil
}

// zipped is the size of a zip file that holds only the file.
func zipped(path string) (int64, error) {
	in, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	var n count
	z := zip.NewWriter(&n)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Unix(0, 0)})
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(w, in); err != nil {
		return 0, err
	}
	err = z.Close() // writes the directory, which counts
	return int64(n), err
}

// count counts what is written to it.
type count int64

func (c *count) Write(b []byte) (int, error) {
	*c += count(len(b))
	return len(b), nil
}
