package stories

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// doubled are acts that are each one call which may be made again: tags set or taken off. By story, the numbers of the acts.
var doubled = map[string][]int{
	"attach":                    {2},
	"s5-gateway":                {3},
	"private-notebooks":         {1, 5},
	"studio":                    {1, 3},
	"studio-closed-role":        {2, 4},
	"s3-data-api":               {1},
	"data-api-removed":          {2},
	"data-api-consumer":         {2},
	"data-api-consumer-removed": {2},
}

// TestFiveCallsAtOnce makes the call of an act five times at once, so that as many executions meet: the accounts end as
// after one.
func TestFiveCallsAtOnce(t *testing.T) {
	roughen(t)
	ctx := limited(t, 15*time.Minute)
	played := 0
	for n, s := range slices.Concat(library(), accessRehearsals) {
		for _, number := range doubled[s.name] {
			played++
			t.Run(fmt.Sprintf("%s/%d", s.name, number), func(t *testing.T) {
				c := prepared(ctx, t, 7000+10*n+number, s, number)
				before := len(c.act.ends)
				*c.world = c.start
				done(t, c.restore(ctx))
				engine.Cool()
				engine.Story().Begin()
				together(5, func(int) {
					w := c.start
					c.act.do(ctx, t, &w)
				})
				ends := until(ctx, t, before)
				if len(ends) < before+4 {
					t.Errorf("five calls start %d executions, and one %d", len(ends), before)
				}
				for _, e := range ends {
					if e.Status != "SUCCEEDED" {
						t.Errorf("%s ends with %s: %s", e.Machine, e.Error, e.Cause)
					}
				}
				after := c.state(ctx, t)
				if d := changed(c.want, after); d != "" {
					t.Errorf("five calls at once do not end as one:\n%s", d)
				}
				if lost := c.taken(t, after); lost > 0 {
					t.Errorf("%d things of others are gone", lost)
				}
			})
		}
	}
	if want := 12; played != want {
		t.Errorf("%d acts were played, want %d", played, want)
	}
}
