package notice

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Heard is what is read of an event about access: [Granted], [Pending], [Barred] or [Withdrawn].
type Heard struct {
	Thing
	Missing  []workflow.Hop  `json:"missing"`
	Hops     []workflow.Hop  `json:"hops"`
	Decision policy.Decision `json:"decision"`
}

// access tells the people of each account that an event about access concerns: the owner's, who opted in, and those of the accounts that have it, or had it. Each
// hears of it once, until it changes: what the ledger has told of it says so. Other accounts hear nothing of what the policy refuses.
func (w Watch) access(ctx context.Context, kind Kind, h Heard) error {
	if h.Result == workflow.Contested { // package report says it, with the remedy
		return nil
	}
	of := "access " + h.Machine + " " + h.about() + " " + h.Resource.Region
	heard, err := w.Ledger.Heard(ctx, of)
	if err != nil {
		return err
	}
	owner := h.Resource.Account
	accounts := []string{owner}
	for _, a := range append(slices.Clone(h.For), heard...) {
		if event.IsAccount(a) && !slices.Contains(accounts, a) { // a VPC of the owner's is none
			accounts = append(accounts, a)
		}
	}
	slices.Sort(accounts)
	all := h.digest()
	for _, account := range accounts {
		kind, what := kind, all
		switch {
		case account == owner && kind == AccessRemoved, account != owner && !slices.Contains(h.For, account):
			kind, what = AccessRemoved, "" // over
		case account != owner && kind == AccessRefused:
			continue
		case account != owner:
			what = string(h.Result) // who else has it is no news to them, nor is what the owner has to mend
		}
		told, err := w.Ledger.OnceTo(ctx, of, account, what, h.Execution, func() error { return w.Topic.Publish(ctx, h.message(kind, account)) })
		if err != nil {
			return err
		}
		slog.InfoContext(ctx, "telling", "what", kind, "of", h.about(), "account", account, "told", told)
	}
	return nil
}

// digest is the same only for what says the same. What a look did is not in it.
func (h Heard) digest() string {
	words := []string{string(h.Result), strings.Join(h.For, " "), h.Decision.Policy}
	for _, m := range h.Missing {
		words = append(words, m.Hop, m.Detail)
	}
	return ledger.Digest(words)
}

// accessTo is what each kind gives access to, as people call it; %s is the cluster, the VPC or the account. People hear of what carries packets, and of shares,
// as of connections.
var accessTo = map[road.Kind]string{
	road.DataAPI:          "the Data API of the cluster %s",
	road.DataAPIEndpoint:  "the endpoint of the Data API in %s",
	road.Studio:           "Studio's access to %s",
	road.PrivateNotebooks: "access to private notebooks in account %s",
	road.Peering:          "%s", road.Attachment: "%s", road.Transit: "%s", road.Share: "%s",
}

// listed is how many lines of a list a message has.
const listed = 20

// message is what people of an account hear. Those of another account than the owner's hear of no other, and not what the owner has to mend.
func (h Heard) message(kind Kind, account string) Notification {
	title := fmt.Sprintf(accessTo[road.Looks(h.Machine)], event.ClusterID(h.about()))
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	list := func(head string, of []workflow.Hop) {
		if len(of) > 0 {
			line("\n%s", head)
		}
		for n, m := range of {
			if n == listed {
				line("  and %d more", len(of)-n)
				break
			}
			line("  %s: %s", m.Hop, m.Detail)
		}
	}
	own := account == h.Resource.Account
	switch {
	case own && kind == AccessRemoved && h.Result == workflow.Released:
		line("%s: Drawbridge let go of it. What was added stays, and is its owner's.", title)
	case own && kind == AccessRemoved:
		line("%s: what Drawbridge had added is taken away.", title)
	case own && kind == AccessRefused:
		line("%s: the policy does not allow it.", title)
	case own && h.Result == Failed:
		line("%s: Drawbridge did not come to an end with it. What was done until then stands; whoever operates Drawbridge is told how it goes on.", title)
	case own && kind == AccessPending:
		line("%s: something is missing. Drawbridge goes on by itself once it is there.", title)
	case own:
		line("%s is open.", title)
	case kind == AccessRemoved:
		line("%s: account %s does not have it from Drawbridge any more.", title, account)
	case h.Result == Failed:
		line("%s: what account %s has of it may not be in line now. Whoever operates Drawbridge is told.", title, account)
	case kind == AccessPending:
		line("%s: account %s may have it, and its owner has something to do first.", title, account)
	default:
		line("%s is open to account %s.", title, account)
	}
	line("\n  owner    account %s%s", h.Resource.Account, map[bool]string{true: ", " + h.Resource.Region}[h.Resource.Region != ""])
	if h.Resource.ID != "" {
		line("  what     %s", h.Resource.ID)
	}
	if own {
		if len(h.For) > 0 {
			line("  for      %s", strings.Join(h.For, ", "))
		}
		line("  result   %s", h.Result)
		line("  because  %s", h.Reason)
		list("What is missing", h.Missing)
		if kind == AccessRemoved {
			list("What was done", h.Hops)
		}
	}
	line("\nYou hear of it again when it changes.\nExecution %s", h.Execution)
	return Notification{Kind: kind, Account: account, Subject: fmt.Sprintf("Drawbridge: %s: %s", strings.ToLower(string(kind)), title), Body: b.String()}
}
