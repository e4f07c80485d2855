package workflow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
)

// A Step is what a function does: one typed input, one typed output, an error of a known kind.
type Step[I, O any] func(ctx context.Context, in I) (O, error)

// Start serves step as a Lambda function. It does not return.
func Start[I, O any](step Step[I, O]) {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	lambda.Start(Handler(step))
}

// Handler adapts step to the Lambda runtime: it decodes the input strictly and names the error by its kind.
func Handler[I, O any](step Step[I, O]) lambda.Handler { return handler[I, O]{step, os.Stdout} }

// Rehearsed is [Handler] for a step that changes nothing: what it measures counts nowhere.
func Rehearsed[I, O any](step Step[I, O]) lambda.Handler { return handler[I, O]{step, io.Discard} }

type handler[I, O any] struct {
	step    Step[I, O]
	metrics io.Writer
}

// Invoke implements [lambda.Handler].
func (h handler[I, O]) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var in I
	if err := decode(payload, &in); err != nil {
		return nil, name(ctx, fault.New(fault.Invalid, "reading the input of this step: %v", err))
	}
	var about struct {
		Execution string `json:"execution"`
	}
	_ = json.Unmarshal(payload, &about) // for the metrics only; a listener's event has none
	out, err := measure(ctx, h.metrics, about.Execution, func(ctx context.Context) (O, error) { return h.step(ctx, in) })
	if err != nil {
		return nil, name(ctx, err)
	}
	Shorten(&out)
	encoded, err := json.Marshal(out)
	if err != nil {
		return nil, name(ctx, fault.New(fault.Invalid, "writing the output of this step: %v", err))
	}
	if err := fits(len(encoded)); err != nil {
		return nil, name(ctx, err)
	}
	return encoded, nil
}

func decode(payload []byte, in any) error {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(in); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("something follows the JSON value")
	}
	return nil
}

// name turns err into the one form whose type the Lambda runtime hands to Step Functions unchanged.
// The runtime reports only the outermost Go type of an error; a wrapped error would be called wrapError and
// no Retry would match it.
func name(ctx context.Context, err error) error {
	kind := fault.Of(err)
	if kind == fault.Held {
		slog.InfoContext(ctx, "step held back", "why", err.Error())
	} else {
		slog.ErrorContext(ctx, "step failed", "kind", kind, "error", err.Error())
	}
	return messages.InvokeResponse_Error{Type: string(kind), Message: cut(err.Error(), maxCause)}
}

// Brief returns an error of the same kind with a text of at most size bytes, for where many are carried together. What is cut stands in the log.
func Brief(ctx context.Context, err error, size int) error {
	if err == nil || len(err.Error()) <= size {
		return err
	}
	slog.ErrorContext(ctx, "cutting what is told of an error", "error", err.Error())
	return &fault.Error{Kind: fault.Of(err), Message: cut(err.Error(), size)}
}

// wire is what the SDK writes of the HTTP answer before the code and the message of AWS.
var wire = regexp.MustCompile(`https response error StatusCode: \d+, RequestID: [^,]*, (?:HostID: [^,]*, )?(?:api error )?`)

// cut returns text within size bytes. What the SDK writes of HTTP goes first; the remedy, which stands at the end, is kept, and what it is for is cut.
func cut(text string, size int) string {
	if len(text) > size {
		text = wire.ReplaceAllString(text, "")
	}
	what, remedy, found := strings.Cut(text, "; remedy: ")
	if len(text) <= size || !found {
		return fit.Bytes(text, size)
	}
	remedy = "; remedy: " + fit.Bytes(remedy, size/2)
	if len(remedy) >= size {
		return fit.Bytes(text, size)
	}
	return fit.Bytes(what, size-len(remedy)) + remedy
}
