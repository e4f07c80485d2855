package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// studio returns the definition of the machine drawbridge-studio:
//
//	InspectStudio ─ admit, retract ─→ WriteStudioRole → AdmitEachRole → IdentifyEachDomain → ReleaseEachRole → ConcludeStudio
//	              │                                               → Identified, AwaitingApps, Incomplete, Contested or Removed
//	              ├ announce → Announced
//	              ├ refuse ──→ Refused
//	              └ nothing ─→ Nothing
//
// What is granted and what is taken back goes the same way: the steps are given what shall be. Who leaves is out of the readers' role first;
// what an execution role needs for the setting of its domain goes after that setting.
func (h *hub) studio(scope constructs.Construct) sfn.IChainable {
	inspect := h.task(scope, "InspectStudio", data{"event": at("$")}, result{output: "$.Payload"})
	write := h.task(scope, "WriteStudioRole", data{"warehouse": at("$.warehouse"), "roles": at("$.roles")},
		result{selector: data{"hops": at("$.Payload.hops")}, path: "$.written"})
	// One execution writes to one execution role at a time; two executions take turns by its lease.
	oneByOne := func() *sfn.MapProps { return &sfn.MapProps{MaxConcurrency: jsii.Number(1)} }
	admit := each(scope, "AdmitEachRole", "$.roles", "$.admitted",
		data{"warehouse": at("$.warehouse"), "role": at("$$.Map.Item.Value")}, oneByOne(),
		h.task(scope, "AdmitExecutionRole", data{"warehouse": at("$.warehouse"), "role": at("$.role")}, result{output: "$.Payload"}))
	identify := each(scope, "IdentifyEachDomain", "$.domains", "$.identified",
		data{"warehouse": at("$.warehouse"), "domain": at("$$.Map.Item.Value"), "admitted": at("$.admitted")},
		&sfn.MapProps{},
		h.task(scope, "IdentifyUsers", data{"warehouse": at("$.warehouse"), "domain": at("$.domain"), "admitted": at("$.admitted")}, result{output: "$.Payload"}))
	release := each(scope, "ReleaseEachRole", "$.leaving", "$.released",
		data{"warehouse": at("$.warehouse"), "role": at("$$.Map.Item.Value"), "identified": at("$.identified")}, oneByOne(),
		h.task(scope, "ReleaseExecutionRole", data{"warehouse": at("$.warehouse"), "role": at("$.role"), "identified": at("$.identified")}, result{output: "$.Payload"}))
	conclude := h.task(scope, "ConcludeStudio",
		data{
			"reason": at("$.reason"), "decision": at("$.decision"), "warehouse": at("$.warehouse"), "roles": at("$.roles"), "unfit": at("$.unfit"),
			"written": at("$.written"), "admitted": at("$.admitted"), "identified": at("$.identified"), "released": at("$.released"),
		},
		result{output: "$.Payload"})
	write.Next(admit).Next(identify).Next(release).Next(conclude).Next(choose(scope, "ChooseStudioEnd", "$.result", []answer{
		{"Identified", succeed(scope, "Identified", "Each person queries the cluster as the database user of their own name.")},
		{"AwaitingApps", succeed(scope, "AwaitingApps", "A domain's setting follows by itself as soon as its apps are deleted.")},
		{"Incomplete", succeed(scope, "Incomplete", incompleteEnd)},
		{"Contested", succeed(scope, "Contested", contestedEnd)},
		{"Removed", succeed(scope, "Removed", "Nobody reads the cluster any more; what was added for it is gone.")},
	}))
	return inspect.Next(choose(scope, "ChooseStudio", "$.answer", []answer{
		{"admit", write}, {"retract", write},
		{"announce", succeed(scope, "Announced", "A look was asked for at each cluster that the roles of the account, or the people of the domain, may read.")},
		{"refuse", succeed(scope, "Refused", "The policy does not allow it; the output says which.")},
		{"nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	}))
}

// peopleCalls change which execution roles the people of a Studio domain have.
var peopleCalls = []string{"CreateDomain", "UpdateDomain", "CreateUserProfile", "UpdateUserProfile"}

// studioPatterns are what starts the machine: an app that is deleted, and who works in a domain with which role. Clusters, workgroups and
// roles are told by drawbridge-change.
func studioPatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{
		"studio-apps":    recorded("sagemaker", "DeleteApp"),
		"studio-people":  recorded("sagemaker", peopleCalls...),
		"studio-inspect": internal(event.StudioToInspect),
	}
}
