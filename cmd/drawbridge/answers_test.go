package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/doctor"
	"github.com/drawbridge-cloud/drawbridge/pkg/export"
	"github.com/drawbridge-cloud/drawbridge/pkg/history"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/report"
	"github.com/drawbridge-cloud/drawbridge/pkg/who"
	"github.com/drawbridge-cloud/drawbridge/pkg/why"
)

// ran runs the command and returns what it prints and how it exits.
func ran(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	cmd := drawbridge(t, args...)
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	hangs := time.AfterFunc(3*time.Minute, func() { _ = cmd.Process.Kill() })
	defer hangs.Stop()
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return out.String(), talk.String(), cmd.ProcessState.ExitCode()
}

// answered runs a command that answers, and decodes its answer.
func answered[T any](t *testing.T, exit int, args ...string) T {
	t.Helper()
	var a T
	stdout, stderr, got := ran(t, append(args, "-o", "json")...)
	if got != exit {
		t.Fatalf("%s exits with %d, want %d\n%s\n%s", strings.Join(args, " "), got, exit, stderr, stdout)
	}
	if err := json.Unmarshal([]byte(stdout), &a); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	return a
}

func TestHelp(t *testing.T) {
	for _, name := range []string{"", "status", "history", "who", "why", "map", "plan", "approve", "reject", "manage", "release", "revoke", "pause", "resume", "sweep", "redrive", "replay", "release-brake", "policy test", "policy apply", "doctor", "report", "export", "completion", "man",
		"local", "demo", "bench", "notebook-url", "connect-snippet"} {
		stdout, stderr, exit := ran(t, append(strings.Fields(name), "--help")...)
		if exit != 0 || stderr != "" {
			t.Errorf("%s --help exits with %d: %s", name, exit, stderr)
		}
		if name != "" && !strings.Contains(stdout, "Examples:\n\n    drawbridge "+name) {
			t.Errorf("%s --help has no example", name)
		}
		for line := range strings.Lines(stdout) {
			if utf8.RuneCountInString(strings.TrimRight(line, "\n")) > 80 {
				t.Errorf("%d columns: %s", len(line)-1, line)
			}
		}
		if name == "" {
			name = "drawbridge"
		}
		answertest.Golden(t, "testdata/help/"+strings.ReplaceAll(name, " ", "-")+".txt", []byte(stdout))
	}
}

// What is no data is on stderr, and says what to do.
func TestManners(t *testing.T) {
	for _, one := range []struct {
		args []string
		want string
	}{
		{[]string{"bogus"}, "see drawbridge --help"},
		{[]string{"status", "-o", "xml"}, "table"},
		{[]string{"why", "research"}, "see drawbridge why --help"},
		{[]string{"sweep", "1234"}, "twelve digits"},
		{[]string{"revoke", "sales", "--from", "1234"}, "twelve digits"},
		{[]string{"release-brake"}, "--let-through or --dismiss"},
		{[]string{"why", "a b", "sales", "--local=127.0.0.1:1"}, "127.0.0.1:1"}, // nobody listens there
	} {
		stdout, stderr, exit := ran(t, one.args...)
		if exit != 1 || stdout != "" || !strings.Contains(stderr, one.want) || !strings.HasPrefix(stderr, "drawbridge: ") {
			t.Errorf("%v exits with %d, prints %q and says %q", one.args, exit, stdout, stderr)
		}
	}
}

func hop(a why.Answer, code string) why.Hop {
	n := slices.IndexFunc(a.Hops, func(h why.Hop) bool { return h.Code == code })
	if n < 0 {
		return why.Hop{}
	}
	return a.Hops[n]
}

// firstScenario is the first scenario on an engine, which is asked about it.
type firstScenario struct {
	url, page, at string // of the engine; of its picture; how a command names it
	world         *scenario.World
	entry         board.Entry // once it stands
}

const fromNotebook, toDatabase = scenario.Alpha + "/research", scenario.Beta + "/sales"

// The first scenario, as those who are in it would ask about it: before it is requested, and once it stands. It is played once, for all that is asked.
func TestTheFirstScenarioIsAskedAbout(t *testing.T) {
	engineNeeded(t)
	engine, line := ready(t)
	defer func() { _ = engine.Process.Kill() }()
	m := regexp.MustCompile(`^ready (http://127\.0\.0\.1:\d+) .* picture (http://127\.0\.0\.1:\d+/)$`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("it does not say where the picture is: %q", line)
	}
	f := &firstScenario{url: m[1], page: m[2], at: "--local=" + strings.TrimPrefix(m[1], "http://")}
	if _, body := got(t, f.page); !strings.Contains(body, "0 connections in 0 accounts") {
		t.Errorf("before there is anything, the page is\n%.400s", body)
	}
	var err error
	if f.world, err = scenario.S1().Build(t.Context(), f.client); err != nil {
		t.Fatal(err)
	}
	t.Run("planned", f.planned)
	t.Run("before", f.before)
	onTerminal, piped := watching(t, f.at), stream(t, f.at)
	if err := f.world.Request(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.entry = connected(t, f.world.Connection, f.at)
	onTerminal(f.world.Connection)
	piped(f.world.Connection)
	t.Run("planned anew", f.plannedAnew)
	t.Run("drawn", f.drawn)
	t.Run("answered", f.answered)
	t.Run("reworded", f.reworded) // last: nothing can be decided by the policy that is in force then
}

func (f *firstScenario) client(account, region string) aws.Config {
	return local.ClientConfig(f.url, account, region)
}

func (f *firstScenario) before(t *testing.T) {
	// A name alone is looked for in every account of the engine's, and a typo is told with where it was looked for.
	if named := answered[why.Answer](t, 2, "why", "research", "sales", f.at); named.From.Account != scenario.Alpha || named.To.Account != scenario.Beta {
		t.Errorf("by their names alone: %+v", named)
	}
	if names := answered[who.Who](t, 0, "who", "sales", f.at); names.Database.Account != scenario.Beta {
		t.Errorf("who by a name alone: %+v", names)
	}
	if _, stderr, exit := ran(t, "why", "reserch", "sales", f.at); exit != 1 || !strings.Contains(stderr, scenario.Alpha+" us-east-1") || !strings.Contains(stderr, "correct the name") {
		t.Errorf("a typo: %d, %s", exit, stderr)
	}
	before := answered[why.Answer](t, 2, "why", fromNotebook, toDatabase, f.at)
	if h := hop(before, "connection"); h.Answer != "no" || len(h.Mends) != 1 || before.From.VPC != f.world.ConsumerNetwork.VPC || before.To.VPC != f.world.ProducerNetwork.VPC {
		t.Errorf("before: %+v", before)
	}
}

// answered asks everything else once it stands, and when somebody breaks it.
func (f *firstScenario) answered(t *testing.T) {
	ctx, url, at, world, clients, entry := t.Context(), f.url, f.at, f.world, f.client, f.entry
	if entry.Line.Items == 0 || len(entry.Items) != entry.Line.Items || entry.Hub.Table != "drawbridge-ledger" {
		t.Errorf("the entry is %+v", entry)
	}
	well := answered[doctor.Report](t, 2, "doctor", "--account", scenario.Alpha+"=any", at) // nobody has subscribed, and the engine has no trail of its own
	for _, code := range []string{"stack", "bus", "rules", "roles", "machines", "mode", "policy", "dead-letters", "member-roles", "member-rules"} {
		if n := slices.IndexFunc(well.Findings, func(f doctor.Finding) bool { return f.Code == code }); n < 0 || well.Findings[n].Answer != doctor.Yes {
			t.Errorf("the doctor says of %s: %+v", code, well.Findings)
		}
	}
	whole := answered[board.Board](t, 0, "status", at)
	if whole.Standing != 1 || len(whole.Entries) != 1 || whole.Entries[0].ID != world.Connection || whole.Mode.Mode != "full" || whole.Hub.Account != local.HubAccount {
		t.Errorf("the board is %+v", whole)
	}
	answered[struct{}](t, 0, "status", world.Connection, at)

	told := answered[history.History](t, 0, "history", world.Connection, at)
	for _, want := range []history.Event{{Hand: history.Owner, What: "asked"}, {Hand: history.Drawbridge, What: "added"}, {Hand: history.Drawbridge, What: "execution"}} {
		if !slices.ContainsFunc(told.Events, func(e history.Event) bool { return e.Hand == want.Hand && e.What == want.What && !e.At.IsZero() }) {
			t.Errorf("the history has no %s: %+v", want.What, told.Events)
		}
	}
	answered[history.History](t, 2, "history", "pcx-0000000000000000f", at)

	reached := answered[who.Who](t, 0, "who", scenario.Beta+"/sales", at)
	n := slices.IndexFunc(reached.Roads, func(r who.Road) bool { return r.Over == world.Connection && r.Account == scenario.Alpha })
	if n < 0 || len(reached.Roads[n].Ends) == 0 || len(reached.Roads[n].From) == 0 || reached.Roads[n].Asked == "" || reached.Database.VPC != world.ProducerNetwork.VPC {
		t.Errorf("who reaches sales: %+v", reached)
	}

	account := answered[report.Report](t, 0, "report", "--since", "1d", at)
	if len(account.Rows) != 1 || account.Rows[0].ID != world.Connection || account.Rows[0].Policy == "" || account.Rows[0].Asked == "" || account.Rows[0].Whole != account.Rows[0].Paths {
		t.Errorf("the report is %+v", account)
	}
	for format, begins := range map[string]string{"csv": "to account,", "html": "<!doctype html>"} {
		if stdout, stderr, exit := ran(t, "report", "-o", format, at); exit != 0 || stderr != "" || !strings.HasPrefix(stdout, begins) || !strings.Contains(stdout, world.Connection) {
			t.Errorf("as %s it exits with %d, says %q and prints %q", format, exit, stderr, stdout)
		}
	}

	code := answered[export.Export](t, 0, "export", "terraform", world.Connection, at)
	if len(code.Resources) < 5 || len(code.Files) != 1 || !strings.Contains(code.Files[0].Text, "drawbridge release "+world.Connection) || len(code.Left) == 0 || code.Left[0].Kind != ledger.HostRoute {
		t.Errorf("the code is %+v", code)
	}
	dir := t.TempDir()
	if stdout, stderr, exit := ran(t, "export", "cloudformation", world.Connection, "--only", scenario.Beta, "--dir", dir, at); exit != 0 || stdout != "" || !strings.Contains(stderr, dir) {
		t.Errorf("into a folder it exits with %d, says %q and prints %q", exit, stderr, stdout)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 {
		t.Errorf("it wrote %v, %v", files, err)
	}
	if _, stderr, exit := ran(t, "export", "terraform", "pcx-0000000000000000f", at); exit != 1 || !strings.Contains(stderr, "drawbridge status") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("of what is not there it exits with %d and says %q", exit, stderr)
	}

	// The script has its host route from the notebook's next start; all else holds.
	running := answered[why.Answer](t, 2, "why", fromNotebook, "sales", at)
	for _, h := range running.Hops {
		if want := map[bool]string{true: "unknown", false: "yes"}[h.Code == "host-route"]; h.Answer != want {
			t.Errorf("%s is %s: %s", h.Code, h.Answer, h.Detail)
		}
	}
	if running.After != "yes" || running.Managed == nil || running.Managed.State != "Connected" {
		t.Errorf("while the notebook runs: %+v", running)
	}
	restart(ctx, t, sagemaker.NewFromConfig(clients(scenario.Alpha, "us-east-1")))
	stands := answered[why.Answer](t, 0, "why", fromNotebook, "sales", at)
	if stands.Answer != "yes" || stands.Over != world.Connection || len(stands.Unread) > 0 {
		t.Errorf("it is %+v", stands)
	}

	// The notebook's owner sees their own account alone, by the SDK's own way to an endpoint and credentials: their side is judged.
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": scenario.Alpha, "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"} {
		t.Setenv(name, value)
	}
	alone := answered[why.Answer](t, 2, "why", "research", "10.2.0.77:3306")
	for _, code := range []string{"client-group", "client-acl", "route-there", "carrier", "host-route", "database-group", "database-acl", "route-back"} {
		want := "yes"
		if strings.HasPrefix(code, "database") || code == "route-back" {
			want = "unknown"
		}
		if h := hop(alone, code); h.Answer != want {
			t.Errorf("alone, %s is %q: %s", code, h.Answer, h.Detail)
		}
	}
	if alone.Answer != "unknown" || len(alone.Unread) == 0 || !strings.Contains(alone.Unread[0], scenario.Beta) {
		t.Errorf("alone it is %+v", alone)
	}
	if _, stderr, exit := ran(t, "status"); exit != 1 || !strings.Contains(stderr, "--profile") {
		t.Errorf("status in an account without a hub exits with %d and says %q", exit, stderr)
	}

	// Somebody shuts the database's network ACL, which Drawbridge never changes.
	beta := ec2.NewFromConfig(clients(scenario.Beta, "us-east-1"))
	shut(ctx, t, beta, world.ProducerNetwork.VPC)
	broken := answered[why.Answer](t, 2, "why", fromNotebook, toDatabase, at)
	h := hop(broken, "database-acl")
	if h.Answer != "no" || h.Whose != scenario.Beta || len(h.Mends) == 0 || broken.After != "yes" {
		t.Errorf("with the ACL shut: %+v", broken)
	}
	for _, c := range h.Mends {
		mend(ctx, t, beta, c.Command)
	}
	if again := answered[why.Answer](t, 0, "why", fromNotebook, toDatabase, at); again.Answer != "yes" {
		t.Errorf("after %+v it is %+v", h.Mends, again)
	}
}

// connected waits until the ledger says that a connection stands.
func connected(t *testing.T, id, at string) board.Entry {
	t.Helper()
	for range 360 {
		stdout, _, _ := ran(t, "status", id, at, "-o", "json")
		var e board.Entry
		if json.Unmarshal([]byte(stdout), &e) == nil && e.Line.State == "Connected" && e.Line.Working == nil {
			return e
		}
		time.Sleep(500 * time.Millisecond)
	}
	t.Fatalf("%s does not stand after three minutes", id)
	return board.Entry{}
}

// restart stops the notebook and starts it again.
func restart(ctx context.Context, t *testing.T, api *sagemaker.Client) {
	t.Helper()
	name := aws.String("research")
	is := func(want sagemakertypes.NotebookInstanceStatus) {
		t.Helper()
		for range 240 {
			got, err := api.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: name})
			if err != nil {
				t.Fatal(err)
			}
			if got.NotebookInstanceStatus == want {
				return
			}
			time.Sleep(250 * time.Millisecond)
		}
		t.Fatalf("the notebook does not come to be %s", want)
	}
	if _, err := api.StopNotebookInstance(ctx, &sagemaker.StopNotebookInstanceInput{NotebookInstanceName: name}); err != nil {
		t.Fatal(err)
	}
	is(sagemakertypes.NotebookInstanceStatusStopped)
	if _, err := api.StartNotebookInstance(ctx, &sagemaker.StartNotebookInstanceInput{NotebookInstanceName: name}); err != nil {
		t.Fatal(err)
	}
	is(sagemakertypes.NotebookInstanceStatusInService)
}

// shut has the network ACLs of a VPC deny MySQL from the consumer.
func shut(ctx context.Context, t *testing.T, api *ec2.Client, vpc string) {
	t.Helper()
	got, err := api.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}})
	if err != nil || len(got.NetworkAcls) == 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, a := range got.NetworkAcls {
		if _, err := api.CreateNetworkAclEntry(ctx, &ec2.CreateNetworkAclEntryInput{NetworkAclId: a.NetworkAclId, RuleNumber: aws.Int32(50), RuleAction: ec2types.RuleActionDeny,
			Egress: aws.Bool(false), Protocol: aws.String("6"), CidrBlock: aws.String("10.1.0.0/16"), PortRange: &ec2types.PortRange{From: aws.Int32(3306), To: aws.Int32(3306)}}); err != nil {
			t.Fatal(err)
		}
	}
}

// mend does what a command of the answer does, which is one that adds an entry to a network ACL.
func mend(ctx context.Context, t *testing.T, api *ec2.Client, words []string) {
	t.Helper()
	if !slices.Equal(words[:3], []string{"aws", "ec2", "create-network-acl-entry"}) {
		t.Fatalf("the command is %v", words)
	}
	value := func(option string) string { return words[slices.Index(words, option)+1] }
	var number, from, to int32
	if _, err := fmt.Sscanf(value("--rule-number")+" "+value("--port-range"), "%d From=%d,To=%d", &number, &from, &to); err != nil {
		t.Fatalf("the command is %v: %v", words, err)
	}
	if _, err := api.CreateNetworkAclEntry(ctx, &ec2.CreateNetworkAclEntryInput{NetworkAclId: aws.String(value("--network-acl-id")), RuleNumber: &number,
		RuleAction: ec2types.RuleAction(value("--rule-action")), Egress: aws.Bool(slices.Contains(words, "--egress")), Protocol: aws.String("6"), CidrBlock: aws.String(value("--cidr-block")),
		PortRange: &ec2types.PortRange{From: &from, To: &to}}); err != nil {
		t.Fatal(err)
	}
}
