package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// studio returns the definition of the machine drawbridge-studio:
//
//	InspectStudio ─ admit, retract ─→ WriteStudioRole → AdmitEachRole → IdentifyEachDomain → ReleaseEachRole → ConcludeStudio
//	              │                                               → Identified, AwaitingApps, Incomplete, Contested, Removed or Released
//	              ├ released ──────→ ConcludeStudio
//	              ├ announce → Announced
//	              ├ refuse ──→ Refused
//	              └ nothing ─→ Nothing
//
// What is granted and what is taken back goes the same way: the steps are given what shall be. Who leaves is out of the readers' role first;
// what an execution role needs for the setting of its domain goes after that setting.
func (h *hub) studio(scope constructs.Construct) sfn.IChainable {
	of := h.about(scope, "InspectStudio", nil)
	write := h.task(scope, "WriteStudioRole", pick("warehouse", "roles"), result{selector: data{"hops": at("$.Payload.hops")}, path: "$.written"})
	// One execution writes to one execution role at a time; two executions take turns by its lease.
	step := func(id, state, items, answers string, atOnce float64, item, before string) sfn.Map {
		payload := pick("warehouse", item)
		given := data{"warehouse": at("$.warehouse"), item: at("$$.Map.Item.Value")}
		if before != "" {
			payload[before], given[before] = at("$."+before), at("$."+before)
		}
		return each(scope, id, mapped{items: items, answers: answers, item: given, atOnce: atOnce}, h.task(scope, state, payload, result{output: "$.Payload"}))
	}
	admit := step("AdmitEachRole", "AdmitExecutionRole", "$.roles", "$.admitted", 1, "role", "")
	identify := step("IdentifyEachDomain", "IdentifyUsers", "$.domains", "$.identified", 0, "domain", "admitted")
	release := step("ReleaseEachRole", "ReleaseExecutionRole", "$.leaving", "$.released", 1, "role", "identified")
	conclude := of.last("ConcludeStudio", pick("reason", "decision", "warehouse", "roles", "unfit", "written", "admitted", "identified", "released"),
		end{workflow.Identified, "Each person queries the cluster as the database user of their own name."},
		end{workflow.AwaitingApps, "A domain's setting follows by itself as soon as its apps are deleted."},
		end{workflow.Incomplete, incompleteEnd},
		end{workflow.Contested, contestedEnd},
		end{workflow.Removed, "Nobody reads the cluster any more; what was added for it is gone."},
		end{workflow.Released, releasedEnd})
	write.Next(admit).Next(identify).Next(release).Next(conclude)
	return of.answered(
		answer{workflow.AnswerAdmit, write}, answer{workflow.AnswerRetract, write}, answer{workflow.AnswerReleased, conclude},
		answer{workflow.AnswerAnnounce, of.ends(workflow.Announced, "A look was asked for at each cluster that the roles of the account, or the people of the domain, may read.")},
		answer{workflow.AnswerRefuse, of.ends(workflow.RefusedByPolicy, "The policy does not allow it; the output says which.")})
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
