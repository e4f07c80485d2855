package lambdahost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// TestMain makes the test binary its own bootstrap: started by the host it is a
// function, started by go test it runs the tests.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	switch os.Getenv("ON_INIT") {
	case "exit":
		os.Exit(3)
	case "hang":
		time.Sleep(time.Minute)
	}
	lambda.Start(handle)
}

type order struct{ Do, Say string }

// NotYet is an error type that the host must pass on by name.
type NotYet struct{ error }

func handle(ctx context.Context, in order) (map[string]any, error) {
	switch in.Do {
	case "fail":
		return nil, NotYet{errors.New("the peering is provisioning")}
	case "panic":
		panic("out of cheese")
	case "exit":
		os.Exit(7)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		time.Sleep(time.Minute)
	case "hang":
		time.Sleep(time.Minute)
	case "sleep":
		time.Sleep(200 * time.Millisecond)
	case "full", "huge":
		size := 6<<20 + 100 - len(`{"huge":""}`)
		if in.Do == "huge" {
			size++
		}
		return map[string]any{"huge": strings.Repeat("x", size)}, nil
	}
	fmt.Println(in.Say)
	deadline, _ := ctx.Deadline()
	return map[string]any{
		"said": in.Say, "pid": os.Getpid(), "color": os.Getenv("COLOR"), "left": time.Until(deadline).Seconds(),
		"trace": os.Getenv("_X_AMZN_TRACE_ID"), "home": os.Getenv("HOME"), "who": os.Getenv("AWS_ACCESS_KEY_ID"),
	}, nil
}

func newHost(t *testing.T, change func(*Function)) *Host {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	h := New(Options{
		Endpoint: server.Listener.Addr().String() + "/runtime",
		Lookup: func(name string) (Function, error) {
			f := Function{Name: name, Bootstrap: self, Region: "us-east-1", Timeout: 2 * time.Second, Environment: map[string]string{"COLOR": "green"}}
			if name == "nobody" {
				return f, ErrNotFound
			}
			if change != nil {
				change(&f)
			}
			return f, nil
		},
		Credentials: func(context.Context, Function) (map[string]string, error) {
			return map[string]string{"AWS_ACCESS_KEY_ID": "ASIA1"}, nil
		},
	})
	server.Config.Handler = http.StripPrefix("/runtime", h)
	server.Start()
	t.Cleanup(func() { h.Close(); server.Close() })
	return h
}

func invoke(t *testing.T, h *Host, in order) (Invocation, map[string]any) {
	t.Helper()
	payload, _ := json.Marshal(in)
	inv, err := h.Invoke("greet", payload)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(inv.Result, &out); err != nil {
		t.Fatalf("result %q: %v", inv.Result, err)
	}
	return inv, out
}

func TestInvoke(t *testing.T) {
	h := newHost(t, nil)
	lines := make(chan string, 10)
	h.options.Log = func(_, line string) { lines <- line }
	first, out := invoke(t, h, order{Say: "hello"})
	if first.Failed || out["said"] != "hello" || out["color"] != "green" || out["who"] != "ASIA1" {
		t.Errorf("got %s", first.Result)
	}
	if out["home"] != "" {
		t.Error("the engine's own environment reached the function")
	}
	if left := out["left"].(float64); left <= 0 || left > 2 {
		t.Errorf("deadline in %v s, want within the timeout", left)
	}
	if trace := out["trace"].(string); !strings.Contains(trace, "Root="+first.TraceID) {
		t.Errorf("trace id %q does not carry %q", trace, first.TraceID)
	}
	second, again := invoke(t, h, order{Say: "again"})
	if !first.ColdStart || second.ColdStart || again["pid"] != out["pid"] {
		t.Error("the second invocation did not find the warm process")
	}
	for _, want := range []string{"hello", "again"} {
		select {
		case line := <-lines:
			if line != want {
				t.Errorf("logged %q, want %q", line, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%q was not logged", want)
		}
	}
}

func TestInvocationsAtOnceHaveAProcessEach(t *testing.T) {
	h := newHost(t, nil)
	pids := make([]any, 3)
	var wg sync.WaitGroup
	for i := range pids {
		wg.Go(func() {
			_, out := invoke(t, h, order{Do: "sleep"})
			pids[i] = out["pid"]
		})
	}
	wg.Wait()
	if pids[0] == pids[1] || pids[1] == pids[2] || pids[0] == pids[2] {
		t.Errorf("processes %v are shared", pids)
	}
	if n, cold := h.Counts(); n != 3 || cold["greet"] != 3 {
		t.Errorf("counted %d invocations and %v cold starts", n, cold)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct{ do, kind, message string }{
		{"fail", "NotYet", "the peering is provisioning"},
		{"panic", "string", "out of cheese"},
		{"exit", "Runtime.ExitError", "Runtime exited with error: exit status 7"},
		{"kill", "Runtime.ExitError", "signal: killed"},
		{"hang", "Sandbox.Timedout", "Task timed out after 0.50 seconds"},
		{"huge", "Function.ResponseSizeTooLarge", "exceeded maximum"},
	} {
		t.Run(c.do, func(t *testing.T) {
			h := newHost(t, func(f *Function) {
				if c.do == "hang" {
					f.Timeout = 500 * time.Millisecond
				}
			})
			inv, out := invoke(t, h, order{Do: c.do})
			if !inv.Failed || out["errorType"] != c.kind || !strings.Contains(out["errorMessage"].(string), c.message) {
				t.Errorf("got %s", inv.Result)
			}
			if inv, out := invoke(t, h, order{Say: "next"}); inv.Failed || out["said"] != "next" {
				t.Errorf("the invocation after it got %s", inv.Result)
			}
		})
	}
}

func TestTheLargestResponse(t *testing.T) {
	if inv, _ := invoke(t, newHost(t, nil), order{Do: "full"}); inv.Failed || len(inv.Result) != 6_291_556 {
		t.Errorf("%d bytes, failed: %v", len(inv.Result), inv.Failed)
	}
}

func TestKill(t *testing.T) {
	h := newHost(t, nil)
	traces := make(chan string, 1)
	h.options.Started = func(inv Invocation) { traces <- inv.TraceID }
	go func() {
		trace := <-traces
		for range 200 { // until the process has it
			time.Sleep(10 * time.Millisecond)
			h.Kill(trace)
		}
	}()
	if inv, out := invoke(t, h, order{Do: "hang"}); out["errorType"] != "Runtime.ExitError" {
		t.Errorf("got %s", inv.Result)
	}
	h.Kill("1-00000000-nobody") // works on nothing
}

func TestInitFailures(t *testing.T) {
	for _, c := range []struct {
		name, kind, message string
		change              func(*Function)
	}{
		{"exit", "Runtime.ExitError", "exit status 3", func(f *Function) { f.Environment["ON_INIT"] = "exit" }},
		{"no executable", "Runtime.InvalidEntrypoint", "no such file", func(f *Function) { f.Bootstrap = "/no/such/bootstrap" }},
		{"never asks", "Sandbox.Timedout", "Init timed out after 0.10 seconds", func(f *Function) { f.Environment["ON_INIT"] = "hang" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t, c.change)
			h.options.InitTimeout = 3 * time.Second
			if c.name == "never asks" {
				h.options.InitTimeout = 100 * time.Millisecond
			}
			inv, out := invoke(t, h, order{})
			if !inv.Failed || out["errorType"] != c.kind || !strings.Contains(out["errorMessage"].(string), c.message) {
				t.Errorf("got %s", inv.Result)
			}
		})
	}
}

func TestUnknownFunction(t *testing.T) {
	if _, err := newHost(t, nil).Invoke("nobody", nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestCoolMakesTheNextStartCold(t *testing.T) {
	h := newHost(t, nil)
	_, before := invoke(t, h, order{})
	h.Cool()
	again, after := invoke(t, h, order{})
	if !again.ColdStart || before["pid"] == after["pid"] {
		t.Error("the process is still warm")
	}
	if err := syscall.Kill(int(before["pid"].(float64)), 0); err != syscall.ESRCH {
		t.Errorf("the old process: %v", err)
	}
}

func TestCloseLeavesNoProcess(t *testing.T) {
	h := newHost(t, nil)
	_, out := invoke(t, h, order{})
	h.Close()
	pid := int(out["pid"].(float64))
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("process %d: %v", pid, err)
	}
	if _, err := h.Invoke("greet", nil); err == nil {
		t.Error("a closed host still invokes")
	}
}

func TestAnswersToNobodyAreRefused(t *testing.T) {
	h := newHost(t, nil)
	invoke(t, h, order{})
	for _, path := range []string{"/nobody/2018-06-01/runtime/invocation/next", "/nobody/x"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for id := range h.processes {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/"+id+"/2018-06-01/runtime/invocation/other/response", strings.NewReader("{}")))
		if w.Code != http.StatusBadRequest {
			t.Errorf("an answer to an unknown request: %d", w.Code)
		}
	}
}
