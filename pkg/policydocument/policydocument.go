// Package policydocument adds statements to a JSON policy document that belongs to somebody else, and takes them away again.
//
// The document is a role's trust policy, or another that its owner wrote. AWS can only replace such a document
// as a whole, so whoever changes one sends everybody's statements. This package changes the text, not a decoded copy of
// it: other people's statements, their order, their spaces and line ends, and everything around them stay byte for byte.
//
//	document, err := policydocument.Merge(document, ours)             // sends ours along; nothing changes if it is there
//	document, err = policydocument.Remove(document, "DrawbridgeRead") // the bytes of before, nil if nothing is left
//
// A statement is ours if its Sid begins with [Prefix]; nothing else is ever replaced or removed.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
package policydocument

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Prefix begins the Sid of every statement of ours.
const Prefix = "Drawbridge"

// A Statement is one statement that we add. Lists are written as lists, also those of one.
type Statement struct {
	Sid       string                         `json:"Sid"`
	Effect    string                         `json:"Effect"`
	Principal map[string][]string            `json:"Principal,omitempty"` // "AWS", "Service": ARNs, accounts, services
	Action    []string                       `json:"Action"`
	Resource  []string                       `json:"Resource,omitempty"`
	Condition map[string]map[string][]string `json:"Condition,omitempty"` // operator → key → values
}

// Version is the version of the policy language that a new document has.
const Version = "2012-10-17"

// wrapped stands between the comma and our statement where the owner's Statement was a single object, not a list: then
// the list is ours too, and goes with the statement. Nobody's formatter writes a lone tab there.
const wrapped = "\t"

// Merge returns document with the statements: one that is there under its Sid is replaced unless it says the same, one that
// is missing is added at the end. An empty document becomes a new one. A document that holds them all is returned as it is.
//
// A document that is not a policy is a [fault.Conflict]; the caller says whose it is.
func Merge(document []byte, statements ...Statement) ([]byte, error) {
	for _, s := range statements {
		if !strings.HasPrefix(s.Sid, Prefix) || s.Effect == "" || len(s.Action) == 0 {
			return nil, fault.New(fault.Invalid, "merging the statement %q: it is not one of ours: its Sid must begin with %s, it needs an effect and an action", s.Sid, Prefix)
		}
		text, err := json.Marshal(s)
		if err != nil {
			return nil, fmt.Errorf("writing the statement %s: %w", s.Sid, err)
		}
		if document, err = merge(document, s.Sid, text); err != nil {
			return nil, err
		}
	}
	return document, nil
}

func merge(document []byte, sid string, text []byte) ([]byte, error) {
	if len(bytes.TrimSpace(document)) == 0 {
		return fmt.Appendf(nil, `{"Version":"%s","Statement":[%s]}`, Version, text), nil
	}
	p, err := parse(document)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(p.statements, func(s span) bool { return s.sid == sid }); i >= 0 {
		s := p.statements[i]
		same, err := equal(document[s.from:s.to], text)
		if err != nil || same {
			return document, err
		}
		return splice(document, s.from, s.to, string(text)), nil
	}
	if !p.list {
		return splice(document, p.from, p.to, "["+string(document[p.from:p.to])+","+wrapped+string(text)+"]"), nil
	}
	if len(p.statements) == 0 {
		return splice(document, p.from+1, p.from+1, string(text)), nil
	}
	last := p.statements[len(p.statements)-1]
	return splice(document, last.to, last.to, ","+string(text)), nil
}

// Remove returns document without the statements of these Sids. Removing what [Merge] added gives the bytes of before.
// It returns nil if no statement is left: AWS takes no empty policy, so the caller deletes it.
func Remove(document []byte, sids ...string) ([]byte, error) {
	for _, sid := range sids {
		if !strings.HasPrefix(sid, Prefix) {
			return nil, fault.New(fault.Invalid, "removing the statement %q: it is not one of ours: its Sid must begin with %s", sid, Prefix)
		}
	}
	if len(bytes.TrimSpace(document)) == 0 {
		return nil, nil
	}
	var wasWrapped bool
	for {
		p, err := parse(document)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(p.statements, func(s span) bool { return slices.Contains(sids, s.sid) })
		if i < 0 {
			return rewrap(document, p, wasWrapped), nil
		}
		if len(p.statements) == 1 {
			return nil, nil
		}
		s := p.statements[i]
		wasWrapped = wasWrapped || s.wrapped
		if i > 0 {
			// With the comma before it; what follows stays as it is.
			document = splice(document, p.statements[i-1].to+bytes.IndexByte(document[p.statements[i-1].to:s.from], ','), s.to, "")
		} else {
			next := p.statements[1]
			document = splice(document, s.from, s.to+bytes.IndexByte(document[s.to:next.from], ',')+1, "")
		}
	}
}

// rewrap takes the list away that was made for our statement, if that one is gone and only the owner's is left, and
// leaves the mark of the list on the next one of ours, if there is one.
func rewrap(document []byte, p policy, wasWrapped bool) []byte {
	if !wasWrapped || !p.list {
		return document
	}
	if len(p.statements) == 1 {
		return splice(document, p.from, p.to, string(document[p.statements[0].from:p.statements[0].to]))
	}
	for i, s := range p.statements {
		if i > 0 && strings.HasPrefix(s.sid, Prefix) {
			if s.wrapped {
				break
			}
			return splice(document, s.from, s.from, wrapped)
		}
	}
	return document
}

// Ours returns the Sids of our statements in document that begin with prefix, which itself begins with [Prefix].
func Ours(document []byte, prefix string) ([]string, error) {
	if len(bytes.TrimSpace(document)) == 0 {
		return nil, nil
	}
	p, err := parse(document)
	if err != nil {
		return nil, err
	}
	var sids []string
	for _, s := range p.statements {
		if strings.HasPrefix(s.sid, Prefix) && strings.HasPrefix(s.sid, prefix) {
			sids = append(sids, s.sid)
		}
	}
	return sids, nil
}

// Find returns the statement of a Sid as it stands in document, nil if there is none.
func Find(document []byte, sid string) ([]byte, error) {
	if len(bytes.TrimSpace(document)) == 0 {
		return nil, nil
	}
	p, err := parse(document)
	if err != nil {
		return nil, err
	}
	for _, s := range p.statements {
		if s.sid == sid {
			return bytes.Clone(document[s.from:s.to]), nil
		}
	}
	return nil, nil
}

// Digest stands for what a document, or a statement, says: two that are the same to [Same] have one. What is not JSON has its own.
func Digest(text []byte) string {
	says, err := canonical(text)
	if err != nil {
		says = text
	}
	sum := sha256.Sum256(says)
	return "sha256:" + hex.EncodeToString(sum[:16])
}

// span is where a statement stands in a document.
type span struct {
	from, to int
	sid      string
	wrapped  bool // our mark stands before it
}

// policy is where the value of Statement stands in a document, and the statements in it.
type policy struct {
	from, to   int
	list       bool
	statements []span
}

func parse(document []byte) (policy, error) {
	var p policy
	decoder := json.NewDecoder(bytes.NewReader(document))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return p, malformed("it is not a JSON object")
	}
	found := false
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return p, malformed(err.Error())
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return p, malformed(err.Error())
		}
		if key != "Statement" {
			continue
		}
		if found {
			return p, malformed("it has Statement twice")
		}
		found = true
		p.to = int(decoder.InputOffset())
		p.from = p.to - len(value)
	}
	if _, err := decoder.Token(); err != nil {
		return p, malformed(err.Error())
	}
	if _, err := decoder.Token(); err != io.EOF {
		return p, malformed("something follows the JSON object")
	}
	if !found {
		return p, malformed("it has no Statement")
	}
	value := document[p.from:p.to]
	switch value[0] {
	case '{':
		s, err := read(document, p.from, p.to)
		p.statements = []span{s}
		return p, err
	case '[':
		p.list = true
	default:
		return p, malformed("its Statement is neither an object nor a list")
	}
	decoder = json.NewDecoder(bytes.NewReader(value))
	if _, err := decoder.Token(); err != nil {
		return p, malformed(err.Error())
	}
	for decoder.More() {
		var one json.RawMessage
		if err := decoder.Decode(&one); err != nil {
			return p, malformed(err.Error())
		}
		to := p.from + int(decoder.InputOffset())
		s, err := read(document, to-len(one), to)
		if err != nil {
			return p, err
		}
		p.statements = append(p.statements, s)
	}
	return p, nil
}

// read reads the Sid of the statement that stands there. Names are compared as they are: encoding/json would take
// another case for the same.
func read(document []byte, from, to int) (span, error) {
	s := span{from: from, to: to, wrapped: strings.HasSuffix(string(document[:from]), ","+wrapped)}
	var fields map[string]json.RawMessage
	if json.Unmarshal(document[from:to], &fields) != nil || fields == nil {
		return s, malformed("a statement is not an object")
	}
	if raw, ok := fields["Sid"]; ok && json.Unmarshal(raw, &s.sid) != nil {
		return s, malformed("the Sid of a statement is not a string")
	}
	return s, nil
}

func malformed(why string) error {
	return fault.NewConflict("the policy document cannot be read: "+why, "mend the document, then redrive the execution")
}

// Same reports whether two documents say the same: a list of one is its element, and the order of a list means nothing.
// What is not JSON says nothing.
func Same(a, b []byte) bool {
	same, err := equal(a, b)
	return same && err == nil
}

// equal reports whether two statements say the same: a list of one is its element, and the order of a list means nothing.
func equal(a, b []byte) (bool, error) {
	one, err := canonical(a)
	if err != nil {
		return false, err
	}
	other, err := canonical(b)
	return bytes.Equal(one, other), err
}

func canonical(text []byte) ([]byte, error) {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, malformed(err.Error())
	}
	return json.Marshal(normal(value))
}

func normal(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = normal(inner)
		}
	case []any:
		if len(v) == 1 {
			return normal(v[0])
		}
		for i := range v {
			v[i] = normal(v[i])
		}
		slices.SortFunc(v, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return value
}

// splice returns a copy of document with the bytes from … to replaced by text.
func splice(document []byte, from, to int, text string) []byte {
	return slices.Concat(document[:from], []byte(text), document[to:])
}
