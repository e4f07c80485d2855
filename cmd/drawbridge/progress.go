package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/term"
)

// progress says on a terminal that a command is at work, once that takes longer than a moment, and goes away before anything else is said. It begins with the
// first configuration of AWS, and is over for good when it is told to be.
type progress struct {
	out   io.Writer
	after time.Duration // until it is first said, and between two lines
	shows bool          // out is a terminal

	mu    sync.Mutex
	began time.Time
	calls int
	said  bool
	ended chan struct{} // nil before it began
	over  bool
}

// working is that of this process.
var working = &progress{out: os.Stderr, after: time.Second, shows: term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb"}

// count returns a configuration whose calls are counted, and begins.
func (p *progress) count(c aws.Config) aws.Config {
	p.begin()
	c.APIOptions = append(c.APIOptions[:len(c.APIOptions):len(c.APIOptions)], func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("Progress", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			p.mu.Lock()
			p.calls++
			p.mu.Unlock()
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
	})
	return c
}

func (p *progress) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.shows || p.over || p.ended != nil {
		return
	}
	p.began, p.ended = time.Now(), make(chan struct{})
	go func() {
		tick := time.NewTicker(p.after)
		defer tick.Stop()
		for {
			select {
			case <-p.ended:
				return
			case <-tick.C:
				p.say()
			}
		}
	}()
}

// clear is how a terminal takes a line away: back to its beginning, and all of it gone.
const clear = "\r\033[K"

func (p *progress) say() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.said = true
	fmt.Fprintf(p.out, clear+"drawbridge: reading AWS, %d calls in %.0f s (Ctrl-C ends it, and leaves nothing)", p.calls, time.Since(p.began).Seconds())
}

// aside makes room for something else that is said meanwhile.
func (p *progress) aside() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said && !p.over {
		fmt.Fprint(p.out, clear)
		p.said = false
	}
}

// done ends it, and leaves nothing of it on the terminal.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	if p.over = true; p.ended != nil {
		close(p.ended)
	}
	if p.said {
		fmt.Fprint(p.out, clear)
	}
}
