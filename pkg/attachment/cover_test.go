package attachment

import (
	"slices"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

func TestWhatAnOwnersAnswerSaysToThePolicy(t *testing.T) {
	a := cover.Ask(ledger.Approval{}, []string{"a"})
	for answer, want := range map[string]string{"": "", "approved": "approved", "approved-all": "approved", "rejected": "rejected",
		"approved-" + cover.Digest([]string{"a"}): "approved", "approved-00000000": ""} {
		means, unclear := word(answer, a)
		if means != want || (unclear != "") != (answer == "approved-00000000") {
			t.Errorf("%q says %q (%q), want %q", answer, means, unclear, want)
		}
	}
}

// The entry of an attachment that stands says what its owner's answer covers; what was covered stays so.
func TestTheEntryOfAnAttachmentSaysWhatItsApprovalCovers(t *testing.T) {
	l, _ := ledgertest.New()
	i, ctx := Inspector{Ledger: l}, t.Context()
	if _, err := l.Begin(ctx, ledger.Connection{ID: "tgw-attach-1", Kind: road.Attachment}); err != nil {
		t.Fatal(err)
	}
	asks := policy.Decision{Action: policy.AskAttachment, Allowed: true}
	step := func(what, answer string, free policy.Decision, want ...string) {
		t.Helper()
		entry, _, err := l.Connection(ctx, "tgw-attach-1")
		if err == nil {
			err = i.cover(ctx, entry, answer, free)
		}
		if err != nil {
			t.Fatal(err)
		}
		if entry, _, err = l.Connection(ctx, "tgw-attach-1"); err != nil || !slices.Equal(entry.Approval.Covered, want) {
			t.Errorf("%s: covered %v, %v, want %v", what, entry.Approval.Covered, err, want)
		}
	}
	step("nobody was asked", "approved", asks)
	if err := show(ctx, l, "tgw-attach-1", []string{"a"}); err != nil {
		t.Fatal(err)
	}
	step("the first question", "approved", asks, "a")
	if err := show(ctx, l, "tgw-attach-1", []string{"b"}); err != nil {
		t.Fatal(err)
	}
	step("the old answer", "approved", asks, "a")
	step("the second question", "approved-"+cover.Digest([]string{"b"}), asks, "a", "b")
	step("all", "approved-all", asks, "a", cover.All, "b")
	step("not all any more", "approved", asks, "a", "b")
	step("no answer any more", "", asks, "a", "b")
	step("nobody has to approve", "", policy.Decision{Action: policy.AcceptAttachment, Allowed: true})
}
