package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

// TestAReleaseIsDeployedByTheAWSCLI runs deploy.sh against the local engine, in an account that has nothing of Drawbridge's, on a PATH without Go, Node.js
// and the CDK.
func TestAReleaseIsDeployedByTheAWSCLI(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it plays on the local engine")
	}
	if _, err := os.ReadDir("."); err != nil { // so that `go test` sees when deploy.sh has changed
		t.Fatal(err)
	}
	const account = "999999999999"
	cli := filepath.Dir(tool(t, ".venv-docs/bin/aws"))
	root := filepath.Dir(filepath.Dir(cli))
	engine, err := local.Start(context.Background(), local.Options{Root: root, Outside: []string{account}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	dir := released(t, time.Now())
	deploy := func(arguments ...string) (string, error) {
		command := exec.Command(filepath.Join(dir, "deploy.sh"), arguments...)
		command.Env = append(os.Environ(), "PATH="+cli+":/usr/bin:/bin", "AWS_DEFAULT_REGION="+local.DefaultRegion,
			// moto reads a template from a bucket only if this host is called localhost.
			"AWS_ENDPOINT_URL="+strings.Replace(engine.URL(), "127.0.0.1", "localhost", 1), "AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY=any")
		out, err := command.CombinedOutput()
		return string(out), err
	}
	for _, arguments := range [][]string{nil, {"hub"}, {"all", "bucket"}} {
		if out, err := deploy(arguments...); err == nil || !strings.Contains(out, "./deploy.sh hub BUCKET OrganizationId=") {
			t.Errorf("deploy.sh %v: %v\n%s", arguments, err, out)
		}
	}
	given := map[string][]string{
		"hub":    {"OrganizationId=" + local.Organization, "Regions=us-east-1,eu-west-1"},
		"member": {"OrganizationId=" + local.Organization, "HubAccount=" + account, "HubBusArn=arn:aws:events:us-east-1:" + account + ":event-bus/drawbridge", "HomeRegion=us-east-1"},
	}
	client := cloudformation.NewFromConfig(local.ClientConfig(engine.URL(), account, local.DefaultRegion))
	for _, what := range []string{"hub", "member"} {
		if out, err := deploy(append([]string{what, "drawbridge-release"}, given[what]...)...); err != nil {
			t.Fatalf("%s: %v\n%s", what, err, out)
		}
		out, err := client.DescribeStacks(context.Background(), &cloudformation.DescribeStacksInput{StackName: aws.String("drawbridge-" + what)})
		if err != nil || len(out.Stacks) != 1 || out.Stacks[0].StackStatus != types.StackStatusCreateComplete {
			t.Errorf("%s: %+v, %v", what, out, err)
		}
	}

	// A file that is not the one that was released stops it.
	if err := os.WriteFile(filepath.Join(dir, "drawbridge-hub.template.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := deploy("hub", "drawbridge-release"); err == nil || !strings.Contains(out, "get the release anew") {
		t.Errorf("with another template: %v\n%s", err, out)
	}
}
