package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/process"
)

// emulator is the emulation of the AWS APIs behind the front door.
type emulator struct {
	child *process.Child
	url   *url.URL
}

// notifyPath is where the emulation reports what it does.
const notifyPath = "/_drawbridge/notify"

// startEmulator starts moto and waits until it serves; front is the address of
// the front door, which moto's own interpreter calls.
func startEmulator(ctx context.Context, o Options, front string) (*emulator, error) {
	_, frontPort, err := net.SplitHostPort(front)
	if err != nil {
		return nil, fmt.Errorf("starting the emulation of AWS: %w", err)
	}
	cmd := exec.Command(o.python(), "-m", "drawbridge_moto", "-p", "0")
	cmd.Dir = o.extension()
	cmd.Env = append(withoutAWS(os.Environ()),
		"PYTHONPATH="+o.extension(),
		"PYTHONUNBUFFERED=1",
		"PYTHONDONTWRITEBYTECODE=", // what is imported is compiled once, whatever the shell says
		"MOTO_PORT="+frontPort,
		"VALIDATE_LAMBDA_S3=false",         // functions run from bin/functions, not from a bucket
		"MOTO_EC2_LOAD_DEFAULT_AMIS=false", // hundreds for each account and Region, and nobody starts a machine
		"MOTO_DISABLE_GLOBAL_CORS=true",    // no page of a browser calls it
		"DRAWBRIDGE_NOTIFY_URL=http://"+front+notifyPath,
		"DRAWBRIDGE_OUTSIDE="+strings.Join(o.Outside, ","),
		"DRAWBRIDGE_OUS="+o.Units,
		fmt.Sprintf("DRAWBRIDGE_WAIT_SCALE=%g", o.WaitScale),
		fmt.Sprintf("DRAWBRIDGE_PENDING_POLLS=%d", max(o.PendingPolls, 0)),
		"DRAWBRIDGE_ORGANIZATION="+Organization,
		"DRAWBRIDGE_AUTHORIZATIONS="+o.Authorizations,
		"DRAWBRIDGE_REGION="+o.Region,
	)
	output := &output{next: o.Log, ready: make(chan string, 1)}
	cmd.Stdout, cmd.Stderr = output, output
	// It ends when its standard input does.
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting the emulation of AWS: %w", err)
	}
	child, err := process.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("starting the emulation of AWS: %w", err)
	}
	e := &emulator{child: child}
	if e.url, err = e.serving(ctx, output.ready); err != nil {
		e.stop()
		if said := output.String(); said != "" {
			err = fmt.Errorf("%w; it said:\n%s", err, said)
		}
		return nil, fmt.Errorf("starting the emulation of AWS: %w", err)
	}
	return e, nil
}

// serving waits until moto says where it answers.
func (e *emulator) serving(ctx context.Context, ready <-chan string) (*url.URL, error) {
	select {
	case address := <-ready:
		return url.Parse(address)
	case <-e.child.Exited():
		return nil, fmt.Errorf("it ended by itself: %v", e.child.Err())
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-time.After(time.Minute):
		return nil, errors.New("it is not ready after a minute")
	}
}

// flush waits until every event was handed to its targets and every report was
// made.
func (e *emulator) flush(ctx context.Context) error {
	_, err := e.ask(ctx, http.MethodGet, "flush", nil)
	return err
}

// ask asks what only the engine asks the emulation.
func (e *emulator) ask(ctx context.Context, method, what string, about url.Values) ([]byte, error) {
	address := e.url.JoinPath("_drawbridge", what)
	address.RawQuery = about.Encode()
	r, err := http.NewRequestWithContext(ctx, method, address.String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("asking the emulation of AWS to %s: %s: %s", what, answer.Status, body)
	}
	return body, err
}

func (e *emulator) stop() { e.child.Stop(2 * time.Second) }

// withoutAWS drops what would make moto or an SDK look elsewhere.
func withoutAWS(env []string) []string {
	var out []string
	for _, kv := range env {
		if !strings.HasPrefix(kv, "AWS_") && !strings.HasPrefix(kv, "MOTO_") && !strings.HasPrefix(kv, "DRAWBRIDGE_") {
			out = append(out, kv)
		}
	}
	return out
}

// output passes on what moto prints, keeps the end of it for an error, and finds
// the line that says where moto is.
type output struct {
	next  io.Writer
	ready chan string

	mu   sync.Mutex
	kept []byte
	said bool
}

var readyLine = regexp.MustCompile(`(?m)^ready (http://127\.0\.0\.1:\d+)\r?\n`)

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, b...)
	if !o.said { // the line may come in pieces
		if m := readyLine.FindSubmatch(o.kept); m != nil {
			o.said = true
			o.ready <- string(m[1])
		}
		return len(b), nil
	}
	if extra := len(o.kept) - 4000; extra > 0 {
		o.kept = o.kept[extra:]
	}
	return o.next.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(bytes.TrimSpace(o.kept))
}
