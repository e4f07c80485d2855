package main

import (
	"regexp"
	"slices"
	"strings"
)

// parameter is a part of an ARN or a condition key that the reference leaves open.
var parameter = regexp.MustCompile(`\$\{[^}]+\}`)

// overlapARN says whether some ARN is like both patterns. A * does not reach over the first five colons.
func overlapARN(one, other string) bool {
	a, b := strings.SplitN(one, ":", 6), strings.SplitN(other, ":", 6)
	if len(a) != 6 || len(b) != 6 {
		return false
	}
	for i := range a {
		if !overlap(a[i], b[i]) {
			return false
		}
	}
	return true
}

// overlap says whether some text is like both patterns.
func overlap(a, b string) bool {
	switch {
	case a == "" && b == "":
		return true
	case strings.HasPrefix(a, "*"):
		return overlap(a[1:], b) || b != "" && overlap(a, b[1:])
	case strings.HasPrefix(b, "*"):
		return overlap(a, b[1:]) || a != "" && overlap(a[1:], b)
	case a == "" || b == "":
		return false
	}
	return (a[0] == b[0] || a[0] == '?' || b[0] == '?') && overlap(a[1:], b[1:])
}

// without returns the resource types, of those that a statement is about, for which an action does not set a condition key.
func (a action) without(key string, types map[string]resourceType, on map[string]bool) []string {
	if has(globalKeys, key) || has(a.conditionKeys, key) {
		return nil
	}
	if len(on) == 0 {
		return []string{"no resource"}
	}
	var lacking []string
	for _, t := range a.resourceTypes {
		if on[t.name] && !has(t.conditionKeys, key) && !has(types[t.name].conditionKeys, key) {
			lacking = append(lacking, t.name)
		}
	}
	return lacking
}

// has says whether a list of condition keys, some of which end in anything, has a key.
func has(keys []string, key string) bool {
	return slices.ContainsFunc(keys, func(one string) bool {
		return overlap(strings.ToLower(parameter.ReplaceAllString(one, "*")), strings.ToLower(key))
	})
}
