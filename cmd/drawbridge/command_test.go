package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// TestMain makes the test binary the command itself when it is asked to be.
func TestMain(m *testing.M) {
	if os.Getenv("BE_DRAWBRIDGE") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const root = "../.."

// engineNeeded skips a test on a machine that is not set up; on CI that is a
// failure.
func engineNeeded(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it plays on the local engine")
	}
	if _, err := os.ReadDir("testdata"); err != nil { // so that `go test` sees when a client in Python has changed
		t.Fatal(err)
	}
	if err := (local.Options{Root: root}).Check(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func drawbridge(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(args, "--root") {
		args = append([]string{"--root", root}, args...)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), "BE_DRAWBRIDGE=1")
	return cmd
}

// serving starts drawbridge local and returns it with its address.
func serving(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd, line := ready(t, args...)
	m := regexp.MustCompile(`^ready (http://127\.0\.0\.1:\d+) `).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("the first line is %q", line)
	}
	return cmd, m[1]
}

// ready starts drawbridge local and returns it with the line by which it says so.
func ready(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := drawbridge(t, append([]string{"local", "--listen", "127.0.0.1:0", "--wait-scale", "0.01"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("it said:\n%s", stderr.String())
		}
	})
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatalf("it ended without being ready: %s", stderr.String())
	}
	first := lines.Text()
	t.Cleanup(func() {
		for lines.Scan() {
			t.Errorf("a further line on stdout: %q", lines.Text())
		}
	})
	return cmd, first
}

// client runs the Python client and returns what it prints.
func client(t *testing.T, url string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(root, ".venv", "bin", "python"), append([]string{"testdata/client.py"}, args...)...)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+url, "AWS_EC2_METADATA_DISABLED=true")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// descendants are all processes below pid.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Skip("no /proc on this machine")
	}
	children := map[int][]int{}
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		parent, _ := strconv.Atoi(fields[1])
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		children[parent] = append(children[parent], id)
	}
	var out []int
	for todo := children[pid]; len(todo) > 0; todo = todo[1:] {
		out = append(out, todo[0])
		todo = append(todo, children[todo[0]]...)
	}
	return out
}

// allGone waits until none of the processes is left.
func allGone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		left := true
		for i := 0; i < 300 && left; i++ {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			left = err == nil && !bytes.Contains(b, []byte(") Z "))
			if left {
				time.Sleep(10 * time.Millisecond)
			}
		}
		if left {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			t.Errorf("process %d is left: %s", pid, bytes.ReplaceAll(b, []byte{0}, []byte(" ")))
		}
	}
}

func TestForeignClientGetsConnected(t *testing.T) {
	engineNeeded(t)
	trace := filepath.Join(t.TempDir(), "trace.jsonl")
	cmd, url := serving(t, "--trace", trace, "--outside", "999999999999")

	for _, c := range []struct{ name, consumer, producer, region, want string }{
		{"one Region", "111111111111", "222222222222", "us-east-1", "there True\nback True\n"},
		{"two Regions", "333333333333", "444444444444", "eu-west-1", "there True\nback True\n"},
		{"the hub is a member too", "555555555555", local.HubAccount, "us-east-1", "there True\nback True\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := client(t, url, c.consumer, c.producer, c.region); got != c.want {
				t.Errorf("got\n%s", got)
			}
		})
	}
	t.Run("an account outside the organization is not entered, its request not accepted", func(t *testing.T) {
		before := len(callsOf(t, trace))
		if got := client(t, url, "999999999999", "222222222222", "us-east-1", "1"); got != "there False\nback False\n" {
			t.Errorf("got\n%s", got)
		}
		// The member's new VPC is looked at, and with it what is requested there.
		for _, c := range callsOf(t, trace)[before:] {
			if c.Account == "999999999999" || c.Action == "AcceptVpcPeeringConnection" && c.Status < 300 {
				t.Errorf("Drawbridge made the call %+v", c)
			}
		}
	})

	children := descendants(t, cmd.Process.Pid)
	if len(children) < 2 {
		t.Errorf("only %d children are running", len(children))
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	allGone(t, children)
}

// tracedCall is a line of a trace.
type tracedCall struct {
	Account, Region, Service, Action, Function string
	Status                                     int
}

// callsOf reads a trace and holds each line to its form.
func callsOf(t *testing.T, path string) []tracedCall {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var calls []tracedCall
	for line := range strings.Lines(string(b)) {
		var call tracedCall
		if err := json.Unmarshal([]byte(line), &call); err != nil {
			t.Fatalf("trace line %q: %v", line, err)
		}
		if len(call.Account) != 12 || call.Region == "" || call.Service == "" || call.Action == "" || call.Function == "" || call.Status == 0 {
			t.Errorf("trace line %q lacks something", line)
		}
		calls = append(calls, call)
	}
	if len(calls) == 0 {
		t.Fatal("the trace is empty")
	}
	return calls
}

func TestKilledEngineLeavesNoProcess(t *testing.T) {
	engineNeeded(t)
	cmd, url := serving(t)
	client(t, url, "111111111111", "222222222222", "us-east-1")
	children := descendants(t, cmd.Process.Pid)
	if len(children) < 2 {
		t.Errorf("only %d children are running", len(children))
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	allGone(t, children)
}

func TestDemo(t *testing.T) {
	report := played(t, "s1", "Connected", "is Connected: connected by policy route-both-ways: 1 of 1 path is whole")
	members := slices.DeleteFunc(slices.Clone(report.Calls), func(c awscall.Call) bool { return c.Account == local.HubAccount })
	if n := story.Work(members); n == 0 || n > 43 {
		t.Errorf("%d calls in members without AssumeRole and polls, want at most 43", n)
	}
	if report.Transitions == 0 || report.Transitions > 26 {
		t.Errorf("%d transitions, want at most 26", report.Transitions)
	}
}

// played plays the demo of a scenario, holds what it prints to its form, and returns its report: the result, and every hop
// holds. The last words that it prints before its picture must hold each of the words.
func played(t *testing.T, scene, result string, last ...string) story.Report {
	t.Helper()
	engineNeeded(t)
	out := t.TempDir()
	cmd := drawbridge(t, "demo", "--scenario", scene, "--out", out)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stderr.String(), stdout.String())
	}
	for _, line := range strings.Split(stdout.String(), "\n") {
		alone := len(strings.Fields(line)) == 1 // a word that is longer than a line, such as an ARN
		if n := utf8.RuneCountInString(line); n > story.Width && !alone && !strings.HasPrefix(line, "Report:") && !strings.Contains(line, out) {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.Contains(line, "\x1b") {
			t.Errorf("colour, but no terminal: %q", line)
		}
	}
	b, err := os.ReadFile(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var report story.Report
	if err := json.Unmarshal(b, &report); err != nil {
		t.Fatal(err)
	}
	if report.Result != result || !scenario.Holds(report.Verdict) {
		t.Errorf("result %s, verdict %+v", report.Result, report.Verdict)
	}
	if report.Invocations == 0 || report.ColdStarts == 0 || report.WallMS == 0 {
		t.Errorf("a number is missing: %+v", report)
	}
	end, page, drawn := strings.Cut(strings.TrimSpace(stdout.String()), "\n\nPicture: ")
	if html, err := os.ReadFile(page); !drawn || err != nil || !bytes.Contains(html, []byte("What connects")) {
		t.Errorf("it does not end with its picture: %q, %v", page, err)
	}
	end = strings.Join(strings.Fields(end[strings.LastIndex(end, "\n\n")+1:]), " ")
	for _, words := range last {
		if !strings.Contains(end, words) {
			t.Errorf("the end lacks %q: %s", words, end)
		}
	}
	return report
}

// The demo of Studio connects the network by one call and lets people in, each as themselves, by one tag.
func TestDemoS4(t *testing.T) {
	report := played(t, "s4", "Identified", "as the database user ana, and as nobody else")
	for _, kind := range []string{"peering active", "route there", "route back", "security group", "host route", "assume role", "as ana"} {
		if !slices.ContainsFunc(report.Verdict, func(h story.Hop) bool { return h.Hop == kind }) {
			t.Errorf("the verdict lacks a %s: %+v", kind, report.Verdict)
		}
	}
	denied := 0
	for _, h := range report.Verdict {
		if strings.HasSuffix(h.Detail, ": denied") {
			denied++
		}
	}
	if denied != 6 {
		t.Errorf("%d were denied, want 6: %+v", denied, report.Verdict)
	}
	for _, action := range []string{"CreateRole", "PutRolePolicy", "UpdateAssumeRolePolicy", "UpdateDomain"} {
		if !slices.ContainsFunc(report.Calls, func(c awscall.Call) bool { return c.Action == action }) {
			t.Errorf("nobody called %s", action)
		}
	}
}

// The demo of private notebooks lets people in by the VPC, and says who is not restricted.
func TestDemoS2(t *testing.T) {
	report := played(t, "s2", "Private", "through the VPC alone", "not restricted")
	if len(report.Verdict) != 4 {
		t.Errorf("the verdict is %+v", report.Verdict)
	}
}

// The demo of the Data API lets one account through, and nobody else.
func TestDemoS3(t *testing.T) {
	played(t, "s3", "Exposed")
}

// The demo of a shared transit gateway connects by one call, shows every hop of it, and leaves nothing behind.
func TestDemoS5(t *testing.T) {
	report := played(t, "s5", "Connected", "Connected by one call, and removed by one tag", "every route, rule and script is as it was")
	for _, kind := range []string{"attachment", "gateway route", "route there", "route back", "security group", "host route"} {
		if !slices.ContainsFunc(report.Verdict, func(h story.Hop) bool { return h.Hop == kind }) {
			t.Errorf("the verdict lacks a %s: %+v", kind, report.Verdict)
		}
	}
	for _, action := range []string{"CreateTransitGatewayVpcAttachment", "AcceptTransitGatewayVpcAttachment", "CreateRoute", "AuthorizeSecurityGroupEgress"} {
		if !slices.ContainsFunc(report.Calls, func(c awscall.Call) bool { return c.Action == action }) {
			t.Errorf("nobody called %s", action)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"every interface", "0.0.0.0:4566 is not a loopback address", []string{"local", "--listen", "0.0.0.0:4566"}},
		{"no host", "not a loopback address", []string{"local", "--listen", ":4566"}},
		{"another machine", "not a loopback address", []string{"local", "--listen", "example.com:4566"}},
		{"no port", "is not an address", []string{"local", "--listen", "127.0.0.1"}},
		{"no account", "an account has twelve digits", []string{"local", "--outside", "12"}},
		{"the hub outside", "is the hub", []string{"local", "--outside", local.HubAccount}},
		{"no environment", "run `make", []string{"--root", t.TempDir(), "demo"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := drawbridge(t, c.args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err == nil {
				t.Error("it did not fail")
			}
			said := strings.TrimSpace(stderr.String())
			if !strings.Contains(said, c.want) || strings.Contains(said, "\n") || stdout.Len() > 0 {
				t.Errorf("it said %q and %q, want one sentence with %q", stdout.String(), said, c.want)
			}
		})
	}
}
