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
		n.Said = unheeded(n.Said, s)
		for _, o := range s.AllowedDatabases {
			if o.Withheld != nil {
				continue
			}
			text := fmt.Sprintf("%s in %s of account %s, TCP port %d, from %s of account %s", o.Database, s.VPC.ID, s.VPC.Account, o.Port, s.Peer.ID, s.Peer.Account)
			n.Opens = append(n.Opens, Open{Account: s.VPC.Account, VPC: s.VPC.ID, Text: text})
		}
		if s.Owner != "" { // the routes are the owner's
			if len(s.AllowedDatabases)+len(s.Clients) > 0 {
				n.Participants = append(n.Participants, Participant{s.VPC.Account, s.Role, strings.Join(s.Unheeded, "\n")})
			}
			continue
		}
		var to []netip.Prefix
		for _, w := range s.Ways {
			to = append(to, w.To...)
		}
		for _, cidr := range network.Merge(to) {
			n.Opens = append(n.Opens, Open{Text: fmt.Sprintf("routes of %s in account %s to %s", s.VPC.ID, s.VPC.Account, cidr)})
		}
	}
	slices.SortFunc(n.Opens, func(a, b Open) int { return strings.Compare(a.Text, b.Text) })
	return n
}

// unheeded adds to what a side is told which of its owner's tags do not bring what they say. On what is not served nothing is written where a service has its own
// call for tags, and never on what a policy forbids to keep out.
func unheeded(said workflow.Said, s workflow.Side) workflow.Said {
	if s.Owner != "" { // what is a participant's is for it alone
		return said
	}
	for _, text := range s.Unheeded {
		if s.Role == "accepter" {
			said.Accepter += "\n" + text
		} else {
			said.Requester += "\n" + text
		}
	}
	return said
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

// Refused is the news of a connection that the policy or the networks do not allow. A request that is rejected at AWS, too, is over: that AWS says so a moment
// later is no other news.
func Refused(in workflow.ConcludeInput, out workflow.ConcludeOutput) News {
	n := News{Execution: in.Execution, Connection: in.Connection, Kind: notice.ConnectionRefused, Result: out.Result, Said: in.Said}
	if in.Rejects() {
		n.Result = workflow.Rejected
	}
	return n
}

// Ended is the news of a connection that is over. What is said to nobody in particular is said to both.
func Ended(in workflow.ConcludeRemovalInput) News {
	said := in.Said
	if said == (workflow.Said{}) {
		said = workflow.Alike(in.Reason)
	}
	n := News{Execution: in.Execution, Connection: in.Connection, Kind: notice.ConnectionRemoved, Result: in.Result, Said: said}
	for _, d := range in.Disconnected {
		if d.Side.Owner != "" {
			n.Participants = append(n.Participants, Participant{Account: d.Side.VPC.Account, Role: d.Side.Role})
		}
	}
	return n
}

// Unread is the news of a connection of which something cannot be read now.
func Unread(in workflow.ReportUnreadableInput) News {
	return News{Execution: in.Execution, Connection: in.Connection, Kind: notice.ChangeHeld, Result: workflow.Unreadable, Said: in.Said}
}

// Messages are the notifications of the two sides to whom something is said; one, if both are one account's. Who takes part in a VPC hears what its owner hears,
// but for databases of others in that VPC. What is contested is not said here: package report says it, with the remedy, a few minutes later.
func Messages(n News) []notice.Notification {
	if n.Result == workflow.Contested {
		return nil
	}
	c := n.Connection
	message := func(own, other workflow.VPC, said, account string) notice.Notification {
		var b strings.Builder
		fmt.Fprintf(&b, "%s is %s.\n\n%s\n\n  your side    %s in account %s, %s\n  other side   %s in account %s, %s\n", c.ID, n.Result, said,
			own.ID, own.Account, own.Region, other.ID, other.Account, other.Region)
		head := "\nWhat is open\n"
		for _, o := range n.Opens {
			if account == own.Account || o.VPC != own.ID || o.Account == account {
				fmt.Fprintf(&b, "%s  %s\n", head, o.Text)
				head = ""
			}
		}
		fmt.Fprintf(&b, "\nYou hear of it again when it changes.\nExecution %s\n", n.Execution)
		return notice.Notification{Kind: n.Kind, Account: account, Subject: fmt.Sprintf("Drawbridge: %s is %s", c.ID, n.Result), Body: b.String()}
	}
	first := n.Said.Requester
	one := c.Accepter.Account == c.Requester.Account && first != "" && n.Said.Accepter != ""
	if one && n.Said.Accepter != first {
		first += "\n" + n.Said.Accepter
	}
	var out []notice.Notification
	for _, side := range []struct {
		role, said, whole string
		own, other        workflow.VPC
	}{{"requester", n.Said.Requester, first, c.Requester, c.Accepter}, {"accepter", n.Said.Accepter, n.Said.Accepter, c.Accepter, c.Requester}} {
		if side.said == "" {
			continue
		}
		if !one || side.role == "requester" {
			out = append(out, message(side.own, side.other, side.whole, side.own.Account))
		}
		for _, p := range n.Participants {
			if p.Role == side.role && p.Account != c.Requester.Account && p.Account != c.Accepter.Account {
				out = append(out, message(side.own, side.other, strings.TrimSpace(side.said+"\n"+p.Unheeded), p.Account))
			}
		}
	}
	return out
}
