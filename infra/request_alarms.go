package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// requestAlarms makes the alarms on requests that nobody answers. They tell nobody: the step that counts a request tells
// people of it, once, and knows which one it is.
func (h *hub) requestAlarms() {
	for _, a := range []struct {
		id, about string
		metric    workflow.Metric
	}{
		{"StuckApproval", "A request waits too long for its owner, or expires within a day.", workflow.StuckApprovals},
		{"ExpiredRequest", "A request expired, because nobody answered it.", workflow.ExpiredRequests},
	} {
		h.alarm(a.id, a.about+" The notification about it says what to do.", awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace: jsii.String(workflow.Namespace), MetricName: jsii.String(string(a.metric)),
			Period: awscdk.Duration_Minutes(jsii.Number(5)), Statistic: jsii.String("Sum"),
		}), false)
	}
}
