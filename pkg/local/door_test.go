package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/lambdahost"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// TestMain makes the test binary a function when the host starts it.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	lambda.Start(func(in struct{ Fail bool }) (string, error) {
		os.Stdout.WriteString("working\n")
		if in.Fail {
			return "", errors.New("no")
		}
		return "done", nil
	})
}

// openDoor puts a door before a backend that remembers what it is asked.
func openDoor(t *testing.T, fault Injector) (front string, s *story.Recorder, seen *[]http.Header) {
	t.Helper()
	seen = new([]http.Header)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*seen = append(*seen, r.Header.Clone())
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte(`<CreateRouteResponse><return>true</return></CreateRouteResponse>`))
	}))
	t.Cleanup(backend.Close)
	to, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s = story.NewRecorder()
	o := Options{Region: "us-east-1", Fault: fault, Outside: []string{"111111111111"}} // so that nothing is deployed
	d := newDoor(o, s)
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	f := &functions{byName: map[string]function{"drawbridge-work": {Function: lambdahost.Function{Name: "drawbridge-work", Bootstrap: self}}}}
	h := lambdahost.New(lambdahost.Options{
		Endpoint: strings.TrimPrefix(server.URL, "http://") + runtimePath, Lookup: f.lookup, Started: s.Started, Finished: s.Finished,
	})
	t.Cleanup(h.Close)
	d.open(to, newDeployer("http://127.0.0.1:1", o), f, h)
	return server.URL, s, seen
}

// createRoute makes the call as one of Drawbridge's functions would.
func createRoute(t *testing.T, url string) error {
	t.Helper()
	c := ClientConfig(url, "111111111111", "us-east-1")
	c.AppID = "drawbridge-add-routes"
	c.RetryMaxAttempts = 1
	_, err := ec2.NewFromConfig(c).CreateRoute(context.Background(), &ec2.CreateRouteInput{
		RouteTableId: aws.String("rtb-1"), DestinationCidrBlock: aws.String("10.2.0.0/16"),
	})
	return err
}

func TestDoorRecordsDrawbridgesCalls(t *testing.T) {
	url, s, seen := openDoor(t, nil)
	if err := createRoute(t, url); err != nil {
		t.Fatal(err)
	}
	want := awscall.Call{Account: "111111111111", Region: "us-east-1", Service: "ec2", Action: "CreateRoute", Resource: "rtb-1", Status: 200, Function: "drawbridge-add-routes"}
	if calls := s.Calls(); len(calls) != 1 || visible(calls[0]) != want {
		t.Errorf("recorded %+v", calls)
	}
	if len(*seen) != 1 || (*seen)[0].Get("X-Moto-Account-Id") != "111111111111" {
		t.Errorf("the emulation was asked %v", *seen)
	}
}

// visible is what a report shows of a call.
func visible(c awscall.Call) awscall.Call {
	c.Key, c.UserAgent, c.TraceID = "", "", ""
	return c
}

func TestDoorRecordsNobodyElse(t *testing.T) {
	url, s, _ := openDoor(t, func(awscall.Call, Moment) *Fault { return &Fault{Code: "X"} })
	if _, err := ec2.NewFromConfig(ClientConfig(url, "111111111111", "us-east-1")).CreateRoute(t.Context(), &ec2.CreateRouteInput{RouteTableId: aws.String("rtb-1")}); err != nil {
		t.Errorf("a fault for Drawbridge met somebody else: %v", err)
	}
	if calls := s.Calls(); len(calls) != 0 {
		t.Errorf("recorded %+v", calls)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		when  Moment
		asked int
	}{{"before", Before, 0}, {"after", After, 1}} {
		t.Run(c.name, func(t *testing.T) {
			url, s, seen := openDoor(t, func(call awscall.Call, when Moment) *Fault {
				if when != c.when || call.Action != "CreateRoute" {
					return nil
				}
				return &Fault{Code: "RequestLimitExceeded", Message: "slow down"}
			})
			err := createRoute(t, url)
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != "RequestLimitExceeded" || api.ErrorMessage() != "slow down" {
				t.Errorf("the client got %v", err)
			}
			if len(*seen) != c.asked {
				t.Errorf("the emulation was asked %d times, want %d", len(*seen), c.asked)
			}
			if calls := s.Calls(); len(calls) != 1 || calls[0].Error != "RequestLimitExceeded" || calls[0].Status != 503 {
				t.Errorf("recorded %+v", calls)
			}
		})
	}
}

func TestAFaultWithoutAnAnswer(t *testing.T) {
	for name, fault := range map[string]Fault{"connection reset": {Reset: true}, "killed": {Kill: true}} {
		for when, asked := range map[Moment]int{Before: 0, After: 1} {
			url, s, seen := openDoor(t, func(_ awscall.Call, m Moment) *Fault {
				if m != when {
					return nil
				}
				f := fault
				return &f
			})
			err := createRoute(t, url)
			var api smithy.APIError
			if err == nil || errors.As(err, &api) {
				t.Errorf("%s: the client got an answer: %v", name, err)
			}
			if len(*seen) != asked {
				t.Errorf("%s: the emulation was asked %d times, want %d", name, len(*seen), asked)
			}
			if calls := s.Calls(); len(calls) != 1 || calls[0].Error != name || calls[0].Status != 0 {
				t.Errorf("%s: recorded %+v", name, calls)
			}
		}
	}
}

func TestNoClientSpeaksForAService(t *testing.T) {
	url, _, seen := openDoor(t, nil)
	r, err := http.NewRequest("POST", url, strings.NewReader("Action=CreateRoute"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(serviceHeader, "lambda.amazonaws.com")
	r.Header.Set("X-Moto-Account-Id", "222222222222")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if h := (*seen)[0]; h.Get(serviceHeader) != "" || h.Get("X-Moto-Account-Id") != "" {
		t.Errorf("the emulation was told %v", h)
	}
}

func TestInvokeThroughTheDoor(t *testing.T) {
	url, s, seen := openDoor(t, nil)
	client := awslambda.NewFromConfig(ClientConfig(url, HubAccount, "us-east-1"))
	out, err := client.Invoke(t.Context(), &awslambda.InvokeInput{
		FunctionName: aws.String("arn:aws:lambda:us-east-1:" + HubAccount + ":function:drawbridge-work"),
		Payload:      []byte(`{"execution":"e-1"}`), LogType: lambdatypes.LogTypeTail,
	})
	if err != nil {
		t.Fatal(err)
	}
	if string(out.Payload) != `"done"` || out.FunctionError != nil || out.LogResult == nil {
		t.Errorf("got %s, error %v, log %v", out.Payload, out.FunctionError, out.LogResult)
	}
	if out, err = client.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("drawbridge-work"), Payload: []byte(`{"Fail":true}`)}); err != nil {
		t.Fatal(err)
	}
	if aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), `"errorType":"errorString"`) {
		t.Errorf("got %s, error %v", out.Payload, out.FunctionError)
	}
	if out, err = client.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("drawbridge-work"), InvocationType: lambdatypes.InvocationTypeDryRun}); err != nil || out.StatusCode != 204 {
		t.Errorf("dry run: %+v, %v", out, err)
	}
	if c := s.Counts(); c.Invocations != 2 || c.ColdStarts != 1 {
		t.Errorf("counted %+v", c)
	}
	if len(*seen) != 0 {
		t.Error("the emulation was asked to invoke")
	}
}

func TestEventsAreHandedOn(t *testing.T) {
	var seen []string
	d := newDoor(Options{Event: func(account, region, bus string, event json.RawMessage) {
		seen = append(seen, account+" "+region+" "+bus+" "+string(event))
	}}, story.NewRecorder())
	for _, notice := range []string{
		`{"kind":"event","account":"111111111111","region":"us-east-1","bus":"default","event":{"id":"1"}}`,
		`{"kind":"rule","account":"111111111111","region":"us-east-1","bus":"default","rule":"forward","eventId":"1","target":"a"}`,
		`{"kind":"event","account":"123456789012","region":"us-east-1","bus":"drawbridge","event":{"id":"2"}}`,
	} {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(http.MethodPost, notifyPath, strings.NewReader(notice)))
		if w.Code != http.StatusNoContent {
			t.Fatalf("%s: %d %s", notice, w.Code, w.Body)
		}
	}
	several := "{\"kind\":\"event\",\"event\":\"no event\"}\n" + // which is said, and keeps none of the others away
		`{"kind":"event","account":"222222222222","region":"us-east-1","bus":"default","event":{"id":"3"}}` + "\n" +
		`{"kind":"event","account":"222222222222","region":"us-east-1","bus":"default","event":{"id":"4"}}`
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest(http.MethodPost, notifyPath, strings.NewReader(several)))
	if w.Code != http.StatusBadRequest {
		t.Errorf("a notice that cannot be read: %d %s", w.Code, w.Body)
	}
	want := []string{`111111111111 us-east-1 default {"id":"1"}`, `123456789012 us-east-1 drawbridge {"id":"2"}`,
		`222222222222 us-east-1 default {"id":"3"}`, `222222222222 us-east-1 default {"id":"4"}`}
	if !slices.Equal(seen, want) {
		t.Errorf("got %q, want %q", seen, want)
	}
}

func TestThePayloadOfAnInvocationIsLimited(t *testing.T) {
	url, s, _ := openDoor(t, nil)
	client := awslambda.NewFromConfig(ClientConfig(url, HubAccount, "us-east-1"))
	for _, c := range []struct {
		kind lambdatypes.InvocationType
		most int
	}{{lambdatypes.InvocationTypeRequestResponse, 6_291_456}, {lambdatypes.InvocationTypeEvent, 1_048_576}} {
		for size, fits := range map[int]bool{c.most: true, c.most + 1: false} {
			payload := append(append([]byte(`{"x":"`), bytes.Repeat([]byte("a"), size-len(`{"x":""}`))...), `"}`...)
			_, err := client.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("drawbridge-work"), Payload: payload, InvocationType: c.kind})
			var large *lambdatypes.RequestTooLargeException
			if fits && err != nil || !fits && !errors.As(err, &large) {
				t.Errorf("%s of %d bytes: %v", c.kind, size, err)
			}
		}
	}
	if c := s.Counts(); c.Invocations > 2 {
		t.Errorf("%d invocations", c.Invocations)
	}
}
