package netproof

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
)

// shared is one stage, connected without a plan, for all tests of this package that want no other.
var shared struct {
	*Stage
	once sync.Once
}

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "16") // these tests wait more than they compute
	code := m.Run()
	if shared.Stage != nil {
		shared.Close()
	}
	os.Exit(code)
}

// world skips the test where there can be none, but never on CI, where the proof must run, with real databases.
func world(t *testing.T) (*World, []Client) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it plays on Linux networks with databases")
	}
	shared.once.Do(func() {
		shared.Stage = Prepare(context.Background(), Peered)
		if <-shared.made; shared.err == nil {
			shared.err = shared.world.Connect(context.Background(), nil)
		}
	})
	ci := os.Getenv("CI") == "true"
	switch {
	case errors.Is(shared.err, ErrUnavailable) && !ci:
		t.Skip(shared.err)
	case shared.err != nil:
		t.Fatal(shared.err)
	case !shared.real && ci:
		t.Fatal("on CI the proof takes real databases: run pkg/lifecycle/netproof/install.sh")
	case !shared.real:
		t.Log("plain TCP only: pkg/lifecycle/netproof/install.sh installs real databases")
	}
	return shared.world, shared.clients
}

// plain makes a stage with plain TCP servers in place of databases, which start in a moment.
func plain(t *testing.T, layout Layout) *Stage {
	t.Helper()
	w, err := Open(t.Context(), layout)
	if err != nil {
		t.Fatal(err)
	}
	s := &Stage{made: make(chan struct{}), world: w}
	close(s.made)
	t.Cleanup(s.Close)
	if s.clients, err = w.plain(t.Context()); err != nil {
		t.Skip(err)
	}
	return s
}

func boot(t *testing.T, iface string, subnet int, how ...string) (*Notebook, []Client) {
	t.Helper()
	w, clients := world(t)
	n := &Notebook{world: w, Interface: iface, Subnet: subnet}
	if err := n.boot(t.Context(), how...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Stop(context.Background()) })
	return n, clients
}

// merged returns an owner's script (none if empty) with host routes to the given destinations in it.
func merged(t *testing.T, owner string, to ...string) []byte {
	t.Helper()
	return mergedFor(t, owner, "10.1.0.0/24", to...)
}

func mergedFor(t *testing.T, owner, subnet string, to ...string) []byte {
	t.Helper()
	var current *lifecycle.Configuration
	if owner != "" {
		current = &lifecycle.Configuration{Name: "owners", OnStart: []byte(owner)}
	}
	edit := lifecycle.Edit{Subnet: netip.MustParsePrefix(subnet)}
	if len(to) == 0 {
		to = []string{"10.2.0.0/16", "2600:1f18:2::/56"}
	}
	for _, d := range to {
		edit.Destinations = append(edit.Destinations, netip.MustParsePrefix(d))
	}
	change, err := lifecycle.Plan(current, edit)
	if err != nil {
		t.Fatal(err)
	}
	return change.OnStart
}

func start(t *testing.T, n *Notebook, script []byte, shell ...string) Outcome {
	t.Helper()
	run := n.OnStart
	if len(shell) > 0 {
		run = func(ctx context.Context, s []byte) (Outcome, error) { return n.RunAs(ctx, s, shell...) }
	}
	out, err := run(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// silent demands that a script did its work without a word.
func silent(t *testing.T, out Outcome) {
	t.Helper()
	if out.Exit != 0 || out.Stdout != "" || out.Stderr != "" {
		t.Errorf("exit status %d, stdout %q, stderr %q; want silent success", out.Exit, out.Stdout, out.Stderr)
	}
}

func reach(t *testing.T, n *Notebook, clients []Client, possible bool, addresses ...string) {
	t.Helper()
	if len(clients) != 2 {
		t.Fatalf("%d clients, want two", len(clients))
	}
	if len(addresses) == 0 {
		addresses = []string{IPv4, IPv6}
	}
	for _, address := range addresses {
		for _, c := range clients {
			if err := c.Ask(t.Context(), n, address, patience(possible)); (err == nil) != possible {
				routes, _ := n.Routes(t.Context())
				t.Errorf("%s at %s: possible %t, want %t (%v)\n%s", c.Name, address, err == nil, possible, err, routes)
			}
		}
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	world(t)
	for name, owner := range map[string]string{
		"wholly ours":              "",
		"an owner's":               "#!/bin/bash\nset -euo pipefail\necho hello\n",
		"an owner's that fails":    "#!/bin/bash\nset -e\necho hello\nno-such-command\n",
		"an owner's for notebooks": "#!/bin/bash\nset -e\nsudo -u ec2-user -i <<'EOF'\npip install --quiet pymysql\nEOF\necho ready\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told bytes.Buffer
			result, err := shared.tell(t.Context(), merged(t, owner), &told)
			if err != nil || !result.OK() || len(result.Steps) != 14 || result.Real != shared.real {
				t.Errorf("%d steps, %v\n%s", len(result.Steps), err, told.String())
			}
			if fails := strings.Contains(owner, "no-such"); strings.Contains(result.Steps[0].Detail, "exit status 127") != fails {
				t.Errorf("the owner's exit status was lost:\n%s", told.String())
			}
		})
	}
	if _, err := shared.tell(t.Context(), []byte("#!/bin/bash\necho no block\n"), &bytes.Buffer{}); err == nil {
		t.Error("a script without our block was proven")
	}
}

// planned is a plan: of the two subnets of the database, and of one port of it.
func planned() *Plan {
	return &Plan{There: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/23")}, Back: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/24")},
		Admits: []Admission{{netip.MustParsePrefix("10.1.0.0/24"), 3306}}}
}

// What the plan gave is reached, and neither another port beside it, nor a second database: and the proof sees it where a plan gives more, or less.
func TestWhatThePlanGaveAndNothingBesideIt(t *testing.T) {
	t.Parallel()
	world(t)
	for name, c := range map[string]struct {
		change func(*Layout, *Plan)
		wrong  string // steps that are not as they must be
	}{
		"the plan":                      {func(*Layout, *Plan) {}, ""},
		"no route back":                 {func(_ *Layout, p *Plan) { p.Back = nil }, " reaches "},
		"the second is let in as well":  {func(l *Layout, _ *Plan) { l.Unshared = l.Database }, "an unshared "},
		"nothing is let in, as planned": {func(_ *Layout, p *Plan) { p.Admits = nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			layout, plan := Peered, planned()
			c.change(&layout, plan)
			stage := plain(t, layout)
			var told bytes.Buffer
			result, err := stage.Prove(t.Context(), plan, merged(t, "", "10.2.0.0/23"), &told)
			wrong := slices.DeleteFunc(slices.Clone(result.Steps), func(s Step) bool { return s.OK || c.wrong != "" && strings.Contains(s.Step, c.wrong) })
			if err != nil || result.OK() != (c.wrong == "") || len(wrong) > 0 || len(result.Steps) != 18 {
				t.Errorf("%d steps, %v\n%s", len(result.Steps), err, told.String())
			}
		})
	}
}

// The bytes that Drawbridge left in the emulated account: DRAWBRIDGE_ON_START names them, else what the last demo wrote.
func TestTheEndOfTheStory(t *testing.T) {
	path := os.Getenv("DRAWBRIDGE_ON_START")
	if path == "" {
		path = filepath.Join("..", "..", "..", "out", "demo", "on-start.sh")
		if _, err := os.Stat(path); err != nil && os.Getenv("CI") != "true" {
			t.Skip("no demo has been played here: make demo, or set DRAWBRIDGE_ON_START")
		}
	}
	world(t)
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	if result, err := shared.tell(t.Context(), script, &told); err != nil || !result.OK() {
		t.Errorf("%+v, %v\n%s", result, err, told.String())
	}
}

func TestInterfaceOfAnyName(t *testing.T) {
	t.Parallel()
	for _, iface := range []string{"eth2", "ens6", "eth1", "enp0s6f1"} {
		t.Run(iface, func(t *testing.T) {
			t.Parallel()
			n, clients := boot(t, iface, 0)
			silent(t, start(t, n, merged(t, "")))
			if err := n.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			proven(t, n, clients, merged(t, ""), Outcome{})
		})
	}
}

func TestTwoSubnetsShareAConfiguration(t *testing.T) {
	first := merged(t, "#!/bin/bash\n")
	script := mergedFor(t, string(first), "10.1.1.0/24")
	// The second subnet's table reaches one more network, the first's does not.
	script = mergedFor(t, string(script), "10.1.1.0/24", "10.3.0.0/16")
	for subnet := range 2 {
		n, clients := boot(t, "eth2", subnet)
		reach(t, n, clients, false)
		silent(t, start(t, n, script))
		reach(t, n, clients, true)
		routes, _ := n.Routes(t.Context())
		if want := fmt.Sprintf("10.2.0.0/16 via 10.1.%d.1 dev eth2", subnet); !strings.Contains(routes, want) {
			t.Errorf("no %q in\n%s", want, routes)
		}
		if strings.Contains(routes, "10.3.0.0/16") != (subnet == 1) {
			t.Errorf("subnet %d has another subnet's routes:\n%s", subnet, routes)
		}
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		proven(t, n, clients, script, Outcome{})
	}
}

// proven takes one notebook through the whole story: no client gets through before the script, each does after it and
// after a restart with it, none does once it was restarted without our block. The script must end as its owner's
// does, and say as much.
func proven(t *testing.T, n *Notebook, clients []Client, script []byte, owners Outcome) {
	t.Helper()
	run := func(script []byte) {
		t.Helper()
		if len(script) == 0 {
			return
		}
		if got := start(t, n, script); got.Exit != owners.Exit || strings.Contains(got.Stderr, "drawbridge: ") {
			t.Errorf("exit status %d, want %d; stderr %q", got.Exit, owners.Exit, got.Stderr)
		}
	}
	restart := func() {
		t.Helper()
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	without, err := Peered.disconnected(script)
	if err != nil {
		t.Fatal(err)
	}
	reach(t, n, clients, false)
	run(script)
	reach(t, n, clients, true)
	restart()
	reach(t, n, clients, false)
	run(script)
	reach(t, n, clients, true)
	restart()
	run(without)
	reach(t, n, clients, false)
}

// owners are scripts as people write them, and worse.
var owners = map[string]string{
	"strict":             "#!/bin/bash\nset -euo pipefail\necho one\nprintf '%s\\n' two | cat\n",
	"a failing command":  "#!/bin/bash\nset -e\necho before\nfalse\necho never\n",
	"an unknown command": "#!/bin/bash\necho before\nno-such-command --at all\necho after $? $LINENO\n",
	"unset variable":     "#!/bin/bash\nset -u\necho before\necho $NOT_SET\n",
	"an early exit":      "#!/bin/bash\necho bye\nexit 0\necho never\n",
	"exit 7":             "#!/bin/sh\nexit 7\n",
	"functions":          "#!/bin/bash\nsay() { echo \"mine $*\"; return 3; }\nline() { echo mine; }\nlines() { line; }\nsay hello || echo $?\nlines; caller || true\ntype say device 2>&1\n",
	"background jobs":    "#!/bin/bash\n(sleep 0.2; echo late) &\njobs | wc -l\necho early\nwait $!\necho $?\nsleep 0.1 & wait\n",
	"left running":       "#!/bin/bash\nnohup sleep 0.3 >/dev/null 2>&1 &\necho started\n",
	"no final newline":   "#!/bin/bash\necho last",
	"no shebang":         "echo mine $LINENO\nno-such-command\n( exit 4 )\n",
	"only a shebang":     "#!/bin/bash",
	"empty lines":        "#!/bin/sh\n\n\n",
	"options":            "#!/bin/bash -eux\necho traced $-\n[ -e /nowhere ] || echo x\nfalse\n",
	"login shell":        "#!/bin/bash -l\necho $-\n",
	"a here document":    "#!/bin/bash\ncat <<'END'\n# comment\nEND\nread -r x <<< here; echo $x\n",
	"reads its stdin":    "#!/bin/bash\ncat; read -r x || echo nothing\n",
	"traps":              "#!/bin/bash\ntrap 'echo leaving $?' EXIT\ntrap 'echo failed at $LINENO' ERR\nset -E\nf() { false; }\nf\ntrap\n",
	"a shell's state":    "#!/bin/bash\necho \"$0 $# $- $? ${BASH_SOURCE[0]} $LINENO $SHLVL ${!-none} $PWD $OLDPWD\"; umask; trap; jobs; set -o; shopt; ulimit -a; alias\nset | grep -Ev '^(_|BASHPID|LINENO|PIPESTATUS|RANDOM|SRANDOM|SECONDS|EPOCH|PPID|BASH_ARGV|BASH_EXECUTION_STRING)'; ls /proc/self/fd; env | grep -v ^_= | sort\n",
	"sh's state":         "#!/bin/sh\necho \"$0 $# $- $? $PWD\"; umask; trap; set -o; ulimit -a; set | grep -Ev '^(_|LINENO|PIPESTATUS|PPID|RANDOM|SRANDOM|BASH|SECONDS|EPOCH)'; ls /proc/self/fd\n",
	"changes of state":   "#!/bin/bash\ncd /tmp; umask 077; exec 3>&1 4</dev/null; echo three >&3; export PATH=/nowhere; echo $PATH\n",
	"routes of its own":  "#!/bin/bash\nset -e\nip route add 10.2.0.0/16 via 10.1.0.1 dev eth2\nip -6 route add 2600:1f18:2::/56 via fe80:ec2::1 dev eth2\necho added\n",
	"a syntax error":     "#!/bin/bash\necho before\nif then\n",
	"dash":               "#!/bin/dash\necho a\nf() { echo f; }\nf; ( exit 2 ); echo $?\n",
	"env":                "#!/usr/bin/env bash\necho \"$0\" $LINENO\n",
	"carries on":         "#!/bin/bash\nexport A=1\nif [ -n \"$A\" ]; then\n  echo yes \\\n    no\nfi\ncommand -v ip >/dev/null && echo has ip\n",
}

// Each script behaves exactly as it does without our block, by every way to run it, and the routes are there.
func TestOwnersScripts(t *testing.T) {
	t.Parallel()
	ways := map[string][]string{"as SageMaker may": nil, "by bash": {"bash"}, "from stdin": {"sh", "-c", `exec bash <"$0"`}, "as an argument": {"sh", "-c", `exec bash -c "$(cat "$0")"`}}
	for name, owner := range owners {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := merged(t, owner)
			with, clients := boot(t, "eth2", 0)
			for way, shell := range ways {
				// The same machine for both: messages name the file.
				clean := func() {
					if err := with.run(t, "for to in 10.2.0.0/16 2600:1f18:2::/56; do while ip route del $to 2>/dev/null; do :; done; done"); err != nil {
						t.Fatal(err)
					}
				}
				clean()
				without := start(t, with, []byte(owner), shell...)
				clean()
				got := start(t, with, script, shell...)
				if way == "from stdin" && name == "reads its stdin" {
					continue // it reads itself, our block gone by then; what it reads is the same
				}
				if got.Exit != without.Exit || got.Stdout != without.Stdout || got.Stderr != without.Stderr {
					t.Errorf("%s: exit status %d, without our block %d\n%s", way, got.Exit, without.Exit, difference(got.Stdout+got.Stderr, without.Stdout+without.Stderr))
				}
			}
			if err := with.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if name != "routes of its own" {
				proven(t, with, clients, script, start(t, with, []byte(owner)))
			}
			if change, err := lifecycle.Plan(&lifecycle.Configuration{Name: "c", OnStart: script}, lifecycle.Edit{Subnet: netip.MustParsePrefix("10.1.0.0/24"), Mode: lifecycle.Set}); err != nil || string(change.OnStart) != owner {
				t.Errorf("the script came back as %q (%v)", change.OnStart, err)
			}
		})
	}
}

// difference shows the lines that only one of two outputs has.
func difference(with, without string) string {
	var out strings.Builder
	for _, side := range []struct{ label, one, other string }{{"+ ", with, without}, {"- ", without, with}} {
		for line := range strings.Lines(side.one) {
			if !strings.Contains("\n"+side.other, "\n"+line) {
				out.WriteString(side.label + line)
			}
		}
	}
	return out.String()
}

func (n *Notebook) run(t *testing.T, script string) error {
	out, err := n.Command(t.Context(), "sh", "-c", script).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", script, err, out)
	}
	return nil
}

func TestEveryShell(t *testing.T) {
	for _, shell := range [][]string{{"bash"}, {"dash"}, {"sh"}, {"bash", "--posix"}, {"bash", "-eu"}, {"dash", "-eu"}} {
		t.Run(strings.Join(shell, " "), func(t *testing.T) {
			n, clients := boot(t, "ens6", 0)
			silent(t, start(t, n, merged(t, ""), shell...))
			reach(t, n, clients, true)
		})
	}
}

func TestTwoHundredRoutesInUnderASecond(t *testing.T) {
	var to []string
	for i := range 200 {
		to = append(to, fmt.Sprintf("10.200.%d.0/24", i))
	}
	for _, shell := range []string{"bash", "dash"} {
		n, clients := boot(t, "eth2", 0)
		script := merged(t, "", append(to, "10.2.0.0/16")...)
		for range 2 {
			out := start(t, n, script, shell)
			silent(t, out)
			if out.Took > time.Second {
				t.Errorf("%s took %v", shell, out.Took)
			}
			t.Logf("%s: %v", shell, out.Took)
		}
		routes, _ := n.Routes(t.Context())
		if got := strings.Count(routes, "via 10.1.0.1 dev eth2 metric"); got != 201 {
			t.Errorf("%d routes, want 201", got)
		}
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		proven(t, n, clients, merged(t, "", append(to, "10.2.0.0/16", "2600:1f18:2::/56")...), Outcome{})
	}
}

func TestTwiceIsOnce(t *testing.T) {
	n, _ := boot(t, "eth2", 0)
	silent(t, start(t, n, merged(t, "")))
	once, _ := n.Routes(t.Context())
	silent(t, start(t, n, merged(t, "")))
	if twice, _ := n.Routes(t.Context()); twice != once {
		t.Errorf("after the first run:\n%s\nafter the second:\n%s", once, twice)
	}
}

func TestALateInterfaceIsWaitedFor(t *testing.T) {
	t.Parallel()
	n, clients := boot(t, "eth2", 0, "late")
	late := make(chan error, 1)
	go func() {
		time.Sleep(1500 * time.Millisecond)
		late <- n.world.call(context.Background(), "address", n.space, fmt.Sprint(n.number), "eth2", "0")
	}()
	out := start(t, n, merged(t, ""))
	if err := <-late; err != nil {
		t.Fatal(err)
	}
	silent(t, out)
	if out.Took < time.Second || out.Took > 5*time.Second {
		t.Errorf("took %v", out.Took)
	}
	reach(t, n, clients, true)
}

func TestAMachineInNoneOfTheSubnets(t *testing.T) {
	t.Parallel()
	for name, iface := range map[string]string{"with eth2": "eth2", "without eth2": "ens6"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, _ := boot(t, iface, 1)
			out := start(t, n, merged(t, "#!/bin/bash\necho mine\n"))
			const want = "drawbridge: no interface has an address in 10.1.0.0/24: its 2 host routes were not set\n"
			if out.Exit != 0 || out.Stdout != "mine\n" || out.Stderr != want {
				t.Errorf("exit %d, %q, %q", out.Exit, out.Stdout, out.Stderr)
			}
			if out.Took > 20*time.Second {
				t.Errorf("took %v", out.Took)
			}
		})
	}
}

func TestEth2IsTheLastResort(t *testing.T) {
	t.Parallel()
	// An address that no prefix match finds, but a router next to it: only the name is left to go by.
	n, _ := boot(t, "eth2", 0, "late")
	if err := n.run(t, "ip addr add 10.1.1.77/32 dev eth2; ip route add 10.1.0.1 dev eth2"); err != nil {
		t.Fatal(err)
	}
	silent(t, start(t, n, merged(t, "", "10.2.0.0/16")))
	routes, _ := n.Routes(t.Context())
	if !strings.Contains(routes, "10.2.0.0/16 via 10.1.0.1 dev eth2") {
		t.Errorf("no route by eth2:\n%s", routes)
	}
}

func TestNoIP(t *testing.T) {
	n, _ := boot(t, "eth2", 0)
	// The namespace of mounts is the command's own.
	script := merged(t, "#!/bin/bash\necho mine\n")
	out := start(t, n, script, "sh", "-c", `for f in $(readlink -f /usr/sbin/ip /sbin/ip /usr/bin/ip /bin/ip | sort -u); do [ ! -e "$f" ] || mount --bind /dev/null "$f"; done; exec bash "$0"`)
	if out.Exit != 0 || out.Stdout != "mine\n" || out.Stderr != "drawbridge: no ip command on this machine: no host route was set\n" {
		t.Errorf("exit %d, %q, %q", out.Exit, out.Stdout, out.Stderr)
	}
}

func TestARouteOfSomebodyElseStays(t *testing.T) {
	n, clients := boot(t, "eth2", 0)
	if err := n.run(t, "ip route add 10.2.0.0/16 via 172.16.0.1 dev eth0"); err != nil {
		t.Fatal(err)
	}
	out := start(t, n, merged(t, "", "10.2.0.0/16", "10.3.0.0/16"))
	if out.Exit != 0 || out.Stderr != "drawbridge: left 10.2.0.0/16 alone: this machine has another route for it\n" {
		t.Errorf("exit %d, %q", out.Exit, out.Stderr)
	}
	routes, _ := n.Routes(t.Context())
	if !strings.Contains(routes, "10.2.0.0/16 via 172.16.0.1 dev eth0") || !strings.Contains(routes, "10.3.0.0/16 via 10.1.0.1 dev eth2") {
		t.Errorf("routes:\n%s", routes)
	}
	// The same route as ours is none of somebody else.
	if err := n.run(t, "ip route del 10.2.0.0/16; ip route add 10.2.0.0/16 via 10.1.0.1 dev eth2"); err != nil {
		t.Fatal(err)
	}
	silent(t, start(t, n, merged(t, "", "10.2.0.0/16")))
	reach(t, n, clients, true, IPv4)
}

func TestARouteThatTheKernelRefusesIsToldAndTheOthersAreSet(t *testing.T) {
	n, clients := boot(t, "eth2", 0)
	if err := n.run(t, "echo 1 >/proc/sys/net/ipv6/conf/eth2/disable_ipv6"); err != nil {
		t.Fatal(err)
	}
	out := start(t, n, merged(t, ""))
	if out.Exit != 0 || strings.Count(out.Stderr, "\n") != 1 || !strings.HasPrefix(out.Stderr, "drawbridge: no host route to 2600:1f18:2::/56 by eth2: ") {
		t.Errorf("exit %d, %q", out.Exit, out.Stderr)
	}
	reach(t, n, clients, true, IPv4)
}

// SageMaker's own VPC may use the addresses of some customer's subnet.
func TestSageMakersOwnInterfaceInAListedSubnet(t *testing.T) {
	n, clients := boot(t, "eth2", 0)
	script := mergedFor(t, string(merged(t, "#!/bin/sh\n")), "172.16.0.0/24")
	silent(t, start(t, n, script))
	reach(t, n, clients, true)
}

// Without direct internet access the default route itself goes by the customer's interface; ours then changes nothing.
func TestDefaultRouteByTheCustomersInterface(t *testing.T) {
	n, clients := boot(t, "eth2", 0)
	if err := n.run(t, "ip route replace default via 10.1.0.1 dev eth2"); err != nil {
		t.Fatal(err)
	}
	reach(t, n, clients, true, IPv4)
	silent(t, start(t, n, merged(t, "")))
	reach(t, n, clients, true)
}

// Where the database packages are missing, the same is proven in plain TCP.
func TestPlainTCP(t *testing.T) {
	t.Parallel()
	world(t)
	s := plain(t, Peered)
	if err := s.world.Connect(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	n, err := s.world.Boot(t.Context(), "eth2", 0)
	if err != nil {
		t.Fatal(err)
	}
	proven(t, n, s.clients, merged(t, ""), Outcome{})
}

// Over a gateway the packets take one router more: while its route table does not lead on, nobody gets through, whatever
// the notebook and the VPCs do.
func TestOverAGateway(t *testing.T) {
	t.Parallel()
	world(t)
	s := plain(t, Gateway)
	w, clients := s.world, s.clients
	if err := w.Connect(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	n, err := w.Boot(t.Context(), "eth2", 0)
	if err != nil {
		t.Fatal(err)
	}
	to := Gateway.Database.String()
	ask := func(when string, possible bool) {
		t.Helper()
		for _, c := range clients {
			if err := c.Ask(t.Context(), n, to, patience(possible)); (err == nil) != possible {
				t.Errorf("%s: %s: %v, want it to be possible: %t", when, c.Name, err, possible)
			}
		}
	}
	ask("before", false)
	silent(t, start(t, n, mergedFor(t, "", "10.0.0.0/24", "10.1.0.0/16")))
	ask("with host routes", true)
	for _, c := range []struct {
		what string
		args []string
		want bool
	}{
		{"without the gateway's route back", []string{"route", "del", "10.0.0.0/16"}, false},
		{"with it again", []string{"route", "add", "10.0.0.0/16", "via", "192.0.2.0"}, true},
		{"without the gateway's route there", []string{"route", "del", "10.1.0.0/16"}, false},
	} {
		if err := w.run(w.command(t.Context(), "", append([]string{"ip", "-n", "gateway"}, c.args...)...)); err != nil {
			t.Fatal(err)
		}
		ask(c.what, c.want)
	}
}

// The whole story over a gateway, with the databases that this machine has.
func TestTheStoryOverAGateway(t *testing.T) {
	t.Parallel()
	world(t)
	var told bytes.Buffer
	script := mergedFor(t, "#!/bin/bash\nset -e\necho mine\n", "10.0.0.0/24", "10.1.0.0/16")
	stage := Prepare(t.Context(), Gateway)
	defer stage.Close()
	if result, err := stage.Prove(t.Context(), nil, script, &told); err != nil || !result.OK() || len(result.Steps) != 14 {
		t.Errorf("%+v, %v\n%s", result, err, told.String())
	}
	if _, err := stage.tell(t.Context(), merged(t, ""), &bytes.Buffer{}); err == nil {
		t.Error("a script for other networks was proven")
	}
}
