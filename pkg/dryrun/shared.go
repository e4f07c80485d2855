package dryrun

import (
	"encoding/json"
	"reflect"
	"sync"
)

// Answers are what AWS answered to calls that read, shared by several worlds: a call is sent once, so that all see the same. The zero value is empty.
type Answers struct {
	mu      sync.Mutex
	answers map[string]kept
}

// kept is an answer, in a form of which each world gets a copy of its own.
type kept struct {
	of   reflect.Type
	text []byte
}

// Remember makes a world take answers from reads, and keep them there.
func (w *World) Remember(reads *Answers) { w.reads = reads }

// key names a call with its input; "" if it cannot be kept.
func (c call) key() string {
	in, err := json.Marshal(c.in)
	if err != nil {
		return ""
	}
	return c.account + " " + c.region + " " + c.name + " " + string(in)
}

func (r *Answers) get(c call) (any, bool) {
	if r == nil {
		return nil, false
	}
	r.mu.Lock()
	k, ok := r.answers[c.key()]
	r.mu.Unlock()
	if !ok {
		return nil, false
	}
	out := reflect.New(k.of)
	if json.Unmarshal(k.text, out.Interface()) != nil {
		return nil, false
	}
	return out.Interface(), true
}

func (r *Answers) put(c call, out any) {
	key := c.key()
	if r == nil || key == "" {
		return
	}
	text, err := json.Marshal(out)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers == nil {
		r.answers = map[string]kept{}
	}
	r.answers[key] = kept{reflect.TypeOf(out).Elem(), text}
}
