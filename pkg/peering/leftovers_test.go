package peering_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const (
	deleted = "DeleteVpcPeeringConnection"
	alpha   = "111111111111"
	beta    = "222222222222"
)

// status is the tags of both accounts after Drawbridge left a status.
func status(value string) map[string]map[string]string {
	return map[string]map[string]string{
		alpha: {"drawbridge:status": value, "drawbridge:destinations": "10.2.0.0/16 10.12.0.0/16"},
		beta:  {"drawbridge:status": value, "drawbridge:destinations": "10.1.0.0/16"}}
}

func TestEnding(t *testing.T) {
	for name, c := range map[string]struct {
		status   string
		expires  bool
		statuses []string
		traces   bool
		want     workflow.Result
	}{
		"rejected by the accepter":                         {"rejected", true, []string{"AwaitingApproval", "AwaitingApproval"}, false, workflow.Rejected},
		"nobody answered":                                  {"expired", true, nil, false, workflow.Expired},
		"deleted while active":                             {"deleted", false, []string{"Connected", "Connected"}, true, workflow.Removed},
		"between Regions, deleting":                        {"deleting", false, []string{"Connected", ""}, false, workflow.Removed},
		"deleted while pending":                            {"deleted", true, []string{"AwaitingApproval"}, false, workflow.Withdrawn},
		"deleted while pending, the expiration is no more": {"deleted", false, []string{"AwaitingApproval"}, false, workflow.Withdrawn},
		"a refused request that was deleted":               {"deleted", true, []string{"Refused", "Refused"}, false, workflow.Withdrawn},
		"traces beat an expiration time":                   {"deleted", true, nil, true, workflow.Removed},
		"deleted before it was connected, nothing is left": {"deleted", false, nil, false, workflow.Removed},
		"connected but for a network ACL":                  {"deleted", true, []string{"Conflict"}, false, workflow.Removed},
	} {
		t.Run(name, func(t *testing.T) {
			p := peering.Peering{Status: c.status}
			if c.expires {
				p.Expires = "2026-11-29T09:00:00Z"
			}
			if got := peering.Ending(p, c.statuses, c.traces); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestDestinations(t *testing.T) {
	p := netip.MustParsePrefix
	got := connection.Destinations("10.2.0.0/16 nonsense 10.12.0.1/16 2001:db8::/56", []netip.Prefix{p("10.2.0.0/16")}, []netip.Prefix{p("10.3.0.0/16")})
	if fmt.Sprint(got) != "[10.2.0.0/16 10.3.0.0/16 10.12.0.0/16 2001:db8::/56]" {
		t.Errorf("got %v", got)
	}
	if got := connection.Destinations(""); len(got) != 0 {
		t.Errorf("nothing is known, but got %v", got)
	}
}

// accounts are those in which something carries Drawbridge's tags.
func accounts(carriers []workflow.Carrier) []string {
	out := []string{}
	for _, c := range carriers {
		out = append(out, c.Account)
	}
	return out
}

func TestInspectAPeeringThatIsOver(t *testing.T) {
	connected := status("Connected")
	for name, c := range map[string]struct {
		world   *world
		result  workflow.Result
		sides   string // role, and destinations
		tagged  string
		absent  string // words of each
		without string // a call that is not made
	}{
		"deleted from one side, both are cleaned": {&world{status: "deleted", tags: connected, left: []string{"route 111", "route 222", "rule 222"}},
			workflow.Removed, "requester [10.2.0.0/16 10.12.0.0/16] accepter [10.1.0.0/16]", "[111111111111 222222222222]", "", ""},
		"the accepter's VPC is gone, the tag still tells its CIDRs": {&world{status: "deleted", tags: connected, left: []string{"route 111"}, gone: []string{beta}},
			workflow.Removed, "requester [10.2.0.0/16 10.12.0.0/16]", "[111111111111 222222222222]", "accepter vpc-2: the VPC is gone", ""},
		"nothing tells the destinations": {&world{status: "deleted", left: []string{"route 111"}, gone: []string{beta}},
			workflow.Removed, "requester []", "[]", "accepter vpc-2: the VPC is gone", ""},
		"the accepter's account left the organization": {&world{status: "deleted", tags: connected, left: []string{"route 111"}, outside: []string{beta}},
			workflow.Removed, "requester [10.2.0.0/16 10.12.0.0/16]", "[111111111111]", "outside the organization", "222"},
		"the accepter's roles are gone": {&world{status: "deleted", tags: connected, left: []string{"route 111"}, closed: []string{beta}},
			workflow.Removed, "requester [10.2.0.0/16 10.12.0.0/16]", "[111111111111]", "access denied", "DescribeVpcs 222"},
		"the accepter sees the peering no longer": {&world{status: "deleted", tags: connected, left: []string{"route 111", "route 222"}, hidden: []string{beta}},
			workflow.Removed, "requester [10.2.0.0/16 10.12.0.0/16] accepter [10.1.0.0/16]", "[111111111111]", "", ""},
		"only a rule is left, only there": {&world{status: "deleted", left: []string{"rule 222"}},
			workflow.Removed, "accepter [10.1.0.0/16]", "[]", "", ""},
		"a peering that was refused was never connected": {&world{status: "deleted", tags: map[string]map[string]string{beta: {"drawbridge:status": "Refused"}}, left: []string{"route 111", "route 222"}},
			workflow.Removed, "", "[222222222222]", "", ""},
		"nothing is left":                        {&world{status: "deleted"}, workflow.Removed, "", "[]", "", ""},
		"a request that was withdrawn is cheap":  {&world{status: "deleted", expires: true, tags: status("AwaitingApproval")}, workflow.Withdrawn, "", "[111111111111 222222222222]", "", "ListNotebookInstances"},
		"a request that was rejected is cheaper": {&world{status: "rejected", tags: status("AwaitingApproval")}, workflow.Rejected, "", "[111111111111 222222222222]", "", "DescribeRouteTables"},
		"a request that was rejected, where the accepter's roles are gone": {&world{status: "rejected", tags: status("AwaitingApproval"), closed: []string{beta}},
			workflow.Rejected, "", "[111111111111]", "access denied", ""},
		"a request that expired unseen": {&world{status: "expired"}, workflow.Expired, "", "[]", "", "DescribeSecurityGroupRules"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.world.inspect(t, deleted, alpha, workflow.Known{})
			if err != nil || out.Answer != workflow.AnswerDisconnect || out.Result != c.result {
				t.Fatalf("got %s %s (%s), %v, want %s", out.Answer, out.Result, out.Reason, err, c.result)
			}
			var sides []string
			for _, s := range out.Sides {
				sides = append(sides, s.Role+" "+fmt.Sprint(s.Peer.CIDRs))
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

func TestADeletedPeeringIsFoundAtItsOtherEnd(t *testing.T) {
	for name, w := range map[string]*world{
		"the account of the event shows it no longer":    {status: "deleted", hidden: []string{alpha}},
		"the account of the event does not let us in":    {status: "deleted", closed: []string{alpha}},
		"the account of the event left the organization": {status: "deleted", outside: []string{alpha}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := w.inspect(t, deleted, alpha, workflow.Known{})
			if err != nil || out.Answer != workflow.AnswerDisconnect {
				t.Errorf("got %s (%s), %v", out.Answer, out.Reason, err)
			}
		})
	}
	w := world{status: "deleted", closed: []string{alpha, beta}}
	if _, err := w.inspect(t, deleted, alpha, workflow.Known{}); !errors.Is(err, fault.ErrClosed) || fault.Of(err) != fault.Refused {
		t.Errorf("both ends closed: %v, want Refused", err)
	}
}

// untagged records what Conclude takes off, per account.
type untagged struct {
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
	in := workflow.ConcludeRemovalInput{Result: workflow.Removed, Reason: "gone", Tagged: []workflow.Carrier{{Account: beta, ID: "pcx-1", Tags: []string{connection.TagStatus, connection.TagReason, connection.TagDestinations}}},
		Connection:   workflow.Connection{ID: "pcx-1", Target: "pcx-1", Requester: workflow.VPC{Account: alpha}, Accepter: workflow.VPC{Account: beta}},
		Absent:       []workflow.Hop{{Hop: "requester", Detail: "outside"}},
		Disconnected: []workflow.Disconnected{{Closed: workflow.HopsOutput{Hops: []workflow.Hop{{Hop: "a"}}}, Removed: workflow.RemoveRoutesOutput{Hops: []workflow.Hop{{Hop: "b"}}}}},
		Withdrawn:    []workflow.HopsOutput{{Hops: []workflow.Hop{{Hop: "c"}}}}}
	for name, failure := range map[string]error{
		"shown":           nil,
		"shown no longer": &smithy.GenericAPIError{Code: "InvalidVpcPeeringConnectionID.NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[string][]string{}
			d := &desk{}
			out, err := connection.Conclude(context.Background(), func(c workflow.Carrier) connection.Untagger { return untagged{c.Account, seen, failure} }, d.bus(), in)
			if err != nil || out.Result != workflow.Removed {
				t.Fatalf("%+v, %v", out, err)
			}
			var hops []string
			for _, h := range out.Verdict {
				hops = append(hops, h.Hop)
			}
			if fmt.Sprint(hops) != "[requester a b c]" {
				t.Errorf("verdict %v", hops)
			}
			if len(seen[alpha]) != 0 || fmt.Sprint(seen[beta]) != "[pcx-1 drawbridge:status pcx-1 drawbridge:reason pcx-1 drawbridge:destinations]" {
				t.Errorf("took off %v", seen)
			}
			if fmt.Sprint(d.did) != "[Connection Removed]" || !strings.Contains(d.detail, `"result":"Removed"`) || !strings.Contains(d.detail, `"hops":[{"hop":"requester"`) {
				t.Errorf("announced %v: %s", d.did, d.detail)
			}
		})
	}
}

// What an execution left that failed before the status, and under a policy that forbids the connection now, goes.
func TestWhatWasBegunAndIsForbidden(t *testing.T) {
	for name, c := range map[string]struct {
		world  *world
		answer workflow.Answer
		sides  string
	}{
		"nothing was added":        {&world{status: "active", outside: []string{beta}}, workflow.AnswerRefuse, ""},
		"only routes: an owner's?": {&world{status: "active", outside: []string{beta}, left: []string{"route 111"}}, workflow.AnswerRefuse, ""},
		"routes, and a rule":       {&world{status: "active", outside: []string{beta}, left: []string{"route 111", "rule 111"}}, workflow.AnswerDisconnect, "requester"},
		"the same, once refused": {&world{status: "active", outside: []string{beta}, left: []string{"route 111", "rule 111"},
			tags: map[string]map[string]string{alpha: {"drawbridge:status": "Refused"}}}, workflow.AnswerDisconnect, "requester"},
		"a request that is pending":  {&world{status: "pending-acceptance", outside: []string{beta}, left: []string{"rule 111"}}, workflow.AnswerRefuse, ""},
		"the account lets nobody in": {&world{status: "active", outside: []string{beta}, left: []string{"rule 222"}}, workflow.AnswerRefuse, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, trimmed := range []bool{false, true} {
				want := c.answer
				if want == workflow.AnswerDisconnect && !trimmed {
					want = workflow.AnswerTrim // the rules go last: nothing else tells
				}
				out, err := c.world.inspect(t, accepted, alpha, workflow.Known{Trimmed: trimmed})
				if err != nil || out.Answer != want {
					t.Fatalf("trimmed %v: got %s (%s), %v, want %s", trimmed, out.Answer, out.Reason, err, want)
				}
				var sides []string
				for _, s := range out.Sides {
					sides = append(sides, s.Role)
					if (s.Trim != nil) == trimmed || s.Trim != nil && len(s.Trim.Rules) > 0 {
						t.Errorf("trimmed %v: trims %+v", trimmed, s.Trim)
					}
				}
				if got := strings.Join(sides, " "); got != c.sides {
					t.Errorf("trimmed %v: sides %q, want %q", trimmed, got, c.sides)
				}
			}
		})
	}
}
