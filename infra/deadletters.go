package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	arns "github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

const (
	deadLettersName = "drawbridge-dead-letters"
	// deadLettersAlarm is the id of the alarm on dead letters.
	deadLettersAlarm = "DeadLettersWaiting"
)

// deadLetters makes the queue of the events that could not be handed over, and the alarm on it.
//
// EventBridge writes into it for every rule of the hub: those on its bus, arn:…:rule/drawbridge/<name>, and those on the
// default bus, arn:…:rule/drawbridge-<name>. One statement lets them all in, because a queue's policy takes 20 statements
// and 10 conditions; the CDK would write one of each for every rule. The rule's ARN names the account already.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
func (h *hub) deadLetters() {
	h.dead = awssqs.NewQueue(h.stack, jsii.String("DeadLetters"), &awssqs.QueueProps{
		QueueName:       jsii.String(deadLettersName),
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
	})
	const rules = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/"
	h.dead.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("Rules"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String(arns.ServicePrincipal("events")), nil)},
		Actions:    jsii.Strings("sqs:SendMessage"),
		Resources:  &[]*string{h.dead.QueueArn()},
		Conditions: &map[string]any{"ArnLike": map[string]any{
			"aws:SourceArn": []any{sub(rules + busName + "/*"), sub(rules + "drawbridge-*")}}},
	}))
	h.alarm(deadLettersAlarm,
		"Events could not be handed to a machine. They wait in the queue "+deadLettersName+" for 14 days. "+
			"What to do: docs/runbook.md#dead-letters. Mend what ERROR_MESSAGE names, then play them again with the command: "+
			"bin/drawbridge replay --queue "+deadLettersName+" --all",
		h.dead.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{
			Period: awscdk.Duration_Minutes(jsii.Number(5)), Statistic: jsii.String("Maximum")}), true)
}

// hand makes target the one target of rule. EventBridge tries for a day, which is the most it does; an event that still
// could not be handed over waits in the dead-letter queue. The queue is set behind the CDK's back, which would otherwise
// write into its policy; see [hub.deadLetters].
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
func (h *hub) hand(rule awsevents.Rule, target awsevents.IRuleTarget) {
	rule.AddTarget(target)
	made := rule.Node().DefaultChild().(awsevents.CfnRule)
	made.AddPropertyOverride(jsii.String("Targets.0.DeadLetterConfig.Arn"), h.dead.QueueArn())
	made.AddPropertyOverride(jsii.String("Targets.0.RetryPolicy"), map[string]any{
		"MaximumEventAgeInSeconds": 24 * 60 * 60, "MaximumRetryAttempts": 185})
}
