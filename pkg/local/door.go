package local

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/lambdahost"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// Exchange is the request of a recorded call and its answer.
type Exchange struct {
	Method, Path string
	Header       http.Header
	Body, Answer []byte
}

// door is the front door: the one endpoint of the engine.
type door struct {
	accounts accounts
	story    *story.Recorder
	fault    Injector
	observe  func(awscall.Call, Exchange)
	event    func(account, region, bus string, event json.RawMessage)
	mux      *http.ServeMux

	// The emulation reports from its first second on, but AWS calls wait until
	// the hub is deployed; then the rest is set.
	ready     chan struct{}
	proxy     *httputil.ReverseProxy
	deployer  *deployer
	functions *functions
	host      *lambdahost.Host
}

// maxBody is the most that a request may hold; it is read whole to be traced.
const maxBody = 64 << 20

// runtimePath is where functions find their Runtime API.
const runtimePath = "/_drawbridge/runtime"

// visit is what the door knows of a request while it is passed on.
type visit struct {
	call awscall.Call
	body []byte
}

type visitKey struct{}

// lost is the fault that replaces an answer.
type lost struct{ *Fault }

func (lost) Error() string { return "the answer is lost" }

func newDoor(o Options, s *story.Recorder) *door {
	d := &door{story: s, fault: o.Fault, observe: o.Observe, event: o.Event, mux: http.NewServeMux(), ready: make(chan struct{})}
	d.mux.HandleFunc("POST "+notifyPath, d.notify)
	d.mux.HandleFunc("/", d.pass)
	return d
}

// open lets AWS calls in from now on.
func (d *door) open(backend *url.URL, deploy *deployer, f *functions, h *lambdahost.Host) {
	d.deployer, d.functions, d.host = deploy, f, h
	d.proxy = &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(backend)
			r.Out.Host = r.In.Host // part of the signature, and of S3 and queue names
		},
		ModifyResponse: d.answered,
		ErrorHandler:   d.failed,
	}
	d.mux.Handle(runtimePath+"/", http.StripPrefix(runtimePath, h))
	close(d.ready)
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.mux.ServeHTTP(w, r) }

// notify takes what the emulation reports: notices, one after another.
func (d *door) notify(w http.ResponseWriter, r *http.Request) {
	notices := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	var bad error // one that cannot be read does not keep the others away
	var notice json.RawMessage
	err := notices.Decode(&notice)
	for ; err == nil; err = notices.Decode(&notice) {
		one := d.story.Notice(notice)
		if one == nil && d.event != nil {
			one = d.arrived(notice)
		}
		bad = errors.Join(bad, one)
	}
	if err = errors.Join(bad, ended(err)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// ended is why reading ended, unless there was nothing more.
func ended(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// arrived hands on the event that a notice is about; other notices are about none.
func (d *door) arrived(notice []byte) error {
	var n struct {
		Kind, Account, Region, Bus string
		Event                      json.RawMessage
	}
	if err := json.Unmarshal(notice, &n); err != nil {
		return fmt.Errorf("reading a notice: %w", err)
	}
	if n.Kind == "event" {
		d.event(n.Account, n.Region, n.Bus, n.Event)
	}
	return nil
}

// pass takes an AWS call to where it is answered.
func (d *door) pass(w http.ResponseWriter, r *http.Request) {
	select {
	case <-d.ready:
	case <-r.Context().Done():
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "reading the request: "+err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	v := &visit{call: awscall.Parse(r, body), body: body}
	v.call.Account, v.call.Role = d.accounts.of(v.call.Key)
	if d.invokes(v.call) {
		d.invoke(w, r, v)
		return
	}
	if err := d.welcome(r.Context(), v.call); err != nil {
		awscall.Refuse(w, r, v.call, http.StatusInternalServerError, "InternalFailure", err.Error())
		return
	}
	if f := d.asked(v.call, Before); f != nil {
		status, code := f.name()
		d.record(v, status, code, nil, r)
		d.strike(w, r, v, f)
		return
	}
	out := r.Clone(context.WithValue(r.Context(), visitKey{}, v))
	out.Body = io.NopCloser(bytes.NewReader(body))
	// A connection that the other side closed while it was idle is replaced
	// without anybody noticing, because the body can be sent again.
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	out.ContentLength = int64(len(body))
	out.TransferEncoding = nil
	out.Header.Del(serviceHeader)
	if awscall.IsAccount(v.call.Key) {
		out.Header.Set("X-Moto-Account-Id", v.call.Key)
	} else {
		out.Header.Del("X-Moto-Account-Id")
	}
	d.proxy.ServeHTTP(w, out)
}

// welcome makes the account of a call a member where it is used. The hub's own
// machinery does not make the hub a member; whoever uses it by its number does, and
// then it is one wherever a member's role is used.
func (d *door) welcome(ctx context.Context, c awscall.Call) error {
	if c.Service == "" || !awscall.IsAccount(c.Account) {
		return nil
	}
	if c.Account != HubAccount || c.Key == HubAccount || strings.HasPrefix(c.Role, memberStack) {
		if err := d.deployer.member(ctx, c.Account, c.Region); err != nil {
			return err
		}
	}
	if c.Action == "AssumeRole" {
		if role := roleARN.FindStringSubmatch(c.Resource); role != nil && role[1] != HubAccount {
			return d.deployer.member(ctx, role[1], d.deployer.options.Region)
		}
	}
	return nil
}

// ours reports whether one of Drawbridge's functions makes the call.
func (d *door) ours(c awscall.Call) bool { return strings.HasPrefix(c.Function, functionPrefix) }

func (d *door) asked(c awscall.Call, m Moment) *Fault {
	if !d.ours(c) {
		return nil
	}
	return d.fault.ask(c, m)
}

// answered sees every answer of the emulation before the client does.
func (d *door) answered(r *http.Response) error {
	v, ok := r.Request.Context().Value(visitKey{}).(*visit)
	if !ok {
		return nil
	}
	var answer []byte
	failed := r.StatusCode >= 400
	if failed || hands(v.call) || d.observe != nil && d.ours(v.call) {
		var err error
		if answer, err = io.ReadAll(r.Body); err != nil {
			return err
		}
		_ = r.Body.Close()
		r.Body = io.NopCloser(bytes.NewReader(answer))
	}
	if !failed && hands(v.call) {
		d.accounts.learn(v.call, answer)
	}
	if f := d.asked(v.call, After); f != nil {
		status, code := f.name()
		d.record(v, status, code, answer, r.Request)
		return lost{f}
	}
	code := ""
	if failed {
		code = awscall.ErrorCode(r.Header, answer)
	}
	d.record(v, r.StatusCode, code, answer, r.Request)
	return nil
}

// failed answers for an emulation that does not.
func (d *door) failed(w http.ResponseWriter, r *http.Request, err error) {
	v, ok := r.Context().Value(visitKey{}).(*visit)
	if !ok {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	var l lost
	if errors.As(err, &l) {
		d.strike(w, r, v, l.Fault)
		return
	}
	awscall.Refuse(w, r, v.call, http.StatusServiceUnavailable, "ServiceUnavailable", "the emulation of AWS does not answer: "+err.Error())
}

// strike answers with a fault, or does not answer at all.
func (d *door) strike(w http.ResponseWriter, r *http.Request, v *visit, f *Fault) {
	if f.Kill {
		d.host.Kill(v.call.TraceID)
	}
	if f.Kill || f.Reset {
		panic(http.ErrAbortHandler) // closes the connection
	}
	if f.Conflict {
		awscall.Cancel(w, r, v.call, []string{"TransactionConflict"})
		return
	}
	awscall.Refuse(w, r, v.call, f.Status, f.Code, f.Message)
}

// record keeps a call of Drawbridge.
func (d *door) record(v *visit, status int, code string, answer []byte, r *http.Request) {
	if !d.ours(v.call) {
		return
	}
	v.call.Status, v.call.Error = status, code
	c := d.story.Called(v.call)
	if d.observe != nil {
		d.observe(c, Exchange{Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header, Body: v.body, Answer: answer})
	}
}

// invokes reports whether the call runs one of the hub's functions.
func (d *door) invokes(c awscall.Call) bool {
	if c.Service != "lambda" || c.Action != "Invoke" || c.Account != HubAccount {
		return false
	}
	_, err := d.functions.lookup(functionName(c.Resource))
	return err == nil
}

// Payloads of an invocation; the host knows the limit of an answer.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxRequest = 6 << 20 // somebody waits for the result
	maxEvent   = 1 << 20 // nobody waits
)

// invoke answers Lambda's Invoke.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (d *door) invoke(w http.ResponseWriter, r *http.Request, v *visit) {
	name := functionName(v.call.Resource)
	kind := r.Header.Get("X-Amz-Invocation-Type")
	most := maxRequest
	if kind == "Event" {
		most = maxEvent
	}
	if len(v.body) > most {
		awscall.Refuse(w, r, v.call, http.StatusRequestEntityTooLarge, "RequestTooLargeException",
			fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", most))
		return
	}
	switch kind {
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
		return
	case "Event":
		go func() { _, _ = d.host.Invoke(name, v.body) }() // nobody waits for the result
		w.WriteHeader(http.StatusAccepted)
		return
	}
	inv, err := d.host.Invoke(name, v.body)
	if err != nil {
		awscall.Refuse(w, r, v.call, http.StatusInternalServerError, "ServiceException", err.Error())
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.Result)))
	h.Set("X-Amzn-Requestid", inv.ID)
	h.Set("X-Amz-Executed-Version", "$LATEST")
	if inv.Failed {
		h.Set("X-Amz-Function-Error", "Unhandled")
	}
	if r.Header.Get("X-Amz-Log-Type") == "Tail" {
		log := inv.Log
		if len(log) > 4096 {
			log = log[len(log)-4096:]
		}
		h.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(log))
	}
	_, _ = w.Write(inv.Result)
}
