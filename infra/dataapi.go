package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// incompleteEnd is what Incomplete says of access.
const incompleteEnd = "Some are not served, or something could not be taken back; the output names each, and why."

// contestedEnd is what Contested says of access.
const contestedEnd = "Somebody takes away again what Drawbridge adds. It is left to them; its owners are told how to end it."

// releasedEnd is what Released says of access.
const releasedEnd = "Its owner took it out of Drawbridge's hands, as it stands."

// dataAPI returns the definition of the machine drawbridge-data-api:
//
//	InspectDataApi ─ expose ───→ EnableHttpEndpoint → AdmitConsumers ─┐
//	               ├ retract ─────────────────────────────────────────┴→ RetractDataApi ─┐
//	               ├ conclude ───────────────────────────────────────────────────────────┴→ ConcludeDataApi ─ Exposed
//	               └ nothing ──→ Nothing                                                                    ├ Retracted
//	                                                                                                        ├ Refused
//	                                                                                                        ├ Released
//	                                                                                                        └ Contested
//
// One execution is about one Aurora cluster. What it does not need any more is taken back after what it needs is there: all of it, or
// the grant for a secret that it had before.
func (h *hub) dataAPI(scope constructs.Construct) sfn.IChainable {
	of := h.about(scope, "InspectDataApi", nil)
	// What the inspection answers has an empty list of hops for each step, so that those on the other way have one too.
	step := func(state, path string) sfn.TaskStateBase {
		return h.task(scope, state, pick("dataApi"), result{selector: data{"hops": at("$.Payload.hops")}, path: path})
	}
	enable, admit, retract := step("EnableHttpEndpoint", "$.enabled"), step("AdmitConsumers", "$.admitted"), step("RetractDataApi", "$.retracted")
	conclude := of.last("ConcludeDataApi", pick("result", "reason", "decision", "dataApi", "enabled", "admitted", "retracted"),
		end{workflow.Exposed, "The admitted accounts may query the cluster; the verdict says who may not, and why."},
		end{workflow.Retracted, "What Drawbridge added for the cluster's consumers is gone."},
		end{workflow.RefusedByPolicy, "The policy admits none of the accounts; the output names the policy."},
		end{workflow.Released, releasedEnd},
		end{workflow.Contested, contestedEnd})
	enable.Next(admit)
	admit.Next(retract)
	retract.Next(conclude)
	return of.answered(
		answer{workflow.AnswerExpose, enable}, answer{workflow.AnswerRetract, retract}, answer{workflow.AnswerConclude, conclude})
}

// dataAPIPatterns are the events that start the machine. All that concerns a cluster is told by drawbridge-change.
func dataAPIPatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{"inspect-data-api": internal(event.DataAPIToInspect)}
}
