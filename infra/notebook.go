package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// notebook returns the definition of the machine drawbridge-notebook:
//
//	InspectNotebooks ─ inject ─→ InjectEachNotebook → InLine
//	                 └ nothing → Nothing
func (h *hub) notebook(scope constructs.Construct) sfn.IChainable {
	inLine := succeed(scope, "InLine", "The notebooks' host routes are those of their subnets' route tables.")
	nothing := succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")
	inspect := h.task(scope, "InspectNotebooks",
		data{"event": at("$")},
		result{output: "$.Payload"})
	inject := h.eachNotebook(scope)
	inject.Next(inLine)
	return inspect.Next(choose(scope, "ChooseNotebooks", "$.answer", []answer{
		{"inject", inject}, {"nothing", nothing},
	}))
}

// eachNotebook returns the Map that gives the notebooks at $.notebooks their host routes, one after the other because
// they may share a lifecycle configuration:
//
//	InjectRoutes ─ done ──→ NotebookDone
//	     ↑       ├ stop ──→ StopNotebook ──┐
//	     │       ├ start ─→ StartNotebook ─┤
//	     │       └ wait ───────────────────┴→ WaitForNotebook ─┐
//	     └─────────────────────────────────────────────────────┘
//
// A notebook is stopped only where its owner allows it, and one that was stopped is started again whatever became of
// its routes: InjectRoutes answers start also when it could not attach them, and fails only after the start.
func (h *hub) eachNotebook(scope constructs.Construct) sfn.Map {
	done := sfn.NewSucceed(scope, jsii.String("NotebookDone"), &sfn.SucceedProps{
		Comment:    jsii.String("This notebook is in line, or its hop says what is missing."),
		OutputPath: jsii.String("$.injected"),
	})
	inject := h.task(scope, "InjectRoutes",
		data{"connection": at("$.connection"), "routed": at("$.routed"), "notebook": at("$.notebook"), "phase": at("$.restart.phase")},
		result{path: "$.injected", selector: data{"answer": at("$.Payload.answer"), "hops": at("$.Payload.hops"), "set": at("$.Payload.set")}})
	wait := sfn.NewWait(scope, jsii.String("WaitForNotebook"), &sfn.WaitProps{
		Comment: jsii.String("Stopping, attaching and starting take minutes."),
		Time:    sfn.WaitTime_Duration(awscdk.Duration_Seconds(jsii.Number(15))),
	})
	wait.Next(inject)
	stop := h.task(scope, "StopNotebook",
		data{"notebook": at("$.notebook")},
		result{path: "$.restart", selector: data{"phase": at("$.Payload.phase")}})
	stop.Next(wait)
	start := h.task(scope, "StartNotebook",
		data{"notebook": at("$.notebook")},
		result{path: "$.restart", selector: data{"phase": at("$.Payload.phase")}})
	start.Next(wait)
	inject.Next(choose(scope, "ChooseNotebookAnswer", "$.injected.answer", []answer{
		{"done", done}, {"stop", stop}, {"start", start}, {"wait", wait},
	}))
	return each(scope, "InjectEachNotebook", "$.notebooks", "$.injected",
		data{"connection": at("$.connection"), "routed": at("$.routed"), "notebook": at("$$.Map.Item.Value"), "restart": data{"phase": "untouched"}},
		&sfn.MapProps{MaxConcurrency: jsii.Number(1)},
		inject)
}
