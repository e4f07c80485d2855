// Package ledgertest keeps a ledger in memory, for tests.
//
// It does what the table in DynamoDB does: a write is all or none, and only on rows as they were read. The package's test holds both to the
// same examples, the table against the local engine's DynamoDB.
package ledgertest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Memory is a [ledger.Store]. The zero value is empty.
type Memory struct {
	mu   sync.Mutex
	rows map[ledger.Key]ledger.Row
	// Fault, if it is set, is asked before each call of a name (Read, List, Write). It may refuse the call, or let it be done and lose the
	// answer.
	Fault func(call string) Fault
	Calls map[string]int
}

// Fault is what goes wrong with a call.
type Fault int

// The faults.
const (
	None    Fault = iota
	Refused       // the call is not done
	Lost          // it is done, and its answer lost
)

// ErrFault is what a call with a fault returns.
var ErrFault = errors.New("a fault of the test's")

// New returns an empty ledger whose clock stands still at a time of 2026.
func New() (ledger.Ledger, *Memory) {
	m := &Memory{}
	return ledger.Ledger{Store: m, Now: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }}, m
}

func (m *Memory) call(name string) Fault {
	if m.Calls == nil {
		m.Calls = map[string]int{}
	}
	m.Calls[name]++
	if m.Fault == nil {
		return None
	}
	return m.Fault(name)
}

// Read implements [ledger.Store].
func (m *Memory) Read(_ context.Context, keys []ledger.Key) ([]ledger.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.call("Read") != None {
		return nil, ErrFault
	}
	var out []ledger.Row
	for _, k := range keys {
		if r, ok := m.rows[k]; ok {
			out = append(out, r)
		}
	}
	return out, nil
}

// List implements [ledger.Store].
func (m *Memory) List(_ context.Context, part, prefix string) ([]ledger.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.call("List") != None {
		return nil, ErrFault
	}
	var out []ledger.Row
	for k, r := range m.rows {
		if k.Part == part && strings.HasPrefix(k.Sort, prefix) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b ledger.Row) int { return strings.Compare(a.Sort, b.Sort) })
	return out, nil
}

// Write implements [ledger.Store].
func (m *Memory) Write(_ context.Context, changes []ledger.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	fault := m.call("Write")
	if fault == Refused {
		return ErrFault
	}
	for _, c := range changes {
		if m.rows[c.Key].Version != c.Version {
			return ledger.ErrChanged
		}
	}
	if m.rows == nil {
		m.rows = map[ledger.Key]ledger.Row{}
	}
	for _, c := range changes {
		if c.Body == nil {
			delete(m.rows, c.Key)
			continue
		}
		m.rows[c.Key] = ledger.Row{Key: c.Key, Version: c.Version + 1, Body: slices.Clone(c.Body), Expires: c.Expires}
	}
	if fault == Lost {
		return ErrFault
	}
	return nil
}

// Rows returns the keys of all rows, sorted: an empty ledger has none.
func (m *Memory) Rows() []ledger.Key {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Keys(m.rows), func(a, b ledger.Key) int {
		return strings.Compare(a.Part+"\x00"+a.Sort, b.Part+"\x00"+b.Sort)
	})
}
