package peering_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const (
	deleted = "DeleteVpcPeeringConnection"
	alpha   = "111111111111"
	beta    = "222222222222"
)

func TestEnding(t *testing.T) {
	for name, c := range map[string]struct {
		status  string
		expires bool
		entry   ledger.Status
		traces  bool
		want    workflow.Result
	}{
		"rejected by the accepter":                         {"rejected", true, "AwaitingApproval", false, workflow.Rejected},
		"nobody answered":                                  {"expired", true, "", false, workflow.Expired},
		"deleted while active":                             {"deleted", false, "Connected", true, workflow.Removed},
		"between Regions, deleting":                        {"deleting", false, "Connected", false, workflow.Removed},
		"deleted while pending":                            {"deleted", true, "AwaitingApproval", false, workflow.Withdrawn},
		"deleted while pending, the expiration is no more": {"deleted", false, "AwaitingApproval", false, workflow.Withdrawn},
		"a refused request that was deleted":               {"deleted", true, "Refused", false, workflow.Withdrawn},
		"traces beat an expiration time":                   {"deleted", true, "", true, workflow.Removed},
		"deleted before it was connected, nothing is left": {"deleted", false, "", false, workflow.Removed},
		"connected but for a network ACL":                  {"deleted", true, "Conflict", false, workflow.Removed},
	} {
		t.Run(name, func(t *testing.T) {
			p := peering.Peering{Status: c.status}
			if c.expires {
				p.Expires = "2026-11-29T09:00:00Z"
			}
			if got := peering.Ending(p, c.entry, c.traces); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// accounts are those in which something carries Drawbridge's tags.
func accounts(carriers []workflow.StatusResource) []string {
	out := []string{}
	for _, c := range carriers {
		out = append(out, c.Account)
	}
	return out
}

func TestInspectAPeeringThatIsOver(t *testing.T) {
	for name, c := range map[string]struct {
		world   *world
		result  workflow.Result
		sides   string // role
		tagged  string
		absent  string // words of each
		ended   bool
		without string // a call that is not made
	}{
		"deleted from one side, both are cleaned": {&world{status: "deleted", entry: "Connected", left: []string{"route 111", "route 222", "rule 222"}},
			workflow.Removed, "requester accepter", "[111111111111 222222222222]", "", true, ""},
		"the accepter's VPC is gone": {&world{status: "deleted", entry: "Connected", left: []string{"route 111", "route 222"}, gone: []string{beta}},
			workflow.Removed, "requester accepter", "[111111111111 222222222222]", "accepter vpc-2: the VPC is gone", true, ""},
		"AWS has forgotten it": {&world{entry: "Connected", left: []string{"route 111"}},
			workflow.Removed, "requester", "[]", "", true, ""},
		"the accepter's account left the organization": {&world{status: "deleted", entry: "Connected", left: []string{"route 111", "route 222"}, outside: []string{beta}},
			workflow.Removed, "requester", "[111111111111]", "outside the organization", true, "222"},
		"the accepter's roles are gone": {&world{status: "deleted", entry: "Connected", left: []string{"route 111", "route 222"}, closed: []string{beta}},
			workflow.Removed, "requester", "[111111111111]", "access denied", false, ""},
		"only a rule is left, only there": {&world{status: "deleted", left: []string{"rule 222"}},
			workflow.Removed, "accepter", "[]", "", true, ""},
		"a peering that was refused was never connected": {&world{status: "deleted", entry: "Refused"},
			workflow.Removed, "", "[111111111111 222222222222]", "", true, "DescribeRouteTables"},
		"a request that was withdrawn is cheap":  {&world{status: "deleted", expires: true, entry: "AwaitingApproval"}, workflow.Withdrawn, "", "[111111111111 222222222222]", "", true, "ListNotebookInstances"},
		"a request that was rejected is cheaper": {&world{status: "rejected", entry: "AwaitingApproval"}, workflow.Rejected, "", "[111111111111 222222222222]", "", true, "DescribeRouteTables"},
		"a request that was rejected, where the accepter's roles are gone": {&world{status: "rejected", entry: "AwaitingApproval", closed: []string{beta}},
			workflow.Rejected, "", "[111111111111]", "access denied", true, ""},
		"a request that expired unanswered": {&world{status: "expired", entry: "AwaitingApproval"}, workflow.Expired, "", "[111111111111 222222222222]", "", true, "DescribeRouteTables"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.world.inspect(t, deleted, alpha, workflow.Looked{})
			if err != nil || out.Answer != workflow.AnswerDisconnect || out.Result != c.result || out.Ended != c.ended {
				t.Fatalf("got %s %s, ended %v (%s), %v, want %s", out.Answer, out.Result, out.Ended, out.Reason, err, c.result)
			}
			var sides []string
			for _, s := range out.Sides {
				sides = append(sides, s.Role)
			}
			if got := strings.Join(sides, " "); got != c.sides {
				t.Errorf("sides %q, want %q", got, c.sides)
			}
			if got := fmt.Sprint(accounts(out.Tagged)); got != c.tagged {
				t.Errorf("tagged %s, want %s", got, c.tagged)
			}
			var absent []string
			for _, h := range out.Absent {
				absent = append(absent, h.Hop+": "+h.Detail)
			}
			if got := strings.Join(absent, "; "); !strings.Contains(got, c.absent) || c.absent == "" && got != "" {
				t.Errorf("absent %q, want %q", got, c.absent)
			}
			if c.without != "" && slices.ContainsFunc(c.world.calls, func(call string) bool { return strings.Contains(call, c.without) }) {
				t.Errorf("called %v, want none of %s", c.world.calls, c.without)
			}
			if raw, err := json.Marshal(out); err != nil || strings.Contains(string(raw), `"sides":null`) || strings.Contains(string(raw), `"tagged":null`) || strings.Contains(string(raw), `"absent":null`) {
				t.Errorf("a list that the machine reads is null: %s, %v", raw, err)
			}
		})
	}
}

// What is out of reach is not said to be removed with each look.
func TestWhatIsOutOfReachWaits(t *testing.T) {
	w := &world{status: "deleted", entry: "Removed", left: []string{"route 222"}, closed: []string{beta}}
	out, err := w.inspect(t, deleted, alpha, workflow.Looked{})
	if err != nil || out.Answer != workflow.AnswerNothing || !strings.Contains(out.Reason, "out of reach") {
		t.Fatalf("got %s (%s), %v", out.Answer, out.Reason, err)
	}
	if items, err := w.book.Items(context.Background(), pcx); err != nil || len(items) != 1 {
		t.Errorf("the ledger has %+v, %v", items, err)
	}
}

func TestADeletedPeeringIsFoundAtItsOtherEnd(t *testing.T) {
	for name, w := range map[string]*world{
		"the account of the event shows it no longer":    {status: "deleted", entry: "Connected", hidden: []string{alpha}},
		"the account of the event does not let us in":    {status: "deleted", entry: "Connected", closed: []string{alpha}},
		"the account of the event left the organization": {status: "deleted", entry: "Connected", outside: []string{alpha}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := w.inspect(t, deleted, alpha, workflow.Looked{})
			if err != nil || out.Answer != workflow.AnswerDisconnect {
				t.Errorf("got %s (%s), %v", out.Answer, out.Reason, err)
			}
		})
	}
	w := world{status: "deleted", entry: "Connected", closed: []string{alpha, beta}}
	if out, err := w.inspect(t, deleted, alpha, workflow.Looked{}); err != nil || out.Answer != workflow.AnswerUnreadable {
		t.Errorf("both ends closed: %s (%s), %v, want unreadable", out.Answer, out.Reason, err)
	}
}

// untagged records what Conclude takes off, per account.
type untagged struct {
	connection.Tagger
	of   string
	seen map[string][]string
	err  error
}

func (u untagged) DeleteTags(_ context.Context, in *ec2.DeleteTagsInput, _ ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error) {
	for _, tag := range in.Tags {
		u.seen[u.of] = append(u.seen[u.of], in.Resources[0]+" "+*tag.Key)
	}
	return &ec2.DeleteTagsOutput{}, u.err
}

func TestConclude(t *testing.T) {
	in := workflow.ConcludeRemovalInput{Result: workflow.Removed, Reason: "gone", Ended: true, Tagged: []workflow.StatusResource{{Account: beta, ID: "pcx-1", Tags: tag.StatusKeys()}},
		Connection:   workflow.Connection{ID: "pcx-1", Target: "pcx-1", Requester: workflow.VPC{Account: alpha}, Accepter: workflow.VPC{Account: beta}},
		Absent:       []workflow.Hop{{Hop: "requester", Detail: "outside"}},
		Disconnected: []workflow.Disconnected{{Closed: workflow.HopsOutput{Hops: []workflow.Hop{{Hop: "a"}}}, Removed: workflow.RemoveRoutesOutput{Hops: []workflow.Hop{{Hop: "b"}}}}},
		Withdrawn:    []workflow.NotebooksOutput{{Hops: []workflow.Hop{{Hop: "c"}}}}}
	for name, failure := range map[string]error{
		"shown":           nil,
		"shown no longer": &smithy.GenericAPIError{Code: "InvalidVpcPeeringConnectionID.NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[string][]string{}
			l, memory := ledgertest.New()
			if _, err := l.Begin(context.Background(), connection.Entry(in.Connection, road.Peering, ledger.Requested)); err != nil {
				t.Fatal(err)
			}
			d := &desk{}
			out, err := connection.Conclude(context.Background(), l, func(c workflow.StatusResource) connection.Untagger {
				return untagged{of: c.Account, seen: seen, err: failure}
			}, d.bus(), in)
			if err != nil || out.Result != workflow.Removed {
				t.Fatalf("%+v, %v", out, err)
			}
			var hops []string
			for _, h := range out.Verdict {
				hops = append(hops, h.Hop)
			}
			if rows := memory.Rows(); len(rows) > 0 {
				t.Errorf("the ledger still has %v", rows)
			}
			if fmt.Sprint(hops) != "[requester a b c]" {
				t.Errorf("verdict %v", hops)
			}
			if len(seen[alpha]) != 0 || fmt.Sprint(seen[beta]) != "[pcx-1 drawbridge:status pcx-1 drawbridge:reason pcx-1 drawbridge:since]" {
				t.Errorf("took off %v", seen)
			}
			if fmt.Sprint(d.did) != "[Connection Removed]" || !strings.Contains(d.detail, `"result":"Removed"`) || !strings.Contains(d.detail, `"hops":[{"hop":"requester"`) {
				t.Errorf("announced %v: %s", d.did, d.detail)
			}
		})
	}
}

// What is forbidden later loses what was added for it, and what was not managed nothing.
func TestWhatIsForbiddenLater(t *testing.T) {
	for name, c := range map[string]struct {
		world  *world
		answer workflow.Answer
		sides  string
	}{
		"nothing was added":         {&world{status: "active", entry: "Refused", outside: []string{beta}}, workflow.AnswerRefuse, ""},
		"begun, and failed":         {&world{status: "active", entry: "AwaitingApproval", outside: []string{beta}, left: []string{"route 111"}}, workflow.AnswerDisconnect, "requester"},
		"connected":                 {&world{status: "active", entry: "Connected", outside: []string{beta}, left: []string{"route 111", "rule 111"}}, workflow.AnswerDisconnect, "requester"},
		"connected, nothing added":  {&world{status: "active", entry: "Connected", outside: []string{beta}}, workflow.AnswerDisconnect, ""},
		"not managed":               {&world{status: "active", outside: []string{beta}}, workflow.AnswerNothing, ""},
		"a request that is pending": {&world{status: "pending-acceptance", entry: "Refused", outside: []string{beta}}, workflow.AnswerRefuse, ""},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.world.inspect(t, accepted, alpha, workflow.Looked{})
			if err != nil || out.Answer != c.answer || out.Ended {
				t.Fatalf("got %s (%s), ended %v, %v, want %s", out.Answer, out.Reason, out.Ended, err, c.answer)
			}
			var sides []string
			for _, s := range out.Sides {
				sides = append(sides, s.Role)
			}
			if got := strings.Join(sides, " "); got != c.sides {
				t.Errorf("sides %q, want %q", got, c.sides)
			}
		})
	}
}
