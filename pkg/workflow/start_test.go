package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type in struct {
	Execution string `json:"execution"`
}
type out struct {
	Said string `json:"said"`
}

func echo(_ context.Context, i in) (out, error) { return out{Said: i.Execution}, nil }

func TestInputIsStrict(t *testing.T) {
	for name, payload := range map[string]string{
		"unknown field":      `{"execution":"x","exekution":"y"}`,
		"wrong type":         `{"execution":7}`,
		"not JSON":           `execution`,
		"two values":         `{"execution":"x"}{"execution":"y"}`,
		"nothing":            ``,
		"hostile CIDR field": `{"execution":"x","cidr":"10.0.0.0/8; rm -rf /"}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := workflow.Handler(echo).Invoke(context.Background(), []byte(payload))
			var named messages.InvokeResponse_Error
			if !errors.As(err, &named) || named.Type != string(fault.Invalid) {
				t.Errorf("error = %#v, want one named Invalid", err)
			}
		})
	}
}

func TestErrorsKeepTheirKindHoweverWrapped(t *testing.T) {
	for _, kind := range fault.Kinds() {
		step := func(context.Context, in) (out, error) {
			return out{}, fmt.Errorf("adding routes: %w", fmt.Errorf("rtb-1: %w", fault.New(kind, "no")))
		}
		_, err := workflow.Handler(step).Invoke(context.Background(), []byte(`{}`))
		var named messages.InvokeResponse_Error
		if !errors.As(err, &named) || named.Type != string(kind) || !strings.Contains(named.Message, "rtb-1") {
			t.Errorf("error = %#v, want type %s and the whole message", err, kind)
		}
	}
}

func ExampleHandler() {
	said, err := workflow.Handler(echo).Invoke(context.Background(), []byte(`{"execution":"2026-11-22-a"}`))
	fmt.Println(string(said), err)
	// Output: {"said":"2026-11-22-a"} <nil>
}
