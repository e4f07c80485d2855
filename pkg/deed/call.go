package deed

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/tagger"
)

// Tag is the call that sets a tag of the owners'.
func Tag(t Thing, key, value string) Call {
	return Call{Account: t.Account, Region: t.Region, Command: tag.Command(t.Kind, t.Region, t.ID, key, value), do: func(ctx context.Context, cfg aws.Config) (string, error) {
		return "", tagger.In(cfg).Set(ctx, t.Kind, t.ID, key, value)
	}}
}

// Untag is the call that takes a tag of the owners' off a thing of EC2.
func Untag(t Thing, key string) Call {
	return Call{Account: t.Account, Region: t.Region, Command: []string{"aws", "ec2", "delete-tags", "--region", t.Region, "--resources", t.ID, "--tags", "Key=" + key},
		do: func(ctx context.Context, cfg aws.Config) (string, error) {
			return "", tagger.In(cfg).Remove(ctx, t.Kind, t.ID, key)
		}}
}

// Revoke is the call that takes a rule for what comes in out of a security group.
func Revoke(at event.Place, group, rule string) Call {
	return Call{Account: at.Account, Region: at.Region,
		Command: []string{"aws", "ec2", "revoke-security-group-ingress", "--region", at.Region, "--group-id", group, "--security-group-rule-ids", rule},
		do: func(ctx context.Context, cfg aws.Config) (string, error) {
			_, err := ec2.NewFromConfig(cfg).RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, SecurityGroupRuleIds: []string{rule}})
			return "", err
		}}
}

// Disarm is the call that takes an inline policy off a role, which may do nothing by it any more.
func Disarm(at event.Place, role, policy string) Call {
	return Call{Account: at.Account, Region: at.Region, Command: []string{"aws", "iam", "delete-role-policy", "--role-name", role, "--policy-name", policy},
		do: func(ctx context.Context, cfg aws.Config) (string, error) {
			_, err := iam.NewFromConfig(cfg).DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: &policy})
			return "", err
		}}
}

// Put is the call that writes a parameter of the hub's. One of the intelligent tier may have more than 4,096 bytes.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
func Put(hub event.Place, name, value, file string) Call {
	c := Call{Account: hub.Account, Region: hub.Region, Command: []string{"aws", "ssm", "put-parameter", "--region", hub.Region, "--name", name, "--overwrite"}}
	in := &ssm.PutParameterInput{Name: &name, Value: &value, Overwrite: aws.Bool(true)}
	if file != "" {
		in.Tier = ssmtypes.ParameterTierIntelligentTiering
		c.Command = append(c.Command, "--tier", "Intelligent-Tiering", "--value", "file://"+file)
	} else {
		c.Command = append(c.Command, "--value", value)
	}
	c.do = func(ctx context.Context, cfg aws.Config) (string, error) {
		got, err := ssm.NewFromConfig(cfg).PutParameter(ctx, in)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s is at version %d", name, got.Version), nil
	}
	return c
}

// Start is the call that starts an execution of a machine.
func Start(hub event.Place, machine, input string) Call {
	return Call{Account: hub.Account, Region: hub.Region,
		Command: []string{"aws", "stepfunctions", "start-execution", "--region", hub.Region, "--state-machine-arn", machine, "--input", input},
		do: func(ctx context.Context, cfg aws.Config) (string, error) {
			got, err := sfn.NewFromConfig(cfg).StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Input: &input})
			if err != nil {
				return "", err
			}
			return "started " + aws.ToString(got.ExecutionArn), nil
		}}
}

// Redrive is the call that has a failed execution go on at the state that failed.
func Redrive(hub event.Place, execution string) Call {
	return Call{Account: hub.Account, Region: hub.Region, Command: []string{"aws", "stepfunctions", "redrive-execution", "--region", hub.Region, "--execution-arn", execution},
		do: func(ctx context.Context, cfg aws.Config) (string, error) {
			_, err := sfn.NewFromConfig(cfg).RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: &execution})
			return "", err
		}}
}
