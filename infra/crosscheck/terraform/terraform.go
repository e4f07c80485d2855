// Package terraform lets Terraform itself judge how Drawbridge lives with a team that owns its network in code.
//
// The real binary, with the real provider for AWS, applies a configuration against the local engine: two accounts whose route table, security group and
// notebook script have all that they hold written inline (main.tf). Drawbridge connects them; each further apply takes away what the code does not name.
// Judged is that Drawbridge puts back once, then stops and tells each owner once; that the blocks which its notifications name, copied into the code
// as they are, end that; and that Terraform's plan is empty then. What was learned by it is in docs/decisions/0089-terraform-judges.md.
//
//	terraform.go  what a run needs, and its report
//	cli.go        the binary and the configuration
//	play.go       the run
//	world.go      what stands, and what people were told
//	takeover.go   another run: a team takes over what Drawbridge added, by the code that drawbridge export writes
package terraform

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/drawbridge-cloud/drawbridge/infra/crosscheck/judgement"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

// Options say what a run needs and where it tells of itself.
type Options struct {
	// Root is the root of the repository, where bin/functions and .venv are.
	Root string
	// Binary is Terraform's, by its whole path.
	Binary string
	// Mirror is a folder that has the provider for AWS, laid out as a filesystem mirror. It is taken from nowhere else.
	// https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation
	Mirror string
	// Out gets a line for each judgement when it is made.
	Out io.Writer
	// Log gets what Terraform and the engine print.
	Log io.Writer
}

// MirrorVariable is the environment variable that names the mirror, and mirror is where it is if that is not set.
const (
	MirrorVariable = "DRAWBRIDGE_TERRAFORM_MIRROR"
	mirror         = "/opt/tf-plugins"
)

// Installed are the options with what is installed on this machine.
func Installed(root string, out, log io.Writer) Options {
	o := Options{Root: root, Mirror: os.Getenv(MirrorVariable), Out: out, Log: log}
	if o.Mirror == "" {
		o.Mirror = mirror
	}
	if found, err := exec.LookPath("terraform"); err == nil {
		o.Binary, _ = filepath.Abs(found)
	}
	return o
}

// Check says in one sentence what is missing and how to get it.
func (o Options) Check() error {
	if o.Binary == "" {
		return fmt.Errorf("terraform is not installed: install it from https://developer.hashicorp.com/terraform/install")
	}
	if _, err := os.Stat(o.Binary); err != nil {
		return fmt.Errorf("terraform is not installed (%s): install it from https://developer.hashicorp.com/terraform/install", o.Binary)
	}
	if found, _ := filepath.Glob(filepath.Join(o.Mirror, "registry.terraform.io", "hashicorp", "aws", "*")); len(found) == 0 {
		return fmt.Errorf("Terraform's provider for AWS is not in %s: fill a folder by `terraform providers mirror` and name it in %s", o.Mirror, MirrorVariable)
	}
	return local.Options{Root: o.Root}.Check()
}

// Run starts the engine, lets Terraform judge, and ends both. An error means that not all could be judged; the report then has what was.
func Run(ctx context.Context, o Options) (*judgement.Report, error) {
	r := &judgement.Report{Judge: "Terraform"}
	if err := o.Check(); err != nil {
		return r, err
	}
	p := &play{options: o, report: r}
	engine, err := local.Start(ctx, local.Options{Root: o.Root, WaitScale: 0.01, Log: o.Log, Observe: p.hear, Fault: p.hold})
	if err != nil {
		return r, err
	}
	defer engine.Close()
	p.engine = engine
	if p.terraform, err = newCLI(o, configuration, "endpoint="+engine.URL(), "region="+engine.Region(), "consumer="+consumer, "producer="+producer); err != nil {
		return r, err
	}
	defer p.terraform.close()
	return r, p.perform(ctx)
}
