package dryrun

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Store is a [ledger.Store] that reads another one, and writes only into memory. What was read once stays as it was, as in a transaction.
type Store struct {
	Under ledger.Store

	mu   sync.Mutex
	rows map[ledger.Key]*ledger.Row // nil: it is not there
	full map[[2]string]bool         // what was listed
}

// lease is how the partitions begin that say who is at work: a rehearsal is at work with nobody.
const lease = "lease#"

// Read implements [ledger.Store].
func (s *Store) Read(ctx context.Context, keys []ledger.Key) ([]ledger.Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fetch(ctx, keys); err != nil {
		return nil, err
	}
	var out []ledger.Row
	for _, k := range keys {
		if r := s.rows[k]; r != nil {
			out = append(out, *r)
		}
	}
	return out, nil
}

// fetch reads rows that are not known yet.
func (s *Store) fetch(ctx context.Context, keys []ledger.Key) error {
	var asked []ledger.Key
	for _, k := range keys {
		if _, known := s.rows[k]; !known && !s.listed(k) && !strings.HasPrefix(k.Part, lease) {
			asked = append(asked, k)
		}
	}
	for some := range slices.Chunk(asked, 100) { // as many as DynamoDB takes
		rows, err := s.Under.Read(ctx, some)
		if err != nil {
			return err
		}
		for _, r := range rows {
			s.know(r.Key, &r)
		}
		for _, k := range some {
			s.know(k, nil)
		}
	}
	return nil
}

// listed reports whether all rows like one were read.
func (s *Store) listed(k ledger.Key) bool {
	for of := range s.full {
		if of[0] == k.Part && strings.HasPrefix(k.Sort, of[1]) {
			return true
		}
	}
	return false
}

// know keeps a row as it was read, unless it is known here, as it is or as it was written.
func (s *Store) know(k ledger.Key, r *ledger.Row) {
	s.begin()
	if _, known := s.rows[k]; !known {
		s.rows[k] = r
	}
}

func (s *Store) begin() {
	if s.rows == nil {
		s.rows, s.full = map[ledger.Key]*ledger.Row{}, map[[2]string]bool{}
	}
}

// List implements [ledger.Store].
func (s *Store) List(ctx context.Context, part, prefix string) ([]ledger.Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.listed(ledger.Key{Part: part, Sort: prefix}) && !strings.HasPrefix(part, lease) {
		rows, err := s.Under.List(ctx, part, prefix)
		if err != nil {
			return nil, err
		}
		s.begin()
		for _, r := range rows {
			s.know(r.Key, &r)
		}
		s.full[[2]string{part, prefix}] = true
	}
	var out []ledger.Row
	for k, r := range s.rows {
		if r != nil && k.Part == part && strings.HasPrefix(k.Sort, prefix) {
			out = append(out, *r)
		}
	}
	slices.SortFunc(out, func(a, b ledger.Row) int { return strings.Compare(a.Sort, b.Sort) })
	return out, nil
}

// Write implements [ledger.Store].
func (s *Store) Write(ctx context.Context, changes []ledger.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []ledger.Key
	for _, c := range changes {
		keys = append(keys, c.Key)
	}
	if err := s.fetch(ctx, keys); err != nil {
		return err
	}
	s.begin()
	for _, c := range changes {
		version := int64(0)
		if r := s.rows[c.Key]; r != nil {
			version = r.Version
		}
		if version != c.Version {
			return ledger.ErrChanged
		}
	}
	for _, c := range changes {
		if s.rows[c.Key] = nil; c.Body != nil {
			s.rows[c.Key] = &ledger.Row{Key: c.Key, Version: c.Version + 1, Body: slices.Clone(c.Body), Expires: c.Expires}
		}
	}
	return nil
}
