package main

import (
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	tasks "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctionstasks"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// connect returns the states that set up a connection, whatever its routes lead through. In each machine that connects,
// they are the same and share their functions:
//
//	RouteBothSides { AddRoutes } → OpenBothSides { OpenFirewall } → InjectIntoNotebooks → VerifyConnection → Connected, PartlyConnected, PendingApproval or Contested
//
// The items of the Maps are the numbers of the ledger's rows about the sides and the notebooks; what a step finds and does stands there, too. A connection that
// was deleted while it was being set up, or looked at by another execution, goes back to the
// state inspect: what came too late for the deletion's own execution goes then.
func (h *hub) connect(scope constructs.Construct, inspect sfn.IChainable) sfn.IChainable {
	route := each(scope, "RouteBothSides", "$.sides", "-", numbered(), &sfn.MapProps{}, h.row(scope, "AddRoutes"))
	open := each(scope, "OpenBothSides", "$.sides", "-", numbered(), &sfn.MapProps{}, h.row(scope, "OpenFirewall"))
	// Not yet after all the retries: a group of the peer cannot be named once the peering was deleted, or it was. The look after that knows either.
	open.AddCatch(inspect, &sfn.CatchProps{Errors: jsii.Strings(string(fault.NotYet)), ResultPath: sfn.JsonPath_DISCARD()})
	// One after the other, as notebooks may share a lifecycle configuration.
	inject := each(scope, "InjectIntoNotebooks", "$.notebooks", "-", numbered(), &sfn.MapProps{MaxConcurrency: jsii.Number(1)}, h.row(scope, "InjectRoutes"))

	verify := h.task(scope, "VerifyConnection",
		data{"connection": at("$.connection"), "since": at("$.since"), "reason": at("$.reason"), "answer": at("$.answer")},
		result{output: "$.Payload"})
	verify.AddCatch(inspect, &sfn.CatchProps{Errors: jsii.Strings(string(fault.Over)), ResultPath: sfn.JsonPath_DISCARD()})

	route.Next(open).Next(inject).Next(verify).Next(choose(scope, "ChooseVerified", "$.result", []answer{
		{"Connected", succeed(scope, "Connected", "Every allowed path is whole, or cannot be judged to its end; the output has a line for each.")},
		{"PartlyConnected", succeed(scope, "PartlyConnected", "Some of the allowed paths fail; the output says which, where, and whose that is.")},
		{"PendingApproval", succeed(scope, "PendingApproval", "Connected as it was approved. What came later waits for the owner who was asked.")},
		{"Contested", succeed(scope, "Contested", "Somebody takes away again what Drawbridge adds. It is left to them; both owners are told how to end it.")},
	}))
	return route
}

// numbered is the item of a Map over the numbers of rows.
func numbered() data {
	return data{"connection": at("$.connection"), "answer": at("$.answer"), "row": at("$$.Map.Item.Value")}
}

// row returns the Task of a state that works on one row, which it names by its number, and says how much it told.
func (h *hub) row(scope constructs.Construct, state string) tasks.LambdaInvoke {
	return h.task(scope, state, data{"connection": at("$.connection"), "answer": at("$.answer"), "row": at("$.row")}, result{output: "$.Payload"})
}
