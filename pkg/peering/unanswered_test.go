package peering_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestStuck(t *testing.T) {
	requested := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	const expires = "2026-11-29T09:00:00Z"
	for name, c := range map[string]struct {
		expires string
		days    int
		after   time.Duration
		want    bool
	}{
		"fresh":                              {expires, 3, time.Hour, false},
		"almost three days":                  {expires, 3, 72*time.Hour - time.Second, false},
		"three days":                         {expires, 3, 72 * time.Hour, true},
		"no patience":                        {expires, 0, 0, true},
		"much patience, and a day and a bit": {expires, 7, 6*24*time.Hour - time.Second, false},
		"much patience, but a day is left":   {expires, 7, 6 * 24 * time.Hour, true},
		"AWS does not say when it expires":   {"", 3, 100 * time.Hour, false},
	} {
		if got := peering.Stuck(c.expires, time.Duration(c.days)*24*time.Hour, requested.Add(c.after)); got != c.want {
			t.Errorf("%s: stuck is %v", name, got)
		}
	}
}

func TestAnExpiredRequestIsToldToPeople(t *testing.T) {
	for result, did := range map[workflow.Result]string{
		workflow.Expired:  "[Connection Removed Attention Needed publish for 222222222222]",
		workflow.Rejected: "[Connection Removed]",
	} {
		d := &desk{}
		in := workflow.ConcludeRemovalInput{Execution: "run-1", Result: result, Reason: "nobody answered", Connection: request().Connection}
		out, err := peering.Conclude(context.Background(), d.managed(in.Connection), func(workflow.StatusResource) connection.Untagger { return untagged{} }, d.bus(), notice.Topic{API: d, ARN: "topic"}, look.Asker{API: d}, in)
		if err != nil || out.Result != result || fmt.Sprint(d.did) != did {
			t.Errorf("%s: %+v after %v, %v", result, out, d.did, err)
		}
	}
}

// What falls short of one of the two VPCs may have lacked what the connection had, as the route to a range that a third VPC has as well.
func TestWhatFallsShortBesideAConnectionThatIsOverIsLookedAt(t *testing.T) {
	d := &desk{}
	in := workflow.ConcludeRemovalInput{Execution: "run-1", Result: workflow.Removed, Reason: "gone", Connection: request().Connection}
	l := d.managed(in.Connection)
	for id, as := range map[string]workflow.Result{"pcx-00000002": workflow.PartlyConnected, "pcx-00000003": workflow.RefusedByPolicy, "pcx-00000004": workflow.Connected, "pcx-00000005": workflow.AwaitingApproval} {
		for n, end := range []workflow.VPC{in.Connection.Requester, in.Connection.Accepter} { // one beside each of the two
			other := in.Connection
			other.ID = fmt.Sprintf("%s%d", id, n)
			other.Requester, other.Accepter = end, workflow.VPC{Account: "333333333333", Region: end.Region, ID: "vpc-00000003"}
			entry := connection.Entry(other, road.Peering, ledger.Requested)
			entry.Status = ledger.Status(as)
			if _, err := l.Begin(t.Context(), entry); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := peering.Conclude(t.Context(), l, func(workflow.StatusResource) connection.Untagger { return untagged{} }, d.bus(), notice.Topic{API: d, ARN: "topic"}, look.Asker{API: d}, in); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"pcx-000000020", "pcx-000000021", "pcx-000000030", "pcx-000000031"} {
		if !slices.ContainsFunc(d.looks, func(l string) bool { return strings.Contains(l, id) }) {
			t.Errorf("no look at %s: %v", id, d.looks)
		}
	}
	if len(d.looks) != 4 {
		t.Error(d.looks)
	}
}

func TestWhatPeopleAreToldOfARequestSaysWhatWhereWhyAndWhatToDo(t *testing.T) {
	in := request()
	ended := workflow.ConcludeRemovalInput{Execution: "run-1", Reason: "nobody answered", Connection: in.Connection}
	for name, a := range map[string]notice.Attention{
		"stuck":   notice.StuckApproval(in, "approve it", "reject it"),
		"expired": notice.ExpiredRequest(ended),
	} {
		text := notice.Message(a).Body
		for _, must := range []string{"pcx-0123456789abcdef0", "222222222222", "Why", "What to do", "docs/runbook.md#", "https://us-east-1.console.aws.amazon.com/vpcconsole/"} {
			if !strings.Contains(text, must) {
				t.Errorf("%s: the notification lacks %q:\n%s", name, must, text)
			}
		}
	}
}
