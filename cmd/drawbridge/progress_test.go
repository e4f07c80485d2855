package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// screen is a terminal that several may write to.
type screen struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(b)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, context.Canceled }

// What takes longer than a moment says that it is at work, and how far it is; nothing of it stays before what is said. What is quick, and what is no terminal,
// says nothing.
func TestProgress(t *testing.T) {
	shown := &screen{}
	p := &progress{out: shown, after: 20 * time.Millisecond, shows: true}
	c := p.count(aws.Config{Region: "us-east-1", HTTPClient: &http.Client{Transport: refusing{}}, RetryMaxAttempts: 1})
	_, _ = sts.NewFromConfig(c).GetCallerIdentity(t.Context(), nil)
	for range 200 {
		if strings.Contains(shown.text(), "1 calls") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.done()
	p.done()
	p.begin() // over for good
	said := shown.text()
	if !strings.Contains(said, "reading AWS, 1 calls in 0 s") || strings.Contains(said, "\n") {
		t.Errorf("%q", said)
	}
	time.Sleep(50 * time.Millisecond)
	if shown.text() != said {
		t.Errorf("after its end: %q", shown.text())
	}
	beside := &progress{out: shown, after: time.Hour, shows: true, began: time.Now()}
	beside.say()
	if beside.aside(); !strings.HasSuffix(shown.text(), "leaves nothing)"+clear) {
		t.Errorf("while something else is said: %q", shown.text())
	}
	for _, quiet := range []*progress{{out: shown, after: time.Hour, shows: true}, {out: shown, after: time.Millisecond}} {
		before := shown.text()
		quiet.begin()
		time.Sleep(5 * time.Millisecond)
		if quiet.done(); shown.text() != before {
			t.Errorf("%+v says %q", quiet.shows, shown.text())
		}
	}
}
