// Package parameter reads what the hub's operators keep in Systems Manager Parameter Store: the policy, and the ranges from which people call private notebooks.
//
// They are parameters so that they can change without a redeploy. A step that decides reads the policy anew: a change counts for every step after it.
package parameter

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

type api interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
}

// Store reads one parameter.
type Store struct {
	api  api
	name string

	mu     sync.Mutex
	parsed *policy.Set // of text: a process mostly meets the same policy again
	text   string
}

// New returns the store of the parameter with this name.
func New(ssmapi api, name string) *Store { return &Store{api: ssmapi, name: name} }

// Open returns the store of the hub's policy, whose parameter the environment names as POLICY_PARAMETER.
func Open(hub aws.Config) *Store { return New(ssm.NewFromConfig(hub), os.Getenv("POLICY_PARAMETER")) }

// Policy returns the policy in force. One that does not parse is a conflict: nothing is decided by an older one.
func (s *Store) Policy(ctx context.Context) (*policy.Set, error) {
	text, err := s.Text(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parsed == nil || s.text != text {
		set, err := policy.Parse(s.name, []byte(text))
		if err != nil {
			return nil, fault.NewConflict("reading the policy: "+err.Error(), "correct the parameter "+s.name+", then redrive the execution")
		}
		s.parsed, s.text = set, text
	}
	return s.parsed, nil
}

// Text returns the text of the policy in force.
func (s *Store) Text(ctx context.Context) (string, error) {
	got, err := s.api.GetParameter(ctx, &ssm.GetParameterInput{Name: &s.name, WithDecryption: aws.Bool(true)})
	if fault.HasCode(err, "ParameterNotFound") {
		return "", fault.NewConflict("reading the policy: there is no parameter "+s.name, "put the policy there (docs/policy.md), then redrive the execution")
	}
	if err != nil {
		return "", fmt.Errorf("reading the policy %s: %w", s.name, err)
	}
	return aws.ToString(got.Parameter.Value), nil
}
