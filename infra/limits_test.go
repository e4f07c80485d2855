package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// thing is something that a limit holds for, with its size in the limit's unit.
type thing struct {
	name string
	size int
}

// limit is one of AWS's hard limits, or a quota as an account has it that never asked for more.
type limit struct {
	name   string
	most   int
	source string // AWS's page
	// model is the member of an API's input, in botocore's words, that must carry the same maximum: service, operation,
	// members. Empty where AWS's models have none.
	model string
	// fixed says why less than a fifth may be free, where the size cannot grow.
	fixed string
	of    func([]solved) []thing
}

// AWS's pages.
const (
	aws            = "https://docs.aws.amazon.com/"
	sqsPolicies    = aws + "AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html"
	snsPolicies    = aws + "sns/latest/dg/sns-access-policy-language-api-permissions-reference.html"
	bridgeQuotas   = aws + "eventbridge/latest/userguide/eb-quota.html"
	bridgeAPI      = aws + "eventbridge/latest/APIReference/"
	iamQuotas      = aws + "IAM/latest/UserGuide/reference_iam-quotas.html"
	iamAPI         = aws + "IAM/latest/APIReference/"
	stackQuotas    = aws + "AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
	stackAPI       = aws + "AWSCloudFormation/latest/APIReference/"
	machineQuotas  = aws + "step-functions/latest/dg/service-quotas.html"
	machineAPI     = aws + "step-functions/latest/apireference/API_CreateStateMachine.html"
	lambdaQuotas   = aws + "lambda/latest/dg/gettingstarted-limits.html"
	lambdaAPI      = aws + "lambda/latest/api/API_CreateFunction.html"
	logsAPI        = aws + "AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"
	parameterTiers = aws + "systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
	parameterAPI   = aws + "systems-manager/latest/APIReference/API_PutParameter.html"
	watchQuotas    = aws + "AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"
	watchAPI       = aws + "AmazonCloudWatch/latest/APIReference/"
	tableAPI       = aws + "amazondynamodb/latest/APIReference/"
)

var limits = []limit{
	{name: "SQS: statements of a queue's policy", most: 20, source: sqsPolicies, of: policies("AWS::SQS::QueuePolicy", "PolicyDocument", statementsOf)},
	{name: "SQS: conditions of a queue's policy", most: 10, source: sqsPolicies, of: policies("AWS::SQS::QueuePolicy", "PolicyDocument", conditions)},
	{name: "SQS: bytes of a queue's policy", most: 8192, source: sqsPolicies, of: policies("AWS::SQS::QueuePolicy", "PolicyDocument", bytesOf)},
	{name: "SQS: actions of a statement", most: 7, source: sqsPolicies, of: policies("AWS::SQS::QueuePolicy", "PolicyDocument", mostActions)},
	{name: "SQS: characters of a queue's name", most: 80, source: aws + "AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html", of: lengths("AWS::SQS::Queue", "QueueName")},
	{name: "SQS: seconds that a message is kept", most: 1209600, source: aws + "AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
		fixed: "the longest that there is was chosen", of: values("AWS::SQS::Queue", "MessageRetentionPeriod")},

	{name: "SNS: bytes of a topic's policy", most: 30720, source: snsPolicies, of: policies("AWS::SNS::TopicPolicy", "PolicyDocument", bytesOf)},
	{name: "SNS: statements of a topic's policy", most: 100, source: snsPolicies, of: policies("AWS::SNS::TopicPolicy", "PolicyDocument", statementsOf)},
	{name: "SNS: characters of a topic's name", most: 256, source: aws + "sns/latest/api/API_CreateTopic.html", of: lengths("AWS::SNS::Topic", "TopicName")},

	{name: "EventBridge: rules on the hub's bus", most: 100, source: bridgeQuotas, of: rulesOn(busName)},
	{name: "EventBridge: rules on a default bus, which its owner shares", most: 100, source: bridgeQuotas, of: rulesOn("default")},
	{name: "EventBridge: targets of a rule", most: 5, source: bridgeQuotas, of: countOf("AWS::Events::Rule", "Targets")},
	{name: "EventBridge: characters of a pattern", most: 2048, source: bridgeQuotas, of: policies("AWS::Events::Rule", "EventPattern", bytesOf)},
	{name: "EventBridge: characters of a bus's policy", most: 10240, source: bridgeQuotas, of: policies("AWS::Events::EventBus", "Policy", bytesOf)},
	{name: "EventBridge: characters of a rule's name", most: 64, source: bridgeAPI + "API_PutRule.html", model: "events PutRule Name", of: lengths("AWS::Events::Rule", "Name")},
	{name: "EventBridge: characters of a rule's description", most: 512, source: bridgeAPI + "API_PutRule.html", model: "events PutRule Description", of: lengths("AWS::Events::Rule", "Description")},
	{name: "EventBridge: characters of a schedule", most: 256, source: bridgeAPI + "API_PutRule.html", model: "events PutRule ScheduleExpression", of: lengths("AWS::Events::Rule", "ScheduleExpression")},
	{name: "EventBridge: characters of a bus's name", most: 256, source: bridgeAPI + "API_CreateEventBus.html", model: "events CreateEventBus Name", of: lengths("AWS::Events::EventBus", "Name")},
	{name: "EventBridge: characters of a bus's description", most: 512, source: bridgeAPI + "API_CreateEventBus.html", model: "events CreateEventBus Description", of: lengths("AWS::Events::EventBus", "Description")},
	{name: "EventBridge: characters of a target's constant input", most: 8192, source: bridgeAPI + "API_Target.html", model: "events PutTargets Targets Input", of: targets("Input")},
	{name: "EventBridge: characters of a target's ARN", most: 1600, source: bridgeAPI + "API_Target.html", model: "events PutTargets Targets Arn", of: targets("Arn")},
	{name: "EventBridge: characters of a target's id", most: 64, source: bridgeAPI + "API_Target.html", model: "events PutTargets Targets Id", of: targets("Id")},
	{name: "EventBridge: seconds that a delivery is tried", most: 86400, source: bridgeAPI + "API_RetryPolicy.html", model: "events PutTargets Targets RetryPolicy MaximumEventAgeInSeconds",
		fixed: "the longest that there is was chosen", of: targets("RetryPolicy", "MaximumEventAgeInSeconds")},
	{name: "EventBridge: times that a delivery is tried", most: 185, source: bridgeAPI + "API_RetryPolicy.html", model: "events PutTargets Targets RetryPolicy MaximumRetryAttempts",
		fixed: "as often as there is was chosen", of: targets("RetryPolicy", "MaximumRetryAttempts")},

	{name: "IAM: characters of a trust policy", most: 2048, source: iamQuotas, of: policies("AWS::IAM::Role", "AssumeRolePolicyDocument", bytesOf)},
	{name: "IAM: characters of a role's inline policies together", most: 10240, source: iamQuotas, of: inlinePolicies},
	{name: "IAM: characters of a managed policy", most: 6144, source: iamQuotas, of: policies("AWS::IAM::ManagedPolicy", "PolicyDocument", bytesOf)},
	{name: "IAM: managed policies of a role", most: 10, source: iamQuotas, of: countOf("AWS::IAM::Role", "ManagedPolicyArns")},
	{name: "IAM: roles in an account that is hub and member", most: 1000, source: iamQuotas, of: together("AWS::IAM::Role")},
	{name: "IAM: managed policies in an account that is hub and member", most: 1500, source: iamQuotas, of: together("AWS::IAM::ManagedPolicy")},
	{name: "IAM: characters of a role's name", most: 64, source: iamAPI + "API_CreateRole.html", model: "iam CreateRole RoleName", of: lengths("AWS::IAM::Role", "RoleName")},
	{name: "IAM: characters of a role's description", most: 1000, source: iamAPI + "API_CreateRole.html", model: "iam CreateRole Description", of: lengths("AWS::IAM::Role", "Description")},
	{name: "IAM: characters of an inline policy's name", most: 128, source: iamAPI + "API_PutRolePolicy.html", model: "iam PutRolePolicy PolicyName", of: lengths("AWS::IAM::Policy", "PolicyName")},
	{name: "IAM: characters of a managed policy's name", most: 128, source: iamAPI + "API_CreatePolicy.html", model: "iam CreatePolicy PolicyName", of: lengths("AWS::IAM::ManagedPolicy", "ManagedPolicyName")},
	{name: "IAM: characters of a managed policy's description", most: 1000, source: iamAPI + "API_CreatePolicy.html", model: "iam CreatePolicy Description", of: lengths("AWS::IAM::ManagedPolicy", "Description")},
	{name: "IAM: characters of a path", most: 512, source: iamAPI + "API_CreatePolicy.html", of: lengths("AWS::IAM::ManagedPolicy", "Path")},
	{name: "STS: characters of an external id", most: 1224, source: iamQuotas, model: "sts AssumeRole ExternalId", of: parameters("ExternalId")},

	// The page says 1 MB; the service counts decimally: "Template may not exceed 1000000 bytes in size."
	{name: "CloudFormation: bytes of a template in a bucket", most: 1000000, source: stackQuotas, of: templateBytes},
	{name: "CloudFormation: resources of a template", most: 500, source: stackQuotas, of: section("Resources")},
	{name: "CloudFormation: parameters of a template", most: 200, source: stackQuotas, of: section("Parameters")},
	{name: "CloudFormation: outputs of a template", most: 200, source: stackQuotas, of: section("Outputs")},
	{name: "CloudFormation: mappings of a template", most: 200, source: stackQuotas, of: section("Mappings")},
	{name: "CloudFormation: characters of a resource's name", most: 255, source: stackQuotas, of: names("Resources")},
	{name: "CloudFormation: characters of a parameter's name", most: 255, source: stackQuotas, of: names("Parameters")},
	{name: "CloudFormation: bytes of a parameter's value", most: 4096, source: stackQuotas, of: parameters("")},
	{name: "CloudFormation: bytes of a template's description", most: 1024, source: stackQuotas, of: descriptions},
	{name: "CloudFormation: characters of a stack's name", most: 128, source: stackQuotas, of: stackNames},
	{name: "StackSets: characters of a StackSet's name", most: 128, source: stackAPI + "API_CreateStackSet.html", of: lengths("AWS::CloudFormation::StackSet", "StackSetName")},
	{name: "StackSets: characters of a StackSet's description", most: 1024, source: stackAPI + "API_CreateStackSet.html", model: "cloudformation CreateStackSet Description", of: lengths("AWS::CloudFormation::StackSet", "Description")},
	{name: "StackSets: characters of a template's URL", most: 5120, source: stackAPI + "API_CreateStackSet.html", model: "cloudformation CreateStackSet TemplateURL", of: lengths("AWS::CloudFormation::StackSet", "TemplateURL")},
	{name: "StackSets: parameters given", most: 200, source: stackQuotas, of: countOf("AWS::CloudFormation::StackSet", "Parameters")},

	{name: "Step Functions: bytes of a definition", most: 1048576, source: machineQuotas, model: "stepfunctions CreateStateMachine definition", of: lengths("AWS::StepFunctions::StateMachine", "DefinitionString")},
	{name: "Step Functions: characters of a machine's name", most: 80, source: machineAPI, model: "stepfunctions CreateStateMachine name", of: lengths("AWS::StepFunctions::StateMachine", "StateMachineName")},
	{name: "Step Functions: characters of a state's name", most: 80, source: "https://states-language.net/spec.html#states-fields", of: statesOf(func(name string, _ map[string]any) (int, bool) { return utf8.RuneCountInString(name), true })},
	{name: "Step Functions: seconds until a machine or a task times out", most: 99999999, source: "https://states-language.net/spec.html#timeouts", of: timeouts},
	{name: "Step Functions: parallel children of a Distributed Map", most: 10000, source: aws + "step-functions/latest/dg/state-map-distributed.html", of: statesOf(number("MaxConcurrency"))},
	{name: "Step Functions: characters of a Distributed Map's label", most: 40, source: aws + "step-functions/latest/dg/state-map-distributed.html", of: statesOf(func(_ string, s map[string]any) (int, bool) { l, ok := s["Label"].(string); return len(l), ok })},

	{name: "Lambda: characters of a function's name", most: 64, source: lambdaAPI, of: lengths("AWS::Lambda::Function", "FunctionName")},
	{name: "Lambda: characters of a function's description", most: 256, source: lambdaAPI, model: "lambda CreateFunction Description", of: lengths("AWS::Lambda::Function", "Description")},
	{name: "Lambda: bytes of a function's environment", most: 4096, source: lambdaQuotas, of: environments},
	{name: "Lambda: seconds until a function times out", most: 900, source: lambdaQuotas, of: values("AWS::Lambda::Function", "Timeout")},
	{name: "Lambda: bytes of a function's policy", most: 20480, source: lambdaQuotas, of: functionPolicies},
	{name: "Lambda: bytes of a function's code, unzipped (`make build` first)", most: 262144000, source: lambdaQuotas, of: built},

	{name: "CloudWatch Logs: characters of a group's name", most: 512, source: logsAPI, model: "logs CreateLogGroup logGroupName", of: lengths("AWS::Logs::LogGroup", "LogGroupName")},
	{name: "Parameter Store: bytes of a standard parameter", most: 4096, source: parameterTiers, of: stored("")},
	{name: "Parameter Store: bytes of an advanced parameter", most: 8192, source: parameterTiers,
		fixed: "the policies are the organization's; synthesis refuses longer ones", of: stored("Intelligent-Tiering")},
	{name: "Parameter Store: bytes of the policy that comes with Drawbridge", most: 8192, source: parameterTiers, of: defaultPolicy},
	{name: "Parameter Store: characters of a parameter's name, as an ARN", most: 1011, source: parameterAPI, of: parameterARNs},
	{name: "Parameter Store: characters of a description", most: 1024, source: parameterAPI, model: "ssm PutParameter Description", of: lengths("AWS::SSM::Parameter", "Description")},

	{name: "DynamoDB: characters of a table's name", most: 255, source: tableAPI + "API_CreateTable.html", of: lengths("AWS::DynamoDB::Table", "TableName")},
	{name: "DynamoDB: attributes of a table's key", most: 2, source: aws + "amazondynamodb/latest/developerguide/HowItWorks.CoreComponents.html",
		fixed: "a key is one attribute or two", of: countOf("AWS::DynamoDB::Table", "KeySchema")},
	{name: "DynamoDB: characters of the attribute that says when a row goes", most: 255, source: tableAPI + "API_TimeToLiveSpecification.html",
		model: "dynamodb UpdateTimeToLive TimeToLiveSpecification AttributeName", of: inside("AWS::DynamoDB::Table", "TimeToLiveSpecification", "AttributeName")},
	{name: "DynamoDB: days that a table can be restored to", most: 35, source: tableAPI + "API_PointInTimeRecoverySpecification.html",
		model: "dynamodb UpdateContinuousBackups PointInTimeRecoverySpecification RecoveryPeriodInDays",
		fixed: "the longest that there is was chosen", of: inside("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification", "RecoveryPeriodInDays")},

	{name: "CloudWatch: characters of an alarm's name", most: 255, source: watchAPI + "API_PutMetricAlarm.html", model: "cloudwatch PutMetricAlarm AlarmName", of: lengths("AWS::CloudWatch::Alarm", "AlarmName")},
	{name: "CloudWatch: characters of an alarm's description", most: 1024, source: watchAPI + "API_PutMetricAlarm.html", model: "cloudwatch PutMetricAlarm AlarmDescription", of: lengths("AWS::CloudWatch::Alarm", "AlarmDescription")},
	{name: "CloudWatch: actions of an alarm", most: 5, source: watchQuotas, model: "cloudwatch PutMetricAlarm AlarmActions", of: countOf("AWS::CloudWatch::Alarm", "AlarmActions")},
	{name: "CloudWatch: dimensions of a metric", most: 30, source: watchQuotas, model: "cloudwatch PutMetricAlarm Dimensions", of: countOf("AWS::CloudWatch::Alarm", "Dimensions")},
	{name: "CloudWatch: characters of a dashboard's name", most: 255, source: watchAPI + "API_PutDashboard.html", of: lengths("AWS::CloudWatch::Dashboard", "DashboardName")},
	{name: "CloudWatch: widgets of a dashboard", most: 500, source: watchAPI + "CloudWatch-Dashboard-Body-Structure.html", of: dashboards(func(widgets []int) int { return len(widgets) })},
	{name: "CloudWatch: metrics of a widget", most: 500, source: watchQuotas, of: dashboards(func(widgets []int) int { return slices.Max(widgets) })},
	{name: "CloudWatch: metrics of a dashboard", most: 2500, source: watchQuotas, of: dashboards(func(widgets []int) (all int) {
		for _, n := range widgets {
			all += n
		}
		return all
	})},
}

// TestTheTemplatesKeepAWSsLimits holds everything that is deployed, at the largest configuration and in every Region of
// every partition, to the table above.
func TestTheTemplatesKeepAWSsLimits(t *testing.T) {
	assembly := synth(t, largest(t))
	worlds := map[place][]solved{}
	for _, at := range places(t) {
		worlds[at] = solve(t, assembly, at)
		if len(worlds[at]) != 3 {
			t.Fatalf("the app has %d stacks", len(worlds[at]))
		}
	}
	judged := judge(limits, worlds)
	t.Logf("%d limits in %d Regions; a fifth of each must be free:\n%s", len(limits), len(worlds), table(judged))
	for _, v := range judged {
		if v.wrong != "" {
			t.Errorf("%s: %s (%s)", v.name, v.wrong, v.source)
		}
		if v.name == "EventBridge: rules on a default bus, which its owner shares" {
			t.Logf("the owner of a member's default bus has %d of %d rules left where there are fewest", v.most-v.worst.size, v.most)
		}
	}
}

// largest is the configuration with the longest of everything that an operator may give.
func largest(t *testing.T) Config {
	c := local
	c.HubAccount, c.HubRegion, c.HomeRegion = account, "ap-northeast-1", "ap-northeast-1"
	c.OrganizationID = "o-" + strings.Repeat("0", 32)
	c.ExternalID = strings.Repeat("x", int(longest["ExternalId"]))
	c.Policy = longPolicy(t, policy.MaxSize)
	c.Regions, c.TargetOrganizationalUnits = nil, nil
	for _, at := range places(t) {
		c.Regions = append(c.Regions, at.region)
	}
	for i := range 100 {
		c.TargetOrganizationalUnits = append(c.TargetOrganizationalUnits, fmt.Sprintf("ou-%032d-%032d", i, i))
	}
	return c
}

func TestAValueThatIsTooLongIsRefusedAtSynthesis(t *testing.T) {
	c := local
	c.ExternalID = strings.Repeat("x", int(longest["ExternalId"])+1)
	refused := 0
	for _, stack := range *synth(t, c).Stacks() {
		for _, m := range *stack.Messages() {
			if m.Level == cxapi.SynthesisMessageLevel_ERROR && strings.Contains(fmt.Sprint(m.Entry.Data), "the value of ExternalId has 201 characters, but only 200 fit") {
				refused++
			}
		}
	}
	if refused != 3 {
		t.Errorf("%d of 3 stacks refuse it", refused)
	}
}

// verdict is what became of a limit.
type verdict struct {
	limit
	worst thing
	free  float64 // of 1
	wrong string
}

// judge returns the worst thing for each limit. A fifth of each must be free, so that the next step, rule or role does not
// hit it. A limit that nothing was held to is wrong, too.
func judge(all []limit, worlds map[place][]solved) []verdict {
	var judged []verdict
	for _, l := range all {
		v := verdict{limit: l, worst: thing{"nothing", -1}, free: math.NaN()}
		for at, templates := range worlds {
			for _, one := range l.of(templates) {
				one.name += " in " + at.region
				if one.size > v.worst.size || one.size == v.worst.size && one.name < v.worst.name {
					v.worst = one
				}
			}
		}
		if v.worst.size >= 0 {
			v.free = 1 - float64(v.worst.size)/float64(l.most)
		}
		switch {
		case v.worst.size < 0:
			v.wrong = "nothing was held to it"
		case v.worst.size > l.most:
			v.wrong = fmt.Sprintf("%s has %d, AWS takes %d", v.worst.name, v.worst.size, l.most)
		case 5*v.worst.size > 4*l.most && l.fixed == "":
			v.wrong = fmt.Sprintf("%s has %d of %d: less than a fifth is free", v.worst.name, v.worst.size, l.most)
		}
		judged = append(judged, v)
	}
	return judged
}

// table returns the verdicts for people, the tightest first.
func table(judged []verdict) string {
	judged = slices.Clone(judged)
	slices.SortStableFunc(judged, func(a, b verdict) int { return int(math.Round(1e6*a.free)) - int(math.Round(1e6*b.free)) })
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "free\tof\tlimit\tworst\tsize\tnote")
	for _, v := range judged {
		fmt.Fprintf(w, "%.1f %%\t%d\t%s\t%s\t%d\t%s\n", 100*v.free, v.most, v.name, v.worst.name, v.worst.size, v.fixed)
	}
	w.Flush()
	return b.String()
}

// The policy that the CDK writes by itself is what made the check necessary.
func TestTheCDKsOwnPolicyOfTheQueueIsRefused(t *testing.T) {
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir()), AnalyticsReporting: jsii.Bool(false)})
	stack := awscdk.NewStack(app, jsii.String(hubStackName), nil)
	queue := awssqs.NewQueue(stack, jsii.String("DeadLetters"), &awssqs.QueueProps{QueueName: jsii.String(deadLettersName), EnforceSSL: jsii.Bool(true)})
	machine := sfn.NewStateMachine(stack, jsii.String("Machine"), &sfn.StateMachineProps{
		DefinitionBody: sfn.DefinitionBody_FromChainable(sfn.NewPass(stack, jsii.String("Pass"), nil))})
	const made = 42
	for i := range made {
		awsevents.NewRule(stack, jsii.String(fmt.Sprintf("Rule%d", i)), &awsevents.RuleProps{
			EventPattern: &awsevents.EventPattern{Source: jsii.Strings("aws.ec2")},
		}).AddTarget(awseventstargets.NewSfnStateMachine(machine, &awseventstargets.SfnStateMachineProps{DeadLetterQueue: queue}))
	}
	assembly := app.Synth(nil)
	at := place{"aws", "amazonaws.com", "us-east-1"}
	wrong := map[string]string{}
	for _, v := range judge(limits, map[place][]solved{at: solve(t, assembly, at)}) {
		wrong[v.name] = v.wrong
	}
	for name, says := range map[string]string{
		"SQS: statements of a queue's policy": "has 43, AWS takes 20",
		"SQS: conditions of a queue's policy": "has 43, AWS takes 10",
		"SQS: bytes of a queue's policy":      "AWS takes 8192",
	} {
		if !strings.Contains(wrong[name], says) {
			t.Errorf("%s: %q", name, wrong[name])
		}
	}
}

func TestALimitThatNothingIsHeldToIsWrong(t *testing.T) {
	for _, l := range limits {
		if l.of == nil || l.most == 0 || !strings.HasPrefix(l.source, "https://") {
			t.Fatalf("%s is not whole", l.name)
		}
	}
	bare := limit{name: "bare", most: 10, of: func([]solved) []thing { return nil }}
	full := limit{name: "full", most: 10, of: func([]solved) []thing { return []thing{{"a", 3}, {"b", 9}} }}
	fixed := full
	fixed.fixed = "it cannot grow"
	over := limit{name: "over", most: 10, fixed: "it cannot grow", of: func([]solved) []thing { return []thing{{"c", 11}} }}
	enough := limit{name: "enough", most: 10, of: func([]solved) []thing { return []thing{{"d", 8}} }}
	var got []string
	for _, v := range judge([]limit{bare, full, fixed, over, enough}, map[place][]solved{{region: "x"}: nil}) {
		got = append(got, v.wrong)
	}
	want := []string{"nothing was held to it", "b in x has 9 of 10: less than a fifth is free", "", "c in x has 11, AWS takes 10", ""}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestTheLimitsAreThoseOfAWSsModels holds the figures to the constraints in AWS's own API models, where they have them.
func TestTheLimitsAreThoseOfAWSsModels(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	const program = `
import json, sys, botocore.session
session, out = botocore.session.get_session(), {}
for path in json.load(sys.stdin):
    service, operation, *members = path.split(" ")
    shape = session.get_service_model(service).operation_model(operation).input_shape
    for member in members:
        shape = (shape.member if shape.type_name == "list" else shape).members[member]
    out[path] = shape.metadata["max"]
print(json.dumps(out))`
	most := map[string]int{}
	for _, l := range limits {
		if l.model != "" {
			most[l.model] = l.most
		}
	}
	var paths []string
	for path := range most {
		paths = append(paths, path)
	}
	command := exec.Command(filepath.Join(dir, ".venv", "bin", "python"), "-c", program)
	command.Stdin = strings.NewReader(compact(paths))
	out, err := command.Output()
	if err != nil {
		t.Fatalf("reading botocore's models in .venv (run `make .venv/ready`): %v", err)
	}
	var got map[string]int
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(most) || len(got) < 20 {
		t.Fatalf("%d of %d models were read", len(got), len(most))
	}
	for path, n := range got {
		if n != most[path] {
			t.Errorf("%s: AWS's model says %d, the table %d", path, n, most[path])
		}
	}
}

// The ways to measure.

// sizes returns what size says of each resource of a type that has it.
func sizes(kind string, size func(resource) (int, bool)) func([]solved) []thing {
	return func(templates []solved) []thing {
		var all []thing
		for _, s := range templates {
			for _, r := range s.of(kind) {
				if n, ok := size(r); ok {
					all = append(all, thing{s.name + "/" + r.id, n})
				}
			}
		}
		return all
	}
}

// lengths measures a property in characters.
func lengths(kind, property string) func([]solved) []thing {
	return sizes(kind, func(r resource) (int, bool) {
		text, ok := r.properties[property].(string)
		return utf8.RuneCountInString(text), ok
	})
}

// values takes a property as it is.
func values(kind, property string) func([]solved) []thing {
	return sizes(kind, func(r resource) (int, bool) {
		n, ok := r.properties[property].(float64)
		return int(n), ok
	})
}

// inside measures a member of a property: a text in characters, a number as it is.
func inside(kind, property, member string) func([]solved) []thing {
	return sizes(kind, func(r resource) (int, bool) {
		of, _ := r.properties[property].(map[string]any)
		switch v := of[member].(type) {
		case string:
			return utf8.RuneCountInString(v), true
		case float64:
			return int(v), true
		}
		return 0, false
	})
}

// countOf counts the elements of a property; none is a size, too.
func countOf(kind, property string) func([]solved) []thing {
	return sizes(kind, func(r resource) (int, bool) {
		list, _ := r.properties[property].([]any)
		return len(list), true
	})
}

// policies measures a property that is JSON.
func policies(kind, property string, size func(map[string]any) int) func([]solved) []thing {
	return sizes(kind, func(r resource) (int, bool) {
		document, ok := r.properties[property].(map[string]any)
		if !ok {
			return 0, false
		}
		return size(document), true
	})
}

func bytesOf(document map[string]any) int { return len(compact(document)) }

func statementsOf(document map[string]any) int { return len(document["Statement"].([]any)) }

// conditions counts each value of each key.
func conditions(document map[string]any) (all int) {
	for _, s := range document["Statement"].([]any) {
		operators, _ := s.(map[string]any)["Condition"].(map[string]any)
		for _, keys := range operators {
			for _, values := range keys.(map[string]any) {
				all += elements(values)
			}
		}
	}
	return all
}

func mostActions(document map[string]any) (most int) {
	for _, s := range document["Statement"].([]any) {
		most = max(most, elements(s.(map[string]any)["Action"]))
	}
	return most
}

// elements counts what may be one value or a list of them.
func elements(v any) int {
	if list, ok := v.([]any); ok {
		return len(list)
	}
	return 1
}

// inlinePolicies adds up all the policies that are part of a role: its own and those that are attached to it by name.
func inlinePolicies(templates []solved) []thing {
	var all []thing
	for _, s := range templates {
		size := map[string]int{}
		for _, r := range s.of("AWS::IAM::Role") {
			name := s.name + "/" + r.id
			size[name] = 0
			list, _ := r.properties["Policies"].([]any)
			for _, p := range list {
				size[name] += len(compact(p.(map[string]any)["PolicyDocument"]))
			}
		}
		v := s.template["Resources"].(map[string]any)
		for _, r := range s.of("AWS::IAM::Policy") {
			for _, role := range v[r.id].(map[string]any)["Properties"].(map[string]any)["Roles"].([]any) {
				size[s.name+"/"+role.(map[string]any)["Ref"].(string)] += len(compact(r.properties["PolicyDocument"]))
			}
		}
		for name, n := range size {
			all = append(all, thing{name, n})
		}
	}
	return all
}

// rulesOn counts the rules on a bus. The hub's account may be a member as well.
func rulesOn(bus string) func([]solved) []thing {
	return func(templates []solved) []thing {
		n := 0
		for _, s := range templates {
			for _, r := range s.of("AWS::Events::Rule") {
				if on := r.text("EventBusName"); on == bus || on == "" && bus == "default" {
					n++
				}
			}
		}
		if n == 0 {
			return nil
		}
		return []thing{{"the bus " + bus, n}}
	}
}

// together counts the resources of a type in all stacks.
func together(kind string) func([]solved) []thing {
	return func(templates []solved) []thing {
		n := 0
		for _, s := range templates {
			n += len(s.of(kind))
		}
		if n == 0 {
			return nil
		}
		return []thing{{"an account", n}}
	}
}

// targets measures what is under the members of each target of each rule.
func targets(members ...string) func([]solved) []thing {
	return func(templates []solved) []thing {
		var all []thing
		for _, s := range templates {
			for _, r := range s.of("AWS::Events::Rule") {
				list, _ := r.properties["Targets"].([]any)
				for _, target := range list {
					at := target
					for _, member := range members {
						of, _ := at.(map[string]any)
						at = of[member]
					}
					switch v := at.(type) {
					case string:
						all = append(all, thing{s.name + "/" + r.id, utf8.RuneCountInString(v)})
					case float64:
						all = append(all, thing{s.name + "/" + r.id, int(v)})
					}
				}
			}
		}
		return all
	}
}

func perTemplate(size func(solved) (int, bool)) func([]solved) []thing {
	return func(templates []solved) []thing {
		var all []thing
		for _, s := range templates {
			if n, ok := size(s); ok {
				all = append(all, thing{s.name, n})
			}
		}
		return all
	}
}

var (
	templateBytes = perTemplate(func(s solved) (int, bool) { return s.bytes, true })
	stackNames    = perTemplate(func(s solved) (int, bool) { return len(s.name), true })
	descriptions  = perTemplate(func(s solved) (int, bool) { text, ok := s.template["Description"].(string); return len(text), ok })
)

// section counts what a section of a template has.
func section(name string) func([]solved) []thing {
	return perTemplate(func(s solved) (int, bool) {
		entries, _ := s.template[name].(map[string]any)
		return len(entries), true
	})
}

// names measures the names in a section.
func names(of string) func([]solved) []thing {
	return func(templates []solved) []thing {
		var all []thing
		for _, s := range templates {
			entries, _ := s.template[of].(map[string]any)
			for name := range entries {
				all = append(all, thing{s.name + "/" + name, len(name)})
			}
		}
		return all
	}
}

// parameters returns how long the value of a parameter, or of any, may be. One without an end is longer than all limits.
func parameters(only string) func([]solved) []thing {
	return func(templates []solved) []thing {
		var all []thing
		for _, s := range templates {
			entries, _ := s.template["Parameters"].(map[string]any)
			for name, p := range entries {
				if only != "" && name != only {
					continue
				}
				most, ok := p.(map[string]any)["MaxLength"].(float64)
				if !ok {
					most = math.MaxInt32
				}
				all = append(all, thing{s.name + "/" + name, int(most)})
			}
		}
		return all
	}
}

// statesOf measures each state of each machine, those within Map and Parallel as well.
func statesOf(size func(string, map[string]any) (int, bool)) func([]solved) []thing {
	return func(templates []solved) []thing {
		var all []thing
		for _, s := range templates {
			for _, r := range s.of("AWS::StepFunctions::StateMachine") {
				var visit func(any)
				visit = func(v any) {
					switch v := v.(type) {
					case []any:
						for _, e := range v {
							visit(e)
						}
					case map[string]any:
						inner, _ := v["States"].(map[string]any)
						for name, state := range inner {
							if n, ok := size(name, state.(map[string]any)); ok {
								all = append(all, thing{r.text("StateMachineName") + "/" + name, n})
							}
						}
						for _, e := range v {
							visit(e)
						}
					}
				}
				visit(definitionOf(r))
			}
		}
		return all
	}
}

func definitionOf(r resource) map[string]any {
	var definition map[string]any
	if err := json.Unmarshal([]byte(r.text("DefinitionString")), &definition); err != nil {
		panic(fmt.Sprintf("the definition of %s: %v", r.id, err))
	}
	return definition
}

// number takes a field of a state.
func number(field string) func(string, map[string]any) (int, bool) {
	return func(_ string, state map[string]any) (int, bool) {
		n, ok := state[field].(float64)
		return int(n), ok
	}
}

// timeouts are those of machines and of Task states.
func timeouts(templates []solved) []thing {
	machines := sizes("AWS::StepFunctions::StateMachine", func(r resource) (int, bool) {
		return number("TimeoutSeconds")("", definitionOf(r))
	})
	return append(machines(templates), statesOf(number("TimeoutSeconds"))(templates)...)
}

// environments measures names and values together.
var environments = sizes("AWS::Lambda::Function", func(r resource) (int, bool) {
	environment, _ := r.properties["Environment"].(map[string]any)
	return len(compact(environment["Variables"])), environment != nil
})

// functionPolicies estimates the policies that the permissions of a function become: a statement for each of them.
func functionPolicies(templates []solved) []thing {
	size := map[string]int{}
	for _, s := range templates {
		for _, r := range s.of("AWS::Lambda::Permission") {
			const around = `{"Sid":"","Effect":"Allow","Resource":"","Condition":{"ArnLike":{"AWS:SourceArn":""}}},`
			size[s.name+"/"+r.text("FunctionName")] += len(around) + len(r.id) + 100 + len(compact(r.properties)) + len(r.text("FunctionName"))
		}
	}
	var all []thing
	for name, n := range size {
		all = append(all, thing{name, n})
	}
	return all
}

// built measures the functions that `make build` made.
func built([]solved) []thing {
	var all []thing
	files, _ := filepath.Glob(filepath.Join("..", "bin", "functions", "*", "bootstrap"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			all = append(all, thing{filepath.Base(filepath.Dir(file)), int(info.Size())})
		}
	}
	return all
}

// stored measures the values of the parameters of a tier.
func stored(tier string) func([]solved) []thing {
	return sizes("AWS::SSM::Parameter", func(r resource) (int, bool) { return len(r.text("Value")), r.text("Tier") == tier })
}

func defaultPolicy([]solved) []thing {
	text, err := os.ReadFile(filepath.Join("..", local.Policy))
	if err != nil {
		return nil
	}
	return []thing{{local.Policy, len(text)}}
}

// parameterARNs measures arn:…:parameter/name, as Parameter Store does.
func parameterARNs(templates []solved) []thing {
	return sizes("AWS::SSM::Parameter", func(r resource) (int, bool) {
		return len("arn:aws-us-gov:ssm:ap-northeast-1:"+account+":parameter") + len(r.text("Name")), true
	})(templates)
}

// dashboards measures the numbers of metrics of a dashboard's widgets.
func dashboards(size func([]int) int) func([]solved) []thing {
	return sizes("AWS::CloudWatch::Dashboard", func(r resource) (int, bool) {
		var body struct {
			Widgets []struct {
				Properties struct{ Metrics []any }
			}
		}
		if err := json.Unmarshal([]byte(r.text("DashboardBody")), &body); err != nil {
			panic(fmt.Sprintf("the body of %s: %v", r.id, err))
		}
		var metrics []int
		for _, w := range body.Widgets {
			metrics = append(metrics, len(w.Properties.Metrics))
		}
		return size(metrics), len(metrics) > 0
	})
}
