package terraform

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

//go:embed main.tf
var configuration string

// cli is a folder with the configuration, and the binary that is run in it.
type cli struct {
	binary, folder string
	env            []string
	log            io.Writer
}

// newCLI writes a configuration into a folder of its own, with variables, NAME=VALUE. It takes the provider from the mirror and from nowhere else, and asks nobody
// outside.
func newCLI(o Options, text string, variables ...string) (*cli, error) {
	folder, err := os.MkdirTemp("", "drawbridge-terraform-")
	if err != nil {
		return nil, err
	}
	c := &cli{binary: o.Binary, folder: folder, log: o.Log}
	rc := filepath.Join(folder, "terraform.rc")
	// https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation
	installation := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", o.Mirror)
	if err := errors.Join(os.WriteFile(rc, []byte(installation), 0o600), c.write(text)); err != nil {
		c.close()
		return nil, err
	}
	c.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TMPDIR=" + folder, "TF_CLI_CONFIG_FILE=" + rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0",
		"AWS_EC2_METADATA_DISABLED=true"}
	for _, v := range variables {
		c.env = append(c.env, "TF_VAR_"+v)
	}
	return c, nil
}

func (c *cli) close() { _ = os.RemoveAll(c.folder) }

func (c *cli) write(text string) error {
	return os.WriteFile(filepath.Join(c.folder, "main.tf"), []byte(text), 0o600)
}

// run runs a command of Terraform's and returns what it printed, and with which code it ended if that was none of an error of ours.
func (c *cli) run(ctx context.Context, args ...string) (said string, code int, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("terraform %s is not done after %s", args[0], patience))
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, c.binary, args...)
	cmd.Dir, cmd.Env = c.folder, c.env
	cmd.Stdout = io.MultiWriter(&out, c.log)
	cmd.Stderr = cmd.Stdout
	// An interrupted Terraform ends its providers; killed, it leaves them.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 30 * time.Second
	err = cmd.Run()
	var ended *exec.ExitError
	if cause := context.Cause(ctx); cause != nil {
		return out.String(), 0, cause
	}
	if errors.As(err, &ended) {
		return out.String(), ended.ExitCode(), nil
	}
	return out.String(), 0, err
}

// must is run for a command that has to succeed.
func (c *cli) must(ctx context.Context, args ...string) (string, error) {
	said, code, err := c.run(ctx, args...)
	if err == nil && code != 0 {
		err = fmt.Errorf("terraform %s ended with %d: %s", args[0], code, tail(said))
	}
	return said, err
}

// changed is how many resources an apply changed.
var changed = regexp.MustCompile(`Apply complete! Resources: (\d+) added, (\d+) changed, (\d+) destroyed\.`)

// apply applies the configuration and says what that did.
func (c *cli) apply(ctx context.Context) (string, error) {
	said, err := c.must(ctx, "apply", "-auto-approve", "-no-color")
	if err != nil {
		return "", err
	}
	if m := changed.FindStringSubmatch(said); m != nil {
		return fmt.Sprintf("%s added, %s changed, %s destroyed", m[1], m[2], m[3]), nil
	}
	return "", fmt.Errorf("terraform apply does not say what it did: %s", tail(said))
}

// version is the binary's and the provider's.
func (c *cli) version(ctx context.Context) (string, error) {
	said, err := c.must(ctx, "version", "-json")
	if err != nil {
		return "", err
	}
	var v struct {
		Version   string            `json:"terraform_version"`
		Providers map[string]string `json:"provider_selections"`
	}
	if err := json.Unmarshal([]byte(said), &v); err != nil {
		return "", fmt.Errorf("reading what terraform version says: %w", err)
	}
	return "Terraform " + v.Version + ", AWS provider " + v.Providers["registry.terraform.io/hashicorp/aws"], nil
}

// outputs are the ids of what the configuration made.
type outputs struct {
	Connection, ConsumerVPC, ConsumerTable, ProducerVPC, ProducerTable, ProducerGroup string
	ProducerSubnets                                                                   []string
}

func (c *cli) outputs(ctx context.Context) (o outputs, err error) {
	said, err := c.must(ctx, "output", "-json", "-no-color")
	if err != nil {
		return o, err
	}
	var raw map[string]struct{ Value json.RawMessage }
	if err := json.Unmarshal([]byte(said), &raw); err != nil {
		return o, fmt.Errorf("reading what terraform output says: %w", err)
	}
	for name, to := range map[string]any{"connection": &o.Connection, "consumer_vpc": &o.ConsumerVPC, "consumer_table": &o.ConsumerTable, "producer_vpc": &o.ProducerVPC,
		"producer_table": &o.ProducerTable, "producer_group": &o.ProducerGroup, "producer_subnets": &o.ProducerSubnets} {
		if err := json.Unmarshal(raw[name].Value, to); err != nil {
			return o, fmt.Errorf("reading the output %s: %w", name, err)
		}
	}
	return o, nil
}

// remedies are the lines of the configuration where a block goes, with whose notification names it and of what.
var remedies = regexp.MustCompile(`(?m)^ *# remedy: (alpha|beta) (\w+)$`)

// follow returns the configuration with the blocks that the notifications name, each in its place, as an owner does who copies them.
func follow(text string, told map[string]string) (string, error) {
	var missing []string
	out := remedies.ReplaceAllStringFunc(text, func(line string) string {
		m := remedies.FindStringSubmatch(line)
		block := named(told[m[1]], m[2])
		if block == "" {
			missing = append(missing, m[2]+" for the owner of "+m[1])
		}
		return block
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("no notification has a block of %s", strings.Join(missing, ", "))
	}
	if out == text {
		return "", errors.New("the configuration has no place for a remedy")
	}
	return out, nil
}

var ignoreTags = regexp.MustCompile(`(?s)\n( +ignore_tags \{.*?\n    \})`)

// named returns the block that a notification names for a type of resource, or for the provider's tags; empty if there is none.
func named(said, what string) string {
	expression := ignoreTags
	if what != "ignore_tags" {
		expression = regexp.MustCompile(`(?s)in the resource [^\n]*"` + what + `"[^\n]* add\n\n( +lifecycle \{.*?\n  \})`)
	}
	if m := expression.FindStringSubmatch(said); m != nil {
		return m[1]
	}
	return ""
}

// tail is the end of what a command said, where it says what went wrong.
func tail(said string) string {
	said = strings.TrimSpace(said)
	const most = 1500
	if len(said) > most {
		said = "… " + said[len(said)-most:]
	}
	return said
}
