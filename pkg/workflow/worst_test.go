package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// answered is what a step answers, as Lambda does: shortened, or refused for its size.
func answered[O any](t *testing.T, out O) any {
	t.Helper()
	got, err := Handler(func(context.Context, struct{}) (O, error) { return out, nil }).Invoke(t.Context(), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	var read any
	if err := json.Unmarshal(got, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// many is n of something.
func many[T any](n int, of func(int) T) []T {
	out := []T{}
	for i := range n {
		out = append(out, of(i))
	}
	return out
}

// decided is what the policy said, with words as long as those of the default policy.
var decided = policy.Decision{Action: policy.Inject, Allowed: true, Policy: "inject-where-nobody-says-otherwise", Reason: "allowed by policy inject-where-nobody-says-otherwise"}

// happened is an event, larger than any of those in events/. What a call on a thousand things at once makes CloudTrail write is larger, and AWS's own: it is carried
// to one step, of the Change machine.
var happened = json.RawMessage(`{"detail-type":"AWS API Call via CloudTrail","detail":"` + strings.Repeat("e", 3<<10) + `"}`)

// long is a text as long as somebody writes it who lists all that there is in an account.
var long = strings.Repeat("no use any more for routes to 10.0.0.0/8, ", 10_000)

// packed are the numbers of as many rows as an account has, in so many items.
func packed(items int) []Rows {
	n := 10_000
	return Packed(many(n, func(i int) int { return i + 1 }), many(n, func(int) int { return 1 }), 1, items)
}

// wanted is a VPC's endpoints, of as many services as a purpose has.
func wanted(n int) EndpointWant {
	return EndpointWant{Account: "111111111111", Region: "ap-southeast-1", VPC: id("vpc", n), Owner: "private-notebooks", Services: []string{"com.amazonaws.ap-southeast-1.sagemaker.api", "aws.sagemaker.ap-southeast-1.notebook"},
		Callers: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12")}}
}

// worsts are what the Task of each state answers at most, with as much in an account as AWS lets it have. A list is as long as one likes, unless it is said here why it
// is not. A state that is not here fails the test.
func worsts(t *testing.T) map[string]any {
	wide := VPC{Account: "111111111111", Region: "ap-southeast-1", ID: id("vpc", 1), CIDRs: wide(1).CIDRs}
	connection := Connection{ID: id("tgw", 1) + ":" + id("vpc", 1) + ":" + id("vpc", 2), Target: id("tgw", 1), Requester: wide, Accepter: wide}
	statusResources := []StatusResource{{Account: wide.Account, Region: wide.Region, ID: id("tgw-attach", 1), Tags: many(10, func(int) string { return strings.Repeat("k", 30) })}, {Account: wide.Account, ID: pcx}}
	request := Request{By: strings.Repeat("a", 200), Why: strings.Repeat("w", 256), Approve: strings.Repeat("a", 256)} // an ARN, and tags
	said := Said{Requester: long, Accepter: long}
	told := answered(t, Told{Account: wide.Account, Region: wide.Region, Hops: 1000, OK: 1000})
	hops, empty := answered(t, HopsOutput{Hops: worst(60)}), answered(t, Empty{})
	concluded := answered(t, ConcludeOutput{Result: RefusedByPolicy, Reason: long, Decision: decided})

	// A cluster's tag names accounts, in 256 characters. https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
	api := DataAPI{Cluster: Cluster{ARN: strings.Repeat("a", 120)}, Secret: Secret{ARN: strings.Repeat("s", 140), Key: strings.Repeat("k", 120)},
		Consumers: many(256/13, func(n int) Consumer { return Consumer{Account: fmt.Sprintf("%012d", n), Decision: decided} })}
	// A route table holds 1,000 routes. https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
	routes := many(1000, func(n int) Route {
		return Route{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 100 + byte(n/250), byte(n % 250), 0}), 24), Target: pcx}
	})
	one := Notebook{Account: "111111111111", Region: "ap-southeast-1", VPC: id("vpc", 1), Name: strings.Repeat("n", 63), ARN: strings.Repeat("a", 130), Subnet: id("subnet", 1),
		SubnetCIDR: netip.MustParsePrefix("10.100.0.0/24"), LifecycleConfig: strings.Repeat("l", 63), Inject: decided, Restart: decided, Said: strings.Repeat("s", 256)}
	notebooks := InspectNotebooksOutput{Reason: long, Notebooks: []Notebook{one}, Routed: []AddRoutesOutput{{Account: one.Account, VPC: one.VPC, Hops: []Hop{},
		Tables: []Table{{ID: id("rtb", 1), Main: true, Subnets: []string{one.Subnet}, Routes: routes}}}}}
	warehouse := Warehouse{Account: one.Account, Region: one.Region, ID: strings.Repeat("c", 63), ARN: strings.Repeat("a", 130), Role: strings.Repeat("r", 130), Groups: many(256/2, func(int) string { return "g" })} // of a tag
	placed := answered(t, PlaceEndpointsOutput{Answer: AnswerReady, Want: wanted(1), Hops: worst(50), Endpoints: many(2, func(n int) PlacedEndpoint { return PlacedEndpoint{ID: id("vpce", n)} })})
	account := AccountFacts{ID: "222222222222", Name: strings.Repeat("n", 50), Units: strings.Repeat("u", 300), Organization: "o-exampleorgid"}
	side := &Facts{Name: strings.Repeat("n", 256), Account: account}                       // of a tag
	regions := many(34, func(n int) string { return fmt.Sprintf("ap-southeast-%02d", n) }) // as many as AWS has
	sweep := Sweep{Accounts: many(100, func(n int) string { return fmt.Sprintf("%012d", n) })}
	kinds := many(10, func(n int) Found {
		return Found{Kind: fmt.Sprintf("data-api-endpoints-%d", n), Seen: 1000, Announced: 1000, Unmanaged: 1000, Written: 1000, Untold: 1000}
	})
	missed := []Missed{}
	for encoded(missed) < TallySize-100 {
		missed = append(missed, Missed{Account: account.ID, Why: strings.Repeat("w", 60)})
	}
	for encoded(kinds) < TallySize-50 {
		kinds[0].Names = append(kinds[0].Names, pcx)
	}
	tally := Tally{Found: kinds, Closed: missed, Barred: missed, Failed: missed}
	visit := answered(t, Visit{SweepAccountOutput: SweepAccountOutput{Account: account.ID, Found: []Found{{Names: []string{strings.Repeat("n", VisitSize-130)}}}}})
	tallied := answered(t, TallySweepOutput{Sweep: sweep, Page: strings.Repeat("p", 300), Tally: tally, Reason: strings.Repeat("r", 400)})

	return map[string]any{
		"InspectPeering": answered(t, InspectPeeringOutput{Result: PartlyConnected, Reason: long, Said: said, Request: request, Event: happened, Decision: decided, Reject: decided, Connection: connection,
			Members: []string{"requester", "accepter"}, Tagged: statusResources, Rows: packed(SideItems), Notebooks: packed(BatchItems)}),
		"InspectTransit": answered(t, InspectTransitOutput{Result: PartlyConnected, Reason: long, Said: said, Event: happened, Decision: decided, Connection: connection, Tagged: statusResources,
			Rows: packed(SideItems), Notebooks: packed(BatchItems)}),
		"AcceptPeering": answered(t, AcceptPeeringOutput{Status: "provisioning"}), "AskAgain": answered(t, AskAgainOutput{Asked: true}),
		"AllowDnsResolution": told, "RestoreDnsResolution": told, "AddRoutes": told, "OpenFirewall": told, "CloseFirewall": told, "RemoveRoutes": told, "InjectRoutes": told, "WithdrawRoutes": told,
		"ReportConflict": answered(t, ReportConflictOutput{Reason: long}), "ReportUnreadable": empty, "AskApproval": concluded, "RefusePeering": concluded, "RefuseTransit": concluded,
		"VerifyConnection": answered(t, VerifyConnectionOutput{Reason: long, Verdict: paths(60)}), "ConcludeRemoval": answered(t, ConcludeRemovalOutput{Reason: long, Verdict: worst(60)}),

		"InspectDataApi": answered(t, InspectDataAPIOutput{Reason: long, Decision: decided, DataAPI: api}), "EnableHttpEndpoint": hops, "AdmitConsumers": hops, "RetractDataApi": hops,
		"ConcludeDataApi":        answered(t, ConcludeDataAPIOutput{Reason: long, Decision: decided, Verdict: worst(60)}),
		"InspectDataApiEndpoint": answered(t, InspectDataAPIEndpointOutput{Reason: long, Decision: decided, Event: happened, Want: wanted(1)}), "PlaceEndpoints": placed, "RemoveEndpoints": placed,
		"VerifyDataApiEndpoint": answered(t, VerifyDataAPIEndpointOutput{Reason: long, Decision: decided, Verdict: worst(60)}),

		"InspectNotebooks": answered(t, notebooks), "AttachRoutes": answered(t, AttachRoutesOutput{Answer: AnswerDone, Hops: worst(1)}), // of one notebook
		"StopNotebook": answered(t, NotebookOutput{Phase: PhaseStopped}), "StartNotebook": answered(t, NotebookOutput{Phase: PhaseStarted}),

		"InspectShare": answered(t, InspectShareOutput{Result: PartlyConnected, Reason: long, Decision: decided, Event: happened, Share: strings.Repeat("a", 120), Announced: 5000,
			Invitation: Invitation{ARN: strings.Repeat("a", 150), Share: strings.Repeat("a", 120)}}),
		"AcceptShare": answered(t, AcceptShareOutput{Status: "ACCEPTED"}),

		"InspectStudio":   answered(t, InspectStudioOutput{Result: PartlyConnected, Reason: long, Decision: decided, Warehouse: warehouse, Admit: packed(ReaderItems), Release: packed(ReaderItems), Identify: packed(ReaderItems)}),
		"WriteStudioRole": told, "AdmitExecutionRole": told, "IdentifyUsers": told, "ReleaseExecutionRole": told,
		"ConcludeStudio": answered(t, ConcludeStudioOutput{Reason: long, Verdict: worst(60)}),

		"InspectPrivateNotebooks": answered(t, InspectPrivateNotebooksOutput{Reason: long, Event: happened, Of: "private-notebooks 111111111111", Account: account.ID, Region: "ap-southeast-1",
			Place: packed(EndpointItems), Remove: packed(EndpointItems)}),
		"GrantNotebookAccess":    answered(t, GrantNotebookAccessOutput{Answer: AnswerDone}),
		"VerifyPrivateNotebooks": answered(t, VerifyPrivateNotebooksOutput{Reason: long, Verdict: worst(60)}),

		// An attachment has a subnet for each zone, and is propagated to the route tables of a gateway: 20 of them.
		// https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-quotas.html
		"InspectAttachment": answered(t, InspectAttachmentOutput{Result: PartlyConnected, Reason: long, Said: said, Event: happened, Request: request, Known: Known{Requester: side, Accepter: side}, VPC: wide, Lacking: worst(60),
			Decision: decided, Reject: decided, Subnets: many(6, func(n int) string { return id("subnet", n) }), Propagate: many(20, func(n int) string { return id("tgw-rtb", n) }),
			Attachment: Attachment{ID: id("tgw-attach", 1), Subnets: many(6, func(n int) string { return id("subnet", n) })}}),
		"AttachVpc": answered(t, AttachmentOutput{Attachment: id("tgw-attach", 1)}), "AcceptAttachment": answered(t, AttachmentOutput{}), "AssociateAttachment": empty, "DisassociateAttachment": empty,
		"DetachVpc": answered(t, AttachmentOutput{}), "VerifyAttachment": answered(t, VerifyAttachmentOutput{Reason: long, Verdict: worst(60)}),
		"ConcludeDetachment": answered(t, VerifyAttachmentOutput{Reason: long, Verdict: worst(60)}), "AskAttachment": concluded, "RefuseAttachment": concluded,

		// A call tags a thousand things. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html
		"FindConnections": answered(t, FindConnectionsOutput{Reason: long, Contested: connection.ID, Tagged: many(1000, func(n int) TaggedThing {
			return TaggedThing{Account: account.ID, Region: "ap-southeast-1", Kind: tag.Attachment, ID: id("tgw-attach", n)}
		})}),
		"AnswerTags": answered(t, AnswerTagsOutput{Reason: long}), "ReportContest": answered(t, ReportContestOutput{Reason: long}), "ReportFailure": answered(t, ReportFailureOutput{Reason: long}),

		"ResumeExecutions": answered(t, ResumeExecutionsOutput{Answer: AnswerDone}),
		"ListAccounts": answered(t, ListAccountsOutput{Sweep: sweep, Page: strings.Repeat("p", 300), Tally: tally, Regions: regions, // a token of Organizations
			Accounts: many(20, func(int) Territory { return Territory{Account: account.ID, Suspended: "PENDING_CLOSURE"} })}), // a page
		"SweepAccount": visit, "RebuildAccount": visit, "TallySweep": tallied, "TallyRebuild": tallied,

		"HoldExecution": answered(t, HoldExecutionOutput{Answer: "Planned", Reason: strings.Repeat("r", maxCause), Changes: []string{strings.Repeat("c", maxCause)}}), // of an error's text
	}
}

// together is as much of several notebooks as is carried.
func together() InspectNotebooksOutput {
	one := Notebook{Account: "111111111111", Region: "ap-southeast-1", Name: strings.Repeat("n", 63), ARN: strings.Repeat("a", 130), Subnet: id("subnet", 1), Inject: decided, Restart: decided, Said: strings.Repeat("s", 256)}
	out := InspectNotebooksOutput{Reason: "20 notebooks", Notebooks: many(20, func(int) Notebook { return one }), Routed: []AddRoutesOutput{{Hops: []Hop{}, Tables: []Table{{ID: id("rtb", 1), Subnets: []string{one.Subnet}}}}}}
	for Carried(out) {
		table := &out.Routed[0].Tables[0]
		table.Routes = append(table.Routes, Route{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(len(table.Routes) / 250), byte(len(table.Routes) % 250), 0}), 24), Target: pcx})
		if len(table.Routes) > 1000 {
			break
		}
	}
	return out
}

// step is what of a state says what it carries.
type step struct {
	Type, Next, Default, OutputPath string
	End                             bool
	Parameters, ItemSelector        map[string]any
	ResultSelector                  map[string]any
	ResultPath                      *string
	ItemsPath                       string
	Choices                         []struct{ Next string }
	Catch                           []struct{ Next, ResultPath string }
	ItemProcessor                   *carrier
}

// carrier is a machine, or what a Map does with an item.
type carrier struct {
	StartAt string
	States  map[string]step
}

// walk follows a machine over all its ways, each state once, with what each carries at most.
type walk struct {
	t       *testing.T
	worsts  map[string]any
	used    map[string]bool
	machine string
	input   any // of the execution
	largest int
	where   string
}

// passes notes what is carried at a state.
func (w *walk) passes(where string, data any) {
	if n := encoded(data) + around; n > w.largest {
		w.largest, w.where = n, where
	}
}

// at is what a JSONPath such as $.a.b, or of the context, finds.
func (w *walk) at(path string, data any, item any) any {
	switch {
	case path == "$" || path == "":
		return data
	case path == "$$.Map.Item.Value":
		return item
	case path == "$$.Execution.Input":
		return w.input
	case path == "$$.State.RetryCount":
		return fault.NotYetTries
	case strings.HasPrefix(path, "$$."):
		return strings.Repeat("x", 120) // a name, an ARN
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "$."), ".") {
		object, ok := data.(map[string]any)
		if data, ok = object[name]; !ok {
			w.t.Fatalf("%s: nothing is at %s", w.machine, path)
		}
	}
	return data
}

// filled is a template whose keys that end in .$ are paths.
func (w *walk) filled(template map[string]any, data, item any) any {
	out := map[string]any{}
	for key, value := range template {
		name, path := strings.CutSuffix(key, ".$")
		switch v := value.(type) {
		case string:
			if out[name] = v; path {
				out[name] = w.at(v, data, item)
			}
		case map[string]any:
			out[name] = w.filled(v, data, item)
		default:
			out[name] = v
		}
	}
	return out
}

// kept is what a state carries on of its result.
func (w *walk) kept(s step, data, result any) any {
	if s.ResultSelector != nil {
		result = w.filled(s.ResultSelector, result, nil)
	}
	if s.ResultPath == nil && s.Type == "Task" && s.OutputPath == "" {
		return data // "ResultPath": null
	}
	if s.ResultPath != nil {
		result = put(data, *s.ResultPath, result)
	} else if s.Type == "Map" {
		return data
	}
	return w.at(s.OutputPath, result, nil)
}

// put returns an object with one more field.
func put(data any, path string, value any) any {
	out := map[string]any{}
	for k, v := range data.(map[string]any) {
		out[k] = v
	}
	out[strings.TrimPrefix(path, "$.")] = value
	return out
}

// from follows a machine from a state, and returns the largest of what it ends with.
func (w *walk) from(m carrier, id string, data any, seen []string) (end any) {
	s, ok := m.States[id]
	if !ok {
		w.t.Fatalf("%s: no state %s", w.machine, id)
	}
	if slices.Contains(seen, id) {
		return nil
	}
	seen = append(slices.Clone(seen), id)
	where := w.machine + " " + id
	w.passes(where, data)
	out := data
	switch s.Type {
	case "Task":
		w.passes(where+", its input", w.filled(s.Parameters["Payload"].(map[string]any), data, nil))
		answer, known := w.worsts[id]
		if !known {
			w.t.Errorf("%s: what it answers at most is not in worsts", where)
			return data
		}
		w.used[id] = true
		w.passes(where+", its answer", answer)
		out = w.kept(s, data, map[string]any{"Payload": answer})
	case "Pass":
		if out = data; s.Parameters != nil {
			out = w.filled(s.Parameters, data, nil)
		}
	case "Map":
		items, _ := w.at(s.ItemsPath, data, nil).([]any)
		if len(items) == 0 {
			w.t.Fatalf("%s: there are no items", where)
		}
		item := slices.MaxFunc(items, func(a, b any) int { return encoded(a) - encoded(b) })
		one := w.from(*s.ItemProcessor, s.ItemProcessor.StartAt, w.filled(s.ItemSelector, data, item), nil)
		all := many(len(items), func(int) any { return one })
		w.passes(where+", its answer", all)
		out = w.kept(s, data, all)
	case "Succeed":
		out = w.at(s.OutputPath, data, nil)
	}
	w.passes(where+", its output", out)
	if s.Type == "Succeed" || s.End {
		end = out
	}
	then := func(id string, data any) {
		if e := w.from(m, id, data, seen); e != nil && (end == nil || encoded(e) > encoded(end)) {
			end = e
		}
	}
	for _, n := range []string{s.Next, s.Default} {
		if n != "" {
			then(n, out)
		}
	}
	for _, c := range s.Choices {
		then(c.Next, out)
	}
	for _, c := range s.Catch {
		failed := data
		if strings.HasPrefix(c.ResultPath, "$.") {
			failed = put(data, c.ResultPath, map[string]any{"Error": "Held", "Cause": `{"errorMessage":"` + strings.Repeat("m", cause(w.machine)) + `","errorType":"Held"}`})
		}
		then(c.Next, failed)
	}
	return end
}

// cause is how long the text of an error is: where many are carried together, package fact cuts it.
func cause(machine string) int {
	if machine == "sweep" || machine == "rebuild" {
		return 300
	}
	return maxCause
}

// What each machine carries at its worst, over all its ways, however large the accounts: docs/quotas.md has this table, made by
// go test ./pkg/workflow -run TestWhatMachinesCarryAtTheirWorst -v. A machine, or a state, that is new is measured, or fails.
func TestWhatMachinesCarryAtTheirWorst(t *testing.T) {
	files, err := filepath.Glob("../../infra/template/*.asl.json")
	if err != nil || len(files) < 12 {
		t.Fatalf("found %d machines, want 12 at least: %v", len(files), err)
	}
	w := walk{t: t, worsts: worsts(t), used: map[string]bool{}}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m carrier
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		w.machine, w.largest, w.where = strings.TrimSuffix(filepath.Base(file), ".asl.json"), 0, ""
		w.input = any(map[string]any{})
		if err := json.Unmarshal(happened, &w.input); err != nil {
			t.Fatal(err)
		}
		w.from(m, m.StartAt, w.input, nil)
		if w.machine == "notebook" { // or as many of them as are carried together
			w.worsts["InspectNotebooks"] = answered(t, together())
			w.from(m, m.StartAt, w.input, nil)
		}
		t.Logf("%-20s %6d bytes: %s", w.machine, w.largest, w.where)
		if w.largest > StateSize {
			t.Errorf("%s carries %d bytes at %s, and a state has %d", w.machine, w.largest, w.where, StateSize)
		}
	}
	for id := range w.worsts {
		if !w.used[id] {
			t.Errorf("%s is the state of no machine", id)
		}
	}
}

// What has in common what it says is said once, and is the same again.
func TestWhatIsSaidOnceIsReadAgain(t *testing.T) {
	for name, all := range map[string]TaggedThings{
		"none":      {},
		"one":       {{Account: "1", Region: "r", Kind: tag.VPC, ID: "vpc-1"}},
		"alike":     {{Account: "1", Region: "r", Kind: tag.VPC, ID: "vpc-1"}, {Account: "1", Region: "r", Kind: tag.VPC, ID: "vpc-2"}},
		"by name":   {{Account: "1", Region: "r", Kind: tag.Notebook, ID: "a-b"}, {Account: "1", Region: "r", Kind: tag.Notebook, ID: "c"}, {Account: "2", Region: "r", Kind: tag.Notebook, ID: "c"}},
		"one in it": {{Account: "1", Region: "r", Kind: tag.Notebook, ID: "a-"}, {Account: "1", Region: "r", Kind: tag.Notebook, ID: "a-b"}},
	} {
		var read TaggedThings
		text, err := json.Marshal(all)
		if err == nil {
			err = json.Unmarshal(text, &read)
		}
		if err != nil || !reflect.DeepEqual(read, all) {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
	routed := AddRoutesOutput{Hops: []Hop{}, Tables: []Table{{ID: "rtb-1", Routes: []Route{{Destination: netip.MustParsePrefix("10.0.0.0/24"), Target: "a"}, {Destination: netip.MustParsePrefix("10.0.1.0/24"), Target: "b"},
		{Destination: netip.MustParsePrefix("10.0.2.0/24"), Target: "a"}, {Destination: netip.MustParsePrefix("10.0.3.0/24"), Target: "a", Blackhole: true}}}}}
	var read AddRoutesOutput
	text, err := json.Marshal(routed)
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	if err != nil || !reflect.DeepEqual(read, routed) {
		t.Errorf("%s: %v", text, err)
	}
}
