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
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// Door opens member accounts. It is safe for concurrent use; make one for the life of the process, so that
// connections and sessions are kept between invocations.
type Door struct {
	hub        aws.Config
	role       string
	externalID string
	assume     stscreds.AssumeRoleAPIClient
	lookup     func(ctx context.Context, host string) error
	mode       func(ctx context.Context) (mode.Setting, error)
	takesAway  bool // the function only takes away

	mu       sync.Mutex
	sessions map[session]*aws.CredentialsCache
	observe  map[string]bool // accounts that let themselves be observed only, as they were entered last
}

type session struct{ account, name string }

// maxSessions bounds the sessions kept in memory. A busy hub serves many executions from one process.
const maxSessions = 256

// NewDoor reads the hub's configuration and, from the environment, MEMBER_ROLE (the name of the role to assume), EXTERNAL_ID (what
// the role's trust policy asks for), MODE_PARAMETER (which says how far Drawbridge goes) and TAKES_AWAY (set if the function does
// nothing else).
func NewDoor(ctx context.Context) (*Door, error) {
	role, externalID, parameter := os.Getenv("MEMBER_ROLE"), os.Getenv("EXTERNAL_ID"), os.Getenv("MODE_PARAMETER")
	if role == "" || externalID == "" || parameter == "" {
		return nil, fmt.Errorf("opening the door to member accounts: the environment must set MEMBER_ROLE, EXTERNAL_ID and MODE_PARAMETER")
	}
	hub, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the hub's AWS configuration: %w", err)
	}
	return &Door{hub: hub, role: role, externalID: externalID, assume: sts.NewFromConfig(hub), lookup: lookup,
		mode: mode.New(ssm.NewFromConfig(hub), parameter).Now, takesAway: os.Getenv("TAKES_AWAY") != "",
		sessions: map[session]*aws.CredentialsCache{}, observe: map[string]bool{}}, nil
}

// Hub returns the configuration of the hub account itself, in the function's own Region.
func (d *Door) Hub() aws.Config { return d.hub }

// Mode returns how far Drawbridge goes at the moment.
func (d *Door) Mode(ctx context.Context) (mode.Setting, error) { return d.mode(ctx) }

// ObservesOnly reports whether an account that was entered lets itself be observed only.
func (d *Door) ObservesOnly(account string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.observe[account]
}

// Enter returns the configuration for acting in account and Region on behalf of execution.
// No call is made until a client needs credentials; they are cached and renewed by the SDK. A service that the Region does
// not have fails with [fault.ErrAbsent], a call that the mode does not let through with [fault.Held].
func (d *Door) Enter(execution, account, region string) aws.Config {
	entered := d.hub.Copy()
	entered.Region = region
	entered.Credentials = d.credentials(session{account, sessionName(execution)})
	only := func(ctx context.Context) (bool, error) {
		_, err := entered.Credentials.Retrieve(ctx)
		return d.ObservesOnly(account), err
	}
	entered.APIOptions = append(slices.Clone(entered.APIOptions), d.absence(region), mode.Guard(d.mode, only, d.takesAway, account))
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
	by := func(externalID string) aws.CredentialsProvider {
		return stscreds.NewAssumeRoleProvider(d.assume, role, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = s.name
			o.ExternalID = aws.String(externalID)
		})
	}
	cached := aws.NewCredentialsCache(refusal{account: s.account, role: d.role, change: by(d.externalID), observe: by(d.externalID + mode.ObserveOnly), door: d})
	d.sessions[s] = cached
	return cached
}

// refusal says in an operator's words that an account does not let us in. It enters as one who changes things or, where that is
// denied, as one who observes.
type refusal struct {
	account, role   string
	change, observe aws.CredentialsProvider
	door            *Door
}

// Retrieve implements [aws.CredentialsProvider].
func (r refusal) Retrieve(ctx context.Context) (aws.Credentials, error) {
	first, second, observes := r.change, r.observe, r.door.ObservesOnly(r.account)
	if observes {
		first, second = second, first
	}
	got, err := first.Retrieve(ctx)
	if denied(err) {
		var other aws.Credentials
		if other, err = second.Retrieve(ctx); err == nil {
			got, observes = other, !observes
		}
	}
	if err == nil {
		r.door.mu.Lock()
		defer r.door.mu.Unlock()
		r.door.observe[r.account] = observes
		return got, nil
	}
	if denied(err) {
		return got, &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed,
			Message: fmt.Sprintf("assuming %s in %s: access denied", r.role, r.account),
			Remedy:  "deploy the member stack to that account (docs/deploy.md), then redrive the execution"}
	}
	return got, fmt.Errorf("assuming %s in %s: %w", r.role, r.account, err)
}

func denied(err error) bool { return fault.HasCode(err, "AccessDenied", "AccessDeniedException") }

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
