package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	tasks "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctionstasks"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// sweepMachine is about every account, by the clock and after a change of the policy or the mode.
var sweepMachine = machine{name: "sweep", define: (*hub).sweep, more: (*hub).sweeps, steps: all(sweepSteps, visitSteps)}

// sweep returns the definition of the machine drawbridge-sweep:
//
//	StartSweep → ResumeExecutions → ListAccounts → SweepEachAccount { SweepAccount ─ error → AccountMissed } → TallySweep → ChoosePage
//	                  ↑                                                                                   ├ Swept
//	                  │                                                                                   ├ PartlySwept
//	                  └───────────────────────────────────────────────────────────────────────────────────┴ more
//
// SweepEachAccount is a Distributed Map: each account is visited by an execution of its own, with a history of its own,
// and one that fails leaves the others alone. A page of accounts and a tally of bounded size is all that the machine
// ever holds.
func (h *hub) sweep(scope constructs.Construct) sfn.IChainable {
	list := h.task(scope, "ListAccounts",
		data{"sweep": at("$.sweep"), "page": at("$.page"), "tally": at("$.tally")},
		result{output: "$.Payload"})
	visit := h.task(scope, "SweepAccount", pick("territory", "regions"), result{output: "$.Payload"})
	each := h.eachAccount(scope, "SweepEachAccount", visit, "AccountMissed", "This account was not swept, or not wholly; TallySweep tells people.")
	tally := h.task(scope, "TallySweep",
		data{"executionId": at("$$.Execution.Id"), "sweep": at("$.sweep"), "page": at("$.page"), "tally": at("$.tally"),
			"accounts": at("$.accounts"), "visits": at("$.visits")},
		result{output: "$.Payload"})
	// What was held back comes first: a page at a time, as long as there is more.
	resume := h.task(scope, "ResumeExecutions", data{"machine": at("$$.StateMachine.Id"), "sweep": at("$.sweep")}, result{path: "$.resumed", selector: data{"answer": at("$.Payload.answer")}})
	room := pause(scope, "WaitForRoom", seconds(15), "Executions are started in the pace that Step Functions takes them.")
	room.Next(resume)
	resume.Next(choose(scope, "ChooseResumed", "$.resumed.answer", []answer{{workflow.AnswerMore, room}, {workflow.AnswerDone, list}}))
	list.Next(each).Next(tally).Next(choose(scope, "ChoosePage", "$.answer", []answer{
		{workflow.AnswerMore, list},
		{"Swept", succeed(scope, "Swept", "Every account was looked at; the output says what was found.")},
		{"PartlySwept", succeed(scope, "PartlySwept", "Some accounts could not be swept; the output names them, and people were told.")},
	}))
	return sfn.NewPass(scope, jsii.String("StartSweep"), &sfn.PassProps{
		Comment:    jsii.String("The input may name accounts and Regions; an empty one means all."),
		Parameters: tallied(),
	}).Next(resume)
}

// tallied is what a machine begins with that visits accounts: its own input, and a tally of nothing.
func tallied() *map[string]any {
	return &map[string]any{"sweep": at("$"), "page": "", "tally": map[string]any{
		"accounts": 0, "found": []any{}, "closed": []any{}, "barred": []any{}, "failed": []any{},
		"more": map[string]any{"closed": 0, "barred": 0, "failed": 0},
	}}
}

// eachAccount returns the Distributed Map that visits each of a page of accounts.
func (h *hub) eachAccount(scope constructs.Construct, id string, visit tasks.LambdaInvoke, missed, comment string) sfn.DistributedMap {
	// After all retries. What is lost is one account's visit; the tally says so, and the next one comes again.
	visit.AddCatch(sfn.NewPass(scope, jsii.String(missed), &sfn.PassProps{
		Comment:    jsii.String(comment),
		Parameters: &map[string]any{"account": at("$.territory.account"), "error": at("$.failed.Error"), "cause": at("$.failed.Cause")},
	}), &sfn.CatchProps{Errors: jsii.Strings("States.ALL"), ResultPath: jsii.String("$.failed")})
	each := sfn.NewDistributedMap(scope, jsii.String(id), &sfn.DistributedMapProps{
		ItemsPath:      jsii.String("$.accounts"),
		ItemSelector:   &map[string]any{"territory": at("$$.Map.Item.Value"), "regions": at("$.regions")},
		ResultPath:     jsii.String("$.visits"),
		Label:          jsii.String("accounts"),
		MaxConcurrency: jsii.Number(20),
		// A visit that fails where nothing can catch it, such as at its time limit, is told by the tally as well.
		ToleratedFailurePercentage: jsii.Number(100),
		MapExecutionType:           sfn.StateMachineType_STANDARD,
	})
	each.ItemProcessor(visit, &sfn.ProcessorConfig{})
	return each
}

// sweeps makes the rules that start drawbridge-sweep, by the clock and after a change of the policy.
func (h *hub) sweeps(machine sfn.StateMachine) {
	h.mapped("sweep", machine)
	schedule := parameter(h.stack, "SweepSchedule", h.config.SweepSchedule, whole(scheduleForm), "When every account is looked at for what no event announced.")
	rule := awsevents.NewRule(h.stack, jsii.String("SweepRule"), &awsevents.RuleProps{
		RuleName:    jsii.String("drawbridge-sweep"),
		Description: jsii.String("Starts drawbridge-sweep by the clock."),
		Schedule:    awsevents.Schedule_Expression(schedule.ValueAsString()),
	})
	// A policy that forbids what is connected, or allows what was refused, shall not wait for the clock; nor shall what was
	// held back in another mode.
	// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
	changed := awsevents.NewRule(h.stack, jsii.String("PolicyRule"), &awsevents.RuleProps{
		RuleName:    jsii.String("drawbridge-policy"),
		Description: jsii.String("Starts drawbridge-sweep when the policy or the mode in Parameter Store was changed."),
		EventPattern: &awsevents.EventPattern{
			Source:     jsii.Strings("aws.ssm"),
			DetailType: jsii.Strings("Parameter Store Change"),
			Detail:     &map[string]any{"name": []string{policyParameter, modeParameter}, "operation": []string{"Create", "Update"}},
		},
	})
	for _, r := range []awsevents.Rule{rule, changed} {
		h.hand(r, awseventstargets.NewSfnStateMachine(machine, &awseventstargets.SfnStateMachineProps{
			Input: awsevents.RuleTargetInput_FromObject(map[string]any{}),
		}))
	}
}

// mapped lets a machine run its Distributed Map.
func (h *hub) mapped(name string, machine sfn.StateMachine) {
	// A Map Run starts, watches and stops its children with the machine's own role. The CDK's policy for that names the
	// account where it knows it, so that the template would not be the same everywhere.
	// https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
	machine.Node().TryRemoveChild(jsii.String("DistributedMapPolicy"))
	executions := func(of string) string {
		return "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:drawbridge-" + name + of + ":*"
	}
	awsiam.NewCfnPolicy(h.stack, jsii.String(title(name)+"MapPolicy"), &awsiam.CfnPolicyProps{
		PolicyName: jsii.String("map"),
		Roles:      jsii.Strings(*machine.Role().RoleName()),
		PolicyDocument: document(
			allow("states:StartExecution", sub("arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:drawbridge-"+name)),
			allow([]string{"states:DescribeExecution", "states:StopExecution"}, sub(executions(""))),
			allow("states:RedriveExecution", sub(executions("/accounts")))),
	})
}

// sweepSteps are what its own states may do.
var sweepSteps = map[string]step{
	"TallySweep": {announces: true, notifies: true, keepsLedger: true},
	"SweepAccount": {
		announces:   true,
		keepsLedger: true,
		asksOrg:     true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeVpcPeeringConnections",                                                 // peerings
				"ec2:DescribeRouteTables", "ec2:DescribeSubnets", "sagemaker:ListNotebookInstances", // notebooks
				"ec2:DescribeTransitGatewayAttachments", "ec2:DescribeVpcs", // attachments
				"ec2:DescribeTransitGatewayVpcAttachments", // pairs
				"redshift:DescribeClusters",                // clusters
				"ram:GetResourceShareInvitations",          // shares
				"events:ListRules",                         // whether events reach the hub
			}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:ListTags"}, resources: []string{notebooks}},
			{actions: []string{"sagemaker:DescribeNotebookInstanceLifecycleConfig"}, resources: []string{lifecycles}},
			{actions: []string{"rds:DescribeDBClusters"}, resources: []string{clusters}},
		},
	},
	"ResumeExecutions": {readsMode: true, keepsLedger: true, resumes: true},
}

// visitSteps are what the states may do that a rebuild has as well.
var visitSteps = map[string]step{
	"ListAccounts": {listsOrg: true, readsParam: true},
}
