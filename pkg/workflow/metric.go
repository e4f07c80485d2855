package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// A Metric is the name of something that Drawbridge counts or times. The hub's dashboard shows each.
type Metric string

// The metrics, in the namespace [Namespace].
const (
	Requests        Metric = "Requests"        // somebody requested a peering
	Connections     Metric = "Connections"     // an execution ended Connected
	PartConnections Metric = "PartConnections" // an execution ended PartlyConnected
	ApprovalsNeeded Metric = "ApprovalsNeeded" // an owner was asked
	Refusals        Metric = "Refusals"        // an execution ended Refused
	Removals        Metric = "Removals"        // what was added for a connection was taken away
	StuckApprovals  Metric = "StuckApprovals"  // people were told that a request waits too long for its owner
	ExpiredRequests Metric = "ExpiredRequests" // people were told that a request expired
	TimeToConnect   Metric = "TimeToConnect"   // seconds from the event to Connected
	// Faults are failed attempts of a step, by the dimension [KindDimension]. The machine retries most of them.
	Faults Metric = "Faults"
)

// Metrics lists every metric.
func Metrics() []Metric {
	return []Metric{Requests, Connections, PartConnections, ApprovalsNeeded, Refusals, Removals, StuckApprovals, ExpiredRequests, TimeToConnect, Faults}
}

const (
	// Namespace is where CloudWatch keeps the metrics.
	Namespace = "Drawbridge"
	// KindDimension is the dimension of [Faults]: one of [fault.Kinds].
	KindDimension = "Kind"
)

// measurements are what one run of a step measured.
type measurements struct {
	mu     sync.Mutex
	values map[Metric]float64
}

type measuring struct{}

// Measure adds value to a metric; it is written when the step has ended. Outside a step it does nothing.
func Measure(ctx context.Context, m Metric, value float64) {
	if all, ok := ctx.Value(measuring{}).(*measurements); ok {
		all.mu.Lock()
		defer all.mu.Unlock()
		all.values[m] += value
	}
}

// measure runs f and writes, as one line of CloudWatch's embedded metric format, what it measured, and its error's kind.
// CloudWatch makes metrics of such lines in the function's log by itself.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func measure[O any](ctx context.Context, out io.Writer, execution string, f func(context.Context) (O, error)) (O, error) {
	all := &measurements{values: map[Metric]float64{}}
	result, err := f(context.WithValue(ctx, measuring{}, all))
	all.mu.Lock()
	defer all.mu.Unlock()
	kind := fault.Of(err)
	if kind != "" {
		all.values[Faults]++
	}
	if len(all.values) > 0 {
		if _, failed := out.Write(embedded(all.values, kind, execution, time.Now())); failed != nil {
			slog.ErrorContext(ctx, "writing metrics", "error", failed)
		}
	}
	return result, err
}

// embedded returns the values in the embedded metric format, as one line.
func embedded(values map[Metric]float64, kind fault.Kind, execution string, now time.Time) []byte {
	type definition struct {
		Name Metric
		Unit string
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	line := map[string]any{"function": os.Getenv("AWS_LAMBDA_FUNCTION_NAME"), "execution": execution}
	plain := directive{Namespace, [][]string{{}}, nil}
	var directives []directive
	for _, m := range slices.Sorted(maps.Keys(values)) {
		line[string(m)] = values[m]
		switch m {
		case Faults:
			line[KindDimension] = kind
			directives = append(directives, directive{Namespace, [][]string{{KindDimension}}, []definition{{m, "Count"}}})
		case TimeToConnect:
			plain.Metrics = append(plain.Metrics, definition{m, "Seconds"})
		default:
			plain.Metrics = append(plain.Metrics, definition{m, "Count"})
		}
	}
	if len(plain.Metrics) > 0 {
		directives = append(directives, plain)
	}
	line["_aws"] = map[string]any{"Timestamp": now.UnixMilli(), "CloudWatchMetrics": directives}
	encoded, err := json.Marshal(line)
	if err != nil {
		return fmt.Appendf(nil, "writing metrics: %v\n", err)
	}
	return append(encoded, '\n')
}
