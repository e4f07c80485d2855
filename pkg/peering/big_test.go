package peering_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// ListFunctions has a function in each of the first subnets in turn, with a group of its own.
func (l *land) ListFunctions(context.Context, *lambda.ListFunctionsInput, ...func(*lambda.Options)) (*lambda.ListFunctionsOutput, error) {
	out := &lambda.ListFunctionsOutput{}
	for n := range l.functions {
		out.Functions = append(out.Functions, lambdatypes.FunctionConfiguration{FunctionName: aws.String(fmt.Sprintf("function-%d", n)), VpcConfig: &lambdatypes.VpcConfigResponse{
			VpcId: &l.vpc, SubnetIds: []string{l.subnets[n%len(l.subnets)]}, SecurityGroupIds: []string{fmt.Sprintf("sg-function-%d", n)}}})
	}
	return out, nil
}

// bigRealm is two accounts: so many times 50 notebook instances and 200 functions call 30 databases, with 20 subnets and route tables a side, and each VPC has 5 ranges.
func bigRealm(by int) (*realm, *ledgertest.Counted) {
	w := &realm{lands: map[string]*land{}, peerings: map[string]string{"pcx-00000001": "active"}}
	w.keeps()
	store := &ledgertest.Counted{Store: w.ledger.Store}
	w.ledger.Store = store
	for n, account := range []string{alpha, beta} {
		l := &land{realm: w, account: account, vpc: fmt.Sprintf("vpc-%d", n+1), groups: []string{"sg-1"}, port: 3306,
			tags: map[string]map[string]string{"pcx-00000001": {}}, dns: map[string]bool{}, books: map[string]*book{}, configs: map[string]*config{}}
		for c := range 5 {
			l.cidrs = append(l.cidrs, netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/16", 10*c+n+1)))
		}
		for s := range 20 * by {
			subnet := fmt.Sprintf("subnet-%s-%d", account[:1], s)
			l.subnets = append(l.subnets, subnet)
			l.tables = append(l.tables, &heldTable{id: fmt.Sprintf("rtb-%s-%d", account[:1], s), main: s == 0, subnets: []string{subnet}})
		}
		if account == beta {
			for d := range 30 * by {
				l.more = append(l.more, fmt.Sprintf("sg-database-%d", d))
			}
			l.groups = append(l.groups, l.more...)
		} else {
			l.functions = 200 * by
			for f := range l.functions {
				l.groups = append(l.groups, fmt.Sprintf("sg-function-%d", f))
			}
			for b := range 50 * by {
				l.books[fmt.Sprintf("n%d", b)] = &book{subnet: l.subnets[b%4], direct: true, status: "Stopped", tags: map[string]string{}}
			}
		}
		w.lands[account] = l
	}
	return w, store
}

// 500 notebook instances, 2,000 functions, 300 databases and 200 route tables a side of 5 ranges connect, and are taken apart: what travels stays the same, rows and calls
// grow with the accounts and no faster, and the machine has hardly more events than without them.
func TestABigWorldConnects(t *testing.T) {
	type cost struct{ carried, invocations, members, hub int }
	play := func(by int) cost {
		w, store := bigRealm(by)
		if _, err := w.ledger.Begin(t.Context(), ledger.Connection{ID: "pcx-00000001", Kind: "peering", Origin: ledger.Requested, Sides: []ledger.Side{
			{Role: "requester", Account: alpha, Region: "eu-west-1", ID: "vpc-1"}, {Role: "accepter", Account: beta, Region: "eu-west-1", ID: "vpc-2"}}}); err != nil {
			t.Fatal(err)
		}
		for again := true; again; again = w.unread > 0 { // its notebooks are known by looks before
			if _, err := w.inspect("pcx-00000001", alpha, false); err != nil {
				t.Fatal(err)
			}
		}
		w.calls, store.Reads, store.Writes = 0, 0, 0
		if !w.run(t, "pcx-00000001", alpha, 1<<20) || w.served() != 50*by {
			t.Fatalf("%d times: not connected, %d notebooks served: %v", by, w.served(), w.violations)
		}
		for _, l := range w.lands {
			routed := 0
			for _, table := range l.tables {
				routed += min(1, len(table.routes))
			}
			if routed != 20*by {
				t.Errorf("%d times: %d tables of %s lead", by, routed, l.account)
			}
		}
		out := cost{w.carried, w.steps, w.calls, store.Reads + store.Writes}
		if store.Row > 100<<10 || store.Transaction > 2<<20 {
			t.Errorf("%d times: a row of %d bytes, a transaction of %d", by, store.Row, store.Transaction)
		}
		w.peerings["pcx-00000001"] = "deleted"
		if !w.run(t, "pcx-00000001", alpha, 1<<20) || len(w.violations) > 0 {
			t.Fatalf("%d times: not taken apart: %v", by, w.violations)
		}
		for _, left := range store.Store.(*ledgertest.Memory).Rows() {
			if !strings.HasPrefix(left.Part, "lease#") && !strings.HasPrefix(left.Part, "seen#") { // who looked last, and what of
				t.Fatalf("%d times: a row is left: %v", by, left)
			}
		}
		out.carried = max(out.carried, w.carried)
		return out
	}
	var one, five, ten cost
	synctest.Test(t, func(*testing.T) { one, five, ten = play(1), play(5), play(10) })
	t.Logf("%+v, five times %+v, ten times %+v", one, five, ten)
	for name, grows := range map[string][3]int{"calls in members": {one.members, five.members, ten.members}, "calls of the ledger": {one.hub, five.hub, ten.hub}} {
		if first, second := (grows[1]-grows[0])/4, (grows[2]-grows[1])/5; first == 0 || second > first*5/4 {
			t.Errorf("%s: %v, which is %d and then %d for each time more", name, grows, first, second)
		}
	}
	const events = 8 // of one invocation in a Map
	if ten.carried > workflow.StateSize || ten.carried-one.carried > 1<<10 || ten.invocations*events > 5000 {
		t.Errorf("%+v, ten times %+v", one, ten)
	}
}

// served counts the notebooks that have a script with host routes.
func (w *realm) served() int {
	n := 0
	for _, b := range w.lands[alpha].books {
		n += min(1, len(b.config))
	}
	return n
}

// crowded is a realm with so many notebook instances that nobody looked at before.
func crowded(t *testing.T, books int) *realm {
	w, _ := bigRealm(1)
	for n := 50; n < books; n++ {
		w.lands[alpha].books[fmt.Sprintf("n%d", n)] = &book{subnet: w.lands[alpha].subnets[n%4], direct: true, status: "Stopped", tags: map[string]string{}}
	}
	if _, err := w.ledger.Begin(t.Context(), ledger.Connection{ID: "pcx-00000001", Kind: "peering", Origin: ledger.Requested, Sides: []ledger.Side{
		{Role: "requester", Account: alpha, Region: "eu-west-1", ID: "vpc-1"}, {Role: "accepter", Account: beta, Region: "eu-west-1", ID: "vpc-2"}}}); err != nil {
		t.Fatal(err)
	}
	return w
}

// Of 500 notebook instances that nobody looked at before, each look describes a hundred and asks for the next, which goes on from there: five looks, in
// which no notebook is described twice for its place, and each is served once. The calls grow with the notebooks, and no faster.
func TestManyNotebooksAreServedByLooksThatFollow(t *testing.T) {
	const books = 500
	synctest.Test(t, func(t *testing.T) {
		w, all := crowded(t, books), 0
		var each []int // the calls in members, by look
		for look := 1; look <= books/100; look++ {
			if _, _, err := w.ledger.Acquire(t.Context(), "pcx-00000001", ledger.Turn{Holder: "x"}, nil); err != nil {
				t.Fatal(err)
			}
			w.calls, w.follows = 0, look > 1
			if !w.run(t, "pcx-00000001", alpha, 1<<20) || w.served() != 100*look || w.unread != books-100*look {
				t.Fatalf("after look %d %d are served, and %d are left: %v", look, w.served(), w.unread, w.violations)
			}
			all, each = all+w.calls, append(each, w.calls)
			t.Logf("%d notebooks: %d calls in members", 100*look, all)
			entry, _, err := w.ledger.Connection(t.Context(), "pcx-00000001")
			want, left := workflow.Connected, 100*look < books
			if left {
				want = workflow.PartlyConnected
			}
			if err != nil || entry.Status != ledger.Status(want) || strings.Contains(entry.Reason, fmt.Sprintf("%d notebook instances of the account were not looked at yet", w.unread)) != left {
				t.Errorf("after look %d it is %s: %s, %v", look, entry.Status, entry.Reason, err)
			}
			if again, err := w.ledger.Yield(t.Context(), "pcx-00000001", "x"); err != nil || (again == ledger.Rest) != left {
				t.Errorf("after look %d another is asked for: %q, %v", look, again, err)
			}
		}
		if slices.Max(each[1:]) > 6*100 || slices.Max(each[1:]) > slices.Min(each[1:])*11/10 {
			t.Errorf("the looks make %v calls for a hundred notebooks each", each)
		}
	})
}

// A look of its own serves all, also those that the look before it served a moment ago: somebody changed something, and nobody knows what. Only one that
// goes on from there leaves them.
func TestALookOfItsOwnServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, follows := range []bool{false, true} {
			w := crowded(t, 200)
			if !w.run(t, "pcx-00000001", alpha, 1<<20) || w.served() != 100 {
				t.Fatalf("%d are served: %v", w.served(), w.violations)
			}
			l := w.lands[alpha]
			for _, c := range l.configs { // a hand
				c.onStart = ""
			}
			w.follows = follows
			if !w.run(t, "pcx-00000001", alpha, 1<<20) || w.served() != 200 {
				t.Fatalf("%d are served: %v", w.served(), w.violations)
			}
			for n := range 100 { // those of the first look
				if c := l.configs[l.books[slices.Sorted(maps.Keys(l.books))[n]].config]; !follows && c.onStart == "" {
					t.Fatalf("a script that somebody emptied stays empty")
				}
			}
			w.calls = 0
			if w.follows = false; !w.run(t, "pcx-00000001", alpha, 1<<20) || w.calls < 400 {
				t.Errorf("a look of its own makes %d calls for 200 notebooks", w.calls)
			}
		}
	})
}

// The removal of a connection from an account with hundreds of notebook instances that nobody knows any more waits for its looks to come to all, and ends.
func TestARemovalWaitsForWhatNobodyKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := crowded(t, 100)
		if !w.run(t, "pcx-00000001", alpha, 1<<20) || w.served() != 100 {
			t.Fatalf("%d are served: %v", w.served(), w.violations)
		}
		for n := 100; n < 400; n++ {
			w.lands[alpha].books[fmt.Sprintf("n%d", n)] = &book{subnet: w.lands[alpha].subnets[n%4], direct: true, status: "Stopped", tags: map[string]string{}}
		}
		w.peerings["pcx-00000001"] = "deleted"
		waits := 0
		for ; ; waits++ {
			out, err := w.inspect("pcx-00000001", alpha, false)
			if err != nil || waits > 20 {
				t.Fatalf("look %d: %v", waits+1, err)
			}
			if out.Answer == workflow.AnswerDisconnect {
				break
			}
			if out.Answer != workflow.AnswerWait || !strings.Contains(out.Reason, "are still to be looked at") {
				t.Fatalf("look %d: %s, %s", waits+1, out.Answer, out.Reason)
			}
		}
		if waits != 3 {
			t.Errorf("it waits %d times", waits)
		}
		if !w.run(t, "pcx-00000001", alpha, 1<<20) || w.served() != 0 {
			t.Errorf("%d still have host routes: %v", w.served(), w.violations)
		}
	})
}
