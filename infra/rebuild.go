package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// rebuild returns the definition of the machine drawbridge-rebuild, which only people start:
//
//	StartRebuild → ListAccounts → RebuildEachAccount { RebuildAccount ─ error → RebuildMissed } → TallyRebuild → ChooseRebuilt
//	                    ↑                                                                        ├ Rebuilt
//	                    │                                                                        ├ PartlyRebuilt
//	                    └────────────────────────────────────────────────────────────────────────┴ more
//
// It visits accounts as a sweep does, but starts nothing, resumes nothing and asks for no look: what is looked at before the ledger is whole is
// taken for somebody else's.
func (h *hub) rebuild(scope constructs.Construct) sfn.IChainable {
	list := h.task(scope, "ListAccounts",
		data{"sweep": at("$.sweep"), "page": at("$.page"), "tally": at("$.tally")},
		result{output: "$.Payload"})
	each := h.eachAccount(scope, "RebuildEachAccount", h.task(scope, "RebuildAccount", pick("territory", "regions"), result{output: "$.Payload"}),
		"RebuildMissed", "This account was not read, or not wholly; TallyRebuild tells people.")
	tally := h.task(scope, "TallyRebuild",
		data{"executionId": at("$$.Execution.Id"), "sweep": at("$.sweep"), "page": at("$.page"), "tally": at("$.tally"),
			"accounts": at("$.accounts"), "visits": at("$.visits")},
		result{output: "$.Payload"})
	list.Next(each).Next(tally).Next(choose(scope, "ChooseRebuilt", "$.answer", []answer{
		{workflow.AnswerMore, list},
		{"Rebuilt", succeed(scope, "Rebuilt", "The ledger has what carries Drawbridge's marks; the output says what could not be told.")},
		{"PartlyRebuilt", succeed(scope, "PartlyRebuilt", "Some accounts could not be read; the output names them.")},
	}))
	return sfn.NewPass(scope, jsii.String("StartRebuild"), &sfn.PassProps{
		Comment:    jsii.String("The input may name accounts and Regions; an empty one means all."),
		Parameters: tallied(),
	}).Next(list)
}

// rebuilds makes the machine drawbridge-rebuild. No rule starts it.
func (h *hub) rebuilds() { h.mapped("rebuild", h.machine("rebuild", h.rebuild, nil)) }
