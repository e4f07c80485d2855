package restart_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

var here = event.Place{Account: "111111111111", Region: "us-east-1"}

// desk keeps debts, and the notebooks for which executions were asked.
type desk struct {
	restart.Book
	asked []string
	over  map[string]bool // executions that ended
}

func newDesk() *desk {
	d := &desk{over: map[string]bool{}}
	d.Ledger, _ = ledgertest.New()
	d.Ask = func(_ context.Context, looks ...look.Look) error {
		for _, l := range looks {
			d.asked = append(d.asked, l.(event.NotebookRestart).Notebook)
		}
		return nil
	}
	return d
}

func (d *desk) owe(t *testing.T, many int) {
	t.Helper()
	var debts []ledger.Debt
	for n := range many {
		debts = append(debts, ledger.Debt{Account: here.Account, Region: here.Region, Notebook: fmt.Sprintf("n%d", n), For: "pcx-1"})
	}
	if err := d.Owe(t.Context(), here, debts...); err != nil {
		t.Fatal(err)
	}
}

// claim returns why an execution does not get the debt.
func (d *desk) claim(t *testing.T, notebook, execution string) string {
	t.Helper()
	_, why, err := d.Claim(t.Context(), here, notebook, execution, func(_ context.Context, t ledger.Turn) (bool, error) { return d.over[t.Holder], nil })
	if err != nil {
		t.Fatal(err)
	}
	return why
}

func TestAsManyAtOnceAsThereMayBe(t *testing.T) {
	d := newDesk()
	d.owe(t, restart.AtOnce+3)
	if got := fmt.Sprint(d.asked); got != "[n0 n1 n2 n3 n4]" {
		t.Fatalf("asked for %s", got)
	}
	for n := range restart.AtOnce {
		if why := d.claim(t, fmt.Sprintf("n%d", n), fmt.Sprintf("x%d", n)); why != "" {
			t.Fatalf("n%d: %s", n, why)
		}
	}
	if why := d.claim(t, "n5", "x5"); !strings.Contains(why, "waits for its turn") {
		t.Errorf("one more than there may be: %q", why)
	}
	if why := d.claim(t, "n0", "y"); !strings.Contains(why, "execution x0 restarts") {
		t.Errorf("a second execution: %q", why)
	}
	if why := d.claim(t, "n0", "x0"); why != "" {
		t.Errorf("the same execution once more: %q", why)
	}
	d.asked = nil
	for range 2 { // the second time is a repetition
		if err := d.Repay(t.Context(), here, "n0", "x0"); err != nil || fmt.Sprint(d.asked) != "[n5]" {
			t.Fatalf("%v, then asked for %v", err, d.asked)
		}
	}
	if why := d.claim(t, "n5", "x5"); why != "" {
		t.Errorf("after one is done: %s", why)
	}
	if why := d.claim(t, "n0", "z"); !strings.Contains(why, "owed no restart") {
		t.Errorf("what is repaid: %q", why)
	}
}

// The policy says how many: where two policies say different numbers, each debt waits until fewer are at work than its own allows.
func TestThePolicySaysHowManyAtOnce(t *testing.T) {
	for most, want := range map[int]string{1: "[n0]", 3: "[n0 n1 n2]", 7: "[n0 n1 n2 n3 n4 n5 n6]"} {
		d := newDesk()
		var debts []ledger.Debt
		for n := range 9 {
			debts = append(debts, ledger.Debt{Account: here.Account, Region: here.Region, Notebook: fmt.Sprintf("n%d", n), AtOnce: most})
		}
		if err := d.Owe(t.Context(), here, debts...); err != nil || fmt.Sprint(d.asked) != want {
			t.Fatalf("of %d at once it is asked for %v, %v", most, d.asked, err)
		}
		for n := range most {
			if why := d.claim(t, fmt.Sprintf("n%d", n), fmt.Sprintf("x%d", n)); why != "" {
				t.Fatalf("n%d of %d: %s", n, most, why)
			}
		}
		if why := d.claim(t, "n8", "y"); !strings.Contains(why, "waits for its turn") {
			t.Errorf("one more than %d: %q", most, why)
		}
		d.asked = nil
		if err := d.Repay(t.Context(), here, "n0", "x0"); err != nil || fmt.Sprint(d.asked) != fmt.Sprintf("[n%d]", most) {
			t.Errorf("of %d at once, after one is done it is asked for %v, %v", most, d.asked, err)
		}
	}
}

// What the policy says comes with its decision.
func TestTheDecisionHasTheNumber(t *testing.T) {
	set, err := policy.Parse("p.cedar", []byte("@id(\"some\")\n@at_once(\"12\")\npermit (principal, action == Drawbridge::Action::\"Restart\", resource);\n@id(\"all\")\npermit (principal, action == Drawbridge::Action::\"Inject\", resource);"))
	if err != nil {
		t.Fatal(err)
	}
	vpc := policy.VPC{ID: "vpc-1", Region: here.Region, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, Account: policy.Account{ID: here.Account}}
	nb := workflow.Notebook{Account: here.Account, Region: here.Region, Name: "n", Restart: set.Restart(vpc, policy.Notebook{Name: "n", VPC: vpc}, policy.Context{})}
	if d := lifecycle.Debt(nb, "pcx-1"); !nb.Restart.Allowed || d.AtOnce != 12 || set.Inject(vpc, policy.Notebook{Name: "n", VPC: vpc}, policy.Context{}).AtOnce != 0 {
		t.Errorf("%+v is owed by %+v", d, nb.Restart)
	}
}

func TestWhoEndedHasNoDebt(t *testing.T) {
	d := newDesk()
	d.owe(t, restart.AtOnce+1)
	for n := range restart.AtOnce {
		d.claim(t, fmt.Sprintf("n%d", n), fmt.Sprintf("x%d", n))
	}
	if err := restart.Stopping(t.Context(), d.Ledger, here, "n0", "x0", true); err != nil {
		t.Fatal(err)
	}
	d.over["x0"] = true
	debts, err := d.Ledger.Debts(t.Context(), here.Account, here.Region)
	if err != nil || len(restart.Overdue(debts)) != restart.AtOnce+1 {
		t.Fatalf("a sweep asks for %v of %+v, %v", restart.Overdue(debts), debts, err)
	}
	debt, why, err := d.Claim(t.Context(), here, "n0", "y", func(_ context.Context, t ledger.Turn) (bool, error) { return d.over[t.Holder], nil })
	if err != nil || why != "" || !debt.Stopped || debt.By != "y" {
		t.Errorf("the next one gets %+v, %q, %v: want that the notebook is owed a start", debt, why, err)
	}
	// The old one is redriven: the debt is not its any more.
	if err := d.Repay(t.Context(), here, "n0", "x0"); err != nil {
		t.Fatal(err)
	}
	if err := restart.Stopping(t.Context(), d.Ledger, here, "n0", "x0", false); err != nil {
		t.Fatal(err)
	}
	if debts, _ := d.Ledger.Debts(t.Context(), here.Account, here.Region); len(debts) != restart.AtOnce+1 || !debts[0].Stopped {
		t.Errorf("it took the debt of another: %+v", debts)
	}
}

func TestADebtIsNotedOnce(t *testing.T) {
	d := newDesk()
	d.owe(t, 250)
	d.claim(t, "n7", "x")
	d.owe(t, 250)
	debts, err := d.Ledger.Debts(t.Context(), here.Account, here.Region)
	if err != nil || len(debts) != 250 {
		t.Fatalf("%d debts, %v", len(debts), err)
	}
	for _, b := range debts {
		if b.Notebook == "n7" && b.By != "x" {
			t.Error("whose it is was forgotten")
		}
	}
}
