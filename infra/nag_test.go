package main

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
)

// TestNothingIsAnnotated holds the app to cdk-nag's AwsSolutions and to its own warnings: a complete configuration
// makes neither an error nor a warning.
func TestNothingIsAnnotated(t *testing.T) {
	for _, stack := range *synth(t, local).Stacks() {
		for _, m := range *stack.Messages() {
			if m.Level != cxapi.SynthesisMessageLevel_INFO {
				t.Errorf("%s: %v: %v", *m.Id, m.Level, m.Entry.Data)
			}
		}
	}
}
