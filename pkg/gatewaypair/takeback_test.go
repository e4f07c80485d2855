package gatewaypair_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/gatewaypair"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// viewed is a pair that is managed, and of which what the gateway's owner sees was read; the owner has an account of its own.
func viewed(change func(*gatewaypair.Question)) gatewaypair.Question {
	q := both()
	q.Gateway.Owner, q.Viewed, q.Managed = "333333333333", true, true
	for n := range q.Ends {
		q.Ends[n].Association = "associated"
		q.Ends[n].Entry = ledger.Connection{ID: q.Ends[n].Attachment.ID, Status: ledger.Status(workflow.Attached), Facts: map[string]string{"table": "tgw-rtb-1"}}
	}
	change(&q)
	return q
}

func TestWishes(t *testing.T) {
	tag := func(key, value string) map[string]string { return map[string]string{"drawbridge:" + key: value} }
	for name, c := range map[string]struct {
		change   func(*gatewaypair.Question)
		want     workflow.Answer
		released bool
		by       string
	}{
		"nobody says anything":        {func(*gatewaypair.Question) {}, "", false, ""},
		"the VPC's owner lets go":     {func(q *gatewaypair.Question) { q.Ends[1].Attachment.Tags = tag("manage", "false") }, workflow.AnswerDisconnect, true, ""},
		"the gateway's owner lets go": {func(q *gatewaypair.Question) { q.Ends[1].Owner = tag("manage", "false") }, workflow.AnswerDisconnect, true, ""},
		"the gateway's owner undoes":  {func(q *gatewaypair.Question) { q.Ends[0].Owner = tag("manage", "undo") }, workflow.AnswerDisconnect, false, ""},
		"one undoes, the other lets go": {func(q *gatewaypair.Question) {
			q.Ends[0].Owner, q.Ends[0].Attachment.Tags = tag("manage", "false"), tag("manage", "undo")
		}, workflow.AnswerDisconnect, false, ""},
		"the same, of one that is not managed":   {func(q *gatewaypair.Question) { q.Managed, q.Ends[0].Owner = false, tag("manage", "false") }, workflow.AnswerNothing, false, ""},
		"the gateway's owner rejects":            {func(q *gatewaypair.Question) { q.Ends[1].Owner = tag("approval", "rejected") }, workflow.AnswerDisconnect, false, "333333333333"},
		"the VPC's owner rejects":                {func(q *gatewaypair.Question) { q.Ends[1].Attachment.Tags = tag("approval", "rejected") }, workflow.AnswerDisconnect, false, "222222222222"},
		"the gateway takes nobody":               {func(q *gatewaypair.Question) { q.Gateway.Tags = tag("accept", "never") }, workflow.AnswerDisconnect, false, "333333333333"},
		"the same, of one that is not managed, ": {func(q *gatewaypair.Question) { q.Managed, q.Gateway.Tags = false, tag("accept", "never") }, workflow.AnswerNothing, false, ""},
		"it was taken out of the table":          {func(q *gatewaypair.Question) { q.Ends[0].Association = "" }, workflow.AnswerDisconnect, false, "333333333333"},
		"it is on its way out":                   {func(q *gatewaypair.Question) { q.Ends[0].Association = "disassociating" }, "", false, ""},
		"nothing of the gateway was read":        {func(q *gatewaypair.Question) { q.Viewed, q.Ends[0].Association = false, "" }, "", false, ""},
		"found, connected, not in a table": {func(q *gatewaypair.Question) {
			q.Ends[0].Association, q.Ends[0].Entry, q.Before = "", ledger.Connection{}, true
		}, "", false, ""},
		"the same, for a minute": {func(q *gatewaypair.Question) {
			q.Ends[0].Association, q.Ends[0].Entry, q.Before, q.Looks = "", ledger.Connection{}, true, 12
		}, workflow.AnswerDisconnect, false, "333333333333"},
	} {
		v, released, settled := gatewaypair.Wishes(viewed(c.change))
		if v.Answer != c.want || released != c.released || settled != (c.want != "") {
			t.Errorf("%s: %+v, released %t, want %q", name, v, released, c.want)
		}
		if c.by == "" {
			continue
		}
		if !strings.Contains(v.Reason, c.by+" takes it back") || !strings.Contains(v.Said.Requester, c.by) || !strings.Contains(v.Said.Accepter, c.by) {
			t.Errorf("%s: %+v", name, v)
		}
		if c.by == "333333333333" && (strings.Contains(v.Said.Requester+v.Said.Accepter, "table") || strings.Contains(v.Said.Requester+v.Said.Accepter, "drawbridge:")) {
			t.Errorf("%s: the VPCs' owners hear %+v", name, v.Said)
		}
	}
}

func TestKept(t *testing.T) {
	with := func(status workflow.Result) func(*gatewaypair.Question) {
		return func(q *gatewaypair.Question) {
			q.Ends[1].Association, q.Ends[1].Entry.Status = "", ledger.Status(status)
		}
	}
	for name, c := range map[string]struct {
		change func(*gatewaypair.Question)
		want   bool
	}{
		"both are in a table":         {func(*gatewaypair.Question) {}, false},
		"one is not, and is found":    {func(q *gatewaypair.Question) { q.Ends[1].Association, q.Ends[1].Entry = "", ledger.Connection{} }, true},
		"one is not, and was refused": {with(workflow.RefusedByPolicy), true},
		"one is not, and taken back":  {with(workflow.Removed), true},
		"one is not yet":              {with(""), false},
		"it is on its way": {func(q *gatewaypair.Question) {
			q.Ends[1].Association, q.Ends[1].Entry = "associating", ledger.Connection{}
		}, false},
	} {
		if v, kept := gatewaypair.Kept(viewed(c.change)); kept != c.want || kept && v.Answer != workflow.AnswerNothing {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
