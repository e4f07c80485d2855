package main

import (
	"fmt"
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
// Long, because each thing that a step may do is a variable and a grant, side by side: whoever adds one reads all.
func (h *hub) function(state string) awslambda.IFunction {
	if made, ok := h.functions[state]; ok {
		return made
	}
	step, isState := h.steps[state]
	if listener, ok := listeners[state]; ok {
		step = listener
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
	about := "the listener " + state
	if isState {
		about = "the state " + state
	}
	switch {
	case step.listsOrg:
		env["REGIONS"] = h.regions.ValueAsString()
		// IAM knows no resource here.
		grants = append(grants, statement{"Effect": "Allow", "Action": "organizations:ListAccounts", "Resource": "*"})
	case len(step.member) > 0:
		env["MEMBER_ROLE"], env["EXTERNAL_ID"] = jsii.String(memberRole(state)), h.externalID.ValueAsString()
		grants = append(grants, statement{"Effect": "Allow", "Action": "sts:AssumeRole",
			// A role of that name in an account of somebody else is not ours, whatever it trusts.
			"Resource":  sub("arn:${AWS::Partition}:iam::*:role/" + memberRole(state)),
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:ResourceOrgID": awscdk.Fn_Ref(jsii.String("OrganizationId"))}}})
	}
	grants = append(grants,
		statement{"Effect": "Allow", "Action": []string{"logs:CreateLogStream", "logs:PutLogEvents"},
			"Resource": sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/" + name + ":*")})
	if step.readsParam {
		env["POLICY_PARAMETER"] = jsii.String(policyParameter)
		grants = append(grants, statement{"Effect": "Allow", "Action": "ssm:GetParameter",
			"Resource": sub("arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter" + policyParameter)})
	}
	if step.readsMode || step.announces || step.notifies || len(step.member) > 0 {
		env["MODE_PARAMETER"] = jsii.String(modeParameter)
		grants = append(grants, statement{"Effect": "Allow", "Action": "ssm:GetParameter",
			"Resource": sub("arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter" + modeParameter)})
	}
	if step.takes {
		env["TAKES_AWAY"] = jsii.String("true")
	}
	if step.resumes {
		var machines []any
		for _, name := range hold.Machines() {
			machines = append(machines, sub("arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:drawbridge-"+name))
		}
		grants = append(grants, statement{"Effect": "Allow", "Action": "states:StartExecution", "Resource": machines})
	}
	if step.readsCallers {
		env["CALLERS_PARAMETER"] = jsii.String(callersParameter)
		grants = append(grants, statement{"Effect": "Allow", "Action": "ssm:GetParameter",
			"Resource": sub("arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter" + callersParameter)})
	}
	if step.brakes {
		env["BRAKE_CONNECTIONS"], env["BRAKE_PERCENT"] = h.brakeConnections.ValueAsString(), h.brakePercent.ValueAsString()
	}
	if step.readsLedger || step.keepsLedger || step.brakes {
		env["LEDGER_TABLE"] = h.ledgerTable.ValueAsString()
		may := slices.Clone(ledgerReads)
		if step.keepsLedger || step.brakes {
			may = append(may, ledgerWrites...)
		}
		grants = append(grants, ledgerGrant(may))
	}
	if step.knowsRegions {
		env["REGIONS"] = h.regions.ValueAsString()
	}
	if step.asksOrg {
		grants = append(grants, statement{"Effect": "Allow", "Action": "organizations:DescribeAccount",
			"Resource": sub("arn:${AWS::Partition}:organizations::*:account/${OrganizationId}/*")})
	}
	if step.namesUnits {
		grants = append(grants, statement{"Effect": "Allow", "Action": "organizations:DescribeOrganizationalUnit",
			"Resource": sub("arn:${AWS::Partition}:organizations::*:ou/${OrganizationId}/*")})
	}
	if step.keeps {
		env["DEAD_LETTER_QUEUE"] = h.dead.QueueUrl()
		grants = append(grants, statement{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": h.dead.QueueArn()})
	}
	if step.notifies {
		env["TOPIC_ARN"] = h.topic.TopicArn()
		grants = append(grants, statement{"Effect": "Allow", "Action": "sns:Publish", "Resource": h.topic.TopicArn()})
	}
	if step.patient {
		env["APPROVAL_PATIENCE"] = h.patience.ValueAsString()
	}
	if step.announces {
		env["BUS_NAME"] = jsii.String(busName)
		grants = append(grants, statement{"Effect": "Allow", "Action": "events:PutEvents", "Resource": h.bus.AttrArn()})
	}
	if step.leases != "" {
		executions := "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:drawbridge-" + step.leases
		env["EXECUTIONS"] = sub(executions)
		grants = append(grants, statement{"Effect": "Allow", "Action": "states:DescribeExecution", "Resource": sub(executions + ":*")})
	}
	if step.looksBack {
		grants = append(grants, statement{"Effect": "Allow", "Action": []string{"states:DescribeExecution", "states:GetExecutionHistory"},
			"Resource": sub("arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:drawbridge-*:*")})
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
