package main

import (
	"maps"

	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// connect returns the states that set up a connection, whatever its routes lead through. In each machine that connects,
// they are the same and share their functions:
//
//	RouteBothSides { AddRoutes } → OpenBothSides { OpenFirewall } → InjectIntoNotebooks → VerifyConnection → Connected, PartlyConnected, PendingApproval or Contested
//
// verdict is what else VerifyConnection is told. A connection that was deleted while it was being set up goes back to the
// state inspect: what came too late for the deletion's own execution goes then.
func (h *hub) connect(scope constructs.Construct, inspect sfn.IChainable, verdict data) sfn.IChainable {
	route := each(scope, "RouteBothSides", "$.sides", "$.routed",
		data{"connection": at("$.connection"), "side": at("$$.Map.Item.Value")},
		&sfn.MapProps{},
		h.task(scope, "AddRoutes",
			data{"connection": at("$.connection"), "side": at("$.side")},
			result{output: "$.Payload"}))

	open := each(scope, "OpenBothSides", "$.sides", "$.opened",
		data{"connection": at("$.connection"), "side": at("$$.Map.Item.Value")},
		&sfn.MapProps{},
		h.task(scope, "OpenFirewall",
			data{"connection": at("$.connection"), "side": at("$.side")},
			result{output: "$.Payload"}))

	// The items are the numbers of the ledger's rows that name the notebooks; one after the other, as notebooks may share a lifecycle configuration.
	inject := each(scope, "InjectIntoNotebooks", "$.notebooks", "$.injected",
		data{"connection": at("$.connection"), "routed": at("$.routed"), "row": at("$$.Map.Item.Value")},
		&sfn.MapProps{MaxConcurrency: jsii.Number(1)},
		h.task(scope, "InjectRoutes",
			data{"connection": at("$.connection"), "routed": at("$.routed"), "row": at("$.row")},
			result{output: "$.Payload"}))

	told := data{
		"connection": at("$.connection"), "since": at("$.since"), "reason": at("$.reason"), "sides": at("$.sides"),
		"found": at("$.found"), "routed": at("$.routed"), "opened": at("$.opened"), "injected": at("$.injected"),
	}
	maps.Copy(told, verdict)
	verify := h.task(scope, "VerifyConnection", told, result{output: "$.Payload"})

	verify.AddCatch(inspect, &sfn.CatchProps{Errors: jsii.Strings(string(fault.Over)), ResultPath: sfn.JsonPath_DISCARD()})

	route.Next(open).Next(inject).Next(verify).Next(choose(scope, "ChooseVerified", "$.result", []answer{
		{"Connected", succeed(scope, "Connected", "Every allowed path is whole, or cannot be judged to its end; the output has a line for each.")},
		{"PartlyConnected", succeed(scope, "PartlyConnected", "Some of the allowed paths fail; the output says which, where, and whose that is.")},
		{"PendingApproval", succeed(scope, "PendingApproval", "Connected as it was approved. What came later waits for the owner who was asked.")},
		{"Contested", succeed(scope, "Contested", "Somebody takes away again what Drawbridge adds. It is left to them; both owners are told how to end it.")},
	}))
	return route
}
