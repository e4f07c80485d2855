package doctor

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/board"
)

// health are the checks that say whether Drawbridge hears and may enter accounts at all.
var health = []string{"trail", "bus", "members"}

// Health does those checks that drawbridge status shows: whether the calls of all accounts are logged, whether the hub takes their events, and whether
// their member stacks are current.
func Health(ctx context.Context, p Patient) []board.Check {
	out := []board.Check{}
	for _, f := range p.find(ctx, func(c Check) bool { return slices.Contains(health, c.Code) }) {
		out = append(out, board.Check{Code: f.Code, Title: f.Title, Answer: f.Answer, Detail: f.Detail})
	}
	return out
}
