package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/drawbridge-cloud/drawbridge/pkg/board"
)

// looks are what is seen one after the other; after the last one somebody presses Ctrl-C, or it fails.
func looks(stop context.CancelFunc, fails error, all ...look) func(context.Context, int) (look, error) {
	return func(_ context.Context, n int) (look, error) {
		if n < len(all) {
			return all[n], nil
		}
		stop()
		return look{}, fails
	}
}

// What is watched is painted anew when it is another one, and the terminal is in the end as it was, whatever ended it.
func TestWatch(t *testing.T) {
	gone := errors.New("the table is gone")
	a, later, b := look{"a, 1 s ago\n", "a"}, look{"a, 2 s ago\n", "a"}, look{"b\n", "b"}
	for name, c := range map[string]struct {
		terminal bool
		height   int
		looks    []look
		fails    error
		want     string
	}{
		"on a terminal":              {true, 24, []look{a, a, later, b}, nil, enter + paint + a.text + paint + later.text + paint + b.text + leave},
		"on a low one":               {true, 3, []look{{"1\n2\n3\n4\n", ""}}, nil, enter + paint + "1\n… 3 more lines: without --watch all of it is shown" + leave},
		"as long as it can be read":  {true, 24, []look{a}, gone, enter + paint + a.text + leave},
		"that cannot be read":        {true, 24, nil, gone, ""},
		"in a pipe":                  {false, 0, []look{a, later, b, a}, nil, a.text + b.text + a.text},
		"in a pipe that cannot read": {false, 0, []look{a}, gone, a.text},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		stop := cancel
		if c.fails != nil {
			stop = func() {}
		}
		var out bytes.Buffer
		w := watch{out: &out, terminal: c.terminal, height: func() int { return c.height }, pause: time.Millisecond}
		if err := w.run(ctx, looks(stop, c.fails, c.looks...)); !errors.Is(err, c.fails) || out.String() != c.want {
			t.Errorf("%s: %v, %q, want %q", name, err, out.String(), c.want)
		}
		cancel()
	}
}

// terminalOf opens a terminal of 80 columns: who looks at it, and what a program has of it.
func terminalOf(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	control := func(f *os.File, request uintptr, argument unsafe.Pointer) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(argument)); errno != 0 {
			t.Fatal(errno)
		}
	}
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals on this machine")
	}
	t.Cleanup(func() { _ = ours.Close() })
	locked, number, size := int32(0), uint32(0), [4]uint16{40, 80}
	control(ours, syscall.TIOCSPTLCK, unsafe.Pointer(&locked))
	control(ours, syscall.TIOCGPTN, unsafe.Pointer(&number))
	control(ours, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	if theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = theirs.Close() })
	return ours, theirs
}

// watching watches the board of an engine on a terminal. What it returns waits until an id is on it, presses Ctrl-C, and looks at what is left.
func watching(t *testing.T, at string) func(id string) {
	t.Helper()
	ours, theirs := terminalOf(t)
	cmd := drawbridge(t, "status", "--watch", at)
	cmd.Env = append(cmd.Env, "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	shown := &screen{}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for part := make([]byte, 4096); ; {
			n, err := ours.Read(part)
			_, _ = shown.Write(part[:n])
			if err != nil {
				return // nobody has it open any more
			}
		}
	}()
	until(t, cmd, func() bool { return strings.Contains(shown.text(), "no entries") })
	return func(id string) {
		t.Helper()
		until(t, cmd, func() bool {
			paints := strings.Split(shown.text(), paint)
			return strings.Contains(paints[len(paints)-1], id) && strings.Contains(paints[len(paints)-1], "Connected")
		})
		if _, err := ours.Write([]byte{3}); err != nil { // Ctrl-C
			t.Fatal(err)
		}
		err := cmd.Wait()
		<-read
		all := shown.text()
		before, _, _ := strings.Cut(all, enter) // on a slow machine what goes on is shown first, and cleared
		before = before[strings.LastIndex(clear+before, clear):]
		if err != nil || !strings.HasSuffix(all, leave) || strings.Count(all, enter) != 1 || strings.Trim(before, " ") != "" {
			t.Errorf("after Ctrl-C it ends with %v and leaves %q", err, all)
		}
	}
}

// stream watches the board of an engine in a pipe: each document says something else than the one before.
func stream(t *testing.T, at string) func(id string) {
	t.Helper()
	cmd := drawbridge(t, "status", "--watch", "-o", "json", at)
	out := &screen{}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, cmd, func() bool { return out.text() != "" })
	return func(id string) {
		t.Helper()
		until(t, cmd, func() bool { return strings.Contains(out.text(), `"state": "Connected"`) })
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("after Ctrl-C it ends with %v", err)
		}
		var boards []board.Board
		for read := json.NewDecoder(strings.NewReader(out.text())); read.More(); {
			var b board.Board
			if err := read.Decode(&b); err != nil {
				t.Fatalf("%v in\n%s", err, out.text())
			}
			boards = append(boards, b)
		}
		if last := boards[len(boards)-1]; len(boards) < 2 || len(boards[0].Entries) != 0 || len(last.Entries) != 1 || last.Entries[0].ID != id {
			t.Errorf("it printed %+v", boards)
		}
	}
}

// until waits for something that a command does.
func until(t *testing.T, cmd *exec.Cmd, what func() bool) {
	t.Helper()
	for range 600 {
		if what() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	t.Fatal("it does not show what is there")
}
