package main

import (
	"fmt"
	"testing"
)

// TestGarbageIsLookedForBeforeMemoryEnds holds what tells Go of a function's memory to the memory that Lambda gives it: without the limit, what is
// collected late is collected too late in an account with much to read.
func TestGarbageIsLookedForBeforeMemoryEnds(t *testing.T) {
	n := 0
	for _, s := range solve(t, synth(t, local), place{"aws", "amazonaws.com", "us-east-1"}) {
		for _, r := range s.of("AWS::Lambda::Function") {
			text, _ := r.properties["Environment"].(map[string]any)["Variables"].(map[string]any)["GOMEMLIMIT"].(string)
			has, said := number("MemorySize")("", r.properties)
			var told int
			if _, err := fmt.Sscanf(text, "%dMiB", &told); err != nil || !said || told > has*9/10 || told < has/2 {
				t.Errorf("%s/%s has %d MiB and is told of %q", s.name, r.id, has, text)
			}
			n++
		}
	}
	if n < 50 {
		t.Fatalf("only %d functions were looked at", n)
	}
}
