package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/term"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// deedFlags say how a deed is done.
type deedFlags struct {
	Yes    bool `help:"Do it without asking." short:"y" xor:"how"`
	DryRun bool `help:"Show the calls, and make none." xor:"how"`
	reach
}

// perform shows a deed, asks, does it and prints the answer. Where nobody can be asked it does nothing.
func (f deedFlags) perform(ctx context.Context, d deed.Deed, enter func(event.Place) (aws.Config, error)) error {
	working.done()
	switch {
	case len(d.Calls) == 0:
		if err := f.print(deed.Of(d)); err != nil {
			return err
		}
		return yes(d.Already)
	case f.DryRun:
		return f.print(deed.Of(d))
	case !f.Yes:
		if err := agreed(ctx, func() error {
			return answer.Printer{Out: os.Stderr, Format: answer.Table, Color: terminal(os.Stderr)}.Print(deed.Of(d))
		}); err != nil {
			return err
		}
	}
	done, err := deed.Do(ctx, d, enter)
	if err != nil {
		return err
	}
	return f.print(done)
}

// agreed asks, once show has said what is asked about. It returns errNo after a no, and an error where nobody can be asked.
func agreed(ctx context.Context, show func() error) error {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return errors.New("nothing was done: nobody can be asked here, so say --yes, or look at --help how to see first what would be done")
	}
	if err := show(); err != nil {
		return err
	}
	ok, err := deed.Confirmed(ctx, os.Stdin, os.Stderr)
	if err == nil && !ok {
		talk("nothing was done")
		err = errNo
	}
	return err
}

// ownerFlags are those of a deed of an owner's.
type ownerFlags struct {
	In         string `help:"Account of the side that speaks, and its Region; by default yours, or in the engine the one that is asked." placeholder:"ACCOUNT[/REGION]"`
	HubProfile string `help:"Profile of the hub's account, to see first what the ledger has." placeholder:"NAME"`
	accountFlags
	hubFlags
	deedFlags
}

// side is one side of a connection, with whose rights a deed is done.
type side struct {
	door  *door
	thing deed.Thing
	entry deed.Entry
}

// say does what an owner says about a thing of one of these kinds.
func (f ownerFlags) say(ctx context.Context, id string, kinds []tag.Kind, what func(side) deed.Deed) error {
	if t, ok := deed.Managed(id, event.Place{}); !ok || !slices.Contains(kinds, t.Kind) {
		remedy := "name a peering, pcx-…, or an attachment, tgw-attach-…; drawbridge status lists them"
		if len(kinds) > len(asked) {
			remedy = "name it as drawbridge status does: a peering, an attachment, or an entry of the Data API, Studio or private notebooks"
		}
		return &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("reading %q: nobody says this of such a thing", id), Remedy: remedy}
	}
	s, err := f.side(ctx, id)
	if err != nil {
		return err
	}
	return f.perform(ctx, what(s), s.door.enter)
}

// The kinds of things about which owners are asked, and those that they give to Drawbridge and take out of its hands.
var (
	asked   = []tag.Kind{tag.Peering, tag.Attachment}
	managed = append([]tag.Kind{tag.VPC, tag.DBCluster, tag.RedshiftCluster}, asked...)
)

// side finds whose word it is: of the account whose thing it is, or that was named; of the one that the ledger says is asked; of whoever speaks, if they are a
// side; or, in the engine, where anybody is anyone, of the side that accepts.
func (f ownerFlags) side(ctx context.Context, id string) (side, error) {
	d, err := f.door(ctx, f.accountFlags)
	if err != nil {
		return side{}, err
	}
	at := d.home
	entry, known, err := f.look(ctx, id)
	if err != nil {
		return side{}, err
	}
	s := side{door: d}
	if known {
		s.entry = deed.Entry{Known: true, State: entry.Line.State, Command: entry.Line.Command, Shown: entry.Line.Shown, Contested: len(entry.Line.Contested) > 0}
		at.Account, at.Region = speaks(entry.Line, d.home)
	}
	if f.In != "" {
		account, region, found := strings.Cut(f.In, "/")
		if at.Account = account; found {
			at.Region = region
		}
	}
	s.thing, _ = deed.Managed(id, at)
	s.entry.Tags, err = d.tags(ctx, s.thing)
	return s, err
}

// speaks is the place of the side that speaks about an entry: of the account that is asked, else of home, else of the last side, which accepts.
func speaks(l board.Line, home event.Place) (account, region string) {
	if len(l.Sides) == 0 {
		return home.Account, home.Region
	}
	for _, account := range []string{l.By, home.Account} {
		for _, s := range slices.Backward(l.Sides) {
			if s.Account == account {
				return s.Account, s.Region
			}
		}
	}
	last := l.Sides[len(l.Sides)-1]
	return last.Account, last.Region
}

// look reads the entry of a connection, where the hub can be read from here.
func (f ownerFlags) look(ctx context.Context, id string) (board.Entry, bool, error) {
	if f.Local == "" && f.HubProfile == "" {
		return board.Entry{}, false, nil
	}
	c, err := f.base(ctx, local.HubAccount)
	if err == nil && f.Local == "" {
		c, err = f.profile(ctx, f.HubProfile)
	}
	if err != nil {
		return board.Entry{}, false, err
	}
	h, err := f.hubFlags.in(ctx, c)
	if err != nil {
		return board.Entry{}, false, err
	}
	rows, err := h.rows(ctx)
	if err != nil {
		return board.Entry{}, false, err
	}
	e, ok := board.EntryOf(rows, id, time.Now())
	return e, ok, nil
}
