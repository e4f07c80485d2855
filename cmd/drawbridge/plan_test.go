package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/plan"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// signs counts the changes of a plan by account and call.
func signs(p plan.Plan) map[string]int {
	out := map[string]int{}
	for _, c := range p.Changes {
		out[c.Account+" "+c.Sign+" "+c.Call]++
	}
	return out
}

// planned asks for plans before anybody requests the connection: nothing would change by itself, and what would be done is what is done then.
func (f *firstScenario) planned(t *testing.T) {
	at, world := f.at, f.world
	// A first day: nothing is asked for, so nothing would change.
	first := answered[plan.Plan](t, 0, "plan", at, "--detailed-exitcode", "--only", scenario.Alpha+","+scenario.Beta)
	if len(first.Changes) != 0 || len(first.Unplanned) != 0 || first.Mode.Mode != "full" {
		t.Errorf("the first day: %+v", first)
	}

	// Nobody has requested anything: what would be done is what is done then.
	described := answered[plan.Plan](t, 2, "plan", at, "--detailed-exitcode", "--from", scenario.Alpha+"/"+world.ConsumerNetwork.VPC, "--to", scenario.Beta+"/sales")
	if len(described.Looks) != 1 || described.Looks[0].Ends != "Connected" {
		t.Fatalf("described: %+v", described)
	}
	for change, n := range map[string]int{scenario.Beta + " ~ ec2:AcceptVpcPeeringConnection": 1, scenario.Alpha + " + ec2:CreateRoute": 1, scenario.Beta + " + ec2:CreateRoute": 2,
		scenario.Beta + " + ec2:AuthorizeSecurityGroupIngress": 1, scenario.Alpha + " ~ sagemaker:UpdateNotebookInstanceLifecycleConfig": 1} {
		if got := signs(described)[change]; got != n {
			t.Errorf("%s: %d, want %d", change, got, n)
		}
	}
}

// plannedAnew asks for plans once it stands: nothing would change, its removal would take all of it, and another policy what it no longer allows.
func (f *firstScenario) plannedAnew(t *testing.T) {
	at, world, entry := f.at, f.world, f.entry
	stands := answered[plan.Plan](t, 0, "plan", world.Connection, at, "--detailed-exitcode")
	if len(stands.Changes) != 0 || stands.Looks[0].Ends != "Connected" {
		t.Errorf("it stands: %+v", stands)
	}
	daily := answered[plan.Plan](t, 0, "plan", at, "--detailed-exitcode", "--only", scenario.Alpha+","+scenario.Beta)
	if len(daily.Changes) != 0 || len(daily.Looks) == 0 || !slices.ContainsFunc(daily.Found, func(f plan.Found) bool { return f.Kind == "peerings" && f.Seen == 2 && f.Unmanaged == 0 }) {
		t.Errorf("a sweep: %+v", daily)
	}
	gone := answered[plan.Plan](t, 2, "plan", world.Connection, "--remove", at, "--detailed-exitcode")
	if len(gone.Looks) != 2 || gone.Looks[1].Ends != "Removed" || gone.Counts.Takes < 4 {
		t.Errorf("its removal: %+v", gone)
	}
	unshared := answered[plan.Plan](t, 2, "plan", scenario.Beta+"/sales", "--untag", "drawbridge:share", at, "--detailed-exitcode")
	if len(unshared.Looks) != 2 || unshared.Looks[0].Machine != "drawbridge-change" || unshared.Looks[1].ID != world.Connection || unshared.Counts.Takes < 4 {
		t.Errorf("its database is shared no more: %+v", unshared)
	}
	if of := answered[plan.Plan](t, 2, "plan", world.ProducerNetwork.VPC, "--tag", "drawbridge:accept=never", at, "--detailed-exitcode"); len(of.Looks) != 2 || of.Looks[1].Ends != "Removed" {
		t.Errorf("a VPC that the ledger knows, of which nobody says where it is: %+v", of)
	}
	for _, wrong := range [][]string{{"--only", "333"}, {scenario.Beta + "/sales", "--tag", "drawbridge:attach=x"}, {scenario.Beta + "/nothing", "--untag", "drawbridge:share"}, {scenario.Beta + "/" + world.ProducerNetwork.Subnets[0]},
		// What is nowhere, and what no id is, of each kind that may be planned.
		{"pcx-99999999999999999"}, {"pcx-xyz"}, {scenario.Beta + "/tgw-attach-99999999999999999"}, {"tgw-attach-xyz"}, {"vpc-99999999999999999"}, {"vpc-xyz"},
		{"pcx-99999999999999999", "--remove"}, {"pcx-99999999999999999", "--tag", "drawbridge:manage=true"}, {scenario.Beta + "/subnet-99999999999999999", "--tag", "drawbridge:attach=true"},
		{"arn:aws:rds:us-east-1:" + scenario.Beta + ":cluster:nothing"}, {"arn:aws:redshift:us-east-1:" + scenario.Beta + ":cluster:nothing"},
		{"--from", scenario.Alpha + "/vpc-99999999999999999", "--to", scenario.Beta + "/sales"}} {
		if stdout, stderr, exit := ran(t, append([]string{"plan", at}, wrong...)...); exit != 1 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "remedy: ") {
			t.Errorf("%q exits with %d: %q, %q", wrong, exit, stdout, stderr)
		}
	}
	for _, id := range []string{world.ProducerNetwork.VPC, scenario.Beta + "/" + world.ProducerNetwork.VPC} { // what is a side of an entry is none itself
		if stdout, stderr, exit := ran(t, "status", id, at); exit != 2 || stdout != "" || !strings.Contains(stderr, "it is a side of "+world.Connection+"; name that") {
			t.Errorf("the status of a VPC exits with %d: %q, %q", exit, stdout, stderr)
		}
	}
	if after := connected(t, world.Connection, at); after.Line.Items != entry.Line.Items {
		t.Errorf("planning changed the ledger: %+v", after)
	}

	// Under a policy that allows nothing it goes; under the same one nothing becomes otherwise.
	file := filepath.Join(t.TempDir(), "new.cedar")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(policy.DefaultText())
	if same := answered[plan.Comparison](t, 0, "plan", "--policy", file, at, "--detailed-exitcode"); same.Same != 1 || len(same.Connections) != 0 {
		t.Errorf("the same policy: %+v", same)
	}
	write(policy.DefaultText() + "\n@id(\"none\")\nforbid (principal, action in Drawbridge::Action::\"Grant\", resource);\n")
	none := answered[plan.Comparison](t, 2, "plan", "--policy", file, at, "--detailed-exitcode")
	if len(none.Connections) != 1 || none.Connections[0].ID != world.Connection || none.Connections[0].Effect != plan.Goes || len(none.Connections[0].Loses) < 5 {
		t.Errorf("a policy that allows nothing: %+v", none)
	}
	write("permit (principal")
	if stdout, stderr, exit := ran(t, "plan", "--policy", file, at); exit != 1 || stdout != "" || !strings.Contains(stderr, "policy") {
		t.Errorf("a broken policy exits with %d: %q, %q", exit, stdout, stderr)
	}
	if _, stderr, exit := ran(t, "plan", "nothing-known", at); exit != 1 || !strings.Contains(stderr, "drawbridge status") {
		t.Errorf("an id that nobody knows exits with %d: %q", exit, stderr)
	}
}

// The policy in force has a word that this version has not, as after an upgrade: what the new text would do is said of what stands, and the word is named.
func (f *firstScenario) reworded(t *testing.T) {
	at, connection, file := f.at, f.world.Connection, filepath.Join(t.TempDir(), "new.cedar")
	api := ssm.NewFromConfig(f.client(local.HubAccount, "us-east-1"))
	old := policy.DefaultText() + "\n@id(\"lines\")\npermit (principal, action == Drawbridge::Action::\"Dial\", resource);\n"
	if _, err := api.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String(plan.PolicyParameter), Value: &old, Overwrite: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text  string
		exit  int
		wants []string // the effects
	}{{policy.DefaultText(), 0, nil}, {policy.DefaultText() + "\n@id(\"none\")\nforbid (principal, action in Drawbridge::Action::\"Grant\", resource);\n", 2, []string{connection + " " + plan.Goes}}} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := answered[plan.Comparison](t, c.exit, "plan", "--policy", file, at, "--detailed-exitcode")
		var effects []string
		for _, e := range got.Connections {
			effects = append(effects, e.ID+" "+e.Effect)
		}
		if !slices.Equal(effects, c.wants) || got.Same != 1-len(c.wants) || len(got.InForce) != 1 || !strings.Contains(got.InForce[0], "Dial") || len(got.Unplanned) > 0 {
			t.Errorf("%+v", got)
		}
	}
}
