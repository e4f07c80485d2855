package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// notebookMachine is about notebook instances: the one that changed state, or those of the subnets that use a changed route table.
var notebookMachine = machine{
	name: "notebook", define: (*hub).notebook, forwards: notebookKinds, steps: notebookSteps,
	starts: func() map[string]*awsevents.EventPattern {
		return map[string]*awsevents.EventPattern{
			"notebook":         {Source: jsii.Strings("aws.sagemaker"), DetailType: jsii.Strings("SageMaker Notebook Instance State Change")},
			"routes":           callsOf(routeCalls),
			"inspect-notebook": internal(event.NotebookToInspect),
			"restart-notebook": internal(event.NotebookToRestart),
		}
	},
}

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
		tried(data{"connection": at("$.connection"), "routed": at("$.routed"), "notebook": at("$.notebook"), "phase": at("$.restart.phase")}),
		result{path: "$.attached", selector: data{"answer": at("$.Payload.answer"), "hops": at("$.Payload.hops")}})
	wait := pause(scope, "WaitForNotebook", seconds(30), "Stopping, attaching and starting take minutes.")
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

// notebookKinds are what members forward for it. The route tables are also those of peerings and of gateways: see [changePatterns].
var notebookKinds = []kind{
	{
		name:  "notebook",
		about: "A SageMaker notebook instance started or stopped, or is being deleted.",
		pattern: map[string]any{
			"source":      []string{"aws.sagemaker"},
			"detail-type": []string{"SageMaker Notebook Instance State Change"},
			"detail":      map[string]any{"NotebookInstanceStatus": []string{"Pending", "InService", "Stopped", "Deleting"}},
		},
	},
	{
		name:    "routes",
		about:   "Somebody changed what the route table of a subnet reaches.",
		pattern: callPattern(ec2, map[string]any{"eventName": routeCalls}),
	},
}

// notebookSteps are what its states may do.
var notebookSteps = map[string]step{
	"InspectNotebooks": {
		readsParam:  true,
		asksOrg:     true,
		keeps:       true,
		keepsLedger: true,
		announces:   true,
		leases:      "notebook",
		member: []grant{
			{actions: []string{
				"ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs", "ec2:DescribeRouteTables", "ec2:DescribeSubnets",
				"sagemaker:ListNotebookInstances",
			}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:ListTags"},
				resources: []string{notebooks}},
		},
	},
	"AttachRoutes": {
		keepsLedger: true,
		announces:   true,
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables", "sagemaker:ListNotebookInstances"}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:UpdateNotebookInstance"},
				resources: []string{notebooks}},
			{actions: []string{
				"sagemaker:DescribeNotebookInstanceLifecycleConfig", "sagemaker:UpdateNotebookInstanceLifecycleConfig",
			}, resources: []string{lifecycles}},
			{actions: []string{"sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:DeleteNotebookInstanceLifecycleConfig"},
				resources: []string{ownLifecycles}},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{notebooks}, when: only(tag.Reason, tag.Since, tag.Status)},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{ownLifecycles}, when: only("drawbridge:subnet")},
		},
	},
	"StopNotebook": {
		keepsLedger: true,
		member:      []grant{{actions: []string{"sagemaker:StopNotebookInstance"}, resources: []string{notebooks}}},
	},
	"StartNotebook": {
		member: []grant{{actions: []string{"sagemaker:StartNotebookInstance"}, resources: []string{notebooks}}},
	},
}
