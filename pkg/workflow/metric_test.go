package workflow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// emf is as much of the embedded metric format as CloudWatch needs to see.
type emf struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

func TestWhatAStepMeasuresIsOneLineForCloudWatch(t *testing.T) {
	for name, c := range map[string]struct {
		step    func(context.Context)
		err     error
		metrics string // "name unit dimensions = value" for each
	}{
		"nothing to tell": {func(context.Context) {}, nil, ""},
		"counted twice": {func(ctx context.Context) { Measure(ctx, Requests, 1); Measure(ctx, Requests, 1) }, nil,
			"Requests Count [[]] = 2\n"},
		"count and time": {func(ctx context.Context) { Measure(ctx, TimeToConnect, 12.5); Measure(ctx, Connections, 1) }, nil,
			"Connections Count [[]] = 1\nTimeToConnect Seconds [[]] = 12.5\n"},
		"a fault by its kind": {func(context.Context) {}, fault.New(fault.Conflict, "in the way"),
			"Faults Count [[Kind]] = 1\n"},
		"a fault after something was counted": {func(ctx context.Context) { Measure(ctx, Requests, 1) }, fault.New(fault.Transient, "busy"),
			"Faults Count [[Kind]] = 1\nRequests Count [[]] = 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			_, err := measure(context.Background(), &out, "run-1", func(ctx context.Context) (int, error) { c.step(ctx); return 0, c.err })
			if err != c.err {
				t.Errorf("error = %v, want %v", err, c.err)
			}
			if c.metrics == "" {
				if out.Len() > 0 {
					t.Errorf("wrote %s", out.String())
				}
				return
			}
			if bytes.Count(out.Bytes(), []byte("\n")) != 1 {
				t.Fatalf("wrote %q, want one line", out.String())
			}
			var line emf
			var values map[string]any
			if json.Unmarshal(out.Bytes(), &line) != nil || json.Unmarshal(out.Bytes(), &values) != nil {
				t.Fatalf("not JSON: %s", out.String())
			}
			got := ""
			for _, d := range line.AWS.CloudWatchMetrics {
				for _, m := range d.Metrics {
					got += fmt.Sprintf("%s %s %v = %v\n", m.Name, m.Unit, d.Dimensions, values[m.Name])
				}
				for _, dimension := range d.Dimensions[0] {
					if values[dimension] != string(fault.Of(c.err)) {
						t.Errorf("%s = %v", dimension, values[dimension])
					}
				}
				if d.Namespace != Namespace {
					t.Errorf("namespace %q", d.Namespace)
				}
			}
			if got != c.metrics || line.AWS.Timestamp == 0 || values["execution"] != "run-1" {
				t.Errorf("got\n%swant\n%sin %s", got, c.metrics, out.String())
			}
		})
	}
}

func TestMeasuringOutsideAStepDoesNothing(*testing.T) { Measure(context.Background(), Requests, 1) }
