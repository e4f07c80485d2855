package localstack

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

func TestAs(t *testing.T) {
	for _, c := range []struct {
		got, want, may []string
		held           bool
	}{
		{[]string{"Swept", "Connected"}, []string{"Connected", "Swept"}, nil, true},
		{nil, nil, nil, true},
		{[]string{"Connected"}, nil, nil, false},
		{nil, []string{"Connected"}, nil, false},
		{[]string{"Connected", "Connected"}, []string{"Connected"}, nil, false},
		{[]string{"Connected", "Connected", "Nothing"}, []string{"Connected"}, []string{"Nothing"}, true},
		{[]string{"Connected", "FAILED Invalid"}, []string{"Connected"}, []string{"Nothing"}, false},
		{[]string{"Nothing"}, []string{"Connected"}, []string{"Nothing"}, false},
	} {
		if got := as(c.got, c.want, c.may); got != c.held {
			t.Errorf("%q as %q, maybe %q: %v", c.got, c.want, c.may, got)
		}
	}
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	r, err := Run(t.Context(), Options{Root: "../../..", Python: "nowhere/python", Out: io.Discard, Log: io.Discard})
	if err == nil || len(r.Judgements) > 0 || !strings.Contains(err.Error(), "make .crosscheck/localstack/ready") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestBridge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var arrived []string
		var b bridge
		put := func(account, bus, text string) { b.take(account, "us-east-1", bus, json.RawMessage(text)) }
		call := `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","time":"2026-01-02T03:04:05Z","detail":{"n":1}}`
		put("111111111111", "default", call) // nobody carries it yet
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		b.start(ctx, func(_ context.Context, c crossing) error {
			mu.Lock()
			defer mu.Unlock()
			arrived = append(arrived, c.account+" "+c.bus+" "+c.event.Source)
			if c.event.Source == "aws.bad" {
				return errors.New("refused")
			}
			return nil
		})
		put("111111111111", "default", call)
		put("123456789012", "drawbridge", call) // forwarded by the engine's member
		put("123456789012", "drawbridge", `{"source":"`+event.Source+`","detail-type":"Peering To Inspect","time":"2026-01-02T03:04:05Z","detail":{}}`)
		b.lose("111111111111", true)
		put("111111111111", "default", call)
		put("222222222222", "default", call)
		b.lose("111111111111", false)
		put("111111111111", "default", call)
		synctest.Wait()
		want := []string{"111111111111 default aws.ec2", "123456789012 drawbridge " + event.Source, "222222222222 default aws.ec2", "111111111111 default aws.ec2"}
		if copied, underway, err := b.state(); !slices.Equal(arrived, want) || copied != len(want) || underway || err != nil {
			t.Errorf("%d copied, %v, %v: %q, want %q", copied, underway, err, arrived, want)
		}
		put("111111111111", "default", `{"source":"aws.bad","time":"2026-01-02T03:04:05Z"}`)
		synctest.Wait()
		if _, _, err := b.state(); err == nil {
			t.Error("an event that is refused is not told")
		}
		cancel()
		synctest.Wait()
	})
}
