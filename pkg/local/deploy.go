package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// The stacks that the engine creates, named as in a real organization.
const (
	hubStack    = "drawbridge-hub"
	memberStack = "drawbridge-member"
)

// deployer creates stacks in the emulated accounts.
type deployer struct {
	backend string // URL of the emulation
	options Options
	outside map[string]bool

	mu      sync.Mutex
	members map[place]*deployment
}

type place struct{ account, region string }

type deployment struct {
	once sync.Once
	err  error
}

func newDeployer(backend string, o Options) *deployer {
	d := &deployer{backend: backend, options: o, outside: map[string]bool{}, members: map[place]*deployment{}}
	for _, a := range o.Outside {
		d.outside[a] = true
	}
	return d
}

// parameters are the values for whichever template asks for them.
func (d *deployer) parameters() map[string]string {
	return map[string]string{
		"HubAccount":     HubAccount,
		"HubBusArn":      arn.New(arn.Partition(d.options.Region), "events", d.options.Region, HubAccount, "event-bus/drawbridge"),
		"OrganizationId": Organization,
		"ExternalId":     ExternalID,
		"HomeRegion":     d.options.Region,
	}
}

// hub deploys the hub and teaches the story how long its machines wait.
func (d *deployer) hub(ctx context.Context, s *story.Recorder) error {
	if err := d.stack(ctx, place{HubAccount, d.options.Region}, hubStack, d.options.Hub); err != nil {
		return err
	}
	client := sfn.NewFromConfig(ClientConfig(d.backend, HubAccount, d.options.Region))
	machines, err := client.ListStateMachines(ctx, nil)
	if err != nil {
		return fmt.Errorf("listing the machines of the hub: %w", err)
	}
	for _, m := range machines.StateMachines {
		full, err := client.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: m.StateMachineArn})
		if err != nil {
			return fmt.Errorf("reading machine %s: %w", aws.ToString(m.Name), err)
		}
		if err := s.Machine(aws.ToString(m.Name), []byte(aws.ToString(full.Definition))); err != nil {
			return fmt.Errorf("reading machine %s: %w", aws.ToString(m.Name), err)
		}
	}
	return nil
}

// member makes the account a member in the Region unless it is one already or
// does not belong to the organization. The home Region comes first, because the
// roles are created there.
func (d *deployer) member(ctx context.Context, account, region string) error {
	if region == "" || region == "aws-global" {
		region = d.options.Region
	}
	if d.outside[account] {
		return nil
	}
	if region != d.options.Region {
		if err := d.member(ctx, account, d.options.Region); err != nil {
			return err
		}
	}
	at := place{account, region}
	d.mu.Lock()
	one := d.members[at]
	if one == nil {
		one = &deployment{}
		d.members[at] = one
	}
	d.mu.Unlock()
	one.once.Do(func() {
		// Others wait for this deployment; the caller that started it may leave.
		one.err = d.stack(context.WithoutCancel(ctx), at, memberStack, d.options.Member)
	})
	return one.err
}

// stack creates a stack and waits until it is complete.
func (d *deployer) stack(ctx context.Context, at place, name, body string) error {
	fail := func(err error) error {
		return fmt.Errorf("deploying %s to %s in %s: %w", name, at.account, at.region, err)
	}
	values, err := d.values(body)
	if err != nil {
		return fail(err)
	}
	// Blanks are more than half of a template, and each account that becomes a member reads one.
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(body)); err != nil {
		return fail(err)
	}
	client := cloudformation.NewFromConfig(ClientConfig(d.backend, at.account, at.region))
	if _, err := client.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName:    aws.String(name),
		TemplateBody: aws.String(compact.String()),
		Parameters:   values,
		Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
	}); err != nil {
		return fail(err)
	}
	for {
		out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
		if err != nil {
			return fail(err)
		}
		for _, s := range out.Stacks {
			switch s.StackStatus {
			case types.StackStatusCreateComplete:
				return nil
			case types.StackStatusCreateInProgress:
			default:
				return fail(fmt.Errorf("status %s: %s", s.StackStatus, aws.ToString(s.StackStatusReason)))
			}
		}
		select {
		case <-ctx.Done():
			return fail(context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// values picks the parameters that the template declares. One that has neither
// a value here nor a default is an error: a template that wants to know more
// than the engine does would not run as in AWS.
func (d *deployer) values(body string) ([]types.Parameter, error) {
	var t struct {
		Parameters map[string]struct{ Default any }
	}
	if err := json.Unmarshal([]byte(body), &t); err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	known := d.parameters()
	var out []types.Parameter
	for name, p := range t.Parameters {
		switch v, ok := known[name]; {
		case ok:
			out = append(out, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(v)})
		case p.Default == nil:
			return nil, fmt.Errorf("the template wants a value for %s, and the engine has none", name)
		}
	}
	return out, nil
}
