package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	tasks "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctionstasks"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// studio returns the definition of the machine drawbridge-studio:
//
//	InspectStudio ─ admit, retract ─→ WriteStudioRole → AdmitEachRole ──┐
//	              ├ identify ────────────────────────→ IdentifyEachDomain → ConcludeStudio
//	              │                                      → Identified, AwaitingApps or Removed
//	              ├ announce → Announced
//	              ├ refuse ──→ Refused
//	              └ nothing ─→ Nothing
//
// What is granted and what is taken back goes the same way: the steps are given what shall be. Only who retracts goes by
// ForgetReaders before the end: until there, the readers' role remembers who leaves.
func (h *hub) studio(scope constructs.Construct) sfn.IChainable {
	inspect := h.task(scope, "InspectStudio", data{"event": at("$")}, result{output: "$.Payload"})
	readers := func(state string) tasks.LambdaInvoke {
		return h.task(scope, state, data{"warehouse": at("$.warehouse"), "roles": at("$.roles")},
			result{selector: data{"hops": at("$.Payload.hops")}, path: "$.written"})
	}
	write, forget := readers("WriteStudioRole"), readers("ForgetReaders")
	admit := each(scope, "AdmitEachRole", "$.roles", "$.admitted",
		data{"warehouse": at("$.warehouse"), "role": at("$$.Map.Item.Value")},
		// Two warehouses may write to one execution role; one execution writes to one role at a time.
		&sfn.MapProps{MaxConcurrency: jsii.Number(1)},
		h.task(scope, "AdmitExecutionRole", data{"warehouse": at("$.warehouse"), "role": at("$.role")}, result{output: "$.Payload"}))
	identify := each(scope, "IdentifyEachDomain", "$.domains", "$.identified",
		data{"domain": at("$$.Map.Item.Value")},
		&sfn.MapProps{},
		h.task(scope, "IdentifyUsers", data{"domain": at("$.domain")}, result{output: "$.Payload"}))
	conclude := h.task(scope, "ConcludeStudio",
		data{
			"reason": at("$.reason"), "warehouse": at("$.warehouse"), "roles": at("$.roles"),
			"domains": at("$.domains"), "written": at("$.written"), "admitted": at("$.admitted"), "identified": at("$.identified"),
		},
		result{output: "$.Payload"})
	none := sfn.NewPass(scope, jsii.String("NoRoles"), &sfn.PassProps{
		Comment:    jsii.String("Only the domain's setting is in question."),
		Parameters: &map[string]any{"hops": []any{}},
		ResultPath: jsii.String("$.written"),
	})
	none.Next(admit) // over no roles
	write.Next(admit)
	forget.Next(conclude)
	admit.Next(identify).Next(choose(scope, "ChooseForgetting", "$.answer", []answer{
		{"retract", forget}, {"admit", conclude}, {"identify", conclude},
	}))
	conclude.Next(choose(scope, "ChooseStudioEnd", "$.result", []answer{
		{"Identified", succeed(scope, "Identified", "Each person queries the cluster as the database user of their own name.")},
		{"AwaitingApps", succeed(scope, "AwaitingApps", "A domain's setting follows by itself as soon as its apps are deleted.")},
		{"Removed", succeed(scope, "Removed", "Nobody reads the cluster any more; what was added for it is gone.")},
	}))
	return inspect.Next(choose(scope, "ChooseStudio", "$.answer", []answer{
		{"admit", write}, {"retract", write}, {"identify", none},
		{"announce", succeed(scope, "Announced", "A look was asked for at each cluster that the roles of the account may read.")},
		{"refuse", succeed(scope, "Refused", "The policy does not allow it; the output says which.")},
		{"nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	}))
}

// studioIndex is the path of the parameters that say which clusters named an account.
const studioIndex = "/drawbridge/studio"

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
