// Judge lets LocalStack judge the templates and the scenarios, and says how many judgements held.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/drawbridge-cloud/drawbridge/infra/crosscheck/localstack"
)

func main() {
	var cli struct {
		Root   string `help:"Root of the repository." default:"." type:"existingdir"`
		Python string `help:"Python of the virtual environment in which LocalStack is installed." required:""`
		Log    string `help:"File for what LocalStack and the engine print."`
	}
	kong.Parse(&cli, kong.Description("Lets LocalStack judge the templates and the scenarios."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, localstack.Options{Root: cli.Root, Python: cli.Python, Out: os.Stdout}, cli.Log)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, o localstack.Options, log string) int {
	o.Log = io.Discard
	if log != "" {
		f, err := os.Create(log)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer f.Close()
		o.Log = f
	}
	if err := o.Check(); err != nil && os.Getenv("CI") != "true" {
		fmt.Println("not judged:", err)
		return 0
	}
	r, err := localstack.Run(ctx, o)
	for _, n := range r.Changes {
		fmt.Printf("changed: %s. %s\n", n.What, n.Why)
	}
	for _, n := range r.NotPlayed {
		fmt.Printf("not played: %s. %s\n", n.What, n.Why)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
	}
	fmt.Printf("%s: %d judgements, %d held\n", r.Judge, len(r.Judgements), r.Held())
	if err != nil || r.Held() < len(r.Judgements) {
		return 1
	}
	return 0
}
