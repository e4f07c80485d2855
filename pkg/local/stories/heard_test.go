package stories

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/tagtest"
)

// TestEveryRecordOfEveryTagIsHeard puts every record that announces a tag, in every shape, on the default bus of its account: exactly one rule
// of the member forwards it, exactly one rule of the hub hands it to the right machine, and the execution ends well though the thing is
// not there.
func TestEveryRecordOfEveryTagIsHeard(t *testing.T) {
	roughen(t)
	ctx := limited(t, 15*time.Minute)
	cells := tagtest.Cells()
	begin(ctx, t)
	ids := make([]string, len(cells))
	for n, c := range cells {
		var e struct {
			Source     string          `json:"source"`
			DetailType string          `json:"detail-type"`
			Account    string          `json:"account"`
			Region     string          `json:"region"`
			Resources  []string        `json:"resources"`
			Detail     json.RawMessage `json:"detail"`
		}
		if err := json.Unmarshal(c.Event, &e); err != nil {
			t.Fatal(err)
		}
		got, err := eventbridge.NewFromConfig(engine.Config(e.Account, e.Region)).PutEvents(ctx, &eventbridge.PutEventsInput{
			// An hour ago, so that nobody waits for what EC2 may not show yet.
			Entries: []types.PutEventsRequestEntry{{Time: aws.Time(time.Now().Add(-time.Hour)), Source: &e.Source, DetailType: &e.DetailType, Resources: e.Resources, Detail: aws.String(string(e.Detail))}}})
		if err != nil || got.FailedEntryCount > 0 {
			t.Fatalf("%s: %v", c.Name, err)
		}
		ids[n] = aws.ToString(got.Entries[0].EventId)
	}
	ends := until(ctx, t, len(cells))
	deliveries := map[string][]story.Delivery{}
	announced := 0
	for _, f := range engine.Story().Facts() {
		switch f := f.(type) {
		case story.Delivery:
			deliveries[f.EventID] = append(deliveries[f.EventID], f)
		case story.Step:
			if f.State == "FindConnections" && strings.HasPrefix(f.Outcome(), "Announced") {
				announced++
			}
		}
	}
	looks := 0
	for n, c := range cells {
		machine := "drawbridge-change"
		if c.Record.Machine != "" {
			machine = "drawbridge-" + c.Record.Machine
		}
		var heard []string
		for _, d := range deliveries[ids[n]] {
			if d.Error != "" {
				t.Errorf("%s: %s: %s", c.Name, d.Rule, d.Error)
			}
			heard = append(heard, d.Target[strings.LastIndexAny(d.Target, ":/")+1:])
		}
		slices.Sort(heard)
		if want := []string{"drawbridge", machine}; !slices.Equal(heard, want) {
			t.Errorf("%s is handed to %v, want %v", c.Name, heard, want)
		}
		// What names itself leads to a look even if it is not there; the connections of what is not there are none, nor is a notebook.
		itself := slices.Contains([]tag.Kind{tag.Peering, tag.Gateway, tag.Attachment, tag.Role, tag.Domain}, c.Wish.On)
		if itself && machine == "drawbridge-change" {
			looks++
		}
	}
	if announced < looks || looks < 30 {
		t.Errorf("%d executions asked for looks, want at least %d", announced, looks)
	}
	for _, e := range ends {
		// Redshift Serverless cannot be served, and the owner is told so by an execution that fails.
		if e.Status != "SUCCEEDED" && !(e.Machine == "drawbridge-studio" && e.Error == "Conflict") {
			t.Errorf("%s of %s: %s: %s", e.Status, e.Machine, e.Error, e.Cause)
		}
	}
}
