package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// watch shows an answer again and again until it is interrupted. A terminal shows it on its other screen, as far as that has lines, and has its own back at the
// end, as it was. Elsewhere, such as in a pipe, each answer that says something new follows the one before.
type watch struct {
	out      io.Writer
	terminal bool
	height   func() int // lines of the terminal
	pause    time.Duration
}

// How a terminal shows its other screen, without a cursor; how it shows its own again; how it takes all away that is shown.
const (
	enter = "\x1b[?1049h\x1b[?25l"
	leave = "\x1b[?25h\x1b[?1049l"
	paint = "\x1b[H\x1b[2J"
)

// look is one look: what is shown, and what of it makes it another answer, which the time that passes does not.
type look struct{ text, says string }

// run looks until ctx ends, which is no error: nobody ends a watch otherwise.
func (w watch) run(ctx context.Context, at func(context.Context, int) (look, error)) error {
	shown := ""
	defer func() {
		if w.terminal && shown != "" {
			fmt.Fprint(w.out, leave)
		}
	}()
	for n := 0; ; n++ {
		l, err := at(ctx, n)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case w.terminal:
			if text := cut(l.text, w.height()); text != shown {
				if shown == "" {
					fmt.Fprint(w.out, enter)
				}
				fmt.Fprint(w.out, paint+text)
				shown = text
			}
		case l.says != shown:
			fmt.Fprint(w.out, l.text)
			shown = l.says
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.pause):
		}
	}
}

// cut is as much of a text as a terminal has lines, the last of which says how much more there is.
func cut(text string, height int) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	if height < 2 || len(lines) < height {
		return text
	}
	return strings.Join(lines[:height-2], "") + fmt.Sprintf("… %d more lines: without --watch all of it is shown", len(lines)-height+2)
}
