package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/lambdahost"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// Engine is a running Drawbridge with the AWS that it works on.
type Engine struct {
	options  Options
	address  string
	server   *http.Server
	emulator *emulator
	host     *lambdahost.Host
	story    *story.Recorder
	closing  sync.Once
}

// Start starts an engine and deploys the hub. The engine runs until Close.
func Start(ctx context.Context, o Options) (_ *Engine, err error) {
	o = o.withDefaults()
	if err := o.Check(); err != nil {
		return nil, err
	}
	address, err := loopback(o.Listen)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	e := &Engine{options: o, address: listener.Addr().String(), story: story.NewRecorder()}
	defer func() {
		if err != nil {
			_ = listener.Close()
			e.Close()
		}
	}()
	// The emulation reports and calls back from its first second on.
	door := newDoor(o, e.story)
	e.server = &http.Server{Handler: door, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := e.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			_, _ = fmt.Fprintln(o.Log, "front door:", err)
		}
	}()
	if e.emulator, err = startEmulator(ctx, o, e.address); err != nil {
		return nil, err
	}
	backend := e.emulator.url.String()
	deployer := newDeployer(backend, o)
	if err = deployer.hub(ctx, e.story); err != nil {
		return nil, err
	}
	functions, err := loadFunctions(ctx, backend, o)
	if err != nil {
		return nil, err
	}
	e.host = lambdahost.New(lambdahost.Options{
		Endpoint:    e.address + runtimePath,
		Lookup:      functions.lookup,
		Credentials: functions.credentials(e.URL(), &door.accounts),
		Started:     e.story.Started,
		Finished:    e.story.Finished,
		Log:         func(function, line string) { _, _ = fmt.Fprintf(o.Log, "%s: %s\n", function, line) },
	})
	door.open(e.emulator.url, deployer, functions, e.host)
	return e, nil
}

// URL is the endpoint for every AWS client.
func (e *Engine) URL() string { return "http://" + e.address }

// Region is the Region of the hub.
func (e *Engine) Region() string { return e.options.Region }

// Story is what Drawbridge did so far.
func (e *Engine) Story() *story.Recorder { return e.story }

// Config makes the AWS SDK work as an account in a Region of the engine.
func (e *Engine) Config(account, region string) aws.Config {
	return ClientConfig(e.URL(), account, region)
}

// quiet is how long nothing may happen before the engine counts as settled;
// notebooks take a fifth of a second to change their state.
const quiet = 300 * time.Millisecond

// Settle waits until n executions have ended since the story began, none runs
// and no event is under way. It returns the ends in their order.
func (e *Engine) Settle(ctx context.Context, n int) ([]story.End, error) {
	for {
		ends, err := e.story.Wait(ctx, n, quiet)
		if err != nil {
			return ends, err
		}
		before := e.story.Changes()
		if err := e.emulator.flush(ctx); err != nil {
			return ends, fmt.Errorf("waiting for events: %w", err)
		}
		if e.story.Changes() == before {
			return ends, nil
		}
	}
}

// Keep keeps what stands in accounts, in every Region, and returns what puts it
// back, as often as wanted. Nothing may be under way then. Stacks, sessions and
// the state of the functions are not part of it.
func (e *Engine) Keep(ctx context.Context, accounts ...string) (restore func(context.Context) error, err error) {
	body, err := e.emulator.ask(ctx, http.MethodPost, "keep", url.Values{"account": accounts})
	if err != nil {
		return nil, err
	}
	var answer struct{ Kept string }
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("keeping accounts: %w", err)
	}
	return func(ctx context.Context) error {
		_, err := e.emulator.ask(ctx, http.MethodPost, "restore", url.Values{"kept": {answer.Kept}})
		return err
	}, nil
}

// Age lets time pass for a peering, an attachment to a transit gateway, or, by the ARN of a resource share, for the
// invitations to it, as if all had happened that much earlier: AWS ends a request that nobody answers after seven days, and
// forgets a peering or an attachment some time after its end.
func (e *Engine) Age(ctx context.Context, id string, by time.Duration) error {
	kind := road.Of(id)
	if strings.HasPrefix(id, "arn:") {
		kind = road.Share
	}
	_, err := e.emulator.ask(ctx, http.MethodPost, "age", url.Values{string(kind): {id}, "days": {fmt.Sprint(by.Hours() / 24)}})
	return err
}

// Enter lets an account of the organization be in a state, such as SUSPENDED: then none of its roles can be assumed. An RDS instance, by its ARN, shows the
// state instead of its endpoint. With an empty state both are as ever.
func (e *Engine) Enter(ctx context.Context, thing, state string) error {
	kind := "account"
	if strings.HasPrefix(thing, "arn:") {
		kind = "database"
	}
	_, err := e.emulator.ask(ctx, http.MethodPost, "enter", url.Values{kind: {thing}, "state": {state}})
	return err
}

// Move moves an account of the organization into an organizational unit, such as "data/warehouses"; with an empty one, under the root.
func (e *Engine) Move(ctx context.Context, account, unit string) error {
	_, err := e.emulator.ask(ctx, http.MethodPost, "enter", url.Values{"moved": {account}, "state": {unit}})
	return err
}

// Cool ends all processes of functions that have nothing to do, as if nobody had
// needed them for a while: the next invocation of each is a cold start.
func (e *Engine) Cool() { e.host.Cool() }

// Done is closed when the emulation of AWS ended by itself, which it should
// not.
func (e *Engine) Done() <-chan struct{} { return e.emulator.child.Exited() }

// Close ends every process that the engine started and waits for them. It may
// be called more than once.
func (e *Engine) Close() {
	e.closing.Do(func() {
		if e.host != nil {
			e.host.Close()
		}
		if e.emulator != nil {
			e.emulator.stop()
		}
		if e.server != nil {
			_ = e.server.Close()
		}
	})
}
