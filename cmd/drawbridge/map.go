package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/history"
	"github.com/drawbridge-cloud/drawbridge/pkg/picture"
)

type mapCommand struct {
	File   string `help:"Write into a file instead of stdout." short:"f" placeholder:"FILE"`
	Output string `help:"Draw as ${enum}." short:"o" enum:"html,svg,text,json,yaml" default:"html" placeholder:"FORMAT"`
	hubFlags
	access
}

// Help is what kong shows below the options.
func (mapCommand) Help() string {
	return `Draws the organization's units, accounts, VPCs, clients and databases, and what connects them, as the hub's ledger has it. The page is one file: it
needs no network and no server. What a path is was judged when Drawbridge looked last; drawbridge why judges now.

It reads with your own credentials, in the hub's account: needs dynamodb:Scan of the ledger's table; better also cloudformation:DescribeStacks,
ssm:GetParameter, organizations:ListRoots, ListOrganizationalUnitsForParent and ListAccountsForParent. It changes nothing. On a terminal the page goes
into drawbridge-map.html.

Exits with 0, with 1 after an error. JSON is as docs/schema/map.v1.json says.

Examples:

  drawbridge map --profile hub --file map.html
  drawbridge map --profile hub -o svg > map.svg
  drawbridge map -o json | jq '.connections[] | select(.look=="broken") | .id'
  drawbridge map --local -o text
  drawbridge status --profile hub --serve`
}

// Run implements the command.
func (c mapCommand) Run(ctx context.Context) error {
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	m, err := h.pictured()(ctx)
	if err != nil {
		return err
	}
	if c.Output == "html" && c.File == "" && terminal(os.Stdout) {
		c.File = "drawbridge-map.html"
	}
	if c.File == "" {
		return draw(m, c.Output, os.Stdout)
	}
	if err := drawInto(m, c.Output, c.File); err != nil {
		return err
	}
	talk("the picture is in %s", c.File)
	return nil
}

// drawInto writes a picture into a file, which only its owner may read: it says what the ledger says.
func drawInto(m picture.Map, format, path string) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("writing the picture: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return draw(m, format, file)
}

// draw writes a picture in a format.
func draw(m picture.Map, format string, w io.Writer) error {
	working.done()
	out := ""
	switch format {
	case "html":
		page, err := picture.Page(m, picture.Live{})
		if err != nil {
			return err
		}
		out = page
	case "svg":
		out = picture.SVG(m)
	case "text":
		if w == os.Stdout {
			return show(m, answer.Table)
		}
		return answer.Printer{Out: w, Format: answer.Table}.Print(m)
	default:
		return answer.Printer{Out: w, Format: format}.Print(m)
	}
	_, err := io.WriteString(w, out)
	return err
}

// pictured returns what reads a hub's ledger for a picture. The organization is read once.
func (h hub) pictured() func(context.Context) (picture.Map, error) {
	var once sync.Once
	var o picture.Organization
	var unread []string
	return func(ctx context.Context) (picture.Map, error) {
		once.Do(func() {
			var err error
			if o, err = picture.ReadOrganization(context.WithoutCancel(ctx), organizations.NewFromConfig(h.Config)); err != nil {
				unread = []string{"the organization's units could not be read, so accounts stand side by side"}
				talk("%v", err)
			}
		})
		rows, err := h.rows(ctx)
		if err != nil {
			return picture.Map{}, err
		}
		b := board.Of(rows, time.Now())
		b.Hub = h.at
		if b.Mode, err = board.ReadMode(ctx, ssm.NewFromConfig(h.Config)); err != nil {
			talk("%v", err)
		}
		m := picture.Of(b, history.Pasts(rows), o)
		m.Unread = unread
		return m, nil
	}
}

// lookEvery is for how long a page of a hub in AWS is good: each look reads the whole ledger.
const lookEvery = 10 * time.Second

// serve shows the picture of a hub until ctx ends.
func (h hub) serve(ctx context.Context, address string, every time.Duration) error {
	read := h.pictured()
	server := &picture.Server{Every: every, Read: func(ctx context.Context) (picture.Map, error) {
		m, err := read(ctx)
		if err != nil {
			talk("%v", err)
		}
		return m, err
	}}
	working.done()
	run, url, err := server.Listen(ctx, address)
	if err != nil {
		return err
	}
	talk("the picture of what connects: %s (Ctrl-C ends it)", url)
	return run()
}

// serveAddress is where the picture is served; the flag alone means a free port.
type serveAddress string

// Decode implements [kong.MapperValue].
func (s *serveAddress) Decode(c *kong.DecodeContext) error {
	*s = "127.0.0.1:0"
	if c.Scan.Peek().Type == kong.FlagValueToken {
		return c.Scan.PopValueInto("address", (*string)(s))
	}
	return nil
}

// IsBool implements [kong.BoolMapperValue]: the flag needs no value.
func (*serveAddress) IsBool() bool { return true }
