package template

import (
	"strings"
	"testing"
)

// What fails or waits raises an alarm. Those whose notification comes from a step or a listener, which knows the thing and
// the remedy, have no action of their own, so that people are told once.
func TestWhatFailsOrWaitsRaisesAnAlarm(t *testing.T) {
	wanted := map[string]struct {
		metric string
		tells  bool
	}{
		"drawbridge-peering-failed":       {"ExecutionsFailed", false},
		"drawbridge-sweep-failed":         {"ExecutionsFailed", false},
		"drawbridge-peering-timed-out":    {"ExecutionsTimedOut", false},
		"drawbridge-dead-letters-waiting": {"ApproximateNumberOfMessagesVisible", true},
		"drawbridge-stuck-approval":       {"StuckApprovals", false},
		"drawbridge-expired-request":      {"ExpiredRequests", false},
	}
	for _, r := range read(t, Hub).Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		name := r.Properties["AlarmName"].(string)
		want, known := wanted[name]
		if !known {
			continue
		}
		delete(wanted, name)
		_, tells := r.Properties["AlarmActions"]
		about, _ := r.Properties["AlarmDescription"].(string)
		if r.Properties["MetricName"] != want.metric || tells != want.tells || !strings.Contains(about, "What to do") && !strings.Contains(about, "what to do") {
			t.Errorf("%s: metric %v, tells %v: %q", name, r.Properties["MetricName"], tells, about)
		}
	}
	for name := range wanted {
		t.Errorf("there is no alarm %s", name)
	}
}
