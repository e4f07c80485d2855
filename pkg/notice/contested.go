package notice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// ConnectionContested is the kind of event that somebody takes away what Drawbridge adds for a connection.
const ConnectionContested Kind = "Connection Contested"

// Contested is the detail of [ConnectionContested]: what was put back once was taken away again, and is left.
type Contested struct {
	Execution string          `json:"execution"`
	ID        string          `json:"connection"`
	Machine   string          `json:"machine"` // that sets the connection up
	Accounts  []string        `json:"accounts"`
	Result    workflow.Result `json:"result"`
	Mode      string          `json:"mode,omitempty"`
	Things    []Contest       `json:"things"`
	Runbook   string          `json:"runbook"`
}

// Contest is one thing that somebody takes away.
type Contest struct {
	Account  string    `json:"account"`
	Region   string    `json:"region"`
	Kind     string    `json:"kind"`     // as the ledger says it: route, rule, …; or tags
	Resource string    `json:"resource"` // that its owner edits
	Key      string    `json:"key"`      // within the resource
	By       string    `json:"by"`       // whose hand it was; empty if nobody knows
	Tool     string    `json:"tool"`
	Times    int       `json:"times"`
	At       time.Time `json:"at"`
	Remedy   string    `json:"remedy"` // what to change where, so that both can live
	Anew     string    `json:"anew"`   // the command, in the account, by which its owner asks for it again
}

func (Contested) kind() Kind { return ConnectionContested }

// about is the connection.
func (c Contested) about() string { return c.ID }

func (c Contested) within(n int) Event {
	c.Things, c.Accounts = some(c.Things, n), some(c.Accounts, n)
	return c
}

// ContestRunbook is the entry of the runbook about things that are contested.
const ContestRunbook = runbook + "contested"

// ContestMessage is the notification for the owner of one of the accounts. What is theirs is said with the remedy; of the other
// side's only that it is missing.
func ContestMessage(c Contested, account string) Notification {
	var b strings.Builder
	var remedies, anew []string
	others := 0
	how := "Somebody takes away what it needs: Drawbridge put it back once, it was taken away again, and now Drawbridge leaves it."
	switch most := slices.MaxFunc(append([]Contest{{}}, c.Things...), func(a, b Contest) int { return a.Times - b.Times }).Times; most {
	case 1:
		how = "Somebody took away what it needs. The policy (Restore) wants that left, so Drawbridge did not put it back."
	case 0:
		how = "Somebody changed what it needs: it is theirs from then on, and Drawbridge leaves it."
	}
	fmt.Fprintf(&b, "Drawbridge keeps the connection %s. %s\n", c.ID, how)
	for _, t := range c.Things {
		if t.Account != account {
			others++
			continue
		}
		by := "by a hand that no record names"
		if t.By != "" {
			by = "by " + t.By
		}
		if t.Tool != "" {
			by += " with " + t.Tool
		}
		fmt.Fprintf(&b, "\n  %s %s of %s in %s, taken away %s, last seen %s", t.Kind, t.Key, t.Resource, t.Region, by, t.At.Format(time.RFC3339))
		remedies, anew = once(remedies, t.Remedy), once(anew, t.Anew)
	}
	if len(remedies) > 0 {
		fmt.Fprintf(&b, "\n\nIf you want the connection, let your code leave what is not its own:\n\n%s\n\nThen ask for it again, in account %s:\n\n%s\n", strings.Join(remedies, "\n\n"), account, strings.Join(anew, "\n"))
		end := "delete the connection, or let Drawbridge forget it with the tag drawbridge:manage=false"
		if !slices.Contains([]string{"drawbridge-peering", "drawbridge-transit", "drawbridge-attachment"}, c.Machine) {
			end = "take away the tag by which you asked for it"
		}
		fmt.Fprintf(&b, "\nIf you do not want it, %s.\n", end)
	}
	if others > 0 {
		fmt.Fprintf(&b, "\nOn the other side %d of the things that the connection needs are taken away. Its owner was told what to do; until they did, not everything gets through.\n", others)
	}
	fmt.Fprintf(&b, "\nNothing flaps: this is said once for each hand. More\n  %s\n", c.Runbook)
	return Notification{Kind: ConnectionContested, Account: account, Subject: fmt.Sprintf("Drawbridge: what %s needs is taken away", c.ID), Body: b.String()}
}

// YieldedMessage is the notification for the owner of things of a connection that they took away and made again themselves: it asks for nothing.
func YieldedMessage(connection, account string, things []Contest) Notification {
	var b strings.Builder
	fmt.Fprintf(&b, "Drawbridge had added what follows for the connection %s. You made it again yourselves, so it is yours from now on: Drawbridge leaves it as it is, also when the connection ends.\n", connection)
	for _, t := range things {
		by := t.By
		if t.Tool != "" {
			by += " with " + t.Tool
		}
		fmt.Fprintf(&b, "\n  %s %s of %s in %s, made by %s, %s", strings.ReplaceAll(t.Kind, "-", " "), t.Key, t.Resource, t.Region, by, t.At.Format(time.RFC3339))
	}
	fmt.Fprintf(&b, "\n\nThere is nothing to do. If you want Drawbridge to see to it again, delete it. More\n  %s\n", ContestRunbook)
	return Notification{Kind: ConnectionContested, Account: account, Subject: fmt.Sprintf("Drawbridge: what %s has of you is yours", connection), Body: b.String()}
}

func once(all []string, s string) []string {
	for _, each := range all {
		if each == s {
			return all
		}
	}
	return append(all, s)
}
