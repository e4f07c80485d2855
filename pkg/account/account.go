// Package account is the only door into member accounts.
//
// Every function of Drawbridge runs in the hub account and acts in a member account under that account's role for
// this function, and only that. The session is named after the execution, so that CloudTrail in the member account
// tells which execution did what:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
package account

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Door opens member accounts. It is safe for concurrent use; make one for the life of the process, so that
// connections and sessions are kept between invocations.
type Door struct {
	hub        aws.Config
	role       string
	externalID string
	assume     stscreds.AssumeRoleAPIClient
	lookup     func(ctx context.Context, host string) error

	mu       sync.Mutex
	sessions map[session]*aws.CredentialsCache
}

type session struct{ account, name string }

// maxSessions bounds the sessions kept in memory. A busy hub serves many executions from one process.
const maxSessions = 256

// NewDoor reads the hub's configuration and, from the environment, MEMBER_ROLE (the name of the role to assume)
// and EXTERNAL_ID (what the role's trust policy asks for).
func NewDoor(ctx context.Context) (*Door, error) {
	role, externalID := os.Getenv("MEMBER_ROLE"), os.Getenv("EXTERNAL_ID")
	if role == "" || externalID == "" {
		return nil, fmt.Errorf("opening the door to member accounts: the environment must set MEMBER_ROLE and EXTERNAL_ID")
	}
	hub, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the hub's AWS configuration: %w", err)
	}
	return &Door{hub: hub, role: role, externalID: externalID, assume: sts.NewFromConfig(hub), lookup: lookup, sessions: map[session]*aws.CredentialsCache{}}, nil
}

// Hub returns the configuration of the hub account itself, in the function's own Region.
func (d *Door) Hub() aws.Config { return d.hub }

// Enter returns the configuration for acting in account and Region on behalf of execution.
// No call is made until a client needs credentials; they are cached and renewed by the SDK. A service that the Region does
// not have fails with [fault.ErrAbsent].
func (d *Door) Enter(execution, account, region string) aws.Config {
	entered := d.hub.Copy()
	entered.Region = region
	entered.Credentials = d.credentials(session{account, sessionName(execution)})
	entered.APIOptions = append(slices.Clone(entered.APIOptions), d.absence(region))
	return entered
}

func (d *Door) credentials(s session) *aws.CredentialsCache {
	d.mu.Lock()
	defer d.mu.Unlock()
	if cached, ok := d.sessions[s]; ok {
		return cached
	}
	if len(d.sessions) >= maxSessions {
		clear(d.sessions)
	}
	role := arn.IAM(arn.Partition(d.hub.Region), s.account, "role/"+d.role)
	cached := aws.NewCredentialsCache(refusal{account: s.account, role: d.role, inner: stscreds.NewAssumeRoleProvider(d.assume, role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = s.name
		o.ExternalID = aws.String(d.externalID)
	})})
	d.sessions[s] = cached
	return cached
}

// refusal says in an operator's words that an account does not let us in.
type refusal struct {
	account, role string
	inner         aws.CredentialsProvider
}

// Retrieve implements [aws.CredentialsProvider].
func (r refusal) Retrieve(ctx context.Context) (aws.Credentials, error) {
	got, err := r.inner.Retrieve(ctx)
	if err == nil {
		return got, nil
	}
	if fault.HasCode(err, "AccessDenied", "AccessDeniedException") {
		return got, &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed,
			Message: fmt.Sprintf("assuming %s in %s: access denied", r.role, r.account),
			Remedy:  "deploy the member stack to that account (docs/deploy.md), then redrive the execution"}
	}
	return got, fmt.Errorf("assuming %s in %s: %w", r.role, r.account, err)
}

// notInSessionName matches what AWS does not allow in a role session name; it has 2 to 64 characters.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var notInSessionName = regexp.MustCompile(`[^\w+=,.@-]+`)

func sessionName(execution string) string {
	name := notInSessionName.ReplaceAllString(execution, "-")
	if len(name) > 64 {
		name = name[:64]
	}
	if len(name) < 2 {
		return "drawbridge"
	}
	return name
}
