package lambdahost

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	child "github.com/drawbridge-cloud/drawbridge/pkg/local/process"
)

// process is one execution environment of a function.
type process struct {
	id       string
	function Function
	log      func(function, line string)

	work    chan delivery // the invocation it should take next
	asked   chan struct{} // closed when it first asked for work
	over    chan struct{} // closed when it cannot work any more
	gone    chan struct{} // closed when the executable was waited for
	once    sync.Once
	askOnce sync.Once

	mu      sync.Mutex
	fresh   bool // no invocation yet: the next one pays the cold start
	child   *child.Child
	killed  bool
	end     outcome // why it is over
	current *delivery
	output  bytes.Buffer
	partial []byte
}

type delivery struct {
	Invocation
	taken chan struct{} // closed when the process has it
	done  chan outcome
}

type outcome struct {
	payload []byte
	failed  bool
}

// failure is an error as Lambda writes it.
type failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func failed(kind, message string) outcome {
	b, _ := json.Marshal(failure{kind, message})
	return outcome{payload: b, failed: true}
}

func newProcess(f Function, log func(function, line string)) *process {
	return &process{
		id: newID(), function: f, log: log, fresh: true,
		work: make(chan delivery, 1), asked: make(chan struct{}), over: make(chan struct{}), gone: make(chan struct{}),
	}
}

// start starts the executable and watches it to its end.
func (p *process) start(environment func() ([]string, error)) {
	defer close(p.gone)
	env, err := environment()
	if err != nil {
		p.finish(failed("Runtime.InvalidConfiguration", "Error: "+err.Error()))
		return
	}
	cmd := command(p.function.Bootstrap, env)
	cmd.Stdout, cmd.Stderr = p, p
	c, err := child.Start(cmd)
	if err != nil {
		p.finish(failed("Runtime.InvalidEntrypoint", "Error: "+err.Error()))
		return
	}
	p.mu.Lock()
	p.child = c
	killed := p.killed
	p.mu.Unlock()
	if killed {
		c.Kill()
	}
	<-c.Exited()
	reason := "Runtime exited without providing a reason"
	if err := c.Err(); err != nil {
		reason = "Runtime exited with error: " + err.Error()
	}
	p.finish(failed("Runtime.ExitError", "Error: "+reason))
}

// finish records the first reason why the process is over.
func (p *process) finish(o outcome) {
	p.once.Do(func() {
		p.mu.Lock()
		p.end = o
		p.mu.Unlock()
		close(p.over)
	})
}

func (p *process) dead() bool {
	return isClosed(p.over)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (p *process) kill() {
	p.mu.Lock()
	p.killed = true
	c := p.child
	p.mu.Unlock()
	if c != nil {
		c.Kill()
	}
	<-p.gone
}

// worksOn reports whether the process has the invocation with this trace id.
func (p *process) worksOn(traceID string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current != nil && p.current.TraceID == traceID
}

// run hands the invocation to the process and waits for what becomes of it;
// taken is false when the process was over before it took it.
func (p *process) run(ctx context.Context, inv Invocation, initTimeout time.Duration) (o outcome, taken bool) {
	select {
	case <-p.asked:
	case <-p.over:
		return p.ended(inv.ID), false
	case <-ctx.Done():
		return closing(inv.ID), true
	case <-time.After(initTimeout):
		p.finish(failed("Sandbox.Timedout", fmt.Sprintf("Error: Init timed out after %.2f seconds", initTimeout.Seconds())))
		p.kill()
		return p.ended(inv.ID), true
	}
	d := delivery{Invocation: inv, taken: make(chan struct{}), done: make(chan outcome, 1)}
	p.work <- d
	timeout := time.NewTimer(p.function.Timeout)
	defer timeout.Stop()
	select {
	case o := <-d.done:
		return o, true
	case <-p.over:
		select { // an answer that came just before the end counts
		case o := <-d.done:
			return o, true
		default:
			return p.ended(inv.ID), isClosed(d.taken)
		}
	case <-ctx.Done():
		return closing(inv.ID), true
	case <-timeout.C:
		p.finish(failed("Sandbox.Timedout", fmt.Sprintf("Error: Task timed out after %.2f seconds", p.function.Timeout.Seconds())))
		p.kill()
		return p.ended(inv.ID), true
	}
}

func closing(request string) outcome {
	return failed("Runtime.ExitError", "RequestId: "+request+" Error: the host was closed")
}

// ended is the reason why the process is over, addressed to one request.
func (p *process) ended(request string) outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	var f failure
	if json.Unmarshal(p.end.payload, &f) == nil && len(f.Message) > 6 && f.Message[:6] == "Error:" {
		return failed(f.Type, "RequestId: "+request+" "+f.Message)
	}
	return p.end
}

// next is the process asking for work; it waits for some.
func (p *process) next(w http.ResponseWriter, r *http.Request) {
	p.askOnce.Do(func() { close(p.asked) })
	select {
	case d := <-p.work:
		close(d.taken)
		p.mu.Lock()
		p.current = &d
		p.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", d.ID)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(p.function.Timeout).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", p.function.ARN)
		h.Set("Lambda-Runtime-Trace-Id", "Root="+d.TraceID+";Parent="+d.TraceID[len(d.TraceID)-16:]+";Sampled=1")
		_, _ = w.Write(d.Payload)
	case <-p.over:
	case <-r.Context().Done():
	}
}

// answer takes the result of the current invocation.
func (p *process) answer(request string, o outcome) bool {
	p.mu.Lock()
	d := p.current
	if d == nil || d.ID != request {
		p.mu.Unlock()
		return false
	}
	p.current = nil
	p.mu.Unlock()
	d.done <- o
	return true
}

// Write takes what the process prints.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	p.output.Write(b)
	p.partial = append(p.partial, b...)
	var lines []string
	for {
		i := bytes.IndexByte(p.partial, '\n')
		if i < 0 {
			break
		}
		lines = append(lines, string(p.partial[:i]))
		p.partial = p.partial[i+1:]
	}
	p.mu.Unlock()
	if p.log != nil {
		for _, l := range lines {
			p.log(p.function.Name, l)
		}
	}
	return len(b), nil
}

// takeLog returns what was printed since the last invocation.
func (p *process) takeLog() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := bytes.Clone(p.output.Bytes())
	p.output.Reset()
	return out
}

// newID returns a random request id in the form of a UUID.
func newID() string {
	h := random(16)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// newTraceID returns an X-Ray trace id: version, epoch seconds, 96 random bits.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
func newTraceID(now time.Time) string {
	return fmt.Sprintf("1-%08x-%s", now.Unix(), random(12))
}

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}
