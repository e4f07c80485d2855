package peering

import (
	"context"
	"slices"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// lifetime is how long AWS keeps a request that nobody answers.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle
const lifetime = 7 * 24 * time.Hour

// StuckAfter returns what [Ask] asks whether a request is stuck: as [Stuck] now, after some days.
func StuckAfter(days int) func(expires string) bool {
	return func(expires string) bool { return Stuck(expires, time.Duration(days)*24*time.Hour, time.Now()) }
}

// Stuck reports whether a request that expires at a time (RFC 3339) has waited for longer than patience, or has less
// than a day left. One without such a time is never stuck.
func Stuck(expires string, patience time.Duration, now time.Time) bool {
	end, err := time.Parse(time.RFC3339, expires)
	if err != nil {
		return false
	}
	return !now.Before(end.Add(-lifetime+patience)) || !now.Before(end.Add(-24*time.Hour))
}

// remindedNote ends the reason on a request of which people were told that it is stuck.
const remindedNote = " - people were reminded"

// reminder returns the reason with [remindedNote], as it fits into a tag.
func reminder(reason string) string {
	runes := []rune(fit.Tag(reason))
	return string(runes[:min(len(runes), fit.TagRoom-len(remindedNote))]) + remindedNote
}

// remindedOf is the fact in an entry that says of which request people were told that it is stuck: its reason.
const remindedOf = "reminded"

// reminded reports whether a request's entry says that people were told that it is stuck.
func reminded(entry ledger.Connection, v Verdict, shown []string) bool {
	return told(entry, v, shown) && entry.Facts[remindedOf] == v.Reason
}

// Conclude says that a connection is over, as [connection.Conclude] does. It asks for a look at each other connection of the same two VPCs, over a gateway
// or another peering, because that carries on alone from now on; a request, too, that was refused because of what is gone now. So it does at each that falls short of one of the two: its routes may have been in the
// way, as those to another VPC of the same range are. And it tells people of a
// request that expired: no event says that one did, so the sweep finds it, by its entry.
// Many parameters, because they are the ways in which people hear of it.
func Conclude(ctx context.Context, l ledger.Ledger, enter func(workflow.StatusResource) connection.Untagger, bus notice.Bus, topic notice.Topic, looks look.Asker, in workflow.ConcludeRemovalInput) (workflow.ConcludeRemovalOutput, error) {
	if in.Result == workflow.Removed {
		others, err := freed(ctx, l, in.Connection)
		if err != nil {
			return workflow.ConcludeRemovalOutput{}, err
		}
		if err := look.Ask(ctx, looks, others...); err != nil {
			return workflow.ConcludeRemovalOutput{}, err
		}
	}
	out, err := connection.Conclude(ctx, l, enter, bus, in)
	if err != nil || out.Result != workflow.Expired {
		return out, err
	}
	if err := tell(ctx, bus, topic, notice.ExpiredRequest(in)); err != nil {
		return out, err
	}
	workflow.Measure(ctx, workflow.ExpiredRequests, 1)
	return out, nil
}

// freed returns a look at each other managed connection of the two VPCs of one that is over, and at each that falls short of one of them.
func freed(ctx context.Context, l ledger.Ledger, c workflow.Connection) ([]look.Look, error) {
	var out []look.Look
	var seen []string
	for _, end := range []workflow.VPC{c.Requester, c.Accepter} {
		entries, err := l.Connections(ctx, end.Account, end.Region)
		if err != nil {
			return nil, err
		}
		at := event.Place{Account: end.Account, Region: end.Region}
		for _, e := range entries {
			is := func(v workflow.VPC) bool {
				return slices.ContainsFunc(e.Sides, func(s ledger.Side) bool { return s.ID == v.ID && s.Account == v.Account })
			}
			if e.ID == c.ID || !is(end) || slices.Contains(seen, e.ID) {
				continue
			}
			seen = append(seen, e.ID)
			if is(c.Requester) && is(c.Accepter) {
				if l, ok := look.At(e, at, c.ID+" between the two is over"); ok && e.Kind.Connects() {
					out = append(out, l)
				}
				continue
			}
			out = append(out, look.Short([]ledger.Connection{e}, at, c.ID+" is over")...)
		}
	}
	return out, nil
}

// tell tells programs and people.
func tell(ctx context.Context, bus notice.Bus, topic notice.Topic, a notice.Attention) error {
	if err := bus.Put(ctx, a); err != nil {
		return err
	}
	return topic.Publish(ctx, notice.Message(a))
}
