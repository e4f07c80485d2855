package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// dashboard makes the CloudWatch dashboard drawbridge: what was asked for and what became of it, how long it took, what
// went wrong, and what waits for a person. The metrics in the namespace Drawbridge come from the functions' logs
// (pkg/workflow/metric.go), the others from AWS.
func (h *hub) dashboard() {
	const wide, high = 12, 6
	own := func(m workflow.Metric, statistic, label string, dimensions *map[string]*string) awscloudwatch.IMetric {
		return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace: jsii.String(workflow.Namespace), MetricName: jsii.String(string(m)), DimensionsMap: dimensions,
			Statistic: jsii.String(statistic), Label: jsii.String(label), Period: awscdk.Duration_Minutes(jsii.Number(5)),
		})
	}
	graph := func(title string, stacked bool, unit string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
		return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
			Title: jsii.String(title), Left: &metrics, Stacked: jsii.Bool(stacked), Width: jsii.Number(wide), Height: jsii.Number(high),
			LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0), Label: jsii.String(unit), ShowUnits: jsii.Bool(false)},
		})
	}
	ledger := func(name, label string) awscloudwatch.IMetric {
		return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
			Namespace: jsii.String("AWS/DynamoDB"), MetricName: jsii.String(name),
			DimensionsMap: &map[string]*string{"TableName": h.ledgerTable.ValueAsString()},
			Statistic:     jsii.String("Sum"), Label: jsii.String(label), Period: awscdk.Duration_Minutes(jsii.Number(5)),
		})
	}
	var faults, failed, running []awscloudwatch.IMetric
	for _, kind := range fault.Kinds() {
		faults = append(faults, own(workflow.Faults, "Sum", string(kind), &map[string]*string{workflow.KindDimension: jsii.String(string(kind))}))
	}
	for _, name := range h.machineNames {
		machine := h.machines[name]
		every := func(label string) *awscloudwatch.MetricOptions {
			return &awscloudwatch.MetricOptions{Period: awscdk.Duration_Minutes(jsii.Number(5)), Statistic: jsii.String("Sum"), Label: jsii.String("drawbridge-" + name + " " + label)}
		}
		failed = append(failed, machine.MetricFailed(every("failed")), machine.MetricTimedOut(every("timed out")))
		running = append(running, machine.MetricStarted(every("started")))
	}
	awscloudwatch.NewDashboard(h.stack, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName:   jsii.String("drawbridge"),
		DefaultInterval: awscdk.Duration_Days(jsii.Number(7)),
		Widgets: &[]*[]awscloudwatch.IWidget{
			{
				graph("Requests and what became of them", false, "a period",
					own(workflow.Requests, "Sum", "requests", nil), own(workflow.Connections, "Sum", "connected", nil), own(workflow.PartConnections, "Sum", "partly connected", nil),
					own(workflow.ApprovalsNeeded, "Sum", "approval needed", nil), own(workflow.Refusals, "Sum", "refused", nil),
					own(workflow.Removals, "Sum", "removed", nil),
					own(workflow.StuckApprovals, "Sum", "stuck", nil), own(workflow.ExpiredRequests, "Sum", "expired", nil)),
				graph("Time from the event to Connected", false, "seconds",
					own(workflow.TimeToConnect, "p50", "half", nil), own(workflow.TimeToConnect, "p95", "19 of 20", nil),
					own(workflow.TimeToConnect, "Maximum", "slowest", nil)),
			},
			{
				graph("Failed attempts of steps, by kind (most are retried)", true, "a period", faults...),
				graph("Executions that did not succeed", true, "a period", failed...),
			},
			{
				graph("Executions", true, "a period", running...),
				graph("Dead letters that wait", false, "events", h.dead.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{
					Period: awscdk.Duration_Minutes(jsii.Number(5)), Statistic: jsii.String("Maximum"), Label: jsii.String(deadLettersName)})),
			},
			{
				graph("Ledger", false, "units or events a period",
					ledger("ConsumedReadCapacityUnits", "read"), ledger("ConsumedWriteCapacityUnits", "written"),
					ledger("ReadThrottleEvents", "reads throttled"), ledger("WriteThrottleEvents", "writes throttled")),
			},
		},
	})
}

// made remembers a machine for the rules and the dashboard that speak of all of them.
func (h *hub) made(name string, machine sfn.StateMachine) {
	if h.machines == nil {
		h.machines = map[string]sfn.StateMachine{}
	}
	h.machines[name], h.machineNames = machine, append(h.machineNames, name)
}

// machineArns returns the ARNs of all machines.
func (h *hub) machineArns() []*string {
	var all []*string
	for _, name := range h.machineNames {
		all = append(all, h.machines[name].StateMachineArn())
	}
	return all
}
