package peering

import (
	"context"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
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

// reminded reports whether the status on the accepter's side says that people were told that the request is stuck.
func reminded(tags map[string]string, v Verdict) bool {
	return tags[connection.TagStatus] == string(workflow.AwaitingApproval) && tags[connection.TagReason] == reminder(v.Reason)
}

// Conclude takes Drawbridge's tags off a peering that is over, as [connection.Conclude] does, and tells people of a
// request that expired. No event says that one did: the sweep finds it, once, by the tags.
func Conclude(ctx context.Context, enter func(workflow.Carrier) connection.Untagger, bus notice.Bus, topic notice.Topic, in workflow.ConcludeRemovalInput) (workflow.ConcludeRemovalOutput, error) {
	out, err := connection.Conclude(ctx, enter, bus, in)
	if err != nil || out.Result != workflow.Expired {
		return out, err
	}
	if err := tell(ctx, bus, topic, notice.ExpiredRequest(in)); err != nil {
		return out, err
	}
	workflow.Measure(ctx, workflow.ExpiredRequests, 1)
	return out, nil
}

// tell tells programs and people.
func tell(ctx context.Context, bus notice.Bus, topic notice.Topic, a notice.Attention) error {
	if err := bus.Put(ctx, a); err != nil {
		return err
	}
	return topic.Publish(ctx, notice.Message(a))
}
