package notice

import (
	"context"
	"regexp"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// passing is what AWS writes anew into each answer, though it says the same: ids of requests and of executions, and what it encodes.
var passing = regexp.MustCompile(`(RequestID|HostID): [^,]*,|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?i:encoded authorization failure message): \S+`)

// Trouble is a digest of what needs attention: the same only for what says the same.
func (a Attention) Trouble() string {
	words := []string{a.Where.Machine, a.Where.State, a.Where.Status, a.Kind, passing.ReplaceAllString(a.Why, ""), a.Remedy}
	return ledger.Digest(words)
}

// Once tells people by a topic, unless they were told the same of a thing before, as the ledger says. trouble is [Attention.Trouble], or empty for that all is
// well again. Programs are told each time, by the bus.
func (t Topic) Once(ctx context.Context, book ledger.Ledger, of, trouble, execution string, n Notification) (bool, error) {
	return book.OnceOf(ctx, of, trouble, execution, func() error { return t.Publish(ctx, n) })
}
