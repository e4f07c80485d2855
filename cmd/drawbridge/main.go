// Drawbridge is the command of those who use Drawbridge: it answers their questions about what connects their accounts, plays Drawbridge on this
// machine, and plays lost events again in AWS.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

// cli are the commands and what they take.
type cli struct {
	Root string `help:"Root of the repository; by default it is found from the executable." type:"existingdir" placeholder:"DIR"`

	Status statusCommand `cmd:"" help:"Show what stands, waits or is in the way, as the ledger has it."`

	History historyCommand `cmd:"" help:"Say who did what to a connection, and when."`

	Who whoCommand `cmd:"" help:"Say who can reach a database, by whose decision, and what ends it."`

	Why whyCommand `cmd:"" help:"Say why something reaches a database or not, hop by hop, and what mends it."`

	Map mapCommand `cmd:"" help:"Draw what connects: one HTML page, SVG, text or JSON."`

	Plan planCommand `cmd:"" help:"Say what Drawbridge would do, and change nothing."`

	Report reportCommand `cmd:"" help:"Say who can reach what, since when and by whose approval, for the record."`

	Export exportCommand `cmd:"" help:"Write the code that owns what was added for a connection."`

	Doctor doctorCommand `cmd:"" help:"Look at what Drawbridge needs around it, and say what mends it."`

	Approve approveCommand `cmd:"" help:"Approve a request, or what came to a connection later."`
	Reject  rejectCommand  `cmd:"" help:"Reject a request, or take back a connection that stands."`
	Manage  manageCommand  `cmd:"" help:"Give a connection into Drawbridge's hands."`
	Release releaseCommand `cmd:"" help:"Take a connection out of Drawbridge's hands."`
	Revoke  revokeCommand  `cmd:"" help:"Take a database away from an account."`

	Pause        pauseCommand        `cmd:"" help:"Have Drawbridge do nothing."`
	Resume       resumeCommand       `cmd:"" help:"End a pause, or set how far Drawbridge goes."`
	Sweep        sweepCommand        `cmd:"" help:"Have everything looked at."`
	Redrive      redriveCommand      `cmd:"" help:"Have an execution that failed go on."`
	ReleaseBrake releaseBrakeCommand `cmd:"" help:"Decide about what the brake stopped."`
	Policy       policyCommand       `cmd:"" help:"Test a policy, or put it in force."`

	Local localCommand `cmd:"" help:"Keep Drawbridge and the AWS it works on running on this machine."`
	Demo  demoCommand  `cmd:"" help:"Play a scenario and check what became of it."`
	Bench benchCommand `cmd:"" help:"Count what a connection costs and time it against the bare AWS calls."`

	NotebookURL notebookURLCommand `cmd:"" name:"notebook-url" help:"Issue the URL of a notebook through the interface endpoint."`

	Replay replayCommand `cmd:"" help:"Play events from the dead-letter queue again."`

	Completion completionCommand `cmd:"" help:"Print what a shell reads to complete lines."`
	Complete   completeCommand   `cmd:"" hidden:"" help:"Print what may stand at the end of a line."`
	Man        manCommand        `cmd:"" help:"Print the man page."`

	ConnectSnippet snippetCommand `cmd:"" help:"Print the notebook cell that queries a Redshift cluster from Studio."`
}

// environment is what every command gets.
type environment struct {
	root string
}

func main() {
	var c cli
	parsed := parser(&c)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	interrupted := false
	err := func() error {
		defer stop()
		defer func() { interrupted = ctx.Err() != nil }()
		args := os.Args[1:]
		if len(args) == 0 {
			args = []string{"--help"} // whoever only says the name asks what there is
		}
		chosen, err := parsed.Parse(args)
		if err != nil {
			return fmt.Errorf("%w: see %s --help", err, begun(err))
		}
		root, err := c.root()
		if err != nil && slices.Contains(engine, strings.Fields(chosen.Command())[0]) {
			return err
		}
		slog.SetDefault(slog.New(slog.DiscardHandler)) // what packages log is for the functions
		chosen.BindTo(ctx, (*context.Context)(nil))
		chosen.Bind(parsed)
		return chosen.Run(environment{root: root})
	}()
	working.done()
	switch {
	case errors.Is(err, errNo):
		os.Exit(2)
	case err != nil && interrupted:
		fmt.Fprintln(os.Stderr, "drawbridge: interrupted")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "drawbridge:", err)
		os.Exit(1)
	}
}

// begun is the command that was begun in a line that cannot be read.
func begun(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil {
		if of := wrong.Context.Selected(); of != nil {
			return of.FullPath()
		}
	}
	return "drawbridge"
}

// engine are the commands that play the engine, which lies in the repository.
var engine = []string{"local", "demo", "bench"}

func parser(c *cli) *kong.Kong {
	return kong.Must(c,
		kong.Name("drawbridge"),
		kong.Vars{"region": local.DefaultRegion},
		kong.Description("Connects a notebook to a database in another account, by itself, if the policy lets it."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 80}),
	)
}

// root finds the repository: bin/drawbridge lies in it, and so may the folder
// that we are in.
func (c cli) root() (string, error) {
	if c.Root != "" {
		return filepath.Abs(c.Root)
	}
	var starts []string
	if self, err := os.Executable(); err == nil {
		if self, err = filepath.EvalSymlinks(self); err == nil {
			starts = append(starts, filepath.Dir(self))
		}
	}
	if here, err := os.Getwd(); err == nil {
		starts = append(starts, here)
	}
	for _, dir := range starts {
		for at := dir; ; at = filepath.Dir(at) {
			if _, err := os.Stat(filepath.Join(at, "pkg", "local", "moto")); err == nil {
				return at, nil
			}
			if at == filepath.Dir(at) {
				break
			}
		}
	}
	return "", fmt.Errorf("the repository is not found from here: give its folder with --root")
}

// terminal reports whether f is one.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" && os.Getenv("NO_COLOR") == ""
}
