package main

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"
)

// TestNothingIsAnnotated holds the app to cdk-nag's AwsSolutions and to its own warnings: a complete configuration
// makes neither an error nor a warning.
func TestNothingIsAnnotated(t *testing.T) {
	stacks := *synth(t, local).Stacks()
	if len(stacks) != 3 {
		t.Fatalf("the app has %d stacks", len(stacks))
	}
	for _, stack := range stacks {
		for _, m := range *stack.Messages() {
			if m.Level != cxapi.SynthesisMessageLevel_INFO {
				t.Errorf("%s: %v: %v", *m.Id, m.Level, m.Entry.Data)
			}
		}
	}
}

// The reasons in nag.go must be what makes the test above pass, not a check that never ran.
func TestCdkNagFindsWhatNoReasonAnswers(t *testing.T) {
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir())})
	stack := awscdk.NewStack(app, jsii.String("bare"), nil)
	awssqs.NewQueue(stack, jsii.String("Queue"), nil)
	check(app, stack, stack)
	for _, m := range *app.Synth(nil).GetStackByName(jsii.String("bare")).Messages() {
		if m.Level == cxapi.SynthesisMessageLevel_ERROR {
			return
		}
	}
	t.Error("cdk-nag has nothing to say about a queue that takes plain HTTP")
}
