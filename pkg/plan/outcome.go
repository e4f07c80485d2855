package plan

import (
	"context"
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/dryrun"
)

// Outcome is what one execution would do.
type Outcome struct {
	State  string // the last one
	Error  string // its kind, if the execution would fail there
	Reason string
	Waits  bool // it waits there for AWS, and nothing that it did changes that
	Writes []dryrun.Write
}

// Rehearse says what an execution of a machine, by its name, would do with an input, without doing it.
func Rehearse(ctx context.Context, h Hub, machine string, input any) (Outcome, error) {
	r, err := rehearse(h)
	if err != nil {
		return Outcome{}, err
	}
	for _, m := range machines {
		if m.name == machine {
			p, err := r.play(ctx, m.name, m.definition, input)
			return Outcome{p.State, p.Error, p.Reason, p.Waits, r.World.Writes()}, err
		}
	}
	return Outcome{}, fmt.Errorf("rehearsing %s: it is not known here", machine)
}
