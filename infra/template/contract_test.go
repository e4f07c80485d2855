package template

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// machine and state are the parts of Amazon States Language that the contract speaks of.
type machine struct {
	StartAt string
	States  map[string]state
}

type state struct {
	Type, Next, Default string
	End                 bool
	Resource            string
	Parameters          struct {
		FunctionName string
		Payload      map[string]any
	}
	OutputPath    string
	ResultPath    string
	Choices       []struct{ Variable, StringEquals, Next string }
	Retry         []retried
	Catch         []caught
	ItemProcessor *machine
}

type retried struct {
	ErrorEquals    []string
	BackoffRate    float64
	MaxAttempts    int
	JitterStrategy string
}

type caught struct {
	ErrorEquals []string
	Next        string
}

// machines returns every machine of this package by the name of its file, with the machines inside Map states after it.
func machines(t *testing.T) map[string]machine {
	t.Helper()
	files, err := filepath.Glob("*.asl.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no machines here: %v", err)
	}
	all := map[string]machine{}
	var add func(name string, m machine)
	add = func(name string, m machine) {
		if len(m.States) == 0 {
			t.Fatalf("%s has no states", name)
		}
		all[name] = m
		for id, s := range m.States {
			if s.ItemProcessor != nil {
				add(name+" "+id, *s.ItemProcessor)
			}
		}
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m machine
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		add(file, m)
	}
	return all
}

// tasks returns every Task state by its name.
func tasks(t *testing.T) map[string]state {
	t.Helper()
	all := map[string]state{}
	for _, m := range machines(t) {
		for id, s := range m.States {
			if s.Type == "Task" {
				all[id] = s
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("no Task states")
	}
	return all
}

// folder returns the name of a state as its folder spells it: AcceptPeering is accept-peering.
func folder(state string) string {
	var b strings.Builder
	for i, r := range state {
		if i > 0 && 'A' <= r && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

func TestEveryTaskStateIsAFolderAndEveryFolderATaskState(t *testing.T) {
	const functions = "../../functions"
	wanted := map[string]bool{}
	for id, s := range tasks(t) {
		wanted[folder(id)] = true
		if s.Parameters.FunctionName != "${"+id+"}" {
			t.Errorf("state %s invokes %s, not its own function", id, s.Parameters.FunctionName)
		}
		main, err := os.ReadFile(filepath.Join(functions, folder(id), "main.go"))
		if err != nil {
			t.Errorf("state %s has no function: %v", id, err)
			continue
		}
		if lines := strings.Count(string(main), "\n"); lines > 42 {
			t.Errorf("functions/%s/main.go has %d lines: a main only wires, in 42 at most", folder(id), lines)
		}
	}
	for name := range listeners {
		wanted[name] = true
	}
	entries, err := os.ReadDir(functions)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !wanted[e.Name()] {
			t.Errorf("functions/%s belongs to no Task state", e.Name())
		}
	}
}

// listeners are the functions that rules start, not machines, and the rules that do.
var listeners = map[string][]string{
	"tell-people": {"drawbridge-access", "drawbridge-alarms", "drawbridge-failures"},
}

func TestEveryListenerIsStartedByItsRules(t *testing.T) {
	s := read(t, Hub)
	started := map[string][]string{}
	for _, r := range s.Resources {
		if r.Type != "AWS::Events::Rule" {
			continue
		}
		for _, target := range r.Properties["Targets"].([]any) {
			arn, ok := target.(map[string]any)["Arn"].(map[string]any)["Fn::GetAtt"].([]any)
			if !ok {
				continue
			}
			if function := s.Resources[arn[0].(string)]; function.Type == "AWS::Lambda::Function" {
				name := strings.TrimPrefix(function.Properties["FunctionName"].(string), "drawbridge-")
				started[name] = append(started[name], r.Properties["Name"].(string))
			}
		}
	}
	for name, rules := range started {
		slices.Sort(rules)
		if !slices.Equal(rules, listeners[name]) {
			t.Errorf("%s is started by the rules %v, this test knows %v", name, rules, listeners[name])
		}
	}
	if len(started) != len(listeners) || len(started) == 0 {
		t.Errorf("rules start %v, this test knows %v", started, listeners)
	}
}

// What a rule starts without a machine gets the fields that it reads, one by one: an event of an execution has its input and output, too.
func TestAListenerGetsWhatItReadsOfAnEvent(t *testing.T) {
	rules := 0
	for id, r := range read(t, Hub).Resources {
		if r.Type != "AWS::Events::Rule" || !slices.ContainsFunc(slices.Collect(maps.Values(listeners)), func(by []string) bool { return slices.Contains(by, r.Properties["Name"].(string)) }) {
			continue
		}
		for _, target := range r.Properties["Targets"].([]any) {
			rules++
			given, _ := target.(map[string]any)["InputTransformer"].(map[string]any)
			paths, _ := given["InputPathsMap"].(map[string]any)
			if len(paths) == 0 {
				t.Errorf("%s hands the whole event over", id)
			}
			for _, path := range paths {
				if path == "$.detail" && r.Properties["Name"] == "drawbridge-access" {
					continue // it is Drawbridge's own, and package notice cuts it to what a bus takes
				}
				if slices.Contains([]string{"$", "$.detail", "$.detail.input", "$.detail.output", "$.detail.state", "$.detail.configuration"}, path.(string)) {
					t.Errorf("%s hands over %s, whatever is in it", id, path)
				}
			}
		}
	}
	if rules != 3 {
		t.Errorf("%d rules start a listener, want 3", rules)
	}
}

func TestTheDashboardShowsEveryMetric(t *testing.T) {
	shown := ""
	for _, r := range read(t, Hub).Resources {
		if r.Type == "AWS::CloudWatch::Dashboard" {
			body, err := json.Marshal(r.Properties["DashboardBody"])
			if err != nil {
				t.Fatal(err)
			}
			shown += string(body)
		}
	}
	for _, m := range workflow.Metrics() {
		if !strings.Contains(shown, `\"`+workflow.Namespace+`\",\"`+string(m)+`\"`) {
			t.Errorf("the dashboard does not show %s", m)
		}
	}
	for _, kind := range fault.Kinds() {
		if !strings.Contains(shown, `\"`+workflow.KindDimension+`\",\"`+string(kind)+`\"`) {
			t.Errorf("the dashboard does not show the faults of the kind %s", kind)
		}
	}
}

// What Drawbridge announces must never start a machine, nor travel to the hub again: an execution would start the next.
func TestNoRuleTakesDrawbridgesOwnEvents(t *testing.T) {
	rules := 0
	for name, text := range map[string]string{"hub": Hub, "member": Member} {
		for id, r := range read(t, text).Resources {
			if r.Type != "AWS::Events::Rule" {
				continue
			}
			rules++
			pattern, patterned := r.Properties["EventPattern"].(map[string]any)
			if schedule := r.Properties["ScheduleExpression"]; !patterned && schedule != nil {
				continue // the clock's
			}
			sources, _ := pattern["source"].([]any)
			if len(sources) == 0 {
				t.Errorf("%s: the rule %s takes events of any source", name, id)
			}
			for _, source := range sources {
				text, exact := source.(string)
				if text == event.Source && name == "hub" && len(sources) == 1 {
					// What only the machines Change and Sweep send, to start the machine Peering, which sends it never.
					if types, _ := pattern["detail-type"].([]any); len(types) != 1 || !slices.Contains(inspections, types[0]) || pattern["account"] == nil {
						t.Errorf("the rule %s takes more than one of %q of the hub", id, inspections)
					}
					continue
				}
				if text == notice.Source && name == "hub" && len(sources) == 1 && tellsOfAccess(t, id, r.Properties) {
					continue
				}
				if !exact || !strings.HasPrefix(text, "aws.") {
					t.Errorf("%s: the rule %s takes events of %v, not of one AWS service", name, id, source)
				}
			}
			types, _ := pattern["detail-type"].([]any)
			for _, kind := range notice.Kinds() {
				if slices.Contains(types, any(string(kind))) && !slices.Contains(notice.Accesses(), kind) {
					t.Errorf("%s: the rule %s takes %q", name, id, kind)
				}
			}
		}
	}
	if rules == 0 {
		t.Fatal("no rules")
	}
}

// tellsOfAccess reports whether a rule starts the function that tells people of access, and nothing else: that sends no event about access.
func tellsOfAccess(t *testing.T, id string, rule map[string]any) bool {
	pattern := rule["EventPattern"].(map[string]any)
	var kinds []any
	for _, k := range notice.Accesses() {
		kinds = append(kinds, string(k))
	}
	targets, _ := json.Marshal(rule["Targets"])
	if !reflect.DeepEqual(pattern["detail-type"], any(kinds)) || pattern["account"] == nil || rule["EventBusName"] != "drawbridge" ||
		strings.Count(string(targets), `"Arn":{"Fn::GetAtt":["TellPeopleFunction`) != 1 || strings.Contains(string(targets), "StateMachine") {
		t.Errorf("the rule %s takes %v, and starts %s", id, pattern, targets)
		return false
	}
	return true
}

func TestEveryTaskIsAnInvocationThatNamesItsExecutionAndIsRetried(t *testing.T) {
	for id, s := range tasks(t) {
		if s.Resource != "arn:${AWS::Partition}:states:::lambda:invoke" {
			t.Errorf("state %s is %s, not an optimized invocation", id, s.Resource)
		}
		if s.Parameters.Payload["execution.$"] != "$$.Execution.Name" {
			t.Errorf("the payload of state %s does not carry the execution's name", id)
		}
		var retried []string
		for _, r := range s.Retry {
			if r.BackoffRate <= 1 || r.JitterStrategy != "FULL" {
				t.Errorf("state %s is retried on %q without backoff and jitter", id, r.ErrorEquals)
			}
			if slices.Contains(r.ErrorEquals, string(fault.NotYet)) && r.MaxAttempts <= ledger.Asks {
				t.Errorf("state %s is retried %d times, and fails while it waits for its turn, for which it asks %d times", id, r.MaxAttempts, ledger.Asks)
			}
			retried = append(retried, r.ErrorEquals...)
		}
		for _, name := range []string{string(fault.Transient), string(fault.NotYet),
			"Lambda.TooManyRequestsException", "Lambda.EC2ThrottledException", "Lambda.ResourceNotReadyException",
			"Lambda.ResourceConflictException", "Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout"} {
			if !slices.Contains(retried, name) {
				t.Errorf("state %s is not retried on %s", id, name)
			}
		}
		for _, kind := range []fault.Kind{fault.Refused, fault.Conflict, fault.Invalid, fault.Over} {
			if slices.Contains(retried, string(kind)) {
				t.Errorf("state %s is retried on %s, which no retry mends", id, kind)
			}
		}
	}
}

func TestEveryErrorNameIsAKindOrOneOfAWS(t *testing.T) {
	seen := 0
	for file, m := range machines(t) {
		for id, s := range m.States {
			var names []string
			for _, r := range s.Retry {
				names = append(names, r.ErrorEquals...)
			}
			for _, c := range s.Catch {
				names = append(names, c.ErrorEquals...)
			}
			for _, name := range names {
				seen++
				service, _, dotted := strings.Cut(name, ".")
				if dotted && slices.Contains([]string{"States", "Lambda", "Runtime", "Sandbox"}, service) {
					continue
				}
				if !slices.Contains(fault.Kinds(), fault.Kind(name)) {
					t.Errorf("%s: state %s names the error %q, which nothing ever returns", file, id, name)
				}
			}
		}
	}
	if seen == 0 {
		t.Fatal("no error names in any machine")
	}
}

func TestEveryNextExistsAndEveryStateIsReached(t *testing.T) {
	for file, m := range machines(t) {
		reached := map[string]bool{}
		var visit func(from, id string)
		visit = func(from, id string) {
			s, exists := m.States[id]
			if !exists {
				t.Errorf("%s: %s leads to %q, which does not exist", file, from, id)
				return
			}
			if reached[id] {
				return
			}
			reached[id] = true
			var next []string
			for _, n := range []string{s.Next, s.Default} {
				if n != "" {
					next = append(next, n)
				}
			}
			for _, c := range s.Choices {
				next = append(next, c.Next)
			}
			for _, c := range s.Catch {
				next = append(next, c.Next)
			}
			if len(next) == 0 && !s.End && s.Type != "Succeed" {
				t.Errorf("%s: state %s leads nowhere", file, id)
			}
			for _, n := range next {
				visit(id, n)
			}
		}
		visit("StartAt", m.StartAt)
		for id := range m.States {
			if !reached[id] {
				t.Errorf("%s: state %s is never reached", file, id)
			}
		}
	}
}

func TestNoMachineHasAFailState(t *testing.T) {
	for file, m := range machines(t) {
		for id, s := range m.States {
			if s.Type == "Fail" {
				t.Errorf("%s: state %s is a Fail state, which a redrive would only enter again", file, id)
			}
		}
	}
}

// inputs are the Go types that the functions decode their payloads into, strictly.
// inspections are Drawbridge's own events that a thing wants a look.
var inspections = []any{event.ContestToReport, event.FailureToReport, event.ToInspect, event.NotebookToInspect, event.NotebookToRestart, event.StudioToInspect, event.ShareToInspect, event.AttachmentToInspect, event.TransitToInspect,
	event.DataAPIToInspect, event.DataAPIEndpointToInspect, event.PrivateNotebooksToInspect}

var inputs = map[string]any{
	"InspectPeering":          workflow.InspectPeeringInput{},
	"AcceptPeering":           workflow.AcceptPeeringInput{},
	"AskAgain":                workflow.AskAgainInput{},
	"AskApproval":             workflow.ConcludeInput{},
	"RefusePeering":           workflow.ConcludeInput{},
	"AllowDnsResolution":      workflow.AllowDNSResolutionInput{},
	"RestoreDnsResolution":    workflow.AllowDNSResolutionInput{},
	"ReportConflict":          workflow.ReportConflictInput{},
	"ReportUnreadable":        workflow.ReportUnreadableInput{},
	"AddRoutes":               workflow.SideInput{},
	"OpenFirewall":            workflow.SideInput{},
	"CloseFirewall":           workflow.SideInput{},
	"RemoveRoutes":            workflow.SideInput{},
	"WithdrawRoutes":          workflow.WithdrawRoutesInput{},
	"ConcludeRemoval":         workflow.ConcludeRemovalInput{},
	"InjectRoutes":            workflow.InjectRoutesInput{},
	"AttachRoutes":            workflow.AttachRoutesInput{},
	"VerifyConnection":        workflow.VerifyConnectionInput{},
	"FindConnections":         workflow.FindConnectionsInput{},
	"ReportContest":           workflow.ReportContestInput{},
	"ReportFailure":           workflow.ReportFailureInput{},
	"AnswerTags":              workflow.AnswerTagsInput{},
	"HoldExecution":           workflow.HoldExecutionInput{},
	"ResumeExecutions":        workflow.ResumeExecutionsInput{},
	"ListAccounts":            workflow.ListAccountsInput{},
	"SweepAccount":            workflow.SweepAccountInput{},
	"TallySweep":              workflow.TallySweepInput{},
	"RebuildAccount":          workflow.SweepAccountInput{},
	"TallyRebuild":            workflow.TallySweepInput{},
	"InspectNotebooks":        workflow.InspectNotebooksInput{},
	"StopNotebook":            workflow.NotebookInput{},
	"StartNotebook":           workflow.NotebookInput{},
	"InspectStudio":           workflow.InspectStudioInput{},
	"WriteStudioRole":         workflow.WriteStudioRoleInput{},
	"ReleaseExecutionRole":    workflow.ReleaseRoleInput{},
	"AdmitExecutionRole":      workflow.AdmitRoleInput{},
	"IdentifyUsers":           workflow.IdentifyUsersInput{},
	"ConcludeStudio":          workflow.ConcludeStudioInput{},
	"InspectShare":            workflow.InspectShareInput{},
	"AcceptShare":             workflow.AcceptShareInput{},
	"InspectAttachment":       workflow.InspectAttachmentInput{},
	"AttachVpc":               workflow.AttachVpcInput{},
	"AcceptAttachment":        workflow.AttachmentInput{},
	"AssociateAttachment":     workflow.AssociateAttachmentInput{},
	"DetachVpc":               workflow.AttachmentInput{},
	"VerifyAttachment":        workflow.VerifyAttachmentInput{},
	"DisassociateAttachment":  workflow.AttachmentInput{},
	"ConcludeDetachment":      workflow.ConcludeDetachmentInput{},
	"AskAttachment":           workflow.AnswerAttachmentInput{},
	"RefuseAttachment":        workflow.AnswerAttachmentInput{},
	"InspectTransit":          workflow.InspectTransitInput{},
	"RefuseTransit":           workflow.RefuseTransitInput{},
	"InspectDataApi":          workflow.InspectDataAPIInput{},
	"EnableHttpEndpoint":      workflow.DataAPIInput{},
	"AdmitConsumers":          workflow.DataAPIInput{},
	"RetractDataApi":          workflow.DataAPIInput{},
	"InspectDataApiEndpoint":  workflow.InspectDataAPIEndpointInput{},
	"VerifyDataApiEndpoint":   workflow.VerifyDataAPIEndpointInput{},
	"ConcludeDataApi":         workflow.ConcludeDataAPIInput{},
	"InspectPrivateNotebooks": workflow.InspectPrivateNotebooksInput{},
	"PlaceEndpoints":          workflow.PlaceEndpointsInput{},
	"GrantNotebookAccess":     workflow.GrantNotebookAccessInput{},
	"RemoveEndpoints":         workflow.PlaceEndpointsInput{},
	"VerifyPrivateNotebooks":  workflow.VerifyPrivateNotebooksInput{},
}

func TestEveryPayloadIsTheInputOfItsFunction(t *testing.T) {
	for id, s := range tasks(t) {
		input, known := inputs[id]
		if !known {
			t.Errorf("this test does not know the input of state %s", id)
			continue
		}
		var fields, keys []string
		for i, typ := 0, reflect.TypeOf(input); i < typ.NumField(); i++ {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if name != "-" { // rows of the ledger do not travel
				fields = append(fields, name)
			}
		}
		for key := range s.Parameters.Payload {
			keys = append(keys, strings.TrimSuffix(key, ".$"))
		}
		slices.Sort(fields)
		slices.Sort(keys)
		if !slices.Equal(fields, keys) {
			t.Errorf("state %s gives %v, its function takes %v", id, keys, fields)
		}
	}
}

// What a function may answer, its machine has a way for, in every machine in which it is; and a machine waits for no answer that is never given.
func TestEveryAnswerHasAWayAndEveryWayAnAnswer(t *testing.T) {
	seen, ends := map[string]bool{}, map[workflow.Result]bool{}
	for file, m := range machines(t) {
		for id, s := range m.States {
			if s.Type == "Succeed" {
				ends[workflow.Result(id)] = true
			}
			if s.Type != "Task" {
				continue
			}
			choice := m.States[s.Next]
			var ways []string
			for _, c := range choice.Choices {
				if path := strings.TrimSuffix(c.Variable, ".answer"); path != c.Variable && (path == "$" && s.OutputPath == "$.Payload" || path == s.ResultPath) {
					ways = append(ways, c.StringEquals)
				}
			}
			if id == "HoldExecution" { // its answers are the ends of package mode
				continue
			}
			var want []string
			for _, a := range workflow.Answers[id] {
				want = append(want, string(a))
			}
			slices.Sort(ways)
			slices.Sort(want)
			if !slices.Equal(ways, want) {
				t.Errorf("%s: %s may answer %v, the machine has ways for %v", file, id, want, ways)
			}
			seen[id] = true
		}
		for id, s := range m.States {
			for _, c := range s.Choices {
				if strings.HasSuffix(c.Variable, ".result") && (c.Next != c.StringEquals && m.States[c.Next].Type == "Succeed" || !slices.Contains(workflow.Results, workflow.Result(c.StringEquals))) {
					t.Errorf("%s: %s: the result %s leads to %s: it is none of workflow.Results, or the end has another name", file, id, c.StringEquals, c.Next)
				}
			}
		}
	}
	for id := range workflow.Answers {
		if !seen[id] {
			t.Errorf("workflow.Answers knows %s, no machine does", id)
		}
	}
	for _, r := range workflow.Results {
		if !ends[r] {
			t.Errorf("%s is the end of no machine", r)
		}
		delete(ends, r)
	}
	for _, end := range []mode.End{mode.Paused, mode.Planned, mode.Kept, mode.Braked} {
		delete(ends, workflow.Result(end))
	}
	for end := range ends {
		if !strings.HasSuffix(string(end), "Done") { // of one item of a Map
			t.Errorf("a machine ends %s, which is none of workflow.Results", end)
		}
	}
}
