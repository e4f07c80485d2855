package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
)

// tellPeople makes the rules that start the function drawbridge-tell-people: when an execution did not succeed, when
// events wait in the dead-letter queue, and when something became of access. Step Functions and CloudWatch tell the first two to the account's default bus:
// https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
//
// The notification about an execution comes from the function, which knows the cause and the remedy; so the alarms on
// executions tell nobody. The alarms on dead letters and on the function itself do, because they must not depend on it.
//
// Of an event the function gets what it reads, whatever else is in it: that of an execution has its input and output, too.
func (h *hub) tellPeople() {
	tell := h.function("TellPeople")
	scope := constructs.NewConstruct(h.stack, jsii.String("Notices"))
	for _, r := range []struct {
		id, name, about string
		pattern         *awsevents.EventPattern
		reads           any
	}{
		{"Failures", "drawbridge-failures", "Tells people of an execution that did not succeed.", &awsevents.EventPattern{
			Source:     jsii.Strings("aws.states"),
			DetailType: jsii.Strings("Step Functions Execution Status Change"),
			Detail: &map[string]any{
				"stateMachineArn": h.machineArns(),
				"status":          jsii.Strings("FAILED", "TIMED_OUT", "ABORTED"),
			},
		}, map[string]any{"executionArn": ofEvent("$.detail.executionArn")}},
		{"Alarms", "drawbridge-alarms", "Tells programs of dead letters.", &awsevents.EventPattern{
			Source:     jsii.Strings("aws.cloudwatch"),
			DetailType: jsii.Strings("CloudWatch Alarm State Change"),
			Detail: &map[string]any{
				"alarmName": jsii.Strings("drawbridge-" + kebab(deadLettersAlarm)),
				"state":     map[string]any{"value": jsii.Strings("ALARM")},
			},
		}, map[string]any{"alarmName": ofEvent("$.detail.alarmName"), "state": map[string]any{"reason": ofEvent("$.detail.state.reason")},
			"configuration": map[string]any{"description": ofEvent("$.detail.configuration.description")}}},
		{"Access", "drawbridge-access", "Tells the owners of access what became of it.", access(), ofEvent("$.detail")},
	} {
		props := &awsevents.RuleProps{RuleName: jsii.String(r.name), Description: jsii.String(r.about), EventPattern: r.pattern}
		if r.pattern.Account != nil { // Drawbridge's own events are on its bus
			props.EventBus = awsevents.EventBus_FromEventBusName(scope, jsii.String("Bus"), jsii.String(busName))
		}
		rule := awsevents.NewRule(scope, jsii.String(r.id), props)
		if props.EventBus != nil {
			rule.Node().AddDependency(h.bus)
		}
		h.hand(rule, awseventstargets.NewLambdaFunction(tell, &awseventstargets.LambdaFunctionProps{Event: awsevents.RuleTargetInput_FromObject(map[string]any{
			"id": ofEvent("$.id"), "detail-type": ofEvent("$.detail-type"), "account": ofEvent("$.account"), "region": ofEvent("$.region"), "detail": r.reads})}))
	}
	h.alarm("TellPeopleFailed",
		"drawbridge-tell-people could not tell what happened. Its log says why; the executions that failed are in Step Functions. "+
			"What to do: docs/runbook.md#alarms",
		tell.MetricErrors(&awscloudwatch.MetricOptions{Period: awscdk.Duration_Minutes(jsii.Number(5)), Statistic: jsii.String("Sum")}), true)
}

// access is the pattern of the events about access, of which no machine tells people by itself.
func access() *awsevents.EventPattern {
	var kinds []string
	for _, k := range notice.Accesses() {
		kinds = append(kinds, string(k))
	}
	return announced(notice.Source, kinds...)
}

// ofEvent is a field of the event that a rule takes, for what its target gets.
func ofEvent(path string) *string { return awsevents.EventField_FromPath(jsii.String(path)) }

// listeners are the functions that no machine has a state for: a rule starts them. They enter no member
// account.
var listeners = map[string]step{
	"TellPeople": {notifies: true, announces: true, looksBack: true, keepsLedger: true},
}
