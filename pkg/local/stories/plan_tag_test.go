package stories

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/plan"
)

// Who asks what follows from a tag that is set, or taken off, is told what then follows: what is changed by which calls, and how each execution ends.
func TestWhatFollowsFromATagIsWhatWasPlanned(t *testing.T) {
	ctx := timeout(t)
	unbraked(ctx, t)
	spec := scenario.S1()
	cast(&spec, 5900)
	w, err := spec.Build(ctx, engine.Config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Settle(ctx, 0); err != nil {
		t.Fatal(err)
	}
	database := "arn:aws:rds:" + w.Producer.Region + ":" + w.Producer.Account + ":db:" + w.Database.Name
	shared := func(value string) func(context.Context, *testing.T, *scenario.World) {
		return func(ctx context.Context, t *testing.T, w *scenario.World) {
			_, err := databases(w).AddTagsToResource(ctx, &rds.AddTagsToResourceInput{ResourceName: &database, Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: &value}}})
			done(t, err)
		}
	}
	engine.Story().Begin()
	request("Connected").do(ctx, t, w)
	until(ctx, t, 1)
	marked := func(home scenario.Home, id, key, value string) func(context.Context, *testing.T, *scenario.World) {
		return func(ctx context.Context, t *testing.T, w *scenario.World) { mark(ctx, t, home, id, key, value) }
	}
	for _, c := range []struct {
		thing      string
		at         scenario.Home
		key, value string // taken off, if it is nothing
		do         func(context.Context, *testing.T, *scenario.World)
		takes      bool // something goes
	}{
		{database, w.Producer, "drawbridge:share", "", unshare, true},
		{database, w.Producer, "drawbridge:share", "everybody", shared("everybody"), false},
		{database, w.Producer, "drawbridge:share", w.Consumer.Account, shared(w.Consumer.Account), false},
		{w.ConsumerNetwork.Subnets[0], w.Consumer, "drawbridge:reach", "none", marked(w.Consumer, w.ConsumerNetwork.Subnets[0], "drawbridge:reach", "none"), true},
		{w.ProducerNetwork.VPC, w.Producer, "drawbridge:accept", "never", marked(w.Producer, w.ProducerNetwork.VPC, "drawbridge:accept", "never"), false},
	} {
		t.Run(strings.TrimSpace(c.key+" "+c.value), func(t *testing.T) {
			p := &planner{onlyReads: &onlyReads{}}
			h, err := p.hub(ctx)
			if err != nil {
				t.Fatal(err)
			}
			thing, ok := deed.Tagged(c.thing, event.Place{Account: c.at.Account, Region: c.at.Region})
			if !ok {
				t.Fatalf("%s is nothing that has tags", c.thing)
			}
			suppose := plan.Supposed{Tags: map[string]*string{c.key: nil}}
			if c.value != "" {
				suppose.Tags[c.key] = &c.value
			}
			planned, err := plan.Thing(ctx, h, thing, suppose)
			if err != nil {
				t.Fatal(err)
			}
			if len(planned.Unplanned) > 0 || len(p.wrong) > 0 || p.sent == 0 || c.takes != (planned.Counts.Takes > 0) {
				t.Errorf("%+v, by the calls %q", planned, p.wrong)
			}
			engine.Cool()
			engine.Story().Begin()
			c.do(ctx, t, w)
			did, was := map[string]bool{}, map[string]int{}
			for _, e := range until(ctx, t, len(planned.Looks)) {
				was[e.Machine+" "+endedAs(e)]++
				for _, call := range wrote(e.Execution) {
					did[call] = true
				}
			}
			would, ends := map[string]bool{}, map[string]int{}
			for _, l := range planned.Looks {
				end := l.Ends
				if l.Fails != "" {
					end = l.Fails
				}
				ends[l.Machine+" "+end]++
			}
			for _, one := range planned.Changes {
				would[strings.Join([]string{one.Account, one.Region, one.Call, one.Thing}, " ")] = true
			}
			for _, call := range slices.Collect(maps.Keys(did)) { // the same status, said again, is no change
				if strings.HasSuffix(call, " ec2:CreateTags "+w.Connection) && !would[call] {
					delete(did, call)
				}
			}
			if want, got := slices.Sorted(maps.Keys(did)), slices.Sorted(maps.Keys(would)); !slices.Equal(want, got) || !maps.Equal(was, ends) {
				t.Errorf("it ends %v, planned %v\nwrites\n%s\nplanned\n%s", was, ends, strings.Join(want, "\n"), strings.Join(got, "\n"))
			}
		})
	}
}
