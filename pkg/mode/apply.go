package mode

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go/middleware"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Parameters is what [Store] needs of Parameter Store.
type Parameters interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
}

// Store reads the mode. It is safe for concurrent use.
type Store struct {
	api  Parameters
	name string

	mu      sync.Mutex
	request string // the invocation that setting was read in
	setting Setting
}

// New returns the store of the parameter with this name.
func New(api Parameters, name string) *Store { return &Store{api: api, name: name} }

// Now returns the mode, read once in each invocation. A parameter that is not there is as [Stopped]; one that could not be read is an
// error.
func (s *Store) Now(ctx context.Context) (Setting, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	request := ""
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		request = lc.AwsRequestID
	}
	if request != "" && s.request == request {
		return s.setting, nil
	}
	got, err := s.api.GetParameter(ctx, &ssm.GetParameterInput{Name: &s.name})
	var now Setting
	switch {
	case fault.HasCode(err, "ParameterNotFound"):
		now = Setting{Stopped, "Drawbridge is paused, because there is no parameter " + s.name}
	case err != nil:
		return Setting{Mode: Stopped}, fmt.Errorf("reading the mode %s: %w", s.name, err)
	default:
		now = Read(aws.ToString(got.Parameter.Value))
	}
	if now.Mode != Full {
		slog.InfoContext(ctx, "mode", "mode", now.Mode, "why", now.Why)
	}
	s.request, s.setting = request, now
	return now, nil
}

// Door is what [Gate] asks about the members that it entered.
type Door interface {
	Mode(ctx context.Context) (Setting, error)
	// ObservesOnly reports whether an account that was entered lets itself be observed only.
	ObservesOnly(account string) bool
}

// Gate returns step, but what it decided is held back where the mode, or an account, does not allow it; plan says what the steps
// after it would change.
func Gate[I, O any](door Door, plan func(O) Plan, step workflow.Step[I, O]) workflow.Step[I, O] {
	return func(ctx context.Context, in I) (O, error) {
		out, err := step(ctx, in)
		if err != nil {
			return out, err
		}
		now, err := door.Mode(ctx)
		if err != nil {
			return out, err
		}
		p, only := plan(out), ""
		for _, account := range p.Accounts {
			if door.ObservesOnly(account) {
				only = account
				break
			}
		}
		return out, decide(now, only, p)
	}
}

// Unpaused returns step, but in the mode [Stopped] it is not done: for what enters no member and begins something all the same.
func Unpaused[I, O any](now func(context.Context) (Setting, error), step workflow.Step[I, O]) workflow.Step[I, O] {
	return func(ctx context.Context, in I) (O, error) {
		setting, err := now(ctx)
		if err == nil {
			err = decide(setting, "", Plan{})
		}
		if err != nil {
			var none O
			return none, err
		}
		return step(ctx, in)
	}
}

// Guard holds every call of a client to the mode, before it is sent. Only is asked for calls that change something: whether the
// account lets itself be observed only. takesAway says that the function only takes away.
func Guard(now func(context.Context) (Setting, error), only func(context.Context) (bool, error), takesAway bool, account string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Mode", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
			setting, err := now(ctx)
			if err != nil {
				return out, metadata, err
			}
			name := Action(middleware.GetServiceID(ctx), middleware.GetOperationName(ctx))
			observed := false
			if setting.Mode != Stopped && !Reads(name) {
				if observed, err = only(ctx); err != nil {
					return out, metadata, err
				}
			}
			if err := lets(setting, observed, takesAway, name, account); err != nil {
				return out, metadata, err
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
	}
}

// Action returns a call, by the SDK's id of its service, as IAM names it: "Secrets Manager" and PutResourcePolicy are secretsmanager:PutResourcePolicy.
func Action(service, operation string) string {
	if service == "Redshift Serverless" {
		return "redshift-serverless:" + operation
	}
	return strings.ReplaceAll(strings.ToLower(service), " ", "") + ":" + operation
}
