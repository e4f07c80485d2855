package notice

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
)

// advice says, for the name of an error or the status of an execution, which entry of the runbook belongs to it and what
// to do if the error itself does not say.
var advice = map[string]struct{ anchor, remedy string }{
	string(fault.Transient): {"transient", "redrive the execution; if the same call fails for hours, ask AWS Support"},
	string(fault.NotYet):    {"notyet", "wait until the thing has settled in its own account, then redrive the execution"},
	string(fault.Refused):   {"refused-error", "let Drawbridge in, as the runbook says for this cause, then redrive the execution"},
	string(fault.Conflict):  {"conflict", "clear what is in the way, as the runbook says for this cause, then redrive the execution"},
	string(fault.Over):      {"over", "redrive the execution; it takes away what was added"},
	string(fault.Invalid):   {"invalid", "do not redrive it; correct the event, or report it as a defect"},
	"TIMED_OUT":             {"timed-out", "look at where it stands; when that has settled, redrive the execution"},
	"ABORTED":               {"aborted", "somebody stopped it; redrive the execution unless that was meant"},
	"":                      {"failed-executions", "read the execution's last state, mend the cause, then redrive the execution"},
}

// runbook is where the remedies are.
const runbook = "docs/runbook.md#"

// Explain says what an execution that did not succeed means for people.
func Explain(x Ended) Attention {
	kind, why, remedy := reason(x)
	known, ok := advice[kind]
	if !ok {
		known = advice[""]
	}
	if x.Status != "FAILED" {
		known = advice[x.Status]
	}
	if remedy == "" {
		remedy = known.remedy
	}
	where := place(x)
	what := x.What()
	if thing := where.thing(); thing != "" {
		what += ", about " + thing
	}
	a := Attention{What: what, Where: where, Kind: kind, Why: why, Remedy: remedy, Runbook: runbook + known.anchor, Console: console(x.ARN)}
	if kind != string(fault.Invalid) {
		a.Command = "aws stepfunctions redrive-execution --execution-arn " + x.ARN
	}
	return a
}

// maxWhy is how many bytes of a cause people are told. Of Step Functions' own it may be 32,768 characters.
const maxWhy = 4 << 10

// reason takes an execution's error apart: the name of the error, what is wrong, and the remedy if it is told.
func reason(x Ended) (kind, why, remedy string) {
	kind, why = x.Error, x.Cause
	// A function's error comes as JSON.
	// https://docs.aws.amazon.com/lambda/latest/dg/golang-exceptions.html
	var told struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}
	if json.Unmarshal([]byte(x.Cause), &told) == nil && told.Message != "" {
		why = told.Message
		if kind == "" {
			kind = told.Type
		}
	}
	if kind == "" {
		kind = x.Status
	}
	if why == "" {
		why = "Step Functions gives no cause"
	}
	why, remedy, _ = strings.Cut(why, "; remedy: ")
	return kind, fit.Bytes(why, maxWhy), fit.Bytes(remedy, maxWhy)
}

// place finds out what an execution is about: first from the state in which it stands, then from the event.
func place(x Ended) Where {
	w := Where{Machine: x.Machine, State: x.State, Status: x.Status, Execution: x.Name, ExecutionARN: x.ARN}
	if e, err := event.Parse([]byte(x.Input)); err == nil {
		w.Account, w.Region, w.Connection, w.Notebook, w.RouteTable = e.Account, e.Region, cmp.Or(e.PeeringID, e.GatewayID), e.NotebookName, e.RouteTableID
		w.Resource = cmp.Or(e.ClusterARN, e.Cluster, e.Workgroup, e.DomainID)
	}
	type spot struct{ Account, Region, Name string }
	var in struct {
		Connection struct{ ID string }
		Side       *struct{ VPC spot }
		Notebook   *spot
	}
	if json.Unmarshal([]byte(x.StateInput), &in) != nil {
		return w
	}
	if in.Connection.ID != "" {
		w.Connection = in.Connection.ID
	}
	if in.Side != nil && in.Side.VPC.Account != "" {
		w.Account, w.Region = in.Side.VPC.Account, in.Side.VPC.Region
	}
	if in.Notebook != nil && in.Notebook.Name != "" {
		w.Account, w.Region, w.Notebook = in.Notebook.Account, in.Notebook.Region, in.Notebook.Name
	}
	return w
}

// SweepFailures is what executions of drawbridge-sweep are about that fail, for the ledger. They are over with the first that comes to its end.
const SweepFailures = "failures of drawbridge-sweep"

// subject names what an execution is about, for the ledger: the same for each that looks at the same thing. It is empty where two may be about different things:
// a change may name any number of them.
func subject(x Ended) string {
	w := place(x)
	e, _ := event.Parse([]byte(x.Input)) // zero if it cannot be read
	var in struct{ VPC struct{ ID string } }
	_ = json.Unmarshal([]byte(x.StateInput), &in) // likewise
	names := []string{w.thing(), in.VPC.ID, e.VPC, e.AttachmentID, e.ShareARN}
	for _, v := range e.VPCs {
		names = append(names, v.VPC)
	}
	named := strings.Join(slices.DeleteFunc(names, func(s string) bool { return s == "" }), " ")
	switch {
	case x.Machine == "drawbridge-sweep":
		return SweepFailures
	case named == "" || slices.Contains([]string{"drawbridge-change", "drawbridge-rebuild"}, x.Machine):
		return ""
	}
	return x.Machine + " " + named
}

func (w Where) thing() string {
	var parts []string
	for _, part := range []struct{ before, value string }{{"", w.Connection}, {"notebook ", w.Notebook}, {"", w.RouteTable}, {"", w.Resource}, {"in account ", w.Account}, {"", w.Region}} {
		if part.value != "" {
			parts = append(parts, part.before+part.value)
		}
	}
	return strings.Join(parts, " ")
}

// console links to an execution in the AWS console; "" where people have none.
func console(execution string) string {
	a, err := arn.Parse(execution)
	host := arn.Console(a.Partition, a.Region)
	if err != nil || host == "" {
		return ""
	}
	return fmt.Sprintf("https://%s/states/home?region=%s#/v2/executions/details/%s", host, a.Region, execution)
}

// Message is the notification about something that needs attention.
func Message(a Attention) Notification {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n", a.What)
	for _, s := range []struct{ head, text string }{
		{"Why", a.Kind + ": " + a.Why}, {"What to do", a.Remedy}, {"Then", a.Command}, {"More", a.Runbook}, {"Console", a.Console},
	} {
		if s.text != "" {
			fmt.Fprintf(&b, "\n%s\n  %s\n", s.head, s.text)
		}
	}
	return Notification{Kind: AttentionNeeded, Account: a.Where.Account, Subject: "Drawbridge: " + a.What, Body: b.String()}
}
