// Package netproof proves host routes on a real network: an on-start script, the bytes of it, is run in network
// namespaces that are arranged like a notebook instance and two VPCs, which are peered or on one transit gateway, and a
// real client logs in to a real database through them – or cannot.
//
// It needs Linux with root or unprivileged user namespaces; install.sh installs the databases. The machine's own
// network is not touched, its root file system is read-only to the script, and nothing stays.
package netproof

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
)

// A Step is one thing that was tried.
type Step struct {
	Step   string        `json:"step"`
	OK     bool          `json:"ok"`
	Detail string        `json:"detail"`
	Took   time.Duration `json:"-"`
}

// Result is the outcome of a proof.
type Result struct {
	// Real tells a real database client and server from plain TCP on their ports.
	Real  bool          `json:"real"`
	Means string        `json:"means"` // the same in words
	Steps []Step        `json:"steps"`
	Took  time.Duration `json:"-"`
}

// OK reports whether every step came out as it must.
func (r Result) OK() bool {
	return len(r.Steps) > 0 && !slices.ContainsFunc(r.Steps, func(s Step) bool { return !s.OK })
}

// A Stage is a world with databases in which a script can be proven, once. It is made in the background: databases take longer to start than the proof.
type Stage struct {
	made    chan struct{} // closed when the rest is there
	world   *World
	clients []Client
	real    bool
	err     error
}

// Prepare begins to make a stage, and returns at once. Whoever prepares one closes it.
func Prepare(ctx context.Context, layout Layout) *Stage {
	s := &Stage{made: make(chan struct{})}
	go func() {
		defer close(s.made)
		if s.world, s.err = Open(ctx, layout); s.err == nil {
			s.clients, s.real, s.err = s.world.Databases(ctx)
		}
	}()
	return s
}

// Close ends every process of the stage. It may be called more than once.
func (s *Stage) Close() {
	<-s.made
	if s.world != nil {
		s.world.Close()
	}
}

// Prove proves that script, the on-start script of a notebook in the layout's subnet, takes it to the layout's database:
// that no client gets there before the script has run, that each does afterwards and after a restart, and that none does
// any more once the notebook was restarted with Drawbridge's lines taken out. With a plan only the clients of ports that it lets in get there: the others, and
// all at the second database, never do, whatever host routes the notebook has. Without one, everything leads through. It tells each step to out.
//
// The error is [ErrUnavailable] where the machine cannot do it. Any other outcome, good or bad, is in the Result.
func (s *Stage) Prove(ctx context.Context, plan *Plan, script []byte, out io.Writer) (Result, error) {
	began := time.Now()
	if <-s.made; s.err != nil {
		return Result{}, s.err
	}
	if err := s.world.Connect(ctx, plan); err != nil {
		return Result{}, err
	}
	r, err := s.tell(ctx, script, out)
	r.Took = time.Since(began)
	return r, err
}

// tell plays the proof on a stage that is connected.
func (s *Stage) tell(ctx context.Context, script []byte, out io.Writer) (Result, error) {
	r := Result{Real: s.real, Means: "plain TCP on the databases' ports (the database packages are missing)"}
	if s.real {
		r.Means = "real clients and servers, MariaDB and PostgreSQL"
	}
	err := r.story(ctx, s.world, s.clients, script, func(step Step) {
		if step.OK {
			_, _ = fmt.Fprintf(out, "  ✓ %s (%s)\n", step.Step, took(step.Took))
			return
		}
		_, _ = fmt.Fprintf(out, "  ✗ %s\n    %s\n", step.Step, step.Detail)
	})
	return r, err
}

// story plays the proof, and tells each step. Long, because the proof is one tale, told from its beginning to its end.
func (r *Result) story(ctx context.Context, w *World, clients []Client, script []byte, tell func(Step)) error {
	without, err := w.layout.disconnected(script)
	if err != nil {
		return err
	}
	n, err := w.Boot(ctx, "eth2", 0)
	if err != nil {
		return err
	}
	var own Outcome
	add := func(step string, ok bool, detail string, began time.Time) {
		s := Step{step, ok, detail, time.Since(began)}
		r.Steps = append(r.Steps, s)
		tell(s)
	}
	try := func(when string, at netip.Addr, which string, possible func(Client) bool) {
		for _, c := range clients {
			possible := possible(c)
			began := time.Now()
			err := c.Ask(ctx, n, at.String(), patience(possible))
			detail, verb := "logged in, the query answered "+answer, " reaches "
			if err != nil {
				detail = "no connection"
				if possible {
					detail = err.Error()
				}
			}
			if !possible {
				verb = " cannot reach "
			}
			add(when+": "+strings.Replace(c.Name, " to ", verb+which, 1), (err == nil) == possible, detail, began)
		}
	}
	ask := func(when string, reached bool) {
		try(when, w.layout.Database, "", func(c Client) bool { return reached && w.admits(c.Port) })
	}
	beside := func(when string) {
		if w.plan != nil {
			try(when, w.layout.Unshared, "an unshared ", func(Client) bool { return false })
		}
	}
	start := func(what string, script []byte, want *Outcome) error {
		began := time.Now()
		got, err := n.OnStart(ctx, script)
		if err != nil {
			return err
		}
		detail, ok := fmt.Sprintf("exit status %d", got.Exit), true
		if want != nil {
			detail += ", output and all as without Drawbridge"
			if ok = got.Exit == want.Exit && got.Stdout == want.Stdout && got.Stderr == want.Stderr; !ok {
				detail = fmt.Sprintf("exit status %d, without Drawbridge %d; output %q, without %q", got.Exit, want.Exit, got.Stdout+got.Stderr, want.Stdout+want.Stderr)
			}
		}
		add(what, ok, detail, began)
		own = got
		return nil
	}
	// What the script does without our lines is what it must do with them.
	if err := start("the on-start script runs without host routes", without, nil); err != nil {
		return err
	}
	alone := own
	ask("before", false)
	if err := n.Restart(ctx); err != nil {
		return err
	}
	if err := start("the on-start script with host routes runs", script, &alone); err != nil {
		return err
	}
	ask("after it", true)
	beside("after it")
	if err := n.Restart(ctx); err != nil {
		return err
	}
	ask("restarted, no script yet", false)
	if err := start("the on-start script runs again", script, &alone); err != nil {
		return err
	}
	ask("after the restart", true)
	if w.plan != nil {
		if err := n.leadAll(ctx); err != nil {
			return err
		}
		beside("a wider route")
	}
	if err := n.Restart(ctx); err != nil {
		return err
	}
	if err := start("the script that disconnecting leaves runs", without, &alone); err != nil {
		return err
	}
	ask("disconnected and restarted", false)
	return nil
}

// took is how long a step took, in few letters however long it was.
func took(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// leadAll sets a host route to all of the database's VPC, as somebody on the notebook may.
func (n *Notebook) leadAll(ctx context.Context) error {
	router := n.world.layout.Subnet.Addr().Next()
	whole, err := n.world.layout.Database.Prefix(16)
	if err != nil {
		return err
	}
	return n.world.run(n.Command(ctx, "ip", "route", "replace", whole.String(), "via", router.String(), "dev", n.Interface))
}

// patience is how many seconds a client tries: long where it must get through, on however busy a machine.
func patience(possible bool) int {
	if possible {
		return 10
	}
	return 2
}

// disconnected returns the script as it is once the last of Drawbridge's routes is taken out of it.
func (l Layout) disconnected(script []byte) ([]byte, error) {
	parsed, err := lifecycle.Parse("under proof", script)
	if err != nil {
		return nil, err
	}
	serves := slices.ContainsFunc(parsed.Lines, func(line lifecycle.Line) bool {
		return line.Subnet == l.Subnet && slices.ContainsFunc(line.Destinations, func(d netip.Prefix) bool { return d.Contains(l.Database) })
	})
	if !serves {
		return nil, fmt.Errorf("the on-start script has no line that takes %s to %s", l.Subnet, l.Database)
	}
	var edits []lifecycle.Edit
	for _, line := range parsed.Lines {
		edits = append(edits, lifecycle.Edit{Subnet: line.Subnet, Mode: lifecycle.Set})
	}
	change, err := lifecycle.Plan(&lifecycle.Configuration{Name: "under proof", OnStart: script}, edits...)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(change.OnStart, script) {
		return nil, fmt.Errorf("taking the lines out changed nothing")
	}
	return change.OnStart, nil
}
