package main

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// change returns the definition of the machine drawbridge-change:
//
//	FindConnections ┬ WaitForOthers → ReportContest → Contested or Nothing
//	                ├ AnswerTags ┐
//	                └────────────┴ Announced or Nothing
//
// It starts nothing itself: for each thing that the event concerns, FindConnections puts one of Drawbridge's own events on the hub's bus,
// whose rules start the machine of that thing. Only where a tag was set or removed there is something to answer: whether its value means
// anything.
func (h *hub) change(scope constructs.Construct) sfn.IChainable {
	find := h.task(scope, "FindConnections", data{"event": at("$")}, result{output: "$.Payload"})
	ends := []answer{
		{"Announced", succeed(scope, "Announced", "Each thing that the event concerns is looked at by an execution of its own.")},
		{"Nothing", succeed(scope, "Nothing", "There is nothing to do about this event; the output says why.")},
	}
	answerTags := h.task(scope, "AnswerTags", data{"things": at("$.tagged")}, result{path: "$.answered", selector: data{
		"told": at("$.Payload.told"), "cleared": at("$.Payload.cleared"), "reason": at("$.Payload.reason")}})
	answerTags.Next(choose(scope, "ChooseAnswered", "$.result", ends))
	// A run that takes one thing away takes others in the same minutes. Who is told of all of them is told once.
	wait := pause(scope, "WaitForOthers", 5*60, "Whoever takes one thing away takes more of them in the same minutes, and their records come late.")
	report := h.task(scope, "ReportContest", data{"connection": at("$.contested")}, result{output: "$.Payload"})
	wait.Next(report).Next(choose(scope, "ChooseReported", "$.result", []answer{
		{"Contested", succeed(scope, "Contested", "Somebody took away again what was put back. It is left to them, and both owners were told how to end it.")},
		{"Nothing", ends[1].next},
	}))
	// Most events tag nothing, and then the way is no longer.
	found := sfn.NewChoice(scope, jsii.String("ChooseFound"), &sfn.ChoiceProps{})
	found.When(sfn.Condition_Not(sfn.Condition_StringEquals(jsii.String("$.contested"), jsii.String(""))), wait, nil)
	found.When(sfn.Condition_IsPresent(jsii.String("$.tagged[0]")), answerTags, nil)
	for _, e := range ends {
		found.When(sfn.Condition_StringEquals(jsii.String("$.result"), jsii.String(string(e.is))), e.next, nil)
	}
	return find.Next(found)
}

// handCalls are all touches but those that start the machine by another rule.
func handCalls() []string {
	return slices.DeleteFunc(event.TouchCalls(touched...), func(call string) bool { return slices.Contains(named(touched, tag.Deletes), call) })
}

// changePatterns are what starts the machine: everything that may name several things, and what the services say of databases.
func changePatterns() map[string]*awsevents.EventPattern {
	network := slices.Concat(named(ec2, tag.Creates, tag.Deletes, tag.Changes), tableCalls)
	return map[string]*awsevents.EventPattern{
		"ec2-tags":       callsOf(named(ec2, tag.Sets, tag.Removes)),
		"network":        callsOf(network),
		"service-tags":   recordedBy(ownTags, named(ownTags, tag.Sets, tag.Removes)...),
		"database":       recordedBy(databaseKeep, named(databaseKeep, tag.Creates, tag.Changes, tag.Deletes)...),
		"hands":          recordedBy(touched, handCalls()...),
		"contest":        internal(event.ContestToReport),
		"roles":          recorded("iam", named([]string{"iam"}, tag.Creates, tag.Deletes)...),
		"secrets":        recordedBy([]string{"kms", "secretsmanager"}, named([]string{"kms", "secretsmanager"}, tag.Creates)...),
		"tagging":        recorded("tagging", named([]string{"tagging"}, tag.Sets, tag.Removes)...),
		"tag":            {Source: jsii.Strings("aws.tag"), DetailType: jsii.Strings("Tag Change on Resource")},
		"database-state": {Source: jsii.Strings("aws.rds"), DetailType: jsii.Strings("RDS DB Instance Event", "RDS DB Cluster Event")},
	}
}
