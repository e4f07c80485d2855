package plan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/asl"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/dryrun"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// Hub is what a rehearsal has to know of the hub, and how it reaches it.
type Hub struct {
	// Config is of the hub's account and Region, with the credentials of whoever asks.
	Config aws.Config
	// Enter returns the configuration of another account, with their credentials; an error if they have none.
	Enter func(event.Place) (aws.Config, error)
	// Store is the ledger. It is only read.
	Store ledger.Store
	// Policy is the text that decides.
	Policy string
	// Limit is the brake's, and Patience the days after which a request is stuck: as the functions have them.
	Limit    brake.Limit
	Patience int
	// Regions are those in which Drawbridge works.
	Regions []string
}

// execution is the name of the one execution that a rehearsal plays.
const execution = "plan"

// rehearsal plays executions in this process, one after the other, over one world: a later one sees what an earlier one would have done.
type rehearsal struct {
	Hub
	World *dryrun.World

	set          *policy.Set
	hub          aws.Config
	book         ledger.Ledger
	brake        brake.Brake
	organization *account.Organization
	keeper       lease.Keeper
	bus          notice.Bus
	topic        notice.Topic
	looks        look.Asker
	handlers     map[string]runtime.Handler
	asked        int // of the notices, how many were read

	mu     sync.Mutex
	closed map[string]string // accounts that whoever asks may not read, with the reason
}

// rehearse begins a rehearsal. It fails if the policy cannot be read.
func rehearse(h Hub) (*rehearsal, error) {
	set, err := policy.Parse("policy", []byte(h.Policy))
	if err != nil {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	r := &rehearsal{Hub: h, World: &dryrun.World{}, set: set}
	r.hub = r.World.In("", h.Config.Copy())
	r.book = ledger.Ledger{Store: &dryrun.Store{Under: h.Store}, Now: time.Now}
	r.brake = brake.Brake{Ledger: r.book, Limit: h.Limit}
	r.organization = account.OpenOrganization(r.hub)
	r.keeper = lease.Keeper{Ledger: r.book, API: sfn.NewFromConfig(r.hub)}
	r.bus = notice.Bus{API: eventbridge.NewFromConfig(r.hub), Name: "drawbridge"}
	r.topic = notice.Topic{API: sns.NewFromConfig(r.hub), ARN: arn.New(arn.Partition(r.hub.Region), "sns", r.hub.Region, "000000000000", "drawbridge-notifications")}
	r.looks = look.Asker{API: r.bus.API, Bus: r.bus.Name}
	r.handlers = r.steps()
	return r, nil
}

// now is the clock.
func (r *rehearsal) now() time.Time { return time.Now() }

// policy returns the policy, whatever an execution carries: it carries this one.
func (r *rehearsal) policy(context.Context) (*policy.Set, error) {
	return r.set, nil
}

// Mode implements [mode.Door]: it is said what would be done if Drawbridge might do all that the policy allows.
func (r *rehearsal) Mode(context.Context) (mode.Setting, error) {
	return mode.Setting{Mode: mode.Full}, nil
}

// ObservesOnly implements [mode.Door].
func (r *rehearsal) ObservesOnly(string) bool { return false }

// Enter enters an account as a function does, but with the credentials of whoever asks, and to change nothing. Without any, each call fails as it does in
// an account without the member stack; which those are, a plan says.
func (r *rehearsal) Enter(_, id, region string) aws.Config {
	c, err := r.Hub.Enter(event.Place{Account: id, Region: region})
	if err != nil {
		c = r.Config.Copy()
		c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, err })
	}
	c.Region, c.Credentials = region, credentials{c.Credentials, id, r}
	c.APIOptions = append(slices.Clone(c.APIOptions), account.Absence(r.Config, region))
	return r.World.In(id, c)
}

// credentials are those for an account of whoever asks.
type credentials struct {
	aws.CredentialsProvider
	account string
	of      *rehearsal
}

// Retrieve implements [aws.CredentialsProvider].
func (c credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	got, err := c.CredentialsProvider.Retrieve(ctx)
	if fault.HasCode(err, "AccessDenied", "AccessDeniedException") {
		err = &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed, Message: fmt.Sprintf("entering account %s: %v", c.account, err), Remedy: "name credentials that may read it, with --account or --role"}
	}
	if errors.Is(err, fault.ErrClosed) {
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		if c.of.closed == nil {
			c.of.closed = map[string]string{}
		}
		c.of.closed[c.account] = err.Error()
	}
	return got, err
}

// unread says of which accounts nothing is known.
func (r *rehearsal) unread() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, id := range slices.Sorted(maps.Keys(r.closed)) {
		out = append(out, fmt.Sprintf("account %s, which you cannot read: what is said here is as if Drawbridge could not either: %s", id, r.closed[id]))
	}
	return out
}

// machines are those that are rehearsed, by the detail-types of the events that start them: Drawbridge's own, and what a service says of tags.
var machines = map[string]struct{ name, definition string }{
	event.ToInspect:                 {"drawbridge-peering", template.Peering},
	event.TransitToInspect:          {"drawbridge-transit", template.Transit},
	event.AttachmentToInspect:       {"drawbridge-attachment", template.Attachment},
	event.ShareToInspect:            {"drawbridge-share", template.Share},
	event.NotebookToInspect:         {"drawbridge-notebook", template.Notebook},
	event.NotebookToRestart:         {"drawbridge-notebook", template.Notebook},
	event.DataAPIToInspect:          {"drawbridge-data-api", template.DataAPI},
	event.DataAPIEndpointToInspect:  {"drawbridge-data-api-endpoint", template.DataAPIEndpoint},
	event.StudioToInspect:           {"drawbridge-studio", template.Studio},
	event.PrivateNotebooksToInspect: {"drawbridge-private-notebooks", template.PrivateNotebooks},
	event.ContestToReport:           {"drawbridge-change", template.Change},
	tagChange:                       {"drawbridge-change", template.Change},
}

// played is how one execution would end.
type played struct {
	State  string // its last one
	Error  string // its kind, if it failed there
	Reason string
	Waits  bool
	States int
}

// play plays an execution of a machine with an event as its input.
func (r *rehearsal) play(ctx context.Context, name, definition string, input any) (played, error) {
	m, err := asl.Parse(definition)
	if err != nil {
		return played{}, err
	}
	text, err := json.Marshal(input)
	if err != nil {
		return played{}, err
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return played{}, err
	}
	before := len(r.World.Writes())
	x := asl.Execution{Machine: name, Name: execution, Task: r.task, Turn: func() bool { // only what is written can be otherwise after a wait
		now := len(r.World.Writes())
		turn := now > before
		before = now
		return turn
	}}
	end, err := x.Run(ctx, m, plain)
	out := played{State: end.State, Waits: end.Waits, States: end.States, Reason: reason(end.Output)}
	var failed *asl.Failure
	if errors.As(err, &failed) {
		out.State, out.Error, out.Reason, err = failed.State, failed.Name, message(failed.Cause), nil
	}
	return out, err
}

// reason is what an execution says of its end.
func reason(output any) string {
	m, _ := output.(map[string]any)
	text, _ := m["reason"].(string)
	return text
}

// message is the message of a cause as Lambda writes it.
func message(cause string) string {
	var of messages.InvokeResponse_Error
	if json.Unmarshal([]byte(cause), &of) == nil && of.Message != "" {
		return of.Message
	}
	return cause
}

// task invokes the function of a state.
func (r *rehearsal) task(ctx context.Context, state string, payload []byte) ([]byte, error) {
	h := r.handlers[state]
	if h == nil {
		return nil, &asl.Failure{State: state, Name: "States.Runtime", Cause: "this state is not rehearsed"}
	}
	out, err := h.Invoke(ctx, payload)
	var failed messages.InvokeResponse_Error
	if errors.As(err, &failed) {
		cause, _ := json.Marshal(failed)
		return nil, &asl.Failure{State: state, Name: failed.Type, Cause: string(cause)}
	}
	return out, err
}

// news returns the looks that were asked for since it was asked last.
func (r *rehearsal) news() []dryrun.Notice {
	all := r.World.Notices()
	fresh := slices.DeleteFunc(slices.Clone(all[r.asked:]), func(n dryrun.Notice) bool { return !event.Own(n.Kind) })
	r.asked = len(all)
	return fresh
}
