package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

const pcx = "pcx-0123456789abcdef0"

func id(kind string, n int) string { return fmt.Sprintf("%s-%017x", kind, n) }

// wide is a VPC with as many ranges as a VPC may have: 5 of IPv4, 5 of IPv6, adjustable to 50 and 50.
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
func wide(account int) VPC {
	v := VPC{Account: strings.Repeat(fmt.Sprint(account), 12), Region: "ap-southeast-1", ID: id("vpc", account)}
	for n := range 50 {
		v.CIDRs = append(v.CIDRs, netip.MustParsePrefix(fmt.Sprintf("10.%d%02d.128.0/17", account, n)), netip.MustParsePrefix(fmt.Sprintf("2001:db8:%x:1200::/56", 4096*account+n)))
	}
	return v
}

// worst is what a step tells at most: as many hops as it likes, each as long as it likes.
func worst(n int) []Hop {
	var out []Hop
	for i := range n {
		out = append(out, Hop{Hop: fmt.Sprintf("hop %d <%s", i, strings.Repeat("h", 3*HopSize)), OK: i%2 == 0, Detail: strings.Repeat("é<", HopSize)})
	}
	return out
}

// through runs a step as Lambda does, and returns what it answers.
func through(t *testing.T, out any) map[string]any {
	t.Helper()
	var got []byte
	var err error
	switch o := out.(type) {
	case InspectPeeringOutput:
		got, err = Handler(func(context.Context, struct{}) (InspectPeeringOutput, error) { return o, nil }).Invoke(t.Context(), []byte("{}"))
	case InspectTransitOutput:
		got, err = Handler(func(context.Context, struct{}) (InspectTransitOutput, error) { return o, nil }).Invoke(t.Context(), []byte("{}"))
	case VerifyConnectionOutput:
		got, err = Handler(func(context.Context, struct{}) (VerifyConnectionOutput, error) { return o, nil }).Invoke(t.Context(), []byte("{}"))
	case ConcludeRemovalOutput:
		got, err = Handler(func(context.Context, struct{}) (ConcludeRemovalOutput, error) { return o, nil }).Invoke(t.Context(), []byte("{}"))
	default:
		t.Fatalf("%T", out)
	}
	if err != nil {
		t.Fatal(err)
	}
	var read map[string]any
	if err := json.Unmarshal(got, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// However much there is to connect, and whatever the steps tell, the machines carry ids, the answer and numbers: of an account with 500 notebook instances,
// 2,000 functions, 300 databases and 200 route tables as of one with hardly any.
func TestWhatTravelsDoesNotGrow(t *testing.T) {
	side := func(role string, by int) Side {
		s := Side{Role: role, VPC: wide(1), Peer: wide(2), StatusResource: pcx, Trim: &Trim{}}
		for n := range 200 * by {
			s.Subnets = append(s.Subnets, id("subnet", n))
			s.Tables = append(s.Tables, Table{ID: id("rtb", n), Subnets: s.Subnets[n:]})
			s.EndSubnets = append(s.EndSubnets, EndSubnet{ID: id("subnet", n)})
			s.Ways = append(s.Ways, Way{Subnets: s.Subnets[n:], To: s.Peer.CIDRs})
			s.Trim.Rules = append(s.Trim.Rules, id("sgr", n))
		}
		for n := range 300 * by {
			s.AllowedDatabases = append(s.AllowedDatabases, AllowedDatabase{Database: id("orders", n), Groups: []string{id("sg", n)}, Decision: policy.Decision{Policy: "open-shared"}})
		}
		for n := range 2500 * by {
			s.Clients = append(s.Clients, Client{Names: []string{id("function", n)}, Groups: []string{id("sg", n)}})
		}
		return s
	}
	size := func(by int) (largest int) {
		var sides []Side
		var rows, books []Rows
		var reachable []Reachable
		for n, role := range []string{"requester", "accepter"} {
			sides, rows = append(sides, side(role, by)), append(rows, Rows{n + 1})
		}
		for n := range 10 * by { // 500 notebook instances each
			books = append(books, Rows{n + 1})
		}
		for _, o := range sides[0].AllowedDatabases {
			reachable = append(reachable, Reachable{Database: o})
		}
		c := Connection{ID: pcx, Target: pcx, Requester: wide(1), Accepter: wide(2)}
		waits := Waiting{Thing: pcx, Reachable: reachable, Said: Said{Requester: "waits", Accepter: "waits"}}
		long := strings.Repeat("no use any more for routes to 10.0.0.0/8, ", 1000*by)
		said, event := Said{Requester: long, Accepter: long}, json.RawMessage(`{"detail-type":"x"}`)
		decision := policy.Decision{Action: policy.Inject, Allowed: true, Policy: "inject-where-nobody-says-otherwise", Reason: "allowed by policy inject-where-nobody-says-otherwise"}
		for _, out := range []any{
			InspectPeeringOutput{Answer: AnswerExtend, Reason: long, Said: said, Event: event, Decision: decision, Reject: decision, Connection: c, Members: []string{"requester", "accepter"},
				Known: Known{Requester: &Facts{VPC: c.Requester, Tables: sides[0].Tables}, Sides: sides}, Sides: sides, Rows: rows, Notebooks: books, Found: worst(100 * by), Absent: worst(100 * by), Waits: waits,
				Tagged: []StatusResource{{Account: c.Requester.Account, ID: pcx}, {Account: c.Accepter.Account, ID: pcx}}},
			InspectTransitOutput{Answer: AnswerExtend, Reason: long, Said: said, Event: event, Decision: decision, Connection: c, Sides: sides, Rows: rows, Notebooks: books, Found: worst(100 * by),
				Absent: worst(100 * by), Waits: waits},
			VerifyConnectionOutput{Result: PartlyConnected, Reason: long, Verdict: paths(200 * by)},
			ConcludeRemovalOutput{Result: Removed, Reason: long, Verdict: worst(200 * by)},
		} {
			state := through(t, out)
			state["execution"] = strings.Repeat("e", 80)
			n := encoded(map[string]any{"Payload": state, "ExecutedVersion": "$LATEST", "StatusCode": 200, "SdkHttpMetadata": strings.Repeat("h", 1000)})
			if n > StateSize {
				t.Errorf("%T of %d times as much: %d bytes of %d", out, by, n, StateSize)
			}
			largest = max(largest, n)
		}
		return largest
	}
	one, ten := size(1), size(10)
	t.Logf("%d bytes, and %d of ten times as much", one, ten)
	if ten-one > 1<<10 {
		t.Errorf("ten times as much makes %d bytes of %d", ten, one)
	}
}

// paths are lines of a verdict, each with more hops than it may have.
func paths(n int) []Path {
	var out []Path
	for range n {
		out = append(out, Path{Hop: worst(1)[0], Hops: worst(20)})
	}
	return out
}

func TestAnOutputThatIsTooLargeFailsByName(t *testing.T) {
	_, err := Handler(func(context.Context, struct{}) (string, error) { return strings.Repeat("x", MaxPayload), nil }).Invoke(t.Context(), []byte("{}"))
	var told messages.InvokeResponse_Error
	if !errors.As(err, &told) || told.Type != string(fault.Conflict) {
		t.Errorf("got %v", err)
	}
}

func TestAVerdictCountsManyNotebooks(t *testing.T) {
	tell := func(many, unserved int) []Hop {
		var names []string
		for n := range many {
			names = append(names, fmt.Sprintf("n%03d", n))
		}
		rows, _ := Numbered(Batches(Batch{Subnet: "subnet-1"}, names))
		var out []NotebooksOutput
		for _, b := range rows {
			var hops []Hop
			for _, name := range b.Names {
				h := Hop{Hop: "host route on " + name, OK: unserved <= 0, Detail: "x"}
				unserved--
				hops = append(hops, h)
			}
			out = append(out, b.Tell(hops))
		}
		return HostRoutes(out)
	}
	if got := tell(20, 1); len(got) != 20 || got[0].OK || !got[1].OK {
		t.Errorf("of 20, each is named: %+v", got)
	}
	if got := tell(500, 2); len(got) != 3 || got[0] != (Hop{Hop: "host routes", Detail: "498 of 500 notebooks"}) || got[1].Hop != "host route on n000" {
		t.Errorf("of 500: %+v", got)
	}
	if got := tell(500, 0); len(got) != 1 || got[0] != (Hop{Hop: "host routes", OK: true, Detail: "500 of 500 notebooks"}) {
		t.Errorf("all of 500: %+v", got)
	}
	if got := tell(500, 400); len(got) > 21 || got[0].OK || !strings.Contains(got[0].Detail, "100 of 500 notebooks; 3") {
		t.Errorf("few of 500: %+v", got)
	}
	if got := tell(0, 0); len(got) != 0 {
		t.Errorf("of none: %+v", got)
	}
}

func TestFewKeepsWhatFits(t *testing.T) {
	small := []Hop{{Hop: "a", OK: true, Detail: "b"}, {Hop: "c", OK: false, Detail: "d"}}
	if got := few(small, HopSize, HopsSize); fmt.Sprint(got) != fmt.Sprint(small) {
		t.Errorf("got %v", got)
	}
	many := make([]Hop, 1000)
	for i := range many {
		many[i] = Hop{Hop: fmt.Sprint("hop ", i), OK: i != 999, Detail: strings.Repeat("x", 40)}
	}
	got := few(many, HopSize, HopsSize)
	if encoded(got) > HopsSize || len(got) < 50 {
		t.Errorf("%d hops of %d bytes", len(got), encoded(got))
	}
	if rest := got[len(got)-1]; rest.Hop != "and more" || rest.Detail != fmt.Sprintf("%d lines that have no room here", 1000-len(got)+1) || !rest.OK {
		t.Errorf("the rest: %+v", rest)
	}
	if last := got[len(got)-2]; last.Hop != "hop 999" || last.OK {
		t.Errorf("the hop that does not hold is gone: %+v", last)
	}
	for _, h := range few(worst(3), HopSize, 3*HopSize) {
		if encoded(h) >= HopSize || encoded(h) < HopSize-20 || h.Hop == "" {
			t.Errorf("a hop of %d bytes: %+v", encoded(h), h)
		}
	}
}

func TestTheCauseIsCutAndTheRemedyStays(t *testing.T) {
	long := Hop{Hop: "execution role", Detail: strings.Repeat("there is no room ", 100) + "; remedy: make room in the policies of the role"}
	if got := few([]Hop{long}, HopSize, HopsSize)[0]; encoded(got) >= HopSize || !strings.HasSuffix(got.Detail, "…; remedy: make room in the policies of the role") {
		t.Errorf("%d bytes: %s", encoded(got), got.Detail)
	}
	err := fault.NewConflict(strings.Repeat("route 10.0.0.0/8 in rtb-1 already goes to tgw-1; ", 1000), "remove it")
	if got := cut(err.Error(), maxCause); len(got) > maxCause || !strings.HasSuffix(got, "…; remedy: remove it") {
		t.Errorf("%d bytes: …%s", len(got), got[max(0, len(got)-60):])
	}
	if got := cut(strings.Repeat("é", maxCause), maxCause); len(got) > maxCause {
		t.Errorf("%d bytes", len(got))
	}
	of := "there is no room: operation error IAM: UpdateAssumeRolePolicy, https response error StatusCode: 409, RequestID: 6b1c, LimitExceeded: Cannot exceed quota"
	if got := cut(of, 110); got != "there is no room: operation error IAM: UpdateAssumeRolePolicy, LimitExceeded: Cannot exceed quota" {
		t.Errorf("got %q", got)
	}
	if got := cut("short", maxCause); got != "short" {
		t.Errorf("got %q", got)
	}
}
