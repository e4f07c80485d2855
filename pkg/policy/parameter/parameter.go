// Package parameter reads the policy in force from Systems Manager Parameter Store.
//
// The policy is a parameter so that it can change without a redeploy; a change is seen within [Remember].
package parameter

import (
	"context"
	"fmt"
	"sync"
	"time"

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
	now  func() time.Time

	mu    sync.Mutex
	set   *policy.Set
	until time.Time
}

// Remember is how long a policy is used before it is read again.
const Remember = 30 * time.Second

// New returns the store of the parameter with this name.
func New(ssmapi api, name string) *Store { return &Store{api: ssmapi, name: name, now: time.Now} }

// Policy returns the policy in force. A policy that does not parse is a conflict: nothing is decided by an older one.
func (s *Store) Policy(ctx context.Context) (*policy.Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set != nil && s.now().Before(s.until) {
		return s.set, nil
	}
	got, err := s.api.GetParameter(ctx, &ssm.GetParameterInput{Name: &s.name, WithDecryption: aws.Bool(true)})
	if fault.HasCode(err, "ParameterNotFound") {
		return nil, fault.NewConflict("reading the policy: there is no parameter "+s.name, "put the policy there (docs/policy.md), then redrive the execution")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the policy %s: %w", s.name, err)
	}
	set, err := policy.Parse(s.name, []byte(aws.ToString(got.Parameter.Value)))
	if err != nil {
		return nil, fault.NewConflict("reading the policy: "+err.Error(), "correct the parameter "+s.name+", then redrive the execution")
	}
	s.set, s.until = set, s.now().Add(Remember)
	return set, nil
}
