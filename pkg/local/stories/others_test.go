package stories

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// drawn is one round: how it begins, what people ask for at once, with a peering, and what they do then, one after the other.
type drawn struct {
	Start  start
	Wishes []step
	Acts   []step
}

// step is one of [doings], and a number that says which of several.
type step struct {
	Does string
	N    int
}

// rounds draws a round by its number: the same number gives the same round.
var rounds = rapid.Custom(func(t *rapid.T) drawn {
	one := rapid.Custom(func(t *rapid.T) step {
		some := doings[rapid.SampledFrom([]int{0, 0, 1, 2, 3}).Draw(t, "who")]
		return step{rapid.SampledFrom(slices.Sorted(maps.Keys(some))).Draw(t, "does"), rapid.IntRange(0, 59).Draw(t, "n")}
	})
	wishes := []step{{"attach", 0}, {"attach", 1}, {"data-api", 0}, {"endpoint", 0}, {"studio", 0}, {"private", 0}}
	return drawn{starts.Draw(t, "start"), rapid.SliceOfDistinct(rapid.SampledFrom(wishes), func(s step) step { return s }).Draw(t, "wishes"), rapid.SliceOfN(one, 10, 14).Draw(t, "acts")}
})

// The variables that say how many rounds are played, and which is the first.
const (
	roundsVariable = "DRAWBRIDGE_ROUNDS"
	firstVariable  = "DRAWBRIDGE_ROUND"
)

// run is one round as it is played.
type run struct {
	others
	ctx context.Context
	t   *testing.T
	// theirs is what others have, as they left it.
	theirs things
	// asked are the peerings that were requested in the run, policy what the run added to the policy, rules the owner's rules that it added.
	asked    []string
	policy   string
	rules    map[string]bool
	versions int
	mode     mode.Mode
	// released says that something was to be left to its owners as it stands; ours is what was Drawbridge's when last looked.
	released bool
	ours     things
}

func (r *run) done(err error) {
	r.t.Helper()
	done(r.t, err)
}

func (r *run) read() things { return readAll(r.ctx, r.t, r.accounts()...) }

// TestWhatIsOthersStays holds all machines together to what Drawbridge promises: in any world that people had before it came, any run of requests,
// opt-ins, refusals, owners' hands, policies, sweeps and upgrades leaves everything of others byte for byte, after each of them; what is new, the
// ledger names. And once everything is let go, the world is the one before, but for what its owners did themselves.
//
// A round is drawn by its number. DRAWBRIDGE_ROUNDS says how many are played, DRAWBRIDGE_ROUND which is the first.
func TestWhatIsOthersStays(t *testing.T) {
	number := func(variable string, otherwise int) int {
		n, err := strconv.Atoi(os.Getenv(variable))
		if err != nil {
			return otherwise
		}
		return n
	}
	first := number(firstVariable, 1)
	for n := range number(roundsVariable, 2) {
		t.Run(fmt.Sprint(first+n), func(t *testing.T) {
			round := rounds.Example(first + n)
			r := &run{ctx: limited(t, 15*time.Minute), t: t, rules: map[string]bool{}, mode: mode.Full}
			r.start = round.Start
			r.full.consumer, r.full.producer, r.full.network = fmt.Sprintf("111111116%03d", n), fmt.Sprintf("222222226%03d", n), fmt.Sprintf("333333336%03d", n)
			defer r.unforbid()
			defer func() {
				if t.Failed() {
					t.Logf("again: %s=%d %s=1 go test -count=1 ./pkg/local/stories -v -run '^TestWhatIsOthersStays$'\nthe world: %+v", firstVariable, first+n, roundsVariable, round.Start)
				}
			}()
			r.play(round)
		})
	}
}

// play builds the world and plays the acts; it stops at the first that changed what it should not.
func (r *run) play(round drawn) {
	unbraked(r.ctx, r.t)
	hear := r.full.unheard(r.ctx, r.t)
	r.build(r.ctx, r.t)
	settle(r.ctx, r.t, 0)
	r.theirs = r.read()
	before := maps.Clone(r.theirs)
	hear()
	asked := []string{r.request(0)}
	for _, w := range round.Wishes {
		asked = append(asked, r.do(w))
	}
	r.t.Logf("at once: %s → %s", strings.Join(asked, "; "), r.settle())
	if r.check(); r.t.Failed() {
		return
	}
	for n, a := range round.Acts {
		what := r.do(a)
		if what == "" {
			continue
		}
		r.t.Logf("%d. %s %d: %s → %s", n+1, a.Does, a.N, what, r.settle())
		if r.check(); r.t.Failed() {
			return
		}
	}
	if r.letGo(); !r.t.Failed() {
		r.end(before)
	}
}

// settle waits for what an act set in motion, and says how that ended.
func (r *run) settle() string {
	r.t.Helper()
	ctx, stop := moving(r.ctx)
	defer stop()
	ends, err := engine.Settle(ctx, 0)
	r.done(err)
	engine.Story().Begin()
	unbraked(r.ctx, r.t)
	return strings.Join(endings(ends), ", ")
}

// check holds the world to what others have, and all that is new to the ledger.
func (r *run) check() {
	r.t.Helper()
	now := r.read()
	names, items := written(r.ctx, r.t, r.accounts()...)
	for _, id := range r.asked { // one that is over takes its tags and options with it
		if _, living := now["peering "+id]; !living {
			r.over(id)
		}
	}
	for key := range r.ours { // so does an attachment that Drawbridge made
		if id, is := strings.CutPrefix(key, "attachment "); is && now[key].value == "" {
			r.over(id)
		}
	}
	ours := func(x thing) bool { return slices.ContainsFunc(x.named, func(n string) bool { return names[n] }) }
	for key, had := range r.ours { // what Drawbridge let go of as it stands is its owner's
		if is, ok := now[key]; r.released && ok && !ours(is) && (is.value == had.value || is.whole) {
			r.theirs[key] = is
		}
	}
	r.ours = things{}
	for key, is := range now {
		if ours(is) {
			r.ours[key] = is
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.theirs)) {
		had := r.theirs[key]
		is, ok := now[key]
		switch {
		case ok && is.value == had.value, had.said:
		case ok && ours(is) && (is.whole || r.mayChange(key)), !ok && ours(had) && r.mayChange(key):
		case !ok:
			r.t.Errorf("somebody's is gone: %s: %s", key, had.value)
		default:
			r.t.Errorf("somebody's %s is changed:\n%s\nit was:\n%s", key, is.value, had.value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(now)) {
		is := now[key]
		if of, status := strings.CutSuffix(key, "status"); status && is.said && now[of+"since"].value == "" {
			r.t.Errorf("%s is %s, and does not say since when", key, is.value)
		}
		if _, ok := r.theirs[key]; ok || is.said || is.whole || ours(is) || r.ofAsked(key, is) {
			continue
		}
		r.t.Errorf("nobody's, and the ledger does not name it: %s: %s %v", key, is.value, is.named)
	}
	if r.t.Failed() {
		var has strings.Builder
		for _, i := range items {
			fmt.Fprintf(&has, "%s %s %s %s: %s, before %q, left %q, for %v\n", i.Account, i.Resource, i.Kind, i.Key, i.State, i.Before, i.Left, i.Needed)
		}
		r.t.Logf("the ledger has:\n%s", &has)
	}
}

// over forgets what others said on what came in the run: a peering that was requested, an attachment that Drawbridge made.
func (r *run) over(id string) {
	maps.DeleteFunc(r.theirs, func(key string, _ thing) bool { return strings.Contains(key, id) })
}

// mayChange reports whether Drawbridge may change what is somebody's, if the ledger says what it was before: an option, a setting, a route
// that is dead, a notebook without a configuration.
func (r *run) mayChange(key string) bool {
	for _, kind := range []string{"option ", "endpoint of ", "domain ", "configuration of "} {
		if strings.HasPrefix(key, kind) {
			return true
		}
	}
	peering := r.theirs[key].value
	_, lives := r.theirs["peering "+peering]
	return strings.HasPrefix(key, "route ") && strings.HasPrefix(peering, "pcx-") && !lives && !slices.Contains(r.asked, peering)
}

// ofAsked reports whether something belongs to a peering that was requested in the run, and is as AWS makes it.
func (r *run) ofAsked(key string, is thing) bool {
	return slices.ContainsFunc(r.asked, func(id string) bool {
		return key == "peering "+id || strings.HasPrefix(key, "option "+id) && is.value == "false"
	})
}

// letGo ends all that the run asked for, each in its owner's way.
func (r *run) letGo() {
	r.t.Helper()
	say := func(what string) {
		if what != "" {
			r.t.Logf("letting go: %s → %s", what, r.settle())
		}
	}
	if r.mode != mode.Full {
		setMode(r.ctx, r.t, mode.Full)
		say("the mode is full: " + r.sweeps(0))
	}
	if r.policy != "" {
		r.unforbid()
		say("the policy is as it was: " + r.sweeps(0))
	}
	for range r.living() {
		say("delete " + r.deletes(0))
	}
	for _, key := range slices.Sorted(maps.Keys(r.theirs)) { // what was taken over is given back
		if id, ok := strings.CutPrefix(key, "peering "); ok {
			say(r.tag(r.full.consumer, id, "drawbridge:manage", "undo"))
			say(r.tag(r.full.producer, id, "drawbridge:manage", "undo"))
		}
	}
	for _, account := range []string{r.full.consumer, r.full.producer} {
		for _, id := range r.attachments(account) {
			if _, ok := r.theirs["attachment "+id]; ok {
				say(r.tag(account, id, "drawbridge:manage", "undo"))
			}
		}
	}
	for _, vpc := range [][2]string{{r.full.consumer, r.world.ConsumerNetwork.VPC}, {r.full.producer, r.world.ProducerNetwork.VPC}} {
		for _, key := range []string{"drawbridge:attach", "drawbridge:data-api", "drawbridge:private-notebooks"} {
			say(r.tag(vpc[0], vpc[1], key, ""))
		}
	}
	for _, given := range []bool{true, false} { // as long as one owner gives it, it is taken over once nobody says undo
		for _, key := range slices.Sorted(maps.Keys(r.theirs)) {
			if of, ok := strings.CutSuffix(key, " drawbridge:manage"); ok && (r.theirs[key].value == "true") == given {
				account, id, _ := strings.Cut(strings.TrimPrefix(of, "tag "), "'s ")
				say(r.tag(account, id, "drawbridge:manage", ""))
			}
		}
	}
	say(r.dataAPI(2))
	say(r.studio(2))
	say(r.sweeps(0))
	say(r.sweeps(0))
	r.check()
}

// end holds the world to what it was before, and to what owners did to it since, and the ledger to have nothing of it.
func (r *run) end(before things) {
	r.t.Helper()
	now := r.read()
	for _, key := range slices.Sorted(maps.Keys(r.theirs)) {
		if is, ok := now[key]; !ok || is.value != r.theirs[key].value {
			r.t.Errorf("at the end somebody's %s is %q, it was %q", key, is.value, r.theirs[key].value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(now)) {
		_, theirs := r.theirs[key]
		_, was := before[key]
		if !theirs && !was && !now[key].whole && !(now[key].said && r.released) {
			r.t.Errorf("at the end there is still %s: %s", key, now[key].value)
		}
	}
	_, items := written(r.ctx, r.t, r.accounts()...)
	for _, i := range items {
		if i.State != ledger.Contested {
			r.t.Errorf("at the end the ledger has %s %s %s %s: %s, for %v", i.Account, i.Resource, i.Kind, i.Key, i.State, i.Needed)
		}
	}
}
