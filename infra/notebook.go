package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// notebook returns the definition of the machine drawbridge-notebook:
//
//	InspectNotebooks ─ inject ─→ AttachToEachNotebook → InSync
//	                 └ nothing → Nothing
//
// For each notebook, one after the other because they may share a lifecycle configuration:
//
//	AttachRoutes ─ done ──→ NotebookDone
//	     ↑       ├ stop ──→ StopNotebook ──┐
//	     │       ├ start ─→ StartNotebook ─┤
//	     │       └ wait ───────────────────┴→ WaitForNotebook ─┐
//	     └─────────────────────────────────────────────────────┘
//
// A notebook is stopped only by an execution that owes it a restart, and where its owner allows it; and one that was stopped is started again
// whatever became of its routes: AttachRoutes answers start also when it could not attach them, and fails only after the start.
func (h *hub) notebook(scope constructs.Construct) sfn.IChainable {
	of := h.about(scope, "InspectNotebooks", nil)
	done := sfn.NewSucceed(scope, jsii.String("NotebookDone"), &sfn.SucceedProps{
		Comment:    jsii.String("This notebook is in line, or its hop says what is missing."),
		OutputPath: jsii.String("$.attached"),
	})
	attach := h.task(scope, "AttachRoutes",
		data{"connection": at("$.connection"), "routed": at("$.routed"), "notebook": at("$.notebook"), "phase": at("$.restart.phase")},
		result{path: "$.attached", selector: data{"answer": at("$.Payload.answer"), "hops": at("$.Payload.hops")}})
	wait := pause(scope, "WaitForNotebook", 15, "Stopping, attaching and starting take minutes.")
	wait.Next(attach)
	restart := func(state string) sfn.IChainable {
		task := h.task(scope, state, pick("notebook"), result{path: "$.restart", selector: data{"phase": at("$.Payload.phase")}})
		task.Next(wait)
		return task
	}
	attach.Next(choose(scope, "ChooseNotebookAnswer", "$.attached.answer", []answer{
		{workflow.AnswerDone, done}, {workflow.AnswerStop, restart("StopNotebook")}, {workflow.AnswerStart, restart("StartNotebook")}, {workflow.AnswerWait, wait},
	}))
	each := each(scope, "AttachToEachNotebook", mapped{items: "$.notebooks", answers: "$.attached", atOnce: 1,
		item: data{"connection": at("$.connection"), "routed": at("$.routed"), "notebook": at("$$.Map.Item.Value"), "restart": data{"phase": at("$.phase")}}},
		attach)
	each.Next(of.ends(workflow.InSync, "The notebooks' host routes are those of their subnets' route tables."))
	return of.answered(answer{workflow.AnswerInject, each})
}
