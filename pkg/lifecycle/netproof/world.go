package netproof

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed world.sh
var worldScript string

// A World is a notebook's surroundings in network namespaces of one process, the holder. Everything in it ends with
// the holder, whose life hangs on a pipe from this process: nothing can be left behind.
type World struct {
	layout Layout
	plan   *Plan // of the connection; see [World.Connect]
	holder *exec.Cmd
	pipe   io.Closer
	enter  []string // the command that enters the holder's namespaces
	dir    string   // scratch files, the same path inside and outside
	script string   // world.sh
	// numbers are the last bytes of addresses that no notebook has, the longest unused one first: the kernel takes a
	// moment to take an instance's interfaces away.
	numbers  chan int
	postgres []string // what to put before a PostgreSQL server, which refuses to be root
}

// holder is what the holder runs, and then waits for the end of its input. A script under proof may be anybody's, and
// it runs as root, of the machine or of a user namespace: so it gets a /tmp of its own and may write nowhere else.
const holder = `mount --make-rprivate / 2>/dev/null
mount -t proc proc /proc 2>/dev/null
mount -t tmpfs tmpfs /run && mkdir /run/netns /run/proof && mount --bind "$1" /run/proof &&
mount -t tmpfs tmpfs /tmp && mkdir -p "$1" && mount --bind /run/proof "$1" &&
mount -o remount,bind,ro / && mkdir /run/bin && cd /run/bin && echo "$2" >sudo &&
for p in aws conda dnf jupyter mamba pip pip3 systemctl yum; do echo "#!/bin/sh" >$p; done && chmod 755 * &&
cd / && echo ready && exec cat >/dev/null`

// sudo stands in for sudo, as the programs above do for themselves: a notebook has them, and the user ec2-user, and
// they reach the internet. It runs the command as who it is; without one (-i, -s) a shell on its input.
const sudo = `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
  -[ugpCcRrtTUD]) shift 2 ;;
  -*) shift ;;
  *=*) export "${1?}"; shift ;;
  *) exec "$@" ;;
  esac
done
exec sh`

// ErrUnavailable reports a machine on which network namespaces cannot be made.
var ErrUnavailable = errors.New("no network namespaces here: it takes root or unprivileged user namespaces, and ip and nsenter")

// A Layout is what lies between the notebook and the database.
type Layout struct {
	// Subnet is the notebook's, Database the database's address.
	Subnet   netip.Prefix
	Database netip.Addr
	// Unshared is the address of a second database, in another subnet of the same VPC, that nobody shares.
	Unshared netip.Addr
	// routers are what packets pass.
	routers string
	// environment tells world.sh.
	environment []string
}

// Plan is what a connection was planned to have: what the route tables of the notebook's subnet and of the database's lead through it, and what the security
// group of the database lets in.
type Plan struct {
	There, Back []netip.Prefix
	Admits      []Admission
}

// Admission is what a rule lets in to the database.
type Admission struct {
	From netip.Prefix
	Port int
}

// admits reports whether the plan lets the notebook's subnet in on a port of the database.
func (w *World) admits(port int) bool {
	return w.plan == nil || slices.ContainsFunc(w.plan.Admits, func(a Admission) bool { return a.Port == port && a.From.Contains(w.layout.Subnet.Addr()) })
}

// words are what world.sh knows a plan by.
func (p *Plan) words() []string {
	if p == nil {
		return nil
	}
	list := func(prefixes []netip.Prefix) string { return strings.Trim(fmt.Sprint(prefixes), "[]") }
	admit := ""
	for _, a := range p.Admits {
		admit += fmt.Sprintf(" %s:%d", a.From, a.Port)
	}
	return []string{"PLAN=yes", "THERE=" + list(p.There), "BACK=" + list(p.Back), "ADMIT=" + admit}
}

// String names the routers between the notebook and the database.
func (l Layout) String() string { return l.routers }

var (
	// Peered are two VPCs that are peered.
	Peered = Layout{Subnet: netip.MustParsePrefix("10.1.0.0/24"), Database: netip.MustParseAddr(IPv4), Unshared: netip.MustParseAddr("10.2.2.10"), routers: "VPCs' routers"}
	// Gateway are two VPCs on a transit gateway, which is a router between those of the VPCs.
	Gateway = Layout{Subnet: netip.MustParsePrefix("10.0.0.0/24"), Database: netip.MustParseAddr("10.1.128.10"), Unshared: netip.MustParseAddr("10.1.64.10"),
		routers:     "VPCs' routers, the transit gateway",
		environment: []string{"GATEWAY=yes", "CONSUMER=10.0", "PRODUCER=10.1", "ROUTER=10.1.128.1", "DATABASE=10.1.128.10", "BITS=28", "BESIDE=10.1.64.10", "ASIDE=10.1.64.1"}}
)

// Open builds the world: two VPCs that nothing connects, without a notebook and without databases. The error is [ErrUnavailable], with the reason,
// where the machine does not let us.
func Open(ctx context.Context, layout Layout) (*World, error) {
	for _, tool := range []string{"ip", "nsenter", "sh"} {
		if _, err := lookPath(tool); err != nil {
			return nil, fmt.Errorf("%w (%s is missing; pkg/lifecycle/netproof/install.sh installs it)", ErrUnavailable, tool)
		}
	}
	var reasons []error
	for _, user := range []bool{false, true} {
		if !user && os.Geteuid() != 0 {
			continue
		}
		w, err := open(ctx, layout, user)
		if err == nil {
			return w, nil
		}
		reasons = append(reasons, err)
	}
	return nil, fmt.Errorf("%w (%w)", ErrUnavailable, errors.Join(reasons...))
}

func open(ctx context.Context, layout Layout, user bool) (w *World, err error) {
	w = &World{layout: layout, numbers: make(chan int, 256)}
	for i := 20; i < 250; i++ {
		w.numbers <- i
	}
	if w.dir, err = os.MkdirTemp("", "drawbridge-netproof-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.Close()
		}
	}()
	if err := os.Chmod(w.dir, 0o755); err != nil {
		return nil, err
	}
	w.script = filepath.Join(w.dir, "world.sh")
	if err := os.WriteFile(w.script, []byte(worldScript), 0o644); err != nil {
		return nil, err
	}
	w.holder = exec.Command("/bin/sh", "-c", holder, "sh", w.dir, sudo)
	w.holder.Env = []string{"PATH=/sbin:/bin:/usr/sbin:/usr/bin"}
	w.holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID, Setpgid: true}
	if user {
		w.holder.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		w.holder.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		w.holder.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	var stderr bytes.Buffer
	w.holder.Stderr = &stderr
	if w.pipe, err = w.holder.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := w.holder.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.holder.Start(); err != nil {
		w.holder = nil
		return nil, fmt.Errorf("making namespaces: %w", err)
	}
	ready := make([]byte, len("ready\n"))
	if _, err := io.ReadFull(stdout, ready); err != nil {
		return nil, fmt.Errorf("making namespaces: %s", strings.TrimSpace(stderr.String()))
	}
	w.enter = []string{"nsenter", "-t", strconv.Itoa(w.holder.Process.Pid), "-m", "-n", "-p"}
	if user {
		w.enter = append(w.enter, "-U", "--preserve-credentials")
	}
	if err := w.call(ctx, "world"); err != nil {
		return nil, err
	}
	if w.run(w.command(ctx, "", "unshare", "--user", "--map-user=1000", "--map-group=1000", "true")) == nil {
		w.postgres = []string{"unshare", "--user", "--map-user=1000", "--map-group=1000"}
	} else if !user {
		w.postgres = []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}
	}
	return w, nil
}

// Connect connects the two VPCs, once, by what the layout has between them. Without a plan all of either VPC leads through, and everything is let in.
func (w *World) Connect(ctx context.Context, plan *Plan) error {
	w.plan = plan
	return w.call(ctx, "connect")
}

// Close ends every process of the world and removes its files.
func (w *World) Close() {
	if w.pipe != nil {
		_ = w.pipe.Close()
	}
	if w.holder != nil {
		_ = w.holder.Process.Kill() // process 1 of its namespace: the kernel ends all others with it
		_ = w.holder.Wait()
	}
	_ = os.RemoveAll(w.dir)
}

// environment is what SageMaker's own text says a lifecycle configuration gets, and no more of this process's.
// In front stand the stand-ins.
var environment = []string{"PATH=" + standIns + ":/sbin:/bin:/usr/sbin:/usr/bin", "HOME=/root", "LANG=C", "LC_ALL=C"}

const standIns = "/run/bin"

// command prepares a command in a namespace of the world; the empty name is the holder's own.
func (w *World) command(ctx context.Context, space string, args ...string) *exec.Cmd {
	full := append([]string{}, w.enter...)
	if space != "" {
		full = append(full, "ip", "netns", "exec", space)
	}
	path, err := lookPath(full[0])
	if err != nil {
		path = full[0]
	}
	cmd := exec.CommandContext(ctx, path, append(full[1:], args...)...)
	cmd.Env = environment
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	return cmd
}

func (w *World) run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args[len(w.enter):], " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// call calls a function of world.sh.
func (w *World) call(ctx context.Context, function string, args ...string) error {
	cmd := w.command(ctx, "", append([]string{"sh", "-c", `. "$0"; "$@"`, w.script, function}, args...)...)
	cmd.Env = slices.Concat(cmd.Env, w.layout.environment, w.plan.words())
	return w.run(cmd)
}

// A Notebook is a notebook instance in the world.
type Notebook struct {
	world     *World
	space     string
	Interface string // of the customer's subnet
	Subnet    int    // 0 is 10.1.0.0/24, 1 is 10.1.1.0/24, or 10.0 over a gateway
	number    int
	dir       string
}

// Boot starts a notebook instance with SageMaker's routes and no others. No lifecycle configuration runs yet.
func (w *World) Boot(ctx context.Context, iface string, subnet int) (*Notebook, error) {
	n := &Notebook{world: w, Interface: iface, Subnet: subnet}
	return n, n.boot(ctx)
}

func (n *Notebook) boot(ctx context.Context, how ...string) error {
	select {
	case n.number = <-n.world.numbers:
	default:
		return errors.New("booting a notebook: no address is left")
	}
	n.space = fmt.Sprintf("notebook%d", n.number)
	return n.world.call(ctx, "notebook", append([]string{n.space, strconv.Itoa(n.number), n.Interface, strconv.Itoa(n.Subnet)}, how...)...)
}

// Restart stops the instance, with which every route of its is gone, and starts it anew.
func (n *Notebook) Restart(ctx context.Context) error {
	if err := n.Stop(ctx); err != nil {
		return err
	}
	return n.boot(ctx)
}

// Stop takes the instance and its interfaces away.
func (n *Notebook) Stop(ctx context.Context) error {
	defer func() { n.world.numbers <- n.number }()
	return n.world.run(n.world.command(ctx, "", "ip", "netns", "del", n.space))
}

// An Outcome is what a script did, as far as whoever runs it can see.
type Outcome struct {
	Exit           int
	Stdout, Stderr string
	Took           time.Duration
}

// OnStart runs an on-start script as root in directory /, as SageMaker does: as a program where it has a shebang, else
// by the shell.
func (n *Notebook) OnStart(ctx context.Context, script []byte) (Outcome, error) {
	if bytes.HasPrefix(script, []byte("#!")) {
		return n.RunAs(ctx, script)
	}
	return n.RunAs(ctx, script, "bash")
}

// RunAs runs a script by a shell with options, or as a program where no shell is named.
func (n *Notebook) RunAs(ctx context.Context, script []byte, shell ...string) (Outcome, error) {
	if n.dir == "" {
		dir, err := os.MkdirTemp(n.world.dir, "notebook-")
		if err != nil {
			return Outcome{}, err
		}
		n.dir = dir // the same after a restart: a shell's messages name the file
	}
	path := filepath.Join(n.dir, "on-start")
	if err := os.WriteFile(path, script, 0o700); err != nil {
		return Outcome{}, err
	}
	cmd := n.Command(ctx, append(append([]string{}, shell...), path)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	out := Outcome{Stdout: stdout.String(), Stderr: stderr.String(), Took: time.Since(began)}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		out.Exit, err = exit.ExitCode(), nil
	}
	return out, err
}

// Command prepares a command on the notebook.
func (n *Notebook) Command(ctx context.Context, args ...string) *exec.Cmd {
	return n.world.command(ctx, n.space, args...)
}

// Routes returns the IPv4 and IPv6 routes of the notebook, one a line.
func (n *Notebook) Routes(ctx context.Context) (string, error) {
	out, err := n.Command(ctx, "sh", "-c", "ip route; ip -6 route").CombinedOutput()
	return string(out), err
}

// lookPath finds a program also where an ordinary user's PATH does not look.
func lookPath(name string) (string, error) {
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return exec.LookPath(name)
}
