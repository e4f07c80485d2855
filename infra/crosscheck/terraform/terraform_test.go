package terraform

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest/report"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

const root = "../../.."

// TestTerraformJudges plays the judge. make test leaves it to make crosscheck, which plays it as well.
func TestTerraformJudges(t *testing.T) {
	if os.Getenv("DRAWBRIDGE_TERRAFORM") == "crosscheck" || testing.Short() {
		t.Skip("make crosscheck plays it")
	}
	o := Installed(root, t.Output(), io.Discard)
	if err := o.Check(); err != nil {
		t.Skip(err)
	}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range r.Judgements {
		if !j.Held {
			t.Errorf("%s: %s", j.What, j.Detail)
		}
	}
	if len(r.Judgements) < 14 || !strings.Contains(r.Judge, "AWS provider ") {
		t.Errorf("%s made %d judgements", r.Judge, len(r.Judgements))
	}
}

// TestTerraformTakesOver plays the other run, as TestTerraformJudges does its.
func TestTerraformTakesOver(t *testing.T) {
	if os.Getenv("DRAWBRIDGE_TERRAFORM") == "crosscheck" || testing.Short() {
		t.Skip("make crosscheck plays it")
	}
	o := Installed(root, t.Output(), io.Discard)
	if err := o.Check(); err != nil {
		t.Skip(err)
	}
	r, err := TakeOver(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range r.Judgements {
		if !j.Held {
			t.Errorf("%s: %s", j.What, j.Detail)
		}
	}
	if len(r.Judgements) != 20 || !strings.Contains(r.Judge, "AWS provider ") {
		t.Errorf("%s made %d judgements", r.Judge, len(r.Judgements))
	}
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	mirror := t.TempDir()
	for missing, o := range map[string]Options{
		"terraform is not installed":           {Root: root},
		"terraform is not installed (":         {Root: root, Binary: "/nowhere/terraform"},
		"provider for AWS is not in " + mirror: {Root: root, Binary: os.Args[0], Mirror: mirror},
	} {
		o.Out, o.Log = io.Discard, io.Discard
		r, err := Run(t.Context(), o)
		if err == nil || len(r.Judgements) > 0 || !strings.Contains(err.Error(), missing) || strings.Contains(err.Error(), "\n") {
			t.Errorf("want %q, got %v, %v", missing, r, err)
		}
	}
}

// An owner copies blocks from their notification into their code, each into its place.
func TestFollowCopiesTheBlocks(t *testing.T) {
	by := ledger.Hand{Who: "arn:aws:iam::111111111111:root", Tool: event.Terraform}
	told := map[string]string{}
	for who, items := range map[string][]ledger.Item{
		"alpha": {{Kind: ledger.Route, Resource: "rtb-1", Key: producerCIDR, TakenBy: by}, {Kind: ledger.HostRoute, Resource: script, Key: "10.1.0.0/24 " + producerCIDR, TakenBy: by}},
		"beta":  {{Kind: ledger.Rule, Resource: "sg-1", Key: "ingress tcp 3306 " + consumerCIDR, TakenBy: by}},
	} {
		for _, i := range items {
			told[who] += report.Remedy(i) + "\n\n"
		}
	}
	got, err := follow(configuration, told)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got, "# remedy: ") || strings.Count(got, "ignore_tags {") != 2 || strings.Count(got, "lifecycle {") != 3 {
		t.Errorf("%s", got)
	}
	for _, must := range []string{"ignore_changes = [route]", "ignore_changes = [on_start]", "ignore_changes = [ingress]", `"drawbridge:status"`} {
		if !strings.Contains(got, must) {
			t.Errorf("it lacks %s:\n%s", must, got)
		}
	}
	if strings.Count(got, "drawbridge:accept") != 1 {
		t.Error("a tag that the code sets is ignored")
	}
	delete(told, "beta")
	if _, err := follow(configuration, told); err == nil || !strings.Contains(err.Error(), "aws_security_group for the owner of beta") {
		t.Errorf("a notification that does not come is not missed: %v", err)
	}
	if _, err := follow("# nothing", told); err == nil {
		t.Error("a configuration without a place is followed")
	}
}
