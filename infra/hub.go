package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	arns "github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// The names by which other parts of Drawbridge, people and runbooks know the hub.
const (
	hubStackName    = "drawbridge-hub"
	busName         = "drawbridge"
	topicName       = "drawbridge-notifications"
	policyParameter = "/drawbridge/policy"
)

// hub is the stack of the hub account while it is being made.
type hub struct {
	stack      awscdk.Stack
	config     Config
	code       string                         // the folder of the built functions
	steps      map[string]step                // by state; what each function may do
	functions  map[string]awslambda.IFunction // by state; machines may share one
	externalID awscdk.CfnParameter
	topic      awssns.Topic
	bus        awsevents.CfnEventBus
	dead       awssqs.Queue
	regions    awscdk.CfnParameter // that a sweep looks at
	patience   awscdk.CfnParameter // days until a request is stuck
	// How much is taken away within a day before a person is asked.
	brakeConnections, brakePercent awscdk.CfnParameter
	// ledgerTable is the name of the table that says what is Drawbridge's.
	ledgerTable awscdk.CfnParameter
	machines    map[string]sfn.StateMachine
	// machineNames are the keys of machines in the order in which they were made.
	machineNames []string
}

// newHub makes the stack of the hub account: the bus that the whole organization may send to, a rule and a machine for
// each kind of event, one function for each Task state, and what tells people: topic, alarms, dead letters.
// policy is the text of the organization's Cedar policies; functions is the folder of the built functions.
func newHub(scope constructs.Construct, c Config, policy, functions string) awscdk.Stack {
	stack := awscdk.NewStack(scope, jsii.String(hubStackName), &awscdk.StackProps{
		Description: jsii.String("Drawbridge's hub: receives the organization's events and connects its accounts."),
		Env:         environment(c.HubAccount, c),
		StackName:   jsii.String(hubStackName),
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: jsii.Bool(false),
		}),
	})
	organizationID := parameter(stack, "OrganizationId", c.OrganizationID, `^o-[a-z0-9]{10,32}$`,
		"The organization whose accounts may send events and be connected.")
	h := &hub{stack: stack, config: c, code: functions, steps: steps, functions: map[string]awslambda.IFunction{}}
	h.externalID = parameter(stack, "ExternalId", c.ExternalID, "",
		"What the functions say when they assume a role in a member account.")

	h.bus = awsevents.NewCfnEventBus(stack, jsii.String("Bus"), &awsevents.CfnEventBusProps{
		Name:        jsii.String(busName),
		Description: jsii.String("What the accounts of the organization forward."),
		Policy: document(statement{
			"Sid":       "organization",
			"Effect":    "Allow",
			"Principal": "*",
			"Action":    "events:PutEvents",
			"Resource":  sub("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/" + busName),
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:PrincipalOrgID": organizationID.ValueAsString()}},
		}),
	})

	h.topic = awssns.NewTopic(stack, jsii.String("Notifications"), &awssns.TopicProps{
		TopicName:  jsii.String(topicName),
		EnforceSSL: jsii.Bool(true),
	})
	// The policy that refuses plain HTTP replaces the topic's default one, so CloudWatch must be let in by name.
	h.topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("Alarms"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String(arns.ServicePrincipal("cloudwatch")), nil)},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{h.topic.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Aws_ACCOUNT_ID()}},
	}))

	h.deadLetters()
	h.ledger(c.LedgerTable)

	awsssm.NewCfnParameter(stack, jsii.String("Policy"), &awsssm.CfnParameterProps{
		Name:        jsii.String(policyParameter),
		Description: jsii.String("Who may be connected to what, in Cedar. A change counts for every execution after it, and starts a sweep."),
		Type:        jsii.String("String"),
		Tier:        jsii.String("Intelligent-Tiering"),
		Value:       jsii.String(policy),
	})

	h.mode(c.Mode)
	h.brakeConnections = parameter(stack, "BrakeConnections", c.BrakeConnections, whole(brakeForm),
		"How many connections are taken away within a day because of a changed policy, tag or unit, before a person is asked.")
	h.brakePercent = parameter(stack, "BrakePercent", c.BrakePercent, whole(percentForm),
		"The same in percent of all connections; what is more counts.")

	h.patience = parameter(stack, "ApprovalPatience", c.ApprovalPatience, whole(patienceForm),
		"After how many days a request that waits for its owner is called stuck; at the latest a day before it expires.")
	h.regions = parameter(stack, "Regions", strings.Join(c.Regions, ","), `^[a-z0-9-]+(,[a-z0-9-]+)*$`,
		"The Regions that a sweep looks at in every account, with commas.")
	for _, m := range machines() {
		h.machine(m)
	}
	h.tellPeople()
	h.requestAlarms()
	h.dashboard()
	return stack
}

// alarm goes off when a metric is above zero. It tells the topic, unless something else tells people more.
func (h *hub) alarm(id, about string, metric awscloudwatch.Metric, tells bool) {
	alarm := awscloudwatch.NewAlarm(h.stack, jsii.String(id), &awscloudwatch.AlarmProps{
		AlarmName:          jsii.String("drawbridge-" + kebab(id)),
		AlarmDescription:   jsii.String(about),
		Metric:             metric,
		Threshold:          jsii.Number(0),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		EvaluationPeriods:  jsii.Number(1),
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
	if tells {
		alarm.AddAlarmAction(awscloudwatchactions.NewSnsAction(h.topic))
	}
}

// environment returns an account in the hub's Region, as far as the configuration says it.
func environment(account string, c Config) *awscdk.Environment {
	if account == "" {
		return nil
	}
	return &awscdk.Environment{Account: jsii.String(account), Region: jsii.String(c.HubRegion)}
}
