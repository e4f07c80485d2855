package process

import (
	"bytes"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// family starts a shell with a child that ignores SIGTERM and returns both ids.
func family(t *testing.T) (*Child, int) {
	t.Helper()
	var out lockedBuffer
	cmd := exec.Command("sh", "-c", `sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & wait`)
	cmd.Stdout = &out
	c, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	for range 2000 { // a busy machine takes its time
		if pid, err := strconv.Atoi(strings.TrimSpace(out.String())); err == nil {
			return c, pid
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the grandchild did not start")
	return nil, 0
}

func gone(pid int) bool {
	for range 2000 { // a busy machine takes its time
		if syscall.Kill(pid, 0) == syscall.ESRCH {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func TestStopEndsStubbornDescendants(t *testing.T) {
	c, grandchild := family(t)
	c.Stop(100 * time.Millisecond)
	if !gone(grandchild) {
		t.Errorf("process %d is still there", grandchild)
	}
}

func TestKillEndsTheGroup(t *testing.T) {
	c, grandchild := family(t)
	c.Kill()
	if !gone(grandchild) {
		t.Errorf("process %d is still there", grandchild)
	}
	if c.Err() == nil {
		t.Error("a killed process reports no error")
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
