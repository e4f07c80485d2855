// Command infra is the CDK app of Drawbridge. It makes three stacks:
//
//   - drawbridge-hub, in the account that runs Drawbridge: bus, rules, machines, functions (hub.go)
//   - drawbridge-organization, in the same account: the StackSet that makes accounts members (organization.go)
//   - drawbridge-member, what such a member has; to be deployed by hand only in the organization's management account,
//     which StackSets leave out (member.go)
//
// What differs between organizations is in the context of cdk.json (config.go). The templates as everybody gets them,
// and the machines in readable form, are in the package template beside this one; a test holds them equal to what is
// made here.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	closeNode()
	if err != nil {
		os.Exit(1)
	}
}

// run synthesizes the app into the folder that the CDK command line asks for.
func run() error {
	if err := checkNode(); err != nil {
		return err
	}
	dir, err := root()
	if err != nil {
		return err
	}
	app := awscdk.NewApp(nil)
	c, err := LoadConfig(contextOf(app))
	if err != nil {
		return err
	}
	if err := stacks(app, c, dir); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}

// contextOf returns all that the app's context says. jsii hands objects over in an envelope.
func contextOf(app awscdk.App) map[string]any {
	context, _ := app.Node().GetAllContext(nil).(map[string]any)
	for key, value := range context {
		if envelope, ok := value.(map[string]any); ok && len(envelope) == 1 && envelope["$jsii.map"] != nil {
			context[key] = envelope["$jsii.map"]
		}
	}
	return context
}

// stacks puts all the stacks into the app. dir is the root of the repository.
func stacks(app awscdk.App, c Config, dir string) error {
	functions := c.Functions
	if !filepath.IsAbs(functions) {
		functions = filepath.Join(dir, functions)
	}
	if err := checkBuilt(functions); err != nil {
		return err
	}
	policy, err := readPolicy(dir, c.Policy)
	if err != nil {
		return err
	}
	body, err := memberBody(contextOf(app))
	if err != nil {
		return err
	}
	hub := newHub(app, c, policy, functions)
	organization, err := newOrganization(app, c, body)
	if err != nil {
		return err
	}
	organization.AddDependency(hub, jsii.String("members forward to the hub's bus"))
	member := newMember(app, c)
	// `make deploy` deploys nothing while there are warnings.
	if sentence := c.Missing(); sentence != "" {
		awscdk.Annotations_Of(hub).AddWarningV2(jsii.String("drawbridge:missing"), jsii.String(sentence))
	}
	for _, sentence := range c.regionNotes() {
		awscdk.Annotations_Of(hub).AddInfo(jsii.String(sentence))
	}
	check(app, hub, member)
	return nil
}

// memberBody returns the member stack's template as the StackSet carries it. What the context tells the CDK, such as a
// permissions boundary for all roles, holds for it too.
func memberBody(context map[string]any) (string, error) {
	out, err := os.MkdirTemp("", "drawbridge-member-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(out)
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(out), AnalyticsReporting: jsii.Bool(false), Context: &context})
	// The parameters come from the StackSet.
	stack := newMember(app, Config{})
	template := app.Synth(nil).GetStackArtifact(stack.ArtifactId()).Template()
	body, err := json.Marshal(template)
	if err != nil {
		return "", err
	}
	return string(body), nil
}
