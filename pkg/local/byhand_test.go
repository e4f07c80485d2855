package local

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
)

// TestTheMemberStackByHand runs infra/deploy-member.sh with the AWS CLI against the engine, in an account that no StackSet
// reaches and that has no bootstrap.
func TestTheMemberStackByHand(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it plays on the local engine")
	}
	const stranger = "999999999999"
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	cli := filepath.Join(root, ".venv-docs", "bin")
	if _, err := os.Stat(filepath.Join(cli, "aws")); err != nil {
		t.Fatalf("the AWS CLI is missing in %s: run `make .venv-docs/ready`, which installs it", cli)
	}
	engine, err := Start(context.Background(), Options{Root: root, Outside: []string{stranger}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })

	// What the script finds after `make synth`.
	tree := t.TempDir()
	for _, folder := range []string{"infra", "cdk.out"} {
		if err := os.Mkdir(filepath.Join(tree, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(tree, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile(filepath.Join(root, "infra", "deploy-member.sh"))
	if err != nil {
		t.Fatal(err)
	}
	write("infra/deploy-member.sh", string(script))
	if err := os.Symlink(filepath.Join(root, "node_modules"), filepath.Join(tree, "node_modules")); err != nil {
		t.Fatal(err)
	}
	run := func(name string, arguments ...string) (string, error) {
		command := exec.Command(name, arguments...)
		command.Dir = tree
		command.Env = append(os.Environ(), "PATH="+cli+":"+os.Getenv("PATH"), "AWS_DEFAULT_REGION="+DefaultRegion,
			// moto reads a template from a bucket only if this host is called localhost.
			"AWS_ENDPOINT_URL="+strings.Replace(engine.URL(), "127.0.0.1", "localhost", 1),
			"AWS_ACCESS_KEY_ID="+stranger, "AWS_SECRET_ACCESS_KEY=any")
		out, err := command.CombinedOutput()
		return string(out), err
	}
	deploy := func(regions ...string) (string, error) { return run("infra/deploy-member.sh", regions...) }
	stack := func(region string) types.Stack {
		t.Helper()
		client := cloudformation.NewFromConfig(ClientConfig(engine.URL(), stranger, region))
		out, err := client.DescribeStacks(context.Background(), &cloudformation.DescribeStacksInput{StackName: aws.String(memberStack)})
		if err != nil || len(out.Stacks) != 1 {
			t.Fatalf("%s in %s: %v", memberStack, region, err)
		}
		return out.Stacks[0]
	}

	if out, err := run(filepath.Join(root, ".venv", "bin", "shellcheck"), "infra/deploy-member.sh"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := deploy(DefaultRegion); err == nil || !strings.Contains(out, "run make synth") {
		t.Errorf("without a template: %v\n%s", err, out)
	}
	file := filepath.Join("cdk.out", "drawbridge-member.template.json")
	write(file, template.Member)
	if out, err := deploy(); err == nil || !strings.Contains(out, "name the Regions") {
		t.Errorf("without a Region: %v\n%s", err, out)
	}
	if out, err := run("aws", "cloudformation", "deploy", "--stack-name", "inline", "--template-file", file,
		"--capabilities", "CAPABILITY_NAMED_IAM"); err == nil || !strings.Contains(out, "51,200 bytes must be deployed via an S3 Bucket") {
		t.Errorf("the AWS CLI takes the template inline, so the script needs no bucket: %v\n%s", err, out)
	}
	if out, err := deploy(DefaultRegion, "eu-west-1"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, region := range []string{DefaultRegion, "eu-west-1"} {
		if got := stack(region).StackStatus; got != types.StackStatusCreateComplete {
			t.Errorf("the stack in %s is %s", region, got)
		}
	}
	if out, err := run("aws", "iam", "list-roles", "--query", "length(Roles[?starts_with(RoleName, `drawbridge-member-`)])"); err != nil || len(strings.TrimSpace(out)) < 2 {
		t.Errorf("the account has %s roles, %v", out, err)
	}

	// A value that changed in cdk.json gets into the stack that is there.
	write(file, strings.ReplaceAll(template.Member, `"Default": "drawbridge-local"`, `"Default": "another=one"`))
	if out, err := deploy(DefaultRegion); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	changed := false
	for _, p := range stack(DefaultRegion).Parameters {
		changed = changed || aws.ToString(p.ParameterKey) == "ExternalId" && aws.ToString(p.ParameterValue) == "another=one"
	}
	if !changed {
		t.Errorf("after the second deployment the stack has %+v", stack(DefaultRegion).Parameters)
	}

	// One that is not filled in stops it before anything is made.
	write(file, strings.ReplaceAll(template.Member, `"Default": "drawbridge-local",`, ""))
	if out, err := deploy(DefaultRegion); err == nil || !strings.Contains(out, "ExternalId has no value") {
		t.Errorf("without a value: %v\n%s", err, out)
	}
	if out, err := run("aws", "s3", "ls"); err != nil || strings.TrimSpace(out) != "" {
		t.Errorf("buckets are left over: %s, %v", out, err)
	}
}
