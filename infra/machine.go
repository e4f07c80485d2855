package main

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// machine is all that one state machine is: each stands in a file of its own, with its states, what starts it and what its states may do. What several
// have in common stands once: connect.go, disconnect.go and endpoint.go, with what may be done there, too.
type machine struct {
	name   string // of drawbridge-<name>, and of its readable form in the package template
	define func(*hub, constructs.Construct) sfn.IChainable
	// starts returns the patterns that start it, by the names of their rules on the hub's bus; nil: no event starts it. The CDK writes them.
	starts   func() map[string]*awsevents.EventPattern
	forwards []kind                       // what members forward for it
	steps    map[string]step              // what its Task states may do, but for the one that all machines have
	more     func(*hub, sfn.StateMachine) // makes what it has beside that; nil: nothing
}

// machines are all the machines.
func machines() []machine {
	return []machine{
		peeringMachine, transitMachine, changeMachine, sweepMachine, notebookMachine, dataAPIMachine, studioMachine, shareMachine, attachmentMachine,
		privateNotebooksMachine, dataAPIEndpointMachine, rebuildMachine,
	}
}

// steps has one entry for each Task state of each machine. The narrowest resource and condition that IAM knows for an
// action is in the Service Authorization Reference:
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
//
// Reads that know no resource ("Describe", "List") stand alone, so that no write ever shares a statement with "*".
var steps = func() map[string]step {
	out := all(heldSteps)
	for _, m := range machines() {
		maps.Copy(out, m.steps)
	}
	return out
}()

// kinds are all the kinds of events that members forward. Those about tags and what may have them are made from the table of pkg/tag. EC2 has no event
// of its own for peerings, only CloudTrail's record of the call:
// https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ec2.html
var kinds = func() []kind {
	var out []kind
	for _, m := range machines() {
		out = append(out, m.forwards...)
	}
	return out
}()

// machine makes the machine drawbridge-<name> and the rules that start it, one for each kind of event.
func (h *hub) machine(m machine) {
	name := m.name
	scope := constructs.NewConstruct(h.stack, jsii.String(title(name)))
	logs := awslogs.NewLogGroup(scope, jsii.String("Logs"), &awslogs.LogGroupProps{
		// Under this prefix CloudWatch needs no statement for each group in its resource policy, which has a size limit:
		// https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
		LogGroupName:  jsii.String("/aws/vendedlogs/states/drawbridge-" + name),
		Retention:     awslogs.RetentionDays_THREE_MONTHS,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	definition := m.define(h, scope)
	h.hold(scope, definition)
	machine := sfn.NewStateMachine(scope, jsii.String("Machine"), &sfn.StateMachineProps{
		StateMachineName: jsii.String("drawbridge-" + name),
		StateMachineType: sfn.StateMachineType_STANDARD,
		DefinitionBody:   sfn.DefinitionBody_FromChainable(definition),
		Timeout:          awscdk.Duration_Seconds(jsii.Number(3600)),
		TracingEnabled:   jsii.Bool(true),
		Logs:             &sfn.LogOptions{Destination: logs, Level: sfn.LogLevel_ALL, IncludeExecutionData: jsii.Bool(true)},
	})
	h.made(name, machine)
	bus := awsevents.EventBus_FromEventBusName(scope, jsii.String("Bus"), jsii.String(busName))
	var patterns map[string]*awsevents.EventPattern
	if m.starts != nil {
		patterns = m.starts()
	}
	for _, kind := range slices.Sorted(maps.Keys(patterns)) {
		rule := awsevents.NewRule(scope, jsii.String(title(kind)+"Rule"), &awsevents.RuleProps{
			RuleName:     jsii.String("drawbridge-" + kind),
			Description:  jsii.String("Starts drawbridge-" + name + " with the event."),
			EventBus:     bus,
			EventPattern: patterns[kind],
		})
		rule.Node().AddDependency(h.bus)
		h.hand(rule, awseventstargets.NewSfnStateMachine(machine, nil))
	}
	every := &awscloudwatch.MetricOptions{Period: awscdk.Duration_Minutes(jsii.Number(5)), Statistic: jsii.String("Sum")}
	h.alarm(title(name)+"Failed",
		"An execution of drawbridge-"+name+" failed. The notification about it says what to do.",
		machine.MetricFailed(every), false)
	h.alarm(title(name)+"TimedOut",
		"An execution of drawbridge-"+name+" took longer than an hour. The notification about it says what to do.",
		machine.MetricTimedOut(every), false)
	if m.more != nil {
		m.more(h, machine)
	}
}

// callsOf returns the pattern of CloudTrail's records of calls to EC2.
func callsOf(names []string) *awsevents.EventPattern { return recorded("ec2", names...) }

// recorded returns the pattern of CloudTrail's records of calls to a service.
func recorded(service string, names ...string) *awsevents.EventPattern {
	return recordedBy([]string{service}, names...)
}

// recordedBy returns the pattern of CloudTrail's records of calls to any of some services.
func recordedBy(services []string, names ...string) *awsevents.EventPattern {
	var sources []string
	for _, s := range services {
		sources = append(sources, "aws."+s)
	}
	return &awsevents.EventPattern{
		Source:     jsii.Strings(sources...),
		DetailType: jsii.Strings("AWS API Call via CloudTrail"),
		Detail:     &map[string]any{"eventName": jsii.Strings(names...)},
	}
}

// internal returns the pattern of one of the events by which Drawbridge asks itself for a look.
func internal(detailType string) *awsevents.EventPattern { return announced(event.Source, detailType) }

// announced returns the pattern of some of Drawbridge's own events, from the hub's account alone: members could send them too.
func announced(source string, detailTypes ...string) *awsevents.EventPattern {
	return &awsevents.EventPattern{Account: &[]*string{awscdk.Aws_ACCOUNT_ID()}, Source: jsii.Strings(source), DetailType: jsii.Strings(detailTypes...)}
}
