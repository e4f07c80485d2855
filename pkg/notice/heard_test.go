package notice_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const (
	ownerAccount = "222222222222"
	cluster      = "arn:aws:rds:us-east-1:" + ownerAccount + ":cluster:sales"
)

// access puts an event about access on the bus, as a machine does, and returns what people heard of it: "account kind", and all messages.
func (h *hub) access(t *testing.T, e notice.Event) (heard []string, said string) {
	t.Helper()
	h.did, h.all = nil, nil
	w := h.watch()
	if err := w.Bus.Put(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	kind := strings.TrimSuffix(strings.TrimPrefix(h.did[0], "drawbridge/"), " on drawbridge")
	raw, err := json.Marshal(map[string]any{"detail-type": kind, "detail": json.RawMessage(h.raw)})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // EventBridge delivers at least once
		if _, err := w.Tell(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range h.all {
		heard, said = append(heard, *p.MessageAttributes["account"].StringValue+" "+*p.MessageAttributes["kind"].StringValue), said+*p.Subject+"\n"+*p.Message
	}
	return heard, said
}

func thing(result workflow.Result, accounts ...string) notice.Thing {
	return notice.Thing{Execution: "run-1", Machine: "drawbridge-data-api", Result: result, Reason: "its owner opened it",
		Resource: notice.Resource{Account: ownerAccount, Region: "us-east-1", ID: cluster}, For: accounts}
}

// The owner, and each account that has access, hears once that it stands, that it changed, and that it ends.
func TestOwnersHearOfAccessOnce(t *testing.T) {
	h := &hub{}
	one, other := "333333333333", "444444444444"
	lacking := []workflow.Hop{{Hop: "secret", Detail: "sales/ada is not tagged"}}
	refused := policy.Decision{Policy: "never"}
	for _, c := range []struct {
		about string
		event notice.Event
		want  []string
	}{
		{"it is opened", notice.Access(thing(workflow.Exposed, one), policy.Decision{}, nil), []string{ownerAccount + " Access Granted", one + " Access Granted"}},
		{"the next sweep", notice.Access(thing(workflow.Exposed, one), policy.Decision{}, nil), nil},
		{"something is missing", notice.Access(thing(workflow.Incomplete, one), policy.Decision{}, lacking), []string{ownerAccount + " Access Pending", one + " Access Pending"}},
		{"it is there, and another account has it", notice.Access(thing(workflow.Exposed, one, other), policy.Decision{}, nil),
			[]string{ownerAccount + " Access Granted", one + " Access Granted", other + " Access Granted"}},
		{"the first has it no more", notice.Access(thing(workflow.Exposed, other), policy.Decision{}, nil), []string{ownerAccount + " Access Granted", one + " Access Removed"}},
		{"it is contested, of which its report tells", notice.Access(thing(workflow.Contested, other), policy.Decision{}, lacking), nil},
		{"the policy refuses it", notice.Access(thing(workflow.RefusedByPolicy), refused, nil), []string{ownerAccount + " Access Refused", other + " Access Removed"}},
		{"it refuses it again", notice.Access(thing(workflow.RefusedByPolicy), refused, nil), nil},
		{"its owner closes it", notice.Access(thing(workflow.Retracted), policy.Decision{}, nil), []string{ownerAccount + " Access Removed"}},
		{"a look at what is closed", notice.Access(thing(workflow.Retracted), policy.Decision{}, nil), nil},
	} {
		if heard, _ := h.access(t, c.event); !slices.Equal(heard, c.want) {
			t.Errorf("%s: heard by %v, want %v", c.about, heard, c.want)
		}
	}
	if left, err := h.book.Heard(t.Context(), "access drawbridge-data-api "+cluster+" us-east-1"); err != nil || len(left) > 0 {
		t.Errorf("the ledger still has what %v heard; %v", left, err)
	}
}

// What the owner has to mend, and who else has it, is the owner's to read.
func TestOthersHearOfTheirOwnAccessAlone(t *testing.T) {
	h := &hub{}
	var hops []workflow.Hop
	for n := range 30 {
		hops = append(hops, workflow.Hop{Hop: fmt.Sprint("secret ", n), Detail: "is not tagged"})
	}
	_, said := h.access(t, notice.Access(thing(workflow.Incomplete, "333333333333", "444444444444"), policy.Decision{}, hops))
	parts := strings.SplitAfter(said, "Execution run-1\n")
	if len(parts) != 4 {
		t.Fatalf("%d messages:\n%s", len(parts)-1, said)
	}
	for _, want := range []string{"the Data API of the cluster sales", "Drawbridge goes on by itself", "account " + ownerAccount + ", us-east-1", cluster, "for      333333333333, 444444444444", "its owner opened it",
		"secret 19: is not tagged", "and 10 more"} {
		if !strings.Contains(parts[0], want) {
			t.Errorf("the owner does not hear %q:\n%s", want, parts[0])
		}
	}
	for _, never := range []string{"secret", "444444444444", "its owner opened it"} {
		if strings.Contains(parts[1], never) {
			t.Errorf("the first account hears %q:\n%s", never, parts[1])
		}
	}
	if !strings.Contains(parts[1], "account 333333333333 may have it") {
		t.Errorf("the first account hears\n%s", parts[1])
	}
}

// The VPCs of an account are no accounts, and one that is looked at as a whole has no Region.
func TestAnAccountsOwnAccess(t *testing.T) {
	h := &hub{}
	heard, said := h.access(t, notice.Access(notice.Thing{Execution: "run-1", Machine: "drawbridge-private-notebooks", Resource: notice.Resource{Account: ownerAccount}, For: []string{"vpc-1"}, Result: "Private"}, policy.Decision{}, nil))
	if !slices.Equal(heard, []string{ownerAccount + " Access Granted"}) || !strings.Contains(said, "access to private notebooks in account "+ownerAccount+" is open") {
		t.Errorf("heard by %v:\n%s", heard, said)
	}
}
