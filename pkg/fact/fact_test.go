package fact_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const pcx = "pcx-1"

var (
	here  = workflow.VPC{Account: "111111111111", Region: "eu-west-1", ID: "vpc-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	there = workflow.VPC{Account: "222222222222", Region: "eu-west-1", ID: "vpc-2", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")}}
)

func id(kind string, n int) string { return fmt.Sprintf("%s-%017x", kind, n) }

// world is what a look finds in accounts with so many times 50 notebook instances, 200 functions, 30 databases, 20 route tables a side and 5 ranges.
func world(answer workflow.Answer, by int) workflow.Findings {
	out := workflow.Findings{Answer: answer, Before: []workflow.Hop{{Hop: "a", Detail: "b"}}, Absent: []workflow.Hop{{Hop: "c", Detail: "d"}}}
	for role, vpc := range map[string]workflow.VPC{"requester": here, "accepter": there} {
		s := workflow.Side{Role: role, Consumer: role == "requester", VPC: vpc, Peer: here, StatusResource: pcx}
		for n := range 20 * by {
			s.Subnets = append(s.Subnets, id("subnet", n))
			table := workflow.Table{ID: id("rtb", n), Subnets: s.Subnets[n:]}
			for r := range 5 {
				table.Routes = append(table.Routes, workflow.Route{Destination: netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/16", r)), Target: "local"})
			}
			s.Tables = append(s.Tables, table)
			s.EndSubnets = append(s.EndSubnets, workflow.EndSubnet{ID: s.Subnets[n], CIDRs: vpc.CIDRs, Zone: "eu-west-1a"})
			s.Ways = append(s.Ways, workflow.Way{Subnets: s.Subnets[n:], To: vpc.CIDRs})
		}
		for n := range 30 * by {
			s.AllowedDatabases = append(s.AllowedDatabases, workflow.AllowedDatabase{Database: id("orders", n), Engine: "mysql", Port: 3306, Groups: []string{id("sg", n)}, Subnets: s.Subnets[:3], Shared: map[string][]string{id("sg", n): {"other"}}})
			s.Apart, s.Noted = append(s.Apart, id("sg", n)), append(s.Noted, id("sg", n+1))
		}
		for n := range 200 * by {
			s.Clients = append(s.Clients, workflow.Client{Names: []string{id("function", n)}, Count: 1, Account: vpc.Account, Groups: []string{id("sg", n)}})
		}
		s.Services = []workflow.Service{{Port: 3306, CIDRs: vpc.CIDRs}}
		if answer == workflow.AnswerTrim {
			s.Trim = &workflow.Trim{Rules: s.Subnets, Destinations: vpc.CIDRs}
		}
		if out.Sides = append(out.Sides, s); role == "requester" { // in the order of the roles
			out.Sides[0], out.Sides[len(out.Sides)-1] = out.Sides[len(out.Sides)-1], out.Sides[0]
		}
	}
	var names []string
	for n := range 50 * by {
		names = append(names, id("notebook", n))
	}
	out.Batches = workflow.Batches(workflow.Batch{Account: here.Account, Region: here.Region, VPC: here.ID, Subnet: "subnet-1"}, names)
	if answer == workflow.AnswerExtend {
		out.Waits = workflow.Waiting{Thing: pcx, Shown: []string{"x"}, Said: workflow.Said{Requester: "r", Accepter: "a"}}
		for _, o := range out.Sides[1].AllowedDatabases {
			out.Waits.Reachable = append(out.Waits.Reachable, workflow.Reachable{Database: o, VPC: there, From: here})
		}
	}
	if answer == workflow.AnswerAccept {
		out.Known = workflow.Known{Requester: &workflow.Facts{VPC: here, Tags: map[string]string{"Name": "lab"}, Tables: out.Sides[0].Tables}, Accepter: &workflow.Facts{VPC: there},
			Closed: []workflow.Hop{{Hop: "database x", Detail: "closed"}}}
	}
	return out
}

func TestWhatALookFoundIsReadAgain(t *testing.T) {
	l, memory := ledgertest.New()
	for _, answer := range []workflow.Answer{workflow.AnswerAccept, workflow.AnswerExtend, workflow.AnswerTrim, workflow.AnswerDisconnect, workflow.AnswerConnect} {
		want := world(answer, 2)
		sides, batches, err := fact.Keep(t.Context(), l, pcx, want)
		if err != nil || fmt.Sprint(sides, batches) != "[[1] [2]] [[1] [2]]" {
			t.Fatalf("%s: rows %v and %v, %v", answer, sides, batches, err)
		}
		got, err := fact.Read(t.Context(), l, pcx)
		if err != nil {
			t.Fatal(err)
		}
		want.Batches, _ = workflow.Numbered(want.Batches)
		for n := range want.Batches {
			want.Batches[n].Answer, want.Batches[n].Side = answer, 1
		}
		for _, pair := range [][2]any{{got.Answer, want.Answer}, {got.Sides, want.Sides}, {got.Batches, want.Batches}, {got.Waits, want.Waits}, {got.Before, want.Before},
			{got.Absent, want.Absent}, {got.Known, want.Known}} {
			if !reflect.DeepEqual(pair[0], pair[1]) {
				t.Errorf("%s: got %+v\nwant %+v", answer, pair[0], pair[1])
			}
		}
	}
	// A look with less leaves nothing of the one before, and the end of the connection nothing at all.
	if _, _, err := fact.Keep(t.Context(), l, pcx, workflow.Findings{Answer: workflow.AnswerDisconnect}); err != nil || len(memory.Rows()) != 1 {
		t.Errorf("left: %v, %v", memory.Rows(), err)
	}
	if err := l.End(t.Context(), pcx); err != nil || len(memory.Rows()) != 0 {
		t.Errorf("after the end: %v, %v", memory.Rows(), err)
	}
	// What ends an execution about something else touches no row.
	if sides, batches, err := fact.Keep(t.Context(), l, pcx, workflow.Findings{Answer: workflow.AnswerNothing, Sides: make([]workflow.Side, 2)}); err != nil || len(sides)+len(batches)+len(memory.Rows()) != 0 {
		t.Errorf("nothing: %v %v %v, %v", sides, batches, memory.Rows(), err)
	}
}

// The whole of 500 notebook instances, 2,000 functions, 300 databases, 200 route tables a side and 5 ranges: rows and transactions grow with it and no
// faster, and none comes near DynamoDB's limits of 400 KB and 4 MB. A step makes one Query, of its own side.
func TestRowsGrowWithTheAccounts(t *testing.T) {
	type cost struct{ rows, writes, reads, size int }
	measure := func(by int) (c cost) {
		l, memory := ledgertest.New()
		w := &ledgertest.Counted{Store: l.Store}
		l.Store = w
		if _, _, err := fact.Keep(t.Context(), l, pcx, world(workflow.AnswerConnect, by)); err != nil {
			t.Fatal(err)
		}
		c = cost{rows: len(memory.Rows()), writes: w.Writes, reads: w.Reads}
		if w.Reads != 1 || w.Row > 64<<10 || w.Transaction > 3<<20 {
			t.Errorf("%d times: %d reads, a row of %d bytes, a transaction of %d", by, w.Reads, w.Row, w.Transaction)
		}
		w.Reads, w.Writes = 0, 0
		step := fact.Side(l, "AddRoutes", func(_ context.Context, in workflow.SideInput) (workflow.AddRoutesOutput, error) {
			if len(in.Side.Tables) != 20*by || len(in.Side.AllowedDatabases) != 30*by || len(in.Side.Clients) != 200*by {
				t.Errorf("%d times: %d tables, %d databases, %d clients", by, len(in.Side.Tables), len(in.Side.AllowedDatabases), len(in.Side.Clients))
			}
			return workflow.AddRoutesOutput{Account: in.Side.VPC.Account, VPC: in.Side.VPC.ID, Tables: in.Side.Tables}, nil
		})
		told, err := step(t.Context(), workflow.SideInput{Connection: workflow.Connection{ID: pcx}, Answer: workflow.AnswerConnect, Rows: workflow.Rows{1}})
		if err != nil || w.Reads != 1 || w.Writes != 1 {
			t.Errorf("%d times: a step told %v by %d reads and %d writes, %v", by, told, w.Reads, w.Writes, err)
		}
		b, _ := json.Marshal(told)
		c.size = len(b)
		// The same look again writes only that what was told is gone.
		w.Writes = 0
		if _, _, err := fact.Keep(t.Context(), l, pcx, world(workflow.AnswerConnect, by)); err != nil || w.Writes != 1 || len(memory.Rows()) != c.rows {
			t.Errorf("%d times: again %d writes, %d rows of %d, %v", by, w.Writes, len(memory.Rows()), c.rows, err)
		}
		return c
	}
	one, five, ten := measure(1), measure(5), measure(10)
	t.Logf("%+v, five times %+v, ten times %+v", one, five, ten)
	if one.rows == 0 || ten.rows > 300 || ten.rows-five.rows > 2*(five.rows-one.rows) || ten.writes > 3 || ten.size != one.size {
		t.Errorf("%+v, five times %+v, ten times %+v", one, five, ten)
	}
}

func steps(l ledger.Ledger, hops ...workflow.Hop) (workflow.Step[workflow.SideInput, workflow.Told], *int) {
	done := new(int)
	return fact.Side(l, "OpenFirewall", func(context.Context, workflow.SideInput) (workflow.HopsOutput, error) {
		*done++
		return workflow.HopsOutput{Hops: hops}, nil
	}), done
}

func TestWhatAStepToldIsReadByTheLast(t *testing.T) {
	l, _ := ledgertest.New()
	if _, _, err := fact.Keep(t.Context(), l, pcx, world(workflow.AnswerConnect, 1)); err != nil {
		t.Fatal(err)
	}
	c := workflow.Connection{ID: pcx}
	in := workflow.SideInput{Connection: c, Answer: workflow.AnswerConnect, Rows: workflow.Rows{2}}
	full := workflow.Hop{Hop: "security group of sales", Detail: strings.Repeat("full ", 1000)}
	step, _ := steps(l, full, workflow.Hop{Hop: "x", OK: true})
	if told, err := step(t.Context(), in); err != nil || told != (workflow.Told{Account: there.Account, Region: there.Region, Hops: 2, OK: 1}) {
		t.Fatalf("%+v, %v", told, err)
	}
	inject := fact.Inject(l, func(_ context.Context, in workflow.InjectRoutesInput) (workflow.NotebooksOutput, error) {
		if len(in.Batch.Names) != 50 || len(in.Routed) != 1 || in.Routed[0].VPC != here.ID || len(in.Routed[0].Tables) != 1 {
			t.Errorf("%d notebooks and %+v", len(in.Batch.Names), in.Routed)
		}
		return workflow.NotebooksOutput{Notebooks: 50, Served: 50, Hosts: "s"}, nil
	})
	add := fact.Side(l, "AddRoutes", func(context.Context, workflow.SideInput) (workflow.AddRoutesOutput, error) {
		return workflow.AddRoutesOutput{Tables: []workflow.Table{{ID: "rtb-1"}}}, nil
	})
	if _, err := add(t.Context(), workflow.SideInput{Connection: c, Answer: workflow.AnswerConnect, Rows: workflow.Rows{1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := inject(t.Context(), workflow.InjectRoutesInput{Connection: c, Answer: workflow.AnswerConnect, Rows: workflow.Rows{1}}); err != nil {
		t.Fatal(err)
	}
	dns := fact.Connection(l, "AllowDnsResolution", func(_ context.Context, in workflow.AllowDNSResolutionInput) (workflow.HopsOutput, error) {
		return workflow.HopsOutput{Hops: []workflow.Hop{{Hop: "DNS option requester"}}}, nil
	})
	if _, err := dns(t.Context(), workflow.AllowDNSResolutionInput{Connection: c, Answer: workflow.AnswerConnect}); err != nil {
		t.Fatal(err)
	}
	verify := fact.With(l, func(_ context.Context, in workflow.VerifyConnectionInput) (string, error) {
		return fmt.Sprint(len(in.Opened[0].Hops), len(in.Opened[1].Hops), len(in.Opened[1].Hops[0].Detail) < workflow.HopSize, len(in.Routed[0].Tables), len(in.Routed[1].Tables), in.Injected, in.DNS.Hops), nil
	})
	got, err := verify(t.Context(), workflow.VerifyConnectionInput{Connection: c, Answer: workflow.AnswerExtend}) // which connects, too
	if want := "0 2 true 1 0 [{50 50 [] s}] [{DNS option requester false false }]"; err != nil || got != want {
		t.Errorf("got %s, want %s; %v", got, want, err)
	}
	// An attempt that tells nothing takes back what an earlier one told.
	step, _ = steps(l)
	if _, err := step(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if got, err := fact.Read(t.Context(), l, pcx); err != nil || len(got.Opened[1].Hops) != 0 {
		t.Errorf("%+v, %v", got.Opened, err)
	}
}

// A step that lacks a right keeps nobody from being served: who comes after it knows, and the last one fails. Once it did, a redrive looks anew, and so forgets it.
func TestALackingRightIsToldAndTriedAgain(t *testing.T) {
	l, _ := ledgertest.New()
	if _, _, err := fact.Keep(t.Context(), l, pcx, world(workflow.AnswerConnect, 1)); err != nil {
		t.Fatal(err)
	}
	c, lacking := workflow.Connection{ID: pcx}, fault.New(fault.Refused, "the role may not call ec2:CreateRoute")
	fails := error(fault.New(fault.Transient, "throttled"))
	add := fact.Side(l, "AddRoutes", func(context.Context, workflow.SideInput) (workflow.AddRoutesOutput, error) {
		return workflow.AddRoutesOutput{}, fails
	})
	in := workflow.SideInput{Connection: c, Answer: workflow.AnswerConnect, Rows: workflow.Rows{1}}
	if _, err := add(t.Context(), in); fault.Of(err) != fault.Transient {
		t.Fatalf("what is tried again does not fail: %v", err)
	}
	fails = &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "TransactWriteItems", Err: lacking}
	if _, err := add(t.Context(), in); fault.Of(err) != fault.Refused {
		t.Fatalf("a right that is lacking in the hub does not fail: %v", err)
	}
	fails = lacking
	if got, err := add(t.Context(), in); err != nil || got.Hops != 1 || got.OK != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	takes := fact.Side(l, "RemoveRoutes", func(context.Context, workflow.SideInput) (workflow.RemoveRoutesOutput, error) {
		return workflow.RemoveRoutesOutput{}, lacking
	})
	if _, err := takes(t.Context(), in); fault.Of(err) != fault.Refused {
		t.Errorf("a step that takes away goes on: %v", err)
	}
	inject := fact.Inject(l, func(_ context.Context, in workflow.InjectRoutesInput) (workflow.NotebooksOutput, error) {
		if in.Refused != lacking.Error() {
			t.Errorf("the notebooks are not told: %q", in.Refused)
		}
		return workflow.NotebooksOutput{}, nil
	})
	if _, err := inject(t.Context(), workflow.InjectRoutesInput{Connection: c, Answer: workflow.AnswerConnect, Rows: workflow.Rows{1}}); err != nil {
		t.Fatal(err)
	}
	verified := 0
	verify := fact.Verify(l, func(_ context.Context, in workflow.VerifyConnectionInput) (string, error) {
		if verified++; len(in.Refused) != 1 || in.Refused[0] != (workflow.Refusal{State: "AddRoutes", Account: here.Account, Kind: fault.Refused, Why: lacking.Error()}) {
			t.Errorf("%+v", in.Refused)
		}
		return "", lacking
	})
	last := workflow.VerifyConnectionInput{Connection: c, Answer: workflow.AnswerConnect}
	for n, want := range []fault.Kind{fault.Refused, fault.Over, fault.Over} {
		if _, err := verify(t.Context(), last); fault.Of(err) != want || verified != 1 {
			t.Errorf("%d: verified %d times, %v, want %s", n, verified, err, want)
		}
	}
	if _, _, err := fact.Keep(t.Context(), l, pcx, world(workflow.AnswerConnect, 1)); err != nil {
		t.Fatal(err)
	}
	if f, err := fact.Read(t.Context(), l, pcx); err != nil || f.Redriven || len(f.Refused) > 0 {
		t.Errorf("the look after it knows still: %+v, %v", f.Refused, err)
	}
}

// What AWS throttles at the last try, too, is told like a right that lacks: whoever comes after is served. What leads elsewhere, or is tried again, fails as ever.
func TestAStepThatFailsForTheLastTimeKeepsNobodyFromBeingServed(t *testing.T) {
	l, _ := ledgertest.New()
	if _, _, err := fact.Keep(t.Context(), l, pcx, world(workflow.AnswerConnect, 1)); err != nil {
		t.Fatal(err)
	}
	c := workflow.Connection{ID: pcx}
	for name, k := range map[string]struct {
		state string
		err   error
		tried int
		told  bool
	}{
		"throttled":                  {"AddRoutes", fault.New(fault.Transient, "throttled"), fault.TransientTries - 1, false},
		"throttled to the end":       {"AddRoutes", fault.New(fault.Transient, "throttled"), fault.TransientTries, true},
		"in the way":                 {"AddRoutes", fault.NewConflict("in the way", "clear it"), 0, true},
		"malformed":                  {"AddRoutes", fault.New(fault.Invalid, "malformed"), fault.NotYetTries, false},
		"held":                       {"AddRoutes", fault.New(fault.Held, "held"), fault.NotYetTries, false},
		"another is at it":           {"AddRoutes", fault.New(fault.NotYet, "not yet"), fault.NotYetTries, false},
		"not yet, which looks anew":  {"OpenFirewall", fault.New(fault.NotYet, "not yet"), fault.NotYetTries, false},
		"a group, throttled":         {"OpenFirewall", fault.New(fault.Transient, "throttled"), fault.TransientTries, true},
		"what takes away, throttled": {"RemoveRoutes", fault.New(fault.Transient, "throttled"), fault.TransientTries, false},
	} {
		step := fact.Side(l, k.state, func(context.Context, workflow.SideInput) (workflow.HopsOutput, error) {
			return workflow.HopsOutput{}, k.err
		})
		_, err := step(t.Context(), workflow.SideInput{Connection: c, Answer: workflow.AnswerConnect, Rows: workflow.Rows{1}, Tried: k.tried})
		if told := err == nil; told != k.told {
			t.Errorf("%s: %v", name, err)
		}
	}
	inject := func(tried int) error {
		_, err := fact.Inject(l, func(_ context.Context, in workflow.InjectRoutesInput) (workflow.NotebooksOutput, error) {
			return workflow.NotebooksOutput{Notebooks: 50, Served: 49, Hosts: "s"}, fault.New(fault.Transient, "throttled")
		})(t.Context(), workflow.InjectRoutesInput{Connection: c, Answer: workflow.AnswerConnect, Rows: workflow.Rows{1}, Tried: tried})
		return err
	}
	if err := inject(0); fault.Of(err) != fault.Transient {
		t.Errorf("notebooks that are tried again: %v", err)
	}
	if err := inject(fault.TransientTries); err != nil {
		t.Error(err)
	}
	dns := fact.Connection(l, "AllowDnsResolution", func(context.Context, workflow.AllowDNSResolutionInput) (workflow.HopsOutput, error) {
		return workflow.HopsOutput{}, fault.New(fault.Transient, "throttled")
	})
	if _, err := dns(t.Context(), workflow.AllowDNSResolutionInput{Connection: c, Answer: workflow.AnswerConnect, Tried: fault.TransientTries}); err != nil {
		t.Error(err)
	}
	f, err := fact.Read(t.Context(), l, pcx)
	if err != nil || f.Injected[0].Served != 49 || len(f.Refused) != 4 {
		t.Errorf("%+v, %+v, %v", f.Injected, f.Refused, err)
	}
	for _, r := range f.Refused {
		if r.Kind == fault.Refused || r.Why == "" || (r.Account == here.Account) != (r.State != "AllowDnsResolution") {
			t.Errorf("%+v", r)
		}
	}
	verify := fact.Verify(l, func(context.Context, workflow.VerifyConnectionInput) (string, error) {
		return "", fault.NewConflict("AddRoutes: throttled", "redrive")
	})
	last := workflow.VerifyConnectionInput{Connection: c, Answer: workflow.AnswerConnect}
	for n, want := range []fault.Kind{fault.Conflict, fault.Over} {
		if _, err := verify(t.Context(), last); fault.Of(err) != want {
			t.Errorf("%d: %v, want %s", n, err, want)
		}
	}
}

// A redriven execution works on what the last look found, if that had the same answer: else that look's own execution does. What would only take away
// some, by then, must not take away all.
func TestAnotherAnswerIsNotWorkedOn(t *testing.T) {
	c := workflow.Connection{ID: pcx}
	for _, now := range []workflow.Answer{workflow.AnswerConnect, workflow.AnswerDisconnect, workflow.AnswerAsk, workflow.AnswerUnreadable, ""} {
		l, _ := ledgertest.New()
		if _, _, err := fact.Keep(t.Context(), l, pcx, world(now, 1)); err != nil {
			t.Fatal(err)
		}
		step, done := steps(l)
		if _, err := step(t.Context(), workflow.SideInput{Connection: c, Answer: workflow.AnswerTrim, Rows: workflow.Rows{1}}); err != nil || *done != 0 {
			t.Errorf("now %s: a side was worked on %d times, %v", now, *done, err)
		}
		withdraw := fact.Withdraw(l, func(context.Context, workflow.WithdrawRoutesInput) (workflow.NotebooksOutput, error) {
			*done++
			return workflow.NotebooksOutput{}, nil
		})
		if _, err := withdraw(t.Context(), workflow.WithdrawRoutesInput{Connection: c, Answer: workflow.AnswerTrim, Rows: workflow.Rows{1}}); err != nil || *done != 0 {
			t.Errorf("now %s: a batch was worked on %d times, %v", now, *done, err)
		}
		verify := fact.With(l, func(context.Context, workflow.VerifyConnectionInput) (string, error) { return "done", nil })
		if _, err := verify(t.Context(), workflow.VerifyConnectionInput{Connection: c, Answer: workflow.AnswerConnect}); now != workflow.AnswerConnect && fault.Of(err) != fault.Over {
			t.Errorf("now %s: verified, %v", now, err)
		}
		conclude := fact.With(l, func(context.Context, workflow.ConcludeRemovalInput) (string, error) { return "done", nil })
		if got, err := conclude(t.Context(), workflow.ConcludeRemovalInput{Connection: c}); (got == "done") != (now == workflow.AnswerDisconnect || now == "") || got == "" && fault.Of(err) != fault.Conflict {
			t.Errorf("now %s: concluded %q, %v", now, got, err)
		}
		ask := fact.With(l, func(context.Context, workflow.ConcludeInput) (string, error) { return "done", nil })
		if got, err := ask(t.Context(), workflow.ConcludeInput{Connection: c}); (got == "done") != (now == workflow.AnswerAsk) || got == "" && fault.Of(err) != fault.Conflict {
			t.Errorf("now %s: asked %q, %v", now, got, err)
		}
	}
}

// A VPC that is shared with 200 accounts has as many sides and more, and a Map few items: an item's sides are each worked on, and what one cannot do keeps
// nobody from being served.
func TestAnItemHasSeveralSides(t *testing.T) {
	l, _ := ledgertest.New()
	f := workflow.Findings{Answer: workflow.AnswerConnect}
	for n := range 200 {
		f.Sides = append(f.Sides, workflow.Side{Role: "requester", VPC: workflow.VPC{Account: fmt.Sprintf("%012d", n), Region: "eu-west-1", ID: "vpc-1"}, Owner: here.Account})
		b := workflow.Batch{Account: fmt.Sprintf("%012d", n), Region: "eu-west-1", VPC: "vpc-1", Subnet: "subnet-1"}
		f.Batches = append(f.Batches, workflow.Batches(b, []string{"a", "b"})...)
	}
	f.Batches = append(f.Batches, workflow.Batches(workflow.Batch{Account: here.Account, Region: "eu-west-1", VPC: "vpc-1", Subnet: "subnet-1"}, []string{"c"})...)
	sides, batches, err := fact.Keep(t.Context(), l, pcx, f)
	if err != nil || len(sides) > workflow.SideItems || len(batches) > workflow.BatchItems {
		t.Fatalf("%d items of sides, %d of batches, %v", len(sides), len(batches), err)
	}
	var mu sync.Mutex
	served, c := map[string]int{}, workflow.Connection{ID: pcx}
	open := fact.Side(l, "OpenFirewall", func(_ context.Context, in workflow.SideInput) (workflow.HopsOutput, error) {
		mu.Lock()
		defer mu.Unlock()
		served[in.Side.VPC.Account]++
		if in.Side.VPC.Account == "000000000003" {
			return workflow.HopsOutput{}, fault.New(fault.Transient, "throttled")
		}
		return workflow.HopsOutput{Hops: []workflow.Hop{{Hop: in.Side.VPC.Account, OK: true}}}, nil
	})
	failed, hops := 0, 0
	for _, rows := range sides {
		told, err := open(t.Context(), workflow.SideInput{Connection: c, Answer: workflow.AnswerConnect, Rows: rows})
		if hops += told.Hops; err != nil {
			if failed++; fault.Of(err) != fault.Transient {
				t.Error(err)
			}
		}
	}
	inject, injected := fact.Inject(l, func(_ context.Context, in workflow.InjectRoutesInput) (workflow.NotebooksOutput, error) {
		served[in.Batch.Account]++
		return in.Batch.Tell(nil), nil
	}), 0
	for _, rows := range batches {
		if _, err := inject(t.Context(), workflow.InjectRoutesInput{Connection: c, Answer: workflow.AnswerConnect, Rows: rows}); err != nil {
			t.Error(err)
		}
		injected += len(rows)
	}
	if len(served) != 201 || served["000000000003"] != 2 || served["000000000199"] != 2 || failed != 1 || hops != 199 || injected != 201 {
		t.Errorf("%d accounts, %d items failed, %d hops, %d batches: %v", len(served), failed, hops, injected, served)
	}
	got, err := fact.Read(t.Context(), l, pcx)
	if err != nil || len(got.Opened) != 200 || len(got.Opened[199].Hops) != 1 || len(got.Opened[3].Hops) != 0 {
		t.Errorf("%d told, %v", len(got.Opened), err)
	}
}
