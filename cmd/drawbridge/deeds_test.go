package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/history"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// becomes waits until the ledger says that an entry is in a state, with nobody at it.
func becomes(t *testing.T, id, state, at string) board.Entry {
	t.Helper()
	var e board.Entry
	for range 120 {
		stdout, _, exit := ran(t, "status", id, at, "-o", "json")
		e = board.Entry{}
		if json.Unmarshal([]byte(stdout), &e) == nil && e.Line.State == state && e.Line.Working == nil || state == "" && exit == 2 && stdout == "" {
			return e
		}
		time.Sleep(500 * time.Millisecond)
	}
	t.Fatalf("%s does not come to be %q after a minute: %+v", id, state, e.Line)
	return e
}

// pressed runs the command on a terminal, answers its question by a key, and returns what stood there and how it exits.
func pressed(t *testing.T, key string, args ...string) (said string, exit int) {
	t.Helper()
	command := drawbridge(t, args...)
	run := exec.Command(filepath.Join(root, ".venv", "bin", "python"), append([]string{"testdata/ask.py", key}, command.Args...)...)
	run.Env = command.Env
	out, err := run.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out), run.ProcessState.ExitCode()
}

// An owner approves, takes an account out, lets go and takes over; an operator pauses, sweeps and changes the policy: each by one command, which asks.
func TestDeeds(t *testing.T) {
	engineNeeded(t)
	engine, url := serving(t)
	defer func() { _ = engine.Process.Kill() }()
	at := "--local=" + strings.TrimPrefix(url, "http://")
	spec := scenario.S1()
	spec.Accept, spec.Share = "ask", scenario.Alpha
	world, err := spec.Build(t.Context(), func(account, region string) aws.Config { return local.ClientConfig(url, account, region) })
	if err != nil {
		t.Fatal(err)
	}
	if err := world.Request(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := world.Connection
	becomes(t, id, "AwaitingApproval", at)
	// Where nobody can be asked, nothing is done.
	for _, args := range [][]string{{"approve", id, at}, {"pause", at}, {"sweep", at}} {
		if stdout, stderr, exit := ran(t, args...); exit != 1 || stdout != "" || !strings.Contains(stderr, "--yes") {
			t.Errorf("%v exits with %d and says %q, %q", args, exit, stdout, stderr)
		}
	}
	if dry := answered[deed.Done](t, 0, "approve", id, "--dry-run", at); dry.Done || len(dry.Calls) != 1 || dry.Calls[0].Account != scenario.Beta {
		t.Errorf("a dry run: %+v", dry)
	}
	becomes(t, id, "AwaitingApproval", at)
	for key, exit := range map[string]int{"n": 2, "^C": 130} {
		if said, got := pressed(t, key, "approve", id, at); got != exit || !strings.Contains(said, "The question shows") || !strings.Contains(said, "create-tags") {
			t.Errorf("at %s it exits with %d: %s", key, got, said)
		}
	}
	becomes(t, id, "AwaitingApproval", at)
	if said, exit := pressed(t, "y", "approve", id, at); exit != 0 || !strings.Contains(said, "done") {
		t.Errorf("approved with exit %d: %s", exit, said)
	}
	e := becomes(t, id, "Connected", at)
	if e.Line.ApprovedBy == "" || e.Line.ApprovedAt.IsZero() || e.Line.Approved == 0 {
		t.Errorf("nobody knows who approved: %+v", e.Line)
	}
	twice := func(args ...string) { // is no failure, and does nothing
		t.Helper()
		if done := answered[deed.Done](t, 0, append(args, "--yes", at)...); !done.Already || done.Done || len(done.Calls) > 0 || len(done.Says) == 0 {
			t.Errorf("%v, twice: %+v", args, done)
		}
	}
	twice("approve", id)
	told := answered[history.History](t, 0, "history", id, at)
	if !slices.ContainsFunc(told.Events, func(e history.Event) bool {
		return e.What == "said" && e.Hand == history.Owner && e.Account == scenario.Beta && e.Who != ""
	}) {
		t.Errorf("the history has no answer: %+v", told.Events)
	}

	if done := answered[deed.Done](t, 0, "revoke", scenario.Beta+"/sales", "--from", scenario.Alpha, "--dry-run", at); len(done.Calls) != 1 || !strings.HasSuffix(strings.Join(done.Calls[0].Command, " "), "Value=none") {
		t.Errorf("revoked: %+v", done)
	}
	// What no connection is has the same deeds, on the thing whose owner decides.
	orders := &rds.CreateDBClusterInput{DBClusterIdentifier: aws.String("orders"), Engine: aws.String("aurora-mysql"), MasterUsername: aws.String("admin"), MasterUserPassword: aws.String("not-a-secret")}
	if _, err := rds.NewFromConfig(local.ClientConfig(url, scenario.Beta, "us-east-1")).CreateDBCluster(t.Context(), orders); err != nil {
		t.Fatal(err)
	}
	for thing, want := range map[string]string{"arn:aws:rds:us-east-1:" + scenario.Beta + ":cluster:orders": scenario.Beta + " rds", "private-notebooks-" + world.ConsumerNetwork.VPC: scenario.Alpha + " ec2"} {
		for value, args := range map[string][]string{"false": {"release"}, "undo": {"release", "--undo"}, "true": {"manage"}} {
			done := answered[deed.Done](t, 0, append(args, thing, "--in", scenario.Alpha, "--dry-run", at)...)
			if len(done.Calls) != 1 || done.Calls[0].Account+" "+done.Calls[0].Command[1] != want || !strings.HasSuffix(strings.Join(done.Calls[0].Command, " "), "Key=drawbridge:manage,Value="+value) {
				t.Errorf("%v %s: %+v", args, thing, done.Calls)
			}
		}
	}
	if _, stderr, exit := ran(t, "approve", "arn:aws:rds:us-east-1:"+scenario.Beta+":cluster:orders", "--yes", at); exit != 1 || !strings.Contains(stderr, "name a peering") {
		t.Errorf("approved what no connection is: %d, %s", exit, stderr)
	}
	answered[deed.Done](t, 2, "revoke", scenario.Beta+"/sales", "--from", "999999999999", "--yes", at)
	answered[deed.Done](t, 0, "reject", id, "--yes", at)
	twice("reject", id)
	becomes(t, id, "Removed", at)
	twice("reject", id)
	operates(t, id, at)
	answered[deed.Done](t, 0, "manage", id, "--yes", at)
	twice("manage", id)
	answered[deed.Done](t, 0, "release", id, "--yes", at)
	twice("release", id)
	becomes(t, id, "", at) // the ledger forgot it
}

// operates does what an operator does, who is in the hub's account.
func operates(t *testing.T, id, at string) {
	t.Helper()
	answered[deed.Done](t, 2, "release-brake", "--dismiss", "--yes", at)
	answered[deed.Done](t, 0, "pause", "--yes", at)
	if b := answered[board.Board](t, 0, "status", at); b.Mode.Mode != "paused" {
		t.Errorf("the mode is %+v", b.Mode)
	}
	if done := answered[deed.Done](t, 0, "pause", "--yes", at); !done.Already || done.Done {
		t.Errorf("it is paused already: %+v", done)
	}
	if _, stderr, exit := ran(t, "reject", "pcx-99999999999999999", "--yes", at); exit != 1 || !strings.Contains(stderr, "correct the id") || strings.Contains(stderr, "RequestID") {
		t.Errorf("what is nowhere: %d, %s", exit, stderr)
	}
	if _, stderr, exit := ran(t, "redrive", "peering/nobody", "--yes", at); exit != 1 || !strings.Contains(stderr, "there is no ") {
		t.Errorf("an execution that is not there: %d, %s", exit, stderr)
	}
	if done := answered[deed.Done](t, 0, "resume", "--yes", at); !strings.HasSuffix(strings.Join(done.Calls[0].Command, " "), "--value full") {
		t.Errorf("resumed by %v", done.Calls)
	}
	if done := answered[deed.Done](t, 0, "resume", "--yes", at); !done.Already || done.Done {
		t.Errorf("it is resumed already: %+v", done)
	}
	if _, stderr, exit := ran(t, "resume", "--mode", "foo", at); exit != 1 || !strings.Contains(stderr, `one of "full","add","observe"`) {
		t.Errorf("a mode that is none: %d, %s", exit, stderr)
	}
	swept := answered[deed.Done](t, 0, "sweep", scenario.Alpha, "--yes", at)
	if len(swept.Said) != 1 || !strings.Contains(swept.Said[0], ":execution:drawbridge-sweep:") {
		t.Fatalf("swept: %+v", swept)
	}
	execution := strings.TrimPrefix(swept.Said[0], "started ")
	answered[deed.Done](t, 2, "redrive", execution, "--yes", at) // it did not fail
	if _, stderr, exit := ran(t, "redrive", "nobody's", "--yes", at); exit != 1 || !strings.Contains(stderr, "MACHINE/NAME") {
		t.Errorf("an execution that is none: %d, %s", exit, stderr)
	}

	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	broken, more := file("broken.cedar", "permit ("), file("more.cedar", policy.DefaultText()+"\n@id(\"more\") forbid (principal, action == Drawbridge::Action::\"Restart\", resource);\n")
	if test := answered[deed.PolicyTest](t, 2, "policy", "test", broken, "--offline"); test.Valid || len(test.Problems) == 0 {
		t.Errorf("broken: %+v", test)
	}
	answered[deed.Done](t, 2, "policy", "apply", broken, "--yes", at)
	if test := answered[deed.PolicyTest](t, 0, "policy", "test", more, at); !test.Compared || !slices.Equal(test.Added, []string{"more"}) || len(test.Gone)+len(test.Changed) > 0 {
		t.Errorf("more: %+v", test)
	}
	answered[deed.Done](t, 0, "policy", "apply", more, "--yes", at)
	answered[deed.Done](t, 0, "policy", "apply", more, "--yes", at) // it is in force
}
