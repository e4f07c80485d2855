package lifecycle_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	. "github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// team is a batch: some notebooks that share a configuration, and three of their own kind.
func team(f *fake, many int) []workflow.Notebook {
	var out []workflow.Notebook
	add := func(name, configuration string, status types.NotebookInstanceStatus, restart bool) {
		f.notebook(name, configuration, status)
		nb := input(configuration, status).Notebook
		nb.Name, nb.ARN, nb.Restart.Allowed = name, *f.notebooks[name].NotebookInstanceArn, restart
		out = append(out, nb)
	}
	f.scripts["team"], f.scripts["python"] = owner, "#!/usr/bin/python3\n"
	for n := range many {
		add(fmt.Sprintf("member-%02d", n), "team", types.NotebookInstanceStatusInService, false)
	}
	add("python", "python", types.NotebookInstanceStatusInService, false)
	add("runs", "", types.NotebookInstanceStatusInService, true)
	add("stopped", "", types.NotebookInstanceStatusStopped, false)
	return out
}

func count(calls []string, name string) (n int) {
	for _, c := range calls {
		if c == name {
			n++
		}
	}
	return n
}

func TestABatchIsServedTogether(t *testing.T) {
	ctx, f := context.Background(), newFake()
	books := team(f, 40)
	in := workflow.InjectRoutesInput{Execution: "e", Connection: input("", "").Connection, Routed: input("", "").Routed, Rows: workflow.Rows{1}}
	books[1].DirectInternet, books[2].Inject.Allowed = false, false
	hops, hosts, err := Inject(ctx, f, f.ledger, f.debts(), in, books)
	if err != nil || len(hops) != len(books) {
		t.Fatalf("%d hops, %v", len(hops), err)
	}
	for n, h := range hops {
		if unfit := books[n].Name == "python"; h.OK == unfit || h.Hop != "host route on "+books[n].Name {
			t.Errorf("%+v", h)
		}
		want := map[string]workflow.Host{books[1].Name: workflow.HostNeedless, books[2].Name: workflow.HostLeft, "python": workflow.HostNone}[books[n].Name]
		if want == 0 {
			want = workflow.HostSet // also of one that is restarted for it
		}
		if got := hosts[books[n].Name]; got != want {
			t.Errorf("%s: %c, want %c", books[n].Name, got, want)
		}
	}
	if got := count(f.calls, "UpdateNotebookInstanceLifecycleConfig"); got != 1 || count(f.calls, "DescribeNotebookInstanceLifecycleConfig") > 10 || count(f.calls, "DescribeNotebookInstance") != 0 {
		t.Errorf("40 notebooks with one configuration: %d writes, and %v", got, f.calls)
	}
	if f.notebooks["stopped"].NotebookInstanceLifecycleConfigName == nil || f.notebooks["runs"].NotebookInstanceLifecycleConfigName != nil {
		t.Error("what is stopped gets a configuration, what runs does not")
	}
	debts, err := f.ledger.Debts(ctx, "111111111111", "us-east-1")
	if err != nil || len(debts) != 1 || debts[0].Notebook != "runs" || debts[0].For != "pcx-1" || debts[0].Stopped {
		t.Errorf("owed: %+v, %v", debts, err)
	}
}

// Each notebook says what became of it, why, and since when; failures too. Where nothing changed nothing is called, however many there are, and what changed is said once.
func TestNotebooksSayWhatChanged(t *testing.T) {
	ctx, f := context.Background(), newFake()
	books := team(f, 500)
	books[1].DirectInternet, books[2].Inject = false, policy.Decision{Policy: "inject-off"}
	in := workflow.InjectRoutesInput{Execution: "e", Connection: input("", "").Connection, Routed: input("", "").Routed, Rows: workflow.Rows{1}}
	inject := func(says int) {
		t.Helper()
		f.calls = nil
		if _, _, err := Inject(ctx, f, f.ledger, f.debts(), in, books); err != nil {
			t.Fatal(err)
		}
		if got := count(f.calls, "AddTags"); got != says {
			t.Errorf("%d notebooks say something new, want %d", got, says)
		}
		for n, nb := range books { // as the next look reads them
			books[n].Tag, books[n].Said = f.said[nb.ARN+" "+tag.Status], f.said[nb.ARN+" "+tag.Reason]
			if now := f.notebooks[nb.Name]; now.NotebookInstanceLifecycleConfigName != nil {
				books[n].LifecycleConfig = *now.NotebookInstanceLifecycleConfigName
			}
			if since := f.said[nb.ARN+" "+tag.Since]; (since == "") != (books[n].Tag == "") {
				t.Errorf("%s: since %q", nb.Name, since)
			}
		}
	}
	inject(len(books) - 2) // that with all its traffic in the VPC needs none, and one was always left out
	want := map[string]string{books[0].Name: Written, books[1].Name: "", books[2].Name: "", "python": Failed, "runs": AtNextStart, "stopped": Attached}
	for n := range books {
		if is, ok := want[books[n].Name]; ok && books[n].Tag != is {
			t.Errorf("%s says %q, want %q", books[n].Name, books[n].Tag, is)
		}
		if books[n].Name == "python" && !strings.Contains(books[n].Said, "python") {
			t.Errorf("why it failed: %q", books[n].Said)
		}
	}
	inject(0)
	books[2].Inject.Allowed = true
	inject(1)
	books[2].Inject.Allowed = false
	if inject(1); books[2].Tag != LeftOut {
		t.Errorf("it is left out now, and says %q", books[2].Tag)
	}
	inject(0)
}

func TestOneThatIsRefusedKeepsNobodyFromBeingServed(t *testing.T) {
	ctx, f := context.Background(), newFake()
	books := team(f, 2)
	f.fail["UpdateNotebookInstance"] = &smithy.GenericAPIError{Code: "AccessDeniedException"} // attaching
	books = slices.Concat(books[len(books)-1:], books[:len(books)-1])                         // it comes first
	_, _, err := Inject(ctx, f, f.ledger, f.debts(), workflow.InjectRoutesInput{Execution: "e", Connection: input("", "").Connection, Routed: input("", "").Routed}, books)
	if fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), "notebook stopped") {
		t.Errorf("%v", err)
	}
	if !strings.Contains(f.scripts["team"], "line 10.1.0.0/24 10.2.0.0/16") {
		t.Error("the others were not served")
	}
}

func TestABatchIsWithdrawnTogether(t *testing.T) {
	ctx, f := context.Background(), newFake()
	books := team(f, 3)
	if _, _, err := Inject(ctx, f, f.ledger, f.debts(), workflow.InjectRoutesInput{Execution: "e", Connection: input("", "").Connection, Routed: input("", "").Routed}, books); err != nil {
		t.Fatal(err)
	}
	f.calls = nil
	hops, err := Release(ctx, f, ec2Tables{}, f.ledger, workflow.WithdrawRoutesInput{Execution: "e", Connection: workflow.Connection{ID: "pcx-1", Target: "pcx-1"}},
		released(f, "member-00", "member-01", "member-02", "python", "stopped"))
	if err != nil || len(hops) != 5 || slices.ContainsFunc(hops, func(h workflow.Hop) bool { return !h.OK }) {
		t.Fatalf("%+v, %v", hops, err)
	}
	if f.scripts["team"] != owner || count(f.calls, "UpdateNotebookInstanceLifecycleConfig") != 2 { // the owner's, and our own becomes idle
		t.Errorf("%q after %v", f.scripts["team"], f.calls)
	}
	if _, there := f.scripts["drawbridge-subnet-a"]; there {
		t.Error("our own configuration is left")
	}
	if items, err := f.ledger.Items(ctx, "subnet-a"); err != nil || len(items) != 0 {
		t.Errorf("the ledger still has %+v, %v", items, err)
	}
}
