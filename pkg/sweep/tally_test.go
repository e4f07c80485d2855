package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// town takes events and notifications.
type town struct{ did []string }

func (o *town) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	for _, e := range in.Entries {
		o.did = append(o.did, *e.DetailType)
	}
	return &eventbridge.PutEventsOutput{}, nil
}

func (o *town) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	o.did = append(o.did, *in.Message)
	return &sns.PublishOutput{}, nil
}

func visited(account string, found ...workflow.Found) *workflow.Visit {
	return &workflow.Visit{SweepAccountOutput: workflow.SweepAccountOutput{Account: account, Found: found}}
}

func TestTheTallyNamesWhatWasMissed(t *testing.T) {
	broken := visited("222222222222")
	broken.Error, broken.Cause = "Refused", `{"errorMessage":"denied by a service control policy","errorType":"Refused"}`
	closed := visited("333333333333")
	closed.Closed = "nobody is let in"
	seen := visited("111111111111", workflow.Found{Kind: "peerings", Seen: 3, Announced: 2})
	seen.Barred = []workflow.Barred{{Regions: []string{"me-south-1"}, Why: "not enabled"}}
	accounts := []workflow.Territory{{Account: "111111111111"}, {Account: "222222222222"}, {Account: "333333333333"}, {Account: "444444444444"}}
	visits := []*workflow.Visit{seen, broken, closed, nil}
	before := workflow.Tally{Accounts: 20, Found: []workflow.Found{{Kind: "peerings", Seen: 7, Announced: 1}}}
	o := &town{}
	counted := []int{}
	teller := Teller{Managed: func(_ context.Context, n int) error { counted = append(counted, n); return nil }, Ledger: empty(), Bus: notice.Bus{API: o, Name: "drawbridge"}, Topic: notice.Topic{API: o, ARN: "topic"}}
	in := workflow.TallySweepInput{Execution: "run-1", ExecutionID: "arn:aws:states:us-east-1:123456789012:execution:drawbridge-sweep:run-1", Page: "20", Tally: before, Accounts: accounts, Visits: visits}

	out, err := teller.Tally(context.Background(), in)
	if err != nil || out.Answer != "more" || len(o.did) != 0 {
		t.Fatalf("before the last page: %+v, %v after %v", out, err, o.did)
	}
	if got := fmt.Sprint(out.Tally.Accounts, out.Tally.Found, out.Tally.Closed, out.Tally.Barred); got != "24 [{peerings 10 3 0 [] 0 0}] [{333333333333 [] nobody is let in}] [{111111111111 [me-south-1] not enabled}]" {
		t.Error(got)
	}
	if len(before.Found) != 1 || before.Found[0].Seen != 7 {
		t.Errorf("the tally before was changed: %+v", before)
	}

	in.Page = ""
	out, err = teller.Tally(context.Background(), in)
	if len(counted) != 1 { // also where some accounts could not be visited: then of fewer
		t.Errorf("the brake is told %v", counted)
	}
	if err != nil || out.Answer != workflow.Answer(workflow.PartlySwept) || len(o.did) != 2 || o.did[0] != "Attention Needed" {
		t.Fatalf("%+v, %v after %v", out, err, o.did)
	}
	if want := "drawbridge-sweep could not sweep 2 of 24 accounts: 222222222222: Refused: denied by a service control policy, and others"; out.Reason != want {
		t.Errorf("the result says %q, want %q", out.Reason, want)
	}
	for _, must := range []string{"2 of 24 accounts", "222222222222: Refused: denied by a service control policy", "444444444444: the visit left no answer",
		`stateMachine:drawbridge-sweep --input '{"accounts":["222222222222","444444444444"]}'`, "docs/runbook.md#partlyswept", "https://us-east-1.console"} {
		if !strings.Contains(o.did[1], must) {
			t.Errorf("the notification lacks %q:\n%s", must, o.did[1])
		}
	}
}

func TestASweepWithoutFailuresTellsNobody(t *testing.T) {
	o := &town{}
	counted := -1
	seen := visited("111111111111")
	seen.Managed = 7
	out, err := Teller{Managed: func(_ context.Context, n int) error { counted = n; return nil }, Ledger: empty(), Bus: notice.Bus{API: o}, Topic: notice.Topic{API: o}}.Tally(context.Background(), workflow.TallySweepInput{
		Accounts: []workflow.Territory{{Account: "111111111111"}}, Visits: []*workflow.Visit{seen}, Tally: workflow.Tally{Managed: 100}})
	if err != nil || out.Answer != workflow.Answer(workflow.Swept) || len(o.did) != 0 {
		t.Errorf("%+v, %v after %v", out, err, o.did)
	}
	if counted != 107 {
		t.Errorf("the brake is told of %d connections, want those of all pages", counted)
	}
}

// People hear of the same accounts once, however many sweeps find them, and once that it is over; programs hear each time. Who asks for a sweep of some accounts is told.
func TestPeopleHearOfTheSameMissedAccountsOnce(t *testing.T) {
	o := &town{}
	teller := Teller{Managed: func(context.Context, int) error { return nil }, Ledger: empty(), Bus: notice.Bus{API: o}, Topic: notice.Topic{API: o}}
	accounts := []workflow.Territory{{Account: "111111111111"}, {Account: "222222222222"}}
	well, broken, deaf := visited("111111111111"), visited("222222222222"), visited("222222222222")
	refused := func(request string) string {
		return fmt.Sprintf(`{"errorMessage":"listing peerings: https response error StatusCode: 403, RequestID: %s, api error UnauthorizedOperation: no"}`, request)
	}
	broken.Error = "Refused"
	deaf.Deaf = []workflow.Barred{{Regions: []string{"us-east-1"}, Why: "1 of 20 rules are off: drawbridge-forward-hands"}}
	events, messages, day := 0, 0, 0
	sweep := func(of workflow.Sweep, visit *workflow.Visit, wantEvents, wantMessages int, must string) {
		t.Helper()
		day++
		visit.Cause = refused(fmt.Sprint("request-", day))
		o.did = nil
		if _, err := teller.Tally(t.Context(), workflow.TallySweepInput{Execution: fmt.Sprint("run-", day), ExecutionID: fmt.Sprint("arn:aws:states:us-east-1:123456789012:execution:drawbridge-sweep:run-", day),
			Sweep: of, Accounts: accounts, Visits: []*workflow.Visit{well, visit}}); err != nil {
			t.Fatal(err)
		}
		last := ""
		for _, d := range o.did {
			if d == string(notice.AttentionNeeded) {
				events++
			} else {
				messages, last = messages+1, d
			}
		}
		if events != wantEvents || messages != wantMessages || !strings.Contains(last, must) {
			t.Errorf("day %d: %d events and %d messages, want %d and %d; the last says %q", day, events, messages, wantEvents, wantMessages, last)
		}
	}
	all, some := workflow.Sweep{}, workflow.Sweep{Accounts: []string{"222222222222"}}
	sweep(all, visited("222222222222"), 0, 0, "")
	sweep(all, broken, 1, 1, "could not sweep 1 of 2 accounts")
	sweep(all, broken, 2, 1, "")
	sweep(some, broken, 3, 2, "could not sweep") // somebody waits for it
	sweep(some, visited("222222222222"), 3, 2, "")
	sweep(all, broken, 4, 2, "")
	sweep(all, deaf, 5, 3, "drawbridge-forward-hands") // it changed
	sweep(all, deaf, 6, 3, "")
	sweep(all, visited("222222222222"), 6, 4, "looks through all of 2 accounts again")
	sweep(all, visited("222222222222"), 6, 4, "")
	sweep(all, deaf, 7, 5, "drawbridge-forward-hands") // it came again

	// A sweep that comes to its end, whatever it found, is the end of what people were told of sweeps that failed.
	if _, err := teller.Ledger.OnceOf(t.Context(), notice.SweepFailures, "no policy", "run", func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	sweep(some, visited("222222222222"), 7, 5, "")
	if news, err := teller.Ledger.News(t.Context(), notice.SweepFailures); err != nil || news.Told != "" {
		t.Errorf("left of sweeps that failed: %+v, %v", news, err)
	}
}

// A sweep of some accounts says nothing of how many connections there are.
func TestASweepOfSomeCountsNothing(t *testing.T) {
	for _, some := range []workflow.Sweep{{Accounts: []string{"111111111111"}}, {Regions: []string{"eu-west-1"}}} {
		teller := Teller{Ledger: empty(), Managed: func(context.Context, int) error { t.Errorf("%+v counts", some); return nil }}
		if _, err := teller.Tally(t.Context(), workflow.TallySweepInput{Sweep: some}); err != nil {
			t.Error(err)
		}
	}
}

// An organization of 1,000 accounts in 17 Regions, with 5,000 connections: what a sweep carries from page to page stays small, whether nobody lets it in or all that
// is there was found and is nobody's of Drawbridge's.
func TestATallyStaysSmall(t *testing.T) {
	var regions []string
	for n := range 17 {
		regions = append(regions, fmt.Sprintf("ap-southeast-%d", n+10))
	}
	var failed, found workflow.Tally
	for page := range 50 {
		out := workflow.ListAccountsOutput{Sweep: workflow.Sweep{Regions: regions}, Page: "a token of Organizations"}
		var visits []*workflow.Visit
		for n := range 20 {
			account := fmt.Sprintf("%012d", page*20+n)
			out.Accounts = append(out.Accounts, workflow.Territory{Account: account, Regions: regions})
			var names []string
			for p := range 5 {
				names = Name(names, fmt.Sprintf("pcx-%012d%05d", page*20+n, p))
			}
			visits = append(visits, &workflow.Visit{SweepAccountOutput: workflow.SweepAccountOutput{Account: account, Found: []workflow.Found{{Kind: "peerings", Seen: 5, Unmanaged: 5, Names: names}}}})
		}
		failed, found = Count(failed, out.Accounts, nil), Count(found, out.Accounts, visits)
		for _, out.Tally = range []workflow.Tally{failed, found} {
			if b, err := json.Marshal(out); err != nil || len(b) > workflow.StateSize {
				t.Fatalf("page %d carries %d bytes, %v", page, len(b), err)
			}
		}
	}
	if failed.Accounts != 1000 || len(failed.Failed) != named || failed.More.Failed != 1000-named {
		t.Errorf("%d accounts, %d named and %d more", failed.Accounts, len(failed.Failed), failed.More.Failed)
	}
	if f := found.Found[0]; f.Unmanaged != 5000 || len(f.Names) > 20 || len(found.Failed) > 0 {
		t.Errorf("%d connections were found, %d named", f.Unmanaged, len(f.Names))
	}
}

// guide is a finder that fails as it is told.
type guide struct {
	kind string
	err  error
}

func (g guide) Kind() string { return g.kind }

func (g guide) Find(ctx context.Context, _ string, at event.Place, ask Ask) (int, error) {
	if g.err != nil {
		return 1, g.err
	}
	return 2, ask(ctx, event.NotebookInspection{Region: at.Region, Notebook: g.kind})
}

func TestAFinderThatFailsLeavesTheOthersAlone(t *testing.T) {
	in := workflow.SweepAccountInput{Territory: workflow.Territory{Account: "111111111111", Regions: []string{"us-east-1", "eu-west-1"}}}
	for name, c := range map[string]struct {
		err   error
		asked string
		kind  fault.Kind
	}{
		"nothing fails":         {nil, "[a us-east-1 a eu-west-1 b us-east-1 b eu-west-1]", ""},
		"what a person mends":   {fault.New(fault.Refused, "denied"), "[b us-east-1 b eu-west-1]", fault.Refused},
		"what passes by itself": {fault.New(fault.Transient, "throttled"), "[]", fault.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			s := Sweeper{Hears: hears, Ledger: empty(), Finders: []Finder{guide{"a", c.err}, guide{"b", nil}}, Ask: func(_ context.Context, looks ...look.Look) error {
				for _, l := range looks {
					asked = append(asked, l.(event.NotebookInspection).Notebook+" "+l.(event.NotebookInspection).Region)
				}
				return nil
			}}
			out, err := s.Sweep(context.Background(), in)
			if fmt.Sprint(asked) != c.asked || fault.Of(err) != c.kind {
				t.Errorf("asked %v, %v", asked, err)
			}
			if c.err == nil && fmt.Sprint(out.Found) != "[{a 4 2 0 [] 0 0} {b 4 2 0 [] 0 0}]" {
				t.Errorf("found %v", out.Found)
			}
		})
	}
}

// local is a finder that finds something in every Region but some.
type local map[string]error

func (l local) Kind() string { return "things" }

func (l local) Find(ctx context.Context, _ string, at event.Place, ask Ask) (int, error) {
	if err := l[at.Region]; err != nil {
		return 0, fmt.Errorf("reading: %w", err)
	}
	return 1, ask(ctx, event.NotebookInspection{Region: at.Region})
}

// FindAll is that of an [AccountFinder].
func (l local) FindAll(ctx context.Context, execution string, t workflow.Territory, ask Ask) (seen int, err error) {
	var broken []error
	for _, region := range t.Regions {
		n, err := l.Find(ctx, execution, event.Place{Account: t.Account, Region: region}, ask)
		if seen += n; err != nil {
			broken = append(broken, regional{region, err})
		}
	}
	return seen, errors.Join(broken...)
}

func TestABarredRegionAndAnAbsentServiceFailNothing(t *testing.T) {
	opted := &smithy.GenericAPIError{Code: "AuthFailure", Message: "AWS was not able to validate the provided access credentials"}
	denied := &smithy.GenericAPIError{Code: "UnauthorizedOperation", Message: "not authorized with an explicit deny in a service control policy. Encoded: 1"}
	again := &smithy.GenericAPIError{Code: "UnauthorizedOperation", Message: "not authorized with an explicit deny in a service control policy. Encoded: 2"}
	absent := fmt.Errorf("no host: %w", fault.ErrAbsent)
	in := workflow.SweepAccountInput{Territory: workflow.Territory{Account: "111111111111", Regions: []string{"us-east-1", "eu-west-1", "me-south-1", "ap-east-1", "eu-south-1"}}}
	for name, one := range map[string]Sweeper{
		"finders":             {Finders: []Finder{local{"me-south-1": opted, "ap-east-1": denied, "eu-south-1": again, "eu-west-1": absent}, local{"me-south-1": denied}}},
		"finders of accounts": {Accounts: []AccountFinder{local{"me-south-1": opted, "ap-east-1": denied, "eu-south-1": again}}},
	} {
		one.Hears, one.Ledger, one.Ask = hears, empty(), func(context.Context, ...look.Look) error { return nil }
		out, err := one.Sweep(context.Background(), in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := "[{[me-south-1] the account has not enabled the Region: AuthFailure: AWS was not able to validate the provided access credentials} " +
			"{[ap-east-1 eu-south-1] a policy of the organization denies it: UnauthorizedOperation: not authorized with an explicit deny in a service control policy}]"
		if got := fmt.Sprint(out.Barred); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if seen := out.Found[0].Seen; name == "finders" && (seen != 1 || out.Found[1].Seen != 4) || name != "finders" && seen != 2 {
			t.Errorf("%s: found %v", name, out.Found)
		}
	}
	// What is known to be there, and cannot be read, is not gone.
	lost := Sweeper{Hears: hears, Ledger: empty(), Accounts: []AccountFinder{local{"eu-west-1": absent}}, Ask: func(context.Context, ...look.Look) error { return nil }}
	if _, err := lost.Sweep(context.Background(), in); !fault.Absent(err) {
		t.Errorf("something of ours cannot be read, and the visit says %v", err)
	}
}

func TestAClosedAccountIsToldNotFailed(t *testing.T) {
	out, err := Sweeper{Hears: hears, Ledger: empty(), Finders: []Finder{guide{"a", fmt.Errorf("assuming a role: %w", fault.ErrClosed)}}}.Sweep(context.Background(),
		workflow.SweepAccountInput{Territory: workflow.Territory{Account: "1", Regions: []string{"us-east-1"}}})
	if err != nil || out.Closed == "" {
		t.Errorf("%+v, %v", out, err)
	}
}

// registry lists accounts in two pages.
type registry struct{ asked int }

func (r *registry) ListAccounts(_ context.Context, in *organizations.ListAccountsInput, _ ...func(*organizations.Options)) (*organizations.ListAccountsOutput, error) {
	r.asked++
	if in.NextToken == nil {
		return &organizations.ListAccountsOutput{NextToken: aws.String("2"), Accounts: []types.Account{{Id: aws.String("111111111111"), State: types.AccountStateActive}}}, nil
	}
	return &organizations.ListAccountsOutput{Accounts: []types.Account{{Id: aws.String("222222222222"), State: types.AccountStateSuspended}, {Id: aws.String("333333333333")}, {Id: aws.String("444444444444"), State: types.AccountStatePendingActivation}}}, nil
}

func readable(context.Context) (*policy.Set, error) {
	return policy.Default(), nil
}

func TestAPolicyThatCannotBeReadStopsASweepAtItsStart(t *testing.T) {
	asked := &registry{}
	garbled := func(context.Context) (*policy.Set, error) {
		return nil, fault.NewConflict("reading the policy: what?", "correct it")
	}
	l := Lister{API: asked, Regions: []string{"us-east-1"}, Policy: garbled}
	if _, err := l.List(t.Context(), workflow.ListAccountsInput{}); fault.Of(err) != fault.Conflict || asked.asked > 0 {
		t.Errorf("%v, and asked for %d pages", err, asked.asked)
	}
	if _, err := l.List(t.Context(), workflow.ListAccountsInput{Page: "2"}); err != nil {
		t.Errorf("a sweep that is under way: %v", err)
	}
}

func TestAccountsComeInPages(t *testing.T) {
	pages := func(s workflow.Sweep) (all []string) {
		t.Helper()
		l, page := Lister{API: &registry{}, Regions: []string{"us-east-1"}, Policy: readable}, ""
		for {
			out, err := l.List(context.Background(), workflow.ListAccountsInput{Sweep: s, Page: page})
			if err != nil {
				t.Fatal(err)
			}
			one := []string{}
			for _, a := range out.Accounts {
				one = append(one, a.Account)
			}
			all = append(all, fmt.Sprintf("%d %s %s", len(one), one[0], one[len(one)-1]))
			if page = out.Page; page == "" {
				return all
			}
		}
	}
	if got := fmt.Sprint(pages(workflow.Sweep{})); got != "[1 111111111111 111111111111 2 222222222222 333333333333]" {
		t.Error(got)
	}
	var named []string
	for n := range 45 {
		named = append(named, fmt.Sprintf("%012d", n))
	}
	if got := fmt.Sprint(pages(workflow.Sweep{Accounts: named})); got != "[20 000000000000 000000000019 20 000000000020 000000000039 5 000000000040 000000000044]" {
		t.Error(got)
	}
	_, err := Lister{}.List(context.Background(), workflow.ListAccountsInput{Sweep: workflow.Sweep{Accounts: named}, Page: "x"})
	if fault.Of(err) != fault.Invalid || errors.Is(err, fault.ErrClosed) {
		t.Error(err)
	}
}

// What was not given to Drawbridge is counted, however much it is, and the first are named.
func TestTheTallyCountsWhatIsNotManaged(t *testing.T) {
	var names []string
	for n := range 15 {
		names = Name(names, fmt.Sprint("pcx-", n))
	}
	visit := func(account string) *workflow.Visit {
		return &workflow.Visit{SweepAccountOutput: workflow.SweepAccountOutput{Account: account, Found: []workflow.Found{{Kind: "peerings", Seen: 40, Unmanaged: 30, Names: names}}}}
	}
	got := Count(workflow.Tally{}, []workflow.Territory{{Account: "111111111111"}, {Account: "222222222222"}}, []*workflow.Visit{visit("111111111111"), visit("222222222222")})
	if f := got.Found[0]; f.Unmanaged != 60 || f.Seen != 80 || len(f.Names) != 20 || len(names) != 15 {
		t.Errorf("%+v", f)
	}
}
