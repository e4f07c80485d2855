package main

import (
	"context"
	"errors"
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
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
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
		return errNo
	case f.DryRun:
		return f.print(deed.Of(d))
	case !f.Yes:
		if !term.IsTerminal(int(os.Stdin.Fd())) {
			return errors.New("nothing was done: nobody can be asked here, so say --yes, or --dry-run to see the calls")
		}
		if err := (answer.Printer{Out: os.Stderr, Format: answer.Table, Color: terminal(os.Stderr)}).Print(deed.Of(d)); err != nil {
			return err
		}
		if ok, err := deed.Confirmed(ctx, os.Stdin, os.Stderr); err != nil || !ok {
			if err == nil {
				talk("nothing was done")
				err = errNo
			}
			return err
		}
	}
	done, err := deed.Do(ctx, d, enter)
	if err != nil {
		return err
	}
	return f.print(done)
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

// say does what an owner says about a connection.
func (f ownerFlags) say(ctx context.Context, id string, what func(side) deed.Deed) error {
	s, err := f.side(ctx, id)
	if err != nil {
		return err
	}
	return f.perform(ctx, what(s), s.door.enter)
}

// wish is the tag by which an owner asked for what no connection is.
type wish struct {
	door  *door
	thing deed.Thing
	key   string
}

// asked finds the tag by which an owner asked for an entry that no connection is, and whether the id is of one. Its VPC is in the account and Region of the
// ledger's entry, else of --in, else of whoever speaks.
func (f ownerFlags) asked(ctx context.Context, id string) (wish, bool, error) {
	if _, _, ok := deed.AskedBy(id, event.Place{}); !ok {
		return wish{}, false, nil
	}
	d, err := f.door(ctx, f.accountFlags)
	if err != nil {
		return wish{}, true, err
	}
	at := d.home
	entry, known, err := f.look(ctx, id)
	if err != nil {
		return wish{}, true, err
	}
	if known && len(entry.Line.Sides) > 0 {
		at = event.Place{Account: entry.Line.Sides[0].Account, Region: entry.Line.Sides[0].Region}
	}
	if account, region, found := strings.Cut(f.In, "/"); f.In != "" {
		if at.Account = account; found {
			at.Region = region
		}
	}
	t, key, _ := deed.AskedBy(id, at)
	return wish{d, t, key}, true, nil
}

// side finds whose word it is: of the account that was named; of the one that the ledger says is asked; of whoever speaks, if they are a side; or, in the
// engine, where anybody is anyone, of the side that accepts.
func (f ownerFlags) side(ctx context.Context, id string) (side, error) {
	var kind tag.Kind
	switch road.Of(id) {
	case road.Attachment:
		kind = tag.Attachment
	case road.Peering:
		kind = tag.Peering
	case road.Transit, road.DataAPI, road.DataAPIEndpoint, road.Studio, road.PrivateNotebooks, road.Share:
	}
	if kind == "" {
		return side{}, &fault.Error{Kind: fault.Invalid, Message: "reading the connection: " + id + " has no tags of owners", Remedy: "name a peering, pcx-…, or an attachment, tgw-attach-…; drawbridge status lists them"}
	}
	d, err := f.door(ctx, f.accountFlags)
	if err != nil {
		return side{}, err
	}
	s := side{door: d, thing: deed.Thing{Kind: kind, ID: id, Account: d.home.Account, Region: d.home.Region}}
	entry, known, err := f.look(ctx, id)
	if err != nil {
		return side{}, err
	}
	if known {
		s.entry = deed.Entry{Known: true, State: entry.Line.State, Command: entry.Line.Command, Shown: entry.Line.Shown}
		s.thing.Account, s.thing.Region = speaks(entry.Line, d.home)
	}
	if f.In != "" {
		account, region, found := strings.Cut(f.In, "/")
		if s.thing.Account = account; found {
			s.thing.Region = region
		}
	}
	return s, nil
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
