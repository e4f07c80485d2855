package owner

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Stands is the news of a connection that was set up: which policy, and what is open. A change of what is open is news again; that it was
// set up anew is not.
func Stands(in workflow.VerifyConnectionInput, out workflow.VerifyConnectionOutput) News {
	n := News{Execution: in.Execution, Connection: in.Connection, Kind: notice.ConnectionConnected, Result: out.Result, Said: workflow.Alike(in.Reason)}
	switch out.Result {
	case workflow.PendingApproval:
		n.Said = workflow.Said{Requester: in.Reason + "; " + in.Waits.Said.Requester, Accepter: in.Reason + "; " + in.Waits.Said.Accepter}
	case workflow.PartlyConnected: // which clients cannot connect is for both to know; what is in the way, for its owner, stands in the status
		n.Said = workflow.Alike(in.Reason + "; " + broken(out.Verdict))
	}
	for _, s := range in.Sides {
		for _, o := range s.Openings {
			if o.Withheld != nil {
				continue
			}
			n.Opens = append(n.Opens, fmt.Sprintf("%s in %s of account %s, TCP port %d, from %s of account %s", o.Database, s.VPC.ID, s.VPC.Account, o.Port, s.Peer.ID, s.Peer.Account))
		}
		if s.Owner != "" { // the routes are the owner's
			continue
		}
		var to []netip.Prefix
		for _, w := range s.Ways {
			to = append(to, w.To...)
		}
		for _, cidr := range network.Merge(to) {
			n.Opens = append(n.Opens, fmt.Sprintf("routes of %s in account %s to %s", s.VPC.ID, s.VPC.Account, cidr))
		}
	}
	slices.Sort(n.Opens)
	return n
}

// broken names the paths that fail.
func broken(verdict []workflow.Path) string {
	var out []string
	for _, p := range verdict {
		if !p.OK && !p.Unknown && len(p.Hops) > 0 {
			out = append(out, p.Hop.Hop)
		}
	}
	if more := len(out) - 5; more > 0 {
		out = append(out[:5], fmt.Sprintf("and %d more", more))
	}
	return "what does not connect yet: " + strings.Join(out, ", ") + "; the status tag says to each side what of its own is in the way"
}

// Refused is the news of a connection that the policy or the networks do not allow.
func Refused(in workflow.ConcludeInput, out workflow.ConcludeOutput) News {
	return News{Execution: in.Execution, Connection: in.Connection, Kind: notice.ConnectionRefused, Result: out.Result, Said: in.Said}
}

// Ended is the news of a connection that is over. What is said to nobody in particular is said to both.
func Ended(in workflow.ConcludeRemovalInput) News {
	said := in.Said
	if said == (workflow.Said{}) {
		said = workflow.Alike(in.Reason)
	}
	return News{Execution: in.Execution, Connection: in.Connection, Kind: notice.ConnectionRemoved, Result: in.Result, Said: said}
}

// Unread is the news of a connection of which something cannot be read now.
func Unread(in workflow.ReportUnreadableInput) News {
	return News{Execution: in.Execution, Connection: in.Connection, Kind: notice.ChangeHeld, Result: workflow.Unreadable, Said: in.Said}
}

// Messages are the notifications of the two sides to whom something is said; one, if both are one account's and hear the same. What is contested is not said
// here: package report says it, with the remedy, a few minutes later.
func Messages(n News) []notice.Notification {
	if n.Result == workflow.Contested {
		return nil
	}
	c := n.Connection
	message := func(own, other workflow.VPC, said string) notice.Notification {
		var b strings.Builder
		fmt.Fprintf(&b, "%s is %s.\n\n%s\n\n  your side    %s in account %s, %s\n  other side   %s in account %s, %s\n", c.ID, n.Result, said,
			own.ID, own.Account, own.Region, other.ID, other.Account, other.Region)
		if len(n.Opens) > 0 {
			fmt.Fprintf(&b, "\nWhat is open\n  %s\n", strings.Join(n.Opens, "\n  "))
		}
		fmt.Fprintf(&b, "\nYou hear of it again when it changes.\nExecution %s\n", n.Execution)
		return notice.Notification{Kind: n.Kind, Account: own.Account, Subject: fmt.Sprintf("Drawbridge: %s is %s", c.ID, n.Result), Body: b.String()}
	}
	var out []notice.Notification
	if n.Said.Requester != "" {
		out = append(out, message(c.Requester, c.Accepter, n.Said.Requester))
	}
	if n.Said.Accepter != "" && (c.Accepter.Account != c.Requester.Account || n.Said.Accepter != n.Said.Requester) {
		out = append(out, message(c.Accepter, c.Requester, n.Said.Accepter))
	}
	return out
}
