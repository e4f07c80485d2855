package lifecycle_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	. "github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// fake is the little of SageMaker that we use, with a memory.
type fake struct {
	mu        sync.Mutex
	scripts   map[string]string // on-start scripts by configuration, decoded
	onCreate  map[string]string
	notebooks map[string]*types.NotebookInstanceSummary
	tags      map[string]string
	said      map[string]string // the same, by ARN and key
	calls     []string
	// after runs after a call of that name, once: somebody else's doing.
	after  map[string]func(*fake)
	fail   map[string]error // once
	always map[string]error
	ledger ledger.Ledger
	memory *ledgertest.Memory
}

func newFake() *fake {
	l, memory := ledgertest.New()
	return &fake{ledger: l, memory: memory, scripts: map[string]string{}, onCreate: map[string]string{}, notebooks: map[string]*types.NotebookInstanceSummary{}, tags: map[string]string{}, said: map[string]string{},
		after: map[string]func(*fake){}, fail: map[string]error{}, always: map[string]error{}}
}

// debts are the restarts that are owed, of which the events are lost.
func (f *fake) debts() restart.Book {
	return restart.Book{Ledger: f.ledger, Ask: func(context.Context, ...look.Look) error { return nil }}
}

func (f *fake) notebook(name, configuration string, status types.NotebookInstanceStatus) *fake {
	n := &types.NotebookInstanceSummary{NotebookInstanceName: &name, NotebookInstanceStatus: status, NotebookInstanceArn: aws.String("arn:aws:sagemaker:us-east-1:111111111111:notebook-instance/" + name)}
	if configuration != "" {
		n.NotebookInstanceLifecycleConfigName = &configuration
	}
	f.notebooks[name] = n
	return f
}

func (f *fake) call(name string) (func(), error) {
	f.mu.Lock()
	f.calls = append(f.calls, name)
	if err := f.always[name]; err != nil {
		return f.mu.Unlock, err
	}
	if err := f.fail[name]; err != nil {
		delete(f.fail, name)
		return f.mu.Unlock, err
	}
	return func() {
		then := f.after[name]
		delete(f.after, name)
		if then != nil {
			then(f)
		}
		f.mu.Unlock()
	}, nil
}

func validation(text string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: text, Fault: smithy.FaultClient}
}

func hook(script string) []types.NotebookInstanceLifecycleHook {
	if script == "" {
		return nil
	}
	return []types.NotebookInstanceLifecycleHook{{Content: aws.String(base64.StdEncoding.EncodeToString([]byte(script)))}}
}

func unhook(h []types.NotebookInstanceLifecycleHook) string {
	if len(h) == 0 {
		return ""
	}
	script, _ := base64.StdEncoding.DecodeString(*h[0].Content)
	return string(script)
}

func (f *fake) DescribeNotebookInstanceLifecycleConfig(_ context.Context, in *sagemaker.DescribeNotebookInstanceLifecycleConfigInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceLifecycleConfigOutput, error) {
	done, err := f.call("DescribeNotebookInstanceLifecycleConfig")
	defer done()
	if err != nil {
		return nil, err
	}
	name := *in.NotebookInstanceLifecycleConfigName
	script, ok := f.scripts[name]
	if !ok {
		return nil, validation("RecordNotFound")
	}
	return &sagemaker.DescribeNotebookInstanceLifecycleConfigOutput{OnStart: hook(script), OnCreate: hook(f.onCreate[name])}, nil
}

func (f *fake) CreateNotebookInstanceLifecycleConfig(_ context.Context, in *sagemaker.CreateNotebookInstanceLifecycleConfigInput, _ ...func(*sagemaker.Options)) (*sagemaker.CreateNotebookInstanceLifecycleConfigOutput, error) {
	done, err := f.call("CreateNotebookInstanceLifecycleConfig")
	defer done()
	if err != nil {
		return nil, err
	}
	name := *in.NotebookInstanceLifecycleConfigName
	if _, ok := f.scripts[name]; ok {
		return nil, validation("Notebook Instance Lifecycle Config already exists.")
	}
	f.scripts[name], f.onCreate[name] = unhook(in.OnStart), unhook(in.OnCreate)
	return &sagemaker.CreateNotebookInstanceLifecycleConfigOutput{}, nil
}

func (f *fake) UpdateNotebookInstanceLifecycleConfig(_ context.Context, in *sagemaker.UpdateNotebookInstanceLifecycleConfigInput, _ ...func(*sagemaker.Options)) (*sagemaker.UpdateNotebookInstanceLifecycleConfigOutput, error) {
	done, err := f.call("UpdateNotebookInstanceLifecycleConfig")
	defer done()
	if err != nil {
		return nil, err
	}
	name := *in.NotebookInstanceLifecycleConfigName
	f.scripts[name], f.onCreate[name] = unhook(in.OnStart), unhook(in.OnCreate)
	return &sagemaker.UpdateNotebookInstanceLifecycleConfigOutput{}, nil
}

func (f *fake) DeleteNotebookInstanceLifecycleConfig(_ context.Context, in *sagemaker.DeleteNotebookInstanceLifecycleConfigInput, _ ...func(*sagemaker.Options)) (*sagemaker.DeleteNotebookInstanceLifecycleConfigOutput, error) {
	done, err := f.call("DeleteNotebookInstanceLifecycleConfig")
	defer done()
	delete(f.scripts, *in.NotebookInstanceLifecycleConfigName)
	return &sagemaker.DeleteNotebookInstanceLifecycleConfigOutput{}, err
}

func (f *fake) DescribeNotebookInstance(_ context.Context, in *sagemaker.DescribeNotebookInstanceInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	done, err := f.call("DescribeNotebookInstance")
	defer done()
	if err != nil {
		return nil, err
	}
	n, ok := f.notebooks[*in.NotebookInstanceName]
	if !ok {
		return nil, validation("RecordNotFound")
	}
	return &sagemaker.DescribeNotebookInstanceOutput{NotebookInstanceName: n.NotebookInstanceName, NotebookInstanceArn: n.NotebookInstanceArn,
		NotebookInstanceStatus: n.NotebookInstanceStatus, NotebookInstanceLifecycleConfigName: n.NotebookInstanceLifecycleConfigName}, nil
}

func (f *fake) UpdateNotebookInstance(_ context.Context, in *sagemaker.UpdateNotebookInstanceInput, _ ...func(*sagemaker.Options)) (*sagemaker.UpdateNotebookInstanceOutput, error) {
	done, err := f.call("UpdateNotebookInstance")
	defer done()
	if err != nil {
		return nil, err
	}
	n := f.notebooks[*in.NotebookInstanceName]
	if n.NotebookInstanceStatus != types.NotebookInstanceStatusStopped {
		return nil, validation(fmt.Sprintf("Status (%s) not in ([Stopped, Failed]). Unable to transition to (Updating)", n.NotebookInstanceStatus))
	}
	n.NotebookInstanceLifecycleConfigName = in.LifecycleConfigName
	return &sagemaker.UpdateNotebookInstanceOutput{}, nil
}

func (f *fake) ListNotebookInstances(_ context.Context, in *sagemaker.ListNotebookInstancesInput, _ ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	done, err := f.call("ListNotebookInstances")
	defer done()
	out := &sagemaker.ListNotebookInstancesOutput{}
	for _, name := range slices.Sorted(maps.Keys(f.notebooks)) {
		if n := f.notebooks[name]; strings.Contains(aws.ToString(n.NotebookInstanceLifecycleConfigName), aws.ToString(in.NotebookInstanceLifecycleConfigNameContains)) {
			out.NotebookInstances = append(out.NotebookInstances, *n)
		}
	}
	return out, err
}

func (f *fake) AddTags(_ context.Context, in *sagemaker.AddTagsInput, _ ...func(*sagemaker.Options)) (*sagemaker.AddTagsOutput, error) {
	done, err := f.call("AddTags")
	defer done()
	for _, tag := range in.Tags {
		f.tags[*tag.Key] = *tag.Value
		f.said[*in.ResourceArn+" "+*tag.Key] = *tag.Value
	}
	return &sagemaker.AddTagsOutput{}, err
}

func (f *fake) DeleteTags(_ context.Context, in *sagemaker.DeleteTagsInput, _ ...func(*sagemaker.Options)) (*sagemaker.DeleteTagsOutput, error) {
	done, err := f.call("DeleteTags")
	defer done()
	for _, key := range in.TagKeys {
		delete(f.tags, key)
	}
	return &sagemaker.DeleteTagsOutput{}, err
}

const owner = "#!/bin/bash\nset -e\necho mine\n"

// input is InjectRoutes' input for notebook n in subnet-a, 10.1.0.0/24, which needs a route to 10.2.0.0/16.
func input(configuration string, status types.NotebookInstanceStatus) workflow.AttachRoutesInput {
	return workflow.AttachRoutesInput{Phase: workflow.PhaseUntouched,
		Execution: "e",
		Connection: workflow.Connection{ID: "pcx-1", Target: "pcx-1", Requester: workflow.VPC{Account: "111111111111", Region: "us-east-1", ID: "vpc-1", CIDRs: ps("10.1.0.0/16")},
			Accepter: workflow.VPC{Account: "222222222222", Region: "us-east-1", ID: "vpc-2", CIDRs: ps("10.2.0.0/16")}},
		Routed: []workflow.AddRoutesOutput{{Account: "111111111111", VPC: "vpc-1", Tables: []workflow.Table{{ID: "rtb-1", Subnets: []string{"subnet-a"},
			Routes: []workflow.Route{{Destination: p("10.2.0.0/16"), Target: "pcx-1"}}}}}},
		Notebook: workflow.Notebook{Account: "111111111111", Region: "us-east-1", VPC: "vpc-1", Name: "n", ARN: "arn:n", Subnet: "subnet-a", SubnetCIDR: p("10.1.0.0/24"), Status: string(status),
			DirectInternet: true, LifecycleConfig: configuration, Inject: policy.Decision{Allowed: true, Policy: "notebooks"}},
	}
}

func routed(to ...string) (out []workflow.AddRoutesOutput) {
	out = input("", "").Routed
	for _, t := range to {
		out[0].Tables[0].Routes = append(out[0].Tables[0].Routes, workflow.Route{Destination: p(t), Target: "pcx-1"})
	}
	return out
}

func TestInject(t *testing.T) {
	const inService, stopped, pending = types.NotebookInstanceStatusInService, types.NotebookInstanceStatusStopped, types.NotebookInstanceStatusPending
	const stopping, updating = types.NotebookInstanceStatusStopping, types.NotebookInstanceStatusUpdating
	describe, update, describeNotebook := "DescribeNotebookInstanceLifecycleConfig", "UpdateNotebookInstanceLifecycleConfig", "DescribeNotebookInstance"
	create, attach, tag := "CreateNotebookInstanceLifecycleConfig", "UpdateNotebookInstance", "AddTags"
	merged := func(f *fake) { f.scripts["c"] = string(planned(t, config(owner), toProducer).OnStart) }
	with := func(f *fake) { f.scripts["c"] = owner }
	for name, c := range map[string]struct {
		has    func(*fake)
		config string
		status types.NotebookInstanceStatus
		in     func(*workflow.AttachRoutesInput)
		answer workflow.Answer
		ok     bool
		detail string
		kind   fault.Kind
		calls  []string
		tag    string
	}{
		"an owner's configuration is merged in two calls":    {with, "c", inService, nil, Done, true, "10.2.0.0/16 in lifecycle configuration c, effective at the next start", "", []string{describe, update}, Written},
		"an owner's configuration is merged in any status":   {with, "c", pending, nil, Done, true, "effective at the next start", "", []string{describe, update}, Written},
		"a configuration in line is looked at once":          {merged, "c", inService, nil, Done, true, "in lifecycle configuration c", "", []string{describe}, Written},
		"none and stopped is made and attached":              {nil, "", stopped, nil, Done, true, "in lifecycle configuration drawbridge-subnet-a, attached", "", []string{describeNotebook, describe, create, attach}, Attached},
		"none and stopped reuses the subnet's configuration": {func(f *fake) { f.scripts["drawbridge-subnet-a"] = string(planned(t, nil, toProducer).OnStart) }, "", stopped, nil, Done, true, "drawbridge-subnet-a, attached", "", []string{describeNotebook, describe, attach}, Attached},
		"attached by an earlier attempt is told": {func(f *fake) { f.scripts["drawbridge-subnet-a"] = string(planned(t, nil, toProducer).OnStart) }, "drawbridge-subnet-a", stopped, func(in *workflow.AttachRoutesInput) {
			in.Notebook.LifecycleConfig = ""
		}, Done, true, "effective at the next start", "", []string{describeNotebook, describe}, Attached},
		"attached by an earlier execution is told": {func(f *fake) { f.scripts["drawbridge-subnet-a"] = string(planned(t, nil, toProducer).OnStart) }, "drawbridge-subnet-a", stopped, func(in *workflow.AttachRoutesInput) {
			in.Notebook.Tag = AtNextStart
		}, Done, true, "effective at the next start", "", []string{describe}, Attached},
		"none and running is left alone with a status": {nil, "", inService, nil, Done, false, "stop it, or allow it with the tag drawbridge:restart=allowed", "", []string{describeNotebook}, AtNextStart},
		"none and running may be restarted":            {nil, "", inService, func(in *workflow.AttachRoutesInput) { in.Notebook.Restart.Allowed = true }, Done, true, "for which the notebook is restarted", "", []string{describeNotebook, describe, create}, AtNextStart},
		"none, running, and owed a restart is stopped": {nil, "", inService, func(in *workflow.AttachRoutesInput) {
			in.Notebook.Restart.Allowed, in.Phase = true, workflow.PhaseOwed
		}, Stop, false, "may be restarted", "", []string{describeNotebook}, AtNextStart},
		"owed a restart that nobody allows any more":               {nil, "", inService, func(in *workflow.AttachRoutesInput) { in.Phase = workflow.PhaseOwed }, Done, false, "stop it", "", []string{describeNotebook}, AtNextStart},
		"nobody's notebook is stopped for what cannot be attached": {func(f *fake) { f.scripts["drawbridge-subnet-a"] = "#!/usr/bin/python3\n" }, "", inService, func(in *workflow.AttachRoutesInput) { in.Notebook.Restart.Allowed = true }, Done, false, "not a shell script", "", []string{describeNotebook, describe}, Failed},
		"none and starting is left alone, restart allowed or not":  {nil, "", pending, func(in *workflow.AttachRoutesInput) { in.Notebook.Restart.Allowed = true }, Done, false, "stop it", "", []string{describeNotebook}, AtNextStart},
		"none and stopping is not yet":                             {nil, "", stopping, nil, "", false, "Stopping", fault.NotYet, []string{describeNotebook}, ""},
		"none and updating is not yet":                             {nil, "", updating, nil, "", false, "Updating", fault.NotYet, []string{describeNotebook}, ""},
		"none and failed is told":                                  {nil, "", types.NotebookInstanceStatusFailed, nil, Done, false, "Failed", "", []string{describeNotebook}, Failed},
		"stopped by us and still stopping is waited for":           {nil, "", stopping, func(in *workflow.AttachRoutesInput) { in.Phase = workflow.PhaseStopped }, Wait, true, "Stopping", "", []string{describeNotebook}, ""},
		"stopped by us gets one and is waited for":                 {nil, "", stopped, func(in *workflow.AttachRoutesInput) { in.Phase = workflow.PhaseStopped }, Wait, true, "being attached", "", []string{describeNotebook, describe, create, attach}, Attached},
		"stopped by us with one is started": {merged, "c", stopped, func(in *workflow.AttachRoutesInput) {
			in.Phase, in.Notebook.LifecycleConfig = workflow.PhaseStopped, ""
		}, Start, true, "in lifecycle configuration c", "", []string{describeNotebook, describe}, Written},
		"stopped by us with one, still updating, is waited for": {merged, "c", updating, func(in *workflow.AttachRoutesInput) { in.Phase = workflow.PhaseStopped }, Wait, true, "Updating", "", []string{describeNotebook, describe}, ""},
		"stopped by us and a conflict is started all the same":  {func(f *fake) { f.scripts["drawbridge-subnet-a"] = "#!/usr/bin/python3\n" }, "", stopped, func(in *workflow.AttachRoutesInput) { in.Phase = workflow.PhaseStopped }, Start, false, "not a shell script", "", []string{describeNotebook, describe}, Failed},
		"direct internet access disabled is a no-op":            {with, "c", inService, func(in *workflow.AttachRoutesInput) { in.Notebook.DirectInternet = false }, Done, true, "direct internet access is disabled", "", nil, ""},
		"routes=off is a no-op":                                 {with, "c", inService, func(in *workflow.AttachRoutesInput) { in.Notebook.Inject = policy.Decision{Policy: "routes-off"} }, Done, true, "left out by policy routes-off", "", nil, ""},
		"no routes is a no-op":                                  {with, "c", inService, func(in *workflow.AttachRoutesInput) { in.Routed = nil }, Done, true, "no route to a peering or gateway", "", nil, ""},
		"a container bridge is told and nothing is written": {with, "c", inService, func(in *workflow.AttachRoutesInput) {
			in.Routed[0].Tables[0].Routes[0].Destination, in.Notebook.Asks = p("172.17.0.0/16"), true
		}, Done, false, "172.17.0.0/16 lies in", "", nil, Failed},
		"a container bridge beside another route leaves that":        {with, "c", inService, func(in *workflow.AttachRoutesInput) { in.Routed, in.Notebook.Asks = routed("172.18.0.0/16"), true }, Done, false, "10.2.0.0/16 (172.18.0.0/16 lies in", "", []string{describe, update}, Failed},
		"a script that is not shell is told, and untouched":          {func(f *fake) { f.scripts["c"] = "#!/usr/bin/python3\n" }, "c", inService, nil, Done, false, "lifecycle configuration c starts with", "", []string{describe}, Failed},
		"a configuration that is gone makes us look at the notebook": {nil, "c", stopped, func(in *workflow.AttachRoutesInput) {}, "", false, "gone", fault.NotYet, []string{describe, describeNotebook, describe}, ""},
		"one attached meanwhile is merged":                           {with, "c", inService, func(in *workflow.AttachRoutesInput) { in.Notebook.LifecycleConfig = "" }, Done, true, "in lifecycle configuration c", "", []string{describeNotebook, describe, update}, Written},
		"a notebook that is gone is done":                            {func(f *fake) { delete(f.notebooks, "n") }, "", stopped, nil, Done, true, "gone", "", []string{describeNotebook}, ""},
		"started meanwhile is not yet":                               {func(f *fake) { f.after[create] = func(f *fake) { f.notebooks["n"].NotebookInstanceStatus = pending } }, "", stopped, nil, "", false, "Status (Pending)", fault.NotYet, []string{describeNotebook, describe, create, attach}, ""},
		"made by another execution meanwhile is merged and attached": {func(f *fake) {
			f.after[describe] = func(f *fake) {
				f.scripts["drawbridge-subnet-a"] = string(planned(t, nil, Edit{Subnet: p("10.1.0.0/24"), Destinations: ps("10.5.0.0/16")}).OnStart)
			}
		}, "", stopped, nil, Done, true, "attached", "", []string{describeNotebook, describe, create, describe, update, attach}, Attached},
		"a write that failed for a moment is planned anew": {func(f *fake) { with(f); f.fail[update] = &smithy.GenericAPIError{Code: "ThrottlingException"} }, "c", inService, nil, Done, true, "c", "", []string{describe, update, describe, update}, Written},
		"a write that is not allowed is refused":           {func(f *fake) { with(f); f.fail[update] = &smithy.GenericAPIError{Code: "AccessDeniedException"} }, "c", inService, nil, "", false, "updating lifecycle configuration c", fault.Refused, []string{describe, update}, Failed},
		"a configuration that never is taken is given up":  {func(f *fake) { with(f); again(f, update) }, "c", inService, nil, "", false, "kept changing", fault.Transient, []string{describe, update, describe, update, describe, update, describe, update, describe, update}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake().notebook("n", c.config, c.status)
			if c.has != nil {
				c.has(f)
			}
			in := input(c.config, c.status)
			if c.in != nil {
				c.in(&in)
			}
			out, err := Attach(context.Background(), f, tables{}, f.ledger, f.debts(), in)
			if n := slices.Index(f.calls, tag); n >= 0 { // at the end, and once
				f.calls = slices.Delete(f.calls, n, n+1)
			}
			if !slices.Equal(f.calls, c.calls) {
				t.Errorf("calls: %v\nwant:  %v", f.calls, c.calls)
			}
			if f.tags["drawbridge:status"] != c.tag {
				t.Errorf("status tag %q, want %q", f.tags["drawbridge:status"], c.tag)
			}
			if c.kind != "" {
				if fault.Of(err) != c.kind || !strings.Contains(err.Error(), c.detail) || !strings.Contains(err.Error(), "notebook n") {
					t.Fatalf("%s: %v, want %s with %q", fault.Of(err), err, c.kind, c.detail)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if out.Answer != c.answer || len(out.Hops) != 1 || out.Hops[0].OK != c.ok || !strings.Contains(out.Hops[0].Detail, c.detail) || out.Hops[0].Hop != "host route on n" {
				t.Errorf("got %+v, want %s %t %q", out, c.answer, c.ok, c.detail)
			}
		})
	}
}

// What AWS throttles is tried again, and then told to who works there.
func TestANotebookSaysThatNobodyTriesAgain(t *testing.T) {
	for tried, want := range map[int]string{0: "", fault.TransientTries - 1: "", fault.TransientTries: Failed} {
		f := newFake().notebook("n", "c", types.NotebookInstanceStatusInService)
		f.scripts["c"] = owner
		again(f, "UpdateNotebookInstanceLifecycleConfig")
		in := input("c", types.NotebookInstanceStatusInService)
		in.Tried = tried
		_, err := Attach(t.Context(), f, tables{}, f.ledger, f.debts(), in)
		if fault.Of(err) != fault.Transient || f.tags[tag.Status] != want || (f.tags[tag.Since] == "") != (want == "") {
			t.Errorf("tried again %d times: %v, and it says %v", tried, err, f.tags)
		}
	}
}

// again makes every call of a name fail for a moment.
func again(f *fake, call string) {
	f.always[call] = &smithy.GenericAPIError{Code: "ThrottlingException"}
}

func TestInjectKeepsTheOnCreateScript(t *testing.T) {
	f := newFake().notebook("n", "c", types.NotebookInstanceStatusStopped)
	f.scripts["c"], f.onCreate["c"] = owner, "#!/bin/bash\npip install x\n"
	if _, err := Attach(context.Background(), f, tables{}, f.ledger, f.debts(), input("c", types.NotebookInstanceStatusStopped)); err != nil {
		t.Fatal(err)
	}
	if f.onCreate["c"] != "#!/bin/bash\npip install x\n" || f.scripts["c"] == owner {
		t.Errorf("on-create is now %q", f.onCreate["c"])
	}
}

// The other execution began before ours: what it read is older than our write, and what it writes comes when we have read back.
func TestAnExecutionThatReadBeforeOursLosesNothing(t *testing.T) {
	f := newFake().notebook("n", "c", types.NotebookInstanceStatusInService)
	f.scripts["c"] = owner
	f.ledger.Patience = 10 * time.Second
	before := make(chan error, 1)
	f.after["DescribeNotebookInstanceLifecycleConfig"] = func(f *fake) { // has read
		f.mu.Unlock()
		defer f.mu.Lock()
		began := make(chan bool)
		go func() {
			close(began)
			in := input("c", types.NotebookInstanceStatusInService)
			in.Execution, in.Notebook.Name, in.Notebook.Subnet, in.Notebook.SubnetCIDR = "other", "m", "subnet-2", p("10.1.1.0/24")
			in.Routed[0].Tables[0].Subnets = []string{"subnet-2"}
			_, err := Attach(context.Background(), f, tables{}, f.ledger, f.debts(), in)
			before <- err
		}()
		<-began
		select {
		case err := <-before: // without a lease it comes to its end here, and is overwritten
			before <- err
		case <-time.After(300 * time.Millisecond):
		}
	}
	if _, err := Attach(context.Background(), f, tables{}, f.ledger, f.debts(), input("c", types.NotebookInstanceStatusInService)); err != nil {
		t.Fatal(err)
	}
	if err := <-before; err != nil {
		t.Fatal(err)
	}
	script, err := Parse("c", []byte(f.scripts["c"]))
	if err != nil || len(script.Lines) != 2 || string(script.Owner) != owner {
		t.Fatalf("afterwards: %+v, %v", script, err)
	}
}

// What fails for one of several notebooks does not stop those after it, and is asked for by itself; what is held back is held back for all.
func TestANotebookThatFailsAmongOthersIsLookedAtByItself(t *testing.T) {
	denied := error(&smithy.GenericAPIError{Code: "AccessDeniedException"})
	for name, c := range map[string]struct {
		others int
		fails  error
		lost   error // what became of the event
		kind   fault.Kind
		asked  int
	}{
		"alone, it fails":          {0, denied, nil, fault.Refused, 0},
		"among others, it is done": {2, denied, nil, "", 1},
		"what may pass, too":       {2, fault.New(fault.NotYet, "it is starting"), nil, "", 1},
		"held back":                {2, fault.New(fault.Held, "paused"), nil, fault.Held, 0},
		"nobody could be asked, so it is tried again": {2, denied, fault.New(fault.Transient, "no bus"), fault.Transient, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake().notebook("n", "c", types.NotebookInstanceStatusInService)
			f.scripts["c"], f.always["UpdateNotebookInstanceLifecycleConfig"] = owner, c.fails
			in := input("c", types.NotebookInstanceStatusInService)
			in.Notebook.Others = c.others
			var asked []look.Look
			debts := restart.Book{Ledger: f.ledger, Ask: func(_ context.Context, looks ...look.Look) error {
				asked = append(asked, looks...)
				return c.lost
			}}
			out, err := Attach(context.Background(), f, tables{}, f.ledger, debts, in)
			if fault.Of(err) != c.kind || len(asked) != c.asked {
				t.Fatalf("%v, asked %v", err, asked)
			}
			if len(asked) > 0 && asked[0] != (event.NotebookInspection{Account: "111111111111", Region: "us-east-1", Notebook: "n", Reason: "it failed among others"}) {
				t.Errorf("asked for %+v", asked[0])
			}
			if err == nil && (out.Answer != Done || len(out.Hops) != 1 || out.Hops[0].OK || !strings.Contains(out.Hops[0].Detail, "a look at this notebook is asked for")) {
				t.Errorf("%+v", out)
			}
		})
	}
}

func TestManyNotebooksOfASubnetAreOneEdit(t *testing.T) {
	f := newFake()
	f.scripts["c"] = owner
	for i := range 5 {
		f.notebook(fmt.Sprint("n", i), "c", types.NotebookInstanceStatusInService)
		in := input("c", types.NotebookInstanceStatusInService)
		in.Notebook.Name = fmt.Sprint("n", i)
		if _, err := Attach(context.Background(), f, tables{}, f.ledger, f.debts(), in); err != nil {
			t.Fatal(err)
		}
	}
	writes := slices.DeleteFunc(slices.Clone(f.calls), func(c string) bool { return !strings.HasPrefix(c, "Update") })
	if len(writes) != 1 {
		t.Errorf("%d writes for five notebooks", len(writes))
	}
}

func TestRemoval(t *testing.T) {
	ctx := context.Background()
	f := newFake().notebook("n", "", types.NotebookInstanceStatusStopped).notebook("other", "drawbridge-subnet-a", types.NotebookInstanceStatusStopped).notebook("owners", "c", types.NotebookInstanceStatusStopped)
	if _, err := Attach(ctx, f, tables{}, f.ledger, f.debts(), input("", types.NotebookInstanceStatusStopped)); err != nil {
		t.Fatal(err)
	}
	f.scripts["c"] = owner
	if _, err := Attach(ctx, f, tables{}, f.ledger, f.debts(), input("c", types.NotebookInstanceStatusStopped)); err != nil {
		t.Fatal(err)
	}
	if _, err := Detach(ctx, f, "n"); err != nil || f.notebooks["n"].NotebookInstanceLifecycleConfigName == nil {
		t.Fatalf("a configuration with routes was detached (%v)", err)
	}
	for i, name := range []string{"owners", "n", "other"} {
		if _, err := Release(ctx, f, tables{}, f.ledger, workflow.WithdrawRoutesInput{Connection: workflow.Connection{ID: "pcx-1", Target: "pcx-1"}}, released(f, name)); err != nil {
			t.Fatal(err)
		}
		if f.scripts["c"] != owner {
			t.Errorf("the owner's script came back as %q", f.scripts["c"])
		}
		if _, there := f.scripts["drawbridge-subnet-a"]; there != (i < 2) {
			t.Errorf("after %s our configuration is there: %t", name, there)
		}
	}
	if f.notebooks["owners"].NotebookInstanceLifecycleConfigName == nil || f.scripts["c"] != owner {
		t.Error("the owner's configuration was touched")
	}
}

// released are notebooks from which pcx-1, which reached 10.2.0.0/16, is taken away.
func released(f *fake, names ...string) (out []workflow.Notebook) {
	for _, name := range names {
		n := f.notebooks[name]
		out = append(out, workflow.Notebook{Account: "111111111111", Region: "us-east-1", VPC: "vpc-1", Name: name, ARN: *n.NotebookInstanceArn, Subnet: "subnet-a",
			SubnetCIDR: p("10.1.0.0/24"), DirectInternet: true, LifecycleConfig: aws.ToString(n.NotebookInstanceLifecycleConfigName), Tag: f.tags[tag.Status]})
	}
	return out
}

func linesOf(t *testing.T, script string) string {
	got, err := Parse("c", []byte(script))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(got.Lines)
}

func TestReleaseTakesOnlyWhatNothingManagedReaches(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		script string // before Drawbridge
		now    ec2Tables
		others string // a managed connection, over which the peer's CIDR is reached
		want   string // lines
	}{
		"what was added goes":                                 {owner, ec2Tables{}, "", "[]"},
		"lines that were there before stay":                   {string(planned(t, config(owner), Edit{Subnet: p("10.1.0.0/24"), Destinations: ps("10.9.0.0/16")}).OnStart), ec2Tables{}, "", "[{10.1.0.0/24 [10.9.0.0/16]}]"},
		"the very line, if it was there before":               {string(planned(t, config(owner), toProducer).OnStart), ec2Tables{}, "", "[{10.1.0.0/24 [10.2.0.0/16]}]"},
		"what another managed connection reaches stays":       {owner, ec2Tables{"10.2.0.0/16": "tgw-1"}, "tgw-1:vpc-1:vpc-2", "[{10.1.0.0/24 [10.2.0.0/16]}]"},
		"what a connection that nobody gave reaches does not": {owner, ec2Tables{"10.2.0.0/16": "tgw-1"}, "", "[]"},
		"a route through the connection itself does not":      {owner, ec2Tables{"10.2.0.0/16": "pcx-1"}, "pcx-1", "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake().notebook("n", "c", types.NotebookInstanceStatusInService)
			f.scripts["c"] = c.script
			if _, err := Attach(ctx, f, tables{}, f.ledger, f.debts(), input("c", types.NotebookInstanceStatusInService)); err != nil {
				t.Fatal(err)
			}
			if c.others != "" {
				if _, err := f.ledger.Begin(ctx, ledger.Connection{ID: c.others, Kind: "transit", Origin: ledger.Requested, Sides: []ledger.Side{
					{Role: "consumer", Account: "111111111111", Region: "us-east-1", ID: "vpc-1", CIDRs: []string{"10.1.0.0/16"}},
					{Role: "producer", Account: "222222222222", Region: "us-east-1", ID: "vpc-2", CIDRs: []string{"10.2.0.0/16"}}}}); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if _, err := Release(ctx, f, c.now, f.ledger, workflow.WithdrawRoutesInput{Connection: workflow.Connection{ID: "pcx-1", Target: "pcx-1"}}, released(f, "n")); err != nil {
					t.Fatal(err)
				}
			}
			if got := linesOf(t, f.scripts["c"]); got != c.want {
				t.Errorf("lines %s, want %s", got, c.want)
			}
			if c.want == "[]" && f.scripts["c"] != owner {
				t.Errorf("the owner's script came back as %q", f.scripts["c"])
			}
		})
	}
}

// Two VPCs of one range share one configuration: each keeps its lines, and a line goes with the last subnet that needs it.
func TestSubnetsOfOneCIDRKeepEachTheirLines(t *testing.T) {
	ctx := context.Background()
	f := newFake().notebook("one", "c", types.NotebookInstanceStatusInService).notebook("two", "c", types.NotebookInstanceStatusInService)
	f.scripts["c"] = owner
	exact := func(name, subnet, vpc string, to ...string) {
		t.Helper()
		in := input("c", types.NotebookInstanceStatusInService)
		in.Connection, in.Notebook.Name, in.Notebook.Subnet, in.Notebook.VPC, in.Notebook.Asks = workflow.Connection{}, name, subnet, vpc, true
		in.Routed = []workflow.AddRoutesOutput{{Account: "111111111111", VPC: vpc, Tables: []workflow.Table{{ID: "rtb-" + vpc, Subnets: []string{subnet}}}}}
		for _, d := range to {
			in.Routed[0].Tables[0].Routes = append(in.Routed[0].Tables[0].Routes, workflow.Route{Destination: p(d), Target: "pcx-1"})
		}
		if _, err := Attach(ctx, f, tables{}, f.ledger, f.debts(), in); err != nil {
			t.Fatal(err)
		}
	}
	want := func(lines string) {
		t.Helper()
		if got := linesOf(t, f.scripts["c"]); got != lines {
			t.Errorf("lines %s, want %s", got, lines)
		}
	}
	exact("one", "subnet-a", "vpc-1", "10.2.0.0/16", "10.3.0.0/16")
	exact("two", "subnet-b", "vpc-9", "10.3.0.0/16", "10.4.0.0/16")
	want("[{10.1.0.0/24 [10.2.0.0/16 10.3.0.0/16 10.4.0.0/16]}]")
	exact("two", "subnet-b", "vpc-9")
	want("[{10.1.0.0/24 [10.2.0.0/16 10.3.0.0/16]}]")
	exact("one", "subnet-a", "vpc-1", "10.2.0.0/16")
	want("[{10.1.0.0/24 [10.2.0.0/16]}]")
	exact("one", "subnet-a", "vpc-1")
	if f.scripts["c"] != owner || len(f.memory.Rows()) != 0 {
		t.Errorf("left %q, ledger %v", f.scripts["c"], f.memory.Rows())
	}
}

func TestReleaseTakesTheStatusAndOurConfiguration(t *testing.T) {
	for _, status := range []types.NotebookInstanceStatus{types.NotebookInstanceStatusStopped, types.NotebookInstanceStatusInService} {
		f := newFake().notebook("n", "", types.NotebookInstanceStatusStopped)
		if _, err := Attach(context.Background(), f, tables{}, f.ledger, f.debts(), input("", types.NotebookInstanceStatusStopped)); err != nil {
			t.Fatal(err)
		}
		if len(f.tags) != 3 || len(f.scripts) != 1 {
			t.Fatalf("tags %v, configurations %v", f.tags, f.scripts)
		}
		f.notebooks["n"].NotebookInstanceStatus = status
		f.tags["owners"] = "mine"
		if _, err := Release(context.Background(), f, ec2Tables{}, f.ledger, workflow.WithdrawRoutesInput{Connection: workflow.Connection{ID: "pcx-1", Target: "pcx-1"}}, released(f, "n")); err != nil {
			t.Fatal(err)
		}
		if len(f.tags) != 1 || f.tags["owners"] != "mine" {
			t.Errorf("%s: tags are %v, want the owner's", status, f.tags)
		}
		if stopped := status == types.NotebookInstanceStatusStopped; stopped != (len(f.scripts) == 0) {
			t.Errorf("%s: configurations are %v", status, f.scripts)
		}
	}
}

// ec2Tables is one route table, the main one: targets by destination.
type ec2Tables map[string]string

func (t ec2Tables) DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	table := ec2types.RouteTable{RouteTableId: aws.String("rtb-1"), Associations: []ec2types.RouteTableAssociation{{Main: aws.Bool(true)}}}
	for destination, target := range t {
		r := ec2types.Route{DestinationCidrBlock: &destination, State: ec2types.RouteStateActive}
		if r.TransitGatewayId = &target; strings.HasPrefix(target, "pcx-") {
			r.TransitGatewayId, r.VpcPeeringConnectionId = nil, &target
		}
		table.Routes = append(table.Routes, r)
	}
	return &ec2.DescribeRouteTablesOutput{RouteTables: []ec2types.RouteTable{table}}, nil
}

// GetManagedPrefixListEntries answers with the one list there is: it has 10.9.0.0/16.
func (t ec2Tables) GetManagedPrefixListEntries(context.Context, *ec2.GetManagedPrefixListEntriesInput, ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	return &ec2.GetManagedPrefixListEntriesOutput{Entries: []ec2types.PrefixListEntry{{Cidr: aws.String("10.9.0.0/16")}}}, nil
}

// tables is one route table, the main one, with routes to these destinations.
type tables []string

func (t tables) DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	table := ec2types.RouteTable{RouteTableId: aws.String("rtb-1"), Associations: []ec2types.RouteTableAssociation{{Main: aws.Bool(true)}}}
	for _, destination := range t {
		r := ec2types.Route{DestinationCidrBlock: &destination, VpcPeeringConnectionId: aws.String("pcx-1"), State: ec2types.RouteStateActive}
		if strings.HasPrefix(destination, "pl-") {
			r.DestinationCidrBlock, r.DestinationPrefixListId = nil, &destination
		}
		table.Routes = append(table.Routes, r)
	}
	return &ec2.DescribeRouteTablesOutput{RouteTables: []ec2types.RouteTable{table}}, nil
}

func (t tables) GetManagedPrefixListEntries(ctx context.Context, in *ec2.GetManagedPrefixListEntriesInput, _ ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	return ec2Tables{}.GetManagedPrefixListEntries(ctx, in)
}

// Without a connection the line becomes what the table says, but not what an old look at the table said.
func TestALineGoesOnlyWhenTheTableLacksItNow(t *testing.T) {
	for name, c := range map[string]struct {
		now  tables
		want string // the line afterwards, empty: the owner's script alone
	}{
		"the route is gone": {tables{}, ""},
		"another execution added the route and the line since": {tables{"10.9.0.0/16"}, "line 10.1.0.0/24 10.9.0.0/16\n"},
		"the owner made it a route to a prefix list":           {tables{"pl-1"}, "line 10.1.0.0/24 10.9.0.0/16\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake().notebook("n", "c", types.NotebookInstanceStatusStopped)
			f.scripts["c"] = owner
			with := input("c", types.NotebookInstanceStatusStopped)
			with.Routed, with.Notebook.Asks = routed("10.9.0.0/16"), true
			if _, err := Attach(context.Background(), f, tables{}, f.ledger, f.debts(), with); err != nil {
				t.Fatal(err)
			}
			exact := input("c", types.NotebookInstanceStatusStopped)
			exact.Connection, exact.Notebook.Asks = workflow.Connection{}, true
			exact.Routed[0].Tables[0].Routes = nil
			if _, err := Attach(context.Background(), f, c.now, f.ledger, f.debts(), exact); err != nil {
				t.Fatal(err)
			}
			if got := f.scripts["c"]; c.want == "" && got != owner || !strings.Contains(got, c.want) || c.want != "" && strings.Contains(got, "10.2.0.0/16") {
				t.Errorf("the script is now\n%s", got)
			}
		})
	}
}
