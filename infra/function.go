package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	arns "github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/hold"
)

// memory is what each function has, in MiB.
const memory = 256

// function returns the Lambda function of a Task state, or of a listener, made when first asked for: its own role, its own log group, its
// own code, and nothing in its environment that it does not need.
func (h *hub) function(state string) awslambda.IFunction {
	if made, ok := h.functions[state]; ok {
		return made
	}
	step, isState := h.steps[state]
	about := "the state " + state
	if listener, ok := listeners[state]; ok {
		step, about = listener, "the listener "+state
	} else if !isState {
		panic(fmt.Sprintf("state %s has no entry in the steps of its machine: say there what its function may do", state))
	}
	scope := constructs.NewConstruct(h.stack, jsii.String(state))
	name := hubName(state)

	logs := awslogs.NewLogGroup(scope, jsii.String("Logs"), &awslogs.LogGroupProps{
		LogGroupName:  jsii.String("/aws/lambda/" + name),
		Retention:     awslogs.RetentionDays_THREE_MONTHS,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	env := map[string]*string{
		// CloudTrail of a member account then names the function in the user agent.
		"AWS_SDK_UA_APP_ID": jsii.String(name),
		// What the SDK makes when a process starts is no garbage: to look for some costs as much again. Near the function's memory it is looked for all the same.
		// https://go.dev/doc/gc-guide#Memory_limit
		"GOGC": jsii.String("400"), "GOMEMLIMIT": jsii.String(fmt.Sprintf("%dMiB", memory*4/5)),
	}
	var grants []statement
	for _, n := range h.needs(state, step) {
		if !n.has {
			continue
		}
		maps.Copy(env, n.env)
		if n.may != nil {
			grants = append(grants, n.may)
		}
	}

	role := awsiam.NewCfnRole(scope, jsii.String("Role"), &awsiam.CfnRoleProps{
		RoleName:    jsii.String(name),
		Description: jsii.String("Drawbridge's function for " + about + "."),
		AssumeRolePolicyDocument: document(statement{
			"Effect": "Allow", "Principal": map[string]any{"Service": arns.ServicePrincipal("lambda")}, "Action": "sts:AssumeRole"}),
		Policies: inline("step", grants...),
	})

	h.functions[state] = awslambda.NewFunction(scope, jsii.String("Function"), &awslambda.FunctionProps{
		FunctionName:  jsii.String(name),
		Description:   jsii.String("Drawbridge: " + about + "."),
		Runtime:       awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:  awslambda.Architecture_ARM_64(),
		Handler:       jsii.String("bootstrap"),
		Code:          awslambda.Code_FromAsset(jsii.String(filepath.Join(h.code, kebab(state))), nil),
		Role:          awsiam.Role_FromRoleArn(scope, jsii.String("OwnRole"), role.AttrArn(), &awsiam.FromRoleArnOptions{Mutable: jsii.Bool(false)}),
		Environment:   &env,
		MemorySize:    jsii.Number(memory),
		Timeout:       awscdk.Duration_Seconds(jsii.Number(60)),
		LogGroup:      logs,
		LoggingFormat: awslambda.LoggingFormat_JSON,
	})
	return h.functions[state]
}

// hubNeed is one thing that a function may need in the hub.
type hubNeed struct {
	has bool               // this one needs it
	env map[string]*string // the variables that say where it is
	may statement          // the right to it; nil where knowing is enough
}

// needs is the table of what a function may need in the hub, as its step says.
func (h *hub) needs(state string, step step) []hubNeed {
	text, here := jsii.String, "${AWS::Region}:${AWS::AccountId}"
	executions := "arn:${AWS::Partition}:states:" + here + ":execution:drawbridge-"
	parameter := func(name string) statement {
		return allow("ssm:GetParameter", sub("arn:${AWS::Partition}:ssm:"+here+":parameter"+name))
	}
	var machines []any
	for _, name := range hold.Machines() {
		machines = append(machines, sub("arn:${AWS::Partition}:states:"+here+":stateMachine:drawbridge-"+name))
	}
	may := slices.Clone(ledgerReads)
	if step.keepsLedger || step.brakes {
		may = append(may, ledgerWrites...)
	}
	// A role of that name in an account of somebody else is not ours, whatever it trusts.
	assume := allow("sts:AssumeRole", sub("arn:${AWS::Partition}:iam::*:role/"+memberRole(state)))
	assume["Condition"] = map[string]any{"StringEquals": map[string]any{"aws:ResourceOrgID": awscdk.Fn_Ref(text("OrganizationId"))}}
	member := len(step.member) > 0

	return []hubNeed{
		// IAM knows no resource of ListAccounts.
		{step.listsOrg, map[string]*string{"REGIONS": h.regions.ValueAsString()}, allow("organizations:ListAccounts", "*")},
		{member, map[string]*string{"MEMBER_ROLE": text(memberRole(state)), "EXTERNAL_ID": h.externalID.ValueAsString()}, assume},
		{true, nil, allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, sub("arn:${AWS::Partition}:logs:"+here+":log-group:/aws/lambda/"+hubName(state)+":*"))},
		{step.readsParam, map[string]*string{"POLICY_PARAMETER": text(policyParameter)}, parameter(policyParameter)},
		{step.readsMode || step.announces || step.notifies || member, map[string]*string{"MODE_PARAMETER": text(modeParameter)}, parameter(modeParameter)},
		{step.takes, map[string]*string{"TAKES_AWAY": text("true")}, nil},
		{step.resumes, nil, allow("states:StartExecution", machines)},
		{step.readsCallers, map[string]*string{"CALLERS_PARAMETER": text(callersParameter)}, parameter(callersParameter)},
		{step.brakes, map[string]*string{"BRAKE_CONNECTIONS": h.brakeConnections.ValueAsString(), "BRAKE_PERCENT": h.brakePercent.ValueAsString()}, nil},
		{step.readsLedger || step.keepsLedger || step.brakes, map[string]*string{"LEDGER_TABLE": h.ledgerTable.ValueAsString()}, ledgerGrant(may)},
		{step.knowsRegions, map[string]*string{"REGIONS": h.regions.ValueAsString()}, nil},
		{step.asksOrg, nil, allow("organizations:DescribeAccount", sub("arn:${AWS::Partition}:organizations::*:account/${OrganizationId}/*"))},
		{step.namesUnits, nil, allow("organizations:DescribeOrganizationalUnit", sub("arn:${AWS::Partition}:organizations::*:ou/${OrganizationId}/*"))},
		{step.keeps, map[string]*string{"DEAD_LETTER_QUEUE": h.dead.QueueUrl()}, allow("sqs:SendMessage", h.dead.QueueArn())},
		{step.notifies, map[string]*string{"TOPIC_ARN": h.topic.TopicArn()}, allow("sns:Publish", h.topic.TopicArn())},
		{step.patient, map[string]*string{"APPROVAL_PATIENCE": h.patience.ValueAsString()}, nil},
		{step.announces, map[string]*string{"BUS_NAME": text(busName)}, allow("events:PutEvents", h.bus.AttrArn())},
		{step.leases != "", map[string]*string{"EXECUTIONS": sub(executions + step.leases)}, allow("states:DescribeExecution", sub(executions+step.leases+":*"))},
		{step.looksBack, nil, allow([]string{"states:DescribeExecution", "states:GetExecutionHistory"}, sub(executions+"*:*"))},
	}
}

// allow returns the statement that allows actions on resources.
func allow(actions, resources any) statement {
	return statement{"Effect": "Allow", "Action": actions, "Resource": resources}
}

// checkBuilt says in one sentence what to do if a function was not built.
func checkBuilt(folder string) error {
	for _, state := range functionNames() {
		bootstrap := filepath.Join(folder, kebab(state), "bootstrap")
		if _, err := os.Stat(bootstrap); err != nil {
			return fmt.Errorf("%s is missing: run `make package`, which builds the functions for Lambda", bootstrap)
		}
	}
	return nil
}
