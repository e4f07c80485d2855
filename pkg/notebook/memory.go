package notebook

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Memory is where it is kept, for an account and Region, what SageMaker's lists do not tell and what never changes: of a notebook instance the subnet,
// the security groups and whether it has direct internet access, for as long as it is the one that was made then; of a user profile the security
// groups, until it is changed. So each is described once, and not in each look: SageMaker describes about ten a second.
//
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateNotebookInstance.html has none of the three;
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UserProfileDetails.html says when a profile changed.
type Memory struct {
	Ledger ledger.Ledger
	At     event.Place
	// all says that many are described that are not known; skip of which nobody asks. See [Fleet.Read].
	all  bool
	skip func(types.NotebookInstanceSummary) bool
}

// few is how many things of a kind one look describes: as many as SageMaker lets through in ten seconds. Where there are no more, they are described
// each time, and nothing is kept.
const few = 100

// many is how many one look describes that has most of its function's minute for it.
const many = 300

// listed is a thing as a list of SageMaker's shows it.
type listed struct {
	name, stamp string
	skip        bool // nobody asks what the list does not tell
}

// stamp says in a word when a thing was made or changed.
func stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// recall returns by name what is known of all things of a kind, of those that are not known after describing at most room of them; and how many are
// left. What describe returns nil for is gone. What was described is kept, whatever becomes of the rest.
func (m Memory) recall(ctx context.Context, kind string, all []listed, room int, describe func(context.Context, string) (*ledger.Seen, error)) (known map[string]ledger.Seen, unread int, err error) {
	known = map[string]ledger.Seen{}
	var gone []string
	keeps := len(all) > room
	if m.all {
		room = many
	}
	if keeps {
		stamps := map[string]string{}
		for _, one := range all {
			stamps[one.name] = one.stamp
		}
		kept, err := m.Ledger.Seen(ctx, m.At.Account, m.At.Region, kind)
		if err != nil {
			return nil, 0, err
		}
		for _, s := range kept {
			if now, there := stamps[s.Name]; !there {
				gone = append(gone, s.Name)
			} else if now == s.Stamp {
				known[s.Name] = s
			}
		}
	}
	var unknown []listed
	for _, one := range all {
		if _, ok := known[one.name]; !ok && !one.skip {
			unknown = append(unknown, one)
		}
	}
	unread = max(0, len(unknown)-room)
	unknown = unknown[:len(unknown)-unread]
	var p pacer
	for some := range slices.Chunk(unknown, few) { // what was described stays known, if the next of them takes too long
		seen, err := p.describe(ctx, some, describe)
		for _, s := range seen {
			known[s.Name] = s
		}
		if keeps {
			err = cmp.Or(err, m.Ledger.See(ctx, m.At.Account, m.At.Region, kind, seen, nil))
		}
		if err != nil {
			return known, unread, err
		}
	}
	if len(gone) > 0 {
		err = m.Ledger.See(ctx, m.At.Account, m.At.Region, kind, nil, gone)
	}
	return known, unread, err
}

// describe describes things, and returns those that are not gone, also if it fails.
func (p *pacer) describe(ctx context.Context, all []listed, describe func(context.Context, string) (*ledger.Seen, error)) ([]ledger.Seen, error) {
	names, found := make([]string, len(all)), make([]*ledger.Seen, len(all))
	for n, one := range all {
		names[n] = one.name
	}
	err := p.each(ctx, names, func(n int, name string) (err error) {
		found[n], err = describe(ctx, name)
		return err
	})
	var seen []ledger.Seen
	for n, s := range found {
		if s != nil {
			s.Name, s.Stamp = all[n].name, all[n].stamp
			seen = append(seen, *s)
		}
	}
	return seen, err
}

// SageMaker lets about ten calls of one action through in a second, for an account and Region.
const (
	parallel = 4
	burst    = 10                     // so many begin at once
	pace     = 125 * time.Millisecond // the others one after the other
)

// Each does something for all names, at the pace at which SageMaker takes calls of one action; see each.
func Each(ctx context.Context, names []string, do func(string) error) error {
	return each(ctx, names, func(_ int, name string) error { return do(name) })
}

// each does something for all names, a few at once, no faster than SageMaker takes calls, and returns the first error by their order.
func each(ctx context.Context, names []string, do func(int, string) error) error {
	return new(pacer).each(ctx, names, do)
}

// pacer lets calls of one action through as SageMaker does.
type pacer struct {
	began time.Time
	calls int // so far
}

// each is the function each, after what was let through before.
func (p *pacer) each(ctx context.Context, names []string, do func(int, string) error) error {
	errs := make([]error, len(names))
	var wait sync.WaitGroup
	slots := make(chan struct{}, parallel)
	if p.calls == 0 {
		p.began = time.Now()
	}
	for n, name := range names {
		late := time.Duration(p.calls-burst+1)*pace - time.Since(p.began)
		if p.calls++; late > 0 {
			select {
			case <-time.After(late):
			case <-ctx.Done():
				errs[n] = context.Cause(ctx)
				continue
			}
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			errs[n] = do(n, name)
		})
	}
	wait.Wait()
	return cmp.Or(errs...)
}
