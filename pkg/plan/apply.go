package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"golang.org/x/sync/errgroup"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/dryrun"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/hold"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// atOnce is how many connections, or accounts, are looked at at the same time.
const atOnce = 8

// reasonOf is what a look that is only planned says of its reason.
const reasonOf = "drawbridge plan"

// mostLooks is how many looks a plan follows that were asked for by others.
const mostLooks = 1000

// follow plays looks, and those that they ask for, each once, and completes a plan.
func (r *rehearsal) follow(ctx context.Context, p Plan, todo []asked) (Plan, error) {
	p.Head, p.At = answer.HeadOf("Plan"), r.now().UTC().Truncate(time.Second)
	p.Looks, p.Notices, p.Unplanned = []Look{}, []string{}, append([]string{}, p.Unplanned...)
	done := map[string]bool{}
	states := 0
	for n := 0; n < len(todo); n++ {
		one := todo[n]
		if key := one.key(); done[key] {
			continue
		} else if done[key] = true; len(done) > mostLooks {
			p.Unplanned = append(p.Unplanned, fmt.Sprintf("%d looks more than %d", len(todo)-n, mostLooks))
			break
		}
		m, ok := machines[one.kind]
		if !ok {
			p.Unplanned = append(p.Unplanned, fmt.Sprintf("%s, %s", one.kind, one.id))
			continue
		}
		got, err := r.play(ctx, m.name, m.definition, r.event(one))
		if err != nil {
			return p, fmt.Errorf("planning %s: %w", one.id, err)
		}
		states += got.States
		p.Looks = append(p.Looks, Look{Machine: m.name, ID: one.id, Ends: got.State, Fails: got.Error, Waits: got.Waits, Reason: got.Reason})
		for _, notice := range r.news() {
			todo = append(todo, told(notice.Kind, json.RawMessage(notice.Detail)))
		}
	}
	for _, notice := range r.World.Notices() {
		if !event.Own(notice.Kind) {
			p.Notices = append(p.Notices, notice.Kind)
		}
	}
	p.Unplanned = append(p.Unplanned, r.unread()...)
	p.Changes, p.Counts = changes(r.World.Writes())
	p.Counts.States = states
	return p, nil
}

// Sweep plans a sweep of the Regions of accounts; without accounts, of all that the organization lists. What was held back comes first, as it goes on then.
func Sweep(ctx context.Context, h Hub, accounts, regions []string) (Plan, error) {
	r, err := rehearse(h)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{About: "a sweep of all accounts"}
	if len(accounts) > 0 {
		p.About = "a sweep of " + strings.Join(accounts, ", ")
	}
	kept, err := hold.GoesOn(ctx, r.book, mode.Full)
	if err != nil {
		return p, err
	}
	var resumed []asked
	for _, k := range kept {
		resumed = append(resumed, again(k))
	}
	var all []workflow.Territory
	lister := sweep.Lister{API: organizations.NewFromConfig(r.hub), Regions: regions, Policy: r.policy}
	for in := (workflow.ListAccountsInput{Execution: execution, Sweep: workflow.Sweep{Accounts: accounts}}); ; {
		page, err := lister.List(ctx, in)
		if err != nil {
			return p, err
		}
		all = append(all, page.Accounts...)
		if in.Page = page.Page; in.Page == "" {
			break
		}
	}
	visits, looks := make([]workflow.SweepAccountOutput, len(all)), make([][]asked, len(all))
	group, visiting := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	unplanned := make([]string, len(all))
	for n, t := range all {
		group.Go(func() error {
			ask := func(_ context.Context, more ...look.Look) error {
				for _, l := range more {
					looks[n] = append(looks[n], told(l.DetailType(), detailOf(l)))
				}
				return nil
			}
			var err error
			visits[n], err = sweep.New(r.Enter, r.organization.Account, r.book, ask).Sweep(visiting, workflow.SweepAccountInput{Execution: execution, Territory: t})
			switch {
			case visiting.Err() != nil:
				return visiting.Err()
			case err != nil:
				unplanned[n] = fmt.Sprintf("account %s: %v", t.Account, err)
			case visits[n].Closed != "":
				unplanned[n] = fmt.Sprintf("account %s: %s", t.Account, visits[n].Closed)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return p, err
	}
	p.Found = found(visits)
	p.Unplanned = slices.DeleteFunc(unplanned, func(s string) bool { return s == "" })
	return r.follow(ctx, p, slices.Concat(resumed, slices.Concat(looks...)))
}

// Policy plans a policy in place of the one in force: each entry of the ledger is looked at with both. Where the one in force cannot be read, as after an upgrade
// of the words that policies have, an entry is compared with what stands of it by the ledger.
func Policy(ctx context.Context, h Hub, entries []ledger.Connection, text string) (Comparison, error) {
	out := Comparison{Head: answer.HeadOf("PolicyPlan"), At: time.Now().UTC().Truncate(time.Second), Connections: []Effect{}, Unplanned: []string{}}
	then := h
	then.Policy = text
	r, err := rehearse(then)
	if err != nil {
		return out, err
	}
	if out.Room, err = r.brake.Room(ctx); err != nil {
		return out, err
	}
	if _, err := policy.Parse("in force", []byte(h.Policy)); err != nil {
		out.InForce = strings.Split(err.Error(), "\n")
	}
	effects, skipped := make([]*Effect, len(entries)), make([]string, len(entries))
	group, looking := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for n, c := range entries {
		group.Go(func() error {
			reads := &dryrun.Answers{} // both see the same
			var both [2]standing
			for m, hub := range []Hub{h, then} {
				var err error
				if m == 0 && out.InForce != nil {
					both[m], err = stands(looking, ledger.Ledger{Store: h.Store}, c.ID, played{State: string(c.Status)})
				} else {
					both[m], skipped[n], err = leaves(looking, hub, c, reads)
				}
				if err != nil || skipped[n] != "" {
					return err
				}
			}
			e, other := compare(both[0], both[1])
			if !other {
				return nil
			}
			e.ID, e.Kind, e.Between = c.ID, string(c.Kind), []string{}
			for _, s := range c.Sides {
				e.Between = append(e.Between, s.Account+"/"+s.Region+"/"+s.ID)
			}
			effects[n] = &e
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return out, err
	}
	for n, e := range effects {
		switch {
		case e != nil:
			out.Connections = append(out.Connections, *e)
		case skipped[n] != "":
			out.Unplanned = append(out.Unplanned, skipped[n])
		default:
			out.Same++
		}
	}
	inOrder(out.Connections)
	out.Counts = sums(out.Connections)
	return out, nil
}

// leaves says what the next look at an entry would leave of it under a policy, or why that is not planned.
func leaves(ctx context.Context, h Hub, c ledger.Connection, reads *dryrun.Answers) (standing, string, error) {
	r, err := rehearse(h)
	if err != nil {
		return standing{}, "", err
	}
	r.World.Remember(reads)
	of, ok := look.At(c, event.Place{}, reasonOf)
	if !ok {
		return standing{}, fmt.Sprintf("%s: there is no look at what is of the kind %s", c.ID, c.Kind), nil
	}
	m := machines[of.DetailType()]
	got, err := r.play(ctx, m.name, m.definition, r.event(told(of.DetailType(), detailOf(of))))
	if err != nil {
		return standing{}, "", fmt.Errorf("planning %s: %w", c.ID, err)
	}
	if unread := r.unread(); len(unread) > 0 {
		return standing{}, c.ID + ": " + unread[0], nil
	}
	if got.Error != "" && got.Error != string(fault.Conflict) {
		return standing{}, fmt.Sprintf("%s: %s: %s", c.ID, got.Error, got.Reason), nil
	}
	out, err := stands(ctx, r.book, c.ID, got)
	out.tells = tells(r.World.Writes())
	return out, "", err
}

// tells returns what the tags of the status say to the owners that would be written.
func tells(writes []dryrun.Write) []string {
	var out []string
	for _, w := range writes {
		in, ok := w.Input.(*ec2.CreateTagsInput)
		for n := 0; ok && n < len(in.Tags); n++ {
			if aws.ToString(in.Tags[n].Key) == tag.Reason {
				out = append(out, w.Account+": "+aws.ToString(in.Tags[n].Value))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// stands says what stands of an entry by a ledger, after what was played.
func stands(ctx context.Context, book ledger.Ledger, id string, after played) (standing, error) {
	items, err := book.Items(ctx, id)
	if err != nil {
		return standing{}, err
	}
	out := standing{played: after, things: []string{}}
	for _, i := range items {
		if i.State == ledger.Confirmed || i.State == ledger.Intended {
			out.things = append(out.things, fmt.Sprintf("%s %s of %s in %s", i.Kind, i.Key, i.Resource, i.Place()))
		}
	}
	slices.Sort(out.things)
	if entry, ok, err := book.Connection(ctx, id); err != nil {
		return standing{}, err
	} else if ok {
		out.paths = entry.Paths.All
	}
	return out, nil
}
