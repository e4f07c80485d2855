package attachment

import (
	"context"
	"reflect"

	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Shows returns what a gateway's owner is asked about, as lines of package cover: the ranges of the VPC, and the databases that become reachable
// between it and those that are attached.
func Shows(vpc workflow.VPC, reachable []workflow.Reachable) []string {
	var out []string
	for _, r := range vpc.CIDRs {
		out = append(out, Range(workflow.Ranged{CIDR: r, VPC: vpc}))
	}
	for _, r := range reachable {
		out = append(out, Database(r))
	}
	return cover.Lines(out...)
}

// Range is the line of a range of a VPC on a gateway.
func Range(r workflow.Ranged) string { return cover.Of(cover.Range(r.CIDR), r.VPC.ID, "") }

// Database is the line of a database of a VPC on a gateway that becomes reachable from another.
func Database(r workflow.Reachable) string {
	return cover.Of(cover.Database(r.Database), r.VPC.ID, r.From.ID)
}

// word is what the owner's answer says to the policy, and what of it answers nothing: a value that names a question which is not asked any more.
func word(answer string, a ledger.Approval) (means, unclear string) {
	switch {
	case cover.Approves(answer, a):
		return tag.Approved, ""
	case cover.Yes(answer):
		return "", "; " + tag.Approval + "=" + answer + " answers an earlier question"
	}
	return answer, ""
}

// cover writes into the entry of an attachment that stands what its owner's answer covers. Where the policy accepts without asking, nothing is
// limited. An attachment about which nobody was asked is not limited either.
func (i Inspector) cover(ctx context.Context, entry ledger.Connection, answer string, free policy.Decision) error {
	if entry.ID == "" || entry.Approval.IsZero() {
		return nil
	}
	approval := ledger.Approval{}
	if !free.Allowed || free.Action != policy.AcceptAttachment {
		approval = cover.Standing(entry.Approval, answer)
	}
	if reflect.DeepEqual(approval, entry.Approval) {
		return nil
	}
	_, err := i.Ledger.Change(ctx, entry.ID, func(e *ledger.Connection) {
		if approval.IsZero() {
			e.Approval = ledger.Approval{}
		}
		e.Approval.Covered = approval.Covered // another execution may have asked meanwhile
	})
	return err
}

// show writes into the entry of an attachment what its question shows.
func show(ctx context.Context, l ledger.Ledger, id string, shown []string) error {
	_, err := l.Change(ctx, id, showing(shown))
	return err
}

// showing writes in an entry what a question for an approval shows.
func showing(shown []string) func(*ledger.Connection) {
	return func(e *ledger.Connection) {
		e.Approval = cover.Ask(e.Approval, shown)
		e.Approval.Told = cover.Digest(e.Approval.Shown)
	}
}
