package policydocument

import (
	"bytes"
	"context"
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// A Store is where one document is kept: a key, a secret, a role.
type Store interface {
	// Read returns the document, nil if there is none.
	Read(context.Context) ([]byte, error)
	// Write replaces the document; nil deletes it.
	Write(context.Context, []byte) error
	// Limit is how many bytes a document may have.
	Limit() int
}

// Change edits a stored document and reports whether that changed it. No service offers to replace a document only if it
// is still the one that was read, so it is read again right before it is written, and once more after: a document that
// somebody else changes at the same time is a [fault.NotYet], and the whole is tried again.
func Change(ctx context.Context, store Store, edit func([]byte) ([]byte, error)) (bool, error) {
	before, err := store.Read(ctx)
	if err != nil {
		return false, err
	}
	after, err := edit(before)
	if err != nil || bytes.Equal(after, before) {
		return false, err
	}
	if len(after) > store.Limit() {
		return false, fault.NewConflict(fmt.Sprintf("the policy would have %d bytes, AWS takes %d", len(after), store.Limit()),
			"make room in the policy, then redrive the execution")
	}
	now, err := store.Read(ctx)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(now, before) {
		return false, fault.New(fault.NotYet, "somebody else is changing the policy")
	}
	if err := store.Write(ctx, after); err != nil {
		return false, err
	}
	if now, err = store.Read(ctx); err != nil {
		return false, err
	}
	// Compared by what the edit would still do: a service may write the same in another way.
	if again, err := edit(now); err != nil || !bytes.Equal(again, now) {
		return false, fault.New(fault.NotYet, "the policy is not what was just written: somebody else changed it, or AWS does not show it yet")
	}
	return true, nil
}
