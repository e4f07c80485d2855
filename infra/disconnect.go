package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// disconnect returns the states that take away what Drawbridge added for a connection that is over. On each side the
// firewall closes before the routes go, so that an interrupted run leaves no opening without a path for it; host routes
// follow, since what a notebook still needs is told by the routes that are left; then what restore puts back, if there is one; the
// status goes last. With nothing left
// to remove, both Maps are empty, and only the end is named: one of ends.
//
// The same states take away a part of a connection that stays: after the answer trim they take what the sides name, and
// trimmed follows.
func (h *hub) disconnect(scope constructs.Construct, trimmed sfn.IChainable, restore sfn.TaskStateBase, ends ...end) sfn.IChainable {
	closing := h.task(scope, "CloseFirewall",
		data{"connection": at("$.connection"), "answer": at("$.answer"), "row": at("$.row")},
		result{path: "-"})
	sides := each(scope, "DisconnectBothSides", "$.sides", "-", numbered(), &sfn.MapProps{}, closing.Next(h.row(scope, "RemoveRoutes")))
	// One after the other, as notebooks may share a lifecycle configuration.
	notebooks := each(scope, "WithdrawFromNotebooks", "$.notebooks", "-", numbered(), &sfn.MapProps{MaxConcurrency: jsii.Number(1)}, h.row(scope, "WithdrawRoutes"))

	told := data{"result": at("$.result"), "reason": at("$.reason"), "said": at("$.said"), "connection": at("$.connection"), "tagged": at("$.tagged"), "ended": at("$.ended")}
	conclude := h.task(scope, "ConcludeRemoval", told, result{output: "$.Payload"})
	var over sfn.IChainable = conclude
	if restore != nil {
		restore.Next(conclude)
		over = restore
	}

	var answers []answer
	for _, e := range ends {
		answers = append(answers, answer{e.result, succeed(scope, e.result, e.meaning)})
	}
	conclude.Next(choose(scope, "ChooseEnd", "$.result", answers))
	sides.Next(notebooks)
	notebooks.Next(choose(scope, "ChooseRest", "$.answer", []answer{{"disconnect", over}, {"trim", trimmed}}))
	return sides
}

// end is an end state of a machine, with its meaning for people.
type end struct{ result, meaning string }
