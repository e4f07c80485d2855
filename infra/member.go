package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	arns "github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// memberStackName is the stack of a member account, where it is deployed without a StackSet.
const memberStackName = "drawbridge-member"

// newMember makes the stack of one member account in one Region: forwarding rules on its default bus, and, in the home
// Region only because IAM is global, the roles that the hub's functions assume. It has no assets, so that a StackSet can
// carry it and a plain stack needs no bootstrap.
//
// All names are fixed: a rule in any Region refers to the forwarding role that the home Region created.
func newMember(scope constructs.Construct, c Config) awscdk.Stack {
	stack := awscdk.NewStack(scope, jsii.String(memberStackName), &awscdk.StackProps{
		Description: jsii.String("Drawbridge in a member account: forwards events to the hub and lets its functions in."),
		Synthesizer: awscdk.NewBootstraplessSynthesizer(&awscdk.BootstraplessSynthesizerProps{}),
		StackName:   jsii.String(memberStackName),
	})

	busArn := ""
	if c.HubAccount != "" {
		busArn = arns.New(arns.Partition(c.HubRegion), "events", c.HubRegion, c.HubAccount, "event-bus/"+busName)
	}
	parameter(stack, "HubAccount", c.HubAccount, `^\d{12}$`, "The account that runs Drawbridge.")
	hubBusArn := parameter(stack, "HubBusArn", busArn, `^arn:[^:]+:events:[^:]+:\d{12}:event-bus/.+$`,
		"The bus that events are forwarded to.")
	organizationID := parameter(stack, "OrganizationId", c.OrganizationID, `^o-[a-z0-9]{10,32}$`,
		"The organization that hub and member belong to.")
	externalID := parameter(stack, "ExternalId", c.ExternalID, "",
		"What the hub's functions say when they assume a role here.")
	homeRegion := parameter(stack, "HomeRegion", c.HomeRegion, "",
		"The one Region in which the roles are created.")
	observe := parameter(stack, "ObserveOnly", c.ObserveOnly, `^(true|false)$`,
		"true: the roles hold no right to change anything; Drawbridge says what it would do.")

	m := member{stack: stack,
		mayChange: awscdk.NewCfnCondition(stack, jsii.String("MayChange"), &awscdk.CfnConditionProps{
			Expression: awscdk.Fn_ConditionEquals(observe.ValueAsString(), jsii.String("false")),
		}),
		atHome: awscdk.NewCfnCondition(stack, jsii.String("IsHomeRegion"), &awscdk.CfnConditionProps{
			Expression: awscdk.Fn_ConditionEquals(awscdk.Aws_REGION(), homeRegion.ValueAsString()),
		}),
	}
	m.forward(hubBusArn.ValueAsString())
	boundDataAPI(stack, m.atHome)
	boundary := awsiam.NewCfnManagedPolicy(stack, jsii.String("StudioBoundary"), &awsiam.CfnManagedPolicyProps{
		ManagedPolicyName: jsii.String(studioBoundary),
		Path:              jsii.String("/drawbridge/"),
		Description:       jsii.String("Drawbridge: what the readers of a Redshift cluster may do at most."),
		PolicyDocument:    document(studioBoundaryStatements...),
	})
	boundary.CfnOptions().SetCondition(m.atHome)
	for _, state := range slices.Sorted(maps.Keys(steps)) {
		if len(steps[state].member) > 0 {
			m.letIn(state, organizationID.ValueAsString(), externalID.ValueAsString())
		}
	}
	return stack
}

// member is the stack of a member account while it is made.
type member struct {
	stack awscdk.Stack
	// mayChange is the condition of everything that changes an account. The hub is told of it by the external id: see mode.ObserveOnly.
	mayChange awscdk.CfnCondition
	atHome    awscdk.CfnCondition
}

// forward makes the rules that forward events to the hub's bus, and the role with which EventBridge does that.
func (m member) forward(hubBus *string) {
	forward := awsiam.NewCfnRole(m.stack, jsii.String("ForwardRole"), &awsiam.CfnRoleProps{
		RoleName:    jsii.String(forwardRole),
		Description: jsii.String("EventBridge forwards events to the hub's bus with it."),
		AssumeRolePolicyDocument: document(statement{
			"Effect":    "Allow",
			"Principal": map[string]any{"Service": arns.ServicePrincipal("events")},
			"Action":    "sts:AssumeRole",
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Aws_ACCOUNT_ID()}},
		}),
		Policies: inline("forward", allow("events:PutEvents", hubBus)),
	})
	forward.CfnOptions().SetCondition(m.atHome)
	// At home the rules have to wait for the role, since EventBridge tries it when it takes a target.
	forwardArn := awscdk.Token_AsString(awscdk.Fn_ConditionIf(m.atHome.LogicalId(), forward.AttrArn(),
		sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/"+forwardRole)), nil)

	for _, k := range kinds {
		pattern := maps.Clone(k.pattern)
		pattern["account"] = []any{awscdk.Aws_ACCOUNT_ID()}
		awsevents.NewCfnRule(m.stack, jsii.String("Forward"+title(k.name)), &awsevents.CfnRuleProps{
			Name:         jsii.String("drawbridge-forward-" + k.name),
			Description:  jsii.String(k.about),
			EventPattern: pattern,
			State:        jsii.String("ENABLED"),
			Targets: []any{&awsevents.CfnRule_TargetProperty{
				Id:      jsii.String("hub"),
				Arn:     hubBus,
				RoleArn: forwardArn,
			}},
		})
	}
}

// letIn makes the role that the function of a state assumes, with what the state may do in the account. It trusts that function alone.
func (m member) letIn(state string, organizationID, externalID *string) {
	plain, conditional := policiesOf(m.mayChange, steps[state].member)
	role := awsiam.NewCfnRole(m.stack, jsii.String(state+"Role"), &awsiam.CfnRoleProps{
		RoleName:    jsii.String(memberRole(state)),
		Description: jsii.String("What Drawbridge's state " + state + " may do in this account."),
		AssumeRolePolicyDocument: document(statement{
			"Effect":    "Allow",
			"Principal": map[string]any{"AWS": sub("arn:${AWS::Partition}:iam::${HubAccount}:root")},
			"Action":    "sts:AssumeRole",
			"Condition": map[string]any{
				"ArnEquals": map[string]any{"aws:PrincipalArn": sub("arn:${AWS::Partition}:iam::${HubAccount}:role/" + hubName(state))},
				"StringEquals": map[string]any{
					"aws:PrincipalOrgID": organizationID,
					"sts:ExternalId":     awscdk.Fn_ConditionIf(m.mayChange.LogicalId(), externalID, sub("${ExternalId}"+mode.ObserveOnly)),
				},
			},
		}),
		Policies: plain,
	})
	role.AddPropertyOverride(jsii.String("Policies"), conditional)
	role.CfnOptions().SetCondition(m.atHome)
}

// forwardRole is the role with which EventBridge forwards events to the hub.
const forwardRole = "drawbridge-forward"

// memberRole returns the name of the role, in a member account, of a state's function.
func memberRole(state string) string { return "drawbridge-member-" + kebab(state) }

// hubName returns the name, in the hub account, of a state's function and of its role.
func hubName(state string) string { return "drawbridge-" + kebab(state) }

// statement is one statement of an IAM policy, in IAM's own words.
type statement map[string]any

// statements returns the grants in IAM's words.
func statements(grants []grant) []statement {
	var all []statement
	for _, g := range grants {
		s := statement{"Effect": "Allow", "Action": g.actions, "Resource": "*"}
		if len(g.resources) > 0 {
			var resources []any
			for _, r := range g.resources {
				resources = append(resources, sub(r))
			}
			s["Resource"] = resources
		}
		if len(g.when) > 0 {
			s["Condition"] = g.when
		}
		all = append(all, s)
	}
	return all
}

// policiesOf returns the inline policies of a member's role: what it may read, and what it may change, which an account that lets itself be
// observed only leaves out. They come twice: plain, for the checks that look at the construct, and with the condition, for the template.
func policiesOf(mayChange awscdk.CfnCondition, grants []grant) (plain, conditional []any) {
	for _, part := range []struct {
		name  string
		reads bool
	}{{"read", true}, {"change", false}} {
		var some []grant
		for _, g := range grants {
			actions := slices.DeleteFunc(slices.Clone(g.actions), func(a string) bool { return mode.Reads(a) != part.reads })
			if len(actions) > 0 {
				some = append(some, grant{actions: actions, resources: g.resources, when: g.when})
			}
		}
		if len(some) == 0 {
			continue
		}
		rights := document(statements(some)...)
		plain = append(plain, &awsiam.CfnRole_PolicyProperty{PolicyName: jsii.String(part.name), PolicyDocument: rights})
		var written any = map[string]any{"PolicyName": part.name, "PolicyDocument": rights}
		if !part.reads {
			written = awscdk.Fn_ConditionIf(mayChange.LogicalId(), written, awscdk.Fn_Ref(jsii.String("AWS::NoValue")))
		}
		conditional = append(conditional, written)
	}
	return plain, conditional
}

// document returns a policy document.
func document(all ...statement) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": all}
}

// inline returns the one inline policy of a role.
func inline(name string, all ...statement) []any {
	return []any{&awsiam.CfnRole_PolicyProperty{PolicyName: jsii.String(name), PolicyDocument: document(all...)}}
}

// sub returns text with its ${…} filled in by CloudFormation.
func sub(text string) *string { return awscdk.Fn_Sub(jsii.String(text), nil) }

// parameter declares a parameter of a stack; an empty value means that whoever deploys must give one.
func parameter(scope constructs.Construct, name, value, form, about string) awscdk.CfnParameter {
	most, ok := longest[name]
	if !ok {
		panic("the parameter " + name + " has no entry in limits.go: say there how long its value may be")
	}
	props := &awscdk.CfnParameterProps{Type: jsii.String("String"), Description: jsii.String(about), MaxLength: jsii.Number(most)}
	if value != "" {
		props.Default = value
	}
	if form != "" {
		props.AllowedPattern = jsii.String(form)
	} else {
		props.MinLength = jsii.Number(2)
	}
	made := awscdk.NewCfnParameter(scope, jsii.String(name), props)
	if float64(len(value)) > most {
		awscdk.Annotations_Of(made).AddError(jsii.String(fmt.Sprintf(
			"the value of %s has %d characters, but only %v fit where it goes; remedy: shorten it in cdk.json", name, len(value), most)))
	}
	return made
}

// title returns name with a capital first letter.
func title(name string) string { return string(name[0]-'a'+'A') + name[1:] }
