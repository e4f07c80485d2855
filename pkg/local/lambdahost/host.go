// Package lambdahost runs compiled Lambda functions as AWS Lambda does, on this
// machine: real bootstrap processes that speak the Lambda Runtime API.
//
// A function has as many processes as it has invocations at once; each further
// process is one cold start. A process handles one invocation at a time, is
// killed when the invocation takes longer than the function's timeout, and is
// never used again after it died.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package lambdahost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Function is what the host must know to run one.
type Function struct {
	// Name as deployed.
	Name string
	// ARN is told to the function.
	ARN string
	// Region the function lives in.
	Region string
	// Bootstrap is the path of the executable.
	Bootstrap string
	// Timeout of one invocation; zero means 3 s, Lambda's default.
	Timeout time.Duration
	// MemoryMB is only told to the function; zero means 128.
	MemoryMB int
	// Environment is the function's own.
	Environment map[string]string
}

// Options are what the host needs from its surroundings.
type Options struct {
	// Endpoint is where the host's handler is served, without scheme:
	// "127.0.0.1:4566/some/path".
	Endpoint string
	// Lookup finds a deployed function; [ErrNotFound] if there is none.
	Lookup func(name string) (Function, error)
	// Credentials are environment variables for a new process of the function,
	// beyond its own: who it is and where AWS is. May be nil.
	Credentials func(context.Context, Function) (map[string]string, error)
	// Started and Finished see every invocation. May be nil.
	Started, Finished func(Invocation)
	// Log sees every line that a function prints. May be nil.
	Log func(function, line string)
	// InitTimeout is how long a new process may take to ask for work; zero
	// means 10 s, as on Lambda.
	InitTimeout time.Duration
}

// ErrNotFound says that there is no such function.
var ErrNotFound = errors.New("function not found")

// Invocation is one request to a function and what became of it.
type Invocation struct {
	// ID is the request id.
	ID string
	// TraceID is the X-Ray root that the function passes on with its AWS calls.
	TraceID string
	// Function is the name of the function.
	Function string
	// Payload is the request.
	Payload []byte
	// ColdStart says that a process was started for it.
	ColdStart bool
	// Began is when it was handed in.
	Began time.Time

	// The rest is known once it finished.

	// Took is how long it took, start of the process included.
	Took time.Duration
	// Result is the answer, or the error as Lambda writes it.
	Result []byte
	// Failed says that Result is an error: X-Amz-Function-Error is set.
	Failed bool
	// Log is what arrived meanwhile of what the function printed; the pipe may
	// be slower than the answer.
	Log []byte
}

// Host runs functions. Serve it as an [http.Handler] at Options.Endpoint.
type Host struct {
	options Options
	ctx     context.Context
	cancel  context.CancelFunc

	mu        sync.Mutex
	processes map[string]*process   // by process id
	idle      map[string][]*process // by function name
	coldStart map[string]int        // by function name
	invoked   int
	closed    bool
}

// New returns a host without any process.
func New(o Options) *Host {
	if o.InitTimeout == 0 {
		o.InitTimeout = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Host{
		options: o, ctx: ctx, cancel: cancel,
		processes: map[string]*process{}, idle: map[string][]*process{}, coldStart: map[string]int{},
	}
}

// Counts are the invocations so far and the cold starts of each function.
func (h *Host) Counts() (invocations int, coldStarts map[string]int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.invoked, maps.Clone(h.coldStart)
}

// Invoke runs the function once and waits for its result. A failure of the
// function is a result; an error means that nothing ran.
func (h *Host) Invoke(name string, payload []byte) (Invocation, error) {
	f, err := h.options.Lookup(name)
	if err != nil {
		return Invocation{}, fmt.Errorf("invoking %s: %w", name, err)
	}
	if f.Timeout == 0 {
		f.Timeout = 3 * time.Second
	}
	now := time.Now()
	inv := Invocation{ID: newID(), TraceID: newTraceID(now), Function: name, Payload: payload, Began: now}
	if h.options.Started != nil {
		h.options.Started(inv)
	}
	var p *process
	var o outcome
	for taken := false; !taken; {
		if p, err = h.process(f); err != nil {
			return Invocation{}, fmt.Errorf("invoking %s: %w", name, err)
		}
		fresh := p.fresh
		p.fresh = false
		inv.ColdStart = inv.ColdStart || fresh
		o, taken = p.run(h.ctx, inv, h.options.InitTimeout)
		// A process that died after its last answer is nobody's failure:
		// another one takes the work. One that dies at its start is one.
		taken = taken || fresh
	}
	h.mu.Lock()
	h.invoked++
	h.mu.Unlock()
	inv.Result, inv.Failed, inv.Log, inv.Took = o.payload, o.failed, p.takeLog(), time.Since(now)
	if h.options.Finished != nil {
		h.options.Finished(inv)
	}
	h.release(p)
	return inv, nil
}

// process takes an idle process of the function or starts one.
func (h *Host) process(f Function) (*process, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errors.New("the host is closed")
	}
	for list := h.idle[f.Name]; len(list) > 0; list = h.idle[f.Name] {
		p := list[len(list)-1]
		h.idle[f.Name] = list[:len(list)-1]
		if !p.dead() {
			return p, nil
		}
		delete(h.processes, p.id)
	}
	p := newProcess(f, h.options.Log)
	h.processes[p.id] = p
	h.coldStart[f.Name]++
	go p.start(h.environment(f, p.id))
	return p, nil
}

// release makes the process available again, or forgets it if it died.
func (h *Host) release(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.dead() || h.closed {
		delete(h.processes, p.id)
		return
	}
	h.idle[p.function.Name] = append(h.idle[p.function.Name], p)
}

// environment returns what makes the environment of a new process. Nothing of
// the engine's own environment gets in.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (h *Host) environment(f Function, id string) func() ([]string, error) {
	return func() ([]string, error) {
		e := map[string]string{
			"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC",
			"AWS_REGION": f.Region, "AWS_DEFAULT_REGION": f.Region,
			"AWS_EXECUTION_ENV":         "AWS_Lambda_provided.al2023",
			"AWS_EC2_METADATA_DISABLED": "true",
		}
		maps.Copy(e, f.Environment)
		if h.options.Credentials != nil {
			more, err := h.options.Credentials(h.ctx, f)
			if err != nil {
				return nil, err
			}
			maps.Copy(e, more)
		}
		maps.Copy(e, map[string]string{
			"AWS_LAMBDA_RUNTIME_API":          h.options.Endpoint + "/" + id,
			"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
			"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
			"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": fmt.Sprint(max(f.MemoryMB, 128)),
			"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + f.Name,
			"AWS_LAMBDA_LOG_STREAM_NAME":      id,
			"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
			"_HANDLER":                        "bootstrap",
		})
		var out []string
		for k, v := range e {
			out = append(out, k+"="+v)
		}
		return out, nil
	}
}

// Cool ends every process that is idle.
func (h *Host) Cool() {
	h.mu.Lock()
	var idle []*process
	for _, list := range h.idle {
		idle = append(idle, list...)
	}
	clear(h.idle)
	for _, p := range idle {
		delete(h.processes, p.id)
	}
	h.mu.Unlock()
	for _, p := range idle {
		p.kill()
	}
}

// Kill ends the process that works on the invocation with this trace id while it
// works, as Lambda does when a function runs out of memory.
func (h *Host) Kill(traceID string) {
	h.mu.Lock()
	var found *process
	for _, p := range h.processes {
		if p.worksOn(traceID) {
			found = p
		}
	}
	h.mu.Unlock()
	if found != nil {
		found.kill()
	}
}

// Close kills every process and waits for them.
func (h *Host) Close() {
	h.mu.Lock()
	h.closed = true
	var all []*process
	for _, p := range h.processes {
		all = append(all, p)
	}
	h.mu.Unlock()
	h.cancel()
	for _, p := range all {
		p.kill()
	}
}

// maxPayload is Lambda's limit for a response: 6 MB, and 100 bytes, as its error says.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxPayload = 6<<20 + 100

// ServeHTTP answers the Runtime API. The path is the process id, then what the
// process asks for; whoever mounts the handler strips what comes before.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	h.mu.Lock()
	p := h.processes[id]
	h.mu.Unlock()
	if p == nil {
		http.Error(w, "no such process", http.StatusForbidden)
		return
	}
	path = strings.TrimPrefix(path, "2018-06-01/runtime/")
	switch {
	case r.Method == http.MethodGet && path == "invocation/next":
		p.next(w, r)
	case r.Method == http.MethodPost && path == "init/error":
		p.finish(read(r, true))
		accepted(w)
	case r.Method == http.MethodPost && strings.HasPrefix(path, "invocation/"):
		request, verb, _ := strings.Cut(strings.TrimPrefix(path, "invocation/"), "/")
		if verb != "response" && verb != "error" {
			http.NotFound(w, r)
			return
		}
		if !p.answer(request, read(r, verb == "error")) {
			http.Error(w, `{"errorMessage":"no such invocation","errorType":"InvalidRequestID"}`, http.StatusBadRequest)
			return
		}
		accepted(w)
	default:
		http.NotFound(w, r)
	}
}

func read(r *http.Request, isError bool) outcome {
	b, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		return failed("Runtime.TruncatedResponse", err.Error())
	}
	if len(b) > maxPayload {
		return failed("Function.ResponseSizeTooLarge", fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxPayload))
	}
	return outcome{payload: b, failed: isError}
}

func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

// command is how a bootstrap is started.
func command(bootstrap string, env []string) *exec.Cmd {
	cmd := exec.Command(bootstrap)
	cmd.Env = env
	return cmd
}
