package stories

import (
	"context"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/plan"
)

// samples are the stories whose runs are planned each time: of each road, what is made, refused, asked about, changed, in the way, and taken back. All are with
// [everyPlan].
var samples = []string{"s1-peering", "two-regions", "approval", "approval-extended", "refused", "overlap", "conflict", "blackhole", "sweep-drift", "change-unshared",
	"removed-by-accepter", "takeback-rejected", "let-go", "notebook-stopped", "released", "profile-groups", "shared-vpc",
	"transit", "transit-pending", "takeback-gateway", "attach", "attach-approval", "attach-invitation", "gateway-never",
	"studio", "studio-apps", "studio-closed-role", "private-notebooks", "private-owner", "private-paths",
	"s3-data-api", "data-api-removed", "data-api-endpoint", "data-api-grant", "data-api-refused-later", "data-api-consumer", "data-api-consumer-removed", "data-api-consumer-own"}

// otherwise are the stories whose runs do something else than a plan says, each with the reason. Of every other story [TestAPlanIsWhatARunDoes] holds that
// they do not.
var otherwise = map[string]string{
	"one-side-gone":       unreadHere,
	"notebook-one-denied": deniedThere, "begun-forbidden": deniedThere, "right-lacking": deniedThere,
	"account-suspended": unreadHere, "studio-full-role": deniedThere,
	"shared-vpc-notebook": waitedFor,
	"data-api-closed-key": emulated, "throttled-to-the-end": throttled,
	"attach-denied": failsThere, "attach-role-lost": failsThere, "private-drift": failsThere,
	"mode-observe": heldBack, "mode-observe-only": heldBack, "mode-observe-data-api": heldBack, "mode-observe-studio": heldBack, "mode-observe-private": heldBack, "mode-paused": heldBack, "mode-add": heldBack,
}

// The reasons.
const (
	heldBack    = "a plan is of the mode full; the mode, or the account, holds it back, and is said beside it"
	deniedThere = "a service control policy, a role or a quota refuses a call, which only the call tells"
	failsThere  = "AWS takes a call, and the thing fails later"
	emulated    = "moto fails where whoever asks reads a key whose policy leaves nothing to IAM; AWS denies it, as the role"
	throttled   = "AWS throttles a call as often as it is tried, which only the call tells"
	waitedFor   = "an execution waits for another, and does what the other's change calls for: it was planned before that"
	unreadHere  = "an account lets Drawbridge in no more, and whoever asks still reads it"
)

// everyPlan says that all stories are planned, and not a sample.
var everyPlan = os.Getenv("DRAWBRIDGE_PLANS") == "all"

func TestAPlanIsWhatARunDoes(t *testing.T) {
	type told struct {
		name string
		play func(*testing.T)
	}
	var all []told
	for n, s := range library() {
		all = append(all, told{s.name, func(t *testing.T) { planned(t, 5000+n, s) }})
	}
	for n, s := range allDataAPI() {
		all = append(all, told{s.name, func(t *testing.T) { plannedDataAPI(t, 5000+n, s) }})
	}
	for _, name := range append(slices.Collect(maps.Keys(otherwise)), samples...) {
		if !slices.ContainsFunc(all, func(s told) bool { return s.name == name }) {
			t.Errorf("there is no story %s", name)
		}
	}
	for _, s := range all {
		if _, other := otherwise[s.name]; !other && (everyPlan || slices.Contains(samples, s.name)) {
			t.Run(s.name, s.play)
		}
	}
}

// planned plays a story and plans each of its executions, too.
func planned(t *testing.T, n int, s tale) {
	ctx := timeout(t)
	unbraked(ctx, t)
	spec := scenario.S1()
	cast(&spec, n)
	if s.change != nil {
		s.change(&spec)
	}
	world, err := spec.Build(ctx, engine.Config)
	if err != nil {
		t.Fatal(err)
	}
	if s.prepare != nil {
		s.prepare(ctx, t, world)
	}
	if _, err := engine.Settle(ctx, 0); err != nil {
		t.Fatal(err)
	}
	var fault local.Injector
	if s.fault != nil {
		fault = s.fault(world)
	}
	planActs(ctx, t, len(s.acts), fault, func(number int, p *planner) int {
		a := s.acts[number]
		a.do(ctx, t, world)
		ends := until(ctx, t, len(a.ends))
		if then := s.then[number+1]; then != nil {
			then(ctx, t, world)
		}
		return p.compare(t, a.says, ends)
	})
}

// plannedDataAPI is [planned] for a story of the Data API.
func plannedDataAPI(t *testing.T, n int, s dataAPITale) {
	ctx := timeout(t)
	unbraked(ctx, t)
	world, _ := s.build(ctx, t, n)
	planActs(ctx, t, len(s.acts), nil, func(number int, p *planner) int {
		a := s.acts[number]
		if err := a.do(ctx, world); err != nil {
			t.Fatal(err)
		}
		return p.compare(t, a.says, until(ctx, t, len(a.ends)))
	})
}

// planActs plays acts, plans each execution that they lead to, and says what planning did.
func planActs(ctx context.Context, t *testing.T, acts int, fault local.Injector, play func(int, *planner) int) {
	p := &planner{onlyReads: &onlyReads{}, plans: map[string]plan.Outcome{}, errs: map[string]error{}}
	before := p.before(ctx)
	injected := local.Injector(func(c awscall.Call, when local.Moment) *local.Fault {
		before(c, when)
		if fault == nil || c.Function == "" {
			return nil
		}
		return fault(c, when)
	})
	injector.Store(&injected)
	t.Cleanup(func() { injector.Store(nil) })
	compared := 0
	for number := range acts {
		engine.Cool()
		engine.Story().Begin()
		compared += play(number, p)
	}
	t.Logf("%d executions were planned, by %d calls; in %d acts others were at work beside them", compared, p.sent, p.met)
	if compared > 0 && p.sent == 0 || compared == 0 && !everyPlan {
		t.Error("nothing was planned")
	}
	if len(p.wrong) > 0 {
		t.Errorf("planning makes calls that do not only read: %q", p.wrong)
	}
}
