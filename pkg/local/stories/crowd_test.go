package stories

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// together runs f n times at once.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// deliver puts CloudTrail's event about the peering on the requester's bus.
func deliver(ctx context.Context, w *scenario.World, action string) error {
	detail, err := json.Marshal(map[string]any{
		"eventSource": "ec2.amazonaws.com", "eventName": action,
		"recipientAccountId": w.Consumer.Account, "awsRegion": w.Consumer.Region,
		"userIdentity":      map[string]any{"type": "Root", "accountId": w.Consumer.Account},
		"requestParameters": map[string]any{"vpcPeeringConnectionId": w.Connection},
		"responseElements":  map[string]any{"vpcPeeringConnection": map[string]any{"vpcPeeringConnectionId": w.Connection}},
	})
	if err != nil {
		return err
	}
	out, err := eventbridge.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).PutEvents(ctx, &eventbridge.PutEventsInput{
		Entries: []eventbridgetypes.PutEventsRequestEntry{{
			Source: aws.String("aws.ec2"), DetailType: aws.String("AWS API Call via CloudTrail"), Detail: aws.String(string(detail)),
		}},
	})
	if err == nil && out.FailedEntryCount > 0 {
		err = fmt.Errorf("the bus did not take the event: %+v", out.Entries)
	}
	return err
}

// worlds counts the worlds built for these tests.
var worlds int

// world builds S1 in fresh accounts of the rough engine, with things of others in it.
func world(ctx context.Context, t *testing.T, change func(*scenario.Spec)) *scenario.World {
	t.Helper()
	worlds++
	spec := scenario.S1()
	cast(&spec, worlds)
	if change != nil {
		change(&spec)
	}
	w, err := spec.Build(ctx, engine.Config)
	done(t, err)
	plant(ctx, t, w)
	return w
}

// connected builds a world in which the request was made and is connected.
func connected(ctx context.Context, t *testing.T) *scenario.World {
	t.Helper()
	w := world(ctx, t, nil)
	begin(ctx, t)
	done(t, w.Request(ctx))
	all(t, until(ctx, t, 1), "Connected", "InSync", "Nothing")
	return w
}

// begin settles what building a world set in motion, and begins the story.
func begin(ctx context.Context, t *testing.T) {
	t.Helper()
	until(ctx, t, 0)
	engine.Story().Begin()
}

// all holds executions to the states that they may end in.
func all(t *testing.T, ends []story.End, allowed ...string) {
	t.Helper()
	for _, e := range ends {
		if e.Status != "SUCCEEDED" || !slices.Contains(allowed, e.State) {
			t.Errorf("%s ends as %s in %s: %s %s", e.Machine, e.Status, e.State, e.Error, e.Cause)
		}
	}
}

// holds reads back that every hop of the connection is there.
func holds(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	verdict, err := w.Verdict(ctx)
	done(t, err)
	if len(verdict) == 0 || !scenario.Holds(verdict) {
		t.Errorf("%s does not hold: %+v", w.Connection, verdict)
	}
}

// noTwins holds a world to having no route, rule or host-route line twice.
func noTwins(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	lines, seen := state(ctx, t, w), 0
	for i, l := range lines {
		_, what, _ := strings.Cut(l, " ")
		if !strings.Contains(what, "/16") || strings.HasPrefix(what, "peering") {
			continue
		}
		if seen++; i > 0 && l == lines[i-1] {
			t.Errorf("stands twice: %s", l)
		}
	}
	if seen == 0 {
		t.Error("there is nothing that could stand twice")
	}
}

// TestFiveTimes delivers the event of a request five times more, all at once: one execution does the work, one waits and looks once more,
// and the others end at once.
func TestFiveTimes(t *testing.T) {
	roughen(t)
	ctx := limited(t, 5*time.Minute)
	w := world(ctx, t, nil)
	begin(ctx, t)
	done(t, w.Request(ctx))
	together(5, func(int) {
		if err := deliver(ctx, w, "CreateVpcPeeringConnection"); err != nil {
			t.Error(err)
		}
	})
	ends := until(ctx, t, 6)
	all(t, ends, "Connected", "Nothing")
	worked := map[string]bool{} // executions that went beyond their look
	for _, c := range engine.Story().Calls() {
		if c.Account != local.HubAccount && c.Function != "drawbridge-inspect-peering" && c.Action != "AssumeRole" {
			worked[c.Execution] = true
		}
	}
	if n := len(worked); n == 0 || n > 2 {
		t.Errorf("%d of %d executions do the work, want one, and at most one that looks again", n, len(ends))
	}
	idle(ctx, t, w)
	holds(ctx, t, w)
	noTwins(ctx, t, w)
}

// strike does what then says before the next call of that name, which is answered by what it returns.
func strike(t *testing.T, action string, then func() *local.Fault) {
	var once sync.Once
	injector.Store(new(local.Injector(func(c awscall.Call, when local.Moment) (f *local.Fault) {
		if when == local.Before && c.Action == action {
			once.Do(func() { f = then() })
		}
		return f
	})))
	t.Cleanup(func() { injector.Store(nil) })
}

// TestTheNextHasTheVerdict lets two events come while an execution is in the middle of its work. The first of them waits, and then looks
// again by itself; the second ends and names it. So of whichever execution somebody reads, the verdict is there, or the name of the execution
// that has it.
func TestTheNextHasTheVerdict(t *testing.T) {
	roughen(t)
	ctx := limited(t, 5*time.Minute)
	w := world(ctx, t, nil)
	begin(ctx, t)
	var next string
	strike(t, "CreateRoute", func() *local.Fault {
		comes := func(told func(story.Fact) bool) {
			if err := deliver(ctx, w, "AcceptVpcPeeringConnection"); err != nil {
				t.Error(err)
			}
			for ctx.Err() == nil && !slices.ContainsFunc(engine.Story().Facts(), told) {
				time.Sleep(50 * time.Millisecond)
			}
		}
		comes(func(f story.Fact) bool {
			if s, ok := f.(story.Step); ok && s.Failed && strings.Contains(string(s.Result), "this one is next") {
				next = s.Execution
			}
			return next != ""
		})
		comes(func(f story.Fact) bool { e, ok := f.(story.End); return ok && e.State == "Nothing" })
		return nil
	})
	done(t, w.Request(ctx))
	ends := until(ctx, t, 3)
	all(t, ends, "Connected", "Nothing")
	for _, e := range ends {
		switch {
		case e.State == "Connected" && strings.Contains(string(e.Output), `"verdict":[{`):
		case e.State == "Nothing" && strings.Contains(string(e.Output), "execution "+next+" looks at "+w.Connection+" next"):
		default:
			t.Errorf("%s has no verdict, nor the name of one that has: %s", e.Execution, e.Output)
		}
	}
	if i := slices.IndexFunc(ends, func(e story.End) bool { return e.Execution == next }); i < 0 || ends[i].State != "Connected" || len(ends) != 3 {
		t.Errorf("%q looks again, and nobody else: %+v", next, ends)
	}
	idle(ctx, t, w)
	holds(ctx, t, w)
	noTwins(ctx, t, w)
}

// TestAHolderThatFailed lets an execution fail in the middle of its work: the next one takes its lease and does the work. The failed one is
// redriven while that one is at it: it waits for its turn, or is told who is at it.
func TestAHolderThatFailed(t *testing.T) {
	roughen(t)
	ctx := limited(t, 5*time.Minute)
	w := world(ctx, t, nil)
	begin(ctx, t)
	const work = "CreateRoute"
	strike(t, work, func() *local.Fault {
		return &local.Fault{Status: 403, Code: "UnauthorizedOperation", Message: "You are not authorized to perform this operation on " + w.Connection}
	})
	done(t, w.Request(ctx))
	// What drawbridge-change says of the failure, or leaves to whoever came, is no work.
	working := func(n int) []story.End {
		return slices.DeleteFunc(until(ctx, t, n), func(e story.End) bool { return e.Machine == "drawbridge-change" })
	}
	ends := working(1)
	failed := ends[0].Execution
	if ends[0].Status != "FAILED" {
		t.Fatalf("it does not fail: %+v", ends)
	}
	again := func() {
		arn := "arn:aws:states:" + engine.Region() + ":" + local.HubAccount + ":execution:drawbridge-peering:" + failed
		if _, err := sfn.NewFromConfig(engine.Config(local.HubAccount, engine.Region())).RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: &arn}); err != nil {
			t.Error(err)
		}
	}
	engine.Story().Begin()
	strike(t, work, func() *local.Fault {
		again()
		time.Sleep(time.Second) // it is at the step by then
		return nil
	})
	done(t, deliver(ctx, w, "CreateVpcPeeringConnection"))
	for _, e := range working(2) {
		// The retries are over sooner than on AWS: then it is told, and redriven once more.
		if e.Execution == failed && e.Error == "NotYet" && strings.Contains(e.Cause, " is at "+w.Connection) {
			engine.Story().Begin()
			again()
			e = working(1)[0]
		}
		all(t, []story.End{e}, "Connected")
	}
	idle(ctx, t, w)
	holds(ctx, t, w)
	noTwins(ctx, t, w)
}

// idle holds the connection of a world to having no lease any more.
func idle(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	book := book()
	if now, taken, err := book.Acquire(ctx, w.Connection, ledger.Turn{Holder: "test"}, nil); err != nil || !taken || now.Again {
		t.Errorf("when all is over, %+v has the lease of %s, %v", now, w.Connection, err)
	}
	_, err := book.Yield(ctx, w.Connection, "test")
	done(t, err)
}

// TestAcceptBeforeCreate loses the event of the request until the peering was
// accepted by hand: nobody saw the request, so it is found. The late event gives it to
// Drawbridge; when it comes once more, it changes nothing.
func TestAcceptBeforeCreate(t *testing.T) {
	roughen(t)
	ctx := limited(t, 5*time.Minute)
	w := world(ctx, t, nil)
	bus := eventbridge.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	_, err := bus.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: aws.String("drawbridge-forward-peering")})
	done(t, err)
	begin(ctx, t)
	done(t, w.Request(ctx))
	if ends := until(ctx, t, 0); len(ends) != 0 {
		t.Fatalf("the event was not lost: %+v", ends)
	}
	_, err = ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).AcceptVpcPeeringConnection(ctx,
		&ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: &w.Connection})
	done(t, err)
	all(t, until(ctx, t, 1), "Nothing")
	_, err = bus.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: aws.String("drawbridge-forward-peering")})
	done(t, err)
	engine.Story().Begin()
	done(t, deliver(ctx, w, "CreateVpcPeeringConnection"))
	all(t, until(ctx, t, 1), "Connected")
	holds(ctx, t, w)
	connected := state(ctx, t, w)
	engine.Story().Begin()
	done(t, deliver(ctx, w, "CreateVpcPeeringConnection"))
	all(t, until(ctx, t, 1), "Connected")
	if d := changed(connected, state(ctx, t, w)); d != "" {
		t.Errorf("the late event changes:\n%s", d)
	}
}

// TestDeletedWhileConnecting deletes the peering right before a call that
// Drawbridge makes for it: no route, rule, line or tag stays, and whoever stops
// says why.
func TestDeletedWhileConnecting(t *testing.T) {
	roughen(t)
	actions := []string{"ModifyVpcPeeringConnectionOptions", "CreateRoute", "AuthorizeSecurityGroupIngress"}
	if every {
		actions = append(actions, "AcceptVpcPeeringConnection", "UpdateNotebookInstanceLifecycleConfig", "DescribeNetworkAcls", "CreateTags", "PutEvents")
	}
	for _, action := range actions {
		t.Run(action, func(t *testing.T) {
			ctx := limited(t, 5*time.Minute)
			w := world(ctx, t, nil)
			begin(ctx, t)
			before := state(ctx, t, w)
			var once sync.Once
			deleted := make(chan error, 1)
			injector.Store(new(local.Injector(func(c awscall.Call, when local.Moment) *local.Fault {
				if when == local.Before && c.Action == action {
					once.Do(func() {
						_, err := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).DeleteVpcPeeringConnection(ctx,
							&ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: &w.Connection})
						deleted <- err
					})
				}
				return nil
			})))
			t.Cleanup(func() { injector.Store(nil) })
			done(t, w.Request(ctx))
			ends := until(ctx, t, 2)
			select {
			case err := <-deleted:
				done(t, err)
			default:
				t.Fatalf("nobody called %s: %+v", action, ends)
			}
			for _, e := range ends {
				t.Logf("%s %s %s %s", e.Status, e.State, e.Error, e.Cause)
				if e.Status != "SUCCEEDED" && !named(w, e) {
					t.Errorf("it fails and names nothing: %s", e.Cause)
				}
			}
			after := slices.DeleteFunc(state(ctx, t, w), func(l string) bool {
				_, what, _ := strings.Cut(l, " ")
				return strings.HasPrefix(what, "peering") && !strings.HasPrefix(what, "peering tag") // it is shown as deleted
			})
			if d := changed(before, after); d != "" {
				t.Errorf("it leaves behind:\n%s", d)
			}
		})
	}
}

// TestTwoConsumers connects two accounts to one database at the same moment.
func TestTwoConsumers(t *testing.T) {
	roughen(t)
	ctx := limited(t, 5*time.Minute)
	one := world(ctx, t, nil)
	two := world(ctx, t, func(s *scenario.Spec) { s.Consumer = moved(s.Consumer, 3) })
	two.Producer, two.ProducerNetwork = one.Producer, one.ProducerNetwork
	atOnce(ctx, t, one, two)
}

// TestOneConfiguration connects one notebook to two producers at the same
// moment: both write into its lifecycle configuration.
func TestOneConfiguration(t *testing.T) {
	roughen(t)
	ctx := limited(t, 5*time.Minute)
	one := world(ctx, t, nil)
	two := world(ctx, t, func(s *scenario.Spec) { s.Producer = moved(s.Producer, 4) })
	two.Consumer, two.ConsumerNetwork = one.Consumer, one.ConsumerNetwork
	atOnce(ctx, t, one, two)
}

// moved gives a side other addresses.
func moved(h scenario.Home, second byte) scenario.Home {
	h.CIDR = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, second, 0, 0}), 16)
	h.Subnets = slices.Clone(h.Subnets)
	for i := range h.Subnets {
		h.Subnets[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, second, byte(i), 0}), 24)
	}
	return h
}

// atOnce requests the peerings of all worlds together and holds each to its
// verdict.
func atOnce(ctx context.Context, t *testing.T, worlds ...*scenario.World) {
	t.Helper()
	begin(ctx, t)
	together(len(worlds), func(i int) {
		if err := worlds[i].Request(ctx); err != nil {
			t.Error(err)
		}
	})
	all(t, until(ctx, t, len(worlds)), "Connected", "Nothing")
	for _, w := range worlds {
		holds(ctx, t, w)
		noTwins(ctx, t, w)
	}
}

// TestBurst requests many peerings at once.
func TestBurst(t *testing.T) {
	roughen(t)
	n := 12
	if every {
		n = 200
	}
	ctx := limited(t, 20*time.Minute)
	var many []*scenario.World
	for range n {
		many = append(many, world(ctx, t, nil))
	}
	atOnce(ctx, t, many...)
	fmt.Printf("%d requests at once\n", n)
}
