package event

import "encoding/json"

// ContestToReport is the detail-type of Drawbridge's own event that something of a connection is contested, of which its owners may not have been told.
const ContestToReport = "Contest To Report"

// ContestReport is the detail of [ContestToReport].
type ContestReport struct {
	Connection string `json:"connection"` // its id in the ledger
	Reason     string `json:"reason"`
}

// DetailType returns the detail-type of the event.
func (ContestReport) DetailType() string { return ContestToReport }

func (c *Changed) contest(detail json.RawMessage) error {
	var d ContestReport
	if err := strictly(detail, &d); err != nil {
		return err
	}
	if d.Connection == "" || len(d.Connection) > 2048 {
		return invalid("detail.connection %q is no connection", clip(d.Connection))
	}
	c.Contest = d.Connection
	return nil
}

// contestToReport reads the event for machines that name one thing: to them it is nothing.
func contestToReport(out Event, detail json.RawMessage) (Event, error) {
	var c Changed
	if err := c.contest(detail); err != nil {
		return Event{}, err
	}
	out.Why = "the contest of " + clip(c.Contest) + " is reported by drawbridge-change"
	return out, nil
}
