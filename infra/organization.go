package main

import (
	"cmp"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// organizationStackName is the stack that makes accounts members.
const organizationStackName = "drawbridge-organization"

// newOrganization makes the stack that carries the member template into every account of the target organizational
// units, and into accounts that join them later. It is a stack of its own, so that a change of the members never has to
// wait for one of the hub, nor the other way round. The member template travels as a file asset of this stack: the
// StackSet reads it from the bootstrap bucket, its instances need none.
func newOrganization(scope constructs.Construct, c Config, memberTemplate string) (awscdk.Stack, error) {
	stack := awscdk.NewStack(scope, jsii.String(organizationStackName), &awscdk.StackProps{
		Description: jsii.String("Makes the organization's accounts members of Drawbridge."),
		Env:         environment(cmp.Or(c.StackSetOwner, c.HubAccount), c),
		StackName:   jsii.String(organizationStackName),
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: jsii.Bool(false),
		}),
	})
	hubAccount := parameter(stack, "HubAccount", c.HubAccount, `^\d{12}$`, "The account that runs Drawbridge.")
	organizationID := parameter(stack, "OrganizationId", c.OrganizationID, `^o-[a-z0-9]{10,32}$`,
		"The organization that hub and members belong to.")
	externalID := parameter(stack, "ExternalId", c.ExternalID, "",
		"What the hub's functions say when they assume a role in a member account.")

	url, err := fileURL(stack, "MemberTemplate", "drawbridge-member.template.json", memberTemplate)
	if err != nil {
		return nil, err
	}

	// The home Region comes first: the rules of all the others refer to the role that is made there.
	regions := []string{c.HomeRegion}
	for _, r := range c.Regions {
		if r != c.HomeRegion {
			regions = append(regions, r)
		}
	}
	targets := &awscdk.CfnStackSet_DeploymentTargetsProperty{OrganizationalUnitIds: jsii.Strings(c.TargetOrganizationalUnits...)}
	if len(c.ExcludedAccounts) > 0 {
		// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/account-level-targets.html
		targets.AccountFilterType, targets.Accounts = jsii.String("DIFFERENCE"), jsii.Strings(c.ExcludedAccounts...)
	}
	value := func(key string, v *string) any {
		return &awscdk.CfnStackSet_ParameterProperty{ParameterKey: jsii.String(key), ParameterValue: v}
	}
	awscdk.NewCfnStackSet(stack, jsii.String("Members"), &awscdk.CfnStackSetProps{
		StackSetName:    jsii.String(memberStackName),
		Description:     jsii.String("Drawbridge in every member account: forwarding rules, and the roles of the hub's functions."),
		PermissionModel: jsii.String("SERVICE_MANAGED"),
		CallAs:          jsii.String(c.CallAs),
		Capabilities:    jsii.Strings("CAPABILITY_NAMED_IAM"),
		AutoDeployment: &awscdk.CfnStackSet_AutoDeploymentProperty{
			Enabled:                      jsii.Bool(true),
			RetainStacksOnAccountRemoval: jsii.Bool(false),
		},
		ManagedExecution: map[string]any{"Active": true},
		OperationPreferences: &awscdk.CfnStackSet_OperationPreferencesProperty{
			ConcurrencyMode:            jsii.String("SOFT_FAILURE_TOLERANCE"),
			FailureTolerancePercentage: jsii.Number(10),
			MaxConcurrentPercentage:    jsii.Number(100),
			RegionConcurrencyType:      jsii.String("SEQUENTIAL"),
			RegionOrder:                jsii.Strings(regions...),
		},
		Parameters: []any{
			value("HubAccount", hubAccount.ValueAsString()),
			value("HubBusArn", sub("arn:${AWS::Partition}:events:${AWS::Region}:${HubAccount}:event-bus/"+busName)),
			value("OrganizationId", organizationID.ValueAsString()),
			value("ExternalId", externalID.ValueAsString()),
			value("HomeRegion", jsii.String(c.HomeRegion)),
			value("ObserveOnly", jsii.String(cmp.Or(c.ObserveOnly, "false"))),
		},
		StackInstancesGroup: []any{&awscdk.CfnStackSet_StackInstancesProperty{
			DeploymentTargets: targets,
			Regions:           jsii.Strings(regions...),
		}},
		TemplateUrl: url,
	})
	return stack, nil
}

// fileURL makes a file asset of text and returns the URL that it will have.
func fileURL(scope constructs.Construct, id, name, text string) (*string, error) {
	dir, err := os.MkdirTemp("", "drawbridge-asset-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // the asset has its copy in the assembly by then
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return awss3assets.NewAsset(scope, jsii.String(id), &awss3assets.AssetProps{Path: jsii.String(file)}).HttpUrl(), nil
}
