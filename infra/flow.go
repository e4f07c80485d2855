package main

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	tasks "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctionstasks"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// flow is the definition of a machine about one thing, while it is written. All have this shape:
//
//	ReceiveEvent → Inspect… → ChooseAnswer ─ an answer → its states → ChooseEnd → an end
//	                   ↑            ├ wait ──→ Wait… ─┐
//	                   └────────────│─────────────────┘
//	                                └ nothing → Nothing
//
// Nothing in a machine decides: the inspection reads the facts and asks the policy, the machine only follows its answer. An answer without a place in
// a Choice fails the execution (there is no default), rather than passing for success. Whatever comes back to the inspection reads the facts anew.
type flow struct {
	*hub
	scope   constructs.Construct
	inspect tasks.LambdaInvoke
	begins  data
}

// saysUnread are the inspections of connections: what cannot be read after all tries is said on both sides.
var saysUnread = []string{"InspectPeering", "InspectTransit"}

// about begins the definition of a machine whose first Task is inspect. begins is what an execution knows before it, beside its event, which is kept as it
// came. Without begins the machine never comes back to the inspection, and its input is the event itself.
func (h *hub) about(scope constructs.Construct, inspect string, begins data) flow {
	payload := data{"event": at("$")}
	if begins != nil {
		payload["event"] = at("$.event")
		for name := range begins {
			payload[name] = at("$." + name)
		}
	}
	if slices.Contains(saysUnread, inspect) {
		payload = tried(payload)
	}
	return flow{h, scope, h.task(scope, inspect, payload, result{output: "$.Payload"}), begins}
}

// answered ends the definition: the machine follows the inspection's answer, and ends where there is nothing to do.
func (f flow) answered(answers ...answer) sfn.IChainable {
	answers = append(answers, answer{workflow.AnswerNothing, succeed(f.scope, "Nothing", "There is nothing to do about this event; the output says why.")})
	chain := f.inspect.Next(choose(f.scope, "ChooseAnswer", "$.answer", answers))
	if f.begins == nil {
		return chain
	}
	known := data{"event": at("$")}
	maps.Copy(known, f.begins)
	return sfn.NewPass(f.scope, jsii.String("ReceiveEvent"), &sfn.PassProps{
		Comment:    jsii.String("The event is kept as it came; nothing is known yet."),
		Parameters: (*map[string]any)(&known),
	}).Next(chain)
}

// wait returns the state after which the thing is inspected again. AWS sends no event for what is waited for: why says what that is.
func (f flow) wait(state string, long sfn.WaitTime, why string) sfn.Wait {
	wait := pause(f.scope, state, long, why)
	wait.Next(f.inspect)
	return wait
}

// anew returns the state after which the thing is inspected anew, with what is known by then, beside the event.
func (f flow) anew(known data) sfn.IChainable {
	known["event"] = at("$.event")
	anew := sfn.NewPass(f.scope, jsii.String("LookAgain"), &sfn.PassProps{
		Comment:    jsii.String("What was read of the networks may be old by now."),
		Parameters: (*map[string]any)(&known),
	})
	anew.Next(f.inspect)
	return anew
}

// last returns the Task after which an execution ends as its output says. With one end there is nothing to choose.
func (f flow) last(state string, payload data, ends ...end) tasks.LambdaInvoke {
	task := f.task(f.scope, state, payload, result{output: "$.Payload"})
	if len(ends) == 1 {
		task.Next(succeed(f.scope, string(ends[0].result), ends[0].meaning))
	} else {
		task.Next(chooseEnd(f.scope, "ChooseEnd", ends))
	}
	return task
}

// ends returns an end state without a Task of its own.
func (f flow) ends(result workflow.Result, meaning string) sfn.IChainable {
	return succeed(f.scope, string(result), meaning)
}

// pick returns the payload that takes these fields of the machine's data as they are.
func pick(names ...string) data {
	out := data{}
	for _, name := range names {
		out[name] = at("$." + name)
	}
	return out
}

// pause returns a Wait. How often an execution may wait, an hour long, counts for its history: see docs/quotas.md.
func pause(scope constructs.Construct, state string, long sfn.WaitTime, why string) sfn.Wait {
	return sfn.NewWait(scope, jsii.String(state), &sfn.WaitProps{Comment: jsii.String(why), Time: long})
}

// seconds is how long a Wait takes that is always as long.
func seconds(n float64) sfn.WaitTime {
	return sfn.WaitTime_Duration(awscdk.Duration_Seconds(jsii.Number(n)))
}

// asSaid is how long a Wait takes after an inspection that says it, by [workflow.Pause].
func asSaid() sfn.WaitTime { return sfn.WaitTime_SecondsPath(jsii.String("$.pause")) }

// mapped says over which items a Map does its step, and where the answers go, in the items' order; "-" forgets them.
type mapped struct {
	items, answers string
	item           data
	atOnce         float64 // how many; 0: as many as Step Functions does
}

// each returns an inline Map.
func each(scope constructs.Construct, id string, m mapped, step sfn.IChainable) sfn.Map {
	props := &sfn.MapProps{ItemsPath: jsii.String(m.items), ResultPath: jsii.String(m.answers), ItemSelector: (*map[string]any)(&m.item)}
	if m.answers == "-" {
		props.ResultPath = sfn.JsonPath_DISCARD()
	}
	if m.atOnce > 0 {
		props.MaxConcurrency = jsii.Number(m.atOnce)
	}
	made := sfn.NewMap(scope, jsii.String(id), props)
	made.ItemProcessor(step, &sfn.ProcessorConfig{Mode: sfn.ProcessorMode_INLINE})
	return made
}

// answer is one answer of a function and the state that it leads to.
type answer struct {
	is   workflow.Answer
	next sfn.IChainable
}

// choose returns a Choice on the answer at a path. An answer that it does not know fails the execution.
func choose(scope constructs.Construct, id, path string, answers []answer) sfn.Choice {
	choice := sfn.NewChoice(scope, jsii.String(id), &sfn.ChoiceProps{})
	for _, a := range answers {
		choice.When(sfn.Condition_StringEquals(jsii.String(path), jsii.String(string(a.is))), a.next, nil)
	}
	return choice
}

// end is an end state of a machine, with its meaning for people. docs/runbook.md says for each what an operator does with it.
type end struct {
	result  workflow.Result
	meaning string
}

// chooseEnd returns the Choice between end states by the result of a step. Each is named as its result.
func chooseEnd(scope constructs.Construct, id string, ends []end) sfn.Choice {
	var answers []answer
	for _, e := range ends {
		answers = append(answers, answer{workflow.Answer(e.result), succeed(scope, string(e.result), e.meaning)})
	}
	return choose(scope, id, "$.result", answers)
}

// succeed returns an end state.
func succeed(scope constructs.Construct, id, meaning string) sfn.Succeed {
	return sfn.NewSucceed(scope, jsii.String(id), &sfn.SucceedProps{Comment: jsii.String(meaning)})
}
