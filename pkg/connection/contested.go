package connection

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest/report"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// contested says whether somebody keeps taking away what a connection needs, and asks for people to be told if so: see [report.Ask]. Only where a
// notebook lacks its host routes the entry is read for the subnets of whose lines that may be so.
func contested(ctx context.Context, l ledger.Ledger, bus notice.Bus, in workflow.VerifyConnectionInput) (reason string, err error) {
	entry := ledger.Connection{ID: in.Connection.ID}
	lacks := func(n workflow.NotebooksOutput) bool { return n.Served < n.Notebooks }
	if slices.ContainsFunc(in.Injected, lacks) {
		if entry, _, err = l.Connection(ctx, in.Connection.ID); err != nil {
			return "", err
		}
		entry.ID = in.Connection.ID
	}
	return report.Ask(ctx, l, bus, entry)
}

// silent reports whether the status tags of a connection are not written in an account, because somebody there took them away twice.
func silent(c ledger.Connection, account string) bool { return c.Untagged[account].Times > 1 }
