package policy

import (
	"bytes"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

// Cedar's validator says what is wrong in a policy, but not where: its syntax tree has no positions. What follows finds
// the place again, by asking about ever longer beginnings of the policy until the complaint appears.

// span is a part of a text without comments.
type span struct {
	text       []byte
	start, end int
}

// locate returns the offset of what message complains about. check returns the messages about a policy; within is the
// text of p. Where it cannot tell, it returns the start of the smallest part that it is sure of.
func locate(within span, p ast.Policy, message string, check func(ast.Policy) []string) int {
	conditions := p.Conditions
	complains := func(c []ast.ConditionType) bool {
		p.Conditions = c
		return slices.Contains(check(p), message)
	}
	if complains(nil) { // it is about the scope
		return within.quoted(message)
	}
	bodies := within.bodies()
	if len(bodies) != len(conditions) {
		return within.quoted(message)
	}
	for k, c := range conditions {
		if !complains(conditions[:k+1]) {
			continue
		}
		place := bodies[k].descend(c.Body, func(n ast.IsNode) bool {
			return complains(append(slices.Clone(conditions[:k]), ast.ConditionType{Condition: c.Condition, Body: n}))
		})
		return place.quoted(message)
	}
	return within.quoted(message)
}

// descend returns the smallest operand of && and || in the expression n, written in s, that is complained about.
func (s span) descend(n ast.IsNode, complains func(ast.IsNode) bool) span {
	s = s.trimmed()
	operator, join, operands := chain(n)
	if len(operands) == 1 {
		return s
	}
	parts := s.split(operator)
	if len(parts) != len(operands) {
		return s
	}
	before := operands[0]
	if complains(before) {
		return parts[0].descend(before, complains)
	}
	for k, operand := range operands[1:] {
		if complains(join(before, operand)) {
			earlier := before
			return parts[k+1].descend(operand, func(n ast.IsNode) bool { return complains(join(earlier, n)) })
		}
		before = join(before, operand)
	}
	return s
}

// chain takes a && b && c, or a || b || c, apart. Anything else is its own single operand.
func chain(n ast.IsNode) (operator string, join func(l, r ast.IsNode) ast.IsNode, operands []ast.IsNode) {
	switch n := n.(type) {
	case ast.NodeTypeAnd:
		join = func(l, r ast.IsNode) ast.IsNode {
			return ast.NodeTypeAnd{BinaryNode: ast.BinaryNode{Left: l, Right: r}}
		}
		operator, operands = "&&", []ast.IsNode{n.Left, n.Right}
	case ast.NodeTypeOr:
		join = func(l, r ast.IsNode) ast.IsNode {
			return ast.NodeTypeOr{BinaryNode: ast.BinaryNode{Left: l, Right: r}}
		}
		operator, operands = "||", []ast.IsNode{n.Left, n.Right}
	default:
		return "", nil, []ast.IsNode{n}
	}
	if inner, _, left := chain(operands[0]); inner == operator {
		operands = append(left, operands[1:]...)
	}
	return operator, join, operands
}

// quoted returns the offset of what message quotes in backquotes, or the start of s if that is not there.
func (s span) quoted(message string) int {
	s = s.trimmed()
	parts := strings.Split(message, "`")
	for i := 1; i < len(parts); i += 2 {
		at := s.word(parts[i])
		if dot := strings.LastIndexByte(parts[i], '.'); at < 0 && dot >= 0 {
			at = s.word(parts[i][dot+1:]) // the end of a path of attributes
		}
		if at >= 0 {
			return at
		}
	}
	return s.start
}

// word returns the offset of word in s where it stands alone, -1 if it does not.
func (s span) word(word string) int {
	for from := s.start; word != "" && from < s.end; from++ {
		at := bytes.Index(s.text[from:s.end], []byte(word))
		if at < 0 {
			return -1
		}
		from += at
		if end := from + len(word); (from == 0 || !inWord(s.text[from-1])) && (end == len(s.text) || !inWord(s.text[end])) {
			return from
		}
	}
	return -1
}

func inWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// trimmed returns s without white space around it and without parentheses that enclose all of it.
func (s span) trimmed() span {
	for s.start < s.end && isSpace(s.text[s.start]) {
		s.start++
	}
	for s.end > s.start && isSpace(s.text[s.end-1]) {
		s.end--
	}
	if s.start < s.end && s.text[s.start] == '(' && s.close(s.start) == s.end-1 {
		return span{s.text, s.start + 1, s.end - 1}.trimmed()
	}
	return s
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// bodies returns what is between the outermost braces of s: the conditions of a policy.
func (s span) bodies() []span {
	var bodies []span
	for at := s.start; at < s.end; at++ {
		switch s.text[at] {
		case '"':
			at = s.skipString(at)
		case '{':
			end := s.close(at)
			bodies = append(bodies, span{s.text, at + 1, end})
			at = end
		}
	}
	return bodies
}

// split returns the parts of s between operators that are not in brackets.
func (s span) split(operator string) []span {
	var parts []span
	start := s.start
	for at := s.start; at < s.end; at++ {
		switch {
		case s.text[at] == '"':
			at = s.skipString(at)
		case isOpen(s.text[at]):
			at = s.close(at)
		case bytes.HasPrefix(s.text[at:s.end], []byte(operator)):
			parts = append(parts, span{s.text, start, at})
			at += len(operator) - 1
			start = at + 1
		}
	}
	return append(parts, span{s.text, start, s.end})
}

func isOpen(b byte) bool { return b == '(' || b == '[' || b == '{' }

// close returns the offset of the bracket that closes the one at offset open, or the end of s.
func (s span) close(open int) int {
	depth := 0
	for at := open; at < s.end; at++ {
		switch b := s.text[at]; {
		case b == '"':
			at = s.skipString(at)
		case isOpen(b):
			depth++
		case b == ')' || b == ']' || b == '}':
			if depth--; depth == 0 {
				return at
			}
		}
	}
	return s.end
}

// skipString returns the offset of the quote that ends the string begun at offset open, or the end of s.
func (s span) skipString(open int) int {
	for at := open + 1; at < s.end; at++ {
		switch s.text[at] {
		case '\\':
			at++
		case '"':
			return at
		}
	}
	return s.end
}

// withoutComments returns text with every comment overwritten by spaces, so that offsets stay.
func withoutComments(text []byte) []byte {
	bare := bytes.Clone(text)
	s := span{bare, 0, len(bare)}
	for at := 0; at < len(bare); at++ {
		switch {
		case bare[at] == '"':
			at = s.skipString(at)
		case bytes.HasPrefix(bare[at:], []byte("//")):
			for ; at < len(bare) && bare[at] != '\n'; at++ {
				bare[at] = ' '
			}
		}
	}
	return bare
}
