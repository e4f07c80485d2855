package event

import (
	"encoding/json"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// FailureToReport is the detail-type of Drawbridge's own event that an execution ended without saying so on what it was about: it failed, was stopped, or took too long.
const FailureToReport = "Failure To Report"

// FailureReport is the detail of [FailureToReport].
type FailureReport struct {
	Execution string `json:"execution"` // its ARN
	Reason    string `json:"reason"`
}

// DetailType returns the detail-type of the event.
func (FailureReport) DetailType() string { return FailureToReport }

func (c *Changed) failure(detail json.RawMessage) error {
	var d FailureReport
	if err := strictly(detail, &d); err != nil {
		return err
	}
	a, err := arn.Parse(d.Execution)
	if err != nil || a.Service != "states" || !strings.HasPrefix(a.Resource, "execution:drawbridge-") || len(d.Execution) > 256 {
		return invalid("detail.execution %q is no execution", clip(d.Execution))
	}
	c.Failed = d.Execution
	return nil
}

// failureToReport reads the event for machines that name one thing: to them it is nothing.
func failureToReport(out Event, detail json.RawMessage) (Event, error) {
	var c Changed
	if err := c.failure(detail); err != nil {
		return Event{}, err
	}
	out.Why = "the failure of " + clip(c.Failed) + " is reported by drawbridge-change"
	return out, nil
}
