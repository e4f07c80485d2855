package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// peering returns the definition of the machine drawbridge-peering:
//
//	ReceiveEvent → InspectPeering ─ accept ──→ AcceptPeering ──┐
//	                    ↑          ├ wait ────→ WaitForPeering ─┤
//	                    └──────────│────────────────────────────┘
//	                               ├ connect → AllowDnsResolution → RouteBothSides → OpenBothSides
//	                               │             → InjectIntoNotebooks → VerifyConnection → Connected
//	                               │               (not active any more: back to InspectPeering)
//	                               ├ extend ─→ AskAgain → AllowDnsResolution → … → PendingApproval
//	                               ├ trim ───→ DisconnectBothSides → WithdrawFromNotebooks → LookAgain
//	                               │             → InspectPeering
//	                               ├ conflict → ReportConflict → LookAgain → InspectPeering
//	                               ├ unreadable → ReportUnreadable → (held) Unreadable
//	                               ├ ask ────→ AskApproval → AwaitingApproval
//	                               ├ refuse ─→ RefusePeering → Refused
//	                               ├ disconnect → DisconnectBothSides { CloseFirewall → RemoveRoutes }
//	                               │             → WithdrawFromNotebooks → RestoreDnsResolution
//	                               │             → ConcludeRemoval → ChooseEnd
//	                               │             → Removed, Rejected, Expired, Withdrawn or Released
//	                               └ nothing → Nothing
//
// Nothing in it decides: InspectPeering reads the facts and asks the policy, the machine only follows its answer. An
// answer without a place here fails the execution (there is no default), rather than passing for success.
func (h *hub) peering(scope constructs.Construct) sfn.IChainable {
	awaitingApproval := succeed(scope, "AwaitingApproval", "The accepter's owner decides by the tag drawbridge:approval.")
	refused := succeed(scope, "Refused", "The policy or the networks do not allow it; the output says which and why.")
	nothing := succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")

	inspect := h.task(scope, "InspectPeering",
		data{"event": at("$.event"), "looked": at("$.looked")},
		result{output: "$.Payload"})

	wait := sfn.NewWait(scope, jsii.String("WaitForPeering"), &sfn.WaitProps{
		Comment: jsii.String("AWS says nothing when a peering becomes active, so it is looked at again."),
		Time:    sfn.WaitTime_Duration(awscdk.Duration_Seconds(jsii.Number(5))),
	})
	wait.Next(inspect)

	accept := h.task(scope, "AcceptPeering",
		data{"connection": at("$.connection")},
		result{path: "-"})
	accept.Next(inspect) // within one Region it is often active by the time it is looked at

	conclusion := data{
		"connection": at("$.connection"), "members": at("$.members"),
		"reason": at("$.reason"), "said": at("$.said"), "request": at("$.request"), "decision": at("$.decision"), "reject": at("$.reject"),
		"told": at("$.told"), "reminded": at("$.reminded"), "expires": at("$.expires"),
	}
	ask := h.task(scope, "AskApproval",
		conclusion,
		result{output: "$.Payload"})
	ask.Next(awaitingApproval)

	refuse := h.task(scope, "RefusePeering",
		conclusion,
		result{output: "$.Payload"})
	refuse.Next(refused)

	dns := h.task(scope, "AllowDnsResolution",
		data{"connection": at("$.connection"), "answer": at("$.answer")},
		result{path: "-"})

	again := h.task(scope, "AskAgain",
		data{"connection": at("$.connection")},
		result{path: "-"})
	again.Next(dns)

	route := h.connect(scope, inspect)
	dns.Next(route)
	// Not active after all the retries: deleted meanwhile, and what was known of it is no more.
	dns.AddCatch(inspect, &sfn.CatchProps{Errors: jsii.Strings(string(fault.NotYet)), ResultPath: sfn.JsonPath_DISCARD()})

	lookAgain := sfn.NewPass(scope, jsii.String("LookAgain"), &sfn.PassProps{
		Comment:    jsii.String("What was read of the networks may be old by now."),
		Parameters: &map[string]any{"event": at("$.event"), "looked": map[string]any{"trimmed": true}},
	})
	lookAgain.Next(inspect)

	report := h.task(scope, "ReportConflict",
		data{"connection": at("$.connection"), "members": at("$.members")},
		result{path: "-"})
	report.Next(lookAgain)

	restore := h.task(scope, "RestoreDnsResolution",
		data{"connection": at("$.connection"), "answer": at("$.answer")},
		result{path: "-"})
	disconnect := h.disconnect(scope, lookAgain, restore,
		end{"Removed", "The peering was deleted, or is not allowed any more; what Drawbridge added for it is gone."},
		end{"Rejected", "The accepter rejected the request."},
		end{"Expired", "Nobody answered the request in time."},
		end{"Withdrawn", "The requester deleted the request before it was accepted."},
		end{"Released", "An owner took the peering out of Drawbridge's hands, as it stands."})

	choice := choose(scope, "ChooseAnswer", "$.answer", []answer{
		{"accept", accept}, {"wait", wait}, {"connect", dns}, {"extend", again}, {"trim", disconnect}, {"conflict", report}, {"unreadable", h.unreadable(scope)},
		{"ask", ask}, {"refuse", refuse}, {"disconnect", disconnect}, {"nothing", nothing},
	})

	receive := sfn.NewPass(scope, jsii.String("ReceiveEvent"), &sfn.PassProps{
		Comment:    jsii.String("The event is kept as it came; nothing is known yet."),
		Parameters: &map[string]any{"event": at("$"), "looked": map[string]any{}},
	})
	return receive.Next(inspect).Next(choice)
}

// unreadable returns the step that says that something of a connection cannot be read now. It always fails: see [hub.hold].
func (h *hub) unreadable(scope constructs.Construct) sfn.IChainable {
	return h.task(scope, "ReportUnreadable",
		data{"connection": at("$.connection"), "reason": at("$.reason"), "said": at("$.said")},
		result{path: "-"})
}

// each returns an inline Map that does step for every item at a path and puts the answers, in the items' order, at
// another; "-" forgets them.
func each(scope constructs.Construct, id, items, answers string, item data, props *sfn.MapProps, step sfn.IChainable) sfn.Map {
	props.ItemsPath = jsii.String(items)
	props.ResultPath = jsii.String(answers)
	if answers == "-" {
		props.ResultPath = sfn.JsonPath_DISCARD()
	}
	props.ItemSelector = (*map[string]any)(&item)
	m := sfn.NewMap(scope, jsii.String(id), props)
	m.ItemProcessor(step, &sfn.ProcessorConfig{Mode: sfn.ProcessorMode_INLINE})
	return m
}

// answer is one answer of a function and the state that it leads to.
type answer struct {
	is   string
	next sfn.IChainable
}

// choose returns a Choice on the answer at a path. An answer that it does not know fails the execution.
func choose(scope constructs.Construct, id, path string, answers []answer) sfn.Choice {
	choice := sfn.NewChoice(scope, jsii.String(id), &sfn.ChoiceProps{})
	for _, a := range answers {
		choice.When(sfn.Condition_StringEquals(jsii.String(path), jsii.String(a.is)), a.next, nil)
	}
	return choice
}

// succeed returns an end state. docs/runbook.md says for each what an operator does with it.
func succeed(scope constructs.Construct, id, meaning string) sfn.Succeed {
	return sfn.NewSucceed(scope, jsii.String(id), &sfn.SucceedProps{Comment: jsii.String(meaning)})
}
