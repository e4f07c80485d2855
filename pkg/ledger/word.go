package ledger

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Word is what somebody said about a thing that Drawbridge manages, or may come to manage: by a tag of the owners', or by the call that answers a
// request. A row keeps it under the thing, beside its entry, because it may come before that. It goes with the entry.
type Word struct {
	Thing string `json:"thing"`           // the id of the entry, or the ARN of a database
	Said  string `json:"said"`            // the key of the tag, or the name of the call
	Value string `json:"value,omitempty"` // of the tag; empty: it was taken away, or it is a call
	// By is whose word it was, and Account and Region where they said it: a tag counts for the account that wrote it.
	By      Hand      `json:"by"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	At      time.Time `json:"at"`             // of the call
	Call    string    `json:"call,omitempty"` // the id of its record in CloudTrail
}

const wordPrefix = "word#"

func (w Word) row() Key {
	return Key{connectionPart(w.Thing), wordPrefix + w.At.UTC().Format(time.RFC3339) + "#" + w.Said + "#" + w.Call}
}

// Hear keeps words. One that is kept already, because its record came twice, is kept once.
func (l Ledger) Hear(ctx context.Context, words ...Word) error {
	for _, w := range words {
		body, err := encode(w)
		if err != nil {
			return err
		}
		if err := l.Store.Write(ctx, []Change{{Key: w.row(), Body: body}}); err != nil && !errors.Is(err, ErrChanged) {
			return err
		}
	}
	return nil
}

// Words returns what was said about a thing, the oldest first.
func (l Ledger) Words(ctx context.Context, thing string) ([]Word, error) {
	rows, err := l.Store.List(ctx, connectionPart(thing), wordPrefix)
	if err != nil {
		return nil, err
	}
	var out []Word
	for _, r := range rows {
		w, _, err := r.Word()
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	SortWords(out)
	return out, nil
}

// SortWords sorts words by time, the oldest first.
func SortWords(words []Word) {
	slices.SortFunc(words, func(a, b Word) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.Said+a.Call, b.Said+b.Call)
	})
}

// Word returns the word that a row is, and whether it is one.
func (r Row) Word() (w Word, ok bool, err error) {
	if !strings.HasPrefix(r.Part, connectionPart("")) || !strings.HasPrefix(r.Sort, wordPrefix) {
		return w, false, nil
	}
	return w, true, decode(r, &w)
}
