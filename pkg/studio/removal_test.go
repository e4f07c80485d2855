package studio

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

func TestWhyARoleLeaves(t *testing.T) {
	const alpha = "111111111111"
	shared := sharing{clear: true, named: []string{alpha}}
	of := func(value string) *role {
		return &role{tags: tag.Clean(tag.Role, map[string]string{tag.Studio: value})}
	}
	yes := policy.Decision{Allowed: true}
	for name, c := range map[string]struct {
		s           sharing
		r           *role
		d           policy.Decision
		outside, in bool
		want        brake.Why
	}{
		"the cluster is gone":          {s: sharing{gone: true}, r: of("true"), in: true, want: brake.Ended},
		"the cluster names others":     {s: sharing{clear: true, named: []string{"3"}}, r: of("true"), in: true, want: brake.Ended},
		"the cluster names nobody":     {s: sharing{clear: true}, r: of("true"), in: true, want: brake.Ended},
		"the cluster's tag is gone":    {s: sharing{}, r: of("true"), in: true, want: brake.Lost},
		"the account left":             {s: shared, outside: true, want: brake.Outside},
		"the role is deleted":          {s: shared, want: brake.Ended},
		"the role is of no domain":     {s: shared, r: of("true"), d: yes, want: brake.Ended},
		"the role says false":          {s: shared, r: of("false"), in: true, want: brake.Ended},
		"the role's tag is gone":       {s: shared, r: &role{}, in: true, want: brake.Lost},
		"the role's tag means nothing": {s: shared, r: of("perhaps"), in: true, want: brake.Lost},
		"the policy forbids it":        {s: shared, r: of("true"), in: true, want: brake.Forbidden},
	} {
		if got := c.s.why(alpha, c.r, c.d, c.outside, c.in); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestOneClusterIsOneRemoval(t *testing.T) {
	if r := removal("x", "so", nil); brake.Counts(r) {
		t.Error("nobody leaves, and it counts")
	}
	if r := removal("x", "so", []brake.Why{brake.Ended, brake.Ended}); brake.Counts(r) {
		t.Error("what owners ended counts")
	}
	if r := removal("x", "so", []brake.Why{brake.Ended, brake.Forbidden}); !brake.Counts(r) || r.ID != "x" {
		t.Errorf("%+v does not count", r)
	}
}
