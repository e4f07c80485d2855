package policy

import (
	"slices"
	"testing"
)

func TestDiff(t *testing.T) {
	parse := func(text string) *Set {
		s, err := Parse("x", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	old := parse(`@id("a") forbid (principal, action, resource); @id("b") permit (principal, action == Drawbridge::Action::"Accept", resource); @id("c") forbid (principal, action, resource);`)
	now := parse(`// another comment
@id("d") forbid (principal, action, resource);
@id("b") permit (principal, action == Drawbridge::Action::"Ask", resource);

@id("a")   forbid (principal, action,   resource);`)
	added, gone, changed := Diff(old, now)
	if !slices.Equal(added, []string{"d"}) || !slices.Equal(gone, []string{"c"}) || !slices.Equal(changed, []string{"b"}) {
		t.Errorf("added %v, gone %v, changed %v", added, gone, changed)
	}
	if a, g, c := Diff(old, old); len(a)+len(g)+len(c) > 0 {
		t.Errorf("the same: %v %v %v", a, g, c)
	}
}
