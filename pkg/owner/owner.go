// Package owner tells the owners of both sides of a connection what became of it: once when it stands, when what it opens changes, when it
// is refused and when it ends, whatever the cause. Each side has a message of its own, addressed to its account.
//
//	owner.go  the words, and telling
//	plan.go   thinks: what there is to say (pure)
package owner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

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
	Opens []string
}

// Teller tells owners.
type Teller struct {
	Ledger ledger.Ledger
	Topic  notice.Topic
}

// Tell tells the owners of both sides, unless they were told exactly this last; the ledger's entry of the connection says so. Of a
// connection that is not managed nobody is told, and news without a connection is none. If one of the two cannot be told, both are told again when the step is repeated.
func (t Teller) Tell(ctx context.Context, n News) error {
	if n.Connection.ID == "" {
		return nil
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

// digest is short, and the same only for news that say the same.
func (n News) digest() string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{string(n.Result), n.Said.Requester, n.Said.Accepter}, n.Opens...), "\n")))
	return hex.EncodeToString(sum[:8])
}
