// Package owner tells the owners of both sides of a connection what became of it: once when it stands, when what it opens changes, when it
// is refused and when it ends, whatever the cause. Each side has a message of its own, addressed to its account.
//
//	owner.go  the words, and telling
//	plan.go   thinks: what there is to say (pure)
package owner

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// News is something that the owners of both sides have to hear.
type News struct {
	Execution  string
	Connection workflow.Connection
	Kind       notice.Kind
	Result     workflow.Result
	Said       workflow.Said
	// Opens are the lines about what is open, sorted. Both sides read them, so they hold only what the other needs.
	Opens []Open
	// Participants are the accounts beside the owners that take part in the two VPCs and have something of the connection, sorted.
	Participants []Participant
}

// Open is a line about what is open: a database of an account in a VPC, or, without both, where routes lead.
type Open struct{ Account, VPC, Text string }

// Participant is an account that has something in a VPC whose owner shares its subnets with it. It is told what its side is told, and alone which of its own
// tags do not bring what they say.
type Participant struct{ Account, Role, Unheeded string }

// Teller tells owners.
type Teller struct {
	Ledger ledger.Ledger
	Topic  notice.Topic
}

// Tell tells the owners of both sides, and who takes part in their VPCs, unless they were told exactly this last; the ledger's entry of the connection says
// so. Of a connection that is not managed nobody is told, and news without a connection is none. If one cannot be told, all are told again when the step is
// repeated.
func (t Teller) Tell(ctx context.Context, n News) error {
	if n.Connection.ID == "" {
		return nil
	}
	if n.Result == workflow.Released { // who has something of it is known to nobody any more
		entry, _, err := t.Ledger.Connection(ctx, n.Connection.ID)
		if err != nil {
			return err
		}
		for _, s := range entry.Sides {
			for _, p := range s.Participants {
				n.Participants = append(n.Participants, Participant{Account: p, Role: s.Role})
			}
		}
	}
	_, err := t.Ledger.Once(ctx, n.Connection.ID, func(c *ledger.Connection) *string { return &c.Told }, n.digest(), n.Execution, func() error {
		for _, m := range Messages(n) {
			if err := t.Topic.Publish(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// After does a step, and tells what news makes of its output. A step that fails has no news.
func After[O any](ctx context.Context, t Teller, step func() (O, error), news func(O) News) (O, error) {
	out, err := step()
	if err != nil {
		return out, err
	}
	return out, t.Tell(ctx, news(out))
}

// Before tells, and then does a step that ends what the ledger knows of the connection.
func Before[O any](ctx context.Context, t Teller, n News, step func() (O, error)) (O, error) {
	if err := t.Tell(ctx, n); err != nil {
		var none O
		return none, err
	}
	return step()
}

// digest is short, and the same only for news that say the same. What is refused for the reason for which it was taken away is none; nor is a request that is
// rejected at AWS, once it was told that Drawbridge rejects it.
func (n News) digest() string {
	words := []string{string(n.Result), n.Said.Requester, n.Said.Accepter}
	switch n.Result {
	case workflow.Removed, workflow.RefusedByPolicy:
		words[0] = "over"
	case workflow.Rejected:
		words = words[:1]
	}
	for _, o := range n.Opens {
		words = append(words, o.Text)
	}
	for _, p := range n.Participants {
		if p.Unheeded != "" {
			words = append(words, p.Account, p.Unheeded)
		}
	}
	return ledger.Digest(words)
}
